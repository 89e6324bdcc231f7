"""`wgf report`: what files hold, as one page of HTML."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import force_option, of_files, output_option


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE.h5 [MORE.h5 …]")
@output_option("The .html file to write", "the name of the first file with .html, beside it")
@force_option
def report(files: tuple[Path, ...], output: Path | None, force: bool) -> None:
    """Write one page about FILE.h5 that any browser opens, offline: checks, the measure at all times with a slider, fit, losses,
    rates, and how to reproduce the file. Of several files, each is a part of the page.
    """
    from wgf.plots.report.page import page_path
    from wgf.plots.report.page import report as write
    from wgf.runs.existing import refuse_existing
    from wgf.runs.observers.progress import preparing

    page = page_path(output, files[0])
    refuse_existing(page, force)
    with of_files(*files), preparing(True):
        write(list(files), page)
    click.echo(f"wrote {page}: open it in a browser")
