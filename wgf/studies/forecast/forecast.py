"""What a run will cost, from its own first steps and a pilot with less (pilot.py): nothing is written.

Memory is that of the first steps and frames as Python and NumPy allocate it (tracemalloc), with the frames that wait to be written, and
beside it the program itself: what else the process holds, Python and its libraries and the compiled loops.
"""

from __future__ import annotations

import ctypes
import gc
import time
import tracemalloc
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

from wgf.measures.measure import Cloud, Density, MeshDensity
from wgf.methods.base import Frame, State, check_growth, check_method, check_ranks, check_rest
from wgf.problems.problem import Problem, check_problem
from wgf.ranks.communicator import current
from wgf.runs.observers.writer import SHARE, WAITING
from wgf.runs.rest import Rest, as_end
from wgf.runs.solve import save_times
from wgf.studies.forecast.arithmetic import Arithmetic, arithmetic
from wgf.studies.forecast.course import followed, innermost
from wgf.studies.forecast.pilot import Expected, expected, piloted
from wgf.studies.forecast.smaller import ladder
from wgf.studies.theory.density_error import unheard

PROBE, PILOT = 2.0, 4.0  # seconds for the run's own steps, and for the pilot
LEAST_STEPS = 3
PIECES, PIECE = 64, 2**13  # numbers of a frame that are compressed to see how long that takes, from all over it
COPIES = 2.0  # of a frame that is being written
PASSED_ON = 2  # copies of a frame that HDF5 makes of it, a chunk as it is and one that is shuffled, where Python does not see them
FILE = 0.1  # seconds, to make one, and to read from it at the end
TRANSACTION = 0.01  # seconds, of an empty one
INSTANT = 1e-6  # seconds
NUMBER = 8  # bytes


@dataclass(frozen=True)
class Forecast:
    """What a run will cost.

    method      as it is bound: with its cells, its box, its steps
    points      of a `kind`, cells or points; `active` of them are looked at in the first steps
    rank        of the kernel; 0 where it has none
    arrays, program   bytes of memory, the most at a time
    file        bytes of the file, before it is compressed
    step        bytes and operations of a step; None where they are not counted
    expected    the end, steps, and seconds in steps and frames (pilot.py)
    begun       seconds before the first step
    written     seconds for the file
    ranks       processes that share the run; all numbers but points are those of the one that has most
    """

    method: str
    kind: str
    points: int
    active: int
    rank: int
    arrays: float
    program: float
    file: float
    step: Arithmetic | None
    expected: Expected
    begun: float
    written: float
    ranks: int

    @property
    def seconds(self) -> float:
        """From the beginning to the end of the run."""
        return self.begun + self.expected.seconds + self.expected.frames + self.written


def forecast(
    problem: Problem, method: Any, until: float | str | Rest, save: int | Sequence[float] = 11, probe: float = PROBE, pilot: float = PILOT
) -> Forecast:
    """The costs of solve(problem, method, until, save, store=…), after `probe` and `pilot` seconds; later where LEAST_STEPS take longer.

    Raises InputError where a run would.
    """
    check_problem(problem)
    check_method(method)
    end = as_end(until)
    times = save_times(end, save)
    check_growth(problem, method)
    if isinstance(end, Rest):
        check_rest(problem, method)
    check_ranks(method, ranks := current())
    with unheard(), np.errstate(all="ignore"):
        held = _Held.of(problem, method, times[-1])
        start = time.perf_counter()
        state = held.stepper.start()
        begun = held.seconds + time.perf_counter() - start
        course = followed(held.stepper, state, end, times[1:], probe, LEAST_STEPS, lands=True)
        rungs = [] if course.whole else ladder(problem, method, times[-1], state.array.size * ranks.size)
        start = time.perf_counter()
        ahead = ranks.by_first(lambda: piloted(problem, rungs, end, times[1:], pilot))
        if not course.whole:  # the seconds that the pilot has left
            course = followed(held.stepper, state, end, times[1:], pilot - (time.perf_counter() - start), course=course, lands=True)
        found = expected(course, ahead, times)
    packed, writing = _packed(held.frame)
    frames = len([stop for stop in times if stop <= found.end])
    arrays = held.most(found, times[1:frames], writing) + packed
    scheme, measure = innermost(held.stepper), held.frame.measure
    active = course.points[0] if hasattr(scheme, "active") else float(measure.masses.size)
    counted = np.array([float(measure.masses.size), active])
    if isinstance(measure, Density):  # of which each rank has a part; points are on all of them
        ranks.sum(counted)
    return Forecast(
        method=str(held.stepper.facts.get("method_summary", method)),
        kind="points" if isinstance(measure, Cloud) else "cells",
        points=int(counted[0]),
        active=int(counted[1]),
        rank=int(held.stepper.facts.get("kernel_rank", 0)),
        arrays=ranks.highest(arrays),
        program=ranks.highest(held.program + max(0.0, held.steps + held.free - arrays) + PASSED_ON * _values(held.frame).nbytes),
        file=float((frames + 1) * NUMBER * counted[0] * (measure.points.shape[1] if isinstance(measure, Cloud) else 1)),
        step=arithmetic(held.stepper, float(np.mean(course.points))),
        expected=found,
        begun=begun,
        written=FILE + writing * frames,
        ranks=ranks.size,
    )


