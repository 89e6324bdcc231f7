"""The variational steps on a grid: their error, their bias, the inequality that defines them, and what they refuse."""

import copy
import dataclasses
import re
import warnings

import numpy as np
import pytest
from problems import Ridge, Tanh
from scipy import special

import wgf
from wgf.methods.jko.iterations import Newton
from wgf.runs.summary import run_facts
from wgf.runs.task import read_task

pytestmark = pytest.mark.coarse

BOX = {"lower": (-2.5, -2.5), "upper": (3.5, 4.5)}
COARSE = {"cells": 48, "lower": (-3.0, -3.0), "upper": (4.0, 4.5)}
DATA = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, 40)


def line(temperature=0.0):
    """A tanh neuron in a alone."""
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", ("a",)), DATA, 0.1)
    return wgf.Problem(energy, wgf.Gaussian([0.5], [0.4]), temperature)


def size_one():
    """A tanh student of sin 2x, which has amplitude one."""
    data = wgf.Data.quadrature(lambda x: np.sin(2 * x), -1, 1, 40)
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data)
    return wgf.Problem(energy, wgf.Gaussian((0.2, 0.5), (0.4, 0.4)))


def noisy(temperature, penalty=0.1):
    return dataclasses.replace(Tanh(penalty).problem, temperature=temperature)


def error(run, problem, reference):
    return problem.energy.data.norm(run.prediction[-1] - reference.prediction[-1])


def gains(run):
    """By how much each step lowered its objective; of debiased ones of first order, ½L + τ∫μ log μ less the transport it cost."""
    return run.history["gain"][1:]


def test_twenty_debiased_steps_of_the_tanh_student():
    """128², T = 1, ε = 0.005: within 2.5e-4 of the characteristics; the plain steps more than ten times as far."""
    problem = size_one()
    reference = wgf.solve(problem, wgf.Characteristics(), until=1.0, save=2)
    debiased, plain = (
        wgf.solve(problem, wgf.JKO(128, **BOX, dt=0.05, epsilon=0.005, debiased=debiased), until=1.0, save=2) for debiased in (True, False)
    )
    assert error(debiased, problem, reference) <= 2.5e-4
    assert error(plain, problem, reference) >= 10 * error(debiased, problem, reference)
    assert debiased.attributes["plain_blur"] == pytest.approx(np.sqrt(20 * 0.005 / 2))
    for run in (debiased, plain):
        assert gains(run).min() >= 0
        assert (run.history["transport"][1:] > 0).all()
        assert np.diff(run.history["loss"]).max() < 0
        assert run.history["residual"].max() <= 1e-6
        assert run.mass == pytest.approx(1, abs=1e-13)


def test_against_implicit_steps_of_particles():
    """Exact transport in two dimensions: X' = X − Δt ∇G(X'; X') on quadrature nodes, by iteration. What is left is of size h² and ε²."""
    tanh = Tanh()
    points, weights = tanh.problem.initial.quadrature(40)
    for _ in range(20):
        moved = points
        for _ in range(40):
            moved = points + 0.05 * tanh.problem.energy.velocity(moved, weights)[0]
        points = moved
    expected = tanh.problem.energy.predict(wgf.Cloud(points, weights))
    run = wgf.solve(tanh.problem, wgf.JKO(128, **BOX, dt=0.05, epsilon=0.005), until=1.0, save=2)
    assert tanh.data.norm(run.prediction[-1] - expected) <= 6e-5
    assert tanh.data.norm(expected - tanh.reference(1.0).prediction[-1]) >= 3e-4  # what any exact step of this Δt is off by
    second = wgf.solve(tanh.problem, wgf.JKO(128, **BOX, dt=0.05, epsilon=0.005, order=2), until=1.0, save=2)
    assert tanh.data.norm(second.prediction[-1] - tanh.reference(1.0).prediction[-1]) <= 6e-5


