"""The flow in L², by explicit steps: the gradient step, then the nearest density,

    μ_{k+1} = argmin_p ∫G(·; μ_k) dp + ∫(p − μ_k)²dθ/(4Δt) = Π(μ_k − 2Δt G(·; μ_k)),

Π being the projection onto densities, (q − c)_+ with the c that gives them the mass of μ_k. With ‖K‖ the norm of the kernel in L² and
δ = μ_{k+1} − μ_k, Π's inequality ∫Gδ ≤ −∫δ²/(2Δt) gives

    E(μ_{k+1}) − E(μ_k) = ∫Gδ + ½∫Kδδ ≤ −½(1/Δt − ‖K‖)∫δ²,

so that E falls for Δt ≤ 1/‖K‖. Steps are SHARE of that: of first order in time. On cells K is Φ Φᵀ, whose norm is that of the r × r matrix
ΦᵀΦ|cell|.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wgf.measures.grid import Grid
from wgf.methods.base import Diagnostics
from wgf.methods.geometry.exchange import Exchange
from wgf.methods.grid_stepper import GridState
from wgf.methods.time_steps import shortened
from wgf.problems.grid_potential import RegressionPotential
from wgf.problems.problem import Problem

SHARE = 0.25  # of 1/‖K‖: a step


class Projected(Exchange[GridState]):
    """`MirrorDescent` with the Euclidean distance. Never stored."""

    potential: RegressionPotential

    def __init__(self, method: Any, problem: Problem, grid: Grid) -> None:
        super().__init__(method, problem, grid)
        self.facts["geometry"] = "euclidean"
        norm = self.potential.kernel_norm()
        self.dt = SHARE / norm if norm > 0 else math.inf

    def begin(self, time: float, values: np.ndarray) -> GridState:
        """A state with these values."""
        return GridState(time, values)

    def moved(self, values: np.ndarray, dt: float) -> np.ndarray:
        """The values a step later, whose ξ is in place."""
        return nearest_density(values - 2.0 * dt * self.xi, float(values.sum()))

    def falling(self, values: np.ndarray) -> float:
        """½ Σ (∂_t μ)², by a step."""
        return 0.5 * float(np.sum((self.moved(values, self.dt) - values) ** 2)) / self.dt**2

    def step(self, state: GridState, stop: float) -> Diagnostics:
        """One step, shortened only to land on `stop`."""
        before = self.diagnostics(state)
        dt, last = shortened(stop - state.time, self.dt)
        state.exchange(self.moved(state.array, dt))
        state.time = stop if last else state.time + dt
        return before


def nearest_density(values: np.ndarray, total: float) -> np.ndarray:
    """(q − c)_+ for the values q of any shape, with the c for which they sum up to `total` > 0.

    With the largest first, c = (q_1 + … + q_k − total)/k for the last k with q_k > c: no later one is left [Held, Wolfe & Crowder, Math.
    Program. 6 (1974) 62].
    """
    descending = np.sort(values, axis=None)[::-1]
    cuts = (np.cumsum(descending) - total) / np.arange(1, values.size + 1)
    result: np.ndarray = np.maximum(values - cuts[np.flatnonzero(descending > cuts)[-1]], 0.0)
    result *= total / result.sum()
    return result
