"""Files of data: columns x or x1 … xd, y, and optionally weight."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError, is_number
from wgf.networks.untrusted import NUMBERS, is_hdf5, require_memory, untrusted
from wgf.registers import listed, nearest

CSV_IN_MEMORY = 20  # times the size of a file of numbers, as texts


def _read_csv(path: Path) -> dict[str, np.ndarray]:
    require_memory(path, CSV_IN_MEMORY * path.stat().st_size, path.stat().st_size)
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if any(cell.strip() for cell in row)]
    if not rows:
        raise InputError("the file is empty; expected a header such as x,y and one line per sample")
    header = [name.strip() for name in rows[0][1]]
    _check_header(header)
    if len(rows) == 1:
        raise InputError("the file has a header but no samples")
    if len(set(header)) < len(header):
        raise InputError(f"the header names a column twice: {listed(header)}")
    _check_columns(header)
    table = np.empty((len(rows) - 1, len(header)))
    for k, (number, row) in enumerate(rows[1:]):
        if len(row) != len(header):
            raise InputError(f"line {number} has {len(row)} columns; the header has {len(header)} ({listed(header)})")
        for j, cell in enumerate(row):
            try:
                table[k, j] = float(cell)
            except ValueError:
                table[k, j] = np.nan
            if not np.isfinite(table[k, j]):
                raise InputError(f"line {number}, column {header[j]}: {_not_a_number(cell.strip())}")
    return dict(zip(header, table.T, strict=True))


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no archive of named arrays; expected the arrays x, y … (numpy.savez)")
        with zipfile.ZipFile(file) as members:
            require_memory(path, sum(member.file_size for member in members.infolist()), path.stat().st_size)
        file.seek(0)
        archive = np.load(file, allow_pickle=False)
        _check_columns(archive.files)
        return {name: _numbers(name, archive[name]) for name in archive.files}


def _read_h5(path: Path) -> dict[str, np.ndarray]:
    import h5py

    if not is_hdf5(path):
        raise ValueError("it is no HDF5 file")
    with untrusted(path) as file:
        columns = {name: item for name, item in file.items() if isinstance(item, h5py.Dataset)}
        return {name: _numbers(name, item) for name, item in columns.items()}


def _numbers(name: str, item: Any) -> np.ndarray:
    """A column of real numbers; raises a ValueError for texts, complex numbers and records."""
    if item.dtype.kind not in NUMBERS:
        raise ValueError(f"{name} holds no real numbers but {item.dtype}")
    return np.asarray(item, dtype=float)


READERS: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {".csv": _read_csv, ".npz": _read_npz, ".h5": _read_h5}


EXPECTED = "x (or x1 … xd), y and optionally weight"
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}


MISSING = ("", "na", "n/a", "nan", "null", "none", "?")


def _not_a_number(cell: str) -> str:
    """What is the matter with a cell that holds no finite number."""
    if cell.lower() in MISSING:
        return f"{cell!r}, a value is missing: leave such lines out, in pandas by dropna()"
    return f"{cell!r} is not a {'finite ' if is_number(cell) else ''}number"


def _check_header(header: Sequence[str]) -> None:
    """Say what is the matter with the first line of a .csv file where it is no header in commas, or has the index of a table in it."""
    if len(header) <= 2:
        for mark, name in SEPARATORS.items():
            if any(mark in cell for cell in header):
                raise InputError(f"its columns are separated by {name}: separate them by commas, with a point in numbers, as in 0.5,1.2")
    if all(is_number(cell) for cell in header):
        raise InputError(f"its first line holds numbers, not the names of the columns: let it begin with a header, {EXPECTED}")
    if header[0] == "" or header[0].startswith("Unnamed:") or header[0] == "index":
        raise InputError(f"its first column, {header[0]!r}, is the index of a table: leave it out, in pandas by to_csv(…, index=False)")


def _check_columns(names: Sequence[str]) -> list[str]:
    """The input columns in order, x or x1 … xd; an error where columns are missing or unknown."""
    small = [name.lower() for name in names]
    if small != list(names) and all(name in ("y", "weight") or name[:1] == "x" for name in small):
        raise InputError(f"the columns are {listed(names)}: write their names in small letters, {EXPECTED}")
    if "x0" in names:
        raise InputError(f"the columns are {listed(names)}: inputs count from one, x1 … xd, and a single one is called x")
    inputs = ["x"] if "x" in names else [f"x{k + 1}" for k in range(sum(name[:1] == "x" and name[1:].isdigit() for name in names))]
    allowed = [*(inputs or ["x"]), "y", "weight"]
    for name in names:
        if name not in allowed:
            raise InputError(f"unknown column {name!r}{nearest(name, allowed)}; expected {EXPECTED}")
    for name in allowed[:-1]:
        if name not in names:
            raise InputError(f"there is no column {name!r}; expected {EXPECTED}, found {listed(names)}")
    return inputs


def arrange(columns: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Inputs (n,) or (n, d), targets (n,), and weights (n,) if there are any, from the columns of a file."""
    inputs = [columns[name] for name in _check_columns(list(columns))]
    stacked = inputs[0] if len(inputs) == 1 else np.column_stack(inputs)
    return stacked, columns["y"], columns.get("weight")
