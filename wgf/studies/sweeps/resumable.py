"""A file that a sweep fills cell by cell, which can be left at any time and taken up again.

It has all its space from the start, and a cell is written before it is marked as done (in `done`, which is zero at first): a process that
is killed loses the cells in flight and nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wgf.errors import InputError
from wgf.runs.existing import REMEDY, contents
from wgf.runs.hdf5 import begin, kind_of, opened, reading


class OfTable:
    """The axes of what a sweep has found, which are those of its `table`."""

    table: Any

    @property
    def sizes(self) -> np.ndarray:
        """m of each size, (S,)."""
        result: np.ndarray = self.table.sizes
        return result

    @property
    def times(self) -> np.ndarray:
        """The save times, (T,)."""
        result: np.ndarray = self.table.times
        return result

    @property
    def replicates(self) -> int:
        """R, the number of replicates."""
        return int(self.table.replicates)


class ResumableFile:
    """The file of a sweep of one `kind` while it is being filled. `signature` says what its numbers depend on.

    Refuses a file with another sweep, or with more of the same, unless `overwrite` says that it may be replaced: its cells would be lost.
    """

    def __init__(self, path: Path, signature: str, kind: str, overwrite: bool = False) -> None:
        self.path, self.signature, self.kind, self.overwrite = path, signature, kind, overwrite
        if overwrite or not self._is_there():
            return
        with reading(path) as file:
            same = file.attrs.get("signature") == signature
        if not same:
            raise InputError(f"{path} holds another sweep, {contents(path)}; it is left alone: end it with its own settings, {REMEDY}")

    @contextlib.contextmanager
    def earlier(self) -> Iterator[h5py.File | None]:
        """What an earlier call of the same sweep has left, or None."""
        if not self._is_there():
            yield None
            return
        with reading(self.path) as file:
            yield file if file.attrs.get("signature") == self.signature else None

    def require_kept(self, all_of_it: bool) -> None:
        """Refuse to begin the file anew where what is there would not be kept, `all_of_it`, and may not be replaced."""
        if not all_of_it and not self.overwrite:
            raise InputError(
                f"{self.path} holds {contents(self.path)}, with replicates that this sweep does not have; it is left alone: ask for all of "
                f"its sizes and replicates, {REMEDY}"
            )

    def begin(self, attributes: dict[str, Any], write: Callable[[h5py.File], object]) -> None:
        """A new file of the sweep as far as it is, in place of what was there."""
        with begin(self.path) as file:
            file.attrs.update({**attributes, "kind": self.kind, "signature": self.signature, "status": "running"})
            write(file)

    @contextlib.contextmanager
    def recording(self, done: tuple[int, ...], value: int) -> Iterator[h5py.File]:
        """The file, to write a cell into; afterwards the cell with the index `done` is marked with `value`."""
        with opened(self.path) as file:
            yield file
            file.flush()
            file["done"][done] = value

    def _is_there(self) -> bool:
        return self.path.exists() and kind_of(self.path) == self.kind


def progress(path: Path) -> tuple[int, int]:
    """How many cells of a sweep on file are done, and how many there are."""
    with reading(path) as file:
        done = file["done"][:]
    return int(np.count_nonzero(done)), done.size


def require_complete(file: h5py.File, path: Path, what: str) -> None:
    """Refuse a file whose sweep has not been finished."""
    if file.attrs["status"] != "complete":
        done = file["done"][:]
        raise InputError(
            f"{path} is a {what} of which {np.count_nonzero(done)} of {done.size} cells are done: call the same sweep again, and "
            "it goes on from there"
        )
