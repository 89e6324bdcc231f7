"""`wgf plot`: the figure of a file."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.errors import InputError


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE.h5 [OTHER.h5]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="A .png, .pdf or .svg file  [default: the first name with .png, here]"
)
def plot(files: tuple[Path, ...], output: Path | None) -> None:
    """Draw the run or the comparison in FILE.h5; with two runs, both in one picture, on one scale."""
    from wgf.runs.reader import open_run
    from wgf.studies.open import open_result

    output = output or Path(f"{files[0].stem}.png")
    if len(files) > 2:
        raise InputError(f"{len(files)} files were given: give one, or two run files")
    if len(files) == 2:
        from wgf.plots.run import plot_together

        plot_together(open_run(files[0]), open_run(files[1]), output)
    else:
        open_result(files[0]).plot(output)
    click.echo(f"wrote {output}")
