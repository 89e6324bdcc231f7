"""One explicit stage of ∂_t μ = div(μ ∇G) on a box of cells: limited upwind fluxes, in any dimension, in one sweep.

Layout. The cells are seen as `rows × columns`: the last axis of the layout runs along a row, all other ("leading") axes
are flattened into the row number. The potential is read in the factored form

    G[f, j] = slope[f] · multiplier[j] + along[j] + offset[f, j or 0],

which costs no memory where the output weight c is the last axis (slope = H(a, b), multiplier = c), and is the plain
array `offset` where it is not.

Scheme. Face velocity v = −(G_{i+1} − G_i)/h; face value by linear reconstruction with a limited slope, from the upwind
side; the missing neighbour at a closed wall is the cell itself, so that the speed and the slope vanish there.

Every row is computed from its neighbours (gathered, never scattered). Along a leading axis the flux through the upper
face is kept for the row above in a ring buffer, so that each face is computed once (twice, with the same result, at the
seams of the blocks and of the periodic axes). The rows are cut into as many blocks as `work` has; sums are taken block
by block in a fixed order, so that the result does not depend on the number of threads.

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

BUFFERS = 11  # rows of scratch a block needs besides its ring of fluxes
PADDING = 4  # ghost cells of a row, two on each side


class Limiter(enum.IntEnum):
    """How the slope in a cell is bounded by its one-sided differences."""

    UPWIND = 0
    MINMOD = 1
    VAN_LEER = 2
    MC = 3


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
def fill_upwind_fluxes(
    half_slope: Callable[[float, float], float], flux: Array, a: Array, b: Array, c: Array, d: Array, speed: Array
) -> None:
    """Fluxes through the faces between the cells b and c, with their outer neighbours a and d:  a  b | c  d.

    Seen from the cell that gives, the face lies between it and the cell `ahead`; only its slope is needed.
    """
    for j in range(flux.size):
        left, inner_left, inner_right, right = a[j], b[j], c[j], d[j]
        rightward = speed[j] > 0.0
        behind = left if rightward else right
        giver = inner_left if rightward else inner_right
        ahead = inner_right if rightward else inner_left
        flux[j] = speed[j] * (giver + half_slope(giver - behind, ahead - giver))


@compiled_once
def fill_fluxes(limiter: int, flux: Array, a: Array, b: Array, c: Array, d: Array, speed: Array) -> None:
    """`fill_upwind_fluxes` with the limiter chosen at run time, outside the loop: inside, all of them would be evaluated."""
    if limiter == Limiter.MINMOD:
        fill_upwind_fluxes(half_minmod, flux, a, b, c, d, speed)
    elif limiter == Limiter.VAN_LEER:
        fill_upwind_fluxes(half_van_leer, flux, a, b, c, d, speed)
    elif limiter == Limiter.MC:
        fill_upwind_fluxes(half_central, flux, a, b, c, d, speed)
    else:
        fill_upwind_fluxes(half_zero, flux, a, b, c, d, speed)


@pointwise
def neighbour(position: int, shift: int, cells: int, periodic: bool) -> int:
    """The position `shift` cells away: wrapped on a periodic axis, clamped at a wall."""
    return (position + shift) % cells if periodic else min(max(position + shift, 0), cells - 1)


@pointwise
def fill_values(padded: Array, lowest: Array, row: Array, periodic: bool) -> None:
    """The values of a row with two ghost cells at each end, and their minimum with `lowest`.

    A minimum over the row is not vectorised, as with a NaN it depends on the order; one for every column is. The sum with
    0.0 keeps LLVM from making it a masked store, which is several times slower on AMD.
    """
    m = row.size
    for j in range(m):
        padded[j + 2] = row[j]
        lowest[j] = min(lowest[j], row[j]) + 0.0
    for ghost in range(1, 3):
        padded[2 - ghost] = row[neighbour(0, -ghost, m, periodic)]
        padded[m + 1 + ghost] = row[neighbour(m - 1, ghost, m, periodic)]


@pointwise
def fill_descent(faces: Array, row: Array, periodic: bool, per_spacing: float) -> None:
    """−∂ of `row` at its m + 1 faces; zero at a wall."""
    m = row.size
    for j in range(m - 1):
        faces[j + 1] = (row[j] - row[j + 1]) * per_spacing
    faces[0] = (row[m - 1] - row[0]) * per_spacing if periodic else 0.0
    faces[m] = faces[0]


@pointwise
def fill_row_speed(speed: Array, slope: float, tilt: Array, climb: Array, offset: Array, periodic: bool, per_spacing: float) -> None:
    """Velocity along a row: −∂G, where `tilt` and `climb` are −∂ of the multiplier and of `along`."""
    if offset.size == 1:
        for j in range(speed.size):
            speed[j] = slope * tilt[j] + climb[j]
    else:
        fill_descent(speed, offset, periodic, per_spacing)
        for j in range(speed.size):
            speed[j] = slope * tilt[j] + climb[j] + speed[j]


@pointwise
def fill_speeds(
    low: Array, high: Array, below: int, row: int, above: int, slope: Array, multiplier: Array, offset: Array, per_spacing: float
) -> None:
    """Velocities through the lower and the upper faces of a row along a leading axis: −(G[above] − G[below])/h."""
    tilt_low, tilt_high = (slope[below] - slope[row]) * per_spacing, (slope[row] - slope[above]) * per_spacing
    under, here, over = offset[below], offset[row], offset[above]
    if here.size == 1:
        lift_low, lift_high = (under[0] - here[0]) * per_spacing, (here[0] - over[0]) * per_spacing
        for j in range(low.size):
            low[j] = tilt_low * multiplier[j] + lift_low
            high[j] = tilt_high * multiplier[j] + lift_high
    else:
        for j in range(low.size):
            low[j] = tilt_low * multiplier[j] + (under[j] - here[j]) * per_spacing
            high[j] = tilt_high * multiplier[j] + (here[j] - over[j]) * per_spacing


@summing
def start_balance(rate: Array, outflow: Array, flux: Array, speed: Array, per_spacing: float) -> float:
    """Begin the balance of the cells with the faces along the row; returns Σ flux·speed over their lower faces."""
    dissipated = 0.0
    for j in range(rate.size):
        rate[j] = (flux[j] - flux[j + 1]) * per_spacing
        outflow[j] = (max(speed[j + 1], 0.0) - min(speed[j], 0.0)) * per_spacing
        dissipated += flux[j] * speed[j]
    return dissipated


@summing
def add_balance(rate: Array, outflow: Array, through: Array, leaving: Array, low: Array, high: Array, per_spacing: float) -> float:
    """Add the faces of a leading axis; hand the upper flux on to the row above; returns Σ flux·speed over upper faces."""
    dissipated = 0.0
    for j in range(rate.size):
        rate[j] += (through[j] - leaving[j]) * per_spacing
        outflow[j] += (max(high[j], 0.0) - min(low[j], 0.0)) * per_spacing
        dissipated += leaving[j] * high[j]
        through[j] = leaving[j]
    return dissipated


@pointwise
def blended(old: float, value: float, rate: float, dt: float, weight: float) -> float:
    """The new value of a cell. Apart, as the order of its operations must stay: a weight of one leaves no trace of `old`."""
    return (1.0 - weight) * old + weight * (value + dt * rate)


@summing
def update(
    new: Array,
    old: Array,
    here: Array,
    rate: Array,
    outflow: Array,
    fastest: Array,
    multiplier: Array,
    along: Array,
    dt: float,
    weight: float,
) -> tuple[float, float, float]:
    """The new values of a row, the maximum of `outflow` with `fastest`, and the three sums of the new values."""
    total, moment, lifted = 0.0, 0.0, 0.0
    for j in range(new.size):
        value = blended(old[j], here[j], rate[j], dt, weight)
        new[j] = value
        fastest[j] = max(fastest[j], outflow[j]) + 0.0  # 0.0: see fill_values
        total += value
        moment += multiplier[j] * value
        lifted += along[j] * value
    return total, moment, lifted


@compiled_once
def sweep(
    first: int,
    last: int,
    values: Array,
    base: Array,
    out: Array,
    slope: Array,
    multiplier: Array,
    along: Array,
    offset: Array,
    cells: Whole,
    strides: Whole,
    periodic: Truth,
    per_spacing: Array,
    limiter: int,
    dt: float,
    weight: float,
    work: Array,
    sums: Array,
) -> tuple[float, float, float]:
    """Advance the rows first … last − 1; returns the readings of the block."""
    m = values.shape[1]
    padded, tilt, climb, row_speed, row_flux = work[0], work[1, : m + 1], work[2, : m + 1], work[3, : m + 1], work[4, : m + 1]
    low, high, flux, rate, outflow = work[5, :m], work[6, :m], work[4, :m], work[7, :m], work[8, :m]
    lowest, fastest = work[9, :m], work[10, :m]
    a, b, c, d = padded[0 : m + 1], padded[1 : m + 2], padded[2 : m + 3], padded[3 : m + 4]
    fill_descent(tilt, multiplier, periodic[-1], per_spacing[-1])
    fill_descent(climb, along, periodic[-1], per_spacing[-1])
    lowest[:], fastest[:] = np.inf, 0.0
    dissipated = 0.0
    for row in range(first, last):
        here = values[row]
        fill_values(padded, lowest, here, periodic[-1])
        fill_row_speed(row_speed, slope[row], tilt, climb, offset[row], periodic[-1], per_spacing[-1])
        fill_fluxes(limiter, row_flux, a, b, c, d, row_speed)
        dissipated += start_balance(rate, outflow, row_flux, row_speed, per_spacing[-1])
        ring = BUFFERS
        for axis in range(strides.size):
            stride, n, wrap, h = strides[axis], cells[axis], periodic[axis], per_spacing[axis]
            position = (row // stride) % n
            start = row - position * stride
            below, above = start + stride * neighbour(position, -1, n, wrap), start + stride * neighbour(position, 1, n, wrap)
            fill_speeds(low, high, below, row, above, slope, multiplier, offset, h)
            through = work[ring + row % stride, :m]
            if row - first < stride or position == 0:  # the row below has left nothing in the ring
                far_below = start + stride * neighbour(position, -2, n, wrap)
                fill_fluxes(limiter, through, values[far_below], values[below], here, values[above], low)
            far_above = start + stride * neighbour(position, 2, n, wrap)
            fill_fluxes(limiter, flux, values[below], here, values[above], values[far_above], high)
            dissipated += add_balance(rate, outflow, through, flux, low, high, h)
            ring += stride
        sums[0, row], sums[1, row], sums[2, row] = update(out[row], base[row], here, rate, outflow, fastest, multiplier, along, dt, weight)
    return dissipated, fastest.max(), lowest.min()


@threaded
def stage(
    values: Array,
    base: Array,
    out: Array,
    slope: Array,
    multiplier: Array,
    along: Array,
    offset: Array,
    cells: Whole,
    strides: Whole,
    periodic: Truth,
    per_spacing: Array,
    limiter: int,
    dt: float,
    weight: float,
    work: Array,
    sums: Array,
    readings: Array,
) -> None:
    """One stage: out = (1 − weight)·base + weight·(values + dt·rate(values)), and what the sweep knows for free.

    values, base, out    (rows, columns), `out` different from both
    slope, multiplier, along, offset    the potential: (rows,), (columns,), (columns,), (rows, 1 or columns)
    cells, strides       of the leading axes, stride counted in rows
    periodic, per_spacing  of all axes, the last one last; per_spacing = 1/h
    work                 (blocks, BUFFERS + strides.sum(), columns + PADDING), scratch
    sums (3, rows)       of `out` along each row: Σ out, Σ multiplier·out, Σ along·out
    readings (blocks, 3) of `values`, per block: Σ_faces flux·speed, the largest outflow rate of a cell, the smallest value
    """
    rows, blocks = values.shape[0], work.shape[0]
    for block in numba.prange(blocks):
        first, last = block * rows // blocks, (block + 1) * rows // blocks
        readings[block, 0], readings[block, 1], readings[block, 2] = sweep(
            first, last, values, base, out, slope, multiplier, along, offset,
            cells, strides, periodic, per_spacing, limiter, dt, weight, work[block], sums,
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
