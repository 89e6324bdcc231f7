"""The initial law of θ. One law gives the averages over the cells of a grid, i.i.d. neurons, and quadrature nodes.

Every law answers the same calls; p is its dimension `dim`:

    cell_averages(grid)   probability of each cell / its volume, (n_1, …, n_p); not renormalised, so that the part of the
                          law that the box leaves out is what is missing from one
    sample(m, rng)        m independent points, (m, p)
    quadrature(nodes)     points (N, p) and weights (N,), Σ = 1, with about `nodes` points per axis; spectrally accurate
                          for smooth integrands (Gauss rules)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import special

from wgf.errors import InputError
from wgf.grid import Grid

Rule = tuple[np.ndarray, np.ndarray]


class Law(Protocol):
    """The contract of an initial law; see the module's text."""

    @property
    def dim(self) -> int: ...
    def cell_averages(self, grid: Grid) -> np.ndarray: ...
    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray: ...
    def quadrature(self, nodes: int) -> Rule: ...


@dataclass(frozen=True)
class Gaussian:
    """Independent normal coordinates N(mean_k, std_k²)."""

    mean: Sequence[float]
    std: Sequence[float]

    def __post_init__(self) -> None:
        _vectors(self, mean=self.mean, std=self.std)
        _positive(self, "std")

    @property
    def dim(self) -> int:
        return len(self.mean)

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """Products of differences of the normal distribution function, taken in the tail that keeps all digits."""
        _fitting(self, grid)
        factors = []
        for edges, mean, std, spacing in zip(grid.edges, self.mean, self.std, grid.spacing, strict=True):
            z = (edges - mean) / std
            low, high = z[:-1], z[1:]
            mirrored = low > 0
            upper, lower = np.where(mirrored, -low, high), np.where(mirrored, -high, low)
            factors.append((special.ndtr(upper) - special.ndtr(lower)) / spacing)
        return _outer(factors)

    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(self.mean, self.std, (m, self.dim))

    def quadrature(self, nodes: int) -> Rule:
        """Gauss–Hermite, a tensor product."""
        z, w = np.polynomial.hermite_e.hermegauss(nodes)
        return _tensor([(mean + std * z, w / w.sum()) for mean, std in zip(self.mean, self.std, strict=True)])


@dataclass(frozen=True)
class Uniform:
    """The uniform law on the box Π [lower_k, upper_k]."""

    lower: Sequence[float]
    upper: Sequence[float]

    def __post_init__(self) -> None:
        _vectors(self, lower=self.lower, upper=self.upper)
        for k, (low, high) in enumerate(zip(self.lower, self.upper, strict=True)):
            if not low < high:
                raise InputError(
                    f"the uniform law has lower = {low:g}, upper = {high:g} in coordinate {k + 1}: lower must be less than upper"
                )

    @property
    def dim(self) -> int:
        return len(self.lower)

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """Exact: the overlap of each cell with the box."""
        _fitting(self, grid)
        factors = []
        for edges, low, high, spacing in zip(grid.edges, self.lower, self.upper, grid.spacing, strict=True):
            inside = np.clip(edges, low, high)
            factors.append(np.diff(inside) / ((high - low) * spacing))
        return _outer(factors)

    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(self.lower, self.upper, (m, self.dim))

    def quadrature(self, nodes: int) -> Rule:
        """Gauss–Legendre, a tensor product."""
        return _legendre(self.lower, self.upper, nodes)


@dataclass(frozen=True)
class Ball:
    """The uniform law on the ball |θ − center| ≤ radius."""

    center: Sequence[float]
    radius: float

    def __post_init__(self) -> None:
        _vectors(self, center=self.center)
        object.__setattr__(self, "radius", float(self.radius))
        if not (np.isfinite(self.radius) and self.radius > 0):
            raise InputError(f"the ball has radius = {self.radius:g}: it must be positive")

    @property
    def dim(self) -> int:
        return len(self.center)

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """Exact along the last axis (length of the chord), midpoints of 8 slices per cell along the others."""
        _fitting(self, grid)
        slices = 8 if self.dim > 1 else 1
        square = np.zeros(())
        for edges, center, n in zip(grid.edges[:-1], self.center[:-1], grid.shape[:-1], strict=True):
            fine = np.linspace(edges[0], edges[-1], slices * n + 1)
            square = np.add.outer(square, (0.5 * (fine[1:] + fine[:-1]) - center) ** 2)
        half_chord = np.sqrt(np.clip(self.radius**2 - square, 0.0, None))[..., None]
        inside = np.clip(grid.edges[-1] - self.center[-1], -half_chord, half_chord)
        overlap = np.diff(inside, axis=-1) / grid.spacing[-1]
        for axis, n in enumerate(grid.shape[:-1]):
            overlap = overlap.reshape(*overlap.shape[:axis], n, slices, *overlap.shape[axis + 1 :]).mean(axis=axis + 1)
        volume = np.pi ** (self.dim / 2) / special.gamma(self.dim / 2 + 1) * self.radius**self.dim
        return overlap / volume

    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray:
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


