"""Ten problems whose least loss is looked for: activations, one to three coordinates, with and without a penalty, noisy data."""

from __future__ import annotations

import numpy as np
from scipy import optimize

import wgf
from wgf.studies.optimality.atoms import weighted

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


def least_on_atoms(problem: wgf.Problem, found: np.ndarray, count: int) -> float:
    """min L over weights of `count` atoms, half of them spread over the box and half near those that were found (k, p), by adding the atom
    where the potential is lowest; weights by non-negative least squares, which are those of least |Σ w_j P_j| for Σ w = 1, or with a
    penalty by the quadratic program.
    """
    rng = np.random.default_rng(5)
    half = count // 2
    near = found[rng.integers(len(found), size=half)] + rng.normal(size=(half, problem.dim)) * 10.0 ** rng.uniform(-6, -1, (half, 1))
    places = np.clip(np.concatenate([rng.uniform(*BOX, (count - half, problem.dim)), near]), *BOX)
    data, root = problem.energy.data, np.sqrt(problem.energy.data.weights)
    parts = np.array_split(places, max(1, count // 5000))
    table = np.concatenate([problem.energy.neuron.value(part, data.inputs) - data.targets for part in parts]) * root
    cost = problem.energy.penalty.strength * np.sum(places**2, axis=1)
    chosen, weights = [int(np.argmin(np.sum(table**2, axis=1) + cost))], np.ones(1)
    for _ in range(400):
        z = weights @ table[chosen]
        potential = table @ z + 0.5 * cost
        fresh = int(np.argmin(potential))
        loss = float(z @ z + weights @ cost[chosen])
        if potential[fresh] >= weights @ potential[chosen] - 1e-11:
            break
        chosen = [*np.array(chosen)[weights > 0].tolist(), fresh]
        if problem.energy.penalty.strength:
            weights = weighted(problem.energy, places[chosen]).weights
        else:
            system = np.vstack([table[chosen].T, np.ones(len(chosen))])
            weights = optimize.nnls(system, np.append(np.zeros(len(root)), 1.0), maxiter=10_000)[0]
            weights = weights / weights.sum()
    return loss
