"""Do dynamics and sampling commute, and how fast: the claims of `wgf.compare`, each beside theory; and what a second process gains.

The tanh student (θ = (c, a), target tanh 2x + ½ sin 3x on 40 Gauss–Legendre nodes, Gaussian start) and a linear neuron, whose limit and
fluctuation are known in closed form. σ is the standard error over replicates and sizes.
"""

from __future__ import annotations

import itertools
import time
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np
from harness import keep, machine, quick_and_output, show

import wgf
from wgf.studies.theory.fluctuation import spread

LOWER, UPPER = (-3.0, -2.5), (4.0, 4.5)


def target(x: np.ndarray) -> np.ndarray:
    """f*, of size one."""
    return np.tanh(2 * x) + 0.5 * np.sin(3 * x)


DATA = wgf.Data.quadrature(target, -1, 1, 40)
STUDENT = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a")), DATA), wgf.Gaussian([0.2, 0.5], [0.4, 0.4]))
LINEAR = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("identity", theta=("a",)), DATA, penalty=0.3), wgf.Gaussian([1.0], [0.4]))


def beside(scaled: np.ndarray, theory: np.ndarray) -> list[list[float]]:
    """(measured, theory, deviation in standard errors) at each time, from m·d² (replicates, T)."""
    error = scaled.std(axis=0, ddof=1) / np.sqrt(len(scaled))
    return [[value, known, (value - known) / sigma] for value, known, sigma in zip(scaled.mean(axis=0), theory, error, strict=True)]


def scaled(found: wgf.Comparison, name: str) -> np.ndarray:
    """m·d² of all replicates, (S R, T)."""
    return np.concatenate(found.distance[name] ** 2 * found.sizes[:, None, None])


def student(doublings: int, replicates: int, cells: int, workers: int | None) -> list[dict[str, Any]]:
    """The rate from 2⁵ neurons on, and the constant in time."""
    sizes = [2**k for k in range(5, 6 + doublings)]
    found = wgf.compare(STUDENT, wgf.FiniteVolume(cells, LOWER, UPPER), 5.0, sizes, replicates, [1.25, 2.5, 3.75], workers=workers)
    nodes, weights = STUDENT.initial.quadrature(48)
    exact = spread(wgf.Cloud(nodes, weights), STUDENT)
    tables = []
    for name, rate in found.rates.items():
        theory = rate.expected_constant.copy()
        if name == "function":
            theory[0] = exact
        columns = (found.times, rate.slope, rate.lower, rate.upper, rate.expected_slope, beside(scaled(found, name), theory))
        rows = [[*values, *last] for *values, last in zip(*columns, strict=True)]
        title = f"{name}: m = {sizes[0]} … {sizes[-1]}, {replicates} replicates, limit on {cells}²"
        tables.append(show(title, ["t", "slope of E d²", "from", "to", "theory", "m·E d²", "theory", "off by σ"], rows))
    return tables


def linear(replicates: int, workers: int | None) -> dict[str, Any]:
    """m·E|mean(μ_m) − mean(μ)|² = v₀ e^{−2(s + λ)t}."""
    times = [0.0, 0.5, 1.0, 1.5, 2.0]
    found = wgf.compare(LINEAR, wgf.Characteristics(), 2.0, (32, 128, 512), replicates, times, distances=("mean",), workers=workers)
    rate = float(DATA.weights @ DATA.inputs[:, 0] ** 2) + 0.3
    rows = [[t, *row] for t, row in zip(times, beside(scaled(found, "mean"), 0.16 * np.exp(-2 * rate * np.array(times))), strict=True)]
    return show("linear neuron: the mean of m neurons", ["t", "m·E|mean_m − mean|²", "v₀ e^{−2(s+λ)t}", "off by σ"], rows)


def wrong(sizes: tuple[int, ...], replicates: int, resolutions: tuple[int, ...], until: float, workers: int | None) -> dict[str, Any]:
    """The m from which on the grid limits, for limits of growing quality: as reported, and from the true error."""
    exact = wgf.solve(STUDENT, wgf.Characteristics(), until, save=2)
    rows = []
    for limiter, cells in itertools.product(("upwind", "mc"), resolutions):
        method = wgf.FiniteVolume(cells, LOWER, UPPER, limiter=limiter, edge_tolerance=1e-3)
        found = wgf.compare(STUDENT, method, until, sizes, replicates, save=2, workers=workers)
        error = DATA.norm(found.limit[-1] - exact.prediction[-1])
        square, uncertain = (values[-1, -1] for values in found.squared_bias())
        seen = f"{np.sqrt(max(square, 0)):.1e}" + ("" if square > 2 * uncertain else " (not distinguishable from 0)")
        rate = found.rates["function"].slope[-1]
        reported, right = found.limiting_size[-1], found.predicted[-1] / error**2
        rows.append([f"{limiter}, {cells}²", error, found.discretisation["function"][-1], seen, reported, right, reported / right, rate])
    headers = ["limit", "true error", "Richardson", "from the replicates", "limiting m: reported", "true", "ratio", "slope of E d²"]
    return show(f"Which limits, grid or neurons? t = {until:g}, m = {', '.join(map(str, sizes))}", headers, rows)


def two_workers(sizes: tuple[int, ...], replicates: int, cells: int, rounds: int) -> dict[str, Any]:
    """The same sweep with one process and with two, in turn."""
    best = {1: np.inf, 2: np.inf}
    for _ in range(rounds):
        for count in best:
            begun = time.perf_counter()
            wgf.compare(STUDENT, wgf.FiniteVolume(cells, LOWER, UPPER), 5.0, sizes, replicates, workers=count)
            best[count] = min(best[count], time.perf_counter() - begun)
    rows = [[count, wall, best[1] / wall] for count, wall in best.items()]
    return show(
        f"{replicates} replicates each of m = {', '.join(map(str, sizes))}, all in all", ["workers", "seconds", "times faster"], rows
    )


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    warnings.simplefilter("ignore", wgf.BoundaryWarning)
    print(machine())
    workers = 1 if quick else None  # starting a process takes longer than a quick sweep
    tables = student(2, 5, 32, workers) if quick else student(9, 64, 256, workers)
    tables.append(linear(10 if quick else 200, workers))
    tables.append(wrong((8, 16), 5, (16,), 1.0, workers) if quick else wrong((256, 1024, 4096), 32, (64, 128), 5.0, workers))
    tables.append(two_workers((8, 16), 5, 16, 1) if quick else two_workers((500, 2000, 8000), 32, 128, 2))
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
