"""A method that does the same with less: for a forecast, by which a whole run is seen in a moment."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from wgf.methods.grid_stepper import coarsened
from wgf.methods.jko.method import JKO, time_step
from wgf.methods.particles.method import Particles
from wgf.methods.pushforward.method import Pushforward
from wgf.problems.problem import Problem
from wgf.studies.theory.discretisation import coarser

FEWEST = 100  # cells or points
FEWER = 4  # neurons


def smaller(problem: Problem, method: Any, until: float) -> Any:
    """The method with a quarter of its neurons, with cells twice as long, or with half of its nodes per axis; None where it has none.

    Variational steps keep their length and their ε, on which depends how many iterations they take.
    """
    if isinstance(method, Particles):
        return dataclasses.replace(method, m=2 * max(1, round(method.m / (2 * FEWER))))  # an even number, for pairs
    if isinstance(method, JKO):
        grid, dt = method.grid(problem, until), time_step(method.dt, until)
        return coarsened(method, grid, 2.0, dt=dt, epsilon=method.regularisation(grid, dt))
    if isinstance(method, Pushforward):
        return coarsened(method, method.grid(problem, until), 2.0)
    return coarser(problem, method, until)


def ladder(problem: Problem, method: Any, until: float, size: int) -> list[Any]:
    """The method, which has so many cells or points, and smaller ones, down to FEWEST."""
    part = FEWER if isinstance(method, Particles) else 2 ** (problem.dim or 1)
    found = [method]
    for _ in range(int(math.log(max(size / FEWEST, 1.0), part))):
        less = smaller(problem, found[-1], until)
        if less is None:
            break
        found.append(less)
    return found
