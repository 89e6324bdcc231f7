"""One explicit stage of ∂_t μ = div(μ ∇G) on a box of cells: limited upwind fluxes, in any dimension, in one sweep.

Layout. The cells are seen as `rows × columns`: the last axis of the layout runs along a row, all other ("leading") axes
are flattened into the row number. The potential is read in the factored form

    G[f, j] = slope[f] · multiplier[j] + along[j] + offset[f, j or 0],

which costs no memory where the output weight c is the last axis (slope = H(a, b), multiplier = c), and is the plain
array `offset` where it is not.

Scheme. Face velocity v = −(G_{i+1} − G_i)/h; face value reconstructed from the upwind side, by a limited slope (UPWIND, MINMOD, VAN_LEER,
MC) or of fifth order (MP5); the missing neighbour at a closed wall is the cell itself, so that the speed and the slope vanish there. A
cell of value u has the outflow Σ (speeds that leave it)/h, and loses dt·Σ (speeds that leave it)·(face value)/h in a stage. A limited
slope gives face values of at most 2u, so that no cell turns negative while dt·outflow ≤ ½. Those of fifth order are cut at the cell's
share u/(dt·outflow), so that none does whatever dt is; shares are worked out before the fluxes, as both sides of a face need them.

Cells that are active. Each row has runs of columns, and only these are looked at: all other cells are exactly zero, in every array, and the
faces between them and a run are closed (active.py finds the runs).

Every row is computed from its neighbours (gathered, never scattered). Along a leading axis the flux through the upper
face is kept for the row above in a ring buffer, so that each face is computed once (twice, with the same result, at the
seams of the blocks and of the periodic axes). The rows are cut into blocks; sums are taken block by block in a fixed order, so that the
result does not depend on the number of threads.

Speed. The time goes into short loops over the cells of a row, which LLVM must vectorise. Hence the limiter is chosen
outside of them, each touches few arrays (every pair that may overlap is checked at run time), only sums may be
reassociated, and a running minimum or maximum is kept for every column (see `fill_values`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import numba
import numpy as np

from wgf.kernels.compiled import Array, Truth, Whole, compiled_once, pointwise, serial, summing, threaded

BUFFERS = 10  # rows of scratch a block needs besides its ring of fluxes
GHOSTS = 3  # cells that a face value takes from beyond each end of a row
PADDING = 2 * GHOSTS
BELOW_ONE = 1.0 - 1e-14  # of what a cell has that it may give, so that rounding cannot make it negative
NEARLY_NOTHING = 1e-300  # a rate instead of zero, where it is divided by


class Limiter(enum.IntEnum):
    """How the value on a face is found: by a slope that is bounded by the one-sided differences, or of fifth order in an interval."""

    UPWIND = 0
    MINMOD = 1
    VAN_LEER = 2
    MC = 3
    MP5 = 4


# Half the limited slope of a cell with one-sided differences `left` and `right`: zero where their signs differ, and never
# more than min(|left|, |right|), on which the positivity of the scheme rests.


@pointwise
def smaller(left: float, right: float) -> float:
    """The difference of smaller size, zero where the signs differ."""
    return max(0.0, min(left, right)) + min(0.0, max(left, right))


@pointwise
def half_zero(left: float, right: float) -> float:
    """No slope: the face value is the cell's."""
    return 0.0


@pointwise
def half_minmod(left: float, right: float) -> float:
    """Minmod: the slope is the smaller difference."""
    return 0.5 * smaller(left, right)


@pointwise
def half_van_leer(left: float, right: float) -> float:
    """Van Leer: the slope is the harmonic mean 2·left·right/(left + right), written so that rounding keeps the bound."""
    small, total = smaller(left, right), left + right
    return small * (1.0 - small / (total if total != 0.0 else 1.0))


@pointwise
def half_central(left: float, right: float) -> float:
    """MC (monotonised central): the slope is the central difference, at most twice the smaller one."""
    floor, ceiling = min(0.0, max(left, right)), max(0.0, min(left, right))
    return max(floor, min(ceiling, 0.25 * (left + right)))


