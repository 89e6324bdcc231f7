"""The comparison of m neurons with the limit: its rate, its exact value at t = 0, and its file."""

import numpy as np
import pytest
import xarray
from problems import RIDGE_1D, Tanh

import wgf
from wgf.sweep import fit_rate, spread

TANH = Tanh()
GRID = wgf.FiniteVolume((128, 128), lower=TANH.lower, upper=TANH.upper)
SIZES = (64, 128, 256, 512, 1024, 2048, 4096)


@pytest.fixture(scope="module")
def comparison():
    """Seven sizes, 32 replicates, t = 5."""
    return wgf.compare(TANH.problem, GRID, until=5.0, sizes=SIZES, replicates=32, save=[2.5, 5.0])


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
    assert comparison.distance["loss"].shape == (7, 32, 3)


def test_a_file_brings_the_comparison_back(comparison, tmp_path):
    path = tmp_path / "compare.h5"
    comparison.save(path)
    opened = wgf.open_comparison(path)
    assert np.array_equal(opened.sizes, comparison.sizes)
    assert np.array_equal(opened.times, comparison.times)
    assert opened.theory == comparison.theory
    assert opened.predicted == pytest.approx(comparison.predicted, abs=0)
    assert opened.predicted[0] == pytest.approx(comparison.theory, rel=1e-2)
    for name, distance in comparison.distance.items():
        assert np.array_equal(opened.distance[name], distance)
        assert np.array_equal(opened.rates[name].slope, comparison.rates[name].slope)
    with xarray.open_dataset(path, engine="h5netcdf") as file:
        assert file["size"].values.tolist() == list(SIZES)
    with xarray.open_dataset(path, engine="h5netcdf", group="distance") as file:
        assert file["function"].dims == ("size", "replicate", "time")


def test_further_distances_beside_the_two(tmp_path):
    """They are those of the public function, and fall, too; names are checked before anything is computed."""
    method = wgf.FiniteVolume(32, TANH.lower, TANH.upper)
    found = wgf.compare(TANH.problem, method, 0.5, (20, 320), 3, save=2, workers=1, distances=("sliced_w2", "energy", "function"))
    assert list(found.distance) == ["function", "loss", "sliced_w2", "energy"]
    assert (found.rates["energy"].slope < -0.5).all()
    assert (found.distance["sliced_w2"][0].mean(axis=0) > found.distance["sliced_w2"][1].mean(axis=0)).all()
    found.save(tmp_path / "c.h5")
    assert np.array_equal(wgf.open_comparison(tmp_path / "c.h5").distance["energy"], found.distance["energy"])
    with pytest.raises(wgf.InputError, match=r"unknown distance 'sliced-w2' \(did you mean 'sliced_w2'\?\)"):
        wgf.compare(TANH.problem, method, 0.5, (20, 320), 3, distances=("sliced-w2",))


def test_the_number_of_workers_does_not_matter():
    results = [
        wgf.compare(TANH.problem, wgf.FiniteVolume(32, TANH.lower, TANH.upper), 0.5, (10, 20), 3, save=2, workers=workers)
        for workers in (1, 2)
    ]
    assert results[0].distance["function"] == pytest.approx(results[1].distance["function"], rel=1e-12)


def test_the_particles_may_be_told_how_to_move():
    descent = wgf.compare(
        TANH.problem,
        wgf.FiniteVolume(32, TANH.lower, TANH.upper),
        0.5,
        (10, 20),
        3,
        save=2,
        workers=1,
        particles=wgf.Particles(1, step=0.5),
    )
    flow = wgf.compare(TANH.problem, wgf.FiniteVolume(32, TANH.lower, TANH.upper), 0.5, (10, 20), 3, save=2, workers=1)
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": (64,)}, r"sizes = \[64\]: at least two different sizes"),
        ({"sizes": (0, 4)}, "m ≥ 1"),
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
        wgf.compare(problem, wgf.FiniteVolume(16, TANH.lower, TANH.upper), 0.1, (4, 8), 2, save=2, workers=2)
