"""The neuron: activations and gradients against differences, the coordinates in any order, custom neurons, messages."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import wgf
import wgf.networks.neuron as neuron_module
from wgf.kernels.activations import loops
from wgf.networks.activations import ACTIVATIONS
from wgf.networks.custom import CustomNeuron, as_neuron
from wgf.networks.derivatives import differences
from wgf.networks.neuron import Neuron, coordinate_names

KINKS = {"relu": (0.0,), "ramp": (-1.0, 1.0)}
THETAS = {
    1: [("c",), ("a",), ("b",), ("c", "a"), ("a", "c"), ("a", "b"), ("a", "c", "b"), ("b", "a", "c")],
    2: [("c",), ("a2",), ("a1", "a2"), ("a2", "c", "a1"), ("a1", "a2", "c"), ("b", "a2", "a1", "c")],
    3: [("c",), ("a3", "a1", "a2"), ("a2", "c"), ("c", "a1", "a3", "b")],
}
CASES = [(dim, theta) for dim, thetas in THETAS.items() for theta in thetas]
WEIGHTS = {"c": 1.3, "b": -0.2, "a": 0.7, "a1": 0.7, "a2": -0.4, "a3": 1.1}


def neuron_with(activation, theta, dim):
    """The neuron whose other coordinates are fixed at WEIGHTS."""
    fixed = {name: WEIGHTS[name] for name in coordinate_names(dim) if name not in theta}
    return Neuron(activation, theta, fixed, dim)


def smooth(activation, z, distance):
    """Where z is farther than `distance` from every kink of σ."""
    return np.abs(z[..., None] - np.array(KINKS.get(activation, ()))).min(axis=-1, initial=np.inf) > distance


class Bump:
    """A custom neuron without a gradient: g(θ; x) = e^{−(x − θ₁)²θ₂²}."""

    def value(self, theta, x):
        return np.exp(-((x[:, 0] - theta[..., :1]) ** 2) * theta[..., 1:] ** 2)


class Wrapped:
    """One of our neurons in the dress of a custom one."""

    def __init__(self, neuron):
        self.neuron = neuron

    def value(self, theta, x):
        return self.neuron.value(theta, x)


class WrappedWithGradient(Wrapped):
    def gradient(self, theta, x):
        return self.neuron.gradient(theta, x)


# ---- activations


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_first_derivative_is_the_slope_of_the_activation(name):
    sigma = ACTIVATIONS[name]
    z = np.random.default_rng(1).uniform(-4, 4, 500)
    z = z[smooth(name, z, 0.003)]
    assert sigma.first(z) == pytest.approx(differences(lambda at: sigma.value(at[..., 0]), z[:, None])[:, 0], abs=1e-10)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_second_derivative_is_the_slope_of_the_first(name):
    sigma = ACTIVATIONS[name]
    z = np.random.default_rng(2).uniform(-4, 4, 500)
    z = z[smooth(name, z, 0.003)]
    assert sigma.second(z) == pytest.approx(differences(lambda at: sigma.first(at[..., 0]), z[:, None])[:, 0], abs=1e-10)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("tanh", lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))),
        ("sigmoid", lambda z: 1 / (1 + np.exp(-z))),
        ("relu", lambda z: np.where(z > 0, z, 0)),
        ("softplus", lambda z: np.log(1 + np.exp(z))),
        ("gaussian", lambda z: np.exp(-(z**2) / 2)),
        ("cosine", np.cos),
        ("ramp", lambda z: np.where(z < -1, -1, np.where(z > 1, 1, z))),
        ("identity", lambda z: z),
    ],
)
def test_an_activation_has_the_values_its_name_promises(name, formula):
    z = np.linspace(-5, 5, 101)
    assert ACTIVATIONS[name].value(z) == pytest.approx(formula(z), abs=1e-14)


def test_erf_is_the_integral_of_a_gaussian():
    t, w = np.polynomial.legendre.leggauss(40)
    for z in (-2.0, -0.3, 0.0, 1.0, 3.0):
        integral = 0.5 * z * w @ np.exp(-((0.5 * z * (t + 1)) ** 2))
        assert ACTIVATIONS["erf"].value(np.array(z)) == pytest.approx(2 / np.sqrt(np.pi) * integral, abs=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_stays_finite_far_out(name):
    sigma, z = ACTIVATIONS[name], np.array([-1e4, -800.0, -40.0, 40.0, 800.0, 1e4])
    for values in (sigma.value(z), sigma.first(z), sigma.second(z)):
        assert np.isfinite(values).all()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_does_not_touch_its_argument(name):
    z = np.linspace(-2, 2, 9)
    for values in (ACTIVATIONS[name].value(z), ACTIVATIONS[name].first(z), ACTIVATIONS[name].second(z)):
        assert values.shape == z.shape
        assert not np.shares_memory(values, z)
    assert np.array_equal(z, np.linspace(-2, 2, 9))


def test_a_ramp_runs_between_its_plateaus():
    sigma = wgf.ramp(low=-2.0, high=4.0, start=1.0, end=3.0)
    z = np.array([0.0, 1.0, 1.5, 2.0, 2.999, 3.0, 5.0])
    assert sigma.value(z) == pytest.approx([-2, -2, -0.5, 1, 3.997, 4, 4])
    assert sigma.first(z) == pytest.approx([0, 0, 3, 3, 3, 0, 0])
    assert repr(sigma) == "Activation(ramp)"


@pytest.mark.parametrize(("start", "end"), [(1.0, 1.0), (2.0, 1.0)])
def test_a_ramp_that_does_not_start_before_it_ends_is_refused(start, end):
    with pytest.raises(wgf.InputError, match=rf"the ramp has start = {start:g}, end = {end:g}: start must be less than end"):
        wgf.ramp(start=start, end=end)


FAR = np.concatenate([np.linspace(-40, 40, 401), np.linspace(-2, 2, 41), [-800.0, -1e-9, 1e-9, 800.0], np.linspace(-1e-3, 1e-3, 20)])


def compiled_pair(formula, z):
    """(σ(z), σ'(z)) from the compiled loops: networks of one neuron z = 1·x, and their pull on one datum x = 1."""
    neurons, one, scratch = np.stack([np.ones_like(z), z, np.zeros_like(z)]), np.ones(1), np.empty((4, 100))
    values, pull = np.empty_like(z), np.empty((3, len(z)))
    loops(formula).fill_pull(pull, one, neurons, np.ones((1, 1)), scratch[0], scratch[1:])
    for k in range(len(z)):
        loops(formula).add_network(total := np.zeros(1), one, neurons[:, k : k + 1].copy(), np.ones((1, 1)), scratch[0])
        values[k] = total[0]
    assert values == pytest.approx(pull[0], abs=0, nan_ok=True)
    assert pull[1] == pytest.approx(pull[2], abs=0, nan_ok=True)
    return pull[0], pull[1]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_formula_is_the_activation(name):
    """As Python runs it, and compiled: to rounding of numbers of size one, or of their own size where they are larger."""
    sigma, z = ACTIVATIONS[name], FAR[smooth(name, FAR, 1e-12)]
    plain = np.array([sigma.formula(float(number), math.exp, math.expm1) for number in z]).T
    value = sigma.value(z)
    for found in (plain, compiled_pair(sigma.formula, z)):
        assert found[0] == pytest.approx(value, rel=2e-15, abs=2e-15)
        assert found[1] == pytest.approx(sigma.slope(z, value), rel=2e-15, abs=2e-15)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "gaussian"])
