"""Drift and diffusion in one implicit scheme that keeps the Gibbs state: ∂_t μ = div(μ ∇G(θ; μ)) + τ Δμ.

Space. Scharfetter–Gummel fluxes on every axis (kernels/diffusion.py). They vanish for μ = e^{−G/τ}, and, with ξ = G + τ log μ
and G the exact derivative of the discrete ½L,

    dE/dt = −Σ_faces J·(ξ_i − ξ_{i+1})·|cell| ≤ 0,    E = ½L + τ ∫μ log μ,

since J has the sign of ξ_i − ξ_{i+1}; this sum is the `dissipation` reported, a second-order value of ∫|∇ξ|² dμ.

Time. For a constant G every axis is a Markov chain in detailed balance, moved by implicit steps of second order
along its lines; the axes follow one another in Strang's order, half steps on the way there and back. G moves: it is frozen
at the middle of the step, G = G(·; μ̃), where μ̃ comes from an implicit Euler step of half the length. Since ½L is quadratic,

    E(μ_+) − E(μ) = ∫ G(·; ½(μ + μ_+)) d(μ_+ − μ) + τ∫(μ_+ log μ_+ − μ log μ),

so that E falls up to the difference between μ̃ and the true middle, of second order. It is checked: a step that would raise E
is taken again, half as long. Nothing limits the step but accuracy: by default the mass moves by at most COURANT cells a step, in the root
mean square, dt ≤ COURANT·h/(∫|∇ξ|² dμ)^½, and the error of the step is controlled (step_control.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.kernels.diffusion import SLOTS, fill_dissipation, implicit_sweep
from wgf.kernels.lines import LANES
from wgf.kernels.sums import fill_logarithms
from wgf.measures.grid import Grid
from wgf.methods.base import Diagnostics
from wgf.methods.finite_volume.shared_stepper import SharedStepper
from wgf.methods.grid_stepper import GridState
from wgf.methods.step_control import ControlledState, first_step
from wgf.methods.time_steps import landing
from wgf.problems.problem import Problem

COURANT = 0.125  # cells by which the mass may move in a step, in the root mean square
RECOVERY = 1.2  # by which a step factor that was halved because E rose grows again at each step
LEAST_STEP_FACTOR = 1e-6  # the step factor at which a rise of E can only be rounding
BLOCKS = 16  # into which the work of a sweep is cut


@dataclass(eq=False, repr=False)
class DriftDiffusionState(GridState, ControlledState):
    """A density, and what the size of the next step is judged by.

    step_factor   below 1 where E would have risen with the whole step
    """

    step_factor: float = 1.0


class DriftDiffusion(SharedStepper[DriftDiffusionState]):
    """`FiniteVolume` with noise, scheme `gibbs`. Never stored.

    Where ranks share the cells, the lines of each axis are solved on ranks that have them whole.
    """

    state = DriftDiffusionState

    def __init__(self, method: Any, problem: Problem, grid: Grid, potential: Any = None) -> None:
        super().__init__(method, problem, grid, potential)
        self.tau = problem.noise
        self.volumes, self.first_step = grid.cell_volume, first_step(min(grid.spacing), problem.noise)
        self.now, self.middle = np.empty(self.shape), np.empty(self.shape)
        self.logarithms = np.empty(self.own(self.now).shape)
        self.spare = [] if self.division.divided else [np.empty(self.shape), np.empty(self.shape)]
        self.per_h2 = (self.per_spacing**2).tolist()
        self.work = np.zeros(scratch(grid))
        self.readings, self.dissipated = np.empty((BLOCKS, 2)), np.empty(BLOCKS)

    def begin(self, time: float, values: np.ndarray) -> DriftDiffusionState:
        """A state with these values."""
        return DriftDiffusionState(time, values)

    def advance(self, state: DriftDiffusionState, stop: float, longest: float = math.inf) -> Diagnostics:
        """Advance `state` by the step that accuracy allows, at most the `longest`, not past `stop`, without raising E."""
        before, remaining = self.diagnostics(state), stop - state.time
        wanted = self.accurate(before)
        while True:
            dt = landing(remaining, min(longest, wanted * state.step_factor))
            after = self.moved(state.array, dt)
            if self.evaluate(after) <= before.free_energy + self.rounding(before.free_energy) or state.step_factor < LEAST_STEP_FACTOR:
                break
            state.step_factor *= 0.5
            self.evaluate(state.array)
        free = state.exchange(after)
        if not self.division.divided:
            self.spare = [array for array in self.spare if array is not after] + [free]
        self.token = state.token
        state.step_factor = min(1.0, RECOVERY * state.step_factor)
        state.time = stop if dt == remaining else state.time + dt
        return before

    def accurate(self, diagnostics: Diagnostics) -> float:
        """The step that moves the mass by COURANT cells, in the root mean square; not longer than the user's."""
        speed = self.cells_per_time(diagnostics)
        return min(COURANT / speed if speed > 0 else math.inf, self.method.dt or math.inf)

    def moved(self, values: np.ndarray, dt: float) -> np.ndarray:
        """The values `dt` later, in an array of `spare`; `now` holds their potential."""
        middle = self.swept(values, self.now, [(axis, 0.5 * dt) for axis in range(self.grid.dim)], second_order=False)
        self.update(middle, self.middle)
        *outer, inner = range(self.grid.dim)
        there = [(axis, 0.5 * dt) for axis in outer]
        return self.swept(values, self.middle, [*there, (inner, dt), *reversed(there)], second_order=True)

    def swept(self, values: np.ndarray, potential: np.ndarray, sweeps: list[tuple[int, float]], second_order: bool) -> np.ndarray:
        """The values after sweeps along axes of the layout, each with its time, one after the other; in an array of `spare`."""
        own, where = self.own(values), None
        potentials: dict[int, np.ndarray] = {}
        for n, (axis, time) in enumerate(sweeps):
            if axis not in potentials:
                potentials[axis] = self.lines.moved(self.own(potential), None, axis)
            source, where = self.lines.moved(own, where, axis), axis
            own = np.empty(source.shape) if self.division.divided else self.spare[n % 2].reshape(source.shape)
            cells, stride, periodic = self.lines.along(source, axis)
            flat = (source.reshape(-1), potentials[axis].reshape(-1), own.reshape(-1))
            if source.size:
                with self.threads:
                    implicit_sweep(*flat, cells, stride, periodic, self.tau, time * self.per_h2[axis], second_order, self.work)
        if self.division.divided:
            return self.held(self.lines.moved(own, where, None))
        return self.spare[(len(sweeps) - 1) % 2]

    def update(self, values: np.ndarray, out: np.ndarray) -> float:
        """Fill G(·; values) into `out`; return the energy without that of the noise, ½L (+ ∫U(μ) where G holds U')."""
        self.token = None
        self.fill_sums(self.sums, values)
        with self.threads:
            self.loss = self.potential.update(values, self.sums)
        self.potential.fill(out)
        return 0.5 * self.loss + self.potential.internal_energy

    def potential_of(self, state: DriftDiffusionState) -> np.ndarray:
        """G at this rank's own cells."""
        self.settle(state)
        return self.own(self.now).copy()

    def evaluate(self, values: np.ndarray) -> float:
        """E of the values; their potential goes to `now`, log μ to `logarithms`."""
        self.energy = self.update(values, self.now)
        with self.threads:
            fill_logarithms(self.logarithms.reshape(-1), self.own(values).reshape(-1), self.readings)
        self.energy += self.tau * self.total(float(self.readings[:, 0].sum()))[0] * self.grid.cell_volume
        self.minimum = self.ranks.lowest(float(self.readings[:, 1].min()))
        return self.energy

    def diagnostics(self, state: DriftDiffusionState) -> Diagnostics:
        """The diagnostics of `state`."""
        self.settle(state)
        arrays, volume = (self.own(state.array), self.logarithms, self.own(self.now)), self.grid.cell_volume
        dissipation = 0.0
        for axis, per_h2 in enumerate(self.per_h2):
            values, logarithms, potential = (self.lines.moved(array, None, axis) for array in arrays)
            cells, stride, periodic = self.lines.along(values, axis)
            flat = (values.reshape(-1), logarithms.reshape(-1), potential.reshape(-1))
            if values.size:
                with self.threads:
                    fill_dissipation(self.dissipated, *flat, cells, stride, periodic, self.tau, per_h2, self.work)
                dissipation += float(self.dissipated.sum()) * volume
        dissipation, mass = self.total(dissipation, float(self.sums[0].sum()))
        boundary = self.boundary(state.array, self.sums)
        return Diagnostics(state.time, self.loss, self.energy, dissipation, mass * volume, self.minimum, boundary)


def scratch(grid: Grid) -> tuple[int, int, int]:
    """The shape of what the sweeps along the lines of a grid work in."""
    return BLOCKS, SLOTS, (max(grid.shape) + 1) * LANES


def scratch_size(grid: Grid, problem: Problem) -> float:
    """How many numbers that is, where the problem has noise: on a long axis more than on the cells."""
    return math.prod(map(float, scratch(grid))) if problem.noise > 0 else 0.0
