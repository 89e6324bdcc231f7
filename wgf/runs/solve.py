"""The only time loop: a method, bound to a problem, moved from save time to save time and observed."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

import numpy as np

from wgf.errors import InputError, ResolutionWarning, answers, as_path, brief, entries_of, positive, truth, warn
from wgf.measures.measure import Density, MeshDensity
from wgf.methods.base import Frame, Method, check_growth, check_method, check_ranks, check_rest
from wgf.problems.problem import Problem, check_problem
from wgf.ranks.communicator import Ranks, current
from wgf.runs.agreement import Agreement
from wgf.runs.observers.base import Observer, watching
from wgf.runs.observers.monitor import Monitor
from wgf.runs.observers.progress import Progress, compiling_is_said, preparing
from wgf.runs.observers.recorder import Recorder
from wgf.runs.observers.writer import Writer
from wgf.runs.rest import Ending, Rest, as_end
from wgf.runs.run import LIKELY, Run
from wgf.runs.seam import Seam
from wgf.runs.signals import BetweenSteps
from wgf.runs.unfinished import left_at

SAME_TIME = 1e-12  # of the whole time: save times that are no farther apart are one, but for rounding
RISE = 0.01  # of the size of the energy, in one step: more is no error of cells
FIRST = 1e-4  # of the longest time: the first frame after the start of a run to rest


def solve(
    problem: Problem | Run,
    method: Method,
    until: float | str | Rest,
    save: int | Sequence[float] = 11,
    store: str | Path | None = None,
    progress: bool = False,
    observers: Sequence[Observer] = (),
    overwrite: bool = False,
    resume: bool = False,
) -> Run:
    """Run a method on a problem, from t = 0 to the end; the only loop over time.

    Parameters
    ----------
    problem : Problem or Run
        a Run goes on from its last frame: on the same cells or with the same points, at its time, by its method
    method : FiniteVolume, JKO, Particles or another method
        how it is solved
    until : float or str or Rest
        the end: a time, or "rest", or a Rest with its tolerance and the longest time
    save : int or sequence of float
        a number of frames, evenly spaced with both ends, or a list of times (the start and the end are added); of a run to rest the
        number is that of one to the longest time, at times in geometric progression over four decades, and the last frame is at rest
    store : str or path, optional
        an HDF5 file to write the run into as it goes; the run returned then reads its measures from it
    progress : bool
        whether there is a progress bar, on a terminal or in a notebook
    observers : sequence of objects
        with frame, step and close, which are called as it happens; under mpiexec on the first rank
    overwrite : bool
        whether a file that is there already may be replaced
    resume : bool
        whether a run of the same problem that is there, broken off or with an earlier end, goes on from its checkpoint: the file is
        then, number by number, as if it had never ended

    Returns
    -------
    Run
        frames and history

    Raises
    ------
    InputError
        before anything is computed or written
    RunError
        where the run cannot go on; what it had reached is then in the file, and so it is after an interruption
    """
    seam = None
    if isinstance(problem, Run):
        seam = Seam(problem)
        problem = seam.problem
    check_problem(problem)
    check_method(method)
    truth(progress, "progress")
    for observer in entries_of(observers, "observers", "a list of them"):
        answers(observer, ("frame", "step", "close"), "one of the observers", "an object with frame, step and close")
    ending = Ending(end := as_end(until))
    times = save_times(end, save, seam.time if seam else 0.0)
    ranks = current()
    check_growth(problem, method)
    check_ranks(method, ranks)
    if ending.rest:
        check_rest(problem, method)
    method = seam.on_its_cells(method) if seam else method
    left = None
    if store is not None and (resume or not overwrite):
        left = ranks.by_first(lambda: left_at(as_path(store, "store"), problem, method, resume))
    shown = progress and ranks.first
    with _heard(ranks):
        with preparing(shown), np.errstate(all="ignore"):  # the monitor sees what is not finite, here and below
            stepper = method.bind(problem, times[-1] - times[0])
        facts, sources = stepper.facts | (seam.facts if seam else {}), seam.sources if seam else ()
        given = (problem, method, facts, ranks)
        keeper = Recorder(*given) if store is None else Writer(store, *given, overwrite, sources, left)
        steps = getattr(stepper, "eta", None), getattr(method, "dt", None)
        monitor = Monitor(times[-1], getattr(method, "edge_tolerance", 1.0), *steps, problem)
        watchers: list[Observer] = [monitor, keeper, ending, *(observers if ranks.first else ())]
        if shown:
            watchers.append(Progress(times[0], times[-1], type(method).__name__))
        with compiling_is_said(shown), np.errstate(all="ignore"), BetweenSteps() as signals, watching(watchers) as watch:
            agreed = Agreement(ranks, signals)
            if left:
                state = left.state(stepper)
                monitor.facts |= left.facts
                monitor.before = left.rows
                for diagnostics in left.diagnostics:
                    ending.step(diagnostics)
                times = [time for time in times if time > left.last_frame]
            else:
                state = seam.resumed(stepper) if seam else stepper.start()
            frame = keeper.whole(stepper.frame(state))
            if seam:
                seam.require_same(frame)
            keeper.follow(state, stepper, monitor.facts)
            if not left:
                with agreed:
                    watch.frame(frame)
                agreed.reach(after_step=False)
                keeper.settle()
            for stop in takewhile(lambda _: not ending.reached, times if left else times[1:]):
                while state.time < stop and not ending.reached:
                    diagnostics = stepper.step(state, stop)
                    with agreed:
                        watch.step(diagnostics)
                    agreed.reach()
                    keeper.settle()
                with monitor.at_step():
                    frame = keeper.whole(stepper.frame(state))
                with agreed:
                    watch.frame(frame)
                agreed.reach(after_step=False)
                keeper.settle()
            with agreed:
                watch.step(frame.diagnostics)  # the history ends with the last state
            agreed.reach(after_step=False)
            keeper.note(stepper.facts | ending.facts | monitor.facts)
        ending.warn()
        run = keeper.run()
        _judge(run, frame)
    return run


def _judge(run: Run, last: Frame) -> None:
    """Warn where the energy of a run does not fall as it should."""
    if run.out_of_balance:
        warn(f"the balance of the energy is off by {run.dissipation_defect:.0%} of its fall: {LIKELY}", ResolutionWarning)
    blurred = run.options.get("debiased") is False  # by plain entropic steps, which raises E
    if isinstance(last.measure, Density | MeshDensity) and run.largest_rise > RISE and not blurred:
        risen = f"E, which falls along the flow, rose by {run.largest_rise:.2g} of its size in one step"
        warn(f"{risen}: the steps are too long for this energy; take a shorter dt", ResolutionWarning)


@contextlib.contextmanager
def _heard(ranks: Ranks) -> Iterator[None]:
    """Inside, warnings are those of the first rank: all have the same."""
    if ranks.first:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def save_times(end: float | Rest, save: int | Sequence[float], start: float = 0.0) -> list[float]:
    """The times of the frames, ascending, with the start and the end; those that differ by rounding are one."""
    until = end.longest if isinstance(end, Rest) else end
    positive(until, "the end time")
    if until <= start:
        raise InputError(f"until = {until:g}: the run has come to t = {start:g} already, so that it goes on to a later time")
    if isinstance(save, int | np.integer) and not isinstance(save, bool):
        if save < 2:
            raise InputError(f"save = {save}: at least 2 frames, the start and the end")
        if isinstance(end, Rest):
            parts = np.geomspace(FIRST, 1.0, int(save) - 1)[:-1]
            return [start, *(start + (until - start) * parts).tolist(), float(until)]
        result: list[float] = np.linspace(start, until, int(save)).tolist()
        return result
    try:
        times = np.asarray(save, dtype=float)
    except (TypeError, ValueError):
        times = np.array(np.nan)
    if times.ndim != 1 or not np.isfinite(times).all() or (times < start).any() or (times > until).any():
        raise InputError(f"save = {brief(save)}: give a number of frames or a list of times between {start:g} and the end, {until:g}")
    times = np.unique([start, *times, until])
    times = times[np.append(True, np.diff(times) > SAME_TIME * until)]
    times[-1] = until
    return list(times.tolist())
