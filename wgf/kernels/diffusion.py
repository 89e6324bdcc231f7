"""Implicit steps of ∂_t μ = div(μ ∇G) + τ Δμ along one axis of a grid, line by line, for a G that does not change in time.

Fluxes. Scharfetter & Gummel (IEEE Trans. Electron Devices 16 (1969) 64): between the cells i and i + 1 of a line

    J_i = up_i μ_i − down_i μ_{i+1},   up_i = τ/h² B(x_i),   down_i = τ/h² B(−x_i),   x_i = (G_{i+1} − G_i)/τ,

with B(x) = x/(eˣ − 1). Since B(−x) = eˣ B(x), J vanishes for μ_i = e^{−G_i/τ}: the Gibbs state is kept. The rates are
positive, so dμ/dt = Aμ is a Markov chain in detailed balance with the Gibbs state.

Steps. Three implicit Euler steps of s = dt/3, u_k − sAu_k = u_{k−1}, keep every cell positive, keep mass, and let
∫Gμ + τ∫μ log μ fall, for any dt. With u_3 − 2u_2 + u_1 = sA(u_3 − u_2) the value

    u = u_3 − (3/2)·sA(u_3 − u_2),   that is   R(z) = (1 − z²/6)/(1 − z/3)³ = eᶻ + O(z³),   R(−∞) = 0,

is of second order, and L-stable. The correction is the divergence of a flux, of which a cell gives away at most half of its
u_3 (in the manner of Zalesak, J. Comput. Phys. 31 (1979) 335): positivity and mass hold for the corrected value, too.

The matrix 1 − sA is factored without a subtraction (Grassmann, Taksar & Heyman, Oper. Res. 33 (1985) 1107): with d_i what
leaves cell i and k_i what of it stays in the chain 0 … i, k_{i+1} = 1 + down_i k_i/d_i, d_i = k_i + up_i. Every digit of its
small entries is kept. On a periodic axis the last cell borders all others, with rates `out` to it and `back` from it.

Speed. LANES lines are solved side by side, gathered into scratch where entry i·LANES + l is cell i of line l. All loops are
over single flat arrays, in which a neighbour is LANES entries away, so that they vectorise.
"""

from __future__ import annotations

import numba
import numpy as np

from wgf.kernels.compiled import Array, compiled_once, pointwise, summing, threaded
from wgf.kernels.exponential import EXPONENT, LN2_HIGH, LN2_LOW, LOG2E, ROUNDER, relative_growth
from wgf.kernels.lines import LANES, gather, scatter

SLOTS = 14  # arrays of scratch, of (cells + 1)·LANES entries each

TINY = 1e-300  # in place of a vanishing difference in B, and for a vanishing flux
LARGEST = 700.0  # of x in B(x): beyond it eˣ overflows
MOST_GIVEN = 0.5  # of a cell's mass that the correction may take


@compiled_once
def fill_rates(up: Array, down: Array, low: Array, high: Array, bits: Array, tau: float, per_h2: float) -> None:
    """Rates s·up and s·down through the faces between potentials low and high, for per_h2 = s·τ/h²; `bits` is scratch.

    eʸ − 1 = 2ᵏ(eʳ − 1) + (2ᵏ − 1), y = |x| = k log 2 + r, |r| ≤ ½ log 2 (exponential.py). The larger of the two rates is B(−y) = y + B(y).
    """
    whole, per_tau = bits.view(np.int64), 1.0 / tau
    for k in range(up.size):
        up[k] = min(max(abs(high[k] - low[k]) * per_tau, TINY), LARGEST)
        bits[k] = up[k] * LOG2E + ROUNDER
    for k in range(up.size):
        down[k] = bits[k] - ROUNDER
    for k in range(up.size):
        whole[k] = (whole[k] << 52) + EXPONENT
    for k in range(up.size):
        y, power = up[k], bits[k]
        r = (y - down[k] * LN2_HIGH) - down[k] * LN2_LOW
        down[k] = y / (power * (r * relative_growth(r)) + (power - 1.0))
    for k in range(up.size):
        small = down[k]
        large = small + abs(high[k] - low[k]) * per_tau
        climbs = high[k] > low[k]
        up[k] = per_h2 * (small if climbs else large)
        down[k] = per_h2 * (large if climbs else small)


