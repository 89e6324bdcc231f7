"""Densities and empirical measures: both are points and masses, and integrate as their definition says."""

import numpy as np
import pytest

import wgf
from wgf.measures import base
from wgf.measures.measure import density_around

GRID = wgf.Grid([-1, 0, 2], [1, 3, 2.5], (3, 4, 2), ("c", "a", "b"))
NEURON = wgf.Neuron("tanh", ("c", "a", "b"))
X = np.linspace(-1, 1, 11)


@pytest.fixture(params=["density", "cloud"])
def mu(request):
    """A measure of mass about 3 on 24 points of three coordinates."""
    rng = np.random.default_rng(5)
    if request.param == "density":
        return wgf.Density(GRID, rng.uniform(0.5, 1.5, GRID.shape), NEURON)
    return wgf.Cloud(rng.normal(size=(24, 3)), rng.uniform(0.05, 0.2, 24), NEURON)


def test_the_points_and_masses_of_a_density_are_its_cells():
    values = np.arange(24.0).reshape(GRID.shape)
    density = wgf.Density(GRID, values)
    assert np.array_equal(density.points, GRID.points())
    for theta, mass in zip(density.points, density.masses, strict=True):
        cell = tuple(int((coordinate - low) // h) for coordinate, low, h in zip(theta, GRID.lower, GRID.spacing, strict=True))
        assert mass == pytest.approx(values[cell] * (2 / 3) * (3 / 4) * (1 / 4))


def test_the_points_and_masses_of_a_cloud_are_its_positions_and_weights():
    positions, weights = np.ones((4, 2)), np.full(4, 0.25)
    cloud = wgf.Cloud(positions, weights)
    assert cloud.points is positions
    assert cloud.masses is weights


def test_mass_mean_and_covariance_are_sums(mu):
    pairs = list(zip(mu.points, mu.masses, strict=True))
    mass = sum(m for _, m in pairs)
    mean = sum(m * theta for theta, m in pairs) / mass
    covariance = sum(m * np.outer(theta - mean, theta - mean) for theta, m in pairs) / mass
    assert mu.mass == pytest.approx(mass, rel=1e-14)
    assert mu.mean == pytest.approx(mean, rel=1e-13)
    assert mu.covariance == pytest.approx(covariance, rel=1e-12)


def test_integrate_sums_numbers_and_vectors(mu):
    total = sum(m * np.sin(theta[0]) for theta, m in zip(mu.points, mu.masses, strict=True))
    assert mu.integrate(lambda theta: np.sin(theta[:, 0])) == pytest.approx(total, rel=1e-13)
    assert isinstance(mu.integrate(lambda theta: np.sin(theta[:, 0])), float)
    assert mu.integrate(lambda theta: theta) == pytest.approx(mu.mean * mu.mass, rel=1e-13)


@pytest.mark.parametrize("values", [1.0, 1j, None, np.ones(3), np.ones((2, 24))])
def test_a_function_with_values_of_another_shape_is_no_integrand(mu, values):
    with pytest.raises(wgf.InputError, match=r"the function gave values of shape .* at 24 points \(N, p\): give \(N,\) or \(N, k\)"):
        mu.integrate(lambda theta: values)


def test_the_prediction_is_the_integral_of_the_neuron(mu):
    by_hand = sum(m * c * np.tanh(a * X + b) for (c, a, b), m in zip(mu.points, mu.masses, strict=True))
    assert mu.predict(X) == pytest.approx(by_hand, rel=1e-12)
    assert np.array_equal(mu.predict(X[:, None]), mu.predict(X))
    assert mu.predict(0.5) == pytest.approx(mu.predict([0.5]), rel=1e-14)


@pytest.mark.parametrize("block", [1, 11, 40, 7 * 11, 10**6])
def test_the_prediction_does_not_depend_on_the_blocks(mu, block, monkeypatch):
    expected = mu.masses @ NEURON.value(mu.points, X[:, None])
    monkeypatch.setattr(base, "BLOCK", block)
    assert mu.predict(X) == pytest.approx(expected, rel=1e-12)


def test_a_custom_neuron_predicts_too():
    class Place:
        def value(self, theta, x):
            return theta[..., :1] * x[:, 0]

    assert wgf.Cloud(np.array([[1.0], [3.0]]), np.array([0.5, 0.5]), Place()).predict([2.0]) == pytest.approx([4.0])


def test_several_inputs_come_as_a_table():
    cloud = wgf.Cloud(np.array([[1.0, 2.0]]), np.ones(1), wgf.Neuron("identity", ("a1", "a2"), dim=2))
    assert cloud.predict(np.array([[1.0, 0.0], [3.0, 4.0]])) == pytest.approx([1.0, 11.0])


def test_a_marginal_integrates_over_the_other_axes():
    density = wgf.Density(GRID, np.random.default_rng(6).uniform(size=GRID.shape))
    for axis, (n, h) in enumerate(zip(GRID.shape, GRID.spacing, strict=True)):
        marginal = density.marginal(axis)
        by_hand = [np.take(density.values, k, axis).sum() * GRID.cell_volume / h for k in range(n)]
        assert marginal == pytest.approx(by_hand, rel=1e-13)
        assert marginal.sum() * h == pytest.approx(density.mass, rel=1e-13)
    assert density.marginal(0, 2) == pytest.approx(density.values.sum(axis=1) * GRID.spacing[1], rel=1e-13)
    assert np.array_equal(density.marginal(0, 1, 2), density.values)


def test_measures_say_what_they_are():
    density = wgf.Density(wgf.Grid([0, 0], [1, 2], 2), np.full((2, 2), 0.5))
    assert repr(density) == "Density(Grid(2 × 2 on [0, 1] × [0, 2]), mass 1)"
    assert repr(wgf.Cloud(np.ones((4, 2)), np.full(4, 0.25))) == "Cloud(4 points in 2 dimensions, mass 1)"


def test_a_measure_without_a_neuron_cannot_predict():
    with pytest.raises(wgf.InputError, match=r"built without a neuron, so it cannot predict; give it one: neuron="):
        wgf.Cloud(np.ones((2, 2)), np.full(2, 0.5)).predict(X)


def test_predicting_at_inputs_of_another_dimension_is_refused():
    cloud = wgf.Cloud(np.zeros((3, 3)), np.full(3, 1 / 3), wgf.Neuron("tanh", ("c", "a1", "a2"), dim=2))
    assert cloud.predict(np.zeros((0, 2))).shape == (0,)
    with pytest.raises(wgf.InputError, match=r"x has shape \(5,\), but the neuron has 2 inputs; give \(n, 2\)"):
        cloud.predict(np.zeros(5))


def test_a_density_on_its_own_grid_is_itself_bit_for_bit():
    density = wgf.Density(GRID, np.random.default_rng(8).uniform(size=GRID.shape))
    same = wgf.Grid(GRID.lower, GRID.upper, GRID.shape)
    assert np.array_equal(density.averages_over(same), density.values)
    assert density.dim == 3


@pytest.mark.coarse
def test_a_density_of_any_mass_is_a_law_of_mass_one():
    """As a law, in a mixture and a box, too, a density stands for a probability; another mass of it is no loss of mass, and not said."""
    grid, half = wgf.Grid([0], [4], 8), wgf.Grid([0], [2], 4)
    shape = np.array([1.0, 2, 3, 2, 1, 1, 0, 0])
    unit, triple, tiny = (wgf.Density(grid, factor * shape / (shape.sum() * grid.cell_volume)) for factor in (1.0, 3.0, 1e-290))
    for law in (triple, tiny):
        assert law.cell_averages(half) == pytest.approx(unit.values[:4])
        assert law.pdf(np.array([[0.7], [9.0]])) == pytest.approx([unit.values[1], 0.0])
    mixture = wgf.Mixture([0.5, 0.5], [triple, wgf.Uniform([0], [4])])
    assert mixture.cell_averages(grid).sum() * grid.cell_volume == pytest.approx(1)
    energy = wgf.InteractionEnergy(V=lambda x: 0.5 * (x[..., 0] - 1) ** 2)
    kept = 0.8  # of the mass lies in the box [0, 2]
    for method in (
        wgf.FiniteVolume(4, lower=[0], upper=[2], edge_tolerance=1),
        wgf.Particles(10, lower=[0], upper=[2]),
        wgf.FiPyMesh(wgf.Box(4, [0], [2]), edge_tolerance=1),
    ):
        with pytest.warns(wgf.BoundaryWarning, match=rf"leaves out {1 - kept:.2g} of the initial law"):
            run = wgf.solve(wgf.Problem(energy, triple), method, until=0.01, save=2)
        assert run.mass == pytest.approx(1)
    whole = wgf.solve(wgf.Problem(energy, triple), wgf.FiniteVolume(8, lower=[0], upper=[4], edge_tolerance=1), until=0.01, save=2)
    assert whole.measures[0].values == pytest.approx(unit.values)


def test_a_density_is_carried_to_another_grid_exactly():
    """Against plain sampling of the piecewise constant density; mass is kept where the other box holds the first."""
    grid = wgf.Grid([0, 0], [1, 2], (4, 5))
    density = wgf.Density(grid, np.random.default_rng(9).uniform(size=grid.shape))
    other = wgf.Grid([-0.3, -0.1], [1.1, 2.5], (7, 6))
    found = density.averages_over(other)
    assert found.sum() * other.cell_volume == pytest.approx(density.mass, rel=1e-13)
    fine = np.stack(np.meshgrid(*(np.linspace(low, high, 40 * n, endpoint=False) + (high - low) / (80 * n)
            for low, high, n in zip(other.lower, other.upper, other.shape, strict=True)), indexing="ij"), -1)  # fmt: skip
    place = np.floor((fine - grid.lower) / grid.spacing).astype(int)
    inside = ((place >= 0) & (place < grid.shape)).all(axis=-1)
    sampled = np.where(inside, density.values[tuple(np.moveaxis(np.clip(place, 0, np.array(grid.shape) - 1), -1, 0))], 0.0)
    assert found == pytest.approx(sampled.reshape(7, 40, 6, 40).mean(axis=(1, 3)), abs=0.03)


def test_samples_of_a_density_lie_in_its_cells_by_their_mass():
    grid = wgf.Grid([0, 0], [1, 2], (2, 2))
    density = wgf.Density(grid, np.array([[0.1, 0.4], [0.0, 0.5]]))
    points = density.sample(20_000, np.random.default_rng(0))
    found, _, _ = np.histogram2d(*points.T, bins=[[0, 0.5, 1], [0, 1, 2]])
    assert found / 20_000 == pytest.approx(density.values * grid.cell_volume / density.mass, abs=0.015)
    nodes, weights = density.quadrature(7)
    assert np.array_equal(nodes, grid.points())
    assert weights == pytest.approx(density.values.ravel() / density.values.sum())


@pytest.mark.coarse
def test_a_run_goes_on_from_the_frame_of_another():
    data = wgf.Data([-1.0, 0.5], [0.5, 1.0])
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data), wgf.Gaussian([0, 0.5], [0.3, 0.3]))
    method = wgf.FiniteVolume(24, [-2, -2], [2, 3])
    whole = wgf.solve(problem, method, until=1.0, save=3)
    rest = wgf.solve(wgf.Problem(problem.energy, whole.measures[1]), method, until=0.5, save=2)
    assert rest.measures[-1].values == pytest.approx(whole.measures[-1].values, abs=3e-5)


