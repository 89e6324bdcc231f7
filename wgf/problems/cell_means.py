"""W at the differences of the cells of a grid: its values where it is smooth, else its means over a cell.

For a density that is constant on each cell, (W ∗ μ)(θ_i) = Σ_j |C| K_{i−j} μ_j holds at the centres of cells with

    K_j = (1/|C|) ∫_C W(z_j + u) du,      C = Π_k [−h_k/2, h_k/2],   z_j = (j_1 h_1, …, j_p h_p).

Where W is smooth, W(z_j) serves as well: it differs by ~ h² Σ_k ∂_k²W/24. Where W ~ log r or r^a at zero that is ~ h² r^{a−2}, as large
as W itself in the first cells, and the values would leave an error ~ h^{p+a} μ in W ∗ μ, first order for a logarithm on a line; the
means leave one of second order. For a density whose averages over cells are known, and a potential that is read by averages, too
(measures/averages.py), both become of fourth order where W is smooth: D²W(z_j), D once for each, or D³K_j, as K = W/D.

The means come from three rules:

- far from zero, K = W + Σ_k δ_k²W/24 with the second differences δ_k² of the values: no further value is needed, the rest is ~ δ⁴W;
- within NEAR cells, Gauss rules on the cell, cut into thirds until a part is at most half as long as it is far from zero;
- at zero, the pyramids from zero over the faces of the cell: z = ρ s∘η with η_k = ½ on the face k and s the sides gives

      K_0 = Σ_k ∫_0^1 ρ^{p−1} ∫_{[−½, ½]^{p−1}} W(ρ s∘η) dη dρ      for even W,

  where for homogeneous W the singularity is in ρ alone. Gauss rules take η; ρ = 1/(1 + e^{−π sinh t}) and the trapezoidal rule in t take
  any power that has an integral [Takahasi & Mori, Publ. RIMS 9 (1974) 721].

W counts as smooth where a Gauss rule on the cell at zero gives the same as these pyramids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from wgf.errors import InputError
from wgf.measures.averages import for_averages
from wgf.measures.base import BLOCK

Function = Callable[[np.ndarray], np.ndarray]
NODES = 8  # per axis, of the Gauss rule on the cell at zero; even, so that none is zero itself
SMOOTH, ROUNDING = 1e-6, 1e-12  # by what the two rules at zero may differ: of W's change over half a cell, and of its size
NEAR = {1: 16, 2: 8, 3: 3, 4: 3}  # cells, by dimension: the differences beyond are ~ r^{a−4}, and add up to ~ NEAR^{a+p−4}
NEAR_NODES = 4  # per axis: relative error 1e-7 at the distance of two sides
APART = 0.5  # the longest side of a part, beside its distance from zero
LENGTHENED = 3**0.5  # a box around zero is cut as long as its sides differ by more; thirds of longer ones are then no shorter than 1/√3
FACE_NODES = 8  # per axis of a face
FIRST, LAST, STEP = -4.5, 3.2, 0.1  # of t: from ρ = 1e-61 to 1 − ρ = 1e-16
INNER, INTEGRABLE = 1e-30, 1e-2  # ρ below which no more than this share of the integral may lie


def kernel(interaction: Function, steps: Sequence[np.ndarray], spacing: np.ndarray, periodic: Sequence[bool] | None = None) -> np.ndarray:
    """K at the differences (j_1 h_1, …, j_p h_p), for each axis the consecutive whole numbers `steps`, zero among them: (n_1, …, n_p).

    `interaction` is even, (…, p) → (…), and need not have a value at zero. `periodic`, by axis, is given for cell averages. Raises
    InputError where W is not finite at another difference, or has no integral over a cell at zero.
    """
    places = np.stack(np.meshgrid(*(j * h for j, h in zip(steps, spacing, strict=True)), indexing="ij"), axis=-1)
    zero = tuple(int(np.flatnonzero(j == 0)[0]) for j in steps)
    places[zero] = 0.5 * spacing  # a place holder
    values = interaction(places)
    values[zero] = _gauss(interaction, np.zeros((1, len(spacing))), spacing[None], NODES)[0]
    if not np.isfinite(values).all():
        raise InputError("W is not finite at some difference of two cells other than zero: give one that is")
    places[zero] = 0.0
    mean = box_means(interaction, np.zeros((1, len(spacing))), spacing)[0]
    change = np.abs(interaction(np.diag(0.5 * spacing)) - mean).max()
    if abs(values[zero] - mean) <= SMOOTH * change + ROUNDING * abs(mean):
        return _for_averages(values, periodic, 2)
    near = np.abs(places).max(axis=-1) <= NEAR[len(spacing)] * spacing.max()
    values = _curved(values)
    values[near] = box_means(interaction, places[near], spacing)
    return _for_averages(values, periodic, 3)


def _for_averages(values: np.ndarray, periodic: Sequence[bool] | None, power: int) -> np.ndarray:
    """D to a power of the values; themselves where there is no D."""
    for _ in range(0 if periodic is None else power):
        values = for_averages(values, periodic or ())
    return values


def box_means(interaction: Function, centers: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """The means (M,) of an even W over boxes with these centers (M, p) and sides (p,), each of which has zero at its center or outside."""
    found, volume = np.zeros(len(centers)), np.prod(sides)
    parts, lengths, owners = centers, np.tile(sides, (len(centers), 1)), np.arange(len(centers))
    while len(parts):
        distance, longest = np.abs(parts).max(axis=1), lengths.max(axis=1)
        at_zero = distance == 0
        whole = np.where(at_zero, longest <= LENGTHENED * lengths.min(axis=1), longest <= APART * distance)
        for chosen, rule in ((whole & at_zero, _pyramids), (whole & ~at_zero, _apart)):
            means = rule(interaction, parts[chosen], lengths[chosen])
            shares = lengths[chosen].prod(axis=1) / volume
            found += np.bincount(owners[chosen], means * shares, minlength=len(found))
        parts, lengths, owners = _thirds(parts[~whole], lengths[~whole], owners[~whole])
    return found


def _thirds(centers: np.ndarray, sides: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three boxes for each, cut across its longest side."""
    cut = np.zeros_like(sides)
    row, axis = np.arange(len(sides)), sides.argmax(axis=1)
    cut[row, axis] = sides[row, axis] / 3
    smaller = np.where(cut > 0, cut, sides)
    return np.concatenate([centers - cut, centers, centers + cut]), np.tile(smaller, (3, 1)), np.tile(owners, 3)


