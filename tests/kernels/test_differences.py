"""How far states and potentials are apart, against NumPy's passes."""

import numpy as np
import pytest

from wgf.kernels.differences import distance, spreads


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_the_distance_is_a_weighted_sum(kind):
    rng = np.random.default_rng(1)
    first, second, volumes = rng.random(57).astype(kind), rng.random(57).astype(kind), rng.random(57)
    apart = np.abs(first.astype(float) - second.astype(float))
    tolerance = 1e-13 if kind is np.float64 else 1e-6
    assert distance(first, second, volumes) == pytest.approx(np.sum(apart * volumes), rel=tolerance)
    assert distance(first, second, np.array([0.3])) == pytest.approx(0.3 * apart.sum(), rel=tolerance)


@pytest.mark.parametrize("everywhere", [True, False])
def test_spreads_are_those_of_cells_that_may_hold_mass(everywhere):
    rng = np.random.default_rng(2)
    before, wrong, after = rng.normal(size=(3, 60))
    values = np.maximum(rng.normal(size=60), 0.0)
    place = slice(None) if everywhere else values > 0
    expected = [end(each[place]) for each in (after - before, after - wrong, after) for end in (np.max, np.min)]
    assert spreads(before, wrong, after, values, everywhere) == pytest.approx(expected, rel=1e-15)


def test_no_number_is_no_number_and_no_cell_is_no_bound():
    zero, values = np.zeros(5), np.zeros(5)
    for place in range(3):
        potentials = np.zeros((3, 5))
        potentials[place, 2] = np.nan
        assert np.isnan(spreads(*potentials, values, True)).all()
    assert spreads(zero, zero, zero, values, False) == (-np.inf, np.inf) * 3
