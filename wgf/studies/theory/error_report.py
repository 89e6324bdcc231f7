"""The errors with which a run on a grid ended, of its loss and its density, reported: in the attributes of the run and of its file, and in
a warning where they are large.

Where an error e is larger than its limit, so many times the resolution would do:

    f = (e/limit)^{1/q},   2^q = r,

for the ratio r of the errors at 2h and h (discretisation.py, density_error.py). What half the resolution means, a method says by its
coarser self, which has cells s times as long: sᵏ with 2ᵏ = f is by how much cells have to be shorter. Where it has longer time steps, too,
they follow. Where errors do not fall from grid to grid, no estimate can be trusted: then this is said, and cells of half the length are
advised.
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
from wgf.studies.theory.density_error import DensityError, estimated_error
from wgf.studies.theory.discretisation import Seen, coarser, coarser_runs, estimated_errors

TOO_LARGE = 0.05  # an error in L¹ that is seen in a picture
TOO_WRONG = 0.02  # of the loss
SMALL = 1e-3  # of the largest loss of the run: an error below it need not fall from grid to grid as it should
MULTIPLE = 8  # of which the number of cells is that is advised


def report_errors(problem: Problem, method: Any, run: Run, progress: bool = False) -> None:
    """Estimate the errors of the last loss and of the last density of a run by `method`, note them in the run and its file, and warn where
    they are large.

    Attributes: loss_error, and loss_settled, whether the losses at 4h, 2h and h approach a limit; density_error, and density_error_from,
    "exact averages" or "coarser runs". Nothing is noted where there is no density on a grid, the method has no coarser self, that cannot be
    solved, or the error is known already, as by Pushforward.
    """
    until = float(run.times[-1])
    if "density_error" in run.attributes or not isinstance(run.measures[-1], Density):
        return
    try:
        beside = coarser_runs(problem, method, [0.0, until], progress)
        if beside is None:
            return
        density = estimated_error(problem, run, *beside, frames=1)
    except WgfError:  # of a solve beside the run, which is as it was
        return
    _tell_loss(problem, method, run, *beside)
    if density is not None:
        _tell_density(problem, method, run, density)


def _tell_loss(problem: Problem, method: Any, run: Run, other: Run, third: Run, coarse: Any) -> None:
    """The error of the last loss."""
    fine, double, fourfold = (Seen.of(each, [-1]) for each in (run, other, third))
    errors, loss, until = estimated_errors(problem, coarse, fine, double, fourfold), float(run.loss[-1]), float(run.times[-1])
    error, small = float(errors.loss[0]), SMALL * float(np.abs(run.loss).max())
    settled = bool(errors.settled[0]) or error < small
    run.note({"loss_error": error, "loss_settled": settled})
    if error <= TOO_WRONG * abs(loss):
        return
    if settled and error > abs(loss):
        more = enough(problem, method, until, 2.0)
        text = f"at t = {until:.4g} the loss, {loss:.3g}, is smaller than its error on these cells, about {error:.3g}: take {more} at least"
    elif settled:
        finer = (error / (TOO_WRONG * abs(loss))) ** (1.0 / coarse.order)
        text = f"the loss is off by about {100 * error / abs(loss):.2g} %: {enough(problem, method, until, finer)} would bring it to"
        text = f"at t = {until:.4g} {text} {100 * TOO_WRONG:g} %"
    else:
        seen = ", ".join(f"{float(each.loss[0]):.4g}" for each in (fine, double, fourfold))
        text = (
            f"at t = {until:.4g} the grid is not in its asymptotic range, and no error can be estimated: the losses on its cells, and on "
            f"cells two and four times as long, are {seen}: take {enough(problem, method, until, 2.0)}, or neurons beside it"
        )
    warn(text, ResolutionWarning)


def _tell_density(problem: Problem, method: Any, run: Run, found: DensityError) -> None:
    """The error of the last density."""
    error, ratio, until = float(found.error[-1]), float(found.ratio[-1]), float(run.times[-1])
    run.note({"density_error": error, "density_error_from": found.source})
    if error > TOO_LARGE:
        finer = (error / TOO_LARGE) ** (1.0 / math.log2(ratio))
        text = f"{enough(problem, method, until, finer)} would bring it to {100 * TOO_LARGE:g} %"
        warn(f"at t = {until:.4g} the density is off by {100 * error:.2g} % in L¹: {text}", ResolutionWarning)


def enough(problem: Problem, method: Any, until: float, finer: float) -> str:
    """The cells, and the time step where it belongs to the resolution, of a method with a resolution that is `finer` times as fine."""
    coarse, halvings = coarser(problem, method, until), math.log2(finer)
    if coarse.cells is None:
        return "cells of about " + " × ".join(f"{length / finer:.2g}" for length in np.atleast_1d(method.spacing))
    p = np.size(coarse.cells)
    given = method.grid(problem, until).shape if method.cells is None else method.cells
    cells, fewer = (np.array(per_axis(each, p, "cells"), dtype=float) for each in (given, coarse.cells))
    advised = MULTIPLE * np.ceil(cells * (cells / fewer) ** halvings / MULTIPLE)
    text = f"about {describe_box(advised.astype(int).tolist(), None, None)} cells"
    dt = getattr(coarse, "dt", None)  # some have none
    return text if dt is None else f"{text} and dt = {dt / 2.0 ** (1.0 + halvings):.2g}"
