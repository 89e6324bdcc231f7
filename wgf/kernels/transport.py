"""One explicit stage of ∂_t μ = div(μ ∇G) on a box of cells: limited upwind fluxes, in any dimension, in one sweep.

Layout. The cells are seen as `rows × columns`: the last axis of the layout runs along a row, all other ("leading") axes
are flattened into the row number. The potential is read in the factored form

    G[f, j] = slope[f] · multiplier[j] + along[j] + offset[f, j or 0],

which costs no memory where the output weight c is the last axis (slope = H(a, b), multiplier = c), and is the plain
array `offset` where it is not.

Scheme. Face velocity v = −(G_{i+1} − G_i)/h; face value by linear reconstruction with a limited slope, from the upwind
side; the missing neighbour at a closed wall is the cell itself, so that the speed and the slope vanish there.

Every row is computed from its neighbours (gathered, never scattered). Along a leading axis the flux through the upper
face is kept for the row above in a ring buffer, so that each face is computed once. The rows are cut into as many blocks
as `work` has; sums are taken block by block in a fixed order, so that the result does not depend on the number of threads.
"""

from __future__ import annotations

import enum

import numba
import numpy as np

REASSOCIATE = {"contract", "nsz", "arcp", "reassoc"}  # lets sums be vectorised; NaN and infinity keep their meaning
BUFFERS = 8  # rows of scratch a block needs besides its ring of fluxes
PADDING = 4  # ghost cells of a row, two on each side


class Limiter(enum.IntEnum):
    """How the slope in a cell is bounded by its one-sided differences."""

    UPWIND = 0
    MINMOD = 1
    VAN_LEER = 2
    MC = 3


@numba.njit(inline="always")
def half_slope(limiter, left, right):
    """Half the limited slope of a cell with one-sided differences `left` and `right`.

    minmod: the smaller one; van Leer: their harmonic mean; MC (monotonised central): the central difference, at most
    twice the smaller one; all zero where the signs differ. Half the slope is thus never more than min(|left|, |right|).
    """
    lower, upper = min(left, right), max(left, right)
    if limiter == Limiter.MC:
        central = 0.25 * (left + right)
        return max(0.0, min(lower, central)) + min(0.0, max(upper, central))
    if limiter == Limiter.MINMOD:
        return 0.5 * (max(0.0, lower) + min(0.0, upper))
    if limiter == Limiter.VAN_LEER:
        total = left + right
        mean = left * right / (total if total != 0.0 else 1.0)
        return mean if (lower > 0.0) | (upper < 0.0) else 0.0
    return 0.0


@numba.njit(inline="always")
def upwind_flux(limiter, a, b, c, d, speed):
    """Flux through the face between cells b and c, with their outer neighbours a and d:  a  b | c  d."""
    from_left = b + half_slope(limiter, b - a, c - b)
    from_right = c - half_slope(limiter, c - b, d - c)
    return max(speed, 0.0) * from_left + min(speed, 0.0) * from_right


@numba.njit(inline="always")
def neighbour(row, position, shift, cells, stride, periodic):
    """The row `shift` cells away along a leading axis: wrapped on a periodic axis, clamped at a wall."""
    other = (position + shift) % cells if periodic else min(max(position + shift, 0), cells - 1)
    return row + (other - position) * stride


@numba.njit(inline="always")
def fill_speed(speed, below, above, slope, multiplier, offset, per_spacing):
    """Velocity through the face between the rows `below` and `above`: −(G[above] − G[below])/h."""
    tilt = (slope[below] - slope[above]) * per_spacing
    if offset.shape[1] == 1:
        lift = (offset[below, 0] - offset[above, 0]) * per_spacing
        for j in range(multiplier.size):
            speed[j] = tilt * multiplier[j] + lift
    else:
        for j in range(multiplier.size):
            speed[j] = tilt * multiplier[j] + (offset[below, j] - offset[above, j]) * per_spacing


@numba.njit(inline="always")
def fill_row_potential(padded, row, slope, multiplier, along, offset, periodic):
    """G along a row into `padded`[1 … m], with a ghost cell at each end."""
    m = multiplier.size
    if offset.shape[1] == 1:
        for j in range(m):
            padded[j + 1] = slope[row] * multiplier[j] + along[j] + offset[row, 0]
    else:
        for j in range(m):
            padded[j + 1] = slope[row] * multiplier[j] + along[j] + offset[row, j]
    padded[0] = padded[m] if periodic else padded[1]
    padded[m + 1] = padded[1] if periodic else padded[m]


@numba.njit(inline="always")
def fill_row_values(padded, values, periodic):
    """The values of a row into `padded`[2 … m+1], with two ghost cells at each end."""
    m = values.size
    for j in range(m):
        padded[j + 2] = values[j]
    for ghost in range(2):
        padded[ghost] = padded[m + ghost] if periodic else padded[2]
        padded[m + 2 + ghost] = padded[2 + ghost % m] if periodic else padded[m + 1]


