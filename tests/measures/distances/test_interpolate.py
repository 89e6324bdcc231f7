"""The two ways between two measures: linear in the masses, or the geodesic of W₂; exact where they promise it, whatever the pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import Tanh
from scipy.optimize import linear_sum_assignment

import wgf
from wgf.measures.distances.interpolate import carried
from wgf.measures.distances.transport import MOST_POINTS

SHARES = st.floats(0, 1)
CORNERS, TRIANGLES = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), np.array([[0, 1, 2], [0, 2, 3]])
MESH = wgf.Mesh(CORNERS, TRIANGLES, CORNERS[TRIANGLES].mean(axis=1), np.array([0.5, 0.5]), 2, ("x", "y"))


def density(seed, lower=-1.0, upper=2.0, cells=7, p=1, boundary="no-flux"):
    """Without any order, and with empty cells; of mass one."""
    rng = np.random.default_rng(seed)
    grid = wgf.Grid([lower] * p, [upper] * p, [cells] * p, boundary=boundary)
    values = rng.exponential(size=grid.shape) * rng.integers(0, 2, size=grid.shape)
    values[(cells // 2,) * p] += 0.1
    return wgf.Density(grid, values / (values.sum() * grid.cell_volume))


def cloud(seed, m=6, p=1):
    rng = np.random.default_rng(seed)
    weights = rng.exponential(size=m)
    return wgf.Cloud(rng.normal(size=(m, p)), weights / weights.sum())


def on_mesh(seed, p=2):
    rng = np.random.default_rng(seed)
    return wgf.MeshDensity(MESH, 2 * rng.dirichlet([1.0, 1.0]))


KINDS = {"density": density, "cloud": cloud, "mesh": on_mesh}


def moments(measure):
    """∫ f dμ of a few functions of θ, with a cell at its centre."""
    return measure.integrate(lambda theta: np.concatenate([np.ones((len(theta), 1)), theta, np.sin(2 * theta), theta**2], axis=1))


@given(st.sampled_from(sorted(KINDS)), st.sampled_from(sorted(KINDS)), SHARES, st.integers(0, 10**6))
def test_integrals_are_linear_along_a_mixture(first, second, s, seed):
    mu, nu = KINDS[first](seed, p=2), KINDS[second](seed + 1, p=2)
    assert moments(wgf.interpolate(mu, nu, s)) == pytest.approx((1 - s) * moments(mu) + s * moments(nu), abs=1e-13)


def test_mixtures_keep_their_cells():
    """Of one grid, of one mesh, and of two grids whose cells lie on one lattice."""
    mu, nu = density(0), density(1)
    mixed = wgf.interpolate(mu, nu, 0.25)
    assert mixed.grid == mu.grid
    assert mixed.values == pytest.approx(0.75 * mu.values + 0.25 * nu.values, abs=1e-15)
    first, second = on_mesh(0), on_mesh(1)
    assert wgf.interpolate(first, second, 0.25).values == pytest.approx(0.75 * first.values + 0.25 * second.values)
    part = wgf.Density(wgf.Grid([0.5], [1.25], 3), np.full(3, 4 / 3))
    fine = wgf.Density(wgf.Grid([0.0], [2.0], 8), np.full(8, 0.5))
    both = wgf.interpolate(part, fine, 0.5)
    assert isinstance(both, wgf.Density)
    assert both.pdf(np.array([[0.1], [0.6], [1.1], [1.6]])) == pytest.approx([0.25, 0.25 + 2 / 3, 0.25 + 2 / 3, 0.25])


@given(
    st.sampled_from(["density", "cloud", "both"]),
    st.sampled_from([("no-flux", 1), ("periodic", 1), ("no-flux", 2), ("no-flux", 3)]),
    SHARES,
    SHARES,
    st.integers(0, 10**6),
)
def test_the_displacement_is_a_geodesic(kind, space, s, t, seed):
    """W₂(μ_s, μ_t) = |s − t| W₂(μ, ν), by points, which stand for densities."""
    boundary, p = space
    mu = cloud(seed, p=p) if kind == "cloud" else density(seed, p=p, cells=5, boundary=boundary)
    nu = density(seed + 1, p=p, cells=5, boundary=boundary) if kind == "density" else cloud(seed + 1, p=p)
    way = carried(mu, nu, np.array(mu.periods if kind != "cloud" else [0.0] * p))
    whole = wgf.distance("w2", way(0.0), way(1.0))
    assert wgf.distance("w2", way(s), way(t)) ** 2 == pytest.approx((s - t) ** 2 * whole**2, abs=1e-12)  # squares have the rounding
    assert way(s).mass == pytest.approx(1.0)


def test_the_ends_are_the_measures():
    """Densities on a line and on a circle cell by cell, clouds point by point."""
    for boundary in ("no-flux", "periodic"):
        mu, nu = density(3, boundary=boundary), density(4, boundary=boundary)
        for s, end in ((0, mu), (1, nu)):
            assert wgf.interpolate(mu, nu, s, along="displacement").values == pytest.approx(end.values, abs=1e-14)
    for p in (1, 2):
        mu, nu = cloud(5, p=p), cloud(6, p=p)
        for s, end in ((0, mu), (1, nu)):
            found = wgf.interpolate(mu, nu, s, along="displacement")
            assert wgf.distance("energy", found, end) == pytest.approx(0, abs=1e-7)


def test_normal_laws_stay_normal():
    """From N(m, σ²) to N(m', σ'²) by N((1 − s)m + sm', ((1 − s)σ + sσ')²), to first order in h."""
    errors = []
    for cells in (100, 200):
        grid = wgf.Grid([-6.0], [6.0], cells)
        mu, nu, half = (wgf.Density(grid, wgf.Gaussian([m], [s]).cell_averages(grid)) for m, s in ((2.0, 0.4), (-1.5, 0.8), (0.6, 0.56)))
        found = wgf.interpolate(mu, nu, 0.4, along="displacement")
        errors.append(np.abs(found.values - half.values).sum() * grid.cell_volume)
    assert errors[1] < 0.005
    assert errors[0] / errors[1] > 1.9


def test_boxes_become_a_box():
    """x and 2x + 1 have the half-way quantile function (3x + 1)/2: the uniform law on [½, 2], exactly."""
    grid = wgf.Grid([0.0], [3.0], 6)
    mu, nu = wgf.Density(grid, np.array([1, 1, 0, 0, 0, 0.0])), wgf.Density(grid, np.array([0, 0, 1, 1, 1, 1.0]) / 2)
    found = wgf.interpolate(mu, nu, 0.5, along="displacement")
    assert found.values == pytest.approx(np.array([0, 1, 1, 1, 0, 0]) / 1.5, abs=1e-15)


def test_around_a_circle_the_shorter_way():
    """Points on both sides of the cut meet at the cut, in one dimension and on a cylinder; so do bumps of a density."""
    points = [wgf.Cloud(np.array([[place]]), np.ones(1), periods=(1.0,)) for place in (0.1, 0.9)]
    assert wgf.interpolate(*points, 0.5, along="displacement").positions.item() % 1.0 == pytest.approx(0, abs=1e-12)
    points = [wgf.Cloud(np.array([[place, place]]), np.ones(1), periods=(1.0, 0.0)) for place in (0.1, 0.9)]
    assert wgf.interpolate(*points, 0.5, along="displacement").positions[0] == pytest.approx([0, 0.5], abs=1e-12)
    grid = wgf.Grid([0.0], [1.0], 10, boundary="periodic")
    bumps = [wgf.Density(grid, 10.0 * (np.arange(10) == place)) for place in (1, 8)]
    met = wgf.interpolate(*bumps, 0.5, along="displacement")
    assert met.values == pytest.approx(5.0 * np.isin(np.arange(10), (9, 0)), abs=1e-12)


def test_equal_points_go_by_an_optimal_assignment():
    """Against SciPy's, in the plane."""
    mu, nu = (wgf.Cloud(np.random.default_rng(seed).normal(size=(40, 2)), np.full(40, 1 / 40)) for seed in (0, 1))
    costs = np.sum((mu.points[:, None] - nu.points) ** 2, axis=-1)
    rows, columns = linear_sum_assignment(costs)
    expected = 0.7 * mu.points[rows] + 0.3 * nu.points[columns]
    found = wgf.interpolate(mu, nu, 0.3, along="displacement")
    assert np.sort(found.positions, axis=0) == pytest.approx(np.sort(expected, axis=0), abs=1e-12)
    assert found.weights == pytest.approx(1 / 40)


