"""The values of boxes of a lattice that ranks hold, on other boxes.

A box is (p, 2): for each axis the first of its cells and the one after the last. Each rank holds one of the old boxes, which have no
cell in common, and wants one of the new ones, which may overlap, be empty, or reach beyond the ends of an axis that wraps around. Ghost
cells are filled in this way, windows moved, and lines of cells made whole.

Each rank sends to each other one the cells of its old box that lie in the other's new box, and gets those of its own new box: at most one
message for a pair, packed in the order of the images of the lattice, so that both sides know it without a word. While messages are under
way, other work may be done; the array that is filled may be used, but for the cells that are to come.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.ranks.communicator import Ranks

if TYPE_CHECKING:
    from wgf.kernels.compiled import Whole  # compiled code, which is not needed here

Place = tuple[slice, ...]


class Redistribution:
    """The way from the old boxes (P, p, 2) to the new ones; see the module's text.

    periods      of the axes in cells, (p,), zero for those that do not wrap around; by default none does
    in_place     whether both arrays are one, the old box a part of the new one: its own cells then stay where they are
    """

    def __init__(self, ranks: Ranks, old: Whole, new: Whole, periods: Sequence[int] | None = None, in_place: bool = False) -> None:
        self.communicator, self.here = ranks.communicator, ranks.rank
        self.shape = tuple(np.diff(new[ranks.rank], axis=1)[:, 0].tolist())
        shifts = [np.array(shift) for shift in itertools.product(*((0, n, -n) if n else (0,) for n in periods or [0] * old.shape[1]))]
        if in_place and ranks.size == 1 and len(shifts) == 1:
            shifts = []  # all stays where it is
        self.leaving: dict[int, list[Place]] = {}
        self.arriving: dict[int, list[Place]] = {}
        for shift in shifts:
            moved = old + shift[:, None]
            for rank, box in overlaps(moved[ranks.rank], new):
                self.leaving.setdefault(rank, []).append(place(box, moved[ranks.rank]))
            for rank, box in overlaps(new[ranks.rank], moved):
                self.arriving.setdefault(rank, []).append(place(box, new[ranks.rank]))
        self.own = list(zip(self.leaving.pop(self.here, []), self.arriving.pop(self.here, []), strict=True))
        if in_place:
            self.own = self.own[1:]  # the first is that of the lattice itself
        self.buffers: tuple[dict[int, np.ndarray], dict[int, np.ndarray]] | None = None
        self.pending: list[Any] = []
        self.target: np.ndarray

    def start(self, source: np.ndarray, target: np.ndarray) -> None:
        """Send what others want of `source`, the old box, and begin to fill `target`, the new one."""
        self.finish()
        self.target = target
        if self.buffers is None:
            self.buffers = buffers(self.leaving, source), buffers(self.arriving, target)
        outgoing, incoming = self.buffers
        self.pending = [self.communicator.Irecv(buffer, source=rank) for rank, buffer in incoming.items()]
        for rank, buffer in outgoing.items():
            for there, part in parts_of(buffer, source, self.leaving[rank]):
                there[...] = part
            self.pending.append(self.communicator.Isend(buffer, dest=rank))
        for old, new in self.own:
            target[new] = source[old]

    def finish(self) -> None:
        """Wait until all cells have come, if any are under way."""
        if not self.pending:
            return
        for request in self.pending:
            request.Wait()
        self.pending = []
        assert self.buffers is not None
        for rank, buffer in self.buffers[1].items():
            for there, part in parts_of(buffer, self.target, self.arriving[rank]):
                part[...] = there

    def __call__(self, source: np.ndarray) -> np.ndarray:
        """The new box; zero in cells that are in no old one."""
        target = np.zeros(self.shape, dtype=source.dtype)
        self.start(source, target)
        self.finish()
        return target


def overlaps(box: Whole, boxes: Whole) -> Iterator[tuple[int, Whole]]:
    """What a box has in common with each of others (P, p, 2): the number of the other and the box, where that is not empty."""
    lower, upper = np.maximum(box[:, 0], boxes[:, :, 0]), np.minimum(box[:, 1], boxes[:, :, 1])
    for rank in np.flatnonzero((lower < upper).all(axis=1)).tolist():
        yield rank, np.stack([lower[rank], upper[rank]], axis=1)


def place(box: Whole, within: Whole) -> Place:
    """The indices of a box in the array of another one that holds it."""
    return tuple(slice(*ends) for ends in (box - within[:, :1]).tolist())


def buffers(places: dict[int, list[Place]], values: np.ndarray) -> dict[int, np.ndarray]:
    """For each rank an array for all cells of its places."""
    return {rank: np.empty(sum(values[where].size for where in wheres), values.dtype) for rank, wheres in places.items()}


def parts_of(buffer: np.ndarray, values: np.ndarray, places: list[Place]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each of the places, as part of the buffer and of the values."""
    first = 0
    for where in places:
        part = values[where]
        yield buffer[first : first + part.size].reshape(part.shape), part
        first += part.size
