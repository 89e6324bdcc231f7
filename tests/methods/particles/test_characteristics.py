"""Characteristics: exact for the linear neuron, converged to 1e-8 for the tanh student."""

import numpy as np
import pytest
from problems import RIDGE_1D, RIDGE_2D, Tanh

import wgf

TANH = Tanh()


@pytest.mark.parametrize("ridge", [RIDGE_1D, RIDGE_2D])
def test_the_linear_neuron_is_solved_exactly(ridge):
    """Mean, covariance, loss and prediction at every frame; three nodes integrate a Gaussian's second moments exactly."""
    run = wgf.solve(ridge.problem, wgf.Characteristics(nodes=3), until=2.0, save=5)
    for time, cloud, loss, prediction in zip(run.times, run.measures, run.loss, run.prediction, strict=True):
        assert cloud.mean == pytest.approx(ridge.mean(time), rel=1e-9)
        assert cloud.covariance == pytest.approx(ridge.covariance(time), rel=1e-8, abs=1e-12)
        assert loss == pytest.approx(ridge.loss(time), rel=1e-9)
        assert prediction == pytest.approx(ridge.prediction(time), rel=1e-8, abs=1e-10)


def test_the_tanh_reference_is_converged_to_eight_digits():
    """48 against 64 nodes per axis at t = 5."""
    finer = wgf.solve(TANH.problem, wgf.Characteristics(nodes=64), until=5.0, save=2)
    assert TANH.data.norm(finer.prediction[-1] - TANH.reference(5.0).prediction[-1]) <= 1e-8


def test_the_error_falls_faster_than_any_power_of_the_nodes():
    reference = TANH.reference(5.0).prediction[-1]
    errors = [
        TANH.data.norm(wgf.solve(TANH.problem, wgf.Characteristics(nodes=n), until=5.0, save=2).prediction[-1] - reference)
        for n in (8, 16, 32)
    ]
    assert errors[1] < errors[0] / 20
    assert errors[2] < errors[1] / 20


@pytest.mark.parametrize(
    "law",
    [
        wgf.Uniform([-1, -1], [1, 1]),
        wgf.Ball([0.2, 0.5], 0.8),
        wgf.Mixture([1, 2], [wgf.Gaussian([-0.5, 0.5], [0.2, 0.2]), wgf.Uniform([0, 0], [1, 1])]),
        wgf.Product([wgf.Uniform([-1], [1]), wgf.Gaussian([0.5], [0.4])]),
    ],
)
def test_every_law_can_be_carried_and_agrees_with_the_grid(law):
    problem = wgf.Problem(TANH.problem.energy, law)
    exact = wgf.solve(problem, wgf.Characteristics(), until=1.0, save=2)
    grid = wgf.solve(problem, wgf.FiniteVolume(128), until=1.0, save=2)
    assert TANH.data.norm(exact.prediction[-1] - grid.prediction[-1]) < 2e-3
    assert exact.loss[-1] < exact.loss[0]


def test_samples_are_carried_as_they_are():
    points = np.random.default_rng(1).normal(size=(30, 2))
    run = wgf.solve(wgf.Problem(TANH.problem.energy, wgf.Samples(points)), wgf.Characteristics(), until=1.0, save=2)
    neurons = wgf.solve(
        wgf.Problem(TANH.problem.energy, wgf.Samples(points)), wgf.Particles(30, rtol=1e-10, atol=1e-12, solver="DOP853"), until=1.0, save=2
    )
    assert np.array_equal(run.measures[0].positions, points)
    assert run.measures[-1].positions == pytest.approx(neurons.measures[-1].positions, abs=1e-8)


def test_a_custom_neuron_is_carried_with_and_without_its_gradient():
    class Sine:
        theta = ("c", "w")

        def value(self, theta, x):
            return theta[..., :1] * np.sin(theta[..., 1:] * x[:, 0])

    class SineWithGradient(Sine):
        def gradient(self, theta, x):
            phase = theta[..., 1:] * x[:, 0]
            return np.stack([np.sin(phase), theta[..., :1] * x[:, 0] * np.cos(phase)], axis=-1)

    runs = [
        wgf.solve(
            wgf.Problem(wgf.RegressionEnergy(neuron, TANH.data), TANH.problem.initial), wgf.Characteristics(nodes=12), until=1.0, save=2
        )
        for neuron in (Sine(), SineWithGradient())
    ]
    assert runs[0].prediction[-1] == pytest.approx(runs[1].prediction[-1], abs=1e-9)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"nodes": 0}, "nodes = 0: give a whole number"), ({"rtol": 0}, "rtol = 0: it must be a positive number")],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.Characteristics(**options)


def test_kinks_loosen_the_tolerance():
    """With relu the steps end at kinks: a hundredth of those of the tight tolerance suffice, for an error that is far below the rule's."""
    data = wgf.Data.quadrature(lambda x: np.maximum(x, 0), nodes=10)
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu", ("c", "a", "b")), data), wgf.Gaussian(0, 0.4))
    run = wgf.solve(problem, wgf.Characteristics(4), 1.0, 2)
    assert run.method == "Characteristics(4 nodes per axis, DOP853, rtol 1e-05)"
    tight = wgf.solve(problem, wgf.Characteristics(4, rtol=1e-8, atol=1e-10), 1.0, 2)
    finer = wgf.solve(problem, wgf.Characteristics(6), 1.0, 2)
    assert tight.method == "Characteristics(4 nodes per axis, DOP853, rtol 1e-08)"
    assert len(run.history["time"]) < 0.3 * len(tight.history["time"])
    apart = [data.norm(other.prediction[-1] - run.prediction[-1]) for other in (tight, finer)]
    assert apart[0] < 0.1 * apart[1]
    smooth = wgf.solve(TANH.problem, wgf.Characteristics(4), 0.1, 2)
    assert smooth.method == "Characteristics(4 nodes per axis, DOP853, rtol 1e-10)"
