"""Clusters that are narrower than a cell: found where they are, and in no density that the cells resolve."""

import numpy as np
import pytest

import wgf
from wgf.measures.clusters import narrow_cluster
from wgf.runs.summary import run_facts


def of(law, grid):
    return wgf.Density(grid, law.cell_averages(grid))


def gaussian(dim, sigma, shift=0.0, boundary="no-flux"):
    """N(shift·h, (sigma·h)²) around a corner of cells, on cells of sides 1, 2, …, in units of those."""
    sides = np.arange(1.0, dim + 1)
    grid = wgf.Grid((-8 * sides).tolist(), (8 * sides).tolist(), 16, boundary=boundary)
    return of(wgf.Gaussian((shift * sides).tolist(), (sigma * sides).tolist()), grid)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5])
def test_a_gaussian_is_narrow_up_to_three_quarters_of_a_cell(dim, shift):
    """Wherever it lies among the cells."""
    share, place = narrow_cluster(gaussian(dim, 0.65, shift))
    assert share > 0.99
    assert place == pytest.approx(np.arange(1.0, dim + 1) * shift, abs=dim)
    assert narrow_cluster(gaussian(dim, 0.85, shift))[0] == 0


def test_across_the_seam_of_a_circle_it_is_as_narrow():
    assert narrow_cluster(gaussian(1, 0.4, 8.0, "periodic"))[0] > 0.99


def test_a_ridge_two_lumps_and_a_small_lump_are_none():
    """Mass on a line in the plane, or far apart, or little of it beside what is wide."""
    grid = wgf.Grid([-8, -8], [8, 8], 16)
    ridge, lump, wide = (wgf.Gaussian([0.5, 0.5], std) for std in ([0.1, 3.0], [0.1, 0.1], [3.0, 3.0]))
    assert narrow_cluster(of(ridge, grid))[0] == 0
    assert narrow_cluster(of(wgf.Mixture([0.25, 0.75], [lump, wide]), grid))[0] == 0
    far = wgf.Gaussian([5.5, 5.5], [0.1, 0.1])
    assert narrow_cluster(of(wgf.Mixture([0.45, 0.1, 0.45], [lump, wide, far]), grid))[0] == 0
    share, place = narrow_cluster(of(wgf.Mixture([0.95, 0.05], [lump, wide]), grid))
    assert share == pytest.approx(0.95, abs=0.02)
    assert place.tolist() == [0.5, 0.5]


def test_what_is_left_of_the_mass_counts():
    """A density of mass 3 is judged by shares."""
    grid = wgf.Grid([-8], [8], 16)
    values = np.zeros(16)
    values[4] = 3.0
    assert narrow_cluster(wgf.Density(grid, values))[0] == 1.0


BLOW_UP = wgf.InteractionEnergy(W=wgf.potential("logarithm", strength=3.0), U=wgf.Entropy(1.0))
NARROWER = r"at t = \S+, \d+% of the mass lies around \(\S+\) in a cluster that is narrower than a cell: .* take more cells"


@pytest.mark.parametrize("cells", [60, 61])
def test_a_blow_up_is_said_once_and_stands_in_the_summary(cells, tmp_path):
    """Keller–Segel on a line, χ = 3: the variance would be zero at t = 1. Into one cell, or into two around their edge."""
    problem = wgf.Problem(BLOW_UP, wgf.Gaussian([0.0], [1.0]))
    method = wgf.FiniteVolume(cells, lower=[-12], upper=[12], diffusion="gibbs")
    with pytest.warns(wgf.ResolutionWarning, match=NARROWER) as caught:
        run = wgf.solve(problem, method, until=2.0, save=5, store=tmp_path / "run.h5")
    assert len(caught) == 1
    again = wgf.open_run(tmp_path / "run.h5")
    assert again.attributes["unresolved_time"] in run.times
    assert 0.5 <= again.attributes["unresolved_time"] <= 1.5
    assert again.attributes["unresolved_share"] > 0.8
    assert "narrower than a cell, with" in run_facts(again)["resolution"]


def test_what_does_not_blow_up_says_nothing():
    """χ = 1.9, below 2: the variance grows."""
    energy = wgf.InteractionEnergy(W=wgf.potential("logarithm", strength=1.9), U=wgf.Entropy(1.0))
    run = wgf.solve(
        wgf.Problem(energy, wgf.Gaussian([0.0], [1.0])),
        wgf.FiniteVolume(100, lower=[-12], upper=[12], diffusion="gibbs"),
        until=1.0,
        save=3,
    )
    assert "unresolved_share" not in run.attributes


@pytest.mark.parametrize(
    "method",
    [
        wgf.FiniteVolume(24, lower=[-2], upper=[2]),
        wgf.FiniteVolume(24, lower=[-2], upper=[2], grow=True),
        wgf.JKO(24, lower=[-2], upper=[2], dt=0.5),
        wgf.FiPyMesh(wgf.Box([24], [-2], [2])),
    ],
    ids=repr,
)
def test_every_method_with_cells_says_it(method):
    """A steep well draws all mass into two cells."""
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 2 * theta[..., 0] ** 2), wgf.Gaussian([0.0], [0.4]))
    with pytest.warns(wgf.ResolutionWarning, match=NARROWER):
        wgf.solve(problem, method, until=2.0, save=3)