@pytest.mark.parametrize(("order", "least", "most"), [(1, 0.9, 1.1), (2, 1.8, 2.6)])
def test_order_in_time(order, least, most):
    problem, steps = line(), [0.2, 0.1, 0.05]
    reference = wgf.solve(problem, wgf.Characteristics(), until=1.0, save=2)
    errors = [
        error(wgf.solve(problem, wgf.JKO(1024, [-3.5], [4.5], dt=dt, epsilon=1e-3, order=order), until=1.0, save=2), problem, reference)
        for dt in steps
    ]
    assert least <= np.polyfit(np.log(steps), np.log(errors), 1)[0] <= most


def test_the_bias_of_the_plain_steps_is_of_first_order_in_epsilon():
    problem, widths = line(), [0.02, 0.01, 0.005]
    exact = wgf.solve(problem, wgf.QuantileJKO(1024, [-3.5], [4.5], dt=0.05), until=1.0, save=2)

    def bias(epsilon, debiased):
        run = wgf.solve(problem, wgf.JKO(1024, [-3.5], [4.5], dt=0.05, epsilon=epsilon, debiased=debiased), until=1.0, save=2)
        return error(run, problem, exact)

    plain = [bias(epsilon, False) for epsilon in widths]
    assert np.polyfit(np.log(widths), np.log(plain), 1)[0] == pytest.approx(1, abs=0.15)
    assert 10 * bias(0.005, True) <= plain[-1]


