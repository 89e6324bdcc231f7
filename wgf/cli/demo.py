"""`wgf demo`: the whole story in under a minute on a bundled problem."""

from __future__ import annotations

import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wgf.cli.options import force_option, output_option

if TYPE_CHECKING:
    from wgf.runs.task import Task

SIZES = (64, 128, 256, 512, 1024, 2048)
REPLICATES = 16
NEURONS = 2000
FILES = ("student.toml", "density.h5", "density.png", "neurons.png", "compare.h5", "compare.png", "report.html")


@click.command()
@output_option("The folder to write into", "wgf-demo")
@force_option
def demo(output: Path | None, force: bool) -> None:
    """A tanh student as a density, along characteristics, and as neurons: solved, compared, stored and drawn.

    Called again, it replaces what it has written itself, and leaves other files alone.
    """
    from wgf.cli.screen import program, show_facts, show_rates
    from wgf.errors import InputError
    from wgf.measures.measure import Cloud, Density
    from wgf.methods.particles.characteristics import Characteristics
    from wgf.methods.particles.method import Particles
    from wgf.plots.report.page import report
    from wgf.plots.run import plot_density_with_particles
    from wgf.problems.regression import network
    from wgf.runs.existing import refuse_existing
    from wgf.runs.files import check_writable, completed
    from wgf.runs.solve import solve
    from wgf.runs.summary import run_facts
    from wgf.runs.task import read_task
    from wgf.studies.optimality.certificate import tell_certificate
    from wgf.studies.summary import comparison_facts
    from wgf.studies.sweeps.over_sizes import compare
    from wgf.studies.theory.error_report import report_errors

    begun = time.perf_counter()
    output = output or Path("wgf-demo")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise InputError(f"cannot write into {output}: {failure.strerror}") from None
    files = {name: output / name for name in FILES}
    example = resources.files("wgf.cli").joinpath("examples/student.toml")
    with resources.as_file(example) as path:
        task = read_task(path)
    for path in files.values():
        check_writable(path)
        refuse_existing(path, force or _is_own(path, task))
    with completed(files["student.toml"]) as begun_file:
        begun_file.write_text(task.problem.source, encoding="utf-8")

    limit = solve(task.problem, task.method, task.until, task.save, store=files["density.h5"], progress=True, overwrite=True)
    report_errors(task.problem, task.method, limit, progress=True)
    tell_certificate(limit, progress=True)
    exact = solve(task.problem, Characteristics(), task.until, task.save, progress=True)
    data = network(task.problem.energy).data
    error = data.norm(limit.prediction[-1] - exact.prediction[-1])
    checked = f"‖φ − φ_ref‖ = {error:.1e} at t = {limit.times[-1]:g}, against {exact.method}"
    show_facts("1. The density of the neurons", {**run_facts(limit), "error": checked})
    limit.plot(files["density.png"])

    neurons = solve(task.problem, Particles(NEURONS, seed=0), task.until, task.save, progress=True)
    distance = data.norm(limit.prediction[-1] - neurons.prediction[-1])
    click.echo()
    show_facts(
        f"2. {NEURONS:,} neurons beside it", {**run_facts(neurons), "distance": f"‖φ_m − φ‖ = {distance:.1e} at t = {limit.times[-1]:g}"}
    )
    density, particles = limit.measures[-1], neurons.measures[-1]
    assert isinstance(density, Density)
    assert isinstance(particles, Cloud)
    plot_density_with_particles(density, particles, files["neurons.png"])

    comparison = compare(
        task.problem,
        task.method,
        float(limit.times[-1]),
        SIZES,
        REPLICATES,
        task.save,
        progress=True,
        store=files["compare.h5"],
        overwrite=force,
    )
    comparison.plot(files["compare.png"])
    report([limit, neurons, comparison], files["report.html"])
    click.echo()
    show_facts("3. As the number of neurons grows", comparison_facts(comparison))
    show_rates(comparison)

    click.echo(f"\nWrote, in {time.perf_counter() - begun:.0f} s:")
    for path in files.values():
        click.echo(f"  {path}")
    click.echo(f"\nOpen {files['report.html']} in a browser to see all of it. Next, for instance:")
    for words in (f"info {files['density.h5']}", f"animate {files['density.h5']}", f"run {files['student.toml']} --cells 256"):
        click.echo(f"  {program()} {words}")


def _is_own(path: Path, task: Task) -> bool:
    """Whether what is at one of the demo's paths is its own: our figure, or of its problem, method and time, as far as it goes."""
    from wgf.runs.existing import is_drawn
    from wgf.runs.hdf5 import kind_of, reading

    if not path.is_file() or path.suffix in (".png", ".html"):
        return is_drawn(path)
    if path.suffix == ".toml":
        return path.read_text(encoding="utf-8", errors="replace") == task.problem.source
    if kind_of(path) != {"density": "run", "compare": "comparison"}[path.stem]:
        return False
    with reading(path) as file:
        same = file.attrs["problem"] == task.problem.source and file.attrs["method_summary"] == repr(task.method)
        return bool(same and file["time"][-1] <= task.until)
