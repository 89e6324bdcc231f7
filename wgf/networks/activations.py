"""The activations σ with their first and second derivatives.

In whole arrays they are NumPy's and SciPy's functions. Large arrays of z are worth compiled loops, for which an activation has a formula
for one number, in arithmetic and exponentials (kernels/activations.py); without one, NumPy does. Those of tanh, sigmoid and softplus take
exponentials of −|z| only, which neither overflow nor cancel; sums of more than a dozen terms are cut in two, or they would stay a loop:

    tanh z = ±E/(2 − E), E = 1 − e^{−2|z|};   σ(z) = 1/(1 + e^{−z});   log(1 + e^z) = z₊ + 2 artanh w, w = e/(2 + e) ≤ ⅓, e = e^{−|z|}.

erf z = ±(1 − e^{−z²} erfcx|z|), where (1 + 2x) erfcx x is smooth in t = (x − κ)/(x + κ) ∈ [−1, 1], infinity included
[Shepherd & Laframboise, Math. Comp. 36 (1981) 249]: ERFCX_EVEN and ERFCX_ODD are the coefficients in t of its Chebyshev interpolant of
degree 24 for κ = 2.5.
cos z = (−1)ᵏ cos r with whole k and r = z − kπ, |r| ≤ ½π, cos r and sin r by their Taylor polynomials.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from math import copysign, factorial, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from wgf.errors import InputError, check_function, entries_of, instance, number, shown
from wgf.networks.derivatives import check_derivative

if TYPE_CHECKING:
    from wgf.kernels.activations import Formula

Array = np.ndarray
LOOKED_AT = np.linspace(-2.97, 3.01, 12)  # z at which derivatives are compared with differences
CALLS = {"value": "a function z → σ(z)", "slope": "a function (z, σ(z)) → σ'(z)", "second": "a function z → σ''(z)"}


@dataclass(frozen=True)
class Activation:
    """σ with its first and second derivative; where σ has a kink, the derivative is one of its one-sided limits.

    Parameters
    ----------
    name : str
        what it is called in texts and figures
    value : callable
        z → σ(z), for arrays of any shape
    slope : callable
        (z, s) → σ'(z), given also s = σ(z), which often saves the work
    second : callable
        z → σ''(z)
    kinks : tuple of float
        the z at which σ' jumps
    formula : callable, optional
        (z, exp, expm1) → (σ(z), σ'(z)) for one number z and functions eˣ, eˣ − 1: compiled loops are made of it

    Raises
    ------
    InputError
        where a derivative is not that of σ, by more than 1 % at a few points
    """

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    second: Callable[[Array], Array]
    kinks: tuple[float, ...] = ()
    formula: Formula | None = None

    def __post_init__(self) -> None:
        instance(self.name, str, "the name of the activation", "a word")
        for name, wanted in CALLS.items():
            check_function(getattr(self, name), f"activation {self.name}: {name}", wanted)
        if self.formula is not None:
            check_function(self.formula, f"activation {self.name}: formula", "a function (z, exp, expm1) → (σ(z), σ'(z)), or None")
        object.__setattr__(self, "kinks", entries_of(self.kinks, f"activation {self.name}: kinks", "a list of the z at which σ has some"))
        for kink in self.kinks:
            if not math.isfinite(number(kink)):
                raise InputError(f"activation {self.name}: a kink at {shown(kink)}, which is not a finite number")
        self._check_derivatives()

    def _check_derivatives(self) -> None:
        """The functions fit each other where they are looked at."""
        for name, function, derivative in (("slope", self.value, self.first), ("second", self.first, self.second)):
            what = f"activation {self.name}: {name}"
            try:
                found = np.asarray(derivative(LOOKED_AT), dtype=float)
            except (TypeError, ValueError) as error:
                raise InputError(f"{what} is no {CALLS[name].removeprefix('a ')} of arrays: {error}") from None
            check_derivative(what, lambda z, f=function: f(z[:, 0]), found[..., None], LOOKED_AT[:, None])  # type: ignore[misc]

    def first(self, z: Array) -> Array:
        """σ'(z), the shape of z."""
        return self.slope(z, self.value(z))

    def __repr__(self) -> str:
        return f"Activation({self.name})"


def ramp(low: float = -1.0, high: float = 1.0, start: float = -1.0, end: float = 1.0) -> Activation:
    """σ of a ramp: `low` for z ≤ start, `high` for z ≥ end, and linear between the two plateaus.

    Parameters
    ----------
    low : float
        the value up to `start`
    high : float
        the value from `end` on
    start : float
        where it begins to rise
    end : float
        where it ends to rise, > start

    Returns
    -------
    Activation
        with two kinks
    """
    for name, value in (("low", low), ("high", high), ("start", start), ("end", end)):
        if not math.isfinite(number(value)):
            raise InputError(f"the ramp has {name} = {shown(value)}: give a finite number")
    if not start < end:
        raise InputError(f"the ramp has start = {start:g}, end = {end:g}: start must be less than end")
    steepness = (high - low) / (end - start)
    return Activation(
        "ramp",
        lambda z: low + steepness * (np.clip(z, start, end) - start),
        lambda z, s: np.where((z > start) & (z < end), steepness, 0.0),
        np.zeros_like,
        (start, end),
        lambda z, exp, expm1: (
            low + steepness * ((start if z < start else end if z > end else z) - start),
            steepness if start < z < end else 0.0,
        ),
    )


def _tanh(z: Any, exp: Any, expm1: Any) -> tuple[Any, Any]:
    less = expm1(-2.0 * abs(z))
    s = copysign(less / (2.0 + less), z)
    return s, 1.0 - s * s


def _sigmoid(z: Any, exp: Any, expm1: Any) -> tuple[Any, Any]:
    e = exp(-abs(z))
    part = 1.0 / (1.0 + e)
    return part if z > 0.0 else e * part, e * part * part


def _erf(z: Any, exp: Any, expm1: Any) -> tuple[Any, Any]:
    x = 30.0 if abs(z) > 30.0 else abs(z)
    t, e, even, odd = (x - KAPPA) / (x + KAPPA), exp(-x * x), 0.0, 0.0
    for coefficient in ERFCX_EVEN:
        even = even * t * t + coefficient
    for coefficient in ERFCX_ODD:
        odd = odd * t * t + coefficient
    return copysign(1.0 - e * (even + t * odd) / (1.0 + 2.0 * x), z), ERF_SLOPE * e


def _softplus(z: Any, exp: Any, expm1: Any) -> tuple[Any, Any]:
    e = exp(-abs(z))
    part, w, first, second = 1.0 / (1.0 + e), e / (2.0 + e), 0.0, 0.0
    square = w * w
    for coefficient in ARTANH[::2]:
        first = first * square * square + coefficient
    for coefficient in ARTANH[1::2]:
        second = second * square * square + coefficient
    return (0.0 if z <= 0.0 else z) + 2.0 * w * (first + square * second), part if z > 0.0 else e * part


def _gaussian(z: Any, exp: Any, expm1: Any) -> tuple[Any, Any]:
    e = exp(-0.5 * z * z)
    return e, -z * e


def _cosine(z: Any, exp: Any, expm1: Any) -> tuple[Any, Any]:
    k = (z / pi + ROUNDER) - ROUNDER
    r = ((z - k * PI_HIGH) - k * PI_MIDDLE) - k * PI_LOW
    sign = 1.0 - 2.0 * abs(k - 2.0 * ((0.5 * k + ROUNDER) - ROUNDER))
    cosine = sine = 0.0
    for coefficient in COSINE:
        cosine = cosine * r * r + coefficient
    for coefficient in SINE:
        sine = sine * r * r + coefficient
    return sign * cosine, -sign * r * sine


def _relu(z: Any, exp: Any, expm1: Any) -> tuple[Any, Any]:
    return 0.0 if z <= 0.0 else z, 1.0 if z > 0.0 else 0.0


def _identity(z: Any, exp: Any, expm1: Any) -> tuple[Any, Any]:
    return z, 1.0


def _tanh_second(z: Array) -> Array:
    s = np.tanh(z)
    result: Array = -2.0 * s * (1.0 - s * s)
    return result


def _sigmoid_second(z: Array) -> Array:
    s = special.expit(z)
    result: Array = s * (1.0 - s) * (1.0 - 2.0 * s)
    return result


# fmt: off
KAPPA, ERFCX_EVEN = 2.5, (  # in t², the highest power first, as in all tables here
    3.8271537050604847e-10, 8.232018444687125e-09, -9.630712156649685e-08, 4.894903213426009e-07, -1.543954010685412e-06,
    2.5835209328306535e-06, 6.27637366505951e-06, -8.848199345834475e-05, 0.000491866273420505, 0.0009318927723103834,
    -0.10296705603623665, -0.09902453957366153, 1.2648381843668621,
)
ERFCX_ODD = (
    5.104811862111095e-09, -2.9463626560755093e-08, 2.1875712263863552e-08, 5.306935236149005e-07, -4.214208445318947e-06,
    2.2694685328872323e-05, -0.00011351965206714007, 0.00063212351046964, -0.004382078194143225, 0.03276089325478516,
    0.15762991902382228, -0.12235676308241308,
)
# fmt: on
ARTANH = tuple(1.0 / (2 * k + 1) for k in range(16, -1, -1))  # in w², for w ≤ ⅓
COSINE = tuple((-1) ** k / factorial(2 * k) for k in range(11, -1, -1))  # in r², for |r| ≤ ½π
SINE = tuple((-1) ** k / factorial(2 * k + 1) for k in range(10, -1, -1))
PI_HIGH, PI_MIDDLE, PI_LOW = 3.141592651605606, 1.9841871583270443e-09, 1.034036596358821e-18  # 30 bits, 30 bits, the rest
ROUNDER = 1.5 * 2**52  # adding it and taking it away rounds to a whole number
ERF_SLOPE = 2.0 / sqrt(pi)
ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("tanh", np.tanh, lambda z, s: 1.0 - s * s, _tanh_second, formula=_tanh),
        Activation("sigmoid", special.expit, lambda z, s: s * (1.0 - s), _sigmoid_second, formula=_sigmoid),
        Activation(
            "erf",
            special.erf,
            lambda z, s: ERF_SLOPE * np.exp(-z * z),
            lambda z: -2.0 * ERF_SLOPE * z * np.exp(-z * z),
            formula=_erf,
        ),
        Activation("relu", lambda z: np.maximum(z, 0.0), lambda z, s: (z > 0.0).astype(float), np.zeros_like, (0.0,), _relu),
        Activation(
            "softplus",
            lambda z: np.logaddexp(0.0, z),
            lambda z, s: special.expit(z),
            lambda z: special.expit(z) * special.expit(-z),
            formula=_softplus,
        ),
        Activation(
            "gaussian",
            lambda z: np.exp(-0.5 * z * z),
            lambda z, s: -z * s,
            lambda z: (z * z - 1.0) * np.exp(-0.5 * z * z),
            formula=_gaussian,
        ),
        Activation("cosine", np.cos, lambda z, s: -np.sin(z), lambda z: -np.cos(z), formula=_cosine),
        ramp(),
        Activation("identity", lambda z: np.array(z, dtype=float), lambda z, s: np.ones_like(s), np.zeros_like, formula=_identity),
    )
}
