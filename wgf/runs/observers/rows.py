"""The variables of a run's file: made with the first frame, and a row of each for every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from wgf.measures.grid import Grid
from wgf.measures.measure import Density, Measure, MeshDensity
from wgf.measures.mesh import Mesh
from wgf.methods.base import SERIES, Frame
from wgf.networks.data import Data
from wgf.problems.problem import BOUNDS, Problem
from wgf.ranks.communicator import Ranks
from wgf.runs.collected import mean_of, prediction_of
from wgf.runs.hdf5 import ROWS, attach, growing, scale, variable
from wgf.runs.parts import Source, show, sources_of
from wgf.runs.processes import this_process
from wgf.runs.reader import BOX, kept_problem
from wgf.runs.run import HISTORY, run_attributes
from wgf.runs.stored_data import tested, tested_by, write_data

FRAMED = {
    "time",
    "density",
    "position",
    "prediction",
    "test_prediction",
    "test_loss",
    "mean",
    *BOX,
    *SERIES,
}  # variables with a row for each frame


@dataclass(frozen=True)
class Row:
    """What a frame adds to the variables, by their names.

    grid      of all cells, where there are axes
    sources   the parts of the density, where that is in parts
    """

    frame: Frame
    values: dict[str, Any]
    grid: Grid | None
    sources: list[Source] | None = None


def row_of(frame: Frame, data: Data | None) -> Row:
    """Of a frame with a whole measure."""
    measure: Any = frame.measure
    values = _numbers(frame) | {"mean": measure.mean}
    if data is not None:
        values |= {"prediction": frame.prediction, **tested(data, measure)}
    if isinstance(measure, MeshDensity):
        return Row(frame, values | {"density": measure.values}, None)
    if not isinstance(measure, Density):
        return Row(frame, values | {"position": measure.points}, None)
    return Row(frame, values | {"density": measure.values} | _box(measure.grid), measure.grid)


def row_in_parts(frame: Frame, data: Data | None, sources: list[Source], ranks: Ranks) -> Row:
    """Of a frame whose density the ranks share, and have stored."""
    measure: Any = frame.measure
    grid = frame.whole or measure.grid
    values = _numbers(frame) | {"mean": mean_of(frame, ranks)} | _box(grid)
    if data is not None:
        values |= {"prediction": frame.prediction}
        if data.test is not None:
            values |= tested_by(data, prediction_of(frame, data.test.inputs, ranks))
    return Row(frame, values, grid, sources)


def _numbers(frame: Frame) -> dict[str, Any]:
    return {name: getattr(frame.diagnostics, name) for name in ("time", *SERIES)}


def _box(grid: Grid) -> dict[str, Any]:
    return {name: getattr(grid, name.removeprefix("box_")) for name in BOX}


def create(file: h5py.File, frame: Frame, problem: Problem, method: Any, facts: dict[str, Any], identity: str) -> None:
    """All variables and attributes for frames like this one, without rows."""
    file.attrs.update(run_attributes(problem, method, facts) | kept_problem(problem))
    file.attrs.update({"identity": identity, "process": this_process()})
    times = scale(file, "time", np.empty(0), unlimited=True)
    if problem.energy.data is not None:
        write_data(file, problem.energy.data, times)
    _create_measure(file, frame, problem, times)
    for name in SERIES:
        growing(file, name, (), (times,))
    group = file.create_group("history")
    step = scale(group, "step", np.empty(0, dtype=np.int64), unlimited=True)
    for name in ("dt", *HISTORY, *frame.diagnostics.extra):
        growing(group, name, (), (step,))


def _create_measure(file: h5py.File, frame: Frame, problem: Problem, times: h5py.Dataset) -> None:
    measure: Measure = frame.measure
    p = measure.points.shape[1]
    names = problem.axis_names(p)
    coordinate = scale(file, "coordinate", np.array(names, dtype=h5py.string_dtype()))
    if isinstance(measure, Density):
        grid, axes, ends = frame.whole or measure.grid, [], scale(file, "bound", np.arange(2))
        for k, name in enumerate(names):
            axes.append(scale(file, name, grid.centers[k], resizable=True))
            axes[-1].attrs.update({"boundary": grid.boundary[k], "bounds": name + BOUNDS})
            file.create_dataset(name + BOUNDS, (len(grid.centers[k]), 2), "f8", maxshape=(None, 2), chunks=(ROWS, 2))
            attach(file[name + BOUNDS], (axes[-1], ends))
        _write_cells(file, axes, grid)
        growing(file, "density", grid.shape, (times, *axes), compress=True, resizable=True)
        file["density"].attrs["averages"] = measure.averages
        for name in BOX:
            growing(file, name, (p,), (times, coordinate))
    elif isinstance(measure, MeshDensity):
        cell = _write_mesh(file, measure.mesh, coordinate)
        growing(file, "density", (measure.mesh.size,), (times, cell), compress=True)
    else:
        particle = scale(file, "particle", np.arange(len(measure.masses)))
        growing(file, "position", measure.points.shape, (times, particle, coordinate), compress=True)
        file["position"].attrs["periods"] = measure.periods
        variable(file, "weight", measure.masses, (particle,))
    growing(file, "mean", (p,), (times, coordinate))


def append(file: h5py.File, rows: Sequence[Row], before: Grid | None) -> Grid | None:
    """Rows on the same cells, after those on the cells `before`, which are put into the new ones where the box has grown; the cells."""
    grid, start = rows[0].grid, file["time"].shape[0]
    if grid is not None and before is not None and before.shape != grid.shape:
        _enlarge(file, before, grid)
    for name in rows[0].values:
        file[name].resize(start + len(rows), axis=0)
        file[name][start:] = np.array([row.values[name] for row in rows])
    if grid is not None and rows[0].sources is not None:
        added = [Source(each.name, (slice(k, k + 1), *each.place)) for k, row in enumerate(rows, start) for each in row.sources or ()]
        show(file, "density", (start + len(rows), *grid.shape), [*_shown(file), *added], frames=1)
    return grid


def _shown(file: h5py.File) -> list[Source]:
    """The parts of the frames so far."""
    return sources_of(file["density"]) if file["density"].is_virtual else []


def _enlarge(file: h5py.File, old: Grid, new: Grid) -> None:
    """The new grid's axes, and zero in the cells that earlier frames did not have."""
    axes = [file[name] for name in new.names]
    dataset, place = file["density"], old.place_in(new)
    for axis, n in enumerate(new.shape):
        axes[axis].resize(n, axis=0)
        file[new.names[axis] + BOUNDS].resize(n, axis=0)
    if dataset.is_virtual:
        moved = [Source(each.name, (each.place[0], *_moved(each.place[1:], place))) for each in sources_of(dataset)]
        show(file, "density", (dataset.shape[0], *new.shape), moved, frames=1)
    else:
        for axis, n in enumerate(new.shape):
            dataset.resize(n, axis=axis + 1)
        for frame in range(dataset.shape[0]):
            earlier = dataset[(frame, *(slice(n) for n in old.shape))]
            widened = np.zeros(new.shape)
            widened[place] = earlier
            dataset[frame] = widened
    _write_cells(file, axes, new)