@pointwise
def smallest(left: float, right: float) -> float:
    """The smallest in size of left, right, 4·left − right and 4·right − left, zero where their signs differ: minmod-4."""
    first, second = 4.0 * left - right, 4.0 * right - left
    return max(0.0, min(min(left, right), min(first, second))) + min(0.0, max(max(left, right), max(first, second)))


@pointwise
def fifth_order(far: float, behind: float, giver: float, ahead: float, beyond: float) -> float:
    """The value on the face between the averages `giver` and `ahead`, exact for polynomials of degree four, cut to an interval.

    The interval is that of Suresh & Huynh [Accurate monotonicity-preserving schemes, J. Comput. Phys. 136 (1997) 83, (2.12)–(2.20)]: from
    the giver to `ahead`, widened by a median of curvature, and from the giver to what its other neighbour allows at a smooth extremum.
    """
    value = (2.0 * far - 13.0 * behind + 47.0 * giver + 27.0 * ahead - 3.0 * beyond) * (1 / 60)
    before, here, after = far - 2.0 * behind + giver, behind - 2.0 * giver + ahead, giver - 2.0 * ahead + beyond
    median = 0.5 * (giver + ahead - smallest(here, after))
    upper = giver + 4.0 * (giver - behind)
    curved = giver + 0.5 * (giver - behind) + (4 / 3) * smallest(here, before)
    low = max(min(min(giver, ahead), median), min(min(giver, upper), curved))
    high = min(max(max(giver, ahead), median), max(max(giver, upper), curved))
    return max(low, min(high, value))


@pointwise
def fill_limited_fluxes(
    half_slope: Callable[[float, float], float], flux: Array, b: Array, c: Array, d: Array, e: Array, speed: Array
) -> None:
    """Fluxes through the faces between the cells c and d, with their outer neighbours b and e:  b  c | d  e.

    Seen from the cell that gives, the face lies between it and the cell `ahead`; only its slope is needed.
    """
    for j in range(flux.size):
        left, inner_left, inner_right, right = b[j], c[j], d[j], e[j]
        rightward = speed[j] > 0.0
        behind = left if rightward else right
        giver = inner_left if rightward else inner_right
        ahead = inner_right if rightward else inner_left
        flux[j] = speed[j] * (giver + half_slope(giver - behind, ahead - giver))


@pointwise
def fill_sharp_fluxes(
    flux: Array, a: Array, b: Array, c: Array, d: Array, e: Array, f: Array, speed: Array, left: Array, right: Array
) -> None:
    """The same of fifth order, with one more neighbour on each side, a  b  c | d  e  f, and the shares that c (`left`) and d (`right`)
    may give.
    """
    for j in range(flux.size):
        u, v, w, x, y, z = a[j], b[j], c[j], d[j], e[j], f[j]
        left_share, right_share = left[j], right[j]
        rightward = speed[j] > 0.0
        giver = w if rightward else x
        value = fifth_order(u if rightward else z, v if rightward else y, giver, x if rightward else w, y if rightward else v)
        flux[j] = speed[j] * min(max(value, 0.0), giver * (left_share if rightward else right_share))


@compiled_once
def fill_fluxes(
    limiter: int, flux: Array, a: Array, b: Array, c: Array, d: Array, e: Array, f: Array, speed: Array, left: Array, right: Array
) -> None:
    """Fluxes with the limiter chosen at run time, outside the loop: inside, all of them would be evaluated."""
    if limiter == Limiter.MP5:
        fill_sharp_fluxes(flux, a, b, c, d, e, f, speed, left, right)
    elif limiter == Limiter.MINMOD:
        fill_limited_fluxes(half_minmod, flux, b, c, d, e, speed)
    elif limiter == Limiter.VAN_LEER:
        fill_limited_fluxes(half_van_leer, flux, b, c, d, e, speed)
    elif limiter == Limiter.MC:
        fill_limited_fluxes(half_central, flux, b, c, d, e, speed)
    else:
        fill_limited_fluxes(half_zero, flux, b, c, d, e, speed)


