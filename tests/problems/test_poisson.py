"""The potential poisson: the discrete equation, exact densities, particles on a circle, and what it is refused for."""

import numpy as np
import pytest
from scipy import integrate, ndimage, optimize
from scripts import SOLVERS, imported

import wgf
from wgf.networks.derivatives import differences
from wgf.problems.poisson import CirclePoisson
from wgf.problems.potentials import Sum
from wgf.runs.task import read_task

SCRIPT = imported(SOLVERS / "torus_fluid.py")
POISSON = wgf.potential("poisson")
PERIODIC = {"boundary": "periodic"}


def fluid(law, **others):
    return wgf.Problem(wgf.InteractionEnergy(W=POISSON, **others), law)


def on_torus(cells, p, **options):
    return wgf.FiniteVolume(cells, [0] * p, [1] * p, boundary="periodic", **options)


def logistic(start, time, rate=1.0, mean=1.0):
    """μ' = −rate·μ(μ − mean), by an integrator that does not know the solution."""
    solution = integrate.solve_ivp(lambda _, u: -rate * u * (u - mean), (0, time or 1e-9), np.atleast_1d(start), rtol=1e-10, atol=1e-12)
    return solution.y[:, -1]


GRIDS = [
    wgf.Grid([0], [1], 9, boundary="periodic"),
    wgf.Grid([-1, 0], [1, 5], (8, 5), boundary="periodic"),
    wgf.Grid([0, 0, 1], [1, 2, 4], (4, 6, 3), boundary="periodic"),
    wgf.Grid([0, 0], [1, 1], (2, 1), boundary="periodic"),
    wgf.Grid([0, 0, 0, -1], [1, 1, 2, 1], (3, 4, 5, 6), boundary="periodic"),
]


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
@pytest.mark.parametrize("strength", [1.0, -2.5])
def test_the_potential_solves_the_discrete_equation_and_the_loss_is_its_slope(grid, strength):
    """−Δ_h ψ = s(μ − μ̄), Σψ = 0, and L = Σψμ|C| = Σ_faces |∇_h ψ|²|C|/s, by plain differences of neighbours."""
    values = np.random.default_rng(1).exponential(size=grid.shape)
    potential = wgf.InteractionEnergy(W=wgf.potential("poisson", strength=strength)).on(grid)
    loss = potential.update(potential.arranged(values), None)
    psi = potential.values()
    laplacian, slopes = np.zeros(grid.shape), 0.0
    for axis, h in enumerate(grid.spacing):
        laplacian += (np.roll(psi, 1, axis) - 2 * psi + np.roll(psi, -1, axis)) / h**2
        slopes += np.sum((np.roll(psi, -1, axis) - psi) ** 2) / h**2 * grid.cell_volume
    assert -laplacian == pytest.approx(strength * (values - values.mean()), abs=1e-11)
    assert psi.sum() == pytest.approx(0, abs=1e-12)
    assert loss == pytest.approx(slopes / strength, rel=1e-11)
    assert wgf.InteractionEnergy(W=wgf.potential("poisson", strength=strength)).loss(wgf.Density(grid, values)) == pytest.approx(loss)


def test_on_a_line_the_face_velocities_are_those_of_the_exact_flow():
    """For μ = 1 + ½cos 2πx: v = −∂ψ = sin(2πx)/(4π), from exact cell averages, to rounding."""
    grid = wgf.Grid([0], [1], 16, boundary="periodic")
    edges = grid.edges[0]
    averages = 1 + np.diff(np.sin(2 * np.pi * edges)) / (4 * np.pi) / grid.spacing[0]
    potential = wgf.InteractionEnergy(W=POISSON).on(grid)
    potential.update(potential.arranged(averages), None)
    psi = potential.values()
    assert -(np.roll(psi, -1) - psi) / grid.spacing[0] == pytest.approx(np.sin(2 * np.pi * edges[1:]) / (4 * np.pi), abs=1e-14)


def test_it_adds_up_with_other_interactions():
    """Two poissons and a cosine: the sum of their potentials, each by itself."""
    grid, cosine = wgf.Grid([0, 0], [1, 1], (8, 6), boundary="periodic"), wgf.potential("cosine", wavenumber=2 * np.pi)
    values = np.random.default_rng(2).exponential(size=grid.shape)

    def psi(w):
        potential = wgf.InteractionEnergy(W=w).on(grid)
        potential.update(potential.arranged(values), None)
        return potential.values()

    both = Sum([POISSON, cosine, wgf.potential("poisson", strength=0.5)])
    assert psi(both) == pytest.approx(1.5 * psi(POISSON) + psi(cosine), abs=1e-13)


