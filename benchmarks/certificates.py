"""How true, how tight and how fast certificates are.

Ten problems with noisy data, runs on 16² cells or of 300 neurons. The bound of L − L* is laid beside the true one, with L* from
global_minimum, the gap beside it, and what is proven beside 10⁶ random θ. The global minimum is laid beside a quadratic program on 10⁶
atoms, of which half are spread over the box and half lie near those that were found.
"""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np
from harness import keep, machine, quick_and_output, show

import wgf

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from optima import BOX, PROBLEMS, least_on_atoms  # those of the tests

HEADERS = ["problem", "L − L*, last", "bound / truth − 1, worst", "gap / truth, last", "10⁶ θ below", "seconds"]
LEAST = ["problem", "L*", "gap", "atoms", "rank + 1", "seconds", "on atoms, more by"]


def values_at(problem: wgf.Problem, u: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """G(·; z) at theta (N, p) for u = ρz, block by block."""
    parts = np.array_split(theta, max(1, len(theta) // 5000))
    value = np.concatenate([problem.energy.neuron.value(part, problem.energy.data.inputs) @ u for part in parts])
    return value + 0.5 * problem.energy.penalty.strength * np.sum(theta**2, axis=1)


def certificate_row(name: str, problem: wgf.Problem, samples: int) -> list[Any]:
    """A run, certified."""
    p = problem.dim
    edges = ((BOX[0],) * p, (BOX[1],) * p)
    method = wgf.Particles(300, seed=1, lower=edges[0], upper=edges[1]) if p > 2 else wgf.FiniteVolume(16, *edges)
    run = wgf.solve(problem, method, 4.0, 5)
    begun = time.perf_counter()
    certificate = wgf.certify(run)
    wall = time.perf_counter() - begun
    best = wgf.global_minimum(problem, *BOX)
    truth = run.loss - best.loss
    data = problem.energy.data
    dual = -(data.norm(best.z) ** 2) - 2 * (data.weights * best.z) @ data.targets
    random = np.random.default_rng(0).uniform(*BOX, (samples, p))
    below = 0.5 * (certificate.lower - dual) - values_at(problem, data.weights * best.z, random).min()
    ratio = certificate.bound / truth - 1.0
    worst = float(ratio[np.argmax(np.abs(ratio))])
    return [name, truth[-1], worst, certificate.gap[-1] / truth[-1], max(below, 0.0), wall]


def minimum_row(name: str, problem: wgf.Problem, atoms: int) -> list[Any]:
    """The least loss, and that on many atoms."""
    begun = time.perf_counter()
    found = wgf.global_minimum(problem, *BOX)
    wall = time.perf_counter() - begun
    rank = problem.energy.at(np.random.default_rng(0).uniform(*BOX, (5000, problem.dim)), 1e-12).rank
    more = least_on_atoms(problem, found.measure.points, atoms) - found.loss
    return [name, found.loss, found.gap, len(found.measure.weights), rank + 1, wall, more]


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    warnings.simplefilter("ignore")
    print(machine())
    chosen = {name: PROBLEMS[name] for name in list(PROBLEMS)[:2]} if quick else PROBLEMS
    count = 2000 if quick else 10**6
    rows = [certificate_row(name, problem, count) for name, problem in chosen.items()]
    tables = [show("Certificates of runs on 16² cells, or of 300 neurons", HEADERS, rows)]
    rows = [minimum_row(name, problem, count) for name, problem in chosen.items()]
    tables.append(show("The global minimum", LEAST, rows))
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
