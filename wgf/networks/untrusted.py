"""HDF5 files from anybody: what is looked at before they are read, so that a damaged or a hostile one ends in one line.

Nothing outside of the file is reached: no link that leads anywhere, no other file's storage, no virtual data set, but for the parts of a
run (runs/parts.py): PARTS of it may be made of files in one folder beside it, which bear the run's identity, and are looked at as it is.
Nothing expands beyond the memory that is free, nor, where it is LARGE, to more than EXPANDS times the file. The lists in which HDF5 keeps
texts come to an end, which HDF5 itself does not check, but follows for ever. Whatever h5py, HDF5 or NumPy raises while the file is read
becomes an InputError.

Heaps of texts: signature, version, size of the whole, and objects of a header (number, uses, four bytes, size n) and n bytes each, made up
to 8; number 0 is the rest [HDF5 File Format Specification, III.E].
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.errors import InputError, WgfError, located, printable

if TYPE_CHECKING:
    import h5py

LARGE, EXPANDS = 2**27, 100  # bytes; how much larger than its file what is that large may be
MOST_OBJECTS = 10_000  # groups and data sets
HEAP = b"GCOL\x01\0\0\0"
HEADER = 16  # bytes of a heap and of each of its objects
LONGEST = 200  # letters of what another program says
BY_ROWS = ("density", "position", "checkpoint/array")  # of a run: of these one frame, or a share, at a time is read
PARTS, PARTS_ENDING = ("density", "checkpoint/array"), ".parts"  # what may be in files of its own, and where
PART = re.compile(r"[^/\\\x00]+\.parts/([0-9a-f]{32})\.[0-9a-z-]+\.[0-9]+\.h5")
NUMBERS = "biuf"  # kinds of NumPy


def reason(error: BaseException) -> str:
    """What another program says, in one line."""
    words = " ".join(printable(error).split()) or type(error).__name__
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def is_hdf5(path: Path) -> bool:
    """Whether the file says that it is one of HDF5."""
    import h5py

    return bool(h5py.is_hdf5(path))


@contextlib.contextmanager
def untrusted(path: Path, by_rows: Collection[str] = ()) -> Iterator[h5py.File]:
    """The file, open for reading; those data sets of its root that are named `by_rows` are read row by row."""
    import h5py

    with located(str(path)), one_line(f"{path} cannot be read as {path.suffix or 'HDF5'}, as it is damaged or of another kind"):
        _inspect(path, _version(path), frozenset(by_rows))
        with h5py.File(path, "r") as file:
            for name in PARTS:
                if name in file and isinstance(file[name], h5py.Dataset) and file[name].is_virtual:
                    _inspect_parts(path, file, name)
            yield file


def _version(path: Path) -> tuple[int, ...]:
    """What distinguishes a file from what it was before, and from others."""
    found = os.stat(path)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _inspect_parts(path: Path, file: h5py.File, name: str) -> None:
    """Raise an InputError unless the parts of an array are those of this run, all there, and plain."""
    for part in sorted(parts_of(path, file, name)):
        if part.is_symlink() or part.parent.is_symlink() or not part.is_file():
            raise InputError(f"{path} needs {part.parent.name}/{part.name}, a part of its {name}: keep that folder beside it, whole")
        _inspect_part(part, _version(part), str(file.attrs["identity"]))


@lru_cache(maxsize=4096)
def _inspect_part(path: Path, version: tuple[int, ...], identity: str) -> None:
    """Raise an InputError unless this version of a file is a part of the run with this identity."""
    import h5py

    _inspect(path, version, frozenset())
    with h5py.File(path, "r") as file:
        if file.attrs.get("identity") != identity or not isinstance(file.get("values"), h5py.Dataset):
            raise InputError(f"{path} is no part of the run beside it: keep the folders of runs apart")


def parts_of(path: Path, file: h5py.File, name: str) -> set[Path]:
    """The files of which an array is made; raises an InputError where they are not of this run, beside its file."""
    found = set()
    for source in file[name].virtual_sources():
        known = PART.fullmatch(source.file_name)
        if known is None or known[1] != file.attrs.get("identity") or source.dset_name != "values":
            raise InputError(
                f"{path} is refused: the numbers of {name} are in another file, {printable(source.file_name)}, which is no part of this run"
            )
        found.add(path.parent / source.file_name)
    return found


@contextlib.contextmanager
def one_line(what: str) -> Iterator[None]:
    """Whatever is raised inside, where a file is read, is raised as an InputError of one line that begins with `what`.

    NumPy says nothing of numbers that are too large: they are looked at afterwards.
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except WgfError:
        raise
    except Exception as error:
        raise InputError(f"{what}: {reason(error)}") from error


def attributes_of(item: Any) -> dict[str, Any]:
    """The attributes of a file or a group, texts without what does not belong on a screen."""
    return {printable(name): printable(value) if isinstance(value, str) else value for name, value in item.attrs.items()}


