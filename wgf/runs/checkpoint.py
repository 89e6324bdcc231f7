"""Where a run can go on to the last bit: its state, in the group /checkpoint of its file.

A state is all that a step depends on (methods/base.py). Its fields are written as they are, arrays as variables, numbers and words as
attributes, in the transaction in which its frames and the history up to it are: `frames` and `rows` of them belong to it. What came later
is written again, with the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wgf.errors import InputError
from wgf.methods.base import Diagnostics
from wgf.networks.untrusted import require_memory, stored_bytes
from wgf.problems.problem import Problem
from wgf.problems.schema import parse
from wgf.ranks.communicator import current
from wgf.runs.hdf5 import reading
from wgf.runs.parts import InParts, show
from wgf.runs.reader import kept_problem
from wgf.runs.run import plain_options

GROUP = "checkpoint"
OTHER_TIMES = "time"  # the table of a problem file that may differ when a run goes on


@dataclass(frozen=True)
class Checkpoint:
    """A state by its fields, how many frames (the last one at the time `last_frame`) and rows of the history belong to it, and what the
    monitor has noted so far. Its arrays, of these names, are read from the file when they are needed.
    """

    path: Path
    arrays: tuple[str, ...]
    numbers: dict[str, Any]
    frames: int
    last_frame: float
    rows: int
    facts: dict[str, Any]
    diagnostics: list[Diagnostics]
    identity: str

    def state(self, stepper: Any) -> Any:
        """The state, of the stepper's own kind; raises InputError where it cannot be one."""
        like = stepper.start()
        names = {item.name for item in fields(like)}
        if names != {*self.arrays, *self.numbers}:
            raise InputError("the checkpoint holds the state of another method, or of another version: start the run anew")
        with reading(self.path) as file:
            stored = {name: file[GROUP][name] for name in self.arrays}
            if current().size == 1:  # which reads all of them
                require_memory(self.path, sum(int(array.nbytes) for array in stored.values()), stored_bytes(self.path, file))
            if hasattr(stepper, "restored"):  # which takes its share of them
                return stepper.restored({**self.numbers, **stored})
            return type(like)(**self.numbers, **{name: array[...] for name, array in stored.items()})


def write_checkpoint(file: h5py.File, values: dict[str, Any], facts: dict[str, Any]) -> None:
    """The fields of the state as they are, with all frames and rows that the file has by now."""
    group = file.require_group(GROUP)
    absent = []
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            _write_array(group, name, value)
        elif isinstance(value, InParts):
            show(group, name, value.shape, value.sources, frames=0)
        elif value is None:
            absent.append(name)
        else:
            group.attrs[name] = value
    rows = int(np.count_nonzero(file["history/time"][:] < values["time"]))  # the last row of a run that has ended is the state's own
    group.attrs.update({"absent": json.dumps(absent), "frames": file["time"].shape[0], "rows": rows, "facts": json.dumps(facts)})


def _write_array(group: h5py.Group, name: str, value: np.ndarray) -> None:
    """In the place of the last one, where it has the same shape."""
    if name in group and group[name].shape == value.shape and not group[name].is_virtual:
        group[name][...] = value
        return
    if name in group:
        del group[name]
    group.create_dataset(name, data=value)


def read_checkpoint(path: Path, problem: Problem, method: Any) -> Checkpoint:
    """Where the run in a file can go on; raises InputError where it is another run, or where it has none."""
    with reading(path) as file:
        _require_same(path, file.attrs, problem, method)
        if GROUP not in file:
            raise InputError(f"{path} has no checkpoint, as it was written by an earlier version: it cannot go on; start it anew (--force)")
        group = file[GROUP]
        own = {"absent", "frames", "rows", "facts"}
        numbers: dict[str, Any] = {name: _plain(value) for name, value in group.attrs.items() if name not in own}
        numbers |= dict.fromkeys(json.loads(str(group.attrs["absent"])))
        frames, rows = int(group.attrs["frames"]), int(group.attrs["rows"])
        known = {name: file["history"][name][:rows] for name in ("time", "loss", "free_energy", "dissipation", "mass", "minimum")}
        diagnostics = [Diagnostics(*map(float, row)) for row in zip(*known.values(), strict=True)]  # type: ignore[arg-type]
        return Checkpoint(
            path,
            tuple(group),
            numbers,
            frames,
            float(file["time"][frames - 1]),
            rows,
            json.loads(str(group.attrs["facts"])),
            diagnostics,
            str(file.attrs["identity"]),
        )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _require_same(path: Path, attributes: Any, problem: Problem, method: Any) -> None:
    """Raise an InputError that names what differs between the run in a file and the one that is asked for."""
    text, asked = str(attributes.get("problem", "")), kept_problem(problem)["problem"]
    options, wanted = json.loads(str(attributes["method_options"])), plain_options(method)
    differing = [] if text == asked else list(_differing(_flat(parse(text, str(path)).values), _flat(parse(asked, "the problem").values)))
    if str(attributes["method"]) != type(method).__name__:
        differing.append("method.name")
    else:
        differing += [f"method.{key}" for key in wanted if wanted[key] != options.get(key)]
    if differing:
        raise InputError(
            f"{path} holds a run of another problem: {', '.join(sorted(set(differing)))} differ{'s' if len(set(differing)) == 1 else ''}; "
            "give the problem of that run, or start anew under another name"
        )


def _flat(table: dict[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """The keys of nested tables with their values."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value


def _differing(first: Iterator[tuple[str, Any]], second: Iterator[tuple[str, Any]]) -> Iterator[str]:
    """The keys at which two tables differ, but for those of the times."""
    one, other = dict(first), dict(second)
    for key in sorted(one.keys() | other.keys()):
        if one.get(key) != other.get(key) and key.partition(".")[0] not in (OTHER_TIMES, "title"):
            yield key
