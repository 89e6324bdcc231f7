"""Particles carried by their own velocity, dθ_j/dt = −∇G(θ_j; Σ_k w_k δ_{θ_k}), with SciPy's adaptive Runge–Kutta solvers.

Characteristics and particles differ only in where the points come from and in how accurately they are moved.

On several ranks every one holds all points and moves all of them: what is shared is their velocity, which takes the time, as each of N
points meets each of n data. A stage exchanges the sums over groups of points, which have the size of the data, and the velocities
(ranks/team.py). Random numbers are drawn for all points on every rank. So nothing depends on the number of ranks, to the last bit.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic

import numpy as np

from wgf.errors import InputError
from wgf.measures.measure import Cloud, Measure
from wgf.methods.base import AnyState, Diagnostics, Frame, require_finite
from wgf.methods.particles.walls import Walls
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy
from wgf.ranks.communicator import current
from wgf.ranks.team import Team


def threads() -> int:
    """How many threads to use: NUMBA_NUM_THREADS if it is set, else one per core."""
    return int(os.environ.get("NUMBA_NUM_THREADS") or os.cpu_count() or 1)


def points_of(measure: Measure, points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The points of an empirical measure with as many points and the same weights; refuses another measure."""
    if not isinstance(measure, Cloud) or measure.points.shape != points.shape or not np.allclose(measure.masses, weights):
        raise InputError(f"{len(points):,} points of the weights of this method cannot go on from {measure!r}: give the method of that run")
    return measure.points


class ParticleStepper(Generic[AnyState]):
    """What every stepper of particles shares: the start, the velocity, readings and frames.

    The values of its states are the points (m, p). Without noise, a point that has reached a closed wall stays on it while its
    velocity points out.
    """

    def __init__(self, problem: Problem, points: np.ndarray, weights: np.ndarray, walls: Walls | None = None) -> None:
        self.points, self.weights = points, np.array(weights)
        self.weights.setflags(write=False)  # all frames share them
        self.walls = walls or Walls()
        self.walls.fit(points.shape[1])
        self.neuron, energy = problem.energy.neuron, problem.energy.wrapped(self.walls.periods)
        self.energy = energy.tabulated() if isinstance(energy, RegressionEnergy) else energy
        self.noisy = problem.noise > 0
        self.facts: dict[str, Any] = {}
        problem.axis_names(points.shape[1])
        self.team = Team(current(), ThreadPoolExecutor(threads()) if threads() > 1 else None)

    def start(self) -> AnyState:
        """The points at t = 0."""
        raise NotImplementedError

    def resume(self, measure: Measure, time: float, steps: int) -> AnyState:
        """The points of a frame."""
        if getattr(self.neuron, "subtracted", None) is not None:
            raise InputError('a network with centred = "subtracted" cannot go on: its frames do not hold what is subtracted; solve it anew')
        state, points = self.start(), points_of(measure, self.points, self.weights)
        state.exchange(points.copy())
        state.time = time
        return state

    def step(self, state: AnyState, stop: float) -> Diagnostics:
        """Move the particles towards `stop`."""
        raise NotImplementedError

    def velocity(self, points: np.ndarray) -> tuple[np.ndarray, float]:
        """−∇G at the points (m, p), without the components that point through a wall, and L[μ]."""
        velocity, loss = self.energy.velocity(self.walls.inside(points), self.weights, self.team)
        self.walls.stop(velocity, points)
        return velocity, loss

    def diagnostics(self, time: float, velocity: np.ndarray, loss: float) -> Diagnostics:
        """The diagnostics of particles with this velocity and loss."""
        dissipation = float(self.weights @ np.einsum("mp,mp->m", velocity, velocity)) / self.energy.mobility
        energy = np.nan if self.noisy else 0.5 * loss
        return Diagnostics(time, loss, energy, dissipation, float(self.weights.sum()), float(self.weights.min()))

    def frame(self, state: AnyState) -> Frame:
        """The particles as they are."""
        require_finite(state.array, "the place of a neuron", state.time)
        measure = Cloud(self.walls.inside(state.array), self.weights, self.neuron, self.walls.periods.tolist())
        return Frame(measure, self.diagnostics(state.time, *self.velocity(state.array)), self.prediction(measure))

    def prediction(self, measure: Measure) -> np.ndarray:
        """φ_μ at the data, (n,); (0,) where there is no network."""
        return self.energy.network_of(measure, self.team) if isinstance(self.energy, RegressionEnergy) else np.empty(0)
