"""Exact densities: closed forms, other ways to the same numbers, the tolerance that is met, and what is refused."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from problems import RIDGE_1D, RIDGE_2D, Tanh
from scipy import ndimage
from scipy.integrate import solve_ivp

import wgf
from wgf.methods.pushforward import averages
from wgf.methods.pushforward.backward import Sums, rates_of
from wgf.runs.task import read_task

TANH = Tanh(penalty=0.05)
RATES, CENTER = np.array([0.4, -0.3]), np.array([0.3, -0.2])


def confinement(theta):
    """V = ½ Σ_k κ_k (θ_k − m_k)², of which each point moves as m + e^{−κt}(θ_0 − m)."""
    return 0.5 * np.sum(RATES * (theta - CENTER) ** 2, axis=-1)


confinement.gradient = lambda theta: RATES * (theta - CENTER)


def confined(law):
    return wgf.Problem(wgf.InteractionEnergy(V=confinement), law)


def pushed(law, t):
    """The law under that flow, for laws whose vectors scale."""
    factor = np.exp(-RATES * t)

    def moved(point):
        return (CENTER + factor * (np.array(point) - CENTER)).tolist()

    if isinstance(law, wgf.Mixture):
        return wgf.Mixture(law.weights, [pushed(part, t) for part in law.laws])
    if isinstance(law, wgf.Uniform):
        return wgf.Uniform(moved(law.lower), moved(law.upper))
    return wgf.Gaussian(moved(law.mean), (factor * np.array(law.std)).tolist())


def l1(density, averages):
    return float(np.abs(density.values - averages).sum()) * density.grid.cell_volume


LAWS = {
    "gaussian": wgf.Gaussian([0.5, 0.2], [0.4, 0.3]),
    "uniform": wgf.Uniform([-0.5, -0.6], [1.1, 0.7]),
    "mixture with edges": wgf.Mixture([0.7, 0.3], [wgf.Gaussian([-0.8, 0.1], 0.2), wgf.Uniform([0.5, -0.5], [1.2, 0.4])]),
}


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3])
@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_laws_in_a_linear_flow(law, tolerance):
    """Whose cell averages at t are those of a law of the same kind; the estimate is an upper bound, and within the tolerance."""
    run = wgf.solve(confined(law), wgf.Pushforward(24, (-2, -2), (2.5, 2), nodes=24, tolerance=tolerance), 1.0, 2)
    density = run.measures[-1]
    error = l1(density, pushed(law, 1.0).cell_averages(density.grid))
    assert error <= run.attributes["density_error"] <= tolerance


def test_a_product_and_a_density_of_ones_own():
    """The same law, said in three ways, and moved."""
    gaussian = LAWS["gaussian"]
    laws = [
        wgf.Product([wgf.Gaussian([0.5], [0.4]), wgf.Gaussian([0.2], [0.3])]),
        wgf.FromDensity(gaussian.pdf, lower=[-3, -3], upper=[4, 3]),
    ]
    method = wgf.Pushforward(16, (-2, -2), (2.5, 2), tolerance=1e-3)
    for law in laws:
        density = wgf.solve(confined(law), method, 1.0, 2).measures[-1]
        assert l1(density, pushed(gaussian, 1.0).cell_averages(density.grid)) <= 1e-3


def test_a_run_begins_where_another_ended():
    """A density that is constant on cells is a law with edges everywhere."""
    first = wgf.solve(confined(LAWS["gaussian"]), wgf.Pushforward(16, (-2, -2), (2.5, 2)), 0.5, 2).measures[-1]
    second = wgf.solve(confined(first), wgf.Pushforward(16, (-2, -2), (2.5, 2), tolerance=1e-2), 0.5, 2).measures[-1]
    assert second.mass == pytest.approx(1.0, abs=1e-2)
    assert second.mean == pytest.approx(CENTER + np.exp(-RATES) * (np.array([0.5, 0.2]) - CENTER), abs=1e-2)


def test_a_filament_thinner_than_the_distance_of_points():
    """A twentieth of a cell wide, through which no first point of any cell need pass; what no point sees, the nodes do."""
    rates, center = np.array([6.0, 0.1]), np.array([0.26, 0.0])

    def squeezing(theta):
        return 0.5 * np.sum(rates * (theta - center) ** 2, axis=-1)

    squeezing.gradient = lambda theta: rates * (theta - center)
    energy = wgf.InteractionEnergy(V=squeezing)
    run = wgf.solve(
        wgf.Problem(energy, wgf.Gaussian([0.5, 0.0], [0.3, 0.3])), wgf.Pushforward(16, (-2, -2), (2, 2), nodes=24, tolerance=5e-3), 0.6, 2
    )
    density = run.measures[-1]
    std = 0.3 * np.exp([-3.6, -0.06])
    exact = wgf.Gaussian([0.26 + 0.24 * np.exp(-3.6), 0.0], std.tolist()).cell_averages(density.grid)
    assert std[0] < density.grid.spacing[0] / 20
    assert l1(density, exact) <= run.attributes["density_error"] <= 5e-3


@pytest.mark.parametrize(("ridge", "cells"), [(RIDGE_1D, 40), (RIDGE_2D, 20)])
def test_ridge_regression(ridge, cells):
    """One input is read from a table, two are summed over the data; the law stays Gaussian."""
    run = wgf.solve(ridge.problem, wgf.Pushforward(cells, *ridge.box, nodes=12, tolerance=1e-5), 1.0, 2)
    density = run.measures[-1]
    assert l1(density, ridge.law(1.0).cell_averages(density.grid)) <= run.attributes["density_error"] <= 1e-5
    assert run.loss[-1] == pytest.approx(ridge.loss(1.0), rel=1e-8)
    assert run.prediction[-1] == pytest.approx(ridge.prediction(1.0), abs=1e-8)
    assert run.dissipation[-1] == pytest.approx(ridge.dissipation(1.0), rel=1e-8)


def forward_density(problem, start, until, nodes):
    """(θ, log μ) of points carried forward, with the nodes of the law, by another solver and the Hessians of the neuron."""
    points, weights = problem.initial.quadrature(nodes)
    data, neuron, strength = problem.energy.data, problem.energy.neuron, problem.energy.penalty.strength
    size, (count, p) = points.size, start.shape

    def rates(time, y):
        nodes_now, theta = y[:size].reshape(-1, p), y[size : size + count * p].reshape(-1, p)
        residual = data.weights * (weights @ neuron.value(nodes_now, data.inputs) - data.targets)
        slope = [np.einsum("mnp,n->mp", neuron.gradient(at, data.inputs), residual) + strength * at for at in (nodes_now, theta)]
        bend = np.einsum("mnkk,n->m", neuron.second(theta, data.inputs), residual) + strength * p
        return np.concatenate([-slope[0].ravel(), -slope[1].ravel(), bend])

    begin = np.concatenate([points.ravel(), start.ravel(), np.log(problem.initial.pdf(start))])
    end = solve_ivp(rates, (0.0, until), begin, method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
    return end[size : size + count * p].reshape(-1, p), np.exp(end[size + count * p :])


class Wave:
    """A neuron of one's own, c·sin(kx), whose second derivatives are differences."""

    theta = ("c", "k")

    def value(self, theta, x):
        return theta[..., :1] * np.sin(theta[..., 1:] * x[:, 0])


