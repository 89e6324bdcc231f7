"""The HDF5 file of a run, written as the run goes (layout: docs/design.md).

The file is closed between frames: each frame is one short, locked transaction, so that another program can open the file
at any time in between and never sees half a frame, and a run that dies leaves what it had. It begins under a temporary
name and takes its own name with the first frame in it, so that there is never a file without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wgf.errors import as_path
from wgf.measures.grid import Grid
from wgf.measures.measure import Density, Measure, MeshDensity
from wgf.measures.mesh import Mesh
from wgf.methods.base import SERIES, Diagnostics, Frame
from wgf.networks.data import Data
from wgf.problems.problem import Problem
from wgf.runs.hdf5 import begin, check_target, growing, opened, scale, variable
from wgf.runs.reader import BOX, kept_problem, open_run
from wgf.runs.run import HISTORY, Run, ending, history_columns, run_attributes


class Writer:
    """Writes a run into `path`, which is none of its `sources`. `facts` of the stepper and options of the method become attributes."""

    def __init__(
        self, path: str | Path, problem: Problem, method: Any, facts: dict[str, Any], overwrite: bool = False, sources: Sequence[Path] = ()
    ) -> None:
        self.path = as_path(path, "store")
        check_target(self.path, overwrite=overwrite, sources=sources)
        self.problem, self.method, self.facts = problem, method, facts
        self.frames = 0
        self.grid: Grid | None = None  # of the frames on file
        self.history: list[Diagnostics] = []
        self.last_time: float | None = None  # of the history rows on file

    def frame(self, frame: Frame) -> None:
        if self.frames == 0:
            with begin(self.path) as file:
                self._create(file, frame)
                self._append(file, frame)
        else:
            with opened(self.path) as file:
                self._append(file, frame)
        self.frames += 1

    def step(self, diagnostics: Diagnostics) -> None:
        self.history.append(diagnostics)

    def note(self, facts: dict[str, Any]) -> None:
        """Further attributes, known at the end."""
        with opened(self.path) as file:
            file.attrs.update(facts)

    def close(self, error: BaseException | None) -> None:
        if self.frames == 0:
            return
        with opened(self.path) as file:
            self._append_history(file)
            file.attrs["status"] = ending(error)

    def run(self) -> Run:
        """The run on file."""
        return open_run(self.path, self.problem)

    def _create(self, file: h5py.File, frame: Frame) -> None:
        file.attrs.update(run_attributes(self.problem, self.method, self.facts) | kept_problem(self.problem))
        times = scale(file, "time", np.empty(0), unlimited=True)
        if self.problem.energy.data is not None:
            self._create_data(file, self.problem.energy.data, times)
        self._create_measure(file, frame.measure, times)
        for name in SERIES:
            growing(file, name, (), (times,))
        group = file.create_group("history")
        step = scale(group, "step", np.empty(0, dtype=np.int64), unlimited=True)
        for name in ("dt", *HISTORY, *frame.diagnostics.extra):
            growing(group, name, (), (step,))

    def _create_data(self, file: h5py.File, data: Data, times: h5py.Dataset) -> None:
        sample, dim = scale(file, "sample", np.arange(data.size)), scale(file, "dim", np.arange(data.dim))
        variable(file, "input", data.inputs, (sample, dim))
        variable(file, "input_weight", data.weights, (sample,))
        variable(file, "target", data.targets, (sample,))
        growing(file, "prediction", (data.size,), (times, sample))

    def _create_measure(self, file: h5py.File, measure: Measure, times: h5py.Dataset) -> None:
        p = measure.points.shape[1]
        names = self.problem.axis_names(p)
        coordinate = scale(file, "coordinate", np.array(names, dtype=h5py.string_dtype()))
        if isinstance(measure, Density):
            grid, axes = measure.grid, []
            for k, name in enumerate(names):
                axes.append(scale(file, name, grid.centers[k], resizable=True))
                axes[-1].attrs["boundary"] = grid.boundary[k]
            _write_edges(axes, grid)
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

    def _append(self, file: h5py.File, frame: Frame) -> None:
        measure, diagnostics = frame.measure, frame.diagnostics
        values = {"time": diagnostics.time, "mean": measure.mean}
        values |= {"prediction": frame.prediction} if "prediction" in file else {}
        values |= self._measure(file, measure)
        values |= {name: getattr(diagnostics, name) for name in SERIES}
        for name, value in values.items():
            rows = file[name].shape[0]
            file[name].resize(rows + 1, axis=0)
            file[name][rows] = value
        self._append_history(file)

    def _measure(self, file: h5py.File, measure: Measure) -> dict[str, np.ndarray]:
        """What a frame adds to the variables of its measure."""
        if isinstance(measure, Density):
            return self._density(file, measure)
        return {"density": measure.values} if isinstance(measure, MeshDensity) else {"position": measure.points}

    def _density(self, file: h5py.File, density: Density) -> dict[str, np.ndarray]:
        """The cell averages and the box they lie in; where the box has grown, the frames before it are put into the new one."""
        if self.grid is not None and self.grid.shape != density.grid.shape:
            self._enlarge(file, self.grid, density.grid)
        self.grid = density.grid
        return {"density": density.values, "box_lower": np.array(density.grid.lower), "box_upper": np.array(density.grid.upper)}

    def _enlarge(self, file: h5py.File, old: Grid, new: Grid) -> None:
        """The new grid's axes, and zero in the cells that earlier frames did not have."""
        axes = [file[name] for name in new.names]
        dataset, place = file["density"], old.place_in(new)
        for axis, n in enumerate(new.shape):
            axes[axis].resize(n, axis=0)
            dataset.resize(n, axis=axis + 1)
        for frame in range(dataset.shape[0]):
            earlier = dataset[(frame, *(slice(n) for n in old.shape))]
            widened = np.zeros(new.shape)
            widened[place] = earlier
            dataset[frame] = widened
        _write_edges(axes, new)

    def _append_history(self, file: h5py.File) -> None:
        if not self.history:
            return
        group, count = file["history"], len(self.history)
        start = group["time"].shape[0]
        found = history_columns(self.history, self.last_time)
        found["step"] = np.arange(start, start + count)
        for name, column in found.items():
            group[name].resize(start + count, axis=0)
            group[name][start:] = column
        self.last_time = float(found["time"][-1])
        self.history.clear()


def _write_edges(axes: Sequence[h5py.Dataset], grid: Grid) -> None:
    """Centres and edges of the cells along each axis."""
    for axis, centers, edges in zip(axes, grid.centers, grid.edges, strict=True):
        axis[:] = centers
        axis.attrs["edges_lower"], axis.attrs["edges_upper"] = edges[:-1], edges[1:]


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
