"""A published case: a swarm that repels itself nearby and attracts itself from afar fills a disc evenly.

    ∂_t μ = div(μ ∇(W ∗ μ)),   W(z) = ½|z|² − log|z|,   in the plane

[Fetecau, Huang & Kolokolnikov, "Swarm dynamics and equilibria for a nonlocal aggregation model", Nonlinearity 24 (2011) 2681]. As
ΔW = 2 − 2πδ, the density along each characteristic follows the logistic law

    dμ/dt = μ Δ(W ∗ μ) = 2μ(1 − πμ),   so that   μ(t) = 1/(π + (1/μ(0) − π) e^{−2t}),

and all of it comes to 1/π, on the disc of radius one around the centre of mass, which stays. As z·∇W = |z|² − 1, the second moment of every
law with its centre at zero is ½ + (∫|θ|² dμ₀ − ½) e^{−2t}. Here a Gaussian of standard deviation 0.4 begins three times as dense in its
middle as it will be.

Writes swarm.h5 and swarm.png, and prints the density in the middle and the second moment.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled

STD = 0.4  # of each coordinate at t = 0
REST = 3.0  # when both are within a hundredth of their ends
RING = 0.1  # how far beyond the disc counts as outside


class Swarm:
    """W(z) = ½|z|² − log|z|."""

    def __call__(self, z):
        square = np.sum(z**2, axis=-1)
        return 0.5 * (square - np.log(square))

    def gradient(self, z):
        """∇W, (…, 2)."""
        return z * (1 - 1 / np.sum(z**2, axis=-1, keepdims=True))


problem = wgf.Problem(wgf.InteractionEnergy(W=Swarm()), wgf.Gaussian([0, 0], [STD, STD]), title="A swarm in the plane")
density = wgf.FiniteVolume(cells=(121, 121), lower=(-2.6, -2.6), upper=(2.6, 2.6))  # one cell lies in the middle


def exact_middle(time):
    """The density along the characteristic that stays in the middle."""
    return 1 / (np.pi + (2 * np.pi * STD**2 - np.pi) * np.exp(-2 * time))


def exact_moment(time):
    return 0.5 + (2 * STD**2 - 0.5) * np.exp(-2 * time)


def middle(measure):
    """The density of the cell in the middle."""
    return measure.values[tuple(n // 2 for n in measure.grid.shape)]


def second_moment(measure):
    return measure.integrate(lambda theta: np.sum(theta**2, axis=-1))


def outside(measure):
    """The mass of the cells beyond the edge of the disc at rest."""
    beyond = np.sum(measure.points**2, axis=-1) > (1 + RING) ** 2
    return measure.masses[beyond].sum()


def published(cells=121):
    """The density in the middle and the second moment on the way and late, and what is not yet on the disc."""
    run = wgf.solve(problem, dataclasses.replace(density, cells=(cells, cells)), REST, save=[0.5, REST])
    early, last = run.measures[-2:]
    return {
        "density in the middle, t = 0.5": (exact_middle(0.5), middle(early)),
        "∫|θ|² dμ, t = 0.5": (exact_moment(0.5), second_moment(early)),
        f"density in the middle, t = {REST:g}": (exact_middle(REST), middle(last)),
        f"∫|θ|² dμ, t = {REST:g}": (exact_moment(REST), second_moment(last)),
        f"mass beyond radius {1 + RING:g}, t = {REST:g}": (0.0, outside(last)),
    }


@styled()
def main(density=density, until=REST):
    run = wgf.solve(problem, density, until, save=41, store="swarm.h5", overwrite=True, progress=True)
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    rows, rise = figure.subplots(1, 2)
    for frame in (0, 2, 8, 40):
        measure = run.measures[frame]
        rows.plot(measure.grid.centers[0], measure.values[:, measure.grid.shape[1] // 2], label=f"t = {run.times[frame]:.3g}")
    rows.plot([-1, -1, 1, 1], [0, 1 / np.pi, 1 / np.pi, 0], "C5--", label="1/π on the disc")
    times = np.linspace(0, until, 201)
    rise.plot(times, exact_middle(times), "C5", label="logistic law")
    rise.plot(run.times, [middle(measure) for measure in run.measures], ".", label="finite volumes")
    rows.set(xlabel=r"$\theta_1$, through the middle", ylabel="density", xlim=(-2, 2), ylim=(0, None))
    rise.set(xlabel="t", ylabel="density in the middle", ylim=(0, None))
    for panel in (rows, rise):
        panel.legend()
    figure.suptitle(f"{problem.title}: even repulsion fills a disc")
    figure.savefig("swarm.png")
    last = run.measures[-1]
    print(f"t = {until:g}: density in the middle {middle(last):.5f} ({exact_middle(until):.5f}; at rest {1 / np.pi:.5f}), ", end="")
    print(f"∫|θ|²dμ = {second_moment(last):.5f} ({exact_moment(until):.5f})")


if __name__ == "__main__":
    main()
