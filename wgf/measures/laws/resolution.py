"""How well the cells of a grid resolve a law: cells per standard deviation, axis by axis.

For cell averages p_i, the masses of a marginal in cells of length h, with centres x_i, the law's variance is, by Sheppard's correction,

    σ² = Σ_i p_i (x_i − x̄)² − h²/12,      x̄ = Σ_i p_i x_i,

and on an axis that wraps around with the period P, where a law may lie across the seam, with R = |Σ_i p_i e^{2πi x_i/P}|,

    σ² = −2(P/2π)² log R − h²/12,

which is the variance before wrapping of a Gaussian, and tends to the first one for a narrow law. A law within one cell has σ = 0 by them:
where σ is known (Gaussian, uniform, ball, and products of them), it is taken instead; in a mixture that of its narrowest part counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wgf.errors import ResolutionWarning, warn
from wgf.measures.grid import Grid
from wgf.measures.laws.composed import Mixture, Product
from wgf.measures.laws.simple import Ball, Gaussian, Uniform
from wgf.measures.mesh import Mesh

CELLS_PER_STD = 2.0  # fewer are far too coarse
SLACK = 0.99  # of it is enough: a law that the box cuts off in its tails has lost that much
KNOWN_NODES = 4  # per axis, of a rule for σ of a law of known shape, exact for polynomials of degree 7
NARROWER = 1.0  # the same on a mesh whose cells differ: fewer are too few
ROUNDING = 1e-9  # of a number of cells
TO_BE_COUNTED = 1e6  # cells on an axis: beyond it, more cells are no advice


def cells_per_std(grid: Grid, sums: Sequence[np.ndarray]) -> np.ndarray:
    """σ_k/h_k, (p,), for the sums of cell averages over all other axes, (n_k,) for each, dimensionless; zero where the law lies within one
    cell.
    """
    found = np.zeros(grid.dim)
    for axis, (masses, centers, h, wrap) in enumerate(zip(sums, grid.centers, grid.spacing, grid.periodic(), strict=True)):
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


def narrowest(law: Any) -> np.ndarray:
    """σ_k of the law, of its narrowest part where it is a mixture, (p,); NaN where it is not known."""
    result: np.ndarray
    if isinstance(law, Mixture):
        result = np.fmin.reduce([narrowest(part) for part in law.laws])
        return result
    if isinstance(law, Product):
        return np.concatenate([narrowest(part) for part in law.laws])
    if not isinstance(law, Gaussian | Uniform | Ball):
        return np.full(law.dim or 1, np.nan)
    points, weights = law.quadrature(KNOWN_NODES)
    result = np.sqrt(weights @ (points - weights @ points) ** 2)
    return result


def judge_resolution(grid: Grid, sums: Sequence[np.ndarray], names: Sequence[str], law: Any, endless: bool = False) -> None:
    """Warn of axes, called by their `names`, with fewer than CELLS_PER_STD cells per standard deviation of the initial law, by the sums of
    its cell averages over all other axes.

    Where the grid is `endless`, a smaller spacing is advised, and no smaller box.
    """
    known = narrowest(law) / grid.spacing
    found = cells_per_std(grid, sums)
    ratios = np.where(known < np.maximum(found, CELLS_PER_STD), known, found)  # the box may cut off what is wider
    for name, n, h, ratio in zip(names, grid.shape, grid.spacing, ratios, strict=True):
        if ratio >= SLACK * CELLS_PER_STD:
            continue
        needed = CELLS_PER_STD * n / ratio if ratio > 0 else math.inf
        more = f"at least {math.ceil(needed * (1 - ROUNDING)):,}" if needed <= TO_BE_COUNTED else ""
        if endless:
            remedy = "take a smaller spacing" + (f", {h * n / needed:.2g} on this axis" if more else "") + ", or take"
        else:
            remedy = f"take {more} on this axis, or a smaller box, or take" if more else "no grid of this box resolves it: take"
        warn(
            f"axis {name}: {ratio:.3g} cells per standard deviation of the initial law (cells of {h:.3g}) are far too few; {remedy} "
            "particles or characteristics, which need no cells",
            ResolutionWarning,
        )


def judge_mesh_resolution(mesh: Mesh, averages: np.ndarray, law: Any) -> None:
    """Warn where σ, of the narrowest axis, is less than the side volume^{1/d} of the cell that holds most; nothing is said of surfaces."""
    std = float(np.nanmin(known)) if not np.isnan(known := narrowest(law)).all() else math.nan
    side = float(mesh.volumes[np.argmax(averages * mesh.volumes)] ** (1.0 / mesh.cell_dim))
    if mesh.cell_dim < mesh.dim or not std < NARROWER * side:
        return
    finer = CELLS_PER_STD * side / std
    warn(
        f"the {mesh.title} has {std / side:.3g} cells per standard deviation of the initial law (cells of {side:.3g}), far too few; take "
        f"cells of {side / finer:.2g}, about {math.ceil(mesh.size * finer**mesh.cell_dim):,} of them, or particles or characteristics",
        ResolutionWarning,
    )
