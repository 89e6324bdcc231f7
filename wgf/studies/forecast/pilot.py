"""The course of a whole run, from the same run with less: on coarser cells, with fewer neurons.

Let dt_k(t) be the steps on the k-th rung of a ladder, whose cells are 2^k times as long. Where a step is bounded by how fast mass crosses a
cell, dt ~ h; where by its error, or by what was asked for, it does not depend on h. So dt ~ h^γ with a γ that changes along the run, and
that two rungs show:

    γ(t) = log₂ dt_{k+1}(t)/dt_k(t),      dt_0(t) = 2^{−kγ(t)} dt_k(t).

As long as it is what it was in the last steps that the run itself has taken, these show γ better: log₂(dt_k/dt_0)/k. Steps that are held
by their error where the run's have not been so far are about as long on each rung. In the same way goes on the work of a step for each
cell, with an exponent of its own, and the seconds of a frame, from the last that are known. Steps that land on the times of frames are
shorter; they are counted by taking them, on paper. Of steps that are taken twice there is one in INTERVAL on each rung, and beyond those,
where steps grow or have to be shorter, as many as on the pilot's.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wgf.errors import WgfError
from wgf.methods.step_control import INTERVAL
from wgf.methods.time_steps import landing
from wgf.problems.problem import Problem
from wgf.runs.rest import Rest
from wgf.studies.forecast.course import Course, followed

STEEPEST = 2.0  # γ
NEAR = 0.1  # of the steps of a pilot, on each side, of which the median is taken: a single step, doubled or not, says little
ALIKE = 0.5  # exponents that differ by less are the same
LAST = 0.5  # of the steps that the run itself has taken: those from which it goes on
BY_HAND = 10_000  # steps between two frames that are taken one by one; of more, landing is nothing
INSTANT = 1e-6  # seconds
GROWTH = 4.0  # of the time of a rung on a line, from one to the next


@dataclass(frozen=True)
class Pilot:
    """Two neighbouring rungs that were followed to the end (None where there is only one), and the number of the finer one."""

    rung: int
    fine: Course
    coarse: Course | None


def piloted(problem: Problem, rungs: Sequence[Any], end: float | Rest, stops: Sequence[float], seconds: float) -> Pilot | None:
    """The finest rungs of a ladder that can be followed to the end in so many seconds; None where not even the last one can.

    A second one is tried in any case: with one alone γ is not known.
    """
    found, last = None, end.longest if isinstance(end, Rest) else end
    begun, before = time.perf_counter(), 0.0
    for rung in reversed(range(1, len(rungs))):
        left = seconds - (time.perf_counter() - begun)
        if found is not None and found.coarse is not None and before * GROWTH > left:
            break
        start = time.perf_counter()
        try:
            stepper = rungs[rung].bind(problem, last)
            course = followed(stepper, stepper.start(), end, stops, left)
        except WgfError:  # so few cells do not do
            continue
        before = time.perf_counter() - start
        if not course.whole:
            break
        found = Pilot(rung, course, None if found is None else found.fine)
    return found


@dataclass(frozen=True)
class Expected:
    """What a run comes to.

    end      the time of the flow at which it ends
    steps, seconds, frames   its steps, and the seconds in them and in its frames
    arrivals  seconds in steps until each frame after the first
    course   on which it is
    """

    end: float
    steps: float
    seconds: float
    frames: float
    arrivals: list[float]
    course: Course


def expected(probe: Course, pilot: Pilot | None, times: Sequence[float]) -> Expected:
    """From the first steps of the run itself, and a pilot, for a run with frames at these times."""
    course = _smooth(probe) if probe.whole or pilot is None else gone_on(_smooth(probe), pilot)
    end = course.end if course.whole else times[-1]
    starts, lengths, seconds = np.array(course.starts), np.array(course.lengths), np.array(course.seconds)
    steps, spent, now = 0.0, 0.0, 0.0
    arrivals = []
    for stop in [*(stop for stop in times[1:] if stop < end), end]:
        count, cost = _landed(now, stop, starts, lengths, seconds)
        steps, spent, now = steps + count, spent + cost, stop
        arrivals.append(spent)
    frames = _frames(probe, pilot, [stop for stop in times[1:] if stop <= end])
    return Expected(end, steps, spent, frames, arrivals, course)


def gone_on(probe: Course, pilot: Pilot) -> Course:
    """The course of a run: the steps that it has taken, and after them those of the pilot, scaled."""
    fine, result = pilot.fine, copy.deepcopy(probe)
    starts, count = np.array(fine.starts), len(probe.starts) - int(LAST * (len(probe.starts) - 1))
    middles = (np.array(probe.starts) + 0.5 * np.array(probe.lengths))[-count:]
    place = _place(middles, starts)
    lengths = _lengths(pilot, probe, count, place)
    work = _per_cell(fine) * 2.0 ** (-np.clip(_exponents(pilot, _per_cell), -STEEPEST, STEEPEST) * pilot.rung) * np.array(fine.cells)
    work *= np.mean(probe.work[-count:]) / np.mean(work[place])
    rates, takes = _rates(probe, fine), _takes(fine, lengths, probe.twice)
    for k in range(int(_place(np.array([probe.end]), starts)[0]), len(starts)):
        begin = max(float(starts[k]), probe.end)
        if k + 1 < len(starts) and starts[k + 1] <= begin:
            continue
        result.starts.append(begin)
        result.lengths.append(float(lengths[k]))
        result.work.append(float(work[k]))
        result.seconds.append(float(work[k] * takes[k]) * rates[fine.schemes[k]])
        result.schemes.append(fine.schemes[k])
        result.cells.append(round(fine.cells[k] / fine.cells[0] * probe.cells[0]))
    result.whole, result.end = True, fine.end
    return result


def _lengths(pilot: Pilot, probe: Course, count: int, place: np.ndarray) -> np.ndarray:
    """Of the pilot's steps as they would be on the first rung, of which the last `count` that are known lie beside those at `place`."""
    fine, gamma, held = np.array(pilot.fine.lengths), _exponents(pilot, lambda course: np.array(course.lengths)), np.array(pilot.fine.held)
    seen = float(np.median(np.log2(fine[place] / probe.lengths[-count:]))) / pilot.rung
    alike = (np.abs(gamma - np.median(gamma[place])) < ALIKE) & (held == (np.mean(probe.held[-count:]) > 0.5))
    other = np.where(held, 0.0, np.clip(gamma, 0.0, STEEPEST))
    result: np.ndarray = fine * 2.0 ** (-np.where(alike, seen, other) * pilot.rung)
    return result


