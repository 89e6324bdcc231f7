"""Neurons with one free argument beside c, read from a table along it.

With c and one other coordinate ζ in θ, z_i = ζα_i + β_i for the data x_i, where α_i = x_ik for ζ = a_k, 1 for ζ = b. On pieces
[kh, (k + 1)h) of the line the functions s_i(ζ) = σ(ζα_i + β_i) are replaced by their Chebyshev interpolants of degree TERMS − 1,

    s_i(ζ) = Σ_q P_kqi uᵠ,    u = 2(ζ/h − k) − 1,

so that a network and the gradient of ⟨g(θ), v⟩ cost TERMS operations a neuron, however many data there are:

    Σ_j m_j c_j s_i(ζ_j) = Σ_kq M_kq P_kqi,   M_kq = Σ_{j in piece k} m_j c_j u_jᵠ;      ⟨s(ζ), v⟩ = Σ_q (P_kq·v) uᵠ, and its derivative.

The second is the adjoint of the first: moments and velocities are those of one neuron, c Σ_q P_kq uᵠ. It differs from c·σ by less than
TOLERANCE in value and slope, relative to the largest of both near zero and to the largest value on the piece, which is checked piece by
piece; where one fails, or the neurons reach over too many, they are evaluated directly. A piece depends on the neuron and the data alone:
results for particles do not depend on where they were before.

The width h max|α| of a piece in z is the largest of WIDTHS for which σ passes the check near zero. An interpolant of degree N − 1 is off by
about ρ^{−N}, where ρ is the sum of the half axes of the ellipse through the nearest pole with foci at the ends, the half width being one
[Trefethen, Approximation Theory and Approximation Practice (2013), th. 8.2]: 1e-14 for tanh with width ¼ and N = 10, ρ = 25.
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, cast

import numpy as np
from numpy.polynomial import chebyshev, polynomial

from wgf.networks.activations import Activation, Array
from wgf.networks.chebyshev_points import chebyshev_points
from wgf.networks.neuron import LinearResponse, Neuron, RidgeResponse
from wgf.networks.scaling import ScaledNeuron

TERMS = 10  # of a piece
TOLERANCE = 1e-12
WIDTHS = (1.0, 0.5, 0.25, 0.125, 0.0625)  # of a piece, in z: on a narrower one rounding counts
NEAR = 8  # |z| up to which a width is tried
FEWEST = 500  # neurons, and
EACH = 4  # of them for every piece: fewer are not worth a table
LARGEST = 2**22  # entries of a table
TOGETHER = 2**14  # neurons read at once


@dataclass(frozen=True, repr=False)
class TabulatedNeuron(Neuron):
    """A neuron that reads many responses from a table, where it is asked for them at the table's inputs."""

    table: Table | None = field(default=None, compare=False)

    def rows_at_once(self, samples: int) -> int:
        """How many responses to ask for in one."""
        return TOGETHER

    def at(self, theta: Array, x: Array) -> LinearResponse:
        """The response at theta (N, p)."""
        table = self.table
        if len(theta) < FEWEST or table is None or x is not table.x or not table.per_width:
            return super().at(theta, x)
        axis = next(k for k, name in enumerate(self.theta) if name != "c")
        y = theta[:, axis] * table.per_width
        found = table.reaching(y)
        return super().at(theta, x) if found is None else _TabulatedResponse(self, theta, x, y, *found)


def tabulated(neuron: Any, x: Array) -> Any:
    """The neuron with a table for inputs x (n, d), where it has one argument, σ is smooth, and there are compiled loops for it."""
    if isinstance(neuron, ScaledNeuron):
        return dataclasses.replace(neuron, neuron=tabulated(neuron.neuron, x))
    if type(neuron) is not Neuron or neuron.sigma.kinks or neuron.sigma.formula is None or len(set(neuron.theta) - {"c"}) != 1:
        return neuron
    return TabulatedNeuron(neuron.activation, neuron.theta, neuron.fixed, neuron.dim, Table(neuron, x))


class Table:
    """The pieces P_k of a neuron with one argument, for inputs x (n, d), made where they are asked for.

    per_width    1/h; zero where no width is narrow enough, or z does not depend on ζ
    """

    def __init__(self, neuron: Neuron, x: Array) -> None:
        self.sigma, self.x = neuron.sigma, x
        argument = np.array([name != "c" for name in neuron.theta])
        _, a, b = neuron.split(np.stack([np.zeros(len(argument)), argument]))
        self.beta, one = a @ x.T + b[:, None]
        self.alpha = one - self.beta
        self.per_width = float(np.abs(self.alpha).max()) / (widest(self.sigma) or np.inf)
        self._first, self._pieces = 0, np.empty((0, TERMS, len(x)))
        self._growing = threading.Lock()

    def reaching(self, y: Array) -> tuple[int, Array] | None:
        """The first k, and P_k (K, TERMS, n) from there on, for places y = ζ/h (N,); None where the table should not be used."""
        low, high = float(y.min()), float(y.max())
        if not (high - low < len(y) / EACH and self._small(high - low) and abs(low) < 2**52):  # nor where a place is not finite
            return None
        first, end = int(np.floor(low)), int(np.floor(high)) + 1
        with self._growing:
            self._reach(first, end)
            pieces = self._pieces[first - self._first : end - self._first]
        return None if np.isnan(pieces[:, 0, 0]).any() else (first, pieces)

    def _small(self, count: float) -> bool:
        """Whether so many pieces make a table of a size to keep."""
        return count * TERMS * len(self.x) < LARGEST

    def _reach(self, first: int, end: int) -> None:
        """Let the table reach from piece `first` to `end` − 1: by pieces at both ends, or as a new one where those are too many."""
        start, stop = self._first, self._first + len(self._pieces)
        if start == stop or not self._small(max(end, stop) - min(first, start)):
            self._pieces = self._pieces[:0]
            start = stop = self._first = first
        below, above = range(first, start), range(stop, end)
        if below or above:
            parts = [self._pieces[:0], *map(self._piece, below), self._pieces, *map(self._piece, above)]
            self._first, self._pieces = min(first, start), np.concatenate(parts)

    def _piece(self, k: int) -> Array:
        """P_k, (1, TERMS, n); NaN where it fails."""
        widths = self.alpha / self.per_width
        return interpolant(self.sigma, k * widths + self.beta, widths)[None]


