"""What the file of a run has to hold before it is believed: the words and numbers it says of itself, and arrays that fit together.

frames    time (T,), increasing; the series and prediction (T, …); density (T, …) or position (T, m, p)
history   columns of one length
A run that did not end, as earlier versions left it when they were killed, has frames up to where all of its arrays have them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from wgf.errors import InputError
from wgf.networks.data import Data
from wgf.networks.untrusted import NUMBERS, attributes_of
from wgf.runs.run import HISTORY

BOX = ("box_lower", "box_upper")  # the box of each frame; it lies in that of the axes, which is the last and largest one
WORDS = ("problem", "problem_summary", "method", "method_summary", "method_options", "created", "wgf_version", "status", "title")
NUMERIC = ("temperature", "kernel_rank", "kernel_error")
IF_THERE = (
    *("growth", "steps_before", "rest_time", "rest_residual", "rest_tolerance", "loss_error", "loss_settled", "density_error"),
    *("unresolved_time", "unresolved_share", "plain_blur"),
)
FRAMED = (*HISTORY, "prediction", "test_prediction", "test_loss", "mean", "density", "position", *BOX)  # a row for each frame


def run_attributes_of(file: h5py.File) -> dict[str, Any]:
    """What a run says of itself; raises InputError where words or numbers are missing."""
    found = attributes_of(file)
    require_words(found, WORDS)
    for name in (*NUMERIC, *(name for name in IF_THERE if name in found)):
        if np.ndim(found.get(name, ())) or np.asarray(found[name]).dtype.kind not in NUMBERS:
            raise InputError(f"the file is damaged: its attribute {name} is no number")
    if not isinstance(json.loads(found["method_options"]), dict):
        raise InputError("the file is damaged: the options of its method are no table")
    return found


def require_words(found: dict[str, Any], names: Sequence[str]) -> None:
    """Raise an InputError where one of the attributes is no text."""
    for name in names:
        if not isinstance(found.get(name), str):
            raise InputError(f"the file is damaged: its attribute {name} is no text")


def whole_frames(file: h5py.File, status: str) -> int:
    """How many frames all arrays have; those of a run that is complete have the same number."""
    return _common("frames", {name: file[name].shape[0] for name in FRAMED if name in file}, status)


def whole_rows(file: h5py.File, status: str) -> int:
    """How many rows all columns of the history have."""
    return _common("rows of the history", {name: column.shape[0] for name, column in file["history"].items()}, status)


def _common(what: str, counts: dict[str, int], status: str) -> int:
    least, most = min(counts.values()), max(counts.values())
    if least < most and status == "complete":
        few, many = (min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__))
        raise InputError(f"the file is damaged: it has {least} {what} of {few} and {most} of {many}")
    return least


def require_layout(file: h5py.File, frames: dict[str, np.ndarray], history: dict[str, np.ndarray], data: Data | None) -> None:
    """Raise an InputError where the arrays of a run do not fit together."""
    count, p = len(frames["time"]), len(file["coordinate"])
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(HISTORY, (count,))
    shapes["prediction"] = (count, data.size if data else 0)
    if data is not None and data.test is not None:
        shapes |= {"test_prediction": (count, data.test.size), "test_loss": (count,)}
    _require(frames, shapes)
    _require(history, dict.fromkeys({"dt", *HISTORY, *history}, (len(history["time"]),)))
    if not count:
        raise InputError("the file holds no frame: its run was ended before the first one, and has to be started anew")
    for time in (frames["time"], history["time"]):
        if not np.isfinite(time).all() or (np.diff(time) < 0).any():
            raise InputError("the file is damaged: its times do not increase")
    shape = file["position" if "position" in file else "density"].shape
    if len(shape) != (3 if "position" in file else 2 if "mesh" in file else p + 1) or ("position" in file and shape[2] != p):
        raise InputError(f"the file is damaged: its measures have the shape {shape[1:]}, and {p} coordinates")


def _require(found: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]]) -> None:
    for name, shape in shapes.items():
        if name not in found or found[name].shape != shape or found[name].dtype.kind not in NUMBERS:
            raise InputError(f"the file is damaged: {name} is missing, or does not have the shape {shape}")
