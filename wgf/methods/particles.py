"""m neurons: dθ_j/dt = −∇G(θ_j; μ̂), μ̂ = (1/m) Σ_k δ_{θ_k}, from m independent draws of the initial law.

This is −(m/2)∇_{θ_j} of the loss of the network of width m, so a plain gradient step of size η advances the time by η.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wgf.errors import InputError, known
from wgf.methods.base import Reading, State, noiseless
from wgf.methods.flow import SOLVERS, CloudStepper, FlowStepper
from wgf.problem import Problem


@dataclass(frozen=True)
class Particles:
    """m neurons drawn from the initial law and trained by gradient flow, or by gradient descent where `step` is given.

    m             the number of neurons
    seed          of the draw: a number, or anything numpy.random.default_rng takes
    step          step size η of plain gradient descent θ ← θ − η∇G (a step onto a save time may be shorter); None: gradient flow
    rtol, atol    tolerances of the gradient flow's ODE solver
    solver        RK45, DOP853 or RK23
    lower, upper  walls without flux, where the neurons live in a box
    """

    m: int
    seed: int | np.random.SeedSequence = 0
    step: float | None = None
    rtol: float = 1e-6
    atol: float = 1e-8
    solver: str = "RK45"
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if self.m < 1:
            raise InputError(f"particles: m = {self.m}; at least one neuron is needed")
        if self.step is not None and not self.step > 0:
            raise InputError(f"particles: step = {self.step:g}; the step size of gradient descent must be positive")
        if not (self.rtol > 0 and self.atol > 0):
            raise InputError(f"particles: rtol = {self.rtol:g}, atol = {self.atol:g}; both must be positive")
        if (self.lower is None) != (self.upper is None):
            raise InputError("particles: walls need both lower and upper, or neither")
        known(self.solver, SOLVERS, "ODE solver")

    def bind(self, problem: Problem, until: float) -> CloudStepper:
        """Draw the neurons."""
        noiseless(problem, self)
        points = problem.initial.sample(self.m, np.random.default_rng(self.seed))
        weights = np.full(self.m, 1.0 / self.m)
        box = None if self.lower is None else (self.lower, self.upper)
        if self.step is not None:
            return DescentStepper(problem, points, weights, self.step, box)
        return FlowStepper(problem, points, weights, self.solver, self.rtol, self.atol, box)

    def __repr__(self) -> str:
        how = f"{self.solver}, rtol {self.rtol:g}" if self.step is None else f"gradient descent, step {self.step:g}"
        return f"Particles({self.m:,} neurons, seed {self.seed}, {how})"


class DescentStepper(CloudStepper):
    """Plain gradient descent, θ ← θ − η∇G."""

    def __init__(self, problem: Problem, points: np.ndarray, weights: np.ndarray, eta: float, box: tuple | None = None) -> None:
        super().__init__(problem, points, weights, box)
        self.eta = eta

    def step(self, state: State, stop: float) -> Reading:
        """One gradient step, shortened only to land on `stop`."""
        velocity, loss = self.velocity(state.values)
        before = self.reading(state.time, velocity, loss)
        remaining = stop - state.time
        last = remaining <= self.eta * (1 + 1e-9)
        state.values = self.inside(state.values + (remaining if last else self.eta) * velocity)
        state.time = stop if last else state.time + self.eta
        return before