def test_a_compiled_formula_keeps_the_digits_of_small_values(name):
    z = FAR[np.abs(FAR) < 15]
    assert compiled_pair(ACTIVATIONS[name].formula, z)[0] == pytest.approx(ACTIVATIONS[name].value(z), rel=2e-15, abs=0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_compiled_formula_of_nan_is_nan(name):
    assert np.isnan(compiled_pair(ACTIVATIONS[name].formula, np.array([np.nan, 1.0]))[0]).tolist() == [True, False]


@pytest.mark.parametrize(
    ("activation", "theta", "dim"), [*((name, ("c", "a", "b"), 1) for name in ACTIVATIONS), *(("tanh", *case[::-1]) for case in CASES)]
)
@pytest.mark.parametrize("m", [5, 300, 513])
def test_compiled_responses_are_those_of_whole_arrays(activation, theta, dim, m, monkeypatch):
    """Sums over neurons and over data, for numbers of neurons that fill the lanes and that do not."""
    monkeypatch.setattr(neuron_module, "WORTH_COMPILING", 0)
    neuron, rng = neuron_with(activation, theta, dim), np.random.default_rng(m)
    points, x, u, masses = rng.normal(size=(m, len(theta))), rng.normal(size=(7, dim)), rng.normal(size=7), rng.normal(size=m)
    response = neuron.at(points, x)
    assert type(response).__name__ == "_CompiledResponse"
    assert response.total(masses) == pytest.approx(masses @ neuron.value(points, x), rel=1e-13, abs=1e-13 * m)
    assert response.pull(u) == pytest.approx(np.einsum("mnp,n->mp", neuron.gradient(points, x), u), rel=1e-13, abs=1e-13)
    assert response.value == pytest.approx(neuron.value(points, x), abs=1e-14)


def test_another_ramp_is_compiled_as_itself(monkeypatch):
    """Two of them in one process: none takes the loops of the other."""
    monkeypatch.setattr(neuron_module, "WORTH_COMPILING", 0)
    points, x = np.random.default_rng(1).normal(size=(30, 2)), np.linspace(-3, 3, 9)[:, None]
    for sigma in (wgf.ramp(-2.0, 4.0, 0.5, 1.0), wgf.ramp(0.0, 1.0, -1.0, 0.0), wgf.ramp()):
        neuron = Neuron(sigma)
        assert neuron.at(points, x).total(np.ones(30)) == pytest.approx(np.sum(neuron.value(points, x), axis=0), rel=1e-13)


def test_an_activation_of_ones_own_serves_a_neuron():
    cube = wgf.Activation("cube", lambda z: z**3, lambda z, s: 3 * z**2, lambda z: 6 * z)
    neuron, theta, x = Neuron(cube, ("c", "a")), np.array([2.0, 3.0]), np.array([[0.5], [-1.0]])
    assert neuron.value(theta, x) == pytest.approx([2 * 1.5**3, -2 * 27])
    assert neuron.gradient(theta, x) == pytest.approx(differences(lambda at: neuron.value(at, x), theta), rel=1e-10)
    assert repr(neuron) == "Neuron(cube, θ = (c, a), 1 input)"


# ---- value and gradient


@pytest.mark.parametrize(("dim", "theta"), CASES)
def test_the_value_is_c_sigma_of_the_weighted_inputs_plus_b(dim, theta):
    """One θ and one x at a time, by Python's own arithmetic."""
    rng = np.random.default_rng(3)
    neuron, points, x = neuron_with("tanh", theta, dim), rng.normal(size=(5, len(theta))), rng.normal(size=(4, dim))
    for (j, point), (i, inputs) in itertools.product(enumerate(points), enumerate(x)):
        w = {**WEIGHTS, **dict(zip(theta, point, strict=True))}
        z = w["b"] + sum(w[name] * inputs[k] for k, name in enumerate(coordinate_names(dim)[1:-1]))
        assert neuron.value(points, x)[j, i] == pytest.approx(w["c"] * np.tanh(z), rel=1e-14)


def test_the_output_weight_is_one_and_the_bias_zero_unless_said():
    x = np.array([[0.3], [2.0]])
    assert Neuron("sigmoid", theta="a").value(np.array([1.5]), x) == pytest.approx(1 / (1 + np.exp(-1.5 * x[:, 0])))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("dim", "theta"), CASES)