@pytest.mark.parametrize("temperature", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("options", [{}, {"debiased": False}, {"domain": "log"}, {"dt": 0.5, "epsilon": 0.05}], ids=str)
def test_every_step_lowers_the_objective(temperature, options):
    """½L + τ∫μ log μ + W²/(2Δt) at μ_{k+1} ≤ its value at μ_k, where W² is the divergence that the step minimises."""
    method = wgf.JKO(**COARSE, **{"dt": 0.05} | options, edge_tolerance=1)
    run = wgf.solve(noisy(temperature), method, until=1.0, save=2)
    assert gains(run).min() >= 0
    assert (run.history["transport"][1:] > 0).all()
    if options != {"debiased": False}:
        assert gains(run) == pytest.approx(-np.diff(run.history["free_energy"]) - run.history["transport"][1:], abs=1e-12)
    assert np.diff(run.history["free_energy"]).max() < 0
    assert run.history["minimum"].min() >= 0
    assert run.mass == pytest.approx(1, abs=1e-13)


def entropic_costs(p, mu, cost, epsilon):
    """min ⟨π, |θ − θ'|²⟩ + ε KL(π | p ⊗ μ) between masses, by alternating dense sums in logarithms."""
    g, before = np.zeros(len(p)), np.inf
    log_p, log_mu = np.log(p), np.log(mu)
    for _ in range(5000):
        f = -epsilon * special.logsumexp((g - cost) / epsilon + log_mu, axis=1)
        g = -epsilon * special.logsumexp((f[:, None] - cost) / epsilon + log_p[:, None], axis=0)
        if np.abs(f - before).max() < 1e-11:
            break
        before = f
    return p @ f + mu @ g


def objective(problem, p, mu, dt, epsilon, debiased):
    """What a step from μ minimises over p, densities on one grid, from dense arrays; and its transport."""
    grid = p.grid
    points, h = grid.points(), grid.cell_volume
    masses = [density.values.ravel() * h for density in (p, mu)]
    cost = np.sum((points[:, None] - points) ** 2, axis=-1)
    transport = entropic_costs(*masses, cost, epsilon)
    if debiased:
        transport -= 0.5 * sum(entropic_costs(m, m, cost, epsilon) for m in masses)
    tau = problem.noise + (0.0 if debiased else epsilon / (2 * dt))
    residual = problem.energy.neuron.value(points, problem.energy.data.inputs).T @ masses[0] - problem.energy.data.targets
    loss = problem.energy.data.norm(residual) ** 2 + problem.energy.penalty.strength * np.sum(points**2, axis=1) @ masses[0]
    return 0.5 * loss + tau * np.sum(special.xlogy(masses[0], masses[0] / h)) + transport / (2 * dt), transport / (2 * dt)


@pytest.mark.parametrize("domain", ["scaling", "log"])
@pytest.mark.parametrize("debiased", [True, False])
@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_the_numbers_of_a_step_are_those_of_dense_transport(domain, debiased, temperature):
    """Its transport, never negative, and its gain; and no other density that is tried has a lower objective."""
    problem, dt, epsilon = line(temperature), 0.1, 0.3
    method = wgf.JKO(16, [-2], [3], dt=dt, epsilon=epsilon, debiased=debiased, domain=domain, accuracy=1e-9, edge_tolerance=1)
    run = wgf.solve(problem, method, until=dt, save=2)
    before, after = run.measures
    reached, transport = objective(problem, after, before, dt, epsilon, debiased)
    assert run.history["transport"][1] == pytest.approx(transport, rel=1e-6)
    assert run.history["gain"][1] == pytest.approx(objective(problem, before, before, dt, epsilon, debiased)[0] - reached, rel=1e-5)
    rng = np.random.default_rng(1)
    for size in (0.1, 0.01):
        values = after.values * (1 + size * rng.uniform(-1, 1, 16))
        other = dataclasses.replace(after, values=values / (values.sum() * after.grid.cell_volume))
        assert objective(problem, other, before, dt, epsilon, debiased)[0] > reached


@pytest.mark.parametrize(
    "options",
    [{}, {"domain": "log"}, {"order": 2}, {"linearised": True}, {"debiased": False}, {"debiased": False, "domain": "log"}],
    ids=str,
)
@pytest.mark.parametrize("temperature", [0.0, 0.02])
def test_cells_that_are_wider_than_the_law(options, temperature):
    """Where mass moves by a small part of a cell, into empty ones: still no step raises its objective, by more than its accuracy."""
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), DATA, 1e-6)
    problem = wgf.Problem(energy, wgf.Gaussian((0.5, 0.5), (0.1, 0.1)), temperature)
    run = wgf.solve(problem, wgf.JKO(9, (-3, -3), (3, 3), dt=2e-4, edge_tolerance=1, **options), until=1e-3, save=2)
    allowed = 1e-6 * (energy.scale + np.abs(run.free_energy[0]))
    assert gains(run).min() >= -1.001 * allowed
    assert (run.history["transport"] >= 0).all()
    if options.get("debiased", True):
        assert np.diff(run.free_energy)[0] <= allowed
        rest = -np.diff(run.history["free_energy"]) - run.history["transport"][1:]
        assert options.get("order") == 2 or rest == pytest.approx(gains(run), abs=allowed)


def test_a_law_in_one_cell_stays_there():
    """7³ cells of 8.6, a penalty that holds the mass at zero: E had risen by half of itself while each step was said to lower it."""
    data = wgf.Data.quadrature(lambda x: 0.0 * x, -1, 1, 4)
    energy = wgf.RegressionEnergy(wgf.Neuron("softplus", ("c", "a", "b")), data, 0.01)
    problem = wgf.Problem(energy, wgf.Gaussian((0.5, 0.3, 0.0), (0.4, 0.4, 0.4)), 0.001)
    run = wgf.solve(problem, wgf.JKO((7, 7, 7), (-30,) * 3, (30,) * 3, dt=2e-4), until=6e-4, save=2)
    assert run.free_energy[-1] <= run.free_energy[0] + 3e-6 * np.abs(run.free_energy[0])
    assert (run.history["transport"] >= 0).all()
    assert run.history["transport"].max() <= 1e-6
    assert re.match(
        r"\d of 3 may have raised its objective, by \d\.\d+e-\d+ at most, which is within their accuracy",
        run_facts(run)["steps"],
    )


