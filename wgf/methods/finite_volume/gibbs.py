"""Drift and diffusion in one implicit scheme that keeps the Gibbs state: ∂_t μ = div(μ ∇G(θ; μ)) + τ Δμ.

Space. Scharfetter–Gummel fluxes on every axis (kernels/diffusion.py). They vanish for μ = e^{−G/τ}, and, with ξ = G + τ log μ
and G the exact derivative of the discrete ½L,

    dE/dt = −Σ_faces J·(ξ_i − ξ_{i+1})·|cell| ≤ 0,    E = ½L + τ ∫μ log μ,

since J has the sign of ξ_i − ξ_{i+1}; this sum is the `dissipation` reported, a second-order value of ∫|∇ξ|² dμ.

Time. For a G that stands still every axis is a Markov chain in detailed balance, moved by implicit steps of second order
along its lines; the axes follow one another in Strang's order, half steps on the way there and back. G moves: it is frozen
at the middle of the step, G = G(·; μ̃), where μ̃ comes from an implicit Euler step of half the length. Since ½L is quadratic,

    E(μ_+) − E(μ) = ∫ G(·; ½(μ + μ_+)) d(μ_+ − μ) + τ∫(μ_+ log μ_+ − μ log μ),

so that E falls up to the difference between μ̃ and the true middle, of second order. It is checked: a step that would raise E
is taken again, half as long. Nothing limits the step but accuracy: by default

- the mass moves by at most COURANT cells a step, in the root mean square, dt ≤ COURANT·h/(∫|∇ξ|² dμ)^½,
- the frozen G misses the mean of those before and after the step by at most MOST_MISSED of their difference, which resolves the
  time in which G changes,
- log ∫|∇ξ|² dμ changes by at most MOST_CHANGED, which resolves the approach to the Gibbs state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.kernels.diffusion import SLOTS, fill_dissipation, implicit_sweep
from wgf.kernels.lines import LANES
from wgf.kernels.sums import fill_logarithms, fill_misses
from wgf.measures.grid import Grid
from wgf.methods.base import Diagnostics
from wgf.methods.grid_stepper import GridState, GridStepper
from wgf.methods.time_steps import landing
from wgf.problems.problem import Problem

COURANT = 0.125  # cells by which the mass may move in a step, in the root mean square
MOST_MISSED = 0.1  # of the change of G in a step
MOST_CHANGED = 0.5  # of the logarithm of the dissipation in a step
UNCHANGED = 1e-13  # relative: a smaller change of G is rounding
GROWTH = 1.5  # largest ratio of a step to the one before it
RECOVERY = 1.2  # by which a step factor that was halved because E rose grows again at each step
LEAST_STEP_FACTOR = 1e-6  # the step factor at which a rise of E can only be rounding
BLOCKS = 16  # into which the work of a sweep is cut


@dataclass(eq=False, repr=False)
class DriftDiffusionState(GridState):
    """A density, and what the size of the next step is judged by.

    longest             the longest next step
    step_factor                below 1 where E would have risen with the whole step
    step, dissipation   the last step, zero if there was none, and the dissipation before it
    """

    longest: float = math.inf
    step_factor: float = 1.0
    step: float = 0.0
    dissipation: float = 0.0


class DriftDiffusion(GridStepper[DriftDiffusionState]):
    """`FiniteVolume` with noise, scheme `gibbs`. Never stored.

    lines holds cells, stride, periodic and 1/h² of each axis, in the order of the layout.
    """

    def __init__(self, method: Any, problem: Problem, grid: Grid, potential: Any = None) -> None:
        super().__init__(method, problem, grid, potential)
        self.tau = problem.noise
        self.now, self.middle, self.earlier, self.logarithms = (np.empty(self.shape) for _ in range(4))
        self.spare = [np.empty(self.shape), np.empty(self.shape)]
        strides = [*(self.strides * self.potential.columns).tolist(), 1]
        per_h2 = (self.per_spacing**2).tolist()
        self.lines = list(zip(self.potential.shape, strides, self.periodic.tolist(), per_h2, strict=True))
        self.work = np.zeros(scratch(grid))
        self.readings, self.dissipated = np.empty((BLOCKS, 2)), np.empty(BLOCKS)

    def begin(self, time: float, values: np.ndarray) -> DriftDiffusionState:
        """A state with these values."""
        return DriftDiffusionState(time, values)

    def step(self, state: DriftDiffusionState, stop: float) -> Diagnostics:
        """Advance `state` by the step that accuracy allows, not past `stop`, without raising E."""
        before, remaining = self.diagnostics(state), stop - state.time
        wanted = min(self.accurate(before, state), state.longest)
        while True:
            dt = landing(remaining, wanted * state.step_factor)
            after = self.moved(state.array, dt)
            self.earlier, self.now = self.now, self.earlier
            if self.evaluate(after) <= before.free_energy + self.rounding(before.free_energy) or state.step_factor < LEAST_STEP_FACTOR:
                break
            state.step_factor *= 0.5
            self.evaluate(state.array)
        self.spare = [array for array in self.spare if array is not after] + [state.exchange(after)]
        self.token = state.token
        state.longest, state.step_factor = self.longest(dt, wanted), min(1.0, RECOVERY * state.step_factor)
        state.step, state.dissipation = dt, before.dissipation
        state.time = stop if dt == remaining else state.time + dt
        return before

    def accurate(self, diagnostics: Diagnostics, state: DriftDiffusionState) -> float:
        """The step that moves the mass by COURANT cells, in the root mean square, and changes the logarithm of the dissipation by
        MOST_CHANGED, judged by the last step (there was none where its length is 0); not longer than the user's.
        """
        per_spacing = float(self.per_spacing.max())
        speed = math.sqrt(diagnostics.dissipation / diagnostics.mass) * per_spacing
        dt = min(COURANT / speed if speed > 0 else math.inf, self.method.dt or math.inf)
        rounding = self.rounding(diagnostics.free_energy) * per_spacing
        unseen = diagnostics.mass * rounding * rounding  # what rounding dissipates
        if state.step > 0 and min(diagnostics.dissipation, state.dissipation) > unseen:
            changed = abs(math.log(diagnostics.dissipation / state.dissipation))
            dt = min(dt, state.step * MOST_CHANGED / changed if changed > 0 else math.inf)
        return dt

    def longest(self, dt: float, wanted: float) -> float:
        """The longest next step, after one of `dt` where `wanted` was the aim: it resolves the changes of G, and grows by GROWTH.

        How far the frozen potential was from the mean of those before and after the step, relative to the change of the two, is
        proportional to dt and to the rate at which G changes. Changes of G that are rounding are ignored.
        """
        with self.threaded():
            fill_misses(self.readings, self.earlier.reshape(-1), self.middle.reshape(-1), self.now.reshape(-1))
        missed, change = (float(largest) for largest in self.readings.max(axis=0))
        seen = missed > 0 and change > UNCHANGED * float(np.abs(self.now).max())
        return min(GROWTH * wanted, dt * MOST_MISSED * change / missed if seen else math.inf)

    def moved(self, values: np.ndarray, dt: float) -> np.ndarray:
        """The values `dt` later, in an array of `spare`; `now` holds their potential."""
        middle = self.swept(values, self.now, [(line, 0.5 * dt) for line in self.lines], second_order=False)
        self.update(middle, self.middle)
        *outer, inner = self.lines
        there = [(line, 0.5 * dt) for line in outer]
        return self.swept(values, self.middle, [*there, (inner, dt), *reversed(there)], second_order=True)

    def swept(self, values: np.ndarray, potential: np.ndarray, sweeps: list[tuple[Any, float]], second_order: bool) -> np.ndarray:
        """The values after sweeps along lines, each with its time, one after the other; in an array of `spare`."""
        source, (target, other) = values, self.spare
        with self.threaded():
            for (cells, stride, periodic, per_h2), time in sweeps:
                flat = (source.reshape(-1), potential.reshape(-1), target.reshape(-1))
                implicit_sweep(*flat, cells, stride, periodic, self.tau, time * per_h2, second_order, self.work)
                source, target, other = target, other, target
        return source

    def update(self, values: np.ndarray, out: np.ndarray) -> float:
        """Fill G(·; values) into `out`; return the energy without that of the noise, ½L (+ ∫U(μ) where G holds U')."""
        self.token = None
        self.fill_sums(self.sums, values)
        with self.threaded():
            self.loss = self.potential.update(values, self.sums)
        self.potential.fill(out)
        return 0.5 * self.loss + self.potential.internal_energy

    def evaluate(self, values: np.ndarray) -> float:
        """E of the values; their potential goes to `now`, log μ to `logarithms`."""
        self.energy = self.update(values, self.now)
        with self.threaded():
            fill_logarithms(self.logarithms.reshape(-1), values.reshape(-1), self.readings)
        self.energy += self.tau * float(self.readings[:, 0].sum()) * self.grid.cell_volume
        self.minimum = float(self.readings[:, 1].min())
        return self.energy

    def diagnostics(self, state: DriftDiffusionState) -> Diagnostics:
        """The diagnostics of `state`."""
        if self.token is not state.token:
            self.require_fitting(state)
            self.evaluate(state.array)
            self.token = state.token
        volume, arrays = self.grid.cell_volume, (state.array.reshape(-1), self.logarithms.reshape(-1), self.now.reshape(-1))
        dissipation = 0.0
        with self.threaded():
            for cells, stride, periodic, per_h2 in self.lines:
                fill_dissipation(self.dissipated, *arrays, cells, stride, periodic, self.tau, per_h2, self.work)
                dissipation += float(self.dissipated.sum()) * volume
        mass, boundary = float(self.sums[0].sum()) * volume, self.boundary(state.array, self.sums)
        return Diagnostics(state.time, self.loss, self.energy, dissipation, mass, self.minimum, boundary)


def scratch(grid: Grid) -> tuple[int, int, int]:
    """The shape of what the sweeps along the lines of a grid work in."""
    return BLOCKS, SLOTS, (max(grid.shape) + 1) * LANES


def scratch_size(grid: Grid, problem: Problem) -> float:
    """How many numbers that is, where the problem has noise: on a long axis more than on the cells."""
    return math.prod(map(float, scratch(grid))) if problem.noise > 0 else 0.0
