"""Sums over the cells of a plane with functions that differ from one strip of its columns to the next, threaded over blocks of rows.

On the k-th strip, the columns k·STRIP … (k + 1)·STRIP − 1 or those of them that there are, there are F functions, side by side in
functions[k] (F·STRIP,), and over the rows R others, `left` (rows, R), for all strips. Their products span the features of
networks/separable.py. F and R are multiples of TOGETHER.

A number is read for several multiplications: four rows at a time with two functions where cells are summed, two rows with four functions
where they are filled. Those of a strip lie at distances that the compiler knows, as all strips are as wide: what may overlap with what is
then found out once for all of them, and not for each in every loop. Matrices as narrow as these take a library of linear algebra three
times as long, as it copies each number first.
"""

from __future__ import annotations

import numba

from wgf.kernels.compiled import Array, compiled_once, pointwise, summing, threaded

BLOCKS = 16  # of rows; their sums are added in a fixed order
TOGETHER = 4  # functions, or rows
STRIP = 128  # columns


@summing
def eight_sums(
    a: Array, b: Array, c: Array, d: Array, one: Array, two: Array
) -> tuple[float, float, float, float, float, float, float, float]:
    """Σ of a, b, c and d with one function, then those with the other."""
    a1, b1, c1, d1, a2, b2, c2, d2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(one.size):
        a1 += a[j] * one[j]
        b1 += b[j] * one[j]
        c1 += c[j] * one[j]
        d1 += d[j] * one[j]
        a2 += a[j] * two[j]
        b2 += b[j] * two[j]
        c2 += c[j] * two[j]
        d2 += d[j] * two[j]
    return a1, b1, c1, d1, a2, b2, c2, d2


@pointwise
def add_four(out: Array, a: float, b: float, c: float, d: float, one: Array, two: Array, three: Array, four: Array) -> None:
    """Add four functions with these factors."""
    for j in range(out.size):
        out[j] += (a * one[j] + b * two[j]) + (c * three[j] + d * four[j])


@pointwise
def add_four_to_both(out: Array, also: Array, factors: Array, others: Array, functions: Array) -> None:
    """Add four functions, one behind the other, with these factors, and in another row with factors of its own."""
    a, b, c, d = factors[0], factors[1], factors[2], factors[3]
    e, f, g, h = others[0], others[1], others[2], others[3]
    for j in range(out.size):
        one, two, three, four = functions[j], functions[STRIP + j], functions[2 * STRIP + j], functions[3 * STRIP + j]
        out[j] += (a * one + b * two) + (c * three + d * four)
        also[j] += (e * one + f * two) + (g * three + h * four)


@compiled_once
def sum_rows(
    first: int, last: int, total: Array, values: Array, left: Array, functions: Array, sums: Array
) -> None:  # fmt: skip
    """`fill_moments` of the rows first … last − 1 into `total`."""
    strips, count = functions.shape[0], functions.shape[1] // STRIP
    total[:] = 0.0
    for row in range(first, last, TOGETHER):
        row2, row3, row4 = min(row + 1, last - 1), min(row + 2, last - 1), min(row + 3, last - 1)
        for strip in range(strips):
            start, stop = strip * STRIP, min((strip + 1) * STRIP, values.shape[1])
            for k in range(0, count, 2):
                to, here = strip * count + k, functions[strip, k * STRIP : (k + 2) * STRIP]
                (
                    sums[0, to], sums[1, to], sums[2, to], sums[3, to], sums[0, to + 1], sums[1, to + 1], sums[2, to + 1], sums[3, to + 1],
                ) = eight_sums(
                    values[row, start:stop], values[row2, start:stop], values[row3, start:stop], values[row4, start:stop],
                    here[: stop - start], here[STRIP : STRIP + stop - start],
                )  # fmt: skip
        for k in range(min(TOGETHER, last - row), TOGETHER):  # of the last row, which has been taken
            sums[k] = 0.0
        for k in range(left.shape[1]):
            add_four(total[k], left[row, k], left[row2, k], left[row3, k], left[row4, k], sums[0], sums[1], sums[2], sums[3])


@threaded
def fill_moments(moments: Array, values: Array, left: Array, functions: Array, work: Array, partial: Array) -> None:
    """`moments` (R, strips·F) = leftᵀ·(Σ over the columns of each strip of values·functions), for values (rows, columns).

    work (BLOCKS, TOGETHER, strips·F) and partial (BLOCKS, R, strips·F) are scratch.
    """
    rows = values.shape[0]
    for block in numba.prange(BLOCKS):
        first, last = block * rows // BLOCKS, (block + 1) * rows // BLOCKS
        sum_rows(first, last, partial[block], values, left, functions, work[block])
    moments[:] = 0.0
    for block in range(BLOCKS):
        moments += partial[block]


@pointwise
def begin_row(out: Array, factors: Array, row: int, penalty: Array, left: Array, mixed: Array) -> None:
    """The penalty of the cells of a row, and the factors of the functions of all strips there."""
    level, each = penalty[row if len(penalty) > 1 else 0], 1 if penalty.size > 1 else 0
    for j in range(out.size):
        out[j] = level[each * j]
    factors[:] = 0.0
    here = left[row]
    for k in range(0, here.size, TOGETHER):
        add_four(factors, here[k], here[k + 1], here[k + 2], here[k + 3], mixed[k], mixed[k + 1], mixed[k + 2], mixed[k + 3])


@compiled_once
def fill_rows(
    first: int, last: int, out: Array, penalty: Array, left: Array, functions: Array, mixed: Array, work: Array, spare: Array
) -> None:  # fmt: skip
    """`fill_cells` of the rows first … last − 1."""
    strips, count, factors, others = functions.shape[0], functions.shape[1] // STRIP, work[0], work[1]
    for row in range(first, last, 2):
        following = min(row + 1, last - 1)
        here, above = out[row], out[following] if following > row else spare
        begin_row(here, factors, row, penalty, left, mixed)
        begin_row(above, others, following, penalty, left, mixed)
        for strip in range(strips):
            start, stop = strip * STRIP, min((strip + 1) * STRIP, out.shape[1])
            for k in range(0, count, TOGETHER):
                at = strip * count + k
                add_four_to_both(
                    here[start:stop], above[start:stop], factors[at : at + TOGETHER], others[at : at + TOGETHER],
                    functions[strip, k * STRIP : (k + TOGETHER) * STRIP],
                )  # fmt: skip


@threaded
def fill_cells(out: Array, penalty: Array, left: Array, functions: Array, mixed: Array, work: Array, spare: Array) -> None:
    """`out` (rows, columns) = (left·mixed)·functions + penalty, the functions those of each strip, for mixed (R, strips·F) and a penalty of
    the shape of `out` or (1, 1).

    work (BLOCKS, TOGETHER, strips·F) and spare (BLOCKS, columns) are scratch.
    """
    rows = out.shape[0]
    for block in numba.prange(BLOCKS):
        first, last = block * rows // BLOCKS, (block + 1) * rows // BLOCKS
        fill_rows(first, last, out, penalty, left, functions, mixed, work[block], spare[block])
