"""The measured rate of decay against the exact one, and its lower bound against both."""

import dataclasses

import numpy as np
import pytest
from problems import Ridge, Tanh

import wgf
from wgf.networks.activations import ACTIVATIONS
from wgf.studies.theory import decay

NOISY = Ridge(penalty=0.4, temperature=0.2)


def test_the_rate_is_that_of_the_slowest_mode():
    """The linear neuron: the mean decays at s + λ, the variance at 2λ; the dissipation, quadratic in both, at twice the slower."""
    lower, upper = NOISY.box
    run = wgf.solve(NOISY.problem, wgf.FiniteVolume(64, lower, upper, diffusion="gibbs", dt=0.05), until=30.0, save=2)
    slowest = min(NOISY.second_moment[0, 0] + NOISY.penalty, 2 * NOISY.penalty)
    assert wgf.decay_rate(run) == pytest.approx(2 * slowest, rel=2e-2)


@pytest.mark.coarse
def test_a_short_run_has_no_rate():
    run = wgf.solve(NOISY.problem, wgf.FiniteVolume(32, *NOISY.box), until=0.1, save=2)
    assert np.isnan(wgf.decay_rate(run))


@pytest.mark.coarse
def test_the_bound_is_below_the_measured_rate():
    """A bounded neuron: 2λ e^{−osc/τ} from the frames, and the measured rate above it."""
    run = wgf.solve(BOUNDED, wgf.FiniteVolume(48, [-14, -14], [14, 14], diffusion="gibbs", dt=0.1), until=50.0, save=6)
    assert 0 < wgf.decay_bound(BOUNDED, run.measures[3:]) < wgf.decay_rate(run)


def problem_with(theta, temperature=0.5, penalty=0.1, activation="tanh", dim=1, **fixed):
    """A network with noise and a penalty."""
    data = Tanh().data if dim == 1 else wgf.Data(np.random.default_rng(0).normal(size=(7, dim)), np.linspace(-1, 1, 7))
    energy = wgf.RegressionEnergy(wgf.Neuron(activation, theta, fixed, dim), data, penalty)
    return wgf.Problem(energy, wgf.Gaussian([0] * len(theta), [0.5] * len(theta)), temperature)


BOUNDED = problem_with(("a", "b"), c=2.0)


def random_density(grid, seed=0):
    """Positive cell averages without any order."""
    values = np.random.default_rng(seed).random(grid.shape)
    return values / (values.sum() * grid.cell_volume)


