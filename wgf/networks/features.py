"""Features of a neuron on the cells of a grid, compressed to their numerical rank.

The interaction kernel K(θ, θ') = ⟨g(θ), g(θ')⟩ never exists as an array: with Φ (N, n), Φ_{θ,i} = √w_i g(θ; x_i),

    φ = Φᵀμ,   K = Φ Φᵀ,   G(·; μ) = Φ (Φᵀμ − f)  + ½λV,   f_i = √w_i f*(x_i)   (√w absorbed: plain inner products).

The rows of Φ span a space of small numerical dimension r ≤ n. With an orthonormal basis B (n, r) of it, Φ ≈ (ΦB) Bᵀ, and

    G = (ΦB) z + ½λV,   z = Bᵀ(φ − f) = (ΦB)ᵀμ − Bᵀf,   ‖φ − f‖² = |z|² + ‖f − B Bᵀf‖².

B comes from a singular value decomposition of the triangular factor of Φ, which is gathered block by block (so that no
squared condition number limits it, and memory is O(block·n + n² + N r)). The error ‖Φ − ΦBBᵀ‖ / ‖Φ‖ (Frobenius) is
measured afterwards on all the rows and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from wgf.measures.measure import BLOCK

SAMPLED_ROWS = 2**14  # a basis is first sought from this many rows, spread over the grid


@dataclass(frozen=True)
class Features:
    """(ΦB) as `values` (N, r), B as `basis` (n, r), and the relative error `error` of Φ ≈ (ΦB)Bᵀ."""

    values: np.ndarray
    basis: np.ndarray
    error: float

    @property
    def rank(self) -> int:
        """r, the rank."""
        return int(self.basis.shape[1])


def compress(rows: Callable[[slice], np.ndarray], size: int, samples: int, tolerance: float) -> Features:
    """Compress Φ (size, samples), given as a function that returns any slice of its rows, to relative error `tolerance`.

    The basis is first sought from a spread of the rows; where its measured error exceeds the tolerance, from all of them.
    """
    stride = max(1, size // SAMPLED_ROWS)
    basis = row_space(rows, size, samples, tolerance, stride)
    features = project(rows, size, basis)
    if stride > 1 and features.error > tolerance:
        features = project(rows, size, row_space(rows, size, samples, tolerance, 1))
    return features


def row_space(rows: Callable[[slice], np.ndarray], size: int, samples: int, tolerance: float, stride: int) -> np.ndarray:
    """Orthonormal basis (n, r) of the span of every `stride`-th row, up to the relative tolerance (Frobenius)."""
    triangle = np.zeros((0, samples))
    step = stride * max(samples, BLOCK // samples)
    for start in range(0, size, step):
        block = rows(slice(start, min(start + step, size), stride))
        triangle = linalg.qr(np.concatenate([triangle, block]), mode="r", overwrite_a=True, check_finite=False)[0][:samples]
    _, singular, right = linalg.svd(triangle, full_matrices=False, check_finite=False)
    tails = np.sqrt(np.cumsum(singular[::-1] ** 2))[::-1]  # tails[k]: what is lost by keeping k directions
    rank = max(1, int(np.count_nonzero(tails > tolerance * tails[0])))
    return np.ascontiguousarray(right[:rank].T)


def project(rows: Callable[[slice], np.ndarray], size: int, basis: np.ndarray) -> Features:
    """ΦB, and the error of ΦBBᵀ measured on every row."""
    values = np.empty((size, basis.shape[1]))
    lost = total = 0.0
    step = max(1, BLOCK // len(basis))
    for start in range(0, size, step):
        block = rows(slice(start, min(start + step, size)))
        coordinates = block @ basis
        values[start : start + step] = coordinates
        lost += float(np.sum((block - coordinates @ basis.T) ** 2))
        total += float(np.sum(block**2))
    return Features(values, basis, np.sqrt(lost / total) if total > 0 else 0.0)
