"""Runs that are killed, interrupted, out of disk or beside others: what is on file is whole, and goes on bit by bit.

The instants are drawn by chance, with a seed; the long form is what the short one is, many times.
"""

import contextlib
import math
import multiprocessing
import os
import resource
import shutil
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from checks import same_numbers
from children import HANG
from faulty import Faulty
from method_cases import ALL

import wgf
from wgf.runs import transaction
from wgf.runs.files import beginning
from wgf.runs.observers import writer
from wgf.runs.signals import ENDING, Stopped, restore, stop

pytestmark = pytest.mark.coarse
DENSE = {"until": 0.4, "save": 41}
SHORT = ("finite-volume transport", "particles noise")  # methods
OBEYED = 2.0  # seconds, in which a signal is to be obeyed (printed, not asserted)


class Saying:
    """An observer that says through a pipe that the run has begun."""

    def __init__(self, end):
        self.end = end

    def frame(self, frame):
        if self.end:
            self.end.send("begun")
            self.end = None

    def step(self, diagnostics): ...

    def close(self, error): ...


def solve_case(name, path, end, **options):
    """In a process of its own, with a transaction at each frame; signals end it as they end the command."""
    writer.SHARE = math.inf
    for number in ENDING:
        signal.signal(number, stop)
    try:
        ALL[name].solved(**DENSE, store=path, observers=[Saying(end)], **options)
    except Stopped as stopped:
        os._exit(128 + stopped.number)


def solve_limited(name, path, most):
    """No file may become longer than so many bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    writer.SHARE = math.inf
    try:
        ALL[name].solved(**DENSE, store=path)
    except wgf.NoSpace:
        os._exit(1)


@pytest.fixture(scope="module")
def started():
    """Start a function in a new process; whatever is left at the end is killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["method_cases", "wgf.runs.solve", __name__])
    processes = []

    def start(function, *arguments, **options):
        processes.append(context.Process(target=function, args=arguments, kwargs=options, daemon=True))
        processes[-1].start()
        return processes[-1]

    start.pipe = context.Pipe
    yield start
    for process in processes:
        process.kill()
        process.join()


def whole_run(name, folder):
    """The run without an end between, and how long it took."""
    path = folder / f"{name.replace(' ', '_').replace(',', '')}.h5"
    if not path.exists():
        begun = time.perf_counter()
        with mended(writer, SHARE=math.inf):
            ALL[name].solved(**DENSE, store=path)
        path.with_suffix(".seconds").write_text(str(time.perf_counter() - begun))
    return path, float(path.with_suffix(".seconds").read_text())


@contextlib.contextmanager
def mended(module, **values):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setattr(module, name, value)
        yield


def is_whole(path, name, rows=None):
    """Readable by wgf and by h5py, with complete frames; how many."""
    run = wgf.open_run(path, ALL[name].problem)
    with h5py.File(path) as file:
        series = {each: len(file[each]) for each in ("time", "loss", "density", "position", "mean") if each in file}
    assert set(series.values()) == {len(run.times)}
    assert all(np.isfinite(measure.masses).all() for measure in run.measures)
    return run


def leaves_nothing(folder, *names):
    assert {each.name for each in folder.iterdir()} == set(names)


def killed_and_resumed(name, rng, started, whole, folder):
    """Kill −9 at an instant drawn by chance, and again while the run goes on."""
    expected, seconds = whole
    path = folder / "run.h5"
    for resume in (False, True):
        here, there = started.pipe()
        process = started(solve_case, name, path, there, resume=resume)
        there.close()
        with contextlib.suppress(EOFError):
            assert here.poll(HANG)
            here.recv()
            time.sleep(rng.uniform(0.0, 1.1 * seconds))
        process.kill()
        process.join()
        if path.exists():
            assert is_whole(path, name).status in ("interrupted", "complete")
    with mended(writer, SHARE=math.inf):
        ALL[name].solved(**DENSE, store=path, resume=True)
    same_numbers(expected, path)
    leaves_nothing(folder, "run.h5")
    path.unlink()


