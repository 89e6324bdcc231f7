"""The tanh student solved to the same error by three ways: our finite volumes, FiPy, and plain particles in NumPy.

θ = (c, a), g = c·tanh(a·x), target tanh 2x + ½ sin 3x on 40 Gauss–Legendre nodes, Gaussian start, t = 5. The error is
‖φ − φ_ref‖ in L²(ρ) at t = 5 against characteristics (self-convergence printed). All in one run of this script:

ours       wgf.FiniteVolume on a ladder of grids, the whole solve: box, features, initial averages, steps. Two integrators.
FiPy       VanLeerConvectionTerm with an implicit transient term, on the same box, from our initial cell averages, with the same
           low-rank potential in NumPy; one matrix and one solve a step; the time step is the best of a few tried on each grid.
particles  m neurons from the initial law, Heun's method with the step halved until it no longer shows, blocks of vectorised
           NumPy, no code of ours. Its error is random: the root mean square over seeds, error = C/√m fitted over m.

For the grids the time at error 1e-3 is interpolated in log–log between the neighbouring rungs; for the particles it is the
time of the fitted m. Ratios are to our fastest row.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from harness import keep, machine, quick_and_output, show

import wgf

END, TARGET_ERROR = 5.0, 1e-3
LOWER, UPPER = (-3.0, -2.5), (4.0, 4.5)
MEAN, STD = (0.2, 0.5), (0.4, 0.4)


def target(x: np.ndarray) -> np.ndarray:
    """f*, of size one."""
    return np.tanh(2 * x) + 0.5 * np.sin(3 * x)


DATA = wgf.Data.quadrature(target, -1, 1, 40)
PROBLEM = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a")), DATA), wgf.Gaussian(MEAN, STD))


def seconds(function: Any) -> tuple[float, Any]:
    """Wall time and result of one call."""
    begun = time.perf_counter()
    result = function()
    return time.perf_counter() - begun, result


def ours(reference: np.ndarray, sizes: Sequence[int], integrator: str) -> list[tuple[int, float, float]]:
    """(n, error, seconds) on n × n cells; the best of five warm solves."""
    rows = []
    for n in sizes:
        method = wgf.FiniteVolume((n, n), LOWER, UPPER, integrator=integrator)
        trials = [seconds(lambda method=method: wgf.solve(PROBLEM, method, END, save=2)) for _ in range(5)]
        rows.append((n, DATA.norm(trials[0][1].prediction[-1] - reference), min(trial[0] for trial in trials)))
    return rows


def fipy_solve(n: int, steps: int) -> np.ndarray:
    """φ at t = 5 from FiPy with equal time steps."""
    from fipy import CellVariable, FaceVariable, Grid2D, TransientTerm, VanLeerConvectionTerm

    spacing = [(high - low) / n for low, high in zip(LOWER, UPPER, strict=True)]
    mesh = Grid2D(dx=spacing[0], dy=spacing[1], nx=n, ny=n)  # G depends on the place through c and a only
    grid = wgf.Grid(LOWER, UPPER, (n, n))
    density = CellVariable(mesh=mesh, value=PROBLEM.initial.cell_averages(grid).T.ravel())
    c, a = grid.centers
    features = np.tanh(np.multiply.outer(a, DATA.inputs[:, 0]))  # (n, samples): on the a-axis only
    potential = CellVariable(mesh=mesh)
    velocity = FaceVariable(mesh=mesh, rank=1)
    interior = (~np.asarray(mesh.exteriorFaces.value)).astype(float)
    equation = TransientTerm(var=density) + VanLeerConvectionTerm(coeff=velocity, var=density)

    def prediction() -> np.ndarray:
        return features.T @ (density.value.reshape(n, n) @ c) * grid.cell_volume

    for _ in range(steps):
        slope = features @ (DATA.weights * (prediction() - DATA.targets))
        potential.setValue(np.multiply.outer(slope, c).ravel())
        velocity.setValue(-potential.faceGrad.value * interior)
        equation.solve(dt=END / steps)
    return prediction()


def fipy_ladder(reference: np.ndarray, sizes: Sequence[int]) -> list[tuple[int, float, float]]:
    """(n, error, seconds): on each grid the cheapest number of steps whose error is within 1.2 of the best one's."""
    os.environ["FIPY_SOLVERS"] = "scipy"
    arguments, sys.argv = sys.argv, sys.argv[:1]  # FiPy reads the command line when it is imported
    try:
        fipy_solve(8, 2)
    finally:
        sys.argv = arguments
    rows = []
    for n in sizes:
        trials = []
        for steps in (n // 2, n, 2 * n, 4 * n):
            wall, found = seconds(lambda n=n, steps=steps: fipy_solve(n, steps))
            trials.append((DATA.norm(found - reference), wall))
        enough = 1.2 * min(error for error, _ in trials)
        error, wall = min((trial for trial in trials if trial[0] <= enough), key=lambda trial: trial[1])
        rows.append((n, error, wall))
    return rows


def particle_solve(m: int, seed: int, steps: int) -> np.ndarray:
    """φ at t = 5 of m neurons, Heun's method, in blocks that fit into cache."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(MEAN, STD, (m, 2)).T.copy()
    x, weights, targets = DATA.inputs[:, 0], DATA.weights, DATA.targets
    parts = [slice(k, k + 1000) for k in range(0, m, 1000)]

    def network(theta: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        responses = [np.tanh(np.multiply.outer(theta[1, part], x)) for part in parts]
        return sum(theta[0, part] @ s for part, s in zip(parts, responses, strict=True)) / m, responses

    def velocity(theta: np.ndarray) -> np.ndarray:
        prediction, responses = network(theta)
        u = weights * (prediction - targets)
        out = np.empty_like(theta)
        for part, s in zip(parts, responses, strict=True):
            out[0, part] = -(s @ u)
            out[1, part] = -theta[0, part] * ((1 - s * s) @ (u * x))
        return out

    dt = END / steps
    for _ in range(steps):
        first = velocity(theta)
        theta = theta + 0.5 * dt * (first + velocity(theta + dt * first))
    return network(theta)[0]


def particle_ladder(reference: np.ndarray, sizes: Sequence[int], seeds: int) -> tuple[list[tuple[int, float, float]], float, float]:
    """(m, root-mean-square error, seconds of one run), the fitted C of error = C/√m, and seconds per particle."""
    fine = particle_solve(500, 0, 400)
    steps = next(steps for steps in (5, 10, 20, 40, 80) if DATA.norm(particle_solve(500, 0, steps) - fine) < 0.2 * TARGET_ERROR)
    rows = []
    for m in sizes:
        trials = [seconds(lambda m=m, seed=seed: particle_solve(m, seed, steps)) for seed in range(seeds)]
        errors = [DATA.norm(found - reference) for _, found in trials]
        rows.append((m, float(np.sqrt(np.mean(np.square(errors)))), min(wall for wall, _ in trials)))
    constant = float(np.sqrt(np.mean([error**2 * m for m, error, _ in rows])))
    print(f"particles: Heun with {steps} steps, {seeds} seeds, error = {constant:.3f}/√m")
    return rows, constant, rows[-1][2] / rows[-1][0]


def at_target(rows: Sequence[tuple[int, float, float]]) -> float:
    """The wall time at TARGET_ERROR, log–log between the rungs around it (or along the last two, if it lies outside)."""
    errors, walls = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    k = int(np.clip(np.searchsorted(-errors, -TARGET_ERROR), 1, len(rows) - 1))
    e, w = np.log(errors[k - 1 : k + 1]), np.log(walls[k - 1 : k + 1])
    return float(np.exp(w[0] + (np.log(TARGET_ERROR) - e[0]) / (e[1] - e[0]) * (w[1] - w[0])))


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    warnings.simplefilter("ignore")
    print(machine())
    reference = wgf.solve(PROBLEM, wgf.Characteristics(nodes=48), END, save=2).prediction[-1]
    finer = wgf.solve(PROBLEM, wgf.Characteristics(nodes=56), END, save=2).prediction[-1]
    print(f"reference: characteristics, 48 against 56 nodes: {DATA.norm(finer - reference):.1e}")
    grids, fipy_grids = ((24, 48), (16, 24)) if quick else ((48, 64, 96, 128, 192), (32, 48, 64, 96))
    clouds, seeds = ((250, 1000), 8) if quick else ((1000, 4000, 16000), 16)
    wgf.solve(PROBLEM, wgf.FiniteVolume(8, LOWER, UPPER, edge_tolerance=1), 0.1)  # compiled

    headers, tables, times = ["cells per axis", "error", "seconds"], [], {}
    for integrator in ("ssprk3", "ssprk52"):
        rows = ours(reference, grids, integrator)
        tables.append(show(f"ours, {integrator}", headers, rows))
        times[f"ours, {integrator}"] = at_target(rows)
    rows = fipy_ladder(reference, fipy_grids)
    tables.append(show("FiPy, VanLeerConvectionTerm", headers, rows))
    times["FiPy"] = at_target(rows)
    rows, constant, each = particle_ladder(reference, clouds, seeds)
    tables.append(show("particles in NumPy", ["m", "error (rms)", "seconds"], rows))
    needed = (constant / TARGET_ERROR) ** 2
    times[f"particles in NumPy (m = {needed:,.0f})"] = needed * each

    best = min(wall for name, wall in times.items() if name.startswith("ours"))
    final = [[name, wall, wall / best] for name, wall in times.items()]
    tables.append(show(f"Time to ‖φ − φ_ref‖ = {TARGET_ERROR:g}", ["method", "seconds", "ratio to our fastest"], final))
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
