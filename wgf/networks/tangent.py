"""The tangent model: the network replaced by its first-order expansion at θ₀, whose gradient flow is linear and solved exactly.

With φ(θ) = α Σ_j g(θ_j), J_j = Dg(θ_j) at the start (n, p), r = φ̄ − f*, W the weights of the data and β = mα,

    φ̄ = φ(θ₀) + α Σ_j J_j(θ̄_j − θ_{0j}),      dθ̄_j/dt = −(1/β) J_jᵀ W r − ν θ̄_j,      ν = λ/β²,

which is −(1/(2mα²))∇_{θ_j} of ‖φ̄ − f*‖² + (λ/m) Σ_j |θ̄_j|². On the data, with T̂ = (1/m) Σ_j J_j J_jᵀ and q = φ(θ₀) − α Σ_j J_j θ_{0j},
the value of the expansion at θ̄ = 0,

    dφ̄/dt = −T̂W(φ̄ − f*) − ν(φ̄ − q).

Function space. With S = W^{1/2} T̂ W^{1/2} = Q diag(λ_k) Qᵀ and hats for Qᵀ W^{1/2} of a vector, each r̂_k tends to
r̂_k^∞ = −ν(f̂ − q̂)_k/(λ_k + ν) at the rate λ_k + ν; without a penalty φ̄ = f* + e^{−T̂Wt}(φ(θ₀) − f*).

Parameter space. θ̄_j(t) = e^{−νt} θ_{0j} − (1/β) J_jᵀ W^{1/2} Q Î(t) with Î_k(t) = ∫₀ᵗ e^{−ν(t−s)} r̂_k(s) ds, that is

    Î_k = r̂_k^∞ (1 − e^{−νt})/ν + (r̂_k(0) − r̂_k^∞) e^{−νt} (1 − e^{−λ_k t})/λ_k.

Directions in which S is zero do not move the parameters. Nothing is larger than n × n or one block of neurons; t = ∞ is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from wgf.errors import InputError, answers, brief, nonnegative
from wgf.measures.arguments import real_numbers
from wgf.networks.activations import Array
from wgf.networks.data import Data, check_data
from wgf.registers import known

SPACES = ("function", "parameter")


class Expandable(Protocol):
    """What the expansion needs of a network (network.py)."""

    @property
    def parameters(self) -> Array: ...
    @property
    def factor(self) -> float: ...
    def predict(self, inputs: Any) -> Array: ...
    def derivative(self, direction: Array, inputs: Any) -> Array: ...
    def pull(self, u: Array, inputs: Any) -> Array: ...
    def tangent_kernel(self, data: Any) -> Array: ...


def in_space(kernel: Array, data: Data) -> Array:
    """W^{1/2} K W^{1/2} of a kernel (n, n) on the data, which is K as an operator in L²(ρ); (n, n)."""
    root = np.sqrt(data.weights)
    result: Array = root[:, None] * kernel * root
    return result


def spectrum(kernel: Array, data: Data) -> tuple[Array, Array]:
    """Its eigenvalues ascending (n,), those that are zero up to rounding set to zero, and its eigenvectors as columns (n, n)."""
    values, vectors = np.linalg.eigh(in_space(kernel, data))
    floor = len(values) * np.finfo(float).eps * max(values[-1], 0.0)
    return np.where(values > floor, values, 0.0), vectors


@dataclass(frozen=True, repr=False)
class TangentModel:
    """φ̄ = φ(θ₀) + Dφ(θ₀)(θ̄ − θ₀), the linearisation of a network, trained on the data; `Network.tangent` makes it.

    Parameters
    ----------
    network : Network
        the network, at the parameters where it is linearised
    data : Data
        what it is trained on
    penalty : float
        λ of the penalty λ|θ|²
    """

    network: Expandable
    data: Data
    penalty: float = 0.0

    def __post_init__(self) -> None:
        answers(self.network, ("tangent_kernel", "derivative"), "network", "a wgf.Network(neuron, parameters), and then the data")
        check_data(self.data)
        nonnegative(self.penalty, "tangent model: penalty")

    @property
    def decay(self) -> float:
        """ν = λ/(mα)², the rate at which the penalty alone shrinks θ̄."""
        return self.penalty / self.network.factor**2

    @cached_property
    def kernel(self) -> Array:
        """T̂, (n, n)."""
        return self.network.tangent_kernel(self.data)

    @cached_property
    def start(self) -> Array:
        """φ(θ₀) at the data, (n,)."""
        return self.network.predict(self.data.inputs)

    @cached_property
    def spectrum(self) -> tuple[Array, Array]:
        """λ_k ascending (n,) and Q (n, n); eigenvalues that are zero up to rounding are zero."""
        return spectrum(self.kernel, self.data)

    @cached_property
    def _at_zero(self) -> Array:
        """q, (n,)."""
        result: Array = self.start - self.network.derivative(self.network.parameters, self.data.inputs)
        return result

    def _hat(self, u: Array) -> Array:
        result: Array = self.spectrum[1].T @ (np.sqrt(self.data.weights) * u)
        return result

    @cached_property
    def _residuals(self) -> tuple[Array, Array]:
        """r̂(0) and r̂^∞, (n,)."""
        start, nu = self._hat(self.start - self.data.targets), self.decay
        if nu == 0.0:
            return start, np.where(self.spectrum[0] > 0.0, 0.0, start)
        return start, -nu * self._hat(self.data.targets - self._at_zero) / (self.spectrum[0] + nu)

    def flow(self, times: float | Sequence[float] | Array, space: str = "function") -> Array:
        """φ̄ at the data, from dφ̄/dt = −T̂W(φ̄ − f*), by one eigendecomposition.

        Parameters
        ----------
        times : float or sequence of float
            t ≥ 0, in the time of the flow; np.inf is allowed
        space : str
            "function", by the eigenvectors of T̂, or "parameter", through the parameters: the same to rounding

        Returns
        -------
        array (T, n), or (n,) for one time
            the predictions
        """
        known(space, SPACES, "space of the tangent flow")
        instants = _checked(times)
        if space == "parameter":
            rows = [self.predict(self.data.inputs, t) for t in instants]
        else:
            (start, end), (rates, vectors) = self._residuals, self.spectrum
            decays = np.stack([np.exp(-_product(rates + self.decay, t)) for t in instants])
            rows = self.data.targets + (end + decays * (start - end)) @ vectors.T / np.sqrt(self.data.weights)
        return np.stack(list(rows)) if np.ndim(times) else np.asarray(rows[0])

    def parameters(self, time: float) -> Array:
        """θ̄(t), (m, p)."""
        t = _single(time)
        (start, end), (rates, vectors), nu = self._residuals, self.spectrum, self.decay
        moves = rates > 0.0
        shrunk = np.exp(-_product(np.array([nu]), t))[0]
        integral = end * (-np.expm1(-_product(np.array([nu]), t))[0] / nu if nu else 0.0)
        falling = np.where(moves, -np.expm1(-_product(rates, t)), 0.0) / np.where(moves, rates, 1.0)
        integral = np.where(moves, integral + (start - end) * shrunk * falling, 0.0)
        pulled = self.network.pull(np.sqrt(self.data.weights) * (vectors @ integral), self.data.inputs)
        result: Array = shrunk * self.network.parameters - pulled / self.network.factor
        return result

    def predict(self, inputs: Array, time: float) -> Array:
        """φ̄(t, x) at any inputs (n', d), (n',)."""
        network = self.network
        result: Array = network.predict(inputs) + network.derivative(self.parameters(time) - network.parameters, inputs)
        return result

    def __repr__(self) -> str:
        extra = f", λ = {self.penalty:g}" if self.penalty else ""
        return f"TangentModel({self.network!r}, {self.data!r}{extra})"


def _product(rates: Array, time: float) -> Array:
    """rate·t, where zero times infinity is zero."""
    return np.where(rates > 0.0, rates, 0.0) * time if np.isfinite(time) else np.where(rates > 0.0, np.inf, 0.0)


def _checked(times: float | Sequence[float] | Array) -> Array:
    """The times, (T,), none before the start."""
    instants = np.atleast_1d(real_numbers(times, "times"))
    if instants.ndim != 1 or not instants.size or not (instants >= 0.0).all():
        raise InputError(f"times = {brief(times)}: give one or several numbers ≥ 0")
    return instants


def _single(time: float) -> float:
    """The time as a number."""
    instants = _checked(time)
    if np.ndim(time):
        raise InputError(f"time = {brief(time)}: give a single number ≥ 0")
    return float(instants[0])
