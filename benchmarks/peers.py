"""Us beside others: what FiPy thinks of the same problems, and how long each way takes to the same error.

First the second opinion. wgf.FiniteVolume and wgf.FiPyMesh solve the same problems on the same boxes, in one, two and three dimensions,
with a periodic axis and with noise, and both are laid beside Characteristics (with noise, beside finer cells of ours): errors
‖φ − φ_ref‖ in L²(ρ) at the end, how far the two are apart, the largest error of FiPyMesh in the mass and its smallest cell.

Then the time to an error. The tanh student, θ = (c, a), g = c·tanh(a·x), target tanh 2x + ½ sin 3x on 40 Gauss–Legendre nodes, Gaussian
start, t = 5; the error is against characteristics (self-convergence printed). All in one run of this script:

ours       wgf.FiniteVolume on a sequence of grids, the whole solve: box, features, initial averages, steps. Two integrators.
           And wgf.Characteristics on a sequence of nodes, to 1e-3 in time: it gives φ, and no density.
FiPyMesh   the method of ours that solves by FiPy's terms: implicit steps of second order, swept.
FiPy       a loop by hand: VanLeerConvectionTerm with an implicit transient term, on the same box, from our initial cell averages, with the
           same low-rank potential in NumPy; one matrix and one solve a step; the time step is the best of a few tried on each grid.
particles  m neurons from the initial law, Heun's method with the step halved until it no longer shows, blocks of vectorised
           NumPy, no code of ours. Its error is random: the root mean square over seeds, error = C/√m fitted over m.

For the grids the time at error 1e-3 is interpolated in log–log between the neighbouring rungs; for the particles it is the
time of the fitted m. Ratios are to our fastest finite volumes, and to our fastest row.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from harness import keep, machine, quick_and_output, show, time_at

import wgf
from wgf.methods.fipy.bridge import load_fipy

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


@dataclass(frozen=True)
class Case:
    """A problem on a box, solved by both on n cells an axis for each n."""

    name: str
    theta: tuple[str, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    sizes: tuple[int, ...]
    activation: str = "tanh"
    temperature: float = 0.0
    boundary: str | tuple[str, ...] = "no-flux"

    def problem(self) -> wgf.Problem:
        """The student's data, and a Gaussian of width 0.4 (0.3 in space)."""
        p = len(self.theta)
        law = wgf.Gaussian((0.2, 0.5, 0.0)[:p], ((0.4, 0.4) if p < 3 else (0.3, 0.3, 0.3))[:p])
        return wgf.Problem(wgf.RegressionEnergy(wgf.Neuron(self.activation, theta=self.theta), DATA), law, self.temperature)

    def reference(self, finest: int, until: float) -> np.ndarray:
        """φ at the end from characteristics, or from four times as many cells an axis as the finest."""
        if self.temperature:
            return wgf.solve(self.problem(), self.ours(4 * finest), until, save=2).prediction[-1]
        return wgf.solve(self.problem(), wgf.Characteristics(nodes=48 if len(self.theta) < 3 else 20), until, save=2).prediction[-1]

    def ours(self, n: int) -> wgf.FiniteVolume:
        """Our finite volumes."""
        return wgf.FiniteVolume((n,) * len(self.theta), self.lower, self.upper, boundary=self.boundary)

    def theirs(self, n: int) -> wgf.FiPyMesh:
        """FiPy's."""
        return wgf.FiPyMesh(wgf.Box((n,) * len(self.theta), self.lower, self.upper, boundary=self.boundary))


CASES = (
    Case("(a)", ("a",), (-2.0,), (3.0,), (64, 128, 256)),
    Case("(c, a)", ("c", "a"), LOWER, UPPER, (32, 64, 128)),
    Case("(c, a), τ = 0.1", ("c", "a"), (-4.0, -4.0), (5.0, 5.0), (32, 64), temperature=0.1),
    Case("(a, b), b periodic", ("a", "b"), (-2.0, -np.pi), (3.0, np.pi), (32, 64), "cosine", boundary=("no-flux", "periodic")),
    Case("(c, a, b)", ("c", "a", "b"), (-1.8, -1.5, -2.0), (2.6, 2.6, 2.0), (16, 32)),
)


def second_opinion(case: Case, sizes: Sequence[int], until: float) -> list[list[Any]]:
    """A row for each n: both errors, the distance between the two, mass and smallest cell of FiPyMesh, and its time in ours."""
    problem, reference = case.problem(), case.reference(sizes[-1], until)
    rows = []
    for n in sizes:
        wall, ours = seconds(lambda n=n: wgf.solve(problem, case.ours(n), until, save=2))
        slower, theirs = seconds(lambda n=n: wgf.solve(problem, case.theirs(n), until, save=2))
        errors = [DATA.norm(run.prediction[-1] - reference) for run in (ours, theirs)]
        apart = DATA.norm(ours.prediction[-1] - theirs.prediction[-1])
        mass = np.abs(theirs.history["mass"] - 1).max()
        rows.append([case.name, n, *errors, apart, mass, theirs.history["minimum"].min(), slower / wall])
    return rows


