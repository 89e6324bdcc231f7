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
    """`fill_row_products` where G is linear along the row: v rises by (what the slope rises by)·tilt. `beside` is scratch for the sums of
    `differing` over the axes in the cells low − 1 … beside the faces.
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
def add_beside_row(
    product: Array, low: int, rise: float, fall: float, tilt: Array, over: Array, level: Array, under: Array, per_spacing: float,
    above: Array, here: Array, below: Array,
) -> None:  # fmt: skip
    """Add the term of a leading axis, between the rows above and below, to the faces of a run along its row, which starts at `low`.

    rise, fall           of the slope, from the row to that above, and from that below to it
    over, level, under   the offsets of the three rows
    """
    inner = product.size - 1
    within, turned = product[1:inner], tilt[low + 1 : low + inner]
    up, at, down = above[low : low + inner], here[low : low + inner], below[low : low + inner]
    higher, same, lower = over[low : low + inner], level[low : low + inner], under[low : low + inner]
    for k in range(inner - 1):
        here_lifted = same[k] - same[k + 1]
        rising = rise * turned[k] + ((higher[k] - higher[k + 1]) - here_lifted) * per_spacing
        falling = fall * turned[k] + (here_lifted - (lower[k] - lower[k + 1])) * per_spacing
        within[k] += term(rising, falling, up[k] + up[k + 1], at[k] + at[k + 1], down[k] + down[k + 1])
    for k in (0, inner):  # at the seam of a periodic row, or closed
        upper = (low + k) % above.size
        level_lifted = level[upper - 1] - level[upper]
        lifting = rise * tilt[low + k] + ((over[upper - 1] - over[upper]) - level_lifted) * per_spacing
        lifted = fall * tilt[low + k] + (level_lifted - (under[upper - 1] - under[upper])) * per_spacing
        product[k] += term(lifting, lifted, above[upper - 1] + above[upper], here[upper - 1] + here[upper], below[upper - 1] + below[upper])


@pointwise
def fill_row_products(
    product: Array, row: int, low: int, values: Array, slope: Array, tilt: Array, offset: Array, cells: Whole, strides: Whole,
    periodic: Truth, per_spacing: float, beside: Array,
) -> None:  # fmt: skip
    """The terms of the faces of a run along its row, which starts at the column `low`; `beside` is scratch."""
    if offset.shape[1] == 1:
        fill_factored_row_products(product, row, low, values, slope, tilt, cells, strides, periodic, beside)
    else:
        product[:] = 0.0
        for axis in range(strides.size):
            stride, n, wrap = strides[axis], cells[axis], periodic[axis]
            below, above = row_beside(row, -1, stride, n, wrap), row_beside(row, 1, stride, n, wrap)
            rise, fall = slope[above] - slope[row], slope[row] - slope[below]
            add_beside_row(
                product, low, rise, fall, tilt, offset[above], offset[row], offset[below], per_spacing, values[above], values[row],
                values[below],
            )  # fmt: skip


@pointwise
def fill_along_row(
    product: Array, low: int, speed: Array, joints: Array, tilt: float, multiplier: Array, under: Array, over: Array, per_spacing: float,
    lower: Array, upper: Array, periodic: bool,
) -> None:  # fmt: skip
    """The term of the last axis at the faces between two rows, with their offsets `under` and `over`, from the column `low` on.

    speed    v of these faces, by tilt·multiplier and the offsets
    joints   scratch for (v_up − v)(S_up + S) where two of them meet, and at both ends
    """
    size, m = speed.size, lower.size
    one, two, inner = lower[low : low + size], upper[low : low + size], joints[1:size]
    for j in range(inner.size):
        inner[j] = (speed[j + 1] - speed[j]) * ((one[j + 1] + two[j + 1]) + (one[j] + two[j]))
    for j, joint, away in ((0, 0, -1), (size - 1, size, 1)):
        beside = neighbour(low + j, away, m, periodic)
        lift = (under[beside] - over[beside]) if under.size > 1 else (under[0] - over[0])
        risen = away * ((tilt * multiplier[beside] + lift * per_spacing) - speed[j])
        joints[joint] = risen * ((lower[beside] + upper[beside]) + (one[j] + two[j])) if beside != low + j else 0.0  # a wall
    for j in range(product.size):
        product[j] = SHARE * (joints[j + 1] - joints[j])


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
    product: Array, lower: int, upper: int, across: int, low: int, speed: Array, joints: Array, values: Array, slope: Array,
    multiplier: Array, offset: Array, cells: Whole, strides: Whole, periodic: Truth, per_spacing: float,
) -> None:  # fmt: skip
    """The terms of the faces between two rows, neighbours along the leading axis `across`, from the column `low` on."""
    tilt = (slope[lower] - slope[upper]) * per_spacing
    fill_along_row(
        product, low, speed, joints, tilt, multiplier, offset[lower], offset[upper], per_spacing, values[lower], values[upper], periodic[-1]
    )
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
