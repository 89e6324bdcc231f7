"""The estimated error of the limit, against its true error."""

import dataclasses

import numpy as np
import pytest
from problems import RIDGE_1D, RIDGE_2D, Ridge, Tanh

import wgf
from wgf.studies.theory.discretisation import loss_error

TANH = Tanh()
BOX = {"lower": TANH.lower, "upper": TANH.upper}
TIMES = [0.5, 1.0]
METHODS = {
    "upwind": (wgf.FiniteVolume(64, **BOX, limiter="upwind"), 1.5),
    "limited": (wgf.FiniteVolume(96, **BOX, limiter="mc"), 1.5),
    "the default": (wgf.FiniteVolume(64, **BOX), 3.0),
    "the box is found": (wgf.FiniteVolume(64), 3.0),
    "variational steps": (wgf.JKO(64, **BOX, dt=0.05), 1.5),
    "plain variational steps": (wgf.JKO(64, **BOX, dt=0.05, epsilon=0.03, debiased=False), 1.5),
    "variational steps of second order": (wgf.JKO(64, **BOX, dt=0.1, order=2), 3.0),
}


@pytest.fixture(scope="module")
def exact():
    return wgf.solve(TANH.problem, wgf.Characteristics(), 1.0, TIMES)


@pytest.mark.parametrize("case", METHODS)
def test_the_estimate_is_right_within_a_factor(case, exact):
    """Function at t = ½ and 1, loss at t = 1 (the error of upwind fluxes changes its sign near t = ½): neither too small nor too large."""
    method, factor = METHODS[case]
    run = wgf.solve(TANH.problem, method, 1.0, TIMES)
    found = wgf.discretisation_error(TANH.problem, method, 1.0, run=run)
    true = np.sqrt((run.prediction - exact.prediction) ** 2 @ TANH.data.weights)
    assert (np.abs(np.log(found["function"][1:] / true[1:])) < np.log(factor)).all()
    assert 1 / 3 < found["loss"][2] / abs(run.loss[2] - exact.loss[2]) < 3


PENALISED = Tanh(penalty=0.1)
NOISY = dataclasses.replace(PENALISED.problem, temperature=0.05)
RELU = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu", ("c", "a"), {"b": 0.2}), TANH.data), TANH.problem.initial)
SPACE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a", "b")), TANH.data), wgf.Gaussian([0.2, 0.5, 0], [0.4, 0.4, 0.4]))
WIDE = {"lower": (-4.0, -4.0), "upper": (5.0, 5.0)}


def closed(ridge):
    """The losses in closed form."""
    return lambda times: np.array([ridge.loss(time) for time in times])


def solved(problem, method):
    """The losses that a better method finds."""
    return lambda times: wgf.solve(problem, method, times[-1], times).loss[1:]


def characteristics(tanh):
    """The losses of the tanh student from converged characteristics."""
    return lambda times: tanh.reference(*times).loss[1:]


CASES = {  # problem, method, times, the true losses there
    "tanh": (TANH.problem, wgf.FiniteVolume(64, **BOX), [0.1, 0.5, 5.0], characteristics(TANH)),
    "first order": (
        TANH.problem,
        wgf.FiniteVolume(64, **BOX, limiter="upwind"),
        [0.25, 1.0, 3.0],
        characteristics(TANH),
    ),
    "with a penalty": (
        PENALISED.problem,
        wgf.FiniteVolume(96, **BOX),
        [0.25, 1.0, 5.0],
        characteristics(PENALISED),
    ),
    "a line": (RIDGE_1D.problem, wgf.FiniteVolume(80, *RIDGE_1D.box), [0.1, 1.0, 5.0], closed(RIDGE_1D)),
    "correlated inputs": (RIDGE_2D.problem, wgf.FiniteVolume(64, *RIDGE_2D.box), [0.1, 1.0, 5.0], closed(RIDGE_2D)),
    "noise in closed form": (
        Ridge(temperature=0.1).problem,
        wgf.FiniteVolume(80, [-3.0], [4.0], diffusion="gibbs"),
        [0.1, 1.0, 5.0],
        closed(Ridge(temperature=0.1)),
    ),
    "noise": (
        NOISY,
        wgf.FiniteVolume(64, **WIDE, diffusion="gibbs"),
        [0.1, 1.0, 5.0],
        solved(NOISY, wgf.FiniteVolume(256, **WIDE, diffusion="gibbs")),
    ),
    "relu": (RELU, wgf.FiniteVolume(96, **BOX), [0.1, 1.0], solved(RELU, wgf.FiniteVolume(512, **BOX))),  # near .5 the error is zero
    "space": (
        SPACE,
        wgf.FiniteVolume(40, (-2.5, -2.0, -2.5), (3.5, 4.0, 2.5)),
        [0.1, 0.5, 1.0],
        solved(SPACE, wgf.Characteristics(nodes=16, rtol=1e-8)),
    ),
    "variational steps": (TANH.problem, wgf.JKO(64, **BOX, dt=0.05), [0.1, 1.0], characteristics(TANH)),
}


