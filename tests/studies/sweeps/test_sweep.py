"""The comparison of m neurons with the limit: its rate, its exact value at t = 0, and its file."""

import numpy as np
import pytest
import xarray
from problems import RIDGE_1D, Tanh

import wgf
from wgf.studies.sweeps.rates import ESTIMATES, fit_rate
from wgf.studies.theory.fluctuation import spread

pytestmark = pytest.mark.coarse  # how sweeps go, whatever the limit

TANH = Tanh()
GRID = wgf.FiniteVolume((128, 128), lower=TANH.lower, upper=TANH.upper)
SIZES = (64, 128, 256, 512, 1024, 2048, 4096)


@pytest.fixture(scope="module", params=[5, pytest.param(7, marks=pytest.mark.long)])
def comparison(request):
    """Five or seven sizes, 32 replicates, t = 5."""
    return wgf.compare(TANH.problem, GRID, until=5.0, sizes=SIZES[: request.param], replicates=32, save=[2.5, 5.0], workers=1)


def test_the_mean_square_distance_falls_like_one_over_m(comparison):
    """Slope −1 ± 0.1 at every save time, t = 0 included."""
    assert comparison.rates["function"].slope == pytest.approx(-np.ones(3), abs=0.1)
    assert (comparison.rates["function"].lower < -1).all()
    assert (comparison.rates["function"].upper > -1).all()


def test_the_distance_at_the_start_is_the_variance_of_an_average(comparison):
    """E‖φ_m − φ‖² = (∫‖g‖² dμ₀ − ‖φ‖²)/m within 3 standard errors, for every m."""
    deviation = comparison.mean_square()[:, 0] - comparison.theory / comparison.sizes
    assert (np.abs(deviation) <= 3 * comparison.standard_error()[:, 0]).all()


def test_the_theory_is_what_quadrature_says(comparison):
    """Up to the midpoint rule of the grid, which is small beside any standard error."""
    points, weights = TANH.problem.initial.quadrature(40)
    exact = spread(wgf.Cloud(points, weights), TANH.problem)
    assert comparison.theory == pytest.approx(exact, rel=3e-3)


def test_the_loss_gap_closes_too(comparison):
    assert (comparison.rates["loss"].slope < -0.8).all()
    assert comparison.distance["loss"].shape == (len(comparison.sizes), 32, 3)


def test_a_file_brings_the_comparison_back(comparison, tmp_path):
    path = tmp_path / "compare.h5"
    comparison.save(path)
    opened = wgf.open_comparison(path)
    assert repr(opened) == repr(comparison)
    assert np.array_equal(opened.sizes, comparison.sizes)
    assert np.array_equal(opened.times, comparison.times)
    assert opened.theory == comparison.theory
    assert opened.predicted == pytest.approx(comparison.predicted, abs=0)
    assert opened.predicted[0] == pytest.approx(comparison.theory, rel=1e-2)
    assert np.array_equal(opened.table.prediction, comparison.table.prediction)
    assert np.array_equal(opened.limiting_size, comparison.limiting_size)
    assert list(opened.distance) == list(comparison.distance)
    for name, distance in comparison.distance.items():
        assert np.array_equal(opened.distance[name], distance)
        assert np.array_equal(opened.floor[name], comparison.floor[name])
        for estimate in ESTIMATES:
            assert np.array_equal(getattr(opened.rates[name], estimate), getattr(comparison.rates[name], estimate))
    with xarray.open_dataset(path, engine="h5netcdf") as file:
        assert file["size"].values.tolist() == comparison.sizes.tolist()
    with xarray.open_dataset(path, engine="h5netcdf", group="distance") as file:
        assert file["function"].dims == ("size", "replicate", "time")


def test_what_is_no_comparison_is_said(tmp_path):
    wgf.solve(TANH.problem, wgf.Particles(5), 0.1, 2, store=tmp_path / "run.h5")
    with pytest.raises(wgf.InputError, match="an HDF5 file but not a comparison"):
        wgf.open_comparison(tmp_path / "run.h5")


