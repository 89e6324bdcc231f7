"""How wrong a density is, in L¹: ∫|μ_h − μ| dθ, of mass one; what people see in a picture of it.

Without noise, and where no wall is met, the exact cell averages are had from Pushforward. Elsewhere the error is estimated from the
densities at h, 2h and 4h. With the averages A over the coarser cells,

    d₁ = ‖A μ_h − μ_{2h}‖,   d₂ = ‖A μ_{2h} − μ_{4h}‖,   ρ = d₂/d₁,

are the errors at 2h and 4h nearly, and e_h = e_{2h}/r = d₁/(r − 1) for the ratio r of the next errors. For an order q it is 2^q in the
end, but filaments that are as wide as cells bring it down, on coarse grids most: then r lies between, by a third, in logarithms,

    r = ρ^{1/3} 2^{2q/3}   where ρ < 2^q,        r = ρ   where it is larger: the law is smooth, and the scheme better than its order;

but not more than 2ρ, as orders grow by one at most from one grid to the next (2.5ρ with values of seventh order: by a third more).

What an edge of the initial law costs without noise, which would smooth it, falls with the width over which a scheme blurs it, of order
one or less: there q = 1. The third is what fits best to densities whose errors are known: below an error of 0.3 the estimate was wrong by a
factor of up to 1.9. Above it the coarser densities are too wrong to say much more than that it is large; and on a line, where the seventh
order of a scheme may set in from one grid to the next, it is too large, by up to seven times.
An L¹ distance of two densities is at most two.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import make_interp_spline

from wgf.errors import InputError, RunError
from wgf.measures.grid import Grid
from wgf.measures.laws import has_edges
from wgf.measures.measure import Density
from wgf.methods.pushforward.method import Pushforward
from wgf.networks.neuron import Neuron, has_kinks
from wgf.problems.problem import Problem, check_problem
from wgf.problems.regression import RegressionEnergy
from wgf.runs.run import Run, check_run
from wgf.runs.solve import solve
from wgf.runs.summary import COARSER, EXACT

FINEST, COARSEST = 1e-4, 1e-2  # tolerances of exact averages, in L¹: an error below ten times the first is invisible in figures
SHARE = 0.05  # of the error that is estimated from coarser runs: to it exact averages are worth having
AT_WALLS = 1e-3  # of the mass: more of it in the outermost cells is held back by walls, which Pushforward knows nothing of
LEAST_RATIO, LARGEST_RATIO = 1.2, 128.0  # of two successive errors: saturated; of seventh order
FEW_AXES, FEW_DATA = 2, 1000  # with more, exact averages take many times as long as a run on a grid


@dataclass(frozen=True)
class DensityError:
    """The error (T,) of densities, the ratio r (T,) by which half the resolution makes it larger, and what they were had from."""

    error: np.ndarray
    ratio: np.ndarray
    source: str


def density_error(problem: Problem, run: Run) -> np.ndarray:
    """∫|μ_h − μ| dθ at the frames of a run, against exact averages over its cells, which are right to 1e-4 in L¹.

    Parameters
    ----------
    problem : Problem
        what was solved
    run : Run
        of densities on a grid

    Returns
    -------
    array (frames,)
        NaN where the frames are no densities on grids, or exact averages are not to be had: with noise, interactions, growth, kinks of
        the activation, periodic axes, in other geometries, or where walls hold more than a thousandth of the mass;
        `discretisation_error` then estimates it
    """
    check_problem(problem)
    check_run(run)
    measures = densities(run.measures)
    exact = exact_densities(problem, run, run.times.tolist(), FINEST) if measures else []
    return all_apart(exact, measures) if exact else np.full(len(run.times), np.nan)


def estimated_error(problem: Problem, run: Run, coarse: Run, coarsest: Run, method: Any, frames: int) -> DensityError | None:
    """The error of the last `frames` frames of a run by a method, from runs at 2h and 4h that have them, and from exact averages where
    these are cheap.

    None where they have no densities, or the same cells.
    """
    fine, double, fourfold = (densities(each.measures[-frames:]) for each in (run, coarse, coarsest))
    if not (fine and double and fourfold) or double[-1].grid == fine[-1].grid:
        return None
    order = order_for(problem, method)
    first = error_from_coarser(fine, double, fourfold, order)
    if not is_cheap(problem):
        return first
    tolerance = float(np.clip(SHARE * first.error[-max(1, frames - 1) :].min(), FINEST, COARSEST))  # at t = 0 there is no error
    exact = exact_densities(problem, run, run.times[-frames:].tolist(), tolerance)
    if not exact:
        return first
    error, at_double = all_apart(exact, fine), all_apart(exact, double)
    return DensityError(error, next_ratio(at_double, error, order), EXACT)


def error_from_coarser(fine: list[Density], coarse: list[Density], coarsest: list[Density], order: int) -> DensityError:
    """The estimate d₁/(r − 1) from densities at h, 2h and 4h."""
    first, second = all_apart(fine, coarse), all_apart(coarse, coarsest)
    ratio = next_ratio(second, first, order)
    return DensityError(np.minimum(first / (ratio - 1.0), 2.0), ratio, COARSER)


def next_ratio(larger: np.ndarray, smaller: np.ndarray, order: int) -> np.ndarray:
    """The ratio r of the next errors, from those of the last."""
    last, ideal = np.clip(larger / np.maximum(smaller, np.finfo(float).tiny), LEAST_RATIO, LARGEST_RATIO), 2.0**order
    growth = 2.5 if order > 4 else 2.0
    result: np.ndarray = np.where(last < ideal, np.minimum(np.cbrt(last * ideal**2), growth * last), last)
    return result


def densities(measures: Sequence[object]) -> list[Density]:
    """The measures, where they are densities on grids; otherwise none."""
    if not isinstance(measures[-1], Density):
        return []
    return [measure for measure in measures if isinstance(measure, Density)]


def order_for(problem: Problem, method: Any) -> int:
    """The order of the density's error: without noise it is one where nothing smooths the edges of the initial law."""
    return 1 if problem.noise == 0 and has_edges(problem.initial) else smooth_order(problem, method)


