"""Back along the characteristics of a network whose neuron is linear between kinks, σ(z) = offset_l + slope_l z on its l-th piece.

Between the sheets ax_i + b = κ the potential is G = c(aP + bQ + K) + ½λ|θ|² with

    P = Σ_i z_i slope_{l_i} x_i,    Q = Σ_i z_i slope_{l_i},    K = Σ_i z_i offset_{l_i},

l_i the piece on which ax_i + b lies, so that a step of the classical Runge–Kutta scheme sees a smooth field as long as no l_i changes.
Where one does, the step ends on the sheet, which is found by Newton's method. The velocity jumps there; mass does not, so that its flux
through the sheet is the same on both sides,

    μ_before ν_before = μ_after ν_after,      ν = ⟨∇G, ∇(ax_i + b)⟩,

and the logarithm of the density grows by log(ν_before/ν_after) on the way. Where ν has another sign before the sheet, the flow leads
away from it on both sides: between them there is nothing, and the logarithm is −∞. So it is for a point that leaves the box.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from wgf.kernels.compiled import Array, Whole, pointwise, summing, threaded

TERMS = 5  # of the polynomials of z in a step
BLOCKS = 256  # of points
NEWTON = 4  # rounds of Newton's method on the way to a sheet
SLOTS = 7  # of a block's scratch: P, Q, K, and c, a, b with their rates


@pointwise
def piece(z: float, kinks: Array) -> int:
    """How many kinks lie below z."""
    count = 0
    for kink in kinks:
        count += 1 if z > kink else 0
    return count


@summing
def fill_sums_over_data(sums: Array, residuals: Array, inputs: Array, pieces: Whole, slopes: Array, offsets: Array) -> None:
    """P, Q, K as polynomials (3, TERMS) of the fraction of the step, for residuals (TERMS, n)."""
    for m in range(TERMS):
        p, q, k = 0.0, 0.0, 0.0
        for i in range(inputs.size):
            weight = residuals[m, i] * slopes[pieces[i]]
            p += weight * inputs[i]
            q += weight
            k += residuals[m, i] * offsets[pieces[i]]
        sums[0, m], sums[1, m], sums[2, m] = p, q, k


@pointwise
def at_fraction(terms: Array, u: float) -> float:
    """The polynomial at u."""
    value: float = terms[0] + u * (terms[1] + u * (terms[2] + u * (terms[3] + u * terms[4])))
    return value


@pointwise
def fill_rates(rates: Array, theta: Array, sums: Array, u: float, free: Array, pull: float) -> None:
    """∇G over the free coordinates, at the fraction u of the step."""
    p, q, k = at_fraction(sums[0], u), at_fraction(sums[1], u), at_fraction(sums[2], u)
    rates[0] = free[0] * (theta[1] * p + theta[2] * q + k + pull * theta[0])
    rates[1] = free[1] * (theta[0] * p + pull * theta[1])
    rates[2] = free[2] * (theta[0] * q + pull * theta[2])


@pointwise
def carry(
    end: Array, theta: Array, at: Array, rates: Array, sums: Array, u: float, part: float, dt: float, free: Array, pull: float
) -> None:
    """`end` = where `theta` comes to, back from the fraction u of a step of length dt to u − part."""
    for n in range(3):
        end[n], at[n] = theta[n], theta[n]
    for stage in range(4):
        weight = 2.0 if stage == 1 or stage == 2 else 1.0
        fill_rates(rates, at, sums, u - part * 0.5 * ((stage + 1) // 2), free, pull)
        for n in range(3):
            end[n] += part * dt / 6.0 * weight * rates[n]
            at[n] = theta[n] + part * dt * (1.0 if stage == 2 else 0.5) * rates[n]


@threaded
def carry_back_through_sheets(
    theta: Array,
    log: Array,
    lengths: Array,
    residuals: Array,
    inputs: Array,
    kinks: Array,
    slopes: Array,
    offsets: Array,
    free: Array,
    pull: float,
    box: Array,
    work: Array,
    pieces: Whole,
) -> None:
    """theta (M, 3), all of c, a and b, and log (M,), from the end of the steps of the given `lengths` (s,) to their beginning.

    residuals (s, TERMS, n)           z in each step, as polynomials of the fraction of it that has passed
    kinks (k,), slopes, offsets (k + 1,)
    free (3,)                         1 for coordinates that move, 0 for those that are fixed
    box (2, 3)                        lower and upper ends
    work (BLOCKS, SLOTS, TERMS), pieces (BLOCKS, n)   scratch
    """
    for block in numba.prange(BLOCKS):
        sums, at, rates, end, own = work[block, :3], work[block, 3], work[block, 4], work[block, 5], pieces[block]
        for j in range(block * log.size // BLOCKS, (block + 1) * log.size // BLOCKS):
            here = theta[j]
            for i in range(inputs.size):
                own[i] = piece(here[1] * inputs[i] + here[2], kinks)
            for step in range(lengths.size - 1, -1, -1):
                u, dt = 1.0, lengths[step]
                while u > 0.0 and log[j] > -np.inf:
                    fill_sums_over_data(sums, residuals[step], inputs, own, slopes, offsets)
                    carry(end, here, at, rates, sums, u, u, dt, free, pull)
                    first, datum, up = 2.0, -1, 0
                    for i in range(inputs.size):
                        z, new = here[1] * inputs[i] + here[2], end[1] * inputs[i] + end[2]
                        if own[i] < kinks.size and new > kinks[own[i]]:
                            fraction = (kinks[own[i]] - z) / (new - z) if new > z else 0.0
                            if fraction < first:
                                first, datum, up = fraction, i, 1
                        elif own[i] > 0 and new < kinks[own[i] - 1]:
                            fraction = (kinks[own[i] - 1] - z) / (new - z) if new < z else 0.0
                            if fraction < first:
                                first, datum, up = fraction, i, -1
                    if datum < 0:
                        here[0], here[1], here[2] = end[0], end[1], end[2]
                        break
                    x, kink = inputs[datum], kinks[own[datum] + (up - 1) // 2]
                    part = min(max(first, 0.0), 1.0) * u
                    for _ in range(NEWTON):
                        carry(end, here, at, rates, sums, u, part, dt, free, pull)
                        fill_rates(rates, end, sums, u - part, free, pull)
                        speed = dt * (rates[1] * x + rates[2])
                        if speed * up <= 0.0:
                            break
                        part = min(max(part + (kink - end[1] * x - end[2]) / speed, 0.0), u)
                    carry(end, here, at, rates, sums, u, part, dt, free, pull)
                    here[0], here[1], here[2] = end[0], end[1], end[2]
                    u -= part
                    fill_rates(rates, here, sums, u, free, pull)
                    after = (rates[1] * x + rates[2]) * up
                    change = here[0] * at_fraction(residuals[step, :, datum], u) * (slopes[own[datum] + up] - slopes[own[datum]])
                    before = after + change * (free[1] * x * x + free[2]) * up
                    own[datum] += up
                    log[j] = log[j] + math.log(before / after) if before > 0.0 and after > 0.0 else -np.inf
                if log[j] == -np.inf:
                    break
                for n in range(3):
                    if not box[0, n] <= here[n] <= box[1, n]:
                        log[j] = -np.inf
