"""The lowest place of a landscape m(ω; u): found on a grid and by local descent, and proven by cutting the domain into smaller cells.

Local minima of m on a grid are where descents by Newton's method begin, all side by side. Where σ has kinks, minima lie on these: with
one or two coordinates others begin there, and go along them. For the proof each cell has a
lower bound (landscape.py); cells whose bound is above the lowest value less a slack are done, the others are cut in two along every axis
[Land & Doig, Econometrica 28 (1960) 497], until none is left, or the work is as much as WORK numbers. What was proven is reported, whatever
it is: the lowest bound of all cells.

Cells are equal, or where the domain is much larger than the data distinguish, they grow away from the origin as sinh does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage, optimize
from scipy.stats import qmc

from wgf.errors import InputError
from wgf.studies.optimality.domain import UNBOUNDED, held
from wgf.studies.optimality.landscape import Landscape

MOST_NUMBERS, MOST_PLACES = 2**23, 2**15  # places × data of the grid; places
FEW_AXES = 3  # with more, places are spread by a Sobol sequence, and nothing is proven
MOST_AXES = 12
STARTS = 24  # of descents
STEPS, HALVINGS = 50, 8  # of a descent, and of a step, by four each
LONGEST = 0.1  # of the domain: a step
ON_LINE = 65  # points on a kink's line
CLOSE = 1e-6  # of the extent of the domain: descents that end there have found the same place
MOST_CELLS = 1024  # of the grid along an axis
FIRST_CELLS = 16  # along an axis, of a proof
WORK = 1e8  # cells × data of a proof
STEP = 0.1  # of the grid near the origin, where it grows
FARTHEST = 2.0**40


@dataclass(frozen=True)
class Lowest:
    """θ (p,) where m is lowest, that value, and what m is proven to be at least (−∞ where nothing is)."""

    theta: np.ndarray
    value: float
    bound: float = -np.inf


class Search:
    """Looks for lowest places of one landscape, for many u."""

    def __init__(self, landscape: Landscape, u: np.ndarray) -> None:
        """`u` is of the size for which an unbounded domain is cut down to a ball's box."""
        if landscape.dim > MOST_AXES:
            raise InputError(f"θ has {landscape.dim} coordinates to be searched: the lowest place is looked for among at most {MOST_AXES}")
        self.landscape = landscape
        self.lower, self.upper = box_of(landscape, u)
        if landscape.axis is not None and landscape.strength == 0 and not np.isfinite(landscape.ends).all():
            raise InputError(UNBOUNDED)

    @cached_property
    def edges(self) -> list[np.ndarray]:
        """For each axis the edges of the cells."""
        q = self.landscape.dim
        places = min(MOST_PLACES, MOST_NUMBERS // self.landscape.data.size)
        count = max(8, min(MOST_CELLS, int(places ** (1.0 / q))))
        return edges_of(self.lower, self.upper, count)

    @cached_property
    def places(self) -> np.ndarray:
        """The places of the grid, edges of the domain included, (N, q)."""
        if self.landscape.dim > FEW_AXES:
            sobol: np.ndarray = qmc.Sobol(self.landscape.dim, seed=0).random_base2(13)
            spread: np.ndarray = self.lower + (self.upper - self.lower) * sobol
            return spread
        return np.stack(np.meshgrid(*self.edges, indexing="ij"), axis=-1).reshape(-1, self.landscape.dim)

    @cached_property
    def features(self) -> np.ndarray:
        """σ at them, (N, n)."""
        return np.concatenate([self.landscape.features(self.places[block]) for block in self.landscape.blocks(len(self.places))])

    def on_grid(self, u: np.ndarray) -> np.ndarray:
        """m at the places of the grid, (N,)."""
        return self.landscape.envelope(self.places, self.features @ u)

    def starts(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where descents begin, and along what: places (k, q) that are local minima on the grid, the lowest first, with the identity; and
        on kinks of σ, with the direction of these; (k, q), (k, q, q).
        """
        values, q = self.on_grid(u), self.landscape.dim
        found = np.arange(len(values))
        if q <= FEW_AXES:
            found = lowest_beside(values.reshape([len(edges) for edges in self.edges]))
        found = found[np.argsort(values[found], kind="stable")[:STARTS]]
        places, along = self.places[found], np.broadcast_to(np.eye(q), (len(found), q, q))
        if self.kinked is None:
            return places, along
        points, directions = self.kinked
        values = self.landscape.values(points.reshape(-1, q), u).reshape(points.shape[:-1])
        rows, columns = np.unravel_index(lowest_along(values), values.shape)
        order = np.argsort(values[rows, columns], kind="stable")[:STARTS]
        rows, columns = rows[order], columns[order]
        return np.concatenate([places, points[rows, columns]]), np.concatenate([along, directions[rows]])

    @cached_property
    def kinked(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Where σ has kinks: of one coordinate the places, of two points along the lines; (lines, points, q), and projections on their
        directions (lines, q, q). None without kinks, or with more coordinates.
        """
        landscape = self.landscape
        if not (landscape.ridge and landscape.jumps and landscape.dim <= 2):
            return None
        kinks = np.array([kink for kink, _ in landscape.jumps])
        right = (kinks[:, None] - landscape.offsets).ravel()
        x = np.tile(landscape.weighted_inputs, (len(kinks), 1))
        kept = np.linalg.norm(x, axis=1) > 0
        points, directions = on_lines(x[kept], right[kept], self.lower, self.upper)
        return (points, directions) if len(points) else None

    def minima(self, u: np.ndarray, beside: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Local minima of m, lowest first: θ (k, p) and values (k,). Descents begin from places θ `beside` (j, p), too."""
        places, along = self.starts(u)
        if beside is not None:
            q = self.landscape.dim
            places = np.concatenate([places, beside[:, self.landscape.axes]])
            along = np.concatenate([along, np.broadcast_to(np.eye(q), (len(beside), q, q))])
        places, values = self._descend(places, along, u)
        kept: list[int] = []
        for k in np.argsort(values, kind="stable"):
            if all(np.abs(places[k] - places[j]).max() > CLOSE * (self.upper - self.lower).max() for j in kept):
                kept.append(int(k))
        return self.landscape.parameters(places[kept], self.landscape.heights(places[kept], u)), values[kept]

    def lowest(self, u: np.ndarray) -> Lowest:
        """The lowest place that is found."""
        thetas, values = self.minima(u)
        return Lowest(thetas[0], float(values[0]))

    def proven(self, u: np.ndarray, slack: float) -> Lowest:
        """The same, with a bound that is lower by no more than `slack`, where the work allows."""
        found = self.lowest(u)
        if not self.landscape.provable or self.landscape.dim > FEW_AXES:
            return found
        return Lowest(found.theta, found.value, self._proof(u, found.value, slack))

    def _descend(self, places: np.ndarray, along: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Local minima from places (k, q), each moving only along what it is projected on: Newton's method with the absolute values of the
        eigenvalues, in the box, with halved steps where m would not fall; (k, q) and (k,).
        """
        values, slope, bend = self.landscape.expansion(places, u)
        for _ in range(STEPS):
            step = newton_step(places, slope, bend, along, self.lower, self.upper)
            tried, share, falling = places, np.ones(len(places)), np.zeros(len(places), dtype=bool)
            found = values
            for _ in range(HALVINGS):
                candidates = np.where(falling[:, None], tried, np.clip(places + share[:, None] * step, self.lower, self.upper))
                found = self.landscape.values(candidates, u)
                tried, falling = candidates, found < values
                if falling.all():
                    break
                share = np.where(falling, share, 0.25 * share)
            if not falling.any():
                break
            places = np.where(falling[:, None], tried, places)
            values, slope, bend = self.landscape.expansion(places, u)
        return places, values

    def _proof(self, u: np.ndarray, value: float, slack: float) -> float:
        """What m is at least everywhere, no lower than `value` less `slack` if that can be proven with so much work."""
        coarse = edges_of(*box_of(self.landscape, u), FIRST_CELLS)  # all of the domain for this u, which may be larger than the grid's
        middles = [0.5 * (edges[1:] + edges[:-1]) for edges in coarse]
        halves = [0.5 * np.diff(edges) for edges in coarse]
        cells, half = (np.stack(np.meshgrid(*each, indexing="ij"), axis=-1).reshape(-1, self.landscape.dim) for each in (middles, halves))
        corners = np.stack(np.meshgrid(*[[-0.5, 0.5]] * self.landscape.dim, indexing="ij"), axis=-1).reshape(-1, self.landscape.dim)
        proven, work = value, 0.0
        while len(cells):
            work += float(len(cells)) * self.landscape.data.size
            values, low = self.landscape.bounds(cells, half, u)
            value = min(value, float(values.min()))
            left = low < value - slack
            proven = min(proven, float(low[~left].min(initial=np.inf)))
            if work + 2.0**self.landscape.dim * left.sum() * self.landscape.data.size > WORK:
                return min(proven, float(low.min()))
            cells = (cells[left, None, :] + corners * half[left, None, :]).reshape(-1, self.landscape.dim)
            half = np.repeat(0.5 * half[left], len(corners), axis=0)
        return proven


def lowest_beside(table: np.ndarray) -> np.ndarray:
    """The numbers of the entries that none of their neighbours is below; of neighbours that are equal, the first."""
    lowest = table == ndimage.minimum_filter(table, size=3, mode="nearest")
    parts, _ = ndimage.label(lowest, np.ones((3,) * table.ndim))
    return np.unique(parts, return_index=True)[1][1 if (parts == 0).any() else 0 :]


def lowest_along(table: np.ndarray) -> np.ndarray:
    """The same in each row (rows, columns) by itself."""
    return np.flatnonzero((table == ndimage.minimum_filter1d(table, 3, axis=1, mode="nearest")).ravel())


def on_lines(x: np.ndarray, right: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (k, P, q) on the lines ⟨x, ω⟩ = right (k, q), (k,) within the box, its faces included, and projections (k, q, q) on them; in
    one dimension the points themselves, where nothing moves.
    """
    normal = x / np.linalg.norm(x, axis=1, keepdims=True)
    base = normal * (right / np.linalg.norm(x, axis=1))[:, None]
    if x.shape[1] == 1:
        inside = ((base > lower) & (base < upper)).all(axis=1)
        return base[inside][:, None, :], np.zeros((int(inside.sum()), 1, 1))
    direction = np.column_stack([-normal[:, 1], normal[:, 0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.stack([(lower - base) / direction, (upper - base) / direction])
    first, last = np.nanmax(ends.min(axis=0), axis=1), np.nanmin(ends.max(axis=0), axis=1)
    kept = first < last
    share = np.linspace(0.0, 1.0, ON_LINE)
    along = first[kept, None] + (last - first)[kept, None] * share
    points = np.clip(base[kept, None, :] + along[..., None] * direction[kept, None, :], lower, upper)
    return points, direction[kept, :, None] * direction[kept, None, :]


def newton_step(
    places: np.ndarray, slope: np.ndarray, bend: np.ndarray, along: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> np.ndarray:
    """−|A|⁻¹g in the directions `along` (k, q, q) that are not held by the box, no longer than a part of that; (k, q)."""
    still = held(places, slope, lower, upper)
    free = np.where(still[:, :, None] | still[:, None, :], 0.0, along)
    g = np.einsum("nkl,nl->nk", free, slope)
    eigenvalues, vectors = np.linalg.eigh(free @ bend @ free)
    size = np.abs(eigenvalues)
    least = np.linalg.norm(g, axis=1)[:, None] / (LONGEST * (upper - lower).max())
    step = -np.einsum("nkl,nl->nk", vectors, np.einsum("nkl,nk->nl", vectors, g) / np.maximum(size, least + 1e-300))
    result: np.ndarray = np.einsum("nkl,nl->nk", free, step)
    return result


def box_of(landscape: Landscape, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The box in which m is lowest: the domain's, or where that has no end, what holds the ball of `radius`."""
    lower, upper = landscape.lower, landscape.upper
    if np.isfinite(lower).all() and np.isfinite(upper).all():
        return lower, upper
    reach = radius(landscape, u)
    return np.maximum(lower, -reach), np.minimum(upper, reach)


def edges_of(lower: np.ndarray, upper: np.ndarray, count: int) -> list[np.ndarray]:
    """`axis_edges` of each axis."""
    return [axis_edges(low, high, count) for low, high in zip(lower, upper, strict=True)]


def axis_edges(lower: float, upper: float, count: int) -> np.ndarray:
    """`count` + 1 edges from lower to upper: equal cells, or where these would be wide, cells that grow away from what is nearest to 0."""
    if upper - lower <= STEP * count:
        return np.linspace(lower, upper, count + 1)
    centre = float(np.clip(0.0, lower, upper))
    reach = max(upper - centre, centre - lower)
    growth = optimize.brentq(lambda k: reach / np.sinh(k) * k * 2.0 / count - STEP, 1e-9, 50.0) if reach * 2.0 / count > STEP else 1e-9
    ends = np.arcsinh(np.array([lower - centre, upper - centre]) / reach * np.sinh(growth)) / growth
    edges = centre + reach * np.sinh(growth * np.linspace(ends[0], ends[1], count + 1)) / np.sinh(growth)
    edges[0], edges[-1] = lower, upper
    return np.asarray(edges)


def radius(landscape: Landscape, u: np.ndarray) -> float:
    """R beyond which m is above its value at ω = 0 (domain.py); raises InputError where there is no such R."""
    if not landscape.provable or landscape.strength == 0:
        raise InputError(UNBOUNDED)
    start = float(landscape.values(np.zeros((1, landscape.dim)), u)[0])
    reach = 1.0
    while reach < FARTHEST:
        here, beyond = (_sphere(landscape, u, r) for r in (reach, 2.0 * reach))
        if beyond > here > start:
            return reach
        reach *= 2.0
    raise InputError(UNBOUNDED)


def _sphere(landscape: Landscape, u: np.ndarray, reach: float) -> float:
    """What m is at least on the sphere |ω| = R."""
    if landscape.linear:
        return float(0.5 * landscape.strength * reach**2 - reach * abs(landscape.heights(np.ones((1, 1)), u)[0]))
    farthest = np.linalg.norm(landscape.weighted_inputs, axis=1) * reach + np.abs(landscape.offsets)
    sigma = landscape.inner.sigma
    z = np.concatenate([farthest, -farthest])
    largest = np.maximum.reduce(np.abs(sigma.value(z * np.linspace(0.0, 1.0, 101)[:, None])), axis=0).reshape(2, -1).max(axis=0)
    height = abs(landscape.factor) * float(np.abs(u) @ largest)
    free = landscape.axis is not None
    result: float = 0.5 * landscape.strength * reach**2 - (height**2 / (2.0 * landscape.strength) if free else height)
    return result
