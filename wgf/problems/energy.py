"""The contract of an energy: what methods ask of it, and the two forms in which it is bound to a place.

    E[μ] = ½L[μ] + ∫U(μ),      G(θ; μ) = ½ δL/δμ,      ∂_t μ = div(μ ∇(G + U'(μ)))

velocity(points, masses)   −∇G at the points of particles, times the mobility, which is one but for scaled networks (scaled.py); and L;
                           its work is shared by the ranks and threads of a team
on(grid)                   G on the cells of a grid, filled in place for every density (GridPotential): for values at the centres of cells,
                           or with averages=True for cell averages, to fourth order (measures/averages.py); on the part of a rank, if ranks
                           are given
at(points)                 G at fixed points with variable masses, the cells of a mesh (PointPotential)
wrapped(periods)           the energy with nearest-image differences, for particles and mesh cells on periodic axes

own_gradients              may be left out: gradients that the user gives, with their functions, which a problem compares with differences

None of them keeps an N × N array. RegressionEnergy is that of a network, InteractionEnergy that of aggregation and diffusion.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from wgf.measures.averages import for_averages
from wgf.measures.grid import Grid
from wgf.measures.layout import Layout
from wgf.measures.measure import Measure
from wgf.networks.custom import CustomNeuron
from wgf.networks.data import Data
from wgf.networks.neuron import Neuron
from wgf.problems.internal import Entropy, PorousMedium
from wgf.ranks.communicator import ALONE, Ranks
from wgf.ranks.team import Team


class FewFeatures(NamedTuple):
    """What a potential slope ⊗ multiplier + (what stays) follows from: for the sums m of multiplier·μ over rows, slope = S z with

    z = M − f,      M = |cell| Sᵀm,      features S (rows, r), target f (r,), moments M (r,), residual z (r,).
    """

    features: np.ndarray
    target: np.ndarray
    moments: np.ndarray
    residual: np.ndarray


class GridPotential(Layout, ABC):
    """G on the cells of a grid in the form in which the transport kernel reads it (kernels/transport.py), zero at first,

        G = slope ⊗ multiplier + along + offset,      slope (rows,), multiplier, along (columns,), offset (rows, 1 or columns).

    Where ranks share the grid, it is that of the cells which this one holds, and only numbers that take all cells go from rank to rank.

    averages         whether it is that of cell averages
    rank, error      of the compressed features, where there are any
    stiffness        where G holds a function of μ itself, the rate (largest diffusion coefficient)·Σ 1/h² of its spreading
    internal_energy  ∫U(μ), where G holds U'(μ)
    reads_ghosts     whether `update` reads the values of ghosts
    few_features     where there are so few that calls from Python take longer than what they do, and no other rank has any
    """

    rank, error = 0, 0.0
    few_features: FewFeatures | None = None
    reads_ghosts = False
    stiffness = 0.0
    internal_energy = 0.0

    def __init__(self, grid: Grid, last: int, averages: bool, ranks: Ranks = ALONE) -> None:
        super().__init__(grid, last, ranks)
        self.averages = averages
        self.slope, self.multiplier, self.along = np.zeros(self.rows), np.zeros(self.columns), np.zeros(self.columns)
        self.offset: np.ndarray = np.zeros((self.rows, 1))

    @abstractmethod
    def update(self, values: np.ndarray, sums: np.ndarray) -> float:
        """Fill G for the cell averages `values` (rows, columns) with row sums Σμ, Σ multiplier·μ, Σ along·μ; return L[μ]."""

    @property
    @abstractmethod
    def prediction(self) -> np.ndarray:
        """φ_μ at the data for the μ of the last update, (n,); (0,) where there is no network."""

    @abstractmethod
    def moved_to(self, grid: Grid) -> GridPotential:
        """The potential of the same energy on other cells of the same lattice, bit by bit as if there had not been this one."""

    def read(self, values: np.ndarray, periodic: Sequence[bool]) -> np.ndarray:
        """The weights of the density in sums over cells for values (n_1, …, n_q, …) at their centres; q entries in `periodic`."""
        return for_averages(values, periodic) if self.averages else values

    def on_cells(self, function: Callable[[np.ndarray], np.ndarray], axes: Sequence[int]) -> np.ndarray:
        """The same for a function of points (N, q) → (N, …) on these axes of the grid, at the cells that are held; (n_1, …, n_q, …).

        Cells beyond those are asked for, too, where the weights take them.
        """
        centers = [self.grid.centers[k][self.division.reached(int(self.averages))[k]] for k in axes]
        points = np.stack(np.meshgrid(*centers, indexing="ij"), axis=-1)
        values = function(points.reshape(-1, len(axes)))
        values = self.read(values.reshape(*points.shape[:-1], *values.shape[1:]), [self.division.wraps[k] for k in axes])
        return values[tuple(slice(first, first + self.division.local[k]) for k, first in zip(axes, self._beyond(axes), strict=True))]

    def own_among(self, axes: Sequence[int]) -> np.ndarray:
        """Which of the cells that `on_cells` asks for are this rank's own, (n_1, …, n_q)."""
        own = np.zeros([len(self.division.reached(int(self.averages))[k]) for k in axes], dtype=bool)
        own[tuple(slice(*(first + self.division.inner[k])) for k, first in zip(axes, self._beyond(axes), strict=True))] = True
        return own

    def _beyond(self, axes: Sequence[int]) -> list[int]:
        """How many cells `on_cells` asks for before those that are held, along each of the axes."""
        return [int(self.averages and self.division.open[k, 0]) for k in axes]

    def fill(self, out: np.ndarray) -> None:
        """G on the cells into `out` (rows, columns)."""
        np.multiply.outer(self.slope, self.multiplier, out=out)
        out += self.along
        out += self.offset

    def values(self) -> np.ndarray:
        """G on the cells that are held, (n_1, …, n_p), for the μ of the last update: for plots and tests; the kernels do not need it."""
        self.fill(out := np.empty((self.rows, self.columns)))
        return self.restored(out)


