"""Rates in the number of neurons, with intervals by Student's t on the logarithms.

Let X be the square of a distance, s² its sample variance over the R replicates of one size, X̄ its mean. Where X is a quadratic form
Σ λ_k z_k² in Gaussians, as ‖φ_m − φ‖² is for many neurons, a gamma law with the same mean and variance is taken for it [Satterthwaite,
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
Biometrika 34 (1947) 28]. Where a replicate is one draw for all sizes, as that of neurons is for all steps, the variance of the whole sum
is estimated from the replicates' own sums, so that what they share is not counted as scatter, and ν is the least of the ν_m.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy import special

from wgf.errors import InputError, ResolutionWarning, warn, whole

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
    whole(replicates, "replicates")
    if replicates < FEWEST:
        raise InputError(f"replicates = {replicates}: at least two are needed for an interval")
    if replicates < ENOUGH:
        warn(
            f"replicates = {replicates}: intervals of slope and constant from fewer than {ENOUGH} are wide, and hold the true value less "
            f"often than the {CONFIDENCE:.0%} that they claim; take 8 or more",
            ResolutionWarning,
        )


def fit_rate(
    sizes: np.ndarray,
    distance: np.ndarray,
    expected_slope: float = -1.0,
    expected_constant: np.ndarray | None = None,
    paired: bool = False,
) -> Rate:
    """The rate of distances (S, R, T) of the sizes (S,).

    paired    a replicate is one draw for all sizes; else all S·R draws are independent
    """
    means = _Means(np.maximum(distance**2, np.finfo(float).tiny), paired)
    x, shape = np.log(sizes), 1.0 / means.variance
    weights = ((x - x.mean()) / np.sum((x - x.mean()) ** 2))[:, None]
    slope = np.sum(weights * (np.log(means.mean) - special.digamma(shape) + np.log(shape)), axis=0)
    sampled, quantile = means.scatter(weights * np.sqrt(special.polygamma(1, shape) / means.sampled))
    half = quantile * np.sqrt(sampled)

    scaled = means.mean * sizes[:, None] ** -expected_slope
    constant = scaled.mean(axis=0)
    sampled, quantile = means.scatter(scaled / scaled.sum(axis=0))
    variance = means.unbiased(sampled)
    middle, factor = constant * np.exp(variance), np.exp(quantile * np.sqrt(variance))
    expected = np.full(len(constant), expected_slope)
    theory = np.full(len(constant), np.nan) if expected_constant is None else expected_constant
    return Rate(slope, slope - half, slope + half, constant, middle / factor, middle * factor, expected, theory)


class _Means:
    """The means over the replicates of squares (S, R, T).

    mean, sampled, variance, freedom (S, T)    X̄, V₀, V and ν
    """

    def __init__(self, squares: np.ndarray, paired: bool) -> None:
        self.paired, self.replicates = paired, squares.shape[1]
        self.mean = squares.mean(axis=1)
        self.ratios = squares / self.mean[:, None]
        self.sampled = np.maximum(self._variance(self.ratios), LEAST_VARIANCE)
        self.variance = v = self.unbiased(self.sampled)
        self.freedom = (self.replicates - 1) * (1 + 2 * v) * (1 + 3 * v) / (1 + self.replicates * v)

    def unbiased(self, sampled: np.ndarray) -> np.ndarray:
        """V from V₀; kept from infinity, where a single replicate is not zero and V₀ is one."""
        result: np.ndarray = sampled / np.maximum(1.0 - sampled, 1.0 / self.replicates)
        return result

    def scatter(self, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The variance of Σ_m factor_m X̄_m/E X̄_m for factors (S, T), and Student's t for it, each (T,)."""
        terms, freedom = factors[:, None] * self.ratios, self.freedom
        if self.paired:
            terms, freedom = terms.sum(axis=0, keepdims=True), freedom.min(axis=0, keepdims=True)
        parts = np.maximum(self._variance(terms), LEAST_VARIANCE)
        total = parts.sum(axis=0)
        return total, special.stdtrit(total**2 / np.sum(parts**2 / freedom, axis=0), 0.5 * (1 + CONFIDENCE))

    def _variance(self, terms: np.ndarray) -> np.ndarray:
        """Of the mean over the replicates."""
        result: np.ndarray = np.var(terms, axis=1, ddof=1) / self.replicates
        return result
