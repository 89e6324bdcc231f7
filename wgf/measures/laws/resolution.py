"""How well the cells of a grid resolve a law: cells per standard deviation, axis by axis.

For cell averages p_i, the masses of a marginal in cells of length h, with centres x_i, the law's variance is, by Sheppard's correction,

    σ² = Σ_i p_i (x_i − x̄)² − h²/12,      x̄ = Σ_i p_i x_i,

and on an axis that wraps around with the period P, where a law may lie across the seam, with R = |Σ_i p_i e^{2πi x_i/P}|,

    σ² = −2(P/2π)² log R − h²/12,

which is the variance before wrapping of a Gaussian, and tends to the first one for a narrow law. A law within one cell has σ = 0.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np

from wgf.errors import ResolutionWarning
from wgf.measures.grid import Grid

CELLS_PER_STD = 2.0  # fewer are far too coarse
TO_BE_COUNTED = 1e6  # cells on an axis: beyond it, more cells are no advice


def cells_per_std(grid: Grid, averages: np.ndarray) -> np.ndarray:
    """σ_k/h_k, (p,), for cell averages (n_1, …, n_p), dimensionless; zero where the law lies within one cell."""
    found = np.zeros(grid.dim)
    for axis, (centers, h, wrap) in enumerate(zip(grid.centers, grid.spacing, grid.periodic(), strict=True)):
        masses = averages.sum(axis=tuple(k for k in range(grid.dim) if k != axis))
        masses = masses / masses.sum()
        places = (centers - centers[0]) / h
        if wrap:
            radius = len(places) / (2 * math.pi)
            concentration = float(np.abs(masses @ np.exp(1j * places / radius)))
            variance = -2 * radius**2 * math.log(max(concentration, np.finfo(float).tiny))
        else:
            variance = float(masses @ (places - masses @ places) ** 2)
        found[axis] = math.sqrt(max(variance - 1 / 12, 0.0))
    return found


def judge_resolution(grid: Grid, averages: np.ndarray, names: Sequence[str]) -> None:
    """Warn of axes, called by their `names`, with fewer than CELLS_PER_STD cells per standard deviation of the initial law."""
    for name, n, h, ratio in zip(names, grid.shape, grid.spacing, cells_per_std(grid, averages), strict=True):
        if ratio >= CELLS_PER_STD:
            continue
        needed = CELLS_PER_STD * n / ratio if ratio > 0 else math.inf
        remedy = (
            f"take at least {math.ceil(needed):,} on this axis, or a smaller box"
            if needed <= TO_BE_COUNTED
            else "no grid of this box resolves it"
        )
        warnings.warn(
            f"axis {name}: {ratio:.3g} cells per standard deviation of the initial law (cells of {h:.3g}) are far too few; {remedy}, "
            "or take particles or characteristics, which need no cells",
            ResolutionWarning,
            stacklevel=3,
        )
