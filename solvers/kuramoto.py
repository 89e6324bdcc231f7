"""A published case: noisy oscillators fall into step when their coupling exceeds twice the noise.

    dθ_j = (K/m) Σ_k sin(θ_k − θ_j) dt + √(2τ) dB_j   on the circle; for many of them   ∂_t μ = ∂_θ(μ ∂_θ(W ∗ μ)) + τ ∂²_θ μ,   W = −K cos,

oscillators of equal frequencies [Kuramoto 1984; Sakaguchi, Prog. Theor. Phys. 79 (1988) 39]. With the order parameter r = |∫e^{iθ} dμ| and
its phase ψ, W ∗ μ = −K r cos(θ − ψ), so that a rest is μ ∝ e^{(Kr/τ) cos(θ − ψ)}, where r solves

    r = I₁(Kr/τ)/I₀(Kr/τ).

r = 0 always does; another root appears at K = 2τ [Bertini, Giacomin & Pakdaman, J. Stat. Phys. 138 (2010) 270]. Close to the uniform law r
grows like e^{(K/2 − τ)t} [Strogatz & Mirollo, J. Stat. Phys. 63 (1991) 613], which changes its sign there.

Writes kuramoto.h5 (K = 3τ) and kuramoto.png, and prints r at the end beside the root for several K.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import brentq
from scipy.special import ive

import wgf
from wgf.plots.style import styled

NOISE = 1.0
SHOWN = 3.0  # K/τ of the file
RATIOS = (1.0, 1.5, 2.2, 2.5, SHOWN, 4.0)  # K/τ
SLIGHT = 1e-3  # r at t = 0
CIRCLE = 2 * np.pi


def case(ratio, order=SLIGHT):
    """K = ratio·τ, from the density (1 + 2r cos θ)/2π."""
    law = wgf.FromDensity(lambda theta: 1 + 2 * order * np.cos(theta[..., 0]), lower=0, upper=CIRCLE)
    energy = wgf.InteractionEnergy(W=wgf.potential("cosine", strength=-ratio * NOISE))
    return wgf.Problem(energy, law, temperature=NOISE, title=f"Noisy oscillators, K = {ratio:g}τ")


problem = case(SHOWN)
density = wgf.FiniteVolume(cells=(128,), lower=(0,), upper=(CIRCLE,), boundary="periodic", diffusion="gibbs")


def order(measure):
    """R = |∫e^{iθ} dμ|."""
    return np.hypot(*(measure.integrate(lambda theta, part=part: part(theta[..., 0])) for part in (np.cos, np.sin)))


def root(ratio):
    """The r > 0 that solves r = I₁(Kr/τ)/I₀(Kr/τ); zero where there is none."""
    if ratio <= 2:
        return 0.0
    return brentq(lambda r: ive(1, ratio * r) / ive(0, ratio * r) - r, 1e-6, 1)


def growth(ratio, method, until=1.0):
    """The rate at which a slight order grows."""
    run = wgf.solve(case(ratio), dataclasses.replace(method, dt=0.01), until, save=2)
    return np.log(order(run.measures[-1]) / order(run.measures[0])) / until


def published(cells=128, until=20.0):
    """The order of two couplings at rest, and the coupling at which a slight order neither grows nor dies."""
    method = dataclasses.replace(density, cells=(cells,))
    found = {}
    for ratio in (2.5, SHOWN):
        run = wgf.solve(case(ratio, 0.1), method, until, save=2)
        found[f"order r, K = {ratio:g}τ"] = (root(ratio), order(run.measures[-1]))
    rates = [growth(ratio, method) for ratio in (1.8, 2.2)]
    found["growth of r, K = 2.2τ"] = (0.1, rates[1])
    found["critical K/τ"] = (2.0, 1.8 - rates[0] * 0.4 / (rates[1] - rates[0]))
    return found


@styled()
def main(density=density, until=100.0):
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    branch, shapes = figure.subplots(1, 2)
    ratios = np.linspace(0.5, 4.5, 401)
    branch.plot(ratios, [root(ratio) for ratio in ratios], "C5", label=r"$r = I_1(Kr/\tau)/I_0(Kr/\tau)$")
    branch.axvline(2, color="C5", linewidth=1, linestyle=":")
    print(f"{'K/τ':>5}{'order':>10}{'root':>10}")
    for k, ratio in enumerate(RATIOS):
        run = wgf.solve(case(ratio, 0.1), density, until, save=2, store="kuramoto.h5" if ratio == SHOWN else None, overwrite=True)
        last = run.measures[-1]
        print(f"{ratio:5g}{order(last):10.5f}{root(ratio):10.5f}")
        branch.plot(ratio, order(last), "o", color=f"C{k % 5}")
        shapes.plot(last.grid.centers[0], last.values, color=f"C{k % 5}", linestyle=("-", "--")[k // 5], label=f"K = {ratio:g}τ")
    branch.set(xlabel="K/τ", ylabel=f"order r at t = {until:g}")
    shapes.set(xlabel="θ", ylabel=f"density at t = {until:g}", ylim=(0, None))
    for panel in (branch, shapes):
        panel.legend()
    figure.suptitle("Noisy oscillators fall into step above K = 2τ")
    figure.savefig("kuramoto.png")


if __name__ == "__main__":
    main()
