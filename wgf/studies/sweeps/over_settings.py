"""One problem file solved for all values of some of its keys: a table with an axis for each key.

A cell is a run of the problem with one value of each key. Kept of it are its series at the frames, the steps and seconds it took, and what
was said of it: warnings, or why it failed, which does not keep the other cells from being solved. Cells are solved in parallel processes of
one thread each, so that their numbers do not depend on how many there are; the file fills as they are done (resumable.py).
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import os
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wgf.errors import InputError, RunError, as_path, entries_of, instance
from wgf.networks.untrusted import NUMBERS, attributes_of
from wgf.problems.changes import Place, read_place
from wgf.problems.schema import read_text
from wgf.registers import Shown, listed, load
from wgf.runs.hdf5 import check_target, reading, scale, variable
from wgf.runs.observers.progress import bar
from wgf.runs.run import SCHEMA_VERSION, check_version
from wgf.runs.solve import save_times, solve
from wgf.runs.task import Task, read_task
from wgf.studies.sweeps.crew import led
from wgf.studies.sweeps.parallel import answering, leave_to_first_process
from wgf.studies.sweeps.resumable import ResumableFile, require_complete

SERIES = ("time", "loss", "test_loss", "free_energy", "dissipation")  # of each run at its frames
KIND = "sweep"


@dataclass(frozen=True, repr=False)
class Sweep(Shown):
    """What the runs of a problem file come to, over the values of some of its keys.

    Parameters
    ----------
    keys : tuple of str
        the names of the keys, "penalty.strength"
    values : tuple of tuples
        the values of each key, as in a problem file; there are K_1, … of them
    series : dict of str to array (K_1, …, frames)
        time, loss, test_loss, free_energy, dissipation; NaN where there is none, and for runs that failed
    steps, seconds : array (K_1, …)
        how many steps a run took, and how long
    notes : array (K_1, …)
        what was said of a run, warnings or why it failed
    attributes : dict
        those of the file: title, problem (the file's text), …
    """

    keys: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    series: dict[str, np.ndarray]
    steps: np.ndarray
    seconds: np.ndarray
    notes: np.ndarray
    attributes: dict[str, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """The numbers of values of the keys."""
        return tuple(map(len, self.values))

    @property
    def cells(self) -> list[tuple[int, ...]]:
        """The places of all runs in the table."""
        return list(np.ndindex(self.shape))

    def settings(self, cell: tuple[int, ...]) -> dict[str, Any]:
        """The value of each key in a run."""
        return {key: values[k] for key, values, k in zip(self.keys, self.values, cell, strict=True)}

    def last(self, name: str) -> np.ndarray:
        """A series at the last frame of each run, (K_1, …); NaN where there is none."""
        table, rows = self.series[name], np.isfinite(self.series["time"]).sum(axis=-1)
        result: np.ndarray = np.take_along_axis(table, np.maximum(rows - 1, 0)[..., None], axis=-1)[..., 0]
        return result

    @property
    def best(self) -> tuple[int, ...] | None:
        """The run with the lowest test loss at the end, or the lowest loss where nothing was kept aside; None where all have failed."""
        last = self.last("test_loss" if np.isfinite(self.last("test_loss")).any() else "loss")
        if not np.isfinite(last).any():
            return None
        return tuple(int(k) for k in np.unravel_index(np.nanargmin(last), self.shape))

    def plot(self, path: str | Path | None = None) -> Any:
        """The losses against t, and at the end against the first key; returns the matplotlib figure."""
        return load("wgf.plots:draw")(self, path)

    def __repr__(self) -> str:
        over = ", ".join(f"{len(values)} of {key}" for key, values in zip(self.keys, self.values, strict=True))
        return f"Sweep({self.steps.size} runs: {over})"


@led
def sweep(
    path: str | Path,
    over: Mapping[str, Sequence[Any]],
    settings: Mapping[str, Any] | None = None,
    workers: int | None = None,
    progress: bool = False,
    store: str | Path | None = None,
    overwrite: bool = False,
) -> Sweep:
    """Solve a problem file for all combinations of values of some keys.

    Parameters
    ----------
    path : str or path
        the problem file
    over : dict of str to list
        {"penalty.strength": [0, 0.01, 0.1], …}: keys with tables, and their values as they would be written in the file
    settings : dict of str, optional
        further keys with one value each
    workers : int, optional
        parallel processes; default: one per core. The results do not depend on it.
    progress : bool
        a bar
    store : str or path, optional
        an HDF5 file that is filled as the runs are done. Called again after any end, the sweep goes on from there; any other file is
        refused
    overwrite : bool
        whether another file that is there may be replaced

    Returns
    -------
    Sweep
        what the runs come to

    Raises
    ------
    InputError
        which names the key, before anything is solved, where the file with one of the values is no problem
    """
    leave_to_first_process(workers)
    path = as_path(path, "the problem file")
    instance(over, Mapping, "over", 'keys and lists of their values, such as {"penalty.strength": [0, 0.01]}')
    keys = tuple(over)
    values = tuple(_values(key, over[key]) for key in keys)
    if not keys:
        raise InputError("over has no key: give at least one, with its values")
    fixed = {read_place(key): value for key, value in (settings or {}).items()}
    solver = _Solver(path, read_text(path), tuple(map(read_place, keys)), fixed)
    tasks = {cell: solver.task(combination) for cell, combination in _combinations(values).items()}
    frames = max(len(save_times(task.until, task.save)) for task in tasks.values())
    result = _empty(keys, values, frames, _attributes(solver, next(iter(tasks.values()))))
    done, file = np.zeros(result.shape, dtype=np.uint8), None
    if store is not None:
        check_target(target := as_path(store, "store"), (path,), overwrite, resumes=KIND)
        file = ResumableFile(target, str(result.attributes["signature"]), KIND, overwrite)
        with file.earlier() as earlier:
            if earlier is not None:
                result, done = _read(earlier), earlier["done"][:]
        file.begin(result.attributes, lambda new: _write(new, result, done))
    missing = [(cell, combination) for cell, combination in _combinations(values).items() if not done[cell]]
    progressing = bar(done.size, "runs", wanted=progress, begun=done.size - len(missing))
    with answering(solver, missing, workers or os.cpu_count() or 1) as answers, progressing as runs:
        for (cell, _), found in answers:
            _put(result, cell, found)
            if file is not None:
                with file.recording(cell, 1) as opened:
                    _record(opened, result, cell)
            runs.update(1)
    if file is not None:
        result.attributes["status"] = "complete"
        file.begin(result.attributes, lambda new: _write(new, result, np.ones_like(done), status="complete"))
    return result


def open_sweep(path: str | Path) -> Sweep:
    """The sweep in an HDF5 file.

    Parameters
    ----------
    path : str or path
        the file that `sweep` has filled

    Returns
    -------
    Sweep
        its runs

    Raises
    ------
    InputError
        for a file that is missing or of another kind, and for a sweep that is not done
    """
    with reading(path := as_path(path)) as file:
        if file.attrs.get("kind") != KIND:
            raise InputError(f"{path} is an HDF5 file but not a sweep of wgf")
        check_version(path, file.attrs)
        require_complete(file, path, "sweep")
        return _read(file)


@dataclass(frozen=True)
class _Solver:
    """A task's function: the values of the keys to what their run comes to."""

    path: Path
    text: str
    places: tuple[Place, ...]
    fixed: dict[Place, Any]

    def task(self, combination: tuple[Any, ...]) -> Task:
        """The problem with these values."""
        return read_task(self.path, values=self.fixed | dict(zip(self.places, combination, strict=True)))

    def __call__(self, job: tuple[tuple[int, ...], tuple[Any, ...]]) -> dict[str, Any]:
        begun, task = time.perf_counter(), self.task(job[1])
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                run = solve(task.problem, task.method, task.until, task.save)
            except RunError as error:
                return {"series": {}, "steps": 0, "seconds": time.perf_counter() - begun, "note": f"failed: {error}"}
        series = {name: getattr(run, name) for name in ("loss", "free_energy", "dissipation")} | {"time": run.times}
        series |= {"test_loss": run.test_loss} if run.has_test else {}
        note = "; ".join(dict.fromkeys(str(one.message) for one in said))
        return {"series": series, "steps": len(run.history["time"]) - 1, "seconds": time.perf_counter() - begun, "note": note}


def _values(key: str, values: Sequence[Any]) -> tuple[Any, ...]:
    found = entries_of(values, f"the values of {key}", "a list of them")
    if not found:
        raise InputError(f"{key} has no values: give one at least")
    if len({json.dumps(value, default=str) for value in found}) < len(found):
        raise InputError(f"{key} has a value twice: {listed([str(value) for value in found])}")
    return tuple(value.item() if isinstance(value, np.generic) else value for value in found)


def _combinations(values: tuple[tuple[Any, ...], ...]) -> dict[tuple[int, ...], tuple[Any, ...]]:
    """The place of each run in the table, with its values."""
    places = itertools.product(*(range(len(column)) for column in values))
    return {place: tuple(column[k] for column, k in zip(values, place, strict=True)) for place in places}


def _attributes(solver: _Solver, task: Task) -> dict[str, Any]:
    """What the file says of itself; its signature is what the numbers depend on."""
    from wgf import __version__

    data = task.problem.energy.data
    held = b"" if data is None else b"".join(array.tobytes() for array in (data.inputs, data.targets, data.weights))
    fixed = {".".join(place): value for place, value in solver.fixed.items()}
    signature = {"text": solver.text, "settings": fixed, "data": hashlib.sha256(held).hexdigest(), "version": __version__}
    return {
        "title": task.problem.title,
        "problem": solver.text,
        "problem_summary": repr(task.problem),
        "method_summary": repr(task.method),
        "settings": json.dumps(fixed),
        "wgf_version": __version__,
        "schema_version": SCHEMA_VERSION,
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
        "signature": json.dumps(signature),
        "status": "running",
    }


def _empty(keys: tuple[str, ...], values: tuple[tuple[Any, ...], ...], frames: int, attributes: dict[str, Any]) -> Sweep:
    """A table without entries; what it is over belongs to its signature."""
    over = json.dumps(dict(zip(keys, values, strict=True)))
    attributes |= {"over": over, "signature": json.dumps({**json.loads(attributes["signature"]), "over": over})}
    shape = tuple(map(len, values))
    series = {name: np.full((*shape, frames), np.nan) for name in SERIES}
    notes = np.full(shape, "", dtype=object)
    return Sweep(keys, values, series, np.zeros(shape, dtype=np.int64), np.full(shape, np.nan), notes, attributes)


def _put(result: Sweep, cell: tuple[int, ...], found: dict[str, Any]) -> None:
    """Fill a cell."""
    for name, values in found["series"].items():
        result.series[name][cell][: len(values)] = values
    result.steps[cell], result.seconds[cell], result.notes[cell] = found["steps"], found["seconds"], found["note"]


def _write(file: h5py.File, result: Sweep, done: np.ndarray, status: str = "running") -> None:
    """Into a new file."""
    axes = []
    for key, values in zip(result.keys, result.values, strict=True):
        plain = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        words = [value if isinstance(value, str) else json.dumps(value) for value in values]
        axes.append(scale(file, key, np.array(values, dtype=float) if plain else np.array(words, dtype=h5py.string_dtype())))
    frame = scale(file, "frame", np.arange(result.series["time"].shape[-1]))
    for name, table in result.series.items():
        variable(file, name, table, (*axes, frame))
    variable(file, "steps", result.steps, tuple(axes))
    variable(file, "seconds", result.seconds, tuple(axes))
    variable(file, "note", result.notes.astype(h5py.string_dtype()), tuple(axes))
    variable(file, "done", done, tuple(axes))
    file.attrs["status"] = status


def _record(file: h5py.File, result: Sweep, cell: tuple[int, ...]) -> None:
    """A cell that has been filled."""
    for name, table in result.series.items():
        file[name][cell] = table[cell]
    for name, table in (("steps", result.steps), ("seconds", result.seconds), ("note", result.notes)):
        file[name][cell] = table[cell]


def _read(file: h5py.File) -> Sweep:
    """The table in an open file; raises InputError where its arrays do not fit together."""
    attributes = attributes_of(file)
    over = json.loads(str(attributes["over"]))
    if not (isinstance(over, dict) and over and all(isinstance(values, list) and values for values in over.values())):
        raise InputError("the file is damaged: what it is a sweep over is no table of values")
    values = tuple(tuple(column) for column in over.values())
    shape = tuple(map(len, values))
    series = {name: file[name][:] for name in SERIES}
    tables = {name: file[name][:] for name in ("steps", "seconds", "done")}
    frames = len(file["frame"])
    if any(table.shape != (*shape, frames) or table.dtype.kind not in NUMBERS for table in series.values()) or any(
        table.shape != shape or table.dtype.kind not in NUMBERS for table in tables.values()
    ):
        raise InputError("the file is damaged: its tables do not have the shape of its keys")
    notes = np.array(file["note"].asstr()[:], dtype=object)
    if notes.shape != shape:
        raise InputError("the file is damaged: its notes do not have the shape of its keys")
    return Sweep(tuple(over), values, series, tables["steps"], tables["seconds"], notes, attributes)
