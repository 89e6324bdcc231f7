"""Measures in parts of equal mass: nothing is lost, and parts that correspond go with the measure."""

import numpy as np
import pytest

import wgf
from wgf.measures.distances.halving import Bricks, bricks, halved, points_of


def random_density(cells, seed=0):
    grid = wgf.Grid([-1.0] * len(cells), [1.0, 2.0, 1.5][: len(cells)], cells)
    values = np.random.default_rng(seed).exponential(size=cells) * np.random.default_rng(seed + 1).integers(0, 2, size=cells)
    return wgf.Density(grid, values)


def random_cloud(m, p, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.exponential(size=m)
    return wgf.Cloud(rng.integers(0, 5, size=(m, p)) / 4.0, weights / weights.sum())  # many at the same places


MEASURES = [random_density((7, 5)), random_density((4, 3, 5)), random_cloud(60, 2), random_cloud(7, 3)]


@pytest.mark.parametrize("measure", MEASURES)
def test_the_parts_have_equal_mass_and_the_moments_of_the_whole(measure):
    given = bricks(measure)
    for (parts,) in halved([given], [0, 3, 6]):
        assert parts.masses == pytest.approx(np.full(len(parts.masses), 1 / len(parts.masses)), rel=1e-9)
        assert parts.masses @ parts.means == pytest.approx(measure.mean, abs=1e-12)
        second = parts.masses @ (parts.means**2 + parts.stds**2)
        assert second == pytest.approx(given.masses @ (given.centers**2 + given.widths**2 / 12), rel=1e-9)


def test_parts_of_a_square_are_squares():
    (parts,) = halved([bricks(wgf.Density(wgf.Grid([0, 0], [1, 1], (3, 7)), np.ones((3, 7))))], [4])[0]
    assert {tuple(np.round(mean, 9)) for mean in parts.means} == {((i + 0.5) / 4, (j + 0.5) / 4) for i in range(4) for j in range(4)}
    assert parts.stds == pytest.approx(np.full((16, 2), 0.25 / np.sqrt(12)), rel=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
def test_corresponding_parts_go_with_a_measure_that_is_moved_and_stretched(measure):
    first = bricks(measure)
    scale, shift = np.array([1.1, 0.8, 1.3])[: measure.points.shape[1]], np.array([0.3, -0.2, 0.1])[: measure.points.shape[1]]
    second = Bricks(first.centers * scale + shift, first.widths * scale, first.masses)
    ((one, other),) = halved([first, second], [6])
    assert other.means == pytest.approx(one.means * scale + shift, abs=1e-9)
    assert other.stds == pytest.approx(one.stds * scale, abs=1e-7)


def test_points_are_kept_as_they_are():
    cloud = random_cloud(5, 2)
    parts = points_of(bricks(cloud))
    assert parts.means == pytest.approx(cloud.points)
    assert parts.spread == 0


def test_cells_across_the_cut_of_a_periodic_axis_are_cut_there():
    """Uniform around: seen from any centre, it begins half a period before it."""
    density = wgf.Density(wgf.Grid([0, 0], [1, 1], (5, 3), boundary=["periodic", "no-flux"]), np.ones((5, 3)))
    seen = bricks(density).placed(np.array([0.07, 0.5]), np.array([1.0, 0.0]))
    assert seen.masses.sum() == pytest.approx(1)
    assert (seen.centers[:, 0] - 0.5 * seen.widths[:, 0]).min() == pytest.approx(-0.5)
    assert (seen.centers[:, 0] + 0.5 * seen.widths[:, 0]).max() == pytest.approx(0.5)
    assert seen.masses @ seen.centers == pytest.approx([0, 0], abs=1e-12)
    assert seen.masses @ (seen.centers**2 + seen.widths**2 / 12) == pytest.approx([1 / 12, 1 / 12])
