"""One neuron: g(θ; x) = c·σ(⟨a, x⟩ + b), its gradient in θ, and the activations σ.

θ holds some of the coordinates c (output weight), a or a1 … ad (input weights) and b (bias), in a chosen order; the
others are fixed numbers. With s = σ(z), z = ⟨a, x⟩ + b:

    ∂g/∂c = s,    ∂g/∂a_k = c·σ'(z)·x_k,    ∂g/∂b = c·σ'(z),

and with x̃ = (x, 1) and u = (u_c, ũ) the second derivative along u is D²g[u, u] = 2u_c σ'(z)⟨ũ, x̃⟩ + c·σ''(z)⟨ũ, x̃⟩².

Any object with `value(theta, x)` serves as a neuron of the user's own; `gradient(theta, x)` is optional.
Shapes: theta (…, p), x (n, d), value (…, n), gradient (…, n, p). All quantities are dimensionless.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from wgf.errors import InputError, entries_of, instance, number, shown, whole
from wgf.measures.base import BLOCK
from wgf.networks.activations import ACTIVATIONS, Activation, Array
from wgf.registers import MOST_LISTED, known

if TYPE_CHECKING:
    from wgf.kernels.activations import Formula, Loops

FEW_INPUTS = 16  # beyond it the products ⟨a, x⟩ take longest, which BLAS does better
WORTH_COMPILING = 8  # neurons: fewer do not fill the registers of a compiled loop
LANES = 256  # neurons side by side in a compiled loop
TOGETHER = 2**11  # neurons that a compiled loop is given at once


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


class LinearResponse(Response, Protocol):
    """The same, with what the linearisation of a network needs (network.py)."""

    def push(self, v: Array) -> Array:
        """Σ_j ⟨∇_θ g(θ_j; x), v_j⟩ for v (N, p), (n,)."""
        ...

    def gram(self) -> Array:
        """Σ_j ⟨∇_θ g(θ_j; x_i), ∇_θ g(θ_j; x_k)⟩, (n, n)."""
        ...


def extended(x: Array) -> Array:
    """x̃ = (x, 1), (n, d + 1), so that z = ⟨(a, b), x̃⟩."""
    return np.column_stack([x, np.ones(len(x))])


@dataclass(frozen=True)
class Neuron:
    """g(θ; x) = c·σ(⟨a, x⟩ + b), with the coordinates named in `theta` free and the others fixed.

    Parameters
    ----------
    activation : str or Activation
        a name such as "tanh" or "relu", or an Activation of your own
    theta : str or sequence of str
        the free coordinates in order, from c, a (a1 … ad where dim > 1), b; "all" of them
    fixed : mapping of str to float
        numbers for coordinates that are not free; c = 1 and b = 0 unless said
    dim : int
        d, the number of inputs

    Raises
    ------
    InputError
        for names that are no coordinates, or an input weight that is neither free nor fixed
    """

    activation: str | Activation
    theta: str | Sequence[str] = ("c", "a")
    fixed: Mapping[str, float] = field(default_factory=dict)
    dim: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.activation, Activation):
            known(self.activation, ACTIVATIONS, "activation")
        whole(self.dim, "the neuron has dim")
        theta = (self.theta,) if isinstance(self.theta, str) else entries_of(self.theta, "theta", "the names of the free coordinates")
        theta = self.coordinates if theta == ("all",) else theta
        instance(self.fixed, Mapping, "fixed", 'numbers by coordinate, such as fixed={"b": 0.5}')
        object.__setattr__(self, "theta", theta)
        for name in theta:
            known(name, self.coordinates, f"axis in theta of a neuron with {self.dim} input(s)")
        for name, value in self.fixed.items():
            known(name, self.coordinates, f"fixed coordinate of a neuron with {self.dim} input(s)")
            if not math.isfinite(number(value)):
                raise InputError(f"fixed.{name} = {shown(value)} is not a finite number")
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

    @cached_property
    def free(self) -> Array:
        """The places of θ's coordinates among all d + 2, (p,)."""
        return np.array([self.coordinates.index(name) for name in self.theta])

    @cached_property
    def _defaults(self) -> Array:
        """All d + 2 coordinates where those of θ are as they would be if they were not (d + 2,)."""
        defaults = {"c": 1.0, **self.fixed}
        return np.array([defaults.get(name, 0.0) for name in self.coordinates])

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

    @property
    def free_inputs(self) -> Array:
        """The columns of x̃ that belong to the free weights, the bias included."""
        return self.free[self.free > 0] - 1

    def split(self, theta: Array) -> tuple[Array, Array, Array]:
        """Output weights (…,), input weights (…, d) and biases (…,) at theta (…, p)."""
        full = self.all_coordinates(theta)
        return full[..., 0], full[..., 1:-1], full[..., -1]

    def all_coordinates(self, theta: Array) -> Array:
        """c, the input weights and b at theta (…, p), (…, d + 2)."""
        theta = np.asarray(theta, dtype=float)
        full = np.empty((*theta.shape[:-1], self.dim + 2))
        full[...] = self._defaults
        full[..., self.free] = theta
        return full

    def value(self, theta: Array, x: Array) -> Array:
        """g(θ; x): (…, n) for theta (…, p) and x (n, d)."""
        c, a, b = self.split(theta)
        result: Array = c[..., None] * self.sigma.value(a @ x.T + b[..., None])
        return result

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

    def second(self, theta: Array, x: Array) -> Array:
        """∇²_θ g(θ; x): (…, n, p, p)."""
        c, a, b = self.split(theta)
        z = a @ x.T + b[..., None]
        mixed, bent = self.sigma.first(z)[..., None], (c[..., None] * self.sigma.second(z))[..., None, None]
        inputs = extended(x)
        full = np.zeros((*z.shape, self.dim + 2, self.dim + 2))
        full[..., 0, 1:] = full[..., 1:, 0] = mixed * inputs
        full[..., 1:, 1:] = bent * (inputs[:, :, None] * inputs[:, None, :])
        result: Array = full[..., self.free, :][..., self.free]
        return result

    def laplacian(self, theta: Array, x: Array) -> Array:
        """Δ_θ g(θ; x) = c·σ''(z)·Σ x̃_k² over the free weights (…, n)."""
        c, a, b = self.split(theta)
        inputs = extended(x)[:, self.free_inputs]
        result: Array = c[..., None] * self.sigma.second(a @ x.T + b[..., None]) * np.sum(inputs**2, axis=1)
        return result

    def rows_at_once(self, samples: int) -> int:
        """For how many parameters to ask for the response on so many data: as many as stay in cache."""
        return TOGETHER if self._in_loops else max(1, BLOCK // samples)

    def at(self, theta: Array, x: Array) -> LinearResponse:
        """The response at theta (N, p)."""
        return (_CompiledResponse if self._in_loops and len(theta) >= WORTH_COMPILING else RidgeResponse)(self, theta, x)

    @property
    def _in_loops(self) -> bool:
        """Whether there are compiled loops for it, which are as fast as products of matrices."""
        return self.sigma.formula is not None and self.dim <= FEW_INPUTS

    def __repr__(self) -> str:
        fixed = "".join(f", {name} = {number:g}" for name, number in self.fixed.items())
        theta = (
            ", ".join(self.theta)
            if len(self.theta) <= MOST_LISTED or self.theta != self.coordinates
            else f"all {len(self.theta)} coordinates"
        )
        return f"Neuron({self.sigma.name}, θ = ({theta}){fixed}, {self.dim} input{'s' if self.dim > 1 else ''})"


class RidgeResponse:
    """c·σ(⟨a, x⟩ + b) at N parameters: keeps σ(z) and σ'(z), once it has been asked for them."""

    def __init__(self, neuron: Neuron, theta: Array, x: Array) -> None:
        self.neuron, self.theta, self.x = neuron, theta, x

    @cached_property
    def rows(self) -> Array:
        """c, the input weights and b, (d + 2, N)."""
        return self.neuron.all_coordinates(self.theta).T.copy()

    @property
    def c(self) -> Array:
        """The output weights, (N,)."""
        result: Array = self.rows[0]
        return result

    @cached_property
    def inputs(self) -> Array:
        """x̃, (n, d + 1)."""
        return extended(self.x)

    @cached_property
    def z(self) -> Array:
        """⟨a, x⟩ + b, (N, n)."""
        z: Array = self.rows[1:-1].T @ self.x.T
        z += self.rows[-1][:, None]
        return z

    @cached_property
    def s(self) -> Array:
        """σ(z), (N, n)."""
        return self.neuron.sigma.value(self.z)

    @cached_property
    def slope(self) -> Array:
        """σ'(z), (N, n)."""
        return self.neuron.sigma.slope(self.z, self.s)

    @property
    def value(self) -> Array:
        result: Array = self.c[:, None] * self.s
        return result

    def total(self, masses: Array) -> Array:
        """Σ_j masses_j g(θ_j; x), (n,)."""
        result: Array = (masses * self.c) @ self.s
        return result

    def pull(self, u: Array) -> Array:
        """Σ_i u_i σ(z_ji) and Σ_i u_i c_j σ'(z_ji) x̃_i, of which the free coordinates, (N, p)."""
        neuron = self.neuron
        full = np.zeros((len(self.c), neuron.dim + 2))
        if "c" in neuron.theta:
            full[:, 0] = self.s @ u
        if neuron.theta != ("c",):
            full[:, 1:-1] = self.slope @ (u[:, None] * self.x)
            full[:, -1] = self.slope @ u
            full[:, 1:] *= self.c[:, None]
        return full[:, neuron.free]

    def push(self, v: Array) -> Array:
        """Σ_j v_jc σ(z) + c_j σ'(z) ⟨ṽ_j, x̃⟩, (n,)."""
        neuron, total = self.neuron, np.zeros(len(self.inputs))
        moved = np.zeros((len(v), neuron.dim + 2))
        moved[:, neuron.free] = v
        if "c" in neuron.theta:
            total += moved[:, 0] @ self.s
        if set(neuron.theta) != {"c"}:
            weighted = self.slope.T @ (self.c[:, None] * moved[:, 1:])
            total += np.einsum("nk,nk->n", weighted, self.inputs)
        return total

    def gram(self) -> Array:
        """Σ_j σ(z_i)σ(z_k) + c_j² σ'(z_i)σ'(z_k) Σ x̃_i x̃_k over the free weights: two products of (n, N) by (N, n), whatever p is."""
        neuron, total = self.neuron, np.zeros((len(self.inputs),) * 2)
        if "c" in neuron.theta:
            total += self.s.T @ self.s
        if set(neuron.theta) != {"c"}:
            slope = self.slope * self.c[:, None]
            inputs = self.inputs[:, neuron.free_inputs]
            total += (slope.T @ slope) * (inputs @ inputs.T)
        return total


class _CompiledResponse(RidgeResponse):
    """The same by sums over neurons or data in compiled loops, which keep no array (N, n)."""

    @cached_property
    def loops(self) -> Loops:
        """Those of σ."""
        from wgf.kernels.activations import loops

        return loops(cast("Formula", self.neuron.sigma.formula))

    @cached_property
    def columns(self) -> Array:
        """xᵀ, (d, n)."""
        return self.x.T.copy()

    def total(self, masses: Array) -> Array:
        """Σ_j masses_j g(θ_j; x), (n,)."""
        total = np.zeros(len(self.x))
        self.loops.add_network(total, masses * self.c, self.rows, self.columns, np.empty(LANES))
        return total

    def pull(self, u: Array) -> Array:
        """Σ_i u_i σ(z_ji) and Σ_i u_i c_j σ'(z_ji) x̃_i, of which the free coordinates, (N, p)."""
        pull, scratch = np.empty(self.rows.shape), np.empty((len(self.rows) + 1, LANES))
        self.loops.fill_pull(pull, np.array(u, dtype=float), self.rows, self.columns, scratch[0], scratch[1:])
        result: Array = pull[self.neuron.free].T
        return result


def has_kinks(neuron: object) -> bool:
    """Whether the slope of a neuron is known to jump, as that of relu does; of one's own neurons it is not."""
    return isinstance(neuron, Neuron) and bool(neuron.sigma.kinks)
