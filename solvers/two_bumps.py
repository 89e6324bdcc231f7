"""Two bumps: half of the neurons start on each side of the saddle, and the measure must decide.

θ = (c, a), g(θ; x) = c·tanh(a·x): (c, a) and (−c, −a) are the same neuron, so the two bumps at (−1, 1) and (1, −1) are
mirror images, both on the wrong side of tanh 2x, and have to cross c = 0 or a = 0. Writes two_bumps.h5 and two_bumps.png.
"""

import numpy as np

import wgf

problem = wgf.Problem(
    energy=wgf.RegressionEnergy(
        neuron=wgf.Neuron("tanh", theta=("c", "a")),
        data=wgf.Data.quadrature(lambda x: np.tanh(2 * x), lower=-1, upper=1, nodes=40),
    ),
    initial=wgf.Mixture([0.5, 0.5], [wgf.Gaussian([-1, 1], [0.3, 0.3]), wgf.Gaussian([1, -1], [0.3, 0.3])]),
    title="Two bumps on the wrong side",
)
density = wgf.FiniteVolume(cells=(128, 128), lower=(-4.5, -4.5), upper=(4.5, 4.5))
neurons = wgf.Particles(10_000, seed=0)


def main(density=density, neurons=neurons, until=15.0):
    limit = wgf.solve(problem, density, until, store="two_bumps.h5", overwrite=True, progress=True)
    network = wgf.solve(problem, neurons, until, progress=True)
    print(f"loss at t = {until:g}: density {limit.loss[-1]:.5f}, {neurons.m:,} neurons {network.loss[-1]:.5f}")
    limit.plot("two_bumps.png")


if __name__ == "__main__":
    main()