PLANE = wgf.Grid([0, 0], [1, 1], (2, 3))


def density_of(change):
    values = np.ones((2, 3))
    change(values)
    return values


def negative(values):
    values[1, 2] = -0.17


def undefined(values):
    values[0, 1] = np.nan


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wgf.Density(PLANE, density_of(negative)), r"the density is -0.17 in cell \(1, 2\); give numbers ≥ 0"),
        (lambda: wgf.Density(PLANE, density_of(undefined)), r"the density is nan in cell \(0, 1\); give numbers ≥ 0"),
        (lambda: wgf.Density(wgf.Grid([0], [1], 2), [1.0, np.inf]), r"the density is inf in cell 1; give numbers ≥ 0"),
        (lambda: wgf.Density(PLANE, np.zeros((2, 3))), r"the density is zero everywhere; a measure needs mass"),
        (lambda: wgf.Density(PLANE, [[1, 2, 3], [4, 5]]), r"the values of the density are not real numbers in rows of one length"),
        (lambda: wgf.Density(PLANE, np.ones((2, 3)) * 1j), r"the values of the density are of the type complex128; give real numbers"),
        (lambda: wgf.Density(PLANE, [["1", "2", "3"]] * 2), r"the values of the density are of the type <U1; give real numbers"),
        (lambda: wgf.Density(PLANE, np.ma.masked_less(density_of(negative), 0)), r"are masked in 1 places; .*: values.filled\(…\)"),
        (
            lambda: wgf.Cloud([[0, np.nan], [0, 0]], [0.5, 0.5]),
            r"point 0 of the empirical measure is \[0.0, nan\]: every coordinate must be a finite number",
        ),
        (lambda: wgf.Cloud([[0.0], [1.0]], [1.5, -0.5]), r"the weight of the empirical measure is -0.5 at point 1; give numbers ≥ 0"),
        (lambda: wgf.Cloud([[0.0], [1.0]], [0.0, 0.0]), r"the weight of the empirical measure is zero everywhere; a measure needs mass"),
        (
            lambda: wgf.Cloud(np.empty((0, 1)), np.empty(0)),
            r"positions have shape \(0, 1\) and the weights \(0,\); give \(m, p\) and \(m,\), m at least 1",
        ),
        (lambda: wgf.Cloud([[0.0], [1.0]], [1.0]), r"positions have shape \(2, 1\) and the weights \(1,\); give \(m, p\) and \(m,\)"),
        (
            lambda: wgf.Cloud(np.ma.masked_equal([[0.0], [1.0]], 1.0), [0.5, 0.5]),
            r"the positions of the empirical measure are masked in 1 places",
        ),
    ],
)
def test_what_is_no_measure_is_refused_in_one_line(make, message):
    with pytest.raises(wgf.InputError, match=message) as found:
        wgf.distance("energy", measure := make(), measure)
    assert "\n" not in str(found.value)


