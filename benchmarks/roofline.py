"""How near one Runge–Kutta stage of the finite volumes is to the machine's copy bandwidth, and how its cost grows.

A stage is everything that is done for it: the potential of the new density (moments, residual, G) and the fused transport
sweep. A copy is a plain array copy of the same size, once compiled and threaded like the stage, once by numpy.copyto; stage
and copies are timed in turn in the same run, and the least times are compared.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import click
import numba
import numpy as np
from harness import best_seconds, keep, machine, quick_and_output, show

import wgf

AXES = {1: ("c",), 2: ("c", "a"), 3: ("c", "a", "b")}


@numba.njit(cache=True, parallel=True)
def threaded_copy(source: np.ndarray, target: np.ndarray) -> None:
    """A copy by all threads."""
    for row in numba.prange(source.shape[0]):
        for column in range(source.shape[1]):
            target[row, column] = source[row, column]


def bound(cells: tuple[int, ...], theta: tuple[str, ...] | None = None, samples: int = 40, tolerance: float = 1e-12) -> Any:
    """The transport of a tanh student on these cells, and its state at t = 0."""
    theta = theta or AXES[len(cells)]
    fixed = {name: 1.0 for name in ("a", "c") if name not in theta}
    data = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, samples)
    problem = wgf.Problem(
        wgf.RegressionEnergy(wgf.Neuron("tanh", theta, fixed), data), wgf.Gaussian([0.5] * len(cells), [0.4] * len(cells))
    )
    method = wgf.FiniteVolume(cells, [-2.5] * len(cells), [3.5] * len(cells), tolerance=tolerance, negligible=0.0)
    stepper = method.bind(problem, 1.0)
    return stepper, stepper.start()


def stage_and_copies(cells: tuple[int, ...], theta: tuple[str, ...] | None, repeats: int) -> list[Any]:
    """One row of the first table."""
    stepper, state = bound(cells, theta)
    values, sums = state.array, stepper.sums
    target = np.empty_like(values)

    def potential() -> None:
        stepper.potential.update(values, sums)

    def stage() -> None:
        stepper.potential.update(values, sums)
        stepper.sweep(values, values, stepper.spare[0], 1e-6, 0.25)

    times = best_seconds([stage, lambda: threaded_copy(values, target), potential, lambda: np.copyto(target, values)], repeats)
    whole, copy, share, plain = (1e9 * seconds / values.size for seconds in times)
    name = " × ".join(map(str, cells)) + f"  ({', '.join(theta or AXES[len(cells)])})"
    return [name, whole, share, copy, plain, whole / copy, whole / plain]


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
            (seconds,) = best_seconds([lambda s=stepper, t=state: s.potential.update(t.array, s.sums)], repeats)  # type: ignore[misc]
            kept.append(seconds)
            row += [stepper.potential.rank, 1e3 * seconds]
        rows.append(row)
    rows.append(["exponent of n", "", exponent(sizes, times[1e-12]), "", exponent(sizes, times[0.0])])
    return rows


@click.command()
@click.option("--threads", default=2, show_default=True, help="Threads of stage and copy.")
@click.option("--repeats", default=15, show_default=True, help="Rounds, of which the least time counts.")
@quick_and_output
def main(threads: int, repeats: int, quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    warnings.simplefilter("ignore", wgf.BoundaryWarning)
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    print(machine())
    cases: list[tuple[tuple[int, ...], tuple[str, ...] | None]] = [((128, 128), None), ((64, 64, 64), None)]
    if not quick:
        cases += [((512, 512), None), ((2048, 2048), None), ((128, 128, 128), None), ((1024, 1024), ("a", "b"))]
    headers = ["cells (axes)", "stage ns/cell", "of it potential", "copy ns/cell", "numpy copy", "stage in copies", "in numpy copies"]
    tables = [show("One stage beside a copy", headers, [stage_and_copies(*case, repeats) for case in cases])]
    if not quick:
        tables.append(show("Cost against N (n = 40)", ["cells", "ms a stage", "ns/cell"], growth_in_cells(repeats)))
        headers = ["n", "rank", "ms, compressed", "features", "ms, all features"]
        tables.append(show("Cost of the potential against n (256 × 256, no c-axis)", headers, growth_in_samples(repeats)))
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
