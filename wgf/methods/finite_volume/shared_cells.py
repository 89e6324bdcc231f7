"""Active cells where ranks share them: each rank has its own and ghosts of others, and all together those of one process.

Which cells are marked follows from the values nearby, which ghosts have. The thresholds are those of all ranks. What is handed over goes to
the nearest row of all that has a kept cell, wherever that is: cells that are given up are told to all ranks, and which rows have a kept
cell, and the rank with the nearest one takes what it gets.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from wgf.kernels import active
from wgf.kernels.compiled import Whole
from wgf.kernels.window import fill_extent
from wgf.measures.layout import Layout
from wgf.methods.finite_volume.active import KEPT, ActiveCells, Runs
from wgf.ranks.decomposition import GHOSTS

SEAM_BLOCKS = 2  # of the cells along an edge


class Part(NamedTuple):
    """Cells that are swept in one: the first one along each leading axis, their box, the first rows of blocks and their runs."""

    bottom: Whole
    box: Whole
    blocks: Whole
    runs: Runs


class SharedCells(ActiveCells):
    """The active cells among those that a layout holds.

    parts   this rank's own, which are to be swept: first those that read no ghosts, then those along the edges
    near    these and the ones beside them, of which the sweep has to know how fast mass leaves them
    """

    def __init__(self, layout: Layout, cells: Whole, strides: Whole, periodic: np.ndarray, blocks: int) -> None:
        self.layout, self.ranks = layout, layout.division.ranks
        axes = list(layout.axes)
        self.box, edges = layout.division.inner[axes], layout.division.open[axes]
        self.first = layout.division.held[self.ranks.rank][axes, 0]
        self.leading = tuple(layout.grid.shape[k] for k in axes[:-1])
        counts = [blocks, *[min(SEAM_BLOCKS, blocks)] * 2 * len(axes)]
        self.places = list(zip(stretches(self.box, edges), counts, strict=False))
        self.around_box = self.box + edges.astype(np.int64) * (-1, 1)
        self.halo = layout.division.halo(layout.axes)
        super().__init__((layout.rows, layout.columns), cells, strides, periodic, blocks)

    def choose(self, runs: Runs) -> None:
        """Take these for the active cells."""
        self.now = runs
        self.own, self.near = self.within(self.box), self.within(self.around_box)
        self.size = int(active.fill_blocks(self.blocks, *self.own))
        active.fill_blocks(self.blocks, *self.near)
        self.parts = []
        for box, count in self.places:
            part = Part(box[:-1, 0].copy(), box, np.empty(count + 1, dtype=np.int64), self.within(box))
            active.fill_blocks(part.blocks, *part.runs)
            self.parts.append(part)

    def within(self, box: Whole) -> Runs:
        """What of the active cells lies in a box."""
        return Runs(*active.runs_in_box(*self.now, box, self.cells, self.strides))

    def extent(self) -> Whole:
        """The first active cell of each axis of the whole grid, in the order of the layout, and the one after the last, (p, 2)."""
        result: Whole = np.empty((len(self.periodic), 2), dtype=np.int64)
        fill_extent(result, *self.own, self.cells, self.strides)
        found = [each for each in self.ranks.gather(result + self.first[:, None] if self.size else None) if each is not None]
        return np.stack([np.min(found, axis=0)[:, 0], np.max(found, axis=0)[:, 1]], axis=1)

    def after(self, values: np.ndarray, share: float) -> tuple[Runs, float]:
        """As on one process; the ghosts of the values, which are right before, are so afterwards."""
        self.mark(values, share * self.ranks.highest(float(values.max())), KEPT, self.all)
        moved = self._handed_over(values, *active.give_up(values, self.marks, *self.own))
        self.exchange(values)
        return self.around(values, self.all), moved

    def exchange(self, values: np.ndarray) -> None:
        """Fill the ghosts."""
        self.send(values)
        self.halo.finish()

    def send(self, values: np.ndarray) -> None:
        """Begin to fill them; `halo.finish` ends it."""
        self.halo.start(self.layout.own(values), values.reshape(self.layout.shape))

    def _handed_over(self, values: np.ndarray, cells: Whole, masses: np.ndarray) -> float:
        """Give what all ranks gave up to the nearest kept cells; how much it was."""
        given = self.ranks.gather((self._numbered(cells), masses))
        cells, masses = np.concatenate([each for each, _ in given]), np.concatenate([each for _, each in given])
        if not len(masses):
            return 0.0
        order = np.lexsort(cells.T[::-1])
        cells, masses = cells[order], masses[order]
        targets = self._here(nearest_of(self._kept_rows(), cells[:, 0]), cells[:, 1])
        found, keys = np.empty(len(cells), dtype=np.int64), np.empty(len(cells), dtype=np.int64)
        active.fill_nearest(found, keys, self.marks, targets, *self.box[-1])
        mine = (found >= 0) & (keys == np.min(self.ranks.gather(keys), axis=0))
        np.add.at(values, (targets[mine, 0], found[mine]), masses[mine])
        return float(masses.sum())

    def _numbered(self, cells: Whole) -> Whole:
        """Cells (k, 2) by row and column, by their numbers in the whole grid."""
        places = np.unravel_index(cells[:, 0], self.layout.shape[:-1]) if self.leading else ()
        rows = [place + first for place, first in zip(places, self.first[:-1], strict=True)]
        numbers = np.ravel_multi_index(rows, self.leading) if self.leading else cells[:, 0]
        return np.stack([numbers, cells[:, 1] + self.first[-1]], axis=1)

    def _here(self, rows: np.ndarray, columns: np.ndarray) -> Whole:
        """Cells (k, 2) by row and column for their numbers in the whole grid; rows that are not this rank's own are −1."""
        if not self.leading:
            return np.stack([rows, columns - self.first[-1]], axis=1)
        places = np.stack(np.unravel_index(rows, self.leading)) - self.first[:-1, None]
        inside = ((places >= self.box[:-1, :1]) & (places < self.box[:-1, 1:])).all(axis=0)
        here = np.where(inside, np.ravel_multi_index(list(np.where(inside, places, 0)), self.layout.shape[:-1]), -1)
        return np.stack([here, columns - self.first[-1]], axis=1)

    def _kept_rows(self) -> np.ndarray:
        """The numbers of all rows of the whole grid that have a marked cell, in their order."""
        own = self.layout.own(self.marks).any(axis=-1)
        part = self.layout.division.part[list(self.layout.axes)][:-1]
        kept = np.zeros(self.leading, dtype=np.int32)
        kept[tuple(slice(*ends) for ends in part.tolist())] = own
        self.ranks.sum(kept)
        return np.flatnonzero(kept.reshape(-1))


