"""Features of a smooth neuron on the cells of a plane, as products of factors of one axis each: no number is kept for a cell.

Where g is smooth in θ = (θ₁, θ₂), it is interpolated from the K × K Chebyshev points of the box to rounding,
Φ_(ij) ≈ Σ_kl L_ik L'_jl F_kl Bᵀ, where F holds g at these points, for the data in the compressed basis B of rank r (features.py). With
L = QX and L' = Q'X' (QR), and the singular vectors A, A' of the two unfoldings of the array (X ⊗ X')F (K, K, r), each cut to the tolerance
[De Lathauwer, De Moor & Vandewalle, SIAM J. Matrix Anal. Appl. 21 (2000) 1253],

    Φ_(ij) ≈ Σ_rs U_ir V_js C_rs Bᵀ,    U = QA (n₁, R),  V = Q'A' (n₂, S),  C = (A ⊗ A')ᵀ(X ⊗ X')F (R, S, r),

    ΦᵀM = Σ_rs (UᵀMV)_rs C_rs,    Φz = U (Cz) Vᵀ:

about S multiplications a cell each, by matrices that stay in the cache, where otherwise r numbers a cell come from memory. On a strip k of
neighbouring columns fewer functions do: with the norms D of C over r and R, and the singular vectors of DV on the strip that are larger
than a small part of the tolerance, Vᵀ = T_k W_k there, with T_k (S, S_k), W_k (S_k, n_k), and

    ΦᵀM = Σ_rs (Σ_k (UᵀM_k W_kᵀ) T_kᵀ)_rs C_rs,    (Φz)_k = U ((Cz) T_k) W_k,

about S_k multiplications a cell, a third of S where a strip is an eighth of the plane. A kink makes all ranks full and interpolation poor:
the error is measured on cells all over the plane, and where it exceeds the tolerance there are no such factors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from wgf.kernels import aligned
from wgf.kernels.strips import BLOCKS, STRIP, TOGETHER, fill_cells, fill_moments
from wgf.measures.averages import for_averages
from wgf.networks.chebyshev_points import chebyshev_points
from wgf.networks.features import compress

POINTS = (32, 64, 128)  # K, in turn; at most a quarter of the cells of an axis
WORTH_MORE = 1e-2  # the error has to fall by this factor from one to the next, or it falls too slowly
ROUNDING = 0.5  # of the tolerance, for each of the three cuts
SAMPLED = 100  # rows and columns
STRIP_SHARE = 1e-2  # of the tolerance, for fewer factors on a strip of columns

Values = Callable[[np.ndarray], np.ndarray]  # rows of features at points (N, 2), (N, n)


class Strips:
    """Vᵀ (S, n₂) by strips of STRIP columns, the last one perhaps narrower: on the k-th it is T_k W_k, to a part of the tolerance of ‖C‖.

    combined        the T_k, side by side (S, strips·F), each with F columns, as many as the one that needs most; zeros may fill it up
    functions       the W_k (strips, F·STRIP), with zeros beyond the last column
    work, …, mixed  scratch for `kernels/strips.py`
    """

    def __init__(self, left: np.ndarray, right: np.ndarray, core: np.ndarray, tolerance: float) -> None:
        scales, ends = np.linalg.norm(core, axis=(0, 2)), [*range(0, right.shape[1], STRIP), right.shape[1]]
        columns = [slice(*pair) for pair in pairwise(ends)]
        count, allowed = len(columns), STRIP_SHARE * tolerance * float(np.linalg.norm(scales)) / math.sqrt(len(columns))
        found = [np.linalg.svd(scales[:, None] * right[:, each], full_matrices=False) for each in columns]
        most = whole_groups(max(_kept(singular, allowed) for _, singular, _ in found))
        self.combined, self.functions = aligned.zeros((len(right), count, most)), aligned.zeros((count, most * STRIP))
        for k, (vectors, singular, functions) in enumerate(found):
            self.combined[:, k, : len(singular)] = (vectors * singular / scales[:, None])[:, :most]
            self.functions[k].reshape(most, STRIP)[: len(singular), : functions.shape[1]] = functions[:most]
        self.combined = self.combined.reshape(len(right), -1)
        shape = (left.shape[1], self.combined.shape[1])
        self.work, self.partial = aligned.empty((BLOCKS, TOGETHER, shape[1])), aligned.empty((BLOCKS, *shape))
        self.spare, self.mixed = aligned.empty((BLOCKS, right.shape[1])), aligned.empty(shape)


class SeparableFeatures:
    """U (n₁, R), Vᵀ (S, n₂), C (R, S, r), the basis B (n, r) of the data, the relative error that is allowed, and the one measured on cells
    all over the plane.
    """

    def __init__(self, left: np.ndarray, right: np.ndarray, core: np.ndarray, basis: np.ndarray, tolerance: float) -> None:
        self.left, self.right, self.core, self.basis, self.tolerance = left, right, core, basis, tolerance
        self.rank, self.error = basis.shape[1], np.inf

    @cached_property
    def strips(self) -> Strips:
        """What the products are taken by."""
        return Strips(self.left, self.right, self.core, self.tolerance)

    def read_averages(self, periodic: Sequence[bool]) -> None:
        """Become the features for cell averages (measures/averages.py)."""
        self.left = for_averages(self.left, periodic[:1])
        self.right = np.ascontiguousarray(for_averages(self.right.T, periodic[1:]).T)

    def restricted(self, rows: Any, columns: Any) -> SeparableFeatures:
        """The features on the cells where these rows and columns meet."""
        part = SeparableFeatures(self.left[rows], np.ascontiguousarray(self.right[:, columns]), self.core, self.basis, self.tolerance)
        part.error = self.error
        return part

    def project(self, values: np.ndarray, out: np.ndarray) -> None:
        """`out` (r,) = ΦᵀM for values M (n₁, n₂)."""
        strips = self.strips
        values = np.ascontiguousarray(values)  # of several ranks, each has its own cells within a larger array
        fill_moments(strips.mixed, values, self.left, strips.functions, strips.work, strips.partial)
        np.einsum("rs,rsk->k", strips.mixed @ strips.combined.T, self.core, out=out)

    def express(self, residual: np.ndarray, penalty: np.ndarray, out: np.ndarray) -> None:
        """`out` (n₁, n₂) = Φ·residual + penalty, which is (n₁, n₂) or (1, 1)."""
        strips = self.strips
        np.matmul(np.einsum("rsk,k->rs", self.core, residual), strips.combined, out=strips.mixed)
        fill_cells(out, penalty, self.left, strips.functions, strips.mixed, strips.work, strips.spare)

    def written_out(self, rows: Any = slice(None), columns: Any = slice(None)) -> np.ndarray:
        """ΦB on the cells of some rows and columns of the plane, (rows, columns, r)."""
        result: np.ndarray = np.matmul(self.right[:, columns].T, np.tensordot(self.left[rows], self.core, 1))
        return result


def separate(values: Values, centers: tuple[np.ndarray, np.ndarray], samples: int, tolerance: float) -> SeparableFeatures | None:
    """The separable features on the plane of cells with these centers, to the relative error `tolerance`; None where there are none."""
    before = np.inf
    for count in POINTS:
        if count > min(map(len, centers)) // 4:
            return None
        found = _separated(values, centers, count, samples, tolerance)
        found.error = _missed(found, values, centers)
        if found.error <= tolerance:
            return found
        if found.error > WORTH_MORE * before:
            return None
        before = found.error
    return None


def _separated(values: Values, centers: tuple[np.ndarray, np.ndarray], count: int, samples: int, tolerance: float) -> SeparableFeatures:
    """From count × count Chebyshev points."""
    (first, one), (second, two) = (_interpolation(places, count) for places in centers)
    nodes = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2)
    features = compress(lambda part: values(nodes[part]), len(nodes), samples, ROUNDING * tolerance)
    (left, upper), (right, lower) = np.linalg.qr(one), np.linalg.qr(two)
    array = np.einsum("ik,jl,klr->ijr", upper, lower, features.values.reshape(count, count, -1), optimize=True)
    allowed = ROUNDING * tolerance * float(np.linalg.norm(array))
    a, b = (_directions(np.moveaxis(array, axis, 0).reshape(count, -1), allowed) for axis in (0, 1))
    core = np.einsum("ijr,ia,jb->abr", array, a, b, optimize=True)
    return SeparableFeatures(left @ a, np.ascontiguousarray((right @ b).T), np.ascontiguousarray(core), features.basis, tolerance)


def _interpolation(places: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Chebyshev points between the first and the last of the places, and the matrix (n, count) that interpolates from them."""
    unit, coefficients = chebyshev_points(count)
    middle, half = 0.5 * (places[0] + places[-1]), 0.5 * (places[-1] - places[0])
    return middle + half * unit, chebyshev.chebvander((places - middle) / half, count - 1) @ coefficients


