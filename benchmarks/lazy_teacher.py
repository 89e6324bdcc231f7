"""What a lazy student loses: the test loss of a network of ReLU neurons against the scale τ of its initial weights.

The experiment of Chizat, Oyallon & Bach [On lazy training in differentiable programming, NeurIPS 2019, section 3.1]:

    teacher    f*(x) = Σ_{k≤3} s_k max(⟨w_k, x⟩, 0), w_k uniform on the unit sphere of R^100, s_k = ±1, others in each draw
    data       1000 samples to learn from and 1000 to test with, uniform on the sphere, with equal weights
    student    φ(x) = Σ_{j≤50} c_j max(⟨a_j, x⟩, 0), that is α = 1, with c_j and a_j normal of standard deviation τ, in pairs (c, a) and
               (−c, a), so that φ = 0 at the start
    descent    θ ← θ − η∇(½‖φ − f*‖²), 2000 steps of η = min(10, 0.1/τ²). A step of wgf is θ ← θ − (step/(2mα²))∇‖φ − f*‖²: step = mη
    test loss  ½ mean (φ − f*)² over the test data, times 1000 in the table

φ is homogeneous of degree two in θ: κ ~ τ⁻², and all starts with η = 0.1/τ² (τ ≥ 0.1) have the same tangent model up to its clock, ητ².
The trained student is compared with the tangent model at its start after the same time: its test loss, and how far it is from the student,
‖φ − φ̄‖/‖f*‖ on the test data. The reference is that of another program, mean ± standard deviation of five draws; the last column is the
distance of the means in standard errors of their difference. At τ = 0.0063 the 2000 steps do not suffice where the signs s_k are all
alike, as they are in one draw of four: the second table has the test loss of these draws and of the others. Five draws are few: plain
descent in NumPy, written apart from wgf and with draws of its own, gave .16 ± .07, 1.64 ± .07, 2.44 ± .25, 2.45 ± .25 (standard deviations)
on its first five, four of which had signs all alike, as the reference does; on the next forty it gave .107 ± .016 and 1.75 ± .03 (standard
errors) at τ = .0063 and .1, as wgf does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from harness import keep, machine, quick_and_output, show

import wgf
from wgf.networks.neuron import coordinate_names

REFERENCE = {0.0063: (0.17, 0.07), 0.1: (1.6, 0.1), 1.0: (2.4, 0.4), 10.0: (2.4, 0.4)}  # 1000 × the test loss at τ
REFERENCE_DRAWS = 5


@dataclass(frozen=True)
class Experiment:
    """Inputs of `dim` coordinates, as many `samples` to learn from as to test with, a student of m neurons, and its steps."""

    dim: int = 100
    samples: int = 1000
    m: int = 50
    steps: int = 2000

    @property
    def neuron(self) -> wgf.Neuron:
        """c max(⟨a, x⟩, 0), θ = (c, a)."""
        return wgf.Neuron("relu", coordinate_names(self.dim)[:-1], {"b": 0.0}, self.dim)

    def teacher(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """w_k (3, d) and s_k (3,), which are the first that is drawn."""
        return on_the_sphere(rng, 3, self.dim), rng.choice([-1.0, 1.0], 3)

    def data(self, seed: int) -> tuple[wgf.Data, wgf.Data]:
        """What to learn from and what to test with, of one draw of the teacher."""
        rng = np.random.default_rng(seed)
        weights, signs = self.teacher(rng)

        def samples() -> wgf.Data:
            x = on_the_sphere(rng, self.samples, self.dim)
            return wgf.Data(x, np.maximum(x @ weights.T, 0.0) @ signs)

        return samples(), samples()

    def time(self, scale: float) -> float:
        """Of the whole descent."""
        return self.steps * self.step(scale)

    def step(self, scale: float) -> float:
        """mη at τ = `scale`."""
        return self.m * min(10.0, 0.1 / scale**2)

    def students(self, scale: float, data: wgf.Data, seed: int) -> tuple[wgf.Network, wgf.Network]:
        """The student at the start and at the end, for τ = `scale`."""
        p = self.dim + 1
        problem = wgf.Problem(wgf.RegressionEnergy(self.neuron, data), wgf.Gaussian(np.zeros(p), np.full(p, scale)))
        method = wgf.Particles(self.m, np.random.SeedSequence([seed, 1]), step=self.step(scale), scale=1.0, centred="pairs")
        first, last = wgf.solve(problem, method, self.time(scale), save=2).measures
        return wgf.Network(self.neuron, first.points, 1.0), wgf.Network(self.neuron, last.points, 1.0)

    def outcome(self, scale: float, seed: int) -> tuple[float, float, float, float]:
        """κ at the start, the test loss of the student and of its tangent model, and ‖φ − φ̄‖/‖f*‖ on the test data."""
        learn, test = self.data(seed)
        start, end = self.students(scale, learn, seed)
        student, tangent = end.predict(test.inputs), start.tangent(learn).predict(test.inputs, self.time(scale))
        losses = (0.5 * test.norm(prediction - test.targets) ** 2 for prediction in (student, tangent))
        return start.relative_scale(learn), *losses, test.norm(student - tangent) / test.norm(test.targets)


def on_the_sphere(rng: np.random.Generator, count: int, dim: int) -> np.ndarray:
    """Independent points of the uniform law on the unit sphere, (count, dim)."""
    points = rng.standard_normal((count, dim))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def mean_and_error(values: np.ndarray) -> str:
    """The mean of independent values ± its standard error, or nothing of fewer than two."""
    return "" if len(values) < 2 else f"{values.mean():.3g} ± {values.std(ddof=1) / np.sqrt(len(values)):.1g}"


def distance(values: np.ndarray, mean: float, deviation: float) -> float:
    """From the mean of the values to that of the reference's draws, in standard errors of their difference."""
    return float((values.mean() - mean) / np.sqrt(values.var(ddof=1) / len(values) + deviation**2 / REFERENCE_DRAWS))


