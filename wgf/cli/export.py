"""`wgf export`: a run for ParaView."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import force_option, of_files, output_option


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="RUN.h5")
@output_option("The .vtkhdf file to write", "the name with .vtkhdf, beside it")
@force_option
def export(file: Path, output: Path | None, force: bool) -> None:
    """Write the run in RUN.h5 as one time series for ParaView, and whatever else reads VTK's files."""
    from wgf.runs.existing import refuse_existing
    from wgf.runs.observers.progress import preparing
    from wgf.runs.vtk import SUFFIX, check_export
    from wgf.runs.vtk import export as write

    output = output or file.with_suffix(SUFFIX)
    check_export(output)
    refuse_existing(output, force)
    with of_files(file), preparing(True):
        write(file, output)
    click.echo(f"wrote {output}: open it in ParaView")
