"""The density μ_t at points: the law pushed along a path, with an estimate of the error of the way back.

Let μ_r be the density by a way back of resolution r. The nodes θ_j of the forward characteristics, weights w_j, are a sample of μ_t, so that

    ∫|μ_r − μ_{r+1}| dθ ≈ Σ_j w_j |μ_r(θ_j)/μ_{r+1}(θ_j) − 1|,

and μ_{r+1} is off by a fifteenth of it, as the errors are of fourth order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from wgf.methods.pushforward.averages import Marks
from wgf.methods.pushforward.backward import ORDER, backward
from wgf.methods.pushforward.path import Path
from wgf.problems.problem import Problem

FLOW_SHARE = 0.25  # of the tolerance, for the way back
FINEST = 7  # resolution
WIDER = 0.25  # of the extent of the box where nodes have been, on each side: beyond it a way back is not followed

Pdf = Callable[[np.ndarray], np.ndarray]


class PushedDensity:
    """μ_t(θ) = μ_0(θ_0) exp ∫ΔG, callable at points (M, p).

    pdf             of the initial law
    marks           the forward nodes at t, with their densities and weights
    error           of the way back, in L¹
    """

    def __init__(self, problem: Problem, pdf: Pdf, path: Path, reach: np.ndarray, tolerance: float, nodes: np.ndarray, weights: np.ndarray):
        self.pdf, margin = pdf, WIDER * (reach[1] - reach[0])
        self.back = backward(problem, path, np.stack([reach[0] - margin, reach[1] + margin]))
        self.resolution, coarse = 0, self._at(nodes, 0)
        while True:
            self.resolution += 1
            fine = self(nodes)
            change = np.abs(coarse - fine) / np.maximum(fine, np.finfo(float).tiny)
            self.error = float(weights @ np.minimum(change, 1.0)) / (2**ORDER - 1)
            if self.error <= FLOW_SHARE * tolerance or self.resolution == FINEST:
                break
            coarse = fine
        self.marks = Marks(nodes, fine, weights)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """μ_t at points (M, p), (M,); zero where the way back has left the box."""
        return self._at(points, self.resolution)

    def _at(self, points: np.ndarray, resolution: int) -> np.ndarray:
        origins, growth = self.back.origins(points, resolution)
        inside = growth > -np.inf
        density = np.zeros(len(points))
        density[inside] = self.pdf(origins[inside]) * np.exp(growth[inside])
        return density
