"""FiPy beside our own solvers: the same problems on boxes, exact solutions on discs, and what no run may do anywhere."""

import dataclasses
import warnings

import numpy as np
import pytest
from meshes import SQUARE, cube

import wgf
from wgf.measures.laws import mesh_averages
from wgf.methods.fipy import equation
from wgf.methods.fipy.bridge import load_fipy
from wgf.methods.fipy.equation import CONVECTION, DIFFUSION
from wgf.problems import point_potential
from wgf.runs.summary import run_facts

pytestmark = pytest.mark.coarse

END = 2.0
LOWER, UPPER = (-2.5, -2.5), (3.5, 4.5)


def target(x):
    return np.tanh(2 * x) + 0.5 * np.sin(3 * x)


DATA = wgf.Data.quadrature(target, -1, 1, 40)
STUDENT = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a")), DATA), wgf.Gaussian((0.2, 0.5), (0.4, 0.4)))


def line(tau=0.0):
    neuron = wgf.Neuron("tanh", theta=("a",))
    return wgf.Problem(wgf.RegressionEnergy(neuron, wgf.Data.quadrature(np.sin, -1, 1, 20)), wgf.Gaussian((0.2,), (0.4,)), temperature=tau)


def space(tau=0.0):
    neuron = wgf.Neuron("tanh", theta=("c", "a", "b"))
    data = wgf.Data.quadrature(np.sin, -1, 1, 20)
    return wgf.Problem(wgf.RegressionEnergy(neuron, data), wgf.Gaussian((0.2, 0.5, 0), (0.3, 0.3, 0.3)), temperature=tau)


def pull(theta):
    return 0.5 * np.sum(np.square(theta), axis=-1)


def drift(tau=0.0, std=0.5):
    return wgf.Problem(wgf.InteractionEnergy(V=pull), wgf.Gaussian((0, 0), (std, std)), temperature=tau)


def exact_drift(tau, time, std=0.5):
    variance = std**2 * np.exp(-2 * time) + tau * (1 - np.exp(-2 * time))
    return wgf.Gaussian((0, 0), (np.sqrt(variance),) * 2)


def is_sound(run, mass=1.0):
    """Mass to 1e-10 and no negative cell, at every step."""
    assert run.history["mass"] == pytest.approx(mass, abs=1e-10)
    assert run.history["minimum"].min() >= 0
    assert run.status == "complete"


@pytest.mark.parametrize("cells", [32, pytest.param(64, marks=pytest.mark.long)])
@pytest.mark.coarse
def test_two_codes_agree_on_a_box(cells):
    """They agree far better than either with the truth; at 128² (benchmarks/peers.py) to 3e-6."""
    reference = wgf.solve(STUDENT, wgf.Characteristics(), END, save=3).prediction
    ours = wgf.solve(STUDENT, wgf.FiniteVolume((cells, cells), LOWER, UPPER, limiter="mc"), END, save=3)
    theirs = wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Box((cells, cells), LOWER, UPPER)), END, save=3)
    is_sound(theirs)
    apart = DATA.norm(ours.prediction[-1] - theirs.prediction[-1])
    error = DATA.norm(theirs.prediction[-1] - reference[-1])
    assert apart <= 1e-4
    assert apart < 0.2 * error
    assert error <= 2e-3 * (32 / cells) ** 2


@pytest.mark.long
def test_two_codes_agree_on_128_cells_an_axis():
    ours = wgf.solve(STUDENT, wgf.FiniteVolume((128, 128), LOWER, UPPER), END, save=3)
    theirs = wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Box((128, 128), LOWER, UPPER), convection="VanLeerConvectionTerm"), END, save=3)
    is_sound(theirs)
    assert DATA.norm(ours.prediction[-1] - theirs.prediction[-1]) <= 1e-3


def test_two_codes_agree_with_noise():
    problem = dataclasses.replace(STUDENT, temperature=0.1)
    ours = wgf.solve(problem, wgf.FiniteVolume((48, 48), (-4, -4), (5, 5), diffusion="gibbs"), 1.0, save=3)
    theirs = wgf.solve(problem, wgf.FiPyMesh(wgf.Box((48, 48), (-4, -4), (5, 5)), convection="exponential"), 1.0, save=3)
    is_sound(theirs)
    assert DATA.norm(ours.prediction[-1] - theirs.prediction[-1]) <= 1e-3
    assert theirs.free_energy == pytest.approx(ours.free_energy, rel=2e-3)


