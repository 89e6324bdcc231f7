"""The value on a face from the averages beside it: by slopes that are limited, or of fifth or seventh order in an interval.

Seen from the cell that gives, a face lies between it and the cell `ahead`:   farther  far  behind  giver | ahead  beyond  farthest.

The limiter is chosen outside of the loops over faces: inside, all of them would be evaluated.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from wgf.kernels.compiled import Array, pointwise, serial


class Limiter(enum.IntEnum):
    """How the value on a face is found: by a slope that is bounded by the one-sided differences, or, from MP5 on, of higher order in an
    interval.
    """

    UPWIND = 0
    MINMOD = 1
    VAN_LEER = 2
    MC = 3
    MP5 = 4
    MP7 = 5


# A value on a face is giver + ½ step + Σ weight·(second difference around farther … beyond), by the polynomial of degree four or six with
# the averages far … beyond or farther … farthest [Suresh & Huynh, (2.1), and the same with two more cells].
FIFTH = (0.0, 14 / 420, -63 / 420, -21 / 420, 0.0)
SEVENTH = (-3 / 420, 19 / 420, -60 / 420, -30 / 420, 4 / 420)
LEAST = 1e-13  # of |speed|·giver: a smaller flux is rounding, by which a cell beside empty ones would get mass, and be active, or not


@pointwise
def is_sharp(limiter: int) -> bool:
    """Whether values are of fifth or seventh order."""
    return limiter >= Limiter.MP5


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
    less, more = min(here, other), max(here, other)
    return max(0.0, min(less, 4.0 * less - more))


@pointwise
def of_higher_order(
    weights: tuple[float, float, float, float, float], step: float, farther: float, far: float, here: float, ahead: float, beyond: float
) -> float:
    """The value on a face less that of the giver by a polynomial, from the step to the cell ahead and second differences."""
    return 0.5 * step + (weights[0] * farther + weights[1] * far + weights[2] * here + weights[3] * ahead + weights[4] * beyond)


@pointwise
def in_interval(value: float, rise: float, step: float, before: float, here: float, after: float) -> float:
    """The value on a face less that of the giver, cut to the interval of Suresh & Huynh [Accurate monotonicity-preserving schemes, J.
    Comput. Phys. 136 (1997) 83, (2.12)–(2.20)]: from the giver to `ahead`, widened by a median of curvature, and from the giver to what its
    other neighbour allows at a smooth extremum.

    rise, step             from the cell behind the giver to it, and from it to that ahead
    before, here, after    second differences around the cells behind, giver and ahead
    """
    sign = 1.0 if here >= 0.0 else -1.0
    bend = sign * here
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
    limiter: int, flux: Array, a: Array, b: Array, c: Array, d: Array, e: Array, f: Array, g: Array, h: Array, speed: Array, left: Array,
    right: Array, pace: float,
) -> None:  # fmt: skip
    """The same of higher order, with two more neighbours on each side, a  b  c  d | e  f  g  h, and with the terms of product.py, which
    stand in `flux` before: at most pace/outflow of what the giver has, where 1/outflow of d is `left` and that of e `right`.

    What is left of a flux that vanishes but for rounding is zero: which cells have mass, and so how long steps are, must not depend on it.
    The terms count as far as |speed|·giver. They do not vanish with the speed, whose sign the flux keeps: without this bound the flux would
    jump where the speed turns, and where the speed depends on the density beside the face (by U(μ)) a flow that comes to such a place would
    stay in it, between two fluxes, with no step short enough for its error.
    """
    weights = SEVENTH if limiter == Limiter.MP7 else FIFTH
    for j in range(flux.size):
        # What is chosen are results, and their parts are read before: of two entries LLVM would load one, and load each by itself.
        below, above, rightward = d[j], e[j], speed[j] > 0.0
        below_waits, above_waits = below * left[j], above * right[j]
        left2, left1, slope, right1, right2 = c[j] - b[j], below - c[j], above - below, f[j] - above, g[j] - f[j]
        bend3, bend2, bend1 = left2 - (b[j] - a[j]), left1 - left2, slope - left1
        end1, end2, end3 = right1 - slope, right2 - right1, (h[j] - g[j]) - right2
        direction = 1.0 if rightward else -1.0
        giver, giver_waits = below if rightward else above, below_waits if rightward else above_waits
        rise, step = direction * (left1 if rightward else right1), direction * slope
        before, here, after = bend2 if rightward else end2, bend1 if rightward else end1, end1 if rightward else bend1
        whole = of_higher_order(weights, step, bend3 if rightward else end3, before, here, after, end2 if rightward else bend2)
        value = giver + in_interval(whole, rise, step, before, here, after)
        pushed = abs(speed[j])
        given = pushed * giver
        wanted = pushed * value + max(-given, min(given, direction * flux[j]))
        allowed = min(wanted, pace * (giver_waits * pushed))
        flux[j] = 0.0 if allowed <= LEAST * given else direction * allowed


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
            a, b, c, d = lines[max(face - 3, 0), k], lines[max(face - 2, 0), k], lines[max(face - 1, 0), k], lines[face, k]
            e, f = lines[face + 1, k], lines[min(face + 2, n - 1), k]
            g, h = lines[min(face + 3, n - 1), k], lines[min(face + 4, n - 1), k]
            from_below[face, k] = upwind_value(limiter, a, b, c, d, e, f, g)
            from_above[face, k] = upwind_value(limiter, h, g, f, e, d, c, b)


@pointwise
def upwind_value(
    limiter: int, farther: float, far: float, behind: float, giver: float, ahead: float, beyond: float, farthest: float
) -> float:
    """The value on the face between the averages `giver` and `ahead`, before it is cut to what the giver has."""
    rise, step = giver - behind, ahead - giver
    if is_sharp(limiter):
        before, here, after = rise - (behind - far), step - rise, (beyond - ahead) - step
        outer, inner = (behind - far) - (far - farther), (farthest - beyond) - (beyond - ahead)
        whole = of_higher_order(SEVENTH if limiter == Limiter.MP7 else FIFTH, step, outer, before, here, after, inner)
        return max(giver + in_interval(whole, rise, step, before, here, after), 0.0)
    if limiter == Limiter.MINMOD:
        return giver + half_minmod(rise, step)
    if limiter == Limiter.VAN_LEER:
        return giver + half_van_leer(rise, step)
    if limiter == Limiter.MC:
        return giver + half_central(rise, step)
    return giver
