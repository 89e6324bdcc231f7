"""Finite volumes for ∂_t μ = div(μ ∇G(θ; μ)) on a box: limited upwind fluxes, strong-stability-preserving steps.

A cell loses at most outflow·μ_face of its mass per unit time, outflow = Σ_k (speeds leaving it along k)/h_k, and a limited
face value is at most twice the cell's; so a forward Euler stage keeps every cell ≥ 0 when dt·outflow ≤ ½, and an SSP step,
a convex combination of such stages, does too [Gottlieb, Shu & Tadmor, SIAM Review 43 (2001), section 2]. G moves with μ, so
the bound is checked at every stage, and the step is taken again, shorter, where a stage breaks it.

The scheme's own loss falls: with fluxes F = v·μ_face, v = −(G_{i+1} − G_i)/h and G the exact derivative of the discrete ½L,

    d/dt ½L = Σ_i G_i dμ_i/dt·|cell| = −Σ_faces v F·|cell| ≤ 0,

since v F = v² μ_face; this sum is the `dissipation` reported, a second-order value of ∫|∇G|² dμ. In discrete time a step
that is too long for a stiff kernel could still raise the loss; such a step is taken again, half as long.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import psutil

from wgf.errors import BoundaryWarning, InputError, known
from wgf.grid import Grid, describe_box, per_axis
from wgf.kernels.transport import BUFFERS, PADDING, Limiter, fill_layers, stage
from wgf.measure import Density
from wgf.methods.base import Frame, Reading, State, noiseless
from wgf.methods.characteristics import find_box
from wgf.problem import Problem

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
RECOVERY = 1.2  # by which a pace that was halved because the loss rose grows again at each step
SLOWEST = 1e-6  # the pace at which a rise of the loss can only be rounding
ROUNDING = 1e-14  # of ‖f*‖²: so is any rise below it
LEFT_OUT = 1e-6  # fraction of the initial law outside the box that is worth a warning
MISSED = 0.5  # fraction of the initial law outside the box from which on the box is wrong
CELLS_PER_THREAD = 2**13  # below it, waiting for another thread costs more than it saves
MEMORY_SHARE = 0.8  # of the free memory that a grid may ask for


@dataclass(frozen=True)
class FiniteVolume:
    """μ as cell averages on a box, moved by limited upwind fluxes.

    cells            per axis, or one number for all axes
    lower, upper     the box; left out, it is found from a cheap run of the characteristics
    boundary         "no-flux" or "periodic", for all axes or one per axis
    limiter          mc, minmod, van-leer or upwind (first order)
    integrator       ssprk3, ssprk2 or euler
    courant          the largest dt·outflow of a step, at most ½, the bound that keeps every cell ≥ 0
    tolerance        relative error to which the neuron's features are compressed
    edge_tolerance   mass in the outermost cells of a closed axis from which on there is a warning; 1 where walls are meant
    """

    cells: int | Sequence[int]
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None
    boundary: str | Sequence[str] = "no-flux"
    limiter: str = "mc"
    integrator: str = "ssprk3"
    courant: float = POSITIVITY
    tolerance: float = 1e-12
    edge_tolerance: float = 1e-4

    def __post_init__(self) -> None:
        known(self.limiter, LIMITERS, "limiter")
        known(self.integrator, INTEGRATORS, "integrator")
        if not 0 < self.courant <= POSITIVITY:
            raise InputError(f"courant = {self.courant:g}: it must lie in (0, {POSITIVITY:g}], the bound that keeps every cell ≥ 0")
        if not 0 <= self.tolerance < 1:
            raise InputError(f"tolerance = {self.tolerance:g}: the relative error of the compressed features lies in [0, 1)")
        if (self.lower is None) != (self.upper is None):
            raise InputError("the box needs both lower and upper, or neither (then it is found from a cheap run)")

    def bind(self, problem: Problem, until: float) -> Transport:
        """Check the box against the initial law and the memory, and set up the transport."""
        noiseless(problem, self)
        grid = self.grid(problem, until)
        require_memory(grid, problem)
        return Transport(self, problem, grid)

    def grid(self, problem: Problem, until: float) -> Grid:
        """The grid, on the box given or found."""
        lower, upper = find_box(problem, until) if self.lower is None or self.upper is None else (self.lower, self.upper)
        p = np.size(lower)
        if problem.dim is not None and p != problem.dim:
            raise InputError(f"the box has {p} axes but theta has {problem.dim} coordinates ({', '.join(problem.axis_names(problem.dim))})")
        per_axis(self.cells, p, "cells")
        return Grid(lower, upper, self.cells, problem.axis_names(p), self.boundary)

    def __repr__(self) -> str:
        box = describe_box(np.atleast_1d(self.cells).tolist(), self.lower, self.upper)
        return f"FiniteVolume({box}, {self.limiter} limiter, {self.integrator})"


def require_memory(grid: Grid, problem: Problem) -> None:
    """Refuse a grid whose arrays would not fit into the free memory, before anything is allocated."""
    neuron, samples = problem.energy.neuron, problem.energy.data.size
    featured = grid.size if neuron.output_axis is None else grid.size / grid.shape[neuron.output_axis]
    needed = 8.0 * (4 * grid.size + (grid.size if neuron.output_axis is None else 0) + featured * min(samples, 64))
    free = psutil.virtual_memory().available
    if needed > MEMORY_SHARE * free:
        raise InputError(
            f"a grid of {describe_box(grid.shape, None, None)} cells needs about {needed / 2**30:,.1f} GiB, and "
            f"{free / 2**30:,.1f} GiB are free: choose fewer cells"
        )


class Transport:
    """`FiniteVolume` bound to a problem: the grid, the potential on its cells and the work arrays. Never stored.

    A state's `values` are the cell averages as (rows, columns) in the layout of the potential; its memory holds the row
    sums, and what the next step's size is guessed from: the largest outflow of the last step, and the pace (below 1 where
    the loss would have risen with the whole step).
    """

    def __init__(self, method: FiniteVolume, problem: Problem, grid: Grid) -> None:
        self.method, self.problem, self.grid = method, problem, grid
        self.potential = potential = problem.energy.on(grid, method.tolerance)
        leading = potential.shape[:-1]
        self.cells = np.array(leading, dtype=np.int64)
        self.strides = np.array([int(np.prod(leading[k + 1 :])) for k in range(len(leading))], dtype=np.int64)
        self.periodic = np.array(grid.periodic())[list(potential.axes)]
        self.per_spacing = 1.0 / grid.spacing[list(potential.axes)]
        self.limiter = int(LIMITERS[method.limiter])
        self.part, self.weights = INTEGRATORS[method.integrator]
        shape = (potential.rows, potential.columns)
        self.spare = [np.empty(shape), np.empty(shape)]
        self.sums = np.empty((3, potential.rows))
        self.layers, self.places = np.empty((grid.dim, 2)), np.argsort(potential.axes)
        blocks = number_of_blocks(leading)
        self.work = np.zeros((blocks, BUFFERS + int(self.strides.sum()), potential.columns + PADDING))
        self.readings = np.empty((blocks, 3))
        self.most_threads = numba.get_num_threads()
        self.threads = max(1, min(self.most_threads, grid.size // CELLS_PER_THREAD))
        self.updated: np.ndarray | None = None  # the values whose potential is in place
        self.loss = np.nan
        self.rounding = ROUNDING * problem.energy.data.norm(problem.energy.data.targets) ** 2
        self.facts = {
            "method_summary": repr(dataclasses.replace(method, cells=grid.shape, lower=grid.lower, upper=grid.upper)),  # the box, if found
            "kernel_rank": potential.rank,
            "kernel_error": potential.error,
        }

    def start(self) -> State:
        """The initial law's cell averages, with the mass outside the box left out and the rest scaled to mass one."""
        values = self.potential.arranged(self.problem.initial.cell_averages(self.grid))
        held = float(values.sum()) * self.grid.cell_volume
        self._judge_box(held)
        values /= held
        state = State(0.0, values, {"sums": np.zeros_like(self.sums), "outflow": 0.0, "pace": 1.0})
        self.sweep(state.values, state.values, self.spare[0], 0.0, 1.0)
        state.memory["sums"][:] = self.sums
        self.frame(state)
        state.memory["outflow"] = self.outflow
        return state

    def step(self, state: State, stop: float) -> Reading:
        """Advance `state` by the longest positive step that does not pass `stop` and does not raise the loss."""
        remaining, bound, memory = stop - state.time, self.method.courant / self.part, state.memory
        dt = min(AIM * memory["pace"] * bound / memory["outflow"], remaining) if memory["outflow"] > 0 else remaining
        while True:
            if dt * self.stages(state, dt) > bound:
                dt = AIM * bound / self.fastest
            elif self.update(self.spare[0], self.sums) > self.before.loss + self.rounding and memory["pace"] > SLOWEST:
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
            loss = self.update(current, sums)
            self.spare.reverse()
            self.sweep(current, state.values, self.spare[0], euler, weight)
            if n == 0:
                self.before = self.reading(state, loss)
            current, sums = self.spare[0], self.sums
            self.fastest = max(self.fastest, self.outflow)
            if euler * self.fastest > self.method.courant:
                break
        return self.fastest

    def update(self, values: np.ndarray, sums: np.ndarray) -> float:
        """Fill the potential for `values` and return their loss; nothing is done where it is theirs already."""
        if self.updated is not values:
            numba.set_num_threads(self.threads)
            self.updated, self.loss = values, self.potential.update(values, sums)
            numba.set_num_threads(self.most_threads)
        return self.loss

    def sweep(self, values: np.ndarray, base: np.ndarray, out: np.ndarray, dt: float, weight: float) -> None:
        """One stage: out = (1 − weight)·base + weight·(values + dt·rate(values)); its row sums go to `sums`."""
        g = self.potential
        numba.set_num_threads(self.threads)
        stage(
            values, base, out, g.slope, g.multiplier, g.along, g.offset, self.cells, self.strides, self.periodic, self.per_spacing,
            self.limiter, dt, weight, self.work, self.sums, self.readings,
        )  # fmt: skip
        numba.set_num_threads(self.most_threads)
        self.outflow = float(self.readings[:, 1].max())
        if self.updated is out:
            self.updated = None

    def reading(self, state: State, loss: float) -> Reading:
        """The reading of `state`, of which the last sweep was a stage."""
        volume = self.grid.cell_volume
        return Reading(
            time=state.time,
            loss=loss,
            free_energy=0.5 * loss,
            dissipation=float(self.readings[:, 0].sum()) * volume,
            mass=float(state.memory["sums"][0].sum()) * volume,
            minimum=float(self.readings[:, 2].min()),
            boundary=self.boundary(state),
        )

    def boundary(self, state: State) -> np.ndarray:
        """The mass in the outermost layer of cells at both ends of each axis of the grid, (p, 2); zero on periodic axes."""
        fill_layers(self.layers, state.values, state.memory["sums"][0], self.cells, self.strides, self.periodic)
        return self.layers[self.places] * self.grid.cell_volume

    def frame(self, state: State) -> Frame:
        """The density as it is (a copy), its reading and its prediction."""
        loss = self.update(state.values, state.memory["sums"])
        self.sweep(state.values, state.values, self.spare[0], 0.0, 1.0)
        density = Density(self.grid, self.potential.restored(state.values).copy(), self.problem.energy.neuron)
        return Frame(density, self.reading(state, loss), self.potential.prediction)

    def _judge_box(self, held: float) -> None:
        """`held`: the probability of the box under the initial law."""
        box = describe_box((), self.grid.lower, self.grid.upper).removeprefix(" on ")
        if not held > 1 - MISSED:
            raise InputError(
                f"the box {box} holds only {max(held, 0.0):.2%} of the initial law {self.problem.initial!r}: choose a box around the law, "
                "or leave lower and upper out and it is found"
            )
        if held < 1 - LEFT_OUT:
            warnings.warn(
                f"the box {box} leaves out {1 - held:.2g} of the initial law; the rest is scaled to mass one", BoundaryWarning, stacklevel=2
            )


def number_of_blocks(leading: Sequence[int]) -> int:
    """How many blocks of rows a sweep is cut into: enough for many threads, each of many layers of the first axis, since a
    seam between two blocks costs one flux twice.
    """
    return max(1, min(32, max(leading[0] // 16, min(leading[0] // 2, 4)))) if leading else 1
