"""A scheme on a window of its lattice, which goes where the mass goes.

The lattice has equal cells. A box that is given ends it. Where none is given, and where the box is one that grows, closed axes go on for
ever: what is then given or found is the size of the cells, and where to begin. The window is the part of the lattice that is kept in
memory, all of it along axes that wrap around. There are two rules for it.

transport    Cells far from mass hold exactly nothing (active.py), so that the window may be cut down to the active ones and a margin of
             MARGIN of their extent, unless nearly all of a box would be in it. It is moved when one of them comes within GUARD cells of
             an edge behind which the lattice goes on, and when it has become SPARSE times as large as it would then be. At an edge to
             which they have come they will go on: there the margin is twice as wide. Rows are widened to whole lines of the caches.
with noise   Every cell holds mass, if only a little. Where the lattice has no end and more than NEAR of the mass is in an outermost layer
             of cells, the window is enlarged there by MARGIN of its cells.

Where ranks share the cells, each window is divided anew, and cells go to the ranks that then have them.

Nothing is interpolated: cells keep their averages, new ones are empty, and so were those that are given up; mass is kept exactly. The
window is part of the state, as it belongs to a checkpoint. A frame shows the box, or without one all cells that have been in a window.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.kernels import aligned
from wgf.kernels.compiled import Whole
from wgf.kernels.window import fill_window, is_fit
from wgf.measures.grid import Grid
from wgf.measures.laws import box_title, judge_box
from wgf.measures.laws.averages import CellAverages
from wgf.measures.layout import Layout
from wgf.measures.measure import Measure
from wgf.methods.base import Diagnostics, Frame
from wgf.methods.finite_volume.active import ACTIVE, KEPT
from wgf.methods.finite_volume.choosing import Choosing
from wgf.methods.finite_volume.gibbs import scratch_size
from wgf.methods.finite_volume.shared_stepper import SharedStepper, outermost
from wgf.methods.finite_volume.transport import Transport
from wgf.methods.grid_stepper import GridState, averages_on, judge, require_memory
from wgf.problems.energy import column_axis
from wgf.problems.problem import Problem
from wgf.ranks.communicator import current
from wgf.ranks.divided import Divided
from wgf.ranks.redistribution import Redistribution

MARGIN, LEAST_MARGIN = 1 / 8, 6  # of the cells along an axis; cells
GUARD = 2  # cells that a step, taken in halves, may need beyond those that are active
SPARSE = 3.0
NEARLY_ALL = 0.75  # of the cells of a box: the others cost less than to move the window, and with it the features
NEAR = 1e-7  # of the mass
MOST_ENLARGED = 12  # times before the start, in which a box becomes fifteen times as long
ENDLESS = 2**40  # cells
SHOWN = 3  # arrays of all cells that a frame shows


class Windowed:
    """The stepper of a scheme on a window; see the module's text. Its states are those of the scheme.

    A window is (p, 2): for each axis the first of its cells, and the one after the last, counted from those of the box, or those to begin
    with, which are 0 … n − 1. `ends` of the lattice are given in the same way, `beginning` is the window that holds the initial law.
    """

    def __init__(self, scheme: type[SharedStepper[Any]] | type[Choosing], method: Any, problem: Problem, box: Grid, endless: bool) -> None:
        self.scheme, self.method, self.problem, self.box, self.endless = scheme, method, problem, box, endless
        self.follows = scheme is Transport and method.negligible > 0
        whole = all_cells(box.shape)
        self.wraps, self.columns = np.array(box.periodic()), column_axis(problem.energy.neuron, box.dim)
        self.ends: Whole = np.where((endless & ~self.wraps)[:, None], (-ENDLESS, ENDLESS), whole)
        self.beginning, averages = self._reached(whole)
        self.first = self._around_law(averages) if self.follows else self.beginning
        self.averages = averages if current().size == 1 else None  # each of several ranks would keep those of all cells
        self.seen_first = joined(self.beginning, self.first)
        self.window: Whole
        self.stepper: SharedStepper[Any] | Choosing
        self._place(self.first, self.seen_first)

    def _around_law(self, averages: CellAverages) -> Whole:
        """The window for the initial law."""
        return self._around(self._extent(averages) + (-KEPT - ACTIVE, KEPT + ACTIVE) + self.beginning[:, :1])

    def _extent(self, averages: CellAverages) -> Whole:
        """The first cell of each axis, and the one after the last, whose average is not negligible, (p, 2)."""
        highest = averages.along_axes(np.maximum)
        if not highest[0].max() > 0.0:
            judge_box(self.problem.initial, 0.0, box_title(self.box.lower, self.box.upper))
        places = [np.flatnonzero(each > self.method.negligible * highest[0].max()) for each in highest]
        return np.array([(place[0], place[-1] + 1) for place in places])

    def start(self) -> GridState:
        """The initial law, of mass one in the window."""
        self._place(self.first, self.seen_first)
        grid = self._grid(self.beginning)
        averages, self.averages = self.averages, None  # they may be as large as a frame, which may take their place
        if averages is None:
            averages = CellAverages(self.problem.initial, grid)
        judge(self.problem, grid, averages.along_axes(np.add), self.endless)
        common = shared(self.beginning, self.first)
        initial = carried(averages.within(common - self.beginning[:, :1]), common, self.first)
        del averages
        if self.follows:
            initial[initial <= self.method.negligible * initial.max()] = 0.0  # one need not look for cells to hand these to
        initial /= initial.sum() * self.box.cell_volume
        return self._begun(0.0, initial, self.first, self.seen_first)

    def resume(self, measure: Measure, time: float, steps: int) -> GridState:
        """The cell averages of a frame, which shows the box: that is the window, until a step moves it."""
        whole = all_cells(self.box.shape)
        self._place(whole, whole)
        return self._begun(time, averages_on(self.box, measure), whole, whole)

    def _begun(self, time: float, averages: np.ndarray, window: Whole, seen: Whole) -> GridState:
        """A state with these averages on its window, on which the stepper is placed."""
        state: GridState = self.stepper.begin(time, self.stepper.potential.arranged(averages))
        state.window, state.seen = window.copy(), seen.copy()
        return state

    def step(self, state: Any, stop: float) -> Diagnostics:
        """One step of the scheme, on the window that the state needs."""
        self._place(state.window, state.seen)
        self._follow(state)
        return self.stepper.step(state, stop)

    def frame(self, state: Any) -> Frame:
        """The density on all cells that are shown."""
        self._place(state.window, state.seen)
        division = self.stepper.potential.division
        part = division.part + state.window[:, :1]
        outer = np.where(division.at_ends(), state.seen, part)  # ranks at the ends of the window show what is beyond
        frame = self.stepper.frame(state, lambda values: (self._grid(outer), carried(values, part, outer)))
        return dataclasses.replace(frame, whole=self._grid(state.seen) if division.divided else None)

    def divided(self, state: Any) -> dict[str, Divided]:
        """The share of the array on the window."""
        self._place(state.window, state.seen)
        return self.stepper.divided(state)

    def restored(self, fields: Mapping[str, Any]) -> Any:
        """The state with these fields, of which the window is one."""
        self._place(fields["window"][...], fields["seen"][...])
        return self.stepper.restored(fields)

    def _follow(self, state: Any) -> None:
        """Move the window of the state where it has to be."""
        window = self._following(state) if self.follows else self._where_mass_is_near(state)
        if same(window, state.window):
            return
        before, seen = self.stepper.potential, joined(state.seen, window)
        self._place(window, seen)
        state.exchange(aligned.copied(moved(state.array, before, state.window, self.stepper.potential, window)))
        state.window, state.seen = window, seen

    def _where_mass_is_near(self, state: Any) -> Whole:
        """The window of the state, enlarged at the edges that mass is near."""
        division = self.stepper.potential.division
        values = self.stepper.potential.own_cells(state.array)
        sums = np.append(outermost(values) * division.at_ends(), values.sum())
        division.ranks.sum(sums)
        return self._with_more(state.window, (sums[:-1] > NEAR * sums[-1]).reshape(-1, 2), division.shape)

    def _following(self, state: Any) -> Whole:
        """The window for the active cells of the state: the one that it has, while that is good enough."""
        assert isinstance(self.stepper, Transport)
        self.stepper.settle(state)
        window: Whole = state.window
        active = self.stepper.active.extent()[self.stepper.places] + window[:, :1]
        wanted: Whole = np.empty_like(self.ends)
        if is_fit(wanted, window, active, self.ends, self.wraps, MARGIN, LEAST_MARGIN, NEARLY_ALL, GUARD, SPARSE):
            return window
        return self._in_whole_lines(self._with_more(wanted, near_edges(active, window, GUARD), wanted[:, 1] - wanted[:, 0]))

    def _around(self, active: Whole) -> Whole:
        """The window for cells that are active."""
        wanted: Whole = np.empty_like(self.ends)
        fill_window(wanted, active, self.ends, self.wraps, MARGIN, LEAST_MARGIN, NEARLY_ALL)
        return self._in_whole_lines(wanted)

    def _in_whole_lines(self, window: Whole) -> Whole:
        """The window with so many more columns that each row begins with a line of the caches, where the lattice goes on (aligned.py)."""
        (first, last), (lowest, highest) = window[self.columns], self.ends[self.columns]
        last = min(last + -(last - first) % aligned.NUMBERS, highest)
        result = window.copy()
        result[self.columns] = max(first - -(last - first) % aligned.NUMBERS, lowest), last
        return result

    def _enlarged(self, window: Whole, averages: CellAverages) -> Whole:
        """The window with more cells where the lattice goes on and mass is near an edge, for the averages of its cells."""
        shape = window[:, 1] - window[:, 0]
        if self.follows:
            return self._with_more(window, near_edges(self._extent(averages), all_cells(shape), 1), shape)
        sums = averages.along_axes(np.add)
        return self._with_more(window, np.array([each[[0, -1]] for each in sums]) > NEAR * sums[0].sum(), shape)

    def _with_more(self, window: Whole, near: np.ndarray, shape: Sequence[int] | Whole) -> Whole:
        """The window of this shape with more cells at the ends that are near to something, (p, 2), where the lattice goes on."""
        more = np.ceil(MARGIN * np.asarray(shape)).astype(np.int64)[:, None]
        result: Whole = np.clip(window + near * more * (-1, 1), self.ends[:, :1], self.ends[:, 1:])
        return result

    def _reached(self, window: Whole) -> tuple[Whole, CellAverages]:
        """The window, enlarged where the lattice goes on until the initial law does not reach its edges, and the law's averages there."""
        for _ in range(MOST_ENLARGED):
            grid = self._grid(window)
            require_memory(grid, self.problem, ranks=current())
            averages = CellAverages(self.problem.initial, grid)
            larger = window if same(window, self.ends) else self._enlarged(window, averages)
            if same(larger, window):
                return window, averages
            window = larger
        raise InputError(
            f"the box has grown {MOST_ENLARGED} times, and the initial law {self.problem.initial!r} still reaches its edges: give a larger "
            "box, or a law that ends somewhere"
        )

    def _place(self, window: Whole, seen: Whole) -> None:
        """Make the stepper's grid that of the window, where it is not."""
        placed = hasattr(self, "stepper")
        if placed and same(window, self.window):
            return
        grid = self._grid(window)
        require_memory(grid, self.problem, scratch_size(grid, self.problem) + SHOWN * size(seen), current())
        self.window = window
        following = Transport(self.method, self.problem, grid, self.stepper.potential.moved_to(grid)) if placed and self.follows else None
        self.stepper = following or self.scheme(self.method, self.problem, grid)
        self.facts: dict[str, Any] = self.stepper.facts

    def _grid(self, window: Whole) -> Grid:
        """The cells of a window."""
        return grid_of_cells(self.box, tuple(window.reshape(-1).tolist()))


