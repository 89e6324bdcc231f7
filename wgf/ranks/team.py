"""Work that is cut into parts, shared by the ranks, and by the threads of each: with the same bits whatever their numbers.

The parts, the same on any number of ranks, are put into GROUPS groups of neighbours at most, and each rank takes whole groups. A sum over
the parts is taken inside of each group first, from left to right, and then over the groups, from left to right, on every rank.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from wgf.ranks.communicator import ALONE, Ranks

GROUPS = 256


class Team:
    """The ranks that share work, and the threads of this one, if there are several."""

    def __init__(self, ranks: Ranks = ALONE, pool: ThreadPoolExecutor | None = None) -> None:
        self.ranks, self.pool = ranks, pool

    def share(self, parts: Sequence[slice]) -> list[slice]:
        """The parts of this rank."""
        if self.ranks.size == 1:
            return list(parts)
        cuts = self._cuts(parts)
        return list(parts[cuts[self.ranks.rank] : cuts[self.ranks.rank + 1]])

    def each(self, function: Callable[[slice], Any], parts: Sequence[slice]) -> Iterator[Any]:
        """function(part) for each of these parts, in order, in the threads of this rank."""
        return map(function, parts) if self.pool is None or len(parts) == 1 else self.pool.map(function, parts)

    def total(self, function: Callable[[slice], Any], parts: Sequence[slice], size: int) -> np.ndarray:
        """Σ function(part) over the parts of all ranks, (size,), on all."""
        if self.ranks.size == len(parts) == 1:  # the sum of one, without the work of dividing it
            only = np.zeros(size)
            only += function(parts[0])
            return only
        count = min(len(parts), GROUPS)
        answers, sums = self.each(function, self.share(parts)), np.zeros((count, size))
        for number in range(self._first(count, self.ranks.rank), self._first(count, self.ranks.rank + 1)):
            for _ in range(self._cut(parts, number), self._cut(parts, number + 1)):
                sums[number] += next(answers)
        self._complete(sums, [self._first(count, rank) for rank in range(self.ranks.size + 1)])
        result: np.ndarray = sums.sum(axis=0)
        return result

    def fill(self, rows: np.ndarray, parts: Sequence[slice]) -> None:
        """Into rows (N, …), of which each rank has filled those of its parts, those of the others; the parts hold N rows, one after the
        other.
        """
        if self.ranks.size == 1:
            return
        starts = [*(part.start for part in parts), len(rows)]
        self._complete(rows, [starts[cut] for cut in self._cuts(parts)])

    def _complete(self, rows: np.ndarray, ends: list[int]) -> None:
        """Rows of which rank r has those from ends[r] to ends[r + 1], completed on all ranks."""
        if self.ranks.communicator is not None:
            from mpi4py import MPI

            width = rows[0].size if len(rows) else 0
            places = np.array(ends) * width
            self.ranks.communicator.Allgatherv(MPI.IN_PLACE, [rows, (np.diff(places).tolist(), places[:-1].tolist())])

    def _cuts(self, parts: Sequence[slice]) -> list[int]:
        """The first part of each rank, and how many parts there are."""
        return [self._cut(parts, self._first(min(len(parts), GROUPS), rank)) for rank in range(self.ranks.size + 1)]

    def _cut(self, parts: Sequence[slice], group: int) -> int:
        """The first part of a group."""
        return group * len(parts) // max(min(len(parts), GROUPS), 1)

    def _first(self, count: int, rank: int) -> int:
        """The first of so many groups that is a rank's."""
        return rank * count // self.ranks.size


ONE = Team()
