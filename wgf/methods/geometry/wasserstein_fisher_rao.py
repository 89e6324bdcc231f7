"""Wasserstein–Fisher–Rao's flow: mass is moved and multiplied, ∂_t μ = div(μ∇ξ) − 2r(ξ − ξ̄)μ, ξ = G + τ log μ.

Finite volumes, transport (finite_volume/transport.py, with noise finite_volume/gibbs.py) and reaction in turn, in Strang's order: a step of
transport, twice as much reaction, and the same transport again. In the reaction log μ obeys a linear equation but for the change of G,
which is frozen at the middle of the step, as it is after half of it with the G of its start (reaction.py): of second order. Mass and sign
are kept. A reaction that would raise E is taken in two halves; steps are so short that log μ changes by CHANGE, in the root mean square,
and their error is controlled (step_control.py).

Where the start has no mass, mass comes by transport only, and the flow may stall as that of Wasserstein does, unless `injection` lets
births come from a law of its own (reaction.py): without noise, which brings mass everywhere.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import InputError, nonnegative, number, positive, positive_if_given, shown
from wgf.measures.grid import Grid, check_box, describe_box
from wgf.measures.laws import Law
from wgf.measures.laws.base import check_law
from wgf.measures.measure import Measure
from wgf.methods.base import Diagnostics, Frame, check_growth
from wgf.methods.domain_table import injected, on_box
from wgf.methods.finite_volume.gibbs import DriftDiffusion, scratch_size
from wgf.methods.finite_volume.method import FiniteVolume
from wgf.methods.finite_volume.transport import Transport
from wgf.methods.geometry.reaction import decay, logarithm, spread, tilted, with_births
from wgf.methods.grid_stepper import box_grid, coarsened, judged, require_memory
from wgf.methods.step_control import StepControl
from wgf.methods.time_steps import in_turn, landing
from wgf.problems.problem import Problem
from wgf.problems.schema import TomlTable

CHANGE = 0.1  # of log μ in a step, in the root mean square
SMALLEST = 1e-6  # of a step's reaction: a rise of E in a part of it that is smaller can only be rounding


@dataclass(frozen=True)
class WassersteinFisherRao:
    """μ as cell averages, moved by upwind fluxes and multiplied: ∂_t μ = div(μ∇ξ) − 2r(ξ − ξ̄)μ with ξ = G + τ log μ.

    Parameters
    ----------
    cells : int or sequence of int, optional
        per axis, or one number for all axes; left out, the width of the initial law decides
    lower, upper : float or sequence of float, optional
        the box; left out, a cheap run of particles finds it
    boundary : str or sequence of str
        "no-flux" or "periodic", for all axes or one per axis
    rate : float
        r of birth and death, per unit of time
    injection : law, optional
        the law μ_b of births where there is no mass; by default births are copies
    dt : float, optional
        the longest time step; by default what accuracy asks for
    tolerance : float
        relative error to which the neuron's features are compressed
    edge_tolerance : float
        mass in the outermost cells of a closed axis from which on there is a warning; 1 where walls are meant

    References
    ----------
    Rotskoff, Jelassi, Bruna & Vanden-Eijnden, "Global convergence of neuron birth-death dynamics", ICML 2019.
    """

    cells: int | Sequence[int] | None = None
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None
    boundary: str | Sequence[str] = "no-flux"
    rate: float = 1.0
    injection: Law | None = None
    dt: float | None = None
    tolerance: float = 1e-12
    edge_tolerance: float = 1e-4

    def __post_init__(self) -> None:
        positive(self.rate, "wasserstein-fisher-rao: rate")
        positive_if_given(self.dt, "dt")
        if not 0 <= number(self.tolerance) < 1:
            raise InputError(f"tolerance = {shown(self.tolerance)}: the relative error of the compressed features lies in [0, 1)")
        nonnegative(self.edge_tolerance, "edge_tolerance")
        if self.injection is not None:
            check_law(self.injection, "injection")
        check_box(self.cells, self.lower, self.upper, self.boundary)

    @classmethod
    def from_table(cls, table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> WassersteinFisherRao:
        """From the tables of a problem file (domain_table.py)."""
        return on_box(cls, table, domain, problem, cells, **injected(table))

    def bind(self, problem: Problem, until: float) -> Reacting:
        """Set up the transport and the reaction."""
        check_growth(problem, self)
        if self.injection is not None and problem.noise > 0:
            raise InputError(f"injection is for problems without noise, which brings mass everywhere (temperature = {problem.noise:g})")
        grid = self.grid(problem, until)
        require_memory(grid, problem, scratch_size(grid, problem))
        return Reacting(dataclasses.replace(self, cells=grid.shape, lower=grid.lower, upper=grid.upper), problem, grid)

    def grid(self, problem: Problem, until: float) -> Grid:
        """The grid, on the box given or found."""
        return box_grid(self, problem, until)

    @property
    def order(self) -> int:
        """Of the error in h, with time steps in proportion."""
        return 2

    def coarser(self, problem: Problem, until: float) -> WassersteinFisherRao:
        """Itself on the same box, with cells, and time steps where they are given, twice as large."""
        dt = None if self.dt is None else 2 * self.dt
        result: WassersteinFisherRao = coarsened(self, self.grid(problem, until), 2.0, dt=dt)
        return result

    def __repr__(self) -> str:
        cells = "cells by the width of the law" if self.cells is None else np.atleast_1d(self.cells).tolist()
        box = cells if isinstance(cells, str) else describe_box(cells, self.lower, self.upper)
        births = "" if self.injection is None else f", births from {self.injection!r}"
        return f"WassersteinFisherRao({box}, rate {self.rate:g}{births})"


class Reacting(StepControl[Any]):
    """Never stored; its states are those of the transport.

    source   averages of μ_b (rows, columns), of the mass of one; None without injection
    """

    def __init__(self, method: WassersteinFisherRao, problem: Problem, grid: Grid) -> None:
        self.method, self.problem, self.tau = method, problem, problem.noise
        box = FiniteVolume(method.cells, method.lower, method.upper, method.boundary, negligible=0.0, tolerance=method.tolerance)
        scheme: Any = DriftDiffusion if problem.noise > 0 else Transport
        self.transport = scheme(box, problem, grid)
        self.first_step, self.volumes = self.transport.first_step, self.transport.volumes
        self.source = None if method.injection is None else self._births(method.injection, grid)
        self.facts: dict[str, Any] = self.transport.facts | {"method_summary": repr(method), "geometry": "wasserstein-fisher-rao"}

    def _births(self, law: Law, grid: Grid) -> np.ndarray:
        """The law's averages; what lies beyond the box is left out."""
        problem = dataclasses.replace(self.problem, initial=law)
        result: np.ndarray = self.transport.potential.arranged(judged(problem, grid, problem.initial.cell_averages(grid)))
        return result

    def start(self) -> Any:
        """The initial law's cell averages."""
        return self.transport.start()

    def resume(self, measure: Measure, time: float, steps: int) -> Any:
        """The cell averages of a frame."""
        return self.transport.resume(measure, time, steps)

    def frame(self, state: Any) -> Frame:
        """The density as it is, its diagnostics and its prediction."""
        frame: Frame = self.transport.frame(state)
        return dataclasses.replace(frame, diagnostics=self.diagnostics(state))

    def diagnostics(self, state: Any) -> Diagnostics:
        """Those of the transport, and what E loses by reaction."""
        return self._told(state)[0]

    def _told(self, state: Any) -> tuple[Diagnostics, float]:
        """The diagnostics, and the part of the reaction in the dissipation."""
        found = self.transport.diagnostics(state)
        xi = self.potential() + self.tau * logarithm(state.array)
        lost = spread(xi, state.array)
        if self.source is not None:
            lost += found.mass * float(np.sum(np.maximum(self.mean(xi, state.array) - xi, 0.0) ** 2 * self.source))
        lost *= 2.0 * self.method.rate * self.transport.grid.cell_volume
        return dataclasses.replace(found, dissipation=found.dissipation + lost), lost

    def potential_of(self, state: Any) -> np.ndarray:
        """G at the cells."""
        result: np.ndarray = self.transport.potential_of(state)
        return result

    def advance(self, state: Any, stop: float, longest: float = math.inf) -> Diagnostics:
        """Advance `state` by one step of transport and reaction in turn, at most the `longest`, not past `stop`."""
        before, lost = self._told(state)
        speed = math.sqrt(2.0 * self.method.rate * lost / before.mass)  # of log μ, in the root mean square
        longest = min(longest, CHANGE / speed if speed > 0 else math.inf, self.method.dt or math.inf)
        dt = landing(stop - state.time, longest)
        in_turn(self.transport.advance, self.react, state, stop if dt == stop - state.time else state.time + dt)
        return before

    def react(self, state: Any, time: float) -> None:
        """The reaction for a time, in parts so short that E falls in each."""
        self._react(state, time, SMALLEST * time)

    def _react(self, state: Any, time: float, least: float) -> None:
        self.transport.settle(state)
        energy = self.transport.energy
        after = self.reacted(state.array, time)
        if self.transport.evaluate(after) > energy + self.transport.rounding(energy) and time > least:
            self.transport.token = None
            for _ in range(2):
                self._react(state, 0.5 * time, least)
        else:
            state.exchange(after)
            self.transport.token = state.token

    def reacted(self, values: np.ndarray, time: float) -> np.ndarray:
        """The values (rows, columns), whose potential is in place, after the reaction for a time."""
        half = self.multiplied(values, self.potential(), values, 0.5 * time)
        self.transport.evaluate(half)
        return self.multiplied(values, self.potential(), half, time)

    def multiplied(self, values: np.ndarray, potential: np.ndarray, holders: np.ndarray, time: float) -> np.ndarray:
        """The same with a constant potential, that of `holders`."""
        if self.source is not None:
            return with_births(values, potential, self.mean(potential, holders), self.source, 2.0 * self.method.rate * time)
        power, s = decay(2.0 * self.method.rate * self.tau, time)
        return tilted(values, -2.0 * self.method.rate * s * potential, power)

    def potential(self) -> np.ndarray:
        """G of the last values that were evaluated, (rows, columns)."""
        self.transport.potential.fill(out := np.empty(self.transport.shape))
        return out

    @staticmethod
    def mean(potential: np.ndarray, values: np.ndarray) -> float:
        """∫G dμ/∫dμ."""
        return float(np.vdot(potential, values) / values.sum())
