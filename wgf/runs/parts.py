"""Large arrays of a run in files of their own, one for each rank, which the file of the run shows as one: a virtual data set of HDF5.

    run.h5                                        /density (time, axes…), made of the parts
    run.h5.parts/IDENTITY.7-SESSION.3.h5          /values, what rank 3 has of frame 7
    run.h5.parts/IDENTITY.state-2-SESSION.3.h5    and of the state at the second transaction

IDENTITY is the run's, and SESSION a word that no other process has which writes the run: names are never used again, and files with them
are never changed. They are on the disk before the file of the run names them, so that this shows all of a frame or nothing of it; what it
does not name is removed. What no part holds, such as cells that a frame on a smaller box does not have, is not a number.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from wgf.errors import RunError
from wgf.networks.untrusted import PART, PARTS, PARTS_ENDING
from wgf.ranks.communicator import Ranks, carried
from wgf.ranks.divided import Divided
from wgf.runs.hdf5 import reading
from wgf.runs.transaction import changing

LARGE = 2**26  # bytes of an array, from which on ranks write parts of it: below it the first one writes all, into the file of the run
HALF_MADE = re.compile(r"\.[0-9a-f]{32}\..+\.h5")  # as files are called until they are complete (files.py)
CHUNK = 2**17  # numbers of a chunk, at most: a megabyte


class Source(NamedTuple):
    """A file, by its name from the folder of the run's file, that holds a box of an array."""

    name: str
    place: tuple[slice, ...]


class InParts(NamedTuple):
    """An array of this shape in files."""

    shape: tuple[int, ...]
    sources: list[Source]


class Parts:
    """The folder of parts of the run in the file `path`."""

    def __init__(self, path: Path, identity: str, ranks: Ranks) -> None:
        self.path, self.identity, self.ranks = path, identity, ranks
        self.folder = path.with_name(path.name + PARTS_ENDING)
        self.session: str = ranks.share(uuid.uuid4().hex[:8])

    def store(self, label: str, share: Divided) -> list[Source]:
        """The shares of an array by all ranks, written; raises on all ranks what went wrong on any."""
        self.ranks.by_first(self._make_folder)
        source: Source | None = None
        error: Exception | None = None
        if share.values.size:
            source = Source(f"{self.folder.name}/{self.identity}.{label}-{self.session}.{self.ranks.rank}.h5", share.place)
            try:
                self._write(self.path.parent / source.name, share.values)
            except RunError as raised:
                error = raised
        found = self.ranks.gather((source, None if error is None else carried(error)))
        for _, failed in found:
            if failed is not None:
                raise failed
        return [each for each, _ in found if each is not None]

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"cannot make the folder {self.folder} for the parts of {self.path}: {error.strerror or error}") from None

    def _write(self, path: Path, values: np.ndarray) -> None:
        with changing(path, new=True) as pages, h5py.File(pages, "w") as file:
            file.attrs["identity"] = self.identity
            packing = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "chunks": chunks(values.shape)}
            file.create_dataset("values", data=values, **packing)

    def remove_all_but(self, kept: set[str]) -> None:
        """Remove the parts that are none of these, of whichever run, half-made ones too, and the folder if it is empty then."""
        if not self.folder.is_dir() or self.folder.is_symlink():
            return
        for path in self.folder.iterdir():
            name = f"{self.folder.name}/{path.name}"
            if name not in kept and (PART.fullmatch(name) or HALF_MADE.fullmatch(path.name)):
                path.unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()


def chunks(shape: Sequence[int]) -> tuple[int, ...]:
    """Of an array: whole last axes, as many as there is room for."""
    result, room = [1] * len(shape), CHUNK
    for axis in reversed(range(len(shape))):
        result[axis] = max(1, min(shape[axis], room))
        room //= result[axis]
    return tuple(result)


def sources_of(dataset: h5py.Dataset) -> list[Source]:
    """Of a virtual data set."""
    return list(_mapped(dataset))


def _mapped(dataset: h5py.Dataset) -> Iterator[Source]:
    for item in dataset.virtual_sources():
        first, last = item.vspace.get_select_bounds()
        yield Source(item.file_name, tuple(slice(low, high + 1) for low, high in zip(first, last, strict=True)))


def show(group: h5py.Group, name: str, shape: tuple[int, ...], sources: Sequence[Source], frames: int) -> None:
    """A virtual data set of this shape made of the sources, in place of the one of its name, whose dimensions and attributes it takes.

    frames   how many first axes the sources do not have, one entry of which each of them is
    """
    attributes: dict[str, Any] = {}
    scales: list[list[h5py.Dataset]] = []
    if name in group:
        before = group[name]
        attributes = {key: value for key, value in before.attrs.items() if key != "DIMENSION_LIST"}
        scales = [list(dimension.values()) for dimension in before.dims]
        for dimension, found in zip(before.dims, scales, strict=True):
            for scale in found:
                dimension.detach_scale(scale)
        del group[name]
    layout = h5py.VirtualLayout(shape, dtype="f8")
    for source in sources:
        box = tuple(each.stop - each.start for each in source.place[frames:])
        layout[source.place] = h5py.VirtualSource(source.name, "values", shape=box)
    result = group.create_virtual_dataset(name, layout, fillvalue=np.nan)
    result.attrs.update(attributes)
    for dimension, found in zip(result.dims, scales, strict=False):
        for scale in found:
            dimension.attach_scale(scale)


def names_in(file: h5py.File) -> set[str]:
    """The parts that the file of a run names."""
    found = [file[place] for place in PARTS if place in file]
    return {source.name for dataset in found if dataset.is_virtual for source in sources_of(dataset)}


def is_in_parts(path: Path) -> bool:
    """Whether the densities of a run are in files of their own: they may be larger than the memory of one machine."""
    with reading(path) as file:
        return "density" in file and bool(file["density"].is_virtual)
