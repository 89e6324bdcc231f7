"""Runs that end at rest: the residual against flows whose E is known, and every method that comes to rest."""

import math
import re

import numpy as np
import pytest

import wgf
from wgf.methods.base import Diagnostics, Frame
from wgf.problems.schema import TomlTable
from wgf.runs.rest import Ending, Rest
from wgf.runs.solve import save_times
from wgf.runs.summary import run_facts
from wgf.runs.task import read_times

BOX = {"lower": -4, "upper": 4}


def well(tau=0.0, mean=1.0, std=0.5):
    """V = x²/2: the mean falls like e^{−t}, var' = −2 var + 2τ."""
    return wgf.Problem(wgf.InteractionEnergy(V="x^2/2", axes=["x"]), wgf.Gaussian([mean], std), tau)


def diagnostics(time, energy, dissipation):
    return Diagnostics(time, 2 * energy, energy, dissipation, 1.0, 0.0)


def test_the_residual_is_the_fall_to_come_over_the_fall_so_far():
    """R·(E(0) − E)/(λt) = E − E* for E = E* + e^{−λt}, and R·(E(0) − E)/a for (1 + t)^{−a} as t → ∞; and R → 1 as t → 0."""
    rest, first = Rest(), diagnostics(0.0, 8.0, 3.0)
    for t in (0.5, 2.0, 7.0):
        left = math.exp(-3 * t)
        assert rest.residual(first, diagnostics(t, 7 + left, 3 * left)) == pytest.approx(3 * t * left / (1 - left))
    left = 1e3**-2.0
    assert rest.residual(first, diagnostics(1e3, 7 + left, 2 * left / 1e3)) == pytest.approx(2 * left, rel=1e-4)
    assert rest.residual(first, first) == 1
    assert rest.residual(first, diagnostics(1e-6, 8 - 3e-6, 3.0)) == pytest.approx(1)


def test_the_residual_sees_no_units_and_no_constant():
    rest, now = Rest(longest=1e9), diagnostics(2.0, 0.3, 0.1)
    found = rest.residual(diagnostics(0.0, 1.0, 2.0), now)
    assert rest.residual(diagnostics(0.0, 6.0, 2.0), diagnostics(2.0, 5.3, 0.1)) == pytest.approx(found)
    assert rest.residual(diagnostics(0.0, 100.0, 200.0), diagnostics(2.0, 30.0, 10.0)) == pytest.approx(found)
    assert rest.residual(diagnostics(0.0, 1.0, 0.02), diagnostics(200.0, 0.3, 0.001)) == pytest.approx(found)


METHODS = {
    "transport": (wgf.FiniteVolume(64, **BOX), 0.0),
    "gibbs": (wgf.FiniteVolume(64, diffusion="gibbs", **BOX), 0.25),
    "split": (wgf.FiniteVolume(64, diffusion="split", **BOX), 0.25),
    "box found": (wgf.FiniteVolume(64), 0.25),
    "jko": (wgf.JKO(64, dt=0.1, **BOX), 0.25),
    "fipy": (wgf.FiPyMesh(wgf.Box(32, **BOX), "exponential"), 0.25),
    "characteristics": (wgf.Characteristics(nodes=12), 0.0),
    "neurons": (wgf.Particles(20), 0.0),
    "descent": (wgf.Particles(20, step=0.05), 0.0),
}


@pytest.mark.coarse  # without noise the law ends in a point
@pytest.mark.parametrize("name", METHODS)
def test_a_run_ends_where_it_is_at_rest(name):
    """The time at which R = 10⁻²: from t D = R (E(0) − E), with E − E* = ½e^{−2t} of the mean, and of the variance without noise.

    With noise E is ½(m² + v) − ½τ log(2πe v), m = e^{−t}; v stays at τ.
    """
    method, tau = METHODS[name]
    run = wgf.solve(well(tau), method, wgf.Rest(tolerance=1e-2))
    size = 1.0 if tau else 1.25 if name not in ("neurons", "descent") else float(np.mean(run.measures[0].points ** 2))
    times = np.linspace(0.1, 10, 100_001)
    fallen = 0.5 * size * (1 - np.exp(-2 * times))
    expected = times[np.argmax(times * size * np.exp(-2 * times) <= 1e-2 * fallen)]
    time, residual = run.attributes["rest_time"], run.attributes["rest_residual"]
    assert time == pytest.approx(expected, abs=0.5)  # a step, and the scheme's error
    assert time <= run.times[-1] <= time + 1.5
    assert residual <= run.attributes["rest_tolerance"] == 1e-2
    row = int(np.argmax(run.history["time"] == time))
    history = {column: run.history[column] for column in ("time", "free_energy", "dissipation")}
    by_hand = time * history["dissipation"][row] / (history["free_energy"][0] - history["free_energy"][row])
    assert residual == pytest.approx(by_hand)
    assert run.status == "complete"
    assert f"at rest at t = {time:.4g}" in run_facts(run)["rest"]


