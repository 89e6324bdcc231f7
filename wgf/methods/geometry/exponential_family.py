"""Fisher–Rao's flow of a network, ∂_t log μ = −2(G + τ log μ − mean), as an exponential family: r unknowns, and no grid in time.

G = Φz + ½λV, z = Φᵀμ − f, so that, with what z has been so far as the only unknown,

    Ż = z − 2τZ,   Z(0) = 0,    s = (1 − e^{−2τt})/(2τ)   (t for τ = 0),
    μ_t ∝ μ₀^{e^{−2τt}} e^{−2ΦZ − λVs} = μ₀^{e^{−2τt}} e^{−2s(Φ Z/s + ½λV)},

the family of reaction.py with the mean residual Z/s in G. Any μ_t may take the place of μ₀: each step begins with Z = 0, and takes Z as far
as the solver (DOP853) takes it; what its error leaves in log μ is at most twice that of Z, times ‖g‖.

The limit is known from the start. For every ν, d/dt KL(ν|μ_t) = 2∫(G − ∫G dμ) dν ≤ L[ν] − L[μ_t] without noise, since L is convex along
mixtures, and L falls, so that

    L[μ_t] − L[ν] ≤ KL(ν|μ₀)/t

for the best ν on the cells: mirror descent in the limit of small steps [Chizat, Math. Program. 194 (2022) 487 for the rates].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.measures.grid import Grid
from wgf.methods.base import Diagnostics
from wgf.methods.geometry.exchange import Exchange
from wgf.methods.geometry.reaction import decay, spread, tilted
from wgf.methods.grid_stepper import GridState
from wgf.methods.solver_step import release, solver_step
from wgf.problems.grid_potential import RegressionPotential
from wgf.problems.problem import Problem


@dataclass(eq=False, repr=False)
class FamilyState(GridState):
    """A density, and the size that the solver proposes for the next step; zero: it has to find one."""

    next_step: float = 0.0


class ExponentialFamily(Exchange[FamilyState]):
    """`MirrorDescent` with KL. Never stored."""

    potential: RegressionPotential

    def __init__(self, method: Any, problem: Problem, grid: Grid) -> None:
        super().__init__(method, problem, grid)
        self.tau = problem.noise
        self.facts["geometry"] = "fisher-rao"

    def begin(self, time: float, values: np.ndarray) -> FamilyState:
        """A state with these values."""
        return FamilyState(time, values)

    def falling(self, values: np.ndarray) -> float:
        """2 Σ (ξ − ξ̄)² μ."""
        return 2.0 * spread(self.xi, values)

    def step(self, state: FamilyState, stop: float) -> Diagnostics:
        """One accepted step of the solver."""
        before, start, base = self.diagnostics(state), state.time, state.array

        def rate(time: float, path: np.ndarray) -> np.ndarray:
            result: np.ndarray = self.residual(self.member(base, path, time - start)) - 2.0 * self.tau * path
            return result

        first, origin, tolerance = self.potential.residual.copy(), np.zeros(self.potential.rank), self.method.tolerance
        ode, state.next_step = solver_step("DOP853", rate, first, start, origin, stop, state.next_step, tolerance, tolerance)
        state.exchange(self.member(base, ode.y, ode.t - start))
        state.time = float(ode.t)
        release(ode)
        return before

    def member(self, base: np.ndarray, path: np.ndarray, time: float) -> np.ndarray:
        """The density that comes of `base` after a time > 0 in which Z went from zero to `path` (r,)."""
        power, s = decay(2.0 * self.tau, time)
        self.token = None
        self.potential.express(path / s)
        self.potential.fill(potential := np.empty(self.shape))
        return tilted(base, -2.0 * s * potential, power)

    def residual(self, values: np.ndarray) -> np.ndarray:
        """z = Φᵀμ − f of the values, (r,)."""
        self.token = None
        self.fill_sums(self.sums, values)
        self.potential.project(values, self.sums)
        result: np.ndarray = self.potential.moments - self.potential.target
        return result
