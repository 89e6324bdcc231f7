"""Entropic transport on a grid: the kernel K = exp(−|θ − θ'|²/ε) applied axis by axis, and arithmetic with its scalings.

A plan between two measures is u_i K_ij a_j. The kernel is a product over the axes, so that K v costs one small matrix, or one pass
of Gaussian sums, along each axis; an N × N array never exists. The scalings are positive arrays which are multiplied, divided
and summed with K, in one of two domains with the same verbs:

Scalings     the numbers themselves; K by matrices, cut off where they underflow. Fast. What all of u has in common is absorbed
             when it is made, so that its largest entry is one; it must not range over more than the exponents of doubles do.
Logarithms   their logarithms; K by sums that take the largest term out (kernels/gaussian.py). For any ε, however small.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from wgf.kernels.gaussian import NOTHING, ROWS, fill_products, log_sums
from wgf.kernels.gaussian import SLOTS as GAUSSIAN_SLOTS
from wgf.kernels.lines import LANES
from wgf.measures.layout import Layout

LARGEST_GAP = 690.0  # beyond it, e^{−gap} is zero
TINY, HUGE = 1e-290, 1e280  # scalings outside are not to be trusted
BAND = 64  # rows of a matrix that are applied at once, where the kernel is short
SPARSE = 0.7  # of the work of a whole matrix: more is not worth the blocks
BLOCKS = 16  # into which the work of a pass is cut


class Domain(Protocol):
    """Arithmetic with scalings, arrays of the layout's shape (rows, columns); `out` is filled and returned."""

    def given(self, masses: np.ndarray, out: np.ndarray) -> np.ndarray: ...
    def smooth(self, v: np.ndarray, out: np.ndarray) -> np.ndarray: ...
    def tilted(self, v: np.ndarray, exponent: np.ndarray, out: np.ndarray) -> np.ndarray: ...
    def product(self, v: np.ndarray, w: np.ndarray, out: np.ndarray) -> np.ndarray: ...
    def quotient(self, v: np.ndarray, w: np.ndarray, out: np.ndarray) -> np.ndarray: ...
    def balanced(self, d: np.ndarray, p: np.ndarray, smoothed: np.ndarray, out: np.ndarray) -> np.ndarray: ...
    def masses(self, v: np.ndarray, out: np.ndarray) -> np.ndarray: ...
    def logarithm(self, v: np.ndarray) -> np.ndarray: ...
    def extrapolated(self, d: np.ndarray, before: np.ndarray, weight: float) -> np.ndarray: ...
    def widened(self, d: np.ndarray, smoothed: np.ndarray, share: float) -> np.ndarray: ...
    def sound(self, v: np.ndarray) -> bool: ...
    def lost(self, u: np.ndarray, q: np.ndarray) -> float: ...


class Axes:
    """The axes of a layout as views (before, along, after) of its arrays, and |θ_i − θ_j|²/ε along each of them."""

    def __init__(self, layout: Layout, epsilon: float) -> None:
        self.shape = (layout.rows, layout.columns)
        self.views = []
        for place, along in enumerate(layout.shape):
            self.views.append((math.prod(layout.shape[:place]), along, math.prod(layout.shape[place + 1 :])))
        self.gaps = [self._gaps(layout, axis) / epsilon for axis in layout.axes]
        self.spare = [np.empty(self.shape), np.empty(self.shape)]

    @staticmethod
    def _gaps(layout: Layout, axis: int) -> np.ndarray:
        """Squared distances of the cells along an axis, (n, n); on a periodic axis those of the nearest images."""
        grid = layout.grid
        steps = np.abs(np.subtract.outer(np.arange(grid.shape[axis]), np.arange(grid.shape[axis])))
        if grid.periodic()[axis]:
            steps = np.minimum(steps, grid.shape[axis] - steps)
        result: np.ndarray = (steps * grid.spacing[axis]) ** 2
        return result

    def between(self, v: np.ndarray, out: np.ndarray) -> list[np.ndarray]:
        """The arrays of a sequence of passes, one for each axis, from v to out."""
        inner = itertools.islice(itertools.cycle(self.spare), len(self.views) - 1)
        return [v, *inner, out]


