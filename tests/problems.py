"""Problems with known answers: the oracle stands beside the problem.

`Ridge` is solved in closed form, in one or more dimensions; `Tanh` has a reference from converged characteristics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.linalg import expm

import wgf
from wgf.networks.neuron import coordinate_names


@dataclass(frozen=True)
class Ridge:
    """A linear neuron g = ⟨a, x⟩ with ridge penalty λ|a|², noise τ and a Gaussian start: the law stays Gaussian.

    With S = E xxᵀ and F₁ = E xy, each neuron moves with −∇G(a; μ) = F₁ − S m − λa, where m = ∫ a dμ. Hence

        m' = F₁ − (S + λ)m,       m(t) = m_∞ + e^{−(S + λ)t}(m_0 − m_∞),   m_∞ = (S + λ)⁻¹F₁,
        var' = −2λ var + 2τ,      var(t) = e^{−2λt} var_0 + τ(1 − e^{−2λt})/λ   (var_0 + 2τt for λ = 0),

        L(t) = E (y − ⟨m, x⟩)² + λ(|m|² + |std|²),     E(t) = ½L(t) − τ Σ_k ½ log(2πe var_k).

    x is uniform on a box that is not centred, so that S has off-diagonal entries; y is not linear in x, so that L(∞) > 0.
    """

    start: Sequence[float] = (1.0,)
    width: Sequence[float] = (0.4,)
    penalty: float = 0.3
    temperature: float = 0.0

    @property
    def dim(self) -> int:
        """The number of inputs d, which is that of axes p."""
        return len(self.start)

    @cached_property
    def data(self) -> wgf.Data:
        """Inputs uniform on [−1, 1.5] × [−0.5, 1] × …, y a nonlinear function of them."""
        lower, upper = (-1.0, -0.5, -0.7)[: self.dim], (1.5, 1.0, 1.3)[: self.dim]

        def target(x: np.ndarray) -> np.ndarray:
            total = x if self.dim == 1 else x @ np.array([1.0, -0.8, 0.4])[: self.dim]
            return np.sin(2.0 * total) + 0.5 * total**2

        return wgf.Data.quadrature(target, lower, upper, nodes=8)

    @property
    def problem(self) -> wgf.Problem:
        """The problem itself."""
        neuron = wgf.Neuron("identity", theta=coordinate_names(self.dim)[1:-1], dim=self.dim)
        energy = wgf.RegressionEnergy(neuron, self.data, self.penalty)
        return wgf.Problem(energy, self.law(0.0), self.temperature, title="ridge regression")

    @property
    def box(self) -> tuple[list[float], list[float]]:
        """Lower and upper edges that leave out less than 1e-13 of the law at any time t ≤ 1."""
        reach = 8.0 * np.maximum(self.width, self.std(1.0))
        return (self.start - reach).tolist(), (self.start + reach).tolist()

    @cached_property
    def second_moment(self) -> np.ndarray:
        """S, (d, d)."""
        return (self.data.inputs.T * self.data.weights) @ self.data.inputs

    @cached_property
    def correlation(self) -> np.ndarray:
        """F₁, (d,)."""
        return self.data.inputs.T @ (self.data.weights * self.data.targets)

    def mean(self, t: float) -> np.ndarray:
        """m(t), (d,)."""
        rate = self.second_moment + self.penalty * np.eye(self.dim)
        limit = np.linalg.solve(rate, self.correlation)
        return limit + expm(-t * rate) @ (np.array(self.start) - limit)

    def std(self, t: float) -> np.ndarray:
        """Standard deviation of each coordinate, (d,)."""
        grown = -np.expm1(-2 * self.penalty * t) / self.penalty if self.penalty else 2 * t
        return np.sqrt(np.exp(-2 * self.penalty * t) * np.array(self.width) ** 2 + self.temperature * grown)

    def covariance(self, t: float) -> np.ndarray:
        """(d, d)."""
        return np.diag(self.std(t) ** 2)

    def law(self, t: float) -> wgf.Gaussian:
        """μ_t."""
        return wgf.Gaussian(self.mean(t), self.std(t))

    def prediction(self, t: float) -> np.ndarray:
        """φ_{μ_t} at the data, (n,)."""
        return self.data.inputs @ self.mean(t)

    def loss(self, t: float) -> float:
        """L[μ_t]."""
        fit = self.data.norm(self.prediction(t) - self.data.targets) ** 2
        return fit + self.penalty * float(np.sum(self.mean(t) ** 2) + np.sum(self.std(t) ** 2))

    def free_energy(self, t: float) -> float:
        """E[μ_t]."""
        return 0.5 * self.loss(t) - self.temperature * float(np.sum(0.5 * np.log(2 * np.pi * np.e * self.std(t) ** 2)))

    def dissipation(self, t: float) -> float:
        """∫|∇(G + τ log μ)|² dμ_t, where ∇(G + τ log μ) = S m − F₁ + λa − τ(a − m)/var."""
        variance = self.std(t) ** 2
        return float(np.sum(self.velocity(self.mean(t), t) ** 2) + np.sum((self.penalty - self.temperature / variance) ** 2 * variance))

    def potential(self, theta: np.ndarray, t: float) -> np.ndarray:
        """G(a; μ_t) = ⟨a, S m − F₁⟩ + ½λ|a|² at theta (…, d), (…,)."""
        pull = self.second_moment @ self.mean(t) - self.correlation
        return theta @ pull + 0.5 * self.penalty * np.sum(theta**2, axis=-1)

    def velocity(self, theta: np.ndarray, t: float) -> np.ndarray:
        """−∇G(a; μ_t) = F₁ − S m − λa at theta (…, d), (…, d)."""
        return self.correlation - self.second_moment @ self.mean(t) - self.penalty * theta


RIDGE_1D = Ridge()
RIDGE_2D = Ridge(start=(1.0, -0.5), width=(0.4, 0.3))


@dataclass(frozen=True)
class Tanh:
    """A tanh student on θ = (c, a) with a smooth Gaussian start, learning tanh(2x) + ½ sin(3x) on [−1, 1]."""

    penalty: float = 0.0

    lower = (-3.0, -2.5)
    upper = (4.0, 4.5)

    @staticmethod
    def target(x: np.ndarray) -> np.ndarray:
        """f*, of size one."""
        return np.tanh(2.0 * x) + 0.5 * np.sin(3.0 * x)

    @cached_property
    def data(self) -> wgf.Data:
        """40 Gauss–Legendre nodes."""
        return wgf.Data.quadrature(self.target, -1, 1, 40)

    @property
    def problem(self) -> wgf.Problem:
        """The problem itself."""
        energy = wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a")), self.data, self.penalty)
        return wgf.Problem(energy, wgf.Gaussian(mean=[0.2, 0.5], std=[0.4, 0.4]), title="tanh student")

    def reference(self, *times: float) -> wgf.Run:
        """The characteristics at these times: the prediction at t ≤ 5 is good to 1e-8 (48 against 64 nodes: 9.5e-9)."""
        return _reference(self, times)


@lru_cache(maxsize=4)
def _reference(tanh: Tanh, times: tuple[float, ...]) -> wgf.Run:
    return wgf.solve(tanh.problem, wgf.Characteristics(nodes=48), until=times[-1], save=list(times))
