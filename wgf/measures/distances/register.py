"""Distances between two measures μ and ν over θ, densities or points in any pair, scaled to mass one.

function    ‖φ_μ − φ_ν‖ in L²(ρ). As φ is linear in μ this is (∬K d(μ − ν) d(μ − ν))^½, the maximum mean discrepancy of the network's own
            kernel K(θ, θ') = ⟨g(θ), g(θ')⟩ [Gretton et al., JMLR 13 (2012) 723].
loss        |L[μ] − L[ν]|.
mean        |∫θ dμ − ∫θ dν|.
energy      (2E|X − Y| − E|X − X'| − E|Y − Y'|)^½ [Székely & Rizzo, J. Stat. Plan. Inference 143 (2013) 1249]; in one dimension exact.
w1, w2      Wasserstein distances, exact in one dimension: on a line by quantile functions, on a circle by the best of their shifts. In more
            dimensions w2 is exact transport between points (the POT library), of densities and of many points between parts of equal mass,
            see `wasserstein`, which gives the error as well; w1 is not defined there.
sliced_w2   the root mean square over fixed directions of w2 on the line, with cells projected as they are; in one dimension w2 itself.
sinkhorn    the root of the Sinkhorn divergence with ε = 16 h² (sinkhorn.py): between densities on one grid, or a density and points, which
            count in the cells in which they lie.

Exact is meant for points and for densities that are constant on their cells (line.py, circle.py). Transport in more dimensions, too, takes
densities for constant on their cells; for the other distances a cell counts as a point there, for energy after two densities have
been put on one grid. On an axis that wraps around, the shorter way around counts: in w1, w2 and sinkhorn as it is, in energy by
d(1 − d/P), which makes it a distance on every product of lines and circles (points.py). Projections and means do not wrap around: there
sliced_w2, in more than one dimension, and mean are refused.

Distances between m independent points and their law are not zero: `expected_slope` says how they fall with m, and `self_distance` how large
they are where the two measures are the same. Nor is it zero between two densities of one law on two grids: there `self_distance` is what
the cells of either leave of the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wgf.errors import answers, entries_of, whole
from wgf.registers import known, load

if TYPE_CHECKING:
    from wgf.measures.measure import Measure


def of_averages(p: int) -> float:
    """−1: the mean square of an average of m."""
    return -1.0


def of_transport(p: int) -> float:
    """−2/p in p ≥ 3 dimensions, and −1 up to logarithms below.

    [Fournier & Guillin, PTRF 162 (2015) 707; Bobkov & Ledoux, Memoirs AMS 1259 (2019); Ajtai, Komlós & Tusnády, Combinatorica 4
    (1984) 259].
    """
    return -2.0 / max(p, 2)


@dataclass(frozen=True)
class Distance:
    """All that is known of a distance.

    target        "module:function" of (μ, ν, energy), imported when it is called
    label         in figures
    slope         p → the exponent of m with which E d² of m independent points from their smooth law falls in p dimensions
    of_energy     it is one of networks or losses, and needs the energy
    on_cells      it needs the grid of a density: one of two empirical measures is counted in cells first
    """

    target: str
    label: str
    slope: Callable[[int], float] = of_averages
    of_energy: bool = False
    on_cells: bool = False

    def __call__(self, mu: Measure, nu: Measure, energy: Any = None) -> float:
        """d(μ, ν)."""
        value: float = load(f"wgf.measures.distances.{self.target}")(mu, nu, energy)
        return value


DISTANCES = {
    "function": Distance("integrals:function_distance", r"$\| \varphi_m - \varphi \|$", of_energy=True),
    "loss": Distance("integrals:loss_distance", r"$| L_m - L |$", of_energy=True),
    "mean": Distance("integrals:mean_distance", r"$| \mathrm{mean}\,\mu_m - \mathrm{mean}\,\mu |$"),
    "energy": Distance("points:energy_distance", "energy distance"),
    "w1": Distance("transport:w1", r"$W_1$", of_transport),
    "w2": Distance("transport:w2", r"$W_2$", of_transport),
    "sliced_w2": Distance("transport:sliced_w2", r"sliced $W_2$"),
    "sinkhorn": Distance("points:sinkhorn", r"$S_\varepsilon^{1/2}$", on_cells=True),
}


def further(names: Sequence[str]) -> list[str]:
    """The names of distances that are asked for beside those that are always computed."""
    return [known(name, DISTANCES, "distance") for name in entries_of(names, "distances", 'a list of names, such as ["w2"]')]


def distance(name: str, mu: Measure, nu: Measure, energy: Any = None) -> float:
    """The distance between two measures, densities or empirical measures.

    Parameters
    ----------
    name : str
        "function" ‖φ_μ − φ_ν‖ in L²(ρ), "loss" |L[μ] − L[ν]|, "energy", "w1", "w2", "sliced_w2", "sinkhorn" or "mean"
    mu, nu : Density, MeshDensity or Cloud
        the two measures
    energy : RegressionEnergy, optional
        needed for function and loss

    Returns
    -------
    float
        the distance, in the units of θ but for function and loss

    Raises
    ------
    InputError
        for an unknown name, for measures of different dimensions or periods, and where the pair has no such distance
    """
    from wgf.measures.distances.axes import check_pair

    known(name, DISTANCES, "distance")
    check_pair(mu, nu)
    if DISTANCES[name].of_energy and energy is not None:
        answers(energy, ("loss", "data"), "energy", f"the energy of a problem, on which the distance {name} depends")
    return DISTANCES[name](mu, nu, energy)


def expected_slope(name: str, p: int) -> float:
    """The exponent of m with which E d² of m independent points from their smooth law falls, in p dimensions."""
    return DISTANCES[known(name, DISTANCES, "distance")].slope(p)


def transport_for(periods: Any) -> str:
    """The transport distance that has a meaning on axes of these periods: sliced_w2, or w2 where one of them wraps around."""
    return "w2" if any(periods) else "sliced_w2"


def self_distance(name: str, mu: Measure, nu: Measure, energy: Any = None, draws: int = 16, seed: int = 0) -> float:
    """The distance that would be seen if μ and ν were the same: its root mean square; zero for two laws on the same cells.

    An empirical measure of equal weights is taken as a sample, any other measure as a law. A law and m points: the law and m fresh points
    from it. Two samples: their points pooled and divided again at random (the null hypothesis of a permutation test). Two densities on
    different cells: each of them and its averages over the cells of the other.

    Parameters
    ----------
    name : str
        of a distance, as for `distance`
    mu, nu : Density, MeshDensity or Cloud
        the two measures
    energy : RegressionEnergy, optional
        needed for function and loss
    draws : int
        how many random ones
    seed : int
        of the draws

    Returns
    -------
    float
        a distance of that size is no difference
    """
    from wgf.measures.distances.sampling import equal_pairs

    whole(draws, "draws")
    squares = [distance(name, first, second, energy) ** 2 for first, second in equal_pairs(mu, nu, draws, seed)]
    return math.sqrt(math.fsum(squares) / len(squares)) if squares else 0.0