def test_the_file_holds_the_time_and_the_residual(tmp_path):
    kept = wgf.solve(well(), wgf.Characteristics(nodes=6), "rest")
    wgf.solve(well(), wgf.Characteristics(nodes=6), "rest", store=tmp_path / "run.h5")
    again = wgf.open_run(tmp_path / "run.h5")
    for name in ("rest_time", "rest_residual", "rest_tolerance"):
        assert again.attributes[name] == kept.attributes[name]
    assert again.attributes["rest_tolerance"] == Rest().tolerance
    assert np.array_equal(again.times, kept.times)
    assert "rest_time" not in wgf.solve(well(), wgf.Characteristics(nodes=6), 0.1).attributes


def test_a_run_that_does_not_come_to_rest_says_so():
    with pytest.warns(wgf.RestWarning, match=r"not at rest by t = 0.5: residual 0\.\d+, tolerance 0.001, .* give a later"):
        run = wgf.solve(well(), wgf.Characteristics(nodes=6), wgf.Rest(longest=0.5))
    assert run.times[-1] == 0.5
    assert math.isnan(run.attributes["rest_time"])
    assert 0.1 < run.attributes["rest_residual"] < 1
    assert "not at rest by t = 0.5" in run_facts(run)["rest"]


STILL = {
    "gibbs": wgf.FiniteVolume(128, -4, 4, diffusion="gibbs"),
    "split": wgf.FiniteVolume(128, -4, 4, diffusion="split"),
    "default": wgf.FiniteVolume(128, -4, 4),
    "fipy": wgf.FiPyMesh(wgf.Box(64, -4, 4)),
}


@pytest.mark.parametrize("method", STILL)
def test_the_summary_of_a_run_that_begins_at_rest_says_so(method):
    """From e^{−V/τ} E moves by errors of the cells only; from a law beside it, it falls, and the balance is told."""
    energy = wgf.InteractionEnergy(V="x^2/2", axes=["x"])
    at_rest, away = (wgf.solve(wgf.Problem(energy, wgf.Gaussian(0.0, std), 0.3), STILL[method], 0.5, 3) for std in (0.3**0.5, 0.4))
    assert at_rest.stands_still
    assert re.fullmatch(
        r"at rest: E changed by \d\.\de-\d\d of its size, too little to distinguish its balance .*", run_facts(at_rest)["balance"]
    )
    assert not away.stands_still
    assert "of the fall of E" in run_facts(away)["balance"]


def test_an_energy_that_vanishes_is_divided_by_nothing():
    """Neurons that fit data of zeros, or do not feel anything: E = 0, and so are its fall, its rise, and its dissipation."""
    data = wgf.Data([1.0, 2.0], [0.0, 0.0])
    nothing = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), data), wgf.Samples([[0.0, 0.0]]))
    free = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0 * theta[..., 0]), wgf.Samples([[0.5]]))
    for problem, what in ((nothing, "L"), (free, "E")):
        run = wgf.solve(problem, wgf.Particles(3), 0.2, 3)
        assert (run.largest_rise, run.dissipation_defect, run.energy_scale) == (0.0, 0.0, 1.0)
        assert run_facts(run)["balance"].startswith(f"at rest: {what} changed by 0.0e+00 of its size")


def test_a_balance_that_is_off_is_not_taken_for_rest():
    """Half of its fall is missing: told as it is, for the fall is a large part of E."""
    run = wgf.solve(well(), wgf.Characteristics(nodes=6), 0.5, 3)
    run.history["dissipation"][:] *= 0.5
    assert not run.stands_still
    assert re.search(r"within [45]\.\de-01 of the fall of E", run_facts(run)["balance"])


def test_a_residual_without_a_fall_is_told_in_words():
    """Where the error of a scheme lifts E above its start there is none."""
    ending = Ending(Rest(longest=1.0))
    ending.frame(Frame(None, diagnostics(0.0, 1.0, 1e-4), np.empty(0)))
    ending.step(diagnostics(1.0, 1.1, 1e-4))
    with pytest.warns(wgf.RestWarning, match=r"not at rest by t = 1: no residual, as E has not fallen since the start, tolerance 0.001"):
        ending.warn()
    run = wgf.solve(well(), wgf.Characteristics(nodes=6), 0.1)
    run.attributes.update(ending.facts)
    assert run_facts(run)["rest"] == "not at rest by t = 0.1: no residual, as E has not fallen since the start, tolerance 0.001"


