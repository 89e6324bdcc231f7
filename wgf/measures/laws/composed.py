"""Laws made of others, mixtures and products, and the laws that others are made of."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wgf.errors import InputError, entries_of
from wgf.measures.arguments import drawing
from wgf.measures.grid import Grid, vector
from wgf.measures.laws.base import Law, OnAxes, Rule, axis_averages, check_law, entries, outer, require_fitting
from wgf.measures.laws.simple import Gaussian, Uniform


def _on_axes(law: Law, p: int) -> Law:
    """The law on p axes, where its numbers serve for all."""
    return law.on_axes(p) if isinstance(law, OnAxes) else law


def _laws(laws: Sequence[Law], of: str) -> tuple[Law, ...]:
    """The laws that others are made of, each of which is one."""
    found = entries_of(laws, f"{of}: laws", "a list of laws")
    for law in found:
        check_law(law, f"{of}: one of its laws", "a law, such as wgf.Gaussian(mean=[…], std=[…])")
    return found


@dataclass(frozen=True)
class Mixture(OnAxes):
    """Σ_k weights_k laws_k. A law whose numbers serve for all axes has as many as the others.

    Parameters
    ----------
    weights : sequence of float
        positive; they are normalised to sum 1
    laws : sequence of laws
        of the same dimension
    """

    weights: Sequence[float]
    laws: Sequence[Law]

    def __post_init__(self) -> None:
        laws, weights = _laws(self.laws, "the mixture"), np.atleast_1d(vector(self.weights, "the mixture: weights"))
        if not laws or weights.shape != (len(laws),):
            raise InputError(f"the mixture has {weights.size} weights for {len(laws)} laws; give one weight per law, at least one of each")
        if not (np.isfinite(weights).all() and (weights > 0).all()):
            raise InputError(f"the mixture has weights {weights.tolist()}: they must be positive")
        laws = tuple(_on_axes(law, max((other.dim for other in laws if other.dim is not None), default=1)) for law in laws)
        if len({law.dim for law in laws}) > 1:
            raise InputError(f"the laws of the mixture have dimensions {[law.dim for law in laws]}: they must agree")
        object.__setattr__(self, "laws", laws)
        object.__setattr__(self, "weights", tuple((weights / weights.sum()).tolist()))

    def on_axes(self, p: int) -> Mixture:
        """With each law on p axes, where its numbers serve for all."""
        return Mixture(self.weights, [_on_axes(law, p) for law in self.laws])

    @property
    def dim(self) -> int | None:
        return self.laws[0].dim

    def cell_averages(self, grid: Grid) -> np.ndarray:
        result: np.ndarray = np.add.reduce([w * law.cell_averages(grid) for w, law in zip(self.weights, self.laws, strict=True)])
        return result

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        result: np.ndarray = np.add.reduce([w * law.pdf(theta) for w, law in zip(self.weights, self.laws, strict=True)])
        return result

    def sample(self, m: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        """The component of each point is drawn too, so that the points are independent."""
        rng = drawing(m, rng)
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
    """Independent groups of coordinates: the first law gives the first coordinates of θ, the next law the next ones, …

    Parameters
    ----------
    laws : sequence of laws
        a law all of whose vectors are single numbers is that of one coordinate here
    """

    laws: Sequence[Law]

    def __post_init__(self) -> None:
        object.__setattr__(self, "laws", _laws(self.laws, "the product"))
        if not self.laws:
            raise InputError("the product has no laws; give at least one")
        for k, law in enumerate(self.laws):
            if law.dim is None:
                raise InputError(f"law {k + 1} of the product has no dimension; give its support: FromDensity(pdf, lower=[…], upper=[…])")

    @property
    def dim(self) -> int:
        return sum(self.dims)

    @property
    def dims(self) -> list[int]:
        """Of each law."""
        return [law.dim or 0 for law in self.laws]

    def axis_averages(self, grid: Grid) -> list[np.ndarray] | None:
        """Those of the laws, where all of them have such averages or one coordinate."""
        factors: list[np.ndarray] = []
        for law, part in self._parts(grid):
            found = [law.cell_averages(part)] if part.dim == 1 else axis_averages(law, part)
            if found is None:
                return None
            factors += found
        return factors

    def cell_averages(self, grid: Grid) -> np.ndarray:
        return outer([law.cell_averages(part) for law, part in self._parts(grid)])

    def _parts(self, grid: Grid) -> list[tuple[Law, Grid]]:
        """Each law, with the grid of its axes."""
        require_fitting(self, grid)
        found, start = [], 0
        for law, dim in zip(self.laws, self.dims, strict=True):
            part = slice(start, start + dim)
            found.append((law, Grid(grid.lower[part], grid.upper[part], grid.shape[part], boundary=grid.boundary[part])))
            start += dim
        return found

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        ends = np.cumsum(self.dims)[:-1]
        parts = np.split(np.asarray(theta), ends, axis=-1)
        result: np.ndarray = np.prod([law.pdf(part) for law, part in zip(self.laws, parts, strict=True)], axis=0)
        return result

    def sample(self, m: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        rng = drawing(m, rng)
        return np.column_stack([law.sample(m, rng) for law in self.laws])

    def quadrature(self, nodes: int) -> Rule:
        points, weights = np.zeros((1, 0)), np.ones(1)
        for law in self.laws:
            new, w = law.quadrature(nodes)
            points = np.column_stack([np.repeat(points, len(new), axis=0), np.tile(new, (len(points), 1))])
            weights = np.multiply.outer(weights, w).ravel()
        return points, weights


def unmixed(law: Law) -> list[tuple[float, Law]]:
    """A law as Σ_k weight_k law_k of laws without mixtures, in products too."""
    if isinstance(law, Mixture):
        parts = zip(law.weights, law.laws, strict=True)
        return [(weight * share, part) for weight, whole in parts for share, part in unmixed(whole)]
    if isinstance(law, Product):
        choices = itertools.product(*(unmixed(factor) for factor in law.laws))
        return [(math.prod(weight for weight, _ in choice), Product([part for _, part in choice])) for choice in choices]
    return [(1.0, law)]


def independent(law: Law) -> list[Law]:
    """The laws of the independent groups of coordinates, in their order: of single coordinates where the law is Gaussian or uniform."""
    if isinstance(law, Product):
        return [group for factor in law.laws for group in independent(factor)]
    if isinstance(law, Gaussian):
        return [Gaussian([mean], [std]) for mean, std in zip(entries(law.mean), entries(law.std), strict=True)]
    if isinstance(law, Uniform):
        return [Uniform([lower], [upper]) for lower, upper in zip(entries(law.lower), entries(law.upper), strict=True)]
    return [law]
