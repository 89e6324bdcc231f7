"""Fisher–Rao's flow against the cells' own equations, its limit from quadratic programming, and the flow in L²."""

import dataclasses

import numpy as np
import pytest
from scipy import special
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, minimize, nnls

import wgf
from wgf.methods.geometry.projected import nearest_density
from wgf.runs.summary import run_facts

pytestmark = pytest.mark.coarse
DATA = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, 12)
PLANE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), DATA, 0.1), wgf.Gaussian((0.2, 0.5), (0.6, 0.6)))
FREE = dataclasses.replace(PLANE, energy=wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), DATA))
BOUNDED = dataclasses.replace(PLANE, energy=wgf.RegressionEnergy(wgf.Neuron("cosine", ("a", "b")), DATA, 0.1))
BOX = ((14, 12), (-3, -2.5), (3.5, 4))


def dense(problem, grid):
    """Φ on the cells (N, n), √w absorbed, the targets (n,), and ½λV (N,)."""
    data, root = problem.energy.data, np.sqrt(problem.energy.data.weights)
    penalty = problem.energy.penalty
    return (
        problem.energy.neuron.value(grid.points(), data.inputs) * root,
        data.targets * root,
        0.5 * penalty.strength * penalty.value(grid.points()),
    )


@pytest.mark.parametrize("problem", [PLANE, dataclasses.replace(PLANE, temperature=0.2), BOUNDED], ids=["flow", "noise", "all cells"])
def test_the_cells_own_equations(problem):
    """d/dt log μ_i = −2(G_i + τ log μ_i − mean), integrated on all cells."""
    run = wgf.solve(problem, wgf.MirrorDescent(*BOX), 3.0, 4)
    grid, tau = run.measures[0].grid, problem.temperature
    features, target, penalty = dense(problem, grid)

    def rate(_, logarithm):
        masses = np.exp(logarithm) * grid.cell_volume
        xi = features @ (features.T @ masses - target) + penalty + tau * logarithm
        return -2 * (xi - xi @ masses)

    start = np.log(run.measures[0].values.ravel())
    found = solve_ivp(rate, (0, 3), start, "DOP853", run.times, rtol=1e-12, atol=1e-12)
    for k, measure in enumerate(run.measures):
        expected = np.exp(found.y[:, k])
        assert measure.values.ravel() == pytest.approx(expected, abs=1e-8 * expected.max())
        assert np.log(measure.values.ravel()) == pytest.approx(found.y[:, k], abs=1e-8)


def test_the_distance_from_the_best_measure_is_bounded_by_its_entropy():
    """L(t) − L* ≤ KL(μ*|μ₀)/t, μ* by non-negative least squares on the same cells, in every frame; and the bound is not idle."""
    run = wgf.solve(FREE, wgf.MirrorDescent(*BOX), 300.0, np.geomspace(0.1, 300, 30).tolist())
    grid = run.measures[0].grid
    features, target, _ = dense(FREE, grid)
    heavy = 1e4  # the weight of Σ = 1
    best = nnls(np.vstack([features.T, np.full(grid.size, heavy)]), np.append(target, heavy))[0]
    best /= best.sum()
    least = float(np.sum((features.T @ best - target) ** 2))
    slope = features @ (features.T @ best - target)
    assert best @ slope - slope.min() < 1e-8  # it is the best
    held = best > 0
    entropy = float(best[held] @ np.log(best[held] / run.measures[0].masses[held]))
    gap, bound = run.loss[1:] - least, entropy / run.times[1:]
    assert (gap > 0).all()
    assert (gap <= bound).all()
    assert (gap > 0.02 * bound).any()


@pytest.mark.parametrize("bregman", ["kl", "euclidean"])
def test_a_proximal_step(bregman):
    """argmin_p E[p] + D(p, μ)/(2Δt), found by minimising it over p = softmax(u), is where the flow leads in Δt, but for O(Δt²)."""
    problem = dataclasses.replace(PLANE, initial=wgf.Uniform((-1, -1), (1, 1)))
    small, apart = ((4, 3), (-1, -1), (1, 1)), []
    for dt in (4e-2, 2e-2):
        run = wgf.solve(problem, wgf.MirrorDescent(*small, bregman=bregman), dt, 400)
        features, target, penalty = dense(problem, grid := run.measures[0].grid)
        start, volume = run.measures[0].values.ravel(), grid.cell_volume

        def objective(u, start=start, volume=volume, dt=dt, features=features, target=target, penalty=penalty):
            density = special.softmax(u) / volume
            energy = 0.5 * np.sum((features.T @ density * volume - target) ** 2) + penalty @ density * volume
            distance = density * np.log(density / start) if bregman == "kl" else 0.5 * (density - start) ** 2
            return 2 * dt * energy + distance.sum() * volume

        found = minimize(objective, np.log(start), method="BFGS", tol=1e-13).x
        apart.append(np.abs(special.softmax(found) / volume - run.measures[-1].values.ravel()).max())
    assert apart[0] < 0.1 * np.abs(run.measures[-1].values.ravel() - start).max()
    assert np.log2(apart[0] / apart[1]) == pytest.approx(2, abs=0.2)


def test_energy_falls_at_the_rate_of_its_dissipation():
    for problem in (PLANE, dataclasses.replace(PLANE, temperature=0.2)):
        run = wgf.solve(problem, wgf.MirrorDescent(*BOX), 2.0, 201)
        assert run.dissipation_defect < 1e-4