@dataclass(frozen=True)
class Mixture:
    """Σ_k weights_k laws_k; the weights are normalised to sum 1."""

    weights: Sequence[float]
    laws: Sequence[Law]

    def __post_init__(self) -> None:
        laws, weights = tuple(self.laws), np.asarray(self.weights, dtype=float)
        if not laws or weights.shape != (len(laws),):
            raise InputError(f"the mixture has {weights.size} weights for {len(laws)} laws; give one weight per law, at least one of each")
        if not (np.isfinite(weights).all() and (weights > 0).all()):
            raise InputError(f"the mixture has weights {weights.tolist()}: they must be positive")
        if len({law.dim for law in laws}) > 1:
            raise InputError(f"the laws of the mixture have dimensions {[law.dim for law in laws]}: they must agree")
        object.__setattr__(self, "laws", laws)
        object.__setattr__(self, "weights", tuple((weights / weights.sum()).tolist()))

    @property
    def dim(self) -> int:
        return self.laws[0].dim

    def cell_averages(self, grid: Grid) -> np.ndarray:
        return np.add.reduce([w * law.cell_averages(grid) for w, law in zip(self.weights, self.laws, strict=True)])

    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray:
        """The component of each point is drawn too, so that the points are independent."""
        counts = rng.multinomial(m, self.weights)
        points = np.concatenate([law.sample(count, rng) for count, law in zip(counts, self.laws, strict=True)])
        return rng.permutation(points)

    def quadrature(self, nodes: int) -> Rule:
        rules = [law.quadrature(nodes) for law in self.laws]
        return (
            np.concatenate([points for points, _ in rules]),
            np.concatenate([w * weights for w, (_, weights) in zip(self.weights, rules, strict=True)]),
        )


@dataclass(frozen=True)
class Product:
    """Independent groups of coordinates: the first law gives the first coordinates of θ, the next law the next ones, …"""

    laws: Sequence[Law]

    def __post_init__(self) -> None:
        object.__setattr__(self, "laws", tuple(self.laws))
        if not self.laws:
            raise InputError("the product has no laws; give at least one")
        for k, law in enumerate(self.laws):
            if law.dim is None:
                raise InputError(f"law {k + 1} of the product has no dimension; say where it lives: FromDensity(pdf, lower=[…], upper=[…])")

    @property
    def dim(self) -> int:
        return sum(law.dim for law in self.laws)

    def cell_averages(self, grid: Grid) -> np.ndarray:
        _fitting(self, grid)
        factors, start = [], 0
        for law in self.laws:
            part = slice(start, start + law.dim)
            factors.append(law.cell_averages(Grid(grid.lower[part], grid.upper[part], grid.shape[part])))
            start += law.dim
        return _outer(factors)

    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray:
        return np.column_stack([law.sample(m, rng) for law in self.laws])

    def quadrature(self, nodes: int) -> Rule:
        points, weights = np.zeros((1, 0)), np.ones(1)
        for law in self.laws:
            new, w = law.quadrature(nodes)
            points = np.column_stack([np.repeat(points, len(new), axis=0), np.tile(new, (len(points), 1))])
            weights = np.multiply.outer(weights, w).ravel()
        return points, weights