def test_a_step_that_raises_its_objective_ends_the_run():
    problem = dataclasses.replace(line(), initial=wgf.Gaussian([0.5], [0.05]))
    with pytest.raises(
        wgf.RunError, match=r"in 100 iterations: with epsilon = 0\.125 it raises its objective by .*, more than the .* of its"
    ):
        wgf.solve(problem, wgf.JKO(24, [-3], [3], dt=2e-6, iterations=100), until=1e-5, save=2)


def test_a_gaussian_under_a_quadratic_energy():
    """Mean and variance of the steps in closed form, with noise, two correlated inputs; the grid's own variance is h²/12 larger."""
    ridge = Ridge((1.0, -0.5), (0.4, 0.3), temperature=0.05)
    dt, steps, grid = 0.05, 10, {"cells": 96, "lower": (-1.5, -3.0), "upper": (3.5, 2.0)}
    rate = ridge.second_moment + ridge.penalty * np.eye(2)
    mean, std = np.array(ridge.start), np.sqrt(np.array(ridge.width) ** 2 + (5 / 96) ** 2 / 12)
    for _ in range(steps):
        mean = np.linalg.solve(np.eye(2) + dt * rate, mean + dt * ridge.correlation)
        a = 1 / dt + ridge.penalty
        std = (std / dt + np.sqrt((std / dt) ** 2 + 4 * a * ridge.temperature)) / (2 * a)
    last = wgf.solve(ridge.problem, wgf.JKO(**grid, dt=dt, epsilon=0.006, accuracy=1e-9), until=dt * steps, save=2).measures[-1]
    assert last.mean == pytest.approx(mean, abs=2e-6)
    assert np.diag(last.covariance) == pytest.approx(std**2, rel=1e-3)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 2.0])
def test_noise_is_that_of_the_finite_volumes(temperature):
    box = {"cells": 96, "lower": (-4.0, -4.0), "upper": (5.0, 5.5), "edge_tolerance": 1}
    volumes = wgf.solve(noisy(temperature), wgf.FiniteVolume(**box, diffusion="gibbs"), until=0.2, save=2)
    steps = wgf.solve(noisy(temperature), wgf.JKO(**box, dt=0.02, order=2), until=0.2, save=2)
    difference = np.abs(steps.measures[-1].values - volumes.measures[-1].values)
    assert difference.sum() * volumes.measures[-1].grid.cell_volume <= 3e-3


@pytest.mark.parametrize(
    ("neuron", "law", "box"),
    [
        (wgf.Neuron("tanh", ("a", "b"), fixed={"c": 2.0}), wgf.Gaussian((0, 0), (0.5, 0.5)), ((-3, -3), (3, 3), "no-flux")),
        (wgf.Neuron("tanh", ("a", "b", "c")), wgf.Gaussian((0.5, 0, 0), (0.5, 0.5, 0.5)), ((-3, -3, -3), (3, 3, 3), "no-flux")),
        (
            wgf.Neuron("cosine", ("c", "b"), {"a": 2.0}),
            wgf.Gaussian((0, 0.5), (0.4, 0.4)),
            ((-3, -np.pi), (3, np.pi), ["no-flux", "periodic"]),
        ),
    ],
    ids=["no output weight", "three dimensions", "periodic"],
)
def test_every_kind_of_grid(neuron, law, box):
    problem = wgf.Problem(wgf.RegressionEnergy(neuron, DATA, 0.05), law)
    lower, upper, boundary = box
    n = 24 if len(lower) == 3 else 48
    volumes = wgf.solve(problem, wgf.FiniteVolume(n, lower, upper, boundary), until=0.5, save=2)
    steps = wgf.solve(problem, wgf.JKO(n, lower, upper, boundary, dt=0.05, accuracy=1e-5, order=2), until=0.5, save=2)
    assert error(steps, problem, volumes) <= 4e-3


