"""Sparse deconvolution: the signal's geometry, the least value, conic descent, and the published parts."""

import numpy as np
import pytest
from scipy import optimize
from scripts import SOLVERS, imported

import wgf
from wgf.networks.derivatives import differences

SCRIPT = imported(SOLVERS / "sparse_deconvolution.py")


def kernel(u):
    """D(u) as a ratio of sines."""
    return np.sin((SCRIPT.FREQUENCIES + 0.5) * u) / np.sin(u / 2)


def objective(places, masses, spikes):
    """J(ν) by the kernel alone: ½ Σ (ν − μ₀)(ν − μ₀) D + λ|ν|."""
    y, w = np.concatenate([places, spikes[0]]), np.concatenate([masses, -spikes[1]])
    u = y[:, None] - y
    return 0.5 * w @ np.where(u == 0, 2 * SCRIPT.FREQUENCIES + 1, kernel(u + (u == 0))) @ w + SCRIPT.PENALTY * sum(masses)


def cone(places, masses):
    """ν as a measure μ of mass one over (r, y)."""
    m = len(places)
    return wgf.Cloud(np.column_stack([np.sqrt(m * np.asarray(masses)), places]), np.full(m, 1 / m))


def test_the_neuron():
    """D is the ratio of sines, its inner products are D again, and the gradient is right."""
    rng, data = np.random.default_rng(0), SCRIPT.problem.energy.data
    theta = np.column_stack([rng.uniform(0.2, 2, 9), rng.uniform(0, SCRIPT.CIRCLE, 9)])
    g = SCRIPT.Spike().value(theta, data.inputs)
    assert g == pytest.approx(theta[:, :1] ** 2 * kernel(data.inputs[:, 0] - theta[:, 1:]), abs=1e-11)
    assert (g * data.weights) @ g.T == pytest.approx(
        np.outer(theta[:, 0], theta[:, 0]) ** 2 * SCRIPT.blur(theta[:, None, 1] - theta[:, 1]), abs=1e-11
    )
    assert SCRIPT.Spike().gradient(theta, data.inputs) == pytest.approx(
        differences(lambda at: SCRIPT.Spike().value(at, data.inputs), theta), abs=1e-6
    )


def test_the_objective_is_half_the_loss_up_to_a_constant():
    """For measures of any mass: the penalty is in the targets."""
    rng, (spikes, problem) = np.random.default_rng(1), SCRIPT.case(3)
    apart = []
    for atoms in (1, 4, 7):
        places, masses = rng.uniform(0, SCRIPT.CIRCLE, atoms), rng.exponential(size=atoms)
        apart.append(objective(places, masses, spikes) - problem.energy.loss(cone(places, masses)) / 2)
    assert apart == pytest.approx([SCRIPT.PENALTY * spikes[1].sum() - SCRIPT.PENALTY**2 / 2] * 3, abs=1e-11)


@pytest.mark.parametrize("seed", range(8))
def test_the_least_value_is_found_proven_and_cannot_be_polished(seed):
    """½L* ≥ ½L − δ|ν*| where J' ≥ −δ everywhere and ∫J' dν = 0; non-negative least squares on a fine grid of places is a little above it;
    and descent of all places and masses together finds nothing less.
    """
    this = SCRIPT.case(seed)[1]
    energy = this.energy
    lowest, places, masses = SCRIPT.least(this)
    assert 0 <= on_grid(energy) - lowest < 1e-4
    ends = cone(places, masses)
    assert energy.loss(ends) == pytest.approx(lowest, abs=1e-10)
    y = SCRIPT.CIRCLE * np.arange(2**16) / 2**16
    slope = energy.potential(np.column_stack([np.ones(len(y)), y]), ends)
    assert -slope.min() * 2 * masses.sum() < 1e-6
    start = np.concatenate([np.sqrt(masses), places])

    def value(theta):
        return energy.loss(cone(theta[len(masses) :], theta[: len(masses)] ** 2))

    found = optimize.minimize(value, start, method="BFGS", options={"gtol": 1e-9})
    assert found.fun == pytest.approx(lowest, abs=1e-8)


def on_grid(energy, places=2**12):
    """The least L of all ν on a grid of the circle, by non-negative least squares."""
    y, root = SCRIPT.CIRCLE * np.arange(places) / places, np.sqrt(energy.data.weights)
    columns = root * energy.neuron.value(np.column_stack([np.ones(places), y]), energy.data.inputs)
    return optimize.nnls(columns.T, root * energy.data.targets)[1] ** 2


def test_conic_descent_against_plain_sums():
    """The paper's step, written with the kernel for all pairs."""
    (places, weights), problem = SCRIPT.case(5)
    path, losses = SCRIPT.descent(problem.energy, 6, 0.1)
    r, y = path[0].T
    for points in path[1:]:
        u, v = y[:, None] - y, y[:, None] - places
        rise = SCRIPT.blur(u) @ r**2 / 6 - SCRIPT.blur(v) @ weights + SCRIPT.PENALTY
        along = SCRIPT.slope(u) @ r**2 / 6 - SCRIPT.slope(v) @ weights
        r, y = r * np.exp(-2 * SCRIPT.STEP * rise), y - SCRIPT.STEP * along
        assert points == pytest.approx(np.column_stack([r, y]), abs=1e-10)
    assert len(losses) == len(path) == 51
    assert np.all(np.diff(losses) < 0)


@pytest.mark.long
def test_more_particles_succeed_more_often():
    gaps = SCRIPT.parts(6, (5, 20), 2.0)
    assert gaps.min() > -1e-6
    assert np.count_nonzero(gaps[:, 1] < SCRIPT.GAP) > np.count_nonzero(gaps[:, 0] < SCRIPT.GAP)


@pytest.mark.long
def test_the_parts_of_an_independent_port():
    """Both of 40 draws: within two standard errors of their difference."""
    found, port = (SCRIPT.parts(40, SCRIPT.SIZES, 2.0) < SCRIPT.GAP).mean(axis=0), np.array(SCRIPT.PORT)
    errors = np.sqrt((found * (1 - found) + port * (1 - port)) / 40)
    assert np.all(np.abs(found - port) < 2 * errors)
