"""Reaction: densities whose mass is multiplied where it is, ∂_t μ = −2r(ξ − ξ̄)μ with ξ = G + τ log μ, ξ̄ = ∫ξ dμ/∫dμ.

For a G that stands still log μ obeys a linear equation, so that after a time t, with s = (1 − e^{−2rτt})/(2rτ) (t for τ = 0),

    μ_t ∝ μ₀^{e^{−2rτt}} e^{−2rsG},    of the mass of μ₀.

Cells that are empty stay so.
"""

from __future__ import annotations

import math

import numpy as np


def decay(rate: float, time: float) -> tuple[float, float]:
    """e^{−kt} and (1 − e^{−kt})/k for a rate k ≥ 0; t for k = 0."""
    return (math.exp(-rate * time), -math.expm1(-rate * time) / rate) if rate > 0 else (1.0, time)


def tilted(values: np.ndarray, exponent: np.ndarray, power: float = 1.0) -> np.ndarray:
    """μ^power e^{exponent}, scaled to the mass of μ, for the values μ ≥ 0 of cells."""
    with np.errstate(divide="ignore"):
        logarithm = power * np.log(values) + exponent
    result: np.ndarray = np.exp(logarithm - logarithm.max())
    result *= values.sum() / result.sum()
    return result


def spread(xi: np.ndarray, values: np.ndarray) -> float:
    """Σ (ξ − ξ̄)² μ over cells with the values μ."""
    mean = float(np.vdot(xi, values)) / float(values.sum())
    return float(np.vdot((xi - mean) ** 2, values))


def logarithm(values: np.ndarray) -> np.ndarray:
    """log μ, zero in empty cells."""
    return np.log(np.where(values > 0, values, 1.0))
