"""`wgf compare`: the limit beside networks of m neurons as m grows; or one run beside another."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from wgf.cli.options import ListCommand, figure_beside, force_option, of_files, output_option, pair_name, refuse_result, saying_what_is_kept
from wgf.errors import InputError, located
from wgf.measures.distances.register import DISTANCES
from wgf.studies.sweeps.crew import led

FURTHER = ", ".join(name for name, entry in DISTANCES.items() if not entry.of_energy)  # the others are always there


@click.command(cls=ListCommand)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PROBLEM.toml | A.h5 B.h5")
@output_option("The HDF5 file", "PROBLEM-compare.h5, or A_vs_B.h5, here")
@force_option
@click.option("--sizes", type=int, multiple=True, default=(64, 256, 1024), show_default=True, metavar="M…", help="Numbers of neurons.")
@click.option("--replicates", type=int, default=32, show_default=True, help="Independent networks of each size.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed, from which those of all replicates are made."
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Parallel processes  [default: one per core]")
@click.option("--distances", multiple=True, metavar="NAME…", help=f"Further distances: {FURTHER}.")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
@led
def compare(
    files: tuple[Path, ...],
    output: Path | None,
    force: bool,
    sizes: tuple[int, ...],
    replicates: int,
    seed: int,
    workers: int | None,
    distances: tuple[str, ...],
    quiet: bool,
) -> None:
    """Solve PROBLEM.toml beside m neurons, for growing m: distances, fitted rates, and a figure next to the file.

    The file is written as replicates are finished: after an interruption, the same command goes on from there. Given two run files
    A.h5 and B.h5 instead, compare these at the times that both have.
    """
    from wgf.cli.screen import show_facts, show_pair, show_rates
    from wgf.runs.hdf5 import check_target
    from wgf.studies.summary import comparison_facts

    if len(files) > 2:
        raise InputError(f"{len(files)} files were given: give one problem file, or two run files")
    if len(files) == 1:
        refuse_result(files[0])
    output = output or Path(f"{pair_name(files, 'vs')}.h5" if len(files) == 2 else f"{files[0].stem}-compare.h5")
    figure = figure_beside(output, force)
    check_target(output, files, force, resumes="comparison" if len(files) == 1 else "")
    if len(files) == 2:
        from wgf.runs.reader import open_run
        from wgf.studies.pair import compare_runs

        with of_files(*files):
            pair = compare_runs(open_run(files[0]), open_run(files[1]), distances, not quiet)
            pair.save(output, force)
            pair.plot(figure)
            if not quiet:
                show_pair(pair)
                show_facts("", {"file": output, "figure": figure})
        return
    from wgf.methods.particles.method import Particles
    from wgf.runs.rest import end_time
    from wgf.runs.task import read_task
    from wgf.studies.sweeps.over_sizes import compare as sweep

    task = read_task(files[0])
    limit, particles = task.method, None
    if isinstance(limit, Particles):
        limit, particles = limit_of(limit, files[0]), limit
    with saying_what_is_kept(output, "cells"), located(str(files[0])):
        result = sweep(
            task.problem,
            limit,
            end_time(task.until),
            sizes,
            replicates,
            task.save,
            seed,
            workers,
            particles,
            not quiet,
            distances,
            output,
            force,
        )
    result.plot(figure)
    if not quiet:
        show_facts(task.problem.title or files[0].stem, {**comparison_facts(result), "file": output, "figure": figure})
        show_rates(result)


def limit_of(particles: Any, file: Path) -> Any:
    """The method on the grid of a problem file whose limit these particles have."""
    from wgf.runs.task import read_task

    if particles.birth_death is None:
        return read_task(file, "finite-volume").method
    limit = read_task(file, "wasserstein-fisher-rao").method
    return dataclasses.replace(limit, rate=particles.birth_death, injection=particles.injection)