INPUTS = np.random.default_rng(0).normal(size=(12, 2))
PLANE = wgf.Data(INPUTS, np.sin(INPUTS @ [1.0, -0.5]))
LINE = wgf.Data.quadrature(Tanh.target, -1, 1, 8)
NEURONS = {
    "along a": (wgf.Neuron("tanh", ("c", "a")), LINE, 0.05),
    "along b, in another order": (wgf.Neuron("softplus", ("b", "c"), {"a": 1.5}), LINE, 0.0),
    "c fixed": (wgf.Neuron("gaussian", ("a", "b"), {"c": 2.0}), LINE, 0.1),
    "on the plane of a and b": (wgf.Neuron("sigmoid", ("c", "a", "b")), LINE, 0.05),
    "c alone": (wgf.Neuron("tanh", ("c",), {"a": 1.3}), LINE, 0.05),
    "two inputs": (wgf.Neuron("tanh", ("a1", "a2"), dim=2), PLANE, 0.02),
    "one's own": (Wave(), LINE, 0.0),
    "a penalty of one's own": (wgf.Neuron("tanh", ("c", "a")), LINE, (0.1, lambda theta: np.sum(theta**4, axis=-1) / 4)),
}


@pytest.mark.parametrize(("neuron", "data", "penalty"), NEURONS.values(), ids=NEURONS)
def test_the_density_at_points(neuron, data, penalty):
    """Points go forward with LSODA and the Hessians; from where they arrive, density_at goes back."""
    p = len(neuron.theta)
    problem = wgf.Problem(wgf.RegressionEnergy(neuron, data), wgf.Gaussian([0.4, 0.6, -0.2][:p], 0.3))
    if not isinstance(penalty, tuple):
        problem = dataclasses.replace(problem, energy=wgf.RegressionEnergy(neuron, data, penalty))
    start = problem.initial.sample(6, np.random.default_rng(1))
    theta, expected = forward_density(problem, start, 1.5, 10)
    assert wgf.density_at(problem, theta, 1.5, nodes=10, tolerance=1e-5) == pytest.approx(expected, rel=3e-5)
    if isinstance(penalty, tuple):  # that of one's own, which as |θ|⁴/4 bends, too: the same by both ways of the field
        own, tabled = (wgf.RegressionEnergy(neuron, data, p) for p in ((0.1, lambda theta: np.sum(theta**2, axis=-1)), 0.1))
        found = [wgf.density_at(dataclasses.replace(problem, energy=energy), theta, 1.5, nodes=10) for energy in (own, tabled)]
        assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_against_a_fine_quadrature_of_another_kind():
    """Romberg's means of 4, 8 and 16 midpoints along each axis, of the density by sums over the data at a fixed fine resolution."""
    _against_romberg(10, 2.0, 1e-6, data=wgf.Data.quadrature(Tanh.target, -1, 1, 6), box=(TANH.lower, TANH.upper))


