"""Files of data: which of their columns are inputs, target and weight, and what to do where a value is missing.

The columns are x or x1 … xd, y, and optionally weight, by default; by `inputs`, `target` and `weight` they may have any
names, and what is not named is left aside: it need not hold numbers.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.errors import InputError, entries_of, instance
from wgf.networks.text_tables import SEPARATORS, read_text_table
from wgf.networks.untrusted import NUMBERS, is_hdf5, require_memory, untrusted
from wgf.registers import known, listed, nearest

if TYPE_CHECKING:
    import pandas

EXPECTED = "x (or x1 … xd), y and optionally weight"
OTHERS = 'or say which to take, inputs = ["…"], target = "…"'
WHEN_MISSING = ("refuse", "drop")


@dataclass(frozen=True)
class Columns:
    """Which columns of a table are taken, and how.

    inputs, target, weight   their names; with a target alone all other columns are inputs; with neither of the two x or x1 … xd, y, weight
    missing      of a row in which a value is missing: "refuse" the data, or "drop" the row
    separator, decimal   of a text file: the mark between columns, that before decimals; found from the file where they are None
    """

    inputs: Sequence[str] | None = None
    target: str | None = None
    weight: str | None = None
    missing: str = "refuse"
    separator: str | None = None
    decimal: str | None = None

    def __post_init__(self) -> None:
        if self.inputs is not None:
            names = entries_of(self.inputs, "inputs", 'the names of columns, such as ["age", "bmi"]')
            if not names or len(set(names)) < len(names):
                raise InputError(f"inputs = {list(names)}: name each column once, and one at least")
            object.__setattr__(self, "inputs", names)
        for what in ("target", "weight"):
            if getattr(self, what) is not None:
                instance(getattr(self, what), str, what, "the name of a column")
        known(self.missing, WHEN_MISSING, "word for missing")
        if self.separator is not None:
            known(self.separator, SEPARATORS, "separator")
        if self.decimal is not None:
            known(self.decimal, (",", "."), "mark before decimals")

    @property
    def drop(self) -> bool:
        """Whether rows with missing values are left out."""
        return self.missing == "drop"

    def of(self, names: Sequence[str]) -> Chosen:
        """Which of these names are what; raises an InputError where one that is asked for is not there."""
        if self.inputs is None and self.target is None:
            return _usual(names, self.weight)
        target = "y" if self.target is None else self.target
        inputs = tuple(self.inputs or [name for name in names if name not in (target, self.weight)])
        chosen = Chosen(inputs, target, self.weight)
        for name in chosen.names:
            if name not in names:
                raise InputError(f"there is no column {name!r}{nearest(name, names)}; the columns are {listed(list(names))}")
        if len(set(chosen.names)) < len(chosen.names):
            raise InputError(f"one column is to be two things: inputs {listed(inputs)}, target {target}, weight {self.weight}")
        if not inputs:
            raise InputError(f"there is no column beside {target!r}: at least one input is needed")
        return chosen


@dataclass(frozen=True)
class Chosen:
    """The names of the columns that are taken."""

    inputs: tuple[str, ...]
    target: str
    weight: str | None

    @property
    def names(self) -> list[str]:
        """All of them."""
        return [*self.inputs, self.target, *([] if self.weight is None else [self.weight])]


@dataclass(frozen=True)
class Table:
    """The columns of a file that are taken: inputs (n, d), targets (n,), weights (n,) if there are any; NaN where a value is missing."""

    chosen: Chosen
    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None

    @classmethod
    def of(cls, chosen: Chosen, columns: Mapping[str, np.ndarray], drop: bool) -> Table:
        """From columns (n,), of which a single input may have further axes; with `drop` without the rows in which a value is missing."""
        parts = [columns[name] for name in chosen.inputs]
        inputs = parts[0] if len(parts) == 1 else np.column_stack(parts)
        targets = columns[chosen.target]
        weights = None if chosen.weight is None else columns[chosen.weight]
        if not drop:
            return cls(chosen, inputs, targets, weights)
        found = [column for column in (inputs, targets, weights) if column is not None]
        if len({len(column) for column in found}) > 1:
            raise InputError(f"the columns {listed(chosen.names)} differ in length")
        whole = np.all([~np.isnan(column.reshape(len(column), -1)).any(axis=1) for column in found], axis=0)
        if not whole.any():
            raise InputError(f"in each of the {len(whole)} rows a value is missing among {listed(chosen.names)}: nothing is left")
        return cls(chosen, inputs[whole], targets[whole], None if weights is None else weights[whole])


def read_table(path: Path, columns: Columns) -> Table:
    """The table in a file whose ending is one of READERS."""
    return READERS[path.suffix.lower()](path, columns)


def table_of_frame(frame: pandas.DataFrame, columns: Columns) -> Table:
    """The table in a data frame of pandas; a value that is missing, or no number, is refused by its row and column."""
    by_name = {str(name): frame[name] for name in frame.columns}
    if len(by_name) < frame.shape[1]:
        raise InputError("a column of the data frame has the name of another: give each a name of its own")
    chosen = columns.of(list(by_name))
    return Table.of(chosen, {name: _column_of_frame(name, by_name[name], columns.drop) for name in chosen.names}, columns.drop)


def _column_of_frame(name: str, column: Any, drop: bool) -> np.ndarray:
    import pandas

    numbers = column.astype(object).where(column.notna(), np.nan)
    found: np.ndarray = pandas.to_numeric(numbers, errors="coerce").to_numpy(dtype=float)
    for wrong, what in ((np.isnan(found) & column.notna().to_numpy(), "is no number"), (column.isna().to_numpy(), "")):
        if wrong.any() and (what or not drop):
            row = int(np.argmax(wrong))
            wrong = f"{str(column.iloc[row])!r} {what}" if what else 'a value is missing: leave such rows out by missing="drop"'
            raise InputError(f"row {row} of the data frame, column {name}: {wrong}")
    return found


def _read_text(path: Path, columns: Columns) -> Table:
    table = read_text_table(path, columns.separator)
    chosen = columns.of(table.names)
    return Table.of(chosen, table.numbers(chosen.names, columns.drop, columns.decimal), columns.drop)


def _read_npz(path: Path, columns: Columns) -> Table:
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no archive of named arrays; expected the arrays x, y … (numpy.savez)")
        with zipfile.ZipFile(file) as members:
            require_memory(path, sum(member.file_size for member in members.infolist()), path.stat().st_size)
        file.seek(0)
        archive = np.load(file, allow_pickle=False)
        chosen = columns.of(archive.files)
        return Table.of(chosen, {name: _numbers(name, archive[name]) for name in chosen.names}, columns.drop)


def _read_h5(path: Path, columns: Columns) -> Table:
    import h5py

    if not is_hdf5(path):
        raise ValueError("it is no HDF5 file")
    with untrusted(path) as file:
        found = {name: item for name, item in file.items() if isinstance(item, h5py.Dataset)}
        chosen = columns.of(list(found))
        return Table.of(chosen, {name: _numbers(name, found[name]) for name in chosen.names}, columns.drop)


def _numbers(name: str, item: Any) -> np.ndarray:
    """A column of real numbers; raises a ValueError for texts, complex numbers and records."""
    if item.dtype.kind not in NUMBERS:
        raise ValueError(f"{name} holds no real numbers but {item.dtype}")
    return np.asarray(item, dtype=float)


TEXTS = (".csv", ".tsv", ".txt", ".dat")
READERS: dict[str, Callable[[Path, Columns], Table]] = {**dict.fromkeys(TEXTS, _read_text), ".npz": _read_npz, ".h5": _read_h5}


def _usual(names: Sequence[str], weight: str | None) -> Chosen:
    """x or x1 … xd, y and weight, where these are all columns; an error where columns are missing or unknown."""
    small = [name.lower() for name in names]
    if small != list(names) and all(name in ("y", "weight") or name[:1] == "x" for name in small):
        raise InputError(f"the columns are {listed(list(names))}: write their names in small letters, {EXPECTED}, {OTHERS}")
    if "x0" in names:
        raise InputError(f"the columns are {listed(list(names))}: inputs count from one, x1 … xd, and a single one is called x; {OTHERS}")
    inputs = ["x"] if "x" in names else [f"x{k + 1}" for k in range(sum(name[:1] == "x" and name[1:].isdigit() for name in names))]
    required = [*(inputs or ["x"]), "y", *([weight] if weight else [])]
    allowed = [*required, *([] if weight else ["weight"])]
    for name in names:
        if name not in allowed:
            raise InputError(f"unknown column {name!r}{nearest(name, allowed)}; expected {EXPECTED}, {OTHERS}")
    for name in required:
        if name not in names:
            raise InputError(f"there is no column {name!r}; expected {EXPECTED}, found {listed(list(names))}; {OTHERS}")
    return Chosen(tuple(inputs), "y", weight or ("weight" if "weight" in names else None))
