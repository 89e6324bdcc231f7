"""The predicted fluctuation of m neurons, against the closed form and against neurons."""

import dataclasses

import numpy as np
import pytest
from problems import RIDGE_1D, RIDGE_2D, Ridge, Tanh

import wgf
from wgf.studies.theory import fluctuation as fluctuation_module
from wgf.studies.theory.fluctuation import _Linearised, fluctuations, spread


def test_linear_neurons_fluctuate_as_the_closed_form_says():
    """m(t) − mean is e^{−(S + λ)t} of what it was: m·E‖φ_m − φ‖² = v₀ e^{−2(s + λ)t} s in one dimension."""
    ridge, times = Ridge(), [0.0, 0.3, 1.0]
    s = ridge.second_moment[0, 0]
    expected = [ridge.width[0] ** 2 * np.exp(-2 * (s + ridge.penalty) * t) * s for t in times]
    assert wgf.fluctuation(ridge.problem, times) == pytest.approx(expected, rel=1e-5)


def test_correlated_inputs_too():
    """trace(S e^{−At} V e^{−At}) with A = S + λ and V the initial covariance."""
    rate = RIDGE_2D.second_moment + RIDGE_2D.penalty * np.eye(2)
    values, vectors = np.linalg.eigh(rate)
    decay = vectors @ np.diag(np.exp(-values)) @ vectors.T
    expected = np.trace(RIDGE_2D.second_moment @ decay @ RIDGE_2D.covariance(0.0) @ decay)
    assert wgf.fluctuation(RIDGE_2D.problem, [1.0])[0] == pytest.approx(expected, rel=1e-4)


def test_at_the_start_it_is_the_variance_of_the_draw():
    problem = Tanh(0.1).problem
    limit = wgf.solve(problem, wgf.Characteristics(), until=0.1, save=2)
    assert wgf.fluctuation(problem, [0.0, 0.1])[0] == pytest.approx(spread(limit.measures[0], problem), rel=1e-8)


def test_tanh_neurons_fluctuate_as_predicted():
    """128 clouds of 256 neurons (and, for a sweep has two sizes, of 4): within three standard errors at each time."""
    tanh = Tanh()
    found = wgf.compare(tanh.problem, wgf.FiniteVolume(96, tanh.lower, tanh.upper), 2.0, (4, 256), 128, save=5, seed=5, workers=1)
    measured, error = found.mean_square()[1] * 256, found.standard_error()[1] * 256
    assert (np.abs(measured - wgf.fluctuation(tanh.problem, found.times)) <= 3 * error).all()


def test_the_mean_of_linear_neurons():
    """e^{−2(s + λ)t} of the initial variance."""
    ridge, times = Ridge(), [0.0, 0.5, 1.0]
    rate = ridge.second_moment[0, 0] + ridge.penalty
    expected = ridge.width[0] ** 2 * np.exp(-2 * rate * np.array(times))
    assert wgf.fluctuation(ridge.problem, times, of="mean") == pytest.approx(expected, rel=2e-5)


def test_the_loss_of_linear_neurons():
    """δL = 2(s m − F₁)δm + λ δ∫a²dμ with a = a_0 e^{−λt} + (F₁ − s m-part common to all): computed from the closed form of each neuron.

    A neuron's path is a(t) = m(t) + e^{−λt}(a_0 − m_0), and the mean of m neurons is off by δm = e^{−(s + λ)t}δm_0. With u = a_0 − m_0:
    δ∫a²dμ is 2m δm + e^{−2λt}δ(∫u²) + 2·(nothing, as ∫u dμ = 0 to first order times e^{−λt}…) for u symmetric, so that
    δL = (2(s m − F₁) + 2λm)δm + λe^{−2λt}(u² − v₀), and δm, u² − v₀ are uncorrelated for a Gaussian with variances v₀e^{…}, 2v₀².
    """
    ridge, time = Ridge(), 0.7
    s, penalty, v0 = ridge.second_moment[0, 0], ridge.penalty, ridge.width[0] ** 2
    m, force = ridge.mean(time)[0], ridge.correlation[0]
    expected = 4 * ((s + penalty) * m - force) ** 2 * v0 * np.exp(-2 * (s + penalty) * time)
    expected += penalty**2 * np.exp(-4 * penalty * time) * 2 * v0**2
    assert wgf.fluctuation(ridge.problem, [time], of="loss")[0] == pytest.approx(expected, rel=1e-4)
    with pytest.raises(wgf.InputError, match="unknown fluctuating quantity 'los'"):
        wgf.fluctuation(ridge.problem, [time], of="los")


