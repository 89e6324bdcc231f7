"""Back along the characteristics of a network's flow: places, and the logarithm of the density, from a time t to 0, in threads over points.

For g = c·σ(ax + b) the potential is G = c·H + ½λ|θ|², H = Σ_i z_i σ(a x_i + b) for the residual z of the time. Backwards, a point and the
logarithm of the density that it brings with it obey

    c' = H + λc,    u' = c ∂_u H + λu  for u = a or b, or both,    (log)' = c Σ_u ∂²_u H      (the part pλ is left to the caller),

which is ∇G and ΔG. H is a spline of degree five at each of the 2n + 1 times that n steps of the classical Runge–Kutta scheme of fourth
order look at: on an interval of length h, at the fraction r,

    H = Σ_k B_k(r) coefficient_k,    B_k(r) = Σ_m BASIS[m, k] r^m,    k = 0 … 5,

along one axis as the polynomial itself, on a plane by the products of both axes' B_k. A point that leaves the box `lower`, `upper` stops:
its logarithm is −∞.
"""

from __future__ import annotations

import numba
import numpy as np

from wgf.kernels.compiled import Array, pointwise, summing, threaded

TERMS = 6  # of a polynomial of degree five
BLOCKS = 256  # of points
LANES = 64  # points that take a stage together
BASIS = (
    np.array(
        [
            [1, 26, 66, 26, 1, 0],
            [-5, -50, 0, 50, 5, 0],
            [10, 20, -60, 20, 10, 0],
            [-10, 20, 0, -20, 10, 0],
            [5, -20, 30, -20, 5, 0],
            [-1, 5, -10, 10, -5, 1],
        ],
        dtype=float,
    )
    / 120.0
)
WIDTH = 8  # a whole vector
WIDE = np.pad(BASIS, ((0, 0), (0, WIDTH - TERMS)))  # with two B_k that are zero


@pointwise
def place(x: float, intervals: int) -> int:
    """The interval in which x, counted in intervals, lies, or the one nearest to it."""
    return int(min(max(x, 0.0), intervals - 1.0))


@pointwise
def on_line(table: Array, x: float, per_h: float) -> tuple[float, float, float]:
    """H, H', H'' at x, counted in intervals, from the polynomials (intervals, 6)."""
    k = place(x, table.shape[0])
    r, p = x - k, table[k]
    value = p[0] + r * (p[1] + r * (p[2] + r * (p[3] + r * (p[4] + r * p[5]))))
    slope = p[1] + r * (2.0 * p[2] + r * (3.0 * p[3] + r * (4.0 * p[4] + r * 5.0 * p[5])))
    bend = 2.0 * p[2] + r * (6.0 * p[3] + r * (12.0 * p[4] + r * 20.0 * p[5]))
    return value, slope * per_h, bend * per_h * per_h


