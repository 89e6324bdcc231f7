"""The variational view beside the PDE: implicit steps in the Wasserstein metric, with and without the blur of entropic transport.

A tanh student learns tanh 2x + ½ sin 3x. Each step minimises ½L[p] + W²(p, μ_k)/(2Δt); the lecture's η is Δt/2 (wgf/methods/jko/).
The same steps are taken with the plain entropic distance, which smears the density by a variance of ε/2 a step, debiased, and
debiased with the extrapolation of second order. All are compared with the finite volumes and with characteristics.

Writes jko_vs_pde.h5 (the debiased run), jko_vs_pde_plain.h5, jko_vs_pde_second.h5, and jko_vs_pde.png, and prints how far each
run's network is from that of the characteristics at the end, and by how much at least every step lowered its objective.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled


def target(x):
    return np.tanh(2 * x) + 0.5 * np.sin(3 * x)


problem = wgf.Problem(
    energy=wgf.RegressionEnergy(
        neuron=wgf.Neuron("tanh", theta=("c", "a")),
        data=wgf.Data.quadrature(target, lower=-1, upper=1, nodes=40),
    ),
    initial=wgf.Gaussian(mean=(0.2, 0.5), std=(0.4, 0.4)),
    title="JKO steps beside the PDE",
)
density = wgf.JKO(cells=(128, 128), lower=(-2.5, -2.5), upper=(3.5, 4.5), dt=0.05)


def published(cells=200, dt=0.1, steps=10):
    """The variance of neurons in V = ½θ² after k exact steps, var(0)(1 + Δt)^(−2k), beside e^(−2t) of the flow."""
    drift = wgf.Problem(wgf.InteractionEnergy(V=wgf.potential("quadratic")), wgf.Gaussian(0, 1))
    last = wgf.solve(drift, wgf.QuantileJKO(cells, lower=-8, upper=8, dt=dt), steps * dt, save=2).measures
    return {f"variance after {steps} steps": ((1 + dt) ** (-2 * steps), last[-1].covariance[0, 0] / last[0].covariance[0, 0])}


@styled()
def main(density=density, until=2.0):
    reference = wgf.solve(problem, wgf.Characteristics(), until)
    volumes = wgf.solve(problem, wgf.FiniteVolume(density.cells, density.lower, density.upper), until)
    variants = {
        "plain": dataclasses.replace(density, debiased=False),
        "debiased": density,
        "second order": dataclasses.replace(density, order=2),
    }
    runs = {}
    for (name, method), ending in zip(variants.items(), ("_plain", "", "_second"), strict=True):
        runs[name] = wgf.solve(problem, method, until, store=f"jko_vs_pde{ending}.h5", overwrite=True, progress=True)
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    errors, marginals = figure.subplots(1, 2)
    for k, (name, run) in enumerate({"finite volumes": volumes, **runs}.items()):
        distance = np.array([problem.energy.data.norm(row) for row in run.prediction - reference.prediction])
        print(f"{name:15s} ‖φ − φ_ref‖ = {distance[-1]:.1e} at t = {until:g}", end="")
        if name in runs:
            gain = -np.diff(run.history["free_energy"]) - run.history["transport"][1:]
            print(f"   least gain of a step {gain.min():.1e}, {run.history['iterations'][1:].mean():.1f} rounds a step", end="")
        print()
        last, width = run.measures[-1], 6 - 1.5 * k  # the later, the thinner: they lie on each other
        errors.plot(run.times, distance, "o-", markersize=4, color=f"C{k}", label=name)
        marginals.plot(last.grid.centers[1], last.marginal(1), linewidth=width, color=f"C{k}", label=name)
    errors.set(xlabel="t", ylabel=r"$\| \varphi - \varphi_{\mathrm{ref}} \|$", yscale="log")
    marginals.set(xlabel="$a$", ylabel=f"marginal density at t = {until:g}", ylim=(0, None))
    for panel in (errors, marginals):
        panel.legend()
    figure.suptitle(f"{problem.title}: {runs['debiased'].method}")
    figure.savefig("jko_vs_pde.png")


if __name__ == "__main__":
    main()
