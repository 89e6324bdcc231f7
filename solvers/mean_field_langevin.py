"""Mean-field Langevin dynamics: noisy tanh neurons settle into their own Gibbs state, faster than theory asks for.

θ = (a, b), g(θ; x) = 2·tanh(a·x + b), penalty λ|θ|², three temperatures. The stationary law solves μ ∝ exp(−G(θ; μ)/τ); how
far a density is from it is the residual ‖∇(G + τ log μ)‖ in L²(μ). The neuron is bounded, so that the rate at which E falls has
a positive lower bound at every temperature (wgf/studies/theory/decay.py): crude where τ is small, as e^{−osc/τ} must be.

Writes mean_field_langevin_1.h5, mean_field_langevin_2.h5, mean_field_langevin_3.h5 (the densities' runs, from cold to hot), and
mean_field_langevin.png, and prints loss, residual, the measured rate beside its bound, and how far noisy neurons are from
the density at the end.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled

TEMPERATURES = (0.05, 0.2, 0.8)
PENALTY = 0.1

teacher = wgf.Teacher("tanh", [{"c": 1.0, "a": 2.0, "b": 0.5}, {"c": -0.5, "a": -1.0, "b": 1.0}])
problem = wgf.Problem(
    energy=wgf.RegressionEnergy(
        neuron=wgf.Neuron("tanh", theta=("a", "b"), fixed={"c": 2.0}),
        data=wgf.Data.quadrature(teacher, lower=-1, upper=1, nodes=40),
        penalty=PENALTY,
    ),
    initial=wgf.Gaussian(mean=(0, 0), std=(1, 1)),
    temperature=TEMPERATURES[0],
    title="Mean-field Langevin dynamics of a tanh student",
)
density = wgf.FiniteVolume(cells=(96, 96), diffusion="gibbs", dt=0.1)  # dt is kept short for the sake of the rate
neurons = wgf.Particles(2000, seed=0, step=0.05)


@styled()
def main(density=density, neurons=neurons, until=100.0):
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    fall, marginal = figure.subplots(1, 2)
    for k, temperature in enumerate(TEMPERATURES):
        this = dataclasses.replace(problem, temperature=temperature)
        reach = 1.0 + 6.5 * np.sqrt(temperature / PENALTY)  # the Gaussian part of the Gibbs state has variance τ/λ
        box = dataclasses.replace(density, lower=(-reach, -reach), upper=(reach, reach))
        limit = wgf.solve(this, box, until, store=f"mean_field_langevin_{k + 1}.h5", overwrite=True, progress=True)
        network = wgf.solve(this, neurons, until, save=2, progress=True)
        distance = this.energy.data.norm(limit.prediction[-1] - network.prediction[-1])
        measured, bound = wgf.decay_rate(limit), wgf.decay_bound(this, limit.measures[len(limit.measures) // 2 :])
        print(
            f"τ = {temperature:g}:  loss {limit.loss[-1]:.4f}   residual {np.sqrt(limit.dissipation[-1]):.1e}   "
            f"decay rate {measured:.3f} ≥ {bound:.1e}   {neurons.m:,} neurons: ‖φ_m − φ‖ = {distance:.1e}"
        )
        time, dissipation = limit.history["time"], limit.history["dissipation"]
        fall.plot(time, np.sqrt(dissipation), color=f"C{k}", label=f"τ = {temperature:g}: rate of E {measured:.3f}, bound {bound:.0e}")
        last = limit.measures[-1]
        marginal.plot(last.grid.centers[0], last.marginal(0), color=f"C{k}", label=f"τ = {temperature:g}")
    fall.set(xlabel="t", ylabel=r"residual $\| \nabla (G + \tau \log \mu) \|_{L^2(\mu)}$", yscale="log")
    marginal.set(xlabel="$a$", ylabel="marginal density at the end", xlim=(-8, 8), ylim=(0, None))
    for panel in (fall, marginal):
        panel.legend()
    figure.suptitle(problem.title)
    figure.savefig("mean_field_langevin.png")


if __name__ == "__main__":
    main()
