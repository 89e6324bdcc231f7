"""What the steppers of a grid share: the potential on its cells, the start from a law, and the mass at the edges."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numba
import numpy as np

from wgf.errors import InputError
from wgf.kernels.compiled import Whole
from wgf.kernels.sums import fill_sums
from wgf.kernels.transport import fill_layers
from wgf.measures.grid import Grid, box_dim, describe_box, per_axis
from wgf.measures.laws import box_title, judge_box, judge_resolution
from wgf.measures.layout import along_axes
from wgf.measures.measure import Density, DensityPart, Measure, density_around
from wgf.measures.memory import require_memory_for
from wgf.methods.base import Diagnostics, Frame, State, require_finite
from wgf.methods.box_search import LAW_NODES, find_box
from wgf.methods.default_cells import default_cells
from wgf.methods.step_control import ROUNDING
from wgf.problems.problem import Problem
from wgf.ranks.communicator import ALONE, Ranks
from wgf.registers import listed

SAME = 1e-9  # edges that differ by less are the same
CELLS_PER_THREAD = 2**11  # below it, waiting for another thread costs more than it saves


@dataclass(eq=False, repr=False)
class GridState(State):
    """The cell averages as (rows, columns) in the layout of the potential.

    window, seen   where they are among the cells of a lattice, and where there have been any, (p, 2) (finite_volume/window.py)
    """

    window: Whole = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64), repr=False)
    seen: Whole = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64), repr=False)


AnyGridState = TypeVar("AnyGridState", bound=GridState)
Shown = Callable[[np.ndarray], tuple[Grid, np.ndarray]]  # of one's own cells (n_1, …, n_p): cells that hold these, and a copy of the values


class Threads:
    """A context in which kernels use at most `most` threads, one at least: `count` of them. To say so costs as much as a small kernel:
    inside of itself it does nothing.
    """

    def __init__(self, most: int) -> None:
        self.count, self.depth, self.before = max(1, min(numba.get_num_threads(), most)), 0, 0

    def __enter__(self) -> None:
        if self.depth == 0:
            self.before = numba.get_num_threads()
            if self.before != self.count:
                numba.set_num_threads(self.count)
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        if self.depth == 0 and self.before != self.count:
            numba.set_num_threads(self.before)


class GridStepper(Generic[AnyGridState]):
    """A method bound to a problem and a grid.

    cells, strides (in rows)   of the leading axes; periodic, per_spacing = 1/h of all axes, in the order of the layout
    sums (3, rows)             row sums of the values in hand: Σμ, Σ multiplier·μ, Σ along·μ
    token                      of the state whose potential and sums are in place, if any are
    threads                    a context in which kernels use as many as the grid is worth
    unit                       a rise of the energy that is rounding, relative to its scale
    """

    unit: float = ROUNDING

    def __init__(self, method: Any, problem: Problem, grid: Grid, potential: Any = None) -> None:
        self.method, self.problem, self.grid = method, problem, grid
        self.potential = potential = potential or problem.energy.on(grid, method.tolerance, self.averages(method, problem))
        leading = potential.shape[:-1]
        self.cells = np.array(leading, dtype=np.int64)
        self.strides = np.array([int(np.prod(leading[k + 1 :])) for k in range(len(leading))], dtype=np.int64)
        self.periodic = np.array(potential.division.wraps)[list(potential.axes)]
        self.per_spacing = 1.0 / grid.spacing[list(potential.axes)]
        self.shape = (potential.rows, potential.columns)
        self.sums = np.empty((3, potential.rows))
        self.token: object = None
        self.axes, self.places = np.array(potential.axes), np.argsort(potential.axes)
        self.threads = Threads(potential.rows * potential.columns // CELLS_PER_THREAD)
        self.facts = {
            "method_summary": repr(method),
            "kernel_rank": potential.rank,
            "kernel_error": potential.error,
        }

    @staticmethod
    def averages(method: Any, problem: Problem) -> bool:
        """Whether values are cell averages to more than second order (measures/averages.py); else they are values at centres, too."""
        return False

    def start(self) -> AnyGridState:
        """The initial law's cell averages."""
        averages = judged(self.problem, self.grid, self.problem.initial.cell_averages(self.grid))
        return self.begin(0.0, self.potential.arranged(averages))

    def resume(self, measure: Measure, time: float, steps: int) -> AnyGridState:
        """The cell averages of a frame."""
        return self.begin(time, self.potential.arranged(averages_on(self.grid, measure)))

    def begin(self, time: float, values: np.ndarray) -> AnyGridState:
        """A state at `time` with these values (rows, columns), and what the first step has to remember."""
        raise NotImplementedError

    def step(self, state: AnyGridState, stop: float) -> Diagnostics:
        """Advance `state`, not past `stop`; the diagnostics of the state it left."""
        raise NotImplementedError

    def diagnostics(self, state: AnyGridState) -> Diagnostics:
        """The diagnostics of a state; its potential is then in place."""
        raise NotImplementedError

    def frame(self, state: AnyGridState, shown: Shown | None = None) -> Frame:
        """The density as it is (a copy), its diagnostics and its prediction; where ranks share the cells, the density on one's own, or what
        is shown for them.
        """
        self.require_fitting(state)
        diagnostics = self.diagnostics(state)
        division, grid = self.potential.division, self.grid
        own = grid.of_cells(division.part) if division.divided else grid
        values = self.potential.own_cells(state.array)
        division.ranks.agreed(lambda: require_finite(values, "the density", state.time, own))
        cells, averages = shown(values) if shown else (own, np.array(values, float))
        rest = cells, np.asarray(averages, float), self.problem.energy.neuron, self.potential.averages
        density = DensityPart(*rest) if division.divided else density_around(values, *rest)
        return Frame(density, diagnostics, self.potential.prediction, grid if division.divided else None)

    def evaluate(self, values: np.ndarray) -> float:
        """E of the values (rows, columns); their potential, and what else a step needs of them, is then in place."""
        raise NotImplementedError

    def settle(self, state: AnyGridState) -> None:
        """The same for a state, where it is not in place already."""
        if self.token is not state.token:
            self.require_fitting(state)
            self.evaluate(state.array)
            self.token = state.token

    def require_fitting(self, state: AnyGridState) -> None:
        """Refuse a state of another grid, on which compiled loops would run out of the array."""
        if state.array.shape != self.shape:
            raise InputError(f"a state of {state.array.size:,} cells cannot go on on {describe_box(self.grid.shape, None, None)} of them")

    def fill_sums(self, sums: np.ndarray, values: np.ndarray) -> None:
        """The row sums (3, rows) of the values."""
        with self.threads:
            fill_sums(sums, values, self.potential.multiplier, self.potential.along)

    def rounding(self, energy: float) -> float:
        """A rise of the energy that is only rounding."""
        return self.unit * (self.problem.energy.scale + abs(energy))

    def cells_per_time(self, diagnostics: Diagnostics) -> float:
        """How many cells the mass moves per unit time, in the root mean square, along the axis with the smallest ones."""
        return math.sqrt(max(diagnostics.dissipation, 0.0) / diagnostics.mass) * float(self.per_spacing.max())

    def boundary(self, values: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """The mass in the outermost layer of cells at both ends of each axis of the grid, (p, 2); zero on periodic axes."""
        layers = np.empty((self.grid.dim, 2))
        fill_layers(layers, values, sums[0], self.axes, self.cells, self.strides, self.periodic, self.grid.cell_volume)
        return layers


def averages_on(grid: Grid, measure: Measure) -> np.ndarray:
    """The cell averages of a measure that is a density on this grid; refuses another."""
    if not isinstance(measure, Density):
        raise InputError(f"a run on a grid goes on from a density on it, and not from {measure!r}: take the method of that run")
    ours, theirs = ([*each.lower, *each.upper] for each in (grid, measure.grid))
    if measure.grid.shape != grid.shape or measure.grid.boundary != grid.boundary or not np.allclose(ours, theirs, SAME, SAME):
        raise InputError(f"a run goes on on its own cells, {measure.grid!r}, and not on {grid!r}: give the method of that run")
    return measure.values


def judged(problem: Problem, grid: Grid, averages: np.ndarray) -> np.ndarray:
    """The initial law's cell averages, with the mass outside the box left out and the rest scaled to mass one (laws/in_box.py)."""
    return averages / judge(problem, grid, along_axes(np.add, averages))


def judge(problem: Problem, grid: Grid, sums: Sequence[np.ndarray], endless: bool = False) -> float:
    """The mass of the initial law in the box, by the sums of its cell averages over all other axes, (n_k,) for each; where much is outside,
    or cells are too wide, it is said.
    """
    held = float(sums[0].sum()) * grid.cell_volume
    judge_box(problem.initial, held, box_title(grid.lower, grid.upper))
    judge_resolution(grid, sums, grid.names, problem.initial, endless)
    return held


def box_grid(method: Any, problem: Problem, until: float) -> Grid:
    """The grid of a method with `cells` and `boundary`, on its box, or on one that is found."""
    lower, upper = find_box(problem, until) if method.lower is None or method.upper is None else (method.lower, method.upper)
    p = box_dim(lower, upper, problem.dim or 1)
    if problem.dim is not None and p != problem.dim:
        raise InputError(f"the box has {p} axes but theta has {problem.dim} coordinates ({listed(problem.axis_names(problem.dim))})")
    cells = default_cells(problem, np.broadcast_to(lower, p), np.broadcast_to(upper, p)) if method.cells is None else method.cells
    per_axis(cells, p, "cells")
    return Grid(lower, upper, cells, problem.axis_names(p), method.boundary)


def spaced_grid(problem: Problem, spacing: float | Sequence[float]) -> Grid:
    """Cells of this length, with edges at its multiples, where the nodes of a quadrature of the initial law lie."""
    nodes, _ = problem.initial.quadrature(LAW_NODES)
    p = nodes.shape[1]
    lengths = np.array(per_axis(spacing, p, "spacing"), dtype=float)
    first, last = np.floor(nodes.min(axis=0) / lengths), np.ceil(nodes.max(axis=0) / lengths)
    last = np.maximum(last, first + 1)
    cells = [int(n) for n in last - first]
    return Grid((first * lengths).tolist(), (last * lengths).tolist(), cells, problem.axis_names(p))


def coarsened(method: Any, grid: Grid, longer: float, **changes: Any) -> Any:
    """A method on the box of its `grid`, with cells that are `longer` times as long (about, for their number is whole)."""
    cells = tuple(max(1, round(n / longer)) for n in grid.shape)
    return dataclasses.replace(method, cells=cells, lower=grid.lower, upper=grid.upper, **changes)


def require_memory(grid: Grid, problem: Problem, others: float = 0.0, ranks: Ranks = ALONE) -> None:
    """Refuse a grid whose arrays, and `others` further numbers, would not fit into the free memory, before anything is allocated.

    Ranks that share the grid have a part each, and the averages of the law on all cells; with a W (problems/interaction.py) also what
    belongs to the potential. They share the memory of their machine.
    """
    arrays = 14 if problem.noise > 0 else 10  # six of them while a step is taken twice
    numbers, entries = arrays * grid.size + others, problem.energy.entries(grid)
    if ranks.size > 1:
        each = numbers / ranks.size + grid.size + (entries if getattr(problem.energy, "W", None) else entries / ranks.size)
        numbers, entries = ranks.here * each, 0.0
    what, remedy = f"a grid of {describe_box(grid.shape, None, None)} cells", "choose fewer cells"
    ranks.agreed(lambda: require_memory_for(numbers + entries, what, remedy))
