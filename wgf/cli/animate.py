"""`wgf animate`: a film of a run."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import force_option, of_files, output_option, pair_name
from wgf.errors import InputError


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN.h5 [OTHER.h5]")
@output_option("A .gif or .mp4 file", "RUN.gif, or RUN_with_OTHER.gif, here")
@force_option
def animate(files: tuple[Path, ...], output: Path | None, force: bool) -> None:
    """Animate the run in RUN.h5; with a second run, both in one picture, on one scale."""
    from wgf.plots.film import animate as film
    from wgf.plots.film import check_film
    from wgf.runs.existing import refuse_existing
    from wgf.runs.observers.progress import preparing
    from wgf.runs.reader import open_run

    if len(files) > 2:
        raise InputError(f"{len(files)} files were given: give one run file, or two")
    output = output or Path(f"{pair_name(files, 'with')}.gif")
    with of_files(*files):
        run, *other = (open_run(file) for file in files)
        check_film(output)
        refuse_existing(output, force)
        with preparing(True):
            film(run, output, *other)
    click.echo(f"wrote {output}")
