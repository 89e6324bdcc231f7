"""The limit's own error, from the same solve at half and a quarter of the resolution [Richardson, Phil. Trans. R. Soc. A 226 (1927) 299].

Where the error of a method is C h^q in its resolution h, φ_h − φ = (φ_{2h} − φ_h)/(2^q − 1) up to higher orders. A method that can be
judged so says two things: `coarser(problem, until)`, itself at resolution 2h on the same box, and `order`, the q that it was made for.
Whether q is reached can be seen from one more grid, but on grids that coarse the observed order scatters more than the estimate with q is
wrong.

‖φ_{2h} − φ_h‖ is small only where all of φ is right. The loss is one number: where the error of L changes its sign between two grids, their
difference is nearly zero and says nothing. Then the next power of h is not small beside the first, and three grids take both away:

    L⁽¹⁾_h = L_h + (L_h − L_{2h})/(r − 1),      L⁽²⁾_h = L⁽¹⁾_h + (L⁽¹⁾_h − L⁽¹⁾_{2h})/(2r − 1),      r = 2^q.

Transport by mp7 or mp5 is of fourth order in space where it is smooth, of less where filaments are as wide as cells, and of third order
in time. There r is neither 2^3 nor the ratio seen on coarser grids, but lies between, as for the density (density_error.py); so it does for
φ.

The prediction says the same in a third way, which no sign deceives: L_h − L = 2⟨φ_h − φ, φ_h − f*⟩ − ‖φ_h − φ‖² (and the penalty's part),
at most 2‖φ_h − φ‖‖φ_h − f*‖, and less by the cosine of the angle between the two. The estimate is the largest of |L_h − L⁽¹⁾_h|,
|L_h − L⁽²⁾_h| and a third of that bound; all of it where the error falls faster than the order in time, for what is left then is an error
in time, which lies in the direction of the flow. Near a time at which the error itself passes through zero the estimate is too large; where
errors fall faster than 2^q it is safe, and up to a hundred times too large, though small beside the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.methods.base import Method, check_method
from wgf.networks.data import Data
from wgf.problems.problem import Problem, check_problem
from wgf.runs.rest import end_time
from wgf.runs.run import Run, check_run, plain_options
from wgf.runs.seam import require_whole
from wgf.runs.solve import solve
from wgf.studies.theory.density_error import density_error, estimated_error, next_ratio, smooth_order, unheard

COSINE = 1 / 3  # of the angle between the error of the prediction and the misfit, at least
LEAST_FALL = 1.5  # of the error from 2h to h: where it is less, the cells are too wide for any order to be seen


def discretisation_error(
    problem: Problem,
    method: Method,
    until: float,
    save: int | Sequence[float] = 11,
    run: Run | None = None,
    progress: bool = False,
) -> dict[str, np.ndarray]:
    """The estimated errors of a method at the save times, from runs on a half and a quarter of the resolution.

    Parameters
    ----------
    problem : Problem
        what is solved
    method : FiniteVolume or another method
        the finest of the three
    until : float
        the end
    save : int or sequence of float
        a number of times, or a list of them
    run : Run, optional
        what `method` found, where it has been solved already; it must have the same save times
    progress : bool
        whether there is a bar for each solve, on a terminal or in a notebook

    Returns
    -------
    dict of str to array (times,)
        "function", ‖φ_h − φ‖ in L²(ρ), "loss", |L_h − L|, and "density", ∫|μ_h − μ| dθ (against exact averages where these are cheap).
        NaN where the method has no coarser self, as particles; "function" is left out for an energy without data

    Notes
    -----
    Warnings of the coarse solves are not passed on: the fine one had the occasion to give them.
    """
    check_problem(problem)
    check_method(method)
    until = end_time(until)
    if run is not None:
        check_run(run)
    run = run or solve(problem, method, until, save, progress=progress)
    require_whole(run, "the error of a method")
    data, unknown = problem.energy.data, np.full(len(run.times), np.nan)
    found = coarser_runs(problem, method, run.times.tolist(), progress)
    if found is None:
        density = density_error(problem, run)
        return {"loss": unknown, "density": density} if data is None else {"function": unknown, "loss": unknown, "density": density}
    other, third, coarse = found
    errors = estimated_errors(problem, coarse, Seen.of(run), Seen.of(other), Seen.of(third))
    estimated = estimated_error(problem, run, other, third, coarse, len(run.times))
    named = {"function": errors.function, "loss": errors.loss, "density": unknown if estimated is None else estimated.error}
    return {name: values for name, values in named.items() if values is not None}


@dataclass(frozen=True)
class Seen:
    """The losses (T,) and predictions (T, n) of a run at some times."""

    loss: np.ndarray
    prediction: np.ndarray

    @classmethod
    def of(cls, run: Run, frames: Any = slice(None)) -> Seen:
        """Those of some of its frames."""
        return cls(run.loss[frames], run.prediction[frames])


@dataclass(frozen=True)
class Errors:
    """The errors of φ (None where there is none) and of the loss, (T,) each, and whether they fall from grid to grid as they should."""

    function: np.ndarray | None
    loss: np.ndarray
    settled: np.ndarray


def estimated_errors(problem: Problem, method: Any, fine: Seen, coarse: Seen, coarsest: Seen) -> Errors:
    """From runs at h, 2h and 4h, the second one by `method`."""
    data = problem.energy.data
    larger, smaller = (apart(data, *pair) for pair in ((coarse, coarsest), (fine, coarse)))
    seen, ratio = error_ratios(problem, method, larger, smaller)
    loss = loss_error(fine.loss, coarse.loss, coarsest.loss, seen, ratio)
    settled = larger >= LEAST_FALL * smaller
    if data is None:
        return Errors(None, loss, settled)
    function, misfit = smaller / (ratio - 1.0), norm(data, fine.prediction - data.targets)
    cosine = np.where(seen > ratio, 1.0, COSINE)
    return Errors(function, np.maximum(loss, cosine * 2.0 * function * misfit), settled)


def apart(data: Data | None, first: Seen, second: Seen) -> np.ndarray:
    """How far two runs are apart, (T,): their predictions, or their losses without data."""
    return np.abs(first.loss - second.loss) if data is None else norm(data, first.prediction - second.prediction)


def norm(data: Data, values: np.ndarray) -> np.ndarray:
    """‖·‖ in L²(ρ) of rows of values at the data (T, n), (T,)."""
    result: np.ndarray = np.sqrt(values**2 @ data.weights)
    return result


def error_ratios(problem: Problem, method: Any, larger: np.ndarray, smaller: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By what the error of φ falls from 4h to 2h, and from there to h, (T,) each: 2^q, or what was seen, and what lies between the two.

    larger, smaller   how far the runs at 4h and 2h, and those at 2h and h, are apart
    """
    order = smooth_order(problem, method)
    if order == method.order:
        known = np.full(len(smaller), 2.0**order)
        return known, known
    order = min(order, method.order_in_time)
    ratio = np.minimum(next_ratio(larger, smaller, order), 2.0**order)
    return np.maximum(larger / np.maximum(smaller, np.finfo(float).tiny), ratio), ratio


