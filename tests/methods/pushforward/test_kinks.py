"""Neurons with kinks: the density jumps at the sheets of the data, and where mass stays on one the run ends and says so."""

import dataclasses

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import wgf
from wgf.methods.pushforward.kinks import Pieces
from wgf.networks.activations import ACTIVATIONS

DATA = wgf.Data([-0.7, 0.15, 0.8], [3.0, 2.5, 3.5])
RELU = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu", ("a", "b")), DATA), wgf.Gaussian([0.5, 0.1], 0.4))  # all of it grows


@pytest.mark.parametrize(("name", "slopes", "offsets"), [("relu", [0, 1], [0, 0]), ("ramp", [0, 1, 0], [-1, 0, 1])])
def test_an_activation_in_pieces(name, slopes, offsets):
    pieces = Pieces.of(ACTIVATIONS[name])
    assert pieces.slopes == pytest.approx(slopes)
    assert pieces.offsets == pytest.approx(offsets)
    z = np.linspace(-3, 3, 50)
    on = pieces.piece(z)
    assert pieces.offsets[on] + pieces.slopes[on] * z == pytest.approx(ACTIVATIONS[name].value(z))


def carried(start, until, nodes):
    """The points, and the density μ_0/|det DT| that they bring, DT by differences of the flow T of neighbours; by another solver."""
    points, weights = RELU.initial.quadrature(nodes)
    energy, shift = RELU.energy, 1e-3
    near = [start + side * shift * axis for axis in np.eye(2) for side in (1, -1)]

    def velocity(time, flat):
        theta = flat.reshape(-1, 2)
        return -energy.slope(theta, energy.residual(wgf.Cloud(theta[: len(points)], weights))).ravel()

    begin = np.concatenate([points, start, *near]).ravel()
    path = solve_ivp(velocity, (0.0, until), begin, method="RK45", rtol=1e-10, atol=1e-11)
    end, *ends = path.y[:, -1].reshape(-1, 2)[len(points) :].reshape(5, -1, 2)
    jacobian = np.stack([(ends[0] - ends[1]), (ends[2] - ends[3])], axis=-1) / (2 * shift)
    return end, RELU.initial.pdf(start) / np.abs(np.linalg.det(jacobian))


@pytest.mark.long
def test_the_density_jumps_by_the_flux():
    """A difference of neighbours between which the image of a sheet lies is no derivative: such points are few."""
    start = RELU.initial.sample(16, np.random.default_rng(3))
    theta, expected = carried(start, 0.5, 4)
    off = np.abs(wgf.density_at(RELU, theta, 0.5, nodes=4, tolerance=1e-4) / expected - 1.0)
    jumped = np.abs(expected / RELU.initial.pdf(start) - 1.0) > 0.05  # without a sheet the density is only carried along: ΔG = 0
    assert (jumped & (off < 1e-3)).sum() > 5
    assert (off < 1e-3).mean() > 0.8


def test_mass_is_kept_through_sheets():
    """The jumps keep it."""
    run = wgf.solve(RELU, wgf.Pushforward(16, nodes=12, tolerance=2e-3), 0.4, 2)
    assert run.mass[-1] == pytest.approx(1.0, abs=2e-3)
    assert run.attributes["density_error"] <= 2e-3


@pytest.mark.parametrize("neuron", [wgf.Neuron("relu", ("c", "a", "b")), wgf.Neuron("ramp", ("c", "a"), {"b": 0.2})])
def test_a_collapse_is_reported_with_the_data_point(neuron):
    """Neurons with c < 0 flow to where relu is zero, and those of a ramp to its plateaus: there they stay on the sheet of a datum."""
    problem = wgf.Problem(wgf.RegressionEnergy(neuron, DATA, 0.1), wgf.Gaussian([0.2, 0.4, 0.1][: len(neuron.theta)], 0.4))
    with pytest.raises(
        wgf.RunError, match=r"at t = .* mass collapses onto the kinks of the neuron at data point \d \(x = .*\), .* take FiniteVolume"
    ):
        wgf.solve(problem, wgf.Pushforward(8, nodes=6, tolerance=1e-2), 3.0, 2)


def test_what_kinks_are_not_followed_through():
    bent = wgf.Activation(
        "bent", lambda z: np.maximum(z, 0) ** 2 + np.abs(z), lambda z, s: 2 * np.maximum(z, 0) + np.sign(z), lambda z: 2.0 * (z > 0), (0.0,)
    )
    two = wgf.Data([[0.0, 1.0], [1.0, 0.5]], [1.0, 2.0])
    for energy, words in (
        (wgf.RegressionEnergy(wgf.Neuron(bent, ("a", "b")), DATA), "bent bends between its kinks: take FiniteVolume"),
        (wgf.RegressionEnergy(wgf.Neuron("relu", ("a1", "a2"), dim=2), two), "relu, which has kinks, on one input"),
    ):
        with pytest.raises(wgf.InputError, match=words):
            wgf.density_at(dataclasses.replace(RELU, energy=energy), [0.0, 0.0], 1.0)
