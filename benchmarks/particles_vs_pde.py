"""Error against wall time: the density on grids beside finite networks, in one, two and three dimensions.

g = c·tanh(a·x + b) with θ = (a), (c, a) and (c, a, b), target tanh 2x + ½ sin 3x on 40 Gauss–Legendre nodes, Gaussian start. The error is
‖φ − φ_ref‖ in L²(ρ) at the end, against characteristics (whose own error is printed). The time is that of a whole warm solve.

PDE         wgf.FiniteVolume on a sequence of grids (a box given), the least time of three
particles   wgf.Particles (adaptive Runge–Kutta, default tolerances); root mean square of the error over seeds, and C/√m with one C fitted
            to all of them, which is what the curves and the crossing use, as few large networks can be afforded

The crossing is where the two curves meet: the error beyond which (towards smaller ones) the PDE is the cheaper way.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from harness import keep, machine, quick_and_output, show

import wgf

THETA = {1: ("a",), 2: ("c", "a"), 3: ("c", "a", "b")}
MEAN, STD = {1: [0.5], 2: [0.2, 0.5], 3: [0.2, 0.5, 0.0]}, {1: [0.4], 2: [0.4, 0.4], 3: [0.4, 0.4, 0.3]}
END = {1: 5.0, 2: 5.0, 3: 3.0}
CELLS = {1: (8, 16, 32, 64, 128, 256, 512), 2: (8, 16, 32, 64, 128, 256, 512), 3: (8, 16, 32, 64, 128)}
NODES = {1: (100, 200), 2: (40, 48), 3: (16, 20)}
NETWORKS = {10: 64, 100: 64, 1000: 32, 10_000: 12, 100_000: 4, 1_000_000: 2}  # m: seeds
Row = tuple[int, float, float]  # cells or neurons, error, seconds


@dataclass(frozen=True)
class Case:
    """A problem with its reference φ at the end, and the error of that."""

    p: int
    problem: wgf.Problem
    box: tuple[list[float], list[float]]
    reference: np.ndarray
    uncertain: float

    def error(self, run: wgf.Run) -> float:
        """‖φ − φ_ref‖ at the end."""
        return float(self.problem.energy.data.norm(run.prediction[-1] - self.reference))


def target(x: np.ndarray) -> np.ndarray:
    """f*, of size one."""
    return np.tanh(2 * x) + 0.5 * np.sin(3 * x)


def case(p: int, resolutions: Sequence[int]) -> Case:
    """The problem in p dimensions, on the box that its characteristics need."""
    data = wgf.Data.quadrature(target, -1, 1, 40)
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", THETA[p]), data), wgf.Gaussian(MEAN[p], STD[p]))
    coarse, fine = (wgf.solve(problem, wgf.Characteristics(nodes=nodes, rtol=1e-9), END[p], save=2) for nodes in resolutions)
    grid = wgf.FiniteVolume(8).grid(problem, END[p])
    uncertain = data.norm(coarse.prediction[-1] - fine.prediction[-1])
    return Case(p, problem, (list(grid.lower), list(grid.upper)), fine.prediction[-1], float(uncertain))


def seconds(case: Case, method: Any, repeats: int = 1) -> tuple[float, wgf.Run]:
    """The least wall time of a solve, and its run."""
    best = np.inf
    for _ in range(repeats):
        begun = time.perf_counter()
        run = wgf.solve(case.problem, method, END[case.p], save=2)
        best = min(best, time.perf_counter() - begun)
    return best, run


def grids(case: Case, cells: Sequence[int]) -> list[Row]:
    """A row for each grid."""
    wgf.solve(case.problem, wgf.FiniteVolume(8, *case.box, edge_tolerance=1), 0.1)  # compiled
    rows = []
    for n in cells:
        wall, run = seconds(case, wgf.FiniteVolume(n, *case.box), 3 if n**case.p < 1e6 else 1)
        rows.append((n, case.error(run), wall))
    return rows


def networks(case: Case, sizes: dict[int, int]) -> tuple[list[Row], list[float]]:
    """(m, C/√m, seconds) for each size, the least time over seeds; and the error's root mean square over seeds."""
    squares, walls = {}, {}
    for m, seeds in sizes.items():
        trials = [seconds(case, wgf.Particles(m, seed=np.random.SeedSequence(0, spawn_key=(m, k)))) for k in range(seeds)]
        squares[m], walls[m] = [case.error(run) ** 2 for _, run in trials], min(wall for wall, _ in trials)
    constant = np.sqrt(np.mean([m * square for m in sizes for square in squares[m]]))
    return [(m, float(constant / np.sqrt(m)), walls[m]) for m in sizes], [float(np.sqrt(np.mean(squares[m]))) for m in sizes]


