"""Pairs of measures that are the same but for their sampling error, or for their cells: the distance between them is the self-distance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wgf.measures.distances.axes import shared_periods
from wgf.measures.distances.cells import averaged_over
from wgf.measures.measure import Cloud, Density, Measure, MeshDensity


def equal_pairs(mu: Measure, nu: Measure, draws: int, seed: int) -> list[tuple[Measure, Measure]]:
    """Pairs as they would be if μ and ν were the same: `draws` of them where one is a draw, none for two laws on the same cells.

    An empirical measure of equal weights is taken as a sample, any other measure as a law. A law and m points: the law and m fresh points
    from it. Two samples: their points pooled and divided again at random (the null hypothesis of a permutation test). Two densities: each
    of them and its averages over the cells of the other.
    """
    rng, periods = np.random.default_rng(seed), shared_periods(mu, nu)
    drawn = [measure for measure in (mu, nu) if _is_draw(measure)]
    if not drawn:
        return list(_on_cells_of_each_other(mu, nu))
    if len(drawn) == 1:
        law = nu if drawn[0] is mu else mu
        return [(law, _sampled(_sample(law, len(drawn[0].points), rng), law, periods)) for _ in range(draws)]
    points, m = np.concatenate([mu.points, nu.points]), len(mu.points)
    orders = [rng.permutation(len(points)) for _ in range(draws)]
    return [(_sampled(points[order[:m]], mu, periods), _sampled(points[order[m:]], mu, periods)) for order in orders]


def _on_cells_of_each_other(mu: Measure, nu: Measure) -> Iterator[tuple[Measure, Measure]]:
    """Two densities on different cells, each with its averages over those of the other."""
    if isinstance(mu, Density | MeshDensity) and isinstance(nu, Density | MeshDensity):
        for law, other in ((mu, nu), (nu, mu)):
            if averaged := averaged_over(other, law):
                yield law, averaged


def _is_draw(measure: Measure) -> bool:
    return isinstance(measure, Cloud) and bool(np.ptp(measure.weights) <= 1e-12 * measure.weights.max())


def _sample(law: Measure, m: int, rng: np.random.Generator) -> np.ndarray:
    """m independent points from a density or from weighted points, (m, p)."""
    if isinstance(law, Density | MeshDensity):
        return law.sample(m, rng)
    return law.points[rng.choice(len(law.points), m, p=law.masses / law.mass)]


def _sampled(points: np.ndarray, like: Measure, periods: np.ndarray) -> Cloud:
    """Points of equal weights with the neuron of `like`."""
    return Cloud(points, np.full(len(points), 1.0 / len(points)), like.neuron, periods.tolist())
