"""Cells per standard deviation of the initial law: the number, and the warning of every method with a grid."""

import re
import warnings

import numpy as np
import pytest

import wgf
from wgf.measures.laws.resolution import cells_per_std
from wgf.measures.layout import along_axes

COARSE = (
    r"axis a: 0\.\d+ cells per standard deviation of the initial law \(cells of 1\.25\) are far too few; "
    r"take (at least \d+ on this axis|a smaller spacing, 0\.\d+ on this axis)"
)
DATA = wgf.Data.quadrature(np.sin, -1, 1, 8)


def problem(law, temperature=0.0):
    return wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), DATA), law, temperature)


@pytest.mark.parametrize("boundary", ["no-flux", "periodic"])
@pytest.mark.parametrize(
    ("law", "std"),
    [
        (wgf.Gaussian([0.3, -0.2], [0.4, 0.9]), (0.4, 0.9)),
        (wgf.Uniform([-1.0, -5 / 3], [1.0, 5 / 3]), (1 / 3**0.5, 5 / 27**0.5)),
        (wgf.Ball([0.0, 0.5], 1.0), (0.5, 0.5)),
    ],
)
def test_the_number_is_that_of_the_law(law, std, boundary):
    """σ_k/h_k, without the h²/12 that cell averages add to a law without edges; one with edges takes small cells."""
    for cells in ((16, 30), (40, 96))[isinstance(law, wgf.Uniform) :]:
        grid = wgf.Grid([-4.0, -5.0], [4.0, 5.0], cells, boundary=boundary)
        found = cells_per_std(grid, along_axes(np.add, law.cell_averages(grid))) * grid.spacing
        assert found == pytest.approx(std, rel=0.03)


def test_a_law_across_the_seam_is_narrow():
    """Half of it at each end of a circle: resolved as well as anywhere; at closed ends it would be two lumps far apart."""
    found = []
    for center in (0.0, np.pi):
        grid = wgf.Grid([-np.pi], [np.pi], 32, boundary="periodic")
        found.append(cells_per_std(grid, [wgf.Gaussian([center], [0.3]).cell_averages(grid)])[0])
    assert found[0] == pytest.approx(0.3 / grid.spacing[0], rel=1e-3)
    assert found[1] == pytest.approx(found[0], rel=1e-9)
    flat = cells_per_std(grid, [np.ones(32)])
    assert flat[0] > 16


def test_one_point_is_never_resolved():
    for cells in (1, 5, 1000):
        grid = wgf.Grid([-1.0], [1.3], cells)
        averages = wgf.Samples([[0.2]]).cell_averages(grid)
        assert cells_per_std(grid, [averages]).tolist() == [0.0]
    law = wgf.Product([wgf.Gaussian([0.0], [0.3]), wgf.Samples([[0.2]])])
    stepper = wgf.FiniteVolume([64, 8], [-2, -2], [2, 2]).bind(problem(law), 0.01)
    with pytest.warns(
        wgf.ResolutionWarning, match="axis a: 0 cells per standard deviation .* no grid of this box resolves it: take particles"
    ):
        stepper.start()


