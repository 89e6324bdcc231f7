"""The table of a sweep, sizes × replicates, which can be left at any time and taken up again.

Its cells are pairs of replicates of one size (a last one alone, where their number is odd), as two networks give one distance between
them. resumable.py has the file. The numbers of a cell depend on the problem, the limit, m, the replicate and the seed only, not on the
rest of the table; so a table can also be continued with more sizes or more replicates.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wgf.runs.hdf5 import scale, variable
from wgf.studies.sweeps.resumable import ResumableFile

SAME = 1e-9  # relative: limits that agree so far are the same


@dataclass(frozen=True)
class Found:
    """A cell: distance[name] (k, T) and prediction (k, T, n) of k = 2 replicates, or one; floor[name] (T,) between two."""

    distance: dict[str, np.ndarray]
    floor: dict[str, np.ndarray]
    prediction: np.ndarray


@dataclass
class SweepTable:
    """sizes (S,), times (T,), distance[name] (S, R, T), floor[name] (S, R // 2, T), prediction (S, R, T, n); NaN where nothing is yet.

    done (S, ⌈R/2⌉): how many replicates of a cell are there, 0 to 2.
    """

    sizes: np.ndarray
    times: np.ndarray
    distance: dict[str, np.ndarray]
    floor: dict[str, np.ndarray]
    prediction: np.ndarray
    done: np.ndarray

    @classmethod
    def empty(cls, sizes: np.ndarray, times: np.ndarray, names: tuple[str, ...], replicates: int, samples: int) -> SweepTable:
        """A table without entries."""
        s, t = len(sizes), len(times)
        distance = {name: np.full((s, replicates, t), np.nan) for name in names}
        floor = {name: np.full((s, replicates // 2, t), np.nan) for name in names}
        prediction = np.full((s, replicates, t, samples), np.nan)
        return cls(sizes, times, distance, floor, prediction, np.zeros((s, -(-replicates // 2)), dtype=np.uint8))

    @classmethod
    def read(cls, file: h5py.File) -> SweepTable:
        """The table in an open file."""
        distance, floor = ({name: item[:] for name, item in file[group].items()} for group in ("distance", "floor"))
        first = str(file.attrs["distances"]).split()
        order = {name: distance[name] for name in first}, {name: floor[name] for name in first}
        return cls(file["size"][:], file["time"][:], *order, file["prediction"][:], file["done"][:])

    @property
    def replicates(self) -> int:
        """R, the number of replicates."""
        return int(self.prediction.shape[1])

    def members(self, pair: int) -> slice:
        """The replicates of a cell."""
        return slice(2 * pair, min(2 * pair + 2, self.replicates))

    def missing(self) -> list[tuple[int, int]]:
        """The cells (size, pair) that are not done, those of the largest m first, so that no process is left with one at the end."""
        return [(int(s), int(k)) for s, k in reversed(np.argwhere(self.done == 0))]

    def put(self, size: int, pair: int, found: Found) -> None:
        """Fill a cell."""
        rows = self.members(pair)
        for name in self.distance:
            self.distance[name][size, rows] = found.distance[name]
            if name in found.floor:
                self.floor[name][size, pair] = found.floor[name]
        self.prediction[size, rows] = found.prediction
        self.done[size, pair] = rows.stop - rows.start

    def cell(self, size: int, pair: int) -> Found:
        """A cell as it was put."""
        rows = self.members(pair)
        two = rows.stop - rows.start == 2
        floor = {name: values[size, pair] for name, values in self.floor.items()} if two else {}
        return Found({name: values[size, rows] for name, values in self.distance.items()}, floor, self.prediction[size, rows])

    def covers(self, other: SweepTable) -> bool:
        """Whether this table has all sizes and replicates of another one."""
        return set(other.sizes) <= set(self.sizes) and other.replicates <= self.replicates

    def adopt(self, other: SweepTable) -> None:
        """Take over the cells of another table that this one has, too, with as many replicates."""
        places = {int(m): k for k, m in enumerate(other.sizes)}
        for size, pair in self.missing():
            theirs, rows = places.get(int(self.sizes[size])), self.members(pair)
            if theirs is not None and pair < other.done.shape[1] and other.done[theirs, pair] == rows.stop - rows.start:
                self.put(size, pair, other.cell(theirs, pair))

    def write(self, file: h5py.File, limit: np.ndarray) -> tuple[h5py.Dataset, h5py.Dataset]:
        """Into a new file, with φ of the limit (T, n) beside it; returns the scales of times and samples."""
        file.attrs["distances"] = " ".join(self.distance)
        sizes, times = scale(file, "size", self.sizes), scale(file, "time", self.times)
        replicate, sample = scale(file, "replicate", np.arange(self.replicates)), scale(file, "sample", np.arange(limit.shape[1]))
        pair, cell = scale(file, "pair", np.arange(self.replicates // 2)), scale(file, "cell", np.arange(self.done.shape[1]))
        variable(file, "done", self.done, (sizes, cell))
        variable(file, "prediction", self.prediction, (sizes, replicate, times, sample))
        variable(file, "limit_prediction", limit, (times, sample))
        for name in self.distance:
            variable(file.require_group("distance"), name, self.distance[name], (sizes, replicate, times))
            variable(file.require_group("floor"), name, self.floor[name], (sizes, pair, times))
        return times, sample


class ResumableTable(ResumableFile):
    """The table of a comparison on file while it is being filled."""

    def __init__(self, path: Path, signature: str, overwrite: bool = False) -> None:
        super().__init__(path, signature, "comparison", overwrite)

    def take_up(self, table: SweepTable, limit: np.ndarray, attributes: dict[str, Any]) -> None:
        """Put what an earlier call has left, if it was of the same sweep and limit, into the table, and the table into the file."""
        with self.earlier() as file:
            if file is not None:
                stored, earlier = file["limit_prediction"][:], SweepTable.read(file)
                same = stored.shape == limit.shape and np.allclose(stored, limit, rtol=SAME, atol=SAME)
                self.require_kept(same and table.covers(earlier))
                if same:
                    table.adopt(earlier)
        self.begin(attributes, lambda file: table.write(file, limit))

    def record(self, table: SweepTable, size: int, pair: int) -> None:
        """Write a cell of the table that has been filled."""
        rows = table.members(pair)
        with self.recording((size, pair), int(table.done[size, pair])) as file:
            file["prediction"][size, rows] = table.prediction[size, rows]
            for name in table.distance:
                file["distance"][name][size, rows] = table.distance[name][size, rows]
                if rows.stop - rows.start == 2:
                    file["floor"][name][size, pair] = table.floor[name][size, pair]
