"""Stages of a step in one call, where the potential follows from the sums of rows by a few features: on few cells, what Python needs
between two stages takes as long as they do.
"""

from __future__ import annotations

from wgf.kernels.compiled import Array, Truth, Whole, serial, summing
from wgf.kernels.transport import whole_stage


@summing
def fill_slope(slope: Array, moments: Array, features: Array, target: Array, residual: Array, volume: float) -> None:
    """slope = S z with z = volume·Sᵀ·moments − f for features S (rows, r) and target f (r,); `residual` becomes z."""
    rows, rank = features.shape
    for k in range(rank):
        residual[k] = -target[k]
    for row in range(rows):
        each, here = volume * moments[row], features[row]
        for k in range(rank):
            residual[k] += each * here[k]
    for row in range(rows):
        total, here = 0.0, features[row]
        for k in range(rank):
            total += residual[k] * here[k]
        slope[row] = total


@serial
def further_stages(
    weights: Array, dt: float, values: Array, base: Array, spare: Array, features: Array, target: Array, residual: Array, volume: float,
    waits: Array, slope: Array, multiplier: Array, along: Array, offset: Array, blocks: Whole, runs: Whole, columns: Whole, bottom: Whole,
    cells: Whole, strides: Whole, periodic: Truth, per_spacing: Array, limiter: int, longest: float, work: Array, sums: Array,
    readings: Array,
) -> float:  # fmt: skip
    """`whole_stage` for each of the weights, from the values to `spare` and back in turn, with the potential of the sums, which are those
    of the values, before each; the largest outflow of all, or of those up to the first that breaks the bound dt·outflow ≤ longest.
    """
    fastest = 0.0
    for weight in weights:
        fill_slope(slope, sums[1], features, target, residual, volume)
        outflow = whole_stage(
            values, base, spare, waits, slope, multiplier, along, offset, blocks, runs, columns, bottom, cells, strides, periodic,
            per_spacing, limiter, longest, 0.0, dt, weight, False, work, sums, readings,
        )  # fmt: skip
        fastest, values, spare = max(fastest, outflow), spare, values
        if dt * fastest > longest:
            break
    return fastest
