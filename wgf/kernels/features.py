"""Products with the features of all cells, threaded: Φᵀμ and Φz for Φ (N, r), each one pass over Φ, which is what they cost."""

from __future__ import annotations

import numba

from wgf.kernels.compiled import Array, threaded_sums

BLOCKS = 32  # of cells; their partial sums are added in a fixed order


@threaded_sums
def fill_moments(moments: Array, values: Array, features: Array, partial: Array) -> None:
    """`moments` = Φᵀ·values for values (N,), features (N, r), moments (r,); scratch partial (BLOCKS, r)."""
    cells, rank = features.shape
    for block in numba.prange(BLOCKS):
        for k in range(rank):
            partial[block, k] = 0.0
        for cell in range(block * cells // BLOCKS, (block + 1) * cells // BLOCKS):
            value, row = values[cell], features[cell]
            for k in range(rank):
                partial[block, k] += value * row[k]
    for k in range(rank):
        moments[k] = 0.0
        for block in range(BLOCKS):
            moments[k] += partial[block, k]


@threaded_sums
def fill_potential(potential: Array, features: Array, residual: Array, penalty: Array) -> None:
    """`potential` = Φ·residual + penalty for potential (N,), features (N, r), residual (r,), penalty (N,) or (1,)."""
    cells, rank = features.shape
    each = 1 if penalty.size > 1 else 0
    for block in numba.prange(BLOCKS):
        for cell in range(block * cells // BLOCKS, (block + 1) * cells // BLOCKS):
            row = features[cell]
            total = 0.0
            for k in range(rank):
                total += row[k] * residual[k]
            potential[cell] = total + penalty[cell * each]