EDGES_AND_BUMPS = [wgf.Uniform([-0.6, -0.3], [1.0, 1.3]), wgf.Mixture([1, 1], [wgf.Gaussian([-0.8, -0.5], 0.2), wgf.Gaussian([1, 1], 0.2)])]


@pytest.mark.long
def test_the_flagship_against_a_fine_quadrature_of_another_kind():
    """128² cells at t = 5."""
    _against_romberg(128, 5.0, 1e-6, (2, 4, 8))


@pytest.mark.long
@pytest.mark.parametrize("law", EDGES_AND_BUMPS)
def test_late_edges_and_bumps_against_a_fine_quadrature_of_another_kind(law):
    """64² cells at t = 20, to 1e-3 as told, up to what means of 32² and 64² midpoints differ by: edges are not to be extrapolated."""
    density, told, (coarse, fine) = _beside_midpoints(64, 20.0, 1e-3, (32, 64), law=law)
    assert l1(density, fine) <= told + np.abs(fine - coarse).sum() * density.grid.cell_volume
    assert told <= 1e-3
    assert abs(density.mass - 1.0) <= 1e-3


def _against_romberg(cells, until, tolerance, midpoints=(4, 8, 16), **options):
    density, told, means = _beside_midpoints(cells, until, tolerance, midpoints, **options)
    second = [(4 * fine - coarse) / 3 for coarse, fine in pairwise(means)]
    exact = (16 * second[1] - second[0]) / 15
    assert l1(density, exact) <= told <= tolerance
    assert abs(density.mass - 1.0) <= tolerance


