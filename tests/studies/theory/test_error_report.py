"""What is told of the last density of a run: attributes, here and in the file, and a warning that names enough cells."""

import dataclasses
import re
import warnings

import pytest
from problems import Ridge, Tanh

import wgf
from wgf.runs.summary import run_facts
from wgf.studies.theory.error_report import report_errors

TANH, NOISY = Tanh(), Ridge(temperature=0.1)


def test_the_file_keeps_it_and_the_summary_says_it(tmp_path):
    method = wgf.FiniteVolume(64, TANH.lower, TANH.upper)
    run = wgf.solve(TANH.problem, method, 1.0, 3, store=tmp_path / "run.h5")
    report_errors(TANH.problem, method, run)
    again = wgf.open_run(tmp_path / "run.h5")
    for told in (run, again):
        assert told.attributes["density_error"] == pytest.approx(wgf.density_error(TANH.problem, run)[-1], rel=0.05)
        assert told.attributes["density_error_from"] == "exact averages"
    assert run_facts(again)["density"] == run_facts(run)["density"]
    assert run_facts(run)["density"].startswith("∫|μ − μ_ref| dθ = ")
    assert run_facts(run)["density"].endswith(" % at t = 1, against exact averages")


def test_noise_leaves_coarser_runs():
    method = wgf.FiniteVolume(80, [-3.0], [4.0])
    run = wgf.solve(NOISY.problem, method, 1.0, 2)
    report_errors(NOISY.problem, method, run)
    assert run.attributes["density_error_from"] == "coarser runs"
    assert run_facts(run)["density"].endswith("as estimated from coarser runs")


@pytest.mark.parametrize("method", [wgf.Particles(10), wgf.Characteristics(nodes=4), wgf.FiniteVolume(1, TANH.lower, TANH.upper)])
@pytest.mark.filterwarnings("ignore::wgf.ResolutionWarning")
@pytest.mark.filterwarnings("ignore::wgf.BoundaryWarning")
def test_nothing_is_told_without_a_density_or_coarser_cells(method):
    run = wgf.solve(TANH.problem, method, 0.1, 2)
    report_errors(TANH.problem, method, run)
    assert "density_error" not in run.attributes
    assert "density" not in run_facts(run)


def test_a_pushforward_tells_it_itself():
    method = wgf.Pushforward(16, TANH.lower, TANH.upper, tolerance=1e-2)
    run = wgf.solve(TANH.problem, method, 0.1, 2)
    before = dict(run.attributes)
    report_errors(TANH.problem, method, run)
    assert run.attributes == before


@pytest.mark.coarse
@pytest.mark.parametrize(
    ("problem", "method", "words"),
    [
        (TANH.problem, wgf.FiniteVolume(24, TANH.lower, TANH.upper, limiter="mc"), r"about (\d+) × \1 cells would bring it to 5 %"),
        (TANH.problem, wgf.JKO(24, TANH.lower, TANH.upper, dt=0.2), r"about (\d+) × \1 cells and dt = (0\.\d+) would bring it to 5 %"),
    ],
    ids=["finite volumes", "variational steps"],
)
def test_too_large_an_error_says_how_many_cells_would_do(problem, method, words):
    """And with that many it is about 5 %: no more, and more than a third of it."""
    run = wgf.solve(problem, method, 1.0, 2)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        report_errors(problem, method, run)
    (text,) = [str(warning.message) for warning in said]
    assert re.match(rf"at t = 1 the density is off by {100 * run.attributes['density_error']:.2g} % in L¹: ", text)
    found = re.search(words, text)
    more = {"cells": int(found[1])} | ({"dt": float(found[2])} if isinstance(method, wgf.JKO) else {})
    better = dataclasses.replace(method, **more)
    run = wgf.solve(problem, better, 1.0, 2)
    report_errors(problem, better, run)
    print(text, run.attributes["density_error"])
    assert 0.015 < run.attributes["density_error"] <= 0.05


def test_a_grid_without_end_is_told_the_length_of_cells():
    problem, method = TANH.problem, wgf.FiniteVolume(spacing=0.2, limiter="upwind")
    run = wgf.solve(problem, method, 1.0, 2)
    with pytest.warns(wgf.ResolutionWarning, match=r"in L¹: cells of about 0\.\d+ would bring it to 5 %"):
        report_errors(problem, method, run)


def said_of(problem, method, until=1.0):
    """The run, and what is said of its loss."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        run = wgf.solve(problem, method, until, 2)
        said.clear()  # of the cells of the initial law, and the box
        report_errors(problem, method, run)
    return run, [text for text in (str(warning.message) for warning in said) if "loss" in text]


def test_the_loss_of_a_grid_is_told():
    run, said = said_of(TANH.problem, wgf.FiniteVolume(64, TANH.lower, TANH.upper))
    assert not said
    assert run.attributes["loss_settled"]
    assert run_facts(run)["grid"].startswith("the loss is right to ")
    assert run_facts(run)["grid"].endswith("as estimated from coarser runs")
    plain = wgf.solve(TANH.problem, wgf.FiniteVolume(40, TANH.lower, TANH.upper), 0.1, 2)
    assert run_facts(plain)["grid"] == "how wrong the loss is for its cells was not estimated"


@pytest.mark.coarse
def test_too_wrong_a_loss_says_how_many_cells_would_do():
    run, (text,) = said_of(TANH.problem, wgf.FiniteVolume(32, TANH.lower, TANH.upper, limiter="upwind"), 5.0)
    found = re.match(r"at t = 5 the loss is off by about (.*) %: about (\d+) × \2 cells would bring it to 2 %", text)
    exact = TANH.reference(5.0).loss[-1]
    assert 1 / 3 < float(found[1]) / 100 / (abs(run.loss[-1] - exact) / run.loss[-1]) < 3
    assert int(found[2]) > 64


@pytest.mark.coarse
def test_losses_that_do_not_approach_a_limit_are_said(monkeypatch):
    """As if the runs at 4h and 2h were no farther apart than those at 2h and h."""
    monkeypatch.setattr("wgf.studies.theory.discretisation.LEAST_FALL", 1e9)
    run, (text,) = said_of(TANH.problem, wgf.FiniteVolume(16, TANH.lower, TANH.upper, limiter="upwind"))
    words = r"at t = 1 the grid is not in its asymptotic range, and no error can be estimated: the losses on its cells, and on cells two "
    assert re.match(words + r"and four times as long, are 0\.\d+, 0\.\d+, 0\.\d+: take about 32 × 32 cells, or neurons beside it$", text)
    assert not run.attributes["loss_settled"]
    assert run_facts(run)["grid"].startswith("not in its asymptotic range: the loss is right to ")
