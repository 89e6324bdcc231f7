"""Reaction: densities whose mass is multiplied where it is, ∂_t μ = −2r(ξ − ξ̄)μ with ξ = G + τ log μ, ξ̄ = ∫ξ dμ/∫dμ.

For a constant G log μ obeys a linear equation, so that after a time t, with s = (1 − e^{−2rτt})/(2rτ) (t for τ = 0),

    μ_t ∝ μ₀^{e^{−2rτt}} e^{−2rsG},    of the mass of μ₀.

Cells that are empty stay so, unless births come from elsewhere: from a law μ_b, where it helps (`Injection`),

    ∂_t μ = −2r(G − Ḡ)μ + 2r((Ḡ − G)_+ μ_b − bμ),   b = ∫(Ḡ − G)_+ dμ_b   (τ = 0),

in which what is born takes the place of what is anywhere, so that the mass stays. E falls by this, too:

    dE/dt = −2r∫(G − Ḡ)² dμ − 2r∫(Ḡ − G)_+² dμ_b,

and where μ_b has mass everywhere, it comes to rest with G ≥ Ḡ everywhere only: at the global minimum. It is in the spirit of the
reinjection of Rotskoff, Jelassi, Bruna & Vanden-Eijnden (2019), with births chosen by the same clocks as those of neurons. For G, Ḡ and
constant b it is linear, and with the growth x = −2r(G − Ḡ + b)t

    μ_t = μ₀eˣ + 2rt(Ḡ − G)_+ (eˣ − 1)/x μ_b,    scaled to the mass of μ₀.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import exprel


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


def with_births(values: np.ndarray, potential: np.ndarray, mean: float, source: np.ndarray, rate: float) -> np.ndarray:
    """μ after a time for which 2rt = `rate`, with G = `potential`, Ḡ = `mean` and μ_b = `source`; see the module's text."""
    births, mass = np.maximum(mean - potential, 0.0) * source, float(values.sum())
    births /= source.sum()
    growth = -rate * (potential - mean + births.sum())
    result: np.ndarray = values * np.exp(growth) + rate * mass * exprel(growth) * births
    result *= mass / result.sum()
    return result


def spread(xi: np.ndarray, values: np.ndarray) -> float:
    """Σ (ξ − ξ̄)² μ over cells with the values μ."""
    mean = float(np.vdot(xi, values)) / float(values.sum())
    return float(np.vdot((xi - mean) ** 2, values))


def logarithm(values: np.ndarray) -> np.ndarray:
    """log μ, zero in empty cells."""
    return np.log(np.where(values > 0, values, 1.0))
