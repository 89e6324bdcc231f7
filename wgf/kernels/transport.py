"""One explicit stage of ∂_t μ = div(μ ∇G) on a box of cells: limited upwind fluxes, in any dimension, in one sweep.

Layout. The cells are seen as `rows × columns`: the last axis of the layout runs along a row, all other ("leading") axes
are flattened into the row number. The potential is read in the factored form

    G[f, j] = slope[f] · multiplier[j] + along[j] + offset[f, j or 0],

which costs no memory where the output weight c is the last axis (slope = H(a, b), multiplier = c), and is the plain
array `offset` where it is not.

Scheme. Face velocity v = −(G_{i+1} − G_i)/h (outflow.py), face values from the upwind side (reconstruction.py); the missing neighbour at a
closed wall is the cell itself, so that the speed and the slope vanish there. With values of higher order the flux has the terms by which
the mean of a product differs from the product of means (product.py). A cell of average u has the outflow Σ (speeds that leave it)/h, and
loses dt·Σ (speeds that leave it)·(face value)/h in a stage. Limited slopes give face values of at most 2u, so that no cell turns negative
while dt·outflow ≤ ½. Those of higher order are cut at u·pace/outflow, so that none does while dt·pace ≤ 1; the outflow is worked out before
the fluxes, as both sides of a face need it.

Cells that are active. Each row has runs of columns, and only these are looked at: all other cells are exactly zero, in every array, and
the faces between them and a run are closed (active.py finds the runs). Those that are advanced, the cells that are swept, may be a part of
them, the active ones of a box: the others are then ghosts, whose values somebody else advances, and faces towards them are open.

Every row is computed from its neighbours (gathered, never scattered). Along a leading axis the flux through the upper
face is kept for the row above in a ring buffer, so that each face is computed once (twice, with the same result, at the
seams of the blocks and of the periodic axes), and so are corners (product.py), where they serve the faces along the row, too. The rows are
cut into blocks; sums are taken block by block in a fixed order, so that the result does not depend on the number of threads.

Speed. The time goes into short loops over the cells of a run, which LLVM must vectorise. Hence each of them touches few arrays (every
pair that may overlap is checked at run time) from their first element on (an index that might be negative counts from the end in Numba,
which is checked at run time, too), only sums may be reassociated, and a running minimum or maximum is kept for every column (see
`note_lowest`).
"""

from __future__ import annotations

import numba
import numpy as np

from wgf.kernels.active import is_active
from wgf.kernels.aligned import NUMBERS
from wgf.kernels.compiled import Array, Truth, Whole, compiled_once, pointwise, serial, summing, threaded
from wgf.kernels.outflow import close_gaps, extreme, fill_descent, fill_row_speed, fill_speed, fill_waits, neighbour, row_at
from wgf.kernels.product import add_across_rows, fill_corners, fill_factored_row_products, fill_products
from wgf.kernels.reconstruction import fill_limited_fluxes, fill_sharp_fluxes, is_sharp
from wgf.kernels.sums import three_sums

BUFFERS = 11  # rows of scratch a block needs besides its rings
BELOW_ONE = 1.0 - 1e-14  # of what a cell has that it may give in a stage, so that rounding cannot make it negative
NEXT_TO_NOTHING = 1e-290  # an average: numbers that are much smaller have fewer digits
LOOSER = 2.0  # the cut of values of higher order in short stages, than in the longest
GHOSTS = 4  # cells that a face value takes from beyond each end of a row
PADDING = 2 * GHOSTS