@dataclass(frozen=True, repr=False)
class Samples:
    """The empirical law of given points (m, p), or (m,) in one dimension: neurons of a trained network, for example."""

    points: Any

    def __post_init__(self) -> None:
        points = np.array(self.points, dtype=float)
        points = points.reshape(-1, 1) if points.ndim == 1 else points
        if points.ndim != 2 or not points.size:
            raise InputError(f"samples have shape {points.shape}; expected (m, p) with m, p ≥ 1")
        if not np.isfinite(points).all():
            row = int(np.argmax(~np.isfinite(points).all(axis=1)))
            raise InputError(f"sample {row} is {points[row].tolist()}: every coordinate must be a finite number")
        points.setflags(write=False)
        object.__setattr__(self, "points", points)

    @property
    def dim(self) -> int:
        return self.points.shape[1]

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """A histogram: the cell of each point gets its mass (first order in h)."""
        _fitting(self, grid)
        counts, _ = np.histogramdd(self.points, bins=grid.edges)
        return counts / (len(self.points) * grid.cell_volume)

    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray:
        """The points themselves where m is their number, else m of them drawn with replacement."""
        return self.points.copy() if m == len(self.points) else rng.choice(self.points, m)

    def quadrature(self, nodes: int) -> Rule:
        """The points, equally weighted; `nodes` has no say."""
        return self.points.copy(), np.full(len(self.points), 1 / len(self.points))

    def __repr__(self) -> str:
        return f"Samples({len(self.points)} points in {self.dim} dimension{'s' if self.dim > 1 else ''})"


NOWHERE = "the density is zero everywhere on its support; choose lower and upper so that they hold the law"


class FromDensity:
    """A law given by its density pdf(theta (…, p)) → (…), which need not be normalised.

    sample         a function (m, rng) → (m, p); without it, points are drawn by rejection from the support
    lower, upper   the support, a box; needed for rejection, for quadrature and for finding a grid
    """

    NODES = 4  # Gauss–Legendre points per axis and cell
    SEARCH = 2**16  # points on which the maximum of the density is looked for

    lower: Sequence[float] | None
    upper: Sequence[float] | None

    def __init__(
        self,
        pdf: Callable[[np.ndarray], np.ndarray],
        sample: Callable[[int, np.random.Generator], np.ndarray] | None = None,
        lower: Sequence[float] | None = None,
        upper: Sequence[float] | None = None,
    ) -> None:
        self.pdf, self.sampler = pdf, sample
        self.lower, self.upper = lower, upper
        if (lower is None) != (upper is None):
            raise InputError("the support of a law given by its density needs both lower and upper, or neither")
        if lower is not None:
            _vectors(self, lower=lower, upper=upper)
            _ordered(self, "the support of a law given by its density")

    @property
    def dim(self) -> int | None:
        """P where the support is given, else None: unknown until a grid is."""
        return None if self.lower is None else len(self.lower)

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """Gauss–Legendre in each cell, or its part in the support; normalised to mass one on the box of the grid."""
        _fitting(self, grid)
        t, w = np.polynomial.legendre.leggauss(self.NODES)
        support = zip(self.lower, self.upper, strict=True) if self.lower and self.upper else [(-np.inf, np.inf)] * grid.dim
        edges = [np.clip(edges, *ends) for edges, ends in zip(grid.edges, support, strict=True)]
        middles, halves = [0.5 * (e[1:] + e[:-1]) for e in edges], [0.5 * np.diff(e) for e in edges]
        masses = np.zeros(grid.shape)
        for index in np.ndindex(*(self.NODES,) * grid.dim):
            axes = [middle + half * t[k] for middle, half, k in zip(middles, halves, index, strict=True)]
            theta = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
            masses += self._density(theta) * _outer([half * w[k] for half, k in zip(halves, index, strict=True)])
        if not masses.any():
            raise InputError("the density is zero everywhere on the box; choose a box that holds the initial law")
        return masses / (masses.sum() * grid.cell_volume)

    def __repr__(self) -> str:
        return f"FromDensity({getattr(self.pdf, '__name__', self.pdf)!r})"

    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray:
        if self.sampler is not None:
            drawn = np.asarray(self.sampler(m, rng), dtype=float)
            if drawn.ndim not in (1, 2) or len(drawn) != m:
                raise InputError(f"sample gave an array of shape {drawn.shape} for m = {m}; expected ({m}, p)")
            return drawn[:, None] if drawn.ndim == 1 else drawn
        lower, upper = self._support("to sample a law given by its density")
        bound = 1.1 * self._density(Grid(lower, upper, int(self.SEARCH ** (1 / len(lower)))).points()).max()
        if bound == 0:
            raise InputError(NOWHERE)
        points = np.empty((0, len(lower)))
        while len(points) < m:
            proposal = rng.uniform(lower, upper, (max(m, 1024), len(lower)))
            density = self._density(proposal)
            if density.max() > bound:  # a peak between the points of the search: begin again below a higher bound
                bound, points = 1.1 * density.max(), points[:0]
            points = np.concatenate([points, proposal[rng.uniform(0.0, bound, len(proposal)) < density]])
        return points[:m]

    def quadrature(self, nodes: int) -> Rule:
        """Gauss–Legendre on the support, weighted with the density."""
        points, weights = _legendre(*self._support("for the quadrature of a law given by its density"), nodes)
        weights = weights * self._density(points)
        if not weights.any():
            raise InputError(NOWHERE)
        return points, weights / weights.sum()

    def _density(self, theta: np.ndarray) -> np.ndarray:
        values = np.asarray(self.pdf(theta), dtype=float)
        if values.shape != theta.shape[:-1]:
            raise InputError(f"pdf gave shape {values.shape} for theta {theta.shape}; expected {theta.shape[:-1]}")
        if not np.isfinite(values).all() or (values < 0).any():
            raise InputError("pdf gave a value that is negative or not finite")
        return values

    def _support(self, purpose: str) -> tuple[Sequence[float], Sequence[float]]:
        if self.lower is None or self.upper is None:
            raise InputError(f"{purpose}, say where it lives: FromDensity(pdf, lower=[…], upper=[…]), or give sample=")
        return self.lower, self.upper