def _directions(matrix: np.ndarray, allowed: float) -> np.ndarray:
    """The left singular vectors without those whose singular values are `allowed` in all, or a few less."""
    vectors, singular, _ = np.linalg.svd(matrix, full_matrices=False)
    result: np.ndarray = vectors[:, : whole_groups(_kept(singular, allowed))]
    return result


def _kept(singular: np.ndarray, allowed: float) -> int:
    """How many of the singular values have to be kept for the others to be `allowed` in all; at least one."""
    tails = np.sqrt(np.cumsum(singular[::-1] ** 2)[::-1])
    return max(1, int(np.count_nonzero(tails > allowed)))


def whole_groups(count: int) -> int:
    """So many functions or more: TOGETHER are taken at a time."""
    return -(-count // TOGETHER) * TOGETHER


def _missed(found: SeparableFeatures, values: Values, centers: tuple[np.ndarray, np.ndarray]) -> float:
    """The relative error (Frobenius) on the cells where SAMPLED rows and columns all over the plane meet."""
    rng = np.random.default_rng(0)
    rows, columns = (np.sort(rng.integers(len(places), size=SAMPLED)) for places in centers)
    points = np.stack(np.meshgrid(centers[0][rows], centers[1][columns], indexing="ij"), axis=-1)
    exact = values(points.reshape(-1, 2))
    found_there = found.written_out(rows, columns).reshape(len(exact), -1) @ found.basis.T
    size = float(np.linalg.norm(exact))
    return float(np.linalg.norm(found_there - exact)) / size if size else 0.0
