"""Meshes by Gmsh (`pip install gmsh`), which is imported here and nowhere else, by its own interface: no program is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError

POLYGONS = {2: [0, 1, 2, 2], 3: [0, 1, 2, 3]}  # Gmsh's number of an element → its nodes as corners of Mesh.cells: triangle, quadrilateral
SOLIDS = {  # tetrahedron, hexahedron, wedge, pyramid
    4: [0, 1, 2, 2, 3, 3, 3, 3],
    5: [0, 1, 2, 3, 4, 5, 6, 7],
    6: [0, 1, 2, 2, 3, 4, 5, 5],
    7: [0, 1, 2, 3, 4, 4, 4, 4],
}
FINEST = 2e7  # spacing^dim in the box around a geometry, of which it may be a small part
SCRIPTS = (".geo", ".geo_unrolled", ".opt", ".pos", ".script")  # endings of files in Gmsh's own language
COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
ORDERS = re.compile(r"\b(Exit|Abort|System|SystemCall|NonBlockingSystemCall|OnelabRun)\b")
EMPTY = "No elements in"  # of what Gmsh 4.13 complains where a mesh holds a rim only; later versions say nothing
FLAT = 1e-12  # of the extent: how far vertices of a mesh in the plane may be from it


def load_gmsh() -> Any:
    """The package Gmsh, or an InputError that says what to install."""
    try:
        import gmsh
    except ImportError:
        raise InputError("meshes of triangles are made by Gmsh, which is not installed: pip install gmsh") from None
    except OSError as error:
        raise InputError(f"Gmsh is installed but a system library is missing ({error}): install it, such as libGLU") from None
    return gmsh


def triangulated(add: Callable[[Any], Any], spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and triangles (N, 3) of what `add` adds to Gmsh's geometry."""
    with _session() as gmsh:
        for option in ("Mesh.MeshSizeMin", "Mesh.MeshSizeMax"):
            gmsh.option.setNumber(option, spacing)
        add(gmsh.model.occ)
        gmsh.model.occ.synchronize()
        gmsh.model.mesh.generate(2)
        vertices, cells = _found(gmsh, 2)
    return vertices, cells[:, :3]


def read(path: Path, spacing: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, p) and cells (N, 4) of dimension two, or (N, 8) of three, in a file that Gmsh reads: a mesh, or a geometry to be meshed.

    Raises InputError where Gmsh cannot read or mesh it, for elements of higher order, and for a spacing of what is a mesh already.
    """
    with _session() as gmsh:
        _open(gmsh, path)
        try:
            dim = gmsh.model.getDimension()
            meshed = len(gmsh.model.mesh.getElementTypes(dim)) > 0
            if dim in (2, 3) and not meshed:
                if spacing is not None:
                    _check_spacing(gmsh, dim, spacing)
                    gmsh.option.setNumber("Mesh.MeshSizeMax", spacing)
                gmsh.model.mesh.generate(dim)
        except InputError:
            raise
        except Exception as error:  # Gmsh raises no other kind
            if EMPTY not in str(error):
                raise InputError(f"Gmsh cannot make a mesh of {path}: {error}") from None
        if dim not in (2, 3):
            raise InputError(f"{path} describes nothing of dimension two or three to be meshed")
        if meshed and spacing is not None:
            raise InputError(f"{path} is a mesh already: leave out spacing = {spacing:g}, or give the geometry")
        if not len(gmsh.model.mesh.getElementTypes(dim)):
            inside, rim = ("a surface", "its edges") if dim == 2 else ("a volume", "its faces")
            raise InputError(
                f"{path} holds the boundary of {inside} without the cells in it: where {rim} are in a physical group, put {inside} into "
                "one as well, or set Mesh.SaveAll = 1, and write it again"
            )
        vertices, cells = _found(gmsh, dim)
    extent = np.ptp(vertices, axis=0)
    return (vertices[:, :2] if extent[2] <= FLAT * extent.max() else vertices), cells


def _open(gmsh: Any, path: Path) -> None:
    """Read a file; an InputError with Gmsh's first complaint where it has one.

    A slip in a geometry is not to stop Gmsh at once: what is left of the file would then be read as the beginning of the next one, in any
    later session of the process. Gmsh obeys a geometry that ends the process, or has the system run a program: it is refused.
    """
    if path.suffix.lower() in SCRIPTS and (order := ORDERS.search(COMMENTS.sub(" ", path.read_text("utf-8", "replace")))):
        raise InputError(f"{path} is a program that calls {order[0]}, which is not executed here: remove it")
    gmsh.option.setNumber("General.AbortOnError", 0)
    gmsh.logger.start()
    try:
        gmsh.open(str(path))
        messages = gmsh.logger.get()
    finally:
        gmsh.logger.stop()
        gmsh.option.setNumber("General.AbortOnError", 2)  # Gmsh's own: raise
    for line in messages:
        if line.startswith(("Error: ", "Fatal: ")):
            raise InputError(f"Gmsh cannot make a mesh of {path}: {line.split(': ', 1)[1]}")


def _check_spacing(gmsh: Any, dim: int, spacing: float) -> None:
    """That Gmsh is not asked for a mesh on which it would work for hours, and cannot be stopped."""
    sides = np.ptp(np.reshape(gmsh.model.getBoundingBox(-1, -1), (2, 3)), axis=0)
    if float(np.prod(np.sort(sides)[-dim:] / spacing)) > FINEST:
        region = " × ".join(f"{side:.3g}" for side in sides)
        raise InputError(f"spacing = {spacing:g} is too fine for a geometry of size {region}: choose a larger one")


@contextmanager
def _session() -> Iterator[Any]:
    """Gmsh, silent, with one thread, so that a mesh is the same in every run."""
    gmsh = load_gmsh()
    if gmsh.isInitialized():
        raise InputError("Gmsh is in use in this program, and knows one model at a time: call gmsh.finalize() before wgf makes a mesh")
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("General.NumThreads", 1)
        gmsh.option.setNumber("Mesh.Algorithm", 6)  # frontal Delaunay: nearly equilateral
        yield gmsh
    finally:
        gmsh.finalize()


def _found(gmsh: Any, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """The vertices that the elements of this dimension have, and their corners."""
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    places = np.zeros(int(tags.max()) + 1, dtype=np.int64)
    places[tags] = np.arange(len(tags))
    kinds, _, nodes = gmsh.model.mesh.getElements(dim)
    known, rows = (POLYGONS if dim == 2 else SOLIDS), []
    for kind, corners in zip(kinds.tolist(), nodes, strict=True):
        if kind not in known:
            name = gmsh.model.mesh.getElementProperties(kind)[0]
            raise InputError(f"the mesh has elements of the kind {name}: give triangles, quadrilaterals or solids of first order")
        count = max(known[kind]) + 1
        rows.append(places[corners].reshape(-1, count)[:, known[kind]])
    used, cells = np.unique(np.concatenate(rows), return_inverse=True)
    return coordinates.reshape(-1, 3)[used], cells.reshape(-1, len(rows[0][0]))
