"""What laws share: the contract, checks of their numbers, and tensor products of quadrature rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from wgf.errors import InputError, answers
from wgf.measures.grid import Grid, per_axis, vector

Rule = tuple[np.ndarray, np.ndarray]  # points (N, p) and weights (N,)
Vector = float | Sequence[float]  # one number per axis, or one for all of them
Given = TypeVar("Given", bound="OnAxes")
FEW = 8  # axes, whose numbers are shown one by one


class Law(Protocol):
    """The contract of an initial law; see the module's text."""

    @property
    def dim(self) -> int | None:
        """p, the number of coordinates; None where it is unknown until a grid is given."""

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """The averages over the cells of a grid, of its shape."""

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        """The density at theta (…, p), (…,)."""

    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray:
        """m independent points, (m, p)."""

    def quadrature(self, nodes: int) -> Rule:
        """Points (N, p) and weights (N,) of a rule with so many nodes per axis."""


LAW_CALLS = ("dim", "cell_averages", "sample", "quadrature")


def check_law(law: object, what: str, wanted: str = "a law or a density, such as wgf.Gaussian(mean=[…], std=[…])") -> None:
    """Raise an InputError for what is no law of θ."""
    answers(law, LAW_CALLS, what, wanted)


class OnAxes:
    """A law with a number per axis, or one number for all axes.

    p is the length of the lists among its vectors. Where all of them are numbers the law is one-dimensional, until it meets a problem whose
    p is known: `on_axes(p)` is the law with the same numbers on each of p axes.
    """

    _for_all: tuple[str, ...] = ()  # the vectors, where all of them were given as one number

    def store_vectors(self, **named: Any) -> None:
        """Keep each entry as a tuple of p floats, all finite."""
        kind, arrays = type(self).__name__.lower(), {}
        for name, values in named.items():
            arrays[name] = vector(values, f"{kind}: {name}")
            if not arrays[name].size or not np.isfinite(arrays[name]).all():
                raise InputError(f"{kind}: {name} = {values!r} must be finite numbers, one per coordinate or one for all")
        lists = {name: len(array) for name, array in arrays.items() if array.ndim}
        if len(set(lists.values())) > 1:
            sizes = ", ".join(f"{name} has {length}" for name, length in lists.items())
            raise InputError(f"{kind}: {sizes} entries; give one per coordinate in each, or one number for all")
        object.__setattr__(self, "_for_all", () if lists else tuple(named))
        for name, array in arrays.items():
            object.__setattr__(self, name, tuple(np.broadcast_to(array, max(lists.values(), default=1)).tolist()))

    def __repr__(self) -> str:
        values = ", ".join(f"{item.name}={in_short(getattr(self, item.name))}" for item in dataclasses.fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({values})"

    def on_axes(self: Given, p: int) -> Given:
        """The law itself, or with its numbers on each of p axes where they were given for all."""
        return self.replaced(**{name: getattr(self, name) * p for name in self._for_all}) if self._for_all and p > 1 else self

    def replaced(self: Given, **vectors: Vector) -> Given:
        """The law with other vectors."""
        return dataclasses.replace(self, **vectors)  # type: ignore[type-var]


def in_short(vector: Vector) -> str:
    """A vector as Python writes it; of many axes with the same number, that number and how many there are."""
    if isinstance(vector, tuple) and len(vector) > FEW and len(set(vector)) == 1:
        return f"{vector[0]!r} on {len(vector)} axes"
    return repr(vector)


def entries(vector: Vector) -> tuple[float, ...]:
    """The numbers of a vector as `store_vectors` keeps it, one per axis."""
    assert isinstance(vector, tuple)
    return vector


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


def axis_averages(law: Law, grid: Grid) -> list[np.ndarray] | None:
    """For each axis the averages (n_k,) whose product the law's cell averages are; None where they are no such product."""
    along = getattr(law, "axis_averages", None)
    found: list[np.ndarray] | None = along(grid) if along else None
    return found


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


def legendre_rule(lower: Sequence[float], upper: Sequence[float], nodes: int | Sequence[int]) -> Rule:
    """Gauss–Legendre on a box, weights summing to one."""
    rules = []
    for low, high, order in zip(lower, upper, per_axis(nodes, len(lower), "nodes"), strict=True):
        t, w = np.polynomial.legendre.leggauss(order)
        rules.append((0.5 * (low + high) + 0.5 * (high - low) * t, 0.5 * w))
    return tensor_rule(rules)
