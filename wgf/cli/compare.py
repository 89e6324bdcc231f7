"""`wgf compare`: the limit beside clouds of m neurons as m grows."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import ListCommand, naming


@click.command(cls=ListCommand)
@click.argument("problem", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The HDF5 file  [default: the problem's name with -compare.h5, here]")
@click.option("--sizes", type=int, multiple=True, default=(64, 256, 1024), show_default=True, metavar="M…", help="Numbers of neurons.")
@click.option("--replicates", type=int, default=32, show_default=True, help="Independent clouds for each size.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="From which the seeds of all clouds are spawned.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Parallel processes  [default: one per core]")
@click.option("--distances", multiple=True, metavar="NAME", help="A further distance: energy, w1, w2 or sliced_w2; may be repeated.")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
def compare(
    problem: Path,
    output: Path | None,
    sizes: tuple[int, ...],
    replicates: int,
    seed: int,
    workers: int | None,
    distances: tuple[str, ...],
    quiet: bool,
) -> None:
    """Solve PROBLEM.toml beside m neurons, for growing m: distances, fitted rates, and a figure next to the file."""
    from wgf.cli.screen import comparison_facts, show_facts, show_rates
    from wgf.hdf5 import check_target
    from wgf.methods.particles import Particles
    from wgf.problem_file import read_task
    from wgf.sweep import compare as sweep

    output = output or Path(f"{problem.stem}-compare.h5")
    check_target(output)
    task = read_task(problem)
    limit, particles = task.method, None
    if isinstance(limit, Particles):
        limit, particles = read_task(problem, "finite-volume").method, limit
    with naming(problem):
        result = sweep(
            task.problem, limit, task.until, sizes, replicates, task.save, seed, workers, particles, progress=not quiet, distances=distances
        )
    result.save(output)
    figure = output.with_suffix(".png")
    result.plot(figure)
    if not quiet:
        show_facts(task.problem.title or problem.stem, {**comparison_facts(result), "file": output, "figure": figure})
        show_rates(result)