def _beside_midpoints(cells, until, tolerance, midpoints, data=TANH.data, law=TANH.problem.initial, box=((-4.0, -3.5), (5.0, 5.0))):
    """The density, its error as told, and the means of so many midpoints along each axis."""
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), data), law)
    stepper = wgf.Pushforward(cells, *box, tolerance=tolerance).bind(problem, until)
    state = stepper.start()
    while state.time < until:
        stepper.step(state, until)
    density = stepper.frame(state).measure
    sums = Sums(rates_of(problem.energy), state.path, np.array([[-20.0, -20.0], [20.0, 20.0]]), data.size)
    near = ndimage.binary_dilation(density.values > 1e-12 * density.values.max(), iterations=2)  # the mass says that nothing is beyond
    means = []
    for m in midpoints:
        fine = wgf.Grid(*box, (m * cells, m * cells))
        points = fine.points().reshape(cells, m, cells, m, 2).swapaxes(1, 2)[near]
        origins, growth = sums.origins(points.reshape(-1, 2), 3)
        means.append(np.zeros((cells, cells)))
        means[-1][near] = (problem.initial.pdf(origins) * np.exp(growth)).reshape(-1, m * m).mean(axis=1)
    return density, stepper.facts["density_error"], means


def test_moments_are_those_of_the_characteristics():
    """∫θ dμ by cells of which each is right: its centre is not its mean, so that the covariance has h²/12 more to tell."""
    run = wgf.solve(TANH.problem, wgf.Pushforward(48, TANH.lower, TANH.upper, tolerance=1e-5), 2.0, 2)
    reference = wgf.solve(TANH.problem, wgf.Characteristics(), 2.0, 2)
    assert run.loss == pytest.approx(reference.loss, rel=1e-8)
    assert run.prediction[-1] == pytest.approx(reference.prediction[-1], abs=1e-8)
    assert run.measures[-1].mean == pytest.approx(reference.measures[-1].mean, abs=1e-4)
    assert run.attributes["mass_error"] == pytest.approx(abs(run.mass[-1] - 1.0))
    assert run.attributes["mass_error"] <= 1e-5


@pytest.mark.parametrize("law", EDGES_AND_BUMPS)
def test_edges_and_bumps_at_late_times(law):
    """The estimate holds against ten times the accuracy."""
    problem = dataclasses.replace(Tanh().problem, initial=law)
    coarse, fine = (wgf.solve(problem, wgf.Pushforward(40, (-3.5, -3), (4.5, 4.5), nodes=24, tolerance=t), 20.0, 2) for t in (1e-2, 1e-3))
    assert l1(coarse.measures[-1], fine.measures[-1].values) <= coarse.attributes["density_error"] <= 1e-2
    assert coarse.attributes["mass_error"] <= 1e-2


def test_three_coordinates():
    """The estimate holds against ten times the accuracy; mass is one."""
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a", "b")), TANH.data)
    problem = wgf.Problem(energy, wgf.Gaussian([0.2, 0.5, 0.1], 0.3))
    box = (-2, -1.5, -2), (2.5, 3, 2)
    coarse, fine = (wgf.solve(problem, wgf.Pushforward(12, *box, nodes=10, tolerance=t), 1.0, 2) for t in (3e-3, 3e-4))
    assert l1(coarse.measures[-1], fine.measures[-1].values) <= coarse.attributes["density_error"] <= 3e-3
    assert fine.mass[-1] == pytest.approx(1.0, abs=3e-4)


def test_too_few_points_are_said(monkeypatch):
    monkeypatch.setattr(averages, "MOST_POINTS", 2000)
    with pytest.warns(wgf.ResolutionWarning, match=r"the density is right to .* in L¹ only, as estimated, and not to the tolerance 0\.001"):
        run = wgf.solve(confined(LAWS["uniform"]), wgf.Pushforward(16, (-2, -2), (2.5, 2), nodes=8, tolerance=1e-3), 1.0, 2)
    error = l1(run.measures[-1], pushed(LAWS["uniform"], 1.0).cell_averages(run.measures[-1].grid))
    assert error <= run.attributes["density_error"]


