"""Variational steps: their errors, what a step costs beside its own kernel applications, and Sinkhorn iterations beside other tools.

errors      the tanh student sin 2x (amplitude one) on 128², T = 1, 20 steps, ε = 0.005: ‖φ − φ_ref‖ against characteristics; iterations
            per step; the least gain, by which ½L + W²/(2Δt) fell below its value at μ_k; the same for tanh 2x + ½ sin 3x.
Δt, ε       slopes in one dimension (a tanh neuron in a, 1024 cells), where exact transport distinguishes the two.
20 steps    the wall time of 20 implicit debiased steps, and what their own kernel applications take: the same number of them, timed
            in turn on arrays of the same size.
Sinkhorn    one iteration of plain Sinkhorn between two Gaussians, to the same ε and marginal error: our two domains, OTT-JAX's grid
            geometry (double precision; where it is installed: pip install '.[bench]') and POT with its dense matrix.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import click
import numpy as np
from harness import best_seconds, keep, machine, quick_and_output, show
from threadpoolctl import threadpool_limits

import wgf
from wgf.measures.distances.entropic import DOMAINS
from wgf.measures.layout import Layout

LOWER, UPPER = (-2.5, -2.5), (3.5, 4.5)
STEP, EPSILON = 0.05, 0.005
TARGETS = {"sin 2x": lambda x: np.sin(2 * x), "tanh 2x + ½ sin 3x": lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x)}
SINKHORN_EPSILON, SINKHORN_ERROR = 0.05, 1e-6
MOST = 5000  # Sinkhorn iterations


def student(target: Callable[[np.ndarray], np.ndarray]) -> wgf.Problem:
    """The tanh student in (c, a)."""
    data = wgf.Data.quadrature(target, -1, 1, 40)
    return wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data), wgf.Gaussian((0.2, 0.5), (0.4, 0.4)))


def distance(problem: wgf.Problem, run: wgf.Run, reference: wgf.Run) -> float:
    """‖φ − φ_ref‖ at the end."""
    return float(problem.energy.data.norm(run.prediction[-1] - reference.prediction[-1]))


def errors(n: int) -> list[list[Any]]:
    """Every variant of the step on n × n cells."""
    rows = []
    variants: dict[str, dict[str, Any]] = {
        "debiased": {},
        "plain": {"debiased": False},
        "linearised": {"linearised": True},
        "second order": {"order": 2},
        "log domain": {"domain": "log"},
    }
    for name, target in TARGETS.items():
        problem = student(target)
        reference = wgf.solve(problem, wgf.Characteristics(), 1.0, save=2)
        for variant, options in variants.items():
            method = wgf.JKO(n, LOWER, UPPER, dt=STEP, epsilon=EPSILON, **options)
            wgf.solve(problem, method, STEP, save=2)
            begun = time.perf_counter()
            run = wgf.solve(problem, method, 1.0, save=2)
            taken = time.perf_counter() - begun
            gain = float((-np.diff(run.history["free_energy"]) - run.history["transport"][1:]).min())
            rows.append([name, variant, distance(problem, run, reference), run.history["iterations"][1:].mean(), gain, taken])
    return rows


def slopes(n: int) -> list[list[Any]]:
    """Errors in Δt against characteristics, and in ε against exact transport with the same Δt, on n cells of a line."""
    data = wgf.Data.quadrature(TARGETS["tanh 2x + ½ sin 3x"], -1, 1, 40)
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("a",)), data, 0.1), wgf.Gaussian([0.5], [0.4]))
    box = wgf.JKO(n, [-3.5], [4.5], dt=STEP)
    limit = wgf.solve(problem, wgf.Characteristics(), 1.0, save=2)
    exact = wgf.solve(problem, wgf.QuantileJKO(box.cells, box.lower, box.upper, dt=box.dt), 1.0, save=2)
    narrow = 16 * (8 / n) ** 2
    studies = [
        ("Δt, first order", limit, [{"dt": dt, "epsilon": narrow} for dt in (0.2, 0.1, 0.05)]),
        ("Δt, second order", limit, [{"dt": dt, "epsilon": narrow, "order": 2} for dt in (0.2, 0.1, 0.05)]),
        ("ε, plain", exact, [{"epsilon": epsilon, "debiased": False} for epsilon in (0.02, 0.01, 0.005)]),
        ("ε, debiased", exact, [{"epsilon": epsilon} for epsilon in (0.02, 0.01, 0.005)]),
    ]
    rows = []
    for name, reference, options in studies:
        found = [distance(problem, wgf.solve(problem, dataclasses.replace(box, **each), 1.0, save=2), reference) for each in options]
        rows.append([name, *found, np.polyfit(np.log([4.0, 2.0, 1.0]), np.log(found), 1)[0]])
    return rows


def twenty_steps(n: int, repeats: int) -> list[list[Any]]:
    """20 implicit debiased steps and their kernel applications on n × n cells, in turn."""
    rows = []
    for name, target in TARGETS.items():
        problem = student(target)
        for domain in DOMAINS:
            method = wgf.JKO(n, LOWER, UPPER, dt=STEP, epsilon=EPSILON, domain=domain)
            stepper = method.bind(problem, 1.0)
            applied = 0
            smooth = DOMAINS[domain].smooth

            def steps(stepper: Any = stepper) -> None:
                state = stepper.start()
                while state.time < 1.0:
                    stepper.step(state, 1.0)

            def counted(*arguments: Any, smooth: Any = smooth) -> Any:
                nonlocal applied
                applied += 1
                return smooth(*arguments)

            with mock.patch.object(DOMAINS[domain], "smooth", counted):
                steps()
            kernel, v, out = stepper.domains[domain], np.full(stepper.shape, 0.5), np.empty(stepper.shape)

            def applications(kernel: Any = kernel, v: Any = v, out: Any = out, count: int = applied) -> None:
                with threadpool_limits(1, user_api="blas"):
                    for _ in range(count):
                        kernel.smooth(v, out)

            whole, transport = best_seconds([steps, applications], repeats)
            rows.append([name, domain, applied, 1e3 * whole, 1e3 * transport, whole / transport])
    return rows


def marginals(n: int) -> tuple[wgf.Grid, np.ndarray, np.ndarray]:
    """Two Gaussians on n × n cells of a box of length 4, as masses, (n, n)."""
    grid = wgf.Grid((-2, -2), (2, 2), n)
    laws = wgf.Gaussian((-0.3, 0), (0.3, 0.4)), wgf.Gaussian((0.4, 0.2), (0.4, 0.25))
    first, second = (law.cell_averages(grid) for law in laws)
    return grid, first / first.sum(), second / second.sum()


def ours(n: int, domain: str) -> Callable[[], int]:
    """Plain Sinkhorn in one of our domains; the number of iterations to SINKHORN_ERROR."""
    grid, first, second = marginals(n)
    kernel: Any = DOMAINS[domain](Layout(grid, 1), SINKHORN_EPSILON)
    with np.errstate(all="ignore"):
        mu, nu = (kernel.given(mass, np.empty_like(mass)) for mass in (first, second))
    u, a, smoothed, scratch = (np.empty_like(mu) for _ in range(4))

    def run() -> int:
        np.copyto(u, kernel.given(np.ones_like(first), scratch))
        with np.errstate(all="ignore"), threadpool_limits(1, user_api="blas"):
            kernel.smooth(u, smoothed)
            for count in range(1, MOST):
                kernel.quotient(nu, smoothed, a)
                kernel.quotient(mu, kernel.smooth(a, smoothed), u)
                kernel.smooth(u, smoothed)
                found = kernel.masses(kernel.product(a, smoothed, scratch), scratch)
                if np.abs(found - second).sum() <= SINKHORN_ERROR:
                    return count
        return MOST

    return run


def ott(n: int, logarithms: bool) -> Callable[[], int]:
    """OTT-JAX's Sinkhorn on its grid geometry."""
    import jax

    jax.config.update("jax_enable_x64", True)
    from ott.geometry import grid as ott_grid
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn

    grid, first, second = marginals(n)
    geometry = ott_grid.Grid(x=[jax.numpy.asarray(c) for c in grid.centers], epsilon=SINKHORN_EPSILON)
    problem = linear_problem.LinearProblem(geometry, a=first.ravel(), b=second.ravel())
    solver = jax.jit(sinkhorn.Sinkhorn(lse_mode=logarithms, threshold=SINKHORN_ERROR, inner_iterations=1, max_iterations=MOST))

    def run() -> int:
        output = solver(problem)
        output.f.block_until_ready()
        return int((np.asarray(output.errors) != -1).sum())

    return run


