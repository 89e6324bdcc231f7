"""Warnings point at the line of the user that called wgf."""

import inspect
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from problems import RIDGE_1D, Tanh

import wgf
from wgf.errors import warn
from wgf.studies.theory.error_report import report_errors

TANH = Tanh()
WIDE = wgf.Problem(TANH.problem.energy, wgf.Gaussian([0.2, 0.5], 2.0))
NARROW = wgf.Problem(TANH.problem.energy, wgf.Gaussian([0.2, 0.5], 0.05))
COARSE = wgf.FiniteVolume(24, TANH.lower, TANH.upper, limiter="upwind", edge_tolerance=1)
DRAWN = wgf.FromDensity(lambda theta: np.exp(-np.sum(np.abs(theta), axis=-1)), lambda m, rng: rng.laplace(size=(m, 2)))
CALLS = {
    "a law that is cut": (wgf.BoundaryWarning, lambda: wgf.solve(WIDE, COARSE, until=0.01)),
    "a law narrower than cells": (wgf.ResolutionWarning, lambda: wgf.solve(NARROW, COARSE, until=0.01)),
    "mass at an edge": (wgf.BoundaryWarning, lambda: wgf.solve(WIDE, wgf.FiniteVolume(24, TANH.lower, TANH.upper), until=0.01)),
    "variational steps": (wgf.ResolutionWarning, lambda: wgf.solve(WIDE, wgf.JKO(24, -9, 9, dt=0.01, epsilon=0.4), until=0.01)),
    "no rest": (wgf.RestWarning, lambda: wgf.solve(RIDGE_1D.problem, wgf.Characteristics(), wgf.Rest(longest=0.1))),
    "a tangent kernel": (wgf.ResolutionWarning, lambda: wgf.tangent_kernel(wgf.Neuron("tanh"), DRAWN, [0.5])),
    "the error of a density": (wgf.ResolutionWarning, lambda: report_errors(TANH.problem, COARSE, wgf.solve(TANH.problem, COARSE, 1))),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_warning_shows_the_line_of_the_call(name):
    kind, call = CALLS[name]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        call()
    places = {(warning.filename, warning.lineno) for warning in said}
    assert kind in {warning.category for warning in said}
    assert places == {(__file__, inspect.getsourcelines(call)[1])}


def test_a_warning_at_the_end_of_a_figure_shows_the_line_that_drew_it(tmp_path):
    """It is said by the end of a `with` of ours, which contextlib runs."""
    problem = wgf.Problem(RIDGE_1D.problem.energy, RIDGE_1D.problem.initial, title="一")
    run = wgf.solve(problem, wgf.Particles(3), until=0.1)
    with pytest.warns(UserWarning, match="the font of the figures has no 一") as said:
        run.plot(tmp_path / "run.png")
    assert {warning.filename for warning in said} == {__file__}


def test_a_warning_is_shown_once_for_a_line():
    """As Python's own: the registry of the user's module remembers it."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        for _ in range(2):
            warn("once")
    assert len(said) == 1


def test_there_is_one_way_to_warn():
    package = Path(wgf.__file__).parent
    others = [path.name for path in package.rglob("*.py") if re.search(r"warnings\.warn\(|stacklevel", path.read_text(encoding="utf-8"))]
    assert others == []