@pytest.mark.parametrize(
    ("pattern", "tau", "spacings", "least"),
    [
        pytest.param("triangles", 0.0, (0.24, 0.12), 1.3, marks=pytest.mark.long),
        pytest.param("rings", 0.0, (0.12, 0.06), 1.7, marks=pytest.mark.long),
        ("triangles", 0.1, (0.24, 0.12), 1.7),
        pytest.param("rings", 0.1, (0.12, 0.06), 1.7, marks=pytest.mark.long),
    ],
)
def test_orders_towards_the_exact_solution_on_a_disc(pattern, tau, spacings, least):
    """First order is asked for on triangles, and second on regular meshes."""
    errors = []
    for spacing in spacings:
        method = wgf.FiPyMesh(wgf.Disc(3.0, spacing, pattern=pattern), "exponential" if tau else "van-leer")
        run = wgf.solve(drift(tau), method, 0.4, save=2)
        is_sound(run)
        last = run.measures[-1]
        errors.append(np.abs(last.values - mesh_averages(exact_drift(tau, 0.4), last.mesh)) @ last.mesh.volumes)
    assert np.log2(errors[0] / errors[1]) >= least


UNEVEN = np.random.default_rng(0).uniform(0.5, 1.5, 256)


@pytest.mark.parametrize(
    "sides",
    [
        pytest.param(lambda n: np.tile([4 / n, 8 / n], n // 2), id="alternating", marks=pytest.mark.long),
        pytest.param(lambda n: 6 * UNEVEN[:n] / UNEVEN[:n].sum(), id="random"),
    ],
)
def test_cells_of_different_sizes(sides, fipy):
    """Where the line between two centres meets their face off its middle; without noise nothing evens out errors of the speed there."""
    problem = wgf.Problem(wgf.InteractionEnergy(V=pull), wgf.Gaussian((0.6,), (0.5,)))
    exact = wgf.Gaussian((0.6 * np.exp(-0.3),), (0.5 * np.exp(-0.3),))
    errors = []
    for n in (64, 256):
        run = wgf.solve(problem, wgf.FiPyMesh(fipy.Grid1D(dx=sides(n)) + -3.0), 0.3, save=2)
        is_sound(run)
        last = run.measures[-1]
        errors.append(np.abs(last.values - mesh_averages(exact, last.mesh)) @ last.mesh.volumes)
    assert errors[-1] <= 1.4e-3
    assert np.log2(errors[0] / errors[1]) / 2 >= 1.6


def test_a_flow_on_the_sphere():
    """V(θ) = z pulls along meridians: the angle φ from the pole obeys tan ½φ(t) = eᵗ tan ½φ(0), and density follows from areas."""

    def start(theta):
        return np.exp(2 * theta[..., 2] + theta[..., 0])

    def exact(theta, time):
        angle, around = np.arccos(np.clip(theta[:, 2], -1, 1)), np.arctan2(theta[:, 1], theta[:, 0])
        before = 2 * np.arctan(np.exp(-time) * np.tan(0.5 * angle))
        origin = np.stack([np.sin(before) * np.cos(around), np.sin(before) * np.sin(around), np.cos(before)], axis=1)
        return start(origin) * (np.sin(before) / np.sin(angle)) ** 2

    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: theta[..., 2]), wgf.FromDensity(start, lower=[-1] * 3, upper=[1] * 3))
    errors = []
    for spacing in (0.3, 0.15):
        run = wgf.solve(problem, wgf.FiPyMesh(wgf.Sphere(spacing)), 0.5, save=2)
        is_sound(run)
        last = run.measures[-1]
        density = exact(last.mesh.centers, 0.5)
        errors.append(np.abs(last.values - density / (density @ last.mesh.volumes)) @ last.mesh.volumes)
    assert np.log2(errors[0] / errors[1]) >= 1.7


def test_rings_are_swept_quickly_off_their_middle():
    """Thin cells, whose faces have their middles far from the lines between the centres."""
    run = wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Disc(3.5, 0.2, pattern="rings")), 0.5, save=2)
    is_sound(run)
    assert run.history["sweeps"].mean() <= 15
    assert run.history["sweeps"].sum() <= 300


def test_upwind_is_of_first_order_on_triangles():
    moments = []
    for spacing in (0.24, 0.12):
        run = wgf.solve(drift(), wgf.FiPyMesh(wgf.Disc(3.0, spacing), convection="upwind"), 0.7, save=2)
        moments.append(run.measures[-1].integrate(pull) - 0.25 * np.exp(-1.4))
    assert np.log2(moments[0] / moments[1]) == pytest.approx(1, abs=0.1)


def test_the_gibbs_state_does_not_move_on_triangles():
    """With exponential fluxes, e^{−V/τ} is at rest to rounding, not to the order of the scheme."""
    tau = 0.2
    gibbs = wgf.FromDensity(lambda theta: np.exp(-pull(theta) / tau))
    mesh = wgf.Disc(2.0, 0.3)
    _, described = mesh.build()
    values = np.exp(-pull(described.centers) / tau)
    start = wgf.MeshDensity(described, values / (values @ described.volumes))
    problem = wgf.Problem(wgf.InteractionEnergy(V=pull), start, temperature=tau)
    run = wgf.solve(problem, wgf.FiPyMesh(mesh, convection="exponential", edge_tolerance=1), 2.0, save=2)
    assert run.measures[-1].values == pytest.approx(start.values, abs=1e-11)
    away = wgf.solve(dataclasses.replace(problem, initial=gibbs), wgf.FiPyMesh(mesh, convection="upwind", edge_tolerance=1), 2.0, save=2)
    assert np.abs(away.measures[-1].values - start.values).max() > 1e-3


