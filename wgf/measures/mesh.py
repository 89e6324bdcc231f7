"""Cells of any shape: what a grid is to a box, a mesh is to a disc, an annulus, a sphere or any other domain.

Plain arrays, without the package that made them: vertices, the corners of each cell, centres and volumes. A cell is a segment, a
convex polygon, a tetrahedron, or a hexahedron, some of whose corners may coincide, so that it is a wedge or a pyramid; polygons may lie
on a surface in space, whose volume then is an area.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import spatial, special

from wgf.errors import InputError, entries_of, whole
from wgf.measures.arguments import real_numbers
from wgf.measures.grid import checked_periods

NODES = 4  # per direction of the quadrature on a simplex: exact for polynomials of degree 7
INSIDE = 1e-9  # by which a barycentric coordinate of a point in a simplex may be negative
NEAR = 0.5  # of the reach of a simplex of a surface: how far from it a point that it holds may be
AROUND = 1.1  # times the reach: how far from its middle a simplex is looked for, as a curved surface rises above its corners
MOST_SCATTERED = 4096  # points in a simplex
HEXAHEDRON = ((0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6))  # its tetrahedra


@dataclass(frozen=True, eq=False, repr=False)
class Mesh:
    """N cells of dimension q in p-dimensional θ-space.

    Parameters
    ----------
    vertices : array (V, p)
        the corners
    cells : array (N, k)
        the vertices of each cell, in order around a polygon, whose last one is repeated where it has fewer than k; four of a
        tetrahedron, or eight of any solid: those around its base, then those above them
    centers : array (N, p)
        where functions of θ are evaluated
    volumes : array (N,)
        lengths, areas or volumes of the cells
    cell_dim : int
        q
    names : sequence of str
        of the p coordinates
    title : str
        the mesh in one line, for people
    periods : sequence of float
        the lengths of the coordinates that wrap around, zero for the others; none given, none does
    """

    vertices: np.ndarray
    cells: np.ndarray
    centers: np.ndarray
    volumes: np.ndarray
    cell_dim: int
    names: Sequence[str]
    title: str = ""
    periods: Sequence[float] = ()

    def __post_init__(self) -> None:
        for name in ("vertices", "centers", "volumes"):
            object.__setattr__(self, name, real_numbers(getattr(self, name), f"the mesh: its {name}"))
        whole(self.cell_dim, "the mesh: cell_dim")
        object.__setattr__(self, "names", entries_of(self.names, "the mesh: names", "one for each coordinate"))
        self._check_shapes()
        object.__setattr__(self, "periods", checked_periods(self.periods, self.dim))

    def _check_shapes(self) -> None:
        """Raise an InputError where the arrays do not belong together."""
        for name in ("vertices", "cells", "centers"):
            if np.ndim(getattr(self, name)) != 2:
                raise InputError(f"the mesh: its {name} have shape {np.shape(getattr(self, name))}; give rows, one for each")
        cells = np.asarray(self.cells)
        if cells.dtype.kind not in "iu" or not cells.size or cells.min() < 0 or cells.max() >= len(self.vertices):
            raise InputError(f"the mesh: its cells are of vertices 0 to {len(self.vertices) - 1}: give their numbers, (N, k)")
        object.__setattr__(self, "cells", cells)
        wanted = {"centers": (len(cells), self.dim), "volumes": (len(cells),), "names": (self.dim,)}
        for name, shape in wanted.items():
            if (found := np.shape(getattr(self, name))) != shape:
                raise InputError(f"the mesh: its {name} have shape {found}; for {len(cells):,} cells in {self.dim} coordinates: {shape}")
        if not (np.isfinite(self.vertices).all() and np.isfinite(self.centers).all() and (self.volumes > 0).all()):
            raise InputError("the mesh: give finite coordinates, and volumes > 0")

    @property
    def dim(self) -> int:
        """p, the number of coordinates."""
        return int(self.vertices.shape[1])

    @property
    def size(self) -> int:
        """N, the number of cells."""
        return len(self.cells)

    @cached_property
    def lower(self) -> np.ndarray:
        """The smallest coordinates of a vertex, (p,)."""
        result: np.ndarray = self.vertices.min(axis=0)
        return result

    @cached_property
    def upper(self) -> np.ndarray:
        """The largest coordinates of a vertex, (p,)."""
        result: np.ndarray = self.vertices.max(axis=0)
        return result

    @cached_property
    def simplices(self) -> tuple[np.ndarray, np.ndarray]:
        """Segments, triangles or tetrahedra that fill the cells, as vertices (S, q + 1), and the cell of each, (S,)."""
        corners = self.cells.shape[1]
        if self.cell_dim == 1:
            parts: Sequence[tuple[int, ...]] = ((0, 1),)
        elif self.cell_dim == 2:
            parts = [(0, j, j + 1) for j in range(1, corners - 1)]
        else:
            parts = ((0, 1, 2, 3),) if corners == 4 else HEXAHEDRON
        simplices = np.concatenate([self.cells[:, list(part)] for part in parts])
        owners = np.tile(np.arange(self.size), len(parts))
        proper = (np.diff(np.sort(simplices, axis=1), axis=1) > 0).all(axis=1)
        return simplices[proper], owners[proper]

    @cached_property
    def shares(self) -> np.ndarray:
        """Each simplex as a fraction of its cell, (S,)."""
        simplices, owners = self.simplices
        corners = self.vertices[simplices]
        edges = corners[:, 1:] - corners[:, :1]
        size = np.sqrt(np.linalg.det(edges @ edges.transpose(0, 2, 1)))
        result: np.ndarray = size / np.bincount(owners, size, self.size)[owners]
        return result

    def quadrature(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points (M, p) in the cells, their weights (M,), and the cell of each, (M,); a cell's weights sum to its volume.

        On each simplex with corners s_0 … s_q the points are s_0 + t_1 (s_1 − s_0) + t_1 t_2 (s_2 − s_1) + …, whose volume element is
        t_1^{q−1} t_2^{q−2} … dt: Gauss–Jacobi nodes in each t.
        """
        simplices, owners = self.simplices
        corners = self.vertices[simplices]  # (S, q + 1, p)
        q = self.cell_dim
        points, weights, product = corners[:, :1], np.ones(1), np.ones(1)
        for k in range(1, q + 1):
            s, w = special.roots_jacobi(NODES, 0, q - k)
            t, w = 0.5 * (1 + s), w / w.sum()
            product = np.multiply.outer(product, t).ravel()
            points = np.repeat(points, NODES, axis=1) + product[:, None] * (corners[:, k] - corners[:, k - 1])[:, None]
            weights = np.multiply.outer(weights, w).ravel()
        masses = np.multiply.outer(self.shares * self.volumes[owners], weights)
        return points.reshape(-1, self.dim), masses.ravel(), np.repeat(owners, len(weights))

    def scattered(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """About `count` points (M, p) that fill the cells evenly, each with its fraction of a cell, (M,), and the cell of each, (M,).

        A sequence of low discrepancy in the unit cube, multiples of the powers of 1/r with r^{q+1} = r + 1, is shifted at random for each
        simplex; sorted coordinates 0 ≤ t_1 ≤ … ≤ t_q ≤ 1 cut [0, 1] into barycentric ones, which are as evenly spread.
        """
        simplices, owners = self.simplices
        q, each = self.cell_dim, int(np.clip(count // len(simplices), 1, MOST_SCATTERED))
        ratio = np.roots([1.0, *(0.0,) * (q - 1), -1.0, -1.0]).real.max()
        steps = np.multiply.outer(np.arange(each), ratio ** -np.arange(1.0, q + 1))
        places = np.sort((np.random.default_rng(0).random((len(simplices), 1, q)) + steps) % 1.0, axis=2)
        barycentric = np.diff(places, axis=2, prepend=0.0, append=1.0)
        points = np.einsum("sek,skp->sep", barycentric, self.vertices[simplices])
        return points.reshape(-1, self.dim), np.repeat(self.shares / each, each), np.repeat(owners, each)

    def locate(self, points: np.ndarray) -> np.ndarray:
        """The cell that holds each of the points (M, p), −1 where there is none, (M,).

        On a surface, the cell that is nearest, if it is no farther away than half of its own reach. Simplices are looked for by size, each
        as far as it reaches, so that small and large ones mix.
        """
        points = np.asarray(points, dtype=float)
        simplices, owners = self.simplices
        corners = self.vertices[simplices]
        middles = corners.mean(axis=1)
        reach = np.linalg.norm(corners - middles[:, None], axis=2).max(axis=1)
        sizes, nearest, found = np.floor(np.log2(reach)).astype(int), np.full(len(points), np.inf), np.full(len(points), -1)
        for size in np.unique(sizes):
            these = np.flatnonzero(sizes == size)
            near = spatial.cKDTree(middles[these]).query_ball_point(points, AROUND * reach[these].max())
            places = np.repeat(np.arange(len(points)), [len(row) for row in near])
            candidates = these[np.concatenate(near).astype(int)]
            gaps = _gaps(points[places], corners[candidates]) / reach[candidates]
            np.minimum.at(nearest, places, gaps)
            best = (gaps == nearest[places]) & (gaps <= NEAR)
            found[places[best]] = owners[candidates[best]]
        return found

    def triangles(self) -> tuple[np.ndarray, np.ndarray]:
        """The triangles of the cells as vertices (T, 3), and the cell of each, (T,): for pictures; q = 2."""
        if self.cell_dim != 2:
            raise InputError(f"the mesh has cells of dimension {self.cell_dim}; triangles are for dimension 2")
        return self.simplices

    def outline(self) -> np.ndarray:
        """The edges that only one polygon has, as vertices, (L, 2); q = 2."""
        edges = np.sort(np.stack([self.cells, np.roll(self.cells, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
        found, counts = np.unique(edges[edges[:, 0] != edges[:, 1]], axis=0, return_counts=True)
        result: np.ndarray = found[counts == 1]
        return result

    def named(self, names: Sequence[str]) -> Mesh:
        """The mesh with other names of its coordinates."""
        return dataclasses.replace(self, names=tuple(names))

    def __repr__(self) -> str:
        return f"Mesh({self.title or f'{self.size:,} cells'})"


def _gaps(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The distance of each point (M, p) from its simplex with corners (M, k + 1, p), (M,); for k = p, zero inside and infinite outside.

    That of the foot of the perpendicular, where it is in the simplex; else the nearest point is one of a side, which is a simplex, too.
    """
    k, p = corners.shape[1] - 1, points.shape[1]
    arms, edges = points - corners[:, 0], corners[:, 1:] - corners[:, :1]
    if k == 0:
        result: np.ndarray = np.linalg.norm(arms, axis=1)
        return result
    later = np.linalg.solve(edges @ edges.transpose(0, 2, 1), edges @ arms[:, :, None])[:, :, 0]
    least = np.minimum(later.min(axis=1), 1.0 - later.sum(axis=1))  # of the barycentric coordinates
    if k == p:
        return np.where(least >= -INSIDE, 0.0, np.inf)
    gaps: np.ndarray = np.linalg.norm(arms - np.einsum("mk,mkp->mp", later, edges), axis=1)
    outside = np.flatnonzero(least < 0)
    if outside.size:
        gaps[outside] = np.min([_gaps(points[outside], np.delete(corners[outside], side, axis=1)) for side in range(k + 1)], axis=0)
    return gaps
