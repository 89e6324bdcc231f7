"""Stages of a step in one call, where the potential follows from the sums of rows by a few features: on few cells, what Python needs
between two stages takes as long as they do.
"""

from __future__ import annotations

from wgf.kernels.compiled import Array, Truth, Whole, serial, summing
from wgf.kernels.outflow import extreme
from wgf.kernels.transport import largest_outflow, pace_of, stage


@summing
def fill_slope(slope: Array, sums: Array, features: Array, target: Array, moments: Array, residual: Array, volume: float) -> float:
    """slope = S z with z = M − f and M = volume·Sᵀ·sums for features S (rows, r) and target f (r,); `moments` becomes M, `residual` z.

    Returns |z|².
    """
    rows, rank = features.shape
    for k in range(rank):
        moments[k] = 0.0
    for row in range(rows):
        each, here = volume * sums[row], features[row]
        for k in range(rank):
            moments[k] += each * here[k]
    for k in range(rank):
        residual[k] = moments[k] - target[k]
    square = 0.0
    for k in range(rank):
        square += residual[k] * residual[k]
    for row in range(rows):
        total, here = 0.0, features[row]
        for k in range(rank):
            total += residual[k] * here[k]
        slope[row] = total
    return square


@serial
def update_slope(slope: Array, sums: Array, features: Array, target: Array, moments: Array, residual: Array, volume: float) -> float:
    """The same, called from Python."""
    return fill_slope(slope, sums, features, target, moments, residual, volume)


@serial
def take_stages(
    weights: Array, part: float, dt: float, reach: float, values: Array, first: Array, second: Array, features: Array, target: Array,
    moments: Array, residual: Array, volume: float, waits: Array, slope: Array, multiplier: Array, along: Array, offset: Array,
    blocks: Whole, runs: Whole, columns: Whole, bottom: Whole, cells: Whole, strides: Whole, periodic: Truth, per_spacing: Array,
    limiter: int, longest: float, work: Array, sums: Array, readings: Array,
) -> tuple[float, float, float, float]:  # fmt: skip
    """`stage` of all active cells for each of the weights, from the values to `first`, from there to `second` and back in turn, with the
    potential that is in place, and then those of the sums, which are those of the last stage.

    The step is of length dt, or reach/outflow where that is less, its stages of a `part` of it.

    Returns its length; the largest outflow of all stages, or of those up to the first that breaks the bound on (length of a stage)·outflow,
    `longest`, which is not taken; and of the first one Σ_faces flux·speed and the smallest value.
    """
    base, fastest, dissipated, lowest = values, 0.0, 0.0, 0.0
    for n in range(weights.size):
        if n > 0:
            fill_slope(slope, sums[1], features, target, moments, residual, volume)
        outflow = largest_outflow(
            waits, slope, multiplier, along, offset, blocks, runs, columns, cells, strides, periodic, per_spacing, 0.0, work, readings
        )
        if n == 0:
            dt = min(dt, reach / outflow)
        fastest, euler = max(fastest, outflow), part * dt
        if euler * fastest > longest:
            break
        stage(
            values, base, first, waits, slope, multiplier, along, offset, blocks, runs, columns, bottom, runs, columns, cells, strides,
            periodic, per_spacing, limiter, pace_of(outflow, longest, euler), euler, weights[n], n == 0, work, sums, readings,
        )  # fmt: skip
        if n == 0:
            dissipated, lowest = readings[:, 0].sum(), extreme(readings[:, 2], -1.0)
        values, first, second = first, second, first
    return dt, fastest, dissipated, lowest
