"""The energy: loss, potential and velocity against their definitions, differences and the exact ridge problem; messages."""

import dataclasses
import re
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from problems import RIDGE_1D, RIDGE_2D

import wgf
from wgf.networks.activations import ACTIVATIONS
from wgf.networks.derivatives import differences
from wgf.problems import regression as energy_module
from wgf.problems.regression import Penalty, blocks
from wgf.ranks.team import Team

DATA = wgf.Data(np.linspace(-1, 1.3, 7), np.sin(3 * np.linspace(-1, 1.3, 7)), np.arange(1, 8))
DATA_2D = wgf.Data.quadrature(lambda x: x[:, 0] * x[:, 1] + x[:, 0], [-1, -1], [1, 1.5], nodes=3)


def quartic(theta):
    """A penalty that treats no two coordinates alike."""
    return np.sum(theta**4 * np.arange(1, theta.shape[-1] + 1), axis=-1) + theta[..., 0]


class Bump:
    """A custom neuron of a place and a width: g(θ; x) = e^{−(x − θ₁)²θ₂²}."""

    def value(self, theta, x):
        return np.exp(-((x[:, 0] - theta[..., :1]) ** 2) * theta[..., 1:] ** 2)


PENALTIES = {"no penalty": 0.0, "λ|θ|²": 0.3, "λV": (0.3, quartic)}
NEURONS = {
    **{f"{name} of (c, a)": wgf.Neuron(name) for name in ACTIVATIONS},
    "tanh of (a, c, b)": wgf.Neuron("tanh", ("a", "c", "b")),
    "tanh of c": wgf.Neuron("tanh", ("c",), {"a": 0.8}),
    "cosine of (a2, c, a1)": wgf.Neuron("cosine", ("a2", "c", "a1"), dim=2),
    "custom": Bump(),
}
each_penalty = pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
each_neuron = pytest.mark.parametrize("neuron", NEURONS.values(), ids=NEURONS)
each_ridge = pytest.mark.parametrize("ridge", [RIDGE_1D, RIDGE_2D], ids=["1 axis", "2 axes"])


def setting(neuron, penalty, m=5, seed=8):
    """An energy, and a cloud of m points with unequal masses of sum about one."""
    energy = wgf.RegressionEnergy(neuron, DATA_2D if getattr(neuron, "dim", 1) == 2 else DATA, penalty)
    rng, p = np.random.default_rng(seed), len(getattr(neuron, "theta", (1, 2)))
    return energy, wgf.Cloud(rng.normal(size=(m, p)), rng.uniform(0.5, 1.5, m) / m, energy.neuron)


# ---- definitions


@each_penalty
@each_neuron
def test_the_loss_is_the_misfit_and_the_penalty(neuron, penalty):
    """L = Σ_i w_i (Σ_j masses_j g(θ_j; x_i) − y_i)² + λ Σ_j masses_j V(θ_j), by loops."""
    energy, cloud = setting(neuron, penalty)
    strength, function = (penalty, lambda theta: np.sum(theta**2)) if np.isscalar(penalty) else penalty
    total, data = 0.0, energy.data
    for x, w, y in zip(data.inputs, data.weights, data.targets, strict=True):
        phi = sum(mass * energy.neuron.value(theta, x[None])[0] for theta, mass in zip(cloud.points, cloud.masses, strict=True))
        total += w * (phi - y) ** 2
    for theta, mass in zip(cloud.points, cloud.masses, strict=True):
        total += strength * mass * function(theta)
    assert energy.loss(cloud) == pytest.approx(total, rel=1e-12)
    assert energy.velocity(cloud.points, cloud.masses)[1] == pytest.approx(total, rel=1e-12)


@each_penalty
@each_neuron
def test_the_potential_is_half_the_first_variation_of_the_loss(neuron, penalty):
    """G(θ; μ) = ½ d/dε L[μ + ε δ_θ] at ε = 0; L is quadratic in ε, so that a difference of three is exact."""
    energy, cloud = setting(neuron, penalty)
    theta = np.random.default_rng(2).normal(size=(4, cloud.points.shape[1]))

    def loss_with(point, mass):
        return energy.loss(wgf.Cloud(np.vstack([cloud.positions, point]), np.append(cloud.weights, mass)))

    expected = [0.5 * (4 * loss_with(point, 0.5) - loss_with(point, 1.0) - 3 * loss_with(point, 0.0)) for point in theta]
    assert energy.potential(theta, cloud) == pytest.approx(expected, abs=1e-11)


