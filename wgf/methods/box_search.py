"""A box for the flow, found by a cheap run of few points: characteristics, or noisy neurons where there is noise.

The box holds every place where a point has been, with a margin. With noise the steps are those of Euler and Maruyama, so long that in the
root mean square no coordinate moves by more than MOVE of the box so far, and its deviations from the mean by no more than MOVE of their own
extent: in a well of rate L they move by L dt σ, or by √(2τ dt) where that is more, and extend over 6.4σ, so that L dt stays below 1, where
2 is the bound of stability; and at rest, where σ² = τ/L, it is ½. Nor may the velocity v turn much in a step: in the root mean square,

    ½ dt |v(after) − v(before)| ≤ TURN (dt |v(before)| + √(2τ dt))      for each coordinate.

A step that misses these bounds by more than a factor of two is taken back: a box is not to be made by steps that are too long.

The search takes seconds, whatever the problem: of more than SAMPLES data as many are taken, one from each part of equal weight in the order
of the targets, and the run is cut off after so many steps, and neurons times data that they cost, that a stiff flow, or a very long one,
ends in a message. Rates grow with the scale of the data, which the message then names.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from wgf.errors import InputError, RunError
from wgf.methods.base import State
from wgf.methods.particles.base import ParticleStepper
from wgf.methods.particles.characteristics import Characteristics
from wgf.methods.particles.langevin import LangevinState, LangevinStepper
from wgf.methods.particles.method import Particles
from wgf.networks.data import Data
from wgf.networks.waiting import report_progress
from wgf.problems.internal import PorousMedium
from wgf.problems.problem import Problem

LAW_NODES = 8  # per axis: Gauss–Hermite reaches 4.1 standard deviations with them
MARGIN = 0.1  # of the extent of the nodes, on each side
NEURONS, NOISY_MARGIN = 1000, 0.4  # with noise: their extremes, 3.2 standard deviations out, are moved to more than 5
PAIRED, PAIRED_MARGIN = 64, 0.7  # the same, from 2.4 standard deviations, where every pair of neurons costs
STEPS = 500  # of the noisy run, at least
FIRST_STEP = 1e-6  # of the longest noisy step: how stiff the flow is shows in the first steps
MOVE, GROWTH = 0.15, 2.0  # of the extent, in a noisy step; largest ratio of a noisy step to the one before it
TURN = 0.25  # of the velocity in a noisy step
TOO_LONG, SHRINKING = 2.0, 0.1  # beyond the bounds by so much a step is taken back; smallest ratio of a noisy step to the one before it
LEAST = 1e-3  # of what is allowed; below it a step grows by GROWTH in any case
MOST_STEPS, MOST_NOISY_STEPS = 1000, 2000  # of a cheap run: a few seconds
SAMPLES = 100  # of the data
WORK, FEWEST_STEPS = 2e8, 100  # neurons times data, or pairs of neurons, of a cheap run; the steps that it has in any case
STAGES, NOISY_STAGES = 12, 2  # velocities of a step of DOP853, and of a noisy one that is looked at
LARGE = 10.0  # from here on the size of the data is named
LEAST_EXTENT, ROUNDING = 1e-3, 1e-12  # of a box, where all points stay in one place: absolute, and relative to where it is


def find_box(problem: Problem, until: float) -> tuple[list[float], list[float]]:
    """Lower and upper edges, p numbers each, of a box that holds the flow up to `until`, with a margin, from a cheap run.

    Raises InputError where the points diverge, or the run takes too many steps.
    """
    stepper, margin = _cheap_run(_thinned(problem), until)
    try:
        with np.errstate(all="ignore"):  # what is not finite is seen below
            lower, upper = _traversed(stepper, stepper.start(), until, _remedy(problem))
    except RunError as error:
        raise InputError(f"no box is found, as the cheap run for it failed ({error}): {_remedy(problem)}") from None
    extent = np.maximum(upper - lower, np.maximum(LEAST_EXTENT, ROUNDING * np.maximum(np.abs(lower), np.abs(upper))))
    return (lower - margin * extent).tolist(), (upper + margin * extent).tolist()


def _thinned(problem: Problem) -> Problem:
    """The problem with at most SAMPLES data, for each the one in the middle of a part of equal weight in the order of the targets."""
    data = problem.energy.data
    if data is None or data.size <= SAMPLES:
        return problem
    order = np.argsort(data.targets, kind="stable")
    middles = (np.arange(SAMPLES) + 0.5) / SAMPLES
    rows = order[np.minimum(np.searchsorted(np.cumsum(data.weights[order]), middles), data.size - 1)]
    energy: Any = dataclasses.replace(problem.energy, data=Data(data.inputs[rows], data.targets[rows]))  # type: ignore[type-var]
    return dataclasses.replace(problem, energy=energy)


def _remedy(problem: Problem) -> str:
    """What to do without a box; where the data are large, that they are."""
    data, box = problem.energy.data, "give lower and upper"
    if data is None:
        return box
    sizes = {}
    for name, numbers in (("targets", np.abs(data.targets)), ("inputs", np.abs(data.inputs).max(axis=1))):
        largest = float(numbers.max()) or 1.0  # whose square may be too large a number
        sizes[name] = largest * data.norm(numbers / largest)
    large = {name: size for name, size in sizes.items() if size > LARGE}
    if not large:
        return box
    named = " and ".join(f"{name} of size {size:.2g}" for name, size in large.items())
    divided = " and ".join(f"{name} by {size:.2g}" for name, size in large.items())
    return f"{named} (root mean square) make the rates of the flow large: divide the {divided}, or {box}"


def _traversed(stepper: ParticleStepper[Any], state: Any, until: float, remedy: str) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest coordinates, (p,) each, that the points have had up to `until`."""
    lower, upper = state.array.min(axis=0), state.array.max(axis=0)
    noisy = _NoisySteps(stepper, state, until) if isinstance(stepper, LangevinStepper) else None
    most = _most_steps(stepper, state)
    for _ in range(most):
        report_progress("looking for a box", state.time, until)
        if noisy:
            state = noisy.ahead(upper - lower)
        else:
            stepper.step(state, until)
        lower, upper = np.minimum(lower, state.array.min(axis=0)), np.maximum(upper, state.array.max(axis=0))
        if not np.isfinite(upper - lower).all():
            raise InputError(f"no box is found, as the neurons diverge: {remedy}")
        if state.time >= until:
            return lower, upper
    raise InputError(
        f"no box is found: {most:,} steps of a cheap run for it come to t = {state.time:.3g} of {until:g} only, as the flow is "
        f'stiff or long: {remedy}, or an earlier end, or the end "rest"'
    )