def test_a_box_cuts_the_law_as_for_all_methods_and_then_nothing():
    """At t = 0 the rest has mass one; what flows out later is not held back, and is missed."""
    with pytest.warns(wgf.BoundaryWarning, match="leaves out"):
        run = wgf.solve(confined(LAWS["gaussian"]), wgf.Pushforward(16, (-2, -0.1), (2.5, 0.8), nodes=24, tolerance=2e-3), 1.0, 2)
    assert run.mass[0] == pytest.approx(1.0, abs=1e-12)
    assert run.attributes["mass_error"] == pytest.approx(1.0 - run.mass[-1])
    assert 0.1 < run.attributes["mass_error"] < 0.5


def test_the_density_at_the_start_is_that_of_the_law():
    problem = TANH.problem
    theta = np.array([[[0.2, 0.5], [0.1, 0.3]]])
    assert np.array_equal(wgf.density_at(problem, theta, 0.0), problem.initial.pdf(theta))
    assert wgf.density_at(problem, [0.2, 0.5], 1.0).shape == ()


REFUSED = {
    "noise": (dataclasses.replace(TANH.problem, temperature=0.1), "Pushforward solves the flow without diffusion, .* take FiniteVolume"),
    "an interaction": (
        wgf.Problem(wgf.InteractionEnergy(W=lambda z: np.exp(-np.sum(z**2, axis=-1))), wgf.Gaussian([0, 0], 1)),
        "confinements V without an interaction W, and not InteractionEnergy.*: take FiniteVolume, or Characteristics",
    ),
    "points": (dataclasses.replace(TANH.problem, initial=wgf.Samples([[0.0, 1.0]])), "samples have no density"),
    "a law without a place": (
        dataclasses.replace(TANH.problem, initial=wgf.FromDensity(lambda theta: theta[..., 0] ** 2)),
        "give its support",
    ),
}


@pytest.mark.parametrize(("problem", "words"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_density_along_characteristics_is_refused(problem, words):
    with pytest.raises(wgf.InputError, match=words):
        wgf.solve(problem, wgf.Pushforward(8, (-1, -1), (1, 1)), 1.0)
    with pytest.raises(wgf.InputError, match=words):
        wgf.density_at(problem, [0.0, 0.0], 1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: wgf.Pushforward(8, nodes=2), "nodes = 2; give a whole number, at least 4"),
        (lambda: wgf.Pushforward(8, tolerance=1.0), r"tolerance = 1: .* lies in \(0, 1\)"),
        (lambda: wgf.density_at(TANH.problem, [0.0], 1.0), r"theta has shape \(1,\): give finite coordinates \(…, 2\)"),
        (lambda: wgf.density_at(TANH.problem, [0.0, np.nan], 1.0), "give finite coordinates"),
        (lambda: wgf.density_at(TANH.problem, [0.0, 0.0], -1.0), "time = -1: it must be a number ≥ 0"),
    ],
)
def test_wrong_numbers_are_refused(call, words):
    with pytest.raises(wgf.InputError, match=words):
        call()


def test_the_problem_file(tmp_path):
    """[method] name = "pushforward" with its options; walls are refused where they stand."""
    text = """
    [neuron]
    activation = "tanh"
    theta = ["c", "a"]
    [data]
    file = "data.csv"
    [initial]
    law = "gaussian"
    mean = [0, 1]
    std = 0.4
    [domain]
    cells = 12
    lower = -2
    upper = 3
    [method]
    name = "pushforward"
    nodes = 8
    tolerance = 1e-2
    """
    (tmp_path / "data.csv").write_text("x,y\n0,1\n1,2\n")
    (path := tmp_path / "problem.toml").write_text(text)
    task = read_task(path)
    assert task.method == wgf.Pushforward(12, -2, 3, 8, 1e-2)
    run = wgf.solve(task.problem, task.method, 0.5, 2, store=tmp_path / "run.h5")
    assert wgf.open_run(tmp_path / "run.h5").attributes["density_error"] == run.attributes["density_error"] > 0
    path.write_text(text.replace("cells = 12", 'cells = 12\n    boundary = "periodic"'))
    with pytest.raises(
        wgf.InputError, match=r"\[domain\]: boundary = 'periodic' is not for Pushforward, which follows the flow without walls"
    ):
        read_task(path)
