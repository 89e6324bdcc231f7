"""The part of a lattice that holds the active cells, and a margin: a box, (p, 2), for each axis its first cell and the one after its last.

Which part that is, and when it is moved, is said in methods/finite_volume/window.py.
"""

from __future__ import annotations

import math

import numpy as np

from wgf.kernels.compiled import Truth, Whole, serial


@serial
def fill_extent(extent: Whole, runs: Whole, columns: Whole, cells: Whole, strides: Whole) -> None:
    """The first cell of each axis in a run, and the one after the last, (p, 2); no run at all: more first than last."""
    axes = strides.size
    extent[:, 0], extent[:, 1] = np.iinfo(np.int64).max, 0
    for row in range(runs.size - 1):
        if runs[row] < runs[row + 1]:
            for axis in range(axes):
                position = (row // strides[axis]) % cells[axis]
                extent[axis, 0], extent[axis, 1] = min(extent[axis, 0], position), max(extent[axis, 1], position + 1)
            extent[axes, 0] = min(extent[axes, 0], columns[runs[row], 0])
            extent[axes, 1] = max(extent[axes, 1], columns[runs[row + 1] - 1, 1])


@serial
def fill_window(wanted: Whole, active: Whole, ends: Whole, wraps: Truth, share: float, least: int, most: float) -> None:
    """The active cells and a margin, (p, 2): a share of their extent along each axis, at least so many cells, not beyond `ends`; all of an
    axis that wraps around; and all cells up to the ends where these would be more than a part `most` of them.
    """
    part = 1.0
    for axis in range(len(ends)):
        margin = max(math.ceil(share * (active[axis, 1] - active[axis, 0])), least)
        wanted[axis, 0] = ends[axis, 0] if wraps[axis] else max(active[axis, 0] - margin, ends[axis, 0])
        wanted[axis, 1] = ends[axis, 1] if wraps[axis] else min(active[axis, 1] + margin, ends[axis, 1])
        part *= (wanted[axis, 1] - wanted[axis, 0]) / (ends[axis, 1] - ends[axis, 0])
    for axis in range(len(ends) if part > most else 0):
        wanted[axis, 0], wanted[axis, 1] = ends[axis, 0], ends[axis, 1]


@serial
def is_fit(
    wanted: Whole, window: Whole, active: Whole, ends: Whole, wraps: Truth, share: float, least: int, most: float, guard: int, sparse: float
) -> bool:
    """Fill the window that is wanted, and say whether that there is does as well: where no active cell is within `guard` of an edge of it
    that is none of `ends`, and it has at most `sparse` times as many cells as are wanted.
    """
    fill_window(wanted, active, ends, wraps, share, least, most)
    excess = 1.0
    for axis in range(len(ends)):
        if active[axis, 0] - window[axis, 0] < guard and window[axis, 0] != ends[axis, 0]:
            return False
        if window[axis, 1] - active[axis, 1] < guard and window[axis, 1] != ends[axis, 1]:
            return False
        excess *= (window[axis, 1] - window[axis, 0]) / (wanted[axis, 1] - wanted[axis, 0])
    return excess <= sparse
