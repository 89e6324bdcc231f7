"""Where a problem has no finite values: the first of some points at which g(θ; x), the penalty's V or the energy's V is none.

Shapes: points (N, p). A run whose numbers are no longer finite says with it where to look.
"""

from __future__ import annotations

import numpy as np

from wgf.measures.base import BLOCK
from wgf.problems.energy import Energy
from wgf.problems.interaction import InteractionEnergy
from wgf.problems.regression import RegressionEnergy


def undefined_at(energy: Energy, points: np.ndarray) -> np.ndarray | None:
    """The first point, (p,), at which the energy asks for something that is not finite; None where there is none, or it is not known."""
    rows = max(1, BLOCK // (energy.data.size if energy.data is not None else 1))
    with np.errstate(all="ignore"):
        for start in range(0, len(points), rows):
            block = points[start : start + rows]
            bad = ~_finite(energy, block)
            if bad.any():
                first: np.ndarray = block[np.argmax(bad)]
                return first
    return None


def _finite(energy: Energy, theta: np.ndarray) -> np.ndarray:
    """Whether all is finite at theta (N, p), (N,)."""
    finite: np.ndarray = np.isfinite(theta).all(axis=1)
    if isinstance(energy, InteractionEnergy):
        finite &= np.isfinite(energy.confinement(theta))
    elif isinstance(energy, RegressionEnergy):
        finite &= np.isfinite(energy.neuron.value(theta, energy.data.inputs)).all(axis=1)
        if energy.penalty.strength:
            finite &= np.isfinite(energy.penalty.value(theta))
    return finite


def named(names: tuple[str, ...], point: np.ndarray) -> str:
    """A point in words: `(c, a) = (1.2, −0.3)`."""
    return f"({', '.join(names)}) = ({', '.join(f'{coordinate:.4g}' for coordinate in point)})"
