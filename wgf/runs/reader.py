"""A run read from its HDF5 file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np

from wgf.errors import InputError, as_path
from wgf.measures.grid import Grid
from wgf.measures.measure import Cloud, Density, Measure, MeshDensity
from wgf.measures.mesh import Mesh
from wgf.networks.custom import CustomNeuron
from wgf.networks.neuron import Neuron
from wgf.networks.untrusted import one_line
from wgf.problems.problem import Problem, check_problem
from wgf.problems.scaled import scaled_neuron
from wgf.problems.schema import parse
from wgf.problems.text import written
from wgf.problems.toml import read_neuron
from wgf.runs.frames import same_data
from wgf.runs.hdf5 import reading
from wgf.runs.layout import BOX as BOX
from wgf.runs.layout import require_layout, run_attributes_of, whole_frames, whole_rows
from wgf.runs.processes import is_running
from wgf.runs.run import HISTORY, Run, check_version, not_held
from wgf.runs.stored_data import read_data


def open_run(path: str | Path, problem: Problem | None = None) -> Run:
    """The run in an HDF5 file; its measures are read from the file one by one when they are asked for.

    Attributes
    ----------
    run knows its problem, but for what no file can hold, such as a function of one's own: where that is asked for it needs the
        `problem` again.

    Parameters
    ----------
    path : str or path
        the file
    problem : Problem, optional
        what was solved, where the file cannot say it

    Returns
    -------
    Run
        as `solve` has returned it

    Raises
    ------
    InputError
        for what is no run's file, and where the problem has other coordinates or data
    """
    path = as_path(path)
    if problem is not None:
        check_problem(problem)
    with reading(path) as file:
        check_version(path, file.attrs)
        if "history" not in file or "schema_version" not in file.attrs:
            raise InputError(f"{path} is an HDF5 file but not a run of wgf")
        attributes = run_attributes_of(file)
        if attributes["status"] == "running" and "process" in attributes and not is_running(attributes):
            attributes["status"] = "interrupted"  # by a kill, or a crash of the machine
        count, rows = whole_frames(file, attributes["status"]), whole_rows(file, attributes["status"])
        frames = {name: file[name][:count] for name in HISTORY}
        frames["prediction"] = file["prediction"][:count] if "prediction" in file else np.empty((count, 0))
        history = {name: column[:rows] for name, column in file["history"].items() if name != "step"}
        data = read_data(file)
        if data is not None and data.test is not None:
            frames |= {name: file[name][:count] for name in ("test_prediction", "test_loss")}
        names = tuple(file["coordinate"].asstr()[:].tolist())
        start = file["position"][0] if "position" in file else None
        kind = Cloud if "position" in file else MeshDensity if "mesh" in file else Density
        require_layout(file, frames, history, data)
    text, missing = attributes["problem"], attributes.get("problem_missing", "")
    if problem is not None and (problem.axis_names(len(names)) != names or not same_data(data, problem.energy.data)):
        raise InputError(f"{path} is not a run of the problem given, {problem!r}: its coordinates or its data are others")
    with one_line(f"{path} is damaged: its problem cannot be read"):
        root = parse(text, str(path))
        if data is None and "data" in root:
            raise InputError(f"{path} is damaged: its problem has data, and they are not in it")
        if text and not missing and (problem is None or text != kept_problem(problem)["problem"]):
            problem = Problem.from_text(text, data=data)
        neuron: Any = problem.energy.neuron if problem else None
        if problem is None and data is not None:
            neuron = read_neuron(root.table("neuron"), data.dim) if "neuron" in root else NotHeld(names, not_held(path, attributes))
        if isinstance(neuron, Neuron | CustomNeuron) and start is not None:
            options = json.loads(attributes["method_options"])
            neuron = scaled_neuron(neuron, options.get("scale"), options.get("centred"), start)
    return Run(frames, StoredMeasures(path, count, neuron, kind), history, data, attributes, problem, path)


def kept_problem(problem: Problem) -> dict[str, str]:
    """The attributes of a run's file that hold its problem: its text, and in words what the text lacks."""
    if problem.source:
        return {"problem": problem.source, "problem_missing": ""}
    text, missing = written(problem)
    return {"problem": text, "problem_missing": missing}


@dataclass(frozen=True)
class NotHeld:
    """In place of a neuron that its run's file cannot hold; its values raise an error that says `why`."""

    names: tuple[str, ...]
    why: str

    def axis_names(self, p: int) -> tuple[str, ...]:
        """The names of the axes of θ, which the file has."""
        return self.names

    def value(self, theta: np.ndarray, x: np.ndarray) -> NoReturn:
        """There is none."""
        raise InputError(self.why)


class StoredMeasures(Sequence[Any]):
    """The measures of a run's file, each read when asked for."""

    def __init__(self, path: Path, frames: int, neuron: Any, kind: type[Measure]) -> None:
        self.path, self.frames, self.neuron, self.kind = path, frames, neuron, kind
        self._mesh: Mesh | None = None  # of all frames, once it is read

    def __len__(self) -> int:
        return self.frames

    def __repr__(self) -> str:
        return f"StoredMeasures({self.frames} in {self.path})"

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(self.frames))]
        frame = range(self.frames)[index]
        with reading(self.path) as file:
            if "position" in file:
                position = file["position"]
                return Cloud(position[frame], file["weight"][:], self.neuron, position.attrs.get("periods", ()))
            if "mesh" in file:
                self._mesh = self._mesh or read_mesh(file)
                return MeshDensity(self._mesh, file["density"][frame], self.neuron)
            whole, grid, density = read_grid(file), grid_of(file, frame), file["density"]
            return Density(grid, density[(frame, *grid.place_in(whole))], self.neuron, bool(density.attrs.get("averages", False)))


def grid_of(file: h5py.File, frame: int) -> Grid:
    """The grid of a frame."""
    return read_grid(file).part(*(file[name][frame] for name in BOX))


def read_mesh(file: h5py.File) -> Mesh:
    """The mesh of a run on one."""
    group = file["mesh"]
    vertices, cells, centers, volumes = (group[name][:] for name in ("vertices", "cells", "centres", "volumes"))
    names = file["coordinate"].asstr()[:].tolist()
    cell_dim, title, periods = int(group.attrs["cell_dim"]), str(group.attrs["title"]), group.attrs.get("periods", ())
    return Mesh(vertices, cells, centers, volumes, cell_dim, tuple(names), title, periods)


def _end(file: h5py.File, axis: h5py.Dataset, old: str, k: int) -> float:
    """The first or the last end of the cells along an axis; in files of earlier versions it is among the attributes."""
    return float(file[axis.attrs["bounds"]][k, k] if "bounds" in axis.attrs else axis.attrs[old][k])


def read_grid(file: h5py.File) -> Grid:
    """The grid of all frames: the last and largest one."""
    names = file["coordinate"].asstr()[:].tolist()
    axes = [file[name] for name in names]
    return Grid(
        [_end(file, axis, "edges_lower", 0) for axis in axes],
        [_end(file, axis, "edges_upper", -1) for axis in axes],
        [len(axis) for axis in axes],
        names,
        [axis.attrs["boundary"] for axis in axes],
    )