def stretches(box: Whole, edges: np.ndarray) -> list[Whole]:
    """The cells of a box that read no ghosts, which lie beyond some of its edges (p, 2), then those along the edges; the axes are those of
    a layout. Rows stay whole: where ghosts lie beside them, all cells read some.
    """
    if edges[-1].any():
        empty = box.copy()
        empty[:, 1] = empty[:, 0]
        return [empty, box]
    rest, along = box.copy(), []
    for axis, (lower, upper) in enumerate(edges[:-1]):
        for end, is_open in enumerate((lower, upper)):
            if is_open:
                edge = rest.copy()
                edge[axis, 1 - end] = rest[axis, end] + GHOSTS if end == 0 else max(rest[axis, 1] - GHOSTS, rest[axis, 0])
                edge[axis, 1 - end] = min(edge[axis, 1 - end], rest[axis, 1])
                rest[axis, end] = edge[axis, 1 - end]
                along.append(edge)
    return [rest, *along]


def nearest_of(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For each number that is wanted the nearest one of those that are found, the lower one if two are; both ascending."""
    after = np.searchsorted(found, wanted)
    above, below = found[np.minimum(after, len(found) - 1)], found[np.maximum(after - 1, 0)]
    return np.where(np.abs(wanted - below) <= np.abs(above - wanted), below, above)
