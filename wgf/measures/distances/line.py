"""Distances on a line, exact for points and for densities that are constant on their cells, by quantile functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.measures.measure import Cloud, Density, Measure, MeshDensity


def squared_gap_of_distributions(mu: Measure, nu: Measure) -> float:
    """∫(F − G)² dx on a line."""
    places = np.unique(np.concatenate([_breaks(mu), _breaks(nu)]))
    start = _distribution(mu, places, "right")[:-1] - _distribution(nu, places, "right")[:-1]
    end = _distribution(mu, places, "left")[1:] - _distribution(nu, places, "left")[1:]
    return float(np.sum(np.diff(places) * (start**2 + start * end + end**2)) / 3.0)


def _breaks(measure: Measure) -> np.ndarray:
    """Where the distribution function is not linear."""
    return measure.grid.edges[0] if isinstance(measure, Density) else measure.points[:, 0]


def _distribution(measure: Measure, x: np.ndarray, side: Any) -> np.ndarray:
    """F(x), or its limit from the left."""
    if isinstance(measure, Density):
        return np.interp(x, measure.grid.edges[0], np.concatenate([[0.0], np.cumsum(measure.masses)]) / measure.mass)
    order = np.argsort(measure.points[:, 0], kind="stable")
    levels = np.concatenate([[0.0], np.cumsum(measure.masses[order])]) / measure.mass
    return levels[np.searchsorted(measure.points[order, 0], x, side=side)]


def w1(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """W₁ on a line."""
    if mu.points.shape[1] > 1:
        raise InputError("w1 is for one dimension: take w2, sliced_w2 or energy")
    width, start, end = quantile_gaps(pieces(mu), pieces(nu))
    same = start * end >= 0
    size = np.abs(start) + np.abs(end)
    crossing = (start**2 + end**2) / np.where(size > 0, size, 1.0)
    return float(np.sum(width * np.where(same, size, crossing)) / 2.0)


Pieces = tuple[np.ndarray, np.ndarray, np.ndarray]  # levels (k + 1,), and the quantile function at both ends of each step (k,)


def pieces(measure: Measure) -> Pieces:
    """The quantile function of a measure on a line: linear on each step."""
    if isinstance(measure, Cloud | MeshDensity):
        return atoms(measure.points[:, 0], measure.masses)
    if not isinstance(measure, Density):
        raise InputError(f"distances are between a Density, a MeshDensity and a Cloud, in any pair; {type(measure).__name__} is none")
    full = measure.masses > 0
    edges = measure.grid.edges[0]
    return _levels(measure.masses[full]), edges[:-1][full], edges[1:][full]


def atoms(places: np.ndarray, masses: np.ndarray) -> Pieces:
    """The quantile function of points on a line."""
    order = np.argsort(places, kind="stable")
    return _levels(masses[order]), places[order], places[order]


def _levels(masses: np.ndarray) -> np.ndarray:
    levels = np.concatenate([[0.0], np.cumsum(masses)])
    return levels / levels[-1]


def quantile_gaps(first: Pieces, second: Pieces) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The common steps of two quantile functions: their widths, and the difference of the two at their starts and ends."""
    levels = np.union1d(first[0], second[0])
    middle = 0.5 * (levels[1:] + levels[:-1])
    start, end = (_at(first, middle, edge) - _at(second, middle, edge) for edge in (levels[:-1], levels[1:]))
    return np.diff(levels), start, end


def _at(pieces: Pieces, middle: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The quantile function at `level`, on the steps that hold `middle`."""
    levels, left, right = pieces
    step = np.clip(np.searchsorted(levels, middle, side="right") - 1, 0, len(left) - 1)
    width = levels[step + 1] - levels[step]
    share = np.clip((level - levels[step]) / np.where(width > 0, width, 1.0), 0.0, 1.0)
    return left[step] + share * (right[step] - left[step])


def line_w2(first: Pieces, second: Pieces) -> float:
    """W₂ of two quantile functions."""
    width, start, end = quantile_gaps(first, second)
    return float(np.sqrt(np.sum(width * (start**2 + start * end + end**2)) / 3.0))