class Scalings(Axes):
    """The numbers themselves."""

    def __init__(self, layout: Layout, epsilon: float) -> None:
        super().__init__(layout, epsilon)
        self.matrices = [np.where(gaps < LARGEST_GAP, np.exp(-np.minimum(gaps, LARGEST_GAP)), 0.0) for gaps in self.gaps]
        self.parts = [self._parts(gaps) for gaps in self.gaps]
        self.scratch = np.empty(self.shape)

    @staticmethod
    def _parts(gaps: np.ndarray) -> list[tuple[slice, slice]]:
        """Blocks of rows of a matrix, with the columns that are not zero in them; one block where that saves little."""
        n = len(gaps)
        parts = []
        for start in range(0, n, BAND):
            rows = slice(start, min(start + BAND, n))
            columns = np.flatnonzero((gaps[rows] < LARGEST_GAP).any(axis=0))
            parts.append((rows, slice(int(columns[0]), int(columns[-1]) + 1)))
        work = sum((rows.stop - rows.start) * (columns.stop - columns.start) for rows, columns in parts)
        return parts if work < SPARSE * n * n else [(slice(n), slice(n))]

    def given(self, masses: np.ndarray, out: np.ndarray) -> np.ndarray:
        """The masses themselves."""
        np.copyto(out, masses)
        return out

    def smooth(self, v: np.ndarray, out: np.ndarray) -> np.ndarray:
        """K v."""
        arrays = self.between(v, out)
        for view, matrix, parts, source, target in zip(self.views, self.matrices, self.parts, arrays, arrays[1:], strict=False):
            before, along, after = view
            if after == 1:
                given, filled = source.reshape(before, along), target.reshape(before, along)
                for rows, columns in parts:
                    np.matmul(given[:, columns], matrix[columns, rows], out=filled[:, rows])
            else:
                for given, filled in zip(source.reshape(view), target.reshape(view), strict=True):
                    for rows, columns in parts:
                        np.matmul(matrix[rows, columns], given[columns], out=filled[rows])
        return out

    def tilted(self, v: np.ndarray, exponent: np.ndarray, out: np.ndarray) -> np.ndarray:
        """v·exp(exponent), its largest factor absorbed."""
        flat = (out.reshape(-1), v.reshape(-1), exponent.reshape(-1))
        fill_products(*flat, float(exponent.max()), self.scratch.reshape(-1))
        return out

    def product(self, v: np.ndarray, w: np.ndarray, out: np.ndarray) -> np.ndarray:
        """v·w."""
        result: np.ndarray = np.multiply(v, w, out=out)
        return result

    def quotient(self, v: np.ndarray, w: np.ndarray, out: np.ndarray) -> np.ndarray:
        """v/w; zero where v is."""
        np.maximum(w, TINY, out=self.scratch)
        result: np.ndarray = np.divide(v, self.scratch, out=out)
        return result

    def balanced(self, d: np.ndarray, p: np.ndarray, smoothed: np.ndarray, out: np.ndarray) -> np.ndarray:
        """√(d·p/Kd)."""
        np.multiply(d, p, out=out)
        result: np.ndarray = np.sqrt(self.quotient(out, smoothed, out), out=out)
        return result

    def masses(self, v: np.ndarray, out: np.ndarray) -> np.ndarray:
        """v itself."""
        np.copyto(out, v)
        return out

    def logarithm(self, v: np.ndarray) -> np.ndarray:
        """log v."""
        result: np.ndarray = np.log(np.maximum(v, TINY))
        return result

    def extrapolated(self, d: np.ndarray, before: np.ndarray, weight: float) -> np.ndarray:
        """d·(d/before)^weight, in place."""
        d *= np.power(self.quotient(d, before, self.scratch), weight, out=self.scratch)
        return d

    def widened(self, d: np.ndarray, smoothed: np.ndarray, share: float) -> np.ndarray:
        """max(d, share·√(Kμ)), scaled to the size of d."""
        floor = np.sqrt(smoothed)
        result: np.ndarray = np.maximum(d, (share * float(d.max() / floor.max())) * floor)
        return result

    def lost(self, u: np.ndarray, q: np.ndarray) -> float:
        """At most what u·q has lost in the cells where q has underflown."""
        return float(u[q <= TINY].sum()) * TINY

    def sound(self, v: np.ndarray) -> bool:
        """Whether no entry of v has overflowed, or is close to it."""
        return bool(v.max() < HUGE)  # which no NaN is


