"""The table of a lazy study: scalings × sizes × replicates, which can be left at any time and taken up again (sweeps/resumable.py).

A scaling is an exponent p and a factor A, α = A·m^{−p}. The numbers of a cell depend on the problem, p, A, m, the replicate and the seed
only, not on the rest of the table; a cell of all scalings starts from the same neurons.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wgf.runs.hdf5 import scale, variable
from wgf.studies.lazy.quantities import SERIES, Laziness
from wgf.studies.sweeps.resumable import ResumableFile


@dataclass
class LazyTable:
    """exponents, factors (E,), sizes (S,), times (T,); relative_scale (E, S, R), series[name] (E, S, R, T); NaN where nothing is yet.

    parameters    those of the first network of the smallest size at the start and at the end, (E, m, p, 2)
    done          which cells are there, (E, S, R)
    """

    exponents: np.ndarray
    factors: np.ndarray
    sizes: np.ndarray
    times: np.ndarray
    relative_scale: np.ndarray
    series: dict[str, np.ndarray]
    parameters: np.ndarray
    done: np.ndarray

    @classmethod
    def empty(cls, scalings: list[tuple[float, float]], sizes: np.ndarray, times: np.ndarray, replicates: int, p: int) -> LazyTable:
        """A table without entries."""
        exponents, factors = np.array(scalings).T
        shape = (len(exponents), len(sizes), replicates)
        series = {name: np.full((*shape, len(times)), np.nan) for name in SERIES}
        parameters = np.full((len(exponents), int(sizes[0]), p, 2), np.nan)
        return cls(exponents, factors, sizes, times, np.full(shape, np.nan), series, parameters, np.zeros(shape, dtype=np.uint8))

    @classmethod
    def read(cls, file: h5py.File) -> LazyTable:
        """The table in an open file."""
        exponents, factors, sizes, times, relative = (file[name][:] for name in ("exponent", "factor", "size", "time", "relative_scale"))
        series = {name: file[name][:] for name in SERIES}
        return cls(exponents, factors, sizes, times, relative, series, file["parameters"][:], file["done"][:])

    @property
    def replicates(self) -> int:
        """R, the number of replicates."""
        return int(self.done.shape[2])

    def missing(self) -> list[tuple[int, int, int]]:
        """The cells (scaling, size, replicate) that are not done, those of the largest m first."""
        cells = [(int(scaling), int(size), int(replicate)) for scaling, size, replicate in np.argwhere(self.done == 0)]
        return sorted(cells, key=lambda cell: (-cell[1], cell[0], cell[2]))

    def put(self, cell: tuple[int, int, int], found: Laziness, ends: np.ndarray) -> None:
        """Fill a cell; `ends` (m, p, 2) are the parameters at the start and at the end."""
        self.relative_scale[cell] = found.relative_scale
        for name in SERIES:
            self.series[name][cell] = getattr(found, name)
        if cell[1:] == (0, 0):
            self.parameters[cell[0]] = ends
        self.done[cell] = 1

    def cell(self, cell: tuple[int, int, int]) -> tuple[Laziness, np.ndarray]:
        """A cell as it was put; its parameters are those of the first network of the smallest size."""
        series = {name: values[cell] for name, values in self.series.items()}
        return Laziness(self.times, float(self.relative_scale[cell]), **series), self.parameters[cell[0]]

    @property
    def scalings(self) -> dict[tuple[float, float], int]:
        """The places of the scalings (p, A)."""
        return {pair: k for k, pair in enumerate(zip(self.exponents.tolist(), self.factors.tolist(), strict=True))}

    def covers(self, other: LazyTable) -> bool:
        """Whether this table has all scalings, sizes and replicates of another one."""
        return other.scalings.keys() <= self.scalings.keys() and set(other.sizes) <= set(self.sizes) and other.replicates <= self.replicates

    def adopt(self, other: LazyTable) -> None:
        """Take over the cells of another table that this one has, too."""
        scalings = other.scalings
        sizes = {int(m): k for k, m in enumerate(other.sizes)}
        for cell in self.missing():
            scaling = scalings.get((float(self.exponents[cell[0]]), float(self.factors[cell[0]])))
            size = sizes.get(int(self.sizes[cell[1]]))
            if scaling is None or size is None or cell[2] >= other.replicates or not other.done[scaling, size, cell[2]]:
                continue
            if cell[1:] == (0, 0) and size != 0:
                continue  # its parameters were not kept
            self.put(cell, *other.cell((scaling, size, cell[2])))

    def write(self, file: h5py.File) -> dict[str, h5py.Dataset]:
        """Into a new file; returns the scales of its dimensions."""
        shape = self.parameters.shape
        scales = {
            "exponent": scale(file, "exponent", self.exponents),
            "size": scale(file, "size", self.sizes),
            "replicate": scale(file, "replicate", np.arange(self.replicates)),
            "time": scale(file, "time", self.times),
            "particle": scale(file, "particle", np.arange(shape[1])),
            "coordinate": scale(file, "coordinate", np.arange(shape[2])),
            "end": scale(file, "end", np.arange(2)),
        }
        cell = (scales["exponent"], scales["size"], scales["replicate"])
        variable(file, "factor", self.factors, (scales["exponent"],))
        variable(file, "relative_scale", self.relative_scale, cell)
        variable(file, "done", self.done, cell)
        variable(file, "parameters", self.parameters, tuple(scales[name] for name in ("exponent", "particle", "coordinate", "end")))
        for name, values in self.series.items():
            variable(file, name, values, (*cell, scales["time"]))
        return scales


class ResumableLazyTable(ResumableFile):
    """The table on file while it is being filled."""

    def __init__(self, path: Path, signature: str, overwrite: bool = False) -> None:
        super().__init__(path, signature, "lazy", overwrite)

    def take_up(self, table: LazyTable, attributes: dict[str, Any]) -> None:
        """Put what an earlier call of the same study has left into the table, and the table into the file."""
        with self.earlier() as file:
            if file is not None:
                earlier = LazyTable.read(file)
                self.require_kept(table.covers(earlier))
                table.adopt(earlier)
        self.begin(attributes, table.write)

    def record(self, table: LazyTable, cell: tuple[int, int, int]) -> None:
        """Write a cell of the table that has been filled."""
        with self.recording(cell, 1) as file:
            file["relative_scale"][cell] = table.relative_scale[cell]
            for name in SERIES:
                file[name][cell] = table.series[name][cell]
            if cell[1:] == (0, 0):
                file["parameters"][cell[0]] = table.parameters[cell[0]]
