"""One initial law in a box for grids and neurons: truncated at closed edges, wrapped around periodic ones."""

import dataclasses
import itertools
import warnings

import numpy as np
import pytest
from scipy import stats

import wgf
from wgf.measures.grid import wrapped
from wgf.measures.laws import InBox
from wgf.methods.particles.walls import Walls

POINTS = np.random.default_rng(8).normal(0.3, 0.8, (400, 1))


def bump(theta):
    return np.exp(-2 * np.abs(theta[..., 0] - 0.4))


LINE = {
    "gaussian": wgf.Gaussian([0.3], [0.7]),
    "narrow": wgf.Gaussian([-0.95], [0.1]),
    "uniform": wgf.Uniform([-0.4], [1.6]),
    "ball": wgf.Ball([0.5], 1.2),
    "mixture": wgf.Mixture([1, 2], [wgf.Gaussian([0.9], [0.3]), wgf.Uniform([-1.5], [0.5])]),
    "samples": wgf.Samples(POINTS),
    "density": wgf.FromDensity(bump, lower=[-1.5], upper=[2.0]),
    "frame": wgf.Density(wgf.Grid([-2], [3], 50), wgf.Gaussian([0.4], [0.6]).cell_averages(wgf.Grid([-2], [3], 50))),
}
PLANE = {
    "gaussian": wgf.Gaussian([0.3, -0.2], [0.7, 0.6]),
    "ball": wgf.Ball([0.4, 0.3], 1.0),
    "mixture": wgf.Mixture([2, 1], [wgf.Gaussian([0.5, 0.1], [0.3, 0.5]), wgf.Uniform([-1.4, -1], [0.5, 1.2])]),
    "product": wgf.Product([wgf.Uniform([-0.5], [1.3]), wgf.Gaussian([0.4], [0.5])]),
    "samples": wgf.Samples(np.random.default_rng(4).normal([0.4, 0.1], [0.6, 0.5], (300, 2))),
    "density": wgf.FromDensity(lambda theta: 1 + theta[..., 0] ** 2, lower=[-0.9, -1.0], upper=[1.2, 1.4]),
}
CASES = [
    pytest.param(law, boundary, id=f"{name}-{'-'.join(boundary)}")
    for laws, boundaries in (
        (LINE, [("no-flux",), ("periodic",)]),
        (PLANE, [("no-flux", "no-flux"), ("periodic", "no-flux"), ("periodic", "periodic")]),
    )
    for name, law in laws.items()
    for boundary in boundaries
]


def started(problem, method):
    """The first measure of a method, without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wgf.BoundaryWarning)
        stepper = method.bind(problem, 1.0)
        return stepper.frame(stepper.start()).measure


@pytest.mark.coarse
@pytest.mark.parametrize(("law", "boundary"), CASES)
def test_neurons_and_grid_start_from_one_law(law, boundary):
    """Counts of neurons in the cells against the cell averages by Pearson's test; mean and spread; no atom at the walls."""
    p, m = law.dim, 20_000
    box = {"lower": [-1.0] * p, "upper": [1.0] * p, "boundary": boundary}
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: theta[..., 0]), law)
    density = started(problem, wgf.FiniteVolume(12 if p == 2 else 40, **box))
    cloud = started(problem, wgf.Particles(m, seed=2, **box))
    counts, _ = np.histogramdd(cloud.positions, density.grid.edges)
    expected = m * density.masses.reshape(density.grid.shape)
    assert density.mass == pytest.approx(1, abs=1e-12)
    held = expected > 10
    statistic = np.sum((counts[held] - expected[held]) ** 2 / expected[held])
    assert stats.chi2.sf(statistic, held.sum() - 1) > 1e-4
    assert counts[~held].sum() <= expected[~held].sum() + 5 * np.sqrt(expected[~held].sum()) + 1e-9
    assert np.abs(cloud.mean - density.mean).max() < 4 / np.sqrt(m) + 1.0 / density.grid.shape[0] ** (
        1 if isinstance(law, wgf.Samples) else 2
    )
    if not isinstance(law, wgf.Samples):
        assert len(np.unique(cloud.positions[:, 0])) == m


