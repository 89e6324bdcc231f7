"""How many cells a grid has by default.

A cell is as long as a share of the standard deviation of the initial law, of its narrowest part in a mixture, and not longer than a share
of the box, so that a law that is drawn out is seen, too; a grid that would have more than MOST cells has longer ones.
"""

from __future__ import annotations

import numpy as np

from wgf.measures.laws.resolution import narrowest
from wgf.problems.problem import Problem

LAW_NODES = {1: 64, 2: 32, 3: 16, 4: 8}  # per axis, of a rule for the standard deviation of a law of unknown shape
ON_AXIS = {1: 512, 2: 128, 3: 64, 4: 24}  # cells on each axis of a box, at least
PER_STD = {1: 40.0, 2: 10.0, 3: 3.0, 4: 2.0}  # cells per standard deviation, at least
ROUNDING = 1e-9  # of a number of cells
MOST = {1: 2**14, 2: 2**20, 3: 2**23, 4: 2**22}  # cells in all


def default_cells(problem: Problem, lower: np.ndarray, upper: np.ndarray) -> list[int]:
    """Cells along each axis of a box, (p,)."""
    extent = upper - lower
    p = min(len(extent), max(MOST))
    width = narrowest(problem.initial)
    if not np.isfinite(width).all():
        nodes, weights = problem.initial.quadrature(LAW_NODES[p])
        width = np.sqrt(weights @ (nodes - weights @ nodes) ** 2)
    by_law = PER_STD[p] * extent / np.where(width > 0, width, np.inf)
    wanted = np.maximum(by_law, ON_AXIS[p])
    excess = float(np.prod(wanted)) / MOST[p]
    result: list[int] = np.ceil(wanted / max(1.0, excess ** (1.0 / len(extent))) - ROUNDING).astype(int).tolist()
    return result
