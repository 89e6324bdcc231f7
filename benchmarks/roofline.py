"""How near one Runge–Kutta stage of the finite volumes is to the limits of the machine, and how its cost grows.

A stage is everything that is done for it: the potential of the new density (moments, residual, G) and the fused transport
sweep. Two limits are measured in the same run, in turn with it, and the least times are compared.

memory      A stage cannot move less than three numbers a cell: it reads the last stage and the density at the start of the step, and
            writes the next one; G has factors, and is read from no array. That is one and a half times what a copy moves, which is
            compiled and threaded like the stage. `in fewest bytes` is the time of a stage in that of so many bytes.
arithmetic  The same stage with rows of the same length on so few cells that all arrays lie in the caches (a thread takes some
            2^17 cells): what it takes there is operations, and what the whole grid takes beyond it is waiting for memory.

Per face and cell the second-order limiter takes about 20 operations and 6 loads and stores from the nearest cache, mp7 about 84 and 14, and
as many again for the terms of kernels/product.py on three axes; the update takes 15. `thread-ns` is seconds × threads per cell and stage,
the unit in which other codes publish.
"""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import click
import numba
import numpy as np
from harness import best_seconds, keep, machine, quick_and_output, show

import wgf
from wgf.kernels import aligned

AXES = {1: ("c",), 2: ("c", "a"), 3: ("c", "a", "b"), 4: ("c", "a1", "a2", "b")}
LIMITERS = {"mc": "ssprk3", "mp7": "ssprk43"}
NUMBERS = 1.5  # that a stage moves, in those that a copy moves
IN_CACHE = 2**17  # cells a thread, about


@numba.njit(cache=True, parallel=True)
def threaded_copy(source: np.ndarray, target: np.ndarray) -> None:
    """A copy by all threads."""
    for row in numba.prange(source.shape[0]):
        for column in range(source.shape[1]):
            target[row, column] = source[row, column]


def bound(
    cells: tuple[int, ...], theta: tuple[str, ...] | None = None, samples: int = 40, tolerance: float = 1e-12, limiter: str = "mp7"
) -> Any:
    """The transport of a tanh student on these cells, and its state at t = 0."""
    p = len(cells)
    theta = theta or AXES[p]
    inputs = 2 if "a2" in theta else 1
    fixed = {name: 1.0 for name in ("a", "c") if name not in theta and inputs == 1}
    x = np.random.default_rng(0).uniform(-1, 1, (samples, inputs))
    data = wgf.Data(x, np.tanh(2 * x[:, 0]) + 0.5 * np.sin(3 * x[:, -1]))
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta, fixed, inputs), data), wgf.Gaussian([0.5] * p, [0.4] * p))
    method = wgf.FiniteVolume(
        cells, [-2.5] * p, [3.5] * p, limiter=limiter, integrator=LIMITERS[limiter], tolerance=tolerance, negligible=0.0
    )
    stepper = method.bind(problem, 1.0)
    return stepper, stepper.start()


def stages(cells: tuple[int, ...], theta: tuple[str, ...] | None, limiter: str) -> tuple[Any, Any, Any]:
    """A stage with a base of its own, the potential of it alone, and a copy, as functions; they take the same arrays."""
    stepper, state = bound(cells, theta, limiter=limiter)
    values, sums = state.array, stepper.sums
    base, target = aligned.copied(values), aligned.empty(values.shape)

    def potential() -> None:
        stepper.potential.update(values, sums)

    def stage() -> None:
        stepper.potential.update(values, sums)
        stepper.sweep(values, base, stepper.spare[0], 1e-6, 0.25, measured=False)

    return stage, potential, lambda: threaded_copy(values, target)


def in_cache(cells: tuple[int, ...]) -> tuple[int, ...]:
    """Fewer cells along all axes but c, so that a thread has about IN_CACHE."""
    fewer = (IN_CACHE * numba.get_num_threads() / np.prod(cells)) ** (1 / (len(cells) - 1))
    return (cells[0], *(max(8, round(n * min(1.0, fewer))) for n in cells[1:]))