def test_further_distances_beside_the_two(tmp_path):
    """They are those of the public function, and fall, too; names are checked before anything is computed."""
    method = wgf.FiniteVolume(32, TANH.lower, TANH.upper)
    found = wgf.compare(TANH.problem, method, 0.5, (20, 320), 5, save=2, workers=1, distances=("sliced_w2", "energy", "function"))
    assert list(found.distance) == ["function", "loss", "sliced_w2", "energy"]
    assert (found.rates["energy"].slope < -0.5).all()
    assert (found.distance["sliced_w2"][0].mean(axis=0) > found.distance["sliced_w2"][1].mean(axis=0)).all()
    found.save(tmp_path / "c.h5")
    assert np.array_equal(wgf.open_comparison(tmp_path / "c.h5").distance["energy"], found.distance["energy"])
    with pytest.raises(wgf.InputError, match=r"unknown distance 'sliced-w2' \(did you mean 'sliced_w2'\?\)"):
        wgf.compare(TANH.problem, method, 0.5, (20, 320), 5, distances=("sliced-w2",))


def test_the_number_of_workers_does_not_matter():
    """Not in a single bit."""
    results = [
        wgf.compare(TANH.problem, wgf.FiniteVolume(32, TANH.lower, TANH.upper), 0.5, (10, 600), 5, save=2, workers=workers)
        for workers in (1, 2)
    ]
    for name in ("function", "loss"):
        assert np.array_equal(results[0].distance[name], results[1].distance[name])
        assert np.array_equal(results[0].floor[name], results[1].floor[name])


def test_the_particles_may_be_told_how_to_move():
    descent = wgf.compare(
        TANH.problem,
        wgf.FiniteVolume(32, TANH.lower, TANH.upper),
        0.5,
        (10, 20),
        5,
        save=2,
        workers=1,
        particles=wgf.Particles(1, step=0.5),
    )
    flow = wgf.compare(TANH.problem, wgf.FiniteVolume(32, TANH.lower, TANH.upper), 0.5, (10, 20), 5, save=2, workers=1)
    assert np.array_equal(descent.distance["function"][:, :, 0], flow.distance["function"][:, :, 0])
    assert not np.allclose(descent.distance["function"][:, :, 1], flow.distance["function"][:, :, 1], rtol=1e-6)


def test_linear_neurons_have_the_exact_constant_at_all_times():
    """λ = 0: φ_m − φ = x (mean_m − mean), so that m E‖φ_m − φ‖² = s v₀ e^{−2(s + λ)t} with s = E x²."""
    ridge = RIDGE_1D
    found = wgf.compare(ridge.problem, wgf.Characteristics(nodes=4), 1.0, (40, 160), 200, save=2, workers=1)
    s = ridge.second_moment[0, 0]
    for k, time in enumerate(found.times):
        exact = s * ridge.width[0] ** 2 * np.exp(-2 * (s + ridge.penalty) * time)
        measured = found.mean_square()[:, k] * found.sizes
        assert (np.abs(measured - exact) <= 3.5 * found.standard_error()[:, k] * found.sizes).all()


def test_the_fit_finds_a_rate_that_is_there():
    """Distances made with slope −1 and constant 4: the interval holds the slope, and is about as wide as it should be."""
    rng = np.random.default_rng(4)
    sizes = np.array([10, 100, 1000])
    distance = np.sqrt(4 / sizes)[:, None, None] * np.abs(rng.normal(size=(3, 400, 1)))
    rate = fit_rate(sizes, distance)
    assert rate.lower[0] < -1 < rate.upper[0]
    assert rate.upper[0] - rate.lower[0] < 0.12
    assert rate.constant[0] == pytest.approx(4, rel=0.3)


def test_the_fit_has_the_constant_with_its_interval():
    """Slope −2/3 and constant 4, as for transport in three dimensions."""
    rng = np.random.default_rng(7)
    sizes = np.array([10, 100, 1000])
    distance = np.sqrt(4 * sizes ** (-2 / 3))[:, None, None] * np.abs(rng.normal(size=(3, 400, 2)))
    rate = fit_rate(sizes, distance, -2 / 3, np.array([4.0, np.nan]))
    assert ((rate.lower < -2 / 3) & (rate.upper > -2 / 3)).all()
    assert ((rate.constant_lower < 4) & (rate.constant_upper > 4)).all()
    assert rate.constant == pytest.approx([4, 4], rel=0.15)


