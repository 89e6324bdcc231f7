"""The best density with noise, on given cells: the self-consistent Gibbs measure, by convex duality in r numbers.

On cells with volumes v_j and responses Φ_j (features.py), masses m have

    E(m) = ½|Φᵀm − t|² + ½ λ V·m + τ Σ m_j log(m_j/v_j) + const,      E* = max_ζ D(ζ),
    D(ζ) = −½|ζ|² − ζ·t − τ log Σ_j v_j e^{−(Φζ + ½λV)_j/τ} + const.

D is strictly concave. Its gradient is φ(p_ζ) − t − ζ with the Gibbs measure p_ζ ∝ v e^{−(Φζ + ½λV)/τ}, its second derivative
−1 − Cov(Φ)/τ, and Newton's method takes a handful of steps. At the maximum p_ζ is the best density m*, and on the cells

    E(m) − E* = τ KL(m | m*) + ½|Φᵀ(m − m*)|²,      E(m) − D(φ − f*) = τ KL(m | p_m) ≥ E(m) − E*,

p_m the Gibbs measure of G(·; m) [Nitanda, Wu & Suzuki, AISTATS 2022].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from wgf.errors import NotConverged
from wgf.problems.regression import RegressionEnergy

STEPS, HALVINGS = 100, 40
ENOUGH = 1e-15  # Newton's decrement, of the size of D


@dataclass(frozen=True)
class Gibbs:
    """The best masses (N,), their E*, and φ at the data (n,)."""

    masses: np.ndarray
    energy: float
    prediction: np.ndarray


class OnCells:
    """The free energy on cells at points (N, p) with volumes (N,), at a temperature τ > 0."""

    def __init__(self, energy: RegressionEnergy, points: np.ndarray, volumes: np.ndarray, temperature: float) -> None:
        self.potential = energy.at(points)
        self.volumes, self.tau = volumes, temperature
        self.features, self.target, self.penalty = self.potential.features, self.potential.target, self.potential.penalty
        self.constant = 0.5 * self.potential.out_of_reach

    def energy(self, masses: np.ndarray) -> float:
        """E of masses (N,)."""
        misfit = self.moments(masses) - self.target
        entropy = float(np.sum(special.xlogy(masses, masses / self.volumes)))
        return 0.5 * float(misfit @ misfit) + self.constant + float(self.penalty @ masses) + self.tau * entropy

    def moments(self, masses: np.ndarray) -> np.ndarray:
        """Φᵀm, (r,)."""
        result: np.ndarray = masses @ self.features
        return result

    def logarithms(self, zeta: np.ndarray) -> tuple[np.ndarray, float]:
        """The logarithms of the masses of p_ζ, (N,), and −τ log of their sum before they are scaled to one."""
        exponent = -(self.features @ zeta + self.penalty) / self.tau + np.log(self.volumes)
        total = float(special.logsumexp(exponent))
        return exponent - total, -self.tau * total

    def dual(self, zeta: np.ndarray) -> float:
        """D(ζ)."""
        return -0.5 * float(zeta @ zeta) - float(zeta @ self.target) + self.logarithms(zeta)[1] + self.constant

    def minimum(self) -> Gibbs:
        """The best density, by Newton's method for the maximum of D."""
        zeta = np.zeros(len(self.target))
        value = self.dual(zeta)
        for _ in range(STEPS):
            masses = np.exp(self.logarithms(zeta)[0])
            moments = self.moments(masses)
            slope = moments - self.target - zeta
            centred = self.features - moments
            bend = np.eye(len(zeta)) + (centred.T * masses) @ centred / self.tau
            step = linalg.solve(bend, slope, assume_a="pos")
            zeta, before, value = self._risen(zeta, step, value)
            if float(slope @ step) <= ENOUGH * (abs(value) + abs(before)):
                break
        else:
            raise NotConverged(f"the best density was not found in {STEPS} steps of Newton's method")
        masses = np.exp(self.logarithms(zeta)[0])
        return Gibbs(masses, self.dual(zeta), self.potential.readout @ self.moments(masses))

    def _risen(self, zeta: np.ndarray, step: np.ndarray, value: float) -> tuple[np.ndarray, float, float]:
        """ζ after a step, halved until D does not fall by more than rounding; D before and after."""
        for _ in range(HALVINGS):
            tried = self.dual(zeta + step)
            if tried >= value - ENOUGH * abs(value):
                return zeta + step, value, tried
            step = 0.5 * step
        return zeta, value, value

    def divergence(self, masses: np.ndarray, logarithms: np.ndarray) -> float:
        """KL(m | p) for the logarithms of the masses p (N,)."""
        return float(np.sum(special.xlogy(masses, masses) - masses * logarithms))

    def gap(self, masses: np.ndarray) -> float:
        """τ KL(m | p_m)."""
        return self.tau * self.divergence(masses, self.logarithms(self.moments(masses) - self.target)[0])
