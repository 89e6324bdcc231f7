"""`wgf plot`: the figure of a file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from wgf.cli.options import force_option, of_files, output_option, pair_name
from wgf.errors import InputError


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE.h5 [OTHER.h5]")
@output_option("A .png, .pdf or .svg file", "FILE.png, or FILE_with_OTHER.png, here")
@force_option
def plot(files: tuple[Path, ...], output: Path | None, force: bool) -> None:
    """Draw the run or the comparison in FILE.h5; with two runs, both in one picture, on one scale."""
    from wgf.plots.run import plot_together
    from wgf.plots.style import check_figure
    from wgf.runs.existing import refuse_existing
    from wgf.runs.reader import open_run
    from wgf.studies.open import open_result

    if len(files) > 2:
        raise InputError(f"{len(files)} files were given: give one, or two run files")
    output = output or Path(f"{pair_name(files, 'with')}.png")
    draw: Callable[[Path], object]
    with of_files(*files):
        if len(files) == 2:
            first, second = (open_run(file) for file in files)
            draw = partial(plot_together, first, second)
        else:
            draw = open_result(files[0]).plot
        check_figure(output)
        refuse_existing(output, force)
        draw(output)
    click.echo(f"wrote {output}")
