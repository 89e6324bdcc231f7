"""Distances against exact cases, and as distances: symmetric, zero at equality, with the triangle inequality."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import RIDGE_1D, Tanh
from scipy.stats import wasserstein_distance

import wgf
from wgf.measures.distances.register import DISTANCES, distance, expected_slope, self_distance
from wgf.measures.distances.sinkhorn import sinkhorn_divergence
from wgf.measures.distances.transport import wasserstein


def box(lower, upper, cells=7):
    """The uniform density on [lower, upper]."""
    return wgf.Density(wgf.Grid([lower], [upper], cells), np.full(cells, 1.0 / (upper - lower)))


def cloud(points, weights=None):
    points = np.asarray(points, dtype=float)
    points = points[:, None] if points.ndim == 1 else points
    return wgf.Cloud(points, np.full(len(points), 1.0 / len(points)) if weights is None else np.asarray(weights))


def random_measure(kind, p, seed, upper=None):
    rng = np.random.default_rng(seed)
    if kind == "cloud":
        weights = rng.exponential(size=6)
        return cloud(rng.normal(size=(6, p)), weights / weights.sum())
    grid = wgf.Grid([-2.0] * p, [upper or 1.0 + rng.random()] * p, [4] * p)
    values = rng.exponential(size=grid.shape) * rng.integers(0, 2, size=grid.shape)
    values[(0,) * p] += 0.1
    return wgf.Density(grid, values / (values.sum() * grid.cell_volume))


KINDS = st.sampled_from(["cloud", "density"])


@given(KINDS, KINDS, KINDS, st.sampled_from(["energy", "mean", "w1", "w2", "sliced_w2"]), st.integers(1, 3), st.integers(0, 10**6))
def test_they_are_distances(first, second, third, name, p, seed):
    """Symmetric, zero at equality, with the triangle inequality, to 1e-10: w2 to the error that it states, energy on one grid."""
    p = 1 if name == "w1" else p
    upper = 2.0 if name == "energy" and p > 1 else None
    a, b, c = (random_measure(kind, p, seed + k, upper) for k, kind in enumerate((first, second, third)))
    stated = sum(seen(name, *pair)[1] for pair in ((a, b), (b, c), (a, c)))
    assert seen(name, a, b)[0] == pytest.approx(seen(name, b, a)[0], abs=1e-7 if name == "w2" and p > 1 else 1e-10)
    assert seen(name, a, a)[0] == pytest.approx(0, abs=1e-10)
    assert seen(name, a, c)[0] <= seen(name, a, b)[0] + seen(name, b, c)[0] + stated + 1e-10


def seen(name, mu, nu):
    """A distance and what it states of its error; w2 of few parts, which is fast."""
    return wasserstein(mu, nu, most=32) if name == "w2" else (distance(name, mu, nu), 1e-6 * (name == "sliced_w2"))


@given(KINDS, KINDS, KINDS, st.sampled_from(["function", "loss"]), st.integers(0, 10**6))
def test_those_of_networks_are_distances_too(first, second, third, name, seed):
    energy = Tanh().problem.energy
    a, b, c = (random_measure(kind, 2, seed + k) for k, kind in enumerate((first, second, third)))
    assert distance(name, a, b, energy) == pytest.approx(distance(name, b, a, energy), abs=1e-10)
    assert distance(name, a, a, energy) == 0
    assert distance(name, a, c, energy) <= distance(name, a, b, energy) + distance(name, b, c, energy) + 1e-10


@pytest.mark.parametrize("name", ["w1", "w2", "sliced_w2"])
def test_a_translation_is_its_length(name):
    rng = np.random.default_rng(1)
    points = rng.normal(size=50)
    assert distance(name, cloud(points), cloud(points + 0.7)) == pytest.approx(0.7, abs=1e-10)
    assert distance(name, box(-1, 2), box(-0.3, 2.7)) == pytest.approx(0.7, abs=1e-10)


def test_two_boxes():
    """The quantile functions x and 2x + 1 on [0, 1]: W₁ = ∫(x + 1) = 3/2, W₂² = ∫(x + 1)² = 7/3, whatever the cells."""
    first, second = box(0, 1, 5), box(1, 3, 8)
    assert distance("w1", first, second) == pytest.approx(1.5, abs=1e-12)
    assert distance("w2", first, second) == pytest.approx(np.sqrt(7 / 3), abs=1e-12)


def test_quantiles_that_cross():
    """[−1, 1] against [−2, 2]: W₁ = ∫|2u − 1| du = ½, W₂² = ∫(2u − 1)² du = 1/3.

    F − G is x/4 on [−1, 1], and (2 − |x|)/4 up to sign beyond: energy distance² = 2∫(F − G)² dx = 2(1/24 + 1/24).
    """
    first, second = box(-1, 1, 3), box(-2, 2, 5)
    assert distance("w1", first, second) == pytest.approx(0.5, abs=1e-12)
    assert distance("w2", first, second) == pytest.approx(np.sqrt(1 / 3), abs=1e-12)
    assert distance("energy", first, second) == pytest.approx(np.sqrt(1 / 6), abs=1e-12)


def test_points_on_a_line_as_scipy_has_them():
    rng = np.random.default_rng(2)
    x, y, a, b = rng.normal(size=30), rng.normal(size=20), rng.random(30), rng.random(20)
    first, second = cloud(x, a / a.sum()), cloud(y, b / b.sum())
    assert distance("w1", first, second) == pytest.approx(wasserstein_distance(x, y, a, b), rel=1e-12)
    assert distance("w1", cloud([0.0, 1.0]), cloud([0.5])) == pytest.approx(0.5)


def test_gaussians_on_a_line():
    """W₂² = (m − m')² + (s − s')², to the accuracy of the cells."""
    grid = wgf.Grid([-8.0], [9.0], 4000)
    first, second = (wgf.Density(grid, wgf.Gaussian([m], [s]).cell_averages(grid)) for m, s in ((0.0, 1.0), (0.5, 0.7)))
    assert distance("w2", first, second) == pytest.approx(np.hypot(0.5, 0.3), rel=1e-5)
    assert distance("energy", first, second) > 0


def test_a_density_and_a_point():
    """All mass of [0, 1] goes to ½: W₁ = ¼, W₂² = 1/12."""
    assert distance("w1", box(0, 1), cloud([0.5])) == pytest.approx(0.25, abs=1e-12)
    assert distance("w2", cloud([0.5]), box(0, 1)) == pytest.approx(np.sqrt(1 / 12), abs=1e-12)


def test_the_energy_distance_in_the_plane_is_its_definition():
    x, y = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0]])
    expected = 2 * 0.5 * (1 + np.sqrt(2)) - 2 * 0.25 * 1.0
    assert distance("energy", cloud(x), cloud(y)) == pytest.approx(np.sqrt(expected), abs=1e-12)


@pytest.mark.parametrize("p", [2, 3])
def test_the_energy_distance_of_densities_is_that_of_their_cells(p):
    """The convolution against the sum over pairs of cells, on one grid; and between two grids after both are put on a common one."""
    grid, other = wgf.Grid([0.0] * p, [1.0, 2.0, 1.5][:p], [5, 6, 4][:p]), wgf.Grid([0.2] * p, [1.0] * p, [3] * p)
    common = wgf.Grid(
        grid.lower, grid.upper, [math.ceil(cells) for cells in np.array(grid.upper) / np.minimum(grid.spacing, other.spacing)]
    )
    rng = np.random.default_rng(9)
    first, second, third = (wgf.Density(g, rng.exponential(size=g.shape)) for g in (grid, grid, other))
    carried = [wgf.Density(common, density.cell_averages(common)) for density in (first, third)]
    for pair, cells in (((first, second), (first, second)), ((first, third), carried)):
        expected = distance("energy", *(wgf.Cloud(density.points, density.masses) for density in cells))
        assert distance("energy", *pair) == pytest.approx(expected, rel=1e-9)


def test_the_line_formula_of_the_energy_distance_is_the_general_one():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(12, 1)), rng.normal(size=(9, 1))
    flat = np.zeros((12, 1)), np.zeros((9, 1))
    lifted = [cloud(np.concatenate(pair, axis=1)) for pair in zip((x, y), flat, strict=True)]
    assert distance("energy", cloud(x), cloud(y)) == pytest.approx(distance("energy", *lifted), rel=1e-10)


@pytest.mark.parametrize("p", [2, 3])
def test_transport_in_the_plane_and_in_space(p):
    """A translation; the same after coarsening, within its bound."""
    rng = np.random.default_rng(4)
    points, shift = rng.normal(size=(400, p)), np.full(p, 0.4)
    exact = np.linalg.norm(shift)
    assert distance("w2", cloud(points), cloud(points + shift)) == pytest.approx(exact, abs=1e-10)
    value, bound = wasserstein(cloud(points), cloud(points + shift), most=60)
    assert 0 < bound < 2
    assert abs(value - exact) <= bound
    sliced = distance("sliced_w2", cloud(points), cloud(points + shift))
    assert sliced == pytest.approx(exact / np.sqrt(p), rel=1e-10 if p == 2 else 0.15)


def test_transport_between_a_density_and_its_sample():
    grid = wgf.Grid([-4, -4], [4, 4], 32)
    density = wgf.Density(grid, wgf.Gaussian((0, 0), (1, 0.5)).cell_averages(grid))
    sample = cloud(wgf.Gaussian((0, 0), (1, 0.5)).sample(300, np.random.default_rng(5)))
    value, bound = wasserstein(density, sample)
    assert 0.05 < value < 0.5
    assert bound < 0.25
    fine = density.sample(20_000, np.random.default_rng(6))  # which is within 0.03 of the density
    assert abs(value - wasserstein(cloud(fine), sample, most=2000)[0]) < 0.06


def test_networks_are_compared_by_their_functions_and_losses():
    """The function distance is the discrepancy of the kernel K = ⟨g, g'⟩."""
    energy = Tanh(0.1).problem.energy
    rng = np.random.default_rng(6)
    first, second = cloud(rng.normal(size=(5, 2))), cloud(rng.normal(size=(4, 2)))
    points = np.concatenate([first.points, second.points])
    signed = np.concatenate([first.masses, -second.masses])
    g = energy.neuron.value(points, energy.data.inputs)
    assert distance("function", first, second, energy) ** 2 == pytest.approx(signed @ (g * energy.data.weights) @ g.T @ signed, rel=1e-10)
    assert distance("loss", first, second, energy) == pytest.approx(abs(energy.loss(first) - energy.loss(second)))