def test_a_start_at_rest_is_named(tmp_path):
    """At the saddle of (x² − 1)² nothing moves, and the file is whole; next to it the neuron leaves, and comes to rest in the well."""
    energy = wgf.InteractionEnergy(V="(x^2 - 1)^2", axes=["x"])
    saddle, beside = (wgf.Problem(energy, wgf.Samples([[start]])) for start in (0.0, 1e-5))
    with pytest.warns(wgf.RestWarning, match=r"at rest at t = 0: the start is a critical point, which may be a saddle"):
        run = wgf.solve(saddle, wgf.Particles(1), "rest", store=tmp_path / "run.h5")
    assert run.times.tolist() == [0]
    assert run.attributes["rest_time"] == run.attributes["rest_residual"] == 0
    assert run.status == "complete"
    run.plot(tmp_path / "run.png")
    run = wgf.solve(beside, wgf.Particles(1), "rest")
    assert run.measures[-1].points == pytest.approx(1, abs=0.01)
    assert run.attributes["rest_time"] > 1


def test_what_never_comes_to_rest_is_refused(tmp_path):
    data = wgf.Data([0.0, 1.0], [0.0, 1.0])
    network = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("a",)), data), wgf.Gaussian([0.0], 0.2))
    refused = [
        (well(0.1), wgf.Particles(5), r"neurons with noise \(temperature = 0.1\) do not come to rest"),
        (network, wgf.Particles(5, step=0.1, batch=2), r"neurons with batches of 2 do not come to rest"),
        (well(0.1), wgf.JKO(16, **BOX), r"jko: the default dt is a fiftieth of the run, .*: give dt"),
    ]
    for problem, method, message in refused:
        with pytest.raises(wgf.InputError, match=message):
            wgf.solve(problem, method, "rest", store=tmp_path / "run.h5")
    assert not (tmp_path / "run.h5").exists()
    for study in (
        lambda: wgf.compare(network, wgf.FiniteVolume(8, **BOX), "rest"),
        lambda: wgf.discretisation_error(network, wgf.FiniteVolume(8, **BOX), wgf.Rest()),
        lambda: wgf.compare_steps(network, "rest", m=2, steps=[0.1, 0.2]),
    ):
        with pytest.raises(wgf.InputError, match=r"until = .*: runs are compared up to a time: give a number"):
            study()


def test_frames_on_the_way_to_rest():
    """In geometric progression over four decades of the longest time, or where they were asked for."""
    assert save_times(Rest(longest=10.0), 6) == pytest.approx([0, 1e-3, 1e-2, 1e-1, 1, 10])
    assert save_times(Rest(longest=10.0), 2) == [0, 10]
    assert save_times(Rest(longest=10.0), [2, 3]) == [0, 2, 3, 10]
    run = wgf.solve(well(), wgf.Characteristics(nodes=6), wgf.Rest(tolerance=1e-2), save=[0.5, 1.0, 80.0])
    assert run.times[:-1].tolist() == [0, 0.5, 1]
    assert run.times[-1] < 10


@pytest.mark.parametrize(
    ("values", "until", "end"),
    [
        ({"end": "rest"}, None, Rest()),
        ({"end": "rest", "tolerance": 1e-5, "longest": 7}, None, Rest(1e-5, 7)),
        ({"end": 3.0}, "rest", Rest()),
        ({"tolerance": 1e-5}, "rest", Rest(1e-5)),
        ({"end": "rest", "tolerance": 1e-5}, 2.0, 2.0),
        ({"end": 3}, None, 3.0),
        ({}, None, 1.0),
    ],
)
def test_rest_in_a_problem_file(values, until, end):
    assert read_times(TomlTable(values, "file.toml", "time"), until)[0] == end


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"end": "rset"}, r"file.toml, \[time\]: end = 'rset': give a time, or \"rest\""),
        ({"end": "rest", "tolerance": 0}, r"file.toml, \[time\]: rest: tolerance = 0: it must be a positive number"),
        ({"end": "rest", "tolerance": 1.5}, r"file.toml, \[time\]: rest: tolerance = 1.5: the residual begins at 1"),
        ({"end": "rest", "longest": -1}, r"file.toml, \[time\]: rest: longest = -1: it must be a positive number"),
        ({"end": "rest", "tolerence": 1}, r"file.toml, \[time\]: unknown key 'tolerence' \(did you mean 'tolerance'\?\)"),
        ({"end": 1.0, "tolerance": 0.1}, r"file.toml, \[time\]: unknown key 'tolerance'; allowed: end, save"),
        ({"end": "rest", "longest": 5.0, "save": [7.0]}, r"file.toml, \[time\]: save = \[7.0\]: .* between 0 and the end, 5"),
    ],
)
def test_rest_that_cannot_be_says_where(values, message):
    with pytest.raises(wgf.InputError, match=message):
        read_times(TomlTable(values, "file.toml", "time"), None)


def test_an_end_that_is_neither_a_time_nor_rest():
    with pytest.raises(wgf.InputError, match=r"unknown end of a run 'rst' \(did you mean 'rest'\?\)"):
        wgf.solve(well(), wgf.Characteristics(nodes=6), "rst")
