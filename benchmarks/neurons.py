"""Neurons in compiled loops and from tables beside whole arrays in NumPy, and a plane of cells without c beside features on all of them.

Times are CPU times, taken in turn with the peer in one run; to count no waiting threads, let there be one (NUMBA_NUM_THREADS=1
OPENBLAS_NUM_THREADS=1). The peers are what the package did before: σ and σ' of blocks of neurons × data by NumPy, and compressed
features on the cells.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import numpy as np
from harness import keep, machine, quick_and_output, show

import wgf
from wgf.measures.base import BLOCK
from wgf.networks import neuron as neurons
from wgf.problems import grid_potential

UNTIL = 5.0
WAYS = ("whole arrays", "compiled loops", "a table")


class WholeArrays(neurons.RidgeResponse):
    """z, σ and σ' as arrays neurons × data, in NumPy."""


def seconds_in_turn(functions: Sequence[Callable[[], Any]], repeats: int) -> list[tuple[float, Any]]:
    """The least CPU time of each over the rounds, and what it gives."""
    found: list[tuple[float, Any]] = [(np.inf, None)] * len(functions)
    for _ in range(repeats):
        for k, function in enumerate(functions):
            begun = time.process_time()
            result = function()
            found[k] = min(found[k], (time.process_time() - begun, result), key=lambda pair: pair[0])
    return found


def student(activation: str, theta: tuple[str, ...] = ("c", "a"), samples: int = 40) -> wgf.Problem:
    """The target of benchmarks/densities.py, and neurons from its initial law."""
    data = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, samples)
    p = len(theta)
    law = wgf.Gaussian([0.2, 0.5, 0.0][:p], [0.4, 0.4, 0.3][:p])
    return wgf.Problem(wgf.RegressionEnergy(wgf.Neuron(activation, theta), data), law)


def carried(problem: wgf.Problem, method: Any, way: str, until: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the neurons are in the end, and what their network predicts."""
    with ExitStack() as stack:
        if way != "a table":
            stack.enter_context(patch.object(wgf.RegressionEnergy, "tabulated", lambda self: self))
        if way == "whole arrays":
            stack.enter_context(patch.object(wgf.Neuron, "at", lambda self, theta, x: WholeArrays(self, theta, x)))
            stack.enter_context(patch.object(wgf.Neuron, "rows_at_once", lambda self, samples: max(1, BLOCK // samples)))
        stepper = method.bind(problem, until)
        state = stepper.start()
        while state.time < until:
            stepper.step(state, until)
        return state.array, stepper.energy.predict(wgf.Cloud(state.array, stepper.weights, problem.energy.neuron))


def of_neurons(activation: str, theta: tuple[str, ...], m: int, until: float, repeats: int) -> list[Any]:
    """One row: the same neurons in all ways that there are."""
    problem, method = student(activation, theta), wgf.Particles(m, seed=1)
    ways = WAYS if len(theta) == 2 and activation != "relu" else WAYS[:2]
    found = seconds_in_turn([lambda way=way: carried(problem, method, way, until) for way in ways], repeats)
    seconds, ends = [each[0] for each in found], [each[1][0] for each in found]
    ratios = [seconds[0] / each for each in seconds[1:]]
    apart = [np.abs(end - ends[0]).max() for end in ends[1:]]
    missing = [None] * (3 - len(ways))
    return [f"{activation}({', '.join(theta)})", m, seconds[0], *ratios, *missing, *apart, *missing]


def of_characteristics(nodes: int, repeats: int) -> list[list[Any]]:
    """Characteristics to their default tolerance and to 1e-7 in the prediction, in all ways."""
    problem = student("tanh")
    reference = carried(problem, wgf.Characteristics(nodes, 1e-12, 1e-13), "whole arrays", UNTIL)[1]
    cases = [(rtol, way) for rtol in (1e-10, 1e-4) for way in WAYS]
    runs = [lambda case=case: carried(problem, wgf.Characteristics(nodes, case[0], 0.01 * case[0]), case[1], UNTIL) for case in cases]
    found = seconds_in_turn(runs, repeats)
    rows = []
    for k, (rtol, way) in enumerate(cases):
        same, default = found[k // 3 * 3][0] / found[k][0], found[0][0] / found[k][0]
        rows.append([way, rtol, problem.energy.data.norm(found[k][1][1] - reference), found[k][0], same, default])
    return rows


def plane(cells: int, samples: int, limiter: str, separable: bool) -> tuple[Any, Any]:
    """The transport of neurons (a, b) on a plane, with separable features or with those of all cells, and its state."""
    method = wgf.FiniteVolume(cells, [-2.5, -2.5], [3.5, 3.5], limiter=limiter, negligible=0.0)
    problem = wgf.Problem(student("tanh", ("a", "b"), samples).energy, wgf.Gaussian([0.5, 0.5], [0.4, 0.4]))
    with ExitStack() as stack:
        if not separable:
            stack.enter_context(patch.object(grid_potential, "separate", lambda *given: None))
        stepper = method.bind(problem, 1.0)
    return stepper, stepper.start()


def of_planes(cells: int, samples: int, limiter: str, repeats: int) -> list[Any]:
    """One row: a stage, potential included, both ways."""
    steppers = [plane(cells, samples, limiter, separable) for separable in (True, False)]

    def stage(stepper: Any, state: Any) -> np.ndarray:
        stepper.potential.update(state.array, stepper.sums)
        stepper.sweep(state.array, state.array, stepper.spare[0], 1e-6, 0.25)
        potential: np.ndarray = stepper.potential.offset
        return potential

    found = seconds_in_turn([lambda pair=pair: stage(*pair) for pair in steppers], repeats)
    (fast, g), (slow, exact) = found
    factors = steppers[0][0].potential.separable
    kept = g.nbytes + (0 if factors is None else sum(each.nbytes for each in (factors.left, factors.right, factors.core)))
    per_cell = 1e9 / cells**2
    return [f"{cells}²", samples, limiter, slow * per_cell, fast * per_cell, slow / fast, np.abs(g - exact).max(), kept / cells**2]


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Neurons, characteristics, and a plane without c."""
    warnings.simplefilter("ignore")
    print(machine())
    m, repeats = (2000, 1) if quick else (10**6, 2)
    some = [("tanh", ("c", "a"), UNTIL), ("tanh", ("c", "a", "b"), 1.0), ("erf", ("c", "a"), 1.0), ("relu", ("c", "a"), 1.0)]
    tables = [
        show(
            f"m neurons to t = {UNTIL:g} (others: 1): CPU seconds in whole arrays, how many times faster, how far apart they end",
            ["neuron", "m", "whole arrays", "loops, times", "table, times", "loops, apart", "table, apart"],
            [of_neurons(*case[:2], m if k == 0 else m // 10, case[2], repeats) for k, case in enumerate(some[: 2 if quick else None])],
        ),
        show(
            f"Characteristics to t = {UNTIL:g}: CPU seconds, times faster than whole arrays at the same and the default tolerance",
            ["way", "rtol", "error of φ", "seconds", "same, times", "default, times"],
            of_characteristics(20 if quick else 60, 1 if quick else 5),
        ),
        show(
            "A stage on a plane (a, b), ns a cell: features on cells beside separable ones; bytes a cell of these and G",
            ["cells", "data", "limiter", "on cells", "separable", "times", "G apart", "bytes"],
            [
                of_planes(128 if quick else 1024, samples, limiter, 1 if quick else 100)
                for samples in ((40,) if quick else (40, 400))
                for limiter in ("mc", "mp7")
            ],
        ),
    ]
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
