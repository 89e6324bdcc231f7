"""Laws with a formula: Gaussian, uniform on a box, uniform on a ball."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from wgf.errors import positive
from wgf.measures.arguments import drawing
from wgf.measures.grid import Grid, inside_box, laps, per_axis
from wgf.measures.laws.base import (
    OnAxes,
    Rule,
    Vector,
    entries,
    legendre_rule,
    outer,
    require_fitting,
    require_ordered,
    require_positive,
    tensor_rule,
)

REACH = 9.0  # standard deviations beyond which a normal law has less than 1e-18
EVEN = 1.5  # periods: a wrapped normal law of a larger standard deviation is uniform to 1e-19


@dataclass(frozen=True, repr=False)
class Gaussian(OnAxes):
    """Independent normal coordinates N(mean_k, std_k²): `Gaussian([0, 1], 0.4)`.

    Parameters
    ----------
    mean : float or sequence of float
        one number serves for all axes
    std : float or sequence of float
        the standard deviations, > 0; one number serves for all axes
    """

    mean: Vector
    std: Vector

    def __post_init__(self) -> None:
        self.store_vectors(mean=self.mean, std=self.std)
        require_positive(self, "std")

    @property
    def dim(self) -> int:
        return len(entries(self.mean))

    def axis_averages(self, grid: Grid) -> list[np.ndarray]:
        """Differences of the normal distribution function; summed over the laps around a periodic axis."""
        require_fitting(self, grid)
        axes = zip(grid.edges, entries(self.mean), entries(self.std), grid.spacing, grid.periodic(), strict=True)
        return [_normal(edges, mean, std, wrap) / spacing for edges, mean, std, spacing, wrap in axes]

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """Products of those along the axes."""
        return outer(self.axis_averages(grid))

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        z = (np.asarray(theta) - self.mean) / self.std
        scale = float(np.prod(np.sqrt(2 * np.pi) * np.array(self.std)))
        return np.asarray(np.exp(-0.5 * np.sum(z**2, axis=-1)) / scale)

    def sample(self, m: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        rng = drawing(m, rng)
        return rng.normal(self.mean, self.std, (m, self.dim))

    def quadrature(self, nodes: int | Sequence[int]) -> Rule:
        """Gauss–Hermite, a tensor product; `nodes` on all axes, or for each."""
        rules = []
        for mean, std, order in zip(entries(self.mean), entries(self.std), per_axis(nodes, self.dim, "nodes"), strict=True):
            z, w = hermite_rule(order)
            rules.append((mean + std * z, w))
        return tensor_rule(rules)


@lru_cache(maxsize=32)
def hermite_rule(order: int) -> Rule:
    """Gauss–Hermite for a standard Gaussian; kept, for it takes as long as many a solve does."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    rule = nodes, weights / weights.sum()
    for array in rule:
        array.setflags(write=False)
    return rule


def _normal(edges: np.ndarray, mean: float, std: float, wrap: bool) -> np.ndarray:
    """The probabilities of cells under N(mean, std²), by differences in the tail that keeps all digits; wrapped around the axis if `wrap`.

    A law that is far wider than the period P is uniform on it, up to 2 exp(−2(π std/P)²).
    """
    if wrap and std > EVEN * (edges[-1] - edges[0]):
        result: np.ndarray = np.diff(edges) / (edges[-1] - edges[0])
        return result
    shifts = laps(edges[0], edges[-1], mean - REACH * std, mean + REACH * std) if wrap else (0.0,)
    masses = np.zeros(len(edges) - 1)
    for shift in shifts:
        z = (edges + shift - mean) / std
        low, high = z[:-1], z[1:]
        mirrored = low > 0
        upper, lower = np.where(mirrored, -low, high), np.where(mirrored, -high, low)
        masses += special.ndtr(upper) - special.ndtr(lower)
    return masses