@pytest.mark.parametrize(("law", "boundary"), CASES)
def test_wrapped_cell_averages_are_folded_ones(law, boundary):
    """On periodic axes: those of a grid of the same cells that holds the whole law, folded; on closed ones a part of them."""
    n, laps = 16, 7
    p = law.dim
    wrap = [condition == "periodic" for condition in boundary]
    grid = wgf.Grid([-1] * p, [1] * p, n, boundary=boundary)
    around = [laps if wraps else 0 for wraps in wrap]
    large = wgf.Grid([-1 - 2 * k for k in around], [1 + 2 * k for k in around], [n * (2 * k + 1) for k in around])
    folded = law.cell_averages(large)
    for axis, k in enumerate(around):
        folded = folded.reshape(*folded.shape[:axis], 2 * k + 1, n, *folded.shape[axis + 1 :]).sum(axis=axis)
    assert law.cell_averages(grid) == pytest.approx(folded, rel=1e-6 if isinstance(law, wgf.FromDensity | wgf.Ball) else 1e-12, abs=1e-14)


def test_a_wrapped_normal_law_is_its_fourier_series():
    """(1 + 2 Σ exp(−½(ks)²) cos k(θ − m))/2π: from a twentieth of the circle to ten times around it."""
    grid = wgf.Grid([-np.pi], [np.pi], 24, boundary="periodic")
    edges, k = grid.edges[0], np.arange(1, 80)
    for std in (0.3, 1.0, 3.0, 9.0, 9.5, 60.0):
        integral = np.sin(np.multiply.outer(edges - 0.7, k)) @ (np.exp(-0.5 * (k * std) ** 2) / k)
        expected = np.diff(edges / 2 + integral) / np.pi / grid.cell_volume
        assert wgf.Gaussian([0.7], [std]).cell_averages(grid) == pytest.approx(expected, rel=1e-12)


def test_laws_inside_the_box_give_the_neurons_they_gave():
    """Bit for bit, for the same seed; and the others of a draw that is cut stay where they are."""
    law = wgf.Gaussian([0.1, 0.2], [0.3, 0.4])
    drawn = law.sample(50, np.random.default_rng(7))
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: theta[..., 0]), law)
    inside = wgf.Particles(50, seed=7, lower=[-4, -4], upper=[4, 4]).bind(problem, 1.0)
    assert np.array_equal(inside.start().values, drawn)
    with pytest.warns(wgf.BoundaryWarning):
        cut = wgf.Particles(50, seed=7, lower=[-4, 0], upper=[4, 4]).bind(problem, 1.0).start().values
    kept = drawn[:, 1] >= 0
    assert 5 < np.count_nonzero(~kept) < 25
    assert np.array_equal(cut[kept], drawn[kept])
    assert cut[:, 1].min() > 0
    with pytest.warns(wgf.BoundaryWarning):
        again = wgf.Particles(50, seed=7, lower=[-4, 0], upper=[4, 4]).bind(problem, 1.0).start().values
    assert np.array_equal(cut, again)


def test_samples_outside_are_left_out():
    law = wgf.Samples([[0.2], [0.4], [0.9], [1.4]])
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: theta[..., 0]), law)
    box = {"lower": [0], "upper": [1]}
    assert started(problem, wgf.Particles(3, **box)).positions.ravel().tolist() == [0.2, 0.4, 0.9]
    assert set(started(problem, wgf.Particles(50, **box)).positions.ravel().tolist()) == {0.2, 0.4, 0.9}
    assert started(problem, wgf.Particles(4, **box, boundary="periodic")).positions.ravel() == pytest.approx([0.2, 0.4, 0.9, 0.4])


WORDS = r"the box \[0, 1\] leaves out 0\.16 of the initial law; the rest is scaled to mass one"
METHODS = [
    wgf.FiniteVolume(64, [0], [1]),
    wgf.JKO(64, [0], [1], dt=0.1),
    wgf.QuantileJKO(64, [0], [1], dt=0.1),
    wgf.FiPyMesh(wgf.Box(64, [0], [1])),
    wgf.Particles(20, lower=[0], upper=[1]),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_every_method_says_what_its_box_leaves_out(method):
    law = wgf.Gaussian([0.2], [0.2])
    neuron = wgf.Neuron("tanh", ("a",))
    energy = wgf.RegressionEnergy(neuron, wgf.Data([0.5, 1.0], [0.3, 0.5]))
    with pytest.warns(wgf.BoundaryWarning, match=WORDS):
        method.bind(wgf.Problem(energy, law), 0.1).start()
    with pytest.raises(wgf.InputError, match=r"the box \[0, 1\] holds only 2\.14% of the initial law Gaussian.*: choose"):
        method.bind(wgf.Problem(energy, wgf.Gaussian([-2], [1])), 0.1).start()


def test_periodic_boxes_hold_every_law():
    """Nothing is left out, nothing warned of, wherever the law stands."""
    for method in (
        wgf.FiniteVolume(32, [0], [1], boundary="periodic"),
        wgf.FiPyMesh(wgf.Box(32, [0], [1], boundary="periodic")),
        wgf.Particles(20, lower=[0], upper=[1], boundary="periodic"),
    ):
        problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: np.cos(2 * np.pi * theta[..., 0])), wgf.Gaussian([40.3], [0.2]))
        with warnings.catch_warnings():
            warnings.simplefilter("error", wgf.BoundaryWarning)
            stepper = method.bind(problem, 1.0)
            measure = stepper.frame(stepper.start()).measure
        parts = [measure.integrate(lambda theta, f=f: f(2 * np.pi * theta[:, 0])) for f in (np.cos, np.sin)]
        angle = np.arctan2(parts[1], parts[0])
        assert angle / (2 * np.pi) == pytest.approx(0.3, abs=0.15)


