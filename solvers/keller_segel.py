"""Aggregation against diffusion: the parabolic–elliptic Keller–Segel model in the plane, below and above its critical mass.

    ∂_t μ = Δμ + div(μ ∇(W ∗ μ)),   W(z) = (χ/2π) log|z|,   mass one

[Keller & Segel 1970; Blanchet, Dolbeault & Perthame, Electron. J. Differ. Equ. 2006(44)]. Noise spreads the measure, the
interaction pulls it together, and the second moment decides between them: for every solution on the plane

    d/dt ∫|θ|² dμ = 4 − χ/(2π) = 4 (1 − χ/8π),

so that the measure spreads for χ < 8π and collapses into a point, in finite time, for χ > 8π. The density shows both: above
8π it gathers in one cell, with all its mass and no cell below zero.

Writes keller_segel_1.h5, keller_segel_2.h5, keller_segel_3.h5 (χ = 4π, 8π, 16π) and keller_segel.png, and prints the second moment
beside the exact line and the largest density.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled

CRITICAL = 8 * np.pi
STRENGTHS = (0.5, 1.0, 2.0)  # χ/8π
VARIANCE = 0.25  # of each coordinate at t = 0


class Attraction:
    """W(z) = (χ/2π) log|z|."""

    def __init__(self, chi):
        self.chi = chi

    def __call__(self, z):
        return self.chi / (4 * np.pi) * np.log(np.sum(z**2, axis=-1))

    def gradient(self, z):
        """∇W, (…, 2)."""
        return self.chi / (2 * np.pi) * z / np.sum(z**2, axis=-1, keepdims=True)


def case(strength):
    return wgf.Problem(
        energy=wgf.InteractionEnergy(W=Attraction(strength * CRITICAL), U=wgf.Entropy(1.0)),
        initial=wgf.Gaussian([0, 0], [np.sqrt(VARIANCE)] * 2),
        title=f"Keller–Segel, χ = {8 * strength:g}π",
    )


def second_moment(theta):
    return np.sum(theta**2, axis=-1)


problem = case(STRENGTHS[0])
density = wgf.FiniteVolume(cells=(193, 193), lower=(-5, -5), upper=(5, 5), diffusion="gibbs")
neurons = wgf.Particles(300, seed=0, step=0.001)


def published(cells=193, until=0.05, strengths=(0.75, 1.25)):
    """The critical 8π: where the second moment neither grows nor falls, on the line through what two χ show."""
    growths = []
    for strength in strengths:
        run = wgf.solve(case(strength), dataclasses.replace(density, cells=(cells, cells)), until, save=2)
        growths.append(np.diff([measure.integrate(second_moment) for measure in run.measures])[0])
    found = strengths[0] - growths[0] * (strengths[1] - strengths[0]) / (growths[1] - growths[0])
    return {"critical χ": (CRITICAL, found * CRITICAL)}


@styled()
def main(density=density, neurons=neurons, until=0.2):
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    moments, heights = figure.subplots(1, 2)
    for k, strength in enumerate(STRENGTHS):
        limit = wgf.solve(case(strength), density, until, save=21, store=f"keller_segel_{k + 1}.h5", overwrite=True, progress=True)
        moment = np.array([measure.integrate(second_moment) for measure in limit.measures])
        height = [measure.values.max() for measure in limit.measures]
        exact = 2 * VARIANCE + 4 * (1 - strength) * limit.times
        label = f"χ = {8 * strength:g}π"
        moments.plot(limit.times, exact, "--", color=f"C{k}", linewidth=1)
        moments.plot(limit.times, moment, color=f"C{k}", label=label)
        heights.plot(limit.times, height, color=f"C{k}", label=label)
        text = f"{label}:  ∫|θ|²dμ = {moment[-1]:.5f} at t = {until:g} (exact: {exact[-1]:.5f}), largest density {height[-1]:.3g}"
        if strength < 1:  # above, neurons collide
            particles = wgf.solve(case(strength), neurons, until, save=11, progress=True)
            points = [measure.integrate(second_moment) for measure in particles.measures]
            moments.plot(particles.times, points, ".", color=f"C{k}", label=f"{neurons.m} particles")
            text += f"; {neurons.m} particles {points[-1]:.3f}"
        print(text)
    moments.set(xlabel="t", ylabel=r"second moment $\int |\theta|^2 d\mu$  (dashed: exact)", ylim=(0, None))
    heights.set(xlabel="t", ylabel="largest cell average", yscale="log")
    for panel in (moments, heights):
        panel.legend()
    figure.suptitle("Keller–Segel: spreading below 8π, collapse above")
    figure.savefig("keller_segel.png")


if __name__ == "__main__":
    main()
