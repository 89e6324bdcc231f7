"""Ten problems whose least loss is looked for: activations, one to three coordinates, with and without a penalty, noisy data."""

from __future__ import annotations

import numpy as np

import wgf

BOX = (-5.0, 5.0)


def data(dim: int = 1, nodes: int = 40) -> wgf.Data:
    """A smooth function of the nodes of a Gauss rule, with noise."""
    rng = np.random.default_rng(3)
    if dim == 1:
        rule = wgf.Data.quadrature(lambda x: np.sin(3 * x), nodes=nodes)
    else:
        rule = wgf.Data.quadrature(lambda x: np.sin(2 * x[:, 0]) * x[:, 1], [-1, -1], [1, 1], nodes=7)
    return wgf.Data(rule.inputs, rule.targets + 0.2 * rng.normal(size=rule.size), rule.weights)


def problem(activation: str, theta: tuple[str, ...], penalty: float, dim: int = 1, **fixed: float) -> wgf.Problem:
    """Neurons from a normal law."""
    energy = wgf.RegressionEnergy(wgf.Neuron(activation, theta, fixed, dim), data(dim), penalty)
    return wgf.Problem(energy, wgf.Gaussian((0.3,) * len(theta), (0.6,) * len(theta)))


PROBLEMS = {
    "tanh (c, a)": problem("tanh", ("c", "a"), 0.0),
    "tanh (c, a), λ": problem("tanh", ("c", "a"), 0.02),
    "tanh (a, b)": problem("tanh", ("a", "b"), 0.0),
    "sigmoid (c, a, b), λ": problem("sigmoid", ("c", "a", "b"), 0.01),
    "tanh (c, a, b)": problem("tanh", ("c", "a", "b"), 0.0),
    "relu (c, a)": problem("relu", ("c", "a"), 0.01),
    "relu (a, b)": problem("relu", ("a", "b"), 0.0, c=2.0),
    "cosine (a, b), λ": problem("cosine", ("a", "b"), 0.01),
    "gaussian (c, b)": problem("gaussian", ("c", "b"), 0.0, a=2.0),
    "erf (c, a1, a2), λ": problem("erf", ("c", "a1", "a2"), 0.01, dim=2),
}
