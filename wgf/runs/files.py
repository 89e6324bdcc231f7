"""Files of any kind: whether one can be written, before anything is computed, and names that belong to complete files only.

Until a file is complete it has a name of its own, `.NAME.MACHINE.PROCESS`, with the ending of its kind. What a process of this machine has
left under such a name, that is no more, is removed by the next one that writes the file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

import psutil

from wgf.errors import NoSpace, NotWritable, RunError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk, or one's share of it, or the longest file that one may write


def check_writable(path: Path) -> None:
    """Refuse a path at which no file can be made, by making an empty one beside it."""
    if not os.path.isdir(path.parent):
        raise NotWritable(f"cannot write {path}: the folder {path.parent} does not exist; make it, or choose another name")
    if os.path.islink(path):
        raise NotWritable(f"cannot write {path}: it is a link to {os.readlink(path)}, which is left alone; give the name of a file itself")
    begun = beginning(path)
    try:
        remove_left(path)
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
    return path.with_name(f".{path.stem}.{_machine()}.{os.getpid()}{path.suffix}")


def _machine() -> str:
    """Its name, in eight letters: other machines may write into the same folder."""
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"


def remove_left(path: Path) -> None:
    """Remove what processes of this machine, that are no more, have left of this file."""
    before, after = f".{path.stem}.{_machine()}.", path.suffix
    for found in path.parent.iterdir():
        number = found.name.removeprefix(before).removesuffix(after)
        if found.name == f"{before}{number}{after}" and number.isdecimal() and not psutil.pid_exists(int(number)):
            with contextlib.suppress(OSError):  # of another user
                shutil.rmtree(found) if found.is_dir() else found.unlink()


@contextlib.contextmanager
def completed(path: Path) -> Iterator[Path]:
    """The name under which to write a new file, which takes its own, and replaces what has it, when it is complete."""
    begun = beginning(path)
    remove_left(path)
    try:
        yield begun
        os.replace(begun, path)
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace(f"the disk is full: {path} is not written, and what was there is unchanged; free some space") from None
        raise RunError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        begun.unlink(missing_ok=True)