def particle_seconds(particles: Sequence[Row], error: np.ndarray) -> np.ndarray:
    """The time in which networks reach an error: between the rows by interpolation, beyond the last one in proportion to m."""
    m, reached, walls = (np.array(column) for column in zip(*particles, strict=True))
    needed = (reached[-1] * np.sqrt(m[-1]) / error) ** 2
    between = np.exp(np.interp(np.log(needed), np.log(m), np.log(walls)))
    return np.where(needed > m[-1], walls[-1] * needed / m[-1], between)


def crossing(pde: Sequence[Row], particles: Sequence[Row]) -> tuple[float, float] | None:
    """(error, seconds) where the curves of time against error meet; None where the PDE is the cheaper on all of its grids."""
    errors, walls = np.array([row[1] for row in pde]), np.array([row[2] for row in pde])
    gap = np.log(walls / particle_seconds(particles, errors))
    for k in range(len(gap) - 1):
        if gap[k] > 0 >= gap[k + 1]:
            share = gap[k] / (gap[k] - gap[k + 1])
            error, wall = (float(pair[k] ** (1 - share) * pair[k + 1] ** share) for pair in (errors, walls))
            return error, wall
    return None


def draw(results: dict[int, tuple[list[Row], list[Row]]], path: Path) -> None:
    """One panel for each dimension."""
    from matplotlib.figure import Figure

    from wgf.plots.style import BLUE, INK, ORANGE, styled, write

    with styled():
        figure = Figure(figsize=(4.6 * len(results), 4.4), layout="constrained")
        panels = figure.subplots(1, len(results), sharey=True, squeeze=False)[0]
        for panel, (p, (pde, particles)) in zip(panels, results.items(), strict=True):
            for rows, colour, label, power in ((pde, BLUE, "density on a grid", f"$^{p}$"), (particles, ORANGE, "particles", "")):
                panel.plot([row[2] for row in rows], [row[1] for row in rows], "o-", color=colour, label=label)
                for n, error, wall in rows:
                    name = f"$10^{{{round(np.log10(n))}}}$" if not power else f"{n}{power}"
                    panel.annotate(name, (wall, error), textcoords="offset points", xytext=(5, 5), fontsize=8, color=colour)
            if (met := crossing(pde, particles)) is not None:
                panel.plot(met[1], met[0], "x", color=INK, markersize=9, label=f"crossing: {met[0]:.1e} in {met[1]:.2g} s")
            panel.set(xscale="log", yscale="log", xlabel="seconds", title=f"θ = ({', '.join(THETA[p])})")
            panel.legend(loc="lower left")
        panels[0].set_ylabel(r"$\| \varphi - \varphi_{\mathrm{ref}} \|$ at the end")
        write(figure, path)


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables, draw the figure, and write both beside the script."""
    warnings.simplefilter("ignore", wgf.BoundaryWarning)
    print(machine())
    tables, results, summary = [], {}, []
    for p in (1, 2) if quick else (1, 2, 3):
        study = case(p, (10, 12) if quick else NODES[p])
        print(f"\n{p}-dimensional reference: characteristics, known to {study.uncertain:.1e}")
        pde = grids(study, CELLS[p][:2] if quick else CELLS[p])
        particles, measured = networks(study, {50: 2, 100: 2} if quick else NETWORKS)
        rows = [[m, error, fitted, wall] for (m, fitted, wall), error in zip(particles, measured, strict=True)]
        tables.append(show(f"p = {p}: density on a grid", ["cells per axis", "error", "seconds"], pde))
        tables.append(show(f"p = {p}: particles", ["m", "error (rms)", "C/√m", "seconds"], rows))
        best = min(pde, key=lambda row: row[1])
        factor = float(particle_seconds(particles, np.array([best[1]]))[0]) / best[2]
        summary.append([p, *(crossing(pde, particles) or (f"none below {pde[0][1]:.1e}", "")), best[1], best[2], factor])
        results[p] = pde, particles
    headers = ["p", "crossing: error", "seconds", "finest grid: error", "seconds", "times faster there"]
    tables.append(show("The PDE is the cheaper way below the crossing", headers, summary))
    figure = (output or Path(__file__)).with_suffix(".png")
    draw(results, figure)
    print(f"\nwrote {figure.name}")
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