def test_the_gradient_agrees_with_differences(activation, dim, theta):
    rng = np.random.default_rng(4)
    neuron, points, x = neuron_with(activation, theta, dim), rng.uniform(-2, 2, (40, len(theta))), rng.uniform(-1, 1, (6, dim))
    _, a, b = neuron.split(points)
    judged = smooth(activation, a @ x.T + b[:, None], 0.003)
    assert judged.mean() > 0.9
    expected = differences(lambda at: neuron.value(at, x), points)
    assert neuron.gradient(points, x)[judged] == pytest.approx(expected[judged], abs=1e-9)


@given(lead=array_shapes(min_dims=0, max_dims=3, max_side=3), case=st.sampled_from(CASES), n=st.integers(1, 5))
def test_value_and_gradient_keep_any_leading_shape(lead, case, n):
    dim, theta = case
    neuron, rng = neuron_with("tanh", theta, dim), np.random.default_rng(5)
    points, x = rng.normal(size=(*lead, len(theta))), rng.normal(size=(n, dim))
    flat = points.reshape(-1, len(theta))
    assert neuron.value(points, x).shape == (*lead, n)
    assert neuron.gradient(points, x).shape == (*lead, n, len(theta))
    assert neuron.value(points, x).reshape(-1, n) == pytest.approx(neuron.value(flat, x), rel=1e-13, abs=1e-15)
    assert neuron.gradient(points, x).reshape(-1, n, len(theta)) == pytest.approx(neuron.gradient(flat, x), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("dim", "theta"), CASES)
