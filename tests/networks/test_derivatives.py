"""Derivatives that users give are compared with differences: wrong ones are refused, right ones are not."""

import numpy as np
import pytest
from problems import Tanh

import wgf
from wgf.networks.activations import ACTIVATIONS
from wgf.networks.derivatives import check_derivative, differences

TANH = Tanh()
POINTS = np.random.default_rng(0).normal(size=(8, 2))


class Sine:
    """sin(c + a x), whose gradient may be wrong by a factor."""

    theta = ("c", "a")

    def __init__(self, factor=1.0):
        self.factor = factor

    def value(self, theta, x):
        return np.sin(theta[..., :1] + theta[..., 1:] * x[:, 0])

    def gradient(self, theta, x):
        slope = np.cos(theta[..., :1] + theta[..., 1:] * x[:, 0])
        return np.stack([slope, self.factor * slope * x[:, 0]], axis=-1)


def potential(factor):
    """|θ|² with a gradient that is wrong by a factor."""

    def square(theta):
        return np.sum(theta**2, axis=-1)

    square.gradient = lambda theta: 2.0 * factor * theta
    return square


@pytest.mark.parametrize(
    ("slope", "second", "words"),
    [
        (lambda z, s: 1 + s**2, np.zeros_like, r"activation mine: slope is 1\.\d+ at \(-2\.97\), but .* give 0\.0\d+ there"),
        (lambda z, s: 1 - s**2, lambda z: 2 * np.tanh(z), r"activation mine: second is -1\.\d+ at .* differences of the function give"),
        (
            lambda z: 1 - z**2,
            np.zeros_like,
            r"activation mine: slope is no function \(z, σ\(z\)\) → σ'\(z\) of arrays: .* takes 1 positional",
        ),
        (lambda z, s: 1.0, np.zeros_like, r"activation mine: slope has shape \(1,\) at 12 points; expected \(12, 1\)"),
    ],
)
def test_a_wrong_slope_of_an_activation_is_refused(slope, second, words):
    with pytest.raises(wgf.InputError, match=words):
        wgf.Activation("mine", np.tanh, slope, second)


def test_right_slopes_with_kinks_jumps_and_single_precision_are_taken():
    single = np.float32
    wgf.Activation("leaky", lambda z: np.where(z > 0, z, 0.1 * z), lambda z, s: np.where(z > 0, 1.0, 0.1), np.zeros_like)
    wgf.Activation("step", lambda z: np.floor(z), lambda z, s: np.zeros_like(z), np.zeros_like)
    wgf.Activation("single", lambda z: np.tanh(single(z)), lambda z, s: 1 - s**2, lambda z: -2 * np.tanh(z) * (1 - np.tanh(z) ** 2))
    for sigma in ACTIVATIONS.values():
        wgf.Activation(sigma.name, sigma.value, sigma.slope, sigma.second, sigma.kinks)


def test_a_wrong_gradient_of_a_neuron_is_refused_by_the_problem():
    """It says where, and both numbers."""
    law = TANH.problem.initial
    wgf.Problem(wgf.RegressionEnergy(Sine(), TANH.data), law)
    words = r"the gradient of the neuron a Sine is -?\d\.\d+ in coordinate a at \(0\.\d+, 0\.\d+\), but differences .* give -?\d\.\d+"
    with pytest.raises(wgf.InputError, match=words):
        wgf.Problem(wgf.RegressionEnergy(Sine(2.0), TANH.data), law)


@pytest.mark.parametrize("name", ["V", "W"])
def test_a_wrong_gradient_of_a_potential_is_refused_by_the_problem(name):
    law = wgf.Gaussian([0.2, 0.5], 0.4)
    wgf.Problem(wgf.InteractionEnergy(**{name: potential(1.0)}), law)
    with pytest.raises(wgf.InputError, match=rf"the gradient of {name} is .* in coordinate theta\d at .*: correct it, or the function"):
        wgf.Problem(wgf.InteractionEnergy(**{name: potential(-1.0)}), law)


def test_what_differences_do_not_know_is_passed_over():
    """A kink at a point, and places where a function is not finite."""
    check_derivative("it", lambda theta: np.abs(theta[:, 0]), np.zeros((1, 1)), np.zeros((1, 1)))
    check_derivative("it", lambda theta: np.log(theta[:, 0]), 1 / POINTS[:, :1], POINTS[:, :1])
    with pytest.raises(wgf.InputError, match="it is nan"):
        check_derivative("it", lambda theta: theta[:, 0] ** 2, np.full((8, 1), np.nan), POINTS[:, :1])


def test_differences_are_of_fourth_order():
    assert differences(lambda theta: np.sin(theta[:, 0]), POINTS[:, :1]) == pytest.approx(np.cos(POINTS[:, :1])[:, None][:, 0], abs=1e-11)