def test_linearised_steps_of_an_interaction():
    problem = wgf.Problem(wgf.InteractionEnergy(W=lambda z: 0.5 * np.sum(z**2, axis=-1)), wgf.Gaussian((0.3, 0), (0.3, 0.4)), 0.02)
    box = {"cells": 48, "lower": (-2, -2), "upper": (2, 2)}
    with pytest.raises(wgf.InputError, match="an interaction W is frozen in each step: give linearised = true"):
        wgf.solve(problem, wgf.JKO(**box, dt=0.01), until=0.2)
    steps = wgf.solve(problem, wgf.JKO(**box, dt=0.01, linearised=True), until=0.2, save=2).measures[-1]
    volumes = wgf.solve(problem, wgf.FiniteVolume(**box), until=0.2, save=2).measures[-1]
    assert steps.mean == pytest.approx([0.3, 0.0], abs=1e-6)
    assert np.diag(steps.covariance) == pytest.approx(np.diag(volumes.covariance), rel=0.01)


def test_linearised_steps_that_are_too_long_say_so():
    """With W = −2|z|², which repels, a frozen W throws the mass from one side to the other: E rises, and the run does not hide it."""
    problem = wgf.Problem(wgf.InteractionEnergy(V="r^4/4", W="-2*r^2", axes=["x"]), wgf.Gaussian([0.3], 0.3))
    box = {"cells": 64, "lower": [-4], "upper": [4]}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        long = wgf.solve(problem, wgf.JKO(**box, dt=0.5, linearised=True), until=2.0, save=2)
        short = wgf.solve(problem, wgf.JKO(**box, dt=0.05, linearised=True), until=0.5, save=2)
    assert long.largest_rise > 0.1 > 0.0 > short.largest_rise
    rises = [str(each.message) for each in told if "rose by" in str(each.message)]
    assert len(rises) == 1
    assert re.match(r"E, which falls along the flow, rose by 0\.\d+ of its size in one step: .*; take a shorter dt", rises[0])


