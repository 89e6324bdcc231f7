"""What a density costs: time to an error in L¹, time beside the size of the box, and time of exact averages.

Time to an error. The default of wgf.FiniteVolume (mp5, ssprk43) beside what was the default before (mc, ssprk3, all cells moved), both on
a sequence of grids, whole solves in one run; the error ∫|μ_h − μ| dθ at the end is against the exact averages of wgf.Pushforward. The time
at 1 % is interpolated in log–log between the neighbouring rungs.

    (c, a)       tanh neurons, target 1.5 tanh 3x − tanh 0.8x on 40 nodes, Gaussian start of width 0.4, t = 5
    (c, a, b)    the same target, Gaussian start of width 0.3, t = 2

Time beside the box. Cells of the same size in a tight box, in one that is twice as long on each axis, and without a box.

Exact averages. wgf.Pushforward on 128² cells beside mc on 256², and on 64³ cells beside the default on as many.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from harness import best_seconds, keep, machine, quick_and_output, show, time_at

import wgf
from wgf.studies.theory.density_error import apart

TARGET_ERROR = 0.01
BEFORE: dict[str, Any] = {"limiter": "mc", "integrator": "ssprk3", "negligible": 0.0}
DATA = wgf.Data.quadrature(lambda x: 1.5 * np.tanh(3 * x) - np.tanh(0.8 * x), -1, 1, 40)


@dataclass(frozen=True)
class Case:
    """A problem on a box, and the rungs of two ladders, in cells per axis."""

    theta: tuple[str, ...]
    law: wgf.Gaussian
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    until: float
    ours: tuple[int, ...]
    before: tuple[int, ...]

    def method(self, n: int, **options: Any) -> wgf.FiniteVolume:
        """Finite volumes with n cells an axis."""
        return wgf.FiniteVolume((n,) * len(self.theta), self.lower, self.upper, **options)

    def exact(self, n: int, tolerance: float) -> wgf.Pushforward:
        """Exact averages on the same cells."""
        return wgf.Pushforward((n,) * len(self.theta), self.lower, self.upper, tolerance=tolerance)

    def solved(self, method: Any) -> wgf.Run:
        """The run, with its start and its end."""
        problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta=self.theta), DATA), self.law)
        return wgf.solve(problem, method, self.until, save=2)

    def error(self, n: int, **options: Any) -> float:
        """∫|μ_h − μ| dθ at the end."""
        found, exact = (self.solved(method).measures[-1] for method in (self.method(n, **options), self.exact(n, 0.02 * TARGET_ERROR)))
        return apart(found, exact)

    def seconds(self, methods: Sequence[Any], repeats: int) -> list[float]:
        """The least times of whole solves, in turn."""
        return best_seconds([partial(self.solved, method) for method in methods], repeats)


PLANE = Case(("c", "a"), wgf.Gaussian((0.2, 0.5), (0.4, 0.4)), (-3.5, -3.0), (4.5, 4.5), 5.0, (64, 80, 96, 112), (160, 192, 224, 256))
SPACE = Case(
    ("c", "a", "b"), wgf.Gaussian((0.2, 0.5, 0.1), (0.3, 0.3, 0.3)), (-2.0, -2.0, -2.5), (3.0, 3.0, 2.5), 2.0, (32, 40, 48), (80, 96)
)
LITTLE = dataclasses.replace(PLANE, until=0.2, ours=(24, 32), before=(24, 32))
LITTLE_SPACE = dataclasses.replace(SPACE, until=0.1, ours=(8, 12), before=(8, 12))


def ladders(case: Case, repeats: int) -> tuple[list[list[Any]], list[Any]]:
    """Rows (scheme, cells per axis, error, seconds) of both ladders; and θ, the two times at TARGET_ERROR, and their ratio."""
    rows, reached = [], []
    for name, sizes, options in (("mp5, ssprk43", case.ours, {}), ("mc, ssprk3", case.before, BEFORE)):
        errors = [case.error(n, **options) for n in sizes]
        times = case.seconds([case.method(n, **options) for n in sizes], repeats)
        rows += [[name, n, error, wall] for n, error, wall in zip(sizes, errors, times, strict=True)]
        reached.append(time_at(TARGET_ERROR, errors, times))
    return rows, [", ".join(case.theta), *reached, reached[1] / reached[0]]


def boxes(case: Case, n: int, repeats: int) -> list[list[Any]]:
    """Rows (θ, box, cells that are given, seconds, beside the tight box)."""
    lower, upper = np.array(case.lower), np.array(case.upper)
    half = 0.5 * (upper - lower)
    twice = dataclasses.replace(case, lower=tuple(lower - half), upper=tuple(upper + half)).method(2 * n)
    methods = {"tight": case.method(n), "twice as long": twice, "none": wgf.FiniteVolume(spacing=((upper - lower) / n).tolist())}
    times = case.seconds(list(methods.values()), repeats)
    return [[", ".join(case.theta), name, repr(methods[name]), wall, wall / times[0]] for name, wall in zip(methods, times, strict=True)]


def exact_averages(case: Case, method: wgf.Pushforward, beside: wgf.FiniteVolume, repeats: int) -> list[Any]:
    """A row: the method, its error as reported, how far the mass is off, seconds, what it is compared with, and the ratio of the times."""
    ours, theirs = case.seconds([method, beside], repeats)
    run = case.solved(method)
    return [repr(method), run.attributes["density_error"], run.attributes["mass_error"], ours, repr(beside), ours / theirs]


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    warnings.simplefilter("ignore")
    print(machine())
    plane, space, repeats = (LITTLE, LITTLE_SPACE, 1) if quick else (PLANE, SPACE, 5)
    tables, final = [], []
    for case in (plane, space):
        rows, reached = ladders(case, repeats)
        headers = ["scheme", "cells per axis", "density, L¹", "seconds"]
        tables.append(show(f"θ = ({', '.join(case.theta)}), t = {case.until:g}", headers, rows))
        final.append(reached)
    headers = ["θ", "mp5, ssprk43", "mc, ssprk3", "ratio"]
    tables.append(show(f"Seconds to ∫|μ_h − μ| dθ = {100 * TARGET_ERROR:g} %", headers, final))

    rows = boxes(plane, 24 if quick else 128, repeats) + boxes(space, 8 if quick else 48, repeats)
    tables.append(show("The same cells in another box", ["θ", "box", "method", "seconds", "beside the tight box"], rows))

    few, more, cube = (16, 24, 8) if quick else (128, 256, 64)
    rows = [exact_averages(plane, plane.exact(few, tolerance), plane.method(more, **BEFORE), repeats) for tolerance in (1e-5, 1e-6)]
    rows.append(exact_averages(space, space.exact(cube, 1e-3), space.method(cube), repeats))
    headers = ["method", "error as reported", "mass off by", "seconds", "beside", "ratio"]
    tables.append(show("Exact averages", headers, rows))
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
