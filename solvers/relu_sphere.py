"""ReLU neurons on the sphere: the (c, a, b) problem in two dimensions instead of three.

g(θ; x) = c·max(a·x + b, 0) is two-homogeneous, g(rθ) = r² g(θ), so that the network depends on θ's direction and on |θ|² only. The measure
ν on the unit sphere with ∫ψ dν = ∫|θ|² ψ(θ/|θ|) dμ follows

    ∂_t ν = div(ν ∇_S G) − 4 G ν,

transport along the sphere, and mass that grows where G < 0 [Chizat & Bach, NeurIPS 2018]; wgf/problems/sphere.py derives it. The script
solves it on triangles, with FiPy, beside the whole problem on a grid in (c, a, b), and prints how far the fitted functions are apart.

Writes relu_sphere.h5, relu_sphere.png and relu_sphere.vtkhdf (for ParaView).
"""

import numpy as np

import wgf


def target(x):
    return np.exp(x / 2)


problem = wgf.Problem(
    wgf.RegressionEnergy(wgf.Neuron("relu", theta=("c", "a", "b")), wgf.Data.quadrature(target, -1, 1, 40)),
    wgf.Gaussian([0.5, 0.3, 0.3], [0.9, 0.9, 0.9]),
    title="ReLU neurons",
)
density = wgf.FiniteVolume(cells=(80, 80, 80), lower=(-4.6, -4.6, -4.6), upper=(5.4, 5, 5))
sphere = wgf.FiPyMesh(wgf.Sphere(0.08))


def main(density=density, until=5.0, sphere=sphere):
    whole = wgf.solve(problem, density, until, progress=True)
    reduced = wgf.solve(wgf.reduce_to_sphere(problem), sphere, until, store="relu_sphere.h5", overwrite=True, progress=True)
    data = problem.energy.data
    for k in np.unique(np.linspace(0, len(whole.times) - 1, 5).astype(int)):
        size = whole.measures[k].integrate(lambda theta: np.sum(theta**2, axis=-1))
        print(
            f"t = {whole.times[k]:.2g}: ‖φ − φ'‖ = {data.norm(whole.prediction[k] - reduced.prediction[k]):.2e}, "
            f"loss {whole.loss[k]:.5f} and {reduced.loss[k]:.5f}, ∫|θ|²dμ = {size:.4f} and ν(S²) = {reduced.mass[k]:.4f}"
        )
    reduced.plot("relu_sphere.png")
    wgf.export(reduced, "relu_sphere.vtkhdf")


if __name__ == "__main__":
    main()
