"""Distances between two measures."""
