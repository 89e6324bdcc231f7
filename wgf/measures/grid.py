"""A box of equal cells in θ-space, with a name and a boundary condition on each axis."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np

from wgf.errors import InputError, brief, entries_of, instance, whole
from wgf.registers import known

BOUNDARIES = ("no-flux", "periodic")
MOST_AXES = 4


@dataclass(frozen=True)
class Grid:
    """The box Π [lower_k, upper_k] cut into equal cells along each axis.

    Parameters
    ----------
    lower, upper : float or sequence of float
        the ends of the box, in the units of θ; one number per axis, or one for all
    cells : int or sequence of int
        how many, along each axis or one number for all
    names : sequence of str
        of the axes; theta1, theta2, … by default
    boundary : str or sequence of str
        "no-flux" or "periodic", one for all axes or one for each

    Raises
    ------
    InputError
        for a box that is empty or numbers that do not agree
    """

    lower: Sequence[float]  # as kept; one number may be given
    upper: Sequence[float]
    cells: int | Sequence[int]
    names: Sequence[str] = ()
    boundary: str | Sequence[str] = "no-flux"

    def __post_init__(self) -> None:
        for edges, what in ((self.lower, "lower"), (self.upper, "upper")):
            vector(edges, f"the box: {what}")
        given_names = (self.names,) if isinstance(self.names, str) else entries_of(self.names, "names", "one for each axis")
        p = box_dim(self.lower, self.upper, np.size(self.cells) if np.ndim(self.cells) else max(len(given_names), 1))
        lower, upper = (tuple(float(edge) for edge in per_axis(edges, p, "the box")) for edges in (self.lower, self.upper))
        if not 1 <= p <= MOST_AXES:
            raise InputError(f"a grid has 1 to {MOST_AXES} axes, not {p}; for more, use particles or characteristics")
        names = given_names or tuple(f"theta{k + 1}" for k in range(p))
        cells = per_axis(self.cells, p, "cells")
        boundary = per_axis(self.boundary, p, "boundary")
        if len(names) != p or len(set(names)) < p:
            raise InputError(f"the box has {p} axes but the names are {', '.join(names)}: give one for each, none twice")
        for name in names:
            instance(name, str, "the name of an axis", "a word")
        for name, low, high in zip(names, lower, upper, strict=True):
            if not (np.isfinite(low) and np.isfinite(high) and low < high):
                raise InputError(f"axis {name}: the box [{low:g}, {high:g}] must have finite edges, the lower one first")
        for name, n in zip(names, cells, strict=True):
            if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
                raise InputError(f"axis {name}: {n} cells; give a whole number, at least 1")
        for condition in boundary:
            known(condition, BOUNDARIES, "boundary condition")
        given = {"lower": lower, "upper": upper, "cells": tuple(int(n) for n in cells), "names": names, "boundary": boundary}
        for key, value in given.items():
            object.__setattr__(self, key, value)

    @property
    def dim(self) -> int:
        """p, the number of axes."""
        return len(self.lower)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of cells along each axis."""
        return tuple(self.cells)  # type: ignore[arg-type]

    @property
    def size(self) -> int:
        """The number of cells."""
        return int(np.prod([float(n) for n in self.shape]))

    @cached_property
    def spacing(self) -> np.ndarray:
        """h_k, (p,)."""
        result: np.ndarray = (np.array(self.upper) - np.array(self.lower)) / np.array(self.shape)
        return result

    @cached_property
    def cell_volume(self) -> float:
        """Π h_k."""
        return float(np.prod(self.spacing))

    @cached_property
    def edges(self) -> tuple[np.ndarray, ...]:
        """For each axis the n_k + 1 edges of its cells."""
        return tuple(np.linspace(low, high, n + 1) for low, high, n in zip(self.lower, self.upper, self.shape, strict=True))

    @cached_property
    def centers(self) -> tuple[np.ndarray, ...]:
        """For each axis the n_k centres of its cells."""
        return tuple(0.5 * (edges[1:] + edges[:-1]) for edges in self.edges)

    def points(self) -> np.ndarray:
        """The centres of all cells in C order, (N, p)."""
        return np.stack(np.meshgrid(*self.centers, indexing="ij"), axis=-1).reshape(-1, self.dim)

    def periods(self) -> np.ndarray:
        """The lengths of the axes that wrap around, (p,), zero for the others."""
        return np.where(self.periodic(), np.subtract(self.upper, self.lower), 0.0)

    def periodic(self) -> tuple[bool, ...]:
        """Which axes wrap around."""
        return tuple(condition == "periodic" for condition in self.boundary)

    def images(self, lower: Sequence[float], upper: Sequence[float]) -> Iterator[Grid]:
        """The grid moved by whole periods along its periodic axes, wherever it then meets the box [lower, upper]; itself without such axes.

        The sum of what a measure on that box has on the images is what it has on the grid when it wraps around.
        """
        if not any(self.periodic()):
            yield self
            return
        box = zip(self.lower, self.upper, lower, upper, self.periodic(), strict=True)
        for shift in itertools.product(*(laps(*edges) if wrap else (0.0,) for *edges, wrap in box)):
            yield Grid(np.add(self.lower, shift).tolist(), np.add(self.upper, shift).tolist(), self.shape, self.names)

    def holds(self, lower: Sequence[float], upper: Sequence[float]) -> bool:
        """Whether the box [lower, upper] lies in that of the grid, along its closed axes."""
        return bool(((np.greater_equal(lower, self.lower) & np.less_equal(upper, self.upper)) | self.periodic()).all())

    def without(self, axis: int) -> Grid | None:
        """The grid of the other axes; None where there is no other."""
        rest = [k for k in range(self.dim) if k != axis]
        if not rest:
            return None

        def pick(values: Sequence[Any]) -> list[Any]:
            return [values[k] for k in rest]

        return Grid(pick(self.lower), pick(self.upper), pick(self.shape), pick(self.names), pick(list(self.boundary)))

    def enlarged(self, added: np.ndarray) -> Grid:
        """The grid with whole cells of the same size added at the lower and the upper end of each axis; added (p, 2)."""
        lower = np.array(self.lower) - added[:, 0] * self.spacing
        upper = np.array(self.upper) + added[:, 1] * self.spacing
        return Grid(lower.tolist(), upper.tolist(), (np.array(self.shape) + added.sum(axis=1)).tolist(), self.names, self.boundary)

    def of_cells(self, box: np.ndarray) -> Grid:
        """The grid of the cells of a box, (p, 2): along each axis the first one and the one after the last, counted from one's own."""
        return self.enlarged(box * (-1, 1) - (0, 1) * np.array(self.shape)[:, None])

    def place_in(self, larger: Grid) -> tuple[slice, ...]:
        """The indices of the cells of this grid among those of a larger one with cells of the same size."""
        first = np.rint((np.array(self.lower) - np.array(larger.lower)) / larger.spacing).astype(int)
        return tuple(slice(start, start + n) for start, n in zip(first.tolist(), self.shape, strict=True))

    def part(self, lower: np.ndarray, upper: np.ndarray) -> Grid:
        """The grid of the cells between edges of this one."""
        cells = np.rint((upper - lower) / self.spacing).astype(int).tolist()
        return Grid(lower.tolist(), upper.tolist(), cells, self.names, self.boundary)

    def __repr__(self) -> str:
        return f"Grid({describe_box(self.shape, self.lower, self.upper)})"