def ladder(make: Callable[[int], Any], reference: np.ndarray, sizes: Sequence[int], spent: float) -> list[tuple[int, float, float]]:
    """(n, error, seconds) on n × n cells or nodes; the best of the solves that so many seconds are spent on, of one at least: of few short
    ones the best depends on luck, where cores are slow for seconds.
    """
    rows = []
    for n in sizes:
        method, solves, ending = make(n), [], time.perf_counter() + spent
        while not solves or time.perf_counter() < ending:
            solves.append(seconds(lambda method=method: wgf.solve(PROBLEM, method, END, save=2)))
        rows.append((n, DATA.norm(solves[0][1].prediction[-1] - reference), min(solve[0] for solve in solves)))
    return rows


def fipy_solve(n: int, steps: int) -> np.ndarray:
    """φ at t = 5 from FiPy with equal time steps."""
    fipy = load_fipy()
    spacing = [(high - low) / n for low, high in zip(LOWER, UPPER, strict=True)]
    mesh = fipy.Grid2D(dx=spacing[0], dy=spacing[1], nx=n, ny=n)  # G depends on the place through c and a only
    grid = wgf.Grid(LOWER, UPPER, (n, n))
    density = fipy.CellVariable(mesh=mesh, value=PROBLEM.initial.cell_averages(grid).T.ravel())
    c, a = grid.centers
    features = np.tanh(np.multiply.outer(a, DATA.inputs[:, 0]))  # (n, samples): on the a-axis only
    potential = fipy.CellVariable(mesh=mesh)
    velocity = fipy.FaceVariable(mesh=mesh, rank=1)
    interior = (~np.asarray(mesh.exteriorFaces.value)).astype(float)
    equation = fipy.TransientTerm(var=density) + fipy.VanLeerConvectionTerm(coeff=velocity, var=density)

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
    """The wall time at TARGET_ERROR of rows (n, error, seconds)."""
    return time_at(TARGET_ERROR, *zip(*(row[1:] for row in rows), strict=True))


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    warnings.simplefilter("ignore")
    print(machine())
    nodes = (20, 24) if quick else (48, 56)
    reference, finer = (wgf.solve(PROBLEM, wgf.Characteristics(nodes=n), END, save=2).prediction[-1] for n in nodes)
    print(f"reference: characteristics, {nodes[0]} against {nodes[1]} nodes: {DATA.norm(finer - reference):.1e}")
    grids, fipy_grids = ((24, 48), (4, 6)) if quick else ((20, 24, 28, 32, 48, 64, 96), (32, 48, 64, 96))
    widths, seeds, spent = ((250, 500), 2, 0.0) if quick else ((1000, 4000, 16000), 16, 3.0)
    wgf.solve(PROBLEM, wgf.FiniteVolume(8, LOWER, UPPER, edge_tolerance=1), 0.1)  # compiled

    end = 0.2 if quick else 2.0
    opinion = [row for case in CASES for row in second_opinion(case, (12,) if quick else case.sizes, end)]
    headers = ["θ", "cells per axis", "error, ours", "error, FiPyMesh", "apart", "mass off by", "smallest cell", "time / ours"]
    tables = [show(f"The same problems, t = {end:g}", headers, opinion)]

    headers, times = ["cells per axis", "error", "seconds"], {}
    for integrator in ("ssprk43", "ssprk3"):
        rows = ladder(lambda n, i=integrator: wgf.FiniteVolume((n, n), LOWER, UPPER, integrator=i), reference, grids, spent)
        tables.append(show(f"ours, {integrator}", headers, rows))
        times[f"ours, {integrator}"] = at_target(rows)
    rows = ladder(lambda n: wgf.Characteristics(n, rtol=TARGET_ERROR, atol=TARGET_ERROR), reference, (3, 4, 5, 6, 8), spent)
    tables.append(show("ours, characteristics", ["nodes per axis", *headers[1:]], rows))
    times["ours, characteristics"] = at_target(rows)
    rows = ladder(lambda n: wgf.FiPyMesh(wgf.Box((n, n), LOWER, UPPER)), reference, fipy_grids, spent)
    tables.append(show("FiPyMesh", headers, rows))
    times["FiPyMesh"] = at_target(rows)
    rows = fipy_ladder(reference, fipy_grids)
    tables.append(show("FiPy by hand, VanLeerConvectionTerm", headers, rows))
    times["FiPy by hand"] = at_target(rows)
    rows, constant, each = particle_ladder(reference, widths, seeds)
    tables.append(show("particles in NumPy", ["m", "error (rms)", "seconds"], rows))
    needed = (constant / TARGET_ERROR) ** 2
    times[f"particles in NumPy (m = {needed:,.0f})"] = needed * each

    on_grids = min(wall for name, wall in times.items() if name.startswith("ours, ssprk"))
    best = min(wall for name, wall in times.items() if name.startswith("ours"))
    final = [[name, wall, wall / on_grids, wall / best] for name, wall in times.items()]
    headers = ["method", "seconds", "in ours on grids", "in our fastest"]
    tables.append(show(f"Time to ‖φ − φ_ref‖ = {TARGET_ERROR:g}", headers, final))
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
