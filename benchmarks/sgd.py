"""What the step and the batch of stochastic gradient descent cost, at a fixed number of neurons.

The tanh student: θ = (c, a), target tanh 2x + ½ sin 3x on 40 Gauss–Legendre nodes, Gaussian start. Descent of step η on batches of B
samples beside the flow of the same neurons, φ compared in L²(ρ) at the end: root mean square over the replicates, with the fitted slope
of its square in η beside theory, 2 for all data and 1 for batches. The fluctuation of the m neurons is beside it: below that level a
smaller step brings the network no nearer to the mean-field limit.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from harness import keep, machine, quick_and_output, show

import wgf
from wgf.studies.sweeps.over_steps import name_of


def target(x: np.ndarray) -> np.ndarray:
    """f*, of size one."""
    return np.tanh(2 * x) + 0.5 * np.sin(3 * x)


DATA = wgf.Data.quadrature(target, -1, 1, 40)
PROBLEM = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a")), DATA), wgf.Gaussian([0.2, 0.5], [0.4, 0.4]))
END = 2.0


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables, draw the figure, and write both beside the script."""
    print(machine())
    m, replicates = (20, 5) if quick else (200, 32)
    steps, batches = ((0.1, 0.2), (None, 4)) if quick else ((0.0125, 0.025, 0.05, 0.1, 0.2), (None, 1, 4, 16, 64))
    found = wgf.compare_steps(PROBLEM, END, m, steps, batches, replicates, workers=1 if quick else None)
    rows = []
    for batch, rate, squares in zip(found.batches, found.rates, found.mean_square()[:, :, -1], strict=True):
        slope = f"{rate.slope[-1]:.2f} [{rate.lower[-1]:.2f}, {rate.upper[-1]:.2f}]"
        constant = rate.constant[-1] * (batch or 1)
        rows.append([name_of(batch), *np.sqrt(squares), slope, rate.expected_slope[-1], constant])
    level = np.sqrt(found.fluctuation[-1] / m)
    title = f"‖φ_η,B − φ_flow‖ of {m} neurons at t = {END:g}, {replicates} replicates; their own fluctuation is {level:.1e}"
    headers = ["", *(f"η = {step:g}" for step in found.steps), "slope of its square", "theory", "c: E d² = c η²  |  c η/B"]
    table = show(title, headers, rows)
    figure = (output or Path(__file__)).with_suffix(".png")
    found.plot(figure)
    print(f"\nwrote {figure.name}")
    keep(__file__, [table], output)


if __name__ == "__main__":
    main()