def smooth_order(problem: Problem, method: Any) -> int:
    """The order of a method's error for smooth laws, which is higher where neither noise nor U(μ) bounds it."""
    diffuses = problem.noise > 0 or problem.energy.internal is not None
    return int(method.order if diffuses else getattr(method, "smooth_order", method.order))


def is_cheap(problem: Problem) -> bool:
    """Whether exact averages take about as long as a run: few axes and data, and a way back that is read from tables."""
    energy = problem.energy
    if problem.dim is None or problem.dim > FEW_AXES:
        return False
    if isinstance(energy, RegressionEnergy):
        on_tables = isinstance(energy.neuron, Neuron) and energy.neuron.dim == 1 and energy.penalty.function is None
        return on_tables and energy.data.size <= FEW_DATA
    return True


def exact_densities(problem: Problem, run: Run, times: list[float], tolerance: float) -> list[Density]:
    """The exact cell averages at some times of a run; none where they are not to be had, or where walls have a say."""
    grid = common_grid([density.grid for density in densities(run.measures)])
    if "geometry" in run.attributes:  # another than that in which mass is carried along
        return []
    unknown = has_kinks(problem.energy.neuron)  # the velocity jumps, and the error of the nodes of Pushforward is not known
    if unknown or grid is None or any(grid.periodic()) or run.boundary_mass.max() > AT_WALLS or times[-1] == 0:
        return []
    method = Pushforward(grid.shape, grid.lower, grid.upper, tolerance=tolerance)
    try:
        with unheard():
            return densities(solve(problem, method, times[-1], times).measures[-len(times) :])
    except (InputError, RunError):
        return []


@contextmanager
def unheard() -> Iterator[None]:
    """Solves beside a run do not warn of what that had the occasion to warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def common_grid(grids: list[Grid]) -> Grid | None:
    """The cells of the last grid, on a box that holds those of all of them; None where their cells differ in size."""
    last = grids[-1]
    if any(not np.allclose(grid.spacing, last.spacing, rtol=1e-9, atol=0) for grid in grids):
        return None
    lower, upper = np.min([grid.lower for grid in grids], axis=0), np.max([grid.upper for grid in grids], axis=0)
    return last.enlarged(np.rint(np.column_stack([last.lower - lower, upper - last.upper]) / last.spacing[:, None]).astype(int))


def all_apart(fine: list[Density], coarse: list[Density]) -> np.ndarray:
    """`apart` for each of the frames, (T,)."""
    return np.array([apart(first, second) for first, second in zip(fine, coarse, strict=True)])


def apart(fine: Density, coarse: Density) -> float:
    """∫|A μ − ν| dθ for the average A of μ over the cells of ν, and all of the mass of μ that lies beyond them.

    The mass between two edges is the difference of the cumulated one, which splines interpolate where cells do not end together.
    """
    masses = fine.values * fine.grid.cell_volume
    for axis, (inner, outer) in enumerate(zip(fine.grid.edges, coarse.grid.edges, strict=True)):
        cumulated = np.insert(np.cumsum(masses, axis=axis), 0, 0.0, axis=axis)
        spline = make_interp_spline(inner, cumulated, k=min(3, len(inner) - 1), axis=axis)
        masses = np.diff(spline(np.clip(outer, inner[0], inner[-1])), axis=axis)
    difference = np.abs(masses - coarse.values * coarse.grid.cell_volume).sum()
    return float(difference + fine.mass - masses.sum())
