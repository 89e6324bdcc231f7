"""Files of any kind: whether one can be written, before anything is computed, and names that belong to complete files only."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from wgf.errors import NoSpace, NotWritable, RunError

FULL = (errno.ENOSPC, errno.EDQUOT)  # the disk, or one's share of it


def check_writable(path: Path) -> None:
    """Refuse a path at which no file can be made, by making an empty one beside it."""
    if not os.path.isdir(path.parent):
        raise NotWritable(f"cannot write {path}: the folder {path.parent} does not exist; make it, or choose another name")
    if os.path.islink(path):
        raise NotWritable(f"cannot write {path}: it is a link to {os.readlink(path)}, which is left alone; give the name of a file itself")
    begun = beginning(path)
    try:
        begun.touch()
        begun.unlink()
    except (OSError, ValueError) as error:  # no permission, a name that is too long or holds a null, a file system of another kind
        raise NotWritable(f"cannot write {path}: {getattr(error, 'strerror', None) or error}; choose another place") from None
    if path.is_dir():
        raise NotWritable(f"cannot write {path}: it is a folder; choose another name")
    if path.exists() and not path.is_file():
        raise NotWritable(f"cannot write {path}: it is no ordinary file (a pipe, a device or a socket); choose another name")


def beginning(path: Path) -> Path:
    """The name that a file has until it is complete, with its own ending."""
    return path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")


@contextlib.contextmanager
def completed(path: Path) -> Iterator[Path]:
    """The name under which to write a new file, which takes its own, and replaces what has it, when it is complete."""
    begun = beginning(path)
    try:
        yield begun
        os.replace(begun, path)
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace(f"the disk is full: {path} is not written, and what was there is as it was; make room") from None
        raise RunError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        begun.unlink(missing_ok=True)
