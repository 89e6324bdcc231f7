"""A ReLU student on real data: disease progression against body mass index, 442 patients.

The data come with scikit-learn (Efron, Hastie, Johnstone & Tibshirani, "Least angle regression", 2004); both columns are
standardised here. θ = (c, a, b), g(θ; x) = c·max(a·x + b, 0): three axes, so that the grid has 64³ cells, but the features
live on the 64² cells of (a, b) only.

The body mass index says little of the progression: patients who share an index differ, so that no function of it has a loss below 0.419,
and the best straight line has 0.656. The student ends beside the line, among points that scatter around it.

Writes relu_diabetes.h5 and relu_diabetes.png, and prints its loss beside these two.
"""

import numpy as np
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
    initial=wgf.Gaussian(mean=(0, 0, 0), std=(0.8, 0.8, 0.8)),
    title="ReLU student on the body mass index",
)
density = wgf.FiniteVolume(cells=(64, 64, 64), lower=(-5, -5, -5), upper=(5, 5, 5))
neurons = wgf.Particles(1000, seed=0, rtol=1e-4)  # kinks make higher accuracy dear


def least_losses(data):
    """The loss of the mean progression at each index, which no function of it comes below, and that of the best straight line."""
    x, y = data.inputs[:, 0], data.targets
    _, group = np.unique(x, return_inverse=True)
    means = np.bincount(group, y) / np.bincount(group)
    return np.mean((y - means[group]) ** 2), 1 - np.corrcoef(x, y)[0, 1] ** 2


def main(density=density, neurons=neurons, until=4.0):
    limit = wgf.solve(problem, density, until, store="relu_diabetes.h5", overwrite=True, progress=True)
    network = wgf.solve(problem, neurons, until, progress=True)
    print(f"loss at t = {until:g}: density {limit.loss[-1]:.5f}, {neurons.m:,} neurons {network.loss[-1]:.5f}")
    any_function, line = least_losses(problem.energy.data)
    print(f"no function of the index has less than {any_function:.3f}, the best straight line has {line:.3f}")
    limit.plot("relu_diabetes.png")


if __name__ == "__main__":
    main()