@dataclass(frozen=True)
class _Held:
    """A stepper, its first frame, and the memory that it takes: `now`, at most until it was `made`, and at most in `steps`; the rest of
    the process, the `program`; and what the process keeps `free` after a step, which frames that wait may have. `seconds` are those in
    which it was bound, and in which what it needs is loaded and compiled.
    """

    stepper: Any
    frame: Frame
    seconds: float
    now: float
    made: float
    steps: float
    program: float
    free: float

    def most(self, found: Expected, times: Sequence[float], writing: float) -> float:
        """The most bytes along a course with frames at these times, of which each is written in so many seconds.

        They wait as in runs/observers/writer.py, are copied once where they are written, and have as many cells as there are at a time.
        """
        course, most, waiting, last, took = found.course, max(self.made, self.steps), 0, 0.0, TRANSACTION
        cells = np.array(course.cells, dtype=float)
        places = np.clip(np.searchsorted(course.starts, times) - 1, 0, None)
        size, largest = float(_values(self.frame).nbytes), float(cells[0])
        for place, arrival in zip(places, found.arrivals, strict=False):
            growth, largest = cells[place] / cells[0], max(largest, float(cells[place]))
            frame = max(size, NUMBER * largest) if isinstance(self.frame.measure, Density) else size
            most, waiting = max(most, self.steps * growth + waiting * frame), waiting + 1
            if arrival - last >= took / SHARE or waiting * frame > WAITING or arrival == found.arrivals[-1]:
                most = max(most, self.now * growth + COPIES * waiting * frame + NUMBER * cells[place])
                waiting, last, took = 0, arrival, TRANSACTION + waiting * writing
        return most

    @classmethod
    def of(cls, problem: Problem, method: Any, until: float) -> _Held:
        """After a step; another one before, as what is loaded and compiled for it belongs to the program."""
        start = time.perf_counter()
        stepper, state, _, _ = _made(problem, method, until)
        _step(stepper, state, until)
        first = time.perf_counter() - start
        del stepper, state
        _give_back()
        tracemalloc.start()
        try:
            start = time.perf_counter()
            stepper, state, frame, seconds = _made(problem, method, until)
            made = tracemalloc.get_traced_memory()[1]
            tracemalloc.reset_peak()
            _step(stepper, state, until)
            seconds += max(0.0, first - (time.perf_counter() - start))
            now, steps = tracemalloc.get_traced_memory()
            held = psutil.Process().memory_info().rss
            _give_back()
            program = psutil.Process().memory_info().rss - now
        finally:
            tracemalloc.stop()
        return cls(stepper, frame, seconds, float(now), float(made), float(steps), float(program), float(held - now - program))


def _give_back() -> None:
    """Let the system have what is free: what has been an array in glibc's heap would count as a part of the program otherwise."""
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):  # not of this system
        ctypes.CDLL(None).malloc_trim(0)


def _made(problem: Problem, method: Any, until: float) -> tuple[Any, State, Frame, float]:
    """A stepper, its first state and frame, and the seconds in which it was bound."""
    start = time.perf_counter()
    stepper = method.bind(problem, until)
    seconds = time.perf_counter() - start
    state = stepper.start()
    return stepper, state, stepper.frame(state), seconds


def _step(stepper: Any, state: State, until: float) -> None:
    """One step, and the frame after it."""
    stepper.step(state, until)
    stepper.frame(state)


def _values(frame: Frame) -> np.ndarray:
    """What of a frame is large on file."""
    values: np.ndarray = frame.measure.values if isinstance(frame.measure, Density | MeshDensity) else frame.measure.points
    return values


def _packed(frame: Frame) -> tuple[float, float]:
    """How large the compressed measure of a frame is, about, and in how many seconds."""
    values = np.ascontiguousarray(_values(frame)).reshape(-1)
    starts = np.linspace(0, max(0, values.size - PIECE), max(1, min(PIECES, values.size // PIECE))).astype(int)
    sample = np.concatenate([values[start : start + PIECE] for start in starts])
    start = time.perf_counter()
    size = len(zlib.compress(sample.view(np.uint8).reshape(-1, values.itemsize).T.tobytes(), 1))  # shuffled, as in the file
    share = values.size / max(sample.size, 1)
    return size * share, (time.perf_counter() - start) * share


def forecast_facts(found: Forecast) -> dict[str, str]:
    """What a person wants to know before a run, as words."""
    ahead, apiece = found.expected, "" if found.ranks == 1 else f" on each of {found.ranks} ranks, at most"
    looked_at = f", {found.active:,} of them active at the start" if found.active < found.points else ""
    facts = {"method": found.method, "size": f"{found.points:,} {found.kind}{looked_at}"}
    if found.rank:
        facts["kernel"] = f"rank {found.rank}"
    facts["memory"] = f"{in_bytes(found.arrays + found.program)}{apiece}: {in_bytes(found.arrays)} of arrays, and the program itself"
    facts["file"] = f"at most {in_bytes(found.file)}"
    if found.step is not None:
        rate = found.step.operations / max(ahead.seconds / max(ahead.steps, 1.0), INSTANT)
        facts["step"] = (
            f"moves {in_bytes(found.step.bytes)} at least, with {found.step.operations:.2g} operations{apiece}: {rate:.1e} a second"
        )
    facts["steps"] = f"about {round(ahead.steps):,} up to t = {ahead.end:.4g}"
    facts["time"] = f"about {in_seconds(found.seconds)}, the estimates of errors at the end not included"
    return facts


def in_bytes(count: float) -> str:
    """A number of bytes for people."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def in_seconds(seconds: float) -> str:
    """A time for people."""
    for unit, size in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2.0 * size:
            return f"{seconds / size:.2g} {unit}"
    return f"{seconds:.2g} s"
