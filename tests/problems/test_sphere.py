"""Two-homogeneous neurons on the sphere: the reduced problem beside the whole one, and what cannot be reduced."""

import re

import numpy as np
import pytest
from pages import PAGES

import wgf
from wgf.runs.task import read_task

DATA = wgf.Data.quadrature(lambda x: np.abs(x) + 0.3 * x, -1, 1, 40)
PLANE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu", theta=("c", "a")), DATA, 0.02), wgf.Gaussian((0.3, 0.2), (0.5, 0.6)))
SPACE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu", theta=("c", "a", "b")), DATA), wgf.Gaussian((0.2, 0.1, 0.1), (0.5,) * 3))


INPUTS = np.linspace(-1, 1, 20)
EXAMPLES = {  # by their rows in the manual
    "identity, 20 inputs": ("identity", wgf.Data(INPUTS[:, None], 0.5 * np.sin(3 * INPUTS) + 0.2)),
    "relu, 40 inputs": ("relu", wgf.Data.quadrature(lambda x: np.abs(x - 0.2) - 0.5 * x**2, -1, 1, 40)),
    "relu, 20 inputs": ("relu", wgf.Data(INPUTS[:, None], 0.5 * np.sin(3 * INPUTS) + 0.2)),
    "relu, three inputs": ("relu", wgf.Data(np.array([[-0.7], [0.1], [0.8]]), np.array([0.5, -0.2, 0.4]))),
}
MEAN, STD = np.array([0.2, 0.1, 0.1]), 0.5


def square(theta):
    return np.sum(theta**2, axis=-1)


@pytest.mark.parametrize(
    ("problem", "grid", "sphere", "tolerance"),
    [
        (PLANE, wgf.FiniteVolume((192, 192), (-3, -3), (3.5, 3.5)), wgf.Circle(150), 1e-3),
        (SPACE, wgf.FiniteVolume((48, 48, 48), (-3.2,) * 3, (3.5,) * 3), wgf.Sphere(0.2), 1e-3),
    ],
)
def test_the_reduced_problem_fits_the_same_function(problem, grid, sphere, tolerance):
    whole = wgf.solve(problem, grid, 2.0, save=3)
    reduced = wgf.solve(wgf.reduce_to_sphere(problem), wgf.FiPyMesh(sphere), 2.0, save=3)
    for k in range(3):
        assert DATA.norm(whole.prediction[k] - reduced.prediction[k]) <= tolerance
        assert reduced.mass[k] == pytest.approx(whole.measures[k].integrate(square), rel=6e-3)
    assert reduced.minimum.min() >= 0
    assert reduced.largest_rise <= 0
    assert reduced.dissipation_defect < 0.03
    assert reduced.mass[-1] > reduced.mass[0]


def exact_prediction(activation, data, until, steps=40, nodes=96):
    """φ at the data from directions and weights, u' = −∇_S G(u), (log r²)' = −4 G(u), by Runge and Kutta's rule of order four.

    They start at Gauss nodes along an axis, askew to all kinks, times equal angles around it, with the weights ∫r⁴ p(ru) dr of ν_0, for the
    density p of N(MEAN, STD²).
    """
    height, rule = np.polynomial.legendre.leggauss(nodes)
    angle = 2 * np.pi * (np.arange(2 * nodes) + 0.5) / (2 * nodes)
    across = np.sqrt(1 - height**2)[:, None]
    points = np.stack(np.broadcast_arrays(height[:, None], across * np.cos(angle), across * np.sin(angle)), axis=-1)
    u = points.reshape(-1, 3) @ np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    r = np.linspace(0, 5, 400)
    ray = r**4 * np.exp(-0.5 * (r**2 - 2 * r * (u @ MEAN)[:, None] + MEAN @ MEAN) / STD**2) / (2 * np.pi * STD**2) ** 1.5
    weights = np.repeat(rule, 2 * nodes) * (np.pi / nodes) * (ray.sum(axis=1) * (r[1] - r[0]))
    x, kinked = data.inputs[:, 0], activation == "relu"

    def neurons(u):
        z = u[:, 1:2] * x + u[:, 2:3]
        return (np.maximum(z, 0), z > 0) if kinked else (z, np.ones_like(z))

    def rates(u, growth):
        value, slope = neurons(u)
        misfit = data.weights * ((weights * np.exp(growth) * u[:, 0]) @ value - data.targets)
        gradient = np.stack([value @ misfit, u[:, 0] * (slope @ (misfit * x)), u[:, 0] * (slope @ misfit)], axis=1)
        along = np.sum(gradient * u, axis=1)  # 2 G(u): Euler's formula
        return along[:, None] * u - gradient, -2 * along

    growth, dt = np.zeros(len(u)), until / steps
    for _ in range(steps):
        k1 = rates(u, growth)
        k2 = rates(u + dt / 2 * k1[0], growth + dt / 2 * k1[1])
        k3 = rates(u + dt / 2 * k2[0], growth + dt / 2 * k2[1])
        k4 = rates(u + dt * k3[0], growth + dt * k3[1])
        du, dg = ((first + 2 * second + 2 * third + fourth) / 6 for first, second, third, fourth in zip(k1, k2, k3, k4, strict=True))
        u, growth = u + dt * du, growth + dt * dg
    return (weights * np.exp(growth) * u[:, 0]) @ neurons(u)[0]


