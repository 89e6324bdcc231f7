"""Which cells are active: those with mass and their neighbours, as runs of columns in each row.

A step of transport looks at active cells only. They follow the mass from step to step, by the values alone:

    kept      the cells within KEPT of one whose value is more than a floor; what lies beyond is handed to the nearest of them after a step
    active    the cells within ACTIVE of one that has mass

each of them a box of cells around a cell, which wraps around periodic axes. Both are marked in an array of bytes, (rows, columns).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from wgf.kernels.compiled import Array, Truth, Whole, compiled_once, pointwise, serial, threaded

Marks = NDArray[np.uint8]


@threaded
def mark(marks: Marks, values: Array, floor: float, runs: Whole, columns: Whole) -> None:
    """Mark the cells of the runs whose values are more than `floor`, and no others."""
    for row in numba.prange(values.shape[0]):
        marks[row] = 0
        for run in range(runs[row], runs[row + 1]):
            found, tried = marks[row, columns[run, 0] : columns[run, 1]], values[row, columns[run, 0] : columns[run, 1]]
            for j in range(found.size):
                found[j] = not tried[j] <= floor  # a NaN is more than nothing


@pointwise
def add_marks(out: Marks, marks: Marks) -> None:
    """Mark what is marked in either."""
    for j in range(out.size):
        out[j] |= marks[j]


@threaded
def spread(out: Marks, marks: Marks, reach: int, axis: int, cells: Whole, strides: Whole, periodic: Truth) -> None:
    """Mark the cells that are at most `reach` cells away along an axis from a marked one; the last axis runs along the rows."""
    rows, m = marks.shape
    for row in numba.prange(rows):
        target, source = out[row], marks[row]
        target[:] = source
        for shift in range(1, reach + 1):
            if axis < strides.size:
                stride, n = strides[axis], cells[axis]
                position = (row // stride) % n
                for other in (position - shift, position + shift):
                    if periodic[axis] or 0 <= other < n:
                        add_marks(target, marks[row + (other % n - position) * stride])
            elif shift < m:
                add_marks(target[: m - shift], source[shift:])
                add_marks(target[shift:], source[: m - shift])
                if periodic[axis]:
                    add_marks(target[m - shift :], source[:shift])
                    add_marks(target[:shift], source[m - shift :])


@serial
def count_runs(runs: Whole, marks: Marks) -> None:
    """The number of runs of marked cells in all the rows before each, (rows + 1,)."""
    runs[0] = 0
    for row in range(marks.shape[0]):
        found, last = 0, 0
        for j in range(marks.shape[1]):
            found += marks[row, j] > last
            last = marks[row, j]
        runs[row + 1] = runs[row] + found


@serial
def fill_columns(columns: Whole, runs: Whole, marks: Marks) -> None:
    """The first column of each run, and the one after its last, (runs, 2)."""
    for row in range(marks.shape[0]):
        run, last = runs[row], 0
        for j in range(marks.shape[1]):
            if marks[row, j] > last:
                columns[run, 0] = j
            elif marks[row, j] < last:
                columns[run, 1] = j
                run += 1
            last = marks[row, j]
        if last:
            columns[run, 1] = marks.shape[1]


@threaded
def clear(values: Array, marks: Marks, runs: Whole, columns: Whole) -> None:
    """Zero in the cells of the runs that are not marked."""
    for row in numba.prange(values.shape[0]):
        for run in range(runs[row], runs[row + 1]):
            kept, emptied = marks[row, columns[run, 0] : columns[run, 1]], values[row, columns[run, 0] : columns[run, 1]]
            for j in range(kept.size):
                emptied[j] = emptied[j] if kept[j] else 0.0


@serial
def hand_over(values: Array, marks: Marks, runs: Whole, columns: Whole) -> float:
    """Move what is in the cells of the runs that are not marked to the nearest marked cell of the row, or of the nearest row that has one;
    returns how much that was. One cell at least is marked.
    """
    rows = values.shape[0]
    moved = 0.0
    for row in range(rows):
        for run in range(runs[row], runs[row + 1]):
            for j in range(columns[run, 0], columns[run, 1]):
                if not marks[row, j]:
                    value = values[row, j]
                    values[row, j] = 0.0
                    if value > 0.0:
                        moved += value
                        to, at = nearest(marks, row, j)
                        values[to, at] += value
    return moved


@compiled_once
def nearest(marks: Marks, row: int, column: int) -> tuple[int, int]:
    """A marked cell in the nearest row that has one, and there in the nearest column."""
    rows, m = marks.shape
    for away in range(rows):
        for other in (row - away, row + away):
            if 0 <= other < rows:
                for aside in range(m):
                    if column - aside >= 0 and marks[other, column - aside]:
                        return other, column - aside
                    if column + aside < m and marks[other, column + aside]:
                        return other, column + aside
    return row, column
