"""What the flux through a face is beside (mean velocity)·(mean density): the mean of a product is not the product of means.

On a face across axis k, whose other axes are t, Taylor's theorem gives

    ⟨v μ⟩ = ⟨v⟩⟨μ⟩ + Σ_t h_t²/12 ∂_t v ∂_t μ + O(h⁴),

the means of v and μ varying together along the face. Without these terms a scheme is of order two, whatever its face values are. Both
derivatives are central differences, that of μ from the cells on both sides of the face: with Δ from one neighbour along t to the other,

    h_t²/12 ∂_t v ∂_t μ ≈ Δ_t v · (Δ_t μ_giver + Δ_t μ_taker)/96.

Missing neighbours at walls are the cells themselves, as in transport.py, whose names these are. The flux with the terms keeps the sign
of v, and is cut as it is without them (reconstruction.py): the energy falls, and no cell turns negative.
"""

from __future__ import annotations

from wgf.kernels.compiled import Array, Truth, Whole, compiled_once, pointwise
from wgf.kernels.outflow import neighbour, row_beside

SHARE = 1 / 96


@pointwise
def term(change: float, up: float, down: float, other_up: float, other_down: float) -> float:
    """That of a face where v differs by `change` between its neighbours up and down, and μ as it does in the cells on both sides."""
    return SHARE * change * ((up - down) + (other_up - other_down))


@pointwise
def fill_widths(widths: Array, multiplier: Array, periodic: bool) -> None:
    """Δ of the multiplier along a row."""
    m = multiplier.size
    for j in range(1, m - 1):
        widths[j] = multiplier[j + 1] - multiplier[j - 1]
    for j in (0, m - 1):
        widths[j] = multiplier[neighbour(j, 1, m, periodic)] - multiplier[neighbour(j, -1, m, periodic)]


@pointwise
def add_beside_row(
    product: Array, low: int, turn: float, tilt: Array, over: Array, under: Array, per_spacing: float, above: Array, below: Array
) -> None:
    """Add the term of a leading axis, between the rows above and below, to the faces of a run along its row, which starts at `low`.

    turn, over, under   Δ of the slopes; the offsets of the two rows
    """
    inner = product.size - 1
    if over.size == 1:
        for k in range(1, inner):
            upper = low + k
            product[k] += term(turn * tilt[upper], above[upper], below[upper], above[upper - 1], below[upper - 1])
    else:
        for k in range(1, inner):
            upper = low + k
            change = turn * tilt[upper] + ((over[upper - 1] - over[upper]) - (under[upper - 1] - under[upper])) * per_spacing
            product[k] += term(change, above[upper], below[upper], above[upper - 1], below[upper - 1])
    for k in (0, inner):  # at the seam of a periodic row, or closed
        upper = (low + k) % above.size
        change = turn * tilt[low + k]
        if over.size > 1:
            change += ((over[upper - 1] - over[upper]) - (under[upper - 1] - under[upper])) * per_spacing
        product[k] += term(change, above[upper], below[upper], above[upper - 1], below[upper - 1])


@compiled_once
def fill_row_products(
    product: Array, row: int, low: int, values: Array, slope: Array, tilt: Array, offset: Array, cells: Whole, strides: Whole,
    periodic: Truth, per_spacing: float,
) -> None:  # fmt: skip
    """The terms of the faces of a run along its row, which starts at the column `low`."""
    product[:] = 0.0
    for axis in range(strides.size):
        stride, n, wrap = strides[axis], cells[axis], periodic[axis]
        below, above = row_beside(row, -1, stride, n, wrap), row_beside(row, 1, stride, n, wrap)
        turn = slope[above] - slope[below]
        add_beside_row(product, low, turn, tilt, offset[above], offset[below], per_spacing, values[above], values[below])


@pointwise
def add_along_row(
    product: Array, low: int, tilt: float, widths: Array, under: Array, over: Array, per_spacing: float, lower: Array, upper: Array,
    periodic: bool,
) -> None:  # fmt: skip
    """Add the term of the last axis to the faces between two rows, with their offsets `under` and `over`, from the column `low` on."""
    size, m = product.size, lower.size
    first, last = max(low, 1) - low, min(low + size, m - 1) - low
    if under.size == 1:
        for j in range(first, last):
            c = low + j
            product[j] += term(tilt * widths[c], lower[c + 1], lower[c - 1], upper[c + 1], upper[c - 1])
    else:
        for j in range(first, last):
            c = low + j
            change = tilt * widths[c] + ((under[c + 1] - over[c + 1]) - (under[c - 1] - over[c - 1])) * per_spacing
            product[j] += term(change, lower[c + 1], lower[c - 1], upper[c + 1], upper[c - 1])
    for end in range(2):
        c = 0 if end == 0 else m - 1
        if low <= c < low + size and (end == 0 or m > 1):
            before, after = neighbour(c, -1, m, periodic), neighbour(c, 1, m, periodic)
            change = tilt * widths[c]
            if under.size > 1:
                change += ((under[after] - over[after]) - (under[before] - over[before])) * per_spacing
            product[c - low] += term(change, lower[after], lower[before], upper[after], upper[before])


@pointwise
def add_beside_rows(
    product: Array, low: int, turn: float, multiplier: Array, under_up: Array, over_up: Array, under_down: Array, over_down: Array,
    per_spacing: float, lower_up: Array, upper_up: Array, lower_down: Array, upper_down: Array,
) -> None:  # fmt: skip
    """Add the term of another leading axis to the faces between two rows, lower and upper, from their neighbours up and down that axis."""
    if under_up.size == 1:
        lift = ((under_up[0] - over_up[0]) - (under_down[0] - over_down[0])) * per_spacing
        for j in range(product.size):
            c = low + j
            change = turn * multiplier[c] + lift
            product[j] += term(change, lower_up[c], lower_down[c], upper_up[c], upper_down[c])
    else:
        for j in range(product.size):
            c = low + j
            change = turn * multiplier[c] + ((under_up[c] - over_up[c]) - (under_down[c] - over_down[c])) * per_spacing
            product[j] += term(change, lower_up[c], lower_down[c], upper_up[c], upper_down[c])


@compiled_once
def fill_products(
    product: Array, lower: int, upper: int, across: int, low: int, values: Array, slope: Array, multiplier: Array, widths: Array,
    offset: Array, cells: Whole, strides: Whole, periodic: Truth, per_spacing: float,
) -> None:  # fmt: skip
    """The terms of the faces between two rows, neighbours along the leading axis `across`, from the column `low` on."""
    product[:] = 0.0
    tilt = (slope[lower] - slope[upper]) * per_spacing
    add_along_row(product, low, tilt, widths, offset[lower], offset[upper], per_spacing, values[lower], values[upper], periodic[-1])
    for axis in range(strides.size):
        if axis != across:
            stride, n, wrap = strides[axis], cells[axis], periodic[axis]
            lower_up, lower_down = row_beside(lower, 1, stride, n, wrap), row_beside(lower, -1, stride, n, wrap)
            upper_up, upper_down = row_beside(upper, 1, stride, n, wrap), row_beside(upper, -1, stride, n, wrap)
            turn = ((slope[lower_up] - slope[upper_up]) - (slope[lower_down] - slope[upper_down])) * per_spacing
            add_beside_rows(
                product, low, turn, multiplier, offset[lower_up], offset[upper_up], offset[lower_down], offset[upper_down], per_spacing,
                values[lower_up], values[upper_up], values[lower_down], values[upper_down],
            )  # fmt: skip