def pot(n: int) -> Callable[[], int]:
    """POT's Sinkhorn with a dense matrix."""
    import ot

    grid, first, second = marginals(n)
    points = grid.points()
    cost = ot.dist(points, points)

    def run() -> int:
        _, log = ot.sinkhorn(
            first.ravel(), second.ravel(), cost, SINKHORN_EPSILON, stopThr=SINKHORN_ERROR, numItermax=MOST, log=True, warn=False
        )
        return int(log["niter"]) + 1

    return run


def sinkhorn(sizes: Sequence[int], repeats: int) -> list[list[Any]]:
    """Milliseconds an iteration, each size in turn."""
    rows = []
    for n in sizes:
        runs = {"ours, scaling domain": ours(n, "scaling"), "ours, log domain": ours(n, "log")}
        if importlib.util.find_spec("ott") is not None:
            runs |= {"OTT-JAX grid, scaling domain": ott(n, False), "OTT-JAX grid, log domain": ott(n, True)}
        if n <= 64:
            runs |= {"POT dense": pot(n)}
        counts = {name: run() for name, run in runs.items()}
        times = dict(zip(runs, best_seconds(list(runs.values()), repeats), strict=True))
        each = {name: 1e3 * times[name] / counts[name] for name in runs}
        rows += [[f"{n} × {n}", name, counts[name], each[name], each[name] / each["ours, scaling domain"]] for name in runs]
    return rows


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    warnings.simplefilter("ignore")
    print(machine())
    n, cells, sizes, repeats = (16, 64, (8,), 1) if quick else (128, 1024, (64, 128), 5)
    tables = [
        show(
            f"Tanh student on {n} × {n}, T = 1, 20 steps, ε = {EPSILON}",
            ["target", "step", "‖φ − φ_ref‖", "iterations per step", "least gain", "seconds"],
            errors(n),
        ),
        show(f"On {cells} cells of a line", ["error in", "4δ", "2δ", "δ", "slope"], slopes(cells)),
        show(
            f"20 implicit debiased steps on {n} × {n}",
            ["target", "domain", "kernel applications", "steps, ms", "applications, ms", "ratio"],
            twenty_steps(n, repeats),
        ),
        show(
            f"Sinkhorn, ε = {SINKHORN_EPSILON}, marginal error {SINKHORN_ERROR}",
            ["cells", "tool", "iterations", "ms an iteration", "times ours"],
            sinkhorn(sizes, repeats),
        ),
    ]
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