@serial
def fill_upwind_values(limiter: int, from_below: Array, from_above: Array, lines: Array) -> None:
    """The values on the faces between cells along lines (n, k) as seen from either side, (n − 1, k) each; beyond the ends as at walls."""
    n = lines.shape[0]
    for face in range(n - 1):
        for k in range(lines.shape[1]):
            a, b, c = lines[max(face - 2, 0), k], lines[max(face - 1, 0), k], lines[face, k]
            d, e, f = lines[face + 1, k], lines[min(face + 2, n - 1), k], lines[min(face + 3, n - 1), k]
            from_below[face, k] = upwind_value(limiter, a, b, c, d, e)
            from_above[face, k] = upwind_value(limiter, f, e, d, c, b)


@pointwise
def upwind_value(limiter: int, far: float, behind: float, giver: float, ahead: float, beyond: float) -> float:
    """The value on the face between the averages `giver` and `ahead`, as it is before a share cuts it."""
    before, after = giver - behind, ahead - giver
    if limiter == Limiter.MP5:
        return max(fifth_order(far, behind, giver, ahead, beyond), 0.0)
    if limiter == Limiter.MINMOD:
        return giver + half_minmod(before, after)
    if limiter == Limiter.VAN_LEER:
        return giver + half_van_leer(before, after)
    if limiter == Limiter.MC:
        return giver + half_central(before, after)
    return giver


@pointwise
def neighbour(position: int, shift: int, cells: int, periodic: bool) -> int:
    """The position `shift` cells away: wrapped on a periodic axis, clamped at a wall."""
    return (position + shift) % cells if periodic else min(max(position + shift, 0), cells - 1)


@pointwise
def fill_padded(padded: Array, row: Array, low: int, high: int, ghosts: int, periodic: bool) -> None:
    """The cells low … high − 1 of a row, with `ghosts` cells on each side: its neighbours in the row, or beyond its ends."""
    cells = high - low
    for j in range(cells):
        padded[ghosts + j] = row[low + j]
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
    for k in range(cells + 1):
        speed[k] = slope * tilt[low + k] + climb[low + k]
    if offset.size > 1:
        for k in range(1, cells):
            speed[k] += (offset[low + k - 1] - offset[low + k]) * per_spacing
        for k in (0, cells):
            upper = (low + k) % offset.size
            speed[k] += (offset[upper - 1] - offset[upper]) * per_spacing
    if not open_low:
        speed[0] = 0.0
    if not open_high:
        speed[cells] = 0.0


@pointwise
def fill_speed(speed: Array, lower: int, upper: int, slope: Array, multiplier: Array, offset: Array, low: int, per_spacing: float) -> None:
    """Velocities through the faces between two rows, from the column `low` on: −(G[upper] − G[lower])/h."""
    tilt, under, over = (slope[lower] - slope[upper]) * per_spacing, offset[lower], offset[upper]
    if under.size == 1:
        lift = (under[0] - over[0]) * per_spacing
        for j in range(speed.size):
            speed[j] = tilt * multiplier[low + j] + lift
    else:
        for j in range(speed.size):
            speed[j] = tilt * multiplier[low + j] + (under[low + j] - over[low + j]) * per_spacing


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
def start_outflow(
    outflow: Array, low: int, slope: float, tilt: Array, climb: Array, offset: Array, per_spacing: float, periodic: bool, speed: Array
) -> None:
    """Begin the outflow of the cells of a run from the column `low` on with the faces along the row; `speed` is scratch."""
    cells = outflow.size
    if offset.size == 1:
        for j in range(cells):
            lower, upper = slope * tilt[low + j] + climb[low + j], slope * tilt[low + j + 1] + climb[low + j + 1]
            outflow[j] = (max(upper, 0.0) - min(lower, 0.0)) * per_spacing
    else:
        open_low, open_high = periodic or low > 0, periodic or low + cells < offset.size
        fill_row_speed(speed, low, slope, tilt, climb, offset, per_spacing, open_low, open_high)
        for j in range(cells):
            outflow[j] = (max(speed[j + 1], 0.0) - min(speed[j], 0.0)) * per_spacing


