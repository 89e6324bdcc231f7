"""Integrals from cell averages: fourth order, whichever way the correction is written."""

import numpy as np
import pytest

import wgf
from wgf.measures.averages import for_averages, weights_of

LAW = wgf.Gaussian((0.2, -0.1), (0.5, 0.4))


def density(n, boundary="no-flux"):
    grid = wgf.Grid((-4.0, -4.0), (4.0, 4.0), n, boundary=boundary)
    return wgf.Density(grid, LAW.cell_averages(grid), averages=True)


def wave(theta):
    """Its mean over the law is known."""
    return np.cos(2 * theta[..., 0] + theta[..., 1])


MEAN = np.cos(0.4 - 0.1) * np.exp(-0.5 * (4 * 0.25 + 0.16))


def test_integrals_are_of_fourth_order():
    """Where the midpoint rule is of second; halved cells divide the error by 16."""
    errors = np.array([abs(density(n).integrate(wave) - MEAN) for n in (16, 32, 64)])
    assert np.log2(errors[:-1] / errors[1:]) == pytest.approx(4, abs=0.3)
    midpoint = wgf.Density(density(64).grid, density(64).values).integrate(wave)
    assert errors[-1] < abs(midpoint - MEAN) / 100


@pytest.mark.parametrize("boundary", ["no-flux", "periodic", ("periodic", "no-flux")])
@pytest.mark.parametrize("shape", [(5, 7), (3, 4), (2, 6), (1, 3)])
def test_the_correction_of_weights_is_that_of_functions(shape, boundary):
    """Σ (Dᵀm)f = Σ m(Df), with the mass kept."""
    rng = np.random.default_rng(0)
    grid = wgf.Grid((0.0, 0.0), (1.0, 1.0), shape, boundary=boundary)
    masses, values = rng.random(shape), rng.normal(size=shape)
    weights = weights_of(masses, grid.periodic())
    assert np.sum(weights * values) == pytest.approx(np.sum(masses * for_averages(values, grid.periodic())), rel=1e-13)
    assert weights.sum() == pytest.approx(masses.sum(), rel=1e-14)


def test_variance_is_not_that_of_points():
    """Averages over cells of length h are spread by h²/12, which the midpoint rule reads as variance."""
    covariance = density(40).covariance
    assert covariance == pytest.approx(np.diag([0.25, 0.16]), abs=1e-5)
    points = wgf.Density(density(40).grid, density(40).values).covariance
    assert np.diag(points) == pytest.approx([0.25 + 0.2**2 / 12, 0.16 + 0.2**2 / 12], rel=1e-3)


def test_the_function_of_a_run_is_that_of_its_measures(tmp_path):
    """The stored φ, that of the measures in memory, and that of the file, are one; so are the losses."""
    data = wgf.Data.quadrature(np.sin, -1, 1, 20)
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data, 0.1), wgf.Gaussian((0.2, 0.5), (0.4, 0.4)))
    run = wgf.solve(problem, wgf.FiniteVolume(48, (-3.0, -3.0), (4.0, 4.0)), 0.5, save=3, store=tmp_path / "run.h5")
    read = wgf.open_run(tmp_path / "run.h5")
    for k in range(3):
        assert run.measures[k].averages
        for measure in (run.measures[k], read.measures[k]):
            assert problem.energy.predict(measure) == pytest.approx(run.prediction[k], abs=1e-11)
            assert problem.energy.loss(measure) == pytest.approx(run.loss[k], rel=1e-11)
    noisy = wgf.Problem(problem.energy, problem.initial, temperature=0.1)
    assert not wgf.solve(noisy, wgf.FiniteVolume(48, (-3.0, -3.0), (4.0, 4.0)), 0.1, save=2).measures[-1].averages
