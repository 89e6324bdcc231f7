"""The output scale α of a network φ = α Σ_j g(θ_j), and its centring at the start, as a neuron of its own.

In the time of dθ_j/dt = −(1/(2mα²)) ∇_{θ_j}(‖φ − f*‖² + (λ/m) Σ_k V(θ_k)) and with β = mα,

    dθ_j/dt = −(1/β) Σ_i w_i (φ − f*)(x_i) ∇g(θ_j; x_i) − (λ/(2β²)) ∇V(θ_j) = −(1/β²) ∇G_β(θ_j; μ̂),

where G_β is the potential of the neuron βg in the mean-field scaling, φ = (1/m) Σ_j βg(θ_j). So a scaled run is that of another neuron with
its velocity divided by β²; β = 1 is the mean-field run itself. A network from which its start φ(θ₀) is subtracted is that of the neuron
βg − φ(θ₀), as the weights 1/m add up to one.

    scale      α: a number, or "m^-p" with 0 < p ≤ 1: p = 1 mean field, p = ½ the tangent-kernel (NTK) scaling
    centred    "pairs": (c, …), (−c, …) of m/2 draws, so that φ(θ₀) = 0;  "subtracted": φ(θ) − φ(θ₀)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from wgf.errors import InputError, number, shown
from wgf.networks.activations import Array
from wgf.networks.custom import CustomNeuron
from wgf.networks.features import in_blocks
from wgf.networks.neuron import Neuron, Response

CENTRED = ("pairs", "subtracted")
POWER = re.compile(r"m\s*(?:\^|\*\*)\s*\(?\s*-\s*([0-9.eE+]+)\s*\)?")


def exponent_of(text: str) -> float:
    """p of "m^-p", 0 < p ≤ 1."""
    found = POWER.fullmatch(text.strip())
    p = number(float(found.group(1))) if found and re.fullmatch(r"[0-9]*\.?[0-9]+|[0-9]+\.", found.group(1)) else np.nan
    if not 0.0 < p <= 1.0:
        raise InputError(f'scale = "{text}": give a positive number α, or "m^-p" with an exponent p in (0, 1], such as "m^-0.5"')
    return p


def check_scale(scale: Any) -> None:
    """Raise an InputError unless `scale` is None, a positive number or "m^-p"."""
    if isinstance(scale, str):
        exponent_of(scale)
    elif scale is not None and not number(scale) > 0:
        raise InputError(f'scale = {shown(scale)}: give a positive number α, or "m^-p" with an exponent p in (0, 1], such as "m^-0.5"')


def output_factor(scale: Any, m: int) -> float:
    """β = mα of m neurons; one, exactly, where α is 1/m up to rounding."""
    beta = 1.0 if scale is None else m ** (1.0 - exponent_of(scale)) if isinstance(scale, str) else m * float(scale)
    return 1.0 if abs(beta - 1.0) <= 4 * np.finfo(float).eps else float(beta)


def in_pairs(neuron: Neuron | CustomNeuron, draws: Array) -> Array:
    """The draws (m/2, p), and after each of them itself with the opposite output weight, (m, p)."""
    mirrored = draws.copy()
    mirrored[:, neuron.output_axis] *= -1.0
    return np.stack([draws, mirrored], axis=1).reshape(-1, draws.shape[1])


@dataclass(frozen=True, eq=False)
class ScaledNeuron:
    """βg(θ; x) − φ₀(x), where φ₀ = (β/m) Σ_j g(θ_{0j}; ·) of the neurons at `subtracted` (m, p), or zero where there are none."""

    neuron: Neuron | CustomNeuron
    factor: float
    subtracted: Array | None = None

    @property
    def output_axis(self) -> int | None:
        """That of g, unless something is subtracted: then the neuron is not linear in c."""
        return self.neuron.output_axis if self.subtracted is None else None

    def axis_names(self, p: int) -> tuple[str, ...]:
        """The names of the axes of θ."""
        return self.neuron.axis_names(p)

    def offset(self, x: Array) -> Array | float:
        """φ₀ at x (n, d), (n,); the last one is kept."""
        if self.subtracted is None:
            return 0.0
        if (kept := self._kept.get("x")) is not None and (kept is x or np.array_equal(kept, x)):
            return self._kept["offset"]
        masses, total = np.full(len(self.subtracted), self.factor / len(self.subtracted)), np.zeros(len(x))
        for part in in_blocks(len(masses), len(x)):
            total += self.neuron.at(self.subtracted[part], x).total(masses[part])
        self._kept.update(x=x, offset=total)
        return total

    @cached_property
    def _kept(self) -> dict[str, Array]:
        return {}

    def value(self, theta: Array, x: Array) -> Array:
        """βg(θ; x) − φ₀(x), (…, n)."""
        return self.factor * self.neuron.value(theta, x) - self.offset(x)

    def gradient(self, theta: Array, x: Array) -> Array:
        """β∇g(θ; x), (…, n, p)."""
        return self.factor * self.neuron.gradient(theta, x)

    def rows_at_once(self, samples: int) -> int:
        """For how many parameters to ask for the response on so many data."""
        return self.neuron.rows_at_once(samples)

    def at(self, theta: Array, x: Array) -> Response:
        """The response at theta (N, p)."""
        return _ScaledResponse(self, theta, x)


class _ScaledResponse:
    def __init__(self, scaled: ScaledNeuron, theta: Array, x: Array) -> None:
        self.inner, self.factor, self.offset = scaled.neuron.at(theta, x), scaled.factor, scaled.offset(x)

    @property
    def value(self) -> Array:
        return self.factor * self.inner.value - self.offset

    def total(self, masses: Array) -> Array:
        result: Array = self.factor * self.inner.total(masses) - masses.sum() * self.offset
        return result

    def pull(self, u: Array) -> Array:
        return self.factor * self.inner.pull(u)
