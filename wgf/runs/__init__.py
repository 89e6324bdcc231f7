"""Solving a problem: the time loop, its observers, and the file of a run."""