@compiled_once
def factor(inverse: Array, kept: Array, back: Array, up: Array, down: Array) -> None:
    """1/d_i and down_i/d_i of a chain with closed ends."""
    size = inverse.size
    for k in range(LANES):
        kept[k] = 1.0
    ahead = kept[LANES:]
    for k in range(size):
        inverse[k] = 1.0 / (kept[k] + up[k])
        ahead[k] = 1.0 + down[k] * kept[k] * inverse[k]
    for k in range(size):
        back[k] = down[k] * inverse[k]


@compiled_once
def solve(x: Array, b: Array, inverse: Array, back: Array, up: Array) -> None:
    """Solve (1 − sA)x = b on the lines of a chain with closed ends: down the chain, x = (b + up x_{i−1})/d, and back."""
    size = b.size
    for k in range(LANES):
        x[k] = b[k] * inverse[k]
    ahead, right, scale = x[LANES:], b[LANES:], inverse[LANES:]
    for k in range(size - LANES):
        ahead[k] = (right[k] + up[k] * x[k]) * scale[k]
    for i in range(size // LANES - 2, -1, -1):
        here, there, share = x[i * LANES : (i + 1) * LANES], x[(i + 1) * LANES : (i + 2) * LANES], back[i * LANES : (i + 1) * LANES]
        for k in range(here.size):
            here[k] += share[k] * there[k]


@compiled_once
def factor_ring(inverse: Array, kept: Array, back: Array, out: Array, home: Array, up: Array, down: Array) -> None:
    """The same for a ring: what leaves d_i = kept + up + out, and the shares (times s) `home` from and `out` to the last cell.

    Eliminating cell i links i + 1 with the last cell: out_{i+1} = down_i out_i/d_i and home_{i+1} = home_i up_i/d_i. The last
    cell's own entry of `inverse` is 1 over what it keeps of all.
    """
    cells = inverse.size // LANES
    last = (cells - 1) * LANES
    for k in range(LANES):
        kept[k], out[k], home[k] = 1.0, down[last + k], up[last + k]
        total = 1.0
        for i in range(k, last, LANES):
            onwards, inwards = up[i], down[i]
            if i + LANES >= last:  # the next cell is the last one: two ways to it become one
                out[i] += onwards
                home[i] += inwards
                onwards, inwards = 0.0, 0.0
            inverse[i] = 1.0 / (kept[i] + onwards + out[i])
            back[i] = inwards * inverse[i]
            kept[i + LANES] = 1.0 + inwards * kept[i] * inverse[i]
            out[i + LANES] = inwards * out[i] * inverse[i]
            home[i + LANES] = home[i] * onwards * inverse[i]
            total += home[i] * kept[i] * inverse[i]
        inverse[last + k] = 1.0 / total


@compiled_once
def solve_ring(x: Array, b: Array, inverse: Array, back: Array, out: Array, home: Array, up: Array) -> None:
    """Solve (1 − sA)x = b on rings factored by `factor_ring`."""
    last = b.size - LANES
    for k in range(LANES):
        gathered, carried = b[last + k], 0.0
        for i in range(k, last, LANES):
            x[i] = (b[i] + carried) * inverse[i]
            gathered += out[i] * x[i]
            carried = up[i] * x[i]
        x[last + k] = gathered * inverse[last + k]
        for i in range(last - LANES + k, -1, -LANES):
            x[i] += home[i] * inverse[i] * x[last + k] + back[i] * x[i + LANES]


@compiled_once
def fill_correction(flux: Array, later: Array, earlier: Array, up: Array, down: Array) -> None:
    """−(3/2)·J(u_3 − u_2) through the upper face of every cell but the last, times s."""
    upper_later, upper_earlier = later[LANES:], earlier[LANES:]
    for k in range(flux.size):
        flux[k] = 1.5 * (down[k] * (upper_later[k] - upper_earlier[k]) - up[k] * (later[k] - earlier[k]))


@compiled_once
def fill_shares(share: Array, values: Array, flux: Array) -> None:
    """What of its outgoing corrections each cell can give, at most MOST_GIVEN of it; flux[k] and flux[k + LANES] are its faces'."""
    upper = flux[LANES:]
    for k in range(share.size):
        given = max(upper[k], 0.0) - min(flux[k], 0.0)
        share[k] = min(1.0, MOST_GIVEN * values[k] / max(given, TINY))


@compiled_once
def limit(flux: Array, share: Array) -> None:
    """Scale the flux through the upper face of every cell but the last by what its giver can give."""
    upper = share[LANES:]
    for k in range(flux.size):
        flux[k] *= share[k] if flux[k] > 0.0 else upper[k]


@compiled_once
def correct(values: Array, flux: Array) -> None:
    """Add the divergence of the limited correction; flux[k] and flux[k + LANES] are the lower and the upper face of a cell."""
    upper = flux[LANES:]
    for k in range(values.size):
        values[k] += flux[k] - upper[k]


@compiled_once
def advance(work: Array, cells: int, periodic: bool, tau: float, per_h2: float, second_order: bool) -> None:
    """Move LANES lines: from work[0], with their potential in work[1], and the result in work[0].

    per_h2 is dt·τ/h², or a third of it for the three steps of the second order.
    """
    size = cells * LANES
    inner = size - LANES
    u, g, up, down = work[0, :size], work[1, :size], work[2, :size], work[3, :size]
    inverse, kept, back, bits = work[4, :size], work[5, : size + LANES], work[6, :size], work[7, :size]
    first, second, out, home = work[8, :size], work[9, :size], work[10, : size + LANES], work[11, : size + LANES]
    fill_rates(up[:inner], down[:inner], g[:inner], g[LANES:], bits[:inner], tau, per_h2)
    if periodic:
        fill_rates(up[inner:], down[inner:], g[inner:], g[:LANES], bits[inner:], tau, per_h2)
        factor_ring(inverse, kept, back, out, home, up, down)
    else:
        for k in range(inner, size):
            up[k], down[k] = 0.0, 0.0
        factor(inverse, kept, back, up, down)
    steps = 3 if second_order else 1
    for n in range(steps):
        b, x = (u, first) if n == 0 else ((first, second) if n == 1 else (second, u))
        if periodic:
            solve_ring(x, b, inverse, back, out, home, up)
        else:
            solve(x, b, inverse, back, up)
    if second_order:
        flux, share = work[12, : size + LANES], work[13, :size]
        flux[:LANES] = 0.0
        fill_correction(flux[LANES:size], u, second, up[:inner], down[:inner])
        if periodic:
            fill_correction_ring(flux, u, second, up, down, inner)
        else:
            flux[size:] = 0.0
        fill_shares(share, u, flux)
        limit(flux[LANES:size], share)
        if periodic:
            for k in range(LANES):
                flux[size + k] *= share[inner + k] if flux[size + k] > 0.0 else share[k]
                flux[k] = flux[size + k]
        correct(u, flux)
    else:
        for k in range(size):  # u[:] = first brings Numba's words about shapes that do not fit, which take seconds to compile
            u[k] = first[k]


@pointwise
def fill_correction_ring(flux: Array, later: Array, earlier: Array, up: Array, down: Array, inner: int) -> None:
    """The correction through the face between the last cell and the first, which is both the first and the last of `flux`."""
    for k in range(LANES):
        end = inner + k
        flux[end + LANES] = 1.5 * (down[end] * (later[k] - earlier[k]) - up[end] * (later[end] - earlier[end]))
        flux[k] = flux[end + LANES]


@threaded
def implicit_sweep(
    values: Array,
    potential: Array,
    out: Array,
    cells: int,
    stride: int,
    periodic: bool,
    tau: float,
    per_h2: float,
    second_order: bool,
    work: Array,
) -> None:
    """Move every line of `cells` cells, `stride` apart in the flat arrays, by `dt`, and put the result into `out` (≠ values).

    values, potential, out   (N,), the cells of the grid in memory order
    per_h2                   dt/h²
    work                     (blocks, SLOTS, (cells + 1)·LANES), scratch
    """
    lane_stride = cells if stride == 1 else 1
    lines = values.size // cells if stride == 1 else stride  # that lie side by side
    runs = values.size // (lines * cells)
    groups, blocks = (lines + LANES - 1) // LANES, work.shape[0]
    scale = tau * per_h2 / 3.0 if second_order else tau * per_h2
    for block in numba.prange(blocks):
        u, g = work[block, 0, : cells * LANES], work[block, 1, : cells * LANES]
        for group in range(block * groups * runs // blocks, (block + 1) * groups * runs // blocks):
            first = (group % groups) * LANES
            start = (group // groups) * lines * cells + first * lane_stride
            last_lane = min(LANES, lines - first) - 1
            gather(u, values, start, lane_stride, last_lane, stride)
            gather(g, potential, start, lane_stride, last_lane, stride)
            advance(work[block], cells, periodic, tau, scale, second_order)
            scatter(out, u, start, lane_stride, last_lane, stride)


@summing
def dissipated(
    low: Array,
    high: Array,
    low_potential: Array,
    high_potential: Array,
    low_logarithm: Array,
    high_logarithm: Array,
    scratch: Array,
    tau: float,
) -> float:
    """Σ h²·J·(ξ_low − ξ_high) over the faces between two stretches of cells.

    Each term is ≥ 0, since J has the sign of ξ_low − ξ_high; a negative one is rounding, as where e^{−G/τ} is no longer a number.
    """
    faces = low.size
    up, down, bits = scratch[0, :faces], scratch[1, :faces], scratch[2, :faces]
    fill_rates(up, down, low_potential, high_potential, bits, tau, tau)
    total = 0.0
    for k in range(faces):
        bits[k] = tau * (low_logarithm[k] - high_logarithm[k]) + (low_potential[k] - high_potential[k])
    for k in range(faces):
        term = (up[k] * low[k] - down[k] * high[k]) * bits[k]
        total += 0.0 if term < 0.0 else term
    return total


@threaded
def fill_dissipation(
    readings: Array,
    values: Array,
    logarithms: Array,
    potential: Array,
    cells: int,
    stride: int,
    periodic: bool,
    tau: float,
    per_h2: float,
    work: Array,
) -> None:
    """Σ_faces J·(ξ_i − ξ_{i+1}), ξ = G + τ log μ, along one axis, per block: what the scheme's ∫Gμ + τ∫μ log μ loses by it.

    The lower cells of the faces of a run of `stride` lines lie side by side; they are taken in stretches of what fits into
    work (blocks, SLOTS, …), scratch.
    """
    blocks, span, longest = readings.size, stride * cells, work.shape[2]
    inner = (span - stride + longest - 1) // longest
    ends = (stride + longest - 1) // longest if periodic else 0  # stretches of the faces between the last and the first cells
    tasks = values.size // span * (inner + ends)
    for block in numba.prange(blocks):
        total = 0.0
        for task in range(block * tasks // blocks, (block + 1) * tasks // blocks):
            run, stretch = (task // (inner + ends)) * span, task % (inner + ends)
            if stretch < inner:
                first, last, step = run + stretch * longest, run + span - stride, stride
            else:
                first, last, step = run + span - stride + (stretch - inner) * longest, run + span, stride - span
            last = min(last, first + longest)
            total += dissipated(
                values[first:last], values[first + step : last + step], potential[first:last], potential[first + step : last + step],
                logarithms[first:last], logarithms[first + step : last + step], work[block], tau,
            )  # fmt: skip
        readings[block] = total * per_h2