def sphere_errors(example, spacings, until, **reference):
    """‖φ_h − φ‖ in L²(ρ) at the end, of each spacing."""
    activation, data = EXAMPLES[example]
    energy = wgf.RegressionEnergy(wgf.Neuron(activation, theta=("c", "a", "b")), data)
    problem = wgf.reduce_to_sphere(wgf.Problem(energy, wgf.Gaussian(MEAN, (STD,) * 3)))
    exact = exact_prediction(activation, data, until, **reference)
    runs = [wgf.solve(problem, wgf.FiPyMesh(wgf.Sphere(spacing)), until, save=2) for spacing in spacings]
    return np.array([data.norm(run.prediction[-1] - exact) for run in runs])


@pytest.mark.long
def test_the_order_is_two_without_kinks_and_less_than_one_with_the_kinks_of_three_data():
    """Where mass gathers on great circles, as the manual says."""
    smooth, kinked = (sphere_errors(example, (0.4, 0.2), 1.0, steps=20) for example in ("identity, 20 inputs", "relu, three inputs"))
    assert smooth == pytest.approx([1.0e-3, 2.6e-4], rel=0.15)
    assert kinked == pytest.approx([6.1e-4, 4.8e-4], rel=0.15)
    assert 1.9 < np.log2(smooth[0] / smooth[1]) < 2.2
    assert np.log2(kinked[0] / kinked[1]) < 1


