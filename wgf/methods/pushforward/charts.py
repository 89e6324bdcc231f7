"""The way back at many points: as polynomials, on pieces of the box, of the ways back from a few.

A way back that sums over the data takes microseconds, and laws with edges ask for millions. But where the flow is smooth, so are the place
θ_0(θ) that a point has come from and the growth g(θ) = ∫ΔG on its way; the initial law alone may have edges and narrow parts. On a piece
that many points lie in, both are interpolated at n^p Chebyshev points (n by dimension, `TERMS`),

    θ_0, g ≈ Σ_k c_k T_{k_1}(s_1) … T_{k_p}(s_p),    s in [−1, 1]^p on the piece,

and the chart is kept where

    Σ_d |δθ_0|_d/σ_d + |δg| ≤ the tolerance,        σ_d the deviations of the initial law,

which bounds what it does to the density (flow.py). δ is the sum of the absolute coefficients with an index n − 2 or n − 1, which for a
smooth function is more than all that were left out, and must hold at a point of its own, too. Else the piece is halved along each axis,
where it still has points enough. All others are followed back one by one.

The pieces are those of halving the box again and again. A table has the chart of each of the smallest ones.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wgf.kernels.charts import BLOCKS, evaluate_charts
from wgf.methods.pushforward.kinks import Origins

TERMS = {1: 17, 2: 9, 3: 8, 4: 6}  # along each axis, by dimension
HALVINGS = {1: 12, 2: 7, 3: 5, 4: 4}  # of the box, at most
WORTH = 2  # points for each one that a chart asks for
CHECKED = 0.7310585786300049  # of the piece along each axis: no Chebyshev point, nor a zero of the next polynomial

WayBack = Callable[[np.ndarray], Origins]


class Charts:
    """Of the ways back from points in a box, made where they are asked for.

    follow       the way back itself
    box          (2, p)
    deviations   σ, (p,)
    tolerance    of each chart, dimensionless
    """

    def __init__(self, follow: WayBack, box: np.ndarray, deviations: np.ndarray, tolerance: float) -> None:
        self.follow, self.box, self.tolerance, p = follow, box, tolerance, box.shape[1]
        self.scales = 1.0 / np.append(deviations, 1.0)
        self.terms, self.deepest = TERMS[p], HALVINGS[p]
        angles = np.pi * (np.arange(self.terms) + 0.5) / self.terms
        self.nodes = _tensor(0.5 + 0.5 * np.cos(angles), p)  # of the unit box, (n^p, p)
        orders = np.arange(self.terms)
        self.transform = np.cos(np.multiply.outer(orders, angles)) * np.where(orders > 0, 2.0, 1.0)[:, None] / self.terms
        self.late = _tensor(orders, p).max(axis=1) >= self.terms - 2  # (n^p,)
        self.number = np.full((2**self.deepest,) * p, -1)
        self.tried = [np.zeros((2**level,) * p, dtype=bool) for level in range(self.deepest + 1)]
        self.lower, self.half = np.empty((0, p)), np.empty((0, p))
        self.coefficients = np.empty((0, len(self.nodes), p + 1))

    def origins(self, points: np.ndarray) -> Origins:
        """The ways back from points (M, p): θ_0 (M, p) and the growth (M,)."""
        numbers, pieces = self._numbers(points)
        if self._make(pieces[(numbers < 0) & (pieces >= 0)]):
            numbers = self._numbers(points)[0]
        found = np.empty((len(points), points.shape[1] + 1))
        self._fill(found, points, numbers, self.lower, self.half, self.coefficients)
        alone = np.flatnonzero(numbers < 0)
        if len(alone):
            found[alone, :-1], found[alone, -1] = self.follow(points[alone])
        return found[:, :-1], found[:, -1]

    def _make(self, pieces: np.ndarray) -> bool:
        """The charts that points without one are worth, which lie in these of the smallest pieces (M,); whether there are any."""
        before = len(self.lower)
        counts = np.bincount(pieces, minlength=self.number.size).reshape(self.number.shape)
        for level, tried in enumerate(self.tried):
            wanted = (_sums(counts, 2**level) >= WORTH * len(self.nodes)) & ~tried
            if wanted.any():
                tried |= wanted
                self._try(np.argwhere(wanted), level)
                counts[self.number >= 0] = 0
        return len(self.lower) > before

    def _numbers(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The chart of each point, and the smallest piece that holds it, (M,); −1 where there is none."""
        per_length = self.number.shape[0] / (self.box[1] - self.box[0])
        places = np.floor((points - self.box[0]) * per_length)
        inside = ((places >= 0) & (places < self.number.shape[0])).all(axis=1)
        flat = np.ravel_multi_index(tuple(np.where(inside[:, None], places, 0).astype(np.int64).T), self.number.shape)
        return np.where(inside, self.number.ravel()[flat], -1), np.where(inside, flat, -1)

    def _try(self, pieces: np.ndarray, level: int) -> None:
        """Keep the charts that are right of pieces (B, p) of a level."""
        size = (self.box[1] - self.box[0]) / 2**level
        lower, half = self.box[0] + pieces * size, np.tile(0.5 * size, (len(pieces), 1))
        values = self._followed(lower, size)
        coefficients = self._interpolated(values[:, :-1])
        right = self._right(coefficients, lower, half, values[:, -1])
        width = 2 ** (self.deepest - level)
        for number, piece in enumerate(pieces[right], len(self.lower)):
            self.number[tuple(slice(k * width, (k + 1) * width) for k in piece)] = number
        self.lower, self.half = np.concatenate([self.lower, lower[right]]), np.concatenate([self.half, half[right]])
        self.coefficients = np.concatenate([self.coefficients, coefficients[right]])

    def _followed(self, lower: np.ndarray, size: np.ndarray) -> np.ndarray:
        """The ways back from the Chebyshev points of pieces, and from the one where they are checked, (B, n^p + 1, p + 1)."""
        p = len(size)
        points = lower[:, None] + size * np.vstack([self.nodes, np.full((1, p), CHECKED)])
        places, growth = self.follow(points.reshape(-1, p))
        values = np.column_stack([places, np.where(np.isfinite(growth), growth, np.nan)])
        return values.reshape(len(lower), -1, p + 1)

    def _interpolated(self, values: np.ndarray) -> np.ndarray:
        """The coefficients (B, n^p, p + 1) from the values at the Chebyshev points, of the same shape."""
        shape = values.shape
        tensor = values.reshape(shape[0], *(self.terms,) * (shape[2] - 1), shape[2])
        for axis in range(1, shape[2]):
            tensor = np.moveaxis(np.tensordot(tensor, self.transform, axes=(axis, 1)), -1, axis)
        return np.ascontiguousarray(tensor).reshape(shape)

    def _right(self, coefficients: np.ndarray, lower: np.ndarray, half: np.ndarray, checked: np.ndarray) -> np.ndarray:
        """Which of new charts are right to the tolerance, by their last coefficients and by the values (B, p + 1) at a point; (B,)."""
        last, found = np.abs(coefficients[:, self.late]).sum(axis=1), np.empty_like(checked)
        self._fill(found, lower + 2.0 * CHECKED * half, np.arange(len(lower)), lower, half, coefficients)
        return np.asarray(np.maximum(last @ self.scales, np.abs(found - checked) @ self.scales) <= self.tolerance)

    def _fill(
        self, found: np.ndarray, points: np.ndarray, numbers: np.ndarray, lower: np.ndarray, half: np.ndarray, coefficients: np.ndarray
    ) -> None:
        """Charts at points, into found (M, p + 1); those without a chart are left as they are."""
        flat = coefficients.reshape(len(lower), len(self.nodes) * found.shape[1])
        basis, work = np.empty((BLOCKS, self.terms)), np.empty((BLOCKS, flat.shape[1] // self.terms))
        evaluate_charts(np.ascontiguousarray(points), numbers, lower, half, flat, self.terms, basis, work, found)


def _tensor(entries: np.ndarray, p: int) -> np.ndarray:
    """All p-tuples of entries (n,), the last one running fastest; (n^p, p)."""
    return np.stack(np.meshgrid(*[entries] * p, indexing="ij"), axis=-1).reshape(-1, p)


def _sums(counts: np.ndarray, pieces: int) -> np.ndarray:
    """Of blocks of equal lengths, so many along each axis."""
    blocks = [length for size in counts.shape for length in (pieces, size // pieces)]
    result: np.ndarray = counts.reshape(blocks).sum(axis=tuple(range(1, len(blocks), 2)))
    return result
