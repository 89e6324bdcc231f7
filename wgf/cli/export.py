"""`wgf export`: a run for ParaView."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import force_option, of_files, output_option


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="RUN.h5")
@output_option("The .pvd file to write", "the name with .pvd, beside it")
@force_option
def export(file: Path, output: Path | None, force: bool) -> None:
    """Write the run in RUN.h5 as VTK files, for ParaView: a .pvd file, and a folder of the same name with the frames."""
    from wgf.runs.existing import refuse_existing
    from wgf.runs.observers.progress import preparing
    from wgf.runs.vtk import export as write
    from wgf.runs.vtk import folder_of

    output = output or file.with_suffix(".pvd")
    refuse_existing(output, force)
    if (folder := folder_of(output)).is_dir() and any(folder.iterdir()):
        refuse_existing(folder, force)
    with of_files(file), preparing(True):
        write(file, output)
    click.echo(f"wrote {output} and the frames in {folder}/")
