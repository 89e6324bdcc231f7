"""`wgf certify`: how far a run is from the global minimum, proven, and where mass is missing."""

from __future__ import annotations

from pathlib import Path

import click

from wgf.cli.options import ListCommand, force_option, of_files, output_option


@click.command(cls=ListCommand)
@click.argument("file", type=click.Path(path_type=Path), metavar="RUN.h5")
@output_option("The figure, a .png, .pdf or .svg file", "the run's name with -certificate.png, here")
@force_option
@click.option("--lower", type=float, multiple=True, metavar="X…", help="Lower edges of the domain of θ: one number, or one for each axis.")
@click.option("--upper", type=float, multiple=True, metavar="X…", help="Upper edges.")
def certify(file: Path, output: Path | None, force: bool, lower: tuple[float, ...], upper: tuple[float, ...]) -> None:
    """How far the frames of RUN.h5 are from the best measure: the duality gap, a proven bound, where mass is missing, and a figure.

    The domain is the box of the run's method, or all θ where there is a penalty |θ|², unless it is given. The result is kept in RUN.h5.
    """
    from wgf.cli.screen import show_certificate, show_facts
    from wgf.plots.style import check_figure
    from wgf.runs.existing import refuse_existing
    from wgf.runs.observers.progress import preparing
    from wgf.runs.reader import open_run
    from wgf.studies.optimality.certificate import certify as find
    from wgf.studies.summary import certificate_facts

    output = output or Path(f"{file.stem}-certificate.png")
    check_figure(output)
    refuse_existing(output, force)
    with of_files(file):
        run = open_run(file)
        edges = [None if not given else given[0] if len(given) == 1 else given for given in (lower, upper)]
        with preparing(True):
            found = find(run, *edges)
        found.plot(output)
        show_facts(str(run.attributes["title"]) or file.stem, {**certificate_facts(found), "file": file, "figure": output})
        show_certificate(found)
