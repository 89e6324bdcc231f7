"""Deviation, κ and one gradient step: the powers of t and of the scale, and bounds."""

import numpy as np
import pytest

import wgf

TIGHT = {"rtol": 1e-13, "atol": 1e-15, "solver": "DOP853"}
DATA = wgf.Data.quadrature(lambda x: np.sin(2 * x), nodes=20)
TANH = wgf.Neuron("tanh", ("c", "a"))
PROBLEM = wgf.Problem(wgf.RegressionEnergy(TANH, DATA), wgf.Uniform([-1.0, -1.0], [1.0, 1.0]))
M = 20


def slope(x, y):
    return np.polyfit(np.log(x), np.log(y), 1)[0]


def measured(scale, centred, times, seed=1, problem=PROBLEM):
    """The laziness of M neurons at these times."""
    run = wgf.solve(problem, wgf.Particles(M, seed=seed, scale=scale, centred=centred, **TIGHT), times[-1], list(times))
    return wgf.laziness(problem, run)


@pytest.mark.parametrize(("centred", "power", "width"), [("subtracted", 2, 0.05), ("pairs", 3, 0.05)])
@pytest.mark.parametrize(("scale", "end"), [("m^-1", 0.005), ("m^-0.5", 0.05), (2.0, 0.05)])
def test_the_deviation_begins_as_a_power_of_time(scale, end, centred, power, width):
    found = measured(scale, centred, np.geomspace(0.2 * end, end, 4))
    assert slope(found.times[1:], found.deviation[1:]) == pytest.approx(power, abs=width)


@pytest.mark.parametrize(("centred", "power", "width"), [("subtracted", -1, 0.03), ("pairs", -2, 0.05)])
def test_the_deviation_falls_as_a_power_of_the_scale(centred, power, width):
    scales = [10.0, 30.0, 100.0, 300.0]
    found = [measured(scale, centred, [1.0]) for scale in scales]
    assert slope(scales, [each.deviation[-1] for each in found]) == pytest.approx(power, abs=width)
    assert slope(scales, [each.relative_scale for each in found]) == pytest.approx(-1, abs=0.03)


def test_the_deviation_is_a_bounded_part_of_t_squared_kappa():
    """Over three decades of the scale, at small times and at one."""
    ratios = []
    for scale in (0.1, 1.0, 10.0, 100.0):
        found = measured(scale, "subtracted", [0.03, 0.1, 0.3, 1.0])
        ratios.append((found.deviation / np.where(found.times > 0, found.bound, np.inf))[1:])
    print(f"deviation/(t²κ) from {np.min(ratios):.3g} to {np.max(ratios):.3g}")
    assert np.max(ratios) < 2e-3
    assert np.ptp(np.log(np.array(ratios)[:, 0])) < 0.2  # at the first time one constant for all scales


@pytest.mark.parametrize(
    ("neuron", "degree"),
    [
        (wgf.Neuron("relu", ("c", "a", "b")), 2),
        (wgf.Neuron("relu", ("a", "b"), {"c": 1.0}), 1),
        (wgf.Neuron("identity", ("c", "a")), 2),
    ],
)
def test_kappa_of_homogeneous_neurons_falls_with_their_size(neuron, degree):
    """κ(λθ₀) ~ λ^{−r}, of networks that are zero at the start."""
    start = wgf.Particles(M, seed=2, centred="pairs" if "c" in neuron.theta else None)
    law = wgf.Gaussian([0.0] * len(neuron.theta), [1.0] * len(neuron.theta))
    theta = start.bind(wgf.Problem(wgf.RegressionEnergy(neuron, DATA), law), 1.0).start().array
    kappas = []
    sizes = [3.0, 10.0, 30.0]
    for size in sizes:
        network = wgf.Network(neuron, size * theta)
        data = DATA if "c" in neuron.theta else wgf.Data(DATA.inputs, DATA.targets + network.predict(DATA.inputs), DATA.weights)
        kappas.append(network.relative_scale(data))
    if degree == 1:
        assert kappas == [0.0] * 3  # positively homogeneous of degree one in (a, b) with c fixed: linear between its kinks
    else:
        assert slope(sizes, kappas) == pytest.approx(-degree, abs=0.03)


@pytest.mark.parametrize("scale", ["m^-1", "m^-0.5", 3.0])
def test_one_gradient_step_changes_what_its_derivative_says(scale):
    network = wgf.Network(TANH, np.random.default_rng(0).uniform(-1, 1, (M, 2)), scale)
    small, large = wgf.step_change(network, DATA, 1e-5), wgf.step_change(network, DATA, 0.5)
    assert small.loss == pytest.approx(small.loss_first_order, rel=1e-4)
    assert small.differential == pytest.approx(small.differential_first_order, rel=1e-3)
    for each in (small, large):
        assert abs(each.loss_first_order) <= each.loss_bound * (1 + 1e-12)
        assert each.differential_first_order <= each.differential_bound * (1 + 1e-12)
    assert small.differential_bound / small.loss_bound == pytest.approx(0.5 * network.relative_scale(DATA), rel=1e-12)


@pytest.mark.parametrize("centred", [None, "pairs", "subtracted"])
def test_networks_that_are_linear_in_their_parameters_are_their_tangent_models(centred):
    """Where c alone is free, the deviation is rounding, with a penalty too; and κ is zero."""
    neuron = wgf.Neuron("tanh", ("c",), {"a": 1.5, "b": 0.3})
    problem = wgf.Problem(wgf.RegressionEnergy(neuron, DATA, 0.7), wgf.Uniform([-1.0], [2.0]))
    found = measured(0.3, centred, [1.0, 5.0], problem=problem)
    assert found.deviation == pytest.approx(np.zeros(3), abs=1e-11)
    assert found.relative_scale == 0.0
    assert found.kernel_change == pytest.approx(np.zeros(3), abs=1e-13)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wgf.laziness(PROBLEM, wgf.solve(PROBLEM, wgf.Characteristics(4), 0.1, 2)), "is not a run of neurons"),
        (
            lambda: wgf.laziness(
                wgf.Problem(wgf.RegressionEnergy(TANH, DATA, (0.1, lambda theta: theta[..., 0] ** 4)), PROBLEM.initial),
                wgf.solve(PROBLEM, wgf.Particles(4), 0.1, 2),
            ),
            "knows the penalty",
        ),
        (lambda: wgf.step_change(wgf.Network(TANH, [[1.0, 1.0]]), DATA, 0.0), "the gradient step = 0: it must be a positive number"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_line(call, message):
    with pytest.raises(wgf.InputError, match=message):
        call()
