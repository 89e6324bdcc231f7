"""Forward characteristics that remember their path: the residual in dense output, and where the nodes have been."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import integrate

from wgf.errors import InputError, RunError
from wgf.measures.laws.base import Law
from wgf.measures.measure import Cloud, Measure
from wgf.methods.base import Diagnostics, require_finite
from wgf.methods.particles.flow import FlowState, FlowStepper
from wgf.methods.pushforward.averages import PointDensity
from wgf.methods.pushforward.flow import PushedDensity
from wgf.methods.pushforward.kinks import collapsing
from wgf.methods.pushforward.path import LOBATTO, PLACES, Path
from wgf.networks.neuron import has_kinks
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy

SHARPER = 1e-4  # of the tolerance: the relative one of the forward characteristics
LOOSEST = 1e-6  # of theirs
KINKED = 1e-5  # the least where the velocity jumps, for which an accurate solver takes ever shorter steps
WEIGHTY = 1e-16  # of the weight of nodes that say where mass is


@dataclass(eq=False, repr=False)
class PushforwardState(FlowState):
    """The nodes (N, p), which are those of the path so far.

    carried     the nodes where the path has left them; others have another path, and no density (N, p)
    lengths     of the forward steps (s,)
    residuals   ρ(φ − f*) at the places of each step (s, K, n)
    reach       the box where nodes have been (2, p)
    collapsed   the mass of nodes that have come to where both sides flow
    """

    carried: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    lengths: np.ndarray = field(default_factory=lambda: np.empty(0))
    residuals: np.ndarray = field(default_factory=lambda: np.empty((0, PLACES, 0)))
    reach: np.ndarray = field(default_factory=lambda: np.empty((2, 0)))
    collapsed: float = 0.0

    @property
    def path(self) -> Path:
        """That of the residual."""
        return Path(self.lengths, self.residuals)

    def __repr__(self) -> str:
        return f"PushforwardState(t = {self.time:g}, {' × '.join(map(str, self.array.shape))} values, {len(self.lengths)} steps)"


class ForwardStepper(FlowStepper):
    """Moves the nodes, and keeps the path of the residual."""

    def __init__(self, problem: Problem, law: Law, nodes: int, tolerance: float) -> None:
        points, weights = law.quadrature(nodes)
        self.kinked = has_kinks(problem.energy.neuron)
        rtol = max(min(SHARPER * tolerance, LOOSEST), KINKED if self.kinked else 0.0)
        super().__init__(problem, points, weights, "DOP853", rtol, 1e-2 * rtol)
        self.problem, self.tolerance = problem, tolerance

    def start(self) -> PushforwardState:
        """The nodes at t = 0, and a path without steps."""
        samples = 0 if self.energy.data is None else self.energy.data.size
        ends = self._ends(self.points)
        return PushforwardState(0.0, self.points, 0.0, self.points.copy(), np.empty(0), np.empty((0, PLACES, samples)), ends)

    def resume(self, measure: Measure, time: float, steps: int) -> PushforwardState:
        """Refused: a density follows from the path since t = 0, which no frame holds."""
        raise InputError("Pushforward follows densities from t = 0 on, and cannot go on from a frame: solve the problem up to that time")

    def step(self, state: FlowState, stop: float) -> Diagnostics:
        """One accepted step of the solver."""
        self.require_path(state)
        return super().step(state, stop)

    def remember(self, state: FlowState, ode: integrate.OdeSolver) -> None:
        """The residual at the places of the step, by the solver's dense output, and where the nodes have been."""
        assert isinstance(state, PushforwardState)
        last = self.last  # the velocity at the end of the step, which the dense output would replace
        dense, self.last = ode.dense_output(), last
        at = [dense(ode.t_old + fraction * ode.step_size).reshape(state.array.shape) for fraction in LOBATTO]
        state.residuals = np.concatenate([state.residuals, np.array([self._residual(points) for points in at])[None]])
        state.lengths = np.append(state.lengths, ode.step_size)
        ends = np.array([state.reach, *(self._ends(points) for points in at)])
        state.reach = np.stack([ends[:, 0].min(axis=0), ends[:, 1].max(axis=0)])
        if self.kinked:
            self._judge(state, at[-1], ode.t)
        state.carried = ode.y.reshape(state.array.shape).copy()

    def _judge(self, state: PushforwardState, after: np.ndarray, time: float) -> None:
        """Count the mass that stays on sheets, and end where it is more than the tolerance."""
        found = collapsing(self.problem, state.array, after, state.residuals[-1, -1])
        state.collapsed += float(self.weights @ found.any(axis=1))
        if state.collapsed > self.tolerance:
            datum = int(np.argmax(self.weights @ found))
            x = self.problem.energy.data.inputs[datum, 0]  # type: ignore[union-attr]
            raise RunError(
                f"at t = {time:.4g} mass collapses onto the kinks of the neuron at data point {datum} (x = {x:.6g}), as the flow does not "
                "lead away on the other side: from then on there is no density; end before, or take FiniteVolume, which spreads it over "
                "cells, or Characteristics"
            )

    def require_path(self, state: FlowState) -> None:
        """Refuse nodes that are not where the path has left them."""
        assert isinstance(state, PushforwardState)
        if not np.array_equal(state.carried, state.array):
            raise InputError(
                "the nodes of a pushforward have been moved by hand: the density is that of their path, and none is known for others; "
                "start from a law instead, or take Characteristics"
            )

    def pushed(self, state: PushforwardState, pdf: PointDensity) -> PushedDensity:
        """The density at points, for a path that has steps."""
        require_finite(state.array, "the place of a node", state.time)
        return PushedDensity(self.problem, pdf, state.path, state.reach, self.tolerance, state.array, self.weights, self.team)

    def _ends(self, points: np.ndarray) -> np.ndarray:
        """The box of the nodes that have some weight, (2, p)."""
        weighty = points[self.weights > WEIGHTY]
        return np.stack([weighty.min(axis=0), weighty.max(axis=0)])

    def _residual(self, points: np.ndarray) -> np.ndarray:
        energy = self.energy  # reads a table where there is one, as the velocity does
        return energy.residual(Cloud(points, self.weights), self.team) if isinstance(energy, RegressionEnergy) else np.empty(0)
