"""Steps of a run, as they are taken for a forecast: where each one begins, how long it is, how much work, and how much time, it costs."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wgf.kernels.active import RUN
from wgf.methods.base import Diagnostics
from wgf.methods.step_control import ALMOST, INTERVAL
from wgf.methods.time_steps import SLIVER
from wgf.ranks.communicator import current
from wgf.runs.rest import Ending, Rest

TWICE = 3.0  # steps in one that is taken as a whole and in halves, at least: states are copied and compared, too
COSTLY = 6.0  # at most
COUNTED = ("iterations", "sweeps")  # in the diagnostics: what a step of an iterative method costs


@dataclass
class Course:
    """Steps from t = 0 on; one entry for each, of points, tried and held for each that was taken.

    ending            which sees whether they have come to rest
    starts, lengths   of the steps, in the time of the flow; one that was cut to land on a time is as long as the one before, or as it was
    points            cells (or points) that are looked at, times how often
    work              the same with what the runs of cells cost in which they lie
    tried             lengths of one that is taken as a whole and in halves; 0 where it is not
    held              whether it is as long as its error allows, and not shorter for the sake of its scheme
    seconds           on the clock
    schemes           by which a step was taken, where there are several
    cells             in memory, before each step
    frames            (time, seconds) of the frames that were made on the way
    whole             whether the end, or rest, was reached, at the time `end`
    """

    ending: Ending
    starts: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    points: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    tried: list[float] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    schemes: list[str] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    frames: list[tuple[float, float]] = field(default_factory=list)
    whole: bool = False
    end: float = 0.0

    @property
    def twice(self) -> float:
        """How many steps one length takes that is tried as a whole and in halves."""
        tried, rates = np.array(self.tried), np.array(self.seconds) / np.array(self.work)
        once, often = rates[tried == 0], (rates / np.maximum(tried, 1))[tried > 0]
        return float(np.clip(np.median(often) / np.median(once), TWICE, COSTLY)) if once.size and often.size else TWICE

    @property
    def takes(self) -> np.ndarray:
        """How many steps each one takes."""
        tried = np.array(self.tried)
        return np.where(tried > 0, self.twice * tried, 1.0)

    @property
    def per_work(self) -> dict[str, float]:
        """Seconds per unit of work with each scheme."""
        schemes, work, found = np.array(self.schemes), np.array(self.work) * self.takes, {}
        for scheme in dict.fromkeys(self.schemes):
            mine = schemes == scheme
            found[scheme] = float(np.array(self.seconds)[mine].sum() / work[mine].sum())
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
        stop, longest = waiting[0] if lands and waiting else last, getattr(state, "trusted", 0.0) or math.inf
        diagnostics = stepper.step(state, stop)
        course.seconds.append(time.perf_counter() - start)
        course.lengths.append(_natural(state.time - course.starts[-1], stop - course.starts[-1], course.lengths))
        _note_work(course, stepper, state, diagnostics)
        course.held.append(course.tried[-1] > 1 or course.lengths[-1] >= ALMOST * longest)
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


def _note_work(course: Course, stepper: Any, state: Any, diagnostics: Diagnostics) -> None:
    """The scheme of a step that has led to `state`, and its work."""
    scheme = innermost(stepper)
    size, runs = float(state.array.size), 0.0
    if hasattr(scheme, "active"):
        size, runs = float(scheme.active.size), float(len(scheme.active.now.columns))
    often = max(1.0, float(next((diagnostics.extra[name] for name in COUNTED if name in diagnostics.extra), 1.0)))
    course.schemes.append(type(scheme).__name__)
    course.points.append(max(size, 1.0) * often)
    course.work.append(course.points[-1] + RUN * scheme.grid.dim * runs if runs else course.points[-1])
    course.tried.append(float(scheme.tried) if getattr(state, "unchecked", INTERVAL) == 0 else 0.0)
