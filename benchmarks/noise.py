"""Noise: a known Fokker–Planck case against FiPy, the porous medium, the way to the Gibbs state, and what an implicit step costs.

Fokker–Planck   ∂_t u = div(u ∇G) + Δu on the unit square, G = −x, no flux, with the exact solution
                u = e^{−at+x/2}(π cos πx + ½ sin πx) + π e^{x−½}, a = π² + ¼; error = Σ_steps dt ∫|u − exact| up to T = 0.25, on 30²
                cells. FiPy solves the same with its upwind and its exponential convection term and dt = .00625, in turn with us.
Barenblatt      the solver script's case on three grids: L¹ error, order, mass, smallest cell.
Gibbs           a tanh student, τ = 0.05: the residual ‖∇(G + τ log μ)‖ in L²(μ), the largest rise of E in a step, the decay rate, and
                for a bounded neuron its lower bound.
cost            one implicit step (predictor, three sweeps, energy, dissipation) in explicit transport stages on the same grid.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from harness import best_seconds, keep, machine, quick_and_output, show

import wgf

END, CELLS, STEP = 0.25, 30, 0.00625
DECAY = np.pi**2 + 0.25
MASS = np.pi * (np.exp(0.5) - np.exp(-0.5))


def solver(name: str) -> Any:
    """A script of solvers/ as a module."""
    path = Path(__file__).parents[1] / "solvers" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def exact(x: np.ndarray, t: float) -> np.ndarray:
    """u(x, t); it does not depend on y."""
    return np.exp(-DECAY * t + x / 2) * (np.pi * np.cos(np.pi * x) + 0.5 * np.sin(np.pi * x)) + np.pi * np.exp(x - 0.5)


def exact_averages(t: float) -> np.ndarray:
    """Over the CELLS cells along x."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    h = 1 / CELLS
    return exact((np.arange(CELLS)[:, None] + 0.5 * (1 + nodes)) * h, t) @ weights / 2


def drift(theta: np.ndarray) -> np.ndarray:
    """V = −x."""
    return -theta[..., 0]


FOKKER_PLANCK = wgf.Problem(
    wgf.InteractionEnergy(V=drift, U=wgf.Entropy(1.0)), wgf.FromDensity(lambda theta: exact(theta[..., 0], 0.0), lower=(0, 0), upper=(1, 1))
)


def ours(dt: float, scheme: str, until: float) -> Callable[[], float]:
    """The time-space L¹ error of our density with steps of `dt`."""
    method = wgf.FiniteVolume(CELLS, (0, 0), (1, 1), diffusion=scheme, dt=dt, edge_tolerance=1)

    def run() -> float:
        found = wgf.solve(FOKKER_PLANCK, method, until, save=round(until / dt) + 1)
        return sum(
            dt * np.abs(MASS * measure.values - exact_averages(time)[:, None]).mean()
            for time, measure in zip(found.times[1:], found.measures[1:], strict=True)
        )

    return run


def fipy(term: str, until: float) -> Callable[[], float]:
    """The same error of FiPy with one of its convection terms."""
    os.environ["FIPY_SOLVERS"] = "scipy"
    arguments, sys.argv = sys.argv, sys.argv[:1]  # FiPy reads the command line when it is imported
    try:
        import fipy as fp
    finally:
        sys.argv = arguments

    def run() -> float:
        mesh = fp.Grid2D(nx=CELLS, ny=CELLS, dx=1 / CELLS, dy=1 / CELLS)
        u = fp.CellVariable(mesh=mesh, value=np.tile(exact_averages(0.0), CELLS))
        inner = (~mesh.exteriorFaces.value).astype(float)
        velocity = fp.FaceVariable(mesh=mesh, rank=1, value=np.array([inner, np.zeros_like(inner)]))
        equation = fp.TransientTerm() == fp.DiffusionTerm(1.0) - getattr(fp, f"{term}ConvectionTerm")(velocity)
        error = 0.0
        for k in range(round(until / STEP)):
            equation.solve(var=u, dt=STEP)
            error += STEP * np.abs(u.value - np.tile(exact_averages((k + 1) * STEP), CELLS)).mean()
        return error

    return run