def test_two_clouds_are_apart_by_twice_the_fluctuation(comparison):
    """E‖φ_m − φ'_m‖² = 2v/m, so that half of it is v/m without any error of the limit: within 3 standard errors at each time."""
    scaled = 0.5 * np.concatenate(comparison.floor["function"] ** 2 * comparison.sizes[:, None, None])
    error = scaled.std(axis=0, ddof=1) / np.sqrt(len(scaled))
    assert (np.abs(scaled.mean(axis=0) - comparison.predicted) <= 3 * error).all()


def test_every_rate_stands_beside_its_theory(comparison):
    """The predicted constants of function and loss within 1.5 intervals of the measured ones at each time."""
    for rate in comparison.rates.values():
        half = 0.5 * (rate.constant_upper - rate.constant_lower)
        assert (np.abs(rate.constant - rate.expected_constant) < 1.5 * half).all()
        assert (rate.expected_slope == -1).all()


def test_means_of_linear_neurons_have_the_exact_constant():
    """τ = 0: m·E|mean(μ_m) − mean(μ)|² = v₀e^{−2(s + λ)t}, within 2 standard errors at five times (fixed seed)."""
    ridge, times = RIDGE_1D, [0.0, 0.25, 0.5, 0.75, 1.0]
    found = wgf.compare(ridge.problem, wgf.Characteristics(), 1.0, (32, 128, 512), 100, times, seed=1, workers=1, distances=("mean",))
    rate = ridge.second_moment[0, 0] + ridge.penalty
    exact = ridge.width[0] ** 2 * np.exp(-2 * rate * np.array(times))
    assert found.rates["mean"].expected_constant == pytest.approx(exact, rel=1e-4)
    scaled = np.concatenate(found.distance["mean"] ** 2 * found.sizes[:, None, None])
    error = scaled.std(axis=0, ddof=1) / np.sqrt(len(scaled))
    assert (np.abs(scaled.mean(axis=0) - exact) <= 2 * error).all()


def test_a_wrong_limit_is_told_from_the_fluctuation():
    """First-order upwind on 64²: the reported m is right within a factor 2, and the clouds say the same of the limit's error.

    The truth is v/‖φ_h − φ‖² with v predicted and ‖φ_h − φ‖ against characteristics.
    """
    wrong = wgf.FiniteVolume(64, TANH.lower, TANH.upper, limiter="upwind", edge_tolerance=1e-3)
    found = wgf.compare(TANH.problem, wrong, 5.0, (128, 1024, 3072), 16, save=[2.5, 5.0], workers=1)
    exact = wgf.solve(TANH.problem, wgf.Characteristics(), 5.0, save=[2.5, 5.0])
    error = np.sqrt((found.limit - exact.prediction) ** 2 @ TANH.data.weights)
    right = found.predicted / error**2
    assert 300 < right[2] < 1000
    assert (np.abs(np.log2(found.limiting_size[1:] / right[1:])) < 1).all()
    assert found.rates["function"].upper[2] > -0.8
    square, uncertain = found.squared_bias()
    assert (np.abs(square[:, 2] - error[2] ** 2) <= 4 * uncertain[:, 2]).all()
    assert square[-1, 2] > 5 * uncertain[-1, 2]
    assert found.excess()[-1, 2] == pytest.approx(error[2] ** 2, rel=0.7)


def test_a_good_limit_shows_no_bias(comparison):
    square, uncertain = comparison.squared_bias()
    assert (np.abs(square) <= 4 * uncertain + 1e-7).all()
    assert (comparison.limiting_size > 10_000).all()


