"""How many cells a grid has where nobody says."""

import numpy as np
import pytest

import wgf
from wgf.methods.default_cells import MOST, default_cells

DATA = wgf.Data.quadrature(np.sin, -1, 1, 20)
NAMES = ("c", "a", "b")


def cells_of(law, *box, theta=NAMES):
    p = len(box)
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta[:p]), DATA), law)
    lower, upper = np.array(box, dtype=float).T
    return default_cells(problem, lower, upper)


def test_they_follow_the_width_of_the_law():
    """Ten to a standard deviation on the plane, and at least 128 to a box, three and 64 in space; of the narrowest part of a mixture."""
    assert cells_of(wgf.Gaussian((0, 0), (0.1, 1.0)), (-2, 2), (-5, 5)) == [400, 128]
    assert cells_of(wgf.Gaussian((0, 0, 0), (1.0, 0.5, 2.0)), (-20, 20), (-20, 20), (-20, 20)) == [120, 240, 64]
    narrow = wgf.Mixture((0.5, 0.5), (wgf.Gaussian((0, 0), (0.1, 0.1)), wgf.Gaussian((1, 1), (1.0, 1.0))))
    assert cells_of(narrow, (-2, 2), (-4, 4)) == [400, 800]
    bell = wgf.FromDensity(lambda theta: np.exp(-8 * np.sum(theta**2, axis=-1)), lower=[-2, -2], upper=[2, 2])
    assert cells_of(bell, (-4, 4), (-4, 4)) == pytest.approx([320, 320], rel=0.02)


def test_there_are_not_too_many():
    """And where a law lies in a point, its width says nothing."""
    assert np.prod(cells_of(wgf.Gaussian((0, 0), (1e-4, 1e-4)), (-5, 5), (-5, 5))) == pytest.approx(MOST[2], rel=0.01)
    assert cells_of(wgf.Samples([[0.0, 1.0]]), (-5, 5), (-5, 5)) == [128, 128]


def test_the_method_without_cells_takes_them(tmp_path):
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), DATA), wgf.Gaussian((0, 0), (0.5, 0.5)))
    grid = wgf.FiniteVolume(lower=(-4, -4), upper=(4, 4)).grid(problem, 1.0)
    assert grid.shape == (160, 160)
    run = wgf.solve(problem, wgf.FiniteVolume(), 0.1, save=2)
    assert (run.measures[-1].grid.spacing <= 0.05).all()
    assert repr(wgf.FiniteVolume()) == "FiniteVolume(cells by the width of the law, mp7 limiter, ssprk43)"
