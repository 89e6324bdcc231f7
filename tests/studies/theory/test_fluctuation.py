"""The predicted fluctuation of m neurons, against the closed form and against neurons."""

import dataclasses

import numpy as np
import pytest
from problems import RIDGE_2D, Ridge, Tanh

import wgf
from wgf.studies.theory.fluctuation import spread


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