@pytest.mark.parametrize("tau", [0.0, 0.05])
@pytest.mark.parametrize(
    "mesh",
    [
        "Gmsh2D(SQUARE)",
        "Gmsh2D(SQUARE + 'Recombine Surface{1};\\n')",
        "Grid2D(dx=np.linspace(0.15, 0.05, 45), dy=np.linspace(0.1, 0.23, 30)) + ((-2.0,), (-2.0,))",
        "Tri2D(dx=0.25, dy=0.25, nx=18, ny=20) + ((-2.0,), (-2.0,))",
    ],
)
def test_any_mesh_of_fipy_in_the_plane(mesh, tau, fipy):
    problem = dataclasses.replace(STUDENT, temperature=tau)
    run = wgf.solve(problem, wgf.FiPyMesh(eval(f"fipy.{mesh}", {"fipy": fipy, "np": np, "SQUARE": SQUARE}), edge_tolerance=1), 0.5, save=3)
    is_sound(run)
    assert run.largest_rise <= 0
    if not tau:
        reference = wgf.solve(problem, wgf.Characteristics(nodes=20, rtol=1e-7), 0.5, save=3)
        assert DATA.norm(run.prediction[-1] - reference.prediction[-1]) <= 4e-3  # of ‖f*‖ about one, with cells as long as the law is wide


@pytest.mark.coarse
@pytest.mark.parametrize("tau", [0.0, 0.05])
def test_lines_and_solids(tau, fipy):
    solid = 'SetFactory("OpenCASCADE");\nBox(1) = {-1.5, -1.2, -1.6, 3.4, 3.4, 3.2};\nMesh.MeshSizeMax = 0.7;\n'
    cases = [
        (line(tau), wgf.Box(60, [-2], [3])),
        (line(tau), fipy.Grid1D(dx=np.linspace(0.05, 0.15, 50)) + -2.0),
        (space(tau), wgf.Box((12, 12, 12), (-1.8, -1.5, -2), (2.3, 2.6, 2))),
        (space(tau), fipy.Gmsh3D(solid)),
    ]
    for problem, mesh in cases:
        run = wgf.solve(problem, wgf.FiPyMesh(mesh, edge_tolerance=1), 0.5, save=3)
        is_sound(run)
        if not tau:
            reference = wgf.solve(problem, wgf.Characteristics(nodes=12, rtol=1e-6), 0.5, save=3)
            assert problem.energy.data.norm(run.prediction[-1] - reference.prediction[-1]) <= 1e-2


@pytest.mark.parametrize("cells", ["tetrahedra", "wedges", "hexahedra"])
def test_solids_of_every_kind_of_cell(cells, fipy):
    """A small swarm in the middle of a cube."""
    problem = dataclasses.replace(space(), initial=wgf.Gaussian((0.4, 0.5, 0.5), (0.12, 0.12, 0.12)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wgf.BoundaryWarning)  # a thousandth of the law is outside
        run = wgf.solve(problem, wgf.FiPyMesh(fipy.Gmsh3D(cube(cells, 0.1))), 0.5, save=3)
    is_sound(run)
    reference = wgf.solve(problem, wgf.Characteristics(nodes=12, rtol=1e-6), 0.5, save=3)
    assert problem.energy.data.norm(run.prediction[-1] - reference.prediction[-1]) <= 1e-3


@pytest.mark.coarse
def test_sweeps_that_do_not_converge_shorten_the_step():
    quick = wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Box((16, 16), LOWER, UPPER)), 0.5, save=2)
    short = wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Box((16, 16), LOWER, UPPER), sweeps=4, accuracy=1e-7), 0.5, save=2)
    assert len(short.history["time"]) > len(quick.history["time"])
    assert short.history["sweeps"].max() <= 8
    steps = np.diff(short.history["time"])
    assert steps.min() > 0.2 * steps.max()  # one refusal shortens a step, not one after another
    is_sound(short)
    with pytest.raises(wgf.RunError, match="2 sweeps did not converge, the last one still moved"):
        wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Box((16, 16), LOWER, UPPER), sweeps=2, accuracy=1e-15), 0.5, save=2)


@pytest.mark.coarse
def test_time_is_of_second_order():
    """Against a run with shorter steps, on the same mesh, without a limiter, whose kinks would be seen."""
    box = wgf.Box((16, 16), LOWER, UPPER)

    def at_end(dt):
        return wgf.solve(
            STUDENT, wgf.FiPyMesh(box, convection="upwind", dt=dt, cells_per_step=10.0, accuracy=1e-10, edge_tolerance=1), 1.0, save=2
        ).prediction[-1]

    fine = at_end(0.0125)
    errors = [DATA.norm(at_end(dt) - fine) for dt in (0.1, 0.05)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.2)


