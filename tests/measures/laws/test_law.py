"""The laws: cell averages, samples and quadrature of one law agree with each other and with its exact moments."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import wgf
from wgf.measures.laws import LAWS

POINTS = np.random.default_rng(11).normal([0.3, -0.2], [0.5, 0.8], (60, 2))


@dataclass(frozen=True, eq=False)
class Case:
    """A law with its exact mean and covariance (variances where they are independent) and a box that holds it.

    `slack` is what the mass on the box may differ from one: rounding, but for balls, whose curved edge is sliced.
    """

    law: object
    mean: list
    covariance: object
    lower: list
    upper: list
    slack: float = 1e-12

    @property
    def exact_covariance(self):
        return np.diag(self.covariance) if np.ndim(self.covariance) == 1 else np.array(self.covariance)

    def grid(self, cells):
        return wgf.Grid(self.lower, self.upper, cells)

    def density(self, cells):
        return wgf.Density(self.grid(cells), self.law.cell_averages(self.grid(cells)))


def beta_times_slope(theta):
    """x(1 − x)²·(2 + y): on [0, 1] × [−1, 1] the product of a Beta(2, 3) and a law of mean 1/6; not normalised, not zero elsewhere."""
    x, y = theta[..., 0], theta[..., 1]
    return np.abs(x) * (1 - x) ** 2 * np.abs(2 + y)


def mixed(weights, means, covariances):
    """Mean and covariance of a mixture."""
    mean = np.average(means, axis=0, weights=weights)
    second = [np.diag(c) + np.outer(m, m) for m, c in zip(np.array(means), covariances, strict=True)]
    return mean.tolist(), np.average(second, axis=0, weights=weights) - np.outer(mean, mean)


GAUSSIAN_1D = wgf.Gaussian(0.3, 0.5)
GAUSSIAN_2D = wgf.Gaussian([0.3, -1.0], [0.5, 0.2])
UNIFORM_2D = wgf.Uniform([-0.7, 0.4], [1.05, 0.83])
BALL_2D = wgf.Ball([0.4, -0.3], 0.9)
CURVED = 1e-4
CASES = {
    "gaussian, 1 axis": Case(GAUSSIAN_1D, [0.3], [0.25], [-4], [5]),
    "gaussian, 2 axes": Case(GAUSSIAN_2D, [0.3, -1.0], [0.25, 0.04], [-4, -2.7], [5, 0.8]),
    "uniform, 1 axis": Case(wgf.Uniform(-0.7, 1.05), [0.175], [1.75**2 / 12], [-1], [2]),
    "uniform, 2 axes": Case(UNIFORM_2D, [0.175, 0.615], [1.75**2 / 12, 0.43**2 / 12], [-1, 0], [2, 1]),
    "ball, 1 axis": Case(wgf.Ball(0.4, 0.9), [0.4], [0.81 / 3], [-1], [2]),
    "ball, 2 axes": Case(BALL_2D, [0.4, -0.3], [0.81 / 4] * 2, [-1, -1.5], [2, 1], CURVED),
    "ball, 3 axes": Case(wgf.Ball([0.4, -0.3, 0.1], 0.9), [0.4, -0.3, 0.1], [0.81 / 5] * 3, [-1, -1.5, -1], [2, 1, 1], CURVED),
    "mixture of a gaussian and a uniform": Case(
        wgf.Mixture([3, 1], [GAUSSIAN_2D, UNIFORM_2D]),
        *mixed([3, 1], [GAUSSIAN_2D.mean, [0.175, 0.615]], [[0.25, 0.04], [1.75**2 / 12, 0.43**2 / 12]]),
        [-4, -2.7],
        [5, 1],
    ),
    "mixture of a gaussian and a ball": Case(
        wgf.Mixture([0.2, 0.8], [GAUSSIAN_2D, BALL_2D]),
        *mixed([0.2, 0.8], [GAUSSIAN_2D.mean, BALL_2D.center], [[0.25, 0.04], [0.81 / 4] * 2]),
        [-4, -2.7],
        [5, 1],
        CURVED,
    ),
    "product of a gaussian and a ball": Case(
        wgf.Product([GAUSSIAN_1D, BALL_2D]), [0.3, 0.4, -0.3], [0.25, 0.81 / 4, 0.81 / 4], [-4, -1, -1.5], [5, 2, 1], CURVED
    ),
    "product of a mixture and a uniform": Case(
        wgf.Product([wgf.Mixture([1, 1], [wgf.Gaussian(-1, 0.1), wgf.Gaussian(2, 0.3)]), wgf.Uniform(0, 1)]),
        [0.5, 0.5],
        [(1.01 + 4.09) / 2 - 0.25, 1 / 12],
        [-2, -0.5],
        [5, 1.5],
    ),
    "samples": Case(wgf.Samples(POINTS), POINTS.mean(axis=0).tolist(), np.cov(POINTS.T, bias=True), [-3, -3], [3, 3]),
    "density with a support": Case(
        wgf.FromDensity(beta_times_slope, lower=[0, -1], upper=[1, 1]), [2 / 5, 1 / 6], [1 / 25, 11 / 36], [-0.13, -1.4], [1.3, 1.3]
    ),
}
each_law = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
CELLS = {1: 400, 2: 120, 3: 40}


def draw(case, m, seed=7):
    return case.law.sample(m, np.random.default_rng(seed))


# ---- cell averages


@each_law
def test_a_box_that_holds_the_law_holds_mass_one(case):
    cells = CELLS[len(case.mean)]
    density = case.density(cells)
    assert density.values.shape == (cells,) * len(case.mean)
    assert (density.values >= 0).all()
    assert density.mass == pytest.approx(1, abs=case.slack)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("cells", [5, 8, 13, 20, 27, 40])
def test_the_mass_of_a_ball_errs_by_the_square_root_at_its_edge(dim, cells):
    """The chord is integrated by midpoints of slices h/8 wide, and vanishes like a square root: order 3/2."""
    density = CASES[f"ball, {dim} axes"].density(cells)
    assert abs(density.mass - 1) < 0.2 * (density.grid.spacing.max() / 8 / 0.9) ** 1.5


@each_law
def test_the_moments_of_the_cell_averages_converge(case):
    """Error of the mean and, beyond the h²/12 of the midpoint rule, of the covariance: at most h², at most h for samples."""
    order = 1 if isinstance(case.law, wgf.Samples) else 2
    for cells in (CELLS[len(case.mean)] // 2, CELLS[len(case.mean)]):
        density = case.density(cells)
        h = density.grid.spacing
        assert np.abs(density.mean - case.mean).max() < h.max() ** order
        assert np.abs(density.covariance - np.diag(h**2 / 12) - case.exact_covariance).max() < h.max() ** order


@pytest.mark.parametrize(
    ("law", "lower", "upper", "held"),
    [
        (GAUSSIAN_1D, 0.3, 5, 0.5),
        (wgf.Uniform(0, 1), -1, 0.35, 0.35),
        (wgf.Ball(0.4, 0.9), 0.4, 3, 0.5),
        (wgf.Samples([0.5, 2.0, 0.1, -1.0]), 0, 1, 0.5),
        (wgf.Mixture([1, 3], [wgf.Uniform(5, 6), wgf.Uniform(0, 1)]), 0, 1, 0.75),
        (wgf.Product([wgf.Uniform(0, 1)]), -1, 0.35, 0.35),
    ],
    ids=repr,
)
def test_the_part_of_a_law_outside_the_box_is_missing(law, lower, upper, held):
    grid = wgf.Grid(lower, upper, 7)
    assert wgf.Density(grid, law.cell_averages(grid)).mass == pytest.approx(held, abs=1e-14)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (0.3, 0.05), (-2.0, 0.4)])
def test_gaussian_cell_averages_keep_their_digits_in_both_tails(mean, std):
    """Against Gauss–Legendre quadrature of the density in each cell, out to 30 standard deviations on either side."""
    grid = wgf.Grid(mean - 30 * std, mean + 30 * std, 601)
    t, w = np.polynomial.legendre.leggauss(16)
    nodes = grid.centers[0][:, None] + 0.5 * grid.spacing[0] * t
    averages = wgf.Gaussian(mean, std).cell_averages(grid)
    assert np.abs(averages / (stats.norm(mean, std).pdf(nodes) @ (0.5 * w)) - 1).max() < 1e-10
    assert averages.min() < 1e-190


def test_gaussian_cell_averages_are_differences_of_the_distribution_function():
    grid, factors = wgf.Grid([-5, -4], [5, 2], (37, 20)), []
    for edges, h, mean, std in zip(grid.edges, grid.spacing, GAUSSIAN_2D.mean, GAUSSIAN_2D.std, strict=True):
        normal = stats.norm(mean, std)
        factors.append(np.where(edges[1:] < mean, np.diff(normal.cdf(edges)), -np.diff(normal.sf(edges))) / h)
    assert np.abs(GAUSSIAN_2D.cell_averages(grid) / np.multiply.outer(*factors) - 1).max() < 1e-10


@given(std=st.floats(0.01, 2), cells=st.integers(1, 60))
def test_gaussian_cell_averages_are_symmetric(std, cells):
    averages = wgf.Gaussian(0, std).cell_averages(wgf.Grid(-4, 4, cells))
    assert averages == pytest.approx(averages[::-1], rel=1e-11, abs=1e-200)


def test_uniform_cell_averages_are_the_overlaps():
    averages = wgf.Uniform([0.5, 0], [2.5, 1]).cell_averages(wgf.Grid([0, 0], [3, 2], (3, 2)))
    assert averages == pytest.approx(np.array([[0.25, 0], [0.5, 0], [0.25, 0]]), abs=1e-15)


def test_the_cell_averages_of_a_product_are_the_outer_product():
    grid = wgf.Grid([-1, -1.5, -4], [2, 1, 5], (6, 7, 8))
    expected = np.multiply.outer(BALL_2D.cell_averages(grid.without(2)), GAUSSIAN_1D.cell_averages(wgf.Grid(-4, 5, 8)))
    assert np.array_equal(wgf.Product([BALL_2D, GAUSSIAN_1D]).cell_averages(grid), expected)


def test_the_cell_averages_of_samples_count_them():
    averages = wgf.Samples([0.1, 0.2, 0.7, 0.9]).cell_averages(wgf.Grid(0, 1, 4))
    assert averages == pytest.approx([2, 0, 1, 1])


def test_a_density_without_a_support_is_normalised_on_the_box():
    law, grid = wgf.FromDensity(lambda theta: 5.0 * theta[..., 0] ** 3), wgf.Grid(1, 2, 3)
    edges = grid.edges[0]
    assert law.cell_averages(grid) == pytest.approx(3 * np.diff(edges**4) / 15, rel=1e-13)


def test_a_density_lives_on_its_support_only():
    """The law of the cells is the law of the samples: nothing outside lower, upper, whatever the function says there."""
    law, grid = wgf.FromDensity(lambda theta: np.ones(theta.shape[:-1]), lower=0.5, upper=2.5), wgf.Grid(0, 3, 3)
    assert law.cell_averages(grid) == pytest.approx([0.25, 0.5, 0.25], rel=1e-13)


# ---- samples


@each_law
def test_samples_have_the_moments_of_the_law(case):
    """Within five standard errors."""
    m = 20_000
    points = draw(case, m)
    assert points.shape == (m, case.law.dim)
    assert (np.abs(points.mean(axis=0) - case.mean) < 5 * points.std(axis=0) / np.sqrt(m)).all()
    products = np.einsum("mi,mj->mij", points - case.mean, points - case.mean)
    assert (np.abs(products.mean(axis=0) - case.exact_covariance) < 5 * products.std(axis=0) / np.sqrt(m)).all()


@each_law
def test_samples_fall_into_cells_as_the_cell_averages_say(case):
    """A χ² test on a coarse grid (the cells that expect fewer than ten are thrown together)."""
    m, grid = 20_000, case.grid(6)
    expected = m * case.law.cell_averages(case.grid(24)).reshape(*(6, 4) * grid.dim).mean(axis=tuple(range(1, 2 * grid.dim, 2)))
    expected *= grid.cell_volume
    counts, _ = np.histogramdd(draw(case, m), bins=grid.edges)
    rare = expected < 10
    expected, counts = np.append(expected[~rare], expected[rare].sum()), np.append(counts[~rare], counts[rare].sum())
    held = expected > 0
    assert counts[~held].sum() == 0
    assert counts.sum() == m
    assert stats.chisquare(counts[held], expected[held] * m / expected.sum()).pvalue > 1e-4


@each_law
def test_samples_are_reproduced_by_their_seed(case):
    assert np.array_equal(draw(case, 50, seed=1), draw(case, 50, seed=1))
    assert not np.array_equal(draw(case, 50, seed=1), draw(case, 50, seed=2))


@each_law
def test_samples_come_in_no_order(case):
    """The first half has the mean of the second half."""
    first, second = np.split(draw(case, 4000), 2)
    assert (np.abs(first.mean(axis=0) - second.mean(axis=0)) < 5 * first.std(axis=0) * np.sqrt(2 / 2000)).all()


@each_law
def test_there_may_be_no_sample_at_all(case):
    assert draw(case, 0).shape == (0, case.law.dim)


def test_as_many_samples_as_points_are_the_points_themselves():
    law = wgf.Samples(POINTS)
    assert np.array_equal(law.sample(60, np.random.default_rng(0)), POINTS)
    assert {tuple(point) for point in law.sample(500, np.random.default_rng(0))} <= {tuple(point) for point in POINTS}


def test_samples_of_a_ball_lie_in_it():
    points = draw(CASES["ball, 3 axes"], 5000)
    assert (np.linalg.norm(points - [0.4, -0.3, 0.1], axis=1) <= 0.9).all()


def test_rejection_finds_a_narrow_peak():
    """A sheet of the cube, much narrower than the spread of points on which the maximum is first looked for."""
    peak = stats.norm(0.5, 2e-3)
    sheet = wgf.FromDensity(lambda theta: peak.pdf(theta[..., 0]), lower=[0, 0, 0], upper=[1, 1, 1])
    points = sheet.sample(2000, np.random.default_rng(3))
    assert stats.kstest(points[:, 0], peak.cdf).pvalue > 1e-3


def test_a_density_may_bring_its_own_sampler():
    law = wgf.FromDensity(lambda theta: np.exp(-theta[..., 0]), sample=lambda m, rng: rng.exponential(size=m))
    expected = np.random.default_rng(3).exponential(size=9)
    assert np.array_equal(law.sample(9, np.random.default_rng(3)), expected[:, None])


def test_a_mixture_may_draw_nothing_from_a_component_with_its_own_sampler():
    rare = wgf.FromDensity(lambda theta: np.ones(theta.shape[:-1]), sample=lambda m, rng: rng.uniform(size=(m, 1)), lower=0, upper=1)
    assert wgf.Mixture([1e-9, 1], [rare, GAUSSIAN_1D]).sample(5, np.random.default_rng(0)).shape == (5, 1)


# ---- quadrature


@each_law
def test_the_quadrature_has_the_moments_of_the_law(case):
    points, weights = case.law.quadrature(8)
    mean = weights @ points
    assert weights.sum() == pytest.approx(1, abs=1e-13)
    assert (weights > 0).all()
    assert mean == pytest.approx(case.mean, abs=1e-12)
    assert (points.T * weights) @ points - np.outer(mean, mean) == pytest.approx(case.exact_covariance, abs=1e-12)


@each_law
def test_quadrature_and_cell_averages_integrate_a_smooth_function_alike(case):
    """∫ cos(θ₁ + 2θ₂ + …) dμ: within h² of the midpoint rule on the grid (h for samples)."""

    def wave(theta):
        return np.cos(theta @ np.arange(1.0, theta.shape[-1] + 1))

    points, weights = case.law.quadrature(20)
    density = case.density(CELLS[len(case.mean)])
    slope = np.arange(1, density.grid.dim + 1).sum()
    order = 1 if isinstance(case.law, wgf.Samples) else 2
    assert density.integrate(wave) / density.mass == pytest.approx(
        weights @ wave(points), abs=(slope * density.grid.spacing.max()) ** order
    )


@pytest.mark.parametrize("name", ["gaussian, 2 axes", "uniform, 2 axes", "ball, 2 axes", "ball, 3 axes", "density with a support"])
def test_the_quadrature_converges_spectrally(name):
    def wave(theta):
        return np.exp(1j * theta.sum(axis=-1))

    integrals = [weights @ wave(points) for points, weights in map(CASES[name].law.quadrature, (4, 8, 12, 24))]
    errors = np.abs(np.array(integrals[:-1]) - integrals[-1])
    assert errors[2] < 1e-10
    assert errors[1] < 1e-3 * errors[0]


@pytest.mark.parametrize(("name", "size"), [("gaussian, 2 axes", 25), ("uniform, 2 axes", 25), ("ball, 3 axes", 125), ("samples", 60)])
def test_the_quadrature_has_the_promised_number_of_points(name, size):
    points, weights = CASES[name].law.quadrature(5)
    assert points.shape == (size, CASES[name].law.dim)
    assert weights.shape == (size,)


# ---- what a law is, and messages


def test_every_law_of_a_problem_file_is_tested():
    assert set(LAWS.values()) <= {type(case.law) for case in CASES.values()}


def test_the_weights_of_a_mixture_are_normalised():
    assert wgf.Mixture([2, 6], [GAUSSIAN_1D, GAUSSIAN_1D]).weights == (0.25, 0.75)


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        (lambda: wgf.Gaussian([0, 1], 0.4), lambda: wgf.Gaussian([0, 1], [0.4, 0.4])),
        (lambda: wgf.Gaussian(0.0, [0.4, 0.2]), lambda: wgf.Gaussian([0, 0], [0.4, 0.2])),
        (lambda: wgf.Gaussian(np.float64(0), np.array([0.4, 0.2])), lambda: wgf.Gaussian([0, 0], [0.4, 0.2])),
        (lambda: wgf.Uniform(-1, [1, 2]), lambda: wgf.Uniform([-1, -1], [1, 2])),
        (lambda: wgf.Uniform([-1, -2], 1), lambda: wgf.Uniform([-1, -2], [1, 1])),
        (lambda: wgf.Gaussian(0, 1), lambda: wgf.Gaussian([0], [1])),
        (lambda: wgf.Mixture([1, 1], [wgf.Gaussian(0, 1), BALL_2D]), lambda: wgf.Mixture([1, 1], [wgf.Gaussian([0, 0], [1, 1]), BALL_2D])),
    ],
)
def test_a_number_serves_for_all_axes(short, whole):
    """As `cells` does: the law is the one whose numbers were written out, as long as a list among them says how many axes there are."""
    assert short() == whole()
    assert short().dim == whole().dim
    assert np.array_equal(short().sample(5, np.random.default_rng(1)), whole().sample(5, np.random.default_rng(1)))


def test_numbers_alone_serve_for_the_axes_of_a_problem():
    """Where no list says how many axes there are, the neuron does; on its own, and in a product, such a law has one."""
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a")), wgf.Data([0.0, 1.0], [0.0, 1.0]))
    assert wgf.Problem(energy, wgf.Gaussian(0.5, 0.4)).initial == wgf.Gaussian([0.5, 0.5], [0.4, 0.4])
    assert wgf.Problem(energy, wgf.Ball(0.5, 0.4)).initial == wgf.Ball([0.5, 0.5], 0.4)
    mixed = wgf.Problem(energy, wgf.Mixture([1, 1], [wgf.Gaussian(0, 1), wgf.Uniform(-1, 1)])).initial
    assert mixed == wgf.Mixture([1, 1], [wgf.Gaussian([0, 0], [1, 1]), wgf.Uniform([-1, -1], [1, 1])])
    density = wgf.Problem(energy, wgf.FromDensity(constant, lower=-1, upper=1)).initial
    assert density.pdf(np.zeros((1, 2))) == pytest.approx(0.25)
    assert wgf.Product([wgf.Gaussian(0, 1), wgf.Uniform([-1, 0], 1)]).dim == 3
    with pytest.raises(wgf.InputError, match=r"theta has 2 coordinates \(c, a\) but the initial law has 1"):
        wgf.Problem(energy, wgf.Gaussian([0.5], 0.4))


def test_laws_say_what_they_are():
    assert repr(GAUSSIAN_2D) == "Gaussian(mean=(0.3, -1.0), std=(0.5, 0.2))"
    assert repr(BALL_2D) == "Ball(center=(0.4, -0.3), radius=0.9)"
    assert repr(wgf.Samples(POINTS)) == "Samples(60 points in 2 dimensions)"
    assert repr(wgf.Samples([1.0, 2.0])) == "Samples(2 points in 1 dimension)"
    assert repr(wgf.FromDensity(beta_times_slope)) == "FromDensity('beta_times_slope')"


def constant(theta):
    return np.ones(theta.shape[:-1])


class Nowhere:
    """A density that is zero everywhere, and loses its patience with a search that does not end."""

    patience = 100

    def __call__(self, theta):
        self.patience -= 1
        assert self.patience > 0
        return np.zeros(theta.shape[:-1])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: wgf.Gaussian([0, 0], [1, -1]), r"gaussian: std = -1 in coordinate 2; it must be positive"),
        (lambda: wgf.Gaussian(0, 0), r"gaussian: std = 0 in coordinate 1; it must be positive"),
        (lambda: wgf.Gaussian([0, 0], [1]), r"gaussian: mean has 2, std has 1 entries; give one per coordinate in each"),
        (lambda: wgf.Gaussian([0, np.nan], [1, 1]), r"gaussian: mean = \[0, nan\] must be finite numbers, one per coordinate"),
        (lambda: wgf.Gaussian([], []), r"gaussian: mean = \[\] must be finite numbers, one per coordinate or one for all"),
        (lambda: wgf.Gaussian(10**400, 1), r"gaussian: mean = 1000"),
        (lambda: wgf.Gaussian([0, 1], -0.4), r"gaussian: std = -0.4 in coordinate 1; it must be positive"),
        (lambda: wgf.Uniform(1, [2, 0]), r"uniform law has lower = 1, upper = 0 in coordinate 2: lower must be less than upper"),
        (lambda: wgf.Gaussian("here", 1), r"gaussian: mean = 'here' is not a list of numbers"),
        (lambda: wgf.Gaussian([[0, 1]], [[1, 1]]), r"gaussian: mean = \[\[0, 1\]\] must be finite numbers, one per coordinate"),
        (lambda: wgf.Uniform([0, 1], [1, 1]), r"uniform law has lower = 1, upper = 1 in coordinate 2: lower must be less than upper"),
        (lambda: wgf.Uniform([0], [1, 1]), r"uniform: lower has 1, upper has 2 entries"),
        (lambda: wgf.Ball([0, 0], -2), r"the ball has radius = -2: it must be a positive number"),
        (lambda: wgf.Ball([0, 0], np.inf), r"the ball has radius = inf: it must be a positive number"),
        (lambda: wgf.Ball([0, np.inf], 1), r"ball: center = \[0, inf\] must be finite numbers"),
        (lambda: wgf.Mixture([1], [GAUSSIAN_1D] * 2), r"the mixture has 1 weights for 2 laws; give one weight per law"),
        (lambda: wgf.Mixture([], []), r"the mixture has 0 weights for 0 laws"),
        (lambda: wgf.Mixture([1, 0], [GAUSSIAN_1D] * 2), r"the mixture has weights \[1\.0, 0\.0\]: they must be positive"),
        (lambda: wgf.Mixture([1, np.nan], [GAUSSIAN_1D] * 2), r"the mixture has weights \[1\.0, nan\]"),
        (
            lambda: wgf.Mixture([1, 1], [wgf.Gaussian([0], [1]), BALL_2D]),
            r"the laws of the mixture have dimensions \[1, 2\]: they must agree",
        ),
        (lambda: wgf.Product([]), r"the product has no laws; give at least one"),
        (
            lambda: wgf.Product([GAUSSIAN_1D, wgf.FromDensity(constant)]),
            r"law 2 of the product .*FromDensity\(pdf, lower=\[…\], upper=\[…\]\)",
        ),
        (lambda: wgf.Samples(np.ones((2, 2, 2))), r"samples have shape \(2, 2, 2\); expected \(m, p\) with m, p ≥ 1"),
        (lambda: wgf.Samples([[0, 1], [2]]), r"samples: points must be numbers, in rows of one length"),
        (lambda: wgf.Samples([]), r"samples have shape \(0, 1\)"),
        (lambda: wgf.Samples([[0, 1], [np.inf, 2]]), r"sample 1 is \[inf, 2\.0\]: every coordinate must be a finite number"),
        (lambda: wgf.FromDensity(constant, lower=[0]), r"the support of a law given by its density needs both lower and upper, or neither"),
        (lambda: wgf.FromDensity(constant, lower=[0], upper=[1, 1]), r"fromdensity: lower has 1, upper has 2 entries"),
        (lambda: wgf.FromDensity(constant, lower=[0, 2], upper=[1, 1]), r"has lower = 2, upper = 1 in coordinate 2: lower must be less"),
    ],
)
def test_a_law_that_cannot_be_says_why(build, message):
    with pytest.raises(wgf.InputError, match=message):
        build()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda rng: wgf.FromDensity(constant).sample(5, rng), r"to sample a law given by its density, give its support"),
        (lambda rng: wgf.FromDensity(constant).quadrature(5), r"for the quadrature of a law given by its density, give its support"),
        (
            lambda rng: wgf.FromDensity(lambda theta: theta).cell_averages(wgf.Grid(0, 1, 3)),
            r"pdf gave shape \(3, 1\) for theta \(3, 1\); expected \(3,\)",
        ),
        (
            lambda rng: wgf.FromDensity(lambda theta: theta[..., 0]).cell_averages(wgf.Grid(-1, 1, 3)),
            r"pdf gave a value that is negative or not finite",
        ),
        (
            lambda rng: wgf.FromDensity(lambda theta: 0 * theta[..., 0]).cell_averages(wgf.Grid(0, 1, 3)),
            r"the density is zero everywhere on the box; choose a box that holds the initial law",
        ),
        (lambda rng: wgf.FromDensity(Nowhere(), lower=0, upper=1).sample(3, rng), r"the density is zero everywhere on its support"),
        (
            lambda rng: wgf.FromDensity(lambda theta: 0 * theta[..., 0], lower=0, upper=1).quadrature(3),
            r"the density is zero everywhere on its support",
        ),
        (
            lambda rng: wgf.FromDensity(constant, sample=lambda m, rng: np.ones(m + 1), lower=0, upper=1).sample(3, rng),
            r"sample gave an array of shape \(4,\) for m = 3; expected \(3, p\)",
        ),
    ],
)
def test_a_density_that_cannot_be_used_says_why(use, message):
    with pytest.raises(wgf.InputError, match=message):
        use(np.random.default_rng(0))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if len(case.mean) == 2])
@pytest.mark.parametrize("axes", [1, 3])
def test_a_law_on_a_grid_of_another_dimension_is_refused(name, axes):
    with pytest.raises(wgf.InputError, match=rf"the law has dimension 2 but the grid has dimension {axes}"):
        CASES[name].law.cell_averages(wgf.Grid([0] * axes, [1] * axes, 4))
