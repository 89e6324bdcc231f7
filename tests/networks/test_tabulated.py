"""Neurons that are read from a table: beside the neuron itself, as one energy, and as a function of where the neurons are alone."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from problems import Tanh

import wgf
from wgf.networks.activations import ACTIVATIONS
from wgf.networks.scaling import ScaledNeuron
from wgf.networks.tabulated import FEWEST, TOLERANCE, TabulatedNeuron, tabulated, widest
from wgf.ranks.team import Team

SMOOTH = [name for name, sigma in ACTIVATIONS.items() if not sigma.kinks]
X = np.linspace(-1.5, 2.0, 23)[:, None]
RNG = np.random.default_rng(3)
MANY = 4 * FEWEST


def drawn(neuron, spread=1.0, m=MANY):
    return spread * np.random.default_rng(1).normal(size=(m, len(neuron.theta)))


@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize(
    ("theta", "fixed", "dim"),
    [
        (("c", "a"), {}, 1),
        (("a", "c"), {"b": 0.4}, 1),
        (("b", "c"), {"a": 1.7}, 1),
        (("a",), {"c": -2.0}, 1),
        (("c", "a2"), {"a1": 0.3, "b": -1.0}, 2),
    ],
)
def test_a_table_gives_the_network_and_its_gradient(activation, theta, fixed, dim):
    """Beside NumPy's neuron: twice the tolerance of a piece for slopes, as u·x̃ adds up to no more than one."""
    neuron, x = wgf.Neuron(activation, theta, fixed, dim), np.tile(X, dim)
    points, masses, u = drawn(neuron), RNG.random(MANY) / MANY, RNG.normal(size=len(X))
    u /= np.abs(u).sum() * 2
    response = tabulated(neuron, x).at(points, x)
    assert type(response).__name__ == "_TabulatedResponse"
    size = np.abs(neuron.value(points, x)).max() + np.abs(neuron.gradient(points, x)).max()
    assert response.total(masses) == pytest.approx(masses @ neuron.value(points, x), abs=2 * TOLERANCE * size)
    assert response.pull(u) == pytest.approx(np.einsum("mnp,n->mp", neuron.gradient(points, x), u), abs=2 * TOLERANCE * size)


def test_moments_and_velocities_are_those_of_one_neuron():
    """⟨Σ_j m_j g(θ_j), u⟩ has the gradient m_j pull_j to rounding of differences, though the piece itself is coarse."""
    neuron = tabulated(wgf.Neuron("tanh"), X)
    points, masses, u = drawn(neuron), RNG.random(MANY), RNG.normal(size=len(X))
    direction, step = RNG.normal(size=points.shape), 1e-4
    ahead, behind = (neuron.at(points + sign * step * direction, X).total(masses) @ u for sign in (1, -1))
    along = np.sum(masses[:, None] * neuron.at(points, X).pull(u) * direction)
    assert (ahead - behind) / (2 * step) == pytest.approx(along, rel=1e-6)


@pytest.mark.parametrize("name", SMOOTH)
def test_every_smooth_activation_has_a_table(name):
    assert widest(ACTIVATIONS[name]) >= 0.125


def test_what_is_not_smooth_or_has_two_arguments_is_evaluated_as_it_is():
    bend = wgf.Activation(
        "bend",
        lambda z: np.maximum(z, 0.0) ** 2,
        lambda z, s: 2 * np.maximum(z, 0.0),
        lambda z: 2.0 * (z > 0.0),
        formula=lambda z, exp, expm1: (0.0 if z < 0.0 else z * z, 0.0 if z < 0.0 else 2.0 * z),
    )
    assert widest(bend) == 0.0
    assert tabulated(wgf.Neuron(bend), X).at(drawn(wgf.Neuron(bend)), X).total(np.ones(MANY)) == pytest.approx(
        np.sum(wgf.Neuron(bend).value(drawn(wgf.Neuron(bend)), X), axis=0), rel=1e-12
    )
    for neuron in (
        wgf.Neuron("relu"),
        wgf.Neuron("tanh", ("c", "a", "b")),
        wgf.Neuron("tanh", "c", {"a": 1.0}),
        wgf.Neuron("tanh", ("a", "b")),
    ):
        assert tabulated(neuron, X) is neuron


