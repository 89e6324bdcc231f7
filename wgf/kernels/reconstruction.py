"""The value on a face from the averages beside it: by slopes that are limited, or of fifth order in an interval.

Seen from the cell that gives, a face lies between it and the cell `ahead`:   far  behind  giver | ahead  beyond.

The limiter is chosen outside of the loops over faces: inside, all of them would be evaluated.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from wgf.kernels.compiled import Array, pointwise, serial


class Limiter(enum.IntEnum):
    """How the value on a face is found: by a slope that is bounded by the one-sided differences, or of fifth order in an interval."""

    UPWIND = 0
    MINMOD = 1
    VAN_LEER = 2
    MC = 3
    MP5 = 4


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
def smallest(here: float, other: float) -> float:
    """The smallest of here ≥ 0, other, 4·here − other and 4·other − here, or zero if that is more: minmod-4."""
    return max(0.0, min(min(here, other), min(4.0 * here - other, 4.0 * other - here)))


@pointwise
def fifth_order(far: float, behind: float, giver: float, ahead: float, beyond: float) -> float:
    """The value on the face between the averages `giver` and `ahead`, exact for polynomials of degree four, cut to an interval."""
    rise, step = giver - behind, ahead - giver
    return giver + in_interval(rise, step, rise - (behind - far), step - rise, (beyond - ahead) - step)


@pointwise
def in_interval(rise: float, step: float, before: float, here: float, after: float) -> float:
    """The value on a face less that of the giver, by its `rise` from the cell behind and `step` from it to that ahead, and
    the second differences around the cells behind (before), giver (here) and ahead (after).

    It is that of the polynomial of degree four with the five averages, (2 far − 13 behind + 47 giver + 27 ahead − 3 beyond)/60, cut to the
    interval of Suresh & Huynh [Accurate monotonicity-preserving schemes, J. Comput. Phys. 136 (1997) 83, (2.12)–(2.20)]: from the giver to
    `ahead`, widened by a median of curvature, and from the giver to what its other neighbour allows at a smooth extremum.
    """
    sign = 1.0 if here >= 0.0 else -1.0
    bend = sign * here
    value = 0.5 * step + (1 / 60) * (2.0 * before - 9.0 * here - 3.0 * after)
    median = 0.5 * (step - sign * smallest(bend, sign * after))
    upper = 4.0 * rise
    curved = 0.5 * rise + (4 / 3) * (sign * smallest(bend, sign * before))
    low = max(min(min(0.0, step), median), min(min(0.0, upper), curved))
    high = min(max(max(0.0, step), median), max(max(0.0, upper), curved))
    return max(low, min(high, value))


@pointwise
def fill_slope_fluxes(
    half_slope: Callable[[float, float], float], flux: Array, b: Array, c: Array, d: Array, e: Array, speed: Array
) -> None:
    """Fluxes through the faces between the cells c and d, with their outer neighbours b and e:  b  c | d  e.

    Seen from the cell that gives, the face lies between it and the cell `ahead`; only its slope is needed.
    """
    for j in range(flux.size):
        left, inner_left, inner_right, right = b[j], c[j], d[j], e[j]
        rightward = speed[j] > 0.0
        behind = left if rightward else right
        giver = inner_left if rightward else inner_right
        ahead = inner_right if rightward else inner_left
        flux[j] = speed[j] * (giver + half_slope(giver - behind, ahead - giver))


@pointwise
def fill_sharp_fluxes(
    flux: Array, a: Array, b: Array, c: Array, d: Array, e: Array, f: Array, speed: Array, left: Array, right: Array, pace: float
) -> None:
    """The same of fifth order, with one more neighbour on each side, a  b  c | d  e  f, and with the terms of product.py, which stand in
    `flux` before: at most pace/outflow of what the giver has, where 1/outflow of c is `left` and that of d `right`.

    The terms count as far as |speed|·giver. They do not vanish with the speed, whose sign the flux keeps: without this bound the flux would
    jump where the speed turns, and where the speed depends on the density beside the face (by U(μ)) a flow that comes to such a place would
    stay in it, between two fluxes, with no step short enough for its error.
    """
    for j in range(flux.size):
        u, v, w, x, y, z = a[j], b[j], c[j], d[j], e[j], f[j]
        rightward = speed[j] > 0.0  # chooses between results: of two averages LLVM would load one, and load each by itself
        slope_left, slope, slope_right = w - v, x - w, y - x
        outer_left, outer_right = slope_left - (v - u), (z - y) - slope_right
        left_bend, right_bend = slope - slope_left, slope_right - slope
        direction = 1.0 if rightward else -1.0
        giver, wait = w if rightward else x, left[j] if rightward else right[j]
        rise = direction * (slope_left if rightward else slope_right)
        here, after = left_bend if rightward else right_bend, right_bend if rightward else left_bend
        value = giver + in_interval(rise, direction * slope, outer_left if rightward else outer_right, here, after)
        given = speed[j] * giver
        most = pace * wait * given
        whole = speed[j] * value + max(-abs(given), min(abs(given), flux[j]))
        flux[j] = max(min(whole, max(most, 0.0)), min(most, 0.0))


@pointwise
def fill_limited_fluxes(limiter: int, flux: Array, b: Array, c: Array, d: Array, e: Array, speed: Array) -> None:
    """Fluxes of second or first order, with the limiter chosen at run time, outside the loop: inside, all of them would be evaluated."""
    if limiter == Limiter.MC:
        fill_slope_fluxes(half_central, flux, b, c, d, e, speed)
    elif limiter == Limiter.MINMOD:
        fill_slope_fluxes(half_minmod, flux, b, c, d, e, speed)
    elif limiter == Limiter.VAN_LEER:
        fill_slope_fluxes(half_van_leer, flux, b, c, d, e, speed)
    else:
        fill_slope_fluxes(half_zero, flux, b, c, d, e, speed)


@serial
def fill_upwind_values(limiter: int, from_below: Array, from_above: Array, lines: Array) -> None:
    """The values on the faces between cells along lines (n, k) as seen from either side, (n − 1, k) each; beyond the ends as at walls."""
    n = lines.shape[0]
    for face in range(n - 1):
        for k in range(lines.shape[1]):
            a, b, c = lines[max(face - 2, 0), k], lines[max(face - 1, 0), k], lines[face, k]
            d, e, f = lines[face + 1, k], lines[min(face + 2, n - 1), k], lines[min(face + 3, n - 1), k]
            from_below[face, k] = upwind_value(limiter, a, b, c, d, e)
            from_above[face, k] = upwind_value(limiter, f, e, d, c, b)


@pointwise
def upwind_value(limiter: int, far: float, behind: float, giver: float, ahead: float, beyond: float) -> float:
    """The value on the face between the averages `giver` and `ahead`, before it is cut to what the giver has."""
    before, after = giver - behind, ahead - giver
    if limiter == Limiter.MP5:
        return max(fifth_order(far, behind, giver, ahead, beyond), 0.0)
    if limiter == Limiter.MINMOD:
        return giver + half_minmod(before, after)
    if limiter == Limiter.VAN_LEER:
        return giver + half_van_leer(before, after)
    if limiter == Limiter.MC:
        return giver + half_central(before, after)
    return giver
