"""Averages of which few are wanted, beside all of them."""

import numpy as np
import pytest

import wgf
from wgf.measures.laws.averages import CellAverages
from wgf.measures.layout import along_axes

GAUSSIAN, DISC = wgf.Gaussian([0.2, -0.1], [0.3, 0.5]), wgf.Ball([0.0, 0.3], 0.8)
PRODUCTS = {
    "gaussian": GAUSSIAN,
    "uniform": wgf.Uniform([-0.3, -2.0], [0.9, 0.4]),
    "product": wgf.Product([wgf.Samples([[0.2], [0.7]]), wgf.Gaussian([0.1], [0.4])]),
}
OTHERS = {"ball": DISC, "mixture": wgf.Mixture([0.5, 0.5], [GAUSSIAN, wgf.Gaussian([-0.5, 0.5], [0.2, 0.2])])}


@pytest.mark.parametrize("boundary", ["no-flux", "periodic"])
@pytest.mark.parametrize("name", [*PRODUCTS, *OTHERS])
def test_those_of_a_part_are_those_of_all(name, boundary):
    """Bit by bit; sums and maxima over all other axes to rounding."""
    law, grid = {**PRODUCTS, **OTHERS}[name], wgf.Grid([-2.0, -2.5], [2.0, 1.5], (20, 14), boundary=boundary)
    found, values = CellAverages(law, grid), law.cell_averages(grid)
    assert (found.values is None) == (name in PRODUCTS)
    box = np.array([[3, 15], [5, 14]])
    assert np.array_equal(found.within(box), values[3:15, 5:14])
    for reduction in (np.add, np.maximum):
        for one, other in zip(found.along_axes(reduction), along_axes(reduction, values), strict=True):
            assert one == pytest.approx(other, rel=1e-13, abs=1e-300)


def test_a_product_with_a_disc_is_none_of_averages_along_axes():
    grid = wgf.Grid([-1.0] * 3, [1.0] * 3, (8, 7, 6))
    law = wgf.Product([DISC, wgf.Gaussian([0.1], [0.4])])
    assert np.array_equal(CellAverages(law, grid).within(np.array([[0, 8], [0, 7], [0, 6]])), law.cell_averages(grid))


def test_a_law_that_has_only_its_cell_averages():
    """As one of the user's own."""

    class Own:
        dim = 1

        def cell_averages(self, grid):
            return np.linspace(1.0, 2.0, grid.shape[0])

    assert CellAverages(Own(), wgf.Grid([0.0], [1.0], 4)).along_axes(np.add)[0].tolist() == np.linspace(1.0, 2.0, 4).tolist()
