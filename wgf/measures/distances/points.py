"""Distances in any number of dimensions, on axes that may wrap around; in one dimension those of a line, or of a circle.

Energy distance, (2 E|X − Y| − E|X − X'| − E|Y − Y'|)^½. It is one for all measures if |x − y| is the length of a difference in a Hilbert
space, as in ℝ^p [Lyons, Ann. Probab. 41 (2013) 3284]. On a product of lines and circles take

    |x − y|² = Σ_k D_k²,   D = d(1 − d/P) on a circle (circle.py), D = d on a line,   d the shorter way between x_k and y_k.

With s = d/P, D²/P² = s²(1 − s)² is 1/30 more than the Bernoulli polynomial B₄(s), whose Fourier coefficients are negative:
so D² is the squared length of a difference in ℓ², and so is a sum of such squares. The root of Σ d² will not do: two
circles with it have measures whose "squared distance" is negative.

Transport, W₂ = min (∫|x − y|² dπ)^½ with the shorter ways, Σ d_k², exactly between points (the POT library).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import fft

from wgf.errors import InputError
from wgf.measures.distances.axes import closed, nearest, parallel, shared_periods, squared_lengths, unrolled
from wgf.measures.distances.circle import circle_energy, circle_w1, circle_w2, cut_open
from wgf.measures.distances.line import atoms, line_energy, line_w1, line_w2, pieces
from wgf.measures.distances.sinkhorn import sinkhorn_divergence
from wgf.measures.measure import BLOCK, Density, Measure

DIRECTIONS = 64
MOST_POINTS = 1500  # of a measure, for exact transport
EMPTY = 1e-15  # of the mass: cells below it are left out


def energy_distance(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """(2E|X − Y| − E|X − X'| − E|Y − Y'|)^½; in more than one dimension the cells of a density count as points."""
    if mu.points.shape[1] == 1:
        return _on_axis(mu, nu, line_energy, circle_energy)
    square = 2.0 * mean_gap(mu, nu) - mean_gap(mu, mu) - mean_gap(nu, nu)
    return float(np.sqrt(max(square, 0.0)))


def mean_gap(mu: Measure, nu: Measure) -> float:
    """E|X − Y|: of two densities on one grid by a convolution with |θ|, else by blocks of points."""
    periods = shared_periods(mu, nu)
    if isinstance(mu, Density) and isinstance(nu, Density) and mu.grid == nu.grid:
        return _mean_gap_on_grid(mu, nu)
    (x, a), (y, b) = _points(mu), _points(nu)
    rows = max(1, BLOCK // len(y))
    total = 0.0
    for start in range(0, len(x), rows):
        total += float(a[start : start + rows] @ (_lengths(x[start : start + rows], y, periods) @ b))
    return total


def _lengths(x: np.ndarray, y: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """|x − y| for points x (n, p) and y (m, p), (n, m)."""
    if periods.any():
        return np.asarray(np.sqrt(squared_lengths(x, y, periods, parallel)))
    from scipy.spatial.distance import cdist

    lengths: np.ndarray = cdist(x, y)
    return lengths


def _mean_gap_on_grid(mu: Density, nu: Density) -> float:
    """Σ_ij a_i b_j |θ_i − θ_j| over the cells, by Fourier transforms.

    Their convolution is cyclic, as an axis that wraps around has it; the others are padded with zeros, which makes it the plain one.
    """
    grid, lengths = mu.grid, []
    padded = tuple(n if wraps else fft.next_fast_len(2 * n - 1, real=True) for n, wraps in zip(grid.shape, grid.periodic(), strict=True))
    for n, h, period in zip(padded, grid.spacing, grid.periods().tolist(), strict=True):
        lengths.append(parallel(fft.fftfreq(n, 1.0 / n) * h, period))
    kernel = np.sqrt(sum(np.square(part) for part in np.meshgrid(*lengths, indexing="ij", sparse=True)))
    spread = fft.irfftn(fft.rfftn(nu.values, padded) * fft.rfftn(kernel), padded)[tuple(slice(n) for n in grid.shape)]
    return float(np.sum(mu.values * spread) / (mu.values.sum() * nu.values.sum()))


def _points(measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """The points that have mass, and their masses, of sum one."""
    masses = measure.masses / measure.mass
    kept = masses > EMPTY
    return measure.points[kept], masses[kept]


def _on_axis(mu: Measure, nu: Measure, on_line: Callable[..., float], on_circle: Callable[..., float]) -> float:
    """A distance in one dimension, on a line or on a circle."""
    period = float(shared_periods(mu, nu)[0])
    return on_circle(*cut_open(mu, nu, period), period) if period else on_line(pieces(mu), pieces(nu))


def w1(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """W₁, exact, in one dimension."""
    if mu.points.shape[1] > 1:
        raise InputError("w1 is for one dimension: take w2, sliced_w2 or energy")
    return _on_axis(mu, nu, line_w1, circle_w1)


def w2(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """W₂: in one dimension exactly, in more as `wasserstein` says."""
    return wasserstein(mu, nu)[0]


def wasserstein(mu: Measure, nu: Measure, most: int = MOST_POINTS) -> tuple[float, float]:
    """W₂ and a bound of its error.

    In more than one dimension each measure is first made into at most `most` points: the cells of a density and the points of a cloud
    are put together in boxes, each with its mass at its mean. That moves a measure by the root of the mean variance within its boxes,
    to which a density adds that of its cells; the bound is the sum for the two. Axes that wrap around are cut where the measure has
    least of its mass, opposite to its circular mean, so that no box lies across the cut.

    Raises InputError where the dimensions or the periods do not agree.
    """
    periods = shared_periods(mu, nu)
    if len(periods) == 1:
        return _on_axis(mu, nu, line_w2, circle_w2), 0.0
    import ot

    (x, a, moved), (y, b, also_moved) = _coarsened(mu, most, periods), _coarsened(nu, most, periods)
    return float(np.sqrt(max(ot.emd2(a, b, squared_lengths(x, y, periods, nearest)), 0.0))), moved + also_moved


def _coarsened(measure: Measure, most: int, periods: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """At most `most` points with their masses, and how far the measure was moved."""
    points, masses = _points(measure)
    masses = masses / masses.sum()
    points = unrolled(points, masses, periods)
    within = float(np.sum(measure.grid.spacing**2)) / 12.0 if isinstance(measure, Density) else 0.0
    lower, extent = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-300)
    per_axis = len(points) if len(points) <= most else int(np.ceil(np.sqrt(len(points))))
    boxes = np.arange(len(points))
    while boxes.max() >= most:
        places = np.minimum((points - lower) / extent * per_axis, per_axis - 1).astype(np.int64)
        _, boxes = np.unique(places, axis=0, return_inverse=True)
        boxes, per_axis = boxes.reshape(-1), per_axis - 1
    total = np.bincount(boxes, masses)
    means = np.stack([np.bincount(boxes, masses * column) / total for column in points.T], axis=1)
    spread = float(masses @ np.sum((points - means[boxes]) ** 2, axis=1))
    return means, total, float(np.sqrt(within + spread))


def sliced_w2(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """(mean of W₂² over directions)^½; in one dimension w2 itself.

    Raises InputError where one of several axes wraps around: the projection of a point onto a line depends on the image that is taken.
    """
    p = mu.points.shape[1]
    if p == 1:
        return w2(mu, nu)
    closed(mu, nu, "sliced_w2 projects onto lines, which do not wrap around")
    (x, a), (y, b) = _points(mu), _points(nu)
    squares = [line_w2(atoms(x @ direction, a), atoms(y @ direction, b)) ** 2 for direction in _directions(p)]
    return float(np.sqrt(np.mean(squares)))


def _directions(p: int) -> np.ndarray:
    """DIRECTIONS unit vectors, (DIRECTIONS, p): evenly spaced in the plane, else drawn once and for all."""
    if p == 2:
        angle = np.pi * (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    drawn = np.random.default_rng(0).normal(size=(DIRECTIONS, p))
    result: np.ndarray = np.divide(drawn, np.linalg.norm(drawn, axis=1, keepdims=True))
    return result


def sinkhorn(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """The root of the Sinkhorn divergence on the grid of the density, enlarged by whole cells where points lie beyond it."""
    shared_periods(mu, nu)
    if isinstance(mu, Density) and isinstance(nu, Density):
        return sinkhorn_divergence(mu, nu)
    cloud, density = (nu, mu) if isinstance(mu, Density) else (mu, nu)
    return sinkhorn_divergence(*counted_together(cloud, density))


def counted(cloud: Measure, density: Measure) -> Density:
    """The points counted in the cells of a density's grid, which is enlarged along closed axes, by whole cells, until it holds them."""
    return counted_together(cloud, density)[0]


def counted_together(cloud: Measure, density: Measure) -> tuple[Density, Density]:
    """The cloud as `counted`, and the density on the same grid."""
    if not isinstance(density, Density):
        raise InputError("sinkhorn is computed on the grid of a density, and neither measure is one: take w2, sliced_w2 or energy")
    grid, points = density.grid, cloud.points
    beyond = np.stack([np.array(grid.lower) - points.min(axis=0), points.max(axis=0) - np.array(grid.upper)], axis=1)
    added = np.ceil(np.maximum(beyond, 0.0) / grid.spacing[:, None])
    added[list(grid.periodic())] = 0
    grid = grid.enlarged(added.astype(int))
    places = np.floor((points - np.array(grid.lower)) / grid.spacing).astype(np.int64)
    inside = np.where(grid.periodic(), places % np.array(grid.shape), np.clip(places, 0, np.array(grid.shape) - 1))
    cells = np.ravel_multi_index(tuple(inside.T), grid.shape)
    values = np.bincount(cells, cloud.masses, grid.size).reshape(grid.shape) / grid.cell_volume
    return Density(grid, values, cloud.neuron), Density(grid, density.cell_averages(grid), density.neuron)
