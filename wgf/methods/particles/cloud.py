"""A cloud carried by its own velocity, dθ_j/dt = −∇G(θ_j; Σ_k w_k δ_{θ_k}), with SciPy's adaptive Runge–Kutta solvers.

Characteristics and particles differ only in where the points come from and in how accurately they are moved.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from scipy import integrate

from wgf.errors import RunError
from wgf.measures.measure import Cloud
from wgf.methods.base import Frame, Reading, State
from wgf.methods.particles.walls import Walls
from wgf.problems.problem import Problem

SOLVERS = {"DOP853": integrate.DOP853, "RK45": integrate.RK45, "RK23": integrate.RK23}


def threads() -> int:
    """How many threads to use: NUMBA_NUM_THREADS if it is set, else one per core."""
    return int(os.environ.get("NUMBA_NUM_THREADS") or os.cpu_count() or 1)


class CloudStepper:
    """What every stepper of a cloud shares: the start, the velocity, readings and frames.

    Without noise, a point that has reached a closed wall stays on it while its velocity points out.
    """

    def __init__(self, problem: Problem, points: np.ndarray, weights: np.ndarray, walls: Walls | None = None) -> None:
        self.points, self.weights = points, weights
        self.walls = walls or Walls()
        self.walls.fit(points.shape[1])
        self.energy = problem.energy.wrapped(self.walls.periods)
        self.noisy = problem.noise > 0
        self.facts: dict[str, Any] = {}
        problem.axis_names(points.shape[1])
        self._pool = ThreadPoolExecutor(threads()) if threads() > 1 else None

    def start(self) -> State:
        """The points at t = 0."""
        return State(0.0, self.walls.inside(self.points), {"next_step": 0.0})

    def step(self, state: State, stop: float) -> Reading:
        """Move the cloud towards `stop`."""
        raise NotImplementedError

    def velocity(self, points: np.ndarray) -> tuple[np.ndarray, float]:
        """−∇G at the points (m, p), without the components that point through a wall, and L[μ]."""
        velocity, loss = self.energy.velocity(self.walls.inside(points), self.weights, self._pool)
        self.walls.stop(velocity, points)
        return velocity, loss

    def reading(self, time: float, velocity: np.ndarray, loss: float) -> Reading:
        """The reading of a cloud with this velocity and loss."""
        dissipation = float(self.weights @ np.einsum("mp,mp->m", velocity, velocity))
        energy = np.nan if self.noisy else 0.5 * loss
        return Reading(time, loss, energy, dissipation, float(self.weights.sum()), float(self.weights.min()))

    def frame(self, state: State) -> Frame:
        """The cloud as it is."""
        cloud = Cloud(self.walls.inside(state.values), self.weights, self.energy.neuron)
        return Frame(cloud, self.reading(state.time, *self.velocity(state.values)), self.energy.predict(cloud))


class FlowStepper(CloudStepper):
    """Moves the cloud with a solver of SciPy; each stretch between two stops is one solver, begun with the last step size."""

    def __init__(
        self,
        problem: Problem,
        points: np.ndarray,
        weights: np.ndarray,
        solver: str,
        rtol: float,
        atol: float,
        walls: Walls | None = None,
    ) -> None:
        super().__init__(problem, points, weights, walls)
        self.solver, self.rtol, self.atol = SOLVERS[solver], rtol, atol
        self._ode: Any = None
        self._loss = (np.nan, np.nan)  # (time, loss) of the last evaluation

    def step(self, state: State, stop: float) -> Reading:
        """One accepted step of the solver."""
        if self._ode is None or self._ode.t != state.time or self._ode.t_bound != stop or self._ode.status != "running":
            self._begin(state, stop)
        ode = self._ode
        if self._loss[0] != ode.t:
            self._rate(ode.t, ode.y)
        before = self.reading(state.time, ode.f.reshape(state.values.shape), self._loss[1])
        wanted = ode.h_abs
        message = ode.step()
        if ode.status == "failed":
            raise RunError(f"the solver gave up at t = {state.time:.6g}: {message} Loosen rtol and atol, or look at the neuron there.")
        truncated = ode.step_size < wanted and ode.t == stop
        state.values, state.time = ode.y.reshape(state.values.shape), ode.t
        state.memory["next_step"] = max(wanted, ode.h_abs) if truncated else ode.h_abs
        return before

    def _begin(self, state: State, stop: float) -> None:
        first = min(state.memory["next_step"], stop - state.time) or None
        self._ode = self.solver(self._rate, state.time, state.values.ravel(), stop, rtol=self.rtol, atol=self.atol, first_step=first)

    def _rate(self, time: float, flat: np.ndarray) -> np.ndarray:
        velocity, loss = self.velocity(flat.reshape(self.points.shape))
        self._loss = (time, loss)
        return velocity.ravel()
