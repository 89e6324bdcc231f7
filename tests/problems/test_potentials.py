"""Named potentials against their formulas, their gradients against differences, and what they refuse."""

import numpy as np
import pytest

import wgf
from wgf.networks.derivatives import differences
from wgf.problems.formula import Formula
from wgf.problems.potentials import POTENTIALS, Sum

pytestmark = pytest.mark.coarse

CASES = [  # (name, numbers, the formula in x, y around zero)
    ("quadratic", {}, "r^2/2"),
    ("quadratic", {"strength": 3.0}, "1.5*(x^2 + y^2)"),
    ("quartic", {"strength": 2.0}, "r^4/2"),
    ("double-well", {"strength": 5.0, "radius": 0.7}, "5*(r^2 - 0.49)^2"),
    (
        "morse",
        {"repulsion": 2.0, "repulsion_length": 0.5, "attraction": 0.6, "attraction_length": 2.0},
        "2*exp(-r/0.5) - 0.6*exp(-r/2)",
    ),
    ("power-law", {"exponent": 3.0, "strength": 0.4}, "0.4*r^3/3"),
    ("power-law", {"exponent": -1.0}, "-1/r"),
    ("logarithm", {"strength": 0.3}, "0.3*log(r)"),
    ("gaussian", {"strength": -2.0, "width": 0.6}, "-2*exp(-r^2/0.72)"),
    ("cosine", {"strength": -1.5, "wavenumber": 2.0}, "-1.5*(cos(2*x) + cos(2*y))"),
]
POINTS = np.random.default_rng(3).normal(size=(5, 4, 2))


def test_every_potential_is_tested():
    """Here, or in test_poisson.py."""
    assert {name for name, _, _ in CASES} | {"poisson"} == set(POTENTIALS)


@pytest.mark.parametrize(("name", "numbers", "formula"), CASES, ids=lambda case: str(case))
def test_a_potential_is_its_formula(name, numbers, formula):
    written = Formula(formula, ("x", "y"))
    assert wgf.potential(name, **numbers)(POINTS) == pytest.approx(written(POINTS), rel=1e-13)
    center = np.array([0.4, -0.3])
    assert wgf.potential(name, center=center.tolist(), **numbers)(POINTS) == pytest.approx(written(POINTS - center), rel=1e-13)
    assert wgf.potential(name, center=0.5, **numbers)(POINTS) == pytest.approx(written(POINTS - 0.5), rel=1e-13)


@pytest.mark.parametrize(("name", "numbers", "formula"), CASES, ids=lambda case: str(case))
def test_its_gradient_is_that_of_its_values(name, numbers, formula):
    """Where r ≥ 0.2, so that differences see the singular ones; and zero at r = 0 for those that depend on r."""
    function = wgf.potential(name, center=0.1, **numbers)
    points = POINTS[np.linalg.norm(POINTS - 0.1, axis=-1) > 0.2]
    assert function.gradient(points) == pytest.approx(differences(function, points), rel=1e-6, abs=1e-7)
    assert np.array_equal(function.gradient(np.full((1, 2), 0.1)), np.zeros((1, 2)))


def test_a_sum_adds_values_and_gradients_one_of_them_by_differences():
    both = Sum([wgf.potential("quartic"), Formula("x*y", ("x", "y"))])
    assert both(POINTS) == pytest.approx(np.sum(POINTS**2, axis=-1) ** 2 / 4 + POINTS.prod(axis=-1))
    expected = POINTS * np.sum(POINTS**2, axis=-1, keepdims=True) + POINTS[..., ::-1]
    assert both.gradient(POINTS) == pytest.approx(expected, abs=1e-8)


def test_at_zero_a_singular_potential_is_infinite_without_a_warning():
    assert wgf.potential("logarithm")(np.zeros((1, 2))) == -np.inf
    assert wgf.potential("power-law", exponent=-0.5)(np.zeros((1, 1))) == -np.inf


