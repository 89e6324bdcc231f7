"""Rates in the number of neurons, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

CONFIDENCE = 0.95
BOOTSTRAPS = 1000


@dataclass(frozen=True)
class Rate:
    """The fit of log E d² in log m at each time, with bootstrap intervals over the replicates; arrays (times,).

    slope, lower, upper                          by least squares
    constant, constant_lower, constant_upper     the mean over the sizes of E d²·m^(−expected_slope): m·E d² where the slope is −1
    expected_slope, expected_constant            what theory says; NaN where it says nothing
    """

    slope: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    constant: np.ndarray
    constant_lower: np.ndarray
    constant_upper: np.ndarray
    expected_slope: np.ndarray
    expected_constant: np.ndarray


ESTIMATES = tuple(item.name for item in fields(Rate))


def fit_rate(
    sizes: np.ndarray, distance: np.ndarray, expected_slope: float = -1.0, expected_constant: np.ndarray | None = None, seed: int = 0
) -> Rate:
    """The rate of distances (S, R, T) of the sizes (S,)."""
    squares = np.maximum(distance**2, np.finfo(float).tiny)
    times, replicates = squares.shape[2], squares.shape[1]
    x = np.log(sizes)
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)

    def estimate(mean: np.ndarray) -> np.ndarray:
        return np.stack([np.tensordot(weights, np.log(mean), axes=1), np.mean(mean * sizes[:, None] ** -expected_slope, axis=0)])

    rng = np.random.default_rng(seed)
    resampled = []
    for _ in range(BOOTSTRAPS):
        chosen = rng.integers(replicates, size=squares.shape[:2])
        resampled.append(estimate(np.take_along_axis(squares, chosen[:, :, None], axis=1).mean(axis=1)))
    tail = 50 * (1 - CONFIDENCE)
    lower, upper = np.percentile(resampled, [tail, 100 - tail], axis=0)
    slope, constant = estimate(squares.mean(axis=1))
    theory = np.full(times, np.nan) if expected_constant is None else expected_constant
    return Rate(slope, lower[0], upper[0], constant, lower[1], upper[1], np.full(times, expected_slope), theory)
