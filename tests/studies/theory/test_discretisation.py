"""The estimated error of the limit, against its true error."""

import numpy as np
import pytest
from problems import RIDGE_1D, Tanh

import wgf

TANH = Tanh()
BOX = {"lower": TANH.lower, "upper": TANH.upper}
TIMES = [0.5, 1.0]
METHODS = {
    "upwind": (wgf.FiniteVolume(64, **BOX, limiter="upwind"), 1.5),
    "limited": (wgf.FiniteVolume(96, **BOX), 1.5),
    "the box is found": (wgf.FiniteVolume(64), 1.5),
    "variational steps": (wgf.JKO(64, **BOX, dt=0.05), 1.5),
    "plain variational steps": (wgf.JKO(64, **BOX, dt=0.05, epsilon=0.03, debiased=False), 1.5),
    "variational steps of second order": (wgf.JKO(64, **BOX, dt=0.1, order=2), 3.0),
}


@pytest.fixture(scope="module")
def exact():
    return wgf.solve(TANH.problem, wgf.Characteristics(), 1.0, TIMES)


@pytest.mark.parametrize("case", METHODS)
def test_the_estimate_is_right_within_a_factor(case, exact):
    """At t = ½ and 1, function and loss."""
    method, factor = METHODS[case]
    run = wgf.solve(TANH.problem, method, 1.0, TIMES)
    found = wgf.discretisation_error(TANH.problem, method, 1.0, run=run)
    true = np.sqrt((run.prediction - exact.prediction) ** 2 @ TANH.data.weights)
    assert (np.abs(np.log(found["function"][1:] / true[1:])) < np.log(factor)).all()
    assert found["loss"][2] == pytest.approx(abs(run.loss[2] - exact.loss[2]), rel=factor, abs=1e-5)


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


def test_neurons_have_no_coarser_self():
    found = wgf.discretisation_error(RIDGE_1D.problem, wgf.Particles(5), 0.1, 2)
    assert np.isnan(found["function"]).all()
    assert np.isnan(found["loss"]).all()


def test_an_energy_without_data_has_its_loss_only():
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0.5 * np.sum(theta**2, axis=-1)), wgf.Gaussian([0.5], [0.6]))
    found = wgf.discretisation_error(problem, wgf.FiniteVolume(60, [-4.0], [5.0]), 0.5, 2)
    assert list(found) == ["loss"]
    exact = (0.25 + 0.36) * np.exp(-1.0)
    run = wgf.solve(problem, wgf.FiniteVolume(60, [-4.0], [5.0]), 0.5, 2)
    assert found["loss"][1] == pytest.approx(abs(run.loss[1] - exact), rel=0.7)
