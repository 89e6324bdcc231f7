"""Mirror descent in the limit of small steps: the steps of the package's text with a Bregman divergence for D, on the cells of a box.

Mass is never moved: where the start has none, there is none ever after with KL.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import InputError, number, shown
from wgf.measures.grid import Grid, check_box, describe_box
from wgf.methods.base import check_growth, noiseless
from wgf.methods.domain_table import on_box
from wgf.methods.geometry.exchange import Exchange
from wgf.methods.geometry.exponential_family import ExponentialFamily
from wgf.methods.geometry.projected import Projected
from wgf.methods.grid_stepper import box_grid, coarsened, require_memory
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy
from wgf.problems.schema import TomlTable
from wgf.registers import known

LEAST_TOLERANCE = 1e-13  # that the solver can meet
BREGMAN: dict[str, type[Exchange[Any]]] = {"kl": ExponentialFamily, "euclidean": Projected}


@dataclass(frozen=True)
class MirrorDescent:
    """μ as cell averages that are multiplied, or added to, and not moved.

    Parameters
    ----------
    cells : int or sequence of int, optional
        per axis, or one number for all axes; left out, the width of the initial law decides
    lower, upper : float or sequence of float, optional
        the box; left out, a cheap run of particles finds it
    boundary : str or sequence of str
        "no-flux" or "periodic", for all axes or one per axis
    bregman : str
        "kl" (Fisher–Rao's flow, to the accuracy of an ODE solver) or "euclidean" (projected gradient steps in L²)
    tolerance : float
        of the solver in each step, relative and absolute; and relative error to which the neuron's features are compressed
    """

    cells: int | Sequence[int] | None = None
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None
    boundary: str | Sequence[str] = "no-flux"
    bregman: str = "kl"
    tolerance: float = 1e-11

    def __post_init__(self) -> None:
        known(self.bregman, BREGMAN, "Bregman divergence")
        if not LEAST_TOLERANCE <= number(self.tolerance) < 1:
            raise InputError(f"mirror-descent: tolerance = {shown(self.tolerance)}: it lies in [{LEAST_TOLERANCE:g}, 1)")
        check_box(self.cells, self.lower, self.upper, self.boundary)

    @classmethod
    def from_table(cls, table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> MirrorDescent:
        """From the tables of a problem file (domain_table.py)."""
        return on_box(cls, table, domain, problem, cells)

    def bind(self, problem: Problem, until: float) -> Exchange[Any]:
        """Check that the problem is one of a network, and set up the cells."""
        check_growth(problem, self)
        if not isinstance(problem.energy, RegressionEnergy):
            raise InputError(f"MirrorDescent follows the few features of a network, and not {problem.energy!r}: take WassersteinFisherRao")
        if self.bregman == "euclidean":
            noiseless(problem, self)
        grid = self.grid(problem, until)
        require_memory(grid, problem)
        found = dataclasses.replace(self, cells=grid.shape, lower=grid.lower, upper=grid.upper)
        return BREGMAN[self.bregman](found, problem, grid)

    def grid(self, problem: Problem, until: float) -> Grid:
        """The grid, on the box given or found."""
        return box_grid(self, problem, until)

    @property
    def order(self) -> int:
        """Of the error in h: values are those at the centres of cells."""
        return 2

    def coarser(self, problem: Problem, until: float) -> MirrorDescent:
        """Itself on the same box, with cells twice as long."""
        result: MirrorDescent = coarsened(self, self.grid(problem, until), 2.0)
        return result

    def __repr__(self) -> str:
        cells = "cells by the width of the law" if self.cells is None else np.atleast_1d(self.cells).tolist()
        box = cells if isinstance(cells, str) else describe_box(cells, self.lower, self.upper)
        return f"MirrorDescent({box}, {self.bregman})"
