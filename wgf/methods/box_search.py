"""A box for the flow, found by a cheap run of a cloud: characteristics, or noisy particles where there is noise."""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.methods.particles.characteristics import Characteristics
from wgf.methods.particles.cloud import CloudStepper
from wgf.methods.particles.method import Particles
from wgf.problems.internal import PorousMedium
from wgf.problems.problem import Problem

NODES = 8  # per axis: Gauss–Hermite reaches 4.1 standard deviations with them
MARGIN = 0.1  # of the extent of the nodes, on each side
NEURONS, NOISY_MARGIN = 1000, 0.4  # with noise: their extremes, 3.2 standard deviations out, are moved to more than 5
PAIRED, PAIRED_MARGIN = 64, 0.7  # the same, from 2.4 standard deviations, where every pair of neurons costs
STEPS, LONGEST_STEP = 500, 0.1  # of the noisy run


def find_box(problem: Problem, until: float) -> tuple[list[float], list[float]]:
    """Lower and upper edges, p numbers each, of a box that holds the flow up to `until`, with a margin, from a cheap run."""
    stepper, margin = _pilot(problem, until)
    state = stepper.start()
    lower, upper = state.array.min(axis=0), state.array.max(axis=0)
    while state.time < until:
        stepper.step(state, until)
        lower, upper = np.minimum(lower, state.array.min(axis=0)), np.maximum(upper, state.array.max(axis=0))
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        raise InputError("no box is found, as the neurons run away: give lower and upper")
    extent = np.maximum(upper - lower, 1e-3)
    return (lower - margin * extent).tolist(), (upper + margin * extent).tolist()


def _pilot(problem: Problem, until: float) -> tuple[CloudStepper[Any], float]:
    """The stepper of the cheap run, and the margin that its points need."""
    if isinstance(problem.energy.internal, PorousMedium):
        raise InputError(f"no box can be found for U = {problem.energy.internal!r}, as particles have no density: give lower and upper")
    if problem.noise > 0:
        neurons, margin = (NEURONS, NOISY_MARGIN) if problem.energy.data is not None else (PAIRED, PAIRED_MARGIN)
        return Particles(neurons, step=min(until / STEPS, LONGEST_STEP), scheme="euler-maruyama").bind(problem, until), margin
    return Characteristics(nodes=NODES, rtol=1e-3, atol=1e-5).bind(problem, until), MARGIN