def test_periodic_boxes():
    """From a law that lies across the seam, which closed walls would cut in two."""
    neuron = wgf.Neuron("cosine", theta=("a", "b"))
    start = wgf.FromDensity(lambda theta: np.exp(-((theta[..., 0] - 1) ** 2) / 0.18 + 6 * np.cos(theta[..., 1] - 3)))
    problem = wgf.Problem(wgf.RegressionEnergy(neuron, wgf.Data.quadrature(np.cos, -1, 1, 20)), start)
    box = {"lower": (-1, -np.pi), "upper": (3, np.pi)}
    runs = [
        wgf.solve(problem, method, 1.0, save=2)
        for method in (
            wgf.FiniteVolume((32, 32), **box, boundary=("no-flux", "periodic"), limiter="mc"),
            wgf.FiPyMesh(wgf.Box((32, 32), **box, boundary=("no-flux", "periodic"))),
            wgf.FiPyMesh(wgf.Box((32, 32), **box), edge_tolerance=1),
        )
    ]
    ours, theirs, walled = (run.prediction[-1] for run in runs)
    is_sound(runs[1])
    assert problem.energy.data.norm(ours - theirs) <= 5e-4
    assert problem.energy.data.norm(walled - theirs) > 2e-3


@pytest.mark.parametrize("convection", CONVECTION)
@pytest.mark.parametrize("diffusion", DIFFUSION)
def test_every_term_keeps_mass_and_sign_or_refuses(convection, diffusion):
    method = wgf.FiPyMesh(wgf.Disc(2.5, 0.35), convection=convection, diffusion=diffusion)
    refused = ""
    try:
        is_sound(wgf.solve(drift(0.05, 0.45), method, 0.5, save=2))
    except wgf.RunError as error:
        refused = str(error)
    if refused:
        assert convection == "central" or diffusion == "corrected"
        assert "no useful step from t = " in refused
        assert "below zero" in refused or "changed the mass" in refused


@pytest.mark.parametrize(("convection", "diffusion"), [("van-leer", "two-point"), ("exponential", "two-point"), ("upwind", "corrected")])
def test_sweeps_end_where_those_of_fipys_own_matrices_do(convection, diffusion, monkeypatch):
    """FiPy's matrices, its solver, and terms that ask for constraints, of which there are none."""

    def stage():
        stepper = wgf.FiPyMesh(wgf.Disc(3.0, 0.4), convection=convection, diffusion=diffusion).bind(drift(0.05), 1.0)
        values = stepper.start().array
        return stepper.equation.stage(values, values, 0.05, 60, 1e-12)[0]

    ours = stage()
    load_fipy()
    from fipy.solvers.scipy import LinearLUSolver

    monkeypatch.setattr(equation, "exact_solver", lambda: LinearLUSolver(tolerance=1e-15))
    monkeypatch.setattr(equation.Equation, "_unconstrained", lambda self, term: term)
    assert ours == pytest.approx(stage(), rel=1e-9, abs=1e-14)


def test_a_refusal_says_why():
    """Central differences without noise oscillate behind a front, however short the step."""
    problem = wgf.Problem(wgf.InteractionEnergy(V=pull), wgf.Uniform((-1, -1), (1, 1)))
    method = wgf.FiPyMesh(wgf.Box((24, 24), (-2, -2), (2, 2)), convection="central")
    with pytest.raises(
        wgf.RunError,
        match=r"no useful step from t = 0 is possible with CentralDifferenceConvectionTerm.*in a cell.*below zero.*take van-leer",
    ):
        wgf.solve(problem, method, 0.5, save=2)


@pytest.mark.filterwarnings("ignore:.* leaves out")
def test_a_run_does_not_crawl(fipy):
    """Central differences between cells of different sizes: steps that are possible, but so short that the end is out of reach."""
    rng = np.random.default_rng(11)
    dx, dy = (5 * sides / sides.sum() for sides in rng.uniform(0.5, 1.5, (2, 20)))
    problem = wgf.Problem(wgf.InteractionEnergy(V=pull), wgf.Gaussian((0.6, -0.4), (0.4, 0.4)))
    with pytest.raises(wgf.RunError, match=r"no useful step from t = .* with CentralDifferenceConvectionTerm"):
        wgf.solve(problem, wgf.FiPyMesh(fipy.Grid2D(dx=dx, dy=dy) + -2.5, convection="central", edge_tolerance=1), 0.4, save=2)


def test_a_run_goes_on_long_after_all_is_at_rest():
    """Where nothing moves, accuracy allows any step; that the longest ones are refused is no reason to give up."""
    run = wgf.solve(drift(), wgf.FiPyMesh(wgf.Disc(3.0, 0.6)), 1000.0, save=2)
    is_sound(run)
    assert run.loss[-1] <= run.loss[0]


