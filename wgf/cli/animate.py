"""`wgf animate`: a film of a run."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.errors import InputError


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN.h5 [OTHER.h5]")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A .gif or .mp4 file  [default: the first name with .gif, here]")
def animate(files: tuple[Path, ...], output: Path | None) -> None:
    """Film the run in RUN.h5; with a second run, both in one picture, on one scale."""
    from wgf.plots.film import animate as film
    from wgf.runs.reader import open_run

    if len(files) > 2:
        raise InputError(f"{len(files)} files were given: give one run file, or two")
    output = output or Path(f"{files[0].stem}.gif")
    film(open_run(files[0]), output, open_run(files[1]) if len(files) == 2 else None)
    click.echo(f"wrote {output}")