@lru_cache(maxsize=8)
def grid_of_cells(box: Grid, ends: tuple[int, ...]) -> Grid:
    """`box.of_cells` of a window with these entries: the same few are asked for again and again."""
    return box.of_cells(np.array(ends).reshape(-1, 2))


def same(first: Whole, second: Whole) -> bool:
    """Whether two windows of a lattice are one; NumPy's array_equal takes ten times as long for so few numbers."""
    return bool(first.tolist() == second.tolist())


def all_cells(shape: Sequence[int] | Whole) -> Whole:
    """The window of all cells of an array, (p, 2)."""
    return np.array([(0, n) for n in shape])


def near_edges(cells: Whole, window: Whole, reach: int) -> np.ndarray:
    """Whether fewer than `reach` cells lie between some cells, (p, 2), and the lower and upper edges of a window around them, (p, 2)."""
    return np.asarray((cells - window) * (1, -1) < reach)


def carried(values: np.ndarray, old: Whole, new: Whole) -> np.ndarray:
    """The values of the cells of one window in those of another, zero where they were in none."""
    common, result = shared(old, new), np.zeros(np.diff(new, axis=1)[:, 0], dtype=values.dtype)
    source, target = (tuple(slice(*ends) for ends in common - window[:, :1]) for window in (old, new))
    result[target] = values[source]
    return result