@pytest.mark.parametrize(
    ("method", "temperature"),
    [
        (wgf.FiniteVolume([64, 4], [-2, -2.5], [2, 2.5]), 0.0),
        (wgf.FiniteVolume([64, 4], [-2, -2.5], [2, 2.5]), 0.1),
        (wgf.FiniteVolume([64, 4], [-2, -2.5], [2, 2.5], diffusion="split"), 0.1),
        (wgf.FiniteVolume([64, 4], [-2, -2.5], [2, 2.5], grow=True), 0.1),
        (wgf.JKO([64, 4], [-2, -2.5], [2, 2.5], dt=0.005, epsilon=5.0), 0.1),
        (wgf.FiPyMesh(wgf.Box([64, 4], [-2, -2.5], [2, 2.5])), 0.1),
    ],
    ids=repr,
)
def test_a_method_on_too_few_cells_says_so(method, temperature):
    """Of the axis that is too coarse, and of no other one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        method.bind(problem(wgf.Gaussian([0.0, 0.3], [0.3, 0.5]), temperature), 0.01).start()
    texts = [
        str(warning.message)
        for warning in caught
        if warning.category is wgf.ResolutionWarning and "standard deviation" in str(warning.message)
    ]
    assert len(texts) == 1
    assert re.search(COARSE, texts[0])


def test_the_advice_holds():
    """On as many cells as the warning names there is none."""
    law = wgf.Gaussian([0.0, 0.3], [0.3, 0.5])
    with pytest.warns(wgf.ResolutionWarning, match="take at least 24 on this axis"):
        wgf.FiniteVolume([64, 16], [-2, -3], [2, 3]).bind(problem(law), 0.01).start()
    wgf.FiniteVolume([64, 25], [-2, -3], [2, 3]).bind(problem(law), 0.01).start()


BOX = {"lower": [-3, -3], "upper": [3, 3]}
WELL = wgf.InteractionEnergy(V=lambda theta: 0.5 * theta[..., 0] ** 2)


def resolution_warnings(start):
    """What is said at the start of the number of cells."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start()
    return [str(w.message) for w in caught if w.category is wgf.ResolutionWarning and "standard deviation" in str(w.message)]


@pytest.mark.parametrize(
    "method",
    [wgf.FiniteVolume(64, **BOX), wgf.JKO(64, dt=0.01, **BOX), wgf.FiPyMesh(wgf.Box([64, 64], [-3, -3], [3, 3]))],
    ids=repr,
)
@pytest.mark.parametrize("place", [0.05, 0.0])
def test_a_law_within_a_cell_is_told_how_many_would_do(method, place):
    """σ = .02 in cells of .094, in the middle of one or at its edge: 600 cells are two in .02, whatever the averages tell."""
    texts = resolution_warnings(lambda: method.bind(problem(wgf.Gaussian([place, place], [0.02, 0.02])), 0.01).start())
    assert len(texts) == 2
    assert all("0.213 cells per standard deviation" in text and "take at least 600 on this axis" in text for text in texts)


def test_the_narrowest_part_of_a_mixture_counts():
    """Two lumps of σ = .02, far apart along c: the standard deviation of the whole is 1."""
    lumps = wgf.Mixture([0.5, 0.5], [wgf.Gaussian([c, 0.0], [0.02, 0.3]) for c in (-1.0, 1.0)])
    texts = resolution_warnings(lambda: wgf.FiniteVolume(64, **BOX).bind(problem(lumps), 0.01).start())
    assert len(texts) == 1
    assert "axis c: 0.213 cells" in texts[0]


def test_quantiles_take_cells_as_well():
    law = wgf.Problem(WELL, wgf.Gaussian([0.2], [0.1]))
    with pytest.warns(wgf.ResolutionWarning, match="1.67 cells per standard deviation .* take at least 120 on this axis"):
        wgf.QuantileJKO(100, lower=[-3], upper=[3], dt=0.01).bind(law, 0.01).start()


def test_a_law_narrower_than_the_cells_of_a_mesh_is_told():
    """On a disc in rings: as many cells as are said are no longer too few."""
    law = problem(wgf.Gaussian([0.4, 0.3], [0.08, 0.3]))

    def start(spacing):
        return resolution_warnings(lambda: wgf.FiPyMesh(wgf.Disc(radius=2.0, spacing=spacing, pattern="rings")).bind(law, 0.01).start())

    texts = start(0.4)
    assert len(texts) == 1
    assert re.search(
        r"has 0\.\d+ cells per standard deviation of the initial law \(cells of 0\.\d+\), far too few; take cells of 0\.04, about", texts[0]
    )
    assert not start(0.08)
