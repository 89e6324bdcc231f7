"""`wgf demo`: the whole story in under a minute on a bundled problem."""

from __future__ import annotations

import time
from importlib import resources
from pathlib import Path

import click

SIZES = (64, 128, 256, 512, 1024, 2048)
REPLICATES = 16
NEURONS = 2000


@click.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("wgf-demo"), show_default=True, help="The folder to write into."
)
def demo(output: Path) -> None:
    """A tanh student as a density, along characteristics, and as neurons: solved, compared, stored and drawn."""
    from wgf.cli.screen import show_facts, show_rates
    from wgf.errors import InputError
    from wgf.measures.measure import Cloud, Density
    from wgf.methods.particles.characteristics import Characteristics
    from wgf.methods.particles.method import Particles
    from wgf.plots.run import plot_density_with_particles
    from wgf.problems.regression import network
    from wgf.runs.solve import solve
    from wgf.runs.summary import run_facts
    from wgf.runs.task import read_task
    from wgf.studies.summary import comparison_facts
    from wgf.studies.sweeps.over_sizes import compare
    from wgf.studies.theory.telling import tell_errors

    begun = time.perf_counter()
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise InputError(f"cannot write into {output}: {failure.strerror}") from None
    files = {name: output / name for name in ("student.toml", "density.h5", "density.png", "neurons.png", "compare.h5", "compare.png")}
    files["student.toml"].write_text(
        resources.files("wgf.cli").joinpath("examples/student.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    task = read_task(files["student.toml"])

    limit = solve(task.problem, task.method, task.until, task.save, store=files["density.h5"], progress=True)
    tell_errors(task.problem, task.method, limit, progress=True)
    exact = solve(task.problem, Characteristics(), task.until, task.save, progress=True)
    data = network(task.problem.energy).data
    error = data.norm(limit.prediction[-1] - exact.prediction[-1])
    checked = f"‖φ − φ_ref‖ = {error:.1e} at t = {limit.times[-1]:g}, against {exact.method}"
    show_facts("1. The density of the neurons", {**run_facts(limit), "error": checked})
    limit.plot(files["density.png"])

    cloud = solve(task.problem, Particles(NEURONS, seed=0), task.until, task.save, progress=True)
    distance = data.norm(limit.prediction[-1] - cloud.prediction[-1])
    click.echo()
    show_facts(
        f"2. {NEURONS:,} neurons beside it", {**run_facts(cloud), "distance": f"‖φ_m − φ‖ = {distance:.1e} at t = {limit.times[-1]:g}"}
    )
    density, neurons = limit.measures[-1], cloud.measures[-1]
    assert isinstance(density, Density)
    assert isinstance(neurons, Cloud)
    plot_density_with_particles(density, neurons, files["neurons.png"])

    comparison = compare(task.problem, task.method, float(limit.times[-1]), SIZES, REPLICATES, task.save, progress=True)
    comparison.save(files["compare.h5"])
    comparison.plot(files["compare.png"])
    click.echo()
    show_facts("3. As the number of neurons grows", comparison_facts(comparison))
    show_rates(comparison)

    click.echo(f"\nWrote, in {time.perf_counter() - begun:.0f} s:")
    for path in files.values():
        click.echo(f"  {path}")