def test_a_density_on_a_line_is_the_exact_one():
    """μ₀ = 1 + ½cos 2πx: as 1/μ_t = 1 + (1/μ₀ − 1)e^{−t} on characteristics, ξ goes to ξ + (1 − e^{−t})(M(ξ) − ξ), M the mass up to ξ."""
    time = 1.5

    def mass(x):
        return x + np.sin(2 * np.pi * x) / (4 * np.pi)

    def origin(place):
        return optimize.brentq(lambda x: x + (1 - np.exp(-time)) * (mass(x) - x) - place, -0.5, 1.5, xtol=1e-14)

    errors = []
    for cells in (32, 64):
        law = wgf.FromDensity(lambda x: 1 + 0.5 * np.cos(2 * np.pi * x[..., 0]), lower=[0], upper=[1])
        last = wgf.solve(fluid(law), on_torus(cells, 1, dt=1 / cells), time, save=2).measures[-1]
        exact = np.diff([mass(origin(edge)) for edge in last.grid.edges[0]])
        errors.append(np.abs(last.values / cells - exact).sum())
    assert errors[1] < 1e-5
    assert np.log2(errors[0] / errors[1]) > 2.5


@pytest.mark.parametrize(("p", "cells"), [(1, (32, 64)), (2, (32, 64)), (3, (16, 32))])
def test_the_extremes_follow_the_law(p, cells):
    """Of a bump, whose extremes lie between centres: of order two at least, with the energy falling and mass kept."""
    errors = []
    for n in cells:
        run = wgf.solve(SCRIPT.case(SCRIPT.bump, p), on_torus(n, p, dt=1 / n), 1.0, save=3)
        assert run.largest_rise <= 0
        assert run.mass == pytest.approx(1, abs=1e-12)
        errors.append(SCRIPT.error(run, SCRIPT.of_bump(p)))
        assert SCRIPT.exact(SCRIPT.of_bump(p), 1.0) == pytest.approx(logistic(SCRIPT.of_bump(p), 1.0), rel=1e-8)
    assert errors[1] < {1: 3e-6, 2: 1.5e-5, 3: 5e-4}[p]
    assert np.log(errors[0] / errors[1]) / np.log(cells[1] / cells[0]) > 2


def test_edges_do_not_matter():
    """Densities that are equal on neighbouring cells obey the law but for the error of the steps, with emptiness beside them."""
    run = wgf.solve(fluid(SCRIPT.SQUARE), on_torus(32, 2, courant=0.2, dt=0.01), 1.0, save=5)
    assert SCRIPT.error(run, SCRIPT.OF_SQUARE, SCRIPT.of_cells) < 1e-5
    run = wgf.solve(fluid(wgf.Uniform([0.25], [0.75])), on_torus(64, 1, courant=0.2, dt=0.01), 1.0, save=5)
    for time, measure in zip(run.times, run.measures, strict=True):
        assert measure.values.max() == pytest.approx(logistic(2.0, time)[0], abs=1e-6)
        assert measure.values.min() == 0


@pytest.mark.parametrize("p", [1, 2, 3, 4])
@pytest.mark.filterwarnings("ignore:.* cells per standard deviation:wgf.ResolutionWarning")  # there is nothing to resolve
def test_among_equals_the_law_is_exact_in_every_dimension(p):
    """A step of Euler, of two halves: cells among equals change by −μ(μ − 1) times each half, to rounding. So do the extremes."""
    cells, step = 12, 1e-4
    inside = np.indices((cells,) * p).max(axis=0) < 6  # a corner of high density, and the low one around it
    values = np.where(inside, 2.5, 0.5) / np.mean(np.where(inside, 2.5, 0.5))
    law = wgf.FromDensity(lambda theta: values[tuple(np.floor(theta * cells).astype(int).T)].T, lower=[0] * p, upper=[1] * p)
    run = wgf.solve(fluid(law), on_torus(cells, p, limiter="upwind", integrator="euler", negligible=0), step, save=2)
    assert len(run.history["dt"]) == 2  # the start, and one step
    equal = ndimage.maximum_filter(values, 5, mode="wrap") == ndimage.minimum_filter(values, 5, mode="wrap")
    half = values - step / 2 * values * (values - 1)
    expected = half - step / 2 * half * (half - 1)
    assert len(np.unique(values[equal])) == 2
    assert (run.measures[1].values - values)[equal] / step == pytest.approx((expected - values)[equal] / step, abs=1e-9)
    ends = [(array.min(), array.max()) for array in (run.measures[1].values, expected)]
    assert ends[0] == pytest.approx(ends[1], abs=1e-13)


