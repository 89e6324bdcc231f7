"""`wgf run`: solve a problem file, keep the run in HDF5, and print a summary."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import ListCommand, end_time, force_option, output_option, refuse_result, use_threads
from wgf.errors import located


@click.command(cls=ListCommand)
@click.argument("problem", type=click.Path(path_type=Path))
@output_option("The HDF5 file to write", "the problem's name with .h5, here")
@force_option
@click.option("--resume", is_flag=True, help="Go on with the run of this problem that is there, from its checkpoint.")
@click.option("--method", metavar="NAME", help="Another method than the file's, with its default options.")
@click.option("--cells", type=int, multiple=True, metavar="N…", help="Cells: one number, or one for each axis.")
@click.option("--until", type=end_time, metavar="T|rest", help="Another end than the file's: a time, or rest.")
@click.option("--save", type=int, metavar="N", help="Another number of frames than the file's.")
@click.option("--temperature", type=float, metavar="TAU", help="Another temperature τ of the noise.")
@click.option("--penalty", type=float, metavar="LAMBDA", help="Another strength λ of the penalty.")
@click.option("--m", type=int, metavar="M", help="Another number of neurons, of particles.")
@click.option("--seed", type=int, metavar="S", help="Another seed of theirs.")
@click.option("--step", type=float, metavar="ETA", help="Another step of gradient descent, or of noisy neurons.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads to use  [default: one per core]")
@click.option("--no-density-error", is_flag=True, help="Do not estimate the error of the last density, which takes coarser runs.")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
def run(
    problem: Path,
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
    threads: int | None,
    no_density_error: bool,
    quiet: bool,
) -> None:
    """Solve PROBLEM.toml and write the run into an HDF5 file. Options come before what the file says, and the run keeps them."""
    use_threads(threads)
    from wgf.cli.screen import say, show_facts
    from wgf.runs.hdf5 import check_target, kind_of
    from wgf.runs.reader import open_run
    from wgf.runs.solve import solve
    from wgf.runs.summary import run_facts
    from wgf.runs.task import read_task
    from wgf.runs.unfinished import left_at
    from wgf.studies.optimality.certificate import tell_certificate
    from wgf.studies.theory.telling import tell_errors

    refuse_result(problem)
    output = output or Path(f"{problem.stem}.h5")
    check_target(output, (problem,), force or kind_of(output) == "run")
    given = {
        ("time", "save"): save,
        ("noise", "temperature"): temperature,
        ("penalty", "strength"): penalty,
        ("method", "m"): m,
        ("method", "seed"): seed,
        ("method", "step"): step,
    }
    task = read_task(problem, method, cells, until, {place: value for place, value in given.items() if value is not None})
    if not force:
        left_at(output, task.problem, task.method, resume)
        check_target(output, (problem,), resume)
    before = output.stat().st_mtime_ns if output.exists() else None
    try:
        with located(str(problem)):
            result = solve(
                task.problem, task.method, task.until, task.save, store=output, progress=not quiet, overwrite=force, resume=resume
            )
    except KeyboardInterrupt:
        if output.exists() and output.stat().st_mtime_ns != before:
            kept = open_run(output)
            told = f"interrupted: {len(kept.times)} frames up to t = {kept.times[-1]:.4g} are kept in {output}"
            say(f"{told}; the same command with --resume goes on")
        raise
    if not no_density_error:
        try:
            tell_errors(task.problem, task.method, result, progress=not quiet)
        except KeyboardInterrupt:
            say(f"interrupted: the run is complete in {output}, without an estimate of the density's error")
            raise
    tell_certificate(result, progress=not quiet)
    if not quiet:
        show_facts(task.problem.title or problem.stem, {**run_facts(result), "file": output})
