"""How our HDF5 files are made: netCDF-4 style variables on named dimensions, and files that are never seen half written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from wgf.errors import InputError, RunError
from wgf.networks.untrusted import BY_ROWS, is_hdf5, untrusted
from wgf.runs.existing import refuse_existing
from wgf.runs.files import check_writable
from wgf.runs.signals import obeying_afterwards
from wgf.runs.transaction import changing

ROWS = 1024  # in a chunk of a series of numbers


@contextlib.contextmanager
def begin(path: Path, overwrite: bool = True) -> Iterator[h5py.File]:
    """A new file, which is there when its first contents are complete; where it may not replace another, none may have come meanwhile."""
    with changing(path, new=True, exclusive=not overwrite) as pages, obeying_afterwards(), h5py.File(pages, "w") as file:
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
        with reading(path) as file:
            return str(file.attrs.get("kind", "run")) if "schema_version" in file.attrs else None
    except InputError:
        return None


@contextlib.contextmanager
def opened(path: Path, identity: str | None = None) -> Iterator[h5py.File]:
    """The file, open for changes, which are all made at the end or not at all; that of a run with this identity, if it is given."""
    try:
        changes = changing(path, new=False)
        with changes as pages, obeying_afterwards(), h5py.File(pages, "r+") as file:
            if identity is not None and file.attrs.get("identity") != identity:
                raise RunError(f"{path} is another run's by now: this one stops, and does not touch it")
            yield file
    except OSError as error:
        raise RunError(f"cannot go on writing {path}: {error}") from None


@contextlib.contextmanager
def reading(path: Path) -> Iterator[h5py.File]:
    """The file, open for reading; it is never changed in place, so that no program waits for another."""
    if not os.path.isfile(path):
        raise InputError(f"file {path} does not exist")
    if not is_hdf5(path):
        what = "it is a problem file, which wgf run solves" if path.suffix == ".toml" else "it is of another kind, or damaged"
        raise InputError(f"{path} is not an HDF5 file that can be read: {what}")
    with untrusted(path, BY_ROWS) as file:
        yield file


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
