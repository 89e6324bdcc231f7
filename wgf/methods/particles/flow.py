"""Points carried by their own velocity with SciPy's adaptive Runge–Kutta solvers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import integrate

from wgf.errors import RunError
from wgf.methods.base import Reading, State
from wgf.methods.particles.cloud import CloudStepper
from wgf.methods.particles.walls import Walls
from wgf.problems.problem import Problem

SOLVERS = {"DOP853": integrate.DOP853, "RK45": integrate.RK45, "RK23": integrate.RK23}


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
