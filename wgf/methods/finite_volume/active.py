"""The cells that a step of transport looks at: those with mass and their neighbours (kernels/active.py says which)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wgf.kernels import active
from wgf.kernels.compiled import Truth, Whole
from wgf.kernels.window import fill_extent

KEPT, ACTIVE = 2, 1  # cells that are kept around one that is more than the threshold; that are active around one with mass


class Runs(NamedTuple):
    """Cells as runs of columns: those of row i are columns[runs[i] : runs[i + 1]], the first one and the one after the last."""

    runs: Whole
    columns: Whole


def all_runs(shape: tuple[int, int]) -> Runs:
    """All cells of arrays (rows, columns)."""
    return Runs(np.arange(shape[0] + 1), np.repeat([[0, shape[1]]], shape[0], axis=0))


class ActiveCells:
    """The active cells of arrays (rows, columns) with the axes `cells`, `strides` and `periodic` of kernels/transport.py.

    now      their runs
    near     of those whose outflow the sweep has to know: the same, where one process has all cells
    blocks   the first rows of blocks with about equally many of these, and the number of rows
    """

    def __init__(self, shape: tuple[int, int], cells: Whole, strides: Whole, periodic: Truth, blocks: int) -> None:
        self.cells, self.strides, self.periodic, self.blocks = cells, strides, periodic, np.empty(blocks + 1, dtype=np.int64)
        self.marks, self.other = np.zeros(shape, dtype=np.uint8), np.zeros(shape, dtype=np.uint8)
        self.all = all_runs(shape)
        self.choose(self.all)

    def choose(self, runs: Runs) -> None:
        """Take these for the active cells."""
        self.now = self.near = runs
        self.size = int(active.fill_blocks(self.blocks, *runs))

    def find(self, values: np.ndarray) -> None:
        """Take those that suit the values."""
        self.choose(self.around(values, self.all))

    def extent(self) -> Whole:
        """The first active cell of each axis, in the order of the layout, and the one after the last, (p, 2)."""
        result: Whole = np.empty((len(self.periodic), 2), dtype=np.int64)
        fill_extent(result, *self.now, self.cells, self.strides)
        return result

    def after(self, values: np.ndarray, share: float) -> tuple[Runs, float]:
        """Hand what is far from cells with more than `share` of the largest value over to cells that are near; the cells that are active
        then, and what was handed over.
        """
        runs, columns, moved = active.follow(
            self.marks, self.other, values, share, KEPT, ACTIVE, *self.now, self.cells, self.strides, self.periodic
        )
        return Runs(runs, columns), moved

    def move_to(self, runs: Runs, first: np.ndarray, second: np.ndarray) -> None:
        """Take the runs for the active cells, as `after` has found them, and empty the others in two arrays where they were active."""
        active.clear(first, second, self.marks, *self.now)
        self.choose(runs)

    def around(self, values: np.ndarray, among: Runs) -> Runs:
        """The runs of cells near one of `among` that has mass."""
        self.mark(values, 0.0, ACTIVE, among)
        return Runs(*active.runs_of(self.marks))

    def mark(self, values: np.ndarray, threshold: float, reach: int, among: Runs) -> None:
        """Mark the cells within `reach` of one of `among` whose value is more than `threshold`."""
        active.mark_near(self.marks, self.other, values, threshold, reach, *among, self.cells, self.strides, self.periodic)
