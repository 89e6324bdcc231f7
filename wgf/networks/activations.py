"""The activations σ with their first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from wgf.errors import InputError

Array = np.ndarray


@dataclass(frozen=True)
class Activation:
    """σ with its first and second derivative; where σ has a kink, the derivative is one of its one-sided limits.

    value(z) → σ(z);  slope(z, s) → σ'(z) given also s = σ(z), which often saves the work;  second(z) → σ''(z);
    kinks: where it has some.
    """

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    second: Callable[[Array], Array]
    kinks: tuple[float, ...] = ()

    def first(self, z: Array) -> Array:
        """σ'(z), the shape of z."""
        return self.slope(z, self.value(z))

    def __repr__(self) -> str:
        return f"Activation({self.name})"


def ramp(low: float = -1.0, high: float = 1.0, start: float = -1.0, end: float = 1.0) -> Activation:
    """The ramp: `low` for z ≤ start, `high` for z ≥ end, and linear between the two plateaus."""
    if not start < end:
        raise InputError(f"the ramp has start = {start:g}, end = {end:g}: start must be less than end")
    steepness = (high - low) / (end - start)
    return Activation(
        "ramp",
        lambda z: low + steepness * (np.clip(z, start, end) - start),
        lambda z, s: np.where((z > start) & (z < end), steepness, 0.0),
        np.zeros_like,
        (start, end),
    )


def _tanh_second(z: Array) -> Array:
    s = np.tanh(z)
    result: Array = -2.0 * s * (1.0 - s * s)
    return result


def _sigmoid_second(z: Array) -> Array:
    s = special.expit(z)
    result: Array = s * (1.0 - s) * (1.0 - 2.0 * s)
    return result


_ERF_SLOPE = 2.0 / np.sqrt(np.pi)
ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("tanh", np.tanh, lambda z, s: 1.0 - s * s, _tanh_second),
        Activation("sigmoid", special.expit, lambda z, s: s * (1.0 - s), _sigmoid_second),
        Activation("erf", special.erf, lambda z, s: _ERF_SLOPE * np.exp(-z * z), lambda z: -2.0 * _ERF_SLOPE * z * np.exp(-z * z)),
        Activation("relu", lambda z: np.maximum(z, 0.0), lambda z, s: (z > 0.0).astype(float), np.zeros_like, (0.0,)),
        Activation(
            "softplus",
            lambda z: np.logaddexp(0.0, z),
            lambda z, s: special.expit(z),
            lambda z: special.expit(z) * special.expit(-z),
        ),
        Activation("gaussian", lambda z: np.exp(-0.5 * z * z), lambda z, s: -z * s, lambda z: (z * z - 1.0) * np.exp(-0.5 * z * z)),
        Activation("cosine", np.cos, lambda z, s: -np.sin(z), lambda z: -np.cos(z)),
        ramp(),
        Activation("identity", lambda z: np.array(z, dtype=float), lambda z, s: np.ones_like(s), np.zeros_like),
    )
}
