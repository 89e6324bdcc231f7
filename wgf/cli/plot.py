"""`wgf plot`: the figure of a file."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="A .png, .pdf or .svg file  [default: the file's name with .png, here]"
)
def plot(file: Path, output: Path | None) -> None:
    """Draw the run or the comparison in FILE.h5."""
    from wgf.files import open_result

    output = output or Path(f"{file.stem}.png")
    open_result(file).plot(output)
    click.echo(f"wrote {output}")
