"""A ReLU student on real data: disease progression against body mass index, 442 patients.

The data come with scikit-learn (Efron, Hastie, Johnstone & Tibshirani, "Least angle regression", 2004); both columns are
standardised here. θ = (c, a, b), g(θ; x) = c·max(a·x + b, 0): three axes, so that the grid has 64³ cells, but the features
live on the 64² cells of (a, b) only. Writes relu_diabetes.h5 and relu_diabetes.png.
"""

from sklearn.datasets import load_diabetes

import wgf


def standardised(column):
    return (column - column.mean()) / column.std()


patients, progression = load_diabetes(return_X_y=True)
BMI = 2  # its column

problem = wgf.Problem(
    energy=wgf.RegressionEnergy(
        neuron=wgf.Neuron("relu", theta=("c", "a", "b")),
        data=wgf.Data(standardised(patients[:, BMI]), standardised(progression)),
    ),
    initial=wgf.Gaussian(mean=(0, 0, 0), std=(0.5, 0.5, 0.5)),
    title="ReLU student on the body mass index",
)
density = wgf.FiniteVolume(cells=(64, 64, 64), lower=(-3.5, -3.5, -3.5), upper=(3.5, 3.5, 3.5))
neurons = wgf.Particles(1000, seed=0, rtol=1e-4)  # kinks make higher accuracy dear


def main(density=density, neurons=neurons, until=3.0):
    limit = wgf.solve(problem, density, until, store="relu_diabetes.h5", overwrite=True, progress=True)
    cloud = wgf.solve(problem, neurons, until, progress=True)
    print(f"loss at t = {until:g}: density {limit.loss[-1]:.5f}, {neurons.m:,} neurons {cloud.loss[-1]:.5f}")
    limit.plot("relu_diabetes.png")


if __name__ == "__main__":
    main()
