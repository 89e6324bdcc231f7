"""A published case: bumps of width δ learn a concave function, and the PDE predicts their learning curve.

Javanmard, Mondelli & Montanari, "Analysis of a two-layer neural network via displacement convexity", Annals of Statistics
48 (2020), section on numerical experiments. Ω = [−1, 1], x uniform on Ω, neuron g(θ; x) = K_δ(x − θ) with the quartic bump
K_δ(u) = 15/(16 δ)·(1 − (u/δ)²)² on |u| ≤ δ, f(x) = (e − eˣ)/(e + e⁻¹), μ₀ = N(0, (1/3)²) truncated to Ω, no flux through ±1.

Our time is the paper's. The uniform law of x has density ½ on Ω, so our potential is

    G(θ; μ) = ⟨K_δ(· − θ), φ_μ − f⟩ = ½ ∫_Ω K_δ(x − θ) (φ_μ(x) − f(x)) dx,   φ_μ = K_δ ∗ μ,

and as δ → 0, K_δ → Dirac, φ_μ → μ and G → ½ (μ − f): our flow ∂_t μ = ∂_θ(μ ∂_θ G) becomes ∂_t μ = ½ ∂_x(μ ∂_x(μ − f)),
which is the paper's limit in the paper's time, factor one.

Writes javanmard_mondelli_montanari.png (‖f − φ_μ‖²/‖f‖² against t, the PDE beside 200 neurons) and one .h5 file for each δ,
and prints the curves beside the values read off the published figure (±10 %).
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled

DELTAS = (1 / 5, 1 / 10, 1 / 20)
PUBLISHED_TIMES = (1.0, 1.5, 2.0, 3.0)
PUBLISHED = {1 / 5: (0.045, 0.024, 0.0145, 0.0075), 1 / 10: (0.038, 0.018, 0.0095, 0.0042)}  # N = 200 neurons
SEED = 1


class Bump:
    """g(θ; x) = K_δ(x − θ), the quartic bump of width δ and mass one."""

    theta = ("w",)

    def __init__(self, delta):
        self.delta = delta

    def value(self, theta, x):
        """Theta (…, 1), x (n, 1) → (…, n)."""
        u = (x[:, 0] - theta) / self.delta
        return 15 / (16 * self.delta) * np.clip(1 - u**2, 0, None) ** 2

    def gradient(self, theta, x):
        """∂g/∂θ, (…, n, 1)."""
        u = (x[:, 0] - theta) / self.delta
        return (15 / (4 * self.delta**2) * u * np.clip(1 - u**2, 0, None))[..., None]


def target(x):
    return (np.e - np.exp(x)) / (np.e + np.exp(-1))


def start(theta):
    return np.exp(-0.5 * (3 * theta[..., 0]) ** 2)


def case(delta):
    return wgf.Problem(
        energy=wgf.RegressionEnergy(Bump(delta), wgf.Data.quadrature(target, lower=-1, upper=1, nodes=400)),
        initial=wgf.FromDensity(start, lower=[-1], upper=[1]),
        title=f"Javanmard, Mondelli & Montanari 2020, δ = 1/{round(1 / delta)}",
    )


problem = case(DELTAS[0])
density = wgf.FiniteVolume(cells=(400,), lower=(-1,), upper=(1,), integrator="ssprk43", edge_tolerance=1)  # the walls are meant
neurons = wgf.Particles(200, seed=SEED, lower=(-1,), upper=(1,))


def published(cells=200):
    """‖f − φ_μ‖²/‖f‖² of the density at the times of the figure's curves."""
    found = {}
    for delta, read in PUBLISHED.items():
        this = case(delta)
        size = this.energy.data.norm(this.energy.data.targets) ** 2
        run = wgf.solve(this, dataclasses.replace(density, cells=(cells,)), PUBLISHED_TIMES[-1], save=list(PUBLISHED_TIMES))
        for time, value, loss in zip(PUBLISHED_TIMES, read, run.loss[1:] / size, strict=True):
            found[f"risk, δ = 1/{round(1 / delta)}, t = {time:g}"] = (value, loss)
    return found


@styled()
def main(density=density, neurons=neurons, until=4.0, save=41):
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="t", ylabel=r"$\|f - \varphi_\mu\|^2 / \|f\|^2$", yscale="log")
    axes.set_title(f"Bumps of width δ: the PDE (lines) and {neurons.m} neurons (dots)")
    for k, delta in enumerate(DELTAS):
        this = case(delta)
        size = this.energy.data.norm(this.energy.data.targets) ** 2
        limit = wgf.solve(this, density, until, save, store=f"javanmard_delta_{round(1 / delta)}.h5", overwrite=True)
        network = wgf.solve(this, neurons, until, save)
        axes.plot(limit.times, limit.loss / size, color=f"C{k}", label=f"δ = 1/{round(1 / delta)}")
        axes.plot(network.times, network.loss / size, ".", color=f"C{k}")
        print(f"δ = 1/{round(1 / delta)}")
        for j, time in enumerate(PUBLISHED_TIMES):
            if time <= until:
                read = f"   published neurons {PUBLISHED[delta][j]:.4f}" if delta in PUBLISHED else ""
                at = [np.interp(time, run.times, run.loss / size) for run in (limit, network)]
                print(f"  t = {time:g}:  PDE {at[0]:.4f}   {neurons.m} neurons {at[1]:.4f}{read}")
    axes.legend()
    figure.savefig("javanmard_mondelli_montanari.png")


if __name__ == "__main__":
    main()
