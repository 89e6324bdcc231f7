"""A uniform start: all neurons of a square with equal right, and a target with a kink, x + ½ − ½|x|.

θ = (c, a), g(θ; x) = c·erf(a·x + 1). The initial law has a jump at its edge, which the limited fluxes carry without
overshoot: the smallest cell stays ≥ 0. Writes uniform_start.h5 and uniform_start.png.
"""

import numpy as np

import wgf

problem = wgf.Problem(
    energy=wgf.RegressionEnergy(
        neuron=wgf.Neuron("erf", theta=("c", "a"), fixed={"b": 1.0}),
        data=wgf.Data.quadrature(lambda x: x + 0.5 - 0.5 * np.abs(x), lower=-1, upper=1, nodes=60),
    ),
    initial=wgf.Uniform(lower=(-1, -2), upper=(1, 2)),
    title="Uniform start, a target with a kink",
)
density = wgf.FiniteVolume(cells=(128, 128))  # the box is found from a cheap run of the characteristics
neurons = wgf.Particles(10_000, seed=0)


def main(density=density, neurons=neurons, until=20.0):
    limit = wgf.solve(problem, density, until, store="uniform_start.h5", overwrite=True, progress=True)
    network = wgf.solve(problem, neurons, until, progress=True)
    print(f"loss at t = {until:g}: density {limit.loss[-1]:.5f}, {neurons.m:,} neurons {network.loss[-1]:.5f}")
    print(f"smallest cell average in all steps: {limit.history['minimum'].min():.3g}; mass at the end: 1 {limit.mass[-1] - 1:+.1e}")
    limit.plot("uniform_start.png")


if __name__ == "__main__":
    main()
