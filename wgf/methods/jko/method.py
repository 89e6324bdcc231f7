"""The variational view: implicit steps in the Wasserstein metric [Jordan, Kinderlehrer & Otto, SIAM J. Math. Anal. 29 (1998) 1].

    μ_{k+1} = argmin_p  ½L[p] + τ∫p log p + W₂²(p, μ_k)/(2Δt).

The lecture writes argmin L[p] + W₂²(p, μ_k)/(2η): twice the objective above (τ = 0) is L[p] + W₂²/Δt, so that Δt = 2η. With this
Δt the steps follow ∂_t μ = div(μ ∇G) + τ Δμ, G = ½ δL/δμ, in the time of all other methods.

On a grid the distance is that of entropic transport (entropic.py, entropic_step.py), in one dimension it can also be had exactly,
by quantile functions (quantile_step.py).
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import InputError, ResolutionWarning
from wgf.measures.distances.entropic import DOMAINS
from wgf.measures.grid import Grid, check_box, describe_box
from wgf.methods.grid_stepper import box_grid, coarsened, require_memory
from wgf.problems.internal import PorousMedium
from wgf.problems.problem import Problem
from wgf.registers import known

STEPS = 50  # of a run, where no dt is given
CELLS_WIDE, STEPS_WIDE = 2.0, 0.02  # the default ε is the larger of CELLS_WIDE·h² and STEPS_WIDE·Δt
RESOLVED = 1.25  # ε/h² below which the cells are seen by the transport
ARRAYS, MATRICES = 20, 4  # of the grid's size and of each axis, that the stepper keeps
ORDERS = (1, 2)


@dataclass(frozen=True)
class JKO:
    """Implicit steps by optimal transport on a box.

    cells, lower, upper, boundary   the grid, as for FiniteVolume
    dt             Δt; shorter where that makes whole steps between save times; default: a fiftieth of the run
    epsilon        ε of the kernel exp(−|θ − θ'|²/ε); default: the larger of 2h² and Δt/50
    debiased       measure distances by the Sinkhorn divergence, which does not blur; else by the plain entropic distance
    linearised     freeze G at μ_k in each step: cheaper, still of first order
    order          1, or 2: each step by extrapolation from one whole and two half steps
    exact          one dimension only: exact transport, by quantile functions; `cells` is then the number of quantiles
    domain         scaling, or log (slower, for any ε); default: scaling as long as it neither over- nor underflows
    accuracy       of a step: the largest sum of absolute errors of the plan's marginals
    iterations     the most that a step may take
    tolerance      relative error to which the neuron's features are compressed
    edge_tolerance mass in the outermost cells of a closed axis from which on there is a warning; 1 where walls are meant
    """

    cells: int | Sequence[int]
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None
    boundary: str | Sequence[str] = "no-flux"
    dt: float | None = None
    epsilon: float | None = None
    debiased: bool = True
    linearised: bool = False
    order: int = 1
    exact: bool = False
    domain: str | None = None
    accuracy: float = 1e-6
    iterations: int = 2000
    tolerance: float = 1e-12
    edge_tolerance: float = 1e-4

    def __post_init__(self) -> None:
        for name, meaning in (("dt", "the time step"), ("epsilon", "the regularisation of the transport")):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise InputError(f"jko: {name} = {value:g}; {meaning} must be a positive number")
        if not 0 < self.accuracy < 1:
            raise InputError(f"jko: accuracy = {self.accuracy:g}; the error of the marginals lies in (0, 1)")
        if self.iterations < 1:
            raise InputError(f"jko: iterations = {self.iterations}; at least one")
        if self.order not in ORDERS:
            raise InputError(f"jko: order = {self.order}; it is 1 or 2")
        if self.domain is not None:
            known(self.domain, DOMAINS, "domain of the scalings")
        if self.exact and self.linearised:
            raise InputError("jko: exact steps are implicit: leave out linearised")
        if not 0 <= self.tolerance < 1:
            raise InputError(f"jko: tolerance = {self.tolerance:g}; the relative error of the compressed features lies in [0, 1)")
        check_box(self)

    def bind(self, problem: Problem, until: float) -> Any:
        """The grid, Δt and ε, and the stepper of the distance asked for."""
        grid = self.grid(problem, until)
        energy, dt = problem.energy, min(self.dt or until / STEPS, until)
        if isinstance(energy.internal, PorousMedium):
            raise InputError(f"jko: U = {energy.internal!r} is not among its energies: take FiniteVolume, or Entropy")
        if getattr(energy, "W", None) is not None and not self.linearised:
            raise InputError("jko: an interaction W is frozen in each step: give linearised = true")
        if self.exact:
            from wgf.methods.jko.quantile_step import QuantileStepper

            return QuantileStepper(dataclasses.replace(self, dt=dt), problem, grid)
        from wgf.methods.jko.entropic_step import VariationalStepper

        require_memory(grid, problem, ARRAYS * grid.size + MATRICES * sum(float(n) ** 2 for n in grid.shape))
        h2, epsilon = coarsest(grid) ** 2, self.regularisation(grid, dt)
        if epsilon < RESOLVED * h2:
            warnings.warn(
                f"epsilon = {epsilon:.3g} is only {epsilon / h2:.2g} h² (h = {math.sqrt(h2):.3g}): the cells hold the mass back, small "
                f"displacements come out {1 - mobility(epsilon / h2):.1%} too short; take epsilon ≥ {CELLS_WIDE * h2:.2g}, or more cells",
                ResolutionWarning,
                stacklevel=3,
            )
        return VariationalStepper(dataclasses.replace(self, dt=dt, epsilon=epsilon), problem, grid, until)

    def grid(self, problem: Problem, until: float) -> Grid:
        """The grid, on the box given or found."""
        return box_grid(self, problem, until)

    def coarser(self, problem: Problem, until: float) -> JKO:
        """Itself on the same box with errors 2^order times as large: Δt doubled, ε and h² multiplied by 2^order.

        Plain steps blur in proportion to ε/Δt: there ε and h² are doubled once more.
        """
        grid, dt = self.grid(problem, until), self.dt or until / STEPS
        growth = 2.0**self.order * (1.0 if self.debiased else 2.0)
        epsilon = growth * self.regularisation(grid, min(dt, until))
        return coarsened(self, grid, math.sqrt(growth), dt=2 * dt, epsilon=epsilon)

    def regularisation(self, grid: Grid, dt: float) -> float:
        """ε, as given or by default."""
        return self.epsilon or max(CELLS_WIDE * coarsest(grid) ** 2, STEPS_WIDE * dt)

    def never_rests(self, problem: Problem) -> str:
        """Why a run cannot end at rest, or nothing."""
        return "" if self.dt else "jko: the default dt is a fiftieth of the run, whose end is not known before it is at rest: give dt"

    def __repr__(self) -> str:
        box = describe_box(np.atleast_1d(self.cells).tolist(), self.lower, self.upper)
        parts = [] if self.dt is None else [f"Δt {self.dt:g}"]
        if self.exact:
            return f"JKO({', '.join([box.replace(' on ', ' quantiles on '), 'exact', *parts])})"
        parts += [] if self.epsilon is None else [f"ε {self.epsilon:.3g}"]
        parts += ["debiased" if self.debiased else "plain"]
        parts += ["linearised"] if self.linearised else []
        parts += ["second order"] if self.order == 2 else []
        return f"JKO({', '.join([box, *parts])})"


def coarsest(grid: Grid) -> float:
    """The largest spacing h, of the axes that have more than one cell."""
    return max((h for h, n in zip(grid.spacing.tolist(), grid.shape, strict=True) if n > 1), default=float(grid.spacing[0]))


def mobility(cells_wide: float) -> float:
    """How far a weak force moves mass on the lattice, relative to how far it should: the variance of exp(−k²/w), k whole, over w/2."""
    k = np.arange(-50, 51)
    weights = np.exp(-(k**2) / cells_wide)
    return float(weights @ k**2 / weights.sum() / (0.5 * cells_wide))
