"""Tanh neurons with a Gaussian initial law learn the sum of two teacher neurons, as a density and as 10,000 neurons.

θ = (c, a), g(θ; x) = c·tanh(a·x), x uniform on [−1, 1]. Writes gaussian_start.h5 (the density's run), gaussian_start.png and
gaussian_start_neurons.png, and prints how far density and neurons are apart.
"""

import wgf
from wgf.plots.run import plot_density_with_particles

problem = wgf.Problem(
    energy=wgf.RegressionEnergy(
        neuron=wgf.Neuron("tanh", theta=("c", "a")),
        data=wgf.Data.quadrature(wgf.Teacher("tanh", [{"c": 1.0, "a": 2.0}, {"c": 0.5, "a": 1.0}]), lower=-1, upper=1, nodes=40),
    ),
    initial=wgf.Gaussian(mean=(0.2, 0.5), std=(0.4, 0.4)),
    title="Gaussian start, tanh teacher",
)
density = wgf.FiniteVolume(cells=(128, 128), lower=(-3, -3), upper=(4, 4.5))
neurons = wgf.Particles(10_000, seed=0)


def main(density=density, neurons=neurons, until=10.0):
    limit = wgf.solve(problem, density, until, store="gaussian_start.h5", overwrite=True, progress=True)
    network = wgf.solve(problem, neurons, until, progress=True)
    distance = problem.energy.data.norm(limit.prediction[-1] - network.prediction[-1])
    print(f"loss at t = {until:g}: density {limit.loss[-1]:.5f}, {neurons.m:,} neurons {network.loss[-1]:.5f}; ‖φ_m − φ‖ = {distance:.2e}")
    limit.plot("gaussian_start.png")
    plot_density_with_particles(limit.measures[-1], network.measures[-1], "gaussian_start_neurons.png")


if __name__ == "__main__":
    main()
