"""A box for the flow, found by a cheap run of few points: characteristics, or noisy neurons where there is noise.

The box holds every place where a point has been, with a margin. With noise the steps are those of Euler and Maruyama, so long that in the
root mean square no coordinate moves by more than MOVE of the box so far, and its deviations from the mean by no more than MOVE of their own
extent: in a well of rate L they move by L dt σ, or by √(2τ dt) where that is more, and extend over 6.4σ, so that L dt stays below 1, where
2 is the bound of stability; and at rest, where σ² = τ/L, it is ½. The run is cut off after so many steps that
a stiff flow, or a very long one, ends in a message instead of a search without end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.errors import InputError, RunError
from wgf.methods.base import State
from wgf.methods.particles.characteristics import Characteristics
from wgf.methods.particles.cloud import CloudStepper
from wgf.methods.particles.langevin import LangevinStepper
from wgf.methods.particles.method import Particles
from wgf.problems.internal import PorousMedium
from wgf.problems.problem import Problem

LAW_NODES = 8  # per axis: Gauss–Hermite reaches 4.1 standard deviations with them
MARGIN = 0.1  # of the extent of the nodes, on each side
NEURONS, NOISY_MARGIN = 1000, 0.4  # with noise: their extremes, 3.2 standard deviations out, are moved to more than 5
PAIRED, PAIRED_MARGIN = 64, 0.7  # the same, from 2.4 standard deviations, where every pair of neurons costs
STEPS = 500  # of the noisy run, at least
FIRST_STEP = 1e-6  # of the longest noisy step: how stiff the flow is shows in the first steps
MOVE, GROWTH = 0.15, 2.0  # of the extent, in a noisy step; largest ratio of a noisy step to the one before it
LEAST_SHARE = 1e-3  # below it a step grows by GROWTH in any case
MOST_STEPS, MOST_NOISY_STEPS = 1000, 2000  # of a cheap run: a few seconds
LEAST_EXTENT, ROUNDING = 1e-3, 1e-12  # of a box, where all points stay in one place: absolute, and relative to where it is


def find_box(problem: Problem, until: float) -> tuple[list[float], list[float]]:
    """Lower and upper edges, p numbers each, of a box that holds the flow up to `until`, with a margin, from a cheap run.

    Raises InputError where the points run away, or the run takes too many steps.
    """
    stepper, margin = _cheap_run(problem, until)
    try:
        with np.errstate(all="ignore"):  # what is not finite is seen below
            lower, upper = _traversed(stepper, stepper.start(), until)
    except RunError as error:
        raise InputError(f"no box is found, as the cheap run for it failed ({error}): give lower and upper") from None
    extent = np.maximum(upper - lower, np.maximum(LEAST_EXTENT, ROUNDING * np.maximum(np.abs(lower), np.abs(upper))))
    return (lower - margin * extent).tolist(), (upper + margin * extent).tolist()


def _traversed(stepper: CloudStepper[Any], state: State, until: float) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest coordinates, (p,) each, that the points have had up to `until`."""
    lower, upper = state.array.min(axis=0), state.array.max(axis=0)
    most = MOST_NOISY_STEPS if isinstance(stepper, LangevinStepper) else MOST_STEPS
    for _ in range(most):
        before = state.array
        stepper.step(state, until)
        lower, upper = np.minimum(lower, state.array.min(axis=0)), np.maximum(upper, state.array.max(axis=0))
        if not np.isfinite(upper - lower).all():
            raise InputError("no box is found, as the neurons run away: give lower and upper")
        if state.time >= until:
            return lower, upper
        if isinstance(stepper, LangevinStepper):
            share = _share_moved(before, state.array, upper - lower)
            stepper.eta = min(stepper.eta * min(GROWTH, MOVE / max(share, LEAST_SHARE)), until / STEPS)
    raise InputError(
        f"no box is found: {most:,} steps of a cheap run for it come to t = {state.time:.3g} of {until:g} only, as the flow is stiff, "
        "or long: give lower and upper"
    )


def _share_moved(before: np.ndarray, after: np.ndarray, extent: np.ndarray) -> float:
    """How far a step has moved the points (m, p), in the root mean square: all beside the `extent` (p,) of the box so far, and their
    deviations from their mean beside their own extent; the largest share of all axes.
    """
    moved, smallest = after - before, np.finfo(float).tiny
    together = np.sqrt(np.mean(moved**2, axis=0)) / np.maximum(extent, smallest)
    apart = np.std(moved, axis=0) / np.maximum(np.ptp(after, axis=0), smallest)
    return float(max(together.max(), apart.max()))


def _cheap_run(problem: Problem, until: float) -> tuple[CloudStepper[Any], float]:
    """The stepper of the cheap run, and the margin that its points need."""
    if isinstance(problem.energy.internal, PorousMedium):
        raise InputError(f"no box can be found for U = {problem.energy.internal!r}, as particles have no density: give lower and upper")
    if problem.noise > 0:
        neurons, margin = (NEURONS, NOISY_MARGIN) if problem.energy.data is not None else (PAIRED, PAIRED_MARGIN)
        return Particles(neurons, step=FIRST_STEP * until / STEPS, scheme="euler-maruyama").bind(problem, until), margin
    return Characteristics(nodes=LAW_NODES, rtol=1e-3, atol=1e-5).bind(problem, until), MARGIN