def test_a_porous_medium_spreads_as_barenblatt_says():
    """κ Δμ² in the plane, from a Barenblatt profile: compared at a later time."""
    kappa, mass = 0.5, 1.0

    def profile(theta, time):
        s = kappa * time
        top = np.sqrt(mass / (8 * np.pi))
        return np.maximum(top - np.sum(theta**2, axis=-1) / (16 * np.sqrt(s)), 0.0) / np.sqrt(s)

    start, end = 0.2, 0.4
    problem = wgf.Problem(
        wgf.InteractionEnergy(U=wgf.PorousMedium(kappa, 2)),
        wgf.FromDensity(lambda theta: profile(theta, start), lower=[-2, -2], upper=[2, 2]),
    )
    run = wgf.solve(problem, wgf.FiPyMesh(wgf.Disc(2.0, 0.12)), end - start, save=2)
    is_sound(run)
    assert run.largest_rise <= 0
    mesh = run.measures[-1].mesh
    exact = mesh_averages(wgf.FromDensity(lambda theta: profile(theta, end)), mesh)
    assert np.abs(run.measures[-1].values - exact) @ mesh.volumes <= 0.02


def attraction(z):
    return 0.5 * np.sum(z**2, axis=-1)


def test_a_smooth_interaction_is_compressed():
    """W(z) = ½|z|² has rank p + 2, pulls everything to the mean, and leaves the mean where it is."""
    problem = wgf.Problem(wgf.InteractionEnergy(W=attraction), wgf.Gaussian((0.3, -0.2), (0.4, 0.3)))
    run = wgf.solve(problem, wgf.FiPyMesh(wgf.Box((36, 36), (-2.5, -2.5), (2.5, 2.5))), 0.7, save=2)
    is_sound(run)
    assert run.attributes["kernel_rank"] == 4
    last = run.measures[-1]
    assert last.mean == pytest.approx([0.3, -0.2], abs=1e-3)
    assert np.diag(last.covariance) == pytest.approx(np.array([0.16, 0.09]) * np.exp(-1.4), abs=4e-3)


@pytest.mark.parametrize("width", [1.0, 0.7])
def test_the_error_of_a_compressed_interaction_is_what_it_says(width):
    """W(z) = e^{−|z|²/width²} of rank beyond 100, beside the sum over all pairs of cells."""

    def bump(z):
        return np.exp(-np.sum(z**2, axis=-1) / width**2)

    _, mesh = wgf.Disc(3.0, 0.3).build()
    potential = wgf.InteractionEnergy(W=bump).at(mesh.centers, 1e-8)
    pairs = bump(mesh.centers[:, None] - mesh.centers)
    error = np.linalg.norm(potential.left @ potential.right.T - pairs) / np.linalg.norm(pairs)
    assert 100 < potential.rank < 600
    assert error <= 2e-8
    assert error <= 1.5 * potential.error <= 4 * error


@pytest.mark.parametrize(
    "rough",
    [lambda z: np.linalg.norm(z, axis=-1), lambda z: -1.0 * (np.sum(z**2, axis=-1) < 0.1), lambda z: 1e-200 * np.sum(z**2, axis=-1)],
)
def test_an_interaction_on_few_cells_is_right_however_rough(rough):
    """Rows that have been taken are exact, and say nothing of the others."""
    _, mesh = wgf.Disc(1.5, 0.3).build()
    potential = wgf.InteractionEnergy(W=rough).at(mesh.centers, 1e-10)
    pairs = rough(mesh.centers[:, None] - mesh.centers)
    size = np.abs(pairs).max()
    assert np.linalg.norm((potential.left @ potential.right.T - pairs) / size) <= 2e-10 * np.linalg.norm(pairs / size)


def test_an_interaction_across_a_seam_takes_the_nearest_image():
    """On the periodic line, by our grid, by FiPy and by particles; the law lies across the seam."""
    law = wgf.FromDensity(lambda theta: np.exp(8 * np.cos(theta[..., 0] - 2.9)), lower=[-np.pi], upper=[np.pi])
    problem = wgf.Problem(wgf.InteractionEnergy(W=attraction), law)
    box = {"lower": (-np.pi,), "upper": (np.pi,), "boundary": "periodic"}
    ours = wgf.solve(problem, wgf.FiniteVolume(256, **box), 0.2, save=2)
    theirs = wgf.solve(problem, wgf.FiPyMesh(wgf.Box(256, **box)), 0.2, save=2)
    is_sound(theirs)
    assert np.abs(theirs.measures[-1].values - ours.measures[-1].values.ravel()) @ theirs.measures[-1].mesh.volumes <= 0.02
    assert theirs.free_energy == pytest.approx(ours.free_energy, rel=2e-3)
    cloud = wgf.solve(problem, wgf.Particles(2000, seed=0, **box), 0.2, save=2)
    assert cloud.loss == pytest.approx(ours.loss, rel=0.1)
    with pytest.raises(wgf.InputError, match="on a periodic mesh an interaction W takes the nearest image"):
        wgf.solve(problem, wgf.FiPyMesh(load_fipy().PeriodicGrid1D(nx=64, dx=0.1)), 0.1)


