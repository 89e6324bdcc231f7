"""The flow along its characteristics: the pushforward of quadrature nodes of the initial law.

The solution of ∂_t μ = div(μ ∇G) is μ_t = (T_t)_# μ_0 with dT_t/dt = −∇G(T_t; μ_t), so for nodes θ_j and weights w_j of
a Gauss rule for μ_0,

    ∫ f dμ_t ≈ Σ_j w_j f(T_t θ_j),   dθ_j/dt = −∇G(θ_j; Σ_k w_k δ_{θ_k}).

There is no numerical diffusion, and for smooth neurons the error falls faster than any power of the number of nodes: this
is the reference that the finite volumes are judged by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wgf.errors import InputError
from wgf.methods.base import noiseless
from wgf.methods.flow import FlowStepper
from wgf.problem import Problem

NODES = {1: 200, 2: 48, 3: 20, 4: 10}  # per axis, by dimension
SCOUT_NODES = 8  # per axis, of the run that finds a box: Gauss–Hermite reaches 4.1 standard deviations with them
SCOUT_MARGIN = 0.1  # of the extent, on each side


@dataclass(frozen=True)
class Characteristics:
    """Quadrature nodes of the initial law carried along the flow.

    nodes         per axis; by default 200, 48, 20, 10 in one to four dimensions
    rtol, atol    tolerances of the ODE solver (DOP853)
    """

    nodes: int | None = None
    rtol: float = 1e-10
    atol: float = 1e-12

    def __post_init__(self) -> None:
        if self.nodes is not None and self.nodes < 1:
            raise InputError(f"characteristics: nodes = {self.nodes}; at least one per axis")
        if not (self.rtol > 0 and self.atol > 0):
            raise InputError(f"characteristics: rtol = {self.rtol:g}, atol = {self.atol:g}; both must be positive")

    def bind(self, problem: Problem, until: float) -> FlowStepper:
        """The nodes of the initial law and the solver that moves them."""
        noiseless(problem, self)
        points, weights = problem.initial.quadrature(self.nodes or NODES.get(problem.dim or 1, 8))
        return FlowStepper(problem, points, weights, "DOP853", self.rtol, self.atol)

    def __repr__(self) -> str:
        return f"Characteristics({f'{self.nodes} nodes per axis, ' if self.nodes else ''}DOP853, rtol {self.rtol:g})"


def find_box(problem: Problem, until: float) -> tuple[list[float], list[float]]:
    """Lower and upper edges, p numbers each, of a box that holds the flow up to `until`, with a margin, from a cheap run."""
    stepper = Characteristics(nodes=SCOUT_NODES, rtol=1e-3, atol=1e-5).bind(problem, until)
    state = stepper.start()
    lower, upper = state.values.min(axis=0), state.values.max(axis=0)
    while state.time < until:
        stepper.step(state, until)
        lower, upper = np.minimum(lower, state.values.min(axis=0)), np.maximum(upper, state.values.max(axis=0))
    extent = np.maximum(upper - lower, 1e-3)
    return (lower - SCOUT_MARGIN * extent).tolist(), (upper + SCOUT_MARGIN * extent).tolist()
