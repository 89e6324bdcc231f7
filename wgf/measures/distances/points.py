"""Distances between two measures μ and ν over θ, densities or clouds in any pair.

function    ‖φ_μ − φ_ν‖ in L²(ρ). As φ is linear in μ this is (∬K d(μ − ν) d(μ − ν))^½, the maximum mean discrepancy of the network's own
            kernel K(θ, θ') = ⟨g(θ), g(θ')⟩ [Gretton et al., JMLR 13 (2012) 723].
loss        |L[μ] − L[ν]|.
mean        |∫θ dμ − ∫θ dν|.
energy      (2E|X − Y| − E|X − X'| − E|Y − Y'|)^½ [Székely & Rizzo, J. Stat. Plan. Inference 143 (2013) 1249]; on a line it is
            (2∫(F − G)² dx)^½ and exact, in more dimensions the cells of a density count as points.
w1, w2      Wasserstein distances. On a line W_q^q = ∫₀¹|F⁻¹ − G⁻¹|^q, exact for points and for densities that are constant on their
            cells. In more dimensions w2 is exact transport between points (the POT library) after cells have been put together
            in blocks, see `wasserstein`; w1 is not defined here.
sliced_w2   the root mean square over DIRECTIONS fixed directions of w2 on the line; in more dimensions cells count as points.
sinkhorn    the root of the Sinkhorn divergence with ε = 16 h² (sinkhorn.py): between densities on one grid, or a density and a cloud, whose
            points count in the cells in which they lie.

The cells of a density on a mesh count as points throughout. Both measures are scaled to mass one. Distances between a cloud of m
independent points and its law are not zero: `expected_slope` says how they fall with m, and `self_distance` how large they are where the
two measures are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import fft

from wgf.errors import InputError
from wgf.measures.distances.line import atoms, line_w2, pieces, squared_gap_of_distributions
from wgf.measures.distances.sinkhorn import sinkhorn_divergence
from wgf.measures.measure import BLOCK, Density, Measure

DIRECTIONS = 64
MOST_POINTS = 1500  # of a measure, for exact transport
EMPTY = 1e-15  # of the mass: cells below it are left out


def energy_distance(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """(2E|X − Y| − E|X − X'| − E|Y − Y'|)^½."""
    if mu.points.shape[1] == 1:
        return float(np.sqrt(2.0 * squared_gap_of_distributions(mu, nu)))
    square = 2.0 * mean_gap(mu, nu) - mean_gap(mu, mu) - mean_gap(nu, nu)
    return float(np.sqrt(max(square, 0.0)))


def mean_gap(mu: Measure, nu: Measure) -> float:
    """E|X − Y|: of two densities on one grid by a convolution with |θ|, else by blocks of points."""
    if isinstance(mu, Density) and isinstance(nu, Density) and mu.grid == nu.grid:
        return _mean_gap_on_grid(mu, nu)
    from scipy.spatial.distance import cdist

    (x, a), (y, b) = _points(mu), _points(nu)
    rows = max(1, BLOCK // len(y))
    total = 0.0
    for start in range(0, len(x), rows):
        total += float(a[start : start + rows] @ (cdist(x[start : start + rows], y) @ b))
    return total


def _mean_gap_on_grid(mu: Density, nu: Density) -> float:
    """Σ_ij a_i b_j |θ_i − θ_j| over the cells: zero-padded, so that the Fourier transform's cyclic convolution is the plain one."""
    grid = mu.grid
    padded = tuple(fft.next_fast_len(2 * n - 1, real=True) for n in grid.shape)
    steps = [fft.fftfreq(n, 1.0 / n) * h for n, h in zip(padded, grid.spacing, strict=True)]
    lengths = np.sqrt(sum(np.square(part) for part in np.meshgrid(*steps, indexing="ij", sparse=True)))
    spread = fft.irfftn(fft.rfftn(nu.values, padded) * fft.rfftn(lengths), padded)[tuple(slice(n) for n in grid.shape)]
    return float(np.sum(mu.values * spread) / (mu.values.sum() * nu.values.sum()))


def _points(measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """The points that have mass, and their masses, of sum one."""
    masses = measure.masses / measure.mass
    kept = masses > EMPTY
    return measure.points[kept], masses[kept]


def w2(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """W₂: on a line exactly, in more dimensions as `wasserstein` says."""
    return wasserstein(mu, nu)[0]


def wasserstein(mu: Measure, nu: Measure, most: int = MOST_POINTS) -> tuple[float, float]:
    """W₂ and a bound of its error.

    In more than one dimension each measure is first made into at most `most` points: the cells of a density and the points of a cloud
    are put together in boxes, each with its mass at its mean. That moves a measure by the root of the mean variance within its boxes,
    to which a density adds that of its cells; the bound is the sum for the two.
    """
    if mu.points.shape[1] == 1:
        return line_w2(pieces(mu), pieces(nu)), 0.0
    import ot

    (x, a, moved), (y, b, also_moved) = _coarsened(mu, most), _coarsened(nu, most)
    return float(np.sqrt(max(ot.emd2(a, b, ot.dist(x, y)), 0.0))), moved + also_moved


def _coarsened(measure: Measure, most: int) -> tuple[np.ndarray, np.ndarray, float]:
    """At most `most` points with their masses, and how far the measure was moved."""
    points, masses = _points(measure)
    masses = masses / masses.sum()
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
    """(mean of W₂² over directions)^½; on a line w2 itself."""
    p = mu.points.shape[1]
    if p == 1:
        return w2(mu, nu)
    (x, a), (y, b) = _points(mu), _points(nu)
    squares = [line_w2(atoms(x @ direction, a), atoms(y @ direction, b)) ** 2 for direction in _directions(p)]
    return float(np.sqrt(np.mean(squares)))


def _directions(p: int) -> np.ndarray:
    """DIRECTIONS unit vectors, (DIRECTIONS, p): evenly spaced in the plane, else drawn once and for all."""
    if p == 2:
        angle = np.pi * (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    drawn = np.random.default_rng(0).normal(size=(DIRECTIONS, p))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def sinkhorn(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """The root of the Sinkhorn divergence on the grid of the density, enlarged by whole cells where a cloud needs it."""
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
