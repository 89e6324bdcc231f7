"""What is at a path already, in words; nothing of it is replaced unless that is asked for."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import h5py
import numpy as np

from wgf.errors import Exists, InputError, printable
from wgf.networks.untrusted import BY_ROWS, untrusted

DRAWN = "drawn by wgf"  # in the metadata of our figures and pages
REMEDY = "choose another name (--output), or let it be replaced (--force, in Python overwrite=True)"
KINDS = {
    "comparison": "a comparison",
    "pair": "a comparison of two runs",
    "lazy": "a lazy study",
    "sweep": "a sweep",
}  # kinds of HDF5 files, beside runs
FILMS = (".gif", ".mp4")
PAGES = (".html", ".htm")
ENDS = 2**14  # bytes at the beginning and at the end of a figure, where its metadata are


def refuse_existing(path: Path, overwrite: bool = False) -> None:
    """Raise Exists, which says what is there, where something is and may not be replaced."""
    if not overwrite and path.exists():
        raise Exists(f"{path} exists and holds {contents(path)}; it is left alone: {REMEDY}")


def contents(path: Path) -> str:
    """What an existing file or folder holds, in words."""
    if path.is_dir():
        return "files"
    if not path.is_file():
        return "no ordinary file"
    with contextlib.suppress(InputError), untrusted(path, BY_ROWS) as file:  # no HDF5, or damaged
        return printable(_stored(file))
    if is_drawn(path):
        return "a page of wgf" if path.suffix.lower() in PAGES else "a figure of wgf"
    return "a film" if path.suffix.lower() in FILMS else "another program's file"


def is_drawn(path: Path) -> bool:
    """Whether a file is a figure, or a page, of ours."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.read(ENDS)
        file.seek(-min(ENDS, path.stat().st_size), os.SEEK_END)
        return DRAWN.encode() in first + file.read()


def _stored(file: h5py.File) -> str:
    """For example `a complete run of 'tanh student' up to t = 10`."""
    if "schema_version" not in file.attrs:
        return "another program's file"
    kind, title = str(file.attrs.get("kind", "run")), str(file.attrs.get("title", ""))
    what = KINDS.get(kind, kind)
    of_what = f" of {title!r}" if title else ""
    if kind == "run":
        times = file["time"][:]
        reached = f" up to t = {times[-1]:g}" if len(times) else ""
        return f"{_article(str(file.attrs['status']))} run{of_what}{reached}"
    if "done" in file and str(file.attrs["status"]) != "complete":
        done = file["done"][:]
        return f"{what}{of_what}, of which {np.count_nonzero(done)} of {done.size} cells are done"
    return f"{what}{of_what}"


def _article(word: str) -> str:
    return f"an {word}" if word[:1] in "aeiou" else f"a {word}"
