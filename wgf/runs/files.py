"""Files of any kind: whether one can be written, before anything is computed, and names that belong to complete files only."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from wgf.errors import InputError, RunError


def check_writable(path: Path) -> None:
    """Refuse a path at which no file can be made, by making an empty one beside it."""
    if not os.path.isdir(path.parent):
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    if os.path.islink(path):
        raise InputError(f"cannot write {path}: it is a link to {os.readlink(path)}, which is left alone; give the name of a file itself")
    begun = beginning(path)
    try:
        begun.touch()
        begun.unlink()
    except (OSError, ValueError) as error:  # no permission, a name that is too long or holds a null, a file system of another kind
        raise InputError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder")
    if path.exists() and not path.is_file():
        raise InputError(f"cannot write {path}: it is no ordinary file (a pipe, a device or a socket)")


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
        raise RunError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        begun.unlink(missing_ok=True)
