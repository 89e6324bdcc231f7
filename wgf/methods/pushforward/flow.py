"""The density μ_t at points: the law pushed along a path, with an estimate of the error of the way back.

Let μ_r be the density, and θ_r the origins, by a way back of resolution r. The nodes θ_j of the forward characteristics, weights w_j, are a
sample of μ_t, by which

    ∫|μ_r − μ_{r−1}| dθ ≈ Σ_j w_j (|μ_{r−1}/μ_r − 1| + Σ_k |θ_{r−1} − θ_r|_k/σ_k),      σ_k the deviations of the law.

The second sum is for laws with edges, which no node sees: an edge that moves by δ alters a uniform law of length 2√3 σ by δ/2√3σ. Where
these changes fall by a factor q from one resolution to the next, μ_r is off by the last one over q − 1; q is taken to lie between 2 and 2⁴,
as the errors are of fourth order in the end.

Where a way back is a sum over the data at each stage, many points are read from charts of it (charts.py), each right to a small part of the
tolerance.
"""

from __future__ import annotations

import numpy as np

from wgf.methods.pushforward.averages import Marks, PointDensity
from wgf.methods.pushforward.backward import ORDER, backward
from wgf.methods.pushforward.charts import TERMS, Charts
from wgf.methods.pushforward.kinks import Origins
from wgf.methods.pushforward.path import Path
from wgf.problems.problem import Problem
from wgf.problems.regression import slices
from wgf.ranks.team import ONE, Team

FLOW_SHARE = 0.25  # of the tolerance, for the way back
CHART_SHARE = 0.05  # of the tolerance, for its charts
FINEST = 8  # resolution
WIDER = 0.25  # of the extent of the box where nodes have been, on each side: beyond it a way back is not followed
SHARED = 2**8  # points that no two ranks share
LEAST_FALL = 2.0  # of the changes from one resolution to the next


class PushedDensity:
    """μ_t(θ) = μ_0(θ_0) exp ∫ΔG, callable at points (M, p).

    pdf     of the initial law
    marks   the forward nodes at t, with their densities and weights
    error   of the way back, in L¹
    """

    def __init__(
        self,
        problem: Problem,
        pdf: PointDensity,
        path: Path,
        reach: np.ndarray,
        tolerance: float,
        nodes: np.ndarray,
        weights: np.ndarray,
        team: Team = ONE,
    ) -> None:
        self.team = team
        margin = WIDER * (reach[1] - reach[0])
        box = np.stack([reach[0] - margin, reach[1] + margin])
        self.pdf, self.back = pdf, backward(problem, path, box)
        self.error, change, self.resolution = np.inf, np.inf, 0
        coarse = self.back.origins(nodes, 0)
        while self.error > FLOW_SHARE * tolerance and self.resolution < FINEST:
            self.resolution += 1
            fine = self.back.origins(nodes, self.resolution)
            before, change = change, self._change(coarse, fine, weights)
            fall = min(max(before / change, LEAST_FALL), 2.0**ORDER) if 0 < change < before < np.inf else LEAST_FALL
            self.error, coarse = change / (fall - 1.0), fine
        if self.error * fall <= FLOW_SHARE * tolerance:  # as is known now, the one before does
            self.error, self.resolution = self.error * fall, self.resolution - 1
        self.marks = Marks(nodes, self._density(coarse), weights)
        self.charts = None
        if self.back.dear and box.shape[1] in TERMS:
            self.charts = Charts(self._followed, box, _deviations(coarse[0], weights), CHART_SHARE * tolerance)
            self.error += CHART_SHARE * tolerance

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """μ_t at points (M, p), (M,); zero where the way back has left the box."""
        return self._density(self._followed(points) if self.charts is None else self.charts.origins(points))

    def _followed(self, points: np.ndarray) -> Origins:
        """The ways back, each of them by one rank."""
        parts, result = slices(len(points), SHARED), np.empty((len(points), points.shape[1] + 1))
        if mine := self.team.share(parts):
            own = slice(mine[0].start, mine[-1].stop)
            result[own, :-1], result[own, -1] = self.back.origins(points[own], self.resolution)
        self.team.fill(result, parts)
        return result[:, :-1], result[:, -1]

    def _density(self, origins: Origins) -> np.ndarray:
        places, growth = origins
        inside = growth > -np.inf
        density = np.zeros(len(places))
        density[inside] = self.pdf(places[inside]) * np.exp(growth[inside])
        return density

    def _change(self, coarse: Origins, fine: Origins, weights: np.ndarray) -> float:
        """From one resolution to the next, in L¹; a node that gets lost counts as a whole."""
        density = self._density(fine)
        ratio = np.abs(self._density(coarse) - density) / np.maximum(density, np.finfo(float).tiny)
        moved = np.sum(np.abs(coarse[0] - fine[0]) / _deviations(fine[0], weights), axis=1)
        return float(weights @ np.minimum(ratio + moved, 1.0))


def _deviations(places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of the initial law, whose nodes are these, (p,)."""
    deviations = np.sqrt(weights @ (places - weights @ places) ** 2)
    return np.asarray(np.maximum(deviations, np.finfo(float).tiny))