SMALL = 3e-4  # of the loss: less than the width of a line in a figure


def is_within_a_factor_of_three(problem, method, times, truth):
    """The estimated error of the loss, at each time: not below a third of the true one, and not above three times of it unless it is small:
    what falls by more than 2³ from grid to grid is known to be small, but not how small.
    """
    run = wgf.solve(problem, method, times[-1], times)
    found = wgf.discretisation_error(problem, method, times[-1], run=run)["loss"][1:]
    ratio = found / np.abs(run.loss[1:] - truth(times))
    print("estimate / truth:", ratio.round(2))
    return ((ratio > 1 / 3) & ((ratio < 3) | (found < SMALL * run.loss[1:]))).all()


LONG = {"noise", "relu"}  # whose true losses are those of a much finer grid


@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.long) if case in LONG else case for case in CASES])
def test_the_loss_is_estimated_within_a_factor_of_three(case):
    """Also where the error changes its sign between two grids: tanh at t = .1, with a penalty at t = 1, in space at t = .1 and 1."""
    assert is_within_a_factor_of_three(*CASES[case])


@pytest.mark.parametrize("order", [1, 2, 4])
def test_two_powers_of_the_resolution_are_seen_through(order):
    """L_h = L + a h^q + b h^{q+1}: the error is exact where the powers cancel each other on the step from 2h to h, whatever L is."""
    a, b = 1.0, -(2.0**order - 1) / (2.0 ** (order + 1) - 1)
    losses = [np.array([7.0 + a * h**order + b * h ** (order + 1)]) for h in (1.0, 2.0, 4.0)]
    assert losses[0] == pytest.approx(losses[1])
    assert loss_error(*losses, *[np.array([2.0**order])] * 2) == pytest.approx([abs(a + b)])


def test_for_characteristics_it_is_a_bound(exact):
    """Half the nodes are the estimate, which is safe: they converge faster than any power."""
    method = wgf.Characteristics(nodes=10)
    run = wgf.solve(TANH.problem, method, 1.0, TIMES)
    true = np.sqrt((run.prediction - exact.prediction) ** 2 @ TANH.data.weights)
    estimate = wgf.discretisation_error(TANH.problem, method, 1.0, run=run)["function"]
    assert (estimate >= true).all()
    assert (estimate < 1e-3).all()


def test_without_a_run_it_solves_itself_and_warns_once():
    """The coarse solve is silent; a box too small is said by the fine one."""
    small = wgf.FiniteVolume(48, [-0.9, -1.0], [1.4, 2.0])
    with pytest.warns(wgf.BoundaryWarning) as said:
        found = wgf.discretisation_error(TANH.problem, small, 0.2, 2)
    assert len({str(warning.message) for warning in said}) == len(said)
    assert sum("leaves out" in str(warning.message) for warning in said) == 1
    assert found["function"].shape == (2,)


@pytest.mark.parametrize("method", [wgf.Particles(5), wgf.Characteristics(nodes=1)], ids=["neurons", "one node"])
def test_without_a_coarser_self_the_error_is_not_known(method):
    found = wgf.discretisation_error(RIDGE_1D.problem, method, 0.1, 2)
    assert np.isnan(found["function"]).all()
    assert np.isnan(found["loss"]).all()


def test_a_method_may_be_halved_once_only():
    """Two nodes, one node: the third grid is the second one, and the estimate no smaller for it."""
    found = wgf.discretisation_error(TANH.problem, wgf.Characteristics(nodes=2), 0.5, 2)
    runs = [wgf.solve(TANH.problem, wgf.Characteristics(nodes=nodes), 0.5, 2) for nodes in (2, 1)]
    assert found["loss"][1] >= abs(runs[0].loss[1] - runs[1].loss[1])


def test_an_energy_without_data_has_its_loss_and_its_density():
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0.5 * np.sum(theta**2, axis=-1)), wgf.Gaussian([0.5], [0.6]))
    method = wgf.FiniteVolume(60, [-4.0], [5.0], limiter="mc")
    found = wgf.discretisation_error(problem, method, 0.5, 2)
    assert list(found) == ["loss", "density"]
    exact = (0.25 + 0.36) * np.exp(-1.0)
    run = wgf.solve(problem, method, 0.5, 2)
    assert found["loss"][1] == pytest.approx(abs(run.loss[1] - exact), rel=0.7)