def random_data(samples=12):
    """A tanh student with two inputs on data without order, θ = (c, a1, a2)."""
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(samples, 2))
    data = wgf.Data(inputs, np.tanh(inputs[:, 0]) + 0.5 * rng.normal(size=samples), rng.random(samples) + 0.2)
    return wgf.Problem(
        wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a1", "a2"), {}, 2), data, 0.1), wgf.Gaussian([0.2, 0.5, 0], [0.4] * 3)
    )


def fluctuations_by_added_mass(problem, rule, time, steps=60, mass=1e-4):
    """The same variances without any linearised equation, for neurons c·tanh⟨a, x⟩ and V = |θ|².

    The influence of a neuron at θ_0 is the derivative of what is computed, by the mass ε that is added to μ_0 there: for every node of the
    rule two flows of all nodes and one more neuron, with ε and −ε, are solved by the Runge–Kutta method, all of them side by side.
    """
    (nodes, weights), data, penalty = rule, problem.energy.data, problem.energy.penalty.strength
    count = len(nodes)
    theta = np.stack([np.concatenate([np.broadcast_to(nodes, (count, *nodes.shape)), nodes[:, None]], axis=1)] * 2)
    masses = np.broadcast_to(np.append(weights, 0.0), (2, count, count + 1)).copy()
    masses[0, :, -1], masses[1, :, -1] = mass, -mass

    def predicted(theta):
        s = np.tanh(theta[..., 1:] @ data.inputs.T)
        return s, ((masses * theta[..., 0])[..., None, :] @ s)[..., 0, :]

    def velocity(theta):
        s, prediction = predicted(theta)
        u = data.weights * (prediction - data.targets)
        slope = theta[..., :1] * (((1 - s**2) * u[..., None, :]) @ data.inputs)
        return -np.concatenate([(s @ u[..., None]), slope], axis=-1) - penalty * theta

    h = time / steps
    for _ in range(steps):
        first = velocity(theta)
        second = velocity(theta + h / 2 * first)
        third = velocity(theta + h / 2 * second)
        theta = theta + h / 6 * (first + 2 * second + 2 * third + velocity(theta + h * third))
    prediction = predicted(theta)[1]
    loss = (prediction - data.targets) ** 2 @ data.weights + penalty * np.sum(masses * np.sum(theta**2, axis=-1), axis=-1)
    found = {"function": prediction * np.sqrt(data.weights), "loss": loss[..., None], "mean": np.sum(masses[..., None] * theta, axis=-2)}
    influences = {name: (values[0] - values[1]) / (2 * mass) for name, values in found.items()}
    return {name: float(weights @ np.sum((rows - weights @ rows) ** 2, axis=1)) for name, rows in influences.items()}


@pytest.mark.parametrize(("problem", "nodes"), [(Tanh(0.1).problem, 9), (random_data(), 4)], ids=["plane", "space"])
def test_influences_are_derivatives_by_added_mass(problem, nodes):
    """On one and the same coarse rule, at t = 2: function, loss and mean."""
    rule = problem.initial.quadrature(nodes)
    expected = fluctuations_by_added_mass(problem, rule, 2.0)
    found = _Linearised(problem.energy, rule, np.array([0.0, 0.7, 2.0]), 16).variances()
    for name, value in expected.items():
        assert found[name][2] == pytest.approx(value, rel=1e-5)


@pytest.fixture(scope="module")
def converged():
    """Every quantity of the tanh student at t = 1 and 3, with more nodes and steps than any tolerance below asks for."""
    problem = Tanh(0.1).problem
    return _Linearised(problem.energy, problem.initial.quadrature(44), np.array([0.0, 1.0, 3.0]), 20).variances()


