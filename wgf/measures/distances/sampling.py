"""Pairs of measures that are the same but for their sampling noise, or for their cells: what a distance shows of them is its floor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wgf.measures.distances.axes import shared_periods
from wgf.measures.distances.cells import told_by
from wgf.measures.measure import Cloud, Density, Measure, MeshDensity


def equal_pairs(mu: Measure, nu: Measure, draws: int, seed: int) -> list[tuple[Measure, Measure]]:
    """Pairs as they would be if μ and ν were the same: `draws` of them where one is a draw, none for two laws on the same cells.

    A cloud of equal weights is taken for a draw, any other measure for a law. A law and m points: the law and m fresh points from it.
    Two clouds: their points pooled and parted again at random (the null of a permutation test). Two densities: each of them and what
    the cells of the other tell of it.
    """
    rng, periods = np.random.default_rng(seed), shared_periods(mu, nu)
    drawn = [measure for measure in (mu, nu) if _is_draw(measure)]
    if not drawn:
        return list(_told(mu, nu))
    if len(drawn) == 1:
        law = nu if drawn[0] is mu else mu
        return [(law, _cloud(_sample(law, len(drawn[0].points), rng), law, periods)) for _ in range(draws)]
    points, m = np.concatenate([mu.points, nu.points]), len(mu.points)
    orders = [rng.permutation(len(points)) for _ in range(draws)]
    return [(_cloud(points[order[:m]], mu, periods), _cloud(points[order[m:]], mu, periods)) for order in orders]


def _told(mu: Measure, nu: Measure) -> Iterator[tuple[Measure, Measure]]:
    """Two densities on different cells, each with what those of the other tell of it."""
    if isinstance(mu, Density | MeshDensity) and isinstance(nu, Density | MeshDensity):
        for law, other in ((mu, nu), (nu, mu)):
            if told := told_by(other, law):
                yield law, told


def _is_draw(measure: Measure) -> bool:
    return isinstance(measure, Cloud) and bool(np.ptp(measure.weights) <= 1e-12 * measure.weights.max())


def _sample(law: Measure, m: int, rng: np.random.Generator) -> np.ndarray:
    """m independent points from a density or from weighted points, (m, p)."""
    if isinstance(law, Density | MeshDensity):
        return law.sample(m, rng)
    return law.points[rng.choice(len(law.points), m, p=law.masses / law.mass)]


def _cloud(points: np.ndarray, like: Measure, periods: np.ndarray) -> Cloud:
    """Points of equal weights with the neuron of `like`."""
    return Cloud(points, np.full(len(points), 1.0 / len(points)), like.neuron, periods.tolist())