def test_an_interaction_that_is_not_smooth_is_refused(monkeypatch):
    monkeypatch.setattr(point_potential, "LARGEST_RANK", 60)  # to reach 1000 takes ten seconds
    rough = wgf.InteractionEnergy(W=lambda z: np.abs(np.sin(50 * z)).sum(axis=-1) + np.cos(90 * np.prod(z, axis=-1)))
    with pytest.raises(wgf.InputError, match="W is not smooth enough for a mesh: with rank 60"):
        wgf.solve(wgf.Problem(rough, wgf.Gaussian((0, 0), (0.3, 0.3))), wgf.FiPyMesh(wgf.Box((36, 36), (-2, -2), (2, 2))), 0.1)
    singular = wgf.InteractionEnergy(W=lambda z: 1.0 / np.maximum(np.sum(z**2, axis=-1), 0.0))
    with pytest.raises(wgf.InputError, match="W is not finite at some difference"), np.errstate(divide="ignore"):
        wgf.solve(wgf.Problem(singular, wgf.Gaussian((0, 0), (0.3, 0.3))), wgf.FiPyMesh(wgf.Box((8, 8), (-2, -2), (2, 2))), 0.1)


def test_the_mesh_is_in_the_file(tmp_path):
    run = wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Disc(3.5, 0.5)), 0.3, save=3, store=tmp_path / "run.h5")
    h5py, xarray = pytest.importorskip("h5py"), pytest.importorskip("xarray")
    with h5py.File(tmp_path / "run.h5") as file:
        mesh = file["mesh"]
        vertices, cells = mesh["vertices"][:], mesh["cells"][:]
        assert vertices.shape[1] == 2
        corners = vertices[cells]
        assert mesh["centres"][:] == pytest.approx(corners.mean(axis=1))
        sides = corners[:, 1:] - corners[:, :1]
        assert mesh["volumes"][:] == pytest.approx(0.5 * np.abs(sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]))
        assert file["density"].shape == (3, len(cells))
        assert file["density"][-1] @ mesh["volumes"][:] == pytest.approx(1, abs=1e-12)
    with xarray.open_dataset(tmp_path / "run.h5", engine="h5netcdf") as data:
        assert data["density"].dims == ("time", "cell")
    again = wgf.open_run(tmp_path / "run.h5")
    assert again.measures[-1].mesh.names == ("c", "a")
    assert np.array_equal(again.measures[-1].values, run.measures[-1].values)
    assert wgf.distance("sliced_w2", again.measures[0], again.measures[-1]) > 0
    assert again.measures[0].mesh is again.measures[-1].mesh


def test_a_run_that_took_no_step_has_its_summary(tmp_path):
    with pytest.raises(wgf.RunError, match="did not converge"):
        wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Box((12, 12), LOWER, UPPER), sweeps=2, accuracy=1e-15), 0.5, store=tmp_path / "run.h5")
    assert "sweeps" not in run_facts(wgf.open_run(tmp_path / "run.h5"))


def test_neurons_beside_a_mesh():
    limit = wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Disc(3.5, 0.25)), 0.5, save=2)
    cloud = wgf.solve(STUDENT, wgf.Particles(2000, seed=1), 0.5, save=2)
    assert wgf.distance("function", limit.measures[-1], cloud.measures[-1], STUDENT.energy) < 0.05
    for name in ("mean", "energy", "sliced_w2"):
        assert wgf.distance(name, limit.measures[-1], cloud.measures[-1]) < 0.1
    drawn = limit.measures[-1].sample(4000, np.random.default_rng(0))
    assert drawn.mean(axis=0) == pytest.approx(limit.measures[-1].mean, abs=0.03)
    start = dataclasses.replace(STUDENT, initial=limit.measures[-1])
    on = wgf.solve(start, wgf.FiPyMesh(wgf.Disc(3.5, 0.25)), 0.1, save=2)
    assert on.loss[0] == pytest.approx(limit.loss[-1])
    with pytest.raises(wgf.InputError, match="starts runs on the same mesh, and runs of particles"):
        wgf.solve(start, wgf.FiniteVolume((16, 16), LOWER, UPPER), 0.1)


