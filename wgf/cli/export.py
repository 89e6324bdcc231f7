"""`wgf export`: a run for ParaView."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The .pvd file to write  [default: the name with .pvd, beside it]")
def export(file: Path, output: Path | None) -> None:
    """Write the run in RUN.h5 as VTK files, for ParaView: a .pvd file, and a folder of the same name with the frames."""
    from wgf.runs.vtk import export as write

    output = output or file.with_suffix(".pvd")
    write(file, output)
    click.echo(f"wrote {output} and the frames in {output.with_suffix('')}/")
