"""Axes that may wrap around: those of two measures together, and squared lengths of differences on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from wgf.errors import InputError
from wgf.measures.grid import nearest_image
from wgf.measures.measure import Cloud, Density, Measure, MeshDensity

SAME = 1e-9  # relative: periods that agree so far are the same


def check_pair(mu: Measure, nu: Measure) -> None:
    """Raise an InputError unless both are measures of the same dimension."""
    for measure in (mu, nu):
        if not isinstance(measure, Density | MeshDensity | Cloud):
            raise InputError(f"give two measures, each a Density, a MeshDensity or a Cloud; {type(measure).__name__} is none")
    if mu.points.shape[1] != nu.points.shape[1]:
        raise InputError(f"the measures have {mu.points.shape[1]} and {nu.points.shape[1]} coordinates: they must agree")


def shared_periods(mu: Measure, nu: Measure) -> np.ndarray:
    """The lengths of the axes that wrap around for μ and ν, (p,), zero for the others.

    A Cloud without periods takes those of the other measure. Raises InputError where the two do not agree, in these or in dimension.
    """
    check_pair(mu, nu)
    first, second = np.array(mu.periods), np.array(nu.periods)
    if isinstance(mu, Cloud) and not first.any():
        return second
    if (isinstance(nu, Cloud) and not second.any()) or np.allclose(first, second, rtol=SAME, atol=0.0):
        return first
    raise InputError(
        f"the axes wrap around after {_listed(first)} for one measure and after {_listed(second)} for the other (0: not at all): "
        "their boundaries and the lengths of their periodic axes must agree"
    )


def with_axes_of(other: Measure, measure: Measure) -> Measure:
    """`measure`, a Cloud without periods with those of the other."""
    periods = shared_periods(measure, other)
    return dataclasses.replace(measure, periods=tuple(periods.tolist())) if isinstance(measure, Cloud) else measure


def _listed(periods: np.ndarray) -> str:
    return ", ".join(f"{period:.12g}" for period in periods)


def closed(mu: Measure, nu: Measure, what: str) -> None:
    """Raise an InputError, which begins with `what`, if an axis wraps around."""
    if shared_periods(mu, nu).any():
        raise InputError(f"{what}, and an axis wraps around: take w2, energy or sinkhorn")


def nearest(difference: np.ndarray, period: float) -> np.ndarray:
    """The nearest image of a difference; its size is d, the shorter way around."""
    return nearest_image(difference, np.array(period))


def parallel(difference: np.ndarray, period: float) -> np.ndarray:
    """D = d(1 − d/P), both ways around as resistances in parallel; d itself where the axis does not wrap around."""
    d: np.ndarray = np.abs(nearest(difference, period))
    return np.multiply(d, 1.0 - d / period) if period else d


def squared_lengths(x: np.ndarray, y: np.ndarray, periods: np.ndarray, gap: Callable[[np.ndarray, float], np.ndarray]) -> np.ndarray:
    """Σ_k gap(x_k − y_k, P_k)² for points x (n, p) and y (m, p), (n, m)."""
    total = np.zeros((len(x), len(y)))
    for mine, theirs, period in zip(x.T, y.T, periods, strict=True):
        total += gap(np.subtract.outer(mine, theirs), float(period)) ** 2
    return total


def circular_mean(points: np.ndarray, masses: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """The mean of points (n, p), on an axis that wraps around the direction of their mean on the circle, (p,)."""
    turn = 2.0 * np.pi / np.where(periods > 0, periods, np.inf)
    around = np.angle(masses @ np.exp(1j * turn * points)) / np.where(periods > 0, turn, 1.0)
    result: np.ndarray = np.where(periods > 0, around, masses @ points / masses.sum())
    return result
