"""The default grid: how wrong its loss is, and what is reported of it.

Twelve problems with noisy data, one to four coordinates, and boxes that are found. wgf.FiniteVolume() solves each; its last loss is laid
beside that of neurons by the gradient flow, whose own error is that of their draw (the standard error over the seeds is beside it),
and beside the error that is estimated from coarser runs.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np
from harness import keep, machine, quick_and_output, show

import wgf
from wgf.studies.theory.error_report import report_errors

NEURONS, SEEDS = 20_000, 3
RTOL = 1e-3  # of their flow: far less than what their draw costs
HEADERS = ["problem", "t", "loss, neurons", "±", "loss", "off by, %", "reported, %", "settled", "cells", "seconds"]


def noisy(dim: int) -> wgf.Data:
    """200 noisy samples of a function of one or two inputs."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (200, dim))
    clean = np.sin(3 * x[:, 0]) if dim == 1 else np.sin(2 * x[:, 0]) * x[:, 1]
    return wgf.Data(x, clean + 0.2 * rng.normal(size=len(x)))


LINE, PLANE = noisy(1), noisy(2)


def student(activation: str, theta: tuple[str, ...], mean: float, std: float, data: wgf.Data = LINE) -> wgf.Problem:
    """Neurons from a normal law with this mean and standard deviation in each coordinate."""
    law = wgf.Gaussian((mean,) * len(theta), (std,) * len(theta))
    return wgf.Problem(wgf.RegressionEnergy(wgf.Neuron(activation, theta, dim=data.dim), data), law)


PROBLEMS = {
    "tanh (a)": (student("tanh", ("a",), 0.5, 0.5), 10.0),
    "relu (a)": (student("relu", ("a",), 0.5, 0.5), 10.0),
    "tanh (c, a)": (student("tanh", ("c", "a"), 0.3, 0.5), 20.0),
    "relu (c, a)": (student("relu", ("c", "a"), 0.0, 1.0), 10.0),
    "erf (c, a)": (student("erf", ("c", "a"), 0.2, 0.3), 40.0),
    "cosine (a, b)": (student("cosine", ("a", "b"), 0.0, 1.0), 10.0),
    "sigmoid (c, a, b)": (student("sigmoid", ("c", "a", "b"), 0.0, 1.0), 10.0),
    "tanh (c, a, b)": (student("tanh", ("c", "a", "b"), 0.0, 1.0), 40.0),
    "relu (c, a, b)": (student("relu", ("c", "a", "b"), 0.0, 1.0), 40.0),
    "relu (c, a1, a2)": (student("relu", ("c", "a1", "a2"), 0.0, 0.7, PLANE), 5.0),
    "tanh (c, a1, a2, b)": (student("tanh", ("c", "a1", "a2", "b"), 0.0, 0.7, PLANE), 10.0),
    "tanh (c, a1, a2, b), narrow": (student("tanh", ("c", "a1", "a2", "b"), 0.2, 0.4, PLANE), 20.0),
}


def row(name: str, problem: wgf.Problem, until: float, neurons: int, seeds: int) -> list[Any]:
    """The figures of one problem."""
    drawn = [
        wgf.solve(problem, wgf.Particles(neurons, seed=seed, rtol=RTOL, atol=0.01 * RTOL), until, save=2).loss[-1] for seed in range(seeds)
    ]
    mean, error = np.mean(drawn), np.std(drawn, ddof=1) / np.sqrt(seeds)
    method, begun = wgf.FiniteVolume(), time.perf_counter()
    run = wgf.solve(problem, method, until, save=2)
    wall = time.perf_counter() - begun
    report_errors(problem, method, run)
    loss, cells = run.loss[-1], " × ".join(map(str, run.measures[-1].grid.shape))
    reported, settled = run.attributes["loss_error"], "yes" if run.attributes["loss_settled"] else "no"
    return [name, until, mean, error, loss, 100 * (loss / mean - 1), 100 * reported / loss, settled, cells, wall]


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the table and write it as JSON."""
    warnings.simplefilter("ignore")
    print(machine())
    chosen = {name: PROBLEMS[name] for name in ("tanh (a)", "relu (a)")} if quick else PROBLEMS
    rows = []
    for name, (problem, until) in chosen.items():
        rows.append(row(name, problem, 0.1 if quick else until, *((50, 2) if quick else (NEURONS, SEEDS))))
        print(name, flush=True)
    keep(__file__, [show("The loss on the default grid", HEADERS, rows)], output)


if __name__ == "__main__":
    main()