class Logarithms(Axes):
    """The logarithms."""

    def __init__(self, layout: Layout, epsilon: float) -> None:
        super().__init__(layout, epsilon)
        self.tables = [self._tables(gaps) for gaps in self.gaps]
        longest = max(3 * ROWS, *(tables[0].shape[1] for tables in self.tables))
        self.work = np.zeros((BLOCKS, GAUSSIAN_SLOTS, longest * LANES))

    @staticmethod
    def _tables(gaps: np.ndarray) -> tuple[np.ndarray, ...]:
        """The gaps in whole chunks of ROWS cells, exp(near − gaps), and the least and the largest gap of each chunk: near, far."""
        n = len(gaps)
        padded = np.pad(gaps, ((0, 0), (0, -n % ROWS)), mode="edge")
        chunks = padded.reshape(n, -1, ROWS)
        near, far = chunks.min(axis=2), chunks.max(axis=2)
        return padded, np.exp(near[:, :, None] - chunks).reshape(padded.shape), near, far

    def given(self, masses: np.ndarray, out: np.ndarray) -> np.ndarray:
        """log masses."""
        result: np.ndarray = np.log(masses, out=out)
        return result

    def smooth(self, v: np.ndarray, out: np.ndarray) -> np.ndarray:
        """log K eᵛ."""
        arrays = self.between(v, out)
        for (_, along, after), tables, source, target in zip(self.views, self.tables, arrays, arrays[1:], strict=False):
            gaps, ratios, near, far = tables
            log_sums(source.reshape(-1), target.reshape(-1), along, after, gaps, ratios, near, far, self.work)
        return out

    def tilted(self, v: np.ndarray, exponent: np.ndarray, out: np.ndarray) -> np.ndarray:
        """v + exponent."""
        result: np.ndarray = np.add(v, exponent, out=out)
        return result

    def product(self, v: np.ndarray, w: np.ndarray, out: np.ndarray) -> np.ndarray:
        """v + w."""
        result: np.ndarray = np.add(v, w, out=out)
        return result

    def quotient(self, v: np.ndarray, w: np.ndarray, out: np.ndarray) -> np.ndarray:
        """v − w."""
        result: np.ndarray = np.subtract(v, w, out=out)
        return result

    def balanced(self, d: np.ndarray, p: np.ndarray, smoothed: np.ndarray, out: np.ndarray) -> np.ndarray:
        """½(d + p − log K eᵈ)."""
        np.add(d, p, out=out)
        out -= smoothed
        out *= 0.5
        return out

    def masses(self, v: np.ndarray, out: np.ndarray) -> np.ndarray:
        """eᵛ."""
        result: np.ndarray = np.exp(v, out=out)
        return result

    def logarithm(self, v: np.ndarray) -> np.ndarray:
        """v, where it is finite."""
        result: np.ndarray = np.maximum(v, NOTHING)
        return result

    def extrapolated(self, d: np.ndarray, before: np.ndarray, weight: float) -> np.ndarray:
        """d + weight·(d − before), in place."""
        d += weight * (d - before)
        return d

    def widened(self, d: np.ndarray, smoothed: np.ndarray, share: float) -> np.ndarray:
        """The same, in logarithms."""
        floor = 0.5 * smoothed
        result: np.ndarray = np.maximum(d, floor + (math.log(share) + float(d.max() - floor.max())))
        return result

    def lost(self, u: np.ndarray, q: np.ndarray) -> float:
        """Nothing underflows."""
        return 0.0

    def sound(self, v: np.ndarray) -> bool:
        """Whether no entry is NaN or infinite."""
        return bool(v.max() < np.inf)


DOMAINS: dict[str, Callable[[Layout, float], Domain]] = {"scaling": Scalings, "log": Logarithms}
