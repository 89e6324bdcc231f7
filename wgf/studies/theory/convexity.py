"""L along the two straight lines between two measures: convex along one, not always along the other.

Along a mixture φ is linear in s, and so is ∫V dμ, hence

    L[(1 − s)μ + sν] = (1 − s)L[μ] + sL[ν] − s(1 − s)‖φ_ν − φ_μ‖²,      d²L/ds² = 2‖φ_ν − φ_μ‖² ≥ 0,

for every neuron: all minima are global ones, and form a convex set. That is the geometry in which mass is created at one place and taken
away at another. The flow moves neurons instead, along displacements, μ_s the law of (1 − s)X + sY, where L need not be convex. Two minima
may have a hill between them: with g(−θ) = g(θ), as c·tanh(a x) has it, and f* = g(θ*), both δ_θ* and δ_−θ* have L = 0, as all their
mixtures do, and half way of the displacement is δ₀, with L = ‖f*‖². Where g is linear in θ, and V convex, L is convex along
displacements, too.

Neither geometry contains the other. An energy of attraction, W(z) = ½|z|², is L = ∬W dμ dμ = Var μ: along a mixture concave, by
d²L/ds² = −2|m_ν − m_μ|², m the means; along a displacement convex, d²L/ds² = 2 Var(Y − X) [McCann, Adv. Math. 128 (1997) 153].
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import answers, whole
from wgf.measures.distances.interpolate import PATHS, carried, ends, mixture
from wgf.measures.measure import Measure
from wgf.problems.energy import Energy
from wgf.registers import known, load

FEWEST = 3  # points, for a second difference
ROUNDING = 1e-12  # of the largest |L| on both lines


@dataclass(frozen=True, repr=False)
class Convexity:
    """L along the mixture and the displacement between two measures.

    Attributes
    ----------
    s : array (k,)
        evenly spaced from 0 to 1
    mixture, displacement : array (k,)
        L[μ_s]; along the displacement of points, which replace densities at its ends, too
    """

    s: np.ndarray
    mixture: np.ndarray
    displacement: np.ndarray

    def second_difference(self, along: str) -> np.ndarray:
        """L[μ_{s−h}] − 2L[μ_s] + L[μ_{s+h}] inside of the "mixture" or the "displacement", (k − 2,): ≥ 0 where L is convex."""
        loss: np.ndarray = getattr(self, known(along, PATHS, "way from one measure to another"))
        result: np.ndarray = np.diff(loss, 2)
        return result

    def is_convex(self, along: str) -> bool:
        """Whether no second difference is below zero, beyond rounding."""
        largest = np.abs([self.mixture, self.displacement]).max()
        return bool(self.second_difference(along).min() >= -ROUNDING * largest)

    def plot(self, path: str | pathlib.Path | None = None) -> Any:
        """L along both; returns the matplotlib figure."""
        return load("wgf.plots:draw")(self, path)

    def __repr__(self) -> str:
        least = ", ".join(f"{along} {self.second_difference(along).min():.2g}" for along in PATHS)
        return f"Convexity({len(self.s)} points; least second difference of L: {least})"


def convexity(energy: Energy, mu: Measure, nu: Measure, points: int = 33) -> Convexity:
    """L along the mixture and along the displacement from μ to ν.

    Parameters
    ----------
    energy : RegressionEnergy or InteractionEnergy
        whose L it is
    mu, nu : Density, MeshDensity or Cloud
        the two ends
    points : int
        how many s

    Returns
    -------
    Convexity
        both series

    Raises
    ------
    InputError
        where the measures' dimensions, periods or masses do not agree

    References
    ----------
    McCann, "A convexity principle for interacting gases", Advances in Mathematics 128 (1997) 153.
    """
    answers(energy, ("loss", "data"), "energy", "the energy of a problem, such as problem.energy")
    whole(points, "points", FEWEST)
    s, both = np.linspace(0.0, 1.0, points), ends(mu, nu)
    return Convexity(s, *(np.array([energy.loss(way(share)) for share in s.tolist()]) for way in (mixture(*both), carried(*both))))
