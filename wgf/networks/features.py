"""Features of a neuron on the cells of a grid, compressed to their numerical rank.

The interaction kernel K(θ, θ') = ⟨g(θ), g(θ')⟩ never exists as an array: with Φ (N, n), Φ_{θ,i} = √w_i g(θ; x_i),

    φ = Φᵀμ,   K = Φ Φᵀ,   G(·; μ) = Φ (Φᵀμ − f)  + ½λV,   f_i = √w_i f*(x_i)   (√w absorbed: plain inner products).

The rows of Φ span a space of small numerical dimension r ≤ n. With an orthonormal basis B (n, r) of it, Φ ≈ (ΦB) Bᵀ, and

    G = (ΦB) z + ½λV,   z = Bᵀ(φ − f) = (ΦB)ᵀμ − Bᵀf,   ‖φ − f‖² = |z|² + ‖f − B Bᵀf‖².

B is found block of rows by block of rows, each spread over the whole grid. What a block Φ_j lacks of the span of the k orthonormal rows Q
so far is Φ_j − (Φ_j Qᵀ)Q; its singular vectors, but for those that are much less than the tolerance, are added to Q (block Gram–Schmidt).
Then Φ ≈ C Q with C = ΦQᵀ (N, k), and the singular vectors of C, by its triangular factor, turn Q into B of the least rank that meets the
tolerance [Eckart & Young, Psychometrika 1 (1936) 211]. No condition number is squared, the work is O(N n r), memory O((N + n) r + block·n),
and no call into compiled code takes long, however many data there are. The error ‖Φ − ΦBBᵀ‖ / ‖Φ‖ (Frobenius) is measured afterwards on
all the rows and kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import linalg
from threadpoolctl import ThreadpoolController

from wgf.measures.base import BLOCK
from wgf.networks.waiting import reported
from wgf.ranks.communicator import ALONE, Ranks

SAMPLED_ROWS = 2**14  # a basis is first sought from this many rows, spread over the grid
SAMPLED_ENTRIES, LEAST_SAMPLED = 2**28, 2**10  # or from so many numbers, where there are many data, but not from fewer rows
ROWS, LARGEST = 64, 2**21  # of a block, so that products of matrices are fast, as long as it has no more than so many entries
AT_ONCE = 2**18  # entries of rows that are worth no blocks, and are found once
MISSED = 1e-3  # of the tolerance: what a block may lack of the basis
ROUNDING = 1e-14  # the same, relative to the block, at the least
FEW = 512  # samples; matrices with fewer columns are not worth a second thread, which may still be waiting for a loop of ours to come

Rows = Callable[[slice], np.ndarray]  # any slice of the rows of Φ


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


def compress(rows: Rows, size: int, samples: int, tolerance: float) -> Features:
    """Compress Φ (size, samples), given as a function that returns any slice of its rows, to relative error `tolerance`.

    The basis is first sought from a spread of the rows; where its measured error exceeds the tolerance, from all of them.
    """
    return compress_part(rows, size, samples, tolerance, rows, np.ones(size, dtype=bool))


def compress_part(rows: Rows, size: int, samples: int, tolerance: float, part: Rows, own: np.ndarray, ranks: Ranks = ALONE) -> Features:
    """The same where ranks share the rows: the features are those of the rows `part` (own.size, samples), the error is measured on those
    that are marked as this rank's `own`. The first rank seeks the basis, of all the rows.
    """

    def sought(stride: int) -> Features:
        basis = ranks.share(row_space(rows, size, samples, tolerance, stride) if ranks.first else None)
        return project(part, own, basis, ranks)

    if ranks.size == 1 and size * samples <= AT_ONCE:
        rows = part = part(slice(0, size)).__getitem__
    stride = max(1, size // min(SAMPLED_ROWS, max(LEAST_SAMPLED, SAMPLED_ENTRIES // samples)))
    with linear_algebra().limit(limits=1) if samples < FEW else contextlib.nullcontext():
        features = sought(stride)
        if stride > 1 and features.error > tolerance:
            features = sought(1)
    return features


@lru_cache(maxsize=1)
def linear_algebra() -> Any:
    """The libraries of linear algebra, whose threads can be counted."""
    return ThreadpoolController().select(user_api="blas")


def row_space(rows: Rows, size: int, samples: int, tolerance: float, stride: int) -> np.ndarray:
    """Orthonormal basis (n, r) of the span of every `stride`-th row, up to the relative tolerance (Frobenius)."""
    if size * samples <= stride * AT_ONCE:
        block = rows(slice(0, size, stride))
        return _or_one(_directions(block, tolerance * float(np.linalg.norm(block))))
    span, coordinates = np.empty((0, samples)), []
    lost = total = 0.0  # squares
    for part in reported(spread(size, samples, stride), "looking for features"):
        block = rows(part)
        along = block @ span.T
        rest = block - along @ span
        norm = float(np.linalg.norm(block))
        fresh = _directions(rest, max(MISSED * tolerance, ROUNDING) * norm)
        if len(fresh) and len(span) < samples:
            fresh = _orthonormal(fresh, span)[: samples - len(span)]
            more = rest @ fresh.T
            rest -= more @ fresh
            along, span = np.concatenate([along, more], axis=1), np.concatenate([span, fresh])
        coordinates.append(along)
        lost += float(np.sum(rest**2))
        total += norm**2
    if not len(span):
        return _or_one(span)
    _, singular, right = linalg.svd(_triangle(coordinates, len(span)), full_matrices=False, check_finite=False)
    tails = np.cumsum(singular[::-1] ** 2)[::-1]  # tails[k]: what is lost by keeping k directions
    rank = max(1, int(np.count_nonzero(tails > tolerance**2 * total - lost)))
    basis: np.ndarray = span.T @ right[:rank].T
    return basis


def spread(size: int, samples: int, stride: int = 1) -> list[slice]:
    """Every `stride`-th of so many rows with so many entries in blocks, each of which reaches over all of them."""
    chosen = -(-size // stride)
    count = -(-chosen // rows_at_once(samples))
    return [slice(first * stride, size, count * stride) for first in range(count)]


def in_blocks(size: int, samples: int) -> list[slice]:
    """All of so many rows with so many entries in blocks, one after the other."""
    step = rows_at_once(samples)
    return [slice(start, min(start + step, size)) for start in range(0, size, step)]


def rows_at_once(samples: int) -> int:
    """The number of rows of a block: as many as stay in cache, or as many as make products fast; but not so many that memory counts."""
    return max(1, BLOCK // samples, min(ROWS, LARGEST // samples))


def _directions(rest: np.ndarray, allowed: float) -> np.ndarray:
    """The right singular vectors (k, n) of a block (m, n), without those whose singular values are `allowed` in all."""
    if float(np.linalg.norm(rest)) <= allowed:
        return np.empty((0, rest.shape[1]))
    if len(rest) > rest.shape[1]:
        rest = linalg.qr(rest, mode="raw", check_finite=False)[1]  # only the upper part of it
    _, singular, right = linalg.svd(rest, full_matrices=False, check_finite=False)
    tails = np.sqrt(np.cumsum(singular[::-1] ** 2))[::-1]
    result: np.ndarray = right[: int(np.count_nonzero(tails > allowed))]
    return result


def _or_one(directions: np.ndarray) -> np.ndarray:
    """The directions (k, n) as a basis (n, k): any one for features that vanish."""
    return directions.T if len(directions) else np.eye(directions.shape[1], 1)


def _orthonormal(fresh: np.ndarray, span: np.ndarray) -> np.ndarray:
    """The rows `fresh` (k, n), which are nearly orthogonal to those of `span`, made orthonormal, and orthogonal to them to rounding."""
    fresh = fresh - (fresh @ span.T) @ span
    result: np.ndarray = linalg.qr(fresh.T, mode="economic", overwrite_a=True, check_finite=False)[0].T
    return result


def _triangle(blocks: list[np.ndarray], columns: int) -> np.ndarray:
    """The triangular factor of blocks one below the other, each filled up to so many columns by zeros."""
    triangle = np.zeros((0, columns))
    waiting: list[np.ndarray] = []
    for number, block in enumerate(blocks, start=1):
        waiting.append(np.pad(block, ((0, 0), (0, columns - block.shape[1]))))
        if sum(map(len, waiting)) >= columns or number == len(blocks):
            triangle = linalg.qr(np.concatenate([triangle, *waiting]), mode="r", overwrite_a=True, check_finite=False)[0][:columns]
            waiting = []
    return triangle


def project(rows: Rows, own: np.ndarray, basis: np.ndarray, ranks: Ranks) -> Features:
    """ΦB, and the error of ΦBBᵀ measured on every row that is some rank's own."""
    size = len(own)
    values = np.empty((size, basis.shape[1]))
    squares = np.zeros(2)  # of what is lost, and of all
    step = rows_at_once(len(basis))
    for start in reported(range(0, size, step), "compressing features"):
        part = slice(start, min(start + step, size))
        block = rows(part)
        coordinates = values[part] = block @ basis
        missed = coordinates @ basis.T
        missed -= block
        if ranks.size > 1:
            missed, block = missed[own[part]], block[own[part]]
        squares += [float(np.linalg.norm(each)) ** 2 for each in (missed, block)]
    ranks.sum(squares)
    lost, total = squares
    return Features(values, basis, float(np.sqrt(lost / total)) if total > 0 else 0.0)
