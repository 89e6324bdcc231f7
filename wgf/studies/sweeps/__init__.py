"""Sweeps over the number of neurons, and over step sizes."""
