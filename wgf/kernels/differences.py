"""How far states and potentials are apart, in one pass over them: what judges a step that is taken twice (methods/step_control.py)."""

from __future__ import annotations

import numpy as np

from wgf.kernels.compiled import Array, serial, serial_sums


@serial_sums
def distance(first: Array, second: Array, volumes: Array) -> float:
    """Σ volume·|first − second| for values (N,) and volumes (N,) or (1,)."""
    total = 0.0
    if volumes.size == 1:
        for k in range(first.size):
            total += abs(first[k] - second[k])
        return total * float(volumes[0])
    for k in range(first.size):
        total += volumes[k] * abs(first[k] - second[k])
    return total


@serial
def spreads(before: Array, wrong: Array, after: Array, values: Array, everywhere: bool) -> tuple[float, float, float, float, float, float]:
    """The largest and the smallest of after − before, then those of after − wrong, and of after, over all of these (N,), or where the
    values (N,) are more than zero; NaN where there is one, −∞ and ∞ over none.
    """
    highest, most, above, lowest, least, below, total = -np.inf, -np.inf, -np.inf, np.inf, np.inf, np.inf, 0.0
    for k in range(after.size):
        if everywhere or values[k] > 0.0:
            changed, missed, value = after[k] - before[k], after[k] - wrong[k], after[k]
            highest, lowest = max(highest, changed), min(lowest, changed)
            most, least = max(most, missed), min(least, missed)
            above, below = max(above, value), min(below, value)
            total += changed + missed
    if np.isnan(total):
        return np.nan, np.nan, np.nan, np.nan, np.nan, np.nan
    return highest, lowest, most, least, above, below