def test_linearised_steps_are_of_first_order():
    problem = line()
    reference = wgf.solve(problem, wgf.Characteristics(), until=1.0, save=2)
    method = wgf.JKO(512, [-3.5], [4.5], epsilon=2e-3, linearised=True)
    errors = [error(wgf.solve(problem, dataclasses.replace(method, dt=dt), until=1.0, save=2), problem, reference) for dt in (0.1, 0.05)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(1, abs=0.15)


def test_an_unresolved_kernel_converges_in_the_log_domain_and_warns():
    """ε = h²/4 on 256²: beyond the exponents of doubles; no NaN, no division by zero, and a number for what is lost."""
    h = 7 / 256
    method = wgf.JKO(256, (-2.5, -2.5), (4.5, 4.5), dt=0.05, epsilon=h**2 / 4)
    with pytest.warns(wgf.ResolutionWarning, match=r"only 0\.25 h² .* displacements come out 71\.7% too short; take epsilon ≥ 0\.0015"):
        run = wgf.solve(Tanh().problem, method, until=0.1, save=2)
    assert np.isfinite(run.measures[-1].values).all()
    assert run.history["residual"].max() <= 1e-6
    assert gains(run).min() >= 0
    with (
        pytest.warns(wgf.ResolutionWarning),
        pytest.raises(wgf.RunError, match=r'over- or underflow .*take domain = "log"'),
    ):
        wgf.solve(Tanh().problem, dataclasses.replace(method, domain="scaling"), until=0.1, save=2)


def test_both_domains_take_the_same_steps():
    scaling, log = (
        wgf.solve(noisy(0.05), wgf.JKO(**COARSE, dt=0.05, domain=domain, accuracy=1e-9), until=0.2, save=2) for domain in ("scaling", "log")
    )
    assert log.prediction == pytest.approx(scaling.prediction, abs=1e-9)
    assert log.measures[-1].values == pytest.approx(scaling.measures[-1].values, abs=1e-7)


def test_laws_with_edges():
    """A uniform law: empty cells are reached, none is negative."""
    problem = dataclasses.replace(Tanh().problem, initial=wgf.Uniform((-1, -1), (1, 1)))
    reference = wgf.solve(problem, wgf.Characteristics(), until=0.5, save=2)
    run = wgf.solve(problem, wgf.JKO(64, (-3, -3), (3, 4), dt=0.05, accuracy=1e-4), until=0.5, save=2)
    assert error(run, problem, reference) <= 2e-3
    assert run.history["minimum"].min() >= 0
    assert gains(run).min() >= 0


def test_long_steps_need_the_line_search():
    """Δt = 5, where the Newton step of the dual overshoots: the objective still falls."""
    run = wgf.solve(
        Tanh(0.1).problem, wgf.JKO(48, (-4, -4), (5, 5), dt=5.0, epsilon=0.1, accuracy=1e-4, edge_tolerance=1), until=10.0, save=2
    )
    assert gains(run).min() >= 0


def test_an_overshooting_newton_step_is_halved():
    """A concave dual −½·9·(z − 1)² with a curvature underestimated ninefold."""
    newton = Newton(np.zeros(1), np.zeros((1, 1)))
    moves = [newton.moved(9.0 * (1.0 - newton.z)) for _ in range(60)]
    assert not all(moves)
    assert newton.z == pytest.approx(1.0, abs=1e-6)


def test_the_response_is_the_integral_of_the_features_slopes():
    """∫∇Φᵀ∇Φ dμ with the neuron's own gradient, projected on the compressed features."""
    for theta in (("c", "a"), ("a", "b")):
        energy = wgf.RegressionEnergy(wgf.Neuron("tanh", theta), DATA)
        grid = wgf.Grid((-2, -2), (2, 2), (200, 200), theta)
        potential = energy.on(grid)
        values = wgf.Gaussian((0.2, 0.5), (0.3, 0.3)).cell_averages(grid)
        basis = np.sqrt(DATA.weights)[:, None] * potential.readout
        slopes = np.einsum("nip,i,ir->npr", energy.neuron.gradient(grid.points(), DATA.inputs), np.sqrt(DATA.weights), basis)
        expected = np.einsum("n,npr,nps->rs", values.ravel() * grid.cell_volume, slopes, slopes)
        assert potential.response(potential.arranged(values)) == pytest.approx(expected, abs=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize("domain", ["scaling", "log"])
def test_a_copied_state_goes_on_bit_for_bit(domain):
    method = wgf.JKO(**COARSE, dt=0.1, domain=domain)
    first, second = (method.bind(noisy(0.05), 1.0) for _ in range(2))
    state = first.start()
    first.step(state, 0.5)
    copied = copy.deepcopy(state)
    for stepper, each in ((first, state), (second, copied)):
        while each.time < 0.5:
            stepper.step(each, 0.5)
    assert np.array_equal(state.values, copied.values)


def test_steps_are_equal_and_land_on_the_save_times():
    run = wgf.solve(noisy(0.0), wgf.JKO(**COARSE, dt=0.03), until=0.2, save=[0.1, 0.2])
    assert run.history["dt"][1:] == pytest.approx(0.025)
    assert run.times.tolist() == [0.0, 0.1, 0.2]
    default = wgf.solve(noisy(0.0), wgf.JKO(**COARSE), until=0.2, save=2)
    assert len(default.history["dt"]) == 51


def test_the_file_keeps_what_belongs_to_the_steps(tmp_path):
    run = wgf.solve(noisy(0.0), wgf.JKO(**COARSE, dt=0.1), until=0.3, save=2, store=tmp_path / "run.h5")
    again = wgf.open_run(tmp_path / "run.h5")
    for name in ("transport", "residual", "iterations"):
        assert again.history[name].tolist() == run.history[name].tolist()
        assert (again.history[name][1:] > 0).all()
    assert again.attributes["epsilon"] == pytest.approx(2 * (7.5 / 48) ** 2)
    assert "Δt 0.1, ε 0.0488, debiased" in again.method


FILE = """
neuron = { activation = "tanh", theta = ["c", "a"] }
data = { inputs = { law = "uniform", lower = [-1], upper = [1], nodes = 8 }, teacher = [ { c = 1.0, a = 2.0 } ] }
initial = { law = "gaussian", mean = [0.2, 0.5], std = [0.4, 0.4] }
domain = { cells = 32, lower = [-4, -4], upper = [5, 5] }
method = { name = "jko", dt = 0.1, epsilon = 0.2, debiased = false }
"""


def test_the_problem_file_and_the_screen_know_it(tmp_path):
    (tmp_path / "problem.toml").write_text(FILE, encoding="utf-8")
    task = read_task(tmp_path / "problem.toml")
    assert repr(task.method) == "JKO(32 on [-4, 5] × [-4, 5], Δt 0.1, ε 0.2, plain)"
    steps = run_facts(wgf.solve(task.problem, task.method, until=0.3, save=2))["steps"]
    assert re.fullmatch(
        r"each lowered its objective by at least \d\.\d+; \d\.\d iterations per step; "
        r"entropic smoothing, std 0\.55, not removed by debiasing",
        steps,
    )


def test_the_default_epsilon_is_of_the_axes_that_have_cells():
    method = wgf.JKO((32, 1), (-3, -3), (4, 4.5), dt=0.1)
    assert method.bind(noisy(0.0), 1.0).facts["epsilon"] == pytest.approx(2 * (7 / 32) ** 2)


def test_its_box_does_not_grow(tmp_path):
    (tmp_path / "problem.toml").write_text(FILE.replace("cells = 32", "cells = 32, grow = true"), encoding="utf-8")
    with pytest.raises(wgf.InputError, match="grow = true is for finite-volume: the box of JKO does not grow"):
        read_task(tmp_path / "problem.toml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epsilon": 0.0}, "epsilon = 0: it must be a positive number"),
        ({"epsilon": -1.0}, "epsilon = -1: it must be"),
        ({"dt": 0.0}, "dt = 0: it must be a positive number"),
        ({"dt": float("nan")}, "dt = nan: it must be a positive number"),
        ({"order": 3}, "order = 3; it is 1 or 2"),
        ({"domain": "logs"}, r"unknown domain of the scalings 'logs' \(did you mean 'log'\?\)"),
        ({"accuracy": 0.0}, "accuracy = 0; the error of the marginals"),
        ({"iterations": 0}, "iterations = 0: give a whole number, at least 1"),
        ({"tolerance": 1.5}, "tolerance = 1.5; the relative error"),
        ({"upper": None}, "the box needs both lower and upper"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.JKO(**COARSE | options)


def test_bad_problems_are_named():
    porous = wgf.Problem(wgf.InteractionEnergy(U=wgf.PorousMedium(1.0, 2)), wgf.Gaussian((0, 0), (1, 1)))
    with pytest.raises(wgf.InputError, match=r"U = 1 μ\^2 is not among its energies: take FiniteVolume, or Entropy"):
        wgf.solve(porous, wgf.JKO(**COARSE, dt=0.1), until=1.0)


def test_steps_that_do_not_converge_say_what_to_try():
    with pytest.raises(wgf.RunError, match=r"did not converge in 2 iterations: with epsilon = 0\.01.* off by .* take a larger epsilon"):
        wgf.solve(Tanh().problem, wgf.JKO(**COARSE | {"cells": 128}, dt=0.1, epsilon=0.01, iterations=2), until=1.0)


def test_a_resolved_kernel_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wgf.solve(noisy(0.0), wgf.JKO(**COARSE, dt=0.1), until=0.1, save=2)