@each_penalty
@each_neuron
def test_the_velocity_is_minus_half_the_gradient_of_the_loss_over_the_mass(neuron, penalty):
    """−∇G(θ_j) = −∇_{θ_j} L / (2 mass_j): −(m/2)∇_{θ_j} L where all masses are 1/m."""
    energy, cloud = setting(neuron, penalty)
    shape = cloud.points.shape
    flat = differences(lambda at: np.array(energy.loss(wgf.Cloud(at.reshape(shape), cloud.weights))), cloud.positions.ravel())
    velocity, _ = energy.velocity(cloud.points, cloud.masses)
    assert velocity == pytest.approx(-flat.reshape(shape) / (2 * cloud.masses[:, None]), abs=1e-8)


@each_penalty
@each_neuron
def test_the_velocity_is_minus_the_gradient_of_the_potential(neuron, penalty):
    energy, cloud = setting(neuron, penalty)
    velocity, _ = energy.velocity(cloud.points, cloud.masses)
    assert velocity == pytest.approx(-differences(lambda at: energy.potential(at, cloud), cloud.positions), abs=1e-9)


@each_neuron
def test_the_energy_predicts_what_the_measure_predicts(neuron):
    energy, cloud = setting(neuron, 0.0)
    assert energy.predict(cloud) == pytest.approx(cloud.predict(energy.data.inputs), rel=1e-12)


def test_a_density_has_the_loss_of_its_cells():
    energy, _ = setting(wgf.Neuron("tanh"), 0.3)
    grid = wgf.Grid([-1, -1], [1, 2], (4, 3))
    density = wgf.Density(grid, np.random.default_rng(1).uniform(size=grid.shape))
    assert energy.loss(density) == pytest.approx(energy.loss(wgf.Cloud(density.points, density.masses)), rel=1e-14)


# ---- the exact ridge problem


@each_ridge
@pytest.mark.parametrize("t", [0.0, 0.7, 3.0])
def test_the_ridge_problem_has_its_exact_loss_potential_and_velocity(ridge, t):
    """Gauss–Hermite with four nodes integrates the quadratics of this problem exactly."""
    energy, (points, masses) = ridge.problem.energy, ridge.law(t).quadrature(4)
    cloud = wgf.Cloud(points, masses)
    velocity, loss = energy.velocity(points, masses)
    assert loss == pytest.approx(ridge.loss(t), rel=1e-12)
    assert velocity == pytest.approx(ridge.velocity(points, t), abs=1e-12)
    assert energy.predict(cloud) == pytest.approx(ridge.prediction(t), abs=1e-12)
    assert energy.potential(points, cloud) == pytest.approx(ridge.potential(points, t), abs=1e-12)
    assert cloud.covariance == pytest.approx(ridge.covariance(t), abs=1e-13)


@each_ridge
def test_the_exact_ridge_solution_moves_with_its_velocity(ridge):
    """The rate m' is the velocity at the mean, and std' = −λ std; the loss falls as −2∫|∇G|² dμ."""
    t = 0.7
    change = differences(lambda at: np.array([*ridge.mean(at[0]), *ridge.std(at[0]), ridge.loss(at[0])]), np.array([t]))[:, 0]
    points, masses = ridge.law(t).quadrature(4)
    dissipation = 2 * masses @ np.sum(ridge.velocity(points, t) ** 2, axis=1)
    assert change == pytest.approx([*ridge.velocity(ridge.mean(t), t), *(-ridge.penalty * ridge.std(t)), -dissipation], abs=1e-10)


@each_ridge
def test_the_ridge_box_holds_the_law_at_all_times(ridge):
    grid = wgf.Grid(*ridge.box, 64)
    for t in (0.0, 0.5, 2.0, 5.0):
        assert wgf.Density(grid, ridge.law(t).cell_averages(grid)).mass == pytest.approx(1, abs=1e-13)


# ---- blocks and threads

MANY = wgf.Neuron("tanh", ("c", "a", "b"))


@pytest.fixture(params=["kept", "computed twice"])
def many(request, monkeypatch):
    """5000 points: several blocks, with the responses kept between the two passes or not."""
    if request.param == "computed twice":
        monkeypatch.setattr(energy_module, "KEPT_ENTRIES", 0)
    energy, cloud = setting(MANY, (0.3, quartic), m=5000)
    return wgf.RegressionEnergy(MANY, wgf.Data.quadrature(np.sin, -1, 1, 40), energy.penalty), cloud


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_velocity_is_the_same_to_the_last_bit_for_any_number_of_threads(many, threads):
    energy, cloud = many
    alone = energy.velocity(cloud.points, cloud.masses)
    with ThreadPoolExecutor(threads) as pool:
        shared = energy.velocity(cloud.points, cloud.masses, Team(pool=pool))
    assert np.array_equal(shared[0], alone[0])
    assert shared[1] == alone[1]