@pytest.mark.long
@pytest.mark.parametrize("example", EXAMPLES)
def test_the_errors_on_the_sphere_are_those_that_the_manual_tells(example):
    (row,) = re.findall(rf"^\| {example}[^|]*\|(.*)\|$", PAGES["docs/methods/sphere.md"], flags=re.MULTILINE)
    told = [float(figure) for figure in row.split("|")]
    assert sphere_errors(example, (0.4, 0.2, 0.1, 0.05), 2.0, nodes=192) == pytest.approx(told, rel=0.15)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), DATA), PLANE.initial), "is not two-homogeneous"),
        (wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu", fixed={"b": 1.0}), DATA), PLANE.initial), "is not two-homogeneous"),
        (wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu"), DATA, (0.1, square)), PLANE.initial), "the penalty is not homogeneous"),
        (wgf.Problem(PLANE.energy, PLANE.initial, temperature=0.1), r"noise \(temperature = 0.1\) breaks the homogeneity"),
        (wgf.Problem(wgf.InteractionEnergy(V=square), PLANE.initial), "only the problem of a network"),
    ],
)
def test_what_cannot_be_reduced(problem, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.reduce_to_sphere(problem)


@pytest.mark.parametrize("mesh", [wgf.Disc(1.0, 0.3, pattern="rings"), wgf.Circle(40, radius=2.0), wgf.Box((8, 8), (-3, -3), (3, 3))])
def test_a_reduced_problem_lives_on_the_unit_sphere_only(mesh):
    with pytest.raises(wgf.InputError, match=r"reduced to the unit sphere: take wgf.Sphere or wgf.Circle of radius 1, not the .*"):
        wgf.solve(wgf.reduce_to_sphere(PLANE), wgf.FiPyMesh(mesh), 1.0)


def test_other_methods_refuse_growth():
    reduced = wgf.reduce_to_sphere(PLANE)
    for method in (wgf.FiniteVolume((8, 8), (-3, -3), (3, 3)), wgf.Particles(10), wgf.Characteristics()):
        with pytest.raises(wgf.InputError, match=r"keeps the mass, but that of the problem grows \(κ = 4\)"):
            wgf.solve(reduced, method, 1.0)


def test_a_narrow_part_of_a_mixture_is_not_missed():
    """Its rays are followed where it lies; what the arcs cannot hold is said."""
    wide = wgf.Gaussian((0.3, 0.2), (0.5, 0.6))

    def error(std):
        narrow = wgf.Gaussian((1.0, 1.0), (std, std))
        problem = wgf.reduce_to_sphere(wgf.Problem(PLANE.energy, wgf.Mixture([0.5, 0.5], [wide, narrow])))
        stepper = wgf.FiPyMesh(wgf.Circle(300)).bind(problem, 1.0)
        rules = [law.quadrature(60) for law in (wide, narrow)]
        exact = sum(0.5 * weights @ PLANE.energy.neuron.value(points, DATA.inputs) for points, weights in rules)
        return DATA.norm(stepper.frame(stepper.start()).prediction - exact)

    assert max(error(std) for std in (0.05, 0.01)) <= 2e-4
    with pytest.warns(wgf.ResolutionWarning, match="too large for the initial law"):
        error(0.002)


def test_mixtures_in_products_and_densities_up_to_a_factor():
    """What is to be integrated along a ray may hide in a product, and be given up to a factor."""
    narrow = wgf.Mixture([0.9, 0.1], [wgf.Gaussian((0.3,), (0.002,)), wgf.Gaussian((6.0,), (0.3,))])
    five = wgf.FromDensity(lambda theta: 5 * np.exp(-8 * theta[..., 0] ** 2), lower=[-2], upper=[2])
    for law, plain in (
        (wgf.Product([narrow, wgf.Gaussian((0.3,), (0.15,))]), None),
        (
            wgf.Product([wgf.Mixture([0.3, 0.7], [wgf.Gaussian((-0.6,), (0.1,)), five]), wgf.Gaussian((0.1,), (0.3,))]),
            wgf.Gaussian((0,), (0.25,)),
        ),
    ):
        problem = wgf.reduce_to_sphere(wgf.Problem(PLANE.energy, law))
        stepper = wgf.FiPyMesh(wgf.Circle(300)).bind(problem, 1.0)
        if plain is not None:
            law = wgf.Product([wgf.Mixture([0.3, 0.7], [wgf.Gaussian((-0.6,), (0.1,)), plain]), wgf.Gaussian((0.1,), (0.3,))])
        points, weights = law.quadrature(60)
        exact = weights @ PLANE.energy.neuron.value(points, DATA.inputs)
        assert DATA.norm(stepper.frame(stepper.start()).prediction - exact) <= 1e-3


def test_a_problem_is_reduced_once_and_from_a_density_on_a_mesh_too():
    with pytest.raises(wgf.InputError, match="has been reduced to a sphere already"):
        wgf.reduce_to_sphere(wgf.reduce_to_sphere(PLANE))
    run = wgf.solve(PLANE, wgf.FiPyMesh(wgf.Disc(4.0, 0.2)), 0.1, save=2)
    start = wgf.Problem(PLANE.energy, run.measures[0])
    reduced = wgf.solve(wgf.reduce_to_sphere(start), wgf.FiPyMesh(wgf.Circle(80)), 0.1, save=2)
    assert DATA.norm(reduced.prediction[0] - run.prediction[0]) <= 5e-3


FILE = """
title = "rays"
reduced = true
neuron = { activation = "relu", theta = ["c", "a"] }
data = { inputs = { law = "uniform", nodes = 20 }, teacher = [{ c = 1.0, a = 2.0 }] }
initial = { law = "gaussian", mean = [0.3, 0.2], std = [0.5, 0.6] }
domain = { shape = "circle", cells = 60 }
method = { name = "fipy" }
time = { end = 0.2, save = 2 }
"""


def test_a_problem_file_asks_for_the_reduction(tmp_path):
    """And the file of its run knows the neuron, as does that of a problem which was reduced in Python."""
    path = tmp_path / "rays.toml"
    path.write_text(FILE)
    task = read_task(path)
    assert task.problem.growth == 4
    path.write_text(FILE.replace("reduced = true", "reduced = false"))
    by_hand = wgf.reduce_to_sphere(wgf.Problem.from_toml(path))
    predictions = []
    for name, problem in (("file", task.problem), ("hand", by_hand)):
        wgf.solve(problem, task.method, task.until, task.save, store=tmp_path / f"{name}.h5")
        run = wgf.open_run(tmp_path / f"{name}.h5")
        predictions.append(run.measures[-1].predict(problem.energy.data.inputs))
        assert predictions[-1] == pytest.approx(run.prediction[-1])
    assert np.array_equal(*predictions)
    path.write_text(FILE.replace("relu", "tanh"))
    with pytest.raises(wgf.InputError, match=r"rays.toml: Neuron\(tanh.* is not two-homogeneous"):
        read_task(path)
