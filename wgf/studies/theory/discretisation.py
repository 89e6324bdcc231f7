"""The limit's own error, from the same solve at half the resolution [Richardson, Phil. Trans. R. Soc. A 226 (1927) 299].

Where the error of a method is C h^q in its resolution h, φ_h − φ = (φ_{2h} − φ_h)/(2^q − 1) up to higher orders. A method that can be
judged so says two things: `coarser(grid)`, itself at resolution 2h on the same box, and `order`, the q that it was made for. Whether q is
reached can be seen from one more grid, but on grids that coarse the observed order scatters more than the estimate with q is wrong.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from wgf.errors import BoundaryWarning, ResolutionWarning
from wgf.methods.base import Method
from wgf.problems.problem import Problem
from wgf.runs.rest import end_time
from wgf.runs.run import Run
from wgf.runs.solve import solve


def discretisation_error(
    problem: Problem, method: Method, until: float, save: int | Sequence[float] = 11, run: Run | None = None
) -> dict[str, np.ndarray]:
    """The estimated errors of a method at the save times: {"function": ‖φ_h − φ‖ in L²(ρ), "loss": |L_h − L|}, each (times,).

    run    what `method` found, where it has been solved already; it must have the same save times

    NaN where the method has no coarser self, as particles; "function" is left out for an energy without data. Warnings of the coarse
    solve are not passed on: the fine one had the occasion to give them.
    """
    until = end_time(until)
    run = run or solve(problem, method, until, save)
    data, unknown = problem.energy.data, np.full(len(run.times), np.nan)
    coarse = coarser(problem, method, until)
    if coarse is None:
        return {"loss": unknown} if data is None else {"function": unknown, "loss": unknown}
    with warnings.catch_warnings():
        for kind in (BoundaryWarning, ResolutionWarning):
            warnings.simplefilter("ignore", kind)
        other = solve(problem, coarse, until, run.times.tolist())
    share = 1.0 / (2.0**coarse.order - 1.0)
    found = {} if data is None else {"function": share * np.sqrt((run.prediction - other.prediction) ** 2 @ data.weights)}
    return found | {"loss": share * np.abs(run.loss - other.loss)}


def coarser(problem: Problem, method: Any, until: float) -> Any:
    """The method at half its resolution, on the same box; None where it has no such thing."""
    return method.coarser(problem, until) if hasattr(method, "coarser") else None
