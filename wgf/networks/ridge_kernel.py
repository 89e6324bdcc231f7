"""The tangent kernel of ridge neurons c·σ(z), z = ⟨a, x⟩ + b, whose input weights and bias are independent normal numbers (or fixed).

With x̃ = (x, 1) and (a, b)_k = m_k + s_k ξ_k, ξ standard normal, s_k = 0 where the coordinate is fixed, the pair z = z(x), z' = z(x') is
Gaussian with the means ⟨m, x̃⟩, ⟨m, x̃'⟩ and the covariances ⟨u, v⟩ of the vectors u = s∘x̃, v = s∘x̃'. With q = |u|², q' = |v|², the angle θ
between u and v, and m = 0:

erf [Williams, NIPS 1996]. With Δ = (1 + 2q)(1 + 2q') − 4⟨u, v⟩² = 1 + 2q + 2q' + 4qq' sin²θ,

    E erf(z) erf(z') = (2/π) arcsin(2⟨u, v⟩/√((1 + 2q)(1 + 2q'))) = (2/π) arctan(2⟨u, v⟩/√Δ),      E erf'(z) erf'(z') = (4/π)/√Δ.

relu [Cho & Saul, NIPS 2009]. With φ = π − θ and the spherical Bessel function j₁(φ) = (sin φ − φ cos φ)/φ²,

    E z₊ z'₊ = |u||v| (sin θ + (π − θ) cos θ)/2π = |u||v| φ² j₁(φ)/2π,      E 1{z > 0} 1{z' > 0} = φ/2π.

Rounding. Inner products lose the angle of nearly parallel vectors: 1 − cos θ ≈ θ²/2 has an error of 1e-16, θ one of 1e-8. The unit vectors
û, v̂ give it to all digits [Kahan, Miscalculating Area and Angles of a Needle-like Triangle, 2014]:

    |û − v̂| = 2 sin(θ/2),    |û + v̂| = 2 cos(θ/2),    θ = 2 arctan(|û − v̂|/|û + v̂|),    φ = 2 arctan(|û + v̂|/|û − v̂|).

Where u = 0, z is zero: θ is then π/2, and every term that holds it has the factor |u| or ⟨x, x'⟩ over free weights, which is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.spatial.distance import cdist

from wgf.networks.activations import ACTIVATIONS, Activation, Array

REACH = 8.5  # standard deviations beyond which a normal law has 2e-17
BLOCK = 2**22  # entries of the largest array of a rule in the plane


@dataclass(frozen=True)
class Plane:
    """Pairs of vectors u (n, k) and v (n', k): their lengths (n,), (n',), and θ and φ = π − θ, (n, n')."""

    first: Array
    second: Array
    angle: Array
    supplement: Array

    @classmethod
    def between(cls, u: Array, v: Array) -> Plane:
        """Of given vectors."""
        first, second = np.linalg.norm(u, axis=1), np.linalg.norm(v, axis=1)
        unit_u = u / np.where(first > 0.0, first, 1.0)[:, None]
        unit_v = v / np.where(second > 0.0, second, 1.0)[:, None]
        apart, along = cdist(unit_u, unit_v), cdist(unit_u, -unit_v)
        return cls(first, second, 2.0 * np.arctan2(apart, along), 2.0 * np.arctan2(along, apart))


def _erf(plane: Plane) -> tuple[Array, Array]:
    """E σσ' and E σ'σ' of erf, each (n, n')."""
    q, r = plane.first[:, None] ** 2, plane.second**2
    inner = plane.first[:, None] * plane.second * np.cos(plane.angle)
    root = np.sqrt(1.0 + 2.0 * q + 2.0 * r + 4.0 * q * r * np.sin(plane.angle) ** 2)
    return (2.0 / np.pi) * np.arctan2(2.0 * inner, root), (4.0 / np.pi) / root


def _relu(plane: Plane) -> tuple[Array, Array]:
    """E σσ' and E σ'σ' of relu, each (n, n')."""
    phi = plane.supplement
    lengths = plane.first[:, None] * plane.second
    return lengths * phi**2 * special.spherical_jn(1, phi) / (2.0 * np.pi), phi / (2.0 * np.pi)


CLOSED = {"erf": _erf, "relu": _relu}


@dataclass(frozen=True)
class Ridge:
    """A neuron c·σ(⟨m + s∘ξ, x̃⟩) with ξ standard normal, and c independent of it; see the module's text.

    mean, std, free   m, s, and whether the coordinate is one of θ, for the input weights and the bias: each (d + 1,)
    output, square    whether c is one of θ, and E c²
    """

    sigma: Activation
    mean: Array
    std: Array
    free: Array
    output: bool
    square: float

    @property
    def axes(self) -> int:
        """The number of input weights and biases that are not fixed."""
        return int(self.free.sum())

    @property
    def closed(self) -> bool:
        """Whether there is a closed form: σ is erf or relu, and z of mean zero."""
        name = self.sigma.name
        return name in CLOSED and ACTIVATIONS[name] is self.sigma and not self.mean.any()

    def in_closed_form(self, x: Array, y: Array) -> Array:
        """T, (n, n')."""
        x, y = _extended(x), _extended(y)
        values, slopes = CLOSED[self.sigma.name](Plane.between(self.std * x, self.std * y))
        return self._kernel(values, slopes, x, y)

    def by_pairs(self, x: Array, y: Array, nodes: int) -> Array:
        """T by the trapezoidal rule for independent standard normal ξ, η with z = ⟨m, x̃⟩ + |u| ξ, z' = ⟨m, x̃'⟩ + |v| (ξ cos θ + η sin θ).

        For an analytic σ its error falls exponentially with the number of nodes [Trefethen & Weideman, SIAM Rev. 56 (2014) 385].
        """
        x, y = _extended(x), _extended(y)
        plane = Plane.between(self.std * x, self.std * y)
        t = np.linspace(-REACH, REACH, nodes)
        w = np.exp(-0.5 * t**2)
        w /= w.sum()
        z = (x @ self.mean)[:, None] + np.multiply.outer(plane.first, t)
        s = self.sigma.value(z)
        firsts = s * w, self.sigma.slope(z, s) * w
        cos, sin, center = np.cos(plane.angle), np.sin(plane.angle), y @ self.mean
        values, slopes = np.empty(plane.angle.shape), np.empty(plane.angle.shape)
        step = max(1, BLOCK // nodes**2)
        for start in range(0, values.size, step):
            i, j = np.divmod(np.arange(start, min(start + step, values.size)), len(y))
            turned = (cos[i, j, None] * t)[..., None] + (sin[i, j, None] * t)[:, None]
            z = center[j, None, None] + plane.second[j, None, None] * turned
            s = self.sigma.value(z)
            for out, first, second in zip((values, slopes), firsts, (s, self.sigma.slope(z, s)), strict=True):
                out[i, j] = np.sum(first[i] * (second @ w), axis=1)
        return self._kernel(values, slopes, x, y)

    def _kernel(self, values: Array, slopes: Array, x: Array, y: Array) -> Array:
        """[c free] E σσ' + E c² E σ'σ' Σ_{k free} x̃_k x̃'_k."""
        kernel: Array = self.square * slopes * (x[:, self.free] @ y[:, self.free].T)
        return kernel + values if self.output else kernel


def _extended(x: Array) -> Array:
    """x̃ = (x, 1), (n, d + 1)."""
    return np.column_stack([x, np.ones(len(x))])