def _exponents(pilot: Pilot, quantity: Callable[[Course], np.ndarray]) -> np.ndarray:
    """γ of a quantity at the steps of the pilot; zero where there is one rung only."""
    fine = quantity(pilot.fine)
    if pilot.coarse is None:
        return np.zeros(len(fine))
    coarse = quantity(pilot.coarse)[_place(np.array(pilot.fine.starts), np.array(pilot.coarse.starts))]
    ratios, near = np.log2(coarse / fine), max(1, round(NEAR * len(fine)))
    return np.array([np.median(ratios[max(0, k - near) : k + near + 1]) for k in range(len(ratios))])


def _per_cell(course: Course) -> np.ndarray:
    """The work of steps, for each cell."""
    result: np.ndarray = np.array(course.work) / np.array(course.cells)
    return result


def _takes(fine: Course, lengths: np.ndarray, twice: float) -> np.ndarray:
    """How many steps one of these lengths takes, in the mean, where the pilot's steps are."""
    tried, last = np.array(fine.tried), 0
    if not tried.any():
        return np.ones(len(tried))
    beyond = tried * twice  # what is not due to INTERVAL
    for k in np.flatnonzero(tried):
        beyond[k] -= twice if k - last >= INTERVAL else 1.0
        last = int(k)
    result: np.ndarray = 1.0 + (twice - 1.0) / INTERVAL + beyond * lengths / fine.lengths
    return result


def _place(times: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The steps in which these times lie."""
    return np.clip(np.searchsorted(starts, times, "right") - 1, 0, None)


def _smooth(course: Course) -> Course:
    """The same with the seconds of steps by their work: what the clock says of a single one has to do with what else the machine does."""
    rates = course.per_work
    seconds = np.array(course.work) * course.takes * [rates[scheme] for scheme in course.schemes]
    return replace(course, seconds=seconds.tolist())


def _rates(probe: Course, fine: Course) -> dict[str, float]:
    """Seconds per unit of work with each scheme of the pilot; one that the run has not come to is judged beside one that it has."""
    known, theirs = probe.per_work, fine.per_work
    beside = next((scheme for scheme in known if scheme in theirs), None)
    ratio = 1.0 if beside is None else known[beside] / theirs[beside]
    return {scheme: known.get(scheme, ratio * rate) for scheme, rate in theirs.items()}


def _landed(now: float, stop: float, starts: np.ndarray, lengths: np.ndarray, seconds: np.ndarray) -> tuple[float, float]:
    """Steps, and seconds in them, from one frame to the next."""
    place = int(_place(np.array([now]), starts)[0])
    if (stop - now) / lengths[place] > BY_HAND:
        counts = np.diff(np.clip(np.append(starts, math.inf), now, stop)) / lengths
        return float(counts.sum()), float(counts @ seconds)
    steps, spent = 0, 0.0
    while now < stop:
        place = int(_place(np.array([now]), starts)[0])
        dt = landing(stop - now, float(lengths[place]))
        now = stop if dt >= stop - now else now + dt
        steps, spent = steps + 1, spent + float(seconds[place])
    return float(steps), spent


def _frames(probe: Course, pilot: Pilot | None, stops: Sequence[float]) -> float:
    """Seconds in the frames at these times: as the run has made them so far, then as the pilot has, scaled by the last that both have."""
    ours, theirs = dict(probe.frames), {} if pilot is None else dict(pilot.fine.frames)
    common = [stop for stop in ours if stop in theirs]
    scale = ours[common[-1]] / max(theirs[common[-1]], INSTANT) if common else 1.0
    last = list(ours.values())[-1] if ours else 0.0
    return sum(ours.get(stop, scale * theirs[stop] if stop in theirs else last) for stop in stops)