@dataclass(frozen=True, repr=False)
class Uniform(OnAxes):
    """The uniform law on the box Π [lower_k, upper_k]: `Uniform(-1, [1, 2])`.

    Parameters
    ----------
    lower : float or sequence of float
        the lower ends; one number serves for all axes
    upper : float or sequence of float
        the upper ends, > lower
    """

    lower: Vector
    upper: Vector

    def __post_init__(self) -> None:
        self.store_vectors(lower=self.lower, upper=self.upper)
        require_ordered(self, "the uniform law")

    @property
    def dim(self) -> int:
        return len(entries(self.lower))

    def axis_averages(self, grid: Grid) -> list[np.ndarray]:
        """Exact: the overlap of each cell with the box."""
        require_fitting(self, grid)
        factors = []
        for edges, low, high, spacing, wrap in zip(
            grid.edges, entries(self.lower), entries(self.upper), grid.spacing, grid.periodic(), strict=True
        ):
            shifts = laps(edges[0], edges[-1], low, high) if wrap else (0.0,)
            overlap = np.add.reduce([np.diff(np.clip(edges + shift, low, high)) for shift in shifts])
            factors.append(overlap / ((high - low) * spacing))
        return factors

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """Products of those along the axes."""
        return outer(self.axis_averages(grid))

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        inside = inside_box(np.asarray(theta), self.lower, self.upper)
        return np.asarray(inside / float(np.prod(np.array(self.upper) - self.lower)))

    def sample(self, m: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        rng = drawing(m, rng)
        return rng.uniform(self.lower, self.upper, (m, self.dim))

    def quadrature(self, nodes: int | Sequence[int]) -> Rule:
        """Gauss–Legendre, a tensor product; `nodes` on all axes, or for each."""
        return legendre_rule(entries(self.lower), entries(self.upper), nodes)


@dataclass(frozen=True, repr=False)
class Ball(OnAxes):
    """The uniform law on the ball |θ − center| ≤ radius.

    Parameters
    ----------
    center : float or sequence of float
        one number serves for all coordinates
    radius : float
        in the units of θ, > 0
    """

    center: Vector
    radius: float

    def __post_init__(self) -> None:
        self.store_vectors(center=self.center)
        positive(self.radius, "the ball has radius")
        object.__setattr__(self, "radius", float(self.radius))

    @property
    def dim(self) -> int:
        return len(entries(self.center))

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """Exact along the last axis (length of the chord), midpoints of 8 slices per cell along the others; of mass one if uncut."""
        require_fitting(self, grid)
        box = [(np.array(entries(self.center)) + side * self.radius).tolist() for side in (-1, 1)]
        averages = np.add.reduce([self._averages(image) for image in grid.images(*box)])
        result: np.ndarray = averages / (averages.sum() * grid.cell_volume) if grid.holds(*box) else averages
        return result

    def _averages(self, grid: Grid) -> np.ndarray:
        """Without wrapping around."""
        slices, centers = 8 if self.dim > 1 else 1, entries(self.center)
        square = np.zeros(())
        for edges, center, n in zip(grid.edges[:-1], centers[:-1], grid.shape[:-1], strict=True):
            fine = np.linspace(edges[0], edges[-1], slices * n + 1)
            square = np.add.outer(square, (0.5 * (fine[1:] + fine[:-1]) - center) ** 2)
        half_chord = np.sqrt(np.clip(self.radius**2 - square, 0.0, None))[..., None]
        inside = np.clip(grid.edges[-1] - centers[-1], -half_chord, half_chord)
        overlap = np.diff(inside, axis=-1) / grid.spacing[-1]
        for axis, n in enumerate(grid.shape[:-1]):
            overlap = overlap.reshape(*overlap.shape[:axis], n, slices, *overlap.shape[axis + 1 :]).mean(axis=axis + 1)
        result: np.ndarray = overlap / self.volume
        return result

    @property
    def volume(self) -> float:
        """Of the ball."""
        return float(np.pi ** (self.dim / 2) / special.gamma(self.dim / 2 + 1) * self.radius**self.dim)

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        result: np.ndarray = (np.sum((np.asarray(theta) - self.center) ** 2, axis=-1) <= self.radius**2) / self.volume
        return result

    def sample(self, m: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        rng = drawing(m, rng)
        direction = rng.normal(size=(m, self.dim))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return self.center + self.radius * rng.uniform(size=(m, 1)) ** (1 / self.dim) * direction

    def quadrature(self, nodes: int) -> Rule:
        """Slice by slice: coordinate k of a p-ball has density ∝ (1 − t²)^{(p−1)/2} (Gauss–Jacobi), and what is left of
        the point lies in a ball of one dimension less with radius √(1 − t²).
        """
        points, weights, radius = np.zeros((1, 0)), np.ones(1), np.ones(1)
        for left in range(self.dim, 0, -1):
            t, w = special.roots_gegenbauer(nodes, left / 2)
            new = np.multiply.outer(radius, t)
            points = np.column_stack([np.repeat(points, nodes, axis=0), new.ravel()])
            weights = np.multiply.outer(weights, w / w.sum()).ravel()
            radius = np.multiply.outer(radius, np.sqrt(1 - t**2)).ravel()
        return self.center + self.radius * points, weights
