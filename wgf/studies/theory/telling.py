"""Telling the error of the density with which a run ended: in the attributes of the run and of its file, and in a warning.

Where the error e is larger than TOO_LARGE, so many times the resolution would do:

    f = (e/TOO_LARGE)^{1/q},   2^q = r,

for the ratio r of the errors at 2h and h (density_error.py). What half the resolution means, a method says by its coarser self, which has
cells s times as long: sᵏ with 2ᵏ = f is by how much cells have to be shorter. Where it has longer time steps, too, they follow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wgf.errors import ResolutionWarning, WgfError, warn
from wgf.measures.grid import describe_box, per_axis
from wgf.measures.measure import Density
from wgf.problems.problem import Problem
from wgf.runs.run import Run
from wgf.studies.theory.density_error import estimated_error
from wgf.studies.theory.discretisation import coarser, coarser_runs

TOO_LARGE = 0.05  # an error in L¹ that is seen in a picture
MULTIPLE = 8  # of which the number of cells is that is advised


def tell_density_error(problem: Problem, method: Any, run: Run, progress: bool = False) -> None:
    """Estimate the error in L¹ of the last density of a run by `method`, note it in the run and its file, and warn where it is large.

    Attributes: density_error, and density_error_from, "exact averages" or "coarser runs". Nothing is noted where there is no density on a
    grid, the method has no coarser self, that cannot be solved, or the error is told already, as by Pushforward.
    """
    until = float(run.times[-1])
    if "density_error" in run.attributes or not isinstance(run.measures[-1], Density):
        return
    try:
        beside = coarser_runs(problem, method, [0.0, until], progress)
        found = None if beside is None else estimated_error(problem, run, *beside, frames=1)
    except WgfError:  # of a solve beside the run, which is as it was
        return
    if found is None:
        return
    error, ratio = float(found.error[-1]), float(found.ratio[-1])
    run.note({"density_error": error, "density_error_from": found.source})
    if error > TOO_LARGE:
        warn(
            f"at t = {until:.4g} the density is off by {100 * error:.2g} % in L¹: "
            f"{enough(problem, method, until, (error / TOO_LARGE) ** (1.0 / math.log2(ratio)))} would bring it to {100 * TOO_LARGE:g} %",
            ResolutionWarning,
        )


def enough(problem: Problem, method: Any, until: float, finer: float) -> str:
    """The cells, and the time step where it belongs to the resolution, of a method with a resolution that is `finer` times as fine."""
    coarse, halvings = coarser(problem, method, until), math.log2(finer)
    if coarse.cells is None:
        return "cells of about " + " × ".join(f"{length / finer:.2g}" for length in np.atleast_1d(method.spacing))
    p = np.size(coarse.cells)
    cells, fewer = (np.array(per_axis(each.cells, p, "cells"), dtype=float) for each in (method, coarse))
    advised = MULTIPLE * np.ceil(cells * (cells / fewer) ** halvings / MULTIPLE)
    text = f"about {describe_box(advised.astype(int).tolist(), None, None)} cells"
    return text if coarse.dt is None else f"{text} and dt = {coarse.dt / 2.0 ** (1.0 + halvings):.2g}"
