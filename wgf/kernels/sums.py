"""Sums and extremes over all cells, threaded, block by block in a fixed order."""

from __future__ import annotations

import math

import numba
import numpy as np

from wgf.kernels.compiled import FEW, Array, Whole, serial, summing, threaded

TINY = 1e-300  # in place of zero in logarithms


@summing
def three_sums(values: Array, multiplier: Array, along: Array) -> tuple[float, float, float]:
    """Σμ, Σ multiplier·μ, Σ along·μ."""
    total, moment, lifted = 0.0, 0.0, 0.0
    for j in range(values.size):
        total += values[j]
        moment += multiplier[j] * values[j]
        lifted += along[j] * values[j]
    return total, moment, lifted


@threaded
def fill_many_sums(sums: Array, values: Array, multiplier: Array, along: Array) -> None:
    """`fill_sums` in threads."""
    for row in numba.prange(values.shape[0]):
        sums[0, row], sums[1, row], sums[2, row] = three_sums(values[row], multiplier, along)


@serial
def fill_sums(sums: Array, values: Array, multiplier: Array, along: Array) -> None:
    """Row sums of values (rows, columns): Σμ, Σ multiplier·μ, Σ along·μ into sums (3, rows)."""
    if values.size > FEW:
        fill_many_sums(sums, values, multiplier, along)
    else:
        for row in range(values.shape[0]):
            sums[0, row], sums[1, row], sums[2, row] = three_sums(values[row], multiplier, along)


@threaded
def fill_sums_of_runs(sums: Array, values: Array, multiplier: Array, along: Array, runs: Whole, columns: Whole) -> None:
    """The same over the cells of some runs (active.py)."""
    for row in numba.prange(values.shape[0]):
        total, moment, lifted = 0.0, 0.0, 0.0
        for run in range(runs[row], runs[row + 1]):
            start, stop = columns[run, 0], columns[run, 1]
            part = three_sums(values[row, start:stop], multiplier[start:stop], along[start:stop])
            total, moment, lifted = total + part[0], moment + part[1], lifted + part[2]
        sums[0, row], sums[1, row], sums[2, row] = total, moment, lifted


@threaded
def fill_logarithms(logarithms: Array, values: Array, readings: Array) -> None:
    """τ-free entropy: log μ of every cell into `logarithms` (N,); Σ μ log μ and the smallest μ of each block into readings."""
    blocks = readings.shape[0]
    for block in numba.prange(blocks):
        entropy, lowest = 0.0, np.inf
        for k in range(block * values.size // blocks, (block + 1) * values.size // blocks):
            logarithms[k] = math.log(max(values[k], TINY))
            entropy += values[k] * logarithms[k]
            lowest = min(lowest, values[k])
        readings[block, 0], readings[block, 1] = entropy, lowest
