"""Changes to files are whole or absent: pages are a file, and wherever a write fails, is torn or is the last thing before a kill, what was
there is as it was, and the next attempt leaves nothing behind.
"""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from faulty import Faulty
from hypothesis import given, settings
from hypothesis import strategies as st

import wgf
from wgf.runs import transaction
from wgf.runs.hdf5 import begin, opened
from wgf.runs.signals import BetweenSteps, Stopped, obeying_afterwards, restore, stop
from wgf.runs.transaction import PAGE, Pages

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 3 * PAGE), st.binary(min_size=1, max_size=200)),
        st.tuples(st.just("long"), st.integers(0, 2 * PAGE), st.integers(1, 2 * PAGE)),
        st.tuples(st.just("truncate"), st.integers(0, 4 * PAGE), st.none()),
        st.tuples(st.just("read"), st.integers(0, 4 * PAGE), st.integers(1, 2 * PAGE)),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(OPERATIONS, st.integers(0, 2 * PAGE))
def test_pages_are_a_file(tmp_path_factory, operations, size):
    """As a BytesIO is, beside a file that is not touched."""
    old = np.random.default_rng(size).bytes(size)
    path = tmp_path_factory.mktemp("pages") / "old"
    path.write_bytes(old)
    pages, twin = Pages(path), io.BytesIO(old)
    for kind, place, what in operations:
        for file in (pages, twin):
            file.seek(place)
        if kind == "read":
            assert pages.read(what) == twin.read(what)
        elif kind == "truncate":
            pages.truncate(place)
            if place > len(twin.getvalue()):
                twin.seek(place - 1)
                twin.write(b"\0")
            twin.truncate(place)
        else:
            data = what if kind == "write" else bytes(what)
            assert pages.write(data) == twin.write(data)
    pages.put(path.with_name("new"))
    pages.close()
    assert path.with_name("new").read_bytes() == twin.getvalue()
    assert path.read_bytes() == old


def small(path: Path) -> None:
    with begin(path) as file:
        file["numbers"] = np.arange(5.0)
        file.create_dataset("rows", (0, 300), "f8", maxshape=(None, 300), chunks=(1, 300))


def add_row(path: Path, k: int) -> None:
    with opened(path) as file:
        file["rows"].resize(k + 1, axis=0)
        file["rows"][k] = k


@pytest.mark.parametrize("how", ["once", "torn"])
@pytest.mark.parametrize("position", range(1, 9))
def test_a_write_that_fails_changes_nothing(position, how, tmp_path, monkeypatch):
    path = tmp_path / "file.h5"
    small(path)
    add_row(path, 0)
    before = path.read_bytes()
    faulty = Faulty(position, how)
    monkeypatch.setattr(transaction, "os", faulty)
    if failed := faulty_call(path):
        assert path.read_bytes() == before
        assert "No space left" in failed
    monkeypatch.undo()
    assert [each.name for each in tmp_path.iterdir()] == ["file.h5"]
    with h5py.File(path) as file:
        assert len(file["rows"]) == (1 if failed else 2)
        assert np.array_equal(file["rows"][:, 0], np.arange(len(file["rows"])))
    assert failed or faulty.calls < position


def faulty_call(path: Path) -> str:
    """What is said where adding a row fails."""
    try:
        add_row(path, 1)
    except wgf.RunError as error:
        return str(error)
    return ""


CHILD = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from faulty import Faulty
from test_transactions import add_row
from wgf.runs import transaction
transaction.os = Faulty(int(sys.argv[2]), "kill")
add_row(Path(sys.argv[1]), 1)
"""


@pytest.mark.parametrize("position", range(1, 7))
def test_a_kill_at_any_write_leaves_the_file_as_it_was_or_as_it_will_be(position, tmp_path):
    path = tmp_path / "file.h5"
    small(path)
    add_row(path, 0)
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    ended = subprocess.run([sys.executable, "-c", CHILD, str(path), str(position), *folders], check=False, capture_output=True)
    with h5py.File(path) as file:
        assert len(file["rows"]) == (1 if ended.returncode == 9 else 2)
    add_row(path, 1)
    with h5py.File(path) as file:
        assert np.array_equal(file["rows"][:, 0], [0, 1])


def test_who_reads_is_not_disturbed_and_disturbs_nobody(tmp_path):
    path = tmp_path / "file.h5"
    small(path)
    with h5py.File(path) as before:
        add_row(path, 0)
        assert len(before["rows"]) == 0
    with h5py.File(path) as after:
        assert len(after["rows"]) == 1


def test_a_full_disk_is_foreseen(tmp_path, monkeypatch):
    path = tmp_path / "file.h5"
    small(path)
    before = path.read_bytes()
    monkeypatch.setattr(transaction.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 1000})())
    with pytest.raises(wgf.RunError, match=r"the disk is full: .* free some space"):
        add_row(path, 0)
    assert path.read_bytes() == before


def test_signals_wait_for_the_end():
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}  # the one may be ignored
    seen = []

    def in_a_transaction():
        with obeying_afterwards():
            signal.raise_signal(signal.SIGTERM)
            seen.append("went on")

    def in_a_step():
        with BetweenSteps() as signals:
            signal.raise_signal(signal.SIGINT)
            seen.append("went on")
            with pytest.raises(KeyboardInterrupt):  # a second one does not wait
                signal.raise_signal(signal.SIGINT)
            signals.obey()

    try:
        for inside, number in ((in_a_transaction, signal.SIGTERM), (in_a_step, signal.SIGINT)):
            with pytest.raises(Stopped) as ended:
                inside()
            assert ended.value.number == number
        assert seen == ["went on", "went on"]
    finally:
        restore(before)