@pytest.mark.parametrize("tolerance", [1e-1, 1e-2, 1e-3, 1e-5])
@pytest.mark.parametrize("quantity", ["function", "loss", "mean"])
def test_the_accuracy_that_is_asked_for_is_met(converged, quantity, tolerance):
    found = wgf.fluctuation(Tanh(0.1).problem, [1.0, 3.0], of=quantity, tolerance=tolerance)
    assert found == pytest.approx(converged[quantity][1:], rel=tolerance)


def test_coarse_beginnings_end_well(converged):
    """One node on each axis and one step, and they are refined as long as it takes."""
    found = wgf.fluctuation(Tanh(0.1).problem, [1.0, 3.0], nodes=1, steps=1)
    assert found == pytest.approx(converged["function"][1:], rel=1e-3)


def test_early_times_of_a_long_run_are_as_good_as_late_ones():
    """The linear neuron up to t = 40, where everything is over at t = 5: the closed form, at its own size or a millionth of the largest."""
    ridge, times = Ridge(), np.array([0.0, 0.2, 1.0, 5.0, 40.0])
    s = ridge.second_moment[0, 0]
    expected = ridge.width[0] ** 2 * np.exp(-2 * (s + ridge.penalty) * times) * s
    assert wgf.fluctuation(ridge.problem, times) == pytest.approx(expected, rel=1e-3, abs=1e-9 * expected[0])


def test_a_time_of_its_own_or_one_of_many():
    """The tanh student at t = 3: asked for alone, and as the first stop on the way to t = 12."""
    alone = wgf.fluctuation(Tanh(0.1).problem, [3.0], tolerance=1e-4)
    assert wgf.fluctuation(Tanh(0.1).problem, [3.0, 12.0], tolerance=1e-2)[0] == pytest.approx(alone[0], rel=1e-3)


@pytest.mark.long
@pytest.mark.parametrize("quantity", ["function", "loss", "mean"])
def test_three_dimensions_on_random_data(quantity):
    """At t = 1 and 2 within the tolerance of 20³ nodes; ten on each axis were off by one percent."""
    problem = random_data(30)
    expected = _Linearised(problem.energy, problem.initial.quadrature(20), np.array([0.0, 1.0, 2.0]), 16).variances()[quantity]
    assert wgf.fluctuation(problem, [1.0, 2.0], of=quantity) == pytest.approx(expected[1:], rel=1e-3)


def test_what_cannot_be_reached_is_said(monkeypatch):
    """The error that was reached, and by how much effort."""
    monkeypatch.setattr(fluctuation_module, "MOST_NODES", 300)
    with pytest.warns(
        wgf.ResolutionWarning, match=r"relative error of about \S+, not 1e-09: 16 nodes on each axis and \d+ steps are as many"
    ):
        found = fluctuations(Tanh(0.1).problem, [1.0], tolerance=1e-9)
    assert found.error > 1e-9


def test_a_law_of_points_needs_no_other_nodes():
    """The nodes are the points themselves, however many are asked for; two thirds of them at one place."""
    points = np.array([[0.2, 0.5], [0.2, 0.5], [0.9, -0.4]])
    problem = dataclasses.replace(Tanh(0.1).problem, initial=wgf.Samples(points))
    expected = fluctuations_by_added_mass(problem, (points, np.full(3, 1 / 3)), 1.0)
    found = fluctuations(problem, [1.0], tolerance=1e-6)
    assert found.error <= 1e-6
    for name, value in expected.items():
        assert found.values[name] == pytest.approx([value], rel=1e-5)


def test_a_sweep_records_the_error_of_its_prediction():
    found = wgf.compare(RIDGE_1D.problem, wgf.Characteristics(nodes=4), 1.0, (4, 8), 5, save=2, workers=1)
    assert 0 < found.attributes["predicted_error"] <= 1e-2


@pytest.mark.parametrize(
    ("problem", "times", "message"),
    [
        (dataclasses.replace(Tanh().problem, temperature=0.1), [1.0], "for networks without noise"),
        (wgf.Problem(wgf.InteractionEnergy(V=np.sum), wgf.Gaussian([0], [1])), [1.0], "for networks without noise"),
        (Tanh().problem, [0.0], "give times ≥ 0, one of them later than 0"),
        (Tanh().problem, [-1.0, 1.0], "give times ≥ 0"),
    ],
)
def test_what_cannot_be_predicted_is_named(problem, times, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.fluctuation(problem, times)
