"""How wrong densities are: ∫|μ_h − μ| dθ by method and cells, against exact averages, or much finer cells where there is noise.

limiters   a tanh student in (c, a) from a Gaussian law, at t = 2, 5, 10 and 20, by every limiter of the finite volumes
others     the same by variational steps and by FiPy
problems   one coordinate, the README's target, narrow bumps, edges, three coordinates, and noise by both schemes
late       on 128² cells, as training draws the law out into filaments: the error, that of φ, and the peak

The order is that from one number of cells to the next.
A table is one function: its rows, from the sizes and times.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from harness import keep, machine, quick_and_output, show

import wgf
from wgf.studies.theory.density_error import apart

BOX = {"lower": (-3.5, -3.0), "upper": (4.5, 4.5)}
WIDE = {"lower": (-4.0, -4.0), "upper": (5.0, 5.0)}
IN_SPACE = {"lower": (-2.5, -2.0, -2.5), "upper": (3.5, 4.0, 2.5)}
DATA = wgf.Data.quadrature(lambda x: 1.5 * np.tanh(3 * x) - np.tanh(0.8 * x), -1, 1, 40)
SINE = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, 40)
GAUSSIAN = wgf.Gaussian((0.2, 0.5), (0.4, 0.4))
BUMPS = wgf.Mixture((0.5, 0.5), (wgf.Gaussian((-0.5, 1.0), (0.2, 0.2)), wgf.Gaussian((1.0, -0.5), (0.2, 0.2))))
SIDE_BY_SIDE = wgf.Mixture((0.5, 0.5), (wgf.Gaussian((-0.5, 0.5), (0.2, 0.2)), wgf.Gaussian((0.8, 0.5), (0.2, 0.2))))
EDGES = wgf.Uniform((-0.5, 0.0), (1.0, 1.0))
LIMITERS = ("mp7", "mp5", "mc", "van-leer", "minmod", "upwind")
TOLERANCE = 1e-4  # of the exact averages, in L¹, on the plane and in space
HEADERS = ["case", "method", "t", "cells per axis", "L¹", "order"]


def student(law: Any = GAUSSIAN, theta: tuple[str, ...] = ("c", "a"), temperature: float = 0.0, data: wgf.Data = DATA) -> wgf.Problem:
    """The demo's data, or others, learnt by tanh neurons."""
    return wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta), data), law, temperature)


@dataclass(frozen=True)
class Case:
    """A problem to a time, by methods on n cells an axis for each n, and the true density over the cells of a grid."""

    name: str
    problem: wgf.Problem
    until: float
    methods: dict[str, Callable[[int], Any]]
    sizes: tuple[int, ...]
    tolerance: float = TOLERANCE
    reference: Any = None  # a method on many more cells, where exact averages are not to be had

    def rows(self, sizes: Sequence[int]) -> list[list[Any]]:
        """The error of each method on each number of cells, and its order from the number before."""
        truth = self.truth(max(sizes))
        rows = []
        for method, make in self.methods.items():
            before: tuple[int, float] | None = None
            for n in sizes:
                error = apart(truth, self.density(make(n)))
                order = "" if before is None else np.log(before[1] / error) / np.log(n / before[0])
                rows.append([self.name, method, self.until, n, error, order])
                before = n, error
        return rows

    def truth(self, finest: int) -> wgf.Density:
        """Exact averages over the finest cells, which the coarser ones cut, or the reference's density."""
        if self.reference is not None:
            return self.density(self.reference)
        grid = next(iter(self.methods.values()))(finest).grid(self.problem, self.until)
        return self.density(wgf.Pushforward(grid.shape, grid.lower, grid.upper, tolerance=self.tolerance))

    def density(self, method: Any) -> wgf.Density:
        """At the end; of a mesh that is a box, on the grid of its cells."""
        measure = wgf.solve(self.problem, method, self.until, save=2).measures[-1]
        if isinstance(measure, wgf.MeshDensity):
            grid = method.mesh.grid()
            return wgf.Density(grid, measure.values.reshape(grid.shape[::-1]).T)  # the first axis runs fastest
        return measure


def finite_volumes(**options: Any) -> Callable[[int], wgf.FiniteVolume]:
    """Ours on n cells an axis."""
    return lambda n: wgf.FiniteVolume(n, edge_tolerance=1, **options)


def limiters(box: dict[str, Any]) -> dict[str, Callable[[int], Any]]:
    """The finite volumes with every limiter."""
    return {limiter: finite_volumes(**box, limiter=limiter) for limiter in LIMITERS}