def test_cells_are_of_second_order():
    """And the error of the loss is estimated from coarser runs, by which it is within a factor of two."""
    losses = []
    for cells in (32, 64, 256):
        method = wgf.MirrorDescent((cells, cells), *BOX[1:])
        losses.append(wgf.solve(PLANE, method, 2.0, 2).loss[-1])
    assert np.log2((losses[0] - losses[2]) / (losses[1] - losses[2])) == pytest.approx(2, abs=0.2)
    found = wgf.discretisation_error(PLANE, wgf.MirrorDescent((64, 64), *BOX[1:]), 2.0)["loss"][-1]
    assert abs(losses[1] - losses[2]) / 2 < found < 2 * abs(losses[1] - losses[2])


def test_summaries_tell_of_the_geometry():
    run = wgf.solve(PLANE, wgf.MirrorDescent(*BOX), 1.0, 3)
    assert "ΔL = −2∫D dt, D the dissipation of fisher-rao, within" in run_facts(run)["balance"]
    assert "geometry" not in wgf.solve(PLANE, wgf.FiniteVolume(*BOX), 0.1, 2).attributes


def cut(values, total):
    """The projection onto densities, c by root finding."""
    level = brentq(lambda c: np.maximum(values - c, 0).sum() - total, values.min() - total, values.max(), xtol=1e-15)
    return np.maximum(values - level, 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_density(seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((4, 7))
    for total in (1e-3, 1.0, 100.0):
        assert nearest_density(values, total) == pytest.approx(cut(values, total), abs=1e-12 * total + 1e-13)


def test_the_flow_in_l2():
    """As long as no cell is empty it is linear: with K on densities, μ' = −2(Kμ − Φf + ½λV − mean); of first order in the steps."""
    problem = dataclasses.replace(PLANE, initial=wgf.Uniform(*BOX[1:]))
    errors = []
    for frames in (65, 129, 257):
        run = wgf.solve(problem, wgf.MirrorDescent(*BOX, bregman="euclidean"), 2e-3, frames)
        features, target, penalty = dense(problem, grid := run.measures[0].grid)

        def rate(_, density, features=features, target=target, penalty=penalty, volume=grid.cell_volume):
            slope = features @ (features.T @ density * volume - target) + penalty
            return -2 * (slope - slope.mean())

        expected = solve_ivp(rate, (0, 2e-3), run.measures[0].values.ravel(), "DOP853", rtol=1e-11, atol=1e-14).y[:, -1]
        assert expected.min() > 0
        errors.append(np.abs(run.measures[-1].values.ravel() - expected).max() / np.abs(expected - run.measures[0].values.ravel()).max())
    assert errors[-1] < 1e-2
    assert np.log2(errors[0] / errors[1]) == pytest.approx(1, abs=0.1)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(1, abs=0.1)


def test_mass_is_created_in_l2_only():
    """From a start on a part of the cells, Fisher–Rao's flow stays there, and ends higher."""
    problem = dataclasses.replace(FREE, initial=wgf.Uniform((-1, -1), (1, 1)))
    added = wgf.solve(problem, wgf.MirrorDescent(*BOX, bregman="euclidean"), 2.0, 3)
    multiplied = wgf.solve(problem, wgf.MirrorDescent(*BOX), 2000.0, 3)
    empty = added.measures[0].values == 0
    assert (multiplied.measures[-1].values[empty] == 0).all()
    assert added.measures[-1].masses[empty.ravel()].sum() > 0.1
    assert added.loss[-1] < 0.5 * multiplied.loss[-1]


def test_a_problem_file(tmp_path):
    from wgf.runs.task import read_task

    text = (
        '[neuron]\nactivation = "tanh"\ntheta = ["c", "a"]\n[data]\ninputs = { law = "uniform", lower = [-1], upper = [1], nodes = 10 }\n'
    )
    text += 'teacher = [ { c = 1.0, a = 2.0 } ]\n[initial]\nlaw = "gaussian"\nmean = [0, 0]\nstd = [1, 1]\n'
    text += '[domain]\nlower = [-4, -4]\nupper = [4, 4]\ncells = [16, 16]\n[method]\nname = "mirror-descent"\nbregman = "euclidean"\n'
    (path := tmp_path / "problem.toml").write_text(text, encoding="utf-8")
    assert read_task(path).method == wgf.MirrorDescent([16, 16], [-4, -4], [4, 4], bregman="euclidean")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: wgf.MirrorDescent(8, bregman="burg"), "unknown Bregman divergence 'burg'; allowed: kl, euclidean"),
        (lambda: wgf.MirrorDescent(8, tolerance=0), r"tolerance = 0: it lies in \[1e-13, 1\)"),
        (
            lambda: wgf.MirrorDescent(8).bind(wgf.Problem(wgf.InteractionEnergy(V=wgf.potential("quadratic")), wgf.Gaussian(0, 1)), 1.0),
            "MirrorDescent follows the few features of a network, and not InteractionEnergy",
        ),
        (
            lambda: wgf.MirrorDescent(*BOX, bregman="euclidean").bind(dataclasses.replace(PLANE, temperature=0.1), 1.0),
            "MirrorDescent solves the flow without diffusion, but the problem has temperature = 0.1",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(call, words):
    with pytest.raises(wgf.InputError, match=words):
        call()
