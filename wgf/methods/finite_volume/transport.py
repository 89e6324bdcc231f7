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
from typing import Any

import numpy as np

from wgf.kernels.transport import BUFFERS, PADDING, Limiter, stage
from wgf.measures.grid import Grid
from wgf.methods.base import Frame, Reading, State
from wgf.methods.grid_stepper import GridStepper
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
RECOVERY = 1.2  # by which a pace that was halved because the energy rose grows again at each step
SLOWEST = 1e-6  # the pace at which a rise of the energy can only be rounding


class Transport(GridStepper):
    """`FiniteVolume` without noise. Never stored.

    A state's `values` are the cell averages as (rows, columns) in the layout of the potential; its memory holds the row
    sums, and what the next step's size is guessed from: the largest outflow of the last step, and the pace (below 1 where
    the energy would have risen with the whole step).
    """

    def __init__(self, method: Any, problem: Problem, grid: Grid, potential: Any = None) -> None:
        super().__init__(method, problem, grid, potential)
        self.limiter = int(LIMITERS[method.limiter])
        self.part, self.weights = INTEGRATORS[method.integrator]
        self.spare = [np.empty(self.shape), np.empty(self.shape)]
        blocks = number_of_blocks(self.potential.shape[:-1])
        self.work = np.zeros((blocks, BUFFERS + int(self.strides.sum()), self.potential.columns + PADDING))
        self.readings = np.empty((blocks, 3))
        self.updated: np.ndarray | None = None  # the values whose potential is in place
        self.energy = np.nan  # E of them

    def begin(self, time: float, values: np.ndarray) -> State:
        """A state with these values (rows, columns), and the first guess of a step."""
        state = State(time, values, {"sums": np.zeros_like(self.sums), "outflow": 0.0, "pace": 1.0})
        self.fill_sums(state.memory["sums"], state.values)
        self.frame(state)
        state.memory["outflow"] = self.outflow
        return state

    def step(self, state: State, stop: float) -> Reading:
        """Advance `state` by the longest positive step that does not pass `stop` and does not raise the energy."""
        remaining, bound, memory = stop - state.time, self.method.courant / self.part, state.memory
        dt = min(self.method.dt or remaining, remaining)
        if memory["outflow"] > 0:
            dt = min(AIM * memory["pace"] * bound / memory["outflow"], dt)
        while True:
            if dt * self.stages(state, dt) > bound:
                dt = AIM * bound / self.fastest
            elif (
                self.update(self.spare[0], self.sums) > self.before.free_energy + self.rounding(self.before.free_energy)
                and memory["pace"] > SLOWEST
            ):
                dt, memory["pace"] = 0.5 * dt, 0.5 * memory["pace"]
            else:
                break
        state.values, self.spare = self.spare[0], [self.spare[1], state.values]
        memory["sums"], self.sums = self.sums, memory["sums"]
        memory["outflow"], memory["pace"] = self.fastest, min(1.0, RECOVERY * memory["pace"])
        state.time = stop if dt == remaining else state.time + dt
        return self.before

    def stages(self, state: State, dt: float) -> float:
        """Put the state `dt` later into spare[0] and return the largest outflow, of all the stages or up to the first that
        breaks the bound; keep the reading of `state` as `before`.
        """
        current, sums, euler = state.values, state.memory["sums"], self.part * dt
        self.fastest = 0.0
        for n, weight in enumerate(self.weights):
            self.update(current, sums)
            self.spare.reverse()
            self.sweep(current, state.values, self.spare[0], euler, weight)
            if n == 0:
                self.before = self.reading(state)
            current, sums = self.spare[0], self.sums
            self.fastest = max(self.fastest, self.outflow)
            if euler * self.fastest > self.method.courant:
                break
        return self.fastest

    def update(self, values: np.ndarray, sums: np.ndarray) -> float:
        """Fill the potential for `values` and return their energy E; nothing is done where it is theirs already."""
        if self.updated is not values:
            with self.threaded():
                self.loss = self.potential.update(values, sums)
            self.updated, self.energy = values, 0.5 * self.loss + self.potential.internal_energy
        return self.energy

    def sweep(self, values: np.ndarray, base: np.ndarray, out: np.ndarray, dt: float, weight: float) -> None:
        """One stage: out = (1 − weight)·base + weight·(values + dt·rate(values)); its row sums go to `sums`."""
        g = self.potential
        with self.threaded():
            stage(
                values, base, out, g.slope, g.multiplier, g.along, g.offset, self.cells, self.strides, self.periodic, self.per_spacing,
                self.limiter, dt, weight, self.work, self.sums, self.readings,
            )  # fmt: skip
        self.outflow = max(float(self.readings[:, 1].max()), g.stiffness)
        if self.updated is out:
            self.updated = None

    def reading(self, state: State) -> Reading:
        """The reading of `state`, of which the last sweep was a stage."""
        volume = self.grid.cell_volume
        return Reading(
            time=state.time,
            loss=self.loss,
            free_energy=self.energy,
            dissipation=float(self.readings[:, 0].sum()) * volume,
            mass=float(state.memory["sums"][0].sum()) * volume,
            minimum=float(self.readings[:, 2].min()),
            boundary=self.boundary(state.values, state.memory["sums"]),
        )

    def frame(self, state: State) -> Frame:
        """The density as it is (a copy), its reading and its prediction."""
        self.update(state.values, state.memory["sums"])
        self.sweep(state.values, state.values, self.spare[0], 0.0, 1.0)
        return Frame(self.density(state.values), self.reading(state), self.potential.prediction)


def number_of_blocks(leading: Sequence[int]) -> int:
    """How many blocks of rows a sweep is cut into: enough for many threads, each of many layers of the first axis, since a
    seam between two blocks costs one flux twice.
    """
    return max(1, min(32, max(leading[0] // 16, min(leading[0] // 2, 4)))) if leading else 1
