"""One neuron: g(θ; x) = c·σ(⟨a, x⟩ + b), its gradient in θ, and the activations σ.

θ holds some of the coordinates c (output weight), a or a1 … ad (input weights) and b (bias), in a chosen order; the
others are fixed numbers. With s = σ(z), z = ⟨a, x⟩ + b:

    ∂g/∂c = s,    ∂g/∂a_k = c·σ'(z)·x_k,    ∂g/∂b = c·σ'(z).

Any object with `value(theta, x)` serves as a neuron of the user's own; `gradient(theta, x)` is optional.
Shapes: theta (…, p), x (n, d), value (…, n), gradient (…, n, p). All quantities are dimensionless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy import special

from wgf.errors import InputError, known

Array = np.ndarray


@dataclass(frozen=True)
class Activation:
    """σ with its first and second derivative; where σ has a kink, the derivative is one of its one-sided limits.

    value(z) → σ(z);  slope(z, s) → σ'(z) given also s = σ(z), which often saves the work;  second(z) → σ''(z).
    """

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    second: Callable[[Array], Array]

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
    )


def _tanh_second(z: Array) -> Array:
    s = np.tanh(z)
    return -2.0 * s * (1.0 - s * s)


def _sigmoid_second(z: Array) -> Array:
    s = special.expit(z)
    return s * (1.0 - s) * (1.0 - 2.0 * s)


_ERF_SLOPE = 2.0 / np.sqrt(np.pi)

ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("tanh", np.tanh, lambda z, s: 1.0 - s * s, _tanh_second),
        Activation("sigmoid", special.expit, lambda z, s: s * (1.0 - s), _sigmoid_second),
        Activation("erf", special.erf, lambda z, s: _ERF_SLOPE * np.exp(-z * z), lambda z: -2.0 * _ERF_SLOPE * z * np.exp(-z * z)),
        Activation("relu", lambda z: np.maximum(z, 0.0), lambda z, s: (z > 0.0).astype(float), np.zeros_like),
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


def coordinate_names(dim: int) -> tuple[str, ...]:
    """All the coordinates of a neuron with `dim` inputs, in order: c, the input weights a or a1 … ad, b."""
    weights = ("a",) if dim == 1 else tuple(f"a{k + 1}" for k in range(dim))
    return ("c", *weights, "b")


class Response(Protocol):
    """A neuron at given parameters θ (N, p) on given inputs x (n, d)."""

    @property
    def value(self) -> Array:
        """g(θ; x), (N, n)."""
        ...

    def total(self, masses: Array) -> Array:
        """Σ_j masses_j g(θ_j; x), (n,)."""
        ...

    def pull(self, u: Array) -> Array:
        """Σ_i u_i ∇_θ g(θ; x_i) for u (n,): the gradient of ⟨g(θ), u⟩, (N, p)."""
        ...


@dataclass(frozen=True)
class Neuron:
    """g(θ; x) = c·σ(⟨a, x⟩ + b) with the coordinates named in `theta` free and the others fixed (c = 1, b = 0 unless said).

    activation   a name in ACTIVATIONS, or an Activation of your own
    theta        the free coordinates in order, from c, a (a1 … ad where dim > 1), b
    fixed        numbers for coordinates that are not free
    dim          d, the number of inputs
    """

    activation: str | Activation
    theta: Sequence[str] = ("c", "a")
    fixed: Mapping[str, float] = field(default_factory=dict)
    dim: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.activation, Activation):
            known(self.activation, ACTIVATIONS, "activation")
        if self.dim < 1:
            raise InputError(f"a neuron has at least one input, not dim = {self.dim}")
        theta = (self.theta,) if isinstance(self.theta, str) else tuple(self.theta)
        object.__setattr__(self, "theta", theta)
        for name in theta:
            known(name, self.coordinates, f"axis in theta of a neuron with {self.dim} input(s)")
        for name, number in self.fixed.items():
            known(name, self.coordinates, f"fixed coordinate of a neuron with {self.dim} input(s)")
            if not np.isfinite(number):
                raise InputError(f"fixed.{name} = {number} is not a finite number")
        if not theta or len(set(theta)) < len(theta):
            raise InputError(f"theta = {list(theta)} must name at least one coordinate, and none twice")
        if both := set(theta) & set(self.fixed):
            raise InputError(f"coordinate {sorted(both)[0]!r} is both free (in theta) and fixed; choose one")
        if missing := set(self.coordinates) - set(theta) - set(self.fixed) - {"b", "c"}:
            raise InputError(f"input weight {sorted(missing)[0]!r} is neither free (in theta) nor fixed; put it into one of them")

    @cached_property
    def coordinates(self) -> tuple[str, ...]:
        """All d + 2 names: c, the input weights, b."""
        return coordinate_names(self.dim)

    @property
    def sigma(self) -> Activation:
        """The activation itself."""
        return self.activation if isinstance(self.activation, Activation) else ACTIVATIONS[self.activation]

    @property
    def output_axis(self) -> int | None:
        """The axis of θ on which g is linear (the place of c in theta), or None where c is fixed."""
        return self.theta.index("c") if "c" in self.theta else None

    def axis_names(self, p: int) -> tuple[str, ...]:
        """The names of the axes of θ."""
        return tuple(self.theta)

    def without_output(self) -> Neuron | None:
        """The same neuron with c = 1 fixed, so that g(θ) = c times it; None where c is the only free coordinate."""
        rest = tuple(name for name in self.theta if name != "c")
        return Neuron(self.activation, rest, {**self.fixed, "c": 1.0}, self.dim) if rest else None

    def split(self, theta: Array) -> tuple[Array, Array, Array]:
        """Output weights (…,), input weights (…, d) and biases (…,) at theta (…, p)."""
        theta = np.asarray(theta, dtype=float)
        defaults = {"c": 1.0, "b": 0.0, **self.fixed}
        full = np.empty((*theta.shape[:-1], self.dim + 2))
        for k, name in enumerate(self.coordinates):
            full[..., k] = theta[..., self.theta.index(name)] if name in self.theta else defaults[name]
        return full[..., 0], full[..., 1:-1], full[..., -1]

    def value(self, theta: Array, x: Array) -> Array:
        """g(θ; x): (…, n) for theta (…, p) and x (n, d)."""
        c, a, b = self.split(theta)
        return c[..., None] * self.sigma.value(a @ x.T + b[..., None])

    def gradient(self, theta: Array, x: Array) -> Array:
        """∇_θ g(θ; x): (…, n, p)."""
        c, a, b = self.split(theta)
        z = a @ x.T + b[..., None]
        s = self.sigma.value(z)
        slope = c[..., None] * self.sigma.slope(z, s)
        parts = {"c": s, "b": slope}
        for k, name in enumerate(self.coordinates[1:-1]):
            parts[name] = slope * x[:, k]
        return np.stack([parts[name] for name in self.theta], axis=-1)

    def at(self, theta: Array, x: Array) -> Response:
        """The response at theta (N, p), from which value and pull come with one evaluation of σ."""
        return _RidgeResponse(self, theta, x)

    def __repr__(self) -> str:
        fixed = "".join(f", {name} = {number:g}" for name, number in self.fixed.items())
        return f"Neuron({self.sigma.name}, θ = ({', '.join(self.theta)}){fixed}, {self.dim} input{'s' if self.dim > 1 else ''})"


class _RidgeResponse:
    """c·σ(⟨a, x⟩ + b) at N parameters: keeps z and σ(z)."""

    def __init__(self, neuron: Neuron, theta: Array, x: Array) -> None:
        self.neuron, self.x = neuron, x
        self.c, a, b = neuron.split(theta)
        self.z = a @ x.T
        self.z += b[:, None]
        self.s = neuron.sigma.value(self.z)

    @property
    def value(self) -> Array:
        return self.c[:, None] * self.s

    def total(self, masses: Array) -> Array:
        """Σ_j masses_j g(θ_j; x), (n,)."""
        return (masses * self.c) @ self.s

    def pull(self, u: Array) -> Array:
        neuron = self.neuron
        columns: dict[str, Array] = {}
        if "c" in neuron.theta:
            columns["c"] = self.s @ u
        if set(neuron.theta) != {"c"}:
            slope = neuron.sigma.slope(self.z, self.s)
            inputs = np.column_stack([self.x, np.ones(len(u))]) * u[:, None]
            products = self.c[:, None] * (slope @ inputs)
            columns.update(zip(neuron.coordinates[1:], products.T, strict=True))
        return np.stack([columns[name] for name in neuron.theta], axis=-1)


class CustomNeuron:
    """Any object with `value(theta, x)` and optionally `gradient(theta, x)`, brought to the shape the rest of wgf uses.

    Without a gradient, ∇_θ is a five-point central difference: relative error about 1e-12 where g varies on scale one.
    """

    output_axis: int | None = None
    STEP = 1e-3

    def __init__(self, custom: Any) -> None:
        if not callable(getattr(custom, "value", None)):
            raise InputError(f"{custom!r} is not a neuron: it needs a method value(theta, x), theta (…, p), x (n, d) → (…, n)")
        self.custom = custom

    def axis_names(self, p: int) -> tuple[str, ...]:
        """The object's own `theta`, if it has p names, else theta1 … thetap."""
        names = tuple(getattr(self.custom, "theta", ()))
        return names if len(names) == p else tuple(f"theta{k + 1}" for k in range(p))

    def value(self, theta: Array, x: Array) -> Array:
        """g(θ; x), checked to have shape (…, n)."""
        return self._checked("value", theta, x, (*np.shape(theta)[:-1], len(x)), "(…, n)")

    def gradient(self, theta: Array, x: Array) -> Array:
        """∇_θ g(θ; x): the object's own, checked to have shape (…, n, p), or differences."""
        if callable(getattr(self.custom, "gradient", None)):
            return self._checked("gradient", theta, x, (*np.shape(theta)[:-1], len(x), np.shape(theta)[-1]), "(…, n, p)")
        return differences(lambda at: self.value(at, x), theta, self.STEP)

    def _checked(self, name: str, theta: Array, x: Array, expected: tuple[int, ...], form: str) -> Array:
        array = np.asarray(getattr(self.custom, name)(theta, x), dtype=float)
        if array.shape != expected:
            raise InputError(
                f"{self.custom!r}.{name} gave an array of shape {array.shape} for theta {np.shape(theta)} and x {x.shape}; "
                f"expected {form} = {expected}"
            )
        return array

    def at(self, theta: Array, x: Array) -> Response:
        """The response at theta (N, p)."""
        return _CustomResponse(self, theta, x)

    def __repr__(self) -> str:
        return f"CustomNeuron({self.custom!r})"


