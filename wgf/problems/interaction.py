"""Confinement, interaction and internal energy: the class of flows the finite-volume literature comes from.

    E[μ] = ∫V dμ + ½∬W(θ − θ') μ(dθ) μ(dθ') + ∫U(μ),      ∂_t μ = div(μ ∇(U'(μ) + V + W ∗ μ)),
    G = V + W ∗ μ,   L[μ] = 2∫V dμ + ∬W dμ dμ,            so that G = ½ δL/δμ and E = ½L + ∫U(μ), as for networks.

On a grid W ∗ μ is a convolution of cell averages, done with Fourier transforms (O(N log N)), zero-padded where the axis has walls.
On a periodic axis the nearest image of a difference counts, for particles and on meshes, too. W counts by its even part only,
½(W(z) + W(−z)): the energy knows no other. On a grid, where W is singular or has a kink at zero, its mean over a cell is taken at every
difference (cell_means.py), which is finite for integrable singularities. W = poisson is solved for as a discrete Poisson equation
(poisson.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import fft

from wgf.errors import InputError, brief
from wgf.kernels import aligned
from wgf.measures.arguments import real_numbers
from wgf.measures.base import BLOCK
from wgf.measures.grid import Grid, nearest_image
from wgf.measures.layout import total
from wgf.measures.measure import Density, Measure
from wgf.networks.derivatives import differences
from wgf.problems import poisson
from wgf.problems.cell_means import kernel
from wgf.problems.energy import GridPotential
from wgf.problems.formula import Formula, check_axes
from wgf.problems.internal import Entropy, PorousMedium
from wgf.problems.potentials import Poisson, Potential, Sum
from wgf.ranks.communicator import ALONE, Ranks
from wgf.ranks.redistribution import Redistribution
from wgf.ranks.team import ONE, Team

if TYPE_CHECKING:
    from wgf.problems.point_potential import InteractionPointPotential

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class NearestImage:
    """W of the shortest of all differences that are the same up to multiples of the periods (p,); zero: the axis does not wrap around."""

    function: Any  # a Function, perhaps with a gradient
    periods: np.ndarray

    def __call__(self, difference: np.ndarray) -> Any:
        return self.function(nearest_image(difference, self.periods))

    @property
    def gradient(self) -> Function:
        """That of the function, where it has one."""
        slope = self.function.gradient
        return lambda difference: slope(nearest_image(difference, self.periods))


def nearest(function: Any, periods: np.ndarray) -> Any:
    """W of nearest images, where there is a W and an axis that wraps around; else W as it is."""
    return function if function is None or not np.any(periods) else NearestImage(function, periods)


@dataclass(frozen=True, repr=False)
class InteractionEnergy:
    """E[μ] = ∫V dμ + ½∬W(θ − θ') dμ dμ + ∫U(μ).

    Parameters
    ----------
    V : callable or str, optional
        (…, p) → (…); with an attribute `gradient`, (…, p) → (…, p), particles use it. Also a wgf.potential, or a formula in the axes
    W : callable or str, optional
        of a difference, (…, p) → (…): as V
    U : Entropy or PorousMedium, optional
        the internal energy
    axes : sequence of str, optional
        the names of the axes of θ; V and W may then be formulas in them, "5*(x^2 - 1)^2"

    Raises
    ------
    InputError
        for functions of the wrong shape, gradients that are wrong by more than 1 %, and formulas that cannot be read

    References
    ----------
    Ambrosio, Gigli & Savaré, Gradient Flows in Metric Spaces and in the Space of Probability Measures, 2008.
    """

    V: Function | str | None = None
    W: Function | str | None = None
    U: Entropy | PorousMedium | None = None
    axes: Sequence[str] | None = None

    neuron: ClassVar[None] = None
    data: ClassVar[None] = None
    scale: ClassVar[float] = 0.0
    mobility: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        if self.axes is not None:
            object.__setattr__(self, "axes", check_axes(self.axes))
        for name in ("V", "W"):
            function = getattr(self, name)
            if isinstance(function, str):
                if self.axes is None:
                    raise InputError(f'{name} = {function!r} is a formula: give the names of its axes, axes = ["x"]')
                object.__setattr__(self, name, Formula(function, self.axes, name))
            elif function is not None and not callable(function):
                raise InputError(f"{name} = {brief(function)}: give a function of arrays (…, p) → (…), a formula and axes, or None")
        for part in poisson.parts_of(self.W):
            if isinstance(part, Potential) and np.any(part.center):
                raise InputError(f"W = {self.W!r} is a function of differences, which has no center: that is for V")
        if any(isinstance(part, Poisson) for part in poisson.parts_of(self.V)):
            raise InputError(f"V = {self.V!r}: poisson is for W, between two points of a torus")
        if self.dim is not None:  # a function that does not fit its axes is found here, not in the middle of a run
            for name, function in (("V", self.V), ("W", self.others)):
                if function is not None:
                    evaluated(name, function, np.full((1, self.dim), 0.5))
        if not isinstance(self.U, Entropy | PorousMedium | None):
            raise InputError(f"U = {brief(self.U)}: give wgf.Entropy(tau), wgf.PorousMedium(kappa, q), or None")
        if self.V is None and self.W is None and self.U is None:
            raise InputError("an energy needs at least one of V, W and U")

    @cached_property
    def poisson(self) -> float | None:
        """The strength of the potential poisson in W, or None."""
        return poisson.split(self.W)[0]

    @cached_property
    def others(self) -> Any:
        """W without the potential poisson, or None."""
        return poisson.split(self.W)[1]

    @property
    def dim(self) -> int | None:
        """p, where the axes are named."""
        return None if self.axes is None else len(self.axes)

    @property
    def internal(self) -> Entropy | PorousMedium | None:
        """U."""
        return self.U

    def axis_names(self, p: int) -> tuple[str, ...]:
        """The names given, or theta1 … thetap."""
        return tuple(self.axes) if self.axes is not None else tuple(f"theta{k + 1}" for k in range(p))

    @property
    def own_gradients(self) -> dict[str, tuple[Function, Function]]:
        """By name, the functions (N, p) → (N,) whose `gradient` (N, p) the user gives, and these."""
        given = {"the gradient of V": self.V, "the gradient of W": self.others}
        return {what: (f, f.gradient) for what, f in given.items() if hasattr(f, "gradient") and not isinstance(f, Potential | Formula)}

    def entries(self, grid: Grid) -> float:
        """Approximate memory of the potential on a grid, in floats."""
        return grid.size * (2 + (4 if self.poisson is not None else 0) + (6 * 2**grid.dim if self.others is not None else 0))

    def on(self, grid: Grid, tolerance: float = 0.0, averages: bool = False, ranks: Ranks = ALONE) -> InteractionPotential:
        """The potential on the cells of `grid`, for cell averages or values at centres; `tolerance` is not needed."""
        return InteractionPotential(self, grid, averages, ranks)

    def at(self, points: np.ndarray, tolerance: float = 1e-12) -> InteractionPointPotential:
        """The potential at fixed points (N, p), with W compressed to relative error `tolerance`."""
        from wgf.problems.point_potential import InteractionPointPotential

        return InteractionPointPotential(self, points, tolerance)

    def wrapped(self, periods: np.ndarray) -> InteractionEnergy:
        """Itself where θ is known up to multiples of the periods (p,), zero on axes that do not wrap around."""
        wrapped = nearest(self.others, periods)
        if self.poisson is not None:
            circle = poisson.on_circle(self.poisson, periods)
            wrapped = circle if wrapped is None else Sum([circle, wrapped])
        return self if wrapped is self.W else dataclasses.replace(self, W=wrapped)

    def predict(self, measure: Measure) -> np.ndarray:
        """There is no network: (0,)."""
        return np.empty(0)

    def confinement(self, theta: np.ndarray) -> np.ndarray:
        """V(θ), (…,); zero without one."""
        return np.zeros(theta.shape[:-1]) if self.V is None else evaluated("V", self.V, theta)

    def confinement_slope(self, theta: np.ndarray) -> np.ndarray:
        """∇V(θ), (…, p): the function's own `gradient`, or differences."""
        own = getattr(self.V, "gradient", None)
        result: np.ndarray = differences(self.confinement, theta) if own is None else own(theta)
        return result

    def interaction(self, difference: np.ndarray) -> np.ndarray:
        """The even part of W, (…,); not a number where W is ∞ on one side and −∞ on the other one."""
        with np.errstate(invalid="ignore"):
            result: np.ndarray = 0.5 * (evaluated("W", self.W, difference) + evaluated("W", self.W, -difference))
        return result

    def loss(self, measure: Measure) -> float:
        """L[μ] of points and masses, with the nearest images on the axes of μ that wrap around; with poisson of a density on its cells."""
        if self.poisson is not None and isinstance(measure, Density):
            potential = self.on(measure.grid)
            return potential.update(potential.arranged(measure.values), np.empty(0))
        return self.wrapped(np.array(measure.periods)).velocity(measure.points, measure.masses)[1]

    def velocity(self, points: np.ndarray, masses: np.ndarray, team: Team = ONE) -> tuple[np.ndarray, float]:
        """−∇(V + W ∗ μ) at the points of μ = Σ_j masses_j δ_{θ_j}, (N, p), and L[μ]; O(N²) in blocks, which a team shares.

        A point does not act on itself.
        """
        velocity = np.zeros(points.shape)
        loss = 2.0 * float(masses @ self.confinement(points))
        if self.W is not None:
            rows = max(1, BLOCK // len(points))
            parts = [slice(start, min(start + rows, len(points))) for start in range(0, len(points), rows)]

            def fill(block: slice) -> float:
                pull, energy = self._pairs(points, masses, block)
                np.negative(pull, out=velocity[block])
                return energy

            loss += float(team.total(fill, parts, 1)[0])
            team.fill(velocity, parts)
        if self.V is not None:
            velocity -= self.confinement_slope(points)
        return velocity, loss

    def _pairs(self, points: np.ndarray, masses: np.ndarray, block: slice) -> tuple[np.ndarray, float]:
        """∇(W ∗ μ) at a block of points, and their part of ∬W dμ dμ."""
        difference = points[block, None] - points[None]
        apart = np.arange(len(points))[block, None] != np.arange(len(points))
        difference[~apart] = 1.0  # any place where W is finite; it is multiplied by zero
        weights = masses * apart
        own = getattr(self.W, "gradient", None)
        slopes = differences(self.interaction, difference) if own is None else 0.5 * (own(difference) - own(-difference))
        return np.einsum("ij,ijp->ip", weights, slopes), float(masses[block] @ (weights * self.interaction(difference)).sum(axis=1))

    def __repr__(self) -> str:
        functions = [f"{name} = {_named(f)}" for name, f in (("V", self.V), ("W", self.W)) if f is not None]
        return f"InteractionEnergy({', '.join(functions + ([f'U = {self.U!r}'] if self.U else []))})"


def _named(function: Any) -> str:
    """What a function calls itself."""
    return repr(function) if isinstance(function, Formula | Potential | Sum) else getattr(function, "__name__", type(function).__name__)


def evaluated(name: str, function: Any, theta: np.ndarray) -> np.ndarray:
    """The function at theta (…, p), checked to have shape (…,)."""
    value = real_numbers(function(theta), f"the values of {name}")
    if value.shape != theta.shape[:-1]:
        raise InputError(f"{name} gave shape {value.shape} for theta {theta.shape}; expected {theta.shape[:-1]}")
    return value


class InteractionPotential(GridPotential):
    """V + W ∗ μ (+ U'(μ) of a porous medium) on the cells of a grid; the axes keep their order.

    Where ranks share the grid and there is a W, each of them gathers the whole μ and takes its part of the whole W ∗ μ.
    """

    def __init__(self, energy: InteractionEnergy, grid: Grid, averages: bool = False, ranks: Ranks = ALONE) -> None:
        super().__init__(grid, grid.dim - 1, averages, ranks)
        self.energy, self.ranks = energy, ranks
        self.confinement = self.on_cells(energy.confinement, range(grid.dim)).reshape(self.rows, self.columns)
        if ranks.any(not np.isfinite(self.confinement).all()):
            raise InputError("V is not finite everywhere on the box: choose a box on which it is")
        self.offset = aligned.copied(self.confinement)
        self.medium = energy.U if isinstance(energy.U, PorousMedium) else None
        self.padded: tuple[int, ...] = ()
        self.reads_ghosts = self.medium is not None
        if energy.W is not None:
            self._add_transform()

    def _add_transform(self) -> None:
        """That of W in the order of a cyclic convolution: of poisson and of the others."""
        grid, wraps, energy = self.grid, self.grid.periodic(), self.energy
        self.padded = tuple(n if wrap else fft.next_fast_len(2 * n - 1, real=True) for n, wrap in zip(grid.shape, wraps, strict=True))
        self.transform = np.zeros(1)
        if energy.poisson is not None:
            self.transform = poisson.transform(grid, energy.poisson, self.averages)
        if energy.others is not None:
            self.transform = self.transform + self._kernel(dataclasses.replace(energy, W=energy.others).wrapped(grid.periods()))

    def _kernel(self, energy: InteractionEnergy) -> np.ndarray:
        """The transform of W at the differences of cells (cell_means.py), times the cell's volume."""
        grid, wraps = self.grid, self.grid.periodic()
        steps = [np.arange(-(n // 2), (n + 1) // 2) if wrap else np.arange(1 - n, n) for n, wrap in zip(grid.shape, wraps, strict=True)]
        cyclic = np.zeros(self.padded)
        cyclic[np.ix_(*steps)] = kernel(energy.interaction, steps, grid.spacing, wraps if self.averages else None)
        result: np.ndarray = fft.rfftn(cyclic) * grid.cell_volume
        return result

    def moved_to(self, grid: Grid) -> InteractionPotential:
        return InteractionPotential(self.energy, grid, self.averages, self.ranks)

    def update(self, values: np.ndarray, sums: np.ndarray) -> float:
        """Fill V + W ∗ μ + U'(μ) for the cell averages `values` (rows, columns); return L[μ]. `sums` are not needed."""
        volume, offset, own = self.grid.cell_volume, self.offset, self.own(values)
        offset[:] = self.confinement
        energies = np.array([2.0 * total(self.own(self.confinement), own), 0.0])  # L and ∫U(μ), over the volume of a cell
        if self.padded:
            spread = self.arranged(self.convolved(self.whole(values)))
            energies[0] += total(self.own(spread), own)
            offset += spread
        if self.medium is not None:
            offset += self.medium.derivative(values)
            energies[1] = self.medium.total(own)
            self.stiffness = self.medium.diffusion(values) * float(np.sum(1.0 / self.grid.spacing**2))
        self.ranks.sum(energies)
        self.internal_energy = float(energies[1]) * volume
        return float(energies[0]) * volume

    def whole(self, values: np.ndarray) -> np.ndarray:
        """The values of all cells, (n_1, …, n_p), for those of one's own among (rows, columns)."""
        return values.reshape(self.shape) if not self.division.divided else self.gathering(self.own(values))

    @cached_property
    def gathering(self) -> Redistribution:
        """From the parts of the ranks to all cells on each of them."""
        return Redistribution(self.ranks, self.division.parts, self.division.whole())

    def convolved(self, values: np.ndarray) -> np.ndarray:
        """W ∗ μ on all cells, (n_1, …, n_p)."""
        spectrum = fft.rfftn(values, self.padded, workers=-1)
        spectrum *= self.transform
        result: np.ndarray = fft.irfftn(spectrum, self.padded, workers=-1)[tuple(slice(n) for n in self.grid.shape)]
        return result

    @property
    def prediction(self) -> np.ndarray:
        """There is no network: (0,)."""
        return np.empty(0)
