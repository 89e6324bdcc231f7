"""Distances in any number of dimensions by sums over pairs of points, and by the cells of a grid.

Energy distance, (2 E|X − Y| − E|X − X'| − E|Y − Y'|)^½. It is one for all measures if |x − y| is the length of a difference in a Hilbert
space, as in ℝ^p [Lyons, Ann. Probab. 41 (2013) 3284]. On a product of lines and circles take

    |x − y|² = Σ_k D_k²,   D = d(1 − d/P) on a circle (circle.py), D = d on a line,   d the shorter way between x_k and y_k.

With s = d/P, D²/P² = s²(1 − s)² is 1/30 more than the Bernoulli polynomial B₄(s), whose Fourier coefficients are negative:
so D² is the squared length of a difference in ℓ², and so is a sum of such squares. The root of Σ d² will not do: two
circles with it have measures whose "squared distance" is negative.

In more than one dimension cells count as points. The mass of a cell is then at no distance from itself, where the cell has a size: of the
size of h³ in the square of a distance, and not the same for two grids. So two densities on different grids are put on one whose cells are
as small as those of either, where what counts is their difference.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import fft

from wgf.measures.base import BLOCK
from wgf.measures.distances.axes import parallel, shared_periods, squared_lengths
from wgf.measures.distances.cells import counted_together, on_common_grid, same_cells
from wgf.measures.distances.circle import circle_energy
from wgf.measures.distances.halving import EMPTY
from wgf.measures.distances.line import line_energy
from wgf.measures.distances.sinkhorn import sinkhorn_divergence
from wgf.measures.distances.transport import on_axis
from wgf.measures.measure import Density, Measure


def energy_distance(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """(2E|X − Y| − E|X − X'| − E|Y − Y'|)^½; in more than one dimension cells count as points, those of two grids on a common one."""
    if mu.points.shape[1] == 1:
        return on_axis(mu, nu, line_energy, circle_energy)
    mu, nu = on_common_grid(mu, nu)
    square = 2.0 * mean_gap(mu, nu) - mean_gap(mu, mu) - mean_gap(nu, nu)
    return float(np.sqrt(max(square, 0.0)))


def mean_gap(mu: Measure, nu: Measure) -> float:
    """E|X − Y|: of two densities on one grid by a convolution with |θ|, else by blocks of points."""
    periods = shared_periods(mu, nu)
    if isinstance(mu, Density) and isinstance(nu, Density) and same_cells(mu.grid, nu.grid):
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


def sinkhorn(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """The root of the Sinkhorn divergence on the grid of the density, enlarged by whole cells where points lie beyond it."""
    shared_periods(mu, nu)
    if isinstance(mu, Density) and isinstance(nu, Density):
        return sinkhorn_divergence(mu, nu)
    particles, density = (nu, mu) if isinstance(mu, Density) else (mu, nu)
    return sinkhorn_divergence(*counted_together(particles, density))
