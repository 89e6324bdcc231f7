"""Polynomials on boxes, evaluated at points, in threads over points.

On its box a chart is the tensor Chebyshev polynomial

    f(θ) = Σ_{k_1, …, k_p < n} c_{k_1 … k_p} Π_d T_{k_d}(s_d),    s_d = (θ_d − lower_d)/half_d − 1 in [−1, 1],

for several functions f at once, whose coefficients of the same indices lie side by side. The axes are summed over one after the other,
from the first.
"""

from __future__ import annotations

import numba

from wgf.kernels.compiled import Array, Whole, threaded

BLOCKS = 256  # of points


@threaded
def evaluate_charts(
    points: Array, number: Whole, lower: Array, half: Array, coefficients: Array, terms: int, basis: Array, work: Array, found: Array
) -> None:
    """The functions (M, F) at the points (M, p), each on the chart of its number (M,); points with a negative number are left out.

    lower, half (C, p)                   where the charts begin, and half of their lengths
    coefficients (C, terms^p F)          of the charts
    basis (BLOCKS, terms)                scratch
    work (BLOCKS, terms^(p − 1) F)       scratch
    """
    for block in numba.prange(BLOCKS):
        own, polynomial = work[block], basis[block]
        for j in range(block * number.size // BLOCKS, (block + 1) * number.size // BLOCKS):
            chart = number[j]
            if chart < 0:
                continue
            width = own.size
            for axis in range(points.shape[1]):
                s = (points[j, axis] - lower[chart, axis]) / half[chart, axis] - 1.0
                polynomial[0], polynomial[1] = 1.0, s
                for k in range(2, terms):
                    polynomial[k] = 2.0 * s * polynomial[k - 1] - polynomial[k - 2]
                if axis == 0:
                    for m in range(width):
                        own[m] = coefficients[chart, m]
                    for k in range(1, terms):
                        for m in range(width):
                            own[m] += polynomial[k] * coefficients[chart, k * width + m]
                else:
                    width //= terms
                    for k in range(1, terms):
                        for m in range(width):
                            own[m] += polynomial[k] * own[k * width + m]
            for m in range(width):
                found[j, m] = own[m]
