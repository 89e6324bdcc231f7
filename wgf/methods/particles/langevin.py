"""Noisy neurons and neurons trained on batches: dθ_j = −∇G(θ_j; μ̂) dt + √(2τ) dB_j, in steps of a fixed size.

With v = −∇G of the whole cloud, step η and ξ standard normal, independent for every neuron, coordinate and step:

euler-maruyama   θ ← θ + η v(θ) + √(2τη) ξ                                              weak order 1
heun             θ* = θ + η v(θ) + √(2τη) ξ,   θ ← θ + ½η(v(θ) + v(θ*)) + √(2τη) ξ       weak order 2

The second is the predictor–corrector for additive noise [Kloeden & Platen, Numerical Solution of Stochastic Differential
Equations, 1992, section 15.1]. Its weak order is seen from one step: with θ* − θ = ηv + √(2τη)ξ the corrector contains
½η(v(θ*) − v(θ)) = ½η(∇v·(ηv + √(2τη)ξ) + τη ξᵀ∇²v ξ) + …, whose mean is ½η²(∇v·v + τΔv), the second-order term of the mean
of the exact flow, and whose product with √(2τη)ξ has the mean τη²∇v, that of its covariance.

On a batch of B samples drawn from the data's law ρ the expectation in G is replaced by the batch's mean (an unbiased
estimate; the penalty stays whole), and θ ← θ + η v_B(θ) + √(2τη) ξ is (noisy) stochastic gradient descent. A step of size η
advances the time by η. The one of Mei, Montanari & Nguyen (PNAS 115 (2018) E7665), θ ← θ + 2s (y − φ(x))∇g, is B = 1, η = 2s.

The numbers of step n come from a counter-based generator with the key of the seed and the counter n: the number of steps is
all that a checkpoint has to keep of them, and they depend on nothing else.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.methods.base import Reading, State
from wgf.methods.particles.cloud import CloudStepper
from wgf.methods.particles.walls import Walls
from wgf.problems.problem import Problem

SCHEMES = ("heun", "euler-maruyama")


@dataclass(eq=False, repr=False)
class LangevinState(State):
    """The neurons (m, p), and the number of steps taken, which is the counter of the noise."""

    steps: int = 0


class LangevinStepper(CloudStepper[LangevinState]):
    """Steps of size `eta`, shortened only to land on a save time; on batches of `batch` samples if it is given."""

    def __init__(
        self,
        problem: Problem,
        points: np.ndarray,
        weights: np.ndarray,
        walls: Walls,
        eta: float,
        scheme: str,
        batch: int | None,
        seed: int | np.random.SeedSequence,
    ) -> None:
        super().__init__(problem, points, weights, walls)
        self.eta, self.corrected, self.batch = eta, scheme == "heun" and batch is None, batch
        self.tau = problem.noise
        self.key = noise_key(seed)
        how = f"batches of {batch}" if batch is not None else scheme
        self.facts["method_summary"] = f"Particles({len(points):,} neurons, seed {seed}, {how}, step {eta:g})"

    def start(self) -> LangevinState:
        """The neurons at t = 0."""
        return LangevinState(0.0, self.walls.reflected(self.points))

    def step(self, state: LangevinState, stop: float) -> Reading:
        """One step."""
        remaining = stop - state.time
        last = remaining <= self.eta * (1 + 1e-9)
        dt = remaining if last else self.eta
        rng = np.random.Generator(np.random.Philox(key=self.key, counter=[0, 0, 0, state.steps]))
        velocity, loss = self.drift(state.array, rng)
        before = self.reading(state.time, velocity, loss)
        pushed = state.array + np.sqrt(2.0 * self.tau * dt) * rng.standard_normal(state.array.shape) if self.tau > 0 else state.array
        moved = self.walls.reflected(pushed + dt * velocity)
        if self.corrected:
            later, _ = self.drift(moved, rng)
            moved = self.walls.reflected(pushed + 0.5 * dt * (velocity + later))
        state.exchange(moved)
        state.steps += 1
        state.time = stop if last else state.time + dt
        return before

    def drift(self, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """−∇G at the points and L, of all data or of a batch drawn from them."""
        if self.batch is None:
            return self.energy.velocity(points, self.weights, self._pool)
        energy = dataclasses.replace(self.energy, data=self.energy.data.batch(self.batch, rng))
        return energy.velocity(points, self.weights, self._pool)


def noise_key(seed: int | np.random.SeedSequence) -> Any:
    """The key of the noise, apart from the numbers of the initial draw, which come from the seed itself."""
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, 1)).generate_state(2, np.uint64)