def test_the_error_is_estimated_from_a_coarser_mesh():
    method = wgf.FiPyMesh(wgf.Disc(3.5, 0.2))
    reference = wgf.solve(STUDENT, wgf.Characteristics(), 0.5, save=2).prediction
    run = wgf.solve(STUDENT, method, 0.5, save=2)
    estimate = wgf.discretisation_error(STUDENT, method, 0.5, run=run)["function"][-1]
    assert 1 < estimate / DATA.norm(run.prediction[-1] - reference[-1]) < 20
    for domain in (wgf.Box((8, 8), LOWER, UPPER), wgf.Circle(12), wgf.Annulus(1, 2, 0.5), wgf.Sphere(0.5)):
        assert dataclasses.replace(method, mesh=domain, dt=0.1).coarser(STUDENT, 1.0).dt == 0.2
    assert wgf.FiPyMesh(load_fipy().Grid1D(nx=4)).coarser(STUDENT, 1.0) is None


def test_a_box_is_found():
    run = wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Box((24, 24))), 0.3, save=2)
    is_sound(run)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wgf.FiPyMesh(wgf.Circle(8), convection="vanleer"), r"unknown convection term 'vanleer' \(did you mean 'van-leer'\?\)"),
        (lambda: wgf.FiPyMesh(wgf.Circle(8), diffusion="ExplicitDiffusionTerm"), "unknown diffusion term"),
        (lambda: wgf.FiPyMesh(wgf.Circle(8), cells_per_step=-1), "cells_per_step = -1: it must be a positive number"),
        (lambda: wgf.FiPyMesh(wgf.Circle(8), sweeps=1), "sweeps = 1: a whole number, at least 2"),
        (lambda: wgf.FiPyMesh(wgf.Circle(8), tolerance=2), "tolerance = 2"),
        (lambda: wgf.FiPyMesh(wgf.Circle(8), tolerance="a"), "tolerance = 'a'"),
        (lambda: wgf.FiPyMesh(wgf.Circle(8), cells_per_step="a"), "cells_per_step = 'a': it must be a positive number"),
        (lambda: wgf.FiPyMesh(wgf.Circle(8), sweeps=2.5), "sweeps = 2.5: a whole number"),
        (lambda: wgf.FiPyMesh(wgf.Circle(8), convection=["upwind"]), "unknown convection term"),
        (lambda: wgf.FiPyMesh(wgf.Circle(8), diffusion=None), "unknown diffusion term None"),
        (lambda: wgf.FiPyMesh(wgf.Disc), "give a mesh of FiPy"),
        (lambda: wgf.FiPyMesh(3), "mesh = 3: give a mesh of FiPy"),
        (lambda: wgf.FiPyMesh(load_fipy().CylindricalGrid2D(nr=3, nz=3)), "rings or shells, over which θ is not a point"),
        (lambda: wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Box(8, [0], [1])), 1.0), r"dimension 1 but theta has 2 coordinates \(c, a\)"),
        (lambda: wgf.solve(STUDENT, wgf.FiPyMesh(wgf.Box((8, 8), (5, 5), (6, 6))), 1.0), "of the initial law"),
        (lambda: wgf.solve(line(), wgf.FiPyMesh(wgf.Box(8, [0.6], [3])), 1.0), "holds only 15.87% of the initial law"),
    ],
)  # fmt: skip
def test_messages(make, message):
    with pytest.raises(wgf.InputError, match=message), np.errstate(divide="ignore"):
        make()


def test_what_the_mesh_leaves_out_is_warned_about():
    outside = np.exp(-0.5 / 0.25)  # of N(0, ½² I), beyond the unit circle
    with pytest.warns(wgf.BoundaryWarning, match=r"the disc of radius 1, .* triangles leaves out 0\.\d+ of the initial law") as found:
        wgf.solve(drift(), wgf.FiPyMesh(wgf.Disc(1.0, 0.1), edge_tolerance=1), 0.1, save=2)
    assert float(str(found[0].message).split("leaves out ")[1].split()[0]) == pytest.approx(outside, rel=0.05)


@pytest.mark.parametrize(
    "law", [wgf.Ball((0.23, 0.31), 0.3), wgf.Uniform((0.13, 0.11), (0.53, 0.57)), wgf.Gaussian((0.2, 0.1), (0.02, 0.3))]
)
def test_a_box_starts_from_exact_averages(law):
    """As our own grids do, also from laws with edges or narrower than a cell."""
    box = ((20, 30), (-3, -3), (3, 3))
    problem = dataclasses.replace(drift(), initial=law)
    theirs = wgf.solve(problem, wgf.FiPyMesh(wgf.Box(*box)), 0.01, save=2).measures[0]
    ours = wgf.solve(problem, wgf.FiniteVolume(*box, negligible=0), 0.01, save=2).measures[0]
    assert pytest.approx(ours.values, abs=1e-12) == theirs.values.reshape(30, 20).T


