"""The two straight lines from μ to ν over θ: along mixtures, and along displacements.

    mixture         μ_s = (1 − s)μ + sν,                                           0 ≤ s ≤ 1
    displacement    μ_s = law of (1 − s)X + sY,    (X, Y) ~ π, an optimal plan of W₂² = min ∫|x − y|² dπ

The first keeps all mass where it is and changes how much there is; the second keeps how much there is and moves it, on straight lines and
the shorter way on axes that wrap around [McCann, Adv. Math. 128 (1997) 153]. It is the geodesic of the Wasserstein distance: W₂(μ_s, μ_t) =
|s − t| W₂(μ, ν).

A mixture is a Density or a MeshDensity where both are one on the same cells. Two densities on different grids are put on one first, with
cells as small as the smaller ones of both (cells.py): exactly, where the cells of both are made of those. Other pairs, and two that would
need too many cells, are points with masses, a cell at its centre.

In one dimension the increasing plan is optimal, F_s⁻¹ = (1 − s)F⁻¹ + sG⁻¹, the best shift of it on a circle (line.py, circle.py). Of
densities that are constant on their cells it is one that is constant on intervals which move with s: two densities give its averages over
the cells of their common grid, exactly. As points it has one for each interval, its middle, which moves on a straight line as well; between
empirical measures one for each coupled pair.

In more dimensions the plan is that of the network simplex (POT) between points, with one point for each coupled pair. Those are the
points of an empirical measure, or the centres of cells that have mass, up to MOST_POINTS of them. A larger measure, or one on a mesh, is
replaced by the means of parts of equal mass (halving.py), and then so are both ends of the way: `wasserstein` bounds the error.
A mesh that is curved is left on the way, which is straight in the space around it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from wgf.errors import InputError, number, shown
from wgf.measures.distances.axes import nearest, shared_periods, squared_lengths
from wgf.measures.distances.cells import on_common_grid, same_cells
from wgf.measures.distances.circle import circle_coupling, cut_open
from wgf.measures.distances.line import Coupling, Pieces, distribution, line_coupling, pieces
from wgf.measures.distances.transport import MOST_PIVOTS, MOST_POINTS, parts_of, seen_together
from wgf.measures.grid import Grid, nearest_image
from wgf.measures.measure import Cloud, Density, Measure, MeshDensity
from wgf.registers import known

SAME_MASS = (
    1e-3  # relative: masses that differ by less are the same; what a box leaves out of a law, and a computed density misses, is less
)

Path = Callable[[float], Measure]  # s → μ_s
Carried = tuple[np.ndarray, np.ndarray, np.ndarray]  # where points start (n, p), how far they go (n, p), and their shares of the mass (n,)


def interpolate(mu: Measure, nu: Measure, s: float, along: str = "mixture") -> Measure:
    """μ_s on the way from μ (s = 0) to ν (s = 1), with the neuron of μ, or else of ν.

    Parameters
    ----------
    mu, nu : Density, MeshDensity or Cloud
        the two ends
    s : float
        from 0 to 1
    along : str
        "mixture", (1 − s)μ + sν, or "displacement", the law of (1 − s)X + sY for an optimal plan of (X, Y)

    Returns
    -------
    Density, MeshDensity or Cloud
        μ_s

    Raises
    ------
    InputError
        where s is no number from 0 to 1, and where dimensions, periods or masses do not agree

    References
    ----------
    McCann, "A convexity principle for interacting gases", Advances in Mathematics 128 (1997) 153.
    """
    if not 0 <= number(s) <= 1:
        raise InputError(f"s = {shown(s)}: it must be a number from 0, which gives the first measure, to 1, which gives the second")
    known(along, PATHS, "way from one measure to another")
    return PATHS[along](*ends(mu, nu))(number(s))


def ends(mu: Measure, nu: Measure) -> tuple[Measure, Measure, np.ndarray]:
    """Both measures and their periods (p,), where there is a way from one to the other."""
    periods = shared_periods(mu, nu)
    if not math.isclose(mu.mass, nu.mass, rel_tol=SAME_MASS):
        raise InputError(
            f"the measures have the masses {mu.mass:.12g} and {nu.mass:.12g}, which must agree: divide the values or weights by them"
        )
    return mu, nu, periods


def mixture(mu: Measure, nu: Measure, periods: np.ndarray) -> Path:
    """(1 − s)μ + sν."""
    neuron = _neuron(mu, nu)
    if cells := _common_cells(mu, nu):
        first, second = cells
        averages = first.averages and second.averages
        return lambda s: Density(first.grid, (1.0 - s) * first.values + s * second.values, neuron, averages)
    if isinstance(mu, MeshDensity) and isinstance(nu, MeshDensity) and mu.mesh is nu.mesh:
        return lambda s: MeshDensity(mu.mesh, (1.0 - s) * mu.values + s * nu.values, neuron)
    points = np.concatenate([mu.points, nu.points])
    return lambda s: Cloud(points, np.concatenate([(1.0 - s) * mu.masses, s * nu.masses]), neuron, tuple(periods))


def displacement(mu: Measure, nu: Measure, periods: np.ndarray) -> Path:
    """The law of (1 − s)X + sY: of two densities in one dimension as averages over cells, else as points."""
    if len(periods) > 1 or not (cells := _common_cells(mu, nu)):
        return carried(mu, nu, periods)
    first, second = cells
    levels, x, y = _coupling(mu, nu, float(periods[0]))

    def at(s: float) -> Measure:
        values = _mass(mu, nu, s) * _cell_averages((levels, *((1.0 - s) * x + s * y)), first.grid)
        return Density(first.grid, values, _neuron(mu, nu), first.averages and second.averages)

    return at


PATHS = {"mixture": mixture, "displacement": displacement}


def carried(mu: Measure, nu: Measure, periods: np.ndarray) -> Path:
    """The displacement by points: as many at every s, each on a straight line, so that functions of it are smooth in s."""
    start, way, shares = _in_space(mu, nu, periods) if len(periods) > 1 else _on_axis(mu, nu, float(periods[0]))
    return lambda s: Cloud(start + s * way, _mass(mu, nu, s) * shares, _neuron(mu, nu), tuple(periods))


def _on_axis(mu: Measure, nu: Measure, period: float) -> Carried:
    """By quantile functions."""
    levels, x, y = _coupling(mu, nu, period)
    start, end = x.mean(axis=0)[:, None], y.mean(axis=0)[:, None]
    return start, end - start, np.diff(levels)


def _coupling(mu: Measure, nu: Measure, period: float) -> Coupling:
    """The optimal one on an axis."""
    return circle_coupling(*cut_open(mu, nu, period), period) if period else line_coupling(pieces(mu), pieces(nu))


def _cell_averages(law: Pieces, grid: Grid) -> np.ndarray:
    """Of a law on a line over the cells of a grid, around which it is wound where that is periodic, (n,)."""
    _, left, right = law
    shares = [np.diff(distribution(law, image.edges[0], "right")) for image in grid.images([left.min()], [right.max()])]
    result: np.ndarray = np.maximum(np.add.reduce(shares), 0.0) / grid.cell_volume  # rounding may leave less than nothing
    return result


def _in_space(mu: Measure, nu: Measure, periods: np.ndarray) -> Carried:
    """By an optimal plan between points, or the means of parts."""
    import ot

    given, centre = seen_together(mu, nu, periods)
    kept = [len(each.masses) <= MOST_POINTS for each in given]
    first, second = parts_of(given, kept, int(math.log2(MOST_POINTS)))[0]
    costs = squared_lengths(first.means, second.means, periods, nearest)
    plan = ot.emd(first.masses, second.masses, costs, numItermax=MOST_PIVOTS)
    rows, columns = np.nonzero(plan)
    way = nearest_image(second.means[columns] - first.means[rows], periods)
    return centre + first.means[rows], way, plan[rows, columns]


def _common_cells(mu: Measure, nu: Measure) -> tuple[Density, Density] | None:
    """Two densities on the same cells; None for other measures, or too many cells."""
    first, second = on_common_grid(mu, nu)
    if isinstance(first, Density) and isinstance(second, Density) and same_cells(first.grid, second.grid):
        return first, second
    return None


def _neuron(mu: Measure, nu: Measure) -> object:
    """The neuron of μ, or else of ν."""
    return nu.neuron if mu.neuron is None else mu.neuron


def _mass(mu: Measure, nu: Measure, s: float) -> float:
    """That of μ_s."""
    return (1.0 - s) * mu.mass + s * nu.mass
