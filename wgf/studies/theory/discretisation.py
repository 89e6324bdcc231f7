"""The limit's own error, from the same solve at half and a quarter of the resolution [Richardson, Phil. Trans. R. Soc. A 226 (1927) 299].

Where the error of a method is C h^q in its resolution h, φ_h − φ = (φ_{2h} − φ_h)/(2^q − 1) up to higher orders. A method that can be
judged so says two things: `coarser(problem, until)`, itself at resolution 2h on the same box, and `order`, the q that it was made for.
Whether q is reached can be seen from one more grid, but on grids that coarse the observed order scatters more than the estimate with q is
wrong.

‖φ_{2h} − φ_h‖ is small only where all of φ is right. The loss is one number: where the error of L changes its sign between two grids, their
difference is nearly zero and says nothing. Then the next power of h is not small beside the first, and three grids take both away:

    L⁽¹⁾_h = L_h + (L_h − L_{2h})/(2^q − 1),      L⁽²⁾_h = L⁽¹⁾_h + (L⁽¹⁾_h − L⁽¹⁾_{2h})/(2^{q'} − 1),

q' = q + 1, or the order of the density where it is higher: G at centres of cells makes an error h², transport by mp5 one of h⁴.

The prediction says the same in a third way, which no sign deceives: L_h − L = 2⟨φ_h − φ, φ_h − f*⟩ − ‖φ_h − φ‖² (and the penalty's part),
at most 2‖φ_h − φ‖‖φ_h − f*‖, and less by the cosine of the angle between the two. The estimate is the largest of |L_h − L⁽¹⁾_h|,
|L_h − L⁽²⁾_h| and a third of that bound. Near a time at which the error itself passes through zero it is too large.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wgf.methods.base import Method
from wgf.problems.problem import Problem
from wgf.runs.rest import end_time
from wgf.runs.run import Run, plain_options
from wgf.runs.solve import solve
from wgf.studies.theory.density_error import density_error, estimated_error, order_for, unheard

COSINE = 1 / 3  # of the angle between the error of the prediction and the misfit, at least


def discretisation_error(
    problem: Problem, method: Method, until: float, save: int | Sequence[float] = 11, run: Run | None = None
) -> dict[str, np.ndarray]:
    """The estimated errors of a method at the save times: "function", ‖φ_h − φ‖ in L²(ρ), "loss", |L_h − L|, and "density", ∫|μ_h − μ| dθ
    (density_error.py: against exact averages where these are cheap), each (times,).

    run    what `method` found, where it has been solved already; it must have the same save times

    NaN where the method has no coarser self, as particles; "function" is left out for an energy without data. Warnings of the coarse
    solves are not passed on: the fine one had the occasion to give them.
    """
    until = end_time(until)
    run = run or solve(problem, method, until, save)
    data, unknown = problem.energy.data, np.full(len(run.times), np.nan)
    found = coarser_runs(problem, method, run.times.tolist())
    if found is None:
        density = density_error(problem, run)
        return {"loss": unknown, "density": density} if data is None else {"function": unknown, "loss": unknown, "density": density}
    other, third, coarse = found
    order = coarse.order
    loss = loss_error(run.loss, other.loss, third.loss, order, next_power(problem, coarse))
    told = estimated_error(problem, run, other, third, coarse, len(run.times))
    density = unknown if told is None else told.error
    if data is None:
        return {"loss": loss, "density": density}
    error = run.prediction - extrapolated(run.prediction, other.prediction, order)
    function, misfit = (np.sqrt(values**2 @ data.weights) for values in (error, run.prediction - data.targets))
    return {"function": function, "loss": np.maximum(loss, COSINE * 2.0 * function * misfit), "density": density}


def next_power(problem: Problem, method: Any) -> int:
    """The power of h in the error of φ that comes after the order: that of the density, where it is of higher order, or the next one."""
    return max(int(method.order) + 1, order_for(problem, method))


def loss_error(fine: np.ndarray, coarse: np.ndarray, coarsest: np.ndarray, order: int, power: int) -> np.ndarray:
    """|L_h − L| from the losses at resolutions h, 2h and 4h, with errors h^order and h^power."""
    first = extrapolated(fine, coarse, order)
    second = extrapolated(first, extrapolated(coarse, coarsest, order), power)
    result: np.ndarray = np.maximum(np.abs(fine - first), np.abs(fine - second))
    return result


def extrapolated(fine: np.ndarray, coarse: np.ndarray, order: int) -> np.ndarray:
    """What values at h and 2h tend to where their error is C h^order."""
    result: np.ndarray = fine + (fine - coarse) / (2.0**order - 1.0)
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
