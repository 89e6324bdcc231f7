"""Neurons, data, and features: what a network is made of."""
