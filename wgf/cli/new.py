"""`wgf new`: a first problem file for given data, which runs as it is."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import ListCommand, force_option, output_option


@click.command(cls=ListCommand)
@output_option("The problem file to write", "the data's name with .toml, here")
@click.option("--data", metavar="FILE", help="A file (.csv .tsv .txt .dat .npz .h5), or a data set of scikit-learn by name, as diabetes.")
@click.option("--inputs", multiple=True, metavar="NAME…", help="The columns that are inputs  [default: all others that hold numbers]")
@click.option("--target", metavar="NAME", help="The column to predict  [default: y, target, or the last one]")
@click.option("--neuron", metavar="NAME", help="The activation  [default: tanh]")
@click.option("--law", metavar="NAME", help="The initial law  [default: gaussian]")
@force_option
def new(
    output: Path | None, data: str | None, inputs: tuple[str, ...], target: str | None, neuron: str | None, law: str | None, force: bool
) -> None:
    """Write a commented problem file for your data. Without --data it asks; with it, what is not given is taken from the data."""
    from wgf.cli.screen import program
    from wgf.networks.activations import ACTIVATIONS
    from wgf.problems.first_file import LAWS, Source, first_problem
    from wgf.registers import listed
    from wgf.runs.existing import refuse_existing
    from wgf.runs.files import check_writable, completed
    from wgf.runs.task import read_task

    asks = data is None
    source = Source.of(data or click.prompt("Data, a file or a data set of scikit-learn"))
    if asks:
        if source.columns:
            click.echo(f"  its columns of numbers: {listed(list(source.columns))}")
        target = target or click.prompt("Column to predict", default=source.target)
        if source.columns and not inputs:
            answer = click.prompt("Inputs, names with commas between", default=",".join(source.inputs(target)))
            inputs = tuple(name.strip() for name in answer.split(",") if name.strip())
        neuron = neuron or click.prompt("Neuron", type=click.Choice(list(ACTIVATIONS)), default="tanh")
        law = law or click.prompt("Law to begin with", type=click.Choice(list(LAWS)), default="gaussian")
        output = output or Path(click.prompt("Problem file", default=f"{source.stem}.toml"))
    output = output or Path(f"{source.stem}.toml")
    check_writable(output)
    refuse_existing(output, force)
    text = first_problem(source, output, inputs, target or "", neuron or "tanh", law or "gaussian")
    with completed(output) as begun:
        begun.write_text(text, encoding="utf-8")
        read_task(begun)  # so that no file is left that does not run
    click.echo(f"wrote {output}: look at it, and solve it by {program()} run {output}")