def loss_error(fine: np.ndarray, coarse: np.ndarray, coarsest: np.ndarray, seen: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """|L_h − L| from the losses at resolutions h, 2h and 4h, where errors fall by `seen` and `ratio`, and the next ones by 2·ratio."""
    first = extrapolated(fine, coarse, ratio)
    second = extrapolated(first, extrapolated(coarse, coarsest, seen), 2.0 * ratio)
    result: np.ndarray = np.maximum(np.abs(fine - first), np.abs(fine - second))
    return result


def extrapolated(fine: np.ndarray, coarse: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """What values at h and 2h tend to where their error falls by `ratio`."""
    result: np.ndarray = fine + (fine - coarse) / (ratio - 1.0)
    return result


def coarser_runs(problem: Problem, method: Any, times: list[float], progress: bool = False) -> tuple[Run, Run, Any] | None:
    """The runs at 2h and 4h (2h again, where 4h cannot be had) with frames at `times`, and the method of the first; None without one."""
    coarse = coarser(problem, method, times[-1])
    if coarse is None:
        return None
    with unheard():
        other, third = (
            solve(problem, each, times[-1], times, progress=progress) for each in (coarse, coarser(problem, coarse, times[-1]) or coarse)
        )
    return other, third, coarse


def coarser(problem: Problem, method: Any, until: float) -> Any:
    """The method at half its resolution, on the same box; None where it has no such thing, or is as coarse as can be."""
    found = method.coarser(problem, until) if hasattr(method, "coarser") else None
    return None if found is None or plain_options(found) == plain_options(method) else found
