"""The flow along its characteristics: the pushforward of quadrature nodes of the initial law.

The solution of ∂_t μ = div(μ ∇G) is μ_t = (T_t)_# μ_0 with dT_t/dt = −∇G(T_t; μ_t), so for nodes θ_j and weights w_j of
a Gauss rule for μ_0,

    ∫ f dμ_t ≈ Σ_j w_j f(T_t θ_j),   dθ_j/dt = −∇G(θ_j; Σ_k w_k δ_{θ_k}).

There is no numerical diffusion, and for smooth neurons the error falls faster than any power of the number of nodes: this
is the reference that the finite volumes are judged by.

Where σ has kinks, the velocity of a node jumps whenever it passes the kink of a datum, and a step that is to be right to many digits must
end there: for n data and N nodes a run takes some n·N short steps, while the rule for μ_0 errs by far more.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from wgf.errors import positive_if_given, whole_if_given
from wgf.measures.memory import require_memory_for
from wgf.methods.base import noiseless
from wgf.methods.domain_table import without_box
from wgf.methods.particles.flow import FlowStepper
from wgf.networks.neuron import has_kinks
from wgf.problems.problem import Problem
from wgf.problems.schema import TomlTable

ARRAYS = 20  # of the size of the positions, at least, while they move
NODES = {1: 200, 2: 48, 3: 20, 4: 10}  # per axis, by dimension
SMOOTH = {"rtol": 1e-10, "atol": 1e-12}
KINKED = {"rtol": 1e-5, "atol": 1e-7}


@dataclass(frozen=True)
class Characteristics:
    """Quadrature nodes of the initial law carried along the flow.

    Parameters
    ----------
    nodes : int, optional
        per axis; by default 200, 48, 20, 10 in one to four dimensions
    rtol, atol : float, optional
        tolerances of the ODE solver (DOP853); by default 1e-10 and 1e-12, with kinks 1e-5 and 1e-7
    """

    nodes: int | None = None
    rtol: float | None = None
    atol: float | None = None

    on_ranks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole_if_given(self.nodes, "characteristics: nodes")
        positive_if_given(self.rtol, "characteristics: rtol")
        positive_if_given(self.atol, "characteristics: atol")

    @classmethod
    def from_table(cls, table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> Characteristics:
        """From the tables of a problem file (domain_table.py)."""
        return without_box(cls, table, domain, problem, cells)

    def bind(self, problem: Problem, until: float) -> FlowStepper:
        """The nodes of the initial law and the solver that moves them."""
        noiseless(problem, self)
        n, p = self._per_axis(problem), problem.dim or 1
        require_memory_for(ARRAYS * p * float(n) ** p, f"a quadrature of {n:,} nodes on each of {p} axes", "choose fewer nodes")
        points, weights = problem.initial.quadrature(n)
        tolerances = KINKED if has_kinks(problem.energy.neuron) else SMOOTH
        rtol, atol = self.rtol or tolerances["rtol"], self.atol or tolerances["atol"]
        stepper = FlowStepper(problem, points, weights, "DOP853", rtol, atol)
        stepper.facts["method_summary"] = repr(dataclasses.replace(self, rtol=rtol))
        return stepper

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
        nodes = f"{self.nodes} nodes per axis, " if self.nodes else ""
        return f"Characteristics({nodes}DOP853{f', rtol {self.rtol:g}' if self.rtol else ''})"