@threaded
def carry_back_on_line(
    c: Array,
    u: Array,
    log: Array,
    lengths: Array,
    tables: Array,
    origin: float,
    per_h: float,
    free: float,
    pull: float,
    box: Array,
    work: Array,
) -> None:
    """c, u (M,) and log (M,) from the end of the steps of the given `lengths` (n,) to their beginning; scratch work (BLOCKS, 8, LANES).

    tables (2n + 1, intervals, 6)   polynomials of H at the ends and middles of the steps, in the order of time
    origin, per_h                   where the first interval begins, and one over their length
    free                            1 where c moves, 0 where it is fixed
    pull                            λ
    box (2, 2)                      lower and upper ends of c and u

    LANES points take each stage together, since each waits for its own last stage.
    """
    for block in numba.prange(BLOCKS):
        last = (block + 1) * c.size // BLOCKS
        at_c, at_u, sum_c, sum_u, sum_log = work[block, 0], work[block, 1], work[block, 2], work[block, 3], work[block, 4]
        value, slope, bend = work[block, 5], work[block, 6], work[block, 7]
        for first in range(block * c.size // BLOCKS, last, LANES):
            count = min(LANES, last - first)
            from_c, from_u, logs = c[first : first + count], u[first : first + count], log[first : first + count]
            for step in range(lengths.size - 1, -1, -1):
                dt = lengths[step]
                for j in range(count):
                    at_c[j], at_u[j], sum_c[j], sum_u[j], sum_log[j] = from_c[j], from_u[j], 0.0, 0.0, 0.0
                for stage in range(4):
                    weight = 2.0 if stage == 1 or stage == 2 else 1.0
                    way = dt if stage == 2 else 0.5 * dt
                    table = tables[2 * step + 2 - (stage + 1) // 2]
                    for j in range(count):  # apart from the next loop, which is vectorised
                        value[j], slope[j], bend[j] = on_line(table, (at_u[j] - origin) * per_h, per_h)
                    for j in range(count):
                        rate_c, rate_u = free * (value[j] + pull * at_c[j]), at_c[j] * slope[j] + pull * at_u[j]
                        sum_c[j] += weight * rate_c
                        sum_u[j] += weight * rate_u
                        sum_log[j] += weight * at_c[j] * bend[j]
                        at_c[j], at_u[j] = from_c[j] + way * rate_c, from_u[j] + way * rate_u
                for j in range(count):
                    if logs[j] > -np.inf:
                        from_c[j] += dt / 6.0 * sum_c[j]
                        from_u[j] += dt / 6.0 * sum_u[j]
                        logs[j] += dt / 6.0 * sum_log[j]
                        if not (box[0, 0] <= from_c[j] <= box[1, 0] and box[0, 1] <= from_u[j] <= box[1, 1]):
                            logs[j] = -np.inf


@summing
def fill_basis(basis: Array, r: float) -> None:
    """B_k, B_k', B_k'' at r into `basis` (3·WIDTH,), one behind the other."""
    for k in range(basis.size // 3):  # a count that is not known beforehand stays a loop, which is vectorised
        p0, p1, p2, p3, p4, p5 = WIDE[0, k], WIDE[1, k], WIDE[2, k], WIDE[3, k], WIDE[4, k], WIDE[5, k]
        basis[k] = p0 + r * (p1 + r * (p2 + r * (p3 + r * (p4 + r * p5))))
        basis[WIDTH + k] = p1 + r * (2.0 * p2 + r * (3.0 * p3 + r * (4.0 * p4 + r * 5.0 * p5)))
        basis[2 * WIDTH + k] = 2.0 * p2 + r * (6.0 * p3 + r * (12.0 * p4 + r * 20.0 * p5))


@pointwise
def combined(basis: Array, first: int, t0: float, t1: float, t2: float, t3: float, t4: float, t5: float) -> float:
    """Σ_k basis[first + k] t_k."""
    lower = basis[first] * t0 + basis[first + 1] * t1 + basis[first + 2] * t2
    upper = basis[first + 3] * t3 + basis[first + 4] * t4 + basis[first + 5] * t5
    return float(lower + upper)


@summing
def on_plane(table: Array, x: float, y: float, per_h: Array, along: Array) -> tuple[float, float, float, float]:
    """H, ∂_a H, ∂_b H, ∂²_a H + ∂²_b H at (x, y), counted in intervals, from coefficients (intervals + 5, intervals + WIDTH − 1)."""
    i, j = place(x, table.shape[0] - TERMS + 1), place(y, table.shape[1] - WIDTH + 1)
    fill_basis(along, x - i)
    r, end = y - j, j + WIDTH
    t0, t1, t2 = table[i, j:end], table[i + 1, j:end], table[i + 2, j:end]
    t3, t4, t5 = table[i + 3, j:end], table[i + 4, j:end], table[i + 5, j:end]
    value, slope_a, slope_b, bend_a, bend_b = 0.0, 0.0, 0.0, 0.0, 0.0
    for m in range(WIDTH):
        p0, p1, p2, p3, p4, p5 = WIDE[0, m], WIDE[1, m], WIDE[2, m], WIDE[3, m], WIDE[4, m], WIDE[5, m]
        plain = p0 + r * (p1 + r * (p2 + r * (p3 + r * (p4 + r * p5))))
        sloped = p1 + r * (2.0 * p2 + r * (3.0 * p3 + r * (4.0 * p4 + r * 5.0 * p5)))
        bent = 2.0 * p2 + r * (6.0 * p3 + r * (12.0 * p4 + r * 20.0 * p5))
        inner = combined(along, 0, t0[m], t1[m], t2[m], t3[m], t4[m], t5[m])
        value += plain * inner
        slope_b += sloped * inner
        bend_b += bent * inner
        slope_a += plain * combined(along, WIDTH, t0[m], t1[m], t2[m], t3[m], t4[m], t5[m])
        bend_a += plain * combined(along, 2 * WIDTH, t0[m], t1[m], t2[m], t3[m], t4[m], t5[m])
    return value, slope_a * per_h[0], slope_b * per_h[1], bend_a * per_h[0] * per_h[0] + bend_b * per_h[1] * per_h[1]


@threaded
def carry_back_on_plane(
    c: Array,
    a: Array,
    b: Array,
    log: Array,
    lengths: Array,
    tables: Array,
    origin: Array,
    per_h: Array,
    free: float,
    pull: float,
    box: Array,
    work: Array,
) -> None:
    """The same for c, a and b; scratch work (BLOCKS, 12, LANES).

    tables (2n + 1, intervals + 5, intervals + WIDTH − 1)   coefficients of H, and columns that are multiplied by zero
    origin, per_h (2,); box (2, 3)                          of both axes; of c, a and b
    """
    for block in numba.prange(BLOCKS):
        last = (block + 1) * c.size // BLOCKS
        at_c, at_a, at_b, along = work[block, 0], work[block, 1], work[block, 2], work[block, 3, : 3 * WIDTH]
        value, slope_a, slope_b, bend = work[block, 4], work[block, 5], work[block, 6], work[block, 7]
        sum_c, sum_a, sum_b, sum_log = work[block, 8], work[block, 9], work[block, 10], work[block, 11]
        for first in range(block * c.size // BLOCKS, last, LANES):
            count = min(LANES, last - first)
            end = first + count
            from_c, from_a, from_b, logs = c[first:end], a[first:end], b[first:end], log[first:end]
            for step in range(lengths.size - 1, -1, -1):
                dt = lengths[step]
                for j in range(count):
                    at_c[j], at_a[j], at_b[j] = from_c[j], from_a[j], from_b[j]
                    sum_c[j], sum_a[j], sum_b[j], sum_log[j] = 0.0, 0.0, 0.0, 0.0
                for stage in range(4):
                    weight = 2.0 if stage == 1 or stage == 2 else 1.0
                    way = dt if stage == 2 else 0.5 * dt
                    table = tables[2 * step + 2 - (stage + 1) // 2]
                    for j in range(count):
                        x, y = (at_a[j] - origin[0]) * per_h[0], (at_b[j] - origin[1]) * per_h[1]
                        value[j], slope_a[j], slope_b[j], bend[j] = on_plane(table, x, y, per_h, along)
                    for j in range(count):
                        rate_c, rate_a = free * (value[j] + pull * at_c[j]), at_c[j] * slope_a[j] + pull * at_a[j]
                        rate_b = at_c[j] * slope_b[j] + pull * at_b[j]
                        sum_c[j] += weight * rate_c
                        sum_a[j] += weight * rate_a
                        sum_b[j] += weight * rate_b
                        sum_log[j] += weight * at_c[j] * bend[j]
                        at_c[j], at_a[j], at_b[j] = from_c[j] + way * rate_c, from_a[j] + way * rate_a, from_b[j] + way * rate_b
                for j in range(count):
                    if logs[j] > -np.inf:
                        from_c[j] += dt / 6.0 * sum_c[j]
                        from_a[j] += dt / 6.0 * sum_a[j]
                        from_b[j] += dt / 6.0 * sum_b[j]
                        logs[j] += dt / 6.0 * sum_log[j]
                        inside_a, inside_b = box[0, 1] <= from_a[j] <= box[1, 1], box[0, 2] <= from_b[j] <= box[1, 2]
                        if not (box[0, 0] <= from_c[j] <= box[1, 0] and inside_a and inside_b):
                            logs[j] = -np.inf
