"""m neurons: dθ_j = −∇G(θ_j; μ̂) dt + √(2τ) dB_j, μ̂ = (1/m) Σ_k δ_{θ_k}, from m independent draws of the initial law.

This is −(m/2)∇_{θ_j} of the loss of the network of width m, so a plain gradient step of size η advances the time by η.
Without noise the neurons follow the gradient flow (cloud.py), or plain gradient descent where `step` is given; with noise, or
on batches of the data, they move in steps of a fixed size (langevin.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.methods.base import Reading, State
from wgf.methods.domain_table import without_box
from wgf.methods.particles.cloud import CloudStepper
from wgf.methods.particles.flow import SOLVERS, FlowStepper
from wgf.methods.particles.langevin import SCHEMES, LangevinStepper
from wgf.methods.particles.walls import Walls
from wgf.problems.internal import PorousMedium
from wgf.problems.problem import Problem
from wgf.problems.schema import Table
from wgf.registers import known

NEURONS = 1000  # m, where a problem file names none
DEFAULT_STEP = 0.01  # of the noisy dynamics: for velocities and curvatures of size one, the error of `heun` is of size 1e-4


@dataclass(frozen=True)
class Particles:
    """m neurons drawn from the initial law and trained.

    m             the number of neurons
    seed          of the draw and of the noise: a number, or a numpy.random.SeedSequence
    step          the step size η of gradient descent, of noisy dynamics (default 0.01) and of batches; a step onto a save time
                  may be shorter. Without noise and step: gradient flow
    scheme        with noise: heun (second weak order) or euler-maruyama
    batch         samples drawn for each step of stochastic gradient descent; the loss in the history is then that of the batch,
                  the loss at frames that of all data
    rtol, atol    tolerances of the gradient flow's ODE solver
    solver        RK45, DOP853 or RK23
    lower, upper  walls, where the neurons live in a box: they stop there, with noise they are reflected
    boundary      "no-flux" or "periodic", for all axes or one per axis
    """

    m: int
    seed: int | np.random.SeedSequence = 0
    step: float | None = None
    scheme: str = "heun"
    batch: int | None = None
    rtol: float = 1e-6
    atol: float = 1e-8
    solver: str = "RK45"
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None
    boundary: str | Sequence[str] = "no-flux"

    def __post_init__(self) -> None:
        if self.m < 1:
            raise InputError(f"particles: m = {self.m}; at least one neuron is needed")
        if self.step is not None and not self.step > 0:
            raise InputError(f"particles: step = {self.step:g}; the step size must be positive")
        if self.batch is not None and (self.batch < 1 or self.step is None):
            raise InputError(f"particles: batch = {self.batch}; give at least one sample, and the step size: step = …")
        if not (self.rtol > 0 and self.atol > 0):
            raise InputError(f"particles: rtol = {self.rtol:g}, atol = {self.atol:g}; both must be positive")
        known(self.solver, SOLVERS, "ODE solver")
        known(self.scheme, SCHEMES, "scheme of noisy particles")
        Walls(self.lower, self.upper, self.boundary)

    @classmethod
    def from_table(cls, table: Table, domain: Table, problem: Problem, cells: tuple[int, ...]) -> Particles:
        """From the tables of a problem file (domain_table.py); walls stand in [method]."""
        return without_box(cls, table, domain, problem, cells, **({} if "m" in table else {"m": NEURONS}))

    def bind(self, problem: Problem, until: float) -> CloudStepper[Any]:
        """Draw the neurons."""
        if isinstance(problem.energy.internal, PorousMedium):
            raise InputError(f"particles have no density, which U = {problem.energy.internal!r} needs: take FiniteVolume")
        if self.batch is not None and problem.energy.data is None:
            raise InputError(f"particles: batch = {self.batch}, but this energy has no data to draw from: leave it out")
        points = problem.initial.sample(self.m, np.random.default_rng(self.seed))
        cloud = (problem, points, np.full(self.m, 1.0 / self.m))
        walls = Walls(self.lower, self.upper, self.boundary)
        if problem.noise > 0 or self.batch is not None:
            return LangevinStepper(*cloud, walls, self.step or DEFAULT_STEP, self.scheme, self.batch, self.seed)
        if self.step is not None:
            return DescentStepper(*cloud, walls, self.step)
        return FlowStepper(*cloud, self.solver, self.rtol, self.atol, walls)

    def __repr__(self) -> str:
        how = f"{self.solver}, rtol {self.rtol:g}" if self.step is None else f"step {self.step:g}"
        batch = "" if self.batch is None else f", batches of {self.batch}"
        return f"Particles({self.m:,} neurons, seed {self.seed}, {how}{batch})"


class DescentStepper(CloudStepper[State]):
    """Plain gradient descent, θ ← θ − η∇G."""

    def __init__(self, problem: Problem, points: np.ndarray, weights: np.ndarray, walls: Walls, eta: float) -> None:
        super().__init__(problem, points, weights, walls)
        self.eta = eta

    def start(self) -> State:
        """The neurons at t = 0."""
        return State(0.0, self.walls.inside(self.points))

    def step(self, state: State, stop: float) -> Reading:
        """One gradient step, shortened only to land on `stop`."""
        velocity, loss = self.velocity(state.array)
        before = self.reading(state.time, velocity, loss)
        remaining = stop - state.time
        last = remaining <= self.eta * (1 + 1e-9)
        state.exchange(self.walls.inside(state.array + (remaining if last else self.eta) * velocity))
        state.time = stop if last else state.time + self.eta
        return before
