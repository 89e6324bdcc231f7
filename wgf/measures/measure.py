"""Measures over θ: a Density (cell averages on a grid), a MeshDensity (on cells of any shape) and a Cloud (an empirical measure).

All are points and masses,

    ∫ f dμ = Σ_j mass_j f(θ_j),    φ_μ(x) = ∫ g(θ; x) μ(dθ).

For a density, θ_j is the centre and mass_j the mass of cell j: the midpoint rule, of second order in h. Where its values are known to be
averages over the cells, integrals have other weights at the same points, with which they are of fourth order (averages.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from wgf.errors import InputError, brief, instance, truth
from wgf.measures.arguments import drawing, real_numbers
from wgf.measures.averages import weights_of
from wgf.measures.base import Measure, check_masses, check_neuron
from wgf.measures.grid import Grid, checked_periods
from wgf.measures.mesh import Mesh

__all__ = ["Cloud", "Density", "EmpiricalMeasure", "Measure", "MeshDensity"]


@dataclass(frozen=True, repr=False)
class Density(Measure):
    """μ as its average in each cell of a grid; the mass of a cell is value × grid.cell_volume.

    It serves as an initial law, too, scaled to mass one: a run can start from a frame of another.

    Parameters
    ----------
    grid : Grid
        the cells
    values : array (n_1, …, n_p)
        the averages, ≥ 0
    neuron : Neuron or object, optional
        of the network, for `predict`
    averages : bool
        whether integrals take the values for averages, to fourth order, or for values at the centres; a method says which of the two it
        has computed, and both are the same to second order

    Raises
    ------
    InputError
        for values that are no density
    """

    grid: Grid
    values: np.ndarray
    neuron: Any = None
    averages: bool = False

    def __post_init__(self) -> None:
        instance(self.grid, Grid, "grid", "a wgf.Grid, and then the values in its cells")
        check_neuron(self.neuron)
        truth(self.averages, "averages")
        object.__setattr__(self, "values", real_numbers(self.values, "the values of the density"))
        if self.values.shape != self.grid.shape:
            raise InputError(f"the density has values of shape {self.values.shape} on a grid of shape {self.grid.shape}; they must agree")
        check_masses(self.values, "the density", "in cell")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the axes."""
        return tuple(self.grid.names)

    @property
    def dim(self) -> int:
        """p, the number of axes."""
        return self.grid.dim

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """As a law, of mass one: those of `averages_over`."""
        result: np.ndarray = self.averages_over(grid) / self.mass
        return result

    def averages_over(self, grid: Grid) -> np.ndarray:
        """The averages over the cells of another grid, exact for a density that is constant on its cells; zero outside its box.

        Along a periodic axis of the other grid it wraps around.
        """
        if grid.dim != self.grid.dim:
            raise InputError(f"the density has {self.grid.dim} axes but the grid has {grid.dim}: they must agree")
        if (grid.lower, grid.upper, grid.shape) == (self.grid.lower, self.grid.upper, self.grid.shape):
            return self.values.copy()
        result: np.ndarray = np.add.reduce([self._averages(image) for image in grid.images(self.grid.lower, self.grid.upper)])
        return result

    def _averages(self, grid: Grid) -> np.ndarray:
        """Without wrapping around."""
        averages = self.values
        for axis, (old, new) in enumerate(zip(self.grid.edges, grid.edges, strict=True)):
            common = np.minimum(new[1:, None], old[None, 1:]) - np.maximum(new[:-1, None], old[None, :-1])
            overlap = np.maximum(common, 0.0) / grid.spacing[axis]
            averages = np.moveaxis(np.tensordot(overlap, averages, axes=(1, axis)), 0, axis)
        return averages

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        """As a law, of mass one: the average of the cell that holds each theta (…, p), zero outside the box; (…,)."""
        theta = np.asarray(theta, dtype=float)
        places = np.floor((theta - np.array(self.grid.lower)) / self.grid.spacing).astype(np.int64)
        inside = ((places >= 0) & (places < np.array(self.grid.shape))).all(axis=-1)
        within = np.where(inside[..., None], places, 0)
        return np.where(inside, self.values[tuple(np.moveaxis(within, -1, 0))], 0.0) / self.mass

    def sample(self, m: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        """m independent points: a cell by its mass, a place in it uniformly, (m, p)."""
        rng = drawing(m, rng)
        cells = rng.choice(self.values.size, m, p=self.masses / self.masses.sum())
        result: np.ndarray = self.points[cells] + (rng.random((m, self.grid.dim)) - 0.5) * self.grid.spacing
        return result

    def quadrature(self, nodes: int) -> tuple[np.ndarray, np.ndarray]:
        """The centres of the cells, weighted with their masses; `nodes` is ignored."""
        return self.points, self.masses / self.masses.sum()

    @property
    def points(self) -> np.ndarray:
        return self.grid.points()

    @property
    def mass(self) -> float:
        return float(self.values.sum()) * self.grid.cell_volume

    @property
    def masses(self) -> np.ndarray:
        return self.values.ravel() * self.grid.cell_volume

    @property
    def quadrature_weights(self) -> np.ndarray:
        if not self.averages:
            return self.masses
        return weights_of(self.values, self.grid.periodic()).ravel() * self.grid.cell_volume

    @property
    def periods(self) -> Sequence[float]:
        return tuple(self.grid.periods().tolist())

    @property
    def mean(self) -> np.ndarray:
        """∫ θ dμ / ∫ dμ, (p,); of linear functions the midpoint rule is exact."""
        line = [self.values.sum(axis=tuple(k for k in range(self.dim) if k != axis)) for axis in range(self.dim)]
        return np.array([sums @ centers / sums.sum() for sums, centers in zip(line, self.grid.centers, strict=True)])

    def marginal(self, *axes: int) -> np.ndarray:
        """The density of the named axes' coordinates: `values` integrated over the others."""
        if wrong := [axis for axis in axes if axis not in range(self.dim)]:
            raise InputError(f"axis = {brief(wrong[0])} of a density on {self.dim} axes: give numbers from 0 to {self.dim - 1}")
        others = tuple(k for k in range(self.grid.dim) if k not in axes)
        result: np.ndarray = self.values.sum(axis=others) * float(np.prod(self.grid.spacing[list(others)]))
        return result

    def __repr__(self) -> str:
        return f"Density({self.grid!r}, mass {self.mass:.12g})"


def density_around(part: np.ndarray, grid: Grid, values: np.ndarray, neuron: Any, averages: bool) -> Density:
    """The density whose values are those of a part, and zero elsewhere: only the part is checked. To look at memory that nobody has touched
    yet takes several times as long as to fill the part.
    """
    check_masses(part, "the density", "in cell")
    result = object.__new__(Density)
    for name, value in {"grid": grid, "values": values, "neuron": neuron, "averages": averages}.items():
        object.__setattr__(result, name, value)
    return result


@dataclass(frozen=True, repr=False)
class DensityPart(Density):
    """What one of several ranks has of a density: it may be zero on all of its cells."""

    def __post_init__(self) -> None:
        """Nothing: the density is checked as a whole."""


@dataclass(frozen=True, repr=False, eq=False)
class MeshDensity(Measure):
    """μ as its average in each cell of a mesh; the mass of a cell is value × its volume.

    It serves as an initial law on its own mesh, too, and for particles, scaled to mass one but where mass grows.

    Parameters
    ----------
    mesh : Mesh
        the cells
    values : array (N,)
        the averages, ≥ 0
    neuron : Neuron or object, optional
        of the network, for `predict`

    Raises
    ------
    InputError
        for values that are no density
    """

    mesh: Mesh
    values: np.ndarray
    neuron: Any = None

    def __post_init__(self) -> None:
        instance(self.mesh, Mesh, "mesh", "a wgf.Mesh, and then the values in its cells")
        check_neuron(self.neuron)
        object.__setattr__(self, "values", real_numbers(self.values, "the values of the density"))
        if self.values.shape != (self.mesh.size,):
            raise InputError(
                f"the density has values of shape {self.values.shape} on a mesh of {self.mesh.size:,} cells; give one for each cell"
            )
        check_masses(self.values, "the density", "in cell")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the coordinates."""
        return tuple(self.mesh.names)

    @property
    def dim(self) -> int:
        """p, the number of coordinates."""
        return self.mesh.dim

    @property
    def points(self) -> np.ndarray:
        return self.mesh.centers

    @property
    def masses(self) -> np.ndarray:
        result: np.ndarray = self.values * self.mesh.volumes
        return result

    @property
    def periods(self) -> Sequence[float]:
        return self.mesh.periods

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """A density on a mesh cannot be put on a grid."""
        raise InputError(
            "a density on a mesh starts runs on the same mesh, and runs of particles: it has no averages over the cells of a grid"
        )

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        """As a law, of mass one: the average of the cell that holds each theta (…, p), zero outside the mesh; (…,)."""
        theta = np.asarray(theta, dtype=float)
        cells = self.mesh.locate(theta.reshape(-1, self.dim)).reshape(theta.shape[:-1])
        return np.where(cells >= 0, self.values[cells], 0.0) / self.mass

    def sample(self, m: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        """m independent points: a cell by its mass, a place in one of its simplices uniformly, (m, p)."""
        rng = drawing(m, rng)
        simplices, owners = self.mesh.simplices
        masses = self.masses[owners] * self.mesh.shares
        chosen = rng.choice(len(owners), m, p=masses / masses.sum())
        barycentric = rng.dirichlet(np.ones(self.mesh.cell_dim + 1), m)
        result: np.ndarray = np.einsum("mk,mkp->mp", barycentric, self.mesh.vertices[simplices[chosen]])
        return result

    def quadrature(self, nodes: int) -> tuple[np.ndarray, np.ndarray]:
        """The centres of the cells, weighted with their masses; `nodes` is ignored."""
        return self.points, self.masses / self.masses.sum()

    def __repr__(self) -> str:
        return f"MeshDensity({self.mesh!r}, mass {self.mass:.12g})"


@dataclass(frozen=True, repr=False)
class Cloud(Measure):
    """The empirical measure μ = Σ_j w_j δ_{θ_j} of weighted particles; `EmpiricalMeasure` is the same class.

    Parameters
    ----------
    positions : array (m, p), or (m,) in one dimension
        the θ_j
    weights : array (m,)
        the masses w_j
    neuron : Neuron or object, optional
        of the network, for `predict`
    periods : sequence of float
        the lengths of the axes that wrap around, zero for the others; none given, no axis does

    Raises
    ------
    InputError
        for arrays that are no positions and weights; for places that are not finite, and weights that are no masses, when they are
        first used: those of a run that has gone wrong can still be looked at
    """

    positions: np.ndarray
    weights: np.ndarray
    neuron: Any = None
    periods: Sequence[float] = ()

    def __post_init__(self) -> None:
        check_neuron(self.neuron)
        positions = real_numbers(self.positions, "the positions of the empirical measure")
        weights = real_numbers(self.weights, "the weights of the empirical measure")
        positions = positions[:, None] if positions.ndim == 1 else positions
        if positions.ndim != 2 or weights.shape != positions.shape[:1] or not positions.size:
            raise InputError(
                f"the positions have shape {positions.shape} and the weights {weights.shape}; give (m, p) and (m,), m at least 1"
            )
        given = {"positions": positions, "weights": weights, "periods": checked_periods(self.periods, positions.shape[1])}
        for key, value in given.items():
            object.__setattr__(self, key, value)

    @cached_property
    def points(self) -> np.ndarray:
        if not (right := np.isfinite(self.positions).all(axis=1)).all():
            row = int(np.argmin(right))
            raise InputError(
                f"point {row} of the empirical measure is {self.positions[row].tolist()}: every coordinate must be a finite number"
            )
        return self.positions

    @cached_property
    def masses(self) -> np.ndarray:
        check_masses(self.weights, "the weight of the empirical measure", "at point")
        return self.weights

    def __repr__(self) -> str:
        wrapped = f", periods {', '.join(f'{period:g}' for period in self.periods)}" if any(self.periods) else ""
        return f"Cloud({len(self.weights)} points in {self.positions.shape[1]} dimensions, mass {self.weights.sum():.12g}{wrapped})"


EmpiricalMeasure = Cloud
