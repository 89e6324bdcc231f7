"""W₂ in several dimensions, with bounds on both sides; and its mean over projections.

W₂² = min ∫|x − y|² dπ over the plans π between μ and ν, with the shorter ways on axes that wrap around. Points are transported exactly, by
the network simplex of the POT library. Densities, and empirical measures of too many points for that, are made into parts of equal mass
(halving.py) with means x_i, y_j and standard deviations s_i, t_j along the axes, and what is solved is

    V² = min Σ_ij π_ij (|x_i − y_j|² + |s_i − t_j|²),

as if each part were a box that is moved and stretched onto another, or onto a point. With S² = Σ_i a_i |s_i|², T² = Σ_j b_j |t_j|², by
plans between parts whose mass goes from each point of one to all of the other, and by the triangle inequality,

    (V² − S² − T²)₊^½ − S − T ≤ W₂ ≤ (V² + 2 S T)^½.

Two other bounds are near where these are wide. The plan that carries each part to the one that corresponds to it can be had for parts as
small as cells: W₂² ≤ Σ_i a_i (|x_i − y_i|² + |s_i|² + |t_i|²). And of all measures with their means m, m' and covariances C, C', Gaussians
are the nearest to each other [Gelbrich, Math. Nachr. 147 (1990) 185]: on axes that do not wrap around,

    W₂² ≥ |m − m'|² + tr(C + C' − 2 (C^½ C' C^½)^½).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wgf.errors import InputError, whole
from wgf.measures.distances.axes import check_pair, circular_mean, closed, nearest, shared_periods, squared_lengths
from wgf.measures.distances.circle import circle_w1, circle_w2, cut_open
from wgf.measures.distances.halving import EMPTY, Bricks, Parts, bricks, halved, points_of, resolution
from wgf.measures.distances.line import Pieces, atoms, levels_of, line_w1, line_w2, pieces
from wgf.measures.grid import nearest_image
from wgf.measures.measure import Cloud, Measure

DIRECTIONS = 64
MOST_POINTS = 1500  # of a measure, for exact transport
MOST_CUTS = 16  # for the plan between corresponding parts
MOST_PIVOTS = 10**7  # of the network simplex
BINS_PER_CELL = 8  # of a projection
ROUNDING = 1e-13  # of variances, relative


def on_axis(mu: Measure, nu: Measure, on_line: Callable[..., float], on_circle: Callable[..., float]) -> float:
    """A distance in one dimension, on a line or on a circle."""
    period = float(shared_periods(mu, nu)[0])
    return on_circle(*cut_open(mu, nu, period), period) if period else on_line(pieces(mu), pieces(nu))


def w1(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """W₁, exact, in one dimension."""
    if mu.points.shape[1] > 1:
        raise InputError("w1 is for one dimension: take w2, sliced_w2 or energy")
    return on_axis(mu, nu, line_w1, circle_w1)


def w2(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """W₂: in one dimension exactly, in more as `wasserstein` says."""
    return wasserstein(mu, nu)[0]


def wasserstein(mu: Measure, nu: Measure, most: int = MOST_POINTS) -> tuple[float, float]:
    """W₂ and a bound of its error.

    Exact, with the bound zero, in one dimension, and between empirical measures of at most `most` points each. Else of at most `most` parts
    of equal mass, or the nearer of two bounds where that is not between them. The error is the larger gap to a bound and, for both
    measures, the root mean square distance of the mass from the centres of its cells, which is how well a law is known by them. Two
    densities of one law, on whatever two grids, have a distance of at most that error, which then is about the length of a cell.
    Displacements that are shorter than a part, and turn or shear it instead of moving or stretching it along the axes, are seen too
    long, within the error.

    Parameters
    ----------
    mu, nu : Density, MeshDensity or Cloud
        the two measures
    most : int
        points or parts of each

    Returns
    -------
    tuple of float
        W₂ and the bound of its error, in the units of θ

    Raises
    ------
    InputError
        where the dimensions or the periods do not agree
    """
    check_pair(mu, nu)
    whole(most, "most")
    periods = shared_periods(mu, nu)
    if len(periods) == 1:
        return on_axis(mu, nu, line_w2, circle_w2), 0.0
    given = seen_together(mu, nu, periods)[0]
    kept = [isinstance(measure, Cloud) and len(each.masses) <= most for measure, each in zip((mu, nu), given, strict=True)]
    if all(kept):
        return _plan_cost([points_of(each) for each in given], periods), 0.0
    parts, corresponding = parts_of(given, kept, int(math.log2(max(most, 1))))
    value = _plan_cost(parts, periods)
    low, high = _bounds(value, parts)
    high = min([high, *(_carried_cost(pair, periods) for pair in corresponding)])
    low = low if periods.any() else max(low, _gaussian_bound(*given))
    value = min(max(value, low), high)
    return value, max(high - value, value - low) + resolution(mu) + resolution(nu)


def seen_together(mu: Measure, nu: Measure, periods: np.ndarray) -> tuple[list[Bricks], np.ndarray]:
    """The bricks of both seen from their common mean, so that measures far from zero keep their digits; and that mean, (p,)."""
    given = [bricks(mu), bricks(nu)]
    points, masses = (np.concatenate([getattr(each, name) for each in given]) for name in ("centers", "masses"))
    centre = circular_mean(points, masses, periods)
    return [each.placed(centre, periods) for each in given], centre


def parts_of(given: list[Bricks], kept: list[bool], cuts: int) -> tuple[list[Parts], list[list[Parts]]]:
    """The parts of both after `cuts`, or the points that are kept; and the corresponding parts, as small as cells, where both are cut."""
    if any(kept):
        return [points_of(each) if points else halved([each], [cuts])[0][0] for each, points in zip(given, kept, strict=True)], []
    finest = math.ceil(math.log2(max(len(each.masses) for each in given)))
    coarse, *fine = halved(given, sorted({cuts, min(max(finest, cuts), MOST_CUTS)}))
    return coarse, [*fine, coarse]


def _plan_cost(parts: list[Parts], periods: np.ndarray) -> float:
    """V."""
    import ot

    first, second = parts
    costs = squared_lengths(first.means, second.means, periods, nearest)
    costs += squared_lengths(first.stds, second.stds, np.zeros(len(periods)), nearest)
    return float(np.sqrt(max(ot.emd2(first.masses, second.masses, costs, numItermax=MOST_PIVOTS), 0.0)))


def _bounds(value: float, parts: list[Parts]) -> tuple[float, float]:
    """(V² − S² − T²)₊^½ − S − T, not below zero, and (V² + 2 S T)^½."""
    s, t = (each.spread for each in parts)
    return max(math.sqrt(max(value**2 - s**2 - t**2, 0.0)) - s - t, 0.0), math.sqrt(value**2 + 2.0 * s * t)


def _carried_cost(parts: list[Parts], periods: np.ndarray) -> float:
    """(Σ_i a_i |x_i − y_i|² + S² + T²)^½."""
    first, second = parts
    moved = nearest_image(first.means - second.means, periods)
    return math.sqrt(float(first.masses @ np.sum(moved**2, axis=1)) + first.spread**2 + second.spread**2)


def _gaussian_bound(first: Bricks, second: Bricks) -> float:
    """The distance of the Gaussians with these means and covariances; tr (C^½ C' C^½)^½ is the sum of the singular values of C^½ C'^½."""
    means, roots, total = [], [], 0.0
    for each in (first, second):
        mean = each.masses @ each.centers
        centred = each.centers - mean
        covariance = (centred * each.masses[:, None]).T @ centred + np.diag(each.masses @ each.widths**2) / 12.0
        squares, axes = np.linalg.eigh(covariance)
        means.append(mean)
        roots.append(axes * np.sqrt(np.maximum(squares, 0.0)))
        total += float(np.trace(covariance))
    common = float(np.linalg.svd(roots[0].T @ roots[1], compute_uv=False).sum())
    stretched = max((1.0 - ROUNDING) * total - 2.0 * common, 0.0)
    return math.sqrt(float(np.sum((means[0] - means[1]) ** 2)) + stretched)


def sliced_w2(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """(mean of W₂² over directions)^½; in one dimension w2 itself.

    Raises InputError where one of several axes wraps around: the projection of a point onto a line depends on the image that is taken.
    """
    p = mu.points.shape[1]
    if p == 1:
        return w2(mu, nu)
    closed(mu, nu, "sliced_w2 projects onto lines, which do not wrap around")
    given = seen_together(mu, nu, np.zeros(p))[0]
    return float(np.sqrt(np.mean([line_w2(*(projected(each, direction) for each in given)) ** 2 for direction in _directions(p)])))


def projected(given: Bricks, direction: np.ndarray) -> Pieces:
    """The quantile function of ⟨x, u⟩ for x from the bricks, which are points, or cells of one size.

    A cell is projected onto the sum of independent numbers, uniform on intervals as long as its sides' projections. The distribution
    function of the centres, each shared by the two nearest of equally spaced places so that its mean is kept, is averaged over one
    interval after the other.
    """
    places, widths = given.centers @ direction, np.abs(given.widths[0] * direction)
    if not widths.any():
        return atoms(places, given.masses)
    step = widths.max() / BINS_PER_CELL
    first = places.min() - widths.sum() - 2.0 * step
    count = int((places.max() + widths.sum() - first) / step) + 3
    index, share = np.divmod((places - first) / step, 1.0)
    below = index.astype(np.int64)
    masses = np.bincount(below, given.masses * (1.0 - share), count) + np.bincount(below + 1, given.masses * share, count)
    nodes = first + step * np.arange(count)
    levels = np.cumsum(masses)
    area = np.concatenate([[0.0], np.cumsum(levels[:-1]) * step])  # below the distribution function, constant between the nodes
    for width in np.sort(widths)[::-1]:
        if width > 0:
            ends = np.concatenate([nodes + 0.5 * width, nodes - 0.5 * width])
            beyond = np.maximum(ends - nodes[-1], 0.0)  # where the distribution function is one
            upper, lower = (np.interp(ends, nodes, area) + beyond).reshape(2, -1)
            levels = (upper - lower) / width
            area = np.concatenate([[0.0], np.cumsum(0.5 * (levels[1:] + levels[:-1])) * step])
    full = np.diff(levels) > EMPTY
    return levels_of(np.diff(levels)[full]), nodes[:-1][full], nodes[1:][full]


def _directions(p: int) -> np.ndarray:
    """DIRECTIONS unit vectors, (DIRECTIONS, p): evenly spaced in the plane, else drawn once and for all."""
    if p == 2:
        angle = np.pi * (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    drawn = np.random.default_rng(0).normal(size=(DIRECTIONS, p))
    result: np.ndarray = np.divide(drawn, np.linalg.norm(drawn, axis=1, keepdims=True))
    return result
