"""A run for ParaView, and whatever else reads VTK's files: one file a frame, and a collection (.pvd) that says at which times.

A density on a mesh is an unstructured grid (.vtu), one number in each cell; on a grid with axes it is an image (.vti), whose first axis is
the horizontal one; neurons are points (.vtu) with their weights. Coordinates that θ does not have are zero. All is copied into the files,
which may go elsewhere together. Arrays are compressed by zlib and written in base64, as VTK's XML formats have them
[https://docs.vtk.org/en/latest/vtk_file_formats/vtkxml_file_format.html].
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from wgf.errors import InputError, as_path
from wgf.measures.measure import Density, Measure, MeshDensity
from wgf.measures.mesh import Mesh
from wgf.networks.waiting import told
from wgf.runs.files import beginning, check_writable, completed
from wgf.runs.reader import open_run
from wgf.runs.run import Run

VERTEX, POLYGON = 1, 7  # VTK's numbers of kinds of cells
CELLS = {(1, 2): 3, (2, 3): 5, (2, 4): 9, (3, 4): 10, (3, 5): 14, (3, 8): 12}  # those by q and the number of corners
WEDGE = 6  # corners
SPACE = 3  # coordinates of a point


def export(source: Run | str | Path, path: str | Path) -> None:
    """Write a run for ParaView: a collection, such as run.pvd, and beside it a folder of the same name with one file for each frame.

    Written again, the collection replaces the one before: files of frames that it does not have any more are removed.

    Parameters
    ----------
    source : Run or str or path
        a run, or its file
    path : str or path
        the collection, ending in .pvd

    Raises
    ------
    InputError
        for another ending, a folder that is not there, and measures with more than three coordinates
    """
    folder = folder_of(path := as_path(path))
    run = source if isinstance(source, Run) else open_run(source)
    p = run.measures[0].points.shape[1]
    if p > SPACE:
        raise InputError(f"measures with {p} coordinates cannot be shown in space: export takes one to three")
    root = ElementTree.Element("VTKFile", type="Collection", version="1.0", byte_order="LittleEndian")
    collection = ElementTree.SubElement(root, "Collection")
    digits = len(str(len(run.times) - 1))
    with completed(path) as begun, _frames_beside(folder) as frames:
        for k in told(range(len(run.times)), "frames"):
            measure, time = run.measures[k], run.times[k]
            frame, ending = (_image(measure), "vti") if isinstance(measure, Density) else (_cells_or_points(measure), "vtu")
            name = f"{folder.name}_{k:0{digits}}.{ending}"
            _write(frames / name, frame)
            ElementTree.SubElement(collection, "DataSet", timestep=repr(float(time)), part="0", file=f"{folder.name}/{name}")
        _write(begun, root)


@contextlib.contextmanager
def _frames_beside(folder: Path) -> Iterator[Path]:
    """A folder for new frames, which come into their own when all of them, and what is written inside, are there; earlier ones go."""
    begun = beginning(folder)
    try:
        begun.mkdir()
        yield begun
        new = {file.name for file in begun.iterdir()}
        folder.mkdir(exist_ok=True)
        for name in sorted(new):
            os.replace(begun / name, folder / name)
        for earlier in folder.iterdir():
            if earlier.name not in new and re.fullmatch(rf"{re.escape(folder.name)}_\d+\.vt[iu]", earlier.name):
                earlier.unlink()
    finally:
        shutil.rmtree(begun, ignore_errors=True)


def folder_of(path: Path) -> Path:
    """The folder for the frames of a collection; refuses a path at which there cannot be one."""
    if path.suffix.lower() != ".pvd":
        raise InputError(f"cannot export to {path}: the name must end in .pvd")
    check_writable(path)
    folder = path.with_suffix("")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"cannot write the frames into {folder}: it is a {'link' if folder.is_symlink() else 'file'}; choose another name")
    if folder.is_dir():
        check_writable(folder / path.name)
    return folder


def _write(path: Path, root: ElementTree.Element) -> None:
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _document(kind: str) -> tuple[ElementTree.Element, ElementTree.Element]:
    """A VTK document of the kind, and the element that holds its contents."""
    root = ElementTree.Element(
        "VTKFile", type=kind, version="1.0", byte_order="LittleEndian", header_type="UInt64", compressor="vtkZLibDataCompressor"
    )
    return root, ElementTree.SubElement(root, kind)


def _image(density: Density) -> ElementTree.Element:
    """A density on a grid: the box, and the averages with the first axis fastest."""
    root, image = _document("ImageData")
    grid, more = density.grid, SPACE - density.grid.dim
    extent = " ".join(f"0 {n}" for n in (*grid.shape, *(0,) * more))
    image.attrib |= {"WholeExtent": extent, "Origin": _row(*grid.lower, *(0.0,) * more), "Spacing": _row(*grid.spacing, *(1.0,) * more)}
    piece = ElementTree.SubElement(image, "Piece", Extent=extent)
    _array(ElementTree.SubElement(piece, "CellData", Scalars="density"), "density", density.values.ravel(order="F"))
    return root


def _cells_or_points(measure: Measure) -> ElementTree.Element:
    """A density on a mesh, or neurons."""
    root, unstructured = _document("UnstructuredGrid")
    if isinstance(measure, MeshDensity):
        points, (corners, ends, kinds) = measure.mesh.vertices, _corners(measure.mesh)
    else:
        points, corners = measure.points, np.arange(len(measure.masses))
        ends, kinds = corners + 1, np.full(len(corners), VERTEX)
    piece = ElementTree.SubElement(unstructured, "Piece", NumberOfPoints=str(len(points)), NumberOfCells=str(len(ends)))
    if isinstance(measure, MeshDensity):
        _array(ElementTree.SubElement(piece, "CellData", Scalars="density"), "density", measure.values)
    else:
        _array(ElementTree.SubElement(piece, "PointData", Scalars="weight"), "weight", measure.masses)
    _array(ElementTree.SubElement(piece, "Points"), "points", np.pad(points, ((0, 0), (0, SPACE - points.shape[1]))))
    cells = ElementTree.SubElement(piece, "Cells")
    for name, values in (("connectivity", corners), ("offsets", ends), ("types", kinds.astype(np.uint8))):
        _array(cells, name, values)
    return root


def _corners(mesh: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The corners of all cells one after another, each once, where those of each cell end, and VTK's number of its kind."""
    cells, q = mesh.cells, mesh.cell_dim
    new = np.stack([(cells[:, j, None] != cells[:, :j]).all(axis=1) for j in range(cells.shape[1])], axis=1)
    if q == 3:
        new[new.sum(axis=1) == WEDGE] = True  # a hexahedron with corners that coincide: VTK's versions differ on how a wedge is turned
    counts = new.sum(axis=1)
    kinds = np.array([CELLS.get((q, n), POLYGON) for n in range(counts.max() + 1)])
    return cells[new], np.cumsum(counts), kinds[counts]


def _array(parent: ElementTree.Element, name: str, values: np.ndarray) -> None:
    """An array: how many blocks, their size, that of a shorter last one, the size compressed, and the block."""
    kind = {"f": "Float64", "i": "Int64", "u": "UInt8"}[values.dtype.kind]
    item = ElementTree.SubElement(parent, "DataArray", type=kind, Name=name, format="binary")
    if values.ndim == 2:
        item.set("NumberOfComponents", str(values.shape[1]))
    plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()
    packed = zlib.compress(plain)
    header = np.array([1, len(plain), 0, len(packed)], dtype="<u8").tobytes()
    item.text = "".join(base64.b64encode(part).decode("ascii") for part in (header, packed))


def _row(*numbers: float) -> str:
    return " ".join(repr(float(number)) for number in numbers)