def column_axis(neuron: Any, dim: int) -> int:
    """The axis that lies along the columns of the layout: that of the output weight, in which G is linear, or the last one."""
    axis = None if neuron is None else neuron.output_axis
    return dim - 1 if axis is None else int(axis)


class PointPotential(Protocol):
    """G at fixed points (N, p) with variable masses.

    rank, error    of the compressed features, or of W
    loss           L of the masses of the last update
    """

    rank: int
    error: float
    loss: float

    def update(self, masses: np.ndarray) -> np.ndarray:
        """G for these masses (N,), (N,); keeps L and the prediction."""
        ...

    @property
    def prediction(self) -> np.ndarray:
        """φ_μ at the data for the masses of the last update, (n,)."""
        ...


class Energy(Protocol):
    """See the module's text. `neuron` and `data` are None where there is no network."""

    @property
    def neuron(self) -> Neuron | CustomNeuron | None: ...
    @property
    def data(self) -> Data | None: ...
    @property
    def internal(self) -> Entropy | PorousMedium | None: ...
    @property
    def dim(self) -> int | None:
        """p, where the energy says it."""
        ...

    @property
    def scale(self) -> float:
        """The size of the energy of which rounding is a fraction."""
        ...

    @property
    def mobility(self) -> float:
        """Of the points of an empirical measure, dθ/dt = −mobility ∇G."""
        ...

    def axis_names(self, p: int) -> tuple[str, ...]:
        """The names of the p axes of θ."""
        ...

    def entries(self, grid: Grid) -> float:
        """Approximate memory of `on(grid)`, in floats."""
        ...

    def on(self, grid: Grid, tolerance: float = ..., averages: bool = ..., ranks: Ranks = ...) -> GridPotential: ...
    def at(self, points: np.ndarray, tolerance: float = ...) -> PointPotential: ...
    def wrapped(self, periods: np.ndarray) -> Energy: ...
    def velocity(self, points: np.ndarray, masses: np.ndarray, team: Team = ...) -> tuple[np.ndarray, float]: ...
    def loss(self, measure: Measure) -> float: ...
    def predict(self, measure: Measure) -> np.ndarray:
        """φ_μ at the data, (n,); (0,) where there is no network."""
        ...
