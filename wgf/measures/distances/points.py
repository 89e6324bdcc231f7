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

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import fft

from wgf.errors import InputError, known
from wgf.measures.distances.sinkhorn import sinkhorn_divergence
from wgf.measures.measure import BLOCK, Cloud, Density, Measure, MeshDensity

DIRECTIONS = 64
MOST_POINTS = 1500  # of a measure, for exact transport
EMPTY = 1e-15  # of the mass: cells below it are left out


def distance(name: str, mu: Measure, nu: Measure, energy: Any = None) -> float:
    """The distance called `name` (see the module's text); `energy` is needed for function and loss.

    Raises InputError for an unknown name, for measures of different dimensions, and where the pair has no such distance.
    """
    known(name, DISTANCES, "distance")
    if mu.points.shape[1] != nu.points.shape[1]:
        raise InputError(f"the measures have {mu.points.shape[1]} and {nu.points.shape[1]} coordinates: they must agree")
    return DISTANCES[name](mu, nu, energy)


def function_distance(mu: Measure, nu: Measure, energy: Any) -> float:
    """‖φ_μ − φ_ν‖ in L²(ρ)."""
    if energy is None or energy.data is None:
        raise InputError("the function distance is one of networks: give energy = a RegressionEnergy")
    return float(energy.data.norm(energy.predict(mu) - energy.predict(nu)))


def loss_distance(mu: Measure, nu: Measure, energy: Any) -> float:
    """|L[μ] − L[ν]|."""
    if energy is None:
        raise InputError("the loss distance needs the energy: energy = problem.energy")
    return abs(energy.loss(mu) - energy.loss(nu))