def laps(lower: float, upper: float, low: float, high: float) -> list[float]:
    """The multiples of the period upper − lower by which [lower, upper] is moved onto the interval [low, high], part by part."""
    period = upper - lower
    return [n * period for n in range(math.floor((low - lower) / period), math.ceil((high - lower) / period))]


def wrapped(points: np.ndarray, lower: np.ndarray, upper: np.ndarray, periodic: np.ndarray) -> np.ndarray:
    """The points (m, p) with those beyond an edge of a periodic axis wrapped around; the others keep all digits."""
    beyond = periodic & ((points < lower) | (points > upper))
    return np.where(beyond, lower + (points - lower) % (upper - lower), points)


def inside_box(points: np.ndarray, lower: Any, upper: Any) -> np.ndarray:
    """Which of the points (…, p) lie in a box, its faces included; (…,)."""
    return np.asarray(((points >= lower) & (points <= upper)).all(axis=-1))


def per_axis(value: Any, p: int, what: str) -> tuple[Any, ...]:
    """`value` repeated for each of p axes, or as it is if it already has p entries."""
    if isinstance(value, str) or np.ndim(value) == 0:
        return (value,) * p
    values = tuple(value)
    if len(values) != p:
        raise InputError(f"{what} has {len(values)} entries for {p} axes; give one for all or one per axis")
    return values


