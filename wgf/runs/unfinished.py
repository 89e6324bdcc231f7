"""A run that is there already: where it goes on, or the error that says so where that was not asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wgf.errors import Exists, InputError, InUse
from wgf.problems.problem import Problem
from wgf.runs.checkpoint import Checkpoint, read_checkpoint
from wgf.runs.existing import contents
from wgf.runs.hdf5 import kind_of, reading
from wgf.runs.processes import is_running
from wgf.runs.run import check_version


def left_at(path: Path, problem: Problem, method: Any, resume: bool) -> Checkpoint | None:
    """Where the run in a file goes on, if it is to; None where nothing is there.

    Raises InUse where another process writes it, Exists where it could go on but was not asked to, OtherVersion for a later layout, and
    InputError for the run of another problem that is to go on.
    """
    if not path.exists() or (kind_of(path) != "run" and not resume):
        return None
    with reading(path) as file:
        check_version(path, file.attrs)
        status = str(file.attrs.get("status"))
        if is_running(file.attrs):
            process = file.attrs["process"]
            raise InUse(f"{path} is being written by another process, {process}: let it end, or end it, or choose another name (--output)")
    if resume:
        return read_checkpoint(path, problem, method)
    if status != "complete" and _goes_on(path, problem, method):
        raise Exists(
            f"{path} exists and holds {contents(path)} of this very problem, which can go on: --resume (in Python resume=True) goes on "
            "with it, --force (overwrite=True) starts anew, --output names another file"
        )
    return None


def _goes_on(path: Path, problem: Problem, method: Any) -> bool:
    """Whether it is a run of this problem by this method, with a checkpoint."""
    try:
        read_checkpoint(path, problem, method)
    except (InputError, KeyError, ValueError, OSError, RuntimeError):  # another problem, or damaged
        return False
    return True
