"""Finite networks: T̂, norms and κ against dense tensors; the tangent flow against the matrix exponential; messages."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import linalg

import wgf
from wgf.networks.curvature import curvatures, largest_curvature
from wgf.networks.derivatives import differences
from wgf.networks.network import Network
from wgf.networks.neuron import coordinate_names

ACTIVATIONS = ("tanh", "sigmoid", "erf", "relu", "softplus", "gaussian", "cosine")
THETAS = {1: ("a",), 2: ("c", "a"), 3: ("c", "a", "b"), 4: ("c", "a2", "a1", "b")}
INPUTS, ANGLES = 24, 8_001


def example(activation, p, m, scale=None, seed=0):
    """A network of m neurons with p free coordinates, and data, all random."""
    rng, theta = np.random.default_rng(seed), THETAS[p]
    dim = 2 if "a2" in theta else 1
    neuron = wgf.Neuron(activation, theta, {name: 0.7 for name in coordinate_names(dim) if name not in theta}, dim)
    data = wgf.Data(rng.standard_normal((INPUTS, dim)), rng.standard_normal(INPUTS), rng.uniform(0.1, 1.0, INPUTS))
    return wgf.Network(neuron, rng.standard_normal((m, p)), scale), data


def dense(network, data):
    """Dφ in L²(ρ), (n, mp), and the Hessians of the neurons (m, n, p, p)."""
    gradient = network.neuron.gradient(network.parameters, data.inputs)
    columns = network.scale * np.moveaxis(gradient, 1, 0).reshape(data.size, -1)
    return np.sqrt(data.weights)[:, None] * columns, network.neuron.second(network.parameters, data.inputs)


def brute_force(hessians, weights, directions):
    """The largest ‖D²g[u, u]‖ over neurons and directions."""
    squares = np.einsum("ua,ub->uab", directions, directions).reshape(len(directions), -1)
    forms = [squares @ one.reshape(len(weights), -1).T for one in hessians]
    return max(np.sqrt((form**2 @ weights).max()) for form in forms)


def directions(p):
    """Unit vectors: all angles of the plane, random ones beyond."""
    if p <= 2:
        angles = np.linspace(0.0, np.pi, ANGLES)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1) if p == 2 else np.ones((1, 1))
    random = np.random.default_rng(1).standard_normal((4_000, p))
    return random / np.linalg.norm(random, axis=1, keepdims=True)


# ---- derivatives


@pytest.mark.parametrize("p", THETAS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_second_derivatives_are_differences_of_gradients(activation, p):
    network, data = example(activation, p, 6)
    expected = differences(lambda theta: network.neuron.gradient(theta, data.inputs), network.parameters)
    found = network.neuron.second(network.parameters, data.inputs)
    smooth = np.abs(expected - found).max(axis=(-2, -1)) < 1.0  # differences that reach across the kink of relu are of size 1e3
    assert smooth.mean() > 0.98
    assert found[smooth] == pytest.approx(expected[smooth], abs=1e-8)


@pytest.mark.parametrize("p", THETAS)
def test_push_and_gram_are_sums_over_the_gradients(p):
    network, data = example("softplus", p, 7)
    response = network.neuron.at(network.parameters, data.inputs)
    gradient, v = network.neuron.gradient(network.parameters, data.inputs), np.random.default_rng(3).standard_normal((7, p))
    assert response.push(v) == pytest.approx(np.einsum("jnp,jp->n", gradient, v))
    assert response.gram() == pytest.approx(np.einsum("jnp,jkp->nk", gradient, gradient))


# ---- T̂, norms, κ


@pytest.mark.parametrize("scale", ["mean field", "tangent"])
@pytest.mark.parametrize("m", [1, 50])
@pytest.mark.parametrize("p", THETAS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_quantity_is_that_of_dense_tensors(activation, p, m, scale):
    network, data = example(activation, p, m, None if scale == "mean field" else m**-0.5, seed=m)
    jacobian, hessians = dense(network, data)
    slope, bent = np.linalg.norm(jacobian, 2), network.scale * brute_force(hessians, data.weights, directions(p))
    root = np.sqrt(np.outer(data.weights, data.weights))
    assert root * network.tangent_kernel(data) == pytest.approx(jacobian @ jacobian.T / (m * network.scale**2), rel=1e-12, abs=1e-13)
    assert network.differential_norm(data) == pytest.approx(slope, rel=1e-12)
    assert bent * (1 - 1e-12) <= network.curvature_norm(data) <= bent * (1 + (1e-6 if p <= 2 else 5e-2)) + 1e-15
    distance = data.norm(network.predict(data.inputs) - data.targets)
    assert network.relative_scale(data) == pytest.approx(distance * network.curvature_norm(data) / slope**2, rel=1e-12)


def test_the_norm_of_the_second_derivative_is_attained_on_one_neuron():
    """Over directions in all parameters at once, by the whole tensor."""
    network, data = example("tanh", 2, 3)
    random = np.random.default_rng(2).standard_normal((20_000, 3, 2))
    random /= np.linalg.norm(random, axis=(1, 2), keepdims=True)
    hessians = network.neuron.second(network.parameters, data.inputs)
    forms = network.scale * np.einsum("ujp,jnpq,ujq->un", random, hessians, random, optimize=True)
    largest = np.sqrt((forms**2 @ data.weights).max())
    assert 0.8 * network.curvature_norm(data) < largest <= network.curvature_norm(data)


@pytest.mark.parametrize("p", THETAS)
def test_neurons_that_are_left_out_are_not_the_largest(p):
    network, data = example("tanh", p, 500)
    given = (network.neuron, network.parameters, data.inputs, data.weights)
    assert largest_curvature(*given) == pytest.approx(curvatures(*given).max(), rel=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_many_coordinates_are_searched_without_their_tensor(activation):
    """Ten inputs: the matrix-free search finds what the Hessians of the custom form give, and relu's exact value √λ_max(Σwσ'²x̃x̃ᵀ)."""
    rng = np.random.default_rng(0)
    names = coordinate_names(10)
    neuron = wgf.Neuron(activation, names, dim=10)
    theta, x, weights = rng.standard_normal((2, 12)), rng.standard_normal((40, 10)), np.full(40, 1 / 40)

    class Same:
        value, gradient = staticmethod(neuron.value), staticmethod(neuron.gradient)

    found = curvatures(neuron, theta, x, weights)
    if activation == "relu":
        extended, z = np.column_stack([x, np.ones(40)]), theta[:, 1:-1] @ x.T + theta[:, -1:]
        exact = [np.sqrt(np.linalg.eigvalsh((extended.T * (weights * (row > 0))) @ extended)[-1]) for row in z]
        assert found == pytest.approx(exact, rel=1e-12)
    else:
        assert found == pytest.approx(curvatures(wgf.networks.custom.CustomNeuron(Same()), theta, x, weights), rel=1e-6)


@pytest.mark.parametrize("free", ["c a2 a5 a3 b a1 a8", "b a7 a4 a1 a2 c a3 a5", "a1 a2 a3 a4 a5 a6 a7 b"])
def test_neurons_without_bends_have_a_closed_form(free):
    """Some coordinates of relu, in any order: what the search in the Hessians finds; nothing is curved without c."""
    rng, theta = np.random.default_rng(1), free.split()
    neuron = wgf.Neuron("relu", theta, {name: 0.7 for name in coordinate_names(8) if name not in theta}, 8)
    given = (rng.standard_normal((3, len(theta))), rng.standard_normal((30, 8)), rng.dirichlet(np.ones(30)))
    searched = curvatures(SimpleNamespace(second=neuron.second), *given)
    assert curvatures(neuron, *given) == pytest.approx(searched, rel=1e-9)
    assert ("c" in theta) == (searched.min() > 0)


def test_a_custom_neuron_has_the_same_quantities():
    network, data = example("tanh", 3, 5)

    class Same:
        def value(self, theta, x):
            return network.neuron.value(theta, x)

    other = Network(Same(), network.parameters)
    assert other.tangent_kernel(data) == pytest.approx(network.tangent_kernel(data), abs=1e-9)
    assert other.relative_scale(data) == pytest.approx(network.relative_scale(data), rel=1e-5)


def test_no_slope_is_an_infinite_relative_scale():
    dead = wgf.Network(wgf.Neuron("relu", ("a", "b")), [[0.0, -5.0]])
    assert dead.relative_scale(wgf.Data([0.5, 1.0], [1.0, 1.0])) == np.inf


# ---- the tangent model


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("p", THETAS)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_tangent_flow_is_the_matrix_exponential(activation, p, penalty):
    """Function and parameter space against expm of the affine system."""
    network, data = example(activation, p, 9, 0.4)
    model, times = network.tangent(data, penalty), [0.0, 0.1, 1.0, 10.0, 300.0]
    root = np.sqrt(data.weights)
    jacobian = dense(network, data)[0] / root[:, None] / network.scale
    kernel, beta = jacobian @ jacobian.T / 9, 9 * network.scale
    start, flat, nu = network.predict(data.inputs), network.parameters.ravel(), penalty / beta**2
    pull, shrunk = kernel * data.weights, start - network.scale * jacobian @ flat
    generator = np.zeros((INPUTS + 1, INPUTS + 1))
    generator[:-1, :-1] = -pull - nu * np.eye(INPUTS)
    generator[:-1, -1] = pull @ data.targets + nu * shrunk
    expected = np.stack([(linalg.expm(t * generator) @ np.append(start, 1.0))[:-1] for t in times])
    assert np.abs(model.flow(times) - expected).max() < 1e-10
    assert np.abs(model.flow(times, space="parameter") - expected).max() < 1e-10
    assert model.flow(10.0) == pytest.approx(expected[3], abs=1e-10)


def test_the_parameters_of_the_tangent_model_follow_its_gradient_flow():
    """By differences in time of θ̄, with a penalty."""
    network, data = example("tanh", 3, 4, 0.3)
    model, beta = network.tangent(data, 0.2), 4 * 0.3
    moved = (model.parameters(0.7 + 1e-4) - model.parameters(0.7 - 1e-4)) / 2e-4
    residual = data.weights * (model.flow(0.7) - data.targets)
    expected = -network.pull(residual, data.inputs) / beta - 0.2 / beta**2 * model.parameters(0.7)
    assert moved == pytest.approx(expected, abs=1e-7)
    assert model.predict(data.inputs, 0.7) == pytest.approx(model.flow(0.7), abs=1e-12)


def test_after_infinite_time_what_can_be_fitted_is():
    network, data = example("relu", 3, 200)
    assert network.tangent(data).flow(np.inf) == pytest.approx(data.targets, abs=1e-9)
    ridge = network.tangent(data, 0.1).flow(np.inf)
    pull, shrunk = (
        network.tangent_kernel(data) * data.weights,
        network.predict(data.inputs) - network.derivative(network.parameters, data.inputs),
    )
    assert ridge == pytest.approx(np.linalg.solve(pull + 0.1 * np.eye(INPUTS), pull @ data.targets + 0.1 * shrunk), abs=1e-9)


# ---- messages


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda n, d: wgf.Network(n, [[1.0, 2.0, 3.0]]),
            r"the parameters of the network have shape \(1, 3\); give \(m, 2\), one row a neuron",
        ),
        (lambda n, d: wgf.Network(n, [1.0, 2.0]), r"have shape \(2,\); give \(m, 2\)"),
        (lambda n, d: wgf.Network(n, [[1.0, np.nan]]), r"entry \[0, 1\] is nan; give finite numbers"),
        (lambda n, d: wgf.Network(n, [["c", "a"]]), "the parameters of the network are"),
        (lambda n, d: wgf.Network(n, [[1.0, 2.0]], scale=0.0), "the network: scale = 0: give a positive number"),
        (lambda n, d: wgf.Network(n, [[1.0, 2.0]], scale=np.inf), "the network: scale = inf: give a positive number"),
        (lambda n, d: wgf.Network(n, [[1.0, 2.0]]).predict(np.ones((3, 2))), r"the inputs have shape \(3, 2\); the neuron has 1 input"),
        (lambda n, d: wgf.Network(n, [[1.0, 2.0]]).predict([np.nan]), "the inputs are not all finite"),
        (lambda n, d: wgf.Network(n, [[1.0, 2.0]]).tangent(d, -1.0), "penalty = -1: it must be a number ≥ 0"),
        (lambda n, d: wgf.Network(n, [[1.0, 2.0]]).tangent(d).flow([-1.0]), r"times = \[-1.0\]: give one or several numbers ≥ 0"),
        (lambda n, d: wgf.Network(n, [[1.0, 2.0]]).tangent(d).flow([1.0], space="weights"), "space of the tangent flow"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(call, message):
    with pytest.raises(wgf.InputError, match=message):
        call(wgf.Neuron("tanh"), wgf.Data([0.0, 1.0], [1.0, 2.0]))
