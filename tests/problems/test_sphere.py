"""Two-homogeneous neurons on the sphere: the reduced problem beside the whole one, and what cannot be reduced."""

import numpy as np
import pytest

import wgf
from wgf.runs.task import read_task

DATA = wgf.Data.quadrature(lambda x: np.abs(x) + 0.3 * x, -1, 1, 40)
PLANE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu", theta=("c", "a")), DATA, 0.02), wgf.Gaussian((0.3, 0.2), (0.5, 0.6)))
SPACE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu", theta=("c", "a", "b")), DATA), wgf.Gaussian((0.2, 0.1, 0.1), (0.5,) * 3))


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