def mean_distance(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """|∫θ dμ − ∫θ dν|."""
    return float(np.linalg.norm(mu.mean - nu.mean))


def energy_distance(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """(2E|X − Y| − E|X − X'| − E|Y − Y'|)^½."""
    if mu.points.shape[1] == 1:
        return float(np.sqrt(2.0 * _squared_gap_of_distributions(mu, nu)))
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


def _squared_gap_of_distributions(mu: Measure, nu: Measure) -> float:
    """∫(F − G)² dx on a line."""
    places = np.unique(np.concatenate([_breaks(mu), _breaks(nu)]))
    start = _distribution(mu, places, "right")[:-1] - _distribution(nu, places, "right")[:-1]
    end = _distribution(mu, places, "left")[1:] - _distribution(nu, places, "left")[1:]
    return float(np.sum(np.diff(places) * (start**2 + start * end + end**2)) / 3.0)


def _breaks(measure: Measure) -> np.ndarray:
    """Where the distribution function is not linear."""
    return measure.grid.edges[0] if isinstance(measure, Density) else measure.points[:, 0]


def _distribution(measure: Measure, x: np.ndarray, side: Any) -> np.ndarray:
    """F(x), or its limit from the left."""
    if isinstance(measure, Density):
        return np.interp(x, measure.grid.edges[0], np.concatenate([[0.0], np.cumsum(measure.masses)]) / measure.mass)
    order = np.argsort(measure.points[:, 0], kind="stable")
    levels = np.concatenate([[0.0], np.cumsum(measure.masses[order])]) / measure.mass
    return levels[np.searchsorted(measure.points[order, 0], x, side=side)]


def w1(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """W₁ on a line."""
    if mu.points.shape[1] > 1:
        raise InputError("w1 is for one dimension: take w2, sliced_w2 or energy")
    width, start, end = quantile_gaps(_pieces(mu), _pieces(nu))
    same = start * end >= 0
    size = np.abs(start) + np.abs(end)
    crossing = (start**2 + end**2) / np.where(size > 0, size, 1.0)
    return float(np.sum(width * np.where(same, size, crossing)) / 2.0)


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
        return _line_w2(_pieces(mu), _pieces(nu)), 0.0
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
    squares = [_line_w2(_atoms(x @ direction, a), _atoms(y @ direction, b)) ** 2 for direction in _directions(p)]
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


Pieces = tuple[np.ndarray, np.ndarray, np.ndarray]  # levels (k + 1,), and the quantile function at both ends of each step (k,)


def _pieces(measure: Measure) -> Pieces:
    """The quantile function of a measure on a line: linear on each step."""
    if isinstance(measure, Cloud | MeshDensity):
        return _atoms(measure.points[:, 0], measure.masses)
    if not isinstance(measure, Density):
        raise InputError(f"distances are between a Density, a MeshDensity and a Cloud, in any pair; {type(measure).__name__} is none")
    full = measure.masses > 0
    edges = measure.grid.edges[0]
    return _levels(measure.masses[full]), edges[:-1][full], edges[1:][full]


def _atoms(places: np.ndarray, masses: np.ndarray) -> Pieces:
    """The quantile function of points on a line."""
    order = np.argsort(places, kind="stable")
    return _levels(masses[order]), places[order], places[order]


def _levels(masses: np.ndarray) -> np.ndarray:
    levels = np.concatenate([[0.0], np.cumsum(masses)])
    return levels / levels[-1]


def quantile_gaps(first: Pieces, second: Pieces) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The common steps of two quantile functions: their widths, and the difference of the two at their starts and ends."""
    levels = np.union1d(first[0], second[0])
    middle = 0.5 * (levels[1:] + levels[:-1])
    start, end = (_at(first, middle, edge) - _at(second, middle, edge) for edge in (levels[:-1], levels[1:]))
    return np.diff(levels), start, end


def _at(pieces: Pieces, middle: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The quantile function at `level`, on the steps that hold `middle`."""
    levels, left, right = pieces
    step = np.clip(np.searchsorted(levels, middle, side="right") - 1, 0, len(left) - 1)
    width = levels[step + 1] - levels[step]
    share = np.clip((level - levels[step]) / np.where(width > 0, width, 1.0), 0.0, 1.0)
    return left[step] + share * (right[step] - left[step])


def _line_w2(first: Pieces, second: Pieces) -> float:
    """W₂ of two quantile functions."""
    width, start, end = quantile_gaps(first, second)
    return float(np.sqrt(np.sum(width * (start**2 + start * end + end**2)) / 3.0))


DISTANCES: dict[str, Callable[[Measure, Measure, Any], float]] = {
    "function": function_distance,
    "loss": loss_distance,
    "mean": mean_distance,
    "energy": energy_distance,
    "w1": w1,
    "w2": w2,
    "sliced_w2": sliced_w2,
    "sinkhorn": sinkhorn,
}


COUNTED = ("sinkhorn",)  # these need the grid of a density for two clouds, too: see `counted`


def expected_slope(name: str, p: int) -> float:
    """The exponent of m with which E d² of m independent points from their smooth law falls, in p dimensions.

    −1 for all but w1 and w2, for which it is −2/p in p ≥ 3 dimensions, and −1 up to logarithms below [Fournier & Guillin, PTRF 162
    (2015) 707; Bobkov & Ledoux, Memoirs AMS 1259 (2019); Ajtai, Komlós & Tusnády, Combinatorica 4 (1984) 259].
    """
    return -2.0 / p if name in ("w1", "w2") and p >= 3 else -1.0


def self_distance(name: str, mu: Measure, nu: Measure, energy: Any = None, draws: int = 16, seed: int = 0) -> float:
    """The root mean square of the distance that would be seen if μ and ν were the same: what points cost by being points.

    A cloud of equal weights is taken for a draw, any other measure for a law. A law and m points: the law and m fresh points from it.
    Two clouds: their points thrown together and parted again at random (a permutation test's null). Two laws: zero.
    """
    rng = np.random.default_rng(seed)
    drawn = [measure for measure in (mu, nu) if _is_draw(measure)]
    if not drawn:
        return 0.0
    if len(drawn) == 1:
        law = nu if drawn[0] is mu else mu
        pairs = [(law, _draw(law, len(drawn[0].points), rng)) for _ in range(draws)]
    else:
        points, m = np.concatenate([mu.points, nu.points]), len(mu.points)
        orders = [rng.permutation(len(points)) for _ in range(draws)]
        pairs = [(_equal(points[order[:m]], mu), _equal(points[order[m:]], mu)) for order in orders]
    return float(np.sqrt(np.mean([distance(name, first, second, energy) ** 2 for first, second in pairs])))


def _is_draw(measure: Measure) -> bool:
    return isinstance(measure, Cloud) and bool(np.ptp(measure.weights) <= 1e-12 * measure.weights.max())


def _draw(law: Measure, m: int, rng: np.random.Generator) -> Cloud:
    """M independent points from a density or from weighted points."""
    if isinstance(law, Density | MeshDensity):
        return _equal(law.sample(m, rng), law)
    return _equal(law.points[rng.choice(len(law.points), m, p=law.masses / law.mass)], law)


def _equal(points: np.ndarray, like: Measure) -> Cloud:
    return Cloud(points, np.full(len(points), 1.0 / len(points)), like.neuron)