@pytest.mark.parametrize("block", [400, 1000, 10**7])
def test_the_velocity_does_not_depend_on_the_blocks(many, block, monkeypatch):
    energy, cloud = many
    velocity, loss = energy.velocity(cloud.points, cloud.masses)
    prediction = energy.predict(cloud)
    monkeypatch.setattr(energy_module, "BLOCK", block)
    again, loss_again = energy.velocity(cloud.points, cloud.masses)
    assert again == pytest.approx(velocity, abs=1e-12)
    assert loss_again == pytest.approx(loss, rel=1e-12)
    assert energy.predict(cloud) == pytest.approx(prediction, abs=1e-13)


def test_responses_are_computed_once_where_they_are_kept(many, monkeypatch):
    energy, cloud = many
    seen, respond = [], wgf.Neuron.at
    monkeypatch.setattr(wgf.Neuron, "at", lambda self, theta, x: seen.append(len(theta)) or respond(self, theta, x))
    energy.velocity(cloud.points, cloud.masses)
    assert sum(seen) == 5000 * (1 if energy_module.KEPT_ENTRIES else 2)
    assert len(seen) > 2


@pytest.mark.parametrize(("points", "samples"), [(1, 1), (5000, 40), (10, 10**6), (2**15, 1), (2**15 + 1, 1)])
def test_blocks_cover_all_points_once(points, samples):
    parts = blocks(points, samples)
    assert [k for part in parts for k in range(points)[part]] == list(range(points))
    assert all((part.stop - part.start) * samples <= max(samples, energy_module.BLOCK) for part in parts)


# ---- penalties, and what an energy is


@pytest.mark.parametrize("function", [None, quartic], ids=["|θ|²", "V"])
def test_the_gradient_of_the_penalty_agrees_with_differences(function):
    penalty, theta = Penalty(0.3, function), np.random.default_rng(3).normal(size=(6, 3))
    assert penalty.gradient(theta) == pytest.approx(differences(penalty.value, theta), abs=1e-9)
    assert penalty.value(theta) == pytest.approx(np.sum(theta**2, axis=1) if function is None else quartic(theta))


def test_a_number_is_the_strength_of_the_squared_norm():
    data = wgf.Data([0.0, 1.0], [0.0, 1.0])
    assert wgf.RegressionEnergy(MANY, data, 2).penalty == Penalty(2.0)
    assert wgf.RegressionEnergy(MANY, data, (2, quartic)).penalty == Penalty(2.0, quartic)
    assert wgf.RegressionEnergy(MANY, data).penalty == Penalty(0.0)


def test_an_energy_says_what_it_is():
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh"), DATA, 0.1)
    assert repr(energy) == "RegressionEnergy(Neuron(tanh, θ = (c, a), 1 input), Data(7 samples, 1 input), λ = 0.1)"
    assert repr(wgf.RegressionEnergy(wgf.Neuron("tanh"), DATA)).endswith("Data(7 samples, 1 input))")


