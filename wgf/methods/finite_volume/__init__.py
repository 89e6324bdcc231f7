"""Finite volumes on a box."""
