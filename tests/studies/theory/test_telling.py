"""What is told of the last density of a run: attributes, here and in the file, and a warning that names enough cells."""

import dataclasses
import re
import warnings

import pytest
from problems import Ridge, Tanh

import wgf
from wgf.runs.summary import run_facts
from wgf.studies.theory.telling import tell_density_error

TANH, NOISY = Tanh(), Ridge(temperature=0.1)


def test_the_file_keeps_it_and_the_summary_says_it(tmp_path):
    method = wgf.FiniteVolume(64, TANH.lower, TANH.upper)
    run = wgf.solve(TANH.problem, method, 1.0, 3, store=tmp_path / "run.h5")
    tell_density_error(TANH.problem, method, run)
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
    tell_density_error(NOISY.problem, method, run)
    assert run.attributes["density_error_from"] == "coarser runs"
    assert run_facts(run)["density"].endswith("as estimated from coarser runs")


@pytest.mark.parametrize("method", [wgf.Particles(10), wgf.Characteristics(nodes=4), wgf.FiniteVolume(1, TANH.lower, TANH.upper)])
@pytest.mark.filterwarnings("ignore::wgf.ResolutionWarning")
@pytest.mark.filterwarnings("ignore::wgf.BoundaryWarning")
def test_nothing_is_told_without_a_density_or_coarser_cells(method):
    run = wgf.solve(TANH.problem, method, 0.1, 2)
    tell_density_error(TANH.problem, method, run)
    assert "density_error" not in run.attributes
    assert "density" not in run_facts(run)


def test_a_pushforward_tells_it_itself():
    method = wgf.Pushforward(16, TANH.lower, TANH.upper, tolerance=1e-2)
    run = wgf.solve(TANH.problem, method, 0.1, 2)
    before = dict(run.attributes)
    tell_density_error(TANH.problem, method, run)
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
        tell_density_error(problem, method, run)
    (text,) = [str(warning.message) for warning in said]
    assert re.match(rf"at t = 1 the density is off by {100 * run.attributes['density_error']:.2g} % in L¹: ", text)
    found = re.search(words, text)
    more = {"cells": int(found[1])} | ({"dt": float(found[2])} if isinstance(method, wgf.JKO) else {})
    better = dataclasses.replace(method, **more)
    run = wgf.solve(problem, better, 1.0, 2)
    tell_density_error(problem, better, run)
    print(text, run.attributes["density_error"])
    assert 0.015 < run.attributes["density_error"] <= 0.05


def test_a_grid_without_end_is_told_the_length_of_cells():
    problem, method = TANH.problem, wgf.FiniteVolume(spacing=0.2, limiter="upwind")
    run = wgf.solve(problem, method, 1.0, 2)
    with pytest.warns(wgf.ResolutionWarning, match=r"in L¹: cells of about 0\.\d+ would bring it to 5 %"):
        tell_density_error(problem, method, run)
