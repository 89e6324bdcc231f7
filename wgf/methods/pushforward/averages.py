"""Averages over the cells of a grid of a density that is known at points, to a tolerance in L¹.

On a box of volume V let Q_2 and Q_3 be the means of the density u by the tensor Gauss–Legendre rules of two and three points along each
axis, with weights w, I the multilinear interpolation of its values at the corners, M the largest value at all these points, and

    d_1 = V Σ_q w_q |u − Iu|(θ_q) over the points of Q_2,      d_2 = V |Q_3 − Q_2|,      e = d_2 min(1, d_2/d_1) + 2 d_1 (d_1/VM)³.

The error of Q_2 is taken to be less than d_1, that of Q_3 to be e. Where the density is smooth on the box, the means by corners and by the
rules are off by h², h⁴ and h⁶ in its size h, a geometric sequence, and the parts of e are of the orders h⁶ and h⁸. Where it has an edge in
the box nothing falls: d_1 sees it wherever it lies, for u and Iu differ where their means do not. The first part of e remains where the
points of the rules lie on both sides, the second one where only corners see the edge: a box half of whose corners are empty counts with an
eighth of its mass, and the strip that Q_3 overlooks is up to a ninth of it.

All cells begin with their corners; but for those with the least mass, they and their neighbours go on with Q_2. Then, round by round, the
boxes with the largest errors, without which the others keep within half the tolerance, take Q_3, or are cut in halves along each axis, and
take Q_3 there.

A filament may be thinner than the distances between all points of a box. Marks, places of mass whose densities are known, indicate it: the
mass of those that see more than SEEN times as much as any point of their box counts as its error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from scipy import ndimage

from wgf.measures.grid import Grid
from wgf.measures.laws.base import Rule, legendre_rule

NEGLIGIBLE = 2e-2  # of the tolerance, in all cells that are left with the means of their corners; and in all marks that are not asked
SEEN = 2.0  # times the largest value at the points of a box
DEEPEST = 16  # halvings of a cell
MOST_POINTS = 2**24  # of the density, for one frame: some ten seconds
BATCH = 2**19  # of points at a time
KEPT = 0.5  # of the tolerance, for boxes that are left as they are

PointDensity = Callable[[np.ndarray], np.ndarray]  # (M, p) → (M,)


@dataclass(frozen=True)
class Marks:
    """Places (J, p) where mass is known to be, with the density there (J,) and the masses that they represent (J,)."""

    points: np.ndarray
    densities: np.ndarray
    masses: np.ndarray

    def where(self, chosen: np.ndarray) -> Marks:
        """Those of the chosen ones."""
        return Marks(self.points[chosen], self.densities[chosen], self.masses[chosen])


@dataclass(frozen=True)
class Averages:
    """Cell averages (n_1, …, n_p), the estimate of their error in L¹, and how many points they took."""

    values: np.ndarray
    error: float
    points: int


@dataclass(eq=False)
class Boxes:
    """Parts of cells that do not overlap.

    owner      the cell (B,)
    lower      the lower corner (B, p)
    level      how often the cell was halved (B,)
    order      of the last rule, 2 or 3 (B,)
    mean       of the density by this rule (B,)
    before     d_{q−1} where q is the order (B,)
    error      of the mass, without that of marks (B,)
    largest    of the density at all points so far (B,)
    """

    owner: np.ndarray
    lower: np.ndarray
    level: np.ndarray
    order: np.ndarray
    mean: np.ndarray
    before: np.ndarray
    error: np.ndarray
    largest: np.ndarray

    def where(self, chosen: np.ndarray) -> Boxes:
        """Those of the chosen ones."""
        return Boxes(*(getattr(self, item.name)[chosen] for item in fields(self)))

    def put(self, places: np.ndarray, others: Boxes) -> None:
        """Others in these places."""
        for item in fields(self):
            getattr(self, item.name)[places] = getattr(others, item.name)

    def joined(self, others: Boxes) -> Boxes:
        """These, and then the others."""
        return Boxes(*(np.concatenate([getattr(self, item.name), getattr(others, item.name)]) for item in fields(self)))


def cell_averages(density: PointDensity, grid: Grid, marks: Marks, tolerance: float) -> Averages:
    """See the module's text; the estimate exceeds the tolerance where MOST_POINTS are not enough."""
    return _Refinement(density, grid, marks, tolerance).run()


