"""The box that is found: it holds the flow, and the search for it ends, whatever the problem."""

import numpy as np
import pytest

import wgf
from wgf.methods.base import Diagnostics
from wgf.methods.box_search import find_box
from wgf.methods.particles.flow import FlowStepper
from wgf.runs.observers.monitor import Monitor

DATA = wgf.Data.quadrature(lambda x: np.tanh(2 * x), -1, 1, 8)


def student(law, temperature=0.0, scale=1.0):
    data = wgf.Data(DATA.inputs, scale * DATA.targets, DATA.weights)
    return wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data), law, temperature)


def well(rate, mean, std, temperature):
    return wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0.5 * rate * theta[..., 0] ** 2), wgf.Gaussian([mean], [std]), temperature)


@pytest.mark.parametrize("mean", [1e9, 1e15])
def test_a_stiff_flow_ends_the_search(mean):
    """Neurons at c = 10⁹ turn a at that rate: 10⁹ and more steps to t = .2."""
    with pytest.raises(
        wgf.InputError, match=r"no box is found: 1,000 steps of a cheap run for it come to t = .* of 0\.2 only.*give lower and upper"
    ):
        find_box(student(wgf.Gaussian([mean, 0.5], [0.4, 0.4])), 0.2)


def test_a_solver_that_gives_up_ends_the_search(monkeypatch):
    """What fails in the cheap run is told as what it is: a problem without a box."""

    def give_up(*_):
        raise wgf.RunError("steps of length zero")

    monkeypatch.setattr(FlowStepper, "start", give_up)
    with pytest.raises(
        wgf.InputError,
        match=r"no box is found, as the cheap run for it failed \(steps of length zero\): targets of size .* give lower and upper",
    ):
        find_box(student(wgf.Gaussian([0.2, 0.5], [0.4, 0.4]), scale=50.0), 0.2)


SALARIES = wgf.Data(np.arange(1.0, 11.0), [45e3, 5e4, 6e4, 8e4, 11e4, 15e4, 2e5, 3e5, 5e5, 1e6])


@pytest.mark.parametrize("temperature", [0.0, 0.1])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_data_as_they_come_end_the_search_with_their_scale(activation, temperature):
    """Salaries by position: targets of 10⁵ make rates of 10⁵ and more, through which noise does not lead either."""
    energy = wgf.RegressionEnergy(wgf.Neuron(activation, ("c", "a")), SALARIES)
    said = r"as the flow is stiff or long: targets of size 3\.8e\+05 \(root mean square\) make .* divide the targets by 3\.8e\+05, or give"
    with pytest.raises(wgf.InputError, match=f"no box is found: .* {said}"):
        find_box(wgf.Problem(energy, wgf.Gaussian([0, 0], [1, 1]), temperature), 1.0)


def test_large_inputs_are_named_too():
    x = np.linspace(-40, 40, 50)
    energy = wgf.RegressionEnergy(wgf.Neuron("relu", ("c", "a")), wgf.Data(x, x**3))
    with pytest.raises(
        wgf.InputError, match=r"targets of size .* and inputs of size 24 .*: divide the targets by .* and inputs by 24, or give"
    ):
        find_box(wgf.Problem(energy, wgf.Gaussian([0, 0], [1, 1])), 1.0)


def test_many_data_cost_no_more_than_some_and_give_their_box():
    """Of 20,000 rows a hundred are looked at, with the weights of all; the box is that of a rule of 40 nodes."""
    x = np.sort(np.random.default_rng(0).uniform(-1, 1, 40_000))
    rows = {"all": wgf.Data(x[::2], np.tanh(2 * x[::2])), "weighted": wgf.Data(x, np.tanh(2 * x), np.where(x < 0, 3.0, 1.0))}
    few = {"all": wgf.Data.quadrature(lambda x: np.tanh(2 * x), -1, 1, 40)}
    nodes = few["all"]
    few["weighted"] = wgf.Data(nodes.inputs, nodes.targets, nodes.weights * np.where(nodes.inputs[:, 0] < 0, 3.0, 1.0))
    law = wgf.Gaussian([1.0, 0.5], [0.4, 0.4])
    for name in rows:
        boxes = [find_box(wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), d[name]), law), 3.0) for d in (rows, few)]
        assert np.array(boxes[0]) == pytest.approx(np.array(boxes[1]), abs=0.05)
    seen = []

    class Counting:
        theta = ("c", "a")

        def value(self, theta, x):
            seen.append(len(x))
            return theta[..., :1] * np.tanh(theta[..., 1:] * x[:, 0])

    find_box(wgf.Problem(wgf.RegressionEnergy(Counting(), rows["all"]), law), 1.0)
    assert max(seen) == 100


@pytest.mark.parametrize("rate", [1.0, 30.0, 400.0])
def test_the_box_holds_a_noisy_well(rate):
    """From N(2, .1²) to rest: what lies within four standard deviations of the law at any time, in a box not three times as large."""
    tau = 0.02
    lower, upper = (edges[0] for edges in find_box(well(rate, 2.0, 0.1, tau), 1.0))
    times = np.linspace(0, 1, 200)
    mean, std = 2 * np.exp(-rate * times), np.sqrt(tau / rate + np.exp(-2 * rate * times) * (0.01 - tau / rate))
    low, high = np.min(mean - 4 * std), np.max(mean + 4 * std)
    assert lower <= low
    assert upper >= high
    assert upper - lower <= 3 * (high - low)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1e-4), (2.0, 0.1), (2.0, 1e-9)])
def test_a_noisy_run_of_many_steps_ends_the_search(mean, std):
    """In a well of rate 10⁶ two million steps are stable to t = 1; 500 blow up."""
    with pytest.raises(wgf.InputError, match=r"no box is found: 2,000 steps of a cheap run for it come to t = .* give lower and upper"):
        find_box(well(1e6, mean, std, 0.01), 1.0)


def test_a_narrow_law_that_goes_far_has_a_box():
    """Its steps are those of its way, not of its width."""
    (lower,), (upper,) = find_box(well(2.0, 3.0, 1e-6, 1e-12), 2.0)
    assert lower < 3 * np.exp(-4.0)
    assert 3 < upper < 5.5  # the margin is .7 of 2.95


def test_points_that_stay_in_one_place_have_a_box():
    """Far from zero, too, where the least extent would be lost in rounding."""
    flat = wgf.InteractionEnergy(V=lambda theta: 0 * theta[..., 0])
    for place in (0.0, 1e15):
        (lower,), (upper,) = find_box(wgf.Problem(flat, wgf.Samples([[place]])), 1.0)
        assert lower < place < upper


@pytest.mark.parametrize(("step", "hopeless"), [(1e-9, True), (1e-7, False)])
def test_a_run_without_end_says_so(step, hopeless):
    """10⁸ steps are hours: after the first 1,000 it is said how many would be left; 10⁷ are borne, with a word."""
    guard = Monitor(1.0, 1.0)
    guard.window_start = 0.0  # of the first frame
    for time in (step * np.arange(999)).tolist():
        guard.step(Diagnostics(time, 1.0, 1.0, 1.0, 1.0, 0.0))
    last = Diagnostics(999 * step, 1.0, 1.0, 1.0, 1.0, 0.0)
    if not hopeless:
        with pytest.warns(UserWarning, match=r"1,000 steps .* about 1e\+07 are left, which takes long"):
            guard.step(last)
        return
    with pytest.raises(wgf.RunError, match=r"1,000 steps have come to t = 9.99e-07 of 1, and with steps of 1e-09 there are 1e\+09 left"):
        guard.step(last)
