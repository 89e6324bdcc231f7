"""Interpolation from the Chebyshev points of [−1, 1]."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev


def chebyshev_points(count: int) -> tuple[np.ndarray, np.ndarray]:
    """The zeros of T_count, (count,), and the matrix from values there to coefficients in T_0 … T_{count−1}, (count, count)."""
    points = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    return points, np.where(np.arange(count) > 0, 2.0, 1.0)[:, None] / count * chebyshev.chebvander(points, count - 1).T
