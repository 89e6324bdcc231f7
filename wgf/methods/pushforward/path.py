"""The path of a residual: z(s) on [0, t], as polynomials on the steps of the forward characteristics.

On each step z is known at K Chebyshev–Lobatto places, between which the barycentric formula interpolates, [Berrut & Trefethen, SIAM Rev.
46 (2004) 501],

    z(s) = Σ_k β_k z_k/(s − s_k) / Σ_k β_k/(s − s_k),      β_k = (−1)^k, half of it at both ends.

Steps that go back along the path are equal in the number of forward steps, so that they are short where the flow was fast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

COARSEST = 0.25  # steps back for each forward step, at resolution 0
PLACES = 8  # K: of a polynomial of degree 7, as that of the dense output of DOP853
LOBATTO = 0.5 - 0.5 * np.cos(np.pi * np.arange(PLACES) / (PLACES - 1))  # in [0, 1]
BARYCENTRIC = (-1.0) ** np.arange(PLACES) * np.where(np.arange(PLACES) % (PLACES - 1), 1.0, 0.5)


@dataclass(frozen=True)
class Path:
    """The lengths (s,) of the forward steps, and z (s, K, n) in each of them."""

    lengths: np.ndarray
    residuals: np.ndarray

    @property
    def steps(self) -> int:
        """s, of the forward run."""
        return len(self.lengths)

    def times(self, count: int) -> np.ndarray:
        """The ends of `count` steps, equal in the number of forward steps, from 0 to t; (count + 1,)."""
        ends = np.concatenate([[0.0], np.cumsum(self.lengths)])
        result: np.ndarray = np.interp(np.linspace(0.0, self.steps, count + 1), np.arange(self.steps + 1), ends)
        return result

    def at(self, times: np.ndarray) -> np.ndarray:
        """z at times (T,) in [0, t]; (T, n)."""
        ends = np.cumsum(self.lengths)
        step = np.minimum(np.searchsorted(ends, times), self.steps - 1)
        fraction = (times - (ends - self.lengths)[step]) / self.lengths[step]
        apart = fraction[:, None] - LOBATTO
        hit = np.abs(apart) < 1e-14
        weights = np.where(hit.any(axis=1)[:, None], hit, BARYCENTRIC / np.where(hit, 1.0, apart))
        weights /= weights.sum(axis=1, keepdims=True)
        result: np.ndarray = np.einsum("tk,tkn->tn", weights, self.residuals[step])
        return result


def middles(times: np.ndarray) -> np.ndarray:
    """The times (n + 1,) with the middles between them, (2n + 1,)."""
    result = np.empty(2 * len(times) - 1)
    result[::2], result[1::2] = times, 0.5 * (times[1:] + times[:-1])
    return result


def steps_back(path: Path, resolution: int) -> np.ndarray:
    """The times (count + 1,) between which the steps back of a resolution lie."""
    return path.times(max(1, math.ceil(COARSEST * path.steps)) * 2**resolution)