class _CustomResponse:
    def __init__(self, neuron: CustomNeuron, theta: Array, x: Array) -> None:
        self.neuron, self.theta, self.x = neuron, theta, x
        self.value = neuron.value(theta, x)

    def total(self, masses: Array) -> Array:
        return masses @ self.value

    def pull(self, u: Array) -> Array:
        return np.einsum("...np,n->...p", self.neuron.gradient(self.theta, self.x), u)


def as_neuron(neuron: Any) -> Neuron | CustomNeuron:
    """`neuron` itself if it is one of ours, else wrapped as a CustomNeuron."""
    return neuron if isinstance(neuron, Neuron | CustomNeuron) else CustomNeuron(neuron)


def differences(function: Callable[[Array], Array], theta: Array, step: float = 1e-3) -> Array:
    """∇_θ of a function (…, p) → (…, k…), by five-point central differences of fourth order; (…, k…, p)."""
    theta = np.asarray(theta, dtype=float)
    columns = []
    for axis in range(theta.shape[-1]):
        shift = np.zeros(theta.shape[-1])
        shift[axis] = step
        near = function(theta + shift) - function(theta - shift)
        far = function(theta + 2 * shift) - function(theta - 2 * shift)
        columns.append((8.0 * near - far) / (12.0 * step))
    return np.stack(columns, axis=-1)
