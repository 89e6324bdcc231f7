"""A box that grows: where mass nears an edge, whole cells of the same size are added there.

Nothing is interpolated: the old cells keep their averages, the new ones are empty, so that mass is kept exactly. How many
cells have been added at each end of each axis stands in the state, as it belongs to a checkpoint.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.measures.grid import Grid
from wgf.methods.base import Diagnostics, Frame
from wgf.methods.finite_volume.choosing import Choosing
from wgf.methods.finite_volume.gibbs import scratch_size
from wgf.methods.grid_stepper import GridState, GridStepper, require_memory
from wgf.problems.problem import Problem

NEAR = 1e-7  # fraction of the mass in an outermost layer of cells at which the box grows there
MARGIN = 1 / 8  # of the axis' cells, added at once
MOST_ENLARGED = 12  # times before the start, in which a box becomes fifteen times as long


class Growing:
    """The stepper of a scheme on a box that may grow; see the module's text. Its states are those of the scheme."""

    def __init__(self, scheme: type[GridStepper[Any]] | type[Choosing], method: Any, problem: Problem, grid: Grid) -> None:
        self.scheme, self.method, self.problem, self.first = scheme, method, problem, grid
        self.added = np.zeros((grid.dim, 2), dtype=np.int64)
        self.stepper = scheme(method, problem, grid)
        self.facts = self.stepper.facts

    def start(self) -> GridState:
        """The initial law, on a box that has grown already until the law does not reach its edges."""
        for _ in range(MOST_ENLARGED):
            more = self._needed(self.problem.initial.cell_averages(self.stepper.grid))
            if not more.any():
                return self._noted(self.stepper.start())
            self._enlarge(more)
        raise InputError(
            f"the box has grown {MOST_ENLARGED} times, and the initial law {self.problem.initial!r} still reaches its edges: give a larger "
            "box, or a law that ends somewhere"
        )

    def step(self, state: Any, stop: float) -> Diagnostics:
        """One step of the scheme; then the box grows where it has to."""
        self._settle(state)
        diagnostics = self.stepper.step(state, stop)
        self._grown(state)
        return diagnostics

    def frame(self, state: Any) -> Frame:
        """The density on the box as it is."""
        self._settle(state)
        return self.stepper.frame(state)

    def _noted(self, state: GridState) -> GridState:
        state.added = tuple((int(lower), int(upper)) for lower, upper in self.added)
        return state

    def _settle(self, state: GridState) -> None:
        """Make the stepper's grid that of the state."""
        if not np.array_equal(state.added, self.added):
            self._enlarge(np.array(state.added) - self.added)

    def _enlarge(self, more: np.ndarray) -> None:
        self.added = self.added + more
        grid = self.first.enlarged(self.added)
        require_memory(grid, self.problem, scratch_size(grid, self.problem))
        self.stepper = self.scheme(self.method, self.problem, grid)

    def _needed(self, values: np.ndarray) -> np.ndarray:
        """The cells to add at each end of each axis, (p, 2), for cell averages (n_1, …, n_p) on the grid as it is."""
        near = np.zeros(self.added.shape, dtype=bool)
        for axis, wrap in enumerate(self.first.periodic()):
            for side, layer in enumerate((0, -1)):
                near[axis, side] = not wrap and np.take(values, layer, axis).sum() > NEAR * values.sum()
        return near * np.ceil(MARGIN * np.array(values.shape)).astype(np.int64)[:, None]

    def _grown(self, state: Any) -> None:
        """Enlarge the box at every edge that mass is near to."""
        values = self.stepper.potential.restored(state.array)
        more = self._needed(values)
        if more.any():
            self._enlarge(more)
            fresh = self.stepper.begin(state.time, self.stepper.potential.arranged(np.pad(values, more)))
            fresh.follow(state)
            vars(state).update(vars(self._noted(fresh)))