def test_the_response_sums_as_its_definition(activation, dim, theta):
    """That is: value = g, total = Σ_j masses_j g(θ_j), pull = Σ_i u_i ∇_θ g(θ; x_i)."""
    rng = np.random.default_rng(6)
    neuron, points, x = neuron_with(activation, theta, dim), rng.normal(size=(7, len(theta))), rng.normal(size=(5, dim))
    masses, u, response = rng.uniform(size=7), rng.normal(size=5), neuron.at(points, x)
    assert response.value == pytest.approx(neuron.value(points, x), abs=1e-14)
    assert response.total(masses) == pytest.approx(np.einsum("j,jn->n", masses, neuron.value(points, x)), abs=1e-13)
    assert response.pull(u) == pytest.approx(np.einsum("jnp,n->jp", neuron.gradient(points, x), u), abs=1e-13)


@pytest.mark.parametrize(("dim", "theta"), CASES)
def test_the_neuron_is_c_times_the_neuron_without_its_output_weight(dim, theta):
    neuron, rng = neuron_with("erf", theta, dim), np.random.default_rng(7)
    points, x, axis = rng.normal(size=(6, len(theta))), rng.normal(size=(4, dim)), neuron.output_axis
    if axis is None:
        assert "c" not in theta
    elif theta == ("c",):
        assert neuron.without_output() is None
    else:
        expected = points[:, axis, None] * neuron.without_output().value(np.delete(points, axis, axis=1), x)
        assert neuron.value(points, x) == pytest.approx(expected, rel=1e-14)


def test_a_neuron_says_what_it_is():
    assert repr(Neuron("tanh", ("c", "a1", "a2"), {"b": 0.5}, 2)) == "Neuron(tanh, θ = (c, a1, a2), b = 0.5, 2 inputs)"
    assert Neuron("tanh").axis_names(2) == ("c", "a")


# ---- custom neurons


@pytest.mark.parametrize("wrap", [Wrapped, WrappedWithGradient])
@pytest.mark.parametrize(("dim", "theta"), CASES)
def test_a_custom_neuron_agrees_with_the_built_in_one(wrap, dim, theta):
    rng, neuron = np.random.default_rng(8), neuron_with("tanh", theta, dim)
    points, x, custom = rng.normal(size=(6, len(theta))), rng.normal(size=(4, dim)), as_neuron(wrap(neuron))
    masses, u = rng.uniform(size=6), rng.normal(size=4)
    assert isinstance(custom, CustomNeuron)
    assert np.array_equal(custom.value(points, x), neuron.value(points, x))
    assert custom.gradient(points, x) == pytest.approx(neuron.gradient(points, x), abs=1e-10)
    assert custom.at(points, x).total(masses) == pytest.approx(neuron.at(points, x).total(masses), abs=1e-13)
    assert custom.at(points, x).pull(u) == pytest.approx(neuron.at(points, x).pull(u), abs=1e-9)


def test_a_custom_gradient_is_preferred_to_differences():
    neuron, x, theta = Neuron("tanh"), np.ones((2, 1)), np.array([[0.3, 0.4]])
    assert np.array_equal(CustomNeuron(WrappedWithGradient(neuron)).gradient(theta, x), neuron.gradient(theta, x))


def test_differences_are_of_fourth_order():
    """∂ e^{θ₁θ₂}: halving the step divides the error by 16."""
    theta = np.array([0.5, 0.8])
    exact = np.exp(0.4) * np.array([0.8, 0.5])
    errors = [np.abs(differences(lambda at: np.exp(at[..., 0] * at[..., 1]), theta, step) - exact).max() for step in (0.2, 0.1)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.1)


