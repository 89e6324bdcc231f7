"""The intervals of a fitted rate: how often they hold the true value, by simulation of distances whose law is known."""

import numpy as np
import pytest
from problems import RIDGE_1D, Tanh
from scipy import stats

import wgf
from wgf.studies.sweeps.rates import check_replicates, fit_rate
from wgf.studies.theory.fluctuation import spread

MODES = {  # weights λ_k of the squared distance Σ λ_k z_k²
    "one": [1.0],
    "three": [1.0, 1.0, 1.0],
    "ten": [1.0] * 10,
    "geometric": [1.0, 0.5, 0.25, 0.125, 0.0625],
    "one that leads": [0.8, 0.15, 0.05],
}


def distances(modes, sizes, replicates, count, slope=-1.0, shared=0.0, seed=0):
    """Distances whose square is m^slope times a quadratic form in Gaussians of mean one: (S, R, count), each column a sweep of its own.

    `shared` is the part of the Gaussians' variance that all sizes of a replicate have in common.
    """
    weights, rng = np.array(modes) / np.sum(modes), np.random.default_rng(seed)
    form = (replicates, count, len(weights))
    normal = np.sqrt(shared) * rng.normal(size=form) + np.sqrt(1 - shared) * rng.normal(size=(len(sizes), *form))
    return np.sqrt(normal**2 @ weights * np.power(np.array(sizes, dtype=float), slope)[:, None, None])


def covered(rate, slope, constant):
    """How often each interval holds the truth, and how often that of the constant lies above it, and below."""
    return (
        np.mean((rate.lower <= slope) & (slope <= rate.upper)),
        np.mean((rate.constant_lower <= constant) & (constant <= rate.constant_upper)),
        np.mean(rate.constant_lower > constant),
        np.mean(rate.constant_upper < constant),
    )


@pytest.mark.parametrize("replicates", [8, 16, 32])
@pytest.mark.parametrize("modes", ["one", "three", "one that leads"])
def test_intervals_cover_95_percent(modes, replicates):
    """93 to 97 % of 4,000 sweeps (standard error .35 %), and neither side is missed more than three times as often as the other."""
    sizes = (64, 256, 1024)
    rate = fit_rate(np.array(sizes), distances(MODES[modes], sizes, replicates, 4000, seed=replicates))
    slope, constant, above, below = covered(rate, -1.0, 1.0)
    assert 0.93 <= slope <= 0.97
    assert 0.93 <= constant <= 0.97
    assert 1 / 3 < above / below < 3


@pytest.mark.long
@pytest.mark.parametrize("sizes", [(64, 1024), (64, 256, 1024), (64, 128, 256, 512, 1024, 2048)], ids=["2", "3", "6"])
@pytest.mark.parametrize("replicates", [8, 16, 32])
@pytest.mark.parametrize("modes", MODES)
def test_intervals_cover_95_percent_in_the_whole_table(modes, replicates, sizes):
    """As above, from 20,000 sweeps (.15 %), for every number of sizes and law."""
    rate = fit_rate(np.array(sizes), distances(MODES[modes], sizes, replicates, 20_000))
    slope, constant, above, below = covered(rate, -1.0, 1.0)
    print(
        f"{len(sizes)} sizes, R = {replicates}, {modes}: slope {slope:.3f}, constant {constant:.3f} (above {above:.3f}, below {below:.3f})"
    )
    assert 0.93 <= slope <= 0.97
    assert 0.93 <= constant <= 0.97
    assert 1 / 3 < above / below < 3


@pytest.mark.parametrize("shared", [0.0, 0.9, 0.99])
@pytest.mark.parametrize("modes", ["one", "three"])
def test_draws_that_all_steps_share_are_counted_once(modes, shared):
    """Descents of all steps start at the same neurons: 4,000 studies of 8 replicates, slope 1 in the step."""
    steps = (0.01, 0.02, 0.04)
    distance = distances(MODES[modes], steps, 8, 4000, 1.0, shared)
    slope, constant, *_ = covered(fit_rate(np.array(steps), distance, 1.0, paired=True), 1.0, 1.0)
    assert 0.93 <= slope <= 0.97
    assert 0.93 <= constant <= 0.97