def test_a_scaled_neuron_reads_the_table_of_its_own():
    neuron, points = wgf.Neuron("tanh"), drawn(wgf.Neuron("tanh"))
    scaled = ScaledNeuron(neuron, 3.0, points[:50])
    found = tabulated(scaled, X).at(points, X)
    assert isinstance(tabulated(scaled, X).neuron, TabulatedNeuron)
    assert found.total(np.ones(MANY)) == pytest.approx(np.sum(scaled.value(points, X), axis=0), abs=1e-8)
    assert found.pull(np.ones(len(X))) == pytest.approx(np.sum(scaled.gradient(points, X), axis=1), abs=1e-9)


@pytest.mark.parametrize("where", [np.nan, np.inf, -np.inf, 1e5, 1e300])
def test_a_neuron_far_out_does_not_need_a_table(where):
    """One of them would ask for a million pieces; NaN is nowhere. All of them are then what they are without a table."""
    neuron, points = wgf.Neuron("tanh"), drawn(wgf.Neuron("tanh"))
    points[7, 1] = where
    with np.errstate(invalid="ignore"):
        found, plain = (which.at(points, X).total(np.ones(MANY)) for which in (tabulated(neuron, X), neuron))
    assert np.array_equal(found, plain, equal_nan=True)


def test_what_comes_of_neurons_does_not_depend_on_where_others_were():
    """To the last bit: from a table that has grown on both sides, has begun anew far away, or has not been used."""
    neuron = wgf.Neuron("tanh")
    points, masses, u = drawn(neuron, 0.5), RNG.random(MANY), RNG.normal(size=len(X))
    fresh = tabulated(neuron, X).at(points, X)
    used = tabulated(neuron, X)
    for shift in (1e6, 0.3, -20.0, 15.0):
        used.at(points + np.array([0.0, shift]), X).total(masses)
    again = used.at(points, X)
    assert np.array_equal(again.total(masses), fresh.total(masses))
    assert np.array_equal(again.pull(u), fresh.pull(u))


def test_a_table_does_not_serve_other_data():
    """Of the same shape: a batch, say."""
    neuron, points = wgf.Neuron("tanh"), drawn(wgf.Neuron("tanh"))
    assert tabulated(neuron, X).at(points, X + 1.0).total(np.ones(MANY)) == pytest.approx(
        np.sum(neuron.value(points, X + 1.0), axis=0), rel=1e-12
    )


def test_velocities_from_a_table_are_the_same_for_any_number_of_threads():
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh"), wgf.Data.quadrature(np.sin, -1, 1, 40)).tabulated()
    points, masses = drawn(energy.neuron, m=50_000), np.full(50_000, 1 / 50_000)
    alone = energy.velocity(points, masses)
    for threads in (2, 5):
        with ThreadPoolExecutor(threads) as pool:
            shared = energy.velocity(points, masses, Team(pool=pool))
        assert np.array_equal(shared[0], alone[0])
        assert shared[1] == alone[1]


@pytest.mark.parametrize(
    "method", [wgf.Particles(3000, seed=1, rtol=1e-10, atol=1e-12), wgf.Particles(3000, seed=1, step=0.05), wgf.Characteristics(40)]
)
def test_trajectories_are_those_of_neurons_evaluated_directly(method, monkeypatch):
    """To 1e-9 at t = 5, where the solver's tolerance is below that; the frames show the neuron of the problem."""
    problem = Tanh().problem
    run = wgf.solve(problem, method, until=5.0, save=2)
    monkeypatch.setattr(wgf.RegressionEnergy, "tabulated", lambda self: self)
    direct = wgf.solve(problem, method, until=5.0, save=2)
    assert run.measures[-1].points == pytest.approx(direct.measures[-1].points, abs=1e-9)
    assert run.loss == pytest.approx(direct.loss, rel=1e-9)
    assert run.prediction[-1] == pytest.approx(direct.prediction[-1], abs=1e-10)
    assert type(run.measures[-1].neuron) is wgf.Neuron
