"""Noisy neurons and neurons trained on batches: dθ_j = −∇G(θ_j; μ̂) dt + √(2τ) dB_j, in steps of a fixed size.

With v = −∇G of all neurons, step η and ξ standard normal, independent for every neuron, coordinate and step:

euler-maruyama   θ ← θ + η v(θ) + √(2τη) ξ                                              weak order 1
heun             θ* = θ + η v(θ) + √(2τη) ξ,   θ ← θ + ½η(v(θ) + v(θ*)) + √(2τη) ξ       weak order 2

The second is the predictor–corrector for additive noise [Kloeden & Platen, Numerical Solution of Stochastic Differential
Equations, 1992, section 15.1]. Its weak order is seen from one step: with θ* − θ = ηv + √(2τη)ξ the corrector contains
½η(v(θ*) − v(θ)) = ½η(∇v·(ηv + √(2τη)ξ) + τη ξᵀ∇²v ξ) + …, whose mean is ½η²(∇v·v + τΔv), the second-order term of the mean
of the exact flow, and whose product with √(2τη)ξ has the mean τη²∇v, that of its covariance.

At a wall both move along the reflected path of their velocity (walls.py), which is exact where v is constant. For other v the corrector
takes the velocity (1 − α)v(θ) + αv(θ*), where α may depend on whether the path met the wall. The later means of a quantity, as functions f
of where a neuron is, have f' = 0 at the wall, so that a step from x = O(√η) is off by f''(0)v'(0) times (in units of √(2τ) = 1)

    E[X_η ∫_s^η X_t dt] − E[X_η (η − s)((1 − α)x + αX_η)],    s the time of the minimum if the path met the wall, else 0.

What counts is its integral over the starts x ≥ 0. The process killed at the wall is reversible and has the mean x; with
H(t) = ∫y² P_y(killed by t) dy ∝ t^{3/2} the first term gives η∫x²dx, and the second

    η∫x²dx − ½ηH(η) from the paths that do not meet the wall (α = ½),    (⅕(1 − α) + ⅗α)ηH(η) from those that do.

They cancel for α = ¾ where the neuron met the wall, coordinate by coordinate; α = ½ everywhere has weak order 3/2. Along the wall the
trapezoidal rule stays right, since ∫E[X_t − x]dx ∝ t is linear. Reflected at 0, with v = 0.3 − θ and τ = ½, from the stationary law to
t = 2: Eθ² is off by 4.0e-3, 1.1e-3, 2.9e-4 at η = .2, .1, .05 with heun, by 5.1e-2, 2.6e-2, 1.3e-2 with euler-maruyama.

On a batch of B samples drawn from the data's law ρ the expectation in G is replaced by the batch's mean (an unbiased
estimate; the penalty stays whole), and θ ← θ + η v_B(θ) + √(2τη) ξ is (noisy) stochastic gradient descent. A step of size η
advances the time by η. The one of Mei, Montanari & Nguyen (PNAS 115 (2018) E7665), θ ← θ + 2s (y − φ(x))∇g, is B = 1, η = 2s.

The numbers of step n come from a counter-based generator with the key of the seed and the counter n: the number of steps is
all that a checkpoint has to keep of them, and they depend on nothing else. A step draws its batch, then ξ, then −log U for the walls.

Whether steps are short enough is seen by doubling, after 0, 1, 2, 4, 8, … steps: one of η beside two of η/2 with the same noise, from the
same points, with numbers of their own. With Δ² the square by which a coordinate moves and the weak order q a step is off by O(η^{q+1}), and

    e = 2^q/(2^q − 1) · |E Δ²(η) − E Δ²(½η + ½η)| / E Δ²(½η + ½η)

is the relative error of E Δ². In a well of rate L at rest it is Lη with euler-maruyama and (5/12)(Lη)² with heun, for small Lη, while the
variance is off by Lη/2 and (Lη)²/4 of itself. Where e, less twice its own statistical error, is more than TOO_LONG, that is said, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import ResolutionWarning, warn
from wgf.measures.grid import nearest_image
from wgf.measures.measure import Measure
from wgf.methods.base import Diagnostics, State
from wgf.methods.particles.base import ParticleStepper
from wgf.methods.particles.walls import Walls
from wgf.methods.time_steps import shortened
from wgf.problems.problem import Problem
from wgf.problems.regression import network

SCHEMES = ("heun", "euler-maruyama")
INSIDE, AT_WALL = 0.5, 0.75  # α, the weight of the later velocity in the corrector
TOO_LONG = 0.05  # e of a step: the variance in a well at rest is then off by 2.5 or 3 %
FEWEST = 10  # neurons, whose scatter says how certain that is
HALVINGS = 7  # at most, to the step that is proposed instead: particles that have diverged say too little for more


@dataclass(eq=False, repr=False)
class LangevinState(State):
    """The neurons (m, p), and the number of steps taken, which is the counter of the noise."""

    steps: int = 0


class LangevinStepper(ParticleStepper[LangevinState]):
    """Steps of size `eta`, shortened only to land on a save time; on batches of `batch` samples if it is given.

    warned    whether it has been said that the steps are too long; true from the start where no warning is wanted
    """

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
        self.tau, self.names = problem.noise, problem.axis_names(points.shape[1])
        self.warned = self.tau == 0 or batch is not None
        self.key = noise_key(seed)
        how = f"batches of {batch}" if batch is not None else scheme
        self.facts["method_summary"] = f"Particles({len(points):,} neurons, seed {seed}, {how}, step {eta:g})"

    def start(self) -> LangevinState:
        """The neurons at t = 0."""
        return LangevinState(0.0, self.walls.inside(self.points))

    def resume(self, measure: Measure, time: float, steps: int) -> LangevinState:
        """The points of a frame, with the noise of the steps to come."""
        state = super().resume(measure, time, steps)
        state.steps = steps
        return state

    def step(self, state: LangevinState, stop: float) -> Diagnostics:
        """One step."""
        dt, last = shortened(stop - state.time, self.eta)
        rng = np.random.Generator(np.random.Philox(key=self.key, counter=[0, 0, 0, state.steps]))
        velocity, loss = self.drift(state.array, rng)
        before = self.diagnostics(state.time, velocity, loss)
        if not self.warned and state.steps & (state.steps - 1) == 0:
            self._judge(state, velocity)
        state.exchange(self._moved(state.array, velocity, dt, *self.noise(state.array, dt, rng), rng))
        state.steps += 1
        state.time = stop if last else state.time + dt
        return before

    def _moved(
        self, points: np.ndarray, velocity: np.ndarray, dt: float, push: np.ndarray, dips: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Where a step of `dt` leads the points (m, p), with their velocity and the noise `push`, `dips`."""
        pushed = points + push
        moved, met = self.walls.reflected(points, pushed + dt * velocity, dips)
        if self.corrected:
            later, _ = self.drift(moved, rng)
            mean = velocity + np.where(met, AT_WALL, INSIDE) * (later - velocity)
            moved, _ = self.walls.reflected(points, pushed + dt * mean, dips)
        return moved

    def noise(self, points: np.ndarray, dt: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """√(2τη)ξ, and −4τη log U for the walls, (m, p) each; no numbers are drawn where they change nothing."""
        if self.tau == 0:
            return np.zeros(1), np.zeros(1)
        push = np.sqrt(2.0 * self.tau * dt) * rng.standard_normal(points.shape)
        return push, 4.0 * self.tau * dt * rng.standard_exponential(points.shape) if self.walls.closed else np.zeros(1)

    def step_error(self, points: np.ndarray, velocity: np.ndarray, dt: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """e of a step of `dt` from points (m, p) with their velocity, and its standard error, (p,) each; see the module's text."""
        push, dips = self.noise(points, dt, rng)
        once = self._moved(points, velocity, dt, push, dips, rng)
        apart, dips = self.noise(points, dt, rng)
        twice = self._moved(points, velocity, 0.5 * dt, 0.5 * (push + apart), 0.5 * dips, rng)
        _, dips = self.noise(points, dt, rng)
        twice = self._moved(twice, self.drift(twice, rng)[0], 0.5 * dt, 0.5 * (push - apart), 0.5 * dips, rng)
        square, finer = (nearest_image(ends - points, self.walls.periods) ** 2 for ends in (once, twice))
        factor = (4 / 3 if self.corrected else 2) / np.maximum(finer.mean(axis=0), np.finfo(float).tiny)
        difference = square - finer
        return factor * np.abs(difference.mean(axis=0)), factor * difference.std(axis=0) / np.sqrt(max(len(points) - 1, 1))

    def _judge(self, state: LangevinState, velocity: np.ndarray) -> None:
        """Warn if steps of `eta` from this state, with this velocity, are too long, and name one that is not."""
        rng = np.random.Generator(np.random.Philox(key=self.key, counter=[0, 0, 1, state.steps]))
        with np.errstate(all="ignore"):  # steps that are too long may diverge
            error, doubt = self.step_error(state.array, velocity, self.eta, rng)
            if len(state.array) < FEWEST or (error - 2.0 * doubt <= TOO_LONG).all():
                return
            shorter = self.eta
            for _ in range(HALVINGS):
                shorter *= 0.5
                if self.step_error(state.array, velocity, shorter, rng)[0].max() <= TOO_LONG:
                    break
        self.warned, worst = True, int(np.argmax(error))
        share = f"is off by {100 * error[worst]:.2g} %" if np.isfinite(error[worst]) else "is off beyond measure"
        warn(
            f"at t = {state.time:.4g} steps of {self.eta:g} are too long for the slopes that the neurons meet: the mean square by which "
            f"one moves them along {self.names[worst]} {share}, beside two of half the length; choose a smaller step, "
            f"at most {shorter:.2g}",
            ResolutionWarning,
        )

    def drift(self, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """−∇G at the points and L, of all data or of a batch drawn from them."""
        if self.batch is None:
            return self.energy.velocity(points, self.weights, self.team)
        return network(self.energy).on_batch(self.batch, rng).velocity(points, self.weights, self.team)


def noise_key(seed: int | np.random.SeedSequence, stream: int = 1) -> Any:
    """The key of a stream of numbers, 1 the noise, apart from those of the initial draw, which come from the seed itself."""
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, stream)).generate_state(2, np.uint64)