def _apart(interaction: Function, centers: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Means over boxes (M, p) that are apart from zero."""
    count = max(1, BLOCK // NEAR_NODES ** sides.shape[1])
    blocks = [slice(start, start + count) for start in range(0, len(centers), count)]
    return np.concatenate([np.empty(0), *(_gauss(interaction, centers[block], sides[block], NEAR_NODES) for block in blocks)])


def _gauss(interaction: Function, centers: np.ndarray, sides: np.ndarray, nodes: int) -> np.ndarray:
    """Means (M,) over boxes of centers and sides (M, p) by a Gauss rule."""
    unit, weights = _unit_rule(nodes, sides.shape[1])
    means: np.ndarray = interaction(centers[:, None] + sides[:, None] * unit) @ weights
    return means


def _pyramids(interaction: Function, centers: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Means over boxes (M, p) around zero; see the module's text. Raises InputError where W has none."""
    return np.array([_around_zero(interaction, lengths) for lengths in sides])


def _around_zero(interaction: Function, sides: np.ndarray) -> float:
    p, t = len(sides), np.arange(FIRST, LAST, STEP)
    rho = 1.0 / (1.0 + np.exp(-np.pi * np.sinh(t)))
    along = STEP * np.pi * np.cosh(t) * rho**p / (1.0 + np.exp(np.pi * np.sinh(t)))
    across, weights = _unit_rule(FACE_NODES, p - 1)
    shells = np.zeros(len(rho))
    for axis in range(p):
        face = sides * np.insert(across, axis, 0.5, axis=1)
        shells += along * (interaction(rho[:, None, None] * face) @ weights)
    if not np.abs(shells[rho < INNER]).sum() <= INTEGRABLE * np.abs(shells).sum() < np.inf:
        raise InputError(f"W grows too fast at zero: its integral over a cell does not exist; it has to grow more slowly than 1/r^{p}")
    return float(shells.sum())


def _unit_rule(nodes: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (nodes^p, p) and weights of the Gauss rule for the mean over [−½, ½]^p; p may be zero."""
    line, weight = np.polynomial.legendre.leggauss(nodes)
    points = np.stack(np.meshgrid(*(0.5 * line,) * p, indexing="ij"), axis=-1) if p else np.empty((1, 0))
    weights = np.ones(1)
    for _ in range(p):
        weights = np.multiply.outer(weights, 0.5 * weight).ravel()
    return points.reshape(len(weights), p), weights


def _curved(values: np.ndarray) -> np.ndarray:
    """W + Σ_k δ_k²W/24, with the outermost second differences taken twice."""
    result = values.copy()
    for axis in range(values.ndim):
        if values.shape[axis] > 2:
            beside = [(int(k == axis),) * 2 for k in range(values.ndim)]
            result += np.pad(np.diff(values, 2, axis=axis), beside, mode="edge") / 24
    return result