def test_parts_that_no_face_joins_are_warned_about(tmp_path):
    """Two squares with an edge in common, meshed one by one, as Gmsh does unless it is told to join them."""
    squares = "Rectangle(1) = {-1, -1, 0, 1, 2};\nRectangle(2) = {0, -1, 0, 1, 2};\n"
    text = 'SetFactory("OpenCASCADE");\n' + squares + "Mesh.MeshSizeMax = 0.5;\n"
    path = tmp_path / "squares.geo"
    path.write_text(text)
    with pytest.warns(wgf.BoundaryWarning, match="mesh of squares.geo, .* falls into 2 parts that no face joins"):
        wgf.solve(drift(std=0.2), wgf.FiPyMesh(wgf.GmshFile(path), edge_tolerance=1), 0.1, save=2)
    path.write_text(text + "BooleanFragments{ Surface{1}; Delete; }{ Surface{2}; Delete; }")
    with warnings.catch_warnings():
        warnings.simplefilter("error", wgf.BoundaryWarning)
        wgf.solve(drift(std=0.2), wgf.FiPyMesh(wgf.GmshFile(path), edge_tolerance=1), 0.1, save=2)


def test_mass_at_the_edge_is_warned_about():
    with pytest.warns(wgf.BoundaryWarning, match=r"of the mass lies in the cells at the edge of the mesh \(disc .*walls are meant"):
        wgf.solve(
            wgf.Problem(wgf.InteractionEnergy(V=lambda theta: -theta[..., 0]), wgf.Gaussian((0, 0), (0.3, 0.3))),
            wgf.FiPyMesh(wgf.Disc(2.0, 0.4)),
            1.5,
            save=2,
        )
    periodic = wgf.FiPyMesh(wgf.Box(12, [-np.pi], [np.pi], "periodic"))
    assert wgf.solve(line(), periodic, 0.1, save=2).boundary_mass.max() == 0  # a seam is no edge


def test_laws_inside_the_mesh_are_not_said_to_be_outside():
    """Sharp edges are integrated over cells to their size only; a law that is far smaller than a cell is said to be."""
    for law in (wgf.Ball((0.1, 0.2), 0.7), wgf.Uniform((-0.5, -0.4), (0.6, 0.5))):
        run = wgf.solve(dataclasses.replace(drift(), initial=law), wgf.FiPyMesh(wgf.Disc(2.0, 0.15)), 0.05, save=2)
        is_sound(run)
    with pytest.warns(wgf.ResolutionWarning, match=r"too large for the initial law: its averages sum to \d\.\d+, and are scaled to one"):
        wgf.solve(drift(std=0.01), wgf.FiPyMesh(wgf.Disc(2.0, 0.3)), 0.05, save=2)
    far = wgf.Samples([[0.1, 0.2], [9.0, 9.0], [-0.3, 0.1], [0.2, 0.2]])
    with pytest.warns(wgf.BoundaryWarning, match=r"leaves out 0\.25 of the initial law"):
        wgf.solve(dataclasses.replace(drift(), initial=far), wgf.FiPyMesh(wgf.Disc(2.0, 0.3)), 0.05, save=2)


@pytest.mark.parametrize("tau", [0.0, 0.1])
def test_skewed_triangles(tau, fipy):
    """Twice as long as high, whose centres are joined by lines far from the normals: the order in L¹ towards the exact solution."""
    errors, end = [], 0.3
    for h in (0.2, 0.1):
        mesh = fipy.Tri2D(dx=2 * h, dy=h, nx=round(2 / h), ny=round(4 / h)) + np.array([[-2.0], [-2.0]])
        run = wgf.solve(drift(tau, 0.4), wgf.FiPyMesh(mesh, edge_tolerance=1), end, save=2)
        is_sound(run)
        last, exact = run.measures[-1], exact_drift(tau, end, 0.4)
        errors.append(np.abs(last.values - mesh_averages(exact, last.mesh)) @ last.mesh.volumes)
    assert np.log2(errors[0] / errors[1]) >= (1.7 if tau else 1.0)
    assert last.covariance == pytest.approx(np.diag(np.square(exact.std)), rel=0.02 if tau else 0.07, abs=1e-3)


def test_the_line_for_people_names_mesh_and_term():
    run = wgf.solve(line(), wgf.FiPyMesh(wgf.Box(30, [-2], [3])), 0.1, save=2)
    assert run.method == "FiPyMesh(30 on [-2, 3], van-leer)"
    assert repr(wgf.FiPyMesh(load_fipy().Grid2D(nx=2, ny=3), convection="upwind")) == "FiPyMesh(Grid2D of 6 cells, upwind)"


@pytest.mark.parametrize("name", ["van-leer", "VanLeer", "VanLeerConvectionTerm"])
def test_terms_go_by_our_name_and_by_theirs(name):
    assert wgf.FiPyMesh(wgf.Circle(8), convection=name).convection == "van-leer"
    for diffusion in ("two-point", "DiffusionTerm", "ImplicitDiffusionTerm", "DiffusionTermNoCorrection"):
        assert wgf.FiPyMesh(wgf.Circle(8), diffusion=diffusion).diffusion == "two-point"
    assert wgf.FiPyMesh(wgf.Circle(8), convection="ConvectionTerm").convection == "power-law"  # as in FiPy
