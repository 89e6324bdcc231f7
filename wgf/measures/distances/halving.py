"""Measures in boxes of equal mass, cut alike: what transport in several dimensions is computed from.

A measure is given as bricks, uniform on boxes: the cells of a density, which lie side by side, or points, whose boxes are empty; a mesh
is filled with points. All of its mass is cut in two equal halves by a plane across an axis, each half again, and so on: 2^k parts of equal
mass after k cuts, each with its mean and the standard deviations of its coordinates. A plane cuts a cell into two bricks, and a point
into two points of less mass.

Two measures are cut together, each part of both across the axis along which the two parts together vary most. Parts that come from the
same cuts correspond: to carry each of them onto its partner is a transport plan, and a measure that is moved, or stretched along the axes,
has its parts moved and stretched. So small displacements are seen however large the parts are, where boxes that are fixed in space see
mass go from one box to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wgf.measures.grid import nearest_image
from wgf.measures.measure import Density, Measure, MeshDensity

EMPTY = 1e-15  # of the mass: what has less is left out
SCATTERED = 2**15  # points that fill a mesh
SLIVER = 1e-12  # of a brick: a plane that would cut off less does not cut it


@dataclass(frozen=True)
class Bricks:
    """Centres (N, p) and widths (N, p), zero for points; masses (N,) of sum one."""

    centers: np.ndarray
    widths: np.ndarray
    masses: np.ndarray

    def placed(self, centre: np.ndarray, periods: np.ndarray) -> Bricks:
        """Seen from `centre` (p,); axes that wrap around are cut opposite to it, and so are the bricks that lie there."""
        centers, widths, masses = nearest_image(self.centers - centre, periods), self.widths, self.masses
        for axis in np.flatnonzero(periods):
            beyond = np.abs(centers[:, axis]) + 0.5 * widths[:, axis] - 0.5 * periods[axis]  # by how much a brick lies across the cut
            across = np.flatnonzero(beyond > SLIVER * widths[:, axis])
            far, sign = beyond[across], np.sign(centers[across, axis])
            share = far / widths[across, axis]
            other_side, other_width = centers[across], widths[across]
            other_side[:, axis], other_width[:, axis] = -sign * 0.5 * (periods[axis] - far), far
            centers, widths = centers.copy(), widths.copy()
            centers[across, axis] -= 0.5 * sign * far
            widths[across, axis] -= far
            masses = np.concatenate([masses, masses[across] * share])
            masses[across] *= 1.0 - share
            centers, widths = np.concatenate([centers, other_side]), np.concatenate([widths, other_width])
        return Bricks(centers, widths, masses)


@dataclass(frozen=True)
class Parts:
    """What is left of bricks: masses (n,), means (n, p) and standard deviations along the axes (n, p)."""

    masses: np.ndarray
    means: np.ndarray
    stds: np.ndarray

    @property
    def spread(self) -> float:
        """The root mean square distance of the mass from the means of its parts."""
        return float(np.sqrt(self.masses @ np.sum(self.stds**2, axis=1)))


def bricks(measure: Measure) -> Bricks:
    """What has mass of a measure, scaled to mass one."""
    points, masses = measure.points, measure.masses
    if isinstance(measure, MeshDensity):
        points, shares, owners = measure.mesh.scattered(SCATTERED)
        masses = shares * masses[owners]
    kept = masses > EMPTY * masses.sum()
    width = measure.grid.spacing if isinstance(measure, Density) else np.zeros(points.shape[1])
    return Bricks(points[kept], np.broadcast_to(width, points[kept].shape), masses[kept] / masses[kept].sum())


def resolution(measure: Measure) -> float:
    """The root mean square distance of the mass from the centres of its cells: how far a law may be from its averages over them."""
    if isinstance(measure, Density):
        return float(np.sqrt(np.sum(measure.grid.spacing**2) / 12.0))
    if isinstance(measure, MeshDensity):
        points, shares, owners = measure.mesh.scattered(SCATTERED)
        square = np.bincount(owners, shares * np.sum((points - measure.mesh.centers[owners]) ** 2, axis=1), measure.mesh.size)
        return float(np.sqrt(measure.masses @ square / measure.mass))
    return 0.0


def points_of(given: Bricks) -> Parts:
    """Points as they are."""
    return Parts(given.masses, given.centers, given.widths)


def halved(given: Sequence[Bricks], cuts: Sequence[int]) -> list[list[Parts]]:
    """For each number of `cuts`, which increase, the parts of all measures, cut together; those that correspond have the same place."""
    measures, places = list(given), [np.zeros(len(each.masses), dtype=np.int64) for each in given]
    found = []
    for level in range(cuts[-1] + 1):
        parts = [_parts(each, place, 2**level) for each, place in zip(measures, places, strict=True)]
        if level in cuts:
            found.append(parts)
        axes = np.argmax(np.sum([each.stds**2 for each in parts], axis=0), axis=1)
        cut = [_cut(each, place, axes) for each, place in zip(measures, places, strict=True)]
        measures, places = [each for each, _ in cut], [place for _, place in cut]
    return found


def _parts(given: Bricks, place: np.ndarray, count: int) -> Parts:
    """The moments of the bricks that have the same place in 0 … count − 1."""
    masses = np.bincount(place, given.masses, count)
    means = np.stack([np.bincount(place, given.masses * column, count) / masses for column in given.centers.T], axis=1)
    squares = (given.centers - means[place]) ** 2 + given.widths**2 / 12.0
    variances = np.stack([np.bincount(place, given.masses * column, count) / masses for column in squares.T], axis=1)
    return Parts(masses, means, np.sqrt(variances))


def _cut(given: Bricks, place: np.ndarray, axes: np.ndarray) -> tuple[Bricks, np.ndarray]:
    """Each part q cut in two halves of equal mass across its axis: the bricks of both, and their places 2q and 2q + 1."""
    along = axes[place]
    rows = np.arange(len(place))
    centers, widths = given.centers[rows, along], given.widths[rows, along]
    share = _shares_below(centers, widths, given.masses, place, len(axes))
    lower, upper = np.flatnonzero(share > 0), np.flatnonzero(share < 1)
    kept = np.concatenate([lower, upper])
    shares = np.concatenate([share[lower], 1.0 - share[upper]])
    moved = 0.5 * widths[kept] * (1.0 - shares) * np.repeat([-1.0, 1.0], [len(lower), len(upper)])
    new_centers, new_widths = given.centers[kept], given.widths[kept]
    new_centers[np.arange(len(kept)), along[kept]] += moved
    new_widths[np.arange(len(kept)), along[kept]] *= shares
    new_place = 2 * place[kept] + np.repeat([0, 1], [len(lower), len(upper)])
    return Bricks(new_centers, new_widths, given.masses[kept] * shares), new_place


def _shares_below(centers: np.ndarray, widths: np.ndarray, masses: np.ndarray, place: np.ndarray, count: int) -> np.ndarray:
    """The fraction of each brick that lies below the median of its part along one axis, (N,).

    The distribution function of all parts one after the other: it rises along a brick, from its lower to its upper end, and jumps at a
    point. Of points at the same place the first ones count as lower.
    """
    solid = widths > 0
    rates = np.where(solid, masses / np.where(solid, widths, 1.0), 0.0)
    ends = np.concatenate([centers - 0.5 * widths, centers + 0.5 * widths])
    owner = np.concatenate([place, place])
    order = np.lexsort((ends, owner))
    ends, owner = ends[order], owner[order]
    rate = np.cumsum(np.concatenate([rates, -rates])[order])
    jump = np.concatenate([np.where(solid, 0.0, masses), np.zeros(len(masses))])[order]
    steps = np.where(owner[1:] == owner[:-1], np.maximum(rate[:-1], 0.0) * np.diff(ends), 0.0)
    after = np.cumsum(jump) + np.concatenate([[0.0], np.cumsum(steps)])
    last = np.searchsorted(owner, np.arange(count), side="right") - 1
    total = np.diff(after[last], prepend=0.0)
    middle = after[last] - 0.5 * total
    event = np.clip(np.searchsorted(after, middle), 1, len(after) - 1)
    gap = np.maximum(after[event] - jump[event] - middle, 0.0)  # of mass, before the end of a brick; zero within a jump
    speed = rate[event - 1]
    cut = np.clip(ends[event] - np.where(gap > 0, gap / np.where(speed > 0, speed, 1.0), 0.0), ends[event - 1], ends[event])
    before = np.empty(len(order))
    before[order] = after - jump
    points = (middle[place] - before[: len(masses)]) / masses
    solids = (cut[place] - (centers - 0.5 * widths)) / np.where(solid, widths, 1.0)
    share = np.clip(np.where(solid, solids, points), 0.0, 1.0)
    return np.where(share < SLIVER, 0.0, np.where(share > 1.0 - SLIVER, 1.0, share))
