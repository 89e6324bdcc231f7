"""Points carried by their own velocity with SciPy's adaptive Runge–Kutta solvers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import integrate

from wgf.methods.base import Diagnostics, State
from wgf.methods.particles.base import ParticleStepper
from wgf.methods.particles.walls import Walls
from wgf.methods.solver_step import release, solver_step
from wgf.problems.problem import Problem


@dataclass(eq=False, repr=False)
class FlowState(State):
    """The points (m, p), and the size that the solver proposes for the next step; zero: it has to find one."""

    next_step: float = 0.0


class FlowStepper(ParticleStepper[FlowState]):
    """Moves the particles with a solver of SciPy (solver_step.py).

    The last stage of a step is the velocity at its end, with which the next one begins.
    """

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
        self.solver, self.rtol, self.atol = solver, rtol, atol
        self.token: object = None  # of the state that `last` is of
        self.last = (points, np.nan)  # the velocity and the loss where they were evaluated last

    def start(self) -> FlowState:
        """The points at t = 0."""
        return FlowState(0.0, self.walls.inside(self.points))

    def step(self, state: FlowState, stop: float) -> Diagnostics:
        """One accepted step of the solver."""
        if self.token is not state.token:
            self.last = self.velocity(state.array)
        before, self.token = self.diagnostics(state.time, *self.last), None

        def rate(time: float, flat: np.ndarray) -> np.ndarray:
            self.last = self.velocity(flat.reshape(state.array.shape))
            return self.last[0].ravel()

        first, flat = self.last[0].ravel(), state.array.ravel()
        ode, next_step = solver_step(self.solver, rate, first, state.time, flat, stop, state.next_step, self.rtol, self.atol)
        self.remember(state, ode)
        state.exchange(ode.y.reshape(state.array.shape))
        state.time, state.next_step, self.token = ode.t, next_step, state.token
        release(ode)
        return before

    def remember(self, state: FlowState, ode: integrate.OdeSolver) -> None:
        """What a state keeps of the step that the solver has accepted, beside the points: nothing here."""