def test_a_run_and_its_closed_form():
    """Mean and spread of the linear neuron: w2 between the density and the exact law is of the size of the cells."""
    lower, upper = RIDGE_1D.box
    run = wgf.solve(RIDGE_1D.problem, wgf.FiniteVolume(200, lower, upper), until=1.0, save=2)
    last = run.measures[-1]
    exact = wgf.Density(last.grid, RIDGE_1D.law(1.0).cell_averages(last.grid))
    assert distance("w2", last, exact) <= 2e-3


@pytest.mark.parametrize(
    ("name", "pair", "message"),
    [
        ("w3", (cloud([0.0]), cloud([1.0])), r"unknown distance 'w3' \(did you mean 'w2'\?\)|unknown distance 'w3'"),
        ("w1", (cloud([[0.0, 0.0]]), cloud([[1.0, 0.0]])), "w1 is for one dimension: take w2, sliced_w2 or energy"),
        ("w2", (cloud([0.0]), cloud([[1.0, 0.0]])), "the measures have 1 and 2 coordinates"),
        ("function", (cloud([0.0]), cloud([1.0])), "give energy = a RegressionEnergy"),
        ("loss", (cloud([0.0]), cloud([1.0])), "energy = problem.energy"),
    ],
)
def test_pairs_without_the_distance_are_named(name, pair, message):
    with pytest.raises(wgf.InputError, match=message):
        distance(name, *pair)


