"""Explicit transport: upwind fluxes and strong-stability-preserving steps for ∂_t μ = div(μ ∇G(θ; μ)) on a box.

A stage of length dt takes dt·Σ_faces |v| μ_face/h from a cell, over the faces through which mass leaves it; outflow = Σ_faces |v|/h. Every
cell stays ≥ 0, and so it does in an SSP step, a convex combination of such stages [Gottlieb, Shu & Tadmor, SIAM Review 43 (2001),
section 2], by one of two bounds:

    limited slopes   μ_face ≤ 2u for a cell of average u, and dt·outflow ≤ ½
    mp5, mp7         0 ≤ μ_face ≤ u/(dt·outflow): a cell gives no more than it has, in a stage of any length. What bounds dt is that no
                     wave may grow, which for differences of higher order depends on the integrator (`Integrator.stable`), and
                     dt·outflow < 1, from where on the cut would be felt by smooth densities. In stages shorter than half the longest that
                     is allowed the cut is that of half the longest: otherwise nearly empty cells would be emptied the faster, the
                     shorter the stages are, and no step would be short enough for its error (step_control.py)

A step is nearly as long as the outflow at its start allows. G moves with μ, so the bound is checked at every stage, and the step is taken
again, shorter, where a stage breaks it. Outflows are those of cells with mass: only these, and their neighbours, are looked at (active.py).
After a step, what is left far from all cells that hold more than a share `negligible` of the largest average is added to the nearest cell
that is kept, and counted (`handed_over` in the history).

The scheme's own energy falls: with fluxes F = v·μ_face, v = −(G_{i+1} − G_i)/h and G the exact derivative of the discrete
energy E (½L, and ∫U(μ) where G holds U'(μ)),

    dE/dt = Σ_i G_i dμ_i/dt·|cell| = −Σ_faces v F·|cell| ≤ 0,

since v F = v² μ_face; this sum is the `dissipation` reported, a second-order value of ∫|∇G|² dμ. In discrete time a step
that is too long for a stiff kernel could still raise E; such a step is taken again, half as long. Where G holds U'(μ) the
flow spreads with the coefficient D = μU''(μ), and a step is also kept below h²/(2D) over all axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.kernels import aligned
from wgf.kernels.steps import take_stages
from wgf.kernels.transport import LOOSER, largest_outflow, pace_of, row_of_scratch, rows_of_scratch, stage
from wgf.measures.grid import Grid
from wgf.methods.base import Diagnostics
from wgf.methods.finite_volume.active import ActiveCells, Runs
from wgf.methods.finite_volume.integrators import INTEGRATORS, LIMITERS
from wgf.methods.finite_volume.shared_cells import SharedCells
from wgf.methods.finite_volume.shared_stepper import SharedStepper
from wgf.methods.grid_stepper import CELLS_PER_THREAD, GridState
from wgf.methods.step_control import ROUNDING, ControlledState, first_step
from wgf.methods.time_steps import landing
from wgf.problems.energy import FewFeatures
from wgf.problems.problem import Problem

PRECISIONS = {"double": (np.float64, ROUNDING), "single": (np.float32, 1e-7)}  # of what is stored; what is rounding of mass and energy then
AIM = 0.98  # of the allowed step: G changes a little from one stage to the next
RECOVERY = 1.2  # by which a step factor that was halved because the energy rose grows again at each step
LEAST_STEP_FACTOR = 1e-6  # the step factor at which a rise of the energy can only be rounding


@dataclass(eq=False, repr=False)
class TransportState(GridState, ControlledState):
    """A density, how much mass has been handed over so far, and

    step_factor   below 1 where the energy would have risen with the whole step
    """

    step_factor: float = 1.0
    handed_over: float = 0.0


class Transport(SharedStepper[TransportState]):
    """`FiniteVolume` without noise. Never stored.

    Where ranks share the cells, ghosts are filled while the potential is found and inner cells are swept. What goes from rank to rank in a
    stage is those, one sum, of as many numbers as the features have, and one maximum.

    staged (3, rows)     row sums of the last stage of a step
    dissipated, lowest   Σ_faces flux·speed and the smallest value of the last sweep that was measured
    """

    state = TransportState
    everywhere = False

    def __init__(self, method: Any, problem: Problem, grid: Grid, potential: Any = None) -> None:
        super().__init__(method, problem, grid, potential)
        self.volumes, self.first_step = grid.cell_volume, first_step(min(grid.spacing), problem.noise)
        self.limiter, self.sharp = int(LIMITERS[method.limiter].kind), LIMITERS[method.limiter].sharp
        self.part, self.weights = INTEGRATORS[method.integrator].part, INTEGRATORS[method.integrator].weights
        self.in_turn, self.few = np.array(self.weights), self.potential.few_features
        self.longest_stage = method.longest_stage(problem, grid.dim)
        self.negligible = 0.0 if problem.noise > 0 else method.negligible  # noise spreads mass over all cells
        blocks = number_of_blocks(self.potential.shape)
        axes = (self.cells, self.strides, self.periodic, blocks)
        self.active = SharedCells(self.potential, *axes) if self.division.divided else ActiveCells(self.shape, *axes)
        self.kind, self.unit = PRECISIONS[method.precision]
        self.spare, self.staged = [aligned.zeros(self.shape, self.kind), aligned.zeros(self.shape, self.kind)], np.empty_like(self.sums)
        self.waits = aligned.zeros(self.shape if self.sharp else (0, self.potential.columns))
        rows = rows_of_scratch(self.strides, self.sharp and self.potential.offset.shape[1] > 1)
        self.work = aligned.zeros((blocks, rows, row_of_scratch(self.potential.columns)))
        self.bottom, self.readings = np.zeros_like(self.cells), np.empty((blocks, 3))
        self.loss = self.energy = np.nan  # L and E of the values whose potential is in place

    @staticmethod
    def averages(method: Any, problem: Problem) -> bool:
        """With sharp limiters, whose fluxes are made for it; but not with noise, nor with U(μ): the states at rest are those of values at
        centres.
        """
        return LIMITERS[method.limiter].sharp and problem.noise == 0 and problem.energy.internal is None

    def begin(self, time: float, values: np.ndarray) -> TransportState:
        """A state with these values, the negligible ones of them handed over, and the first guess of a step."""
        state = TransportState(time, np.asarray(values, self.kind))
        if self.negligible > 0.0:
            with self.threads:
                self.active.find(state.array)
                _, state.handed_over = self.trimmed(state.array)
        return state

    def step(self, state: TransportState, stop: float) -> Diagnostics:
        """Advance `state` by the step that its error allows, not past `stop`."""
        with self.threads:
            return super().step(state, stop)

    def advance(self, state: TransportState, stop: float, longest: float = math.inf) -> Diagnostics:
        """Advance `state` by the longest positive step that does not pass `stop` and does not raise the energy, at most the `longest`."""
        remaining, bound = stop - state.time, self.longest_stage / self.part
        dt = landing(remaining, min(longest, self.method.dt or math.inf))
        self.settle(state)
        reach = AIM * state.step_factor * bound
        while True:
            dt = self.stages(state, dt, reach)
            reach = math.inf
            if dt * self.fastest > bound:
                dt = AIM * bound / self.fastest
                continue
            self.halo.finish()
            runs, handed_over = self.trimmed(self.spare[0])
            if self.risen(self.spare[0], handed_over) and state.step_factor > LEAST_STEP_FACTOR:
                dt, state.step_factor = 0.5 * dt, 0.5 * state.step_factor
                if handed_over > 0.0:  # perhaps to a cell that is not active, which the stages to come do not write
                    self.spare[0].fill(0.0)
                continue
            break
        self.take(state, runs)
        state.step_factor = min(1.0, RECOVERY * state.step_factor)
        state.handed_over += handed_over
        state.time = stop if dt == remaining else state.time + dt
        return self.before

    def trimmed(self, values: np.ndarray) -> tuple[Runs, float]:
        """The runs of cells that are active after a step to the values; negligible ones are emptied into them, and their mass is noted."""
        if self.negligible == 0.0:
            return self.active.now, 0.0
        runs, moved = self.active.after(values, self.negligible)
        return runs, moved * self.grid.cell_volume

    def risen(self, values: np.ndarray, handed_over: float) -> bool:
        """Whether a step to the values has raised the energy, by more than rounding, and what was handed over, account for."""
        self.fill_sums(self.staged, values)
        rise = self.update(values, self.staged) - self.before.free_energy
        rounding = self.rounding(self.before.free_energy)
        return rise > rounding and rise > rounding + handed_over * self.spread(self.potential.values())

    def take(self, state: TransportState, runs: Runs) -> None:
        """Put the values that a step has led to into the state, whose active cells are then those of the runs."""
        before = state.array
        free = state.exchange(self.spare[0])
        if free is not before:
            free.fill(0.0)
        self.spare[0] = free
        if runs is not self.active.now:
            self.active.move_to(runs, *self.spare)
        self.sums, self.staged, self.token = self.staged, self.sums, state.token

    def stages(self, state: TransportState, dt: float, reach: float) -> float:
        """Put the state a step later into spare[0] and return its length: dt, or reach/outflow where that is less. `fastest` becomes the
        largest outflow, of all the stages or up to the first that breaks the bound; the diagnostics of `state` are kept as `before`. Its
        potential is in place, but where the step is taken again.
        """
        if self.token is None:
            self.update(state.array, self.sums)
        if self.few:
            return self._stages_in_one_call(self.few, state, dt, reach)
        self.outflow = self.find_outflow()
        if self.outflow > 0:
            dt = min(dt, reach / self.outflow)
        current, sums, euler = state.array, self.sums, self.part * dt
        self.fastest = 0.0
        self.halo.finish()
        self.staged.fill(0.0)  # of rows without active cells
        for n, weight in enumerate(self.weights):
            if n:
                self.update(current, sums)
            self.spare.reverse()
            self.sweep(current, state.array, self.spare[0], euler, weight, measured=n == 0, outflow=None if n else self.outflow)
            self.send(self.spare[0])
            if n == 0:
                self.before = self.swept(state)
            current, sums = self.spare[0], self.staged
            self.fastest = max(self.fastest, self.outflow)
            if euler * self.fastest > self.longest_stage:
                break
        return dt

    def _stages_in_one_call(self, few: FewFeatures, state: TransportState, dt: float, reach: float) -> float:
        """The same where the potential follows from few features."""
        potential, (runs, columns), (second, first), self.token = self.potential, self.active.now, self.spare, None
        self.staged.fill(0.0)
        dt, self.fastest, self.dissipated, self.lowest = take_stages(
            self.in_turn, self.part, dt, reach, state.array, first, second, *few, self.grid.cell_volume, self.waits,
            potential.slope, potential.multiplier, potential.along, potential.offset, self.active.blocks, runs, columns, self.bottom,
            self.cells, self.strides, self.periodic, self.per_spacing, self.limiter, self.longest_stage, self.work, self.staged,
            self.readings,
        )  # fmt: skip
        if len(self.weights) % 2:
            self.spare.reverse()
        self.before = self.swept(state)
        return dt

    def potential_of(self, state: TransportState) -> np.ndarray:
        """G at this rank's own cells."""
        self.settle(state)
        self.potential.fill(values := np.empty(self.shape))
        return self.own(values)

    def evaluate(self, values: np.ndarray) -> float:
        """E of the values; their row sums go to `sums`, and their active cells are found."""
        self.exchange(values)
        for array in self.spare:
            array.fill(0.0)
        if self.negligible > 0.0:
            with self.threads:
                self.active.find(values)
        self.fill_sums(self.sums, values)
        return self.update(values, self.sums)

    def update(self, values: np.ndarray, sums: np.ndarray) -> float:
        """Fill the potential for `values` and return their energy E."""
        self.token = None
        if self.potential.reads_ghosts:
            self.halo.finish()
        with self.threads:
            self.loss = self.potential.update(values, sums)
        self.energy = 0.5 * self.loss + self.potential.internal_energy
        return self.energy

    def find_outflow(self) -> float:
        """The largest outflow with the potential that is in place; 1/outflow of the cells is then in place, too."""
        return self.ranks.highest(self._own_outflow())

    def _own_outflow(self) -> float:
        """The same of this rank's cells and of those beside them."""
        potential, active, (runs, columns) = self.potential, self.active, self.active.near
        with self.threads:
            return largest_outflow(
                self.waits, potential.slope, potential.multiplier, potential.along, potential.offset, active.blocks, runs, columns,
                self.cells, self.strides, self.periodic, self.per_spacing, potential.stiffness, self.work, self.readings,
            )  # fmt: skip

    def sweep(
        self,
        values: np.ndarray,
        base: np.ndarray,
        out: np.ndarray,
        dt: float,
        weight: float,
        measured: bool = True,
        outflow: float | None = None,
    ) -> None:
        """One stage: out = (1 − weight)·base + weight·(values + dt·rate(values)); its row sums go to `staged`.

        measured   whether the readings of the diagnostics are wanted
        outflow    the largest one, where 1/outflow of the cells is in place
        """
        with self.threads:
            if isinstance(self.active, SharedCells):
                readings = self._sweep_parts(self.active, values, base, out, dt, weight, measured, outflow)
            else:
                self.outflow = self.find_outflow() if outflow is None else outflow
                readings = self._sweep_all(values, base, out, dt, weight, measured)
        if measured:
            self.dissipated, self.lowest = float(readings[:, 0].sum()), float(readings[:, 2].min())

    def _sweep_all(self, values: np.ndarray, base: np.ndarray, out: np.ndarray, dt: float, weight: float, measured: bool) -> np.ndarray:
        """The same of all active cells at once."""
        potential, blocks, (runs, columns) = self.potential, self.active.blocks, self.active.now
        stage(
            values, base, out, self.waits, potential.slope, potential.multiplier, potential.along, potential.offset, blocks, runs,
            columns, self.bottom, runs, columns, self.cells, self.strides, self.periodic, self.per_spacing, self.limiter,
            pace_of(self.outflow, self.longest_stage, dt), dt, weight, measured, self.work, self.staged, self.readings,
        )  # fmt: skip
        return self.readings

    def _sweep_parts(
        self,
        active: SharedCells,
        values: np.ndarray,
        base: np.ndarray,
        out: np.ndarray,
        dt: float,
        weight: float,
        measured: bool,
        outflow: float | None,
    ) -> np.ndarray:
        """The same of this rank's own cells, those that read no ghosts first: the others' ghosts may still be under way."""
        potential, (runs, columns), readings = self.potential, active.now, []
        fastest = self._own_outflow() if outflow is None else outflow
        awaited = self.ranks.highest_begun(fastest) if outflow is None else lambda: fastest
        known = not self.sharp or dt * (LOOSER * fastest / self.longest_stage) > 1.0  # what the others have has no say
        pace = pace_of(fastest if known else awaited(), self.longest_stage, dt)
        for part in active.parts:
            read = np.empty((len(part.blocks) - 1, 3))
            stage(
                values, base, out, self.waits, potential.slope, potential.multiplier, potential.along, potential.offset, part.blocks,
                part.runs.runs, part.runs.columns, part.bottom, runs, columns, self.cells, self.strides, self.periodic, self.per_spacing,
                self.limiter, pace, dt, weight, measured, self.work, self.staged, read,
            )  # fmt: skip
            readings.append(read)
            self.halo.finish()
        self.outflow = awaited()
        return np.concatenate(readings)

    def diagnostics(self, state: TransportState) -> Diagnostics:
        """The diagnostics of a state, by a stage of no length."""
        self.settle(state)
        self.sweep(state.array, state.array, self.spare[0], 0.0, 1.0)
        return self.swept(state)

    def swept(self, state: TransportState) -> Diagnostics:
        """The diagnostics of `state`, from the sweep that has just begun with it."""
        volume, self.facts["handed_over"] = self.grid.cell_volume, state.handed_over
        dissipated, mass = self.total(self.dissipated, float(self.sums[0].sum()))
        return Diagnostics(
            time=state.time,
            loss=self.loss,
            free_energy=self.energy,
            dissipation=dissipated * volume,
            mass=mass * volume,
            minimum=self.ranks.lowest(min(self.lowest, 0.0 if self.active.size < self.own(state.array).size else np.inf)),
            boundary=self.boundary(state.array, self.sums),
            extra={"handed_over": state.handed_over},
        )


def number_of_blocks(shape: Sequence[int]) -> int:
    """How many blocks of rows a sweep of so many cells is cut into: enough for the threads that it is worth, each of many layers of the
    first axis, since a seam between two blocks costs one flux twice.
    """
    layers = shape[0] if len(shape) > 1 else 1
    return max(1, min(32, math.prod(shape) // CELLS_PER_THREAD, max(layers // 16, min(layers // 2, 4))))
