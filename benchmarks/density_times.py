"""What a density costs: time to an error in L¹, time beside the size of the box, and time of exact averages.

Time to an error. The default of wgf.FiniteVolume (mp7, ssprk43) beside what was the default before (mc, ssprk3, all cells moved), both on
a sequence of grids, whole solves in one run; the error ∫|μ_h − μ| dθ at the end is against the exact averages of wgf.Pushforward. The time
at 1 % is interpolated in log–log between the neighbouring rungs. What both have in common has become faster since, too: with `--before
CHECKOUT` an earlier version of wgf solves with its own code and defaults, in the same rounds (density_cases.py).

Time beside the box. Cells of the same size in a tight box, in one that is twice as long on each axis, and without a box.

Exact averages. wgf.Pushforward on 128² cells beside mc on 256², and on 64³ cells beside the default on as many.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from density_cases import PLANE, SPACE, Case, OtherVersion
from harness import best_seconds, keep, machine, quick_and_output, show, time_at

import wgf

TARGET_ERROR = 0.01
BEFORE: dict[str, Any] = {"limiter": "mc", "integrator": "ssprk3", "negligible": 0.0}


@dataclass(frozen=True)
class Sizes:
    """Cells per axis: of the ladders of the default and of mc; in tight boxes; of exact averages, and of the finite volumes beside them."""

    ours: tuple[int, ...]
    before: tuple[int, ...]
    tight: tuple[int, ...]
    exact: int
    beside: int


PLANE_SIZES, SPACE_SIZES = (
    Sizes((56, 64, 72, 80, 96), (160, 192, 224, 256), (128,), 128, 256),
    Sizes((28, 32, 36, 40), (80, 96), (48, 64), 64, 64),
)
FEW, FEW_IN_SPACE = Sizes((24, 32), (24, 32), (24,), 16, 24), Sizes((8, 12), (8, 12), (8,), 8, 8)


def exact(case: Case, n: int, tolerance: float) -> wgf.Pushforward:
    """Exact averages on the box of a case."""
    return wgf.Pushforward((n,) * len(case.theta), case.lower, case.upper, tolerance=tolerance)


def ladders(case: Case, sizes: Sizes, repeats: int, other: OtherVersion | None) -> tuple[list[list[Any]], list[list[Any]]]:
    """Rows (scheme, cells per axis, error, seconds); and for each scheme θ, its name, its time at TARGET_ERROR, and that beside ours."""
    rungs: list[tuple[str, int, Callable[[], Any], np.ndarray]] = []
    for name, cells, options in (("mp7, ssprk43", sizes.ours, {}), ("mc, ssprk3", sizes.before, BEFORE)):
        for n in cells:
            method = case.method(n, **options)
            rungs.append((name, n, partial(case.solved, method), case.solved(method).measures[-1].values))
    if other:
        rungs += [(f"default of {other.name}", n, partial(other.solve, case, n), other.averages(case, n)) for n in sizes.before]
    times = best_seconds([solve for _, _, solve, _ in rungs], repeats)
    rows = []
    for (name, n, _, averages), wall in zip(rungs, times, strict=True):
        true = case.solved(exact(case, n, 0.02 * TARGET_ERROR)).measures[-1]
        rows.append([name, n, float(np.abs(averages - true.values).sum() * true.grid.cell_volume), wall])
    reached = []
    for name in dict.fromkeys(row[0] for row in rows):
        _, _, errors, walls = zip(*(row for row in rows if row[0] == name), strict=True)
        reached.append([", ".join(case.theta), name, time_at(TARGET_ERROR, errors, walls)])
    return rows, [[*each, each[-1] / reached[0][-1]] for each in reached]


def boxes(case: Case, n: int, repeats: int) -> list[list[Any]]:
    """Rows (θ, box, cells that are given, seconds, beside the tight box)."""
    lower, upper = np.array(case.lower), np.array(case.upper)
    half = 0.5 * (upper - lower)
    twice = dataclasses.replace(case, lower=tuple(lower - half), upper=tuple(upper + half)).method(2 * n)
    methods = {"tight": case.method(n), "twice as long": twice, "none": wgf.FiniteVolume(spacing=((upper - lower) / n).tolist())}
    times = best_seconds([partial(case.solved, method) for method in methods.values()], repeats)
    return [[", ".join(case.theta), name, repr(methods[name]), wall, wall / times[0]] for name, wall in zip(methods, times, strict=True)]


def exact_averages(
    case: Case, sizes: Sizes, tolerances: Sequence[float], repeats: int, other: OtherVersion | None, **options: Any
) -> list[list[Any]]:
    """Rows for exact averages to each tolerance: the method, its error as reported, how far the mass is off, seconds, and these beside
    finite volumes with the options, and beside those of the other version.
    """
    methods = [exact(case, sizes.exact, tolerance) for tolerance in tolerances]
    beside: list[Callable[[], Any]] = [partial(case.solved, case.method(sizes.beside, **options))]
    if other:
        beside.append(partial(other.solve, case, sizes.beside))
    walls = best_seconds([partial(case.solved, method) for method in methods] + beside, repeats)
    rows = []
    for method, ours in zip(methods, walls, strict=False):
        attributes = case.solved(method).attributes
        ratios = [ours / theirs for theirs in walls[len(methods) :]]
        rows.append(
            [repr(method), attributes["density_error"], attributes["mass_error"], ours, f"{sizes.beside}^{len(case.theta)}", *ratios]
        )
    return rows


@click.command()
@click.option(
    "--before", "checkout", type=click.Path(path_type=Path, exists=True, file_okay=False), help="A checkout of an earlier version of wgf."
)
@quick_and_output
def main(quick: bool, output: Path | None, checkout: Path | None) -> None:
    """Print the tables and write them as JSON."""
    warnings.simplefilter("ignore")
    print(machine())
    sizes, repeats = ((FEW, FEW_IN_SPACE), 1) if quick else ((PLANE_SIZES, SPACE_SIZES), 9)
    cases = [dataclasses.replace(PLANE, until=0.2), dataclasses.replace(SPACE, until=0.1)] if quick else [PLANE, SPACE]
    tables, final = [], []
    with OtherVersion(checkout) if checkout else nullcontext() as other:
        for case, size in zip(cases, sizes, strict=True):
            rows, reached = ladders(case, size, repeats, other)
            headers = ["scheme", "cells per axis", "density, L¹", "seconds"]
            tables.append(show(f"θ = ({', '.join(case.theta)}), t = {case.until:g}", headers, rows))
            final += reached
        headers = ["θ", "scheme", "seconds", "beside mp7"]
        tables.append(show(f"Seconds to ∫|μ_h − μ| dθ = {100 * TARGET_ERROR:g} %", headers, final))

        rows = [row for case, size in zip(cases, sizes, strict=True) for n in size.tight for row in boxes(case, n, repeats)]
        tables.append(show("The same cells in another box", ["θ", "box", "method", "seconds", "beside the tight box"], rows))

        rows = exact_averages(cases[0], sizes[0], (1e-5, 1e-6), repeats, other, **BEFORE)
        rows += exact_averages(cases[1], sizes[1], (1e-3,), repeats, other)
        headers = ["method", "error as reported", "mass off by", "seconds", "finite volumes", "ratio"]
        tables.append(show("Exact averages", [*headers, f"default of {other.name}"] if other else headers, rows))
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
