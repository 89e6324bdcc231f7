"""How our HDF5 files are made: netCDF-4 style variables on named dimensions, and files that are never seen half written."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from wgf.errors import InputError, RunError
from wgf.runs.existing import refuse_existing
from wgf.runs.files import check_writable, completed

ROWS = 1024  # in a chunk of a series of numbers
PATIENCE = 60.0  # seconds to wait for another program to close the file


@contextlib.contextmanager
def begin(path: Path) -> Iterator[h5py.File]:
    """A new file, which takes its name only when its first contents are complete."""
    with completed(path) as begun, h5py.File(begun, "w") as file:
        yield file


def check_target(path: Path, sources: Sequence[Path] = (), overwrite: bool = False, resumes: str = "") -> None:
    """Refuse a path that cannot become a file, before anything is computed.

    What exists is replaced only with `overwrite`, and never one of the `sources`, from which the new file is to be made. A sweep may find a
    file of the kind that it `resumes`, and sees for itself whether it can (ResumableFile).
    """
    check_writable(path)
    if any(path.exists() and source.exists() and path.samefile(source) for source in sources):
        raise InputError(f"cannot write {path}: it is one of the files to read; choose another name")
    if not (resumes and path.exists() and kind_of(path) == resumes):
        refuse_existing(path, overwrite)


def kind_of(path: Path) -> str | None:
    """What wgf wrote into an existing file: run, comparison or pair; None if it was another program."""
    try:
        with h5py.File(path, "r") as file:
            return str(file.attrs.get("kind", "run")) if "schema_version" in file.attrs else None
    except OSError:
        return None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file, open for appending, once no other program has it open."""
    try:
        file = _unlocked(path, "r+")
    except OSError as error:
        raise RunError(f"cannot go on writing {path}: {error}") from None
    with file:
        yield file


@contextlib.contextmanager
def reading(path: Path) -> Iterator[h5py.File]:
    """The file, open for reading, once no other program is writing it."""
    if not os.path.isfile(path):
        raise InputError(f"file {path} does not exist")
    try:
        file = _unlocked(path, "r")
    except OSError as error:
        what = "it is a problem file, which wgf run solves" if path.suffix == ".toml" else error
        raise InputError(f"{path} is not an HDF5 file that can be read: {what}") from None
    with file:
        yield file


def _unlocked(path: Path, mode: str) -> h5py.File:
    """The opened file; waits while another program holds it, up to PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return h5py.File(path, mode)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RunError(f"{path} has been open in another program for {PATIENCE:.0f} s: close it there and try again") from None
            time.sleep(0.05)


def scale(group: h5py.Group, name: str, values: np.ndarray, unlimited: bool = False, resizable: bool = False) -> h5py.Dataset:
    """A dimension scale: what an axis of other variables is called, and its values; `resizable` for a box that may grow."""
    options = {"maxshape": (None,), "chunks": (ROWS,)} if unlimited or resizable else {}
    dataset = group.create_dataset(name, data=values, **options)
    dataset.make_scale(name)
    return dataset


def variable(group: h5py.Group, name: str, values: np.ndarray, scales: tuple[h5py.Dataset, ...]) -> None:
    """A variable on the dimensions of the scales."""
    attach(group.create_dataset(name, data=values), scales)


def growing(
    group: h5py.Group,
    name: str,
    shape: tuple[int, ...],
    scales: tuple[h5py.Dataset, ...],
    compress: bool = False,
    resizable: bool = False,
) -> None:
    """A variable with one row per frame (or step), one chunk per frame; `resizable` where its rows may grow, too."""
    packing = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if compress else {}
    chunks = (1, *shape) if shape else (ROWS,)
    attach(
        group.create_dataset(
            name, (0, *shape), maxshape=(None, *((None,) * len(shape) if resizable else shape)), dtype="f8", chunks=chunks, **packing
        ),
        scales,
    )


def attach(dataset: h5py.Dataset, scales: tuple[h5py.Dataset, ...]) -> None:
    """Say on which dimensions a variable lies."""
    for axis, scale in enumerate(scales):
        dataset.dims[axis].attach_scale(scale)
