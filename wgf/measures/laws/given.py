"""Laws that are given: by points, or by a density of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from wgf.errors import InputError, check_function
from wgf.measures.arguments import drawing, refuse_masked
from wgf.measures.grid import Grid, inside_box, wrapped
from wgf.measures.laws.base import OnAxes, Rule, Vector, entries, legendre_rule, outer, require_fitting, require_ordered


@dataclass(frozen=True, repr=False)
class Samples:
    """The empirical law of given points: neurons of a trained network, for example.

    Parameters
    ----------
    points : array (m, p), or (m,) in one dimension
        finite numbers
    """

    points: Any

    def __post_init__(self) -> None:
        refuse_masked(self.points, "samples: points")
        try:
            points = np.array(self.points, dtype=float)
        except (TypeError, ValueError):
            raise InputError("samples: points must be numbers, in rows of one length: one point (θ_1, …, θ_p) a row") from None
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
        return int(self.points.shape[1])

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """A histogram: the cell of each point gets its mass (first order in h)."""
        require_fitting(self, grid)
        points = wrapped(self.points, np.array(grid.lower), np.array(grid.upper), np.array(grid.periodic()))
        counts, _ = np.histogramdd(points, bins=grid.edges)
        return counts / (len(self.points) * grid.cell_volume)

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        """Points have no density."""
        raise InputError("samples have no density: give a law that has one, such as a Gaussian around each of them (Mixture)")

    def sample(self, m: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        """The points themselves where m is their number, else m of them drawn with replacement."""
        rng = drawing(m, rng)
        return self.points.copy() if m == len(self.points) else rng.choice(self.points, m)

    def quadrature(self, nodes: int) -> Rule:
        """The points, equally weighted; `nodes` is ignored."""
        return self.points.copy(), np.full(len(self.points), 1 / len(self.points))

    def __repr__(self) -> str:
        return f"Samples({len(self.points)} points in {self.dim} dimension{'s' if self.dim > 1 else ''})"


NOWHERE = "the density is zero everywhere on its support; choose lower and upper so that they hold the law"


class FromDensity(OnAxes):
    """A law given by its density, which need not be normalised.

    Parameters
    ----------
    pdf : callable
        theta (…, p) → (…), ≥ 0
    sample : callable, optional
        (m, rng) → (m, p); without it, points are drawn by rejection from the support
    lower, upper : float or sequence of float, optional
        the support, a box; needed for rejection, for quadrature and for finding a grid; one number serves for all axes

    Raises
    ------
    InputError
        where the support is asked for and not given, or where the density has no mass on it
    """

    NODES = 4  # Gauss–Legendre points per axis and cell
    CELLS = 2**13  # of the support, for its mass
    SEARCH = 2**16  # points on which the maximum of the density is looked for

    lower: Vector | None
    upper: Vector | None

    def __init__(
        self,
        pdf: Callable[[np.ndarray], np.ndarray],
        sample: Callable[[int, np.random.Generator], np.ndarray] | None = None,
        lower: Vector | None = None,
        upper: Vector | None = None,
    ) -> None:
        check_function(pdf, "pdf", "the density, a function of θ (…, p) → (…)")
        if sample is not None:
            check_function(sample, "sample", "a function (m, rng) → (m, p)")
        self.function, self.sampler = pdf, sample
        self.lower, self.upper = lower, upper
        if (lower is None) != (upper is None):
            raise InputError("the support of a law given by its density needs both lower and upper, or neither")
        if lower is not None:
            self.store_vectors(lower=lower, upper=upper)
            require_ordered(self, "the support of a law given by its density")

    @property
    def dim(self) -> int | None:
        """p where the support is given, else None: unknown until a grid is."""
        return None if self.lower is None else len(entries(self.lower))

    def replaced(self, **vectors: Vector) -> FromDensity:
        return FromDensity(self.function, self.sampler, **vectors)

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """Gauss–Legendre in each cell, or its part in the support; of mass one on a box that holds the support, or where there is none."""
        require_fitting(self, grid)
        lower, upper = grid.lower, grid.upper
        if self.lower is not None and self.upper is not None:
            lower, upper = entries(self.lower), entries(self.upper)
        masses = np.add.reduce([self._masses(image) for image in grid.images(lower, upper)])
        if not masses.any():
            raise InputError("the density is zero everywhere on the box; choose a box that holds the initial law")
        result: np.ndarray = masses / ((masses.sum() if grid.holds(lower, upper) else self._mass) * grid.cell_volume)
        return result

    def _masses(self, grid: Grid) -> np.ndarray:
        """Those of the cells, by the density as it was given."""
        t, w = np.polynomial.legendre.leggauss(self.NODES)
        support = [(-np.inf, np.inf)] * grid.dim
        if self.lower is not None and self.upper is not None:
            support = list(zip(entries(self.lower), entries(self.upper), strict=True))
        edges = [np.clip(edges, *ends) for edges, ends in zip(grid.edges, support, strict=True)]
        middles, halves = [0.5 * (e[1:] + e[:-1]) for e in edges], [0.5 * np.diff(e) for e in edges]
        masses = np.zeros(grid.shape)
        for index in np.ndindex(*(self.NODES,) * grid.dim):
            axes = [middle + half * t[k] for middle, half, k in zip(middles, halves, index, strict=True)]
            theta = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
            masses += self._density(theta) * outer([half * w[k] for half, k in zip(halves, index, strict=True)])
        return masses

    def __repr__(self) -> str:
        return f"FromDensity({getattr(self.function, '__name__', self.function)!r})"

    def sample(self, m: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        rng = drawing(m, rng)
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
        points, weights = legendre_rule(*self._support("for the quadrature of a law given by its density"), nodes)
        weights = weights * self._density(points)
        if not weights.any():
            raise InputError(NOWHERE)
        return points, weights / weights.sum()

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        """The density, zero outside the support and of mass one in it; without a support as it was given, up to a factor."""
        theta = np.asarray(theta, dtype=float)
        values = self._density(theta)
        if self.lower is None or self.upper is None:
            return values
        return np.where(inside_box(theta, self.lower, self.upper), values / self._mass, 0.0)

    @cached_property
    def _mass(self) -> float:
        """∫ of the density as it was given over the support."""
        lower, upper = self._support("to normalise a law given by its density")
        if not (mass := float(self._masses(Grid(lower, upper, int(self.CELLS ** (1 / len(lower))))).sum())):
            raise InputError(NOWHERE)
        return mass

    def _density(self, theta: np.ndarray) -> np.ndarray:
        values = np.asarray(self.function(theta), dtype=float)
        if values.shape != theta.shape[:-1]:
            raise InputError(f"pdf gave shape {values.shape} for theta {theta.shape}; expected {theta.shape[:-1]}")
        if not np.isfinite(values).all() or (values < 0).any():
            raise InputError("pdf gave a value that is negative or not finite")
        return values

    def _support(self, purpose: str) -> tuple[Sequence[float], Sequence[float]]:
        if self.lower is None or self.upper is None:
            raise InputError(f"{purpose}, give its support: FromDensity(pdf, lower=[…], upper=[…]), or give sample=")
        return entries(self.lower), entries(self.upper)