def test_every_name_is_one_word_for_files():
    assert all(name.isidentifier() for name in DISTANCES)


def gaussian_on(grid, mean, std):
    return wgf.Density(grid, wgf.Gaussian(mean, std).cell_averages(grid))


def test_the_sinkhorn_divergence_of_a_translation_is_its_length():
    """Whatever ε; and near W₂ for other Gaussians, where W₂² = |m − m'|² + |s − s'|²."""
    grid = wgf.Grid([-3, -3], [3, 3], 64)
    first, moved = gaussian_on(grid, [0, 0], [0.4, 0.4]), gaussian_on(grid, [0.5, 0.2], [0.4, 0.4])
    for epsilon in (0.05, 0.5):
        assert sinkhorn_divergence(first, moved, epsilon) == pytest.approx(np.hypot(0.5, 0.2), rel=1e-5)
    other = gaussian_on(grid, [0.5, 0.2], [0.3, 0.5])
    assert distance("sinkhorn", first, other) == pytest.approx(np.sqrt(0.29 + 0.02), rel=2e-3)
    assert distance("sinkhorn", first, other) == pytest.approx(distance("sinkhorn", other, first), rel=1e-6)
    assert distance("sinkhorn", first, first) == pytest.approx(0, abs=1e-6)


def test_the_sinkhorn_divergence_is_that_of_dense_plans():
    """Against alternating scalings with the dense kernel, on a line with empty cells."""
    grid = wgf.Grid([0.0], [2.0], 20)
    rng = np.random.default_rng(5)
    a, b = (rng.exponential(size=20) * rng.integers(0, 2, 20) + 1e-3 * (np.arange(20) == 7) for _ in range(2))
    a, b = a / a.sum(), b / b.sum()
    x, epsilon = grid.centers[0], 0.1
    cost = np.subtract.outer(x, x) ** 2

    def dense(a, b):
        u, v, kernel = np.ones(20), np.ones(20), np.exp(-cost / epsilon)
        for _ in range(4000):
            u = a / (kernel @ v)
            v = b / (kernel.T @ u)
        plan = u[:, None] * kernel * v
        full = plan > 0
        return np.sum(plan * cost) + epsilon * np.sum(plan[full] * np.log((plan / np.outer(a, b).clip(1e-300))[full]))

    expected = dense(a, b) - 0.5 * dense(a, a) - 0.5 * dense(b, b)
    densities = (wgf.Density(grid, values / grid.cell_volume) for values in (a, b))
    assert sinkhorn_divergence(*densities, epsilon) ** 2 == pytest.approx(expected, rel=1e-6)