@pytest.mark.parametrize("boundary", ["no-flux", "periodic"])
@pytest.mark.parametrize("sampled", [False, True])
def test_a_density_without_a_support_is_one_on_the_box(boundary, sampled):
    """It does not wrap around, drawn by a function of the user's or by rejection; nor do its mixtures."""
    sampler = (lambda m, rng: rng.normal(0.0, 1.0, (m, 1))) if sampled else None
    part = wgf.FromDensity(lambda theta: np.exp(-0.5 * theta[..., 0] ** 2), sampler)
    grid = wgf.Grid([-0.5], [2], 40, boundary=boundary)
    for law in (part, wgf.Mixture([1, 1], [part, part])):
        points = Walls(grid.lower, grid.upper, boundary).law_inside(law).sample(20_000, np.random.default_rng(1))
        counts, _ = np.histogram(points[:, 0], grid.edges[0])
        expected = law.cell_averages(grid) * grid.cell_volume * len(points)
        assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-4


def test_a_density_that_reaches_beyond_a_mesh_is_said_to_as_on_a_box():
    """1 + θ₁² on [−1, 2] × [−1, 1] beside the disc of radius 1: π(1 + 1/4) of 12 are inside, less than half; of a smaller support most."""
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: theta[..., 0]), wgf.Uniform([0, 0], [1, 1]))

    def start(lower, upper):
        law = wgf.FromDensity(lambda theta: 1 + theta[..., 0] ** 2, lower=lower, upper=upper)
        rings = wgf.FiPyMesh(wgf.Disc(1.0, 0.1, pattern="rings"))
        return rings.bind(dataclasses.replace(problem, initial=law), 1.0).start()

    with pytest.raises(wgf.InputError, match=r"the disc .* holds only 3\d\.\d+% of the initial law"):
        start([-1, -1], [2, 1])
    with pytest.warns(wgf.BoundaryWarning, match=r"leaves out 0\.2\d* of the initial law"):
        start([-1, -1], [1, 1])


def test_a_sampler_that_never_meets_the_box_is_refused():
    law = wgf.FromDensity(lambda theta: np.ones(theta.shape[:-1]), lambda m, rng: rng.uniform(5, 6, (m, 1)))
    with pytest.raises(wgf.InputError, match=r"the box \[0, 1\] holds hardly any of the points"):
        Walls([0], [1]).law_inside(law).sample(3, np.random.default_rng(0))


def test_boxes_in_many_dimensions_are_judged_by_points():
    law = wgf.Gaussian([0.0] * 6, [1.0] * 6)
    with pytest.warns(wgf.BoundaryWarning, match=r"leaves out 0\.2\d? of the initial law"):
        held = Walls([-2] * 6, [2] * 6).law_inside(law)
    points = held.sample(500, np.random.default_rng(0))
    assert np.abs(points).max() <= 2
    with pytest.raises(wgf.InputError, match=r"holds only 0\.\d+% of the initial law"):
        Walls([1] * 6, [2] * 6).law_inside(law)