# ---- messages


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((wgf.Neuron("tanh"), DATA, -0.1), r"the penalty has strength = -0\.1: it must be a number ≥ 0"),
        ((wgf.Neuron("tanh"), DATA, np.nan), r"the penalty has strength = nan"),
        ((wgf.Neuron("tanh"), DATA, (-1, quartic)), r"the penalty has strength = -1"),
        ((wgf.Neuron("tanh"), DATA, None), r"penalty = None: give a number λ, or a pair \(λ, V\) with a function V"),
        ((wgf.Neuron("tanh"), DATA, "strong"), r"penalty = 'strong': give a number λ, or a pair"),
        ((wgf.Neuron("tanh"), DATA, quartic), r"penalty = the function quartic: give a number λ, or a pair"),
        ((wgf.Neuron("tanh"), DATA, (1.0, "V")), r"penalty = \(1\.0, 'V'\): give a number λ, or a pair"),
        ((wgf.Neuron("tanh"), DATA, (1.0, quartic, 2)), r"penalty = a tuple: give a number λ, or a pair"),
        ((wgf.Neuron("tanh", ("c", "a1", "a2"), dim=2), DATA), r"the neuron has 2 input\(s\) \(dim\) but the data have 1"),
        ((wgf.Neuron("tanh"), DATA_2D), r"the neuron has 1 input\(s\) \(dim\) but the data have 2"),
        ((wgf.Neuron("tanh"), ([0, 1], [0, 1])), r"data = .* is a tuple: give a wgf\.Data \(from arrays: wgf\.Data\(inputs, targets\)\)"),
        (("tanh", DATA), r"'tanh' is not a neuron: it needs a method value\(theta, x\)"),
    ],
)
def test_an_energy_that_cannot_be_says_why(arguments, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.RegressionEnergy(*arguments)


def test_a_penalty_of_the_wrong_shape_is_refused():
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh"), DATA, (1.0, lambda theta: theta))
    with pytest.raises(wgf.InputError, match=r"the penalty V gave shape \(12, 2\) for theta \(12, 2\); expected \(12,\)"):
        energy.on(wgf.Grid([0, 0], [1, 1], (3, 4)))


@pytest.mark.parametrize(
    ("theta", "law", "message"),
    [
        (("c", "a"), wgf.Gaussian([0] * 3, [1] * 3), r"theta has 2 coordinates \(c, a\) but the initial law has 3"),
        (("a",), wgf.Ball([0, 0], 1), r"theta has 1 coordinate \(a\) but the initial law has 2"),
        (("c", "a", "b"), wgf.Product([wgf.Gaussian(0, 1)] * 2), r"theta has 3 coordinates \(c, a, b\) but the initial law has 2"),
    ],
)
def test_a_law_of_another_dimension_than_theta_is_refused(theta, law, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta), DATA), law)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": [0, 0.1]}, r"temperature = \[0, 0.1\]: it must be a number ≥ 0"),
        ({"temperature": "0.1"}, r"temperature = '0.1': it must be a number ≥ 0"),
        ({"temperature": None}, r"temperature = None: it must be a number ≥ 0"),
        ({"growth": 1j}, r"growth = 1j: it must be a number ≥ 0"),
    ],
)
def test_what_is_no_number_is_refused(options, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), DATA), wgf.Gaussian([0, 0], [1, 1]), **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wgf.Entropy("0.1"), r"entropy: τ = '0.1': it must be a positive number"),
        (lambda: wgf.PorousMedium([1, 2], 2), r"porous medium: κ = \[1, 2\]: it must be a positive number"),
        (lambda: wgf.Penalty("a"), r"the penalty has strength = 'a': it must be a number ≥ 0"),
        (lambda: wgf.FiniteVolume(8, dt="0.1"), r"dt = '0.1': it must be a positive number"),
        (lambda: wgf.JKO(8, dt=[0.1]), r"jko: dt = \[0.1\]: it must be a positive number"),
        (lambda: wgf.JKO(8, epsilon="a"), r"jko: epsilon = 'a': it must be a positive number"),
        (lambda: wgf.Particles(8, step="a"), r"particles: step = 'a': it must be a positive number"),
        (lambda: wgf.Characteristics(rtol="a"), r"characteristics: rtol = 'a': it must be a positive number"),
    ],
)
def test_other_numbers_are_looked_at_alike(make, message):
    with pytest.raises(wgf.InputError, match=message):
        make()


@pytest.mark.parametrize("temperature", [-1.0, np.nan, np.inf])
def test_a_temperature_below_zero_is_refused(temperature):
    with pytest.raises(wgf.InputError, match=rf"temperature = {temperature:g}: it must be a number ≥ 0"):
        wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), DATA), wgf.Gaussian([0, 0], [1, 1]), temperature)


@pytest.mark.parametrize("value", [[0, 0.1], [0.1], "0.1", None, 0.1j, np.array([0.0, 0.1]), True])
def test_what_is_not_one_number_is_no_temperature(value):
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), DATA), wgf.Gaussian([0, 0], [1, 1]), np.array(0.1))
    assert problem.noise == 0.1
    for name in ("temperature", "growth"):
        with pytest.raises(wgf.InputError, match=re.escape(f"{name} = {value!r}: it must be a number ≥ 0")):
            dataclasses.replace(problem, **{name: value})
    with pytest.raises(wgf.InputError, match=r"entropy: τ = .*: it must be a positive number"):
        wgf.Entropy(value)


@pytest.mark.parametrize("title", ["a\0b", "\x1b[31m", "\ud800", 5, None])
def test_a_title_is_a_text_that_files_take(title):
    with pytest.raises(wgf.InputError, match=r"title = .*: give a text without control characters"):
        wgf.Problem(wgf.InteractionEnergy(V=lambda x: x[..., 0]), wgf.Gaussian(0, 1), title=title)


@pytest.mark.parametrize(
    ("initial", "what"),
    [
        (None, "such as wgf.Gaussian"),
        ([0.0, 1.0], "such as wgf.Gaussian"),
        (wgf.Cloud([0.0], [1.0]), r"take wgf.Samples\(measure.positions\)"),
    ],
)
def test_what_is_no_law_is_no_start(initial, what):
    with pytest.raises(wgf.InputError, match=f"initial = .*: give a law or a density.*{what}"):
        wgf.Problem(wgf.InteractionEnergy(V=lambda x: x[..., 0]), initial)


def test_a_temperature_is_kept_as_a_float():
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda x: x[..., 0]), wgf.Gaussian(0, 1), temperature=Fraction(1, 4))
    assert isinstance(problem.temperature, float)
    assert "τ = 0.25" in repr(problem)
