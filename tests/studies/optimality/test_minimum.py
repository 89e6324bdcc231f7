"""The least loss: against non-negative least squares and quadratic programs on many atoms, and its own bound."""

from __future__ import annotations

import numpy as np
import pytest
from optima import BOX, PROBLEMS, least_on_atoms

import wgf
from wgf.studies.optimality.atoms import Atoms, fewest


def rank_of(problem: wgf.Problem) -> int:
    points = np.random.default_rng(0).uniform(*BOX, (5000, problem.dim))
    return int(problem.energy.at(points, 1e-12).rank)


@pytest.fixture(scope="module", params=PROBLEMS)
def solved(request):
    problem = PROBLEMS[request.param]
    return problem, wgf.global_minimum(problem, *BOX)


def test_the_gap_is_small_and_atoms_are_few(solved):
    problem, found = solved
    assert 0 <= found.gap <= 1e-10
    assert found.loss - 1e-7 <= found.bound <= found.loss + 1e-12
    assert len(found.measure.weights) <= rank_of(problem) + 1
    assert found.measure.mass == pytest.approx(1, abs=1e-12)
    assert (found.measure.points >= BOX[0]).all()
    assert (found.measure.points <= BOX[1]).all()
    assert found.loss == pytest.approx(problem.energy.loss(found.measure), abs=1e-13)
    assert found.prediction == pytest.approx(problem.energy.predict(found.measure), abs=1e-12)


def test_no_neuron_is_wanted_at_the_minimum(solved):
    """The conditions of optimality, at random places: G ≥ ∫G dμ, which is G on the support."""
    problem, found = solved
    level = problem.energy.potential(found.measure.points, found.measure)
    assert np.ptp(level) < 1e-6
    random = np.random.default_rng(1).uniform(*BOX, (200_000, problem.dim))
    u = problem.energy.residual(found.measure)
    values = np.concatenate([problem.energy.neuron.value(part, problem.energy.data.inputs) @ u for part in np.array_split(random, 40)])
    values += 0.5 * problem.energy.penalty.strength * np.sum(random**2, axis=1)
    assert values.min() >= level.min() - 1e-7


def test_against_least_squares_on_many_atoms(solved):
    problem, found = solved
    least = least_on_atoms(problem, found.measure.points, 20_000)
    assert found.loss <= least + 1e-11
    assert found.loss == pytest.approx(least, abs=1e-5)


@pytest.mark.long
def test_against_least_squares_on_a_million_atoms(solved):
    problem, found = solved
    least = least_on_atoms(problem, found.measure.points, 1_000_000)
    print(f"{problem.energy.neuron!r}: {found.loss:.12g}, on atoms {least - found.loss:+.1e}")
    assert -1e-10 <= least - found.loss <= 1e-8


def test_what_can_be_fitted_has_loss_zero():
    teacher = wgf.Teacher("tanh", [{"c": 1.0, "a": 2.0}, {"c": 0.5, "a": 1.0}])
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), wgf.Data.quadrature(teacher))
    problem = wgf.Problem(energy, wgf.Gaussian(0.0, 1.0))
    found = wgf.global_minimum(problem, -4, 4)
    assert found.loss < 1e-10
    assert found.gap < 1e-10


def test_a_linear_neuron_with_ridge_over_all_weights():
    """The best law is a point: min_a E(y − ax)² + λa² = E y² − (E xy)²/(E x² + λ)."""
    data = wgf.Data.quadrature(lambda x: np.sin(2 * x) + 0.3, lower=-1, upper=2)
    energy = wgf.RegressionEnergy(wgf.Neuron("identity", ("a",)), data, 0.3)
    found = wgf.global_minimum(wgf.Problem(energy, wgf.Gaussian(0.0, 1.0)))
    x, y, w = data.inputs[:, 0], data.targets, data.weights
    assert found.loss == pytest.approx(w @ y**2 - (w @ (x * y)) ** 2 / (w @ x**2 + 0.3), abs=1e-12)
    assert found.measure.points[0, 0] == pytest.approx(w @ (x * y) / (w @ x**2 + 0.3), abs=1e-7)


class Bump:
    """A neuron of one's own: exp(−(x − θ)²)."""

    theta = ("centre",)

    def value(self, theta, x):
        return np.exp(-((theta - x[:, 0]) ** 2))


def test_a_neuron_of_ones_own():
    x = np.linspace(-3, 3, 41)
    data = wgf.Data(x, 0.7 * np.exp(-((x - 1) ** 2)) + 0.3 * np.exp(-((x + 1.5) ** 2)))
    found = wgf.global_minimum(wgf.Problem(wgf.RegressionEnergy(Bump(), data), wgf.Uniform(-3, 3)), -3, 3)
    assert found.loss < 1e-10
    heavy = found.measure.weights > 1e-4
    assert np.sort(found.measure.points[heavy, 0]) == pytest.approx([-1.5, 1.0], abs=1e-3)


def test_atoms_become_as_few_as_their_responses_are_independent():
    problem = PROBLEMS["tanh (c, a), λ"]
    rng = np.random.default_rng(0)
    atoms = Atoms(rng.uniform(-2, 2, (80, 2)), rng.dirichlet(np.ones(80)))
    less = fewest(problem.energy, atoms)
    data = problem.energy.data
    before, after = (each.weights @ problem.energy.neuron.value(each.places, data.inputs) for each in (atoms, less))
    assert len(less.weights) <= data.size + 1
    assert after == pytest.approx(before, abs=1e-9)
    assert problem.energy.loss(less.measure) <= problem.energy.loss(atoms.measure) + 1e-10


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"temperature": 0.1}, "the best measure is a density"),
        ({}, "give lower and upper"),
        ({"lower": 1.0, "upper": -1.0}, "the lower one first"),
        ({"lower": [-1.0, -1.0, 0.0], "upper": 1.0}, "entries"),
        ({"lower": -1.0}, "give both, or neither"),
        ({"lower": -1, "upper": 1, "tolerance": 0.0}, "tolerance = 0"),
        ({"energy": wgf.InteractionEnergy(V=lambda x: np.sum(x**2, axis=-1)), "lower": -1, "upper": 1}, "not the energy of a network"),
    ],
)
def test_what_has_no_minimum_is_refused_in_one_line(change, words):
    problem = PROBLEMS["tanh (c, a)"]
    made = wgf.Problem(change.pop("energy", problem.energy), problem.initial, change.pop("temperature", 0.0))
    with pytest.raises(wgf.InputError, match=words) as caught:
        wgf.global_minimum(made, **change)
    assert "\n" not in str(caught.value)