def box_dim(lower: float | Sequence[float], upper: float | Sequence[float], otherwise: int) -> int:
    """The number of axes of a box: the length of the lists among its edges, or `otherwise` where one number each serves for all axes."""
    lengths = [np.size(edges) for edges in (lower, upper) if np.ndim(edges)]
    if len(set(lengths)) > 1:
        raise InputError(f"the box has {lengths[0]} lower and {lengths[1]} upper edges; give one of each per axis, or one for all")
    return lengths[0] if lengths else otherwise


def checked_periods(periods: Sequence[float], p: int) -> tuple[float, ...]:
    """The lengths of p axes that wrap around, zero for the others; none given, or a single zero: no axis does."""
    given = np.atleast_1d(periods)
    if given.size <= 1 and not given.any():
        return (0.0,) * p
    if given.shape != (p,) or given.dtype.kind not in "iuf" or not (np.isfinite(given) & (given >= 0)).all():
        raise InputError(f"periods = {periods}: give for each of the {p} axes the length after which it wraps around, or 0")
    return tuple(given.astype(float).tolist())


def nearest_image(difference: np.ndarray, periods: Sequence[float] | np.ndarray) -> np.ndarray:
    """The shortest of all differences (…, p) that are the same up to multiples of the periods (p,); zero: the axis does not wrap around."""
    lengths = np.where(np.asarray(periods) > 0, periods, np.inf)
    return difference - np.asarray(periods) * np.round(difference / lengths)


def vector(values: Any, what: str) -> np.ndarray:
    """`values`, a number or a list of them, as an array with one axis or none; raises an InputError, which begins with `what`."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "iufO":
            raise TypeError
        array = array.astype(float)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{what} = {brief(values)} is not a list of numbers") from None
    if array.ndim > 1:
        raise InputError(f"{what} = {brief(values)} must be finite numbers, one per coordinate or one for all")
    return array


def check_box(
    cells: Any = None,
    lower: Sequence[float] | None = None,
    upper: Sequence[float] | None = None,
    boundary: str | Sequence[str] = "no-flux",
) -> None:
    """Cells are whole numbers, both edges of the box are given as numbers, or none, and boundary conditions are known."""
    for n in () if cells is None else np.atleast_1d(np.asarray(cells, dtype=object)).flat:
        whole(n, "cells")
    if (lower is None) != (upper is None):
        raise InputError("the box needs both lower and upper, or neither (then it is found from a cheap run)")
    for name, edges in (("lower", lower), ("upper", upper)):
        if edges is not None:
            vector(edges, name)
    for condition in (boundary,) if isinstance(boundary, str) else entries_of(boundary, "boundary", "a word for each axis"):
        known(condition, BOUNDARIES, "boundary condition")


def describe_box(cells: Sequence[int], lower: float | Sequence[float] | None, upper: float | Sequence[float] | None) -> str:
    """For example `128 × 128 on [-2.5, 3.5] × [-2.5, 4.5]`."""
    text = " × ".join(str(n) for n in cells)
    if lower is None or upper is None:
        return text
    p = box_dim(lower, upper, 1)
    ends = zip(*(np.broadcast_to(edges, p).tolist() for edges in (lower, upper)), strict=True)
    return f"{text} on " + " × ".join(f"[{low:g}, {high:g}]" for low, high in ends)
