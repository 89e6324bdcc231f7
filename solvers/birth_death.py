"""A published case: neurons that die and divide learn what descent learns late, and births from a law what neither learns.

Rotskoff, Jelassi, Bruna & Vanden-Eijnden, "Global convergence of neuron birth-death dynamics", ICML 2019, mixture of Gaussians: with
N(x; y, v) the Gaussian of mean y and variance v,

    neuron c·N(x; y, ½),   f = ⅓(N(x; −2, ½) − 2N(x; 0, 1) + N(x; 2, ½)),   E = ½∫(φ − f)² dx,   θ = (c, y),
    c ~ N(0, 1) and y ~ U[−2, 2], or, a start that lacks a direction, y ~ N(−2, 0.1²).

    descent            ∂_t μ = div(μ∇V),   V = ∫c N(x; y, ½)(φ − f) dx
    birth and death    ∂_t μ = div(μ∇V) − 5(V − ∫V dμ)μ

Our time is the paper's, and our rate half of theirs: data are uniform on an interval of length ℓ that holds all of f, ⟨u, v⟩ = ∫uv dx/ℓ, so
that with √ℓ times their neuron and target G = V and L = 2E, and birth and death of rate r are −2r(G − Ḡ)μ: r = 2.5. The location is the
bias with its sign turned, y = −b.

Writes birth_death.png (E against t from both starts: lines of the limit, dots of neurons) and birth_death.h5 (the density of the first,
with birth and death), and prints E beside what the limit was found to be by weighted characteristics, to two or three digits.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled

LENGTH, NODES = 18.0, 120
RATE = 5.0  # the paper's
FOUND_TIMES = (5.0, 10.0, 30.0)
FOUND = {"descent": (0.01199, 0.00449, 5.5e-4), "birth and death": (7.9e-4, 1.7e-4, 4.5e-5)}  # from y ~ U[−2, 2]


def normal(x, mean, variance):
    return np.exp(-0.5 * (x - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)


def target(x):
    return np.sqrt(LENGTH) * (normal(x, -2, 0.5) - 2 * normal(x, 0, 1) + normal(x, 2, 0.5)) / 3


HEIGHT = np.sqrt(LENGTH / np.pi)  # of √ℓ N(z; 0, ½)
BUMP = wgf.Activation(
    "bump",
    value=lambda z: HEIGHT * np.exp(-(z**2)),
    slope=lambda z, s: -2 * z * s,
    second=lambda z: HEIGHT * (4 * z**2 - 2) * np.exp(-(z**2)),
)
DATA = wgf.Data.quadrature(target, lower=-LENGTH / 2, upper=LENGTH / 2, nodes=NODES)
ENERGY = wgf.RegressionEnergy(wgf.Neuron(BUMP, theta=("c", "b"), fixed={"a": 1.0}), DATA)
WIDE = wgf.Product([wgf.Gaussian(0, 1), wgf.Uniform(-2, 2)])
NARROW = wgf.Gaussian([0, 2], [1, 0.1])  # b = −y
problem = wgf.Problem(ENERGY, WIDE, title="Rotskoff, Jelassi, Bruna & Vanden-Eijnden 2019")
stalling = dataclasses.replace(problem, initial=NARROW)
density = wgf.WassersteinFisherRao(cells=(160, 256), lower=(-8, -3.5), upper=(8, 3.5), rate=RATE / 2)
neurons = wgf.Particles(1000, seed=1)


def methods(density, neurons):
    """Geometry → how its density, and how its neurons move."""
    dying = dataclasses.replace(neurons, birth_death=density.rate)
    return {
        "descent": (wgf.FiniteVolume(density.cells, density.lower, density.upper), neurons),
        "birth and death": (density, dying),
        "births from a law": (dataclasses.replace(density, injection=WIDE), dataclasses.replace(dying, injection=WIDE)),
    }


def follow(problem, panel, chosen, until, save, store=None):
    """Solve the problem in each geometry, draw E, and print it at the times of FOUND."""
    for k, (name, (limit, network)) in enumerate(chosen.items()):
        kept = store if name == "birth and death" else None
        run = wgf.solve(problem, limit, until, save, store=kept, overwrite=True, progress=True)
        trained = wgf.solve(problem, network, until, save, progress=True)
        panel.plot(run.times, run.loss / 2, color=f"C{k}", label=name)
        panel.plot(trained.times, trained.loss / 2, ".", color=f"C{k}", markersize=4)
        print(f"  {name}, E at t = 0: {run.loss[0] / 2:.4g}")
        for j, time in enumerate(FOUND_TIMES):
            if time in run.times:
                at = [each.loss[np.searchsorted(each.times, time)] / 2 for each in (run, trained)]
                known = f"   limit {FOUND[name][j]:.3g}" if store and name in FOUND else ""
                print(f"    t = {time:g}:  density {at[0]:.4g}   {network.m} neurons {at[1]:.3g}{known}")


def published(cells=400, until=1.0):
    """Neurons that do not interact, in closed form: the variance with descent, births and deaths.

    V = ½θ² on a line, μ₀ = N(0, s²), ∂_t μ = ∂_θ(μ ∂_θ V) − α(V − ∫V dμ)μ. A Gaussian stays one: along θ(t) = θ(0) e^{−t} the weight is
    e^{−α∫V dt} = exp(−¼αθ(0)²(1 − e^{−2t})), so that 1/var = e^{2t}(1/s² + ½α(1 − e^{−2t})).
    """
    std = 0.8
    exact = np.exp(-2 * until) / (1 / std**2 + 0.5 * RATE * (1 - np.exp(-2 * until)))
    alone = wgf.Problem(wgf.InteractionEnergy(V=wgf.potential("quadratic")), wgf.Gaussian(0, std))
    run = wgf.solve(alone, wgf.WassersteinFisherRao(cells, lower=-5, upper=5, rate=RATE / 2, dt=0.005), until, save=2)
    return {"variance, t = 1": (exact, run.measures[-1].covariance[0, 0])}


@styled()
def main(density=density, neurons=neurons, until=30.0, save=121):
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    wide, narrow = figure.subplots(1, 2, sharey=True)
    chosen = methods(density, neurons)
    print("y ~ U[−2, 2]")
    follow(problem, wide, {name: chosen[name] for name in FOUND}, until, save, "birth_death.h5")
    print("y ~ N(−2, 0.1²)")
    follow(stalling, narrow, chosen, until, save)
    for panel, title in ((wide, "y uniform on [−2, 2]"), (narrow, "y around −2")):
        panel.set(xlabel="t", yscale="log", title=f"{title}: densities (lines), {neurons.m} neurons (dots)")
        panel.legend()
    wide.set_ylabel(r"$E = \frac{1}{2}\int(\varphi - f)^2\,dx$")
    figure.savefig("birth_death.png")


if __name__ == "__main__":
    main()
