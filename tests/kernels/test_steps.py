"""The stages of a step in one call beside those that are called one by one."""

import itertools
import warnings

import numpy as np
import pytest
from problems import Tanh

import wgf
from wgf.kernels.steps import update_slope
from wgf.methods.finite_volume.integrators import INTEGRATORS, LIMITERS


def test_the_slope_is_that_of_the_features():
    rng = np.random.default_rng(1)
    features, target, sums, volume = rng.normal(size=(30, 7)), rng.normal(size=7), rng.normal(size=30), 0.1
    slope, found, residual = np.full(30, np.nan), np.full(7, np.nan), np.full(7, np.nan)
    square = update_slope(slope, sums, features, target, found, residual, volume)
    expected = volume * features.T @ sums - target
    assert square == pytest.approx(expected @ expected, rel=1e-13)
    assert found == pytest.approx(expected + target, rel=1e-13)
    assert residual == pytest.approx(expected, rel=1e-13)
    assert slope == pytest.approx(features @ expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("rank", [9, 14, 21])
def test_its_bits_do_not_depend_on_where_small_arrays_lie(rank):
    """Side by side in memory, in any order and at any distance, as an allocator may leave them: a run that goes on has the same numbers."""
    rng = np.random.default_rng(2)
    features, target, sums = rng.normal(size=(16, rank)), rng.normal(size=rank), rng.normal(size=16)
    found = set()
    for order in itertools.permutations(range(3)):
        for gap in range(40):
            memory = np.zeros(3 * (rank + gap))
            parts = [memory[place * (rank + gap) :][:rank] for place in order]
            parts[0][:] = target
            slope = np.empty(16)
            square = update_slope(slope, sums, features, *parts, 0.1)
            found.add((square, slope.tobytes(), parts[2].tobytes()))
    assert len(found) == 1


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("limiter", ["mp7", "mc"])
def test_a_step_in_one_call_is_a_step_stage_by_stage(limiter, integrator):
    """Values, diagnostics and steps to rounding, by steps that are tried twice, too; any number of stages."""
    if LIMITERS[limiter].sharp and not INTEGRATORS[integrator].stable:
        return
    tanh = Tanh()
    method = wgf.FiniteVolume(32, tanh.lower, tanh.upper, limiter=limiter, integrator=integrator, edge_tolerance=1)
    found = []
    for at_once in (True, False):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wgf.ResolutionWarning)
            steps = method.bind(tanh.problem, 1.0)
            state = steps.start()
        assert steps.stepper.few
        if not at_once:
            steps.stepper.few = None
        history = [steps.step(state, 1.0) for _ in range(5)]
        found.append((state, history))
    (ours, ours_then), (theirs, theirs_then) = found
    assert ours.time == pytest.approx(theirs.time, rel=1e-12)
    assert ours.array == pytest.approx(theirs.array, rel=1e-10, abs=1e-13)
    for one, other in zip(ours_then, theirs_then, strict=True):
        for name in ("time", "loss", "free_energy", "dissipation", "mass", "minimum"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-11)
        assert one.boundary == pytest.approx(other.boundary, rel=1e-9, abs=1e-15)


def test_which_cells_have_mass_does_not_depend_on_rounding():
    """On few cells, where face values beside empty ones are cut to zero: the same steps, one by one and in one call, to rounding."""
    x = np.linspace(-1, 1, 24)
    data = wgf.Data(x, np.sin(3 * x)).split(0.3)
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data, 0.1), wgf.Gaussian((0.2, 0.3), (0.35, 0.35)))
    method = wgf.FiniteVolume((25, 26), (-2.0, -2.0), (2.2, 2.0), ("periodic", "no-flux"), edge_tolerance=1)
    found = []
    for at_once in (True, False):
        steps = method.bind(problem, 0.6)
        state, times = steps.start(), []
        if not at_once:
            steps.stepper.few = None
        for stop in np.arange(1, 7) / 10:
            while state.time < stop:
                steps.step(state, float(stop))
                times.append(state.time)
        found.append((times, state.array))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-13)
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-9, abs=1e-14)
