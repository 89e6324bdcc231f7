"""Neurons of the user's own: any object with value(theta, x)."""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.errors import InputError, brief
from wgf.measures.base import BLOCK
from wgf.networks.activations import Array
from wgf.networks.derivatives import differences
from wgf.networks.neuron import LinearResponse, Neuron


class CustomNeuron:
    """Any object with `value(theta, x)` and optionally `gradient(theta, x)`, brought to the shape the rest of wgf uses.

    Without a gradient, ∇_θ is a five-point central difference: relative error about 1e-12 where g varies on scale one.
    """

    output_axis: int | None = None
    STEP = 1e-3

    def __init__(self, custom: Any) -> None:
        if isinstance(custom, type) or not callable(getattr(custom, "value", None)):
            raise InputError(f"{brief(custom)} is not a neuron: it needs a method value(theta, x), theta (…, p), x (n, d) → (…, n)")
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

    def second(self, theta: Array, x: Array) -> Array:
        """∇²_θ g(θ; x), (…, n, p, p): symmetric differences of the gradient, to about 1e-9 where g varies on scale one."""
        second = differences(lambda at: self.gradient(at, x), theta, self.STEP)
        result: Array = 0.5 * (second + np.swapaxes(second, -1, -2))
        return result

    def laplacian(self, theta: Array, x: Array) -> Array:
        """Δ_θ g(θ; x), the trace of `second`, (…, n)."""
        result: Array = np.einsum("...kk->...", self.second(theta, x))
        return result

    def _checked(self, name: str, theta: Array, x: Array, expected: tuple[int, ...], form: str) -> Array:
        array = np.asarray(getattr(self.custom, name)(theta, x), dtype=float)
        if array.shape != expected:
            raise InputError(
                f"{self.custom!r}.{name} gave an array of shape {array.shape} for theta {np.shape(theta)} and x {x.shape}; "
                f"expected {form} = {expected}"
            )
        return array

    def rows_at_once(self, samples: int) -> int:
        """For how many parameters to ask for the response on so many data: as many as stay in cache."""
        return max(1, BLOCK // samples)

    def at(self, theta: Array, x: Array) -> LinearResponse:
        """The response at theta (N, p)."""
        return _CustomResponse(self, theta, x)

    def __repr__(self) -> str:
        text = repr(self.custom)
        return f"CustomNeuron({type(self.custom).__name__ if ' at 0x' in text else text})"  # an address is another in each process


class _CustomResponse:
    def __init__(self, neuron: CustomNeuron, theta: Array, x: Array) -> None:
        self.neuron, self.theta, self.x = neuron, theta, x
        self.value = neuron.value(theta, x)

    def total(self, masses: Array) -> Array:
        result: Array = masses @ self.value
        return result

    def pull(self, u: Array) -> Array:
        result: Array = np.einsum("...np,n->...p", self.neuron.gradient(self.theta, self.x), u)
        return result

    def push(self, v: Array) -> Array:
        result: Array = np.einsum("jnp,jp->n", self.neuron.gradient(self.theta, self.x), v)
        return result

    def gram(self) -> Array:
        gradient = self.neuron.gradient(self.theta, self.x)
        flat = np.moveaxis(gradient, 1, 0).reshape(len(self.x), -1)
        result: Array = flat @ flat.T
        return result


def as_neuron(neuron: Any) -> Neuron | CustomNeuron:
    """`neuron` itself if it is one of ours, else wrapped as a CustomNeuron."""
    return neuron if isinstance(neuron, Neuron | CustomNeuron) else CustomNeuron(neuron)
