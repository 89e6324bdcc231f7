"""Parts of a lattice and what moves between them, with all ranks in one process: a mailbox stands for MPI."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgf.errors import InputError
from wgf.kernels import transport
from wgf.ranks.communicator import ALONE
from wgf.ranks.decomposition import GHOSTS, LEAST, Decomposition, boxes, counts_of
from wgf.ranks.redistribution import Redistribution


class Mailbox:
    """One of several communicators that share their messages; all are sent before one is waited for."""

    def __init__(self, rank, messages):
        self.rank, self.messages = rank, messages

    def Isend(self, buffer, dest):
        self.messages[self.rank, dest] = buffer.copy()
        return self

    def Irecv(self, buffer, source):
        return Letter(self.messages, (source, self.rank), buffer)

    def Wait(self):
        """Sent."""


class Letter:
    def __init__(self, messages, key, buffer):
        self.messages, self.key, self.buffer = messages, key, buffer

    def Wait(self):
        self.buffer[...] = self.messages.pop(self.key)


class FakeRanks:
    """One of `size` ranks in this process."""

    def __init__(self, rank, size, messages):
        self.rank, self.size, self.communicator = rank, size, Mailbox(rank, messages)


def all_ranks(size):
    messages = {}
    return [FakeRanks(rank, size, messages) for rank in range(size)]


def at_once(ways, sources, targets):
    """Start all of them, then finish all."""
    for way, source, target in zip(ways, sources, targets, strict=True):
        way.start(source, target)
    for way in ways:
        way.finish()


def wrapped(box, shape):
    """The indices of the cells of a box, around the corners."""
    return np.ix_(*(np.arange(*ends) % n for ends, n in zip(box.tolist(), shape, strict=True)))


LATTICES = st.integers(1, 4).flatmap(
    lambda p: st.tuples(
        st.lists(st.integers(1, 14), min_size=p, max_size=p).map(tuple),
        st.lists(st.booleans(), min_size=p, max_size=p),
        st.integers(1, 6),
        st.integers(0, p - 1),
        st.integers(0, 2**32 - 1),
    )
)


def divided(lattice):
    """All ranks' decompositions of a lattice, or none where it is too small."""
    shape, periodic, size, last, _ = lattice
    try:
        return [Decomposition(ranks, shape, periodic, last) for ranks in all_ranks(size)]
    except InputError:
        return []


@given(lattice=LATTICES)
def test_each_cell_is_one_ranks_own(lattice):
    shape, _, size, *_ = lattice
    owners = np.zeros(shape, dtype=int)
    for division in divided(lattice):
        owners[tuple(slice(*ends) for ends in division.part)] += 1
        assert math.prod(division.counts) == size
        assert all(count == 1 or n // count >= LEAST for n, count in zip(shape, division.counts, strict=True))
        assert division.local == tuple(map(len, division.places))
    assert (owners == 1).all() or not divided(lattice)


@given(lattice=LATTICES)
def test_ghosts_are_what_their_owners_have(lattice):
    """In any order of the axes; a rank's own cells stay."""
    shape, periodic, *_, seed = lattice
    rng = np.random.default_rng(seed)
    whole, order = rng.normal(size=shape), rng.permutation(len(shape)).tolist()
    divisions = divided(lattice)
    arrays = [np.full([division.local[k] for k in order], np.nan) for division in divisions]
    for division, array in zip(divisions, arrays, strict=True):
        division.own(array, order)[...] = whole[tuple(slice(*ends) for ends in division.part)].transpose(order)
    ways = [division.halo(order) for division in divisions]
    for _ in range(2):  # buffers are used again
        sources = [division.own(array, order) for division, array in zip(divisions, arrays, strict=True)]
        at_once(ways, sources, arrays)
        for division, array in zip(divisions, arrays, strict=True):
            assert np.array_equal(array, whole[np.ix_(*division.places)].transpose(order))
            for axis, (n, wrap) in enumerate(zip(shape, periodic, strict=True)):
                part, held = division.part[axis], division.held[division.ranks.rank][axis]
                if division.counts[axis] > 1:
                    assert held[0] == (part[0] - GHOSTS if wrap else max(part[0] - GHOSTS, 0))
                    assert held[1] == (part[1] + GHOSTS if wrap else min(part[1] + GHOSTS, n))
        whole += 1.0
        for array in arrays:
            array += 1.0


@given(lattice=LATTICES)
def test_lines_are_whole_and_there_and_back_nothing_changes(lattice):
    shape, _, size, *_, seed = lattice
    whole = np.random.default_rng(seed).normal(size=shape)
    divisions = divided(lattice)
    for axis in range(len(shape) if divisions else 0):
        parts, pencils = divisions[0].parts, divisions[0].pencils(axis)
        full = np.diff(pencils[:, axis])[:, 0] == shape[axis]
        assert (full | (np.diff(pencils, axis=2)[:, :, 0] == 0).any(axis=1)).all()
        own = [whole[wrapped(part, shape)] for part in parts]
        there = [Redistribution(ranks, parts, pencils) for ranks in all_ranks(size)]
        ranks = all_ranks(size)
        there = [Redistribution(each, parts, pencils) for each in ranks]
        on_lines = [np.zeros(way.shape) for way in there]
        at_once(there, own, on_lines)
        for values, box in zip(on_lines, pencils, strict=True):
            assert np.array_equal(values, whole[wrapped(box, shape)])
        back = [Redistribution(each, pencils, parts) for each in ranks]
        again = [np.zeros(way.shape) for way in back]
        at_once(back, on_lines, again)
        assert all(np.array_equal(values, before) for values, before in zip(again, own, strict=True))


def test_a_window_that_moves_keeps_its_cells_and_new_ones_are_empty():
    old, new = boxes((9, 8), (2, 2)) + np.array([[3], [-2]]), boxes((8, 11), (4, 1)) + np.array([[5], [-4]])
    lattice = np.random.default_rng(0).normal(size=(30, 30))
    values = [lattice[tuple(slice(low + 10, high + 10) for low, high in box)] for box in old]
    ways = [Redistribution(ranks, old, new) for ranks in all_ranks(4)]
    found = [np.zeros(way.shape) for way in ways]
    at_once(ways, values, found)
    expected = np.zeros((30, 30))
    expected[13:22, 8:16] = lattice[13:22, 8:16]
    for box, part in zip(new, found, strict=True):
        assert np.array_equal(part, expected[tuple(slice(low + 10, high + 10) for low, high in box)])


def test_axes_are_cut_where_the_fewest_faces_are():
    assert counts_of(4, (128, 128, 128), 2) == (2, 2, 1)
    assert counts_of(2, (100, 200), 1) == (2, 1)  # rows stay whole
    assert counts_of(4, (400, 20, 20), 2) == (4, 1, 1)
    assert counts_of(8, (8, 64), 1) == (1, 8)  # too few rows
    assert counts_of(3, (9,), 0) == (3,)


def test_too_few_cells_are_refused():
    with pytest.raises(InputError, match=r"5 × 4 cells cannot be divided among 3 processes, each with 3 or more .* take fewer"):
        counts_of(3, (5, 4), 1)


def test_alone_all_cells_are_ones_own():
    division = Decomposition(ALONE, (5, 4), (True, False), 1)
    values = np.arange(20.0).reshape(5, 4)
    assert not division.divided
    assert division.wraps == (True, False)
    assert np.shares_memory(division.own(values), values)
    assert division.own(values).shape == division.local == (5, 4)
    assert not division.open.any()


def test_ghosts_are_as_many_as_fluxes_take():
    assert GHOSTS == transport.GHOSTS
