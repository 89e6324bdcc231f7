"""How wrong a density is, in L¹: ∫|μ_h − μ| dθ, of mass one; what people see in a picture of it.

Without noise, and where no wall is met, the exact cell averages are had from Pushforward, to a tenth of ENOUGH. Elsewhere the error is
estimated from the densities at h, 2h and 4h. With the averages A over the coarser cells,

    d₁ = ‖A μ_h − μ_{2h}‖,   d₂ = ‖A μ_{2h} − μ_{4h}‖,   ρ = d₂/d₁,

are the errors at 2h and 4h nearly, and e_h = e_{2h}/r = d₁/(r − 1) for the ratio r of the next errors. For an order q it is 2^q in the
end, but filaments and edges that are as wide as cells bring it down, on coarse grids most: r is taken midway, in logarithms, between
what was seen last, ρ, and 2^q. An L¹ distance of two densities is at most two.
"""

from __future__ import annotations

import warnings

import numpy as np

from wgf.errors import BoundaryWarning, InputError, ResolutionWarning, RunError
from wgf.measures.measure import Density
from wgf.methods.pushforward.method import Pushforward
from wgf.problems.problem import Problem
from wgf.runs.run import Run
from wgf.runs.solve import solve

ENOUGH = 1e-3  # an error in L¹ that nobody sees
AT_WALLS = 1e-3  # of the mass: more of it in the outermost cells is held back by walls, which Pushforward knows nothing of
LEAST_RATIO = 1.2  # of two successive errors


def density_error(problem: Problem, run: Run, coarse: Run | None = None, coarsest: Run | None = None, order: int = 2) -> np.ndarray:
    """‖μ_h − μ‖ at the frames of a run, (T,), from exact averages or from runs at 2h and 4h with the same frames; NaN without either."""
    measures, unknown = densities(run), np.full(len(run.times), np.nan)
    if not measures:
        return unknown
    exact = exact_densities(problem, run)
    if exact:
        return all_apart(measures, exact)
    if coarse is None or coarsest is None:
        return unknown
    first, second = all_apart(measures, densities(coarse)), all_apart(densities(coarse), densities(coarsest))
    seen = np.maximum(second / np.maximum(first, np.finfo(float).tiny), LEAST_RATIO)
    ratio = np.sqrt(np.minimum(seen, 2.0**order) * 2.0**order)
    result: np.ndarray = np.minimum(first / (ratio - 1.0), 2.0)
    return result


def densities(run: Run) -> list[Density]:
    """The frames of a run, where they are densities on grids; otherwise none."""
    found = [measure for measure in run.measures if isinstance(measure, Density)]
    return found if len(found) == len(run.times) else []


def exact_densities(problem: Problem, run: Run) -> list[Density]:
    """The exact cell averages at the frames of a run; none where they are not to be had, or where walls have a say."""
    grids = [density.grid for density in densities(run)]
    grid = grids[-1]
    if any(other != grid for other in grids) or any(grid.periodic()) or run.boundary_mass.max() > AT_WALLS:
        return []
    method = Pushforward(grid.shape, grid.lower, grid.upper, tolerance=0.1 * ENOUGH)
    try:
        with warnings.catch_warnings():
            for kind in (BoundaryWarning, ResolutionWarning):
                warnings.simplefilter("ignore", kind)
            return densities(solve(problem, method, float(run.times[-1]), run.times.tolist()))
    except (InputError, RunError):
        return []


def all_apart(fine: list[Density], coarse: list[Density]) -> np.ndarray:
    """`apart` for each of the frames, (T,)."""
    return np.array([apart(first, second) for first, second in zip(fine, coarse, strict=True)])


def apart(fine: Density, coarse: Density) -> float:
    """∫|A μ − ν| dθ for the average A of μ over the cells of ν, and all of the mass of μ that lies beyond them."""
    values = fine.values
    for axis, (inner, outer) in enumerate(zip(fine.grid.edges, coarse.grid.edges, strict=True)):
        low, high = np.maximum(outer[:-1, None], inner[None, :-1]), np.minimum(outer[1:, None], inner[None, 1:])
        share = np.maximum(high - low, 0.0) / np.diff(inner)
        values = np.moveaxis(np.tensordot(share, values, (1, axis)), 0, axis)
    inside = values * fine.grid.cell_volume
    difference = np.abs(inside - coarse.values * coarse.grid.cell_volume).sum()
    return float(difference + fine.mass - inside.sum())
