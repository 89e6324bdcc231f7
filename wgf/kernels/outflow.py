"""Velocities through the faces of cells, and how fast mass leaves a cell: its outflow Σ_k (speeds that leave it along k)/h_k.

The potential, the axes and the active cells are those of transport.py.
"""

from __future__ import annotations

import numba
import numpy as np

from wgf.kernels.compiled import Array, Truth, Whole, compiled_once, pointwise, serial, threaded

FEW_OUTFLOWS = 2**13  # cells, whose outflows take less time than to wake another thread
NEARLY_NOTHING = 1e-200  # an outflow instead of zero, where it is divided by


@pointwise
def neighbour(position: int, shift: int, cells: int, periodic: bool) -> int:
    """The position `shift` cells away: wrapped on a periodic axis, clamped at a wall."""
    found = position + shift
    if 0 <= found < cells:
        return found
    return found % cells if periodic else min(max(found, 0), cells - 1)


@pointwise
def row_beside(row: int, shift: int, stride: int, cells: int, periodic: bool) -> int:
    """The row `shift` cells away along a leading axis, by its stride in rows."""
    position = (row // stride) % cells
    return row_at(row, position, shift, stride, cells, periodic)


@pointwise
def row_at(row: int, position: int, shift: int, stride: int, cells: int, periodic: bool) -> int:
    """The same where the position of the row along the axis is known: finding it takes two divisions."""
    return row + stride * (neighbour(position, shift, cells, periodic) - position)


@pointwise
def fill_descent(faces: Array, row: Array, periodic: bool, per_spacing: float) -> None:
    """−∂ of `row` at its m + 1 faces; zero at a wall."""
    m = row.size
    for j in range(m - 1):
        faces[j + 1] = (row[j] - row[j + 1]) * per_spacing
    faces[0] = (row[m - 1] - row[0]) * per_spacing if periodic else 0.0
    faces[m] = faces[0]


@pointwise
def fill_row_speed(
    speed: Array, low: int, slope: float, tilt: Array, climb: Array, offset: Array, per_spacing: float, open_low: bool, open_high: bool
) -> None:
    """Velocity −∂G through the faces of a run of cells from the column `low` on, where `tilt` and `climb` are −∂ of the multiplier and of
    `along` at all faces of the row; zero at an end that is not open.
    """
    cells = speed.size - 1
    tilts, climbs = tilt[low : low + cells + 1], climb[low : low + cells + 1]
    if offset.size > 1:
        within, offsets = speed[1:cells], offset[low : low + cells]
        for k in range(cells - 1):
            within[k] = (slope * tilts[k + 1] + climbs[k + 1]) + (offsets[k] - offsets[k + 1]) * per_spacing
        for k in (0, cells):
            upper = (low + k) % offset.size
            speed[k] = (slope * tilts[k] + climbs[k]) + (offset[upper - 1] - offset[upper]) * per_spacing
    else:
        for k in range(cells + 1):
            speed[k] = slope * tilts[k] + climbs[k]
    if not open_low:
        speed[0] = 0.0
    if not open_high:
        speed[cells] = 0.0


@pointwise
def fill_speed(speed: Array, lower: int, upper: int, slope: Array, multiplier: Array, offset: Array, low: int, per_spacing: float) -> None:
    """Velocities through the faces between two rows, from the column `low` on: −(G[upper] − G[lower])/h."""
    tilt, factors = (slope[lower] - slope[upper]) * per_spacing, multiplier[low : low + speed.size]
    if offset.shape[1] == 1:
        lift = (offset[lower, 0] - offset[upper, 0]) * per_spacing
        for j in range(speed.size):
            speed[j] = tilt * factors[j] + lift
    else:
        under, over = offset[lower, low : low + speed.size], offset[upper, low : low + speed.size]
        for j in range(speed.size):
            speed[j] = tilt * factors[j] + (under[j] - over[j]) * per_spacing


@pointwise
def close_gaps(faces: Array, low: int, row: int, runs: Whole, columns: Whole) -> None:
    """Zero at the columns low … low + faces.size − 1 where the cells of `row` are not active."""
    at, stop = low, low + faces.size
    for run in range(runs[row], runs[row + 1]):
        if columns[run, 0] > at:
            faces[at - low : max(at, min(columns[run, 0], stop)) - low] = 0.0
        at = max(at, columns[run, 1])
        if at >= stop:
            return
    faces[at - low :] = 0.0


@pointwise
def leaving(lower: float, upper: float, per_spacing: float) -> float:
    """The part of the outflow through two opposite faces, by the speeds there."""
    return (max(upper, 0.0) - min(lower, 0.0)) * per_spacing


@pointwise
def start_outflow(
    outflow: Array, low: int, slope: float, tilt: Array, climb: Array, offset: Array, per_spacing: float, periodic: bool, speed: Array
) -> None:
    """Begin the outflow of the cells of a run from the column `low` on with the faces along the row; `speed` is scratch."""
    cells = outflow.size
    if offset.size == 1:
        tilts, climbs = tilt[low : low + cells + 1], climb[low : low + cells + 1]
        for j in range(cells):
            lower, upper = slope * tilts[j] + climbs[j], slope * tilts[j + 1] + climbs[j + 1]
            outflow[j] = leaving(lower, upper, per_spacing)
    else:
        open_low, open_high = periodic or low > 0, periodic or low + cells < offset.size
        fill_row_speed(speed, low, slope, tilt, climb, offset, per_spacing, open_low, open_high)
        for j in range(cells):
            outflow[j] = leaving(speed[j], speed[j + 1], per_spacing)


@pointwise
def add_outflow(
    outflow: Array, below: int, row: int, above: int, slope: Array, multiplier: Array, offset: Array, low: int, per_spacing: float
) -> None:
    """Add the faces between the rows below, here and above."""
    tilt_low, tilt_high = (slope[below] - slope[row]) * per_spacing, (slope[row] - slope[above]) * per_spacing
    stop = low + outflow.size
    factors = multiplier[low:stop]
    if offset.shape[1] == 1:
        lift_low, lift_high = (offset[below, 0] - offset[row, 0]) * per_spacing, (offset[row, 0] - offset[above, 0]) * per_spacing
        for j in range(outflow.size):
            lower, upper = tilt_low * factors[j] + lift_low, tilt_high * factors[j] + lift_high
            outflow[j] += leaving(lower, upper, per_spacing)
    else:
        under, here, over = offset[below, low:stop], offset[row, low:stop], offset[above, low:stop]
        for j in range(outflow.size):
            lower = tilt_low * factors[j] + (under[j] - here[j]) * per_spacing
            upper = tilt_high * factors[j] + (here[j] - over[j]) * per_spacing
            outflow[j] += leaving(lower, upper, per_spacing)


@pointwise
def finish_outflow(waits: Array, fastest: Array, outflow: Array) -> None:
    """1/outflow of the cells, and the maximum of the outflow with `fastest` (0.0: see note_lowest in transport.py)."""
    for j in range(outflow.size):
        waits[j] = 1.0 / (outflow[j] + NEARLY_NOTHING)
        fastest[j] = max(fastest[j], outflow[j]) + 0.0


@pointwise
def note_highest(fastest: Array, outflow: Array) -> None:
    """The maximum of the outflow with `fastest`, without the rest of `finish_outflow`."""
    for j in range(outflow.size):
        fastest[j] = max(fastest[j], outflow[j]) + 0.0


@pointwise
def extreme(values: Array, sign: float) -> float:
    """The largest value, or with sign −1 the smallest one; NaN where one is NaN."""
    found = sign * float(values[0])
    for j in range(1, values.size):
        value = sign * values[j]
        found = value if not value <= found and not np.isnan(found) else found
    return sign * found


@pointwise
def fill_outflow(
    outflow: Array, row: int, low: int, slope: Array, multiplier: Array, offset: Array, tilt: Array, climb: Array, cells: Whole,
    strides: Whole, periodic: Truth, per_spacing: Array, speed: Array,
) -> None:  # fmt: skip
    """The outflow of cells of a row from the column `low` on; `tilt`, `climb` of fill_row_speed, `speed` is scratch. Faces that are closed
    towards cells which are not active count as open.
    """
    start_outflow(outflow, low, slope[row], tilt, climb, offset[row], per_spacing[-1], periodic[-1], speed[: outflow.size + 1])
    for axis in range(strides.size):
        stride, n, wrap = strides[axis], cells[axis], periodic[axis]
        below, above = row_beside(row, -1, stride, n, wrap), row_beside(row, 1, stride, n, wrap)
        add_outflow(outflow, below, row, above, slope, multiplier, offset, low, per_spacing[axis])


@compiled_once
def sweep_outflow(
    first: int, last: int, waits: Array, slope: Array, multiplier: Array, along: Array, offset: Array, runs: Whole, columns: Whole,
    cells: Whole, strides: Whole, periodic: Truth, per_spacing: Array, work: Array,
) -> float:  # fmt: skip
    """1/outflow of the cells of the runs in the rows first … last − 1, where `waits` has rows for it; returns their largest outflow."""
    m = multiplier.size
    tilt, climb, fastest = work[0, : m + 1], work[1, : m + 1], work[2, :m]
    fill_descent(tilt, multiplier, periodic[-1], per_spacing[-1])
    fill_descent(climb, along, periodic[-1], per_spacing[-1])
    fastest[:] = 0.0
    for row in range(first, last):
        for run in range(runs[row], runs[row + 1]):
            start, stop = columns[run, 0], columns[run, 1]
            outflow = work[3, : stop - start]
            fill_outflow(outflow, row, start, slope, multiplier, offset, tilt, climb, cells, strides, periodic, per_spacing, work[4])
            if len(waits):
                finish_outflow(waits[row, start:stop], fastest[start:stop], outflow)
            else:
                note_highest(fastest[start:stop], outflow)
    return extreme(fastest, 1.0)


@compiled_once
def highest_outflow(
    first: int, last: int, slope: Array, multiplier: Array, along: Array, offset: Array, runs: Whole, columns: Whole, cells: Whole,
    strides: Whole, periodic: Truth, per_spacing: Array, work: Array,
) -> float:  # fmt: skip
    """The largest outflow of the active cells of the rows first … last − 1, in the factored form with G of second degree along a row.

    The speeds of a face are then linear along a row, so that the outflow, a sum of their positive parts, is convex: it is largest at an end
    of a run, or beside it where a wall closes a face of the last cell.
    """
    m = multiplier.size
    tilt, climb, found, outflow = work[0, : m + 1], work[1, : m + 1], work[2, :4], work[3, :4]
    fill_descent(tilt, multiplier, periodic[-1], per_spacing[-1])
    fill_descent(climb, along, periodic[-1], per_spacing[-1])
    found[:] = 0.0
    for row in range(first, last):
        here = slope[row]
        for run in range(runs[row], runs[row + 1]):
            start, stop = columns[run, 0], columns[run, 1]
            low, high = min(start + 1, stop - 1), max(stop - 2, start)
            ends = (start, low, high, stop - 1)
            for place in range(4):
                j = ends[place]
                outflow[place] = leaving(here * tilt[j] + climb[j], here * tilt[j + 1] + climb[j + 1], per_spacing[-1])
            for axis in range(strides.size):
                stride, n, wrap, h = strides[axis], cells[axis], periodic[axis], per_spacing[axis]
                position = (row // stride) % n
                below, above = row_at(row, position, -1, stride, n, wrap), row_at(row, position, 1, stride, n, wrap)
                tilt_low, tilt_high = (slope[below] - here) * h, (here - slope[above]) * h
                lift_low, lift_high = (offset[below, 0] - offset[row, 0]) * h, (offset[row, 0] - offset[above, 0]) * h
                for place in range(4):
                    factor = multiplier[ends[place]]
                    outflow[place] += leaving(tilt_low * factor + lift_low, tilt_high * factor + lift_high, h)
            note_highest(found, outflow)
    return extreme(found, 1.0)


@compiled_once
def fill_block_of_waits(
    block: int, waits: Array, slope: Array, multiplier: Array, along: Array, offset: Array, blocks: Whole, runs: Whole, columns: Whole,
    cells: Whole, strides: Whole, periodic: Truth, per_spacing: Array, work: Array, readings: Array,
) -> None:  # fmt: skip
    """`fill_waits` of the rows of one block."""
    if len(waits) == 0 and offset.shape[1] == 1:
        readings[block, 1] = highest_outflow(
            blocks[block], blocks[block + 1], slope, multiplier, along, offset, runs, columns, cells, strides, periodic, per_spacing,
            work[block],
        )  # fmt: skip
    else:
        readings[block, 1] = sweep_outflow(
            blocks[block], blocks[block + 1], waits, slope, multiplier, along, offset, runs, columns, cells, strides, periodic, per_spacing,
            work[block],
        )  # fmt: skip


@threaded
def fill_many_waits(
    waits: Array, slope: Array, multiplier: Array, along: Array, offset: Array, blocks: Whole, runs: Whole, columns: Whole, cells: Whole,
    strides: Whole, periodic: Truth, per_spacing: Array, work: Array, readings: Array,
) -> None:  # fmt: skip
    """`fill_waits` in threads."""
    for block in numba.prange(blocks.size - 1):
        fill_block_of_waits(
            block, waits, slope, multiplier, along, offset, blocks, runs, columns, cells, strides, periodic, per_spacing, work, readings
        )


@serial
def fill_waits(
    waits: Array, slope: Array, multiplier: Array, along: Array, offset: Array, blocks: Whole, runs: Whole, columns: Whole, cells: Whole,
    strides: Whole, periodic: Truth, per_spacing: Array, work: Array, readings: Array,
) -> None:  # fmt: skip
    """1/outflow of each cell of the runs into `waits` (rows, columns), for `stage`, whose arguments have the same names, unless it has no
    rows; readings[:, 1] becomes the largest outflow of each block.
    """
    if slope.size * multiplier.size > FEW_OUTFLOWS:
        fill_many_waits(
            waits, slope, multiplier, along, offset, blocks, runs, columns, cells, strides, periodic, per_spacing, work, readings
        )  # fmt: skip
    else:
        for block in range(blocks.size - 1):
            fill_block_of_waits(
                block, waits, slope, multiplier, along, offset, blocks, runs, columns, cells, strides, periodic, per_spacing, work, readings
            )