@click.command()
@quick_and_output
def main(quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    print(machine())
    experiment, draws = (Experiment(samples=50, m=6, steps=20), 2) if quick else (Experiment(), 40)
    found = {scale: np.array([experiment.outcome(scale, seed) for seed in range(draws)]).T for scale in REFERENCE}
    losses = {scale: 1000.0 * values[1] for scale, values in found.items()}
    rows = []
    for scale, (kappas, _, tangents, apart) in found.items():
        mean, deviation = REFERENCE[scale]
        rows.append(
            [
                f"{scale:g}",
                f"{kappas.mean():.3g}",
                mean_and_error(losses[scale]),
                losses[scale].std(ddof=1),
                mean_and_error(1000.0 * tangents),
                mean_and_error(apart),
                f"{mean} ± {deviation}",
                distance(losses[scale], mean, deviation),
            ]
        )
    headers = ["τ", "κ", "1000 × test loss", "its deviation", "of the tangent model", "‖φ − φ̄‖/‖f*‖", "reference", "distance"]
    title = f"{experiment.m} ReLU neurons, {experiment.dim} inputs, {experiment.samples} samples, {experiment.steps} steps; {draws} draws"
    feature = losses[min(losses)]
    ratios = [[f"{scale:g}", loss.mean() / feature.mean(), (loss / feature).min()] for scale, loss in losses.items()]
    alike = np.array([abs(experiment.teacher(np.random.default_rng(seed))[1].sum()) == 3.0 for seed in range(draws)])
    by_signs = [[f"{scale:g}", mean_and_error(loss[alike]), mean_and_error(loss[~alike])] for scale, loss in losses.items()]
    tables = [
        show(title, headers, rows),
        show(
            "1000 × test loss by the signs of the teacher",
            ["τ", f"all alike: {alike.sum()} draws", f"not all: {(~alike).sum()} draws"],
            by_signs,
        ),
        show(f"Test loss in that at τ = {min(losses):g}", ["τ", "of the means", "least of a draw"], ratios),
    ]
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
