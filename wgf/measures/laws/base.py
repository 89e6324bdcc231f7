"""What laws share: the contract, checks of their numbers, and tensor products of quadrature rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from wgf.errors import InputError
from wgf.measures.grid import Grid

Rule = tuple[np.ndarray, np.ndarray]  # points (N, p) and weights (N,)


class Law(Protocol):
    """The contract of an initial law; see the module's text."""

    @property
    def dim(self) -> int: ...
    def cell_averages(self, grid: Grid) -> np.ndarray: ...
    def pdf(self, theta: np.ndarray) -> np.ndarray: ...
    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray: ...
    def quadrature(self, nodes: int) -> Rule: ...


def store_vectors(law: Any, **named: Any) -> None:
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


def require_positive(law: Any, name: str) -> None:
    """Every entry of the field `name` is positive."""
    for k, value in enumerate(getattr(law, name)):
        if not value > 0:
            raise InputError(f"{type(law).__name__.lower()}: {name} = {value:g} in coordinate {k + 1}; it must be positive")


def require_fitting(law: Any, grid: Grid) -> None:
    """The law and the grid have the same dimension."""
    if law.dim not in (None, grid.dim):
        raise InputError(f"the law has dimension {law.dim} but the grid has dimension {grid.dim}: they must agree")


def require_ordered(law: Any, what: str) -> None:
    """Every lower edge is less than its upper edge."""
    for k, (low, high) in enumerate(zip(law.lower, law.upper, strict=True)):
        if not low < high:
            raise InputError(f"{what} has lower = {low:g}, upper = {high:g} in coordinate {k + 1}: lower must be less than upper")


def outer(factors: Sequence[np.ndarray]) -> np.ndarray:
    """The outer product of arrays, their axes one after the other."""
    product = factors[0]
    for factor in factors[1:]:
        product = np.multiply.outer(product, factor)
    return product


def tensor_rule(rules: Sequence[Rule]) -> Rule:
    """The tensor product of one-dimensional rules (nodes (n,), weights (n,))."""
    points = np.stack(np.meshgrid(*(nodes for nodes, _ in rules), indexing="ij"), axis=-1).reshape(-1, len(rules))
    return points, outer([weights for _, weights in rules]).ravel()


def legendre_rule(lower: Sequence[float], upper: Sequence[float], nodes: int) -> Rule:
    """Gauss–Legendre on a box, weights summing to one."""
    t, w = np.polynomial.legendre.leggauss(nodes)
    return tensor_rule([(0.5 * (low + high) + 0.5 * (high - low) * t, 0.5 * w) for low, high in zip(lower, upper, strict=True)])
