"""`wgf export`: a run for ParaView."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The .xdmf file to write  [default: the name with .xdmf, beside it]")
def export(file: Path, output: Path | None) -> None:
    """Write an XDMF file that shows ParaView the run in RUN.h5, which has to stay where it is."""
    from wgf.xdmf import export as write

    output = output or file.with_suffix(".xdmf")
    write(file, output)
    click.echo(f"wrote {output}")
