"""`wgf run`: solve problem files, keep each run in HDF5, and print a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wgf.cli.options import ListCommand, end_time, force_option, output_option, refuse_result, settings_option, use_threads
from wgf.errors import InputError, RunError, located
from wgf.ranks.communicator import current

if TYPE_CHECKING:
    from wgf.runs.task import Task


@click.command(cls=ListCommand)
@click.argument("problems", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PROBLEM.toml …")
@output_option("The HDF5 file to write, for one problem", "the problem's name with .h5, here")
@force_option
@click.option("--resume", is_flag=True, help="Go on with the run of this problem that is there, from its checkpoint.")
@click.option("--method", metavar="NAME", help="Override the method; its other options are the defaults.")
@click.option("--cells", type=int, multiple=True, metavar="N…", help="Cells: one number, or one for each axis.")
@click.option("--until", type=end_time, metavar="T|rest", help="Override the end: a time, or rest.")
@click.option("--save", type=int, metavar="N", help="Override the number of frames.")
@click.option("--temperature", type=float, metavar="TAU", help="Override the temperature τ of the noise.")
@click.option("--penalty", type=float, metavar="LAMBDA", help="Override the strength λ of the penalty.")
@click.option("--m", type=int, metavar="M", help="Override the number of neurons, of particles.")
@click.option("--seed", type=int, metavar="S", help="Override their random seed.")
@click.option("--step", type=float, metavar="ETA", help="Override the step of gradient descent, or of noisy neurons.")
@settings_option
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads to use  [default: one per core]")
@click.option("--log", type=click.Path(path_type=Path), metavar="FILE.jsonl", help="Write frames, and a step a second, as lines of JSON.")
@click.option("--dry-run", is_flag=True, help="Say what the run will cost, in memory, steps and time, and write nothing.")
@click.option("--no-density-error", is_flag=True, help="Do not estimate the error of the last density, which takes coarser runs.")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
def run(
    problems: tuple[Path, ...],
    output: Path | None,
    force: bool,
    resume: bool,
    method: str | None,
    cells: tuple[int, ...],
    until: float | str | None,
    save: int | None,
    temperature: float | None,
    penalty: float | None,
    m: int | None,
    seed: int | None,
    step: float | None,
    settings: tuple[str, ...],
    threads: int | None,
    log: Path | None,
    dry_run: bool,
    no_density_error: bool,
    quiet: bool,
) -> None:
    """Solve PROBLEM.toml and write the run into an HDF5 file. Options override the problem file and are stored with the run.

    All files are read before the first one is solved; where one run fails, the others are still solved.
    """
    use_threads(threads)
    from wgf.cli.screen import say
    from wgf.problems.changes import read_setting
    from wgf.runs.observers.log import check_log

    given = {
        ("time", "save"): save,
        ("noise", "temperature"): temperature,
        ("penalty", "strength"): penalty,
        ("method", "m"): m,
        ("method", "seed"): seed,
        ("method", "step"): step,
    }
    values = {place: value for place, value in given.items() if value is not None} | dict(map(read_setting, settings))
    if dry_run:
        for problem in problems:
            _foretell(problem, method, cells, until, values)
        return
    outputs = _outputs(problems, output)
    choices = _Choices(force, resume, log, no_density_error, quiet)
    ranks = current()
    if log is not None:
        ranks.by_first(lambda: check_log(log, force or resume))
    jobs = [_prepared(problem, target, choices, method, cells, until, values) for problem, target in zip(problems, outputs, strict=True)]
    failed = None
    for number, job in enumerate(jobs):
        try:
            _solve(job, choices, first=number == 0)
        except RunError as error:
            if len(jobs) == 1 or not ranks.leave_together():
                raise
            say(f"error: {job.problem}: {error}")
            failed = error
    if failed is not None:
        raise RunError("not all of the runs have come to their end: see above")


@dataclass(frozen=True)
class _Choices:
    """What holds for all of the runs."""

    force: bool
    resume: bool
    log: Path | None
    no_density_error: bool
    quiet: bool


@dataclass(frozen=True)
class _Job:
    """A problem file that was read, and the file of its run."""

    problem: Path
    output: Path
    task: Task


def _outputs(problems: Sequence[Path], output: Path | None) -> list[Path]:
    """The file of each run; raises InputError where two would have one."""
    if len(problems) == 1:
        return [output or Path(f"{problems[0].stem}.h5")]
    if output is not None:
        raise InputError(f"--output {output} is for one problem: {len(problems)} runs are written under the names of their problems")
    names = [f"{problem.stem}.h5" for problem in problems]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise InputError(f"{count} of the problems would be written into {name}: solve them one by one, each with its --output")
    return [Path(name) for name in names]


def _prepared(
    problem: Path,
    output: Path,
    choices: _Choices,
    method: str | None,
    cells: tuple[int, ...],
    until: float | str | None,
    values: Mapping[tuple[str, ...], Any],
) -> _Job:
    """A problem that can be solved and written, as far as that can be known beforehand."""
    from wgf.runs.hdf5 import check_target, kind_of
    from wgf.runs.task import read_task
    from wgf.runs.unfinished import left_at

    ranks = current()
    refuse_result(problem)
    ranks.by_first(lambda: check_target(output, (problem,), choices.force or kind_of(output) == "run"))
    task = read_task(problem, method, cells, until, values)

    def check_left() -> None:
        left_at(output, task.problem, task.method, choices.resume)
        check_target(output, (problem,), choices.resume)

    if not choices.force:
        ranks.by_first(check_left)
    return _Job(problem, output, task)


def _foretell(
    problem: Path, method: str | None, cells: tuple[int, ...], until: float | str | None, values: Mapping[tuple[str, ...], Any]
) -> None:
    """What the run would cost, on the screen."""
    from wgf.cli.screen import show_facts
    from wgf.runs.task import read_task
    from wgf.studies.forecast.forecast import forecast, forecast_facts

    refuse_result(problem)
    task = read_task(problem, method, cells, until, values)
    with located(str(problem)):
        found = forecast(task.problem, task.method, task.until, task.save)
    show_facts(task.problem.title or problem.stem, forecast_facts(found))


def _solve(job: _Job, choices: _Choices, first: bool) -> None:
    from wgf.cli.screen import say, show_facts
    from wgf.runs.observers.log import Log
    from wgf.runs.parts import is_in_parts
    from wgf.runs.reader import open_run
    from wgf.runs.solve import solve
    from wgf.runs.summary import run_facts
    from wgf.studies.optimality.certificate import tell_certificate
    from wgf.studies.theory.error_report import report_errors

    ranks = current()
    task, output, progress = job.task, job.output, not choices.quiet
    before = output.stat().st_mtime_ns if output.exists() else None
    logs = []
    if choices.log is not None and ranks.first:
        logs = [Log(choices.log, str(job.problem), choices.force, append=choices.resume or not first)]
    try:
        with located(str(job.problem)):
            result = solve(
                task.problem,
                task.method,
                task.until,
                task.save,
                store=output,
                progress=progress,
                observers=logs,
                overwrite=choices.force,
                resume=choices.resume,
            )
    except KeyboardInterrupt:
        if ranks.first and output.exists() and output.stat().st_mtime_ns != before:
            kept = open_run(output)
            kept_in = f"interrupted: {len(kept.times)} frames up to t = {kept.times[-1]:.4g} are kept in {output}"
            say(f"{kept_in}; the same command with --resume goes on")
        raise
    in_parts = ranks.by_first(lambda: is_in_parts(output))  # for what follows, no process has to hold a whole density
    if not choices.no_density_error and not in_parts:
        try:
            report_errors(task.problem, task.method, result, progress=progress)
        except KeyboardInterrupt:
            say(f"interrupted: the run is complete in {output}, without an estimate of the density's error")
            raise
    if not in_parts:
        ranks.by_first(lambda: tell_certificate(result, progress=progress))
    if progress and ranks.first:
        show_facts(task.problem.title or job.problem.stem, {**run_facts(result), "file": output})