@pytest.mark.parametrize("strength", [3.0, -1.0])
def test_other_strengths_and_sizes(strength):
    """μ' = −s μ(μ − μ̄) on [−1, 2] × [0, 4], repelling and attracting, before the largest density is infinite."""
    law = wgf.FromDensity(
        lambda x: 1 + 0.3 * np.cos(2 * np.pi * x[..., 0] / 3) * np.cos(np.pi * x[..., 1] / 2), lower=[-1, 0], upper=[2, 4]
    )
    energy = wgf.InteractionEnergy(W=wgf.potential("poisson", strength=strength))
    run = wgf.solve(wgf.Problem(energy, law), wgf.FiniteVolume(64, [-1, 0], [2, 4], **PERIODIC), 3.0, save=4)
    assert run.largest_rise <= 0
    for time, measure in zip(run.times, run.measures, strict=True):
        expected = logistic([0.7 / 12, 1.3 / 12], time, strength, 1 / 12)
        assert [measure.values.min(), measure.values.max()] == pytest.approx(expected, rel=2e-3)


def test_at_late_times_the_density_is_uniform():
    """Down to rounding, where the energy is nothing but that."""
    law = wgf.FromDensity(lambda x: 1 + 0.5 * np.cos(2 * np.pi * x[..., 0]), lower=[0], upper=[1])
    run = wgf.solve(fluid(law), on_torus(32, 1), 60.0, save=2)
    assert np.ptp(run.measures[-1].values) < 1e-11


def test_points_on_a_circle():
    """−W'' = s(δ − 1/ℓ) and ∫W = 0; neighbours come apart as the density between them falls: 1/(N·distance) obeys the law exactly."""
    circle, x = CirclePoisson(2.0, 3.0), np.array([[0.4], [-1.2], [1.3], [4.4]])
    assert circle(x + 3) == pytest.approx(circle(x))
    assert circle.gradient(x) == pytest.approx(differences(circle, x), abs=1e-9)
    assert differences(lambda z: circle.gradient(z)[..., 0], x)[:, 0] == pytest.approx(2.0 / 3.0)
    assert circle.gradient(np.array([[1e-9], [0.0], [-1e-9]]))[:, 0] == pytest.approx([-1, 0, 1], abs=1e-8)
    assert integrate.quad(lambda z: circle(np.array([z])), 0, 3)[0] == pytest.approx(0, abs=1e-12)
    points = np.linspace(0.3, 0.6, 31)[:, None]
    run = wgf.solve(fluid(wgf.Samples(points)), wgf.Particles(31, lower=[0], upper=[1], rtol=1e-9, atol=1e-12, **PERIODIC), 0.5, save=2)
    gaps = [np.diff(np.sort(measure.positions[:, 0])) for measure in run.measures]
    chosen = gaps[0] > 1e-9  # a sample may be drawn twice
    assert 1 / (31 * gaps[1][chosen]) == pytest.approx(logistic(1 / (31 * gaps[0][chosen]), 0.5), rel=1e-6)


def test_clouds_and_densities_have_the_same_energy_in_the_limit():
    """Of a uniform density on two fifths of a circle: by the formula of a circle, on cells, and for points without their own."""
    inside = (np.arange(1000) + 0.5) / 1000
    expected = integrate.dblquad(lambda x, y: CirclePoisson(1.0, 1.0)(np.array([x - y])), 0, 0.4, 0, 0.4)[0] / 0.16
    energy = wgf.InteractionEnergy(W=POISSON)
    assert energy.loss(wgf.Cloud(0.2 + 0.4 * inside, np.full(1000, 1e-3), periods=[1])) == pytest.approx(expected, abs=2e-4)
    values = np.where((inside > 0.2) & (inside < 0.6), 2.5, 0.0)
    assert energy.loss(wgf.Density(wgf.Grid([0], [1], 1000, boundary="periodic"), values)) == pytest.approx(expected, abs=1e-6)