def test_a_cloud_that_has_gone_wrong_can_still_be_looked_at():
    cloud = wgf.Cloud([[0.0], [np.nan]], [0.5, np.nan])
    assert np.isnan(cloud.positions[1, 0])
    assert repr(cloud) == "Cloud(2 points in 1 dimensions, mass nan)"
    for name in ("w1", "w2", "sliced_w2", "energy", "mean"):
        with pytest.raises(wgf.InputError, match="of the empirical measure is"):
            wgf.distance(name, cloud, wgf.Cloud([[0.0]], [1.0]))


def test_masked_points_and_data_are_refused():
    masked = np.ma.masked_equal([[0.0], [1.0]], 1.0)
    with pytest.raises(wgf.InputError, match=r"samples: points are masked in 1 places"):
        wgf.Samples(masked)
    with pytest.raises(wgf.InputError, match=r"inputs are masked in 1 places"):
        wgf.Data(masked, [1.0, 2.0])


def test_whole_numbers_lists_and_arrays_without_a_masked_place_are_measures():
    expected = wgf.Density(PLANE, np.arange(6.0).reshape(2, 3))
    for values in (
        [[0, 1, 2], [3, 4, 5]],
        np.arange(6).reshape(2, 3),
        np.ma.array(expected.values),
        np.arange(6, dtype="f4").reshape(2, 3),
    ):
        density = wgf.Density(PLANE, values)
        assert density.values.dtype == float
        assert type(density.values) is np.ndarray
        assert np.array_equal(density.values, expected.values)
        assert np.array_equal(density.masses, expected.masses)
    cloud = wgf.Cloud([0, 2], [1, 3])
    assert cloud.points.shape == (2, 1)
    assert cloud.mean == pytest.approx([1.5])
    with pytest.raises(wgf.InputError, match="the density is -1 in cell 0"):
        wgf.Density(wgf.Grid([0], [1], 2), [-1, 3])


