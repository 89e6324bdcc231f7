"""Explicit transport: limited upwind fluxes and strong-stability-preserving steps for ∂_t μ = div(μ ∇G(θ; μ)) on a box.

A cell loses at most outflow·μ_face of its mass per unit time, outflow = Σ_k (speeds leaving it along k)/h_k, and a limited
face value is at most twice the cell's; so a forward Euler stage keeps every cell ≥ 0 when dt·outflow ≤ ½, and an SSP step,
a convex combination of such stages, does too [Gottlieb, Shu & Tadmor, SIAM Review 43 (2001), section 2]. G moves with μ, so
the bound is checked at every stage, and the step is taken again, shorter, where a stage breaks it.

The scheme's own energy falls: with fluxes F = v·μ_face, v = −(G_{i+1} − G_i)/h and G the exact derivative of the discrete
energy E (½L, and ∫U(μ) where G holds U'(μ)),

    dE/dt = Σ_i G_i dμ_i/dt·|cell| = −Σ_faces v F·|cell| ≤ 0,

since v F = v² μ_face; this sum is the `dissipation` reported, a second-order value of ∫|∇G|² dμ. In discrete time a step
that is too long for a stiff kernel could still raise E; such a step is taken again, half as long. Where G holds U'(μ) the
flow spreads with the coefficient D = μU''(μ), and a step is also kept below h²/(2D) over all axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.kernels.transport import BUFFERS, PADDING, Limiter, stage
from wgf.measures.grid import Grid
from wgf.methods.base import Diagnostics
from wgf.methods.grid_stepper import GridState, GridStepper
from wgf.methods.step_control import ControlledState, StepControl, first_step
from wgf.problems.problem import Problem

LIMITERS = {"mc": Limiter.MC, "minmod": Limiter.MINMOD, "van-leer": Limiter.VAN_LEER, "upwind": Limiter.UPWIND}
INTEGRATORS = {  # (part, weights): stage ← (1 − w) μ + w (stage + part·dt·rate) for each w, the Shu–Osher form of the SSP methods
    "euler": (1.0, (1.0,)),
    "ssprk2": (1.0, (1.0, 1 / 2)),
    "ssprk3": (1.0, (1.0, 1 / 4, 2 / 3)),
    "ssprk43": (1 / 2, (1.0, 1.0, 1 / 3, 1.0)),  # third order, four stages for twice the step [Spiteri & Ruuth 2002]
    "ssprk52": (1 / 4, (1.0, 1.0, 1.0, 1.0, 4 / 5)),  # second order, five stages for four times the step
}
POSITIVITY = 0.5  # the largest dt·outflow that keeps every cell ≥ 0
AIM = 0.98  # of the allowed step: G changes a little from one stage to the next
RECOVERY = 1.2  # by which a step factor that was halved because the energy rose grows again at each step
LEAST_STEP_FACTOR = 1e-6  # the step factor at which a rise of the energy can only be rounding


@dataclass(eq=False, repr=False)
class TransportState(GridState, ControlledState):
    """A density, and what the size of the next step is guessed from.

    outflow       the largest one of the last step
    step_factor   below 1 where the energy would have risen with the whole step
    """

    outflow: float = 0.0
    step_factor: float = 1.0


class Transport(StepControl[TransportState], GridStepper[TransportState]):
    """`FiniteVolume` without noise. Never stored.

    staged (3, rows)   row sums of the last stage of a step
    """

    def __init__(self, method: Any, problem: Problem, grid: Grid, potential: Any = None) -> None:
        super().__init__(method, problem, grid, potential)
        self.volumes, self.first_step = grid.cell_volume, first_step(min(grid.spacing), problem.noise)
        self.limiter = int(LIMITERS[method.limiter])
        self.part, self.weights = INTEGRATORS[method.integrator]
        self.spare, self.staged = [np.empty(self.shape), np.empty(self.shape)], np.empty_like(self.sums)
        blocks = number_of_blocks(self.potential.shape[:-1])
        self.work = np.zeros((blocks, BUFFERS + int(self.strides.sum()), self.potential.columns + PADDING))
        self.readings = np.empty((blocks, 3))
        self.loss = self.energy = np.nan  # L and E of the values whose potential is in place

    def begin(self, time: float, values: np.ndarray) -> TransportState:
        """A state with these values, and the first guess of a step."""
        state = TransportState(time, values)
        self.diagnostics(state)
        state.outflow = self.outflow
        return state

    def advance(self, state: TransportState, stop: float) -> Diagnostics:
        """Advance `state` by the longest positive step that does not pass `stop` and does not raise the energy."""
        remaining, bound = stop - state.time, self.method.courant / self.part
        dt = min(self.method.dt or remaining, remaining)
        if state.outflow > 0:
            dt = min(AIM * state.step_factor * bound / state.outflow, dt)
        self.settle(state)
        while True:
            if dt * self.stages(state, dt) > bound:
                dt = AIM * bound / self.fastest
            elif (
                self.update(self.spare[0], self.staged) > self.before.free_energy + self.rounding(self.before.free_energy)
                and state.step_factor > LEAST_STEP_FACTOR
            ):
                dt, state.step_factor = 0.5 * dt, 0.5 * state.step_factor
            else:
                break
        self.spare[0] = state.exchange(self.spare[0])
        self.sums, self.staged, self.token = self.staged, self.sums, state.token
        state.outflow, state.step_factor = self.fastest, min(1.0, RECOVERY * state.step_factor)
        state.time = stop if dt == remaining else state.time + dt
        return self.before

    def stages(self, state: TransportState, dt: float) -> float:
        """Put the state `dt` later into spare[0] and return the largest outflow, of all the stages or up to the first that
        breaks the bound; keep the diagnostics of `state` as `before`.
        """
        current, sums, euler = state.array, self.sums, self.part * dt
        self.fastest = 0.0
        for n, weight in enumerate(self.weights):
            if n or self.token is None:  # the first stage finds the potential in place, but where the step is taken again
                self.update(current, sums)
            self.spare.reverse()
            self.sweep(current, state.array, self.spare[0], euler, weight)
            if n == 0:
                self.before = self.swept(state)
            current, sums = self.spare[0], self.staged
            self.fastest = max(self.fastest, self.outflow)
            if euler * self.fastest > self.method.courant:
                break
        return self.fastest

    def potential_of(self, state: TransportState) -> np.ndarray:
        """G at the cells."""
        self.settle(state)
        return self.potential.values()

    def evaluate(self, values: np.ndarray) -> float:
        """E of the values; their row sums go to `sums`."""
        self.fill_sums(self.sums, values)
        return self.update(values, self.sums)

    def fill_sums(self, sums: np.ndarray, values: np.ndarray) -> None:
        """The row sums (3, rows) as a step leaves them, to the last bit: by a stage of no length, in a potential of zero."""
        still = np.zeros(self.potential.rows)
        self.run_stage(values, values, self.spare[0], still, still[:, None], 0.0, 1.0, sums)

    def update(self, values: np.ndarray, sums: np.ndarray) -> float:
        """Fill the potential for `values` and return their energy E."""
        self.token = None
        with self.threaded():
            self.loss = self.potential.update(values, sums)
        self.energy = 0.5 * self.loss + self.potential.internal_energy
        return self.energy

    def sweep(self, values: np.ndarray, base: np.ndarray, out: np.ndarray, dt: float, weight: float) -> None:
        """One stage: out = (1 − weight)·base + weight·(values + dt·rate(values)); its row sums go to `staged`."""
        self.run_stage(values, base, out, self.potential.slope, self.potential.offset, dt, weight, self.staged)
        self.outflow = max(float(self.readings[:, 1].max()), self.potential.stiffness)

    def run_stage(
        self,
        values: np.ndarray,
        base: np.ndarray,
        out: np.ndarray,
        slope: np.ndarray,
        offset: np.ndarray,
        dt: float,
        weight: float,
        sums: np.ndarray,
    ) -> None:
        """The compiled loop, in the potential slope ⊗ multiplier + along + offset."""
        with self.threaded():
            stage(
                values, base, out, slope, self.potential.multiplier, self.potential.along, offset, self.cells, self.strides, self.periodic,
                self.per_spacing, self.limiter, dt, weight, self.work, sums, self.readings,
            )  # fmt: skip

    def diagnostics(self, state: TransportState) -> Diagnostics:
        """The diagnostics of a state, by a stage of no length."""
        self.settle(state)
        self.sweep(state.array, state.array, self.spare[0], 0.0, 1.0)
        return self.swept(state)

    def swept(self, state: TransportState) -> Diagnostics:
        """The diagnostics of `state`, from the sweep that has just begun with it."""
        volume = self.grid.cell_volume
        return Diagnostics(
            time=state.time,
            loss=self.loss,
            free_energy=self.energy,
            dissipation=float(self.readings[:, 0].sum()) * volume,
            mass=float(self.sums[0].sum()) * volume,
            minimum=float(self.readings[:, 2].min()),
            boundary=self.boundary(state.array, self.sums),
        )


def number_of_blocks(leading: Sequence[int]) -> int:
    """How many blocks of rows a sweep is cut into: enough for many threads, each of many layers of the first axis, since a
    seam between two blocks costs one flux twice.
    """
    return max(1, min(32, max(leading[0] // 16, min(leading[0] // 2, 4)))) if leading else 1