def beside_limits(cells: tuple[int, ...], theta: tuple[str, ...] | None, limiter: str, repeats: int) -> list[Any]:
    """One row of the first table."""
    whole, little = stages(cells, theta, limiter), stages(in_cache(cells), theta, limiter)
    sizes = [np.prod(cells)] * 3 + [np.prod(in_cache(cells))]
    times = best_seconds([*whole, little[0]], repeats)
    stage, potential, copy, near = (1e9 * seconds / size for seconds, size in zip(times, sizes, strict=True))
    name = " × ".join(map(str, cells)) + f"  ({', '.join(theta or AXES[len(cells)])})"
    threads = numba.get_num_threads()
    return [limiter, name, stage, stage * threads, potential, copy, stage / (NUMBERS * copy), near, stage / near]


def exponent(sizes: list[int], times: list[float]) -> float:
    """The slope of log time in log size."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def growth_in_cells(repeats: int) -> list[list[Any]]:
    """Cost of a stage against N at fixed n."""
    rows, sizes, times = [], [], []
    for n in (256, 512, 1024, 2048):
        stepper, state = bound((n, n))

        def stage(stepper: Any = stepper, state: Any = state) -> None:
            stepper.potential.update(state.array, stepper.sums)
            stepper.sweep(state.array, state.array, stepper.spare[0], 1e-6, 0.25)

        (seconds,) = best_seconds([stage], repeats)
        sizes.append(n * n)
        times.append(seconds)
        rows.append([f"{n} × {n}", 1e3 * seconds, 1e9 * seconds / n**2])
    rows.append(["exponent of N", exponent(sizes, times), ""])
    return rows


def growth_in_samples(repeats: int) -> list[list[Any]]:
    """Cost of a stage against n on a grid without a c-axis (features on all cells), compressed and with all n features."""
    rows: list[list[Any]] = []
    sizes = [50, 100, 200, 400]
    times: dict[float, list[float]] = {1e-12: [], 0.0: []}
    for samples in sizes:
        row: list[Any] = [samples]
        for tolerance, kept in times.items():
            stepper, state = bound((256, 256), ("a", "b"), samples, tolerance)
            (seconds,) = best_seconds([partial(stepper.potential.update, state.array, stepper.sums)], repeats)
            kept.append(seconds)
            row += [stepper.potential.rank, 1e3 * seconds]
        rows.append(row)
    rows.append(["exponent of n", "", exponent(sizes, times[1e-12]), "", exponent(sizes, times[0.0])])
    return rows


@click.command()
@click.option("--threads", default=2, show_default=True, help="Threads of stage and copy.")
@click.option("--repeats", default=7, show_default=True, help="Rounds, of which the least time counts.")
@quick_and_output
def main(threads: int, repeats: int, quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    for category in (wgf.BoundaryWarning, wgf.ResolutionWarning):  # of the coarse grids that fit into a cache
        warnings.simplefilter("ignore", category)
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    print(machine())
    repeats = 1 if quick else repeats
    cases: list[tuple[tuple[int, ...], tuple[str, ...] | None]] = [((128, 128), None), ((16, 16, 16), None), ((64, 8, 8, 8), None)]
    if not quick:
        cases = [((4096, 4096), None), ((256, 256, 256), None), ((64, 64, 64, 64), None), ((1024, 1024), ("a", "b"))]
    headers = ["limiter", "cells (axes)", "ns a cell", "thread-ns", "potential", "copy", "in fewest bytes", "in cache", "in that"]
    rows = [beside_limits(*case, limiter, repeats) for limiter in LIMITERS for case in cases]
    tables = [show("One stage beside the limits of the machine", headers, rows)]
    if not quick:
        tables.append(show("Cost against N (n = 40)", ["cells", "ms a stage", "ns/cell"], growth_in_cells(repeats)))
        headers = ["n", "rank", "ms, compressed", "features", "ms, all features"]
        tables.append(show("Cost of the potential against n (256 × 256, no c-axis)", headers, growth_in_samples(repeats)))
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
