"""A finite network φ(θ; x) = α Σ_j g(θ_j; x) of m neurons, and how near it is to its linearisation.

    T̂ = (1/m) Σ_j Dg(θ_j) Dg(θ_j)ᵀ                 the tangent kernel on n inputs, (n, n), of size O(1); φ̇ = −T̂W(φ − f*) in the time of
                                                  dθ_j/dt = −(1/(2mα²)) ∇_{θ_j} ‖φ − f*‖²  (α = 1/m: the mean-field flow)
    ‖Dφ‖² = mα² λ_max(W^{1/2} T̂ W^{1/2})           as a map from (R^{pm}, |·|) to L²(ρ), W = diag of ρ's weights
    ‖D²φ‖ = α max_j sup_{|u|=1} ‖D²g(θ_j)[u, u]‖   as D²φ is block diagonal in the neurons, and Σ_j |u_j|² ‖D²g(θ_j)‖ ≤ the largest
                                                  (curvature.py says how that is found)
    κ = ‖φ − f*‖ ‖D²φ‖/‖Dφ‖²                       the relative scale: κ ≪ 1, where the network moves like its tangent model
                                                  [Chizat, Oyallon & Bach, On lazy training in differentiable programming, 2019]

No array is larger than n × n, or than one block of neurons: T̂ of m neurons takes 2mn² multiplications for neurons c σ(⟨a, x⟩ + b), whatever
p is, and κ about mnq² more, q = p(p + 1)/2. All quantities are dimensionless.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import InputError, located
from wgf.measures.arguments import real_numbers
from wgf.networks.activations import Array
from wgf.networks.curvature import largest_curvature
from wgf.networks.custom import as_neuron
from wgf.networks.data import Data, check_data
from wgf.networks.features import in_blocks
from wgf.networks.neuron import LinearResponse, Neuron
from wgf.networks.scaling import check_scale, output_factor
from wgf.networks.tangent import TangentModel, in_space


@dataclass(frozen=True, repr=False, eq=False)
class Network:
    """m neurons, φ(x) = α Σ_j g(θ_j; x).

    Parameters
    ----------
    neuron : Neuron or object
        of ours, or any object with value(theta, x)
    parameters : array (m, p)
        the neurons θ_j
    scale : float or str, optional
        the output scale α, as a number or as "m^-p"; 1/m by default, the mean-field scaling

    Raises
    ------
    InputError
        for parameters that are not finite numbers of that shape, a scale that is not positive, inputs of another dimension

    References
    ----------
    Chizat, Oyallon & Bach, "On lazy training in differentiable programming", NeurIPS 2019.
    """

    neuron: Any
    parameters: Any
    scale: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "neuron", as_neuron(self.neuron))
        parameters = np.array(real_numbers(self.parameters, "the parameters of the network"))
        p = len(self.neuron.theta) if isinstance(self.neuron, Neuron) else None
        if parameters.ndim != 2 or not parameters.size or p not in (None, parameters.shape[1]):
            raise InputError(
                f"the parameters of the network have shape {parameters.shape}; give (m, {p if p is not None else 'p'}), one row a neuron"
            )
        if bad := np.argwhere(~np.isfinite(parameters)).tolist():
            raise InputError(f"the parameters of the network: entry {bad[0]} is {parameters[tuple(bad[0])]}; give finite numbers")
        parameters.setflags(write=False)
        object.__setattr__(self, "parameters", parameters)
        with located("the network"):
            check_scale(self.scale)
        object.__setattr__(self, "scale", output_factor(self.scale, len(parameters)) / len(parameters))

    @property
    def size(self) -> int:
        """m, the number of neurons."""
        return len(self.parameters)

    @property
    def factor(self) -> float:
        """β = mα: one in the mean-field scaling, √m in the NTK scaling."""
        return output_factor(self.scale, self.size)

    def predict(self, inputs: Any) -> Array:
        """φ(x) at inputs (n, d), or (n,) for one input; (n,)."""
        x, ones = self._checked(inputs), np.ones(self.size)
        total = np.zeros(len(x))
        for part, response in self._responses(x):
            total += response.total(ones[part])
        result: Array = self.scale * total
        return result

    def derivative(self, direction: Array, inputs: Any) -> Array:
        """Dφ(θ)[v] = α Σ_j Dg(θ_j) v_j for v (m, p) at inputs (n, d), (n,)."""
        x, v = self._checked(inputs), _shaped(direction, self.parameters.shape, "the directions v of the neurons")
        total = np.zeros(len(x))
        for part, response in self._responses(x):
            total += response.push(v[part])
        result: Array = self.scale * total
        return result

    def pull(self, u: Array, inputs: Any) -> Array:
        """Dg(θ_j)ᵀ u = Σ_i u_i ∇g(θ_j; x_i) for u (n,), (m, p)."""
        x = self._checked(inputs)
        u = _shaped(u, (len(x),), "the numbers u at the inputs")
        return np.concatenate([response.pull(u) for _, response in self._responses(x)])

    def tangent_kernel(self, data: Any) -> Array:
        """T̂ on the inputs of the data (or on inputs (n, d)), without the weights; (n, n)."""
        x = self._checked(data.inputs if isinstance(data, Data) else data)
        total = np.zeros((len(x), len(x)))
        for _, response in self._responses(x):
            total += response.gram()
        return total / self.size

    def differential_norm(self, data: Data) -> float:
        """‖Dφ‖ from (R^{pm}, |·|) to L²(ρ)."""
        check_data(data)
        largest = np.linalg.eigvalsh(in_space(self.tangent_kernel(data), data))[-1]
        return float(self.scale * np.sqrt(self.size * max(largest, 0.0)))

    def curvature_norm(self, data: Data) -> float:
        """‖D²φ‖: exact for p ≤ 2, and for p > 6 where σ'' = 0; else the largest that a search from many starts finds (curvature.py)."""
        check_data(data)
        self._checked(data.inputs)
        return float(self.scale) * largest_curvature(self.neuron, self.parameters, data.inputs, data.weights)

    def relative_scale(self, data: Data) -> float:
        """κ = ‖φ − f*‖ ‖D²φ‖/‖Dφ‖² with f* = data.targets; infinite where Dφ = 0."""
        check_data(data)
        distance = data.norm(self.predict(data.inputs) - data.targets)
        slope = self.differential_norm(data) ** 2
        return distance * self.curvature_norm(data) / slope if slope > 0.0 else np.inf

    def tangent(self, data: Data, penalty: float = 0.0) -> TangentModel:
        """The tangent model at these parameters, trained on the data; `penalty` λ is that of λ|θ|²."""
        check_data(data)
        self._checked(data.inputs)
        return TangentModel(self, data, penalty)

    def _responses(self, x: Array) -> Iterator[tuple[slice, LinearResponse]]:
        """The neurons at inputs (n, d), block by block."""
        for part in in_blocks(self.size, len(x)):
            yield part, self.neuron.at(self.parameters[part], x)

    def _checked(self, inputs: Any) -> Array:
        """The inputs as (n, d)."""
        x = real_numbers(inputs, "the inputs")
        x = x[:, None] if x.ndim == 1 else x
        dim = self.neuron.dim if isinstance(self.neuron, Neuron) else None
        if x.ndim != 2 or not x.size or dim not in (None, x.shape[1]):
            raise InputError(f"the inputs have shape {np.shape(inputs)}; the neuron has {dim or 'd'} input(s): give (n, {dim or 'd'})")
        if not np.isfinite(x).all():
            raise InputError("the inputs are not all finite numbers")
        return x

    def __repr__(self) -> str:
        return f"Network({self.size:,} × {self.neuron!r}, α = {self.scale:g})"


def _shaped(values: Any, shape: tuple[int, ...], what: str) -> Array:
    """The values as an array of real numbers; raises an InputError for another shape."""
    array = real_numbers(values, what)
    if array.shape != shape:
        raise InputError(f"{what} have shape {array.shape}; give {shape}")
    return array
