"""The HDF5 file of a run, written as the run goes (layout: docs/design.md).

Frames reach it in transactions (transaction.py): a reader of the file has all of a frame or nothing of it, at any time, and a run that
is killed leaves what it had, with a checkpoint of the same moment. The file is there from the first frame on. A transaction puts the file
together anew, so that there is one only so often that they take SHARE of the time; until then frames wait in memory, but no more than
WAITING of it, and not beyond EVERY seconds.

On several ranks the first one writes: all of them see whether a transaction is due, and give it their shares of the state.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wgf.errors import RunError, as_path
from wgf.measures.grid import Grid
from wgf.measures.measure import Density, Measure, MeshDensity
from wgf.measures.mesh import Mesh
from wgf.methods.base import SERIES, Diagnostics, Frame, State
from wgf.problems.problem import BOUNDS, Problem
from wgf.ranks.communicator import Ranks
from wgf.runs.checkpoint import Checkpoint, write_checkpoint
from wgf.runs.collected import collected, fields_of
from wgf.runs.files import remove_left
from wgf.runs.hdf5 import ROWS, attach, begin, check_target, growing, opened, scale, variable
from wgf.runs.processes import WRITTEN_HERE, this_process
from wgf.runs.reader import BOX, kept_problem, open_run
from wgf.runs.run import HISTORY, Run, ending, history_columns, run_attributes
from wgf.runs.signals import Stopped
from wgf.runs.stored_data import tested, write_data
from wgf.runs.transaction import has_space, new_identity

SHARE = 0.02  # of the time of a run
WAITING = 2**27  # bytes of frames
EVERY = 60.0  # seconds
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


class Writer:
    """Writes a run into `path`, which is none of its `sources`. `facts` of the stepper and options of the method become attributes."""

    def __init__(
        self,
        path: str | Path,
        problem: Problem,
        method: Any,
        facts: dict[str, Any],
        ranks: Ranks,
        overwrite: bool = False,
        sources: Sequence[Path] = (),
        left: Checkpoint | None = None,
    ) -> None:
        self.path = as_path(path, "store")
        self.problem, self.method, self.facts, self.ranks, self.overwrite = problem, method, facts, ranks, overwrite
        self.identity = left.identity if left else ranks.share(new_identity())
        self.grid: Grid | None = None  # of the frames on file
        self.state: State | None = None  # as it is, which the run moves
        self.stepper: Any = None  # which moves it
        self.noted: dict[str, Any] = {}  # by the monitor
        self.waiting: list[Frame] = []
        self.waiting_bytes, self.size = 0, 0  # the latter of the file
        self.history: list[Diagnostics] = []
        self.last_time: float | None = None  # of the history rows on file
        self.begun, self.seconds = left is not None, 0.0  # whether the file is there; after how many of them there is a transaction
        self.written, self.took = time.perf_counter(), 0.0
        if left is None:
            ranks.by_first(lambda: check_target(self.path, overwrite=overwrite, sources=sources))
        else:
            ranks.by_first(lambda: self._cut(left))
            self.last_time = left.diagnostics[-1].time if left.diagnostics else None
        if ranks.first:
            WRITTEN_HERE.add(self.identity)

    def whole(self, frame: Frame) -> Frame:
        """The frame as it is stored, on the first rank."""
        return collected(frame, self.ranks, on_all=False)

    def follow(self, state: State, stepper: Any, noted: dict[str, Any]) -> None:
        """The state that the run moves, and what its monitor notes: both are written as they are at each transaction."""
        self.state, self.stepper, self.noted = state, stepper, noted

    def frame(self, frame: Frame) -> None:
        if self.ranks.first:
            self.waiting.append(frame)
            self.waiting_bytes += frame.measure.masses.nbytes
        self._settle_alone(self.took / SHARE)

    def step(self, diagnostics: Diagnostics) -> None:
        if self.ranks.first:
            self.history.append(diagnostics)
        if self.begun:
            self._settle_alone(max(EVERY, self.took / SHARE))

    def _settle_alone(self, seconds: float) -> None:
        """On several ranks the run settles when they have agreed that nothing has failed."""
        self.seconds = seconds
        if self.ranks.communicator is None:
            self.settle()

    def settle(self) -> None:
        """A transaction, where the last one was so long ago, much is waiting, or the disk is getting full; the first one makes the file."""
        if not self.begun:
            values = self._values()
            self.ranks.by_first(lambda: self._begin(values))
            self.begun = True
        elif self.ranks.any(self.ranks.first and self._due(self.seconds)):
            self._write("running")

    def _begin(self, values: dict[str, Any] | None) -> None:
        """The file with its first frame."""
        begun, (frame,) = time.perf_counter(), self.waiting
        with begin(self.path, self.overwrite) as file:
            self._create(file, frame)
            self._append(file, [frame])
            self._append_history(file)
            if values is not None:
                write_checkpoint(file, values, self.noted)
        self._done(begun)

    def note(self, facts: dict[str, Any]) -> None:
        """Further attributes, known at the end."""
        self.facts = self.facts | facts

    def close(self, error: BaseException | None) -> None:
        together = error is None or isinstance(error, Stopped)  # all ranks are here, with a state between two steps
        try:
            if self.begun and together:
                self._write(ending(error))
            elif self.begun and self.ranks.first:
                self._change(ending(error), None)
        except RunError:
            if not isinstance(error, Exception):  # otherwise that is what is to be reported
                raise
        finally:
            WRITTEN_HERE.discard(self.identity)

    def _due(self, seconds: float) -> bool:
        due = time.perf_counter() - self.written >= seconds or self.waiting_bytes > WAITING
        return due or not has_space(self.path, self.size + self.waiting_bytes)  # what still fits is better on the disk

    def _write(self, status: str) -> None:
        """What is waiting, and the state at this moment."""
        values = self._values()
        self.ranks.by_first(lambda: self._change(status, values))

    def _values(self) -> dict[str, Any] | None:
        """The state by its fields, put together on the first rank."""
        return None if self.state is None else fields_of(self.state, self.stepper, self.ranks)

    def _change(self, status: str, values: dict[str, Any] | None) -> None:
        """A transaction: what is waiting, and the fields of a state, unless a failure has left it between two steps."""
        begun = time.perf_counter()
        with opened(self.path, self.identity) as file:
            for _, frames in groupby(self.waiting, _cells):
                self._append(file, list(frames))
            self._append_history(file)
            if values is not None:
                write_checkpoint(file, values, self.noted)
            file.attrs.update({**self.facts, "status": status})
        self._done(begun)

    def _done(self, begun: float) -> None:
        self.waiting.clear()
        self.waiting_bytes = 0
        self.written, self.size = time.perf_counter(), self.path.stat().st_size
        self.took = self.written - begun

    def _cut(self, left: Checkpoint) -> None:
        """The file as it was at the checkpoint."""
        remove_left(self.path)
        with opened(self.path, self.identity) as file:
            for name, dataset in file.items():
                if isinstance(dataset, h5py.Dataset) and name in FRAMED:
                    dataset.resize(left.frames, axis=0)
            for column in file["history"].values():
                column.resize(left.rows, axis=0)
            file.attrs.update({"status": "running", "process": this_process()})
        last = open_run(self.path, self.problem).measures[-1]
        self.grid = last.grid if isinstance(last, Density) else None

    def run(self) -> Run:
        """The run on file."""
        return open_run(self.path, self.problem)

    def _create(self, file: h5py.File, frame: Frame) -> None:
        file.attrs.update(run_attributes(self.problem, self.method, self.facts) | kept_problem(self.problem))
        file.attrs.update({"identity": self.identity, "process": this_process()})
        times = scale(file, "time", np.empty(0), unlimited=True)
        if self.problem.energy.data is not None:
            write_data(file, self.problem.energy.data, times)
        self._create_measure(file, frame.measure, times)
        for name in SERIES:
            growing(file, name, (), (times,))
        group = file.create_group("history")
        step = scale(group, "step", np.empty(0, dtype=np.int64), unlimited=True)
        for name in ("dt", *HISTORY, *frame.diagnostics.extra):
            growing(group, name, (), (step,))

    def _create_measure(self, file: h5py.File, measure: Measure, times: h5py.Dataset) -> None:
        p = measure.points.shape[1]
        names = self.problem.axis_names(p)
        coordinate = scale(file, "coordinate", np.array(names, dtype=h5py.string_dtype()))
        if isinstance(measure, Density):
            grid, axes, ends = measure.grid, [], scale(file, "bound", np.arange(2))
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

    def _append(self, file: h5py.File, frames: Sequence[Frame]) -> None:
        """Rows of all variables of frames, whose measures have the same cells."""
        measures, diagnostics = [frame.measure for frame in frames], [frame.diagnostics for frame in frames]
        values: dict[str, Any] = {"time": [each.time for each in diagnostics], "mean": [measure.mean for measure in measures]}
        values |= {name: [getattr(each, name) for each in diagnostics] for name in SERIES}
        if (data := self.problem.energy.data) is not None:
            found = [{"prediction": frame.prediction, **tested(data, frame.measure)} for frame in frames]
            values |= {name: [each[name] for each in found] for name in found[0]}
        values |= self._measured(file, measures)
        start = file["time"].shape[0]
        for name, rows in values.items():
            variable = file[name]
            variable.resize(start + len(frames), axis=0)
            variable[start:] = np.array(rows)

    def _measured(self, file: h5py.File, measures: Sequence[Any]) -> dict[str, Any]:
        """What frames add to the variables of their measures; where the box has grown, the frames before are put into the new one."""
        first = measures[0]
        if isinstance(first, MeshDensity):
            return {"density": [measure.values for measure in measures]}
        if not isinstance(first, Density):
            return {"position": [measure.points for measure in measures]}
        if self.grid is not None and self.grid.shape != first.grid.shape:
            self._enlarge(file, self.grid, first.grid)
        self.grid = first.grid
        box = {f"box_{end}": [getattr(measure.grid, end) for measure in measures] for end in ("lower", "upper")}
        return {"density": [measure.values for measure in measures]} | box

    def _enlarge(self, file: h5py.File, old: Grid, new: Grid) -> None:
        """The new grid's axes, and zero in the cells that earlier frames did not have."""
        axes = [file[name] for name in new.names]
        dataset, place = file["density"], old.place_in(new)
        for axis, n in enumerate(new.shape):
            axes[axis].resize(n, axis=0)
            file[new.names[axis] + BOUNDS].resize(n, axis=0)
            dataset.resize(n, axis=axis + 1)
        for frame in range(dataset.shape[0]):
            earlier = dataset[(frame, *(slice(n) for n in old.shape))]
            widened = np.zeros(new.shape)
            widened[place] = earlier
            dataset[frame] = widened
        _write_cells(file, axes, new)

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


def _cells(frame: Frame) -> tuple[int, ...] | None:
    """How many cells the measure of a frame has along each axis, if it has axes."""
    return frame.measure.grid.shape if isinstance(frame.measure, Density) else None


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
