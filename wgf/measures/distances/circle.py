"""Distances on a circle of circumference P, exact for points and for densities that are constant on their cells.

The circle is cut open, and F and G are the distribution functions from the cut on, H = F − G. Another cut changes H by a constant a, the
mass that a plan may carry through the cut. The best of all constants makes the formulas of the line (line.py) those of the circle:

    W₁ = min_a ∫ |H − a| dx,     a a median of H;         energy² = 2 min_a ∫ (H − a)² dx,     a the mean of H,

the former by [Cabrelli & Molter, J. Comput. Appl. Math. 57 (1995) 345], the latter the circular form of the Cramér distance [Watson,
Biometrika 48 (1961) 109]. It is the energy distance for

    D(x, y) = d (1 − d/P),     d the length of the shorter arc between x and y,

the resistance of both arcs in parallel, nearly d on a small part of the circle. To see it, let s and t be uniform on the circle. The arc
from s to t separates x from y if one of s, t lies on either side of them: with probability 2 d (P − d)/P² = 2 D/P. With σ = μ − ν,
whose mass is zero, as on the line,

    −∬ D dσ dσ = (P/2) E[2 σ(arc)²] = P E (H(t) − H(s))² = 2 ∫ (H − mean)² dx.

So it is zero for μ = ν only. With d itself only arcs of length P/2 count, and of measures that differ by the same masses at opposite
points, such as two opposite atoms and the same a quarter further on, the distance would be zero.

For W₂ the circle is unrolled to the line of all its images, on which the quantile functions go on as F⁻¹(u + 1) = F⁻¹(u) + P. An optimal
plan keeps the order of the circle: it joins F⁻¹(u) to G⁻¹(u − α), for some shift α in [−1, 1] [Delon, Salomon & Sobolevski, SIAM J. Appl.
Math. 70 (2010) 2239],

    W₂² = min_α C(α),   C(α) = ∫₀¹ D_α² du,   D_α(u) = F⁻¹(u) − G⁻¹(u − α),   C'(α) = 2 ∮ D_α dG⁻¹(u − α),

once around. C is convex: C' increases, as D_α does for every u. The shift is the zero of C', found by bracketing. Levels of F and shifted
ones of G that agree up to ROUNDING are taken for the same: measures that differ by the cut only are at distance zero, not at the root of
rounding.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from scipy import optimize

from wgf.measures.distances.line import (
    Coupling,
    Pieces,
    Steps,
    cost_of,
    distribution_gaps,
    levels_of,
    pieces,
    quantiles,
    size_of,
    square_of,
)
from wgf.measures.measure import Measure

ROUNDING = 1e-14  # of levels, which lie between zero and one
FARTHEST = 1.25  # shift that is looked at: more than one, so that C' has its sign there for certain
TURNS = 2  # by which quantile functions go on in either direction, for such shifts


def cut_open(mu: Measure, nu: Measure, period: float) -> tuple[Pieces, Pieces]:
    """The quantile functions of μ and ν on [c, c + P], with the cut c at the first mass of μ."""
    cut = float(pieces(mu)[1][0])
    return _from_cut(pieces(mu), cut, period), _from_cut(pieces(nu), cut, period)


def _from_cut(whole: Pieces, cut: float, period: float) -> Pieces:
    """The pieces in the order in which they follow the cut; one through which it goes becomes two."""
    levels, left, right = whole
    start = cut + (left - cut) % period
    end = start + (right - left)
    through = end > cut + period
    beyond = np.where(through, (end - (cut + period)) / np.where(through, right - left, 1.0), 0.0)  # the share of the piece
    start, end = np.concatenate([start, np.full(len(left), cut)]), np.concatenate([np.minimum(end, cut + period), end - period])
    masses = np.concatenate([np.diff(levels) * (1.0 - beyond), np.diff(levels) * beyond])
    full = np.flatnonzero(masses > 0)
    order = full[np.argsort(start[full], kind="stable")]
    return levels_of(masses[order]), start[order], end[order]


def circle_w1(first: Pieces, second: Pieces, period: float) -> float:
    """W₁ = min_a ∫|H − a| dx."""
    width, start, end = _around(first, second, period)
    crossing = _median((width, start, end))
    return size_of((width, start - crossing, end - crossing))


def circle_energy(first: Pieces, second: Pieces, period: float) -> float:
    """(2 min_a ∫(H − a)² dx)^½."""
    width, start, end = _around(first, second, period)
    mean = float(np.sum(width * (start + end))) / (2.0 * period)
    return float(np.sqrt(2.0 * square_of((width, start - mean, end - mean))))


def _around(first: Pieces, second: Pieces, period: float) -> Steps:
    """H = F − G once around: zero on the rest of the circle, too, where neither has mass."""
    width, start, end = distribution_gaps(first, second)
    return np.append(width, max(period - float(width.sum()), 0.0)), np.append(start, 0.0), np.append(end, 0.0)


def _median(steps: Steps) -> float:
    """A median of a piecewise linear function, an a with |{f < a}| = |{f > a}|; |{f ≤ a}| is linear between the ends of its steps."""
    width, start, end = steps
    low, high = np.minimum(start, end), np.maximum(start, end)
    rise = np.where(high > low, high - low, 1.0)
    half = 0.5 * float(width.sum())

    def below(a: float) -> float:
        return float(width @ np.where(high > low, np.clip((a - low) / rise, 0.0, 1.0), low <= a))

    ends = np.unique(np.concatenate([low, high]))
    place = bisect_left(ends, half, hi=len(ends) - 1, key=below)
    if place == 0:
        return float(ends[0])
    before, after = float(ends[place - 1]), float(ends[place])
    reached = below(before)
    gained = float(width @ np.where((high > low) & (low <= before) & (high >= after), (after - before) / rise, 0.0))
    return min(after, before + (after - before) * (half - reached) / gained) if gained > 0 else after


def circle_w2(first: Pieces, second: Pieces, period: float) -> float:
    """W₂ = min_α C(α)^½."""
    return cost_of(circle_coupling(first, second, period))


def circle_coupling(first: Pieces, second: Pieces, period: float) -> Coupling:
    """F⁻¹(u) with G⁻¹(u − α) for the best shift α, on the line of all images."""
    turns = np.arange(-TURNS, TURNS + 1.0)
    images = np.append(np.add.outer(turns, second[0][:-1]).ravel(), TURNS + 1.0)  # of the levels
    left, right = (np.add.outer(period * turns, places).ravel() for places in second[1:])

    def coupled(shift: float) -> Coupling:
        common = _common(first[0], images + shift)
        return common, np.stack(quantiles(first, common)), np.stack(quantiles((images + shift, left, right), common))

    def slope(shift: float) -> float:
        """½C', by the trapezoidal rule, which is exact on the steps; at jumps of both functions a value between both limits."""
        _, x, y = coupled(shift)
        gap, place = (x - y).T.ravel(), y.T.ravel()
        return float(np.sum((gap + np.roll(gap, -1)) * np.diff(place, append=place[0] + period))) / 2.0

    return coupled(optimize.toms748(slope, -FARTHEST, FARTHEST, xtol=0.1 * ROUNDING, rtol=0.1 * ROUNDING, maxiter=1000))


def _common(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """All levels in [0, 1], those of the other measure moved onto one of the first where only rounding parts them."""
    inside = others[(others > 0.0) & (others < 1.0)]
    after = np.clip(np.searchsorted(own, inside), 1, len(own) - 1)
    nearest = np.where(inside - own[after - 1] < own[after] - inside, own[after - 1], own[after])
    return np.union1d(own, np.where(np.abs(inside - nearest) < ROUNDING, nearest, inside))