def above(masses: np.ndarray, little: float) -> np.ndarray:
    """Which of the masses (J,) are larger than the least ones, which add up to no more than a little; (J,)."""
    ascending = np.sort(masses)
    least = int(np.searchsorted(np.cumsum(ascending), little, side="right"))
    return masses > ascending[least - 1] if least else np.ones(len(masses), dtype=bool)


class _Refinement:
    def __init__(self, density: PointDensity, grid: Grid, marks: Marks, tolerance: float) -> None:
        self.density, self.grid, self.tolerance = density, grid, tolerance
        self.marks = marks.where(above(marks.masses, NEGLIGIBLE * tolerance))
        self.points = 0
        unit = [0.0] * grid.dim, [1.0] * grid.dim
        self.rules: dict[int, Rule] = {order: legendre_rule(*unit, order) for order in (2, 3)}
        nodes = self.rules[2][0]
        self.corners = (nodes > 0.5).astype(float)  # of the unit box, (2^p, p)
        self.interpolation = np.prod(1.0 - np.abs(nodes[:, None] - self.corners), axis=2)  # from them to the points of Q_2

    def run(self) -> Averages:
        grid, (corners, cells, rest) = self.grid, self._seen()
        values = corners.mean(axis=1)
        boxes = self._begun(cells, corners[cells])
        home = self._homes(cells)
        while True:
            errors = boxes.error + self._unseen(boxes, home)
            if errors.sum() + rest <= self.tolerance:
                break
            chosen = self._worst(errors) & (boxes.level < DEEPEST)
            whole, parts = np.flatnonzero(chosen & (boxes.order == 2)), np.flatnonzero(chosen & (boxes.order == 3))
            cost = len(whole) * len(self.rules[3][1]) + len(parts) * len(self.corners) * (
                len(self.corners) + sum(len(w) for _, w in self.rules.values())
            )
            if not cost or self.points + cost > MOST_POINTS:
                break
            boxes.put(whole, self._third(boxes.where(whole)))
            boxes, home = self._halved(boxes, parts, home)
        shares = boxes.mean * 0.5 ** (grid.dim * boxes.level)
        values[cells] = np.bincount(boxes.owner, shares, grid.size)[cells]
        return Averages(values.reshape(grid.shape), float(errors.sum()) + rest, self.points)

    def _seen(self) -> tuple[np.ndarray, np.ndarray, float]:
        """The values at the corners of all cells, (N, 2^p), which cells hold mass or lie beside one that does, and what the others hold."""
        grid, p = self.grid, self.grid.dim
        vertices = np.stack(np.meshgrid(*grid.edges, indexing="ij"), axis=-1).reshape(-1, p)
        values = self._values(vertices).reshape([n + 1 for n in grid.shape])
        corners = np.lib.stride_tricks.sliding_window_view(values, (2,) * p).reshape(grid.size, -1)
        masses = corners.max(axis=1) * grid.cell_volume
        held = above(masses, NEGLIGIBLE * self.tolerance)
        homes = self._cells_of(self.marks.points)
        held[homes[homes >= 0]] = True
        near = ndimage.binary_dilation(held.reshape(grid.shape), np.ones((3,) * p))
        return corners, np.flatnonzero(near), float(masses[~near.ravel()].sum())

    def _values(self, points: np.ndarray) -> np.ndarray:
        """The density at points (M, p), in batches."""
        self.points += len(points)
        return np.concatenate([self.density(points[start : start + BATCH]) for start in range(0, len(points), BATCH)] or [np.empty(0)])

    def _cells_of(self, points: np.ndarray) -> np.ndarray:
        """The cell that holds each point (J, p), −1 where none does; (J,)."""
        places = np.floor((points - np.array(self.grid.lower)) / self.grid.spacing).astype(np.int64)
        inside = ((places >= 0) & (places < np.array(self.grid.shape))).all(axis=1)
        result: np.ndarray = np.where(inside, np.ravel_multi_index(tuple(places.T), self.grid.shape, mode="clip"), -1)
        return result

    def _homes(self, cells: np.ndarray) -> np.ndarray:
        """The box of each mark, −1 outside the grid; (J,). All cells with marks are among `cells`, in ascending order."""
        owners = self._cells_of(self.marks.points)
        return np.where(owners >= 0, np.searchsorted(cells, owners), -1)

    def _sampled(self, lower: np.ndarray, level: np.ndarray, nodes: np.ndarray) -> np.ndarray:
        """The density at the nodes (k, p) of the unit box, in each box; (B, k)."""
        size = self.grid.spacing * 0.5 ** level[:, None]
        points = lower[:, None, :] + size[:, None, :] * nodes
        return self._values(points.reshape(-1, self.grid.dim)).reshape(len(lower), len(nodes))

    def _volume(self, level: np.ndarray) -> np.ndarray:
        return np.asarray(self.grid.cell_volume * 0.5 ** (self.grid.dim * level))

    def _begun(self, cells: np.ndarray, corners: np.ndarray) -> Boxes:
        """The cells, whose corners are known, with Q_2."""
        index = np.stack(np.unravel_index(cells, self.grid.shape), axis=1)
        return self._second(cells, np.array(self.grid.lower) + index * self.grid.spacing, np.zeros(len(cells), dtype=np.int64), corners)

    def _second(self, owner: np.ndarray, lower: np.ndarray, level: np.ndarray, corners: np.ndarray) -> Boxes:
        """Boxes with Q_2."""
        nodes, weights = self.rules[2]
        values = self._sampled(lower, level, nodes)
        error = np.abs(values - corners @ self.interpolation.T) @ weights * self._volume(level)
        largest = np.maximum(values.max(axis=1), corners.max(axis=1))
        return Boxes(owner, lower, level, np.full(len(level), 2), values @ weights, error, error.copy(), largest)

    def _third(self, boxes: Boxes) -> Boxes:
        """Boxes with Q_3 after Q_2."""
        nodes, weights = self.rules[3]
        values, volume, first = self._sampled(boxes.lower, boxes.level, nodes), self._volume(boxes.level), boxes.before
        mean, largest = values @ weights, np.maximum(values.max(axis=1), boxes.largest)
        second = np.abs(mean - boxes.mean) * volume
        error = second * np.divide(second, first, out=np.ones_like(second), where=first > second)
        error += 2.0 * first * np.divide(first, largest * volume, out=np.zeros_like(first), where=largest > 0) ** 3
        return Boxes(boxes.owner, boxes.lower, boxes.level, np.full(len(mean), 3), mean, second, error, largest)

    def _halved(self, boxes: Boxes, parts: np.ndarray, home: np.ndarray) -> tuple[Boxes, np.ndarray]:
        """With the boxes in `parts` cut in halves along each axis, of which the first takes its parent's place; and the marks' homes."""
        if not len(parts):
            return boxes, home
        count, p = len(self.corners), self.grid.dim
        parents = boxes.where(parts)
        level = np.repeat(parents.level + 1, count)
        size = self.grid.spacing * 0.5 ** level[:, None]
        lower = np.repeat(parents.lower, count, axis=0) + np.tile(self.corners, (len(parts), 1)) * size
        corners = self._sampled(lower, level, self.corners)
        halves = self._third(self._second(np.repeat(parents.owner, count), lower, level, corners))
        places = np.empty((len(parts), count), dtype=np.int64)  # of the halves among all boxes
        places[:, 0], places[:, 1:] = parts, len(boxes.owner) + np.arange(len(parts) * (count - 1)).reshape(len(parts), -1)
        later = np.arange(len(level)) % count > 0
        boxes.put(parts, halves.where(~later))
        place = np.full(len(boxes.owner) + 1, -1)
        place[parts] = np.arange(len(parts))
        moved = np.flatnonzero(place[home] >= 0)
        parent = place[home[moved]]
        upper_half = self.marks.points[moved] >= parents.lower[parent] + self.grid.spacing * 0.5 ** (parents.level[parent, None] + 1)
        which = upper_half @ (2 ** np.arange(p)[::-1])
        home = home.copy()
        home[moved] = places[parent, which]
        return boxes.joined(halves.where(later)), home

    def _unseen(self, boxes: Boxes, home: np.ndarray) -> np.ndarray:
        """The mass of marks, box by box, that see much more than any point of the box; (B,)."""
        inside = home >= 0
        unseen = inside & (self.marks.densities > SEEN * boxes.largest[home])
        return np.bincount(home[unseen], self.marks.masses[unseen], len(boxes.owner))

    def _worst(self, errors: np.ndarray) -> np.ndarray:
        """The boxes with the largest errors, as few as leave at most KEPT of the tolerance to the others; (B,)."""
        order = np.argsort(errors, kind="stable")
        kept = np.cumsum(errors[order]) <= KEPT * self.tolerance
        chosen = np.ones(len(errors), dtype=bool)
        chosen[order[kept]] = False
        return chosen
