"""Neurons that die and divide: particles for ∂_t μ = div(μ∇G) − 2r(G − Ḡ)μ, by independent exponential clocks.

After each step of the motion, of length h, neuron j compares its potential with the mean over all neurons, x_j = 2r(G(θ_j) − Ḡ)h. Where
x_j > 0 it is killed with probability 1 − e^{−x_j}, and a copy of another one, drawn at random, takes its place; where x_j < 0 a copy of it
takes the place of one that is drawn at random, with probability e^{−x_j} − 1, the mean number of its copies and their copies. There are
always m neurons, and all weigh the same [Rotskoff, Jelassi, Bruna & Vanden-Eijnden, ICML 2019]. Copies move as one.

With `injection` from a law μ_b, m candidates are drawn from it in each step; one with x < 0 is born with probability 1 − e^{x}, and takes
the place of a neuron drawn at random: the births of geometry/reaction.py.

Motion and clocks in turn are of first order in h. Steps of the gradient flow are cut so that no |x_j| is more than LONGEST. The numbers of
a step come from a counter-based generator with the key of the seed and the time for its counter: they depend on nothing else.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from wgf.measures.laws import Law
from wgf.measures.measure import Cloud, Measure
from wgf.methods.base import Diagnostics, Frame, State
from wgf.methods.particles.base import ParticleStepper
from wgf.methods.time_steps import landing
from wgf.problems.regression import network

LONGEST = 0.02  # |x_j| of a step of the gradient flow
TINY = 1e-300  # instead of zero, where it is divided by


class BirthDeath:
    """A stepper of particles, and after each of its steps births and deaths. Never stored; its states are those of the motion.

    key    of the numbers, two whole ones
    """

    def __init__(self, motion: ParticleStepper[Any], rate: float, injection: Law | None, key: Any, fixed: bool) -> None:
        self.motion, self.rate, self.injection, self.key, self.fixed = motion, rate, injection, key, fixed
        self.facts: dict[str, Any] = motion.facts | {"geometry": "wasserstein-fisher-rao"}

    def start(self) -> State:
        """The points at t = 0."""
        state: State = self.motion.start()
        return state

    def resume(self, measure: Measure, time: float, steps: int) -> State:
        """The points of a frame."""
        state: State = self.motion.resume(measure, time, steps)
        return state

    def frame(self, state: State) -> Frame:
        """The particles as they are."""
        frame = self.motion.frame(state)
        return dataclasses.replace(frame, diagnostics=self._told(frame.diagnostics, self.surplus(state.array)))

    def step(self, state: State, stop: float) -> Diagnostics:
        """One step of the motion, not past `stop`, and what the clocks do in the time that it took."""
        start, surplus = state.time, self.surplus(state.array)
        longest = math.inf if self.fixed else LONGEST / max(2.0 * self.rate * float(np.abs(surplus).max()), TINY)
        dt = landing(stop - start, longest)
        before = self.motion.step(state, stop if dt == stop - start else start + dt)
        self._ring(state, state.time - start)
        return self._told(before, surplus)

    def surplus(self, points: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
        """G − Ḡ of the particles at their points (m, p), or at others (N, p)."""
        energy, measure = network(self.motion.energy), Cloud(points, self.motion.weights)
        own = energy.potential_by(points, measure, self.motion.team)
        at = own if others is None else energy.potential_by(others, measure, self.motion.team)
        result: np.ndarray = at - own.mean()
        return result

    def _ring(self, state: State, time: float) -> None:
        """The deaths and births of a time."""
        rng = np.random.Generator(np.random.Philox(key=self.key, counter=np.array([0.0, 0.0, 0.0, state.time]).view(np.uint64)))
        old, m = state.array, len(state.array)
        x = 2.0 * self.rate * time * self.surplus(old)
        rings = rng.random(m) < np.where(x > 0, -np.expm1(-x), np.expm1(-x))
        killed, doubled = np.flatnonzero(rings & (x > 0)), np.flatnonzero(rings & (x < 0))
        points = old.copy()
        points[killed] = old[rng.integers(m, size=len(killed))]
        points[rng.integers(m, size=len(doubled))] = old[doubled]
        if self.injection is not None:
            born = self._born(old, time, rng)
            points[rng.integers(m, size=len(born))] = born
        state.exchange(points)

    def _born(self, points: np.ndarray, time: float, rng: np.random.Generator) -> np.ndarray:
        """Those of m candidates that are born, (n, p)."""
        assert self.injection is not None
        candidates = self.motion.walls.inside(self.injection.sample(len(points), rng))
        x = 2.0 * self.rate * time * self.surplus(points, candidates)
        born: np.ndarray = candidates[rng.random(len(points)) < -np.expm1(np.minimum(x, 0.0))]
        return born

    def _told(self, diagnostics: Diagnostics, surplus: np.ndarray) -> Diagnostics:
        """The diagnostics with what E loses by births and deaths, in the mean, without those of the injection."""
        lost = 2.0 * self.rate * float(self.motion.weights @ surplus**2)
        return dataclasses.replace(diagnostics, dissipation=diagnostics.dissipation + lost)