def _most_steps(stepper: ParticleStepper[Any], state: State) -> int:
    """How many steps the cheap run may take: MOST_STEPS, or MOST_NOISY_STEPS, and fewer where they would cost more than WORK."""
    m, data = len(state.array), stepper.energy.data
    most, stages = (MOST_NOISY_STEPS, NOISY_STAGES) if isinstance(stepper, LangevinStepper) else (MOST_STEPS, STAGES)
    return int(min(most, max(FEWEST_STEPS, WORK / (stages * m * (m if data is None else data.size)))))


class _NoisySteps:
    """The steps of a noisy run from `state`, as long as the bounds of the module's text allow."""

    def __init__(self, stepper: LangevinStepper, state: LangevinState, until: float) -> None:
        self.stepper, self.state, self.until = stepper, state, until
        self.velocity = stepper.velocity(state.array)[0]
        stepper.warned = True  # its steps are chosen here, for a box and not for a law

    def ahead(self, extent: np.ndarray) -> LangevinState:
        """The state a step later, or as it was where the step was too long; the next step is then a shorter one."""
        after = self.state.copy()
        self.stepper.step(after, self.until)
        velocity = self.stepper.velocity(after.array)[0]
        turned = self._turned(velocity, after.time - self.state.time)
        excess = max(_share_moved(self.state.array, after.array, extent) / MOVE, turned / TURN)
        excess = excess if np.isfinite(excess + turned) else 1.0 / SHRINKING
        if excess <= TOO_LONG:
            self.state, self.velocity = after, velocity
        factor = min(max(1.0 / max(excess, LEAST), SHRINKING), GROWTH)
        self.stepper.eta = min(self.stepper.eta * factor, self.until / STEPS)
        return self.state

    def _turned(self, velocity: np.ndarray, dt: float) -> float:
        """½ dt |v(after) − v(before)| beside dt |v(before)| + √(2τ dt), the largest of all coordinates."""
        turned, size = (np.sqrt(np.mean(part**2, axis=0)) for part in (velocity - self.velocity, self.velocity))
        return float(np.max(0.5 * dt * turned / (dt * size + np.sqrt(2.0 * self.stepper.tau * dt))))


def _share_moved(before: np.ndarray, after: np.ndarray, extent: np.ndarray) -> float:
    """How far a step has moved the points (m, p), in the root mean square: all of them beside the `extent` (p,) of the box so far, and
    their deviations from their mean beside their own extent; the largest share of all axes.
    """
    moved, smallest = after - before, np.finfo(float).tiny
    together = np.sqrt(np.mean(moved**2, axis=0)) / np.maximum(extent, smallest)
    apart = np.std(moved, axis=0) / np.maximum(np.ptp(after, axis=0), smallest)
    return float(max(together.max(), apart.max()))


def _cheap_run(problem: Problem, until: float) -> tuple[Any, float]:
    """The stepper of the cheap run, and the margin that its points need."""
    if isinstance(problem.energy.internal, PorousMedium):
        raise InputError(f"no box can be found for U = {problem.energy.internal!r}, as particles have no density: give lower and upper")
    if problem.noise > 0:
        neurons, margin = (NEURONS, NOISY_MARGIN) if problem.energy.data is not None else (PAIRED, PAIRED_MARGIN)
        return Particles(neurons, step=FIRST_STEP * until / STEPS, scheme="euler-maruyama").bind(problem, until), margin
    return Characteristics(nodes=LAW_NODES, rtol=1e-3, atol=1e-5).bind(problem, until), MARGIN
