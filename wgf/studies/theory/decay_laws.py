"""The laws by which a gap falls to zero, fitted to its logarithm with intervals that know of correlated errors.

    exponential       L − L* = A e^{−rt}
    power             L − L* = A t^{−q}
    shifted power     L − L* = A (1 + t/t₀)^{−q},      t₀ less than the last time: a power law shows only after t₀

The logarithm is linear in log A and −p, p = r or q: z = log(L − L*) = log A − p x(t) + e, with x = t, log t, log(1 + t/t₀). Errors e are
those of an autoregression, e_k = ρ e_{k−1} + ν_k with independent normal ν_k, over points that are about evenly spaced in time: what
disturbs a run, or what a law leaves out of it, is alike at neighbouring times, and to count such points as independent would make any
interval far too short. With the whitened rows Jw, zw, the first √(1 − ρ²) times row 0, the k-th row k less ρ times row k − 1, and
S² = |zw − Jw β|², β by least squares,

    restricted likelihood      (n − k) log S² − log(1 − ρ²) + log det JwᵀJw → min over ρ       [Patterson & Thompson, Biometrika 58 (1971)]
    criterion of Akaike        n log(S²/n) − log(1 − ρ²) + 2(k + 2)                               [IEEE Trans. Autom. Control 19 (1974) 716]
    covariance of β            (JwᵀJw)⁻¹ S²/(n − k)

J has a column for t₀, too, the derivative of −q x by log t₀, in which the interval is symmetric; t₀ itself minimises S². The restricted
likelihood knows that k numbers are fitted; the plain one takes ρ for smaller than it is, and intervals for shorter. The law of the least
criterion is chosen. Half an interval of 95 % is Student's t times the standard error, with n(1 − ρ)/(1 + ρ) − k degrees of freedom, as
many as independent points would leave that know the mean as well [Bayley & Hammersley, J. R. Stat. Soc. Suppl. 8 (1946) 184]. In 2000
simulated series of 200 points it holds the true rate in 95 % for ρ = 0, in 93 to 94 % for 0.5, 0.8 and 0.95, where an interval for
independent errors holds it in 73, 48 and 25 %. For a run without randomness an interval says how well the law describes the curve, and no
more. A power has the lesser criterion when shifted in about one of six noisy series that need no shift, as nested laws do with Akaike's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

CONFIDENCE = 0.95
EXPONENTIAL, POWER, SHIFTED = FORMS = ("exponential", "power", "shifted power")
NAMES = {EXPONENTIAL: ("amplitude", "rate"), POWER: ("amplitude", "exponent"), SHIFTED: ("amplitude", "exponent", "shift")}
EXACT = 1e-12  # the error of a logarithm that is no error
MOST_CORRELATED = 0.99
NEAR = 1e-3  # of the first time, below which t₀ is zero, and of the last one, within which t₀ is not less than it


@dataclass(frozen=True)
class Law:
    """One of FORMS, fitted.

    parameters[name] (3,)      the value and both ends of its interval of 95 %: "amplitude" A, "rate" r or "exponent" q, "shift" t₀
    criterion                  of Akaike; infinite where t₀ would not be less than the last time
    correlation                ρ
    """

    form: str
    parameters: dict[str, np.ndarray]
    criterion: float
    correlation: float

    def at(self, t: np.ndarray) -> np.ndarray:
        """The gap at times t (n,)."""
        amplitude, steepness, *shift = (float(estimate[0]) for estimate in self.parameters.values())
        result: np.ndarray = amplitude * np.exp(-steepness * _clock(self.form, t, *shift))
        return result


def fitted_laws(t: np.ndarray, z: np.ndarray) -> list[Law]:
    """All laws fitted to the logarithms z (n,) of gaps at times t > 0 (n,), about evenly spaced; the best one first."""
    return sorted((fitted(form, t, z) for form in FORMS), key=lambda law: law.criterion)


@dataclass(frozen=True)
class _Solved:
    """Least squares for one ρ: J (n, k), β (2,), t₀, S², and R of Jw = QR."""

    design: np.ndarray
    coefficients: np.ndarray
    shift: float
    square: float
    triangle: np.ndarray


def fitted(form: str, t: np.ndarray, z: np.ndarray) -> Law:
    """The law of one form."""
    n, k = len(t), len(NAMES[form])

    def restricted(rho: float) -> float:
        found = _solved(form, t, z, rho)
        return float((n - k) * np.log(found.square) - np.log1p(-(rho**2)) + 2.0 * np.log(np.abs(np.diag(found.triangle))).sum())

    rho = float(optimize.minimize_scalar(restricted, bounds=(-MOST_CORRELATED, MOST_CORRELATED), method="bounded").x)
    found = _solved(form, t, z, rho)
    criterion = n * np.log(found.square / n) - np.log1p(-(rho**2)) + 2.0 * (k + 2)
    if form == SHIFTED and found.shift > (1.0 - NEAR) * t[-1]:
        criterion = np.inf
    return Law(form, _intervals(form, found, rho), float(criterion), rho)


def _solved(form: str, t: np.ndarray, z: np.ndarray, rho: float) -> _Solved:
    """β, t₀ and S² for one ρ."""
    shift = _best_shift(t, z, rho) if form == SHIFTED else 1.0
    linear = np.stack([np.ones_like(t), -_clock(form, t, shift)], axis=1)
    coefficients, square = _least_squares(linear, z, rho)
    design = np.column_stack([linear, coefficients[1] * t / (shift + t)]) if form == SHIFTED else linear
    triangle = np.linalg.qr(_whitened(design, rho)).R
    return _Solved(design, coefficients, shift, max(square, len(t) * EXACT**2), triangle)


def _best_shift(t: np.ndarray, z: np.ndarray, rho: float) -> float:
    """t₀ of the least S², up to the last time."""

    def square(logarithm: float) -> float:
        return _least_squares(np.stack([np.ones_like(t), -np.log1p(t / np.exp(logarithm))], axis=1), z, rho)[1]

    bounds = (np.log(NEAR * t[0]), np.log(t[-1]))
    return float(np.exp(optimize.minimize_scalar(square, bounds=bounds, method="bounded", options={"xatol": 1e-8}).x))


def _least_squares(design: np.ndarray, z: np.ndarray, rho: float) -> tuple[np.ndarray, float]:
    """β and S²."""
    rows, values = _whitened(design, rho), _whitened(z, rho)
    coefficients = np.linalg.lstsq(rows, values, rcond=None)[0]
    return coefficients, float(np.sum((values - rows @ coefficients) ** 2))


def _whitened(rows: np.ndarray, rho: float) -> np.ndarray:
    """√(1 − ρ²) times the first row, and each other one less ρ times the one before, (n, …)."""
    return np.concatenate([np.sqrt(1.0 - rho**2) * rows[:1], rows[1:] - rho * rows[:-1]])


def _intervals(form: str, found: _Solved, rho: float) -> dict[str, np.ndarray]:
    """Of log A, p and log t₀, given as those of A, p and t₀."""
    n, k = found.design.shape
    inverse = np.linalg.inv(found.triangle)
    error = np.sqrt(np.sum(inverse**2, axis=1) * found.square / (n - k))
    freedom = max(min(n, n * (1.0 - rho) / (1.0 + rho)) - k, 1.0)
    half = special.stdtrit(freedom, 0.5 * (1.0 + CONFIDENCE)) * error
    middle = np.append(found.coefficients, np.log(found.shift))[:k]
    ends = np.stack([middle, middle - half, middle + half], axis=1)
    with np.errstate(over="ignore"):  # an end that is infinite: nothing is known of it
        return {name: row if name in ("rate", "exponent") else np.exp(row) for name, row in zip(NAMES[form], ends, strict=True)}


def _clock(form: str, t: np.ndarray, shift: float = 1.0) -> np.ndarray:
    """x(t), (n,)."""
    if form == EXPONENTIAL:
        return t
    result: np.ndarray = np.log(t) if form == POWER else np.log1p(t / shift)
    return result