@pytest.mark.long
def test_sinkhorn_where_scalings_overflow():
    """Far apart beside ε: the log domain takes over. W₂² = |shift|² + |s − s'|²."""
    grid = wgf.Grid([-3, -3], [3, 3], 48)
    first, second = gaussian_on(grid, [-2, -2], [0.3, 0.3]), gaussian_on(grid, [2, 2], [0.2, 0.2])
    assert sinkhorn_divergence(first, second, 0.04) == pytest.approx(np.sqrt(32 + 0.02), rel=3e-3)


def test_sinkhorn_counts_a_cloud_in_cells_also_beyond_the_box():
    grid = wgf.Grid([-3, -3], [3, 3], 48)
    density, points = gaussian_on(grid, [0, 0], [0.4, 0.4]), np.random.default_rng(6).normal([0, 0], 0.4, (4000, 2))
    assert distance("sinkhorn", density, cloud(points)) < 0.03
    assert distance("sinkhorn", cloud(points + np.array([3.0, 0.0])), density) == pytest.approx(3.0, rel=0.02)
    with pytest.raises(wgf.InputError, match="computed on the grid of a density, and neither measure is one"):
        distance("sinkhorn", cloud(points), cloud(points))
    with pytest.raises(wgf.InputError, match="between densities on one grid"):
        distance("sinkhorn", density, gaussian_on(wgf.Grid([-3, -3], [3, 3], 40), [0, 0], [0.4, 0.4]))
    with pytest.raises(wgf.InputError, match="epsilon = -1: it must be a positive number"):
        sinkhorn_divergence(density, density, -1.0)


def test_the_mean_of_measures():
    assert distance("mean", cloud([[0.0, 1.0], [2.0, 1.0]]), cloud([[1.0, 3.0]])) == pytest.approx(2.0)


@pytest.mark.parametrize("name", ["energy", "mean", "w2", "sliced_w2"])
def test_equal_measures_are_seen_at_their_floor(name):
    """A law and points from it; two samples of one law: within a factor of what self_distance says. Another law is far above."""
    grid = wgf.Grid([-4.0], [4.0], 100)
    law, rng = gaussian_on(grid, [0.0], [1.0]), np.random.default_rng(8)
    first, second, other = cloud(law.sample(400, rng)), cloud(law.sample(300, rng)), cloud(law.sample(300, rng) + 0.6)
    for mu, nu in ((law, first), (first, second)):
        assert distance(name, mu, nu) < 2.5 * self_distance(name, mu, nu)
    assert distance(name, law, other) > 3 * self_distance(name, law, other)
    assert distance(name, first, other) > 3 * self_distance(name, first, other)
    assert self_distance(name, law, gaussian_on(grid, [0.3], [1.0])) == 0  # on the same cells
    assert self_distance("mean", law, first, draws=400) == pytest.approx(1 / 20, rel=0.1)


def test_the_floor_of_a_weighted_cloud_is_that_of_its_law():
    nodes, weights = wgf.Gaussian([0.0], [1.0]).quadrature(20)
    law = wgf.Cloud(nodes, weights)
    assert self_distance("mean", law, cloud(np.zeros(100)), draws=400) == pytest.approx(0.1, rel=0.1)
    assert self_distance("mean", law, law) == 0


def test_expected_slopes():
    assert [expected_slope("w2", p) for p in (1, 2, 3, 4)] == [-1, -1, -2 / 3, -1 / 2]
    assert expected_slope("sinkhorn", 4) == expected_slope("function", 3) == -1


@pytest.mark.parametrize("name", ["mean", "energy", "w1", "w2", "sliced_w2", "sinkhorn"])
@pytest.mark.parametrize("other", [None, [0.0, 1.0], np.zeros((3, 1))])
def test_what_is_no_measure_is_named(name, other):
    cloud = wgf.Cloud(np.zeros((2, 1)), np.full(2, 0.5))
    for pair in ((cloud, other), (other, cloud)):
        with pytest.raises(
            wgf.InputError, match=f"give two measures, each a Density, a MeshDensity or a Cloud; {type(other).__name__} is none"
        ):
            wgf.distance(name, *pair)
    with pytest.raises(wgf.InputError, match="sinkhorn_divergence is between densities on one grid; Cloud is none"):
        wgf.sinkhorn_divergence(cloud, cloud)