def means_of_fresh_draws(problem, sizes, replicates, count):
    """‖φ_m − φ‖ of m neurons drawn from μ₀, (S, R, count), and the exact m·E of its square."""
    nodes, weights = problem.initial.quadrature(40)
    law, data = wgf.Cloud(nodes, weights, problem.energy.neuron), problem.energy.data
    limit, found = problem.energy.predict(law), []
    for m in sizes:
        rng = np.random.default_rng(m)
        rows = []
        for _ in range(replicates):
            predictions = (
                problem.energy.neuron.value(problem.initial.sample(m * count, rng), data.inputs).reshape(count, m, -1).mean(axis=1)
            )
            rows.append(np.sqrt((predictions - limit) ** 2 @ data.weights))
        found.append(rows)
    return np.array(found), spread(law, problem)


@pytest.mark.long
@pytest.mark.parametrize("problem", [Tanh().problem, RIDGE_1D.problem], ids=["tanh", "linear"])
def test_intervals_cover_95_percent_for_real_neurons(problem):
    """2,000 sweeps of neurons at t = 0, where slope and constant are exact for every m."""
    distance, constant = means_of_fresh_draws(problem, (16, 32, 64), 8, 2000)
    found = covered(fit_rate(np.array([16, 32, 64]), distance), -1.0, constant)
    print(found)
    assert 0.93 <= found[0] <= 0.97
    assert 0.93 <= found[1] <= 0.97


def test_the_intervals_of_normal_squares_are_student_s():
    """Replicates that hardly scatter: log X̄ is normal, and the slope between two sizes has the interval of Welch's test."""
    rng = np.random.default_rng(2)
    squares = np.array([1.0, 0.25])[:, None, None] * (1 + 1e-4 * rng.normal(size=(2, 12, 50)))
    rate = fit_rate(np.array([1, 4]), np.sqrt(squares))
    logs = np.log(squares)
    welch = stats.ttest_ind(logs[1], logs[0], equal_var=False).confidence_interval(0.95)
    assert rate.lower == pytest.approx(welch.low / np.log(4), rel=1e-6)
    assert rate.upper == pytest.approx(welch.high / np.log(4), rel=1e-6)


def test_the_scale_does_not_matter():
    """Distances in other units: the slope and its interval stay, the constant and its interval are multiplied."""
    sizes = np.array([10, 20, 40])
    distance = distances(MODES["three"], sizes, 8, 5)
    one, other = fit_rate(sizes, distance), fit_rate(sizes, 1e-9 * distance)
    for name in ("slope", "lower", "upper"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9)
    for name in ("constant", "constant_lower", "constant_upper"):
        assert getattr(other, name) == pytest.approx(1e-18 * getattr(one, name), rel=1e-9)


@pytest.mark.parametrize("value", [0.0, 1.0], ids=["all zero", "all equal"])
def test_replicates_that_agree_have_an_interval_too(value):
    """As two descents from one start at t = 0, whose distance is zero."""
    rate = fit_rate(np.array([1, 2, 4]), np.full((3, 4, 1), value))
    assert rate.slope == pytest.approx([0.0], abs=1e-12)
    assert rate.lower[0] <= 0 <= rate.upper[0]
    assert rate.constant_lower[0] <= rate.constant[0] <= rate.constant_upper[0]


def test_one_replicate_that_is_not_zero_says_little():
    rate = fit_rate(np.array([1, 10]), np.eye(4)[None, :, :1] * np.ones((2, 1, 1)))
    assert rate.lower[0] < -3 < 3 < rate.upper[0]
    assert 0 < rate.constant_lower[0] < rate.constant[0] < rate.constant_upper[0] < np.inf


def test_few_replicates_are_said():
    with pytest.raises(wgf.InputError, match="replicates = 1: at least two are needed"):
        check_replicates(1)
    with pytest.warns(wgf.ResolutionWarning, match="replicates = 4: intervals of slope and constant from fewer than 5 are wide"):
        check_replicates(4)
    check_replicates(5)


@pytest.mark.parametrize(
    "sweep",
    [
        lambda problem: wgf.compare(problem, wgf.Characteristics(), 1.0, (4, 8), 3),
        lambda problem: wgf.compare_steps(problem, 1.0, 4, [0.1, 0.2], replicates=3),
    ],
    ids=["sizes", "steps"],
)
def test_sweeps_warn_of_few_replicates_before_they_compute(sweep):
    """The warning is an error in these tests: nothing is solved."""
    with pytest.raises(wgf.ResolutionWarning, match="replicates = 3"):
        sweep(RIDGE_1D.problem)
