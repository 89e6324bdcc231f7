"""Which cells are active: those with mass and their neighbours, as runs of columns in each row.

A step of transport looks at active cells only. They follow the mass from step to step, by the values alone:

    kept      the cells within KEPT of one whose value is more than a threshold; what is beyond is added to the nearest of them after a step
    active    the cells within ACTIVE of one that has mass

each of them a box of cells around a cell, which wraps around periodic axes. Both are marked in an array of bytes, (rows, columns).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from wgf.kernels.compiled import FEW, Array, Truth, Whole, compiled_once, pointwise, serial, summing, threaded
from wgf.kernels.outflow import extreme, note_highest

Marks = NDArray[np.uint8]
RUN = 35  # cells that take as long as to begin and end a run, per axis


@pointwise
def is_active(row: int, column: int, runs: Whole, columns: Whole) -> bool:
    """Whether a cell lies in one of the runs."""
    found = False
    for run in range(runs[row], runs[row + 1]):
        found |= columns[run, 0] <= column < columns[run, 1]
    return found


@pointwise
def mark_row(marks: Marks, values: Array, threshold: float, row: int, runs: Whole, columns: Whole) -> None:
    """Mark the cells of the runs of a row whose values are more than `threshold`, and no others."""
    marks[row] = 0
    for run in range(runs[row], runs[row + 1]):
        found, tried = marks[row, columns[run, 0] : columns[run, 1]], values[row, columns[run, 0] : columns[run, 1]]
        for j in range(found.size):
            found[j] = not tried[j] <= threshold  # a NaN is more than nothing


@threaded
def mark(marks: Marks, values: Array, threshold: float, runs: Whole, columns: Whole) -> None:
    """The same in all rows."""
    for row in numba.prange(values.shape[0]):
        mark_row(marks, values, threshold, row, runs, columns)


@pointwise
def add_marks(out: Marks, marks: Marks) -> None:
    """Mark what is marked in either."""
    for j in range(out.size):
        out[j] |= marks[j]


@pointwise
def spread_line(target: Marks, source: Marks, reach: int, apart: int, periodic: bool) -> None:
    """Mark what is marked in `source` or at most `reach` cells away from it, where one cell and the next are so many bytes `apart`."""
    length = source.size
    for j in range(length):
        target[j] = source[j]
    for shift in range(apart, min((reach + 1) * apart, length), apart):
        rest = length - shift
        add_marks(target[:rest], source[shift:])
        add_marks(target[shift:], source[:rest])
        if periodic:
            add_marks(target[rest:], source[:shift])
            add_marks(target[:shift], source[rest:])


@threaded
def spread(out: Marks, marks: Marks, reach: int, length: int, apart: int, periodic: bool) -> None:
    """The same along an axis, in an array that is a row of lines of so many bytes: in these a shift by a cell is one by `apart` bytes."""
    every, here = out.reshape(-1), marks.reshape(-1)
    for line in numba.prange(here.size // length):
        spread_line(every[line * length : (line + 1) * length], here[line * length : (line + 1) * length], reach, apart, periodic)


@summing
def beginnings(marks: Marks) -> int:
    """How many of the marked cells of a row have no marked one before them."""
    before, here = marks[: marks.size - 1], marks[1:]
    found = int(marks[0])
    for j in range(here.size):
        found += here[j] > before[j]
    return found


@serial
def count_runs(runs: Whole, marks: Marks) -> None:
    """The number of runs of marked cells in all the rows before each, (rows + 1,)."""
    runs[0] = 0
    for row in range(marks.shape[0]):
        runs[row + 1] = runs[row] + beginnings(marks[row])


@serial
def fill_columns(columns: Whole, runs: Whole, marks: Marks) -> None:
    """The first column of each run, and the one after its last, (runs, 2)."""
    for row in range(marks.shape[0]):
        here, j = marks[row], 0
        for run in range(runs[row], runs[row + 1]):
            while not here[j]:
                j += 1
            columns[run, 0] = j
            while j < here.size and here[j]:
                j += 1
            columns[run, 1] = j


@serial
def mark_near(
    marks: Marks, other: Marks, values: Array, threshold: float, reach: int, runs: Whole, columns: Whole, cells: Whole, strides: Whole,
    periodic: Truth,
) -> None:  # fmt: skip
    """Mark the cells within `reach` of one of the runs whose value is more than `threshold`; `other` is scratch."""
    axes, m, few = periodic.size, marks.shape[1], marks.size <= FEW
    source, target = (marks, other) if axes % 2 == 0 else (other, marks)
    if few:
        for row in range(len(source)):
            mark_row(source, values, threshold, row, runs, columns)
    else:
        mark(source, values, threshold, runs, columns)
    for axis in range(axes):
        apart = strides[axis] * m if axis < axes - 1 else 1
        length = apart * (cells[axis] if axis < axes - 1 else m)
        if few:
            every, here = target.reshape(-1), source.reshape(-1)
            for start in range(0, here.size, length):
                spread_line(every[start : start + length], here[start : start + length], reach, apart, periodic[axis])
        else:
            spread(target, source, reach, length, apart, periodic[axis])
        source, target = target, source


@serial
def runs_of(marks: Marks) -> tuple[Whole, Whole]:
    """The runs of marked cells, as (rows + 1,) and (runs, 2)."""
    runs = np.empty(marks.shape[0] + 1, dtype=np.int64)
    count_runs(runs, marks)
    columns = np.empty((runs[-1], 2), dtype=np.int64)
    fill_columns(columns, runs, marks)
    return runs, columns


@serial
def runs_in_box(runs: Whole, columns: Whole, box: Whole, cells: Whole, strides: Whole) -> tuple[Whole, Whole]:
    """What of the runs lies in a box of cells, (p, 2): for each axis its first cell and the one after its last."""
    axes = strides.size
    inner, parts, found = np.empty_like(runs), np.empty_like(columns), 0
    inner[0] = 0
    for row in range(runs.size - 1):
        inside = True
        for axis in range(axes):
            inside &= box[axis, 0] <= (row // strides[axis]) % cells[axis] < box[axis, 1]
        if inside:
            for run in range(runs[row], runs[row + 1]):
                start, stop = max(columns[run, 0], box[axes, 0]), min(columns[run, 1], box[axes, 1])
                if start < stop:
                    parts[found, 0], parts[found, 1] = start, stop
                    found += 1
        inner[row + 1] = found
    return inner, parts[:found].copy()


@serial
def fill_blocks(blocks: Whole, runs: Whole, columns: Whole) -> int:
    """The first rows of blocks that take about equally long, and the number of rows; returns the number of cells of the runs."""
    cells = 0
    for run in range(len(columns)):
        cells += columns[run, 1] - columns[run, 0]
    rows, count, size = runs.size - 1, blocks.size - 1, cells + RUN * len(columns)
    blocks[0], blocks[count] = 0, rows
    before, block = 0, 1
    for row in range(rows):
        while block < count and before * count >= block * size:
            blocks[block] = row
            block += 1
        for run in range(runs[row], runs[row + 1]):
            before += RUN + columns[run, 1] - columns[run, 0]
    blocks[block:] = rows
    return cells


@pointwise
def all_marked(marks: Marks) -> bool:
    """Whether all of these cells are marked; looks at all of them, which is faster than to stop at the first that is not."""
    found = np.uint8(1)
    for j in range(marks.size):
        found &= marks[j]
    return bool(found)


@pointwise
def any_marked(marks: Marks) -> bool:
    """Whether one of these cells is marked; looks at all of them, too."""
    found = np.uint8(0)
    for j in range(marks.size):
        found |= marks[j]
    return bool(found)


@pointwise
def clear_row(first: Array, second: Array, marks: Marks, row: int, runs: Whole, columns: Whole) -> None:
    """Zero in both arrays in the cells of the runs of a row that are not marked."""
    for run in range(runs[row], runs[row + 1]):
        start, stop = columns[run, 0], columns[run, 1]
        if not all_marked(marks[row, start:stop]):
            for j in range(start, stop):
                if not marks[row, j]:
                    first[row, j], second[row, j] = 0.0, 0.0


@threaded
def clear_rows(first: Array, second: Array, marks: Marks, runs: Whole, columns: Whole) -> None:
    """The same in all rows."""
    for row in numba.prange(marks.shape[0]):
        clear_row(first, second, marks, row, runs, columns)


@serial
def clear(first: Array, second: Array, marks: Marks, runs: Whole, columns: Whole) -> None:
    """The same, in threads where that is worth it."""
    if marks.size > FEW:
        clear_rows(first, second, marks, runs, columns)
    else:
        for row in range(marks.shape[0]):
            clear_row(first, second, marks, row, runs, columns)


@serial
def hand_over(values: Array, marks: Marks, runs: Whole, columns: Whole) -> tuple[float, bool]:
    """Move what is in the cells of the runs that are not marked to the nearest marked cell of the row, or of the nearest row that has one;
    returns how much that was, and whether some of it has come to a cell outside of the runs. One cell at least is marked.
    """
    rows = values.shape[0]
    some = np.empty(rows, dtype=np.bool_)  # whether a row has a marked cell
    for row in range(rows):
        some[row] = any_marked(marks[row])
    moved, outside = 0.0, False
    for row in range(rows):
        for run in range(runs[row], runs[row + 1]):
            start, stop = columns[run, 0], columns[run, 1]
            if not all_marked(marks[row, start:stop]):
                for j in range(start, stop):
                    if not marks[row, j]:
                        value = values[row, j]
                        values[row, j] = 0.0
                        if value > 0.0:
                            moved += value
                            to, at = nearest(marks, some, row, j)
                            values[to, at] += value
                            outside |= not is_active(to, at, runs, columns)
    return moved, outside


@serial
def highest(values: Array, runs: Whole, columns: Whole) -> float:
    """The largest value ≥ 0 in the runs."""
    found = np.zeros(values.shape[1])
    for row in range(values.shape[0]):
        for run in range(runs[row], runs[row + 1]):
            start, stop = columns[run, 0], columns[run, 1]
            note_highest(found[start:stop], values[row, start:stop])
    return float(extreme(found, 1.0))


@serial
def follow(
    marks: Marks, other: Marks, values: Array, share: float, kept: int, reach: int, runs: Whole, columns: Whole, cells: Whole,
    strides: Whole, periodic: Truth,
) -> tuple[Whole, Whole, float]:  # fmt: skip
    """Hand over what is not within `kept` cells of one with more than a share of the largest value; the runs of cells within `reach` of one
    that has mass then, which are marked, and what was handed over. The runs are those that are active.
    """
    threshold = share * highest(values, runs, columns)
    mark_near(marks, other, values, threshold, kept, runs, columns, cells, strides, periodic)
    moved, outside = hand_over(values, marks, runs, columns)
    if outside:
        runs, columns = runs_of(marks)
    mark_near(marks, other, values, 0.0, reach, runs, columns, cells, strides, periodic)
    runs, columns = runs_of(marks)
    return runs, columns, moved


@serial
def give_up(values: Array, marks: Marks, runs: Whole, columns: Whole) -> tuple[Whole, Array]:
    """Empty the cells of the runs that are not marked; where there was something, the cells (k, 2) by row and column, and what, (k,)."""
    count = 0
    for row in range(values.shape[0]):
        for run in range(runs[row], runs[row + 1]):
            start, stop = columns[run, 0], columns[run, 1]
            if not all_marked(marks[row, start:stop]):
                for j in range(start, stop):
                    count += not marks[row, j] and values[row, j] > 0.0
    cells, masses = np.empty((count, 2), dtype=np.int64), np.empty(count)
    found = 0
    for row in range(values.shape[0]):
        for run in range(runs[row], runs[row + 1]):
            start, stop = columns[run, 0], columns[run, 1]
            if not all_marked(marks[row, start:stop]):
                for j in range(start, stop):
                    if not marks[row, j]:
                        if values[row, j] > 0.0:
                            cells[found, 0], cells[found, 1], masses[found] = row, j, values[row, j]
                            found += 1
                        values[row, j] = 0.0
    return cells, masses


@serial
def fill_nearest(found: Whole, keys: Whole, marks: Marks, cells: Whole, first: int, last: int) -> None:
    """For each of the cells (k, 2) the marked column first … last − 1 in its row that is the nearest, that before it if two are, and a key
    that is the smaller, the nearer that is; the largest number where the row is −1, or has none.
    """
    for k in range(len(cells)):
        row, column = cells[k]
        keys[k], found[k] = np.iinfo(np.int64).max, -1
        if row >= 0:
            for j in range(first, last):
                key = 2 * (column - j) if j <= column else 2 * (j - column) + 1
                if marks[row, j] and key < keys[k]:
                    keys[k], found[k] = key, j


@compiled_once
def nearest(marks: Marks, some: Truth, row: int, column: int) -> tuple[int, int]:
    """A marked cell in the nearest row that has one, and there in the nearest column."""
    rows, m = marks.shape
    for away in range(rows):
        for other in (row - away, row + away):
            if 0 <= other < rows and some[other]:
                for aside in range(m):
                    if column - aside >= 0 and marks[other, column - aside]:
                        return other, column - aside
                    if column + aside < m and marks[other, column + aside]:
                        return other, column + aside
    return row, column
