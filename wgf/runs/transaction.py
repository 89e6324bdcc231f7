"""Changes to a file that are whole, or absent, for everybody, whatever happens while they are made.

The changes are made to Pages: the file on disk, which is only read, and in memory those of its pages that are written. A program that
writes into Pages (HDF5) therefore never meets a full disk. When it is done, the new file is put together under a name of its own, each
write of which is checked, and then takes the place of the old one in one step, which no reader sees half of: who has the old file open goes
on reading that. A failure, or a kill, leaves the old file as it was. Signals that end a program wait until the step is done.

A file belongs to the run, or to the study, that has begun it, whose `identity` is among its attributes: no other process adds to it.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wgf.errors import Exists, NoSpace, RunError
from wgf.runs.files import FULL, beginning
from wgf.runs.signals import obeying_afterwards

PAGE = 2**16  # bytes
SPARE = 2**16  # bytes that are to be free beside those of the new file


class Pages(io.RawIOBase):
    """A file as it is after changes: that at `path`, or an empty one, and the pages that were written."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.base = path.open("rb", buffering=0) if path else None
        self.size = self.kept = os.fstat(self.base.fileno()).st_size if self.base else 0  # `kept` bytes of the old file are still its
        self.pages: dict[int, bytearray] = {}
        self.place = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.place, os.SEEK_END: self.size}[whence]
        return self.place

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self.size - self.place))
        for number, inside, part in self._parts(count):
            view[part] = self._page(number)[inside]
        self.place += count
        return count

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        for number, inside, part in self._parts(len(view)):
            self.pages.setdefault(number, self._page(number))[inside] = view[part]
        self.place += len(view)
        self.size = max(self.size, self.place)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        size = self.place if size is None else size
        if size < self.size:  # what is beyond is zero, if the file grows again
            self.kept = min(self.kept, size)
            self.pages = {number: page for number, page in self.pages.items() if number * PAGE < size}
            number, first = divmod(size, PAGE)
            if number in self.pages:
                self.pages[number][first:] = bytes(PAGE - first)
        self.size = size
        return size

    def close(self) -> None:
        if self.base is not None:
            self.base.close()
        super().close()

    def _parts(self, count: int) -> Iterator[tuple[int, slice, slice]]:
        """The next `count` bytes, page by page: its number, the place in it, and that among the bytes."""
        done = 0
        while done < count:
            number, first = divmod(self.place + done, PAGE)
            size = min(PAGE - first, count - done)
            yield number, slice(first, first + size), slice(done, done + size)
            done += size

    def _page(self, number: int) -> bytearray:
        """A page as it is; zero beyond the end."""
        if number in self.pages:
            return self.pages[number]
        start = number * PAGE
        found = b""
        if self.base is not None and start < self.kept:
            self.base.seek(start)
            found = self.base.read(min(PAGE, self.kept - start))
        return bytearray(found.ljust(PAGE, b"\0"))

    def put(self, target: Path) -> None:
        """The new file at `target`, which no other process reads yet; every write is checked, and on the disk before this returns."""
        if self.path is not None:
            shutil.copyfile(self.path, target)
        number = os.open(target, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            os.ftruncate(number, self.kept)
            for page in sorted(self.pages):
                place, left = page * PAGE, memoryview(self.pages[page])[: max(0, self.size - page * PAGE)]
                os.lseek(number, place, os.SEEK_SET)
                while len(left):
                    left = left[os.write(number, left) :]
            os.ftruncate(number, self.size)
            os.fsync(number)
        finally:
            os.close(number)


@contextlib.contextmanager
def changing(path: Path, new: bool, exclusive: bool = False) -> Iterator[Pages]:
    """Pages of the file at `path`, or of a `new` one, which it is at the end. `exclusive`: nothing may have come there meanwhile."""
    pages, begun = Pages(None if new else path), beginning(path)
    with contextlib.closing(pages):
        yield pages
        with obeying_afterwards():
            require_space(path, pages.size)
            try:
                pages.put(begun)
                if exclusive:
                    os.link(begun, path)
                else:
                    os.replace(begun, path)
            except FileExistsError:
                raise Exists(f"{path} has come to exist meanwhile: another program writes there; choose another name") from None
            except OSError as error:
                kind = NoSpace if error.errno in FULL else RunError
                raise kind(f"cannot write {path}: {error.strerror or error}; what was there is as it was") from None
            finally:
                begun.unlink(missing_ok=True)


def has_space(path: Path, size: int) -> bool:
    """Whether there is room for a file of so many bytes beside the old one."""
    return shutil.disk_usage(path.parent).free >= size + SPARE


def require_space(path: Path, size: int) -> None:
    """Raise NoSpace where there is no room for a file of so many bytes beside the old one."""
    if not has_space(path, size):
        free = shutil.disk_usage(path.parent).free
        raise NoSpace(
            f"the disk is full: {path} needs {size / 2**20:,.1f} MB beside the old file, and {free / 2**20:,.1f} MB are free; free some "
            "space, or save fewer frames"
        )


def new_identity() -> str:
    """One that no other run has."""
    return uuid.uuid4().hex
