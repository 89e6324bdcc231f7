"""Particles: the gradient flow and gradient descent of m neurons."""

import dataclasses

import numpy as np
import pytest
from problems import RIDGE_1D, RIDGE_2D, Tanh
from scipy.linalg import expm

import wgf

TANH = Tanh()


@pytest.mark.parametrize("ridge", [RIDGE_1D, RIDGE_2D])
def test_the_flow_of_linear_neurons_is_exact_for_every_sample(ridge):
    """The sample mean follows m' = F₁ − (S + λ)m from its own start, and deviations from it shrink like e^{−λt}."""
    run = wgf.solve(ridge.problem, wgf.Particles(50, seed=3, rtol=1e-9, atol=1e-11), until=1.5, save=2)
    first, last = run.measures[0], run.measures[-1]
    rate = ridge.second_moment + ridge.penalty * np.eye(ridge.dim)
    limit = np.linalg.solve(rate, ridge.correlation)
    assert last.mean == pytest.approx(limit + expm(-1.5 * rate) @ (first.mean - limit), rel=1e-7)
    shrunk = np.exp(-1.5 * ridge.penalty) * (first.positions - first.mean)
    assert last.positions - last.mean == pytest.approx(shrunk, rel=1e-6, abs=1e-9)


def test_gradient_descent_is_the_plain_iteration():
    """θ ← θ − η∇G with η = 0.05, against the iteration written out with the gradient of the finite-width loss."""
    method = wgf.Particles(20, seed=1, step=0.05)
    run = wgf.solve(TANH.problem, method, until=0.5, save=2)
    theta = TANH.problem.initial.sample(20, np.random.default_rng(1))
    x, y, w = TANH.data.inputs[:, 0], TANH.data.targets, TANH.data.weights
    for _ in range(10):
        s = np.tanh(theta[:, 1:] * x)
        residual = w * ((theta[:, :1] * s).mean(axis=0) - y)
        theta = theta - 0.05 * np.column_stack([s @ residual, (theta[:, :1] * (1 - s**2) * x) @ residual])
    assert len(run.history["time"]) == 11
    assert run.measures[-1].positions == pytest.approx(theta, rel=1e-12, abs=1e-14)


def test_descent_approaches_the_flow_at_first_order_in_the_step():
    flow = wgf.solve(TANH.problem, wgf.Particles(40, rtol=1e-9, atol=1e-11), until=1.0, save=2).prediction[-1]
    errors = [
        TANH.data.norm(wgf.solve(TANH.problem, wgf.Particles(40, step=eta), until=1.0, save=2).prediction[-1] - flow)
        for eta in (0.1, 0.05, 0.025)
    ]
    assert np.diff(np.log2(errors)) == pytest.approx([-1, -1], abs=0.15)


def test_descent_lands_on_save_times_with_a_shorter_step():
    run = wgf.solve(TANH.problem, wgf.Particles(10, step=0.3), until=1.0, save=[0.5, 1.0])
    assert run.history["time"].tolist() == pytest.approx([0, 0.3, 0.5, 0.8, 1.0])
    assert run.times.tolist() == [0, 0.5, 1.0]


def test_the_loss_of_the_flow_falls_at_the_rate_of_its_dissipation():
    run = wgf.solve(TANH.problem, wgf.Particles(200, rtol=1e-8), until=2.0)
    assert run.dissipation_defect < 1e-2
    assert run.largest_rise <= 0


def test_a_seed_names_one_run():
    first, again, other = (wgf.solve(TANH.problem, wgf.Particles(10, seed=seed), until=0.5) for seed in (5, 5, 6))
    assert np.array_equal(first.measures[-1].positions, again.measures[-1].positions)
    assert not np.array_equal(first.measures[-1].positions, other.measures[-1].positions)


