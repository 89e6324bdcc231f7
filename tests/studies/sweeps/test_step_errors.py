"""Steps and batches, against what a linear neuron does in closed form."""

import dataclasses

import numpy as np
import pytest
from problems import RIDGE_1D, Tanh

import wgf

RIDGE = RIDGE_1D


def test_all_data_of_a_linear_neuron():
    """M' = F₁ − (s + λ)m in steps of η: off by (1 − (s + λ)η)^{t/η} − e^{−(s + λ)t} of the distance from the limit, times √s."""
    steps = [0.025, 0.05, 0.1]
    found = wgf.compare_steps(RIDGE.problem, 1.0, 30, steps, [None], 5, workers=1)
    s = RIDGE.second_moment[0, 0]
    rate = s + RIDGE.penalty
    for replicate in range(5):
        start = wgf.solve(RIDGE.problem, wgf.Particles(30, seed=np.random.SeedSequence(0, spawn_key=(30, replicate))), 1.0, 2)
        gap = abs(start.measures[0].mean[0] - RIDGE.correlation[0] / rate)
        for k, step in enumerate(steps):
            expected = gap * abs((1 - rate * step) ** round(1 / step) - np.exp(-rate)) * np.sqrt(s)
            assert found.distance[0, k, replicate, 1] == pytest.approx(expected, rel=1e-3)
    assert found.rates[0].slope[1] == pytest.approx(2, abs=0.1)
    assert found.distance[:, :, :, 0].max() == 0


@pytest.mark.long
def test_batches_cost_a_variance_that_is_linear_in_the_step():
    """E‖φ_η,B − φ_flow‖² = c η/B: slope one, and half of it for twice the batch; it does not fall with m."""
    found = wgf.compare_steps(RIDGE.problem, 1.0, 20, [0.04, 0.08, 0.16], [2, 8], 80, workers=1)
    for rate in found.rates:
        assert rate.lower[1] < 1 < rate.upper[1]
    constants = [rate.constant[1] for rate in found.rates]
    assert constants[0] / constants[1] == pytest.approx(4, rel=0.35)
    wide = wgf.compare_steps(RIDGE.problem, 1.0, 400, [0.08, 0.16], [2], 80, workers=1)
    assert wide.rates[0].constant[1] == pytest.approx(constants[0], rel=0.3)
    v = RIDGE.second_moment[0, 0] * RIDGE.width[0] ** 2 * np.exp(-2 * (RIDGE.second_moment[0, 0] + RIDGE.penalty))
    assert found.fluctuation[1] == pytest.approx(v, rel=0.3)


def test_workers_do_not_matter_and_it_is_drawn(tmp_path):
    arguments = (Tanh().problem, 0.4, 10, [0.1, 0.2], [None, 4], 5)
    found = wgf.compare_steps(*arguments, workers=2)
    assert np.array_equal(found.distance, wgf.compare_steps(*arguments, workers=1).distance)
    figure = found.plot(tmp_path / "steps.png")
    assert "all data: slope" in figure.axes[0].get_legend().get_texts()[1].get_text()
    assert "slope of E d² in the step at the end, all data: " in repr(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": [0.1, 0.1]}, "at least two different step sizes"),
        ({"steps": [0.1, -0.1]}, r"steps: η = -0\.1: it must be a positive number"),
        ({"replicates": 1}, "replicates = 1: at least two"),
        ({"batches": [0]}, "batches: B = 0: give a whole number, at least 1"),
        ({"problem": dataclasses.replace(RIDGE.problem, temperature=0.1)}, "for networks without noise"),
    ],
)
def test_what_cannot_be_compared_is_named(change, message):
    arguments = {"problem": RIDGE.problem, "until": 1.0, "m": 5, "steps": [0.1, 0.2], "workers": 1} | change
    with pytest.raises(wgf.InputError, match=message):
        wgf.compare_steps(**arguments)
