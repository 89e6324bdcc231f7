"""The cells of a lattice divided among ranks: a box for each, with ghosts, cells of its neighbours, where it ends inside the lattice.

The boxes are those of a Cartesian topology as MPI numbers them (the last coordinate first), with so many parts along each axis that the
faces between parts are as few as possible: MPI's own `Dims_create` does not know how long the axes are. Rows of cells stay whole while
they can, since loops along them are vectorised. On an axis that wraps around and is divided, ghosts stand for the cells around the corner.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from wgf.errors import InputError
from wgf.ranks.communicator import Ranks
from wgf.ranks.redistribution import Place, Redistribution, place

if TYPE_CHECKING:
    from wgf.kernels.compiled import Whole  # compiled code, which is not needed here

GHOSTS = 4  # layers: what a face value takes from beyond an edge (kernels/transport.py)
LEAST = 3  # cells of a part along an axis that is cut; its ghosts may come from beyond the next one


class Decomposition:
    """The boxes of cells of a lattice (n_1, …, n_p), one for each rank; rows of cells lie along the axis `last`.

    counts    into how many parts each axis is cut
    parts     (P, p, 2), the cells that each rank advances: the first one along each axis, and the one after the last
    held      (P, p, 2), the same with ghosts, where there are such: below 0 and from n_k on they are the cells around the corner
    """

    def __init__(self, ranks: Ranks, shape: Sequence[int], periodic: Sequence[bool], last: int) -> None:
        self.ranks, self.shape, self.periodic = ranks, tuple(shape), tuple(periodic)
        self.counts = counts_of(ranks.size, self.shape, last)
        self.parts = boxes(self.shape, self.counts)
        self.held = self.parts.copy()
        for axis, (n, count, wrap) in enumerate(zip(self.shape, self.counts, self.periodic, strict=True)):
            if count > 1:
                self.held[:, axis] += (-GHOSTS, GHOSTS)
                if not wrap:
                    self.held[:, axis] = np.clip(self.held[:, axis], 0, n)

    @property
    def divided(self) -> bool:
        """Whether there is more than one part."""
        return self.ranks.size > 1

    @cached_property
    def part(self) -> Whole:
        """The box of this rank, (p, 2)."""
        result: Whole = self.parts[self.ranks.rank]
        return result

    @cached_property
    def local(self) -> tuple[int, ...]:
        """The shape of what this rank holds, ghosts and all."""
        return tuple(np.diff(self.held[self.ranks.rank], axis=1)[:, 0].tolist())

    @cached_property
    def inner(self) -> Whole:
        """The box of this rank among the cells that it holds, (p, 2)."""
        result: Whole = self.part - self.held[self.ranks.rank][:, :1]
        return result

    @cached_property
    def inside(self) -> Place:
        """Its indices there."""
        return place(self.part, self.held[self.ranks.rank])

    @cached_property
    def places(self) -> tuple[np.ndarray, ...]:
        """For each axis the cells of the lattice that this rank holds, in their order; those around the corner by their own numbers."""
        return self.reached(0)

    def reached(self, more: int) -> tuple[np.ndarray, ...]:
        """The same with so many cells more at the ends that have ghosts."""
        ends = self.held[self.ranks.rank] + self.open * (-more, more)
        return tuple(np.arange(*end) % n for end, n in zip(ends.tolist(), self.shape, strict=True))

    @cached_property
    def open(self) -> np.ndarray:
        """Whether there are ghosts at the lower and the upper end of each axis, (p, 2)."""
        return np.asarray(self.held[self.ranks.rank] != self.part)

    @cached_property
    def wraps(self) -> tuple[bool, ...]:
        """Which axes wrap around within what this rank holds."""
        return tuple(wrap and count == 1 for wrap, count in zip(self.periodic, self.counts, strict=True))

    def at_ends(self) -> np.ndarray:
        """Whether the part reaches the lower and the upper end of each axis, (p, 2)."""
        return np.asarray(self.part == np.array([(0, n) for n in self.shape]))

    def own(self, values: np.ndarray, axes: Sequence[int] | None = None) -> np.ndarray:
        """The cells without ghosts, of values (n_1, …, n_p), or with these axes in their order; a view."""
        result: np.ndarray = values[tuple(self.inside[axis] for axis in axes or range(len(self.shape)))]
        return result

    def halo(self, axes: Sequence[int]) -> Redistribution:
        """What fills the ghosts of arrays whose axes lie in this order; it is given their own cells and all."""
        order = list(axes)
        periods = [self.shape[k] if self.periodic[k] and self.counts[k] > 1 else 0 for k in order]
        return Redistribution(self.ranks, self.parts[:, order], self.held[:, order], periods, in_place=True)

    def whole(self) -> Whole:
        """For each rank the box of all cells, (P, p, 2)."""
        result: Whole = np.repeat([[(0, n) for n in self.shape]], self.ranks.size, axis=0)
        return result

    def pencils(self, axis: int) -> Whole:
        """Boxes in which an axis is whole, (P, p, 2): the parts, where it is so in these; else others, of which some may be empty."""
        if self.counts[axis] == 1:
            return self.parts
        shape = tuple(1 if k == axis else n for k, n in enumerate(self.shape))
        fewer = next(found for size in range(self.ranks.size, 0, -1) if (found := fewest_faces(size, shape, 1, None)))
        result = np.zeros_like(self.parts)
        result[: math.prod(fewer)] = boxes(self.shape, fewer)
        return result


def counts_of(ranks: int, shape: tuple[int, ...], last: int) -> tuple[int, ...]:
    """Into how many parts of LEAST cells or more each axis is cut; the axis `last` only where the others are too short."""
    found = fewest_faces(ranks, shape, LEAST, last) or fewest_faces(ranks, shape, LEAST, None)
    if found is None:
        cells = " × ".join(map(str, shape))
        raise InputError(
            f"{cells} cells cannot be divided among {ranks} processes, each with {LEAST} or more along an axis that is cut: take fewer "
            "processes, or more cells"
        )
    return found


def fewest_faces(ranks: int, shape: tuple[int, ...], least: int, whole: int | None) -> tuple[int, ...] | None:
    """The numbers of parts along each axis, `ranks` in all, with the fewest faces between parts of at least so many cells; None if none."""
    size = math.prod(shape)
    best = None
    for counts in factors(ranks, len(shape)):
        if all(count == 1 or (axis != whole and n // count >= least) for axis, (n, count) in enumerate(zip(shape, counts, strict=True))):
            faces = sum((count - 1) * size // n for n, count in zip(shape, counts, strict=True))
            best = min(best or (faces, counts), (faces, counts), key=lambda found: (found[0], [-count for count in found[1]]))
    return None if best is None else best[1]


def factors(number: int, count: int) -> Iterator[tuple[int, ...]]:
    """All ways to write a number as a product of so many factors, in their order."""
    if count == 1:
        yield (number,)
        return
    for first in range(1, number + 1):
        if number % first == 0:
            for rest in factors(number // first, count - 1):
                yield first, *rest


def boxes(shape: Sequence[int], counts: Sequence[int]) -> Whole:
    """Equal parts of all cells, as equal as whole numbers are, (P, p, 2), in the order of MPI's Cartesian topologies."""
    cuts = [[(k * n // count, (k + 1) * n // count) for k in range(count)] for n, count in zip(shape, counts, strict=True)]
    return np.array(list(itertools.product(*cuts)), dtype=np.int64).reshape(-1, len(shape), 2)
