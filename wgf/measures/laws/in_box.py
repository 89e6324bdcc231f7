"""A law in a box: what lies beyond a closed edge is left out, what lies beyond a periodic edge wraps around.

With B = {θ: lower_k ≤ θ_k ≤ upper_k on every closed axis k} and the map w that folds the periodic axes, every method starts from

    w_#(μ₀(· | B)):

on a grid by the law's cell averages, which wrap around, scaled to mass one; neurons by drawing again what falls outside B. A density
without a support is one on the box, which does not wrap around.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wgf.errors import BoundaryWarning, InputError, warn
from wgf.measures.arguments import drawing
from wgf.measures.grid import MOST_AXES, Grid, describe_box, wrapped
from wgf.measures.laws.base import Law, Rule, legendre_rule
from wgf.measures.laws.composed import Mixture
from wgf.measures.laws.given import FromDensity, Samples
from wgf.measures.measure import MeshDensity

LEFT_OUT = 1e-6  # of the law, outside: worth a warning
MISSED = 1 / 3  # of the law, outside: from here on the box is wrong
AROUND = "choose a box around the law, or leave lower and upper out"
CELLS = {1: 512, 2: 64, 3: 16, 4: 8}  # per axis, by dimension, for the probability of a box
DRAWS = 2**14  # points for the same, where a law has no cell averages
ROUNDS = 200  # of drawing again: what holds most of a law leaves nothing over after them
MARGIN = 0.25  # of the extent of points, on both sides, of a box that is advised


@dataclass(frozen=True, eq=False, repr=False)
class InBox:
    """`law` given that it lies in the box on the closed axes, and wrapped around the others.

    lower, upper, periodic    (p,) each
    """

    law: Law
    lower: np.ndarray
    upper: np.ndarray
    periodic: np.ndarray

    @property
    def dim(self) -> int:
        return len(self.lower)

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """Those of the law over the cells of a grid of the box, scaled to mass one."""
        averages = self.law.cell_averages(grid)
        result: np.ndarray = averages / (averages.sum() * grid.cell_volume)
        return result

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        """Not known at single points, where it wraps around."""
        raise InputError(f"{self!r} has cell averages and points, but no density at single points")

    def sample(self, m: int, rng: np.random.Generator | int = 0) -> np.ndarray:
        """Those of the law; what falls outside is drawn again."""
        rng = drawing(m, rng)
        points = np.array(self._kept.sample(m, rng))
        for _ in range(ROUNDS):
            if not (outside := ~self._holds(points)).any():
                return wrapped(points, self.lower, self.upper, self.periodic)
            points[outside] = self._kept.sample(int(outside.sum()), rng)
        raise InputError(f"{self.title} holds hardly any of the points that the initial law {self.law!r} draws: {AROUND}")

    def quadrature(self, nodes: int) -> Rule:
        """The rule of the law, or of its components, where all nodes lie in the box; else Gauss–Legendre on what of their extent does."""
        points, weights = self._rule(self._kept, nodes)
        if not weights.any():
            raise InputError(f"{self.title} holds no node of the initial law {self.law!r}: {AROUND}")
        return wrapped(points, self.lower, self.upper, self.periodic), weights / weights.sum()

    @property
    def title(self) -> str:
        """For example `the box [-1, 1] × [0, 3]`."""
        return box_title(self.lower.tolist(), self.upper.tolist())

    @cached_property
    def probability(self) -> float:
        """μ₀(B), by cell averages, or by points drawn from the law where it has none, and in more than four dimensions."""
        if self.dim > MOST_AXES or isinstance(self.law, MeshDensity):
            return float(self._holds(self.law.sample(DRAWS, np.random.default_rng(0))).mean())
        boundary = ["periodic" if wrap else "no-flux" for wrap in self.periodic]
        grid = Grid(self.lower.tolist(), self.upper.tolist(), CELLS[self.dim], boundary=boundary)
        return float(self.law.cell_averages(grid).sum()) * grid.cell_volume

    @cached_property
    def _kept(self) -> Law:
        """The law without what it is known beforehand not to take into the box: points outside, and densities without a support there."""
        law = self.law
        if isinstance(law, Samples):
            inside = self._holds(law.points)
            return law if inside.all() else Samples(law.points[inside])
        if isinstance(law, Mixture) and law.dim is None:
            return Mixture(law.weights, [InBox(part, self.lower, self.upper, self.periodic) for part in law.laws])
        if isinstance(law, FromDensity) and law.dim is None:
            return FromDensity(law.function, law.sampler, self.lower.tolist(), self.upper.tolist())
        return law

    def _rule(self, law: Law, nodes: int) -> Rule:
        """Nodes in B, their weights summing to about μ₀(B)."""
        if isinstance(law, Mixture):
            rules = [self._rule(part, nodes) for part in law.laws]
            weighted = [share * weights for share, (_, weights) in zip(law.weights, rules, strict=True)]
            return np.concatenate([points for points, _ in rules]), np.concatenate(weighted)
        points, weights = law.quadrature(nodes)
        held = self._holds(points)
        lower, upper = points.min(axis=0), points.max(axis=0)
        lower, upper = (np.where(self.periodic, end, np.clip(end, self.lower, self.upper)) for end in (lower, upper))
        if held.all() or not (lower < upper).all():
            return points[held], weights[held]
        inner, shares = legendre_rule(lower.tolist(), upper.tolist(), nodes)
        try:
            return inner, shares * law.pdf(inner) * float(np.prod(upper - lower))
        except InputError:  # a law of points has no density
            return points[held], weights[held]

    def _holds(self, points: np.ndarray) -> np.ndarray:
        """Which points (m, p) lie in B, or in the whole box for a density without a support; (m,)."""
        free = self.periodic if self.law.dim is not None else False
        return np.asarray((((points >= self.lower) & (points <= self.upper)) | free).all(axis=1))

    def __repr__(self) -> str:
        return f"{self.law!r} in {self.title}"


def judge_box(law: Law, held: float, where: str, remedy: str = "") -> None:
    """Warn if `where`, a box or a mesh, holds less than all of the law, `held` of it, and refuse one that misses more than MISSED."""
    if not held > 1 - MISSED:
        advice = remedy or f"{AROUND}; {box_title(*box_around(law))} would do"
        raise InputError(f"{where} holds only {max(held, 0.0):.2%} of the initial law {law!r}: {advice}")
    if held < 1 - LEFT_OUT:
        warn(f"{where} leaves out {1 - held:.2g} of the initial law; the rest is scaled to mass one", BoundaryWarning)


def box_around(law: Law) -> tuple[list[float], list[float]]:
    """The edges, in round numbers, of a box around points drawn from a law."""
    points = law.sample(DRAWS, np.random.default_rng(0))
    lower, upper = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * np.maximum(upper - lower, np.abs(lower) + np.finfo(float).tiny)
    unit = 10.0 ** np.floor(np.log10(margin))
    return (np.floor((lower - margin) / unit) * unit).tolist(), (np.ceil((upper + margin) / unit) * unit).tolist()


def box_title(lower: Sequence[float], upper: Sequence[float]) -> str:
    """For example `the box [-1, 1] × [0, 3]`."""
    return "the box" + describe_box((), lower, upper).removeprefix(" on")
