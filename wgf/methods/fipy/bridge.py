"""Between our meshes and those of FiPy, which is imported here and nowhere else.

FiPy knows surfaces in space (cells that are polygons, with edges for faces), but takes their normals and areas from two of the three
coordinates. `surface` makes of them what they are: the area of a cell, and at each edge the conormal, which lies in the surface across
the edge.
"""

from __future__ import annotations

import os
import sys
import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.measures.mesh import Mesh

SEAMS = ("LeftRight", "TopBottom", "FrontBack")  # in the names of FiPy's periodic grids: across x, y, z
GRID = [0, 1, 3, 2, 4, 5, 7, 6]  # the corners of a cell of a grid of FiPy in ascending order, as Mesh.cells has them
WEIGHTED = ("Cylindrical", "Spherical")
SIDES = [[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]  # the faces of a hexahedron
SOLIDS = {(4, 0): 3, (5, 1): 4, (5, 3): 3, (6, 6): 4}  # (faces, quadrilaterals among them) of a cell → corners of its base
BLOCK = 2**14  # cells whose corners are put in order at a time


@lru_cache(maxsize=1)
def load_fipy() -> Any:
    """The package, with SciPy's solvers, and without a look at our command line, which it would read when it is imported."""
    arguments, sys.argv = sys.argv, sys.argv[:1]
    chosen = os.environ.get("FIPY_SOLVERS")
    os.environ["FIPY_SOLVERS"] = chosen or "scipy"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its use of NumPy is not for our users to mend
            import fipy
    finally:
        sys.argv = arguments
        if chosen is None:
            del os.environ["FIPY_SOLVERS"]
    return fipy


def polygons(vertices: np.ndarray, cells: np.ndarray) -> Any:
    """The FiPy mesh of polygons: vertices (V, 2), or (V, 3) for a surface, and cells (N, k) in the order of Mesh.cells."""
    follows = np.roll(cells, -1, axis=1)
    edges = np.sort(np.stack([cells, follows], axis=-1), axis=-1)
    proper = edges[..., 0] != edges[..., 1]
    faces, places = np.unique(edges[proper], axis=0, return_inverse=True)
    cell_faces = np.full(cells.shape, -1)
    cell_faces[proper] = places.reshape(-1)
    packed = np.argsort(cell_faces < 0, axis=1, kind="stable")
    corners = np.ma.masked_values(np.take_along_axis(cell_faces, packed, axis=1).T.copy(), -1)
    if vertices.shape[1] == 3:
        return surface(vertices.T.copy(), faces.T.copy(), corners)
    load_fipy()
    from fipy.meshes.mesh2D import Mesh2D

    return Mesh2D(vertices.T.copy(), faces.T.copy(), corners)


def solids(vertices: np.ndarray, cells: np.ndarray) -> Any:
    """The FiPy mesh of solids: vertices (V, 3) and cells (N, 8) in the order of Mesh.cells."""
    rings = cells[:, SIDES]  # (N, 6, 4)
    proper = rings != np.roll(rings, 1, axis=2)  # an edge whose ends coincide is none
    order = np.argsort(~proper, axis=2, kind="stable")
    rings = np.where(np.take_along_axis(proper, order, axis=2), np.take_along_axis(rings, order, axis=2), -1)
    real = proper.sum(axis=2) > 2
    _, first, places = np.unique(np.sort(rings[real], axis=1), axis=0, return_index=True, return_inverse=True)
    cell_faces = np.full(real.shape, -1)
    cell_faces[real] = places.reshape(-1)
    cell_faces = np.take_along_axis(cell_faces, np.argsort(~real, axis=1, kind="stable"), axis=1)
    load_fipy()
    from fipy.meshes.mesh import Mesh as Polyhedra

    faces, cell_faces = (np.ma.masked_values(array.T.copy(), -1) for array in (rings[real][first], cell_faces))
    return Polyhedra(vertices.T.copy(), faces, cell_faces)


def surface(vertices: np.ndarray, faces: np.ndarray, cell_faces: np.ndarray) -> Any:
    """The FiPy mesh of a surface in space, with areas and conormals; vertices (3, V), faces (2, F), cell_faces (k, N)."""
    load_fipy()
    from fipy.meshes.mesh2D import Mesh2D

    class SurfaceMesh(Mesh2D):  # type: ignore[misc]  # FiPy has no types
        """A surface of polygons in space."""

        def _calcFaceNormals(self) -> np.ndarray:
            """The conormal of each edge: the direction from cell to cell (to the edge, at a boundary) without its part along the edge."""
            ends = self.vertexCoords[:, np.asarray(self.faceVertexIDs)]
            along = ends[:, 1] - ends[:, 0]
            along = along / np.linalg.norm(along, axis=0)
            across = np.asarray(self._cellDistanceVectors)
            across = across - np.sum(across * along, axis=0) * along
            result: np.ndarray = across / np.linalg.norm(across, axis=0)
            return result

        def _calcFaceTangents(self) -> tuple[np.ndarray, np.ndarray]:
            ends = self.vertexCoords[:, np.asarray(self.faceVertexIDs)]
            along = ends[:, 1] - ends[:, 0]
            along = along / np.linalg.norm(along, axis=0)
            return along, np.cross(along, self.faceNormals, axis=0)

        def _calcCellVolumes(self) -> np.ndarray:
            """The sum of the triangles between the centre and each edge."""
            lines = np.ma.filled(self.cellFaceIDs, 0)
            ends = self.vertexCoords[:, np.asarray(self.faceVertexIDs)][:, :, lines]  # (3, 2, k, N)
            arms = ends - np.asarray(self._cellCenters)[:, None, None]
            areas = 0.5 * np.linalg.norm(np.cross(arms[:, 0], arms[:, 1], axis=0), axis=0)
            result: np.ndarray = np.where(np.ma.getmaskarray(self.cellFaceIDs), 0.0, areas).sum(axis=0)
            return result

    return SurfaceMesh(vertices, faces, cell_faces)


def checked(mesh: Any) -> Any:
    """The FiPy mesh, if its cells can hold a measure over θ; a surface as `surface` makes it."""
    load_fipy()
    from fipy.meshes.abstractMesh import AbstractMesh

    if not isinstance(mesh, AbstractMesh):
        raise InputError(
            f"mesh = {mesh!r}: give a mesh of FiPy (Grid2D, Gmsh2D, …), or a wgf.Box, Disc, Annulus, Sphere, Circle or GmshFile"
        )
    name = type(mesh).__name__
    if name.startswith(WEIGHTED):
        raise InputError(f"the cells of a {name} are rings or shells, over which θ is not a point: take a Cartesian mesh")
    if mesh.communicator.Nproc > 1:
        raise InputError("the mesh is spread over several processes: make it with communicator=fipy.serialComm")
    if _is_surface(mesh):
        mesh = surface(np.array(mesh.vertexCoords), np.array(mesh.faceVertexIDs), mesh.cellFaceIDs)
    if (most := np.bincount(np.ma.compressed(mesh.cellFaceIDs)).max()) > 2:
        raise InputError(f"the {name} has a face that {most} cells share: a cell has one neighbour across a face, or none")
    if not (np.asarray(mesh.cellVolumes) > 0).all():
        raise InputError(f"the {name} has a cell without volume: look at its vertices")
    return mesh


def described(mesh: Any, title: str = "") -> Mesh:
    """A checked FiPy mesh as plain arrays; its coordinates are called theta1, theta2, …"""
    q = 2 if _is_surface(mesh) else mesh.dim
    vertices, centers = np.array(mesh.vertexCoords, dtype=float).T, np.array(mesh.cellCenters, dtype=float).T
    corners = np.ma.asarray(mesh._cellVertexIDs).T
    cells = np.ma.filled(corners, -1).astype(np.int64)
    if q == 2:
        cells = _around(vertices, cells, centers)
    elif q == 3:
        cells = np.sort(cells, axis=1)[:, GRID] if hasattr(mesh, "nz") else _solids(mesh, vertices)
    periodic = type(mesh).__name__.startswith("Periodic")
    if q == 1 and periodic:
        cells = np.arange(len(cells))[:, None] + np.arange(2)  # FiPy joins the last one to the first vertex
    elif q == 1:
        cells = np.take_along_axis(cells, np.argsort(vertices[cells, 0], axis=1), axis=1)
    if periodic:
        centers = vertices[cells].mean(axis=1)  # FiPy wraps those of a grid that begins elsewhere than at zero
    names = tuple(f"theta{k + 1}" for k in range(mesh.dim))
    text = title or f"{type(mesh).__name__.removeprefix('Uniform')} of {len(cells):,} cells"
    periods = np.where(_wrapping(mesh), np.ptp(vertices, axis=0), 0.0).tolist() if periodic else ()
    return Mesh(vertices, cells, centers, np.array(mesh.cellVolumes, dtype=float), q, names, text, periods)


def _wrapping(mesh: Any) -> list[bool]:
    """Which axes of a periodic grid of FiPy wrap around: those that its name says, or all."""
    named = [sides in type(mesh).__name__ for sides in SEAMS[: mesh.dim]]
    return named if any(named) else [True] * int(mesh.dim)


def _is_surface(mesh: Any) -> bool:
    return bool(mesh.dim == 3 and np.shape(mesh.faceVertexIDs)[0] == 2)


def _around(vertices: np.ndarray, cells: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """The corners of each polygon (−1 where it has no more) in order around its centre, the last one repeated.

    Counter-clockwise in the plane; on a surface in space, as seen from the side that looks away from its middle.
    """
    arms = vertices[cells] - centers[:, None]
    first = arms[:, 0] / np.linalg.norm(arms[:, 0], axis=1, keepdims=True)
    second = arms[:, 1] - np.sum(arms[:, 1] * first, axis=1, keepdims=True) * first  # in the plane of the polygon, across the first arm
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    axes = np.stack([first, second], axis=1)
    if vertices.shape[1] == 3:
        axes = np.concatenate([axes, (centers - centers.mean(axis=0))[:, None]], axis=1)
    second *= np.where(np.linalg.det(axes) < 0, -1.0, 1.0)[:, None]
    angle = np.arctan2(*(np.einsum("nkp,np->nk", arms, axis) for axis in (second, first)))
    missing = cells < 0
    ordered = np.take_along_axis(cells, np.argsort(np.where(missing, np.inf, angle), axis=1, kind="stable"), axis=1)
    last = ordered[np.arange(len(cells)), (~missing).sum(axis=1) - 1]
    return np.where(ordered < 0, last[:, None], ordered)


def _solids(mesh: Any, vertices: np.ndarray) -> np.ndarray:
    """The corners of tetrahedra, (N, 4), or of mixed cells, (N, 8), as Mesh.cells has them, from their faces."""
    faces = np.ma.filled(np.ma.asarray(mesh.faceVertexIDs), -1).T
    cell_faces = np.ma.filled(np.ma.asarray(mesh.cellFaceIDs), -1).T
    there = cell_faces >= 0
    sides = np.where(there, (faces >= 0).sum(axis=1)[cell_faces], 0)  # corners of each face of a cell
    kinds = np.stack([there.sum(axis=1), (sides == 4).sum(axis=1)], axis=1)
    cells = np.empty((len(kinds), 8), dtype=np.int64)
    for count, quadrilaterals in np.unique(kinds, axis=0).tolist():
        if (count, quadrilaterals) not in SOLIDS or sides.max() > 4:
            raise InputError(
                f"the {type(mesh).__name__} has cells of {count} faces, {quadrilaterals} of them quadrilaterals: "
                "give tetrahedra, pyramids, wedges or hexahedra"
            )
        corners = SOLIDS[count, quadrilaterals]
        for block in np.array_split(numbers := np.flatnonzero((kinds == (count, quadrilaterals)).all(axis=1)), len(numbers) // BLOCK + 1):
            around = cell_faces[block]
            base = around[np.arange(len(block)), (sides[block] == corners).argmax(axis=1)]
            cells[block] = _risen(vertices, faces[base, :corners], faces[around[:, :count]])
    return cells[:, [0, 1, 2, 4]] if (kinds == (4, 0)).all() else cells


def _risen(vertices: np.ndarray, base: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The eight corners of M cells that stand on `base` (M, 3 or 4) and have the faces (M, f, 4), −1 where there is no fourth corner.

    Above each corner of the base is the one that an edge joins to it and that is not in the base; a triangle repeats its last corner.
    """
    follows = np.roll(faces, -1, axis=2)
    follows = np.where(follows < 0, faces[:, :, :1], follows)  # a triangle's last corner is followed by its first
    starts, ends = (np.concatenate(pair, axis=1).reshape(len(faces), -1) for pair in ((faces, follows), (follows, faces)))
    outside = (ends >= 0) & (ends[:, :, None] != base[:, None]).all(axis=2)
    rows = np.arange(len(base))
    top = np.stack([ends[rows, (outside & (starts == corner[:, None])).argmax(axis=1)] for corner in base.T], axis=1)
    edges = [vertices[ids] - vertices[base[:, 0]] for ids in (base[:, 1], base[:, 2], top[:, 0])]
    inward = np.linalg.det(np.stack(edges, axis=1)) < 0
    base, top = (np.where(inward[:, None], ring[:, ::-1], ring) for ring in (base, top))
    return np.concatenate([_four(base), _four(top)], axis=1)


def _four(ring: np.ndarray) -> np.ndarray:
    """The corners (M, 3 or 4) as four, the last one repeated."""
    return ring if ring.shape[1] == 4 else np.concatenate([ring, ring[:, -1:]], axis=1)