@lru_cache(maxsize=256)
def _inspect(path: Path, version: tuple[int, ...], by_rows: frozenset[str]) -> None:
    """Raise an InputError unless this version of the file can be read."""
    import h5py

    _require_ends(path)
    with h5py.File(path, "r") as file:
        objects = list(_objects(path, file))  # from here on no link leads anywhere
        total, stored = 0, stored_bytes(path, file)
        for name, item in objects:
            _require_small(path, name, item, stored)
            if isinstance(item, h5py.Dataset):
                total += _bytes(path, name, item, name in by_rows)
        require_memory(path, total, stored)


def stored_bytes(path: Path, file: h5py.File) -> int:
    """Bytes of a file, with its parts."""
    import h5py

    virtual = [name for name in PARTS if isinstance(file.get(name), h5py.Dataset) and file[name].is_virtual]
    parts = {part for name in virtual for part in parts_of(path, file, name)}
    return os.path.getsize(path) + sum(os.path.getsize(part) for part in parts if part.is_file())


def require_memory(path: Path, size: int, stored: int) -> None:
    """Raise an InputError where what a file of so many bytes holds, `size`, is too much to be read."""
    import psutil

    free = psutil.virtual_memory().available
    if size > free:
        raise InputError(f"{path} holds {size / 2**30:,.3g} GB to be read at once, and {free / 2**30:,.3g} GB of memory are free")
    if size > max(LARGE, EXPANDS * stored):
        raise InputError(
            f"{path} has {stored / 2**20:,.3g} MB and says that it holds {size / 2**30:,.3g} GB: it is damaged, or made to fill the memory"
        )


def _require_ends(path: Path) -> None:
    """Raise an InputError where the objects of a heap of texts never come to its end."""
    if not os.path.getsize(path):
        raise InputError(f"{path} is empty")
    with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = content.find(HEAP)
        while place >= 0:
            if not _ends(content, place):
                raise InputError(f"{path} is damaged: the list of its texts has no end")
            place = content.find(HEAP, place + 1)


def _ends(content: mmap.mmap, place: int) -> bool:
    """Whether the objects of the heap at `place` fill it."""
    end = min(place + _number(content, place + 8), len(content))
    place += HEADER
    while place + HEADER <= end:
        used, size = int.from_bytes(content[place : place + 2], "little"), _number(content, place + 8)
        step = HEADER + -(-size // 8) * 8 if used else size
        if not 0 < step <= end - place:
            return False
        place += step
    return True


def _number(content: mmap.mmap, place: int) -> int:
    return int.from_bytes(content[place : place + 8], "little")


def _objects(path: Path, file: h5py.File) -> Iterator[tuple[str, Any]]:
    """All groups and data sets by their paths; raises an InputError for links that are no plain names of parts of the file."""
    import h5py

    waiting: list[tuple[str, Any]] = [("", file)]
    groups, count = set(), 0
    while waiting:
        place, item = waiting.pop()
        yield place, item
        if not isinstance(item, h5py.Group):
            continue
        address = h5py.h5o.get_info(item.id).addr
        if address in groups:
            raise InputError(f"{path} is damaged: {place} is a part of itself")
        groups.add(address)
        for name in item:
            count += 1
            inside = f"{place}/{name}".lstrip("/")
            if not isinstance(item.get(name, getlink=True), h5py.HardLink):
                raise InputError(f"{path} is refused: {printable(inside)} is a link, and files of data and results hold all that is theirs")
            if count > MOST_OBJECTS or printable(name) != name:
                raise InputError(f"{path} is damaged: it has more than {MOST_OBJECTS:,} parts, or names that cannot be written")
            waiting.append((inside, item[name]))


def _require_small(path: Path, name: str, item: Any, stored: int) -> None:
    """Raise an InputError where attributes say that they are larger than their file."""
    import h5py

    for number in range(h5py.h5a.get_num_attrs(item.id)):
        attribute = h5py.h5a.open(item.id, index=number)
        if attribute.get_storage_size() > stored:
            raise InputError(f"{path} is damaged: an attribute of {name or 'its root'} says that it is larger than the file")


def _bytes(path: Path, name: str, item: h5py.Dataset, by_rows: bool) -> int:
    """How much of a data set is in memory at once; raises an InputError where that is no plain array in the file."""
    import h5py

    if item.shape is None:
        raise InputError(f"{path} is damaged: {name} holds nothing")
    if item.external or (item.is_virtual and name not in PARTS):
        raise InputError(
            f"{path} is refused: the numbers of {name} are in another file, and files of data and results hold all that is theirs"
        )
    if item.dtype.kind not in NUMBERS and h5py.check_string_dtype(item.dtype) is None:
        raise InputError(f"{path} cannot be read as {path.suffix}: {name} holds neither numbers nor texts")
    size, itemsize = int(item.nbytes), item.dtype.itemsize
    read = size // max(item.shape[0], 1) if by_rows and item.shape else size
    return max(read, int(np.prod(item.chunks, dtype=float)) * itemsize if item.chunks and size else 0)