def moved(values: np.ndarray, old: Layout, old_window: Whole, new: Layout, new_window: Whole) -> np.ndarray:
    """The values (rows, columns) of a layout of one window in that of another, where ranks share them from rank to rank."""
    if not old.division.divided:
        return new.arranged(carried(old.restored(values), old_window, new_window))
    order, ranks = list(old.axes), old.division.ranks
    parts, held = old.division.parts + old_window[:, :1], new.division.held + new_window[:, :1]
    periods = [n if wrap else 0 for n, wrap in zip(new.division.shape, new.division.periodic, strict=True)]
    way = Redistribution(ranks, parts[:, order], held[:, order], [periods[k] for k in order])
    return way(old.own(values)).reshape(new.rows, new.columns)


def shared(first: Whole, second: Whole) -> Whole:
    """The window of the cells that are in both of two that meet."""
    result: Whole = np.stack([np.maximum(first[:, 0], second[:, 0]), np.minimum(first[:, 1], second[:, 1])], axis=1)
    return result


def joined(first: Whole, second: Whole) -> Whole:
    """The smallest window that holds two."""
    result: Whole = np.stack([np.minimum(first[:, 0], second[:, 0]), np.maximum(first[:, 1], second[:, 1])], axis=1)
    return result


def size(window: Whole) -> float:
    """The number of its cells."""
    return float(np.prod(np.diff(window, axis=1).astype(float)))