@cache
def size(sigma: Activation) -> float:
    """The largest of |σ| and |σ'| where |z| < NEAR."""
    z = np.linspace(-NEAR, NEAR, 1000)
    return float(max(np.abs(sigma.value(z)).max(), np.abs(sigma.first(z)).max()))


@cache
def widest(sigma: Activation) -> float:
    """The largest of WIDTHS on which σ is well interpolated where |z| < NEAR, from everywhere in steps of half of it; zero if none is."""
    for width in WIDTHS:
        pieces = (interpolant(sigma, np.array([low]), np.array([width])) for low in np.arange(-NEAR, NEAR, 0.5 * width))
        if not any(np.isnan(piece).any() for piece in pieces):
            return width
    return 0.0


def interpolant(sigma: Activation, low: Array, widths: Array) -> Array:
    """The coefficients P (TERMS, n) of σ(low + ½ widths (1 + u)) ≈ Σ_q P_q uᵠ, |u| ≤ 1, for widths (n,); NaN where they are not as good."""
    nodes, powers, places, at_places, slopes_there = _rule()
    value = sigma.value(low + 0.5 * np.multiply.outer(1.0 + nodes, widths))
    mean = value.mean(axis=0)  # which would lose digits of the others
    coefficients = powers @ (value - mean)
    coefficients[0] += mean
    z = low + 0.5 * np.multiply.outer(1.0 + places, widths)
    value, half = sigma.value(z), 0.5 * np.abs(widths).max()
    slope = 0.5 * widths * sigma.first(z)
    allowed = TOLERANCE * max(size(sigma), np.abs(value).max())
    missed = max(np.abs(at_places @ coefficients - value).max(), np.abs(slopes_there @ coefficients - slope).max() / half)
    return coefficients if missed <= allowed else np.full(coefficients.shape, np.nan)


@lru_cache(maxsize=1)
def _rule() -> tuple[Array, Array, Array, Array, Array]:
    """Chebyshev nodes; the matrix from values there to powers of u; places between them, and those from powers to values and slopes."""
    nodes, to_chebyshev = chebyshev_points(TERMS)
    degrees = np.arange(TERMS)
    to_powers = np.column_stack([np.append(chebyshev.cheb2poly(np.eye(k + 1)[k]), np.zeros(TERMS - 1 - k)) for k in range(TERMS)])
    places = np.cos(np.pi * np.arange(TERMS + 1) / TERMS)
    values = polynomial.polyvander(places, TERMS - 1)
    slopes = np.column_stack([np.zeros(len(places)), values[:, :-1] * degrees[1:]])
    return nodes, to_powers @ to_chebyshev, places, values, slopes


class _TabulatedResponse(RidgeResponse):
    """c Σ_q P_kq uᵠ at theta (N, p), with y = ζ/h (N,) and the pieces from `first` on; what is not a sum is the neuron's own."""

    def __init__(self, neuron: TabulatedNeuron, theta: Array, x: Array, y: Array, first: int, pieces: Array) -> None:
        super().__init__(neuron, theta, x)
        self.y, self.first, self.pieces, self.per_width = y, first, pieces, cast("Table", neuron.table).per_width

    @property
    def c(self) -> Array:
        """The output weights, (N,) or, where they are fixed, (1,)."""
        axis = self.neuron.output_axis
        return self.neuron.all_coordinates(self.theta[:1])[:, 0] if axis is None else self.theta[:, axis]

    def total(self, masses: Array) -> Array:
        """Σ_j masses_j g(θ_j; x), (n,)."""
        from wgf.kernels.pieces import add_deposits

        total, moments = np.zeros(self.pieces.shape[-1]), np.empty(self.pieces.shape[:2])
        add_deposits(total, moments, self.pieces, self.y, masses * self.c, self.first)
        return total

    def pull(self, u: Array) -> Array:
        """⟨s(ζ_j), u⟩ for c, and c_j times its derivative for ζ, (N, p)."""
        from wgf.kernels.pieces import read_pieces

        read = np.empty((len(self.y), 2))
        read_pieces(read, np.empty(self.pieces.shape[:2]), self.pieces, u, self.y, self.first)
        read[:, 1] *= self.c * self.per_width
        result: Array = read[:, [int(name != "c") for name in self.neuron.theta]]
        return result
