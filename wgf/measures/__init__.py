"""Measures on θ-space, the laws they begin as, and the distances between them."""