@pytest.mark.parametrize("name", [SHORT[0], pytest.param(SHORT[1], marks=pytest.mark.long)])
def test_kills_at_random_instants(name, started, tmp_path, tmp_path_factory):
    """What was on file goes on to the same numbers; half-made files of the dead are gone."""
    killed_and_resumed(name, np.random.default_rng(1), started, whole_run(name, tmp_path_factory.mktemp("whole")), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", ALL)
def test_many_kills_at_random_instants(name, started, tmp_path, tmp_path_factory):
    rng, whole = np.random.default_rng(len(name)), whole_run(name, tmp_path_factory.mktemp("whole"))
    for _ in range(3):  # of two kills each
        killed_and_resumed(name, rng, started, whole, tmp_path)


def signalled_and_resumed(name, number, rng, started, whole, folder):
    """A signal at an instant drawn by chance; returns how long it took to be obeyed."""
    expected, seconds = whole
    path = folder / "run.h5"
    here, there = started.pipe()
    process = started(solve_case, name, path, there)
    there.close()
    assert here.poll(HANG)
    here.recv()
    time.sleep(rng.uniform(0.0, 0.8 * seconds))
    begun = time.perf_counter()
    with contextlib.suppress(ProcessLookupError):  # it may be complete, since the run without an end was timed while it was compiled
        os.kill(process.pid, number)
    process.join()
    took = time.perf_counter() - begun
    run = is_whole(path, name)
    assert (process.exitcode, run.status) in ((128 + number, "interrupted"), (0, "complete"))
    with h5py.File(path) as file:
        assert "checkpoint" in file
    with mended(writer, SHARE=math.inf):
        ALL[name].solved(**DENSE, store=path, resume=True)
    same_numbers(expected, path)
    leaves_nothing(folder, "run.h5")
    path.unlink()
    return took


@pytest.mark.parametrize("number", ENDING[:1])
def test_signals_at_random_instants(number, started, tmp_path, tmp_path_factory):
    """Obeyed after the step, with a checkpoint and the exit status of the signal."""
    whole = whole_run(SHORT[0], tmp_path_factory.mktemp("whole"))
    signalled_and_resumed(SHORT[0], number, np.random.default_rng(number), started, whole, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("number", ENDING)
def test_many_signals_at_random_instants(number, started, tmp_path, tmp_path_factory):
    rng, folder, took = np.random.default_rng(number), tmp_path_factory.mktemp("whole"), []
    for k in range(20):
        name = list(ALL)[k * len(ALL) // 20]
        took.append(signalled_and_resumed(name, number, rng, started, whole_run(name, folder), tmp_path))
    in_time = sum(each <= OBEYED for each in took)
    print(f"\n{signal.Signals(number).name}: after {max(took):.2f} s at most, {in_time} of 20 within {OBEYED} s")


KINDS = ("finite-volume transport", "finite-volume growing", "particles flow", "fipy flow", "jko scaling")  # of frames
FEW = {"until": 0.4, "save": 4}
KILLS = ("kill", "killed")


def solve_with_a_fault(name, path, position, how):
    """The run whose n-th change of a file goes wrong; returns how many there were, or ends the process with the status of the command."""
    with mended(writer, SHARE=math.inf), mended(transaction, os=Faulty(position, how)):
        ALL[name].solved(**FEW, store=path)
        return transaction.os.calls


def try_fault(name, expected, position, how, started, folder):
    """A run whose n-th change of a file goes wrong, and what is on file then; it goes on to the same numbers."""
    path, case = folder / "run.h5", (name, position, how)
    status = 0
    if how in KILLS:
        process = started(solve_with_a_fault, name, path, position, how)
        process.join()
        status = process.exitcode
    else:
        before = {signal.SIGTERM: signal.signal(signal.SIGTERM, stop)}
        try:
            solve_with_a_fault(name, path, position, how)
        except Stopped as stopped:
            status = 128 + stopped.number
        except wgf.NoSpace:
            status = 1
        finally:
            restore(before)
    expecting = {"signal": (0, 143), "kill": (9,), "killed": (9,)}.get(how, (1,))
    assert status in expecting, (case, status)
    if path.exists():
        run = is_whole(path, name)
        assert run.status in (("complete",) if status == 0 else ("complete", "interrupted", "failed")), case
        if run.status == "complete":
            same_numbers(expected, path)
    with mended(writer, SHARE=math.inf):
        ALL[name].solved(**FEW, store=path, resume=True)
    same_numbers(expected, path)
    leaves_nothing(folder, "run.h5")
    path.unlink()


@pytest.mark.parametrize("how", ["once", "on", "torn", "signal", "kill"])
def test_a_write_goes_wrong(how, started, tmp_path, tmp_path_factory):
    expected = tmp_path_factory.mktemp("whole") / "run.h5"
    positions = solve_with_a_fault(KINDS[0], expected, 0, how)
    for position in (2, positions // 2, positions):
        try_fault(KINDS[0], expected, position, how, started, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("how", ["once", "on", "torn", "signal", "kill", "killed"])
@pytest.mark.parametrize("name", KINDS)
def test_every_write_goes_wrong(name, how, started, tmp_path, tmp_path_factory):
    expected = tmp_path_factory.mktemp("whole") / "run.h5"
    positions = solve_with_a_fault(name, expected, 0, how)
    for position in range(1, positions + 1):
        try_fault(name, expected, position, how, started, tmp_path)
    print(f"\n{name}, {how}: {positions} positions")


@pytest.mark.parametrize("share", [pytest.param(0.7, marks=pytest.mark.long), 0.9])
def test_a_file_that_may_not_grow(share, started, tmp_path, tmp_path_factory):
    """A real limit of the system: one failure by name, the frames before are kept, and with room it goes on."""
    name = SHORT[0]
    expected, _ = whole_run(name, tmp_path_factory.mktemp("whole"))
    path = tmp_path / "run.h5"
    process = started(solve_limited, name, path, int(share * expected.stat().st_size))
    process.join()
    assert process.exitcode == 1
    assert 1 <= len(is_whole(path, name).times) < DENSE["save"]
    leaves_nothing(tmp_path, "run.h5")
    with mended(writer, SHARE=math.inf):
        ALL[name].solved(**DENSE, store=path, resume=True)
    same_numbers(expected, path)


def test_room_is_made_in_the_same_session(tmp_path, tmp_path_factory, monkeypatch):
    """The run has ended for whoever asks, though its process has not, and goes on."""
    name, path = SHORT[0], tmp_path / "run.h5"
    expected, _ = whole_run(name, tmp_path_factory.mktemp("whole"))
    free = shutil.disk_usage
    with mended(writer, SHARE=math.inf):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=path.stat().st_size if path.exists() else 2**30))
        with pytest.raises(wgf.NoSpace, match="free some space"):
            ALL[name].solved(**DENSE, store=path)
        assert is_whole(path, name).status == "interrupted"
        monkeypatch.setattr(shutil, "disk_usage", free)
        ALL[name].solved(**DENSE, store=path, resume=True)
    same_numbers(expected, path)


def test_what_the_dead_have_left_is_removed(started, tmp_path):
    """Half-made files of a process that is no more, and no others."""
    process = started(os.getpid)
    process.join()
    target = tmp_path / "run.h5"
    own = beginning(target)
    dead, other = (own.with_name(own.name.replace(str(os.getpid()), each)) for each in (str(process.pid), "word"))
    for each in (own, dead, other):
        each.touch()
    ALL[SHORT[0]].solved(store=target)
    leaves_nothing(tmp_path, "run.h5", other.name)


def test_a_second_run_into_the_same_file_is_refused(started, tmp_path):
    """While the first one runs, and when another file has come to its place."""
    name, path = SHORT[0], tmp_path / "run.h5"
    here, there = started.pipe()
    process = started(solve_case, name, path, there)
    assert here.poll(HANG)
    os.kill(process.pid, signal.SIGSTOP)
    before = path.read_bytes()
    for options, kind in (({}, wgf.InUse), ({"resume": True}, wgf.InUse)):
        with pytest.raises(kind, match="is being written by another process"):
            ALL[name].solved(**DENSE, store=path, **options)
    assert path.read_bytes() == before
    os.kill(process.pid, signal.SIGCONT)
    process.join()
    assert process.exitcode == 0
    assert is_whole(path, name).status == "complete"


def test_a_run_whose_file_was_replaced_stops(tmp_path):
    """By one that was told to: it keeps its hands off, and says so."""
    name, path = SHORT[0], tmp_path / "run.h5"

    class Replacing(Saying):
        def frame(self, frame):
            if frame.diagnostics.time > 0.2 and self.end:
                self.end = None
                ALL[name].solved(store=path, overwrite=True)

    with mended(writer, SHARE=math.inf), pytest.raises(wgf.RunError, match="is another run's by now"):
        ALL[name].solved(**DENSE, store=path, observers=[Replacing(True)])
    run = is_whole(path, name)
    assert (run.status, len(run.times)) == ("complete", 3)


def polling(path, stop_at):
    """Open and read the file again and again until it is complete; no frame is lost from one look to the next."""
    seen = 0
    while True:
        with contextlib.suppress(FileNotFoundError), h5py.File(path, "r") as file:
            frames = len(file["time"])
            assert frames >= seen
            assert np.isfinite(file["density"][-1]).all()
            seen = frames
            if file.attrs["status"] == "complete":
                break
    os._exit(0 if seen == stop_at else 3)


def test_readers_that_poll_and_one_that_holds_the_file(started, tmp_path):
    """Nobody waits for anybody, and no frame is lost."""
    name, path = SHORT[0], tmp_path / "run.h5"
    readers = [started(polling, path, 41) for _ in range(4)]

    class Holding(Saying):
        held = None

        def frame(self, frame):
            if self.held is None and Path(path).exists():
                self.held = h5py.File(path, "r")

    holder = Holding(None)
    with mended(writer, SHARE=math.inf):
        ALL[name].solved(**DENSE, store=path, observers=[holder])
    assert len(holder.held["time"]) < 41
    holder.held.close()
    for reader in readers:
        reader.join()
        assert reader.exitcode == 0


@pytest.mark.long
def test_eight_runs_into_eight_files(started, tmp_path):
    name = SHORT[0]
    ends = [started.pipe() for _ in range(8)]
    processes = [started(solve_case, name, tmp_path / f"{k}.h5", there) for k, (_, there) in enumerate(ends)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    for k in range(1, 8):
        assert is_whole(tmp_path / f"{k}.h5", name).status == "complete"
        same_numbers(tmp_path / "0.h5", tmp_path / f"{k}.h5")
    leaves_nothing(tmp_path, *(f"{k}.h5" for k in range(8)))