@pytest.mark.parametrize(("p", "nodes"), [(1, 40), (2, 24), (3, 12)])
def test_the_quadrature_of_a_cut_law(p, nodes):
    """A normal law cut on every axis, and its mixture with one that lies outside and one that lies inside: means and variances."""
    cut = stats.truncnorm(-0.5, 8.5, 0.5, 1.0)
    law = wgf.Gaussian([0.5] * p, [1.0] * p)
    box = (np.zeros(p), np.full(p, 9.0), np.zeros(p, dtype=bool))
    points, weights = InBox(law, *box).quadrature(nodes)
    assert points.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights @ points == pytest.approx(np.full(p, cut.mean()), rel=1e-3)
    assert weights @ points**2 - (weights @ points) ** 2 == pytest.approx(np.full(p, cut.var()), rel=1e-2)
    mixed = wgf.Mixture([1, 1, 2], [law, wgf.Uniform([-3] * p, [-2] * p), wgf.Gaussian([5.0] * p, [0.1] * p)])
    points, weights = InBox(mixed, *box).quadrature(nodes)
    share = stats.norm.cdf(0.5) ** p
    assert weights @ points == pytest.approx(np.full(p, (share * cut.mean() + 2 * 5.0) / (share + 2)), rel=1e-3)


def test_the_quadrature_of_samples_and_of_wrapped_laws():
    samples = InBox(wgf.Samples([-1.0, 0.5, 0.7]), np.array([0.0]), np.array([1.0]), np.array([False]))
    points, weights = samples.quadrature(5)
    assert (points.ravel().tolist(), weights.tolist()) == ([0.5, 0.7], [0.5, 0.5])
    product = InBox(wgf.Product([samples.law, wgf.Uniform([0], [1])]), np.zeros(2), np.ones(2), np.array([False, False]))
    points, weights = product.quadrature(5)
    assert weights @ points == pytest.approx([0.6, 0.5])
    law = wgf.Gaussian([0.2], [0.3])
    points, weights = InBox(law, np.array([0.0]), np.array([1.0]), np.array([True])).quadrature(20)
    assert weights @ np.cos(2 * np.pi * points[:, 0]) == pytest.approx(np.exp(-0.5 * (0.6 * np.pi) ** 2) * np.cos(0.4 * np.pi), rel=1e-9)
    assert points.min() >= 0
    assert points.max() <= 1


def test_wrapping_keeps_the_digits_of_what_is_inside():
    points = np.array([[0.1, 7.3], [1.2, -0.1], [-0.3, 3.0]])
    found = wrapped(points, np.zeros(2), np.array([1.0, 3.0]), np.array([True, False]))
    assert np.array_equal(found[0], points[0])
    assert found[1:] == pytest.approx(np.array([[0.2, -0.1], [0.7, 3.0]]))


def test_images_cover_the_law_once():
    grid = wgf.Grid([0, 0], [1, 2], 4, boundary=("periodic", "no-flux"))
    lows = [image.lower for image in grid.images([-1.5, -9], [2.2, 9])]
    assert lows == [(n, 0.0) for n in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    assert [image.lower for image in grid.images([0, 0], [1, 2])] == [(0.0, 0.0)]
    assert list(itertools.islice(wgf.Grid([0], [1], 4).images([-9], [9]), 2)) == [wgf.Grid([0], [1], 4)]


def test_the_comparison_starts_from_one_law():
    """At t = 0 m·E‖φ_m − φ‖² is the variance of one neuron of the truncated law, with walls for the neurons or without, within 4 errors."""
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", ("a",)), wgf.Data.quadrature(np.sin, lower=-1, upper=1, nodes=8))
    problem = wgf.Problem(energy, wgf.Gaussian([0.5], [1.0]))
    box = {"lower": [0], "upper": [4]}
    for particles in (None, wgf.Particles(1, **box)):
        with pytest.warns(wgf.BoundaryWarning, match="leaves out 0.31"):
            found = wgf.compare(
                problem,
                wgf.FiniteVolume(200, **box, edge_tolerance=1),
                0.01,
                sizes=(50, 200),
                replicates=200,
                save=2,
                workers=1,
                particles=particles,
            )
        squares = found.table.sizes[:, None] * found.table.distance["function"][..., 0] ** 2
        law = stats.truncnorm(-0.5, 3.5, 0.5, 1.0)
        theta = law.ppf((np.arange(20_000) + 0.5) / 20_000)
        values = np.tanh(np.multiply.outer(theta, energy.data.inputs[:, 0]))
        theory = values.var(axis=0) @ energy.data.weights
        assert squares.shape == (2, 200)
        for row in squares:
            assert abs(row.mean() - theory) < 4 * row.std(ddof=1) / np.sqrt(200)
        assert found.rates["function"].expected_constant[0] == pytest.approx(theory, rel=0.01)
