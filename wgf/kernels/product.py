"""What the flux through a face is beside (velocity by the potential)·(mean density): the mean of a product is not the product of means.

On a face across axis k, whose other axes are t, Taylor's theorem gives for the means along the face

    ⟨v μ⟩ = v⟨μ⟩ + Σ_t h_t² (½·1/12 ∂²_t v ⟨μ⟩ + 1/12 ∂_t v ∂_t μ) + O(h⁴),        v at the middle of the face.

Where the potential is that for averages (measures/averages.py), its difference across the face is v − Σ_t h_t²/24 ∂²_t v. What then is
missing in ⟨vμ⟩ is a derivative along the face,

    Σ_t h_t²/12 ∂_t(μ ∂_t v).

Without these terms a scheme is of order two, whatever its face values are. With S the sum of μ over the cells on both sides of the face,
of the next face along t (up) and of the one before (down),

    h_t²/12 ∂_t(μ ∂_t v) ≈ ((v_up − v)(S_up + S) − (v − v_down)(S + S_down))/48.

Missing neighbours at walls are the cells themselves, as in transport.py, whose names these are. The flux with the terms keeps the sign
of v, vanishes with it, and is cut as it is without them (reconstruction.py): the energy falls, and no cell turns negative.
"""

from __future__ import annotations

from wgf.kernels.compiled import Array, Truth, Whole, compiled_once, pointwise
from wgf.kernels.outflow import neighbour, row_beside

SHARE = 1 / 48


@pointwise
def term(rise: float, fall: float, up: float, here: float, down: float) -> float:
    """That of a face where v rises by `rise` from it to the neighbour up, and by `fall` from the one down to it; μ summed over the cells on
    both sides of each of the three.
    """
    return SHARE * (rise * (up + here) - fall * (here + down))


@pointwise
def differing(rise: float, fall: float, up: float, here: float, down: float) -> float:
    """The same of one cell beside the face, in units of the slope and of 1/48: of a factored potential the term is linear in the cells."""
    return rise * up + (rise - fall) * here - fall * down


@pointwise
def fill_factored_row_products(
    product: Array, row: int, low: int, values: Array, slope: Array, tilt: Array, cells: Whole, strides: Whole, periodic: Truth,
    beside: Array,
) -> None:  # fmt: skip
    """The terms of the faces of a run along its row, which starts at the column `low`, where G is factored: v rises by tilt times what the
    slope rises by. `beside` is scratch for the sums of `differing` over the axes in the cells low − 1 … beside the faces.
    """
    m, faces = values.shape[1], product.size
    first, last = max(low - 1, 0), min(low + faces, m)
    inner = beside[first - low + 1 : last - low + 1]
    beside[0], beside[faces] = 0.0, 0.0  # beyond a wall
    inner[:] = 0.0
    for axis in range(strides.size):
        stride, n, wrap = strides[axis], cells[axis], periodic[axis]
        below, above = row_beside(row, -1, stride, n, wrap), row_beside(row, 1, stride, n, wrap)
        rise, fall = slope[above] - slope[row], slope[row] - slope[below]
        up, here, down = values[above, first:last], values[row, first:last], values[below, first:last]
        for j in range(inner.size):
            inner[j] += differing(rise, fall, up[j], here[j], down[j])
        if periodic[-1] and low == 0:
            beside[0] += differing(rise, fall, values[above, m - 1], values[row, m - 1], values[below, m - 1])
        if periodic[-1] and low + faces > m:
            beside[faces] += differing(rise, fall, values[above, 0], values[row, 0], values[below, 0])
    turned = tilt[low : low + faces]
    for k in range(faces):
        product[k] = (SHARE * turned[k]) * (beside[k] + beside[k + 1])


@pointwise
def fill_corners(
    corners: Array, lower: int, upper: int, low: int, speed: Array, values: Array, slope: Array, multiplier: Array, offset: Array,
    per_spacing: float, periodic: bool,
) -> None:  # fmt: skip
    """(v_up − v)(S_up + S) where two faces between the rows lower and upper, of velocities `speed`, meet, and at both ends, from the column
    `low` on, with up one step along the row.

    It is symmetric in both axes: by as much as v rises from face to face, the velocity along the row rises from row to row, but for the
    spacings, and the four cells are the same.
    """
    size, m, tilt = speed.size, values.shape[1], (slope[lower] - slope[upper]) * per_spacing
    beneath, above, under, over = values[lower], values[upper], offset[lower], offset[upper]
    one, two, inner = beneath[low : low + size], above[low : low + size], corners[1:size]
    for j in range(inner.size):
        inner[j] = (speed[j + 1] - speed[j]) * ((one[j + 1] + two[j + 1]) + (one[j] + two[j]))
    for j, corner, away in ((0, 0, -1), (size - 1, size, 1)):
        beside = neighbour(low + j, away, m, periodic)
        lift = (under[beside] - over[beside]) if under.size > 1 else (under[0] - over[0])
        risen = away * ((tilt * multiplier[beside] + lift * per_spacing) - speed[j])
        corners[corner] = risen * ((beneath[beside] + above[beside]) + (one[j] + two[j])) if beside != low + j else 0.0  # a wall


