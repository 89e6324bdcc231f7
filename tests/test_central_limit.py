"""The predicted fluctuation of m neurons, against the closed form and against neurons."""

import dataclasses

import numpy as np
import pytest
from problems import RIDGE_2D, Ridge, Tanh

import wgf
from wgf.sweep import spread


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
    """128 clouds of 256 neurons: within three standard errors at each time."""
    tanh = Tanh()
    found = wgf.compare(tanh.problem, wgf.FiniteVolume(96, tanh.lower, tanh.upper), 2.0, (64, 256), 128, save=5, seed=5)
    measured, error = found.mean_square()[1] * 256, found.standard_error()[1] * 256
    assert (np.abs(measured - wgf.fluctuation(tanh.problem, found.times)) <= 3 * error).all()


def test_it_converges_in_steps_and_nodes():
    problem = Tanh(0.1).problem
    fine = wgf.fluctuation(problem, [1.0, 2.0], nodes=24, steps=80)
    assert wgf.fluctuation(problem, [1.0, 2.0], nodes=24, steps=20) == pytest.approx(fine, rel=1e-3)
    assert wgf.fluctuation(problem, [1.0, 2.0], nodes=16, steps=80) == pytest.approx(fine, rel=1e-4)


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
