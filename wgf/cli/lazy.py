"""`wgf lazy`: networks from the lazy regime to mean field, beside their tangent models."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import ListCommand, figure_beside, force_option, output_option, refuse_result, saying_what_is_kept
from wgf.errors import located
from wgf.studies.sweeps.crew import led


@click.command(cls=ListCommand)
@click.argument("file", type=click.Path(path_type=Path), metavar="PROBLEM.toml")
@output_option("The HDF5 file", "the problem's name with -lazy.h5, here")
@force_option
@click.option("--sizes", type=int, multiple=True, default=(64, 256, 1024), show_default=True, metavar="M…", help="Numbers of neurons.")
@click.option(
    "--exponents", type=float, multiple=True, default=(0.5, 0.75, 1.0), show_default=True, metavar="P…", help="p of α = A·m^(−p)."
)
@click.option("--scales", type=float, multiple=True, default=(1.0,), show_default=True, metavar="A…", help="Factors A of α = A·m^(−p).")
@click.option("--replicates", type=int, default=8, show_default=True, help="Independent networks for each size and scaling.")
@click.option("--centred", type=click.Choice(["pairs", "subtracted"]), help="Networks that are zero at the start.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed, from which all networks are drawn.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Parallel processes  [default: one per core]")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
@led
def lazy(
    file: Path,
    output: Path | None,
    force: bool,
    sizes: tuple[int, ...],
    exponents: tuple[float, ...],
    scales: tuple[float, ...],
    replicates: int,
    centred: str | None,
    seed: int,
    workers: int | None,
    quiet: bool,
) -> None:
    """Train the network of PROBLEM.toml with output scales α = A·m^(−p), from lazy (p = 0.5) to mean field (p = 1): relative scale,
    deviation from the tangent model, change of the kernel, and a figure next to the file.

    The file is written as networks are finished: after an interruption, the same command goes on from there.
    """
    from wgf.cli.screen import show_facts, show_lazy
    from wgf.runs.hdf5 import check_target
    from wgf.runs.rest import end_time
    from wgf.runs.task import read_task
    from wgf.studies.lazy.study import lazy as study
    from wgf.studies.summary import lazy_facts

    refuse_result(file)
    output = output or Path(f"{file.stem}-lazy.h5")
    figure = figure_beside(output, force)
    check_target(output, (file,), force, resumes="lazy")
    task = read_task(file)
    with saying_what_is_kept(output, "networks"), located(str(file)):
        result = study(
            task.problem,
            sizes,
            exponents,
            scales,
            replicates,
            end_time(task.until),
            task.save,
            seed,
            centred,
            workers,
            not quiet,
            output,
            force,
        )
    result.plot(figure)
    if not quiet:
        show_facts(task.problem.title or file.stem, {**lazy_facts(result), "file": output, "figure": figure})
        show_lazy(result)