@pointwise
def fill_along_row(product: Array, corners: Array) -> None:
    """The term of the last axis at the faces between two rows."""
    for j in range(product.size):
        product[j] = SHARE * (corners[j + 1] - corners[j])


@pointwise
def add_across_rows(product: Array, above: Array, below: Array, stretch: float) -> None:
    """Add the term of a leading axis to the faces along a row, from the corners on both sides; `below` becomes what it is for the next row.

    stretch   by how much the cells are longer across the rows than along them
    """
    for k in range(product.size):
        product[k] += (SHARE * stretch) * (above[k] - below[k])
        below[k] = above[k]


@pointwise
def add_beside_rows(
    product: Array, low: int, rise: float, fall: float, multiplier: Array, under_up: Array, over_up: Array, under: Array, over: Array,
    under_down: Array, over_down: Array, per_spacing: float, lower_up: Array, upper_up: Array, lower: Array, upper: Array,
    lower_down: Array, upper_down: Array,
) -> None:  # fmt: skip
    """Add the term of another leading axis to the faces between two rows, lower and upper, from their neighbours up and down that axis."""
    stop = low + product.size
    factors = multiplier[low:stop]
    one_up, one, one_down = lower_up[low:stop], lower[low:stop], lower_down[low:stop]
    two_up, two, two_down = upper_up[low:stop], upper[low:stop], upper_down[low:stop]
    if under_up.size == 1:
        at = under[0] - over[0]
        lifting, lifted = ((under_up[0] - over_up[0]) - at) * per_spacing, (at - (under_down[0] - over_down[0])) * per_spacing
        for j in range(product.size):
            rising, falling = rise * factors[j] + lifting, fall * factors[j] + lifted
            product[j] += term(rising, falling, one_up[j] + two_up[j], one[j] + two[j], one_down[j] + two_down[j])
    else:
        beneath_up, beneath, beneath_down = under_up[low:stop], under[low:stop], under_down[low:stop]
        above_up, above, above_down = over_up[low:stop], over[low:stop], over_down[low:stop]
        for j in range(product.size):
            here = beneath[j] - above[j]
            rising = rise * factors[j] + ((beneath_up[j] - above_up[j]) - here) * per_spacing
            falling = fall * factors[j] + (here - (beneath_down[j] - above_down[j])) * per_spacing
            product[j] += term(rising, falling, one_up[j] + two_up[j], one[j] + two[j], one_down[j] + two_down[j])


@compiled_once
def fill_products(
    product: Array, lower: int, upper: int, across: int, low: int, speed: Array, corners: Array, values: Array, slope: Array,
    multiplier: Array, offset: Array, cells: Whole, strides: Whole, periodic: Truth, per_spacing: float,
) -> None:  # fmt: skip
    """The terms of the faces between two rows, neighbours along the leading axis `across`, from the column `low` on, and their corners."""
    tilt = (slope[lower] - slope[upper]) * per_spacing
    fill_corners(corners, lower, upper, low, speed, values, slope, multiplier, offset, per_spacing, periodic[-1])
    fill_along_row(product, corners)
    for axis in range(strides.size):
        if axis != across:
            stride, n, wrap = strides[axis], cells[axis], periodic[axis]
            lower_up, lower_down = row_beside(lower, 1, stride, n, wrap), row_beside(lower, -1, stride, n, wrap)
            upper_up, upper_down = row_beside(upper, 1, stride, n, wrap), row_beside(upper, -1, stride, n, wrap)
            rise = (slope[lower_up] - slope[upper_up]) * per_spacing - tilt
            fall = tilt - (slope[lower_down] - slope[upper_down]) * per_spacing
            add_beside_rows(
                product, low, rise, fall, multiplier, offset[lower_up], offset[upper_up], offset[lower], offset[upper],
                offset[lower_down], offset[upper_down], per_spacing, values[lower_up], values[upper_up], values[lower], values[upper],
                values[lower_down], values[upper_down],
            )  # fmt: skip