def fokker_planck(until: float, repeats: int) -> list[list[Any]]:
    """Error and least time of every method, run in turn."""
    methods = {f"ours, {scheme}, dt = .00625/{k}": ours(STEP / k, scheme, until) for scheme in ("gibbs", "split") for k in (1, 2, 8)}
    methods |= {f"FiPy, {term}ConvectionTerm, dt = .00625": fipy(term, until) for term in ("Upwind", "Exponential")}
    errors: dict[str, float] = {}

    def keeping(name: str, run: Callable[[], float]) -> Callable[[], None]:
        return lambda: errors.update({name: run()})

    times = best_seconds([keeping(name, run) for name, run in methods.items()], repeats)
    return [[name, errors[name], time] for name, time in zip(methods, times, strict=True)]


def barenblatt(sizes: tuple[int, ...]) -> list[list[Any]]:
    """The porous medium on n × n cells."""
    script, rows = solver("barenblatt"), []
    for n in sizes:
        run = wgf.solve(script.problem, dataclasses.replace(script.density, cells=(n, n)), 4e-3, save=2)
        last = run.measures[-1]
        cells = wgf.FromDensity(lambda theta: script.barenblatt(theta, 4.4e-3)).cell_averages(last.grid)
        error = float(np.abs(last.values - cells).sum() * last.grid.cell_volume)
        order = np.log2(rows[-1][1] / error) if rows else ""
        rows.append([f"{n} × {n}", error, order, abs(run.mass[-1] - 1), run.history["minimum"].min()])
    return rows


def gibbs(cells: int) -> list[list[Any]]:
    """The approach to the self-consistent Gibbs state, for a neuron in (c, a) and for a bounded one in (a, b)."""
    data = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, 40)
    free = wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data, 0.5)
    bounded = solver("mean_field_langevin").problem.energy
    rows = []
    for name, energy, lower, upper, until in (
        ("(c, a), λ = 0.5", free, (-3, -3), (3.5, 4), 400.0),
        ("(a, b), λ = 0.1", bounded, (-5.6, -5.6), (5.6, 5.6), 250.0),
    ):
        problem = wgf.Problem(energy, wgf.Gaussian((0.2, 0.5), (0.4, 0.4)), temperature=0.05)
        run = wgf.solve(problem, wgf.FiniteVolume(cells, lower, upper, diffusion="gibbs", dt=0.5), until, save=3)
        bound = wgf.decay_bound(problem, run.measures[1:]) if energy is bounded else "none known"
        rows.append([name, np.sqrt(run.dissipation[-1]), run.largest_rise, wgf.decay_rate(run), bound])
    return rows


def cost(sizes: tuple[int, ...], repeats: int) -> list[list[Any]]:
    """One implicit step in explicit stages, on n × n cells."""
    data = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, 40)
    quiet = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data, 0.2), wgf.Gaussian((0.2, 0.5), (0.4, 0.4)))
    noisy = dataclasses.replace(quiet, temperature=0.05)
    rows = []
    for n in sizes:
        method = wgf.FiniteVolume(n, (-3, -3), (3.5, 4), negligible=0.0)
        explicit, implicit = method.bind(quiet, 1.0), dataclasses.replace(method, diffusion="gibbs").bind(noisy, 1.0)
        still, moving = explicit.start(), implicit.start()

        def stage(stepper: Any = explicit, state: Any = still) -> None:
            stepper.potential.update(state.array, stepper.sums)
            stepper.sweep(state.array, state.array, stepper.spare[0], 1e-6, 0.25)

        def step(stepper: Any = implicit, state: Any = moving) -> None:
            state.time = 0.0  # so that it never comes to its end
            stepper.step(state, 1e9)

        times = best_seconds([stage, step], repeats)
        rows.append([f"{n} × {n}", 1e3 * times[0], 1e3 * times[1], times[1] / times[0]])
    return rows


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    warnings.simplefilter("ignore")
    print(machine())
    sizes, grids, cells, repeats = ((16, 32), (64,), 16, 1) if quick else ((32, 64, 128), (128, 256, 512, 1024), 128, 7)
    until = 4 * STEP if quick else END
    tables = [
        show("Fokker–Planck on 30 × 30, time-space L¹ error", ["method", "error", "seconds"], fokker_planck(until, repeats)),
        show("Barenblatt, q = 2, t = 4e-4 … 4.4e-3", ["cells", "L¹ error", "order", "mass off by", "smallest cell"], barenblatt(sizes)),
        show(
            f"To the Gibbs state of a tanh student, τ = 0.05, {cells} × {cells}",
            ["axes", "residual", "largest rise of E", "decay rate", "its bound"],
            gibbs(cells),
        ),
        show("One implicit step", ["cells", "explicit stage, ms", "implicit step, ms", "in stages"], cost(grids, 3 * repeats)),
    ]
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