def test_on_a_grid_the_logarithm_is_that_of_python_and_on_a_mesh_it_is_refused():
    def logarithm(z):
        with np.errstate(divide="ignore"):
            return 0.5 * np.log(np.sum(z**2, axis=-1))

    grid = wgf.Grid([0, 0], [1, 1], (4, 8))
    values = np.random.default_rng(0).exponential(size=grid.shape)
    spread = []
    for function in (wgf.potential("logarithm"), logarithm):
        potential = wgf.InteractionEnergy(W=function).on(grid)
        potential.update(potential.arranged(values), None)
        spread.append(potential.values())
    assert spread[0] == pytest.approx(spread[1], rel=1e-12)
    problem = wgf.Problem(wgf.InteractionEnergy(W=wgf.potential("logarithm")), wgf.Gaussian([0.5, 0.5], 0.1))
    with pytest.raises(wgf.InputError, match=r"W is not finite at some difference of two cells: on a mesh it has to be, zero included"):
        wgf.solve(problem, wgf.FiPyMesh(wgf.Box(6, 0, 1)), 0.1)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: wgf.potential("quartik"), r"unknown potential 'quartik' \(did you mean 'quartic'\?\)"),
        (lambda: wgf.potential("quartic", strenght=1), r"unknown number of the potential quartic 'strenght' \(did you mean 'strength'\?\)"),
        (lambda: wgf.potential("morse", repulsion=1), r"the potential morse needs repulsion_length, attraction, attraction_length"),
        (lambda: wgf.potential("quartic", strength=np.inf), r"strength = inf: it must be a finite number"),
        (lambda: wgf.potential("quartic", strength="much"), r"strength = 'much': it must be a finite number"),
        (lambda: wgf.potential("quartic", strength=[1, 2]), r"strength = \[1, 2\]: it must be a finite number"),
        (lambda: wgf.potential("gaussian", width=0), r"width = 0: it must be positive"),
        (lambda: wgf.potential("power-law", exponent=0), r"exponent = 0: .* logarithm: take that"),
        (lambda: wgf.potential("power-law", exponent=-1)(np.ones((3, 1))), r"exponent = -1: r\^exponent has no integral in 1 dimension"),
        (lambda: wgf.potential("quartic", center=[0, 1])(np.ones((3, 1))), r"center has 2 entries for 1 axes"),
        (lambda: wgf.InteractionEnergy(W=wgf.potential("quartic", center=1)), r"W = quartic\(center = 1\) is a function of differences"),
        (lambda: wgf.InteractionEnergy(V="x^2"), r"V = 'x\^2' is a formula: give the names of its axes, axes = \[\"x\"\]"),
        (lambda: wgf.InteractionEnergy(V="y", axes=["x"]), r"V = 'y': unknown name 'y' at character 1"),
        (lambda: wgf.InteractionEnergy(V=wgf.potential("quartic", center=[0, 1]), axes=["x"]), r"center has 2 entries for 1 axes"),
    ],
)
def test_what_cannot_be_a_potential(build, message):
    with pytest.raises(wgf.InputError, match=message):
        build()


def test_formulas_in_python():
    """The same velocities as from functions; the axes carry the names, and say how many there are."""
    energy = wgf.InteractionEnergy(V="x^2 + x*y", W="exp(-r^2)", axes=("x", "y"))
    functions = wgf.InteractionEnergy(V=lambda theta: theta[..., 0] ** 2 + theta.prod(axis=-1), W=lambda z: np.exp(-np.sum(z**2, axis=-1)))
    points, masses = POINTS.reshape(-1, 2), np.full(20, 0.05)
    assert energy.velocity(points, masses)[0] == pytest.approx(functions.velocity(points, masses)[0], rel=1e-9, abs=1e-10)
    problem = wgf.Problem(energy, wgf.Gaussian(0.0, 0.3))
    assert problem.dim == problem.initial.dim == 2
    run = wgf.solve(problem, wgf.FiniteVolume(8, -2, 2, edge_tolerance=1), until=0.1, save=2)
    assert run.measures[0].grid.names == ("x", "y")
    assert repr(energy) == "InteractionEnergy(V = 'x^2 + x*y', W = 'exp(-r^2)')"