def test_energies_without_data_are_compared_too():
    """An Ornstein–Uhlenbeck cloud: E D² = E|X − X'|/m at t = 0, with E|X − X'| = 2σ/√π on a line."""
    problem = wgf.Problem(wgf.InteractionEnergy(V=quadratic), wgf.Gaussian([0.5], [0.6]), temperature=0.2)
    found = wgf.compare(problem, wgf.FiniteVolume(200, [-4.0], [5.0]), 1.0, (50, 200), 60, save=2, workers=1, seed=2)
    assert list(found.distance) == ["loss", "energy"]
    expected = 2 * 0.6 / np.sqrt(np.pi)
    assert found.rates["energy"].expected_constant[0] == pytest.approx(expected, rel=0.01)
    scaled = found.mean_square("energy") * found.sizes[:, None]
    assert (np.abs(scaled[:, 0] - expected) <= 3 * found.standard_error("energy")[:, 0] * found.sizes).all()
    assert np.isnan(found.predicted).all()
    with pytest.raises(wgf.InputError, match="this energy has no data: leave it out"):
        wgf.compare(problem, wgf.FiniteVolume(50, [-4.0], [5.0]), 1.0, (5, 10), 2, distances=("function",))


def quadratic(theta):
    return 0.5 * np.sum(theta**2, axis=-1)


@pytest.mark.long
def test_the_rate_over_nine_doublings():
    """M = 2⁵ … 2¹⁴, 64 replicates: slope −1 ± .05 at t = 0 and 5; the constant at t = 0 within 2 standard errors of its exact value."""
    sizes = 2 ** np.arange(5, 15)
    method = wgf.FiniteVolume(256, TANH.lower, TANH.upper)
    found = wgf.compare(TANH.problem, method, 5.0, sizes.tolist(), 64, save=[1.25, 2.5, 3.75, 5.0], seed=0)
    assert found.rates["function"].slope[[0, -1]] == pytest.approx([-1, -1], abs=0.05)
    points, weights = TANH.problem.initial.quadrature(48)
    exact = spread(wgf.Cloud(points, weights), TANH.problem)
    scaled = np.concatenate(found.distance["function"][:, :, 0] ** 2 * sizes[:, None])
    assert abs(scaled.mean() - exact) <= 2 * scaled.std(ddof=1) / np.sqrt(len(scaled))
    scaled = np.concatenate(found.distance["function"] ** 2 * sizes[:, None, None])
    error = scaled.std(axis=0, ddof=1) / np.sqrt(len(scaled))
    assert (np.abs(scaled.mean(axis=0) - found.predicted) <= 3 * error).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": (64,)}, r"sizes = \[64\]: at least two different sizes"),
        ({"sizes": (0, 4)}, "sizes: m = 0: give a whole number, at least 1"),
        ({"sizes": (4, 8), "replicates": 1}, "replicates = 1: at least two"),
    ],
)
def test_sweeps_that_cannot_be_fitted_are_refused(arguments, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.compare(TANH.problem, GRID, 1.0, **arguments)


def test_a_problem_that_cannot_be_sent_says_so():
    problem = wgf.Problem(
        wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), TANH.data, (0.1, lambda theta: theta[..., 0] ** 2)), TANH.problem.initial
    )
    with pytest.raises(wgf.InputError, match=r"cannot be sent to other processes .* or use workers=1"):
        wgf.compare(problem, wgf.FiniteVolume(16, TANH.lower, TANH.upper), 0.1, (4, 8), 5, save=2, workers=2)


BORN = wgf.WassersteinFisherRao(32, TANH.lower, TANH.upper, rate=2.0)


def test_neurons_that_die_approach_the_limit_that_multiplies():
    """By themselves, when the limit does so; and not that of the flow without births and deaths."""
    found = wgf.compare(TANH.problem, BORN, 0.5, (20, 320), 8, save=2, workers=1)
    assert found.distance["function"][1, :, -1].mean() < 0.5 * found.distance["function"][0, :, -1].mean()


@pytest.mark.parametrize(
    ("method", "particles", "words"),
    [
        (BORN, wgf.Particles(2), r"is the limit of particles with birth_death = 2.0, and not of Particles\(2 neurons, seed 0\)"),
        (wgf.FiniteVolume(8), wgf.Particles(2, birth_death=1.0), "is the limit of particles with birth_death = None, and not of Particles"),
        (wgf.MirrorDescent(8), None, "the mass of MirrorDescent is not moved, so that no neurons follow it"),
    ],
)
def test_a_limit_in_another_geometry_is_refused(method, particles, words):
    with pytest.raises(wgf.InputError, match=words):
        wgf.compare(TANH.problem, method, 0.5, (20, 320), 5, particles=particles)
