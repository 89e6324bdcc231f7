"""Lower bounds of the loss by convex duality, without noise.

For every z, ‖φ − f*‖² ≥ 2⟨z, φ − f*⟩ − ‖z‖², so that for every probability measure on the domain

    L[μ] ≥ D(z) = −‖z‖² − 2⟨z, f*⟩ + 2 min_θ G(θ; z),     G(θ; z) = ⟨g(θ), z⟩ + ½λV(θ).

z = φ − f* gives the duality gap L − D = 2(∫G dμ − min G). Among its multiples sz, D is concave in s: without a penalty it is
(min⟨z, g⟩ − ⟨z, f*⟩)²/‖z‖² at the best s. At the z of the best measure, D(z) = L*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from wgf.networks.data import Data
from wgf.studies.optimality.search import Lowest, Search

LARGEST = 4.0  # multiple of φ − f*: more is never better by much, since D(z) falls as −‖z‖²


@dataclass(frozen=True)
class LowerBound:
    """D at z (n,): with the value of the lowest place that is found, and `proven` with what is proven of it."""

    z: np.ndarray
    found: float
    proven: float
    lowest: Lowest


def dual(data: Data, z: np.ndarray, minimum: float) -> float:
    """D(z) for the minimum of G(·; z)."""
    return float(-(data.norm(z) ** 2) - 2.0 * (data.weights * z) @ data.targets + 2.0 * minimum)


def mean_potential(data: Data, z: np.ndarray, loss: np.ndarray | float) -> np.ndarray:
    """∫G dμ = ⟨z, φ⟩ + ½λ∫V dμ for z = φ − f* (…, n) and L (…,) of measures, (…,)."""
    result: np.ndarray = (z * (z + data.targets)) @ data.weights + 0.5 * (loss - z**2 @ data.weights)
    return result


def best_multiple(search: Search, z: np.ndarray) -> float:
    """The s ≥ 0 for which D(sz) is largest, with the minimum over the places of the grid."""
    data = search.landscape.data
    heights = search.features @ (data.weights * z)

    def negative(s: float) -> float:
        return -dual(data, s * z, float(search.landscape.envelope(search.places, s * heights).min()))

    return float(optimize.minimize_scalar(negative, bounds=(0.0, LARGEST), method="bounded", options={"xatol": 1e-6}).x)


def lower_bound(search: Search, z: np.ndarray, slack: float) -> LowerBound:
    """D(z), proven to 2·slack where the work allows."""
    data = search.landscape.data
    lowest = search.proven(data.weights * z, slack)
    return LowerBound(z, dual(data, z, lowest.value), dual(data, z, lowest.bound), lowest)