def sampled_oscillation(problem, measure, lower, upper, count=60):
    """The oscillation of ⟨g(θ), φ_μ − f*⟩ over a fine lattice of the box, walls included: a bound from below."""
    axes = [np.linspace(low, high, count) for low, high in zip(lower, upper, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    return np.ptp(problem.energy.misfit(points, measure))


def bounded_oscillation(problem, measure):
    """The oscillation in 2λ e^{−osc/τ}."""
    return -problem.temperature * np.log(wgf.decay_bound(problem, [measure]) / (2 * problem.energy.penalty.strength))


@pytest.mark.parametrize("cells", [1, 2, 3, 16])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_oscillation_is_bounded_inside_the_cells(activation, cells):
    """Over the whole box, however coarse its cells: not less than on a fine lattice, nor more by over 2 % of τ and the lattice's gaps."""
    problem = problem_with(("c", "a"), activation=activation, b=0.3)
    grid = wgf.Grid([-1.0, -2.0], [1.5, 3.0], cells)
    measure = wgf.Density(grid, random_density(grid), problem.energy.neuron)
    least, bound = sampled_oscillation(problem, measure, grid.lower, grid.upper, 200), bounded_oscillation(problem, measure)
    assert least <= bound <= least + 0.02 * problem.temperature + 0.01 * least
    if cells <= 2:
        assert np.ptp(problem.energy.misfit(measure.points, measure)) < 0.6 * bound


@pytest.mark.parametrize(("theta", "dim", "fixed"), [(("b",), 1, {"a": 2.0}), (("a1", "a2"), 2, {}), (("c", "a1", "a2"), 2, {"b": 0.1})])
def test_the_oscillation_in_one_to_three_dimensions(theta, dim, fixed):
    problem = problem_with(theta, dim=dim, **fixed)
    grid = wgf.Grid([-2.0] * len(theta), [1.5] * len(theta), 5)
    measure = wgf.Density(grid, random_density(grid), problem.energy.neuron)
    least = sampled_oscillation(problem, measure, grid.lower, grid.upper)
    assert least <= bounded_oscillation(problem, measure) <= least + 0.02 * problem.temperature + 0.02 * least


def test_too_many_boxes_make_the_bound_cruder_but_keep_it_one(monkeypatch):
    grid = wgf.Grid([-1.0, -2.0], [1.5, 3.0], 4)
    measure = wgf.Density(grid, random_density(grid), BOUNDED.energy.neuron)
    fine = bounded_oscillation(BOUNDED, measure)
    monkeypatch.setattr(decay, "MOST_BOXES", 16)
    assert fine < bounded_oscillation(BOUNDED, measure) < 5 * fine


def gibbs_state(problem, grid):
    """The fixed point of μ = Gibbs state of G(·; μ) on a grid, as masses (N,), found by damped iterations."""
    points, mass = grid.points(), np.full(grid.size, 1.0 / grid.size)
    for _ in range(4000):
        g = problem.energy.potential(points, wgf.Cloud(points, mass, problem.energy.neuron))
        gibbs = np.exp(-(g - g.min()) / problem.temperature)
        change = gibbs / gibbs.sum() - mass
        mass = mass + 0.1 * change
        if np.abs(change).sum() < 1e-10:
            return mass
    raise AssertionError("no fixed point")


def exact_rate(problem, grid):
    """Twice the smallest rate of the flow linearised at its Gibbs state π: with μ = π(1 + f), ∂_t f = −D(τ f + K π f), where

    D f = −div(π ∇f)/π is symmetric in L²(π), and so is τ + Kπ > 0: in u = √π f the eigenvalues are those of M^{1/2} D M^{1/2} with
    M = τ + √π K √π. D is the matrix of the graph of cells with the geometric mean of π at the faces.
    """
    mass, points, names = gibbs_state(problem, grid), grid.points(), np.arange(grid.size).reshape(grid.shape)
    laplace = np.zeros((grid.size, grid.size))
    for axis, (h, wraps) in enumerate(zip(grid.spacing, grid.periodic(), strict=True)):
        left, right = (names, np.roll(names, -1, axis)) if wraps else (np.delete(names, -1, axis), np.delete(names, 0, axis))
        i, j = left.ravel(), right.ravel()
        rate = np.sqrt(mass[i] * mass[j]) / h**2
        for rows, columns, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
            np.add.at(laplace, (rows, columns), sign * rate)
    root = np.sqrt(mass)
    features = root[:, None] * problem.energy.neuron.value(points, problem.energy.data.inputs)
    values, vectors = np.linalg.eigh(problem.temperature * np.eye(grid.size) + (features * problem.energy.data.weights) @ features.T)
    half = (vectors * np.sqrt(values)) @ vectors.T
    return 2 * np.linalg.eigvalsh(half @ (laplace / np.outer(root, root)) @ half)[1], mass


CASES = {
    "a line": (problem_with(("b",), 0.3, 0.4, a=2.0), wgf.Grid([-5.0], [5.0], 240)),
    "a short line": (problem_with(("b",), 0.3, 0.4, a=2.0), wgf.Grid([-0.5], [1.0], 120)),
    "a circle": (problem_with(("b",), 0.3, 0.4, "cosine", a=2.0), wgf.Grid([-np.pi], [np.pi], 120, boundary="periodic")),
    "a long circle": (problem_with(("b",), 2.0, 0.02, "cosine", a=2.0), wgf.Grid([-20.0], [20.0], 300, boundary="periodic")),
    "a plane": (problem_with(("a", "b"), 0.4, 0.3, c=1.5), wgf.Grid([-4.0, -4.0], [4.0, 4.0], 24)),
    "with output weights": (problem_with(("c", "a"), 0.6, 0.5, b=0.1), wgf.Grid([-3.0, -3.0], [3.0, 3.0], 24)),
    "a strip that wraps": (
        problem_with(("a", "b"), 0.6, 0.3, "cosine", c=0.7),
        wgf.Grid([-4.0, -np.pi], [4.0, np.pi], 24, boundary=["no-flux", "periodic"]),
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("coarser", [1, 6, 24])
def test_the_bound_is_below_the_exact_rate(case, coarser):
    """From the Gibbs state on the grid, and on cells up to 24 times as long; the rate is that of the dense linearised flow."""
    problem, grid = CASES[case]
    rate, mass = exact_rate(problem, grid)
    coarse = wgf.Grid(grid.lower, grid.upper, [n // coarser for n in grid.shape], boundary=grid.boundary)
    fine = wgf.Density(grid, mass.reshape(grid.shape) / grid.cell_volume, problem.energy.neuron)
    measure = wgf.Density(coarse, fine.cell_averages(coarse), problem.energy.neuron)
    assert 0 < wgf.decay_bound(problem, [measure]) <= rate


def test_the_bound_is_sharp_without_data_to_fit():
    """f* = 0 and a symmetric start: φ = 0, G = ½λ|θ|², and the rate is 2λ."""
    data = wgf.Data([-1.0, 1.0], [0.0, 0.0])
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("b",), {"a": 0.0}), data, 0.3), wgf.Gaussian([0], [1]), 0.2)
    grid = wgf.Grid([-6.0], [6.0], 400)
    density = wgf.Density(grid, np.exp(-0.75 * grid.points()[:, 0] ** 2), problem.energy.neuron)
    assert wgf.decay_bound(problem, [density]) == pytest.approx(0.6, rel=0.011)
    quiet = exact_rate(dataclasses.replace(problem, energy=dataclasses.replace(problem.energy, neuron=Silent())), grid)[0]
    assert quiet == pytest.approx(0.6, rel=1e-3)


class Silent:
    """g = 0."""

    def value(self, theta, x):
        return np.zeros((*theta.shape[:-1], len(x)))


def ring(inner, outer, title, kind=2, height=0.0):
    """A mesh of quadrilaterals between two circles; in space where it has a height."""
    radii, angles = np.linspace(inner, outer, 4), 2 * np.pi * np.arange(24) / 24
    flat = np.stack([np.multiply.outer(radii, np.cos(angles)), np.multiply.outer(radii, np.sin(angles))], axis=-1).reshape(-1, 2)
    vertices = np.column_stack([flat, height * np.sum(flat**2, axis=1)]) if kind == 3 else flat
    k, j = np.meshgrid(np.arange(3), np.arange(24), indexing="ij")
    near, far = 24 * k + j, 24 * (k + 1) + j
    around = 24 * k + (j + 1) % 24
    cells = np.stack([near, far, around + 24, around], axis=-1).reshape(-1, 4)
    corners = flat[cells]
    volumes = 0.5 * np.abs(
        np.sum(corners[..., 0] * np.roll(corners[..., 1], -1, 1) - corners[..., 1] * np.roll(corners[..., 0], -1, 1), axis=1)
    )
    return wgf.Mesh(vertices, cells, vertices[cells].mean(axis=1), volumes, 2, [f"theta{i + 1}" for i in range(kind)], title)


def uniform(mesh, neuron=BOUNDED.energy.neuron):
    """The uniform density on a mesh."""
    return wgf.MeshDensity(mesh, np.full(mesh.size, 1.0 / mesh.volumes.sum()), neuron)


def test_a_disc_is_convex_and_has_a_bound():
    """Its oscillation lies between that at the vertices and that over the square around it."""
    mesh = ring(1e-9, 2.0, "disc")
    density, square = uniform(mesh), sampled_oscillation(BOUNDED, uniform(mesh), [-2, -2], [2, 2], 200)
    bound = bounded_oscillation(BOUNDED, density)
    assert np.ptp(BOUNDED.energy.misfit(mesh.vertices, density)) <= bound <= square + 0.02


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (uniform(ring(1.0, 2.0, "annulus of radii 1 and 2")), "for convex domains, and the annulus of radii 1 and 2 fills 75.0% of its"),
        (uniform(ring(1e-9, 1.0, "bowl", 3, 0.5)), "for convex domains, and the bowl is curved"),
        (
            wgf.Cloud(np.zeros((10, 2)), np.full(10, 0.1), BOUNDED.energy.neuron),
            "for densities, and Cloud.* neither a domain nor a free energy",
        ),
    ],
    ids=["annulus", "surface", "cloud"],
)
def test_what_has_no_bound_is_refused(measure, message):
    problem = BOUNDED if measure.points.shape[1] == 2 else problem_with(("c", "a", "b"))
    with pytest.raises(wgf.InputError, match=message):
        wgf.decay_bound(problem, [measure])


@pytest.mark.parametrize("neuron", [wgf.Neuron(wgf.ramp(0, 1), ("a", "b"), {"c": 2.0}), Silent()], ids=["activation", "neuron"])
def test_neurons_of_ones_own_are_refused(neuron):
    problem = dataclasses.replace(BOUNDED, energy=wgf.RegressionEnergy(neuron, Tanh().data, 0.1))
    with pytest.raises(wgf.InputError, match=r"with an activation of wgf \(tanh, .*whose range over a box is known"):
        wgf.decay_bound(problem, [])


@pytest.mark.parametrize("measures", [[], None, wgf.Density(wgf.Grid([0, 0], [1, 1], 2), np.ones((2, 2)))])
def test_no_frames_have_no_bound(measures):
    with pytest.raises(wgf.InputError, match="the bound is for the frames of a run: give at least one measure, in a list"):
        wgf.decay_bound(BOUNDED, measures)


@pytest.mark.parametrize("change", [{"temperature": 0.0}, {"energy": Tanh(penalty=0.0).problem.energy}])
def test_the_bound_wants_noise_and_a_penalty(change):
    problem = (
        dataclasses.replace(NOISY.problem, **change) if "energy" not in change else dataclasses.replace(Tanh().problem, temperature=0.1)
    )
    with pytest.raises(wgf.InputError, match=r"the bound is for networks with noise and a penalty"):
        wgf.decay_bound(problem, [])