@pointwise
def add_outflow(
    outflow: Array, below: int, row: int, above: int, slope: Array, multiplier: Array, offset: Array, low: int, per_spacing: float
) -> None:
    """Add the faces between the rows below, here and above."""
    tilt_low, tilt_high = (slope[below] - slope[row]) * per_spacing, (slope[row] - slope[above]) * per_spacing
    under, here, over = offset[below], offset[row], offset[above]
    if here.size == 1:
        lift_low, lift_high = (under[0] - here[0]) * per_spacing, (here[0] - over[0]) * per_spacing
        for j in range(outflow.size):
            lower, upper = tilt_low * multiplier[low + j] + lift_low, tilt_high * multiplier[low + j] + lift_high
            outflow[j] += (max(upper, 0.0) - min(lower, 0.0)) * per_spacing
    else:
        for j in range(outflow.size):
            lower = tilt_low * multiplier[low + j] + (under[low + j] - here[low + j]) * per_spacing
            upper = tilt_high * multiplier[low + j] + (here[low + j] - over[low + j]) * per_spacing
            outflow[j] += (max(upper, 0.0) - min(lower, 0.0)) * per_spacing


@pointwise
def finish_outflow(shares: Array, fastest: Array, outflow: Array, dt: float) -> None:
    """The shares that the cells may give in a stage of `dt`, and the maximum of the outflow with `fastest` (0.0: see note_lowest)."""
    for j in range(outflow.size):
        shares[j] = BELOW_ONE / (dt * outflow[j] + NEARLY_NOTHING)
        fastest[j] = max(fastest[j], outflow[j]) + 0.0


@pointwise
def start_balance(rate: Array, flux: Array, per_spacing: float) -> None:
    """Begin the balance of the cells with the faces along the row."""
    for j in range(rate.size):
        rate[j] = (flux[j] - flux[j + 1]) * per_spacing


@pointwise
def add_balance(rate: Array, through: Array, leaving: Array, per_spacing: float) -> None:
    """Add the faces of a leading axis; hand the upper flux on to the row above."""
    for j in range(rate.size):
        rate[j] += (through[j] - leaving[j]) * per_spacing
        through[j] = leaving[j]


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


@summing
def update(
    new: Array, old: Array, here: Array, rate: Array, multiplier: Array, along: Array, dt: float, weight: float
) -> tuple[float, float, float]:
    """The new values of a run, and their three sums."""
    total, moment, lifted = 0.0, 0.0, 0.0
    for j in range(new.size):
        value = blended(old[j], here[j], rate[j], dt, weight)
        new[j] = value
        total += value
        moment += multiplier[j] * value
        lifted += along[j] * value
    return total, moment, lifted