def test_complex_functions_are_integrated(mu):
    """A coefficient of Fourier's: ∫ e^{iθ} dμ."""
    expected = sum(m * np.exp(1j * theta[0]) for theta, m in zip(mu.points, mu.masses, strict=True))
    found = mu.integrate(lambda theta: np.exp(1j * theta[:, 0]))
    assert isinstance(found, complex)
    assert found == pytest.approx(expected, rel=1e-13)
    assert mu.integrate(lambda theta: np.exp(1j * theta)).shape == (3,)


def test_values_and_grid_must_agree():
    with pytest.raises(wgf.InputError, match=r"the density has values of shape \(4, 3\) on a grid of shape \(3, 4\); they must agree"):
        wgf.Density(wgf.Grid([0, 0], [1, 1], (3, 4)), np.ones((4, 3)))
    with pytest.raises(wgf.InputError, match=r"the density has 3 axes but the grid has 2"):
        wgf.Density(GRID, np.ones(GRID.shape)).cell_averages(wgf.Grid([0, 0], [1, 1], 4))


def test_a_density_around_a_part_of_it():
    """It is the density of all values; what the part holds is checked as they are."""
    grid = wgf.Grid([0.0], [1.0], 8)
    values = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0])
    found = density_around(values[2:5], grid, values, None, True)
    whole = wgf.Density(grid, values, None, True)
    assert type(found) is wgf.Density
    assert (found.mass, found.averages, found.neuron) == (whole.mass, True, None)
    assert np.array_equal(found.values, whole.values)
    with pytest.raises(wgf.InputError, match="the density is -1 in cell 1"):
        density_around(np.array([1.0, -1.0]), grid, values, None, True)
