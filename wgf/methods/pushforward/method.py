"""The exact density: μ_t = (T_t)_# μ_0, by characteristics there and back.

Without noise ∂_t μ = div(μ ∇G) carries the initial law along the flow T_t of −∇G(·; μ_t). Nodes of a Gauss rule for μ_0, carried forward
as by Characteristics, give the residual z(t) of the network, on which alone ∇G depends; the density at any point then comes from its own
characteristic, followed back to t = 0 (backward.py),

    μ_t(θ) = μ_0(θ_0) exp(∫_0^t ΔG(θ_s) ds),

and its averages over cells from Gauss rules in each cell, refined until they are right to a tolerance (averages.py). There is no numerical
diffusion, no condition on time steps and no wall: the box is what one looks at, and what flows out of it is not held back. Mass is not
enforced: how far it is from one shows whether the averages are right.

On several ranks the nodes are shared as those of particles (particles/base.py), and so are the points at which the density is asked for:
each rank follows its own back, and all learn the values, by which all refine the same cells.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from wgf.errors import InputError, ResolutionWarning, number, shown, warn
from wgf.measures.arguments import real_numbers
from wgf.measures.grid import Grid, check_box, describe_box, inside_box
from wgf.measures.laws import LEFT_OUT, InBox, box_title, judge_box
from wgf.measures.laws.base import Law
from wgf.measures.measure import Cloud, Density
from wgf.methods.base import Frame, check_growth, noiseless
from wgf.methods.domain_table import on_box
from wgf.methods.grid_stepper import box_grid, require_memory
from wgf.methods.particles.characteristics import NODES
from wgf.methods.particles.flow import FlowState
from wgf.methods.pushforward.averages import cell_averages
from wgf.methods.pushforward.forward import ForwardStepper, PushforwardState
from wgf.methods.pushforward.kinks import Pieces
from wgf.networks.neuron import Neuron
from wgf.problems.interaction import InteractionEnergy
from wgf.problems.problem import Problem, check_problem
from wgf.problems.regression import RegressionEnergy
from wgf.problems.schema import TomlTable

FEWEST_NODES = 4  # per axis: the outermost lie 2.3 standard deviations from the mean, and the way back is followed to 4.7


@dataclass(frozen=True)
class Pushforward:
    """μ as cell averages that are exact up to a tolerance, from the law's density along characteristics.

    Parameters
    ----------
    cells : int or sequence of int
        per axis, or one number for all axes
    lower, upper : float or sequence of float, optional
        the box that is looked at; left out, it is found from a cheap run of particles
    nodes : int, optional
        of the forward characteristics, per axis; by default 200, 48, 20, 10 in one to four dimensions
    tolerance : float
        of the density in L¹, as it is estimated
    """

    cells: int | Sequence[int]
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None
    nodes: int | None = None
    tolerance: float = 1e-4

    on_ranks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.nodes is not None and not (isinstance(self.nodes, int) and self.nodes >= FEWEST_NODES):
            raise InputError(f"pushforward: nodes = {shown(self.nodes)}; give a whole number, at least {FEWEST_NODES} per axis")
        if not 0 < number(self.tolerance) < 1:
            raise InputError(f"tolerance = {shown(self.tolerance)}: what the density of mass one may be off by in L¹ lies in (0, 1)")
        check_box(self.cells, self.lower, self.upper, self.boundary)

    @classmethod
    def from_table(cls, table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> Pushforward:
        """From the tables of a problem file (domain_table.py)."""
        walls = domain.get("boundary", str | list[str], "no-flux")
        if set(np.atleast_1d(walls)) != {"no-flux"}:
            raise domain.error("boundary", f"= {walls!r} is not for Pushforward, which follows the flow without walls: leave it out")
        return on_box(cls, table, domain, problem, cells)

    def bind(self, problem: Problem, until: float) -> PushforwardStepper:
        """The nodes of the initial law, and the grid."""
        check_fit(problem, self)
        grid = self.grid(problem, until)
        require_memory(grid, problem)
        return PushforwardStepper(self, problem, grid)

    def grid(self, problem: Problem, until: float) -> Grid:
        """The grid, on the box given or found."""
        return box_grid(self, problem, until)

    @property
    def boundary(self) -> str:
        """There are no walls; the cells end with the box."""
        return "no-flux"

    @property
    def order(self) -> int:
        """The least, as of Characteristics: the prediction depends on the nodes alone."""
        return 1

    def coarser(self, problem: Problem, until: float) -> Pushforward:
        """Itself with half the nodes, on the same box."""
        grid, nodes = self.grid(problem, until), self.per_axis(problem)
        return dataclasses.replace(self, lower=grid.lower, upper=grid.upper, nodes=max(FEWEST_NODES, nodes // 2))

    def per_axis(self, problem: Problem) -> int:
        """The nodes of each axis."""
        return self.nodes or NODES.get(problem.dim or 1, 8)

    def __repr__(self) -> str:
        box = describe_box(np.atleast_1d(self.cells).tolist(), self.lower, self.upper)
        return f"Pushforward({box}, {f'{self.nodes} nodes per axis, ' if self.nodes else ''}tolerance {self.tolerance:g})"


class PushforwardStepper(ForwardStepper):
    """Shows the density on a grid."""

    def __init__(self, method: Pushforward, problem: Problem, grid: Grid) -> None:
        self.grid, self.initial = grid, problem.initial
        self.averages = problem.initial.cell_averages(grid)
        self.held = float(self.averages.sum()) * grid.cell_volume
        judge_box(problem.initial, self.held, box_title(grid.lower, grid.upper))
        self.cut = self.held < 1 - LEFT_OUT
        sides = np.array(grid.lower), np.array(grid.upper)
        law: Law = InBox(problem.initial, *sides, np.zeros(grid.dim, dtype=bool)) if self.cut else problem.initial
        super().__init__(problem, law, method.per_axis(problem), method.tolerance)
        self.facts = {
            "method_summary": repr(dataclasses.replace(method, cells=grid.shape, lower=grid.lower, upper=grid.upper)),
            "density_error": 0.0,
            "mass_error": 0.0,
        }

    def frame(self, state: FlowState) -> Frame:
        """The cell averages, and the loss and prediction of the nodes."""
        assert isinstance(state, PushforwardState)
        self.require_path(state)
        density = Density(self.grid, self._averages(state), self.energy.neuron, averages=True)
        of_nodes = self.diagnostics(state.time, *self.velocity(state.array))
        diagnostics = dataclasses.replace(of_nodes, mass=density.mass, minimum=float(density.values.min()), boundary=self._layers(density))
        return Frame(density, diagnostics, self.prediction(Cloud(state.array, self.weights, self.energy.neuron)))

    def _averages(self, state: PushforwardState) -> np.ndarray:
        """At t = 0 those of the law itself; the errors of later ones are noted."""
        if not len(state.lengths):
            return self.averages / self.held
        density = self.pushed(state, self._pdf)
        found = cell_averages(density, self.grid, density.marks, self.tolerance - min(density.error, 0.5 * self.tolerance))
        lost = abs(1.0 - float(found.values.sum()) * self.grid.cell_volume)
        beyond = float(self.weights[~self._in_box(state.array)].sum())
        error = max(found.error + density.error, lost - beyond)
        if error > self.tolerance:
            warn(
                f"at t = {state.time:.4g} the density is right to {error:.1e} in L¹ only, as estimated, and not to the tolerance "
                f"{self.tolerance:g}, after {found.points:,} points: take more cells or nodes, or a larger tolerance",
                ResolutionWarning,
            )
        self.facts["density_error"] = max(self.facts["density_error"], error)
        self.facts["mass_error"] = max(self.facts["mass_error"], lost)
        return found.values

    def _pdf(self, theta: np.ndarray) -> np.ndarray:
        """Of the initial law, given that it lies in the box where that cuts it."""
        density = self.initial.pdf(theta)
        return np.where(self._in_box(theta), density / self.held, 0.0) if self.cut else density

    def _in_box(self, theta: np.ndarray) -> np.ndarray:
        return inside_box(theta, self.grid.lower, self.grid.upper)

    def _layers(self, density: Density) -> np.ndarray:
        """The mass in the outermost cells at both ends of each axis, (p, 2)."""
        ends = [[density.values.take(end, axis=axis).sum() for end in (0, -1)] for axis in range(self.grid.dim)]
        return np.array(ends) * self.grid.cell_volume


def density_at(problem: Problem, theta: Any, time: float, nodes: int | None = None, tolerance: float = 1e-6) -> np.ndarray:
    """μ_t(θ) at single points: the law's own density, pushed along the flow.

    Parameters
    ----------
    problem : Problem
        of a network, or with a confinement V, without noise
    theta : array (…, p)
        where
    time : float
        t ≥ 0
    nodes : int, optional
        of the forward characteristics, per axis, as for Pushforward
    tolerance : float
        of the way back, in L¹

    Returns
    -------
    array (…,)
        the density

    Raises
    ------
    InputError
        for problems that Pushforward refuses
    """
    check_problem(problem)
    method = Pushforward(1, nodes=nodes, tolerance=tolerance)
    check_fit(problem, method)
    points = real_numbers(theta, "theta")
    stepper = ForwardStepper(problem, problem.initial, method.per_axis(problem), tolerance)
    state, p = stepper.start(), stepper.points.shape[1]
    if points.ndim < 1 or points.shape[-1] != p or not np.isfinite(points).all():
        raise InputError(
            f"theta has shape {points.shape}: give finite coordinates (…, {p}) of points, in the order of {problem.axis_names(p)}"
        )
    if not number(time) >= 0:
        raise InputError(f"time = {shown(time)}: it must be a number ≥ 0")
    flat = points.reshape(-1, p)
    while state.time < time:
        stepper.step(state, time)
    found = stepper.pushed(state, problem.initial.pdf)(flat) if len(state.lengths) else problem.initial.pdf(flat)
    return np.asarray(found).reshape(points.shape[:-1])


def check_fit(problem: Problem, method: Pushforward) -> None:
    """Refuse what has no flow to go back along, or none that is known from a residual."""
    noiseless(problem, method)
    check_growth(problem, method)
    energy, instead = problem.energy, "take FiniteVolume, or Characteristics for what needs no density"
    if isinstance(energy, RegressionEnergy):
        neuron = energy.neuron
        if isinstance(neuron, Neuron) and neuron.sigma.kinks:
            if neuron.dim > 1 or energy.penalty.function is not None:
                raise InputError(
                    f"Pushforward follows {neuron.sigma.name}, which has kinks, on one input and with the penalty |θ|² only: {instead}"
                )
            Pieces.of(neuron.sigma)
    elif not isinstance(energy, InteractionEnergy) or energy.W is not None:
        raise InputError(f"Pushforward follows networks and confinements V without an interaction W, and not {energy!r}: {instead}")
    points, _ = problem.initial.quadrature(FEWEST_NODES)
    problem.initial.pdf(points[:1])  # which laws of points refuse
