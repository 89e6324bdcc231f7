"""Rates in the number of neurons, with intervals by Student's t on the logarithms.

Let X be the square of a distance, s² its sample variance over the R replicates of one size, X̄ its mean. Where X is a quadratic form
Σ λ_k z_k² in Gaussians, as ‖φ_m − φ‖² is for many neurons, a gamma law with the same mean and variance stands for it [Satterthwaite,
Biometrics Bulletin 2 (1946) 110]. Of R independent gamma variables the mean and the ratios X_r/X̄ are independent [Lukacs, Ann. Math.
Stat. 26 (1955) 319], as mean and variance are of normal ones, and the moments of the ratios, which are Dirichlet's, give without bias

    V = V₀/(1 − V₀)  for  Var X̄/(E X)²,      V₀ = s²/(R X̄²),

with the scatter of a χ²_ν variable, 2/ν = Var V₀/(E V₀)², where

    ν = (R − 1)(1 + 2V)(1 + 3V)/(1 + RV)      (R − 1 for small V, as for normal variables).

X̄ has a gamma law of shape 1/V, hence E log X̄ = log E X + ψ(1/V) + log V, Var log X̄ = ψ'(1/V) with the digamma function ψ. The slope
in x = log m is Σ w_m (log X̄_m − ψ(1/V_m) − log V_m), w = (x − x̄)/Σ(x − x̄)², of variance Σ w_m² ψ'(1/V_m).

The constant C = (1/S) Σ_m X̄_m m^(−slope expected) has V₀ = Σ_m (share of m)² V₀_m and V of it as above. As a gamma variable, log C has the
quantiles log E C − (2 + t²)V/6 ± t√V up to V^{3/2} [Wilson & Hilferty, Proc. Natl. Acad. Sci. 17 (1931) 684], where (2 + t²)/6 is one, as
nearly as matters, for the normal t at 95 %. The interval of C is hence C e^{V ± t√V}: positive, and missed about as often above as below.

t is the quantile of Student's law with the degrees of freedom of a sum of estimated variances u_m, (Σ u_m)²/Σ(u_m²/ν_m) [Welch,
Biometrika 34 (1947) 28].
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields

import numpy as np
from scipy import special

from wgf.errors import InputError, ResolutionWarning

CONFIDENCE = 0.95
FEWEST, ENOUGH = 2, 5  # replicates, for an interval at all, and for one that holds what it says
LEAST_VARIANCE = 1e-14  # of a mean, relative to its square: that of replicates that agree


@dataclass(frozen=True)
class Rate:
    """The fit of log E d² in log m at each time, with intervals of 95 % over the replicates; arrays (times,).

    slope, lower, upper                          by least squares
    constant, constant_lower, constant_upper     the mean over the sizes of E d²·m^(−expected_slope): m·E d² where the slope is −1
    expected_slope, expected_constant            what theory says; NaN where it says nothing
    """

    slope: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    constant: np.ndarray
    constant_lower: np.ndarray
    constant_upper: np.ndarray
    expected_slope: np.ndarray
    expected_constant: np.ndarray


ESTIMATES = tuple(item.name for item in fields(Rate))


def check_replicates(replicates: int) -> None:
    """Refuse less than two replicates, which give no interval; warn of less than five."""
    if replicates < FEWEST:
        raise InputError(f"replicates = {replicates}: at least two are needed for an interval")
    if replicates < ENOUGH:
        warnings.warn(
            f"replicates = {replicates}: from fewer than {ENOUGH} the intervals of slope and constant are wide and hold the true value less "
            f"often than {CONFIDENCE:.0%}; take {ENOUGH} or more, better 8",
            ResolutionWarning,
            stacklevel=3,
        )


def fit_rate(sizes: np.ndarray, distance: np.ndarray, expected_slope: float = -1.0, expected_constant: np.ndarray | None = None) -> Rate:
    """The rate of distances (S, R, T) of the sizes (S,)."""
    squares = np.maximum(distance**2, np.finfo(float).tiny)
    mean, replicates = squares.mean(axis=1), squares.shape[1]
    sampled = np.var(squares / mean[:, None], axis=1, ddof=1) / replicates
    sampled = np.clip(sampled, LEAST_VARIANCE, 1.0 - 1.0 / replicates)  # it is one where a single replicate is not zero
    variance = _unbiased(sampled)
    freedom = (replicates - 1) * (1 + 2 * variance) * (1 + 3 * variance) / (1 + replicates * variance)

    x, shape = np.log(sizes), 1.0 / variance
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    slope = weights @ (np.log(mean) - special.digamma(shape) + np.log(shape))
    parts = weights[:, None] ** 2 * special.polygamma(1, shape)
    half = _quantile(parts, freedom) * np.sqrt(parts.sum(axis=0))

    scaled = mean * sizes[:, None] ** -expected_slope
    constant = scaled.mean(axis=0)
    parts = (scaled / scaled.sum(axis=0)) ** 2 * sampled
    spread = _unbiased(parts.sum(axis=0))
    middle, factor = constant * np.exp(spread), np.exp(_quantile(parts, freedom) * np.sqrt(spread))
    expected = np.full(len(constant), expected_slope)
    theory = np.full(len(constant), np.nan) if expected_constant is None else expected_constant
    return Rate(slope, slope - half, slope + half, constant, middle / factor, middle * factor, expected, theory)


def _unbiased(sampled: np.ndarray) -> np.ndarray:
    """V = V₀/(1 − V₀)."""
    return sampled / (1.0 - sampled)


def _quantile(variances: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """Student's t for a sum of estimated variances (S, T) that have so many degrees of freedom each, (T,)."""
    total = np.sum(variances, axis=0)
    return special.stdtrit(total**2 / np.sum(variances**2 / freedom, axis=0), 0.5 * (1 + CONFIDENCE))