@compiled_once
def sweep_outflow(
    first: int, last: int, shares: Array, slope: Array, multiplier: Array, along: Array, offset: Array, runs: Whole, columns: Whole,
    cells: Whole, strides: Whole, periodic: Truth, per_spacing: Array, dt: float, work: Array,
) -> float:  # fmt: skip
    """The shares of the active cells of the rows first … last − 1; returns their largest outflow. Faces that are closed towards cells which
    are not active count as open: a cell may then give a little less.
    """
    m = shares.shape[1]
    tilt, climb, fastest = work[0, : m + 1], work[1, : m + 1], work[2, :m]
    fill_descent(tilt, multiplier, periodic[-1], per_spacing[-1])
    fill_descent(climb, along, periodic[-1], per_spacing[-1])
    fastest[:] = 0.0
    for row in range(first, last):
        for run in range(runs[row], runs[row + 1]):
            start, stop = columns[run, 0], columns[run, 1]
            size = stop - start
            outflow = work[3, :size]
            start_outflow(outflow, start, slope[row], tilt, climb, offset[row], per_spacing[-1], periodic[-1], work[4, : size + 1])
            for axis in range(strides.size):
                stride, n, wrap = strides[axis], cells[axis], periodic[axis]
                position = (row // stride) % n
                origin = row - position * stride
                below, above = origin + stride * neighbour(position, -1, n, wrap), origin + stride * neighbour(position, 1, n, wrap)
                add_outflow(outflow, below, row, above, slope, multiplier, offset, start, per_spacing[axis])
            finish_outflow(shares[row, start:stop], fastest[start:stop], outflow, dt)
    return fastest.max()


@pointwise
def ends(row: int, start: int, stop: int, m: int, runs: Whole, columns: Whole, periodic: bool) -> tuple[bool, bool]:
    """Whether the faces at both ends of a run are open: at the seam of a periodic row, where the cell beyond is active, too."""
    return (
        periodic and start == 0 and columns[runs[row + 1] - 1, 1] == m,
        periodic and stop == m and columns[runs[row], 0] == 0,
    )


@compiled_once
def sweep(
    first: int, last: int, values: Array, base: Array, out: Array, shares: Array, slope: Array, multiplier: Array, along: Array,
    offset: Array, runs: Whole, columns: Whole, cells: Whole, strides: Whole, periodic: Truth, per_spacing: Array, limiter: int, dt: float,
    weight: float, measured: bool, work: Array, sums: Array,
) -> tuple[float, float]:  # fmt: skip
    """Advance the active cells of the rows first … last − 1; returns Σ_faces flux·speed and the smallest value, if they are `measured`."""
    m = values.shape[1]
    tilt, climb, lowest = work[0, : m + 1], work[1, : m + 1], work[2, :m]
    fill_descent(tilt, multiplier, periodic[-1], per_spacing[-1])
    fill_descent(climb, along, periodic[-1], per_spacing[-1])
    lowest[:] = np.inf
    dissipated = 0.0
    for row in range(first, last):
        here = values[row]
        total, moment, lifted = 0.0, 0.0, 0.0
        for run in range(runs[row], runs[row + 1]):
            start, stop = columns[run, 0], columns[run, 1]
            size = stop - start
            row_speed, padded, padded_shares = work[3, : size + 1], work[4], work[5]
            row_flux, speed, flux, rate = work[6, : size + 1], work[7, :size], work[8, :size], work[9, :size]
            fill_padded(padded, here, start, stop, GHOSTS, periodic[-1])
            fill_padded(padded_shares, shares[row], start, stop, 1, periodic[-1])
            if measured:
                note_lowest(lowest[start:stop], here[start:stop])
            open_low, open_high = ends(row, start, stop, m, runs, columns, periodic[-1])
            fill_row_speed(row_speed, start, slope[row], tilt, climb, offset[row], per_spacing[-1], open_low, open_high)
            fill_fluxes(
                limiter, row_flux, padded[: size + 1], padded[1 : size + 2], padded[2 : size + 3], padded[3 : size + 4],
                padded[4 : size + 5], padded[5 : size + 6], row_speed, padded_shares[: size + 1], padded_shares[1 : size + 2],
            )  # fmt: skip
            start_balance(rate, row_flux, per_spacing[-1])
            if measured:
                dissipated += product(row_flux[:size], row_speed[:size])
            ring = BUFFERS
            for axis in range(strides.size):
                stride, n, wrap, h = strides[axis], cells[axis], periodic[axis], per_spacing[axis]
                position = (row // stride) % n
                origin = row - position * stride
                below3, below2, below = (
                    origin + stride * neighbour(position, -3, n, wrap),
                    origin + stride * neighbour(position, -2, n, wrap),
                    origin + stride * neighbour(position, -1, n, wrap),
                )
                above, above2, above3 = (
                    origin + stride * neighbour(position, 1, n, wrap),
                    origin + stride * neighbour(position, 2, n, wrap),
                    origin + stride * neighbour(position, 3, n, wrap),
                )
                through = work[ring + row % stride, start:stop]
                if row - first < stride or position == 0:  # the row below has left nothing in the ring
                    fill_speed(speed, below, row, slope, multiplier, offset, start, h)
                    fill_fluxes(
                        limiter, through, values[below3, start:stop], values[below2, start:stop], values[below, start:stop],
                        here[start:stop], values[above, start:stop], values[above2, start:stop], speed, shares[below, start:stop],
                        shares[row, start:stop],
                    )  # fmt: skip
                close_gaps(through, start, below, runs, columns)
                fill_speed(speed, row, above, slope, multiplier, offset, start, h)
                close_gaps(speed, start, above, runs, columns)
                fill_fluxes(
                    limiter, flux, values[below2, start:stop], values[below, start:stop], here[start:stop], values[above, start:stop],
                    values[above2, start:stop], values[above3, start:stop], speed, shares[row, start:stop], shares[above, start:stop],
                )  # fmt: skip
                add_balance(rate, through, flux, h)
                if measured:
                    dissipated += product(flux, speed)
                ring += stride
            part = update(
                out[row, start:stop], base[row, start:stop], here[start:stop], rate, multiplier[start:stop], along[start:stop], dt, weight
            )
            total, moment, lifted = total + part[0], moment + part[1], lifted + part[2]
        sums[0, row], sums[1, row], sums[2, row] = total, moment, lifted
    return dissipated, lowest.min()


@threaded
def fill_shares(
    shares: Array, slope: Array, multiplier: Array, along: Array, offset: Array, blocks: Whole, runs: Whole, columns: Whole, cells: Whole,
    strides: Whole, periodic: Truth, per_spacing: Array, dt: float, work: Array, readings: Array,
) -> None:  # fmt: skip
    """The share of its mass that each active cell may give in a stage of `dt`, 1/(dt·outflow), for `stage`, whose arguments have the same
    names; readings[:, 1] becomes the largest outflow of each block.
    """
    for block in numba.prange(blocks.size - 1):
        readings[block, 1] = sweep_outflow(
            blocks[block], blocks[block + 1], shares, slope, multiplier, along, offset, runs, columns, cells, strides, periodic,
            per_spacing, dt, work[block],
        )  # fmt: skip


@threaded
def stage(
    values: Array, base: Array, out: Array, shares: Array, slope: Array, multiplier: Array, along: Array, offset: Array, blocks: Whole,
    runs: Whole, columns: Whole, cells: Whole, strides: Whole, periodic: Truth, per_spacing: Array, limiter: int, dt: float, weight: float,
    measured: bool, work: Array, sums: Array, readings: Array,
) -> None:  # fmt: skip
    """One stage: out = (1 − weight)·base + weight·(values + dt·rate(values)), and what the sweep knows for free.

    values, base, out    (rows, columns), `out` different from both; all three zero in the cells that are not active
    shares (rows, columns)  of `fill_shares`, for the same dt
    slope, multiplier, along, offset    the potential: (rows,), (columns,), (columns,), (rows, 1 or columns)
    blocks               the first row of each block, and the number of rows
    runs, columns        (rows + 1,), (runs, 2): the runs of row i are columns[runs[i] : runs[i + 1]], first column and that after the last;
                         between two of them lies at least one cell
    cells, strides       of the leading axes, stride counted in rows
    periodic, per_spacing  of all axes, the last one last; per_spacing = 1/h
    measured             whether readings[:, 0] and readings[:, 2] are wanted
    work                 (blocks, BUFFERS + strides.sum(), columns + PADDING), scratch
    sums (3, rows)       of `out` along each row: Σ out, Σ multiplier·out, Σ along·out
    readings (blocks, 3) of `values`, per block: Σ_faces flux·speed, the largest outflow of a cell (by fill_shares), the smallest value
    """
    for block in numba.prange(blocks.size - 1):
        readings[block, 0], readings[block, 2] = sweep(
            blocks[block], blocks[block + 1], values, base, out, shares, slope, multiplier, along, offset, runs, columns, cells, strides,
            periodic, per_spacing, limiter, dt, weight, measured, work[block], sums,
        )  # fmt: skip


@serial
def fill_layers(layers: Array, values: Array, totals: Array, cells: Whole, strides: Whole, periodic: Truth) -> None:
    """Σ of the values in the outermost layer of cells at the lower and upper end of each axis of the layout, (p, 2).

    totals (rows,) are the sums of the rows; periodic axes have no ends and get zero.
    """
    layers[:] = 0.0
    for axis in range(strides.size):
        if not periodic[axis]:
            for row in range(totals.size):
                position = (row // strides[axis]) % cells[axis]
                if position == 0:
                    layers[axis, 0] += totals[row]
                if position == cells[axis] - 1:
                    layers[axis, 1] += totals[row]
    if not periodic[-1]:
        for row in range(totals.size):
            layers[-1, 0] += values[row, 0]
            layers[-1, 1] += values[row, -1]