def others(box: dict[str, Any], until: float) -> dict[str, Callable[[int], Any]]:
    """Variational steps, as many as there are cells an axis and second order in them, and FiPy."""
    return {
        "jko, order 2": lambda n: wgf.JKO(n, **box, dt=until / n, order=2, edge_tolerance=1),
        "FiPy": lambda n: wgf.FiPyMesh(wgf.Box((n,) * len(box["lower"]), **box)),
    }


def schemes(box: dict[str, Any]) -> dict[str, Callable[[int], Any]]:
    """The finite volumes with each scheme for the noise, and with the choice between them."""
    named = {scheme: finite_volumes(**box, diffusion=scheme) for scheme in ("gibbs", "split")}
    return {**named, "by default": finite_volumes(**box)}


def demo_cases() -> list[Case]:
    """The tanh student at four times."""
    return [Case("student", student(), until, limiters(BOX), (32, 64, 128, 256)) for until in (2.0, 5.0, 10.0, 20.0)]


def other_methods() -> list[Case]:
    """The tanh student by other methods than ours on grids, which take longer."""
    return [Case("student", student(), 2.0, others(BOX, 2.0), (32, 64, 128))]


def other_problems() -> list[Case]:
    """One coordinate, the target of the README, narrow bumps, edges, three coordinates, and noise."""
    line = {"lower": (-2.0,), "upper": (3.0,)}
    space = wgf.Gaussian((0.2, 0.5, 0.0), (0.4, 0.4, 0.4))
    default = {"mp7": finite_volumes(**BOX), "mp5": finite_volumes(**BOX, limiter="mp5"), "mc": finite_volumes(**BOX, limiter="mc")}
    noisy = {tau: student(temperature=tau) for tau in (0.01, 0.1)}
    return [
        Case("(a)", student(wgf.Gaussian((0.5,), (0.4,)), ("a",)), 2.0, limiters(line), (32, 64, 128, 256), tolerance=1e-8),
        *(Case("tanh 2x + ½ sin 3x", student(data=SINE), until, default, (32, 64, 128, 256)) for until in (5.0, 10.0)),
        Case("two bumps", student(BUMPS), 5.0, default, (64, 128, 256)),
        Case("side by side", student(SIDE_BY_SIDE), 5.0, default, (64, 128, 256)),
        Case("uniform law", student(EDGES), 5.0, default, (64, 128, 256)),
        Case(
            "(c, a, b)",
            student(space, ("c", "a", "b")),
            2.0,
            {"mp7": finite_volumes(**IN_SPACE), "mp5": finite_volumes(**IN_SPACE, limiter="mp5")},
            (16, 32, 64),
        ),
        *(
            Case(f"τ = {tau:g}", problem, 2.0, schemes(WIDE), (32, 64, 128), reference=wgf.FiniteVolume(512, **WIDE))
            for tau, problem in noisy.items()
        ),
    ]


def errors(cases: Sequence[Case], quick: bool) -> list[list[Any]]:
    """The table of some cases."""
    return [row for case in cases for row in smaller(case, quick).rows((8, 16) if quick else case.sizes)]


def smaller(case: Case, quick: bool) -> Case:
    """The same to an early time, with a reference on few cells, to see that it runs."""
    if not quick:
        return case
    few = None if case.reference is None else dataclasses.replace(case.reference, cells=24)
    return dataclasses.replace(case, until=0.1, reference=few)


def late(n: int, times: Sequence[float]) -> list[list[Any]]:
    """At each time, on n × n cells: for mp7, mp5 and mc the error in L¹, φ's, and the peak."""
    problem, rows = student(), []
    exact = wgf.solve(problem, wgf.Pushforward(n, **BOX, tolerance=TOLERANCE), times[-1], times)
    for limiter in ("mp7", "mp5", "mc"):
        method = wgf.FiniteVolume(n, **BOX, limiter=limiter)
        run = wgf.solve(problem, method, times[-1], times)
        for time in times:
            k = int(np.abs(run.times - time).argmin())
            true, density = exact.measures[k], run.measures[k]
            peak = density.values.max() / true.values.max()
            rows.append([limiter, time, apart(true, density), DATA.norm(run.prediction[k] - exact.prediction[k]), peak])
    return rows


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    warnings.simplefilter("ignore")
    print(machine())
    tables = [
        show(title, HEADERS, errors(cases, quick))
        for title, cases in (
            ("The tanh student, by limiter", demo_cases()),
            ("The tanh student, by other methods", other_methods()),
            ("Other problems", other_problems()),
        )
    ]
    n, times = (16, (0.1, 0.2)) if quick else (128, (1.0, 2.0, 5.0, 10.0, 20.0, 40.0))
    headers = ["limiter", "t", "L¹", "‖φ − φ_ref‖", "peak / true peak"]
    tables.append(show(f"The tanh student on {n} × {n} cells as time goes on", headers, late(n, times)))
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
