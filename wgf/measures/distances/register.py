"""REG"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.measures.distances.line import w1
from wgf.measures.distances.points import energy_distance, sinkhorn, sliced_w2, w2
from wgf.measures.measure import Cloud, Density, Measure, MeshDensity
from wgf.registers import known


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
    """m independent points from a density or from weighted points."""
    if isinstance(law, Density | MeshDensity):
        return _equal(law.sample(m, rng), law)
    return _equal(law.points[rng.choice(len(law.points), m, p=law.masses / law.mass)], law)


def _equal(points: np.ndarray, like: Measure) -> Cloud:
    return Cloud(points, np.full(len(points), 1.0 / len(points)), like.neuron)