def _moved(box: Sequence[slice], by: Sequence[slice]) -> tuple[slice, ...]:
    """A box in the cells that begin where these do."""
    return tuple(slice(each.start + first.start, each.stop + first.start) for each, first in zip(box, by, strict=True))


def cut(file: h5py.File, frames: int, rows: int) -> None:
    """Leave so many frames, and rows of the history."""
    for name, dataset in file.items():
        if not isinstance(dataset, h5py.Dataset) or name not in FRAMED:
            continue
        if dataset.is_virtual:
            kept = [source for source in sources_of(dataset) if source.place[0].start < frames]
            show(file, name, (frames, *dataset.shape[1:]), kept, frames=1)
        else:
            dataset.resize(frames, axis=0)
    for column in file["history"].values():
        column.resize(rows, axis=0)


def _write_cells(file: h5py.File, axes: Sequence[h5py.Dataset], grid: Grid) -> None:
    """Centres and ends of the cells along each axis."""
    for axis, name, centers, edges in zip(axes, grid.names, grid.centers, grid.edges, strict=True):
        axis[:] = centers
        file[name + BOUNDS][:] = np.column_stack([edges[:-1], edges[1:]])


def _write_mesh(file: h5py.File, mesh: Mesh, coordinate: h5py.Dataset) -> h5py.Dataset:
    """/mesh with vertices, cells, centres and volumes; returns the dimension of the cells."""
    vertex, corner, cell = (
        scale(file, name, np.arange(size))
        for name, size in (("vertex", len(mesh.vertices)), ("corner", mesh.cells.shape[1]), ("cell", mesh.size))
    )
    group = file.create_group("mesh")
    group.attrs.update({"cell_dim": mesh.cell_dim, "title": mesh.title, "periods": mesh.periods})
    variable(group, "vertices", mesh.vertices, (vertex, coordinate))
    variable(group, "cells", mesh.cells, (cell, corner))
    variable(group, "centres", mesh.centers, (cell, coordinate))
    variable(group, "volumes", mesh.volumes, (cell,))
    return cell