def test_large_measures_go_by_their_parts():
    """A shift is seen as one, of densities with more cells than points can be transported, and of a mesh."""
    grid = wgf.Grid([-4.0, -4.0], [4.0, 4.0], 64)
    mu, nu = (wgf.Density(grid, wgf.Gaussian([m, 0.0], [0.5, 0.6]).cell_averages(grid)) for m in (-1.0, 1.0))
    assert np.count_nonzero(mu.values > 1e-15 * mu.values.max()) > MOST_POINTS
    found = wgf.interpolate(mu, nu, 0.5, along="displacement")
    assert found.mean == pytest.approx([0, 0], abs=1e-6)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx([0.5, 0.6], rel=0.02)
    assert wgf.interpolate(on_mesh(0), cloud(0, p=2), 1, along="displacement").mean == pytest.approx(cloud(0, p=2).mean)


def test_the_neuron_is_kept():
    neuron = Tanh().problem.energy.neuron
    mu, nu = cloud(0, p=2), wgf.Cloud(np.zeros((1, 2)), np.ones(1), neuron)
    for along in ("mixture", "displacement"):
        assert wgf.interpolate(mu, nu, 0.5, along=along).neuron is neuron
        assert wgf.interpolate(nu, mu, 0.5, along=along).neuron is neuron


@pytest.mark.parametrize("along", ["mixture", "displacement"])
def test_what_cannot_be_joined_is_refused(along):
    with pytest.raises(wgf.InputError, match="the measures have 1 and 2 coordinates: they must agree"):
        wgf.interpolate(cloud(0), cloud(0, p=2), 0.5, along=along)
    with pytest.raises(
        wgf.InputError, match="the measures have the masses 1 and 2, which must agree: divide the values or weights by them"
    ):
        wgf.interpolate(cloud(0), wgf.Cloud(np.zeros(2), np.ones(2)), 0.5, along=along)
    with pytest.raises(wgf.InputError, match="the axes wrap around after 3 for one measure and after 0 for the other"):
        wgf.interpolate(density(0, boundary="periodic"), density(0), 0.5, along=along)