@numba.njit(cache=True, parallel=True, error_model="numpy", fastmath=REASSOCIATE)
def stage(
    values, base, out, slope, multiplier, along, offset, cells, strides, periodic, per_spacing, limiter, dt, weight, work, sums, readings
):
    """Out = (1 − weight)·base + weight·(values + dt·rate(values)), and what the sweep knows for free.

    values, base, out    (rows, columns), `out` different from both
    slope, multiplier, along, offset    the potential: (rows,), (columns,), (columns,), (rows, 1 or columns)
    cells, strides       of the leading axes, stride counted in rows
    periodic, per_spacing  of all axes, the last one last; per_spacing = 1/h
    work                 (blocks, BUFFERS + strides.sum(), columns + PADDING), scratch
    sums (rows, 3)       of `out` along each row: Σ out, Σ multiplier·out, Σ along·out
    readings (blocks, 3) of `values`, per block: Σ_faces flux·speed, the largest outflow rate of a cell, the smallest value
    """
    rows, columns = values.shape
    blocks = work.shape[0]
    for block in numba.prange(blocks):
        u, g, half, v = work[block, 0], work[block, 1], work[block, 2], work[block, 3]
        flux, rate, outflow = work[block, 4], work[block, 5], work[block, 6]
        smallest = work[block, 7]
        first, last = block * rows // blocks, (block + 1) * rows // blocks
        for j in range(columns):
            smallest[j] = np.inf
        dissipated = 0.0
        fastest = 0.0
        for row in range(first, last):
            # along the row
            h = per_spacing[-1]
            fill_row_values(u, values[row], periodic[-1])
            fill_row_potential(g, row, slope, multiplier, along, offset, periodic[-1])
            for j in range(columns + 2):
                half[j] = half_slope(limiter, u[j + 1] - u[j], u[j + 2] - u[j + 1])
            for j in range(columns + 1):
                v[j] = (g[j] - g[j + 1]) * h
            for j in range(columns + 1):
                flux[j] = max(v[j], 0.0) * (u[j + 1] + half[j]) + min(v[j], 0.0) * (u[j + 2] - half[j + 1])
            for j in range(columns):
                rate[j] = (flux[j] - flux[j + 1]) * h
                outflow[j] = (max(v[j + 1], 0.0) - min(v[j], 0.0)) * h
            for j in range(columns):
                dissipated += flux[j] * v[j]
                smallest[j] = min(smallest[j], u[j + 2])
            # along the leading axes
            ring = BUFFERS
            for axis in range(strides.size):
                stride, n, wrap, h = strides[axis], cells[axis], periodic[axis], per_spacing[axis]
                position = (row // stride) % n
                one_down = neighbour(row, position, -1, n, stride, wrap)
                one_up = neighbour(row, position, 1, n, stride, wrap)
                below, here = values[one_down], values[row]
                above, far_above = values[one_up], values[neighbour(row, position, 2, n, stride, wrap)]
                through = work[block, ring + row % stride]
                fill_speed(v, one_down, row, slope, multiplier, offset, h)
                if row - first < stride or position == 0:
                    far_below = values[neighbour(row, position, -2, n, stride, wrap)]
                    for j in range(columns):
                        through[j] = upwind_flux(limiter, far_below[j], below[j], here[j], above[j], v[j])
                for j in range(columns):
                    rate[j] += through[j] * h
                    outflow[j] -= min(v[j], 0.0) * h
                fill_speed(v, row, one_up, slope, multiplier, offset, h)
                for j in range(columns):
                    through[j] = upwind_flux(limiter, below[j], here[j], above[j], far_above[j], v[j])
                for j in range(columns):
                    rate[j] -= through[j] * h
                    outflow[j] += max(v[j], 0.0) * h
                    dissipated += through[j] * v[j]
                ring += stride
            # the new row
            here, old, new = values[row], base[row], out[row]
            for j in range(columns):
                new[j] = (1.0 - weight) * old[j] + weight * (here[j] + dt * rate[j])
            total, moment, lifted = 0.0, 0.0, 0.0
            for j in range(columns):
                total += new[j]
                moment += multiplier[j] * new[j]
                lifted += along[j] * new[j]
            sums[row, 0], sums[row, 1], sums[row, 2] = total, moment, lifted
            for j in range(columns):
                fastest = max(fastest, outflow[j])
        lowest = np.inf
        for j in range(columns):
            lowest = min(lowest, smallest[j])
        readings[block, 0], readings[block, 1], readings[block, 2] = dissipated, fastest, lowest
