"""Finite volumes for ∂_t μ = div(μ ∇G(θ; μ)) + τ Δμ: positive, conservative, of second order, with a falling energy.

Without noise there is one scheme: limited upwind fluxes with strong-stability-preserving steps (transport.py). With noise
there are two, for no single one has all that one wants; none needs dt ~ h².

gibbs   Scharfetter–Gummel fluxes, solved implicitly line by line (gibbs.py). The discrete Gibbs state stays where
        it is, to rounding; mass and sign are kept for any step, and E = ½L + τ∫μ log μ never rises. Of second order where the
        noise is seen by the grid; gives up accuracy where it is not: for a cell Péclet number P = |∂_k G| h_k/τ beyond about
        2 it turns into the first-order upwind scheme, with a diffusion larger than τ by the factor (P/2) coth(P/2).
split   the transport above between two half steps of the exact discrete heat flow (split.py): of second order for any τ,
        however small, positive and conservative; gives up the exact Gibbs state (it is kept to second order only), and with
        it the strict fall of E once E is within the scheme's error of its minimum.

By default the one whose truncation error on the density as it is is the smaller one, chosen again and again along the run (choosing.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from wgf.errors import InputError, nonnegative, number, positive, positive_if_given, shown, truth
from wgf.measures.grid import Grid, check_box, describe_box
from wgf.measures.laws import has_edges
from wgf.measures.measure import Density, Measure
from wgf.methods.domain_table import on_box
from wgf.methods.finite_volume.choosing import Choosing
from wgf.methods.finite_volume.gibbs import DriftDiffusion, scratch_size
from wgf.methods.finite_volume.integrators import INTEGRATORS, LIMITERS, default_courant, largest_courant
from wgf.methods.finite_volume.shared_stepper import SharedStepper
from wgf.methods.finite_volume.split import Split
from wgf.methods.finite_volume.transport import PRECISIONS, Transport
from wgf.methods.finite_volume.window import Windowed
from wgf.methods.grid_stepper import SAME, box_grid, coarsened, require_memory, spaced_grid
from wgf.problems.problem import Problem
from wgf.problems.schema import TomlTable
from wgf.ranks.communicator import current
from wgf.registers import known

SCHEMES: dict[str, type[SharedStepper[Any]]] = {"gibbs": DriftDiffusion, "split": Split}  # of problems with noise
MOST_NEGLIGIBLE = 1e-6
NEGLIGIBLE, NEGLIGIBLE_IN_SPACE = 1e-11, 1e-8  # on one and two axes; on more


@dataclass(frozen=True)
class FiniteVolume:
    """μ as cell averages on a lattice of equal cells, moved by limited upwind fluxes.

    Parameters
    ----------
    cells : int or sequence of int, optional
        per axis, or one number for all axes; left out, the width of the initial law decides
    lower, upper : float or sequence of float, optional
        the box; left out, closed axes have no end, and a cheap run of particles finds how large so many cells are
    boundary : str or sequence of str
        "no-flux" or "periodic", for all axes or one per axis
    limiter : str
        of the transport: "mp7" (of seventh order along an axis), "mp5" (fifth), "mc", "minmod", "van-leer" (second) or "upwind" (first)
    integrator : str
        of the transport: "ssprk43", "ssprk3", "ssprk52", or, with limited slopes, "ssprk2" or "euler"
    courant : float, optional
        the largest dt·outflow of a stage of the transport; by default the largest one that is allowed, 0.8 or what is stable with mp7
        and mp5 (0.2 for laws with edges, 0.1 on one axis, with noise 0.2), and ½, the bound that keeps every cell ≥ 0, with limited slopes
    negligible : float, optional
        share of the largest cell average below which cells far from others are emptied into those, without noise; 0 keeps all cells. By
        default 1e-11, and 1e-8 on three and more axes, whose cells are never so small that it would show
    diffusion : str, optional
        with noise: "gibbs" or "split"; by default what suits the density, along the run
    dt : float, optional
        the longest time step; by default what accuracy asks for
    tolerance : float
        relative error to which the neuron's features are compressed
    edge_tolerance : float
        mass in the outermost cells of a closed axis from which on there is a warning; 1 where walls are meant
    grow : bool
        the box is only where to begin: its cells go on beyond it
    spacing : float or sequence of float, optional
        instead of cells and a box: the length of a cell, per axis, or one number for all axes
    precision : str
        of the cell averages in memory, without noise: "double", or "single", which takes half as much of it. Fluxes and sums are still in
        double precision; each stage rounds each average by up to 6e-8 of it, so that mass is kept to 1e-7 only

    Raises
    ------
    InputError
        for options that do not fit together

    References
    ----------
    Suresh & Huynh, "Accurate monotonicity-preserving schemes", Journal of Computational Physics 136 (1997) 83; Scharfetter & Gummel,
    IEEE Transactions on Electron Devices 16 (1969) 64.
    """

    cells: int | Sequence[int] | None = None
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None
    boundary: str | Sequence[str] = "no-flux"
    limiter: str = "mp7"
    integrator: str = "ssprk43"
    courant: float | None = None
    negligible: float | None = None
    diffusion: str | None = None
    dt: float | None = None
    tolerance: float = 1e-12
    edge_tolerance: float = 1e-4
    grow: bool = False
    spacing: float | Sequence[float] | None = None
    precision: str = "double"

    on_ranks: ClassVar[bool] = True  # may share the cells

    def __post_init__(self) -> None:
        known(self.limiter, LIMITERS, "limiter")
        known(self.integrator, INTEGRATORS, "integrator")
        most = largest_courant(self.limiter, self.integrator)
        if self.courant is not None and not 0 < number(self.courant) <= most:
            why = "what is stable" if LIMITERS[self.limiter].sharp else "the bound that keeps every cell ≥ 0"
            raise InputError(
                f"courant = {shown(self.courant)}: with {self.limiter} and {self.integrator} it must lie in (0, {most:g}], {why}"
            )
        if self.negligible is not None and not 0 <= number(self.negligible) <= MOST_NEGLIGIBLE:
            raise InputError(f"negligible = {shown(self.negligible)}: the share of the largest average lies in [0, {MOST_NEGLIGIBLE:g}]")
        if self.diffusion is not None:
            known(self.diffusion, SCHEMES, "scheme for the diffusion")
        known(self.precision, PRECISIONS, "precision")
        positive_if_given(self.dt, "dt")
        if not 0 <= number(self.tolerance) < 1:
            raise InputError(f"tolerance = {shown(self.tolerance)}: the relative error of the compressed features lies in [0, 1)")
        nonnegative(self.edge_tolerance, "edge_tolerance")
        truth(self.grow, "grow")
        check_box(self.cells, self.lower, self.upper, self.boundary)
        self._check_spacing()

    def _check_spacing(self) -> None:
        """Not both cells and a spacing, and the latter only where axes have no end."""
        if self.spacing is None:
            return
        if self.cells is not None:
            raise InputError("give either cells (with a box, or without one) or spacing, the length of a cell")
        if not np.size(np.asarray(self.spacing, dtype=object)):
            raise InputError("spacing = []: give the length of a cell, per axis or one for all axes")
        for length in np.atleast_1d(np.asarray(self.spacing, dtype=object)):
            positive(length, "spacing")
        if self.lower is not None:
            raise InputError("spacing is for a grid without end: leave out lower and upper, or give cells for the box")
        if set(np.atleast_1d(self.boundary)) != {"no-flux"}:
            raise InputError(f"spacing is for a grid without end, but boundary = {self.boundary!r}: give cells, lower and upper")

    @classmethod
    def from_table(cls, table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> FiniteVolume:
        """From the tables of a problem file (domain_table.py)."""
        return on_box(cls, table, domain, problem, cells)

    def bind(self, problem: Problem, until: float) -> SharedStepper[Any] | Choosing | Windowed:
        """Check the grid against the memory, and set up the scheme, or the choice of one."""
        grid, scheme = self.grid(problem, until), self._scheme(problem)
        bound = self._on(grid)
        if self.endless or (scheme is Transport and bound.negligible):
            return Windowed(scheme, bound, problem, grid, self.endless)
        require_memory(grid, problem, scratch_size(grid, problem), current())
        return scheme(bound, problem, grid)

    def _scheme(self, problem: Problem) -> type[SharedStepper[Any]] | type[Choosing]:
        """What suits the problem."""
        if problem.noise > 0:
            if self.precision != "double":
                raise InputError(f"precision = {self.precision!r} is for problems without noise: leave it out, or give temperature 0")
            return SCHEMES[self.diffusion] if self.diffusion else Choosing
        if self.diffusion is not None:
            raise InputError(f"diffusion = {self.diffusion!r}, but the problem has no noise: leave it out, or give a temperature > 0")
        return Transport

    def _on(self, grid: Grid) -> FiniteVolume:
        """Itself with what was found: the box, or the length of cells where it has no end, and what is negligible."""
        share = self.negligible
        if share is None:
            share = NEGLIGIBLE if grid.dim < 3 else NEGLIGIBLE_IN_SPACE
        if not self.endless or any(grid.periodic()):
            return dataclasses.replace(self, cells=grid.shape, lower=grid.lower, upper=grid.upper, negligible=share)
        spacing = tuple(grid.spacing.tolist())
        return dataclasses.replace(self, cells=None, lower=None, upper=None, grow=False, spacing=spacing, negligible=share)

    def on_cells_of(self, problem: Problem, measure: Measure) -> FiniteVolume:
        """Itself on the lattice of a density, where its own has no end; refuses one with cells of another length than given."""
        if not self.endless or not isinstance(measure, Density):
            return self
        grid = measure.grid
        known = self.grid(problem, 0.0) if self.spacing is not None or self.lower is not None else grid
        if not np.allclose(known.spacing, grid.spacing, rtol=SAME):
            raise InputError(f"a run goes on on its own cells, {grid!r}, and not on those of {self!r}: give the method of that run")
        return dataclasses.replace(self, cells=grid.shape, lower=grid.lower, upper=grid.upper, spacing=None, grow=True)

    @property
    def endless(self) -> bool:
        """Whether closed axes have no end."""
        return self.grow or self.lower is None

    def grid(self, problem: Problem, until: float) -> Grid:
        """The grid: that of the box; without one, the cells to begin with."""
        return box_grid(self, problem, until) if self.spacing is None else spaced_grid(problem, self.spacing)

    def longest_stage(self, problem: Problem, p: int) -> float:
        """The largest dt·outflow of a stage on p axes."""
        if self.courant is not None:
            return self.courant
        return default_courant(self.limiter, self.integrator, p, problem.noise > 0, has_edges(problem.initial))

    @property
    def order(self) -> int:
        """Of the error in h, with time steps in proportion."""
        return LIMITERS[self.limiter].order

    @property
    def smooth_order(self) -> int:
        """The same without noise for laws that are smooth."""
        return LIMITERS[self.limiter].smooth_order

    @property
    def order_in_time(self) -> int:
        """Of the integrator, in the time step, which is in proportion to h: what is left in the end of the error of φ."""
        return INTEGRATORS[self.integrator].order

    def coarser(self, problem: Problem, until: float) -> FiniteVolume:
        """Itself on the same box, or without one, with cells, and time steps where they are given, twice as large."""
        dt = None if self.dt is None else 2 * self.dt
        if self.spacing is not None:
            return dataclasses.replace(self, spacing=(2.0 * np.asarray(self.spacing)).tolist(), dt=dt)
        result: FiniteVolume = coarsened(self, self.grid(problem, until), 2.0, dt=dt, grow=self.endless)
        return result

    def __repr__(self) -> str:
        cells = self._cells_summary()
        if self.diffusion == "gibbs":
            return f"FiniteVolume({cells}, gibbs scheme)"
        return f"FiniteVolume({cells}, {self.limiter} limiter, {self.integrator}{', split scheme' if self.diffusion else ''})"

    def _cells_summary(self) -> str:
        """The cells, and where they are."""
        if self.cells is None and self.spacing is None:
            return "cells by the width of the law"
        if self.cells is None:
            return "cells of " + " × ".join(f"{length:.4g}" for length in np.atleast_1d(np.asarray(self.spacing)))
        return describe_box(np.atleast_1d(self.cells).tolist(), self.lower, self.upper) + (", growing" if self.grow else "")
