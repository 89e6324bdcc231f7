"""The flow along its characteristics: the pushforward of quadrature nodes of the initial law.

The solution of ∂_t μ = div(μ ∇G) is μ_t = (T_t)_# μ_0 with dT_t/dt = −∇G(T_t; μ_t), so for nodes θ_j and weights w_j of
a Gauss rule for μ_0,

    ∫ f dμ_t ≈ Σ_j w_j f(T_t θ_j),   dθ_j/dt = −∇G(θ_j; Σ_k w_k δ_{θ_k}).

There is no numerical diffusion, and for smooth neurons the error falls faster than any power of the number of nodes: this
is the reference that the finite volumes are judged by.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from wgf.errors import InputError, number, shown, whole_if_given
from wgf.methods.base import noiseless
from wgf.methods.domain_table import without_box
from wgf.methods.particles.flow import FlowStepper
from wgf.problems.problem import Problem
from wgf.problems.schema import TomlTable

NODES = {1: 200, 2: 48, 3: 20, 4: 10}  # per axis, by dimension


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
        whole_if_given(self.nodes, "characteristics: nodes")
        if not (number(self.rtol) > 0 and number(self.atol) > 0):
            raise InputError(f"characteristics: rtol = {shown(self.rtol)}, atol = {shown(self.atol)}; both must be positive")

    @classmethod
    def from_table(cls, table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> Characteristics:
        """From the tables of a problem file (domain_table.py)."""
        return without_box(cls, table, domain, problem, cells)

    def bind(self, problem: Problem, until: float) -> FlowStepper:
        """The nodes of the initial law and the solver that moves them."""
        noiseless(problem, self)
        points, weights = problem.initial.quadrature(self._per_axis(problem))
        return FlowStepper(problem, points, weights, "DOP853", self.rtol, self.atol)

    @property
    def order(self) -> int:
        """The least: for smooth neurons the error falls faster, and the change from half the nodes is a safe bound."""
        return 1

    def coarser(self, problem: Problem, until: float) -> Characteristics:
        """Itself with half the nodes."""
        return dataclasses.replace(self, nodes=max(1, self._per_axis(problem) // 2))

    def _per_axis(self, problem: Problem) -> int:
        return self.nodes or NODES.get(problem.dim or 1, 8)

    def __repr__(self) -> str:
        return f"Characteristics({f'{self.nodes} nodes per axis, ' if self.nodes else ''}DOP853, rtol {self.rtol:g})"