def test_neurons_stay_inside_their_walls():
    """The target pulls c beyond 0.5; the wall stops it, and the loss still falls."""
    problem = wgf.Problem(TANH.problem.energy, wgf.Uniform([-0.5, -1], [0.5, 3]))
    run = wgf.solve(problem, wgf.Particles(100, lower=[-0.5, -1], upper=[0.5, 3], rtol=1e-5), until=5.0)
    last = run.measures[-1].positions
    assert last[:, 0].max() == 0.5
    assert np.abs(last[:, 0]).max() <= 0.5
    assert run.largest_rise <= 1e-6


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_neurons_that_a_step_carries_to_infinity_end_the_run():
    """A run that cannot go on, not a cloud that somebody gave: RunError, before there is a measure of such places."""
    energy = wgf.InteractionEnergy(V=lambda theta: -1e300 * theta[..., 0])
    problem = wgf.Problem(energy, wgf.Gaussian([0], [1]))
    energy.V.gradient = lambda theta: np.full(theta.shape, -1e308)  # too late to be checked
    with pytest.raises(wgf.RunError, match=r"the place of a neuron is infinite or undefined at t = 100: .*shorter steps"):
        wgf.solve(problem, wgf.Particles(4, step=100.0), until=100.0, save=2)


def test_walls_are_the_no_flux_boundary_of_the_grid():
    """The same box: neurons and finite volumes agree although much of the mass ends at the wall."""
    problem = wgf.Problem(TANH.problem.energy, wgf.Uniform([-0.5, 0], [0.5, 2]))
    box = ([-0.5, 0], [0.5, 2])
    grid = wgf.solve(problem, wgf.FiniteVolume(64, *box, edge_tolerance=1), until=4.0, save=2)
    cloud = wgf.solve(problem, wgf.Particles(1000, lower=box[0], upper=box[1], rtol=1e-4), until=4.0, save=2)
    assert grid.boundary_mass[-1] > 0.1
    assert TANH.data.norm(grid.prediction[-1] - cloud.prediction[-1]) < 0.01


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"m": 0}, "m = 0: give a whole number, at least 1"),
        ({"m": 4, "step": 0.0}, "step = 0: it must be a positive number"),
        ({"m": 4, "rtol": -1}, "rtol = -1"),
        ({"m": 4, "lower": [0]}, "both lower and upper, or neither"),
        ({"m": 4, "solver": "RK4"}, "unknown ODE solver 'RK4'.*RK45"),
        (
            {"m": 4, "step": 0.1, "rtol": 1e-6},
            "rtol = 1e-06 would change nothing: it is of the gradient flow, but step = 0.1 asks for steps",
        ),
        ({"m": 4, "step": 0.1, "atol": 1e-6, "solver": "RK45"}, "atol = 1e-06, solver = RK45 would change nothing: they are of the"),
        (
            {"m": 4, "step": 0.1, "batch": 2, "scheme": "heun"},
            "scheme = heun would change nothing: it is of noise on all data, but batch = 2",
        ),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.Particles(**options)


def test_options_that_a_problem_leaves_without_effect_are_refused():
    noisy = dataclasses.replace(TANH.problem, temperature=0.1)
    with pytest.raises(wgf.InputError, match=r"scheme = euler-maruyama would change nothing: it is of noise, but the problem has none"):
        wgf.solve(TANH.problem, wgf.Particles(4, scheme="euler-maruyama"), 1.0)
    with pytest.raises(wgf.InputError, match=r"rtol = 0.001 would change nothing: it is of the gradient flow, but the problem has noise"):
        wgf.solve(noisy, wgf.Particles(4, rtol=1e-3), 1.0)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "Particles(1,000 neurons, seed 0)"),
        ({"solver": "DOP853", "rtol": 1e-4}, "Particles(1,000 neurons, seed 0, DOP853, rtol 0.0001)"),
        ({"step": 0.05, "batch": 4}, "Particles(1,000 neurons, seed 0, step 0.05, batches of 4)"),
        ({"step": 0.05, "scheme": "heun"}, "Particles(1,000 neurons, seed 0, heun, step 0.05)"),
    ],
)
def test_the_options_that_are_given_are_said(options, text):
    assert repr(wgf.Particles(1000, **options)) == text
