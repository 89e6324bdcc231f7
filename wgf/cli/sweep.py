"""`wgf sweep`: a problem file for all values of some of its keys, as a table and a figure."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import ListCommand, figure_beside, force_option, output_option, refuse_result, saying_what_is_kept, settings_option
from wgf.studies.sweeps.crew import led


@click.command(cls=ListCommand)
@click.argument("file", type=click.Path(path_type=Path), metavar="PROBLEM.toml")
@output_option("The HDF5 file", "the problem's name with -sweep.h5, here")
@force_option
@click.option("--over", multiple=True, required=True, metavar="KEY=V,V…", help="A key and its values: penalty.strength=0,0.01,0.1")
@settings_option
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Parallel processes  [default: one per core]")
@click.option("--quiet", is_flag=True, help="No progress bar and no table.")
@led
def sweep(
    file: Path, output: Path | None, force: bool, over: tuple[str, ...], settings: tuple[str, ...], workers: int | None, quiet: bool
) -> None:
    """Solve PROBLEM.toml for all combinations of the values of the keys: losses, steps and times, and a figure next to the file.

    The file is written as runs are finished: after an interruption, the same command goes on from there.
    """
    from wgf.cli.screen import show_facts, show_sweep
    from wgf.errors import InputError
    from wgf.problems.changes import read_setting, read_values
    from wgf.runs.hdf5 import check_target
    from wgf.studies.summary import sweep_facts
    from wgf.studies.sweeps.over_settings import sweep as study

    refuse_result(file)
    output = output or Path(f"{file.stem}-sweep.h5")
    figure = figure_beside(output, force)
    check_target(output, (file,), force, resumes="sweep")
    keys = dict(map(read_values, over))
    if len(keys) < len(over):
        raise InputError("--over names a key twice: give all of its values at once, as in --over penalty.strength=0,0.01,0.1")
    fixed = {".".join(place): value for place, value in map(read_setting, settings)}
    with saying_what_is_kept(output, "runs"):
        result = study(file, keys, fixed, workers, not quiet, output, force)
    result.plot(figure)
    if not quiet:
        show_facts(str(result.attributes["title"]) or file.stem, {**sweep_facts(result), "file": output, "figure": figure})
        show_sweep(result)