def test_a_custom_neuron_names_its_axes_or_has_them_named():
    named = Bump()
    named.theta = ("place", "width")
    assert as_neuron(named).axis_names(2) == ("place", "width")
    assert as_neuron(named).axis_names(3) == ("theta1", "theta2", "theta3")
    assert as_neuron(Bump()).axis_names(2) == ("theta1", "theta2")
    assert as_neuron(Bump()).output_axis is None


def test_a_neuron_and_a_wrapped_neuron_pass_through_unchanged():
    neuron, custom = Neuron("tanh"), CustomNeuron(Bump())
    assert as_neuron(neuron) is neuron
    assert as_neuron(custom) is custom


@pytest.mark.parametrize("thing", [None, 3, object(), np.tanh])
def test_a_thing_without_value_is_not_a_neuron(thing):
    with pytest.raises(wgf.InputError, match=r"is not a neuron: it needs a method value\(theta, x\)"):
        as_neuron(thing)


def test_a_custom_value_of_the_wrong_shape_is_refused():
    class Transposed(Bump):
        def value(self, theta, x):
            return super().value(theta, x).T

    with pytest.raises(wgf.InputError, match=r"value gave an array of shape \(3, 5\) for theta \(5, 2\) and x \(3, 1\).*= \(5, 3\)"):
        as_neuron(Transposed()).value(np.ones((5, 2)), np.ones((3, 1)))


def test_a_custom_gradient_of_the_wrong_shape_is_refused():
    class Short(Bump):
        def gradient(self, theta, x):
            return self.value(theta, x)

    with pytest.raises(wgf.InputError, match=r"gradient gave an array of shape \(5, 3\) for theta \(5, 2\) and x \(3, 1\).*= \(5, 3, 2\)"):
        as_neuron(Short()).gradient(np.ones((5, 2)), np.ones((3, 1)))


# ---- messages


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"activation": "than"}, r"unknown activation 'than' \(did you mean 'tanh'\?\); allowed: tanh, sigmoid, erf, relu"),
        ({"activation": np.tanh}, r"unknown activation <ufunc 'tanh'>"),
        ({"dim": 0}, r"the neuron has dim = 0: give a whole number, at least 1"),
        ({"theta": ("c", "w")}, r"unknown axis in theta of a neuron with 1 input\(s\) 'w'; allowed: c, a, b"),
        ({"theta": ("c", "a1")}, r"unknown axis in theta of a neuron with 1 input\(s\) 'a1' \(did you mean 'a'\?\)"),
        ({"theta": ("c", "a"), "dim": 2}, r"axis in theta of a neuron with 2 input\(s\) 'a' .*; allowed: c, a1, a2, b"),
        ({"theta": ()}, r"theta = \[\] must name at least one coordinate"),
        ({"theta": ("c", "a", "c")}, r"theta = \['c', 'a', 'c'\] must name at least one coordinate, and none twice"),
        ({"fixed": {"bias": 0.0}}, r"unknown fixed coordinate of a neuron with 1 input\(s\) 'bias'"),
        ({"fixed": {"b": np.nan}}, r"fixed\.b = nan is not a finite number"),
        ({"fixed": {"c": 1.0}}, r"coordinate 'c' is both free \(in theta\) and fixed"),
        ({"theta": ("c", "b")}, r"input weight 'a' is neither free \(in theta\) nor fixed"),
        ({"theta": ("c", "a1"), "dim": 2}, r"input weight 'a2' is neither free \(in theta\) nor fixed"),
    ],
)
def test_a_neuron_that_cannot_be_says_why(arguments, message):
    with pytest.raises(wgf.InputError, match=message):
        Neuron(**{"activation": "tanh", **arguments})


def test_a_neuron_of_ones_own_is_told_by_its_class_or_as_it_says_itself():
    """Alike in each process, so that runs and sweeps of one problem are known to be so; an object's address is not."""

    class Named(Bump):
        def __repr__(self):
            return "Named(width 2)"

    assert repr(CustomNeuron(Bump())) == "CustomNeuron(Bump)"
    assert repr(CustomNeuron(Named())) == "CustomNeuron(Named(width 2))"
