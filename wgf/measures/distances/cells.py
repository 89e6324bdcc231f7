"""Measures on the cells of others: counted in those of a grid, put on a common one, or averaged over the cells of another measure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wgf.errors import InputError
from wgf.measures.distances.axes import SAME
from wgf.measures.distances.halving import EMPTY, SCATTERED
from wgf.measures.grid import Grid, wrapped
from wgf.measures.measure import Cloud, Density, Measure, MeshDensity

MOST_CELLS = 2**21  # of a grid on which a measure is put for the sake of a distance


def counted(particles: Measure, density: Measure) -> Density:
    """The points counted in the cells of a density's grid, which is enlarged along closed axes, by whole cells, until it holds them."""
    return counted_together(particles, density)[0]


def counted_together(particles: Measure, density: Measure) -> tuple[Density, Density]:
    """The particles as `counted`, and the density on the same grid."""
    if not isinstance(density, Density):
        raise InputError("sinkhorn is computed on the grid of a density, and neither measure is one: take w2, sliced_w2 or energy")
    grid, points = density.grid, particles.points
    grid = grid.enlarged(_missing(grid, points.min(axis=0), points.max(axis=0)))
    places = np.floor((points - np.array(grid.lower)) / grid.spacing).astype(np.int64)
    inside = np.where(grid.periodic(), places % np.array(grid.shape), np.clip(places, 0, np.array(grid.shape) - 1))
    cells = np.ravel_multi_index(tuple(inside.T), grid.shape)
    values = np.bincount(cells, particles.masses, grid.size).reshape(grid.shape) / grid.cell_volume
    return Density(grid, values, particles.neuron), Density(grid, density.averages_over(grid), density.neuron)


def _missing(grid: Grid, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """How many cells have to be added at both ends of each closed axis for the grid to hold the box [lower, upper], (p, 2)."""
    beyond = np.stack([np.array(grid.lower) - lower, upper - np.array(grid.upper)], axis=1)
    added = np.ceil(np.maximum(beyond, 0.0) / grid.spacing[:, None] - SAME)
    added[list(grid.periodic())] = 0
    result: np.ndarray = np.maximum(added, 0).astype(int)
    return result


def on_common_grid(mu: Measure, nu: Measure) -> tuple[Measure, Measure]:
    """Two densities on one grid that holds the mass of both in cells as small as the smaller ones of the two, exactly averaged.

    Other measures, densities on one grid, and those that would need more than MOST_CELLS, as they are.
    """
    if not (isinstance(mu, Density) and isinstance(nu, Density)) or same_cells(mu.grid, nu.grid):
        return mu, nu
    ends = [_ends(density) for density in (mu, nu)]
    periodic, spacing = np.array(mu.grid.periodic()), np.minimum(mu.grid.spacing, nu.grid.spacing)
    lower = np.where(periodic, mu.grid.lower, np.minimum(ends[0][0], ends[1][0]))
    upper = np.where(periodic, mu.grid.upper, np.maximum(ends[0][1], ends[1][1]))
    cells = np.maximum(np.ceil((upper - lower) / spacing * (1.0 - SAME)), 1.0)
    if np.prod(cells) > MOST_CELLS:
        return mu, nu
    grid = Grid(lower.tolist(), upper.tolist(), cells.astype(int).tolist(), mu.grid.names, mu.grid.boundary)
    first, second = (replace(density, grid=grid, values=density.averages_over(grid)) for density in (mu, nu))
    return first, second


def same_cells(first: Grid, second: Grid) -> bool:
    """Whether two grids have the same box and cells, whatever the names of their axes."""
    return (first.lower, first.upper, first.shape) == (second.lower, second.upper, second.shape)


def _ends(density: Density) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper ends of the cells that have mass, (p,) each."""
    full = np.nonzero(density.values > EMPTY * density.values.max())
    edges = list(zip(density.grid.edges, full, strict=True))
    return np.array([edge[cells.min()] for edge, cells in edges]), np.array([edge[cells.max() + 1] for edge, cells in edges])


def averaged_over(other: Density | MeshDensity, law: Density | MeshDensity) -> Measure | None:
    """The averages of the density `law` over the cells of `other`; over those of a grid as far as its mass reaches.

    None where they are the same cells, or where it would take more than MOST_CELLS.
    """
    if isinstance(other, MeshDensity):
        return None if isinstance(law, MeshDensity) and law.mesh is other.mesh else _on_mesh(law, other)
    if isinstance(law, MeshDensity):
        points, shares, owners = law.mesh.scattered(SCATTERED)
        return counted(Cloud(points, shares * law.masses[owners]), other)
    if same_cells(law.grid, other.grid):
        return None
    added = _missing(other.grid, *_ends(law))
    if np.prod(np.array(other.grid.shape) + added.sum(axis=1)) > MOST_CELLS:
        return None
    grid = other.grid.enlarged(added)
    return Density(grid, law.averages_over(grid), law.neuron)


def _on_mesh(law: Density | MeshDensity, other: MeshDensity) -> MeshDensity | None:
    """The averages of a density over the cells of a mesh, by points that fill them; None where it is zero on all of them."""
    points, shares, owners = other.mesh.scattered(SCATTERED)
    if isinstance(law, Density):
        points = wrapped(points, np.array(law.grid.lower), np.array(law.grid.upper), np.array(law.grid.periodic()))
    averages = law.mass * np.bincount(owners, shares * law.pdf(points), other.mesh.size)
    return MeshDensity(other.mesh, averages, law.neuron) if averages.any() else None