def test_a_problem_file(tmp_path):
    path = tmp_path / "fluid.toml"
    path.write_text(
        """
[energy]
kind = "interaction"
axes = ["x", "y"]
W = [{ potential = "poisson", strength = 2.0 }, "0.1*cos(2*pi*x)"]
[initial]
law = "uniform"
lower = [0.25, 0.25]
upper = [0.75, 0.75]
[domain]
lower = 0
upper = 1
cells = 16
boundary = "periodic"
[time]
end = 0.1
""",
        encoding="utf-8",
    )
    task = read_task(path)
    assert repr(task.problem.energy) == "InteractionEnergy(W = poisson(strength = 2.0) + '0.1*cos(2*pi*x)')"
    run = wgf.solve(task.problem, task.method, task.until, save=2)
    assert run.loss[1] < run.loss[0]


MEMBERS = wgf.Uniform([0.2, 0.2], [0.6, 0.6])
BOX = {"lower": [0, 0], "upper": [1, 1]}


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (wgf.FiniteVolume(8, **BOX), r'axis theta1 is closed: choose boundary = "periodic" for all axes'),
        (wgf.FiniteVolume(8, **BOX, boundary=("periodic", "no-flux")), r"axis theta2 is closed"),
        (wgf.FiniteVolume(8), r'all of whose axes wrap around: take FiniteVolume with lower, upper and boundary = "periodic"'),
        (wgf.Particles(8), r"all of whose axes wrap around: .* or on one axis Particles with these"),
        (wgf.Particles(8, **BOX, **PERIODIC), r"closed formula on one axis only, here are 2: take FiniteVolume"),
        (wgf.Characteristics(nodes=4), r"all of whose axes wrap around: take FiniteVolume"),
        (wgf.FiPyMesh(wgf.Box(8, (0, 0), (1, 1), boundary="periodic")), r"on a grid, which a mesh of FiPy is not: take FiniteVolume"),
        (wgf.FiPyMesh(wgf.Disc(1.0, 0.3)), r"on a grid, which a mesh of FiPy is not: take FiniteVolume"),
        (wgf.JKO(8, **BOX, **PERIODIC, dt=0.1), r"give linearised = true"),
        (wgf.Pushforward(8, **BOX), r"without an interaction W"),
    ],
    ids=lambda case: repr(case)[:40],
)
def test_methods_that_cannot(method, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.solve(fluid(MEMBERS), method, 0.1)


def test_what_it_is_not_for():
    with pytest.raises(wgf.InputError, match=r"V = poisson\(\): poisson is for W, between two points of a torus"):
        wgf.InteractionEnergy(V=POISSON)
    with pytest.raises(wgf.InputError, match=r"poisson depends on the torus: it serves as W"):
        POISSON(np.ones((3, 2)))
    with pytest.raises(wgf.InputError, match=r"poisson depends on the torus: it serves as W"):
        POISSON.gradient(np.ones((3, 2)))


def test_variational_steps_take_it():
    """Of first order in the step, with W frozen in each."""
    law = wgf.FromDensity(lambda x: 1 + 0.5 * np.cos(2 * np.pi * x[..., 0]), lower=[0], upper=[1])
    errors = []
    for dt in (0.1, 0.05):
        run = wgf.solve(fluid(law), wgf.JKO(64, [0], [1], **PERIODIC, dt=dt, epsilon=2e-3, linearised=True), 1.0, save=2)
        errors.append(abs(run.measures[-1].values.max() - logistic(1.5, 1.0)[0]))
    assert errors[1] < 0.6 * errors[0] < 0.02


@pytest.mark.long
@pytest.mark.parametrize("name", SCRIPT.SMOOTH)
def test_128_cells_a_side(name):
    """With the method's own steps: both extremes to 1e-3 at all times."""
    start, ends, p = SCRIPT.SMOOTH[name]
    run = wgf.solve(SCRIPT.case(start, p), SCRIPT.on_axes(SCRIPT.density, p, 128), 2.0, save=9)
    assert SCRIPT.error(run, ends) < 1e-3
    assert run.largest_rise <= 0
