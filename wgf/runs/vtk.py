"""A run for ParaView, and whatever else reads VTK's files: one HDF5 file with all frames as steps of one time series.

A density on a grid with two axes or three is an image, whose first axis is the horizontal one, with one number in each cell; on a line, or
a mesh, an unstructured grid, one number in each cell; neurons are points with their weights. Coordinates that θ does not have are zero.
Boxes of a grid without an end are put into the last one, which holds them all; outside of them the density is zero. What stays the same, a
mesh and the weights of neurons, is written once, as the offsets of each step into the arrays say
[https://docs.vtk.org/en/latest/vtk_file_formats/vtkhdf_file_format/index.html].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wgf.errors import InputError, as_path
from wgf.measures.grid import Grid
from wgf.measures.measure import Cloud, Density
from wgf.measures.mesh import Mesh
from wgf.networks.waiting import reported
from wgf.runs.files import check_writable
from wgf.runs.hdf5 import begin
from wgf.runs.reader import open_run
from wgf.runs.run import Run

SUFFIX = ".vtkhdf"  # by which ParaView knows its reader
VERSION = (2, 0)  # of the format, the first with steps
POLYGON = 7  # VTK's number of a kind of cells
CELLS = {(1, 2): 3, (2, 3): 5, (2, 4): 9, (3, 4): 10, (3, 5): 14, (3, 8): 12}  # those by q and the number of corners
WEDGE = 6  # corners
SPACE = 3  # coordinates of a point
PACKED: dict[str, Any] = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
OF_POINTS = ("Vertices", "Lines", "Polygons", "Strips")  # kinds of cells of PolyData


def export(source: Run | str | Path, path: str | Path) -> None:
    """Write all frames of a run into one file, such as run.vtkhdf, which ParaView opens as a time series.

    Parameters
    ----------
    source : Run or str or path
        a run, or its file
    path : str or path
        the file, ending in .vtkhdf

    Raises
    ------
    InputError
        for another ending, a folder that is not there, and measures with more than three coordinates
    """
    check_export(path := as_path(path))
    run = source if isinstance(source, Run) else open_run(source)
    last: Any = run.measures[-1]
    p = last.points.shape[1]
    if p > SPACE:
        raise InputError(f"measures with {p} coordinates cannot be shown in space: export takes one to three")
    with begin(path) as file:
        root = file.create_group("VTKHDF")
        root.attrs["Version"] = np.array(VERSION)
        steps = root.create_group("Steps")
        steps.attrs["NSteps"] = len(run.times)
        steps["Values"] = run.times
        if isinstance(last, Cloud):
            _write_points(root, steps, run)
        elif isinstance(last, Density) and p > 1:
            _write_images(root, run, last.grid)
        else:
            _write_cells(root, steps, run, _segments(last.grid) if isinstance(last, Density) else last.mesh)


def check_export(path: Path) -> None:
    """Refuse a path into which no run can be exported."""
    if path.suffix.lower() != SUFFIX:
        raise InputError(f"cannot export to {path}: the name must end in {SUFFIX}")
    check_writable(path)


def _call(root: h5py.Group, kind: str) -> None:
    """Say what the file holds; VTK reads texts of a fixed length only."""
    root.attrs.create("Type", np.bytes_(kind), dtype=f"S{len(kind)}")


def _write_images(root: h5py.Group, run: Run, grid: Grid) -> None:
    """The box, and the averages (steps, z, y, x), in a plane (steps, y, x), the first axis fastest."""
    _call(root, "ImageData")
    more = SPACE - grid.dim
    root.attrs["WholeExtent"] = [end for n in (*grid.shape, *(0,) * more) for end in (0, n)]
    root.attrs["Origin"] = [*grid.lower, *(0.0,) * more]
    root.attrs["Spacing"] = [*grid.spacing, *(1.0,) * more]
    root.attrs["Direction"] = np.eye(SPACE).ravel()
    rows = (len(run.times), *grid.shape[::-1])
    values = root.create_group("CellData").create_dataset("density", rows, dtype="f8", chunks=(1, *rows[1:]), **PACKED)
    for k, frame in enumerate(_densities(run)):
        values[k] = frame.transpose()


def _densities(run: Run) -> Iterator[np.ndarray]:
    """The values of each frame, on the grid of the last one or on the mesh."""
    last: Any = run.measures[-1]
    for k in reported(range(len(run.times)), "frames"):
        measure: Any = run.measures[k]
        frame = np.zeros(last.values.shape)
        frame[measure.grid.place_in(last.grid) if isinstance(last, Density) else ...] = measure.values
        yield frame


def _segments(grid: Grid) -> Mesh:
    """The cells of a grid on a line, of which VTK has no image."""
    vertices = np.linspace(grid.lower[0], grid.upper[0], grid.size + 1)
    first = np.arange(grid.size)
    return Mesh(vertices[:, None], np.stack([first, first + 1], axis=1), grid.points(), np.full(grid.size, grid.cell_volume), 1, grid.names)


def _write_cells(root: h5py.Group, steps: h5py.Group, run: Run, mesh: Mesh) -> None:
    """The mesh, once, and the densities of all steps one after another."""
    _call(root, "UnstructuredGrid")
    corners, ends, kinds = _corners(mesh)
    root["Points"] = _in_space(mesh.vertices)
    root["Connectivity"], root["Offsets"], root["Types"] = corners, np.append(0, ends), kinds.astype("u1")
    counts = {"NumberOfPoints": len(mesh.vertices), "NumberOfCells": len(ends), "NumberOfConnectivityIds": len(corners)}
    for name, count in counts.items():
        root[name] = [count]
    count = len(run.times)
    _write_offsets(steps, count, ("PartOffsets", "PointOffsets"), 1)
    _write_offsets(steps, count, ("CellOffsets", "ConnectivityIdOffsets"), 1)
    steps["NumberOfParts"] = np.ones(count, dtype=int)
    steps.create_group("CellDataOffsets")["density"] = np.arange(count) * mesh.size
    values = root.create_group("CellData").create_dataset("density", (count * mesh.size,), dtype="f8", chunks=(mesh.size,), **PACKED)
    for k, frame in enumerate(_densities(run)):
        values[k * mesh.size : (k + 1) * mesh.size] = frame


def _write_points(root: h5py.Group, steps: h5py.Group, run: Run) -> None:
    """The places of all steps one after another, a vertex at each; the weights once."""
    _call(root, "PolyData")
    measure: Any = run.measures[-1]
    m, count = len(measure.weights), len(run.times)
    for kind in OF_POINTS:
        number = m if kind == "Vertices" else 0
        group = root.create_group(kind)
        group["Connectivity"], group["Offsets"] = np.arange(number), np.arange(number + 1)
        group["NumberOfCells"], group["NumberOfConnectivityIds"] = [number], [number]
    root["NumberOfPoints"] = [m]
    _write_offsets(steps, count, ("PartOffsets",), 1)
    _write_offsets(steps, count, ("CellOffsets", "ConnectivityIdOffsets"), len(OF_POINTS))
    steps["NumberOfParts"] = np.ones(count, dtype=int)
    steps["PointOffsets"] = np.arange(count) * m
    steps.create_group("PointDataOffsets")["weight"] = np.zeros(count, dtype=int)
    root.create_group("PointData")["weight"] = measure.weights
    places = root.create_dataset("Points", (count * m, SPACE), dtype="f8", chunks=(m, SPACE), **PACKED)
    for k in reported(range(count), "frames"):
        measure = run.measures[k]
        places[k * m : (k + 1) * m] = _in_space(measure.positions)


def _write_offsets(steps: h5py.Group, count: int, names: Sequence[str], kinds: int) -> None:
    """Zeros: what these steps share begins at the same place for all, of each of so many kinds of cells."""
    for name in names:
        steps[name] = np.zeros((count, kinds) if name in ("CellOffsets", "ConnectivityIdOffsets") else count, dtype=int)


def _in_space(points: np.ndarray) -> np.ndarray:
    """Points (N, p) with zeros for the coordinates that they do not have, (N, 3)."""
    return np.pad(points, ((0, 0), (0, SPACE - points.shape[1])))


def _corners(mesh: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The corners of all cells one after another, each once, where those of each cell end, and VTK's number of its kind."""
    cells, q = mesh.cells, mesh.cell_dim
    new = np.stack([(cells[:, j, None] != cells[:, :j]).all(axis=1) for j in range(cells.shape[1])], axis=1)
    if q == 3:
        new[new.sum(axis=1) == WEDGE] = True  # a hexahedron with corners that coincide: VTK's versions differ on how a wedge is turned
    counts = new.sum(axis=1)
    kinds = np.array([CELLS.get((q, n), POLYGON) for n in range(counts.max() + 1)])
    return cells[new], np.cumsum(counts), kinds[counts]