def row_of_scratch(columns: int) -> int:
    """The numbers in a row of scratch for rows of so many columns, and one face more, in whole lines."""
    return (columns // NUMBERS + 1) * NUMBERS + PADDING


def rows_of_scratch(strides: Whole, corners: bool) -> int:
    """Of a block, with rings of fluxes, one for each leading axis, and of corners (product.py) where G is not factored."""
    return BUFFERS + (2 if corners else 1) * int(strides.sum())


@pointwise
def whole_lines(count: int) -> int:
    """So many numbers or more, in whole lines of the caches, which are whole vectors."""
    return -(-count // NUMBERS) * NUMBERS


@pointwise
def fill_padded(padded: Array, row: Array, low: int, high: int, ghosts: int, periodic: bool) -> None:
    """The cells low … high − 1 of a row, with `ghosts` cells on each side: its neighbours in the row, or beyond its ends."""
    cells = high - low
    inner, here = padded[ghosts : ghosts + cells], row[low:high]
    for j in range(cells):
        inner[j] = here[j]
    for ghost in range(1, ghosts + 1):
        padded[ghosts - ghost] = row[neighbour(low, -ghost, row.size, periodic)]
        padded[ghosts + cells - 1 + ghost] = row[neighbour(high - 1, ghost, row.size, periodic)]


@pointwise
def note_lowest(lowest: Array, values: Array) -> None:
    """The minimum of the values with `lowest`.

    A minimum over the row is not vectorised, as with a NaN it depends on the order; one for every column is. The sum with
    0.0 keeps LLVM from making it a masked store, which is several times slower on AMD.
    """
    for j in range(values.size):
        lowest[j] = min(lowest[j], values[j]) + 0.0


@pointwise
def start_balance(rate: Array, through: Array, leaving: Array, per_spacing: float) -> None:
    """Begin the balance of the cells with the faces of a leading axis; hand the upper flux on to the row above."""
    for j in range(rate.size):
        rate[j] = (through[j] - leaving[j]) * per_spacing
        through[j] = leaving[j]


@pointwise
def add_balance(rate: Array, through: Array, leaving: Array, per_spacing: float) -> None:
    """The same of another axis."""
    for j in range(rate.size):
        rate[j] += (through[j] - leaving[j]) * per_spacing
        through[j] = leaving[j]


@pointwise
def keep(through: Array, flux: Array) -> None:
    """A copy (a slice would count references)."""
    for j in range(flux.size):
        through[j] = flux[j]


@summing
def product(flux: Array, speed: Array) -> float:
    """Σ flux·speed."""
    total = 0.0
    for j in range(flux.size):
        total += flux[j] * speed[j]
    return total


@pointwise
def blended(old: float, value: float, rate: float, dt: float, weight: float) -> float:
    """The new value of a cell. Apart, as the order of its operations must stay: a weight of one leaves no trace of `old`."""
    return (1.0 - weight) * old + weight * (value + dt * rate)


@pointwise
def update(new: Array, old: Array, here: Array, rate: Array, flux: Array, per_spacing: float, dt: float, weight: float) -> None:
    """The new values of a run, by the balance of its leading axes and the fluxes along its row. What is next to nothing has lost its
    digits, and its sign may be wrong: it is zero.
    """
    for j in range(new.size):
        value = blended(old[j], here[j], rate[j] + (flux[j] - flux[j + 1]) * per_spacing, dt, weight)
        new[j] = 0.0 if abs(value) < NEXT_TO_NOTHING else value


@pointwise
def ends(row: int, start: int, stop: int, m: int, runs: Whole, columns: Whole, periodic: bool) -> tuple[bool, bool]:
    """Whether the faces at both ends of a stretch of cells are open: where the cell beyond, perhaps across the seam, is active."""
    below, above = (start - 1 if start > 0 else m - 1), (stop if stop < m else 0)
    return (
        (periodic or start > 0) and is_active(row, below, runs, columns),
        (periodic or stop < m) and is_active(row, above, runs, columns),
    )


@pointwise
def holds(row: int, start: int, stop: int, runs: Whole, columns: Whole) -> bool:
    """Whether one of the runs of a row holds all these columns."""
    found = False
    for run in range(runs[row], runs[row + 1]):
        found |= columns[run, 0] <= start and stop <= columns[run, 1]
    return found


@pointwise
def fill_fluxes_between(
    fluxes: Array, speeds: Array, begin: int, corners: Array, lower: int, upper: int, axis: int, start: int, size: int, values: Array,
    waits: Array, slope: Array, multiplier: Array, offset: Array, cells: Whole, strides: Whole, periodic: Truth, per_spacing: Array,
    limiter: int, pace: float,
) -> None:  # fmt: skip
    """Fluxes, and speeds, through the faces between two rows, neighbours along a leading axis, in so many columns from `start` on.

    fluxes, speeds   those from the column `begin` on, in whole vectors: what the others among them become does not matter
    corners          of these faces, which are found with sharp limiters (product.py)
    """
    stride, n, wrap, stop = strides[axis], cells[axis], periodic[axis], begin + fluxes.size
    flux, speed = fluxes[start - begin : start - begin + size], speeds[start - begin : start - begin + size]
    position = (lower // stride) % n
    below, above = row_at(lower, position, -1, stride, n, wrap), row_at(lower, position, 2, stride, n, wrap)
    fill_speed(speed, lower, upper, slope, multiplier, offset, start, per_spacing[axis])
    if is_sharp(limiter):
        below2, above2 = row_at(lower, position, -2, stride, n, wrap), row_at(lower, position, 3, stride, n, wrap)
        below3, above3 = row_at(lower, position, -3, stride, n, wrap), row_at(lower, position, 4, stride, n, wrap)
        fill_products(
            flux, lower, upper, axis, start, speed, corners, values, slope, multiplier, offset, cells, strides, periodic, per_spacing[axis]
        )
        fill_sharp_fluxes(
            limiter, fluxes, values[below3, begin:stop], values[below2, begin:stop], values[below, begin:stop], values[lower, begin:stop],
            values[upper, begin:stop], values[above, begin:stop], values[above2, begin:stop], values[above3, begin:stop], speeds,
            waits[lower, begin:stop], waits[upper, begin:stop], pace,
        )  # fmt: skip
    else:
        fill_limited_fluxes(
            limiter, fluxes, values[below, begin:stop], values[lower, begin:stop], values[upper, begin:stop], values[above, begin:stop],
            speeds,
        )  # fmt: skip


@compiled_once
def sweep(
    first: int, last: int, values: Array, base: Array, out: Array, waits: Array, slope: Array, multiplier: Array, along: Array,
    offset: Array, swept: Whole, stretches: Whole, bottom: Whole, runs: Whole, columns: Whole, cells: Whole, strides: Whole,
    periodic: Truth, per_spacing: Array, limiter: int, pace: float, dt: float, weight: float, measured: bool, work: Array, sums: Array,
) -> tuple[float, float]:  # fmt: skip
    """Advance the swept cells of the rows first … last − 1; Σ_faces flux·speed, of the faces along their rows and above them, and the
    smallest value, if they are `measured`.
    """
    m = values.shape[1]
    tilt, climb, lowest = work[0, : m + 1], work[1, : m + 1], work[2, :m]
    fill_descent(tilt, multiplier, periodic[-1], per_spacing[-1])
    fill_descent(climb, along, periodic[-1], per_spacing[-1])
    sharp, rings = is_sharp(limiter), strides.sum()
    cornered = sharp and offset.shape[1] > 1  # else there is no ring for corners
    lowest[:] = np.inf
    dissipated = 0.0
    for row in range(first, last):
        here = values[row]
        total, moment, lifted = 0.0, 0.0, 0.0
        for run in range(swept[row], swept[row + 1]):
            start, stop = stretches[run, 0], stretches[run, 1]
            size = stop - start
            row_speed, row_flux, corners = work[3, : size + 1], work[6, : size + 1], work[10, : size + 1]
            padded, padded_waits, rate = work[4], work[5], work[9, :size]
            # Fluxes are found in whole vectors, from a line of the caches on: what is left of a vector takes as long as several.
            faces, begin = whole_lines(size + 1), start - start % NUMBERS
            wide = min(whole_lines(stop - begin), m - begin)
            speed, flux = work[7, start - begin : stop - begin], work[8, start - begin : stop - begin]
            if measured:
                note_lowest(lowest[start:stop], here[start:stop])
            if sharp and not cornered:
                fill_factored_row_products(row_flux, row, start, values, slope, tilt, cells, strides, periodic, corners)
            else:
                row_flux[:] = 0.0
            if strides.size == 0:
                rate[:] = 0.0
            ring = BUFFERS
            for axis in range(strides.size):
                stride, n, wrap, h = strides[axis], cells[axis], periodic[axis], per_spacing[axis]
                position = (row // stride) % n
                below, above = row_at(row, position, -1, stride, n, wrap), row_at(row, position, 1, stride, n, wrap)
                through = work[ring + row % stride, start:stop]
                kept = work[ring + rings + row % stride, start : stop + 1] if cornered else corners
                ready = row - first >= stride and position != bottom[axis]  # the row below has left its fluxes and corners in the rings
                if ready and cornered and not holds(below, start, stop, swept, stretches):
                    fill_speed(speed, below, row, slope, multiplier, offset, start, h)
                    fill_corners(kept, below, row, start, speed, values, slope, multiplier, offset, h, periodic[-1])
                for side in range(1 if ready else 0, 2):
                    lower, upper = (row, above) if side else (below, row)
                    fill_fluxes_between(
                        work[8, :wide], work[7, :wide], begin, corners if side else kept, lower, upper, axis, start, size, values, waits,
                        slope, multiplier, offset, cells, strides, periodic, per_spacing, limiter, pace,
                    )  # fmt: skip
                    if side == 0:
                        keep(through, flux)
                if cornered:
                    add_across_rows(row_flux, corners, kept, per_spacing[-1] / h)
                close_gaps(through, start, below, runs, columns)
                close_gaps(flux, start, above, runs, columns)
                if axis == 0:
                    start_balance(rate, through, flux, h)
                else:
                    add_balance(rate, through, flux, h)
                if measured:
                    dissipated += product(flux, speed)
                ring += stride
            open_low, open_high = ends(row, start, stop, m, runs, columns, periodic[-1])
            fill_row_speed(row_speed, start, slope[row], tilt, climb, offset[row], per_spacing[-1], open_low, open_high)
            fill_padded(padded, here, start, stop, GHOSTS, periodic[-1])
            if sharp:
                fill_padded(padded_waits, waits[row], start, stop, 1, periodic[-1])
                fill_sharp_fluxes(
                    limiter, work[6, :faces], padded[:faces], padded[1 : faces + 1], padded[2 : faces + 2], padded[3 : faces + 3],
                    padded[4 : faces + 4], padded[5 : faces + 5], padded[6 : faces + 6], padded[7 : faces + 7], work[3, :faces],
                    padded_waits[:faces], padded_waits[1 : faces + 1], pace,
                )  # fmt: skip
            else:
                fill_limited_fluxes(
                    limiter, work[6, :faces], padded[2 : faces + 2], padded[3 : faces + 3], padded[4 : faces + 4], padded[5 : faces + 5],
                    work[3, :faces],
                )  # fmt: skip
            if measured:
                dissipated += product(row_flux[:size], row_speed[:size])
            update(out[row, start:stop], base[row, start:stop], here[start:stop], rate, row_flux, per_spacing[-1], dt, weight)
            part = three_sums(out[row, start:stop], multiplier[start:stop], along[start:stop])
            total, moment, lifted = total + part[0], moment + part[1], lifted + part[2]
        if swept[row] < swept[row + 1]:
            sums[0, row], sums[1, row], sums[2, row] = total, moment, lifted
    return dissipated, extreme(lowest, -1.0)


@threaded
def stage(
    values: Array, base: Array, out: Array, waits: Array, slope: Array, multiplier: Array, along: Array, offset: Array, blocks: Whole,
    swept: Whole, stretches: Whole, bottom: Whole, runs: Whole, columns: Whole, cells: Whole, strides: Whole, periodic: Truth,
    per_spacing: Array, limiter: int, pace: float, dt: float, weight: float, measured: bool, work: Array, sums: Array, readings: Array,
) -> None:  # fmt: skip
    """One stage: out = (1 − weight)·base + weight·(values + dt·rate(values)), and what the sweep knows for free.

    values, base, out    (rows, columns), `out` different from both; all three zero in the cells that are not active
    waits (rows, columns)  1/outflow of the swept cells and of those beside them, of `fill_waits`, for sharp limiters; else without rows
    pace                 of these: a face value is at most pace/outflow of the cell that gives; no cell turns negative while pace·dt < 1
    slope, multiplier, along, offset    the potential: (rows,), (columns,), (columns,), (rows, 1 or columns)
    blocks               the first row of each block, and the number of rows
    runs, columns        (rows + 1,), (runs, 2): the runs of row i are columns[runs[i] : runs[i + 1]], first column and that after the last;
                         between two of them lies at least one cell
    swept, stretches     the same of the cells that are advanced, the active ones in a box: parts of the runs
    bottom               the first cell of that box along each leading axis
    cells, strides       of the leading axes, stride counted in rows
    periodic, per_spacing  of all axes, the last one last; per_spacing = 1/h
    measured             whether readings[:, 0] and readings[:, 2] are wanted
    work                 (blocks, rows_of_scratch(strides, offset is full), row_of_scratch(columns)), scratch
    sums (3, rows)       of `out` along each row: Σ out, Σ multiplier·out, Σ along·out; left as they are where no cell is swept
    readings (blocks, 3) of `values`, per block: Σ_faces flux·speed, the largest outflow of a cell (by fill_waits), the smallest value
    """
    for block in numba.prange(blocks.size - 1):
        readings[block, 0], readings[block, 2] = sweep(
            blocks[block], blocks[block + 1], values, base, out, waits, slope, multiplier, along, offset, swept, stretches, bottom, runs,
            columns, cells, strides, periodic, per_spacing, limiter, pace, dt, weight, measured, work[block], sums,
        )  # fmt: skip


@serial
def pace_of(outflow: float, longest: float, dt: float) -> float:
    """The pace of a stage of length dt: 1/dt, or LOOSER times that of a stage with dt·outflow = `longest`, if this is less."""
    most = LOOSER * outflow / longest
    return BELOW_ONE * (1.0 / dt if dt * most > 1.0 else most)


@serial
def largest_outflow(
    waits: Array, slope: Array, multiplier: Array, along: Array, offset: Array, blocks: Whole, runs: Whole, columns: Whole, cells: Whole,
    strides: Whole, periodic: Truth, per_spacing: Array, stiffness: float, work: Array, readings: Array,
) -> float:  # fmt: skip
    """`fill_waits`, and the largest outflow of all cells of the runs, or `stiffness` if that is more."""
    fill_waits(
        waits, slope, multiplier, along, offset, blocks, runs, columns, cells, strides, periodic, per_spacing, work, readings
    )  # fmt: skip
    return float(max(extreme(readings[:, 1], 1.0), stiffness))


@serial
def fill_layers(
    layers: Array, values: Array, totals: Array, axes: Whole, cells: Whole, strides: Whole, periodic: Truth, volume: float
) -> None:
    """`volume` times Σ of the values in the outermost layer of cells at the lower and upper end of each axis of the grid, (p, 2).

    totals (rows,) are the sums of the rows, axes (p,) the numbers of the axes of the layout in the grid; periodic ones have no ends and get
    zero.
    """
    layers[:] = 0.0
    for axis in range(strides.size):
        if not periodic[axis]:
            for row in range(totals.size):
                position = (row // strides[axis]) % cells[axis]
                if position == 0:
                    layers[axes[axis], 0] += volume * totals[row]
                if position == cells[axis] - 1:
                    layers[axes[axis], 1] += volume * totals[row]
    if not periodic[-1]:
        for row in range(totals.size):
            layers[axes[-1], 0] += volume * values[row, 0]
            layers[axes[-1], 1] += volume * values[row, -1]
