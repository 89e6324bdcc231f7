"""Steps of a run, as they are taken for a forecast: where each one begins, how long it is, how much work, and how much time, it costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wgf.methods.base import Diagnostics
from wgf.methods.step_control import INTERVAL
from wgf.methods.time_steps import SLIVER
from wgf.ranks.communicator import current
from wgf.runs.rest import Ending, Rest

TWICE = 3.0  # steps in one that is taken as a whole and in halves
COUNTED = ("iterations", "sweeps")  # in the diagnostics: what a step of an iterative method costs


@dataclass
class Course:
    """Steps from t = 0 on; one entry for each.

    ending            which sees whether they have come to rest
    starts, lengths   of the steps, in the time of the flow; one that was cut to land on a time is as long as the one before, or as it was
    work              in cells (or points) that are looked at, times how often
    takes             of which there are several in one where it is taken as a whole and in halves
    seconds           on the clock
    schemes           by which a step was taken, where there are several
    cells             in memory, before each step
    frames            (time, seconds) of the frames that were made on the way
    whole             whether the end, or rest, was reached, at the time `end`
    """

    ending: Ending
    starts: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    takes: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    schemes: list[str] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    frames: list[tuple[float, float]] = field(default_factory=list)
    whole: bool = False
    end: float = 0.0

    @property
    def per_work(self) -> dict[str, float]:
        """Seconds per unit of work with each scheme."""
        schemes, found = np.array(self.schemes), {}
        for scheme in dict.fromkeys(self.schemes):
            mine = schemes == scheme
            found[scheme] = float(np.array(self.seconds)[mine].sum() / (np.array(self.work) * self.takes)[mine].sum())
        return found


def followed(
    stepper: Any,
    state: Any,
    end: float | Rest,
    stops: Sequence[float],
    seconds: float,
    least: int = 0,
    course: Course | None = None,
    lands: bool = False,
) -> Course:
    """The steps of a run from `state` on, to its end or for so many seconds, but `least` steps; with a frame after each of `stops`.

    A `course` that has been begun is gone on with. Where it `lands` on the stops, as the run does, steps go as in the run; where it does
    not, as in a pilot whose steps may be longer than it is from one stop to the next, they show how long they are by themselves.
    """
    course, last = course or Course(Ending(end)), end.longest if isinstance(end, Rest) else end
    begun, waiting = time.perf_counter(), [stop for stop in stops if stop > state.time]
    while state.time < last and not course.ending.reached:
        if current().any(time.perf_counter() - begun > seconds) and len(course.starts) >= least:
            break
        course.starts.append(state.time)
        course.cells.append(state.array.size)
        start = time.perf_counter()
        stop = waiting[0] if lands and waiting else last
        diagnostics = stepper.step(state, stop)
        course.seconds.append(time.perf_counter() - start)
        course.lengths.append(_natural(state.time - course.starts[-1], stop - course.starts[-1], course.lengths))
        scheme, work = work_of(stepper, state, diagnostics)
        course.schemes.append(scheme)
        course.work.append(work)
        course.takes.append(TWICE if getattr(state, "unchecked", INTERVAL) == 0 else 1.0)
        course.ending.step(diagnostics)
        while waiting and state.time >= waiting[0]:
            start = time.perf_counter()
            stepper.frame(state)
            course.frames.append((waiting.pop(0), time.perf_counter() - start))
    course.whole, course.end = state.time >= last or course.ending.reached, state.time
    return course


def _natural(length: float, remaining: float, before: Sequence[float]) -> float:
    """The length of a step, or that of the one before it where landing (methods/time_steps.py) has cut it."""
    return max(length, before[-1]) if before and length >= 0.5 * remaining * (1 - SLIVER) else length


def innermost(stepper: Any) -> Any:
    """The scheme inside of what chooses it, or of the window on which it is."""
    while hasattr(stepper, "stepper"):
        stepper = stepper.stepper
    return stepper


def work_of(stepper: Any, state: Any, diagnostics: Diagnostics) -> tuple[str, float]:
    """The scheme of a step that has led to `state`, and the work of one take."""
    scheme = innermost(stepper)
    size = scheme.active.size if hasattr(scheme, "active") else state.array.size
    often = next((diagnostics.extra[name] for name in COUNTED if name in diagnostics.extra), 1.0)
    return type(scheme).__name__, max(float(size), 1.0) * max(float(often), 1.0)
