"""The measured rate of decay against the exact one, and its lower bound against both."""

import dataclasses

import numpy as np
import pytest
from problems import Ridge, Tanh

import wgf

NOISY = Ridge(penalty=0.4, temperature=0.2)


def test_the_rate_is_that_of_the_slowest_mode():
    """The linear neuron: the mean decays at s + λ, the variance at 2λ; the dissipation, quadratic in both, at twice the slower."""
    lower, upper = NOISY.box
    run = wgf.solve(NOISY.problem, wgf.FiniteVolume(64, lower, upper, diffusion="gibbs", dt=0.05), until=30.0, save=2)
    slowest = min(NOISY.second_moment[0, 0] + NOISY.penalty, 2 * NOISY.penalty)
    assert wgf.decay_rate(run) == pytest.approx(2 * slowest, rel=2e-2)


def test_a_short_run_has_no_rate():
    run = wgf.solve(NOISY.problem, wgf.FiniteVolume(32, *NOISY.box), until=0.1, save=2)
    assert np.isnan(wgf.decay_rate(run))


def test_the_bound_is_below_the_rate():
    """A bounded neuron: 2λ e^{−osc/τ} from the frames, its oscillation by hand, and the measured rate above it."""
    problem = wgf.Problem(
        wgf.RegressionEnergy(wgf.Neuron("tanh", ("a", "b"), {"c": 2.0}), Tanh().data, 0.1),
        wgf.Gaussian([0, 0], [0.5, 0.5]),
        temperature=0.5,
    )
    run = wgf.solve(problem, wgf.FiniteVolume(48, [-14, -14], [14, 14], diffusion="gibbs", dt=0.1), until=50.0, save=6)
    bound = wgf.decay_bound(problem, run.measures[3:])
    oscillations = []
    for measure in run.measures[3:]:
        misfit = Tanh().data.weights * (measure.predict(Tanh().data.inputs) - Tanh().data.targets)
        a, b = measure.points.T
        oscillations.append(np.ptp(2 * np.tanh(np.multiply.outer(a, Tanh().data.inputs[:, 0]) + b[:, None]) @ misfit))
    assert bound == pytest.approx(0.2 * np.exp(-max(oscillations) / 0.5))
    assert 0 < bound < wgf.decay_rate(run)


@pytest.mark.parametrize("change", [{"temperature": 0.0}, {"energy": Tanh(penalty=0.0).problem.energy}])
def test_the_bound_wants_noise_and_a_penalty(change):
    problem = (
        dataclasses.replace(NOISY.problem, **change) if "energy" not in change else dataclasses.replace(Tanh().problem, temperature=0.1)
    )
    with pytest.raises(wgf.InputError, match=r"the bound is for networks with noise and a penalty"):
        wgf.decay_bound(problem, [])
