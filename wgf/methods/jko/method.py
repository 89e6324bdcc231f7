"""The variational view: implicit steps in the Wasserstein metric [Jordan, Kinderlehrer & Otto, SIAM J. Math. Anal. 29 (1998) 1].

    μ_{k+1} = argmin_p  ½L[p] + τ∫p log p + W₂²(p, μ_k)/(2Δt).

The lecture writes argmin L[p] + W₂²(p, μ_k)/(2η): twice the objective above (τ = 0) is L[p] + W₂²/Δt, so that Δt = 2η. With this
Δt the steps follow ∂_t μ = div(μ ∇G) + τ Δμ, G = ½ δL/δμ, in the time of all other methods.

On a grid the distance is that of entropic transport (measures/distances/entropic.py, entropic_step.py): `JKO`. In one dimension it can
be had exactly, by quantile functions (quantile_step.py): `QuantileJKO`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from wgf.errors import InputError, ResolutionWarning, nonnegative, number, positive_if_given, shown, truth, warn, whole
from wgf.measures.distances.entropic import DOMAINS
from wgf.measures.grid import Grid, check_box, describe_box
from wgf.measures.measure import Density, Measure
from wgf.methods.domain_table import on_box
from wgf.methods.grid_stepper import box_grid, coarsened, require_memory
from wgf.problems.internal import PorousMedium
from wgf.problems.problem import Problem
from wgf.problems.schema import TomlTable
from wgf.registers import known

if TYPE_CHECKING:
    from wgf.methods.jko.entropic_step import VariationalStepper
    from wgf.methods.jko.quantile_step import QuantileStepper

STEPS = 50  # of a run, where no dt is given
CELLS_WIDE, STEPS_WIDE = 2.0, 0.02  # the default ε is the larger of CELLS_WIDE·h² and STEPS_WIDE·Δt
RESOLVED = 1.25  # ε/h² below which the cells are seen by the transport
ARRAYS, MATRICES = 20, 4  # of the grid's size and of each axis, that the stepper keeps
ORDERS = (1, 2)


@dataclass(frozen=True)
class JKO:
    """Implicit steps by entropic optimal transport on a box: μ_{k+1} = argmin ½L[p] + τ∫p log p + W₂²(p, μ_k)/(2Δt).

    Parameters
    ----------
    cells : int or sequence of int
        per axis, or one number for all axes
    lower, upper : float or sequence of float, optional
        the box; left out, a cheap run of particles finds it
    boundary : str or sequence of str
        "no-flux" or "periodic", for all axes or one per axis
    dt : float, optional
        Δt; shorter where that makes whole steps between save times; by default a fiftieth of the run
    epsilon : float, optional
        ε of the kernel exp(−|θ − θ'|²/ε); by default the larger of 2h² and Δt/50
    debiased : bool
        measure distances by the Sinkhorn divergence, which does not blur; else by the plain entropic distance
    linearised : bool
        freeze G at μ_k in each step: cheaper, still of first order
    order : int
        1, or 2: each step by extrapolation from one whole and two half steps
    domain : str, optional
        "scaling", or "log" (slower, for any ε); by default scaling as long as it neither over- nor underflows
    accuracy : float
        of a step: the largest sum of absolute errors of the plan's marginals
    iterations : int
        the most that a step may take
    tolerance : float
        relative error to which the neuron's features are compressed
    edge_tolerance : float
        mass in the outermost cells of a closed axis from which on there is a warning; 1 where walls are meant
    exact : bool
        refused, as exact steps are a method of their own: QuantileJKO

    References
    ----------
    Jordan, Kinderlehrer & Otto, SIAM Journal on Mathematical Analysis 29 (1998) 1; Peyré, SIAM Journal on Imaging Sciences 8 (2015)
    2323.
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
    domain: str | None = None
    accuracy: float = 1e-6
    iterations: int = 2000
    tolerance: float = 1e-12
    edge_tolerance: float = 1e-4
    exact: bool = False

    def __post_init__(self) -> None:
        if self.exact:
            raise InputError('jko: exact steps are a method of their own: wgf.QuantileJKO(cells, lower, upper, dt), name = "quantile-jko"')
        for name in ("debiased", "linearised"):
            truth(getattr(self, name), f"jko: {name}")
        nonnegative(self.edge_tolerance, "jko: edge_tolerance")
        _check_steps(self, "jko")
        positive_if_given(self.epsilon, "jko: epsilon")
        if not 0 < number(self.accuracy) < 1:
            raise InputError(f"jko: accuracy = {shown(self.accuracy)}; the error of the marginals lies in (0, 1)")
        if self.domain is not None:
            known(self.domain, DOMAINS, "domain of the scalings")
        if not 0 <= number(self.tolerance) < 1:
            raise InputError(f"jko: tolerance = {shown(self.tolerance)}; the relative error of the compressed features lies in [0, 1)")
        check_box(self.cells, self.lower, self.upper, self.boundary)

    @classmethod
    def from_table(cls, table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> JKO:
        """From the tables of a problem file (domain_table.py)."""
        return on_box(cls, table, domain, problem, cells)

    def bind(self, problem: Problem, until: float) -> VariationalStepper:
        """The grid, Δt and ε, and the stepper."""
        from wgf.methods.jko.entropic_step import VariationalStepper

        grid, dt = self.grid(problem, until), time_step(self.dt, until)
        _refuse_porous_media(problem, "jko")
        if getattr(problem.energy, "W", None) is not None and not self.linearised:
            raise InputError("jko: an interaction W is frozen in each step: give linearised = true")
        require_memory(grid, problem, ARRAYS * grid.size + MATRICES * sum(float(n) ** 2 for n in grid.shape))
        h2, epsilon = coarsest(grid) ** 2, self.regularisation(grid, dt)
        if epsilon < RESOLVED * h2:
            warn(
                f"epsilon = {epsilon:.3g} is only {epsilon / h2:.2g} h² (h = {math.sqrt(h2):.3g}): the cells slow the mass down, small "
                f"displacements come out {1 - mobility(epsilon / h2):.1%} too short; take epsilon ≥ {CELLS_WIDE * h2:.2g}, or more cells",
                ResolutionWarning,
            )
        bound = dataclasses.replace(self, dt=dt, epsilon=epsilon, cells=grid.shape, lower=grid.lower, upper=grid.upper)
        return VariationalStepper(bound, problem, grid, until)

    def grid(self, problem: Problem, until: float) -> Grid:
        """The grid, on the box given or found."""
        return box_grid(self, problem, until)

    def on_cells_of(self, problem: Problem, measure: Measure) -> JKO:
        """Itself on the box of a density, where its own would have to be found."""
        if self.lower is not None or not isinstance(measure, Density):
            return self
        return dataclasses.replace(self, lower=measure.grid.lower, upper=measure.grid.upper)

    def coarser(self, problem: Problem, until: float) -> JKO:
        """Itself on the same box with errors 2^order times as large: Δt doubled, ε and h² multiplied by 2^order.

        Plain steps blur in proportion to ε/Δt: there ε and h² are doubled once more.
        """
        grid, dt = self.grid(problem, until), time_step(self.dt, until)
        growth = 2.0**self.order * (1.0 if self.debiased else 2.0)
        coarser: JKO = coarsened(self, grid, math.sqrt(growth), dt=2 * dt, epsilon=growth * self.regularisation(grid, dt))
        return coarser

    def regularisation(self, grid: Grid, dt: float) -> float:
        """ε, as given or by default."""
        return self.epsilon or max(CELLS_WIDE * coarsest(grid) ** 2, STEPS_WIDE * dt)

    def never_rests(self, problem: Problem) -> str:
        """Why a run cannot end at rest, or nothing."""
        return "" if self.dt else "jko: the default dt is a fiftieth of the run, whose end is not known before it is at rest: give dt"

    def __repr__(self) -> str:
        box = describe_box(np.atleast_1d(self.cells).tolist(), self.lower, self.upper)
        parts = [] if self.dt is None else [f"Δt {self.dt:g}"]
        parts += [] if self.epsilon is None else [f"ε {self.epsilon:.3g}"]
        parts += ["debiased" if self.debiased else "plain"]
        parts += ["linearised"] if self.linearised else []
        parts += ["second order"] if self.order == 2 else []
        return f"JKO({', '.join([box, *parts])})"


@dataclass(frozen=True)
class QuantileJKO:
    """Implicit steps by exact optimal transport on a line, by quantile functions; the run holds empirical measures.

    Parameters
    ----------
    cells : int or sequence of int
        of the line; they give the initial law, and with it the quantiles: the centres of those with mass
    lower, upper : float or sequence of float, optional
        the ends of the line; left out, a cheap run of particles finds them
    dt : float, optional
        Δt; shorter where that makes whole steps between save times; by default a fiftieth of the run
    order : int
        1, or 2: each step by extrapolation from one whole and two half steps
    iterations : int
        the most that Newton's method may take for a step

    References
    ----------
    Jordan, Kinderlehrer & Otto, SIAM Journal on Mathematical Analysis 29 (1998) 1.
    """

    cells: int | Sequence[int]
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None
    dt: float | None = None
    order: int = 1
    iterations: int = 2000

    boundary: ClassVar[str] = "no-flux"

    def __post_init__(self) -> None:
        _check_steps(self, "quantile-jko")
        check_box(self.cells, self.lower, self.upper, self.boundary)

    @classmethod
    def from_table(cls, table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> QuantileJKO:
        """From the tables of a problem file (domain_table.py)."""
        return on_box(cls, table, domain, problem, cells)

    def bind(self, problem: Problem, until: float) -> QuantileStepper:
        """The nodes and Δt."""
        from wgf.methods.jko.quantile_step import QuantileStepper

        _refuse_porous_media(problem, "quantile-jko")
        if getattr(problem.energy, "W", None) is not None:
            raise InputError("quantile-jko: an interaction W is not among its energies: take JKO with linearised = true")
        grid = self.grid(problem, until)
        return QuantileStepper(dataclasses.replace(self, dt=time_step(self.dt, until)), problem, grid)

    def grid(self, problem: Problem, until: float) -> Grid:
        """The cells, on the line given or found."""
        return box_grid(self, problem, until)

    def coarser(self, problem: Problem, until: float) -> QuantileJKO:
        """Itself on the same line with errors 2^order times as large: Δt doubled, h² multiplied by 2^order."""
        step = 2 * time_step(self.dt, until)
        coarser: QuantileJKO = coarsened(self, self.grid(problem, until), math.sqrt(2.0**self.order), dt=step)
        return coarser

    def __repr__(self) -> str:
        line = describe_box(np.atleast_1d(self.cells).tolist(), self.lower, self.upper)
        parts = [] if self.dt is None else [f"Δt {self.dt:g}"]
        parts += ["second order"] if self.order == 2 else []
        return f"QuantileJKO({', '.join([line, *parts])})"


def _check_steps(method: JKO | QuantileJKO, name: str) -> None:
    """Refuse a Δt, an order or a number of iterations that makes no steps."""
    positive_if_given(method.dt, f"{name}: dt")
    if method.order not in ORDERS:
        raise InputError(f"{name}: order = {method.order}; it is 1 or 2")
    whole(method.iterations, f"{name}: iterations")


def _refuse_porous_media(problem: Problem, name: str) -> None:
    if isinstance(problem.energy.internal, PorousMedium):
        raise InputError(f"{name}: U = {problem.energy.internal!r} is not among its energies: take FiniteVolume, or Entropy")


def time_step(dt: float | None, until: float) -> float:
    """Δt as given, or by default, and not beyond the end."""
    return min(dt or until / STEPS, until)


def coarsest(grid: Grid) -> float:
    """The largest spacing h, of the axes that have more than one cell."""
    return max((h for h, n in zip(grid.spacing.tolist(), grid.shape, strict=True) if n > 1), default=float(grid.spacing[0]))


def mobility(cells_wide: float) -> float:
    """How far a weak force moves mass on the lattice, relative to how far it should: the variance of exp(−k²/w), k whole, over w/2."""
    k = np.arange(-50, 51)
    weights = np.exp(-(k**2) / cells_wide)
    return float(weights @ k**2 / weights.sum() / (0.5 * cells_wide))