LAWS: dict[str, type] = {
    "gaussian": Gaussian,
    "uniform": Uniform,
    "ball": Ball,
    "mixture": Mixture,
    "product": Product,
    "samples": Samples,
}


def _vectors(law: Any, **named: Any) -> None:
    """Store each entry as a tuple of floats, all of one length, all finite."""
    lengths = set()
    for name, values in named.items():
        try:
            array = np.atleast_1d(np.asarray(values, dtype=float))
        except (TypeError, ValueError):
            raise InputError(f"{type(law).__name__.lower()}: {name} = {values!r} is not a list of numbers") from None
        if array.ndim != 1 or not np.isfinite(array).all():
            raise InputError(f"{type(law).__name__.lower()}: {name} = {values!r} must be finite numbers, one per coordinate")
        object.__setattr__(law, name, tuple(array.tolist()))
        lengths.add(len(array))
    if len(lengths) > 1:
        sizes = ", ".join(f"{name} has {len(getattr(law, name))}" for name in named)
        raise InputError(f"{type(law).__name__.lower()}: {sizes} entries; give one per coordinate in each")


def _positive(law: Any, name: str) -> None:
    for k, value in enumerate(getattr(law, name)):
        if not value > 0:
            raise InputError(f"{type(law).__name__.lower()}: {name} = {value:g} in coordinate {k + 1}; it must be positive")


def _fitting(law: Any, grid: Grid) -> None:
    if law.dim not in (None, grid.dim):
        raise InputError(f"the law has dimension {law.dim} but the grid has dimension {grid.dim}: they must agree")


def _ordered(law: Any, what: str) -> None:
    for k, (low, high) in enumerate(zip(law.lower, law.upper, strict=True)):
        if not low < high:
            raise InputError(f"{what} has lower = {low:g}, upper = {high:g} in coordinate {k + 1}: lower must be less than upper")


def _outer(factors: Sequence[np.ndarray]) -> np.ndarray:
    product = factors[0]
    for factor in factors[1:]:
        product = np.multiply.outer(product, factor)
    return product


def _tensor(rules: Sequence[Rule]) -> Rule:
    points = np.stack(np.meshgrid(*(nodes for nodes, _ in rules), indexing="ij"), axis=-1).reshape(-1, len(rules))
    return points, _outer([weights for _, weights in rules]).ravel()


def _legendre(lower: Sequence[float], upper: Sequence[float], nodes: int) -> Rule:
    t, w = np.polynomial.legendre.leggauss(nodes)
    return _tensor([(0.5 * (low + high) + 0.5 * (high - low) * t, 0.5 * w) for low, high in zip(lower, upper, strict=True)])
