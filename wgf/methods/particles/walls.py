"""A box for particles: closed walls, at which points stop or are reflected, and periodic axes, on which they wrap around.

Reflected paths. With a wall at zero and a fixed velocity v the neuron dX = v dt + √(2τ) dB + dL, X ≥ 0, where L grows only at X = 0, is
Skorokhod's map of the free path Y = x + vt + √(2τ)B: X = Y + max(0, −min Y). The minimum over a step of length η is known in law from the
two ends alone, whatever v is, as it is that of a Brownian bridge: P(min ≤ z) = exp(−(x − z)(y − z)/(τη)) for z ≤ x, y = Y_η, so that

    min = ½(x + y − √((x − y)² − 4τη log U)),    U uniform on (0, 1),    x ← y + max(0, −min)

is a step without any error, however long [Asmussen, Glynn & Pitman, Ann. Appl. Probab. 5 (1995) 875; Lépingle, Math. Comput. Simul. 38
(1995) 119]. To fold y at the wall instead, or to set it back onto it, makes an error of √η in the layer of the width √η, and first weak
order in all, whatever the scheme inside. Without noise min = min(x, y): the neuron stops at the wall.

The coordinates are independent in a step, and so are the walls of different axes. Between two walls, the nearer one to ½(x + y) is taken
and what lies beyond the other is folded back: exact but for paths that meet both in one step, of probability exp(−ℓ²/(4τη)) at most for
walls ℓ apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wgf.errors import InputError, entries_of
from wgf.measures.grid import BOUNDARIES, box_dim, per_axis, vector
from wgf.measures.laws import InBox, Law, judge_box
from wgf.registers import known


class Walls:
    """The box Π [lower_k, upper_k] with a boundary condition for all axes or for each; without lower and upper, all of space."""

    def __init__(
        self, lower: Sequence[float] | None = None, upper: Sequence[float] | None = None, boundary: str | Sequence[str] = "no-flux"
    ) -> None:
        if (lower is None) != (upper is None):
            raise InputError("walls need both lower and upper, or neither")
        for condition in (boundary,) if isinstance(boundary, str) else entries_of(boundary, "boundary", "a word for each axis"):
            known(condition, BOUNDARIES, "boundary condition")
        self.anywhere = lower is None or upper is None
        if self.anywhere:
            if boundary != "no-flux":
                raise InputError(f"boundary = {boundary!r} needs a box: give lower and upper")
            return
        self.lower, self.upper = np.atleast_1d(vector(lower, "walls: lower")), np.atleast_1d(vector(upper, "walls: upper"))
        p = box_dim(lower, upper, 1)  # type: ignore[arg-type]
        self.for_all = np.ndim(lower) == np.ndim(upper) == 0  # type: ignore[arg-type]
        self.lower, self.upper = np.broadcast_to(self.lower, p), np.broadcast_to(self.upper, p)
        if not (np.isfinite(self.lower).all() and (self.lower < self.upper).all() and np.isfinite(self.upper).all()):
            raise InputError(f"walls: lower = {lower}, upper = {upper}; give finite edges, one of each per axis, the lower one first")
        self.periodic = np.array([condition == "periodic" for condition in per_axis(boundary, p, "boundary")])

    def fit(self, p: int | None) -> None:
        """Walls given by one number each are on all of p axes; complain if there are not p of the others, where p is known."""
        if p is not None and not self.anywhere and self.for_all:
            self.lower, self.upper, self.periodic = (np.repeat(edges, p) for edges in (self.lower, self.upper, self.periodic))
        if not self.anywhere and p not in (None, len(self.lower)):
            raise InputError(f"the walls have {len(self.lower)} axes but theta has {p} coordinates")

    @property
    def closed(self) -> bool:
        """Whether there is a wall, on any axis."""
        return not (self.anywhere or self.periodic.all())

    @property
    def periods(self) -> np.ndarray:
        """The lengths of the periodic axes, (p,), zero for the others."""
        return np.zeros(1) if self.anywhere else np.where(self.periodic, self.upper - self.lower, 0.0)

    def law_inside(self, law: Law) -> Law:
        """The initial law of neurons inside: truncated at walls, which is said, and wrapped around periodic axes (laws/in_box.py)."""
        if self.anywhere:
            return law
        held = InBox(law, self.lower, self.upper, self.periodic)
        judge_box(law, held.probability, held.title)
        return held

    def inside(self, points: np.ndarray) -> np.ndarray:
        """The points (m, p), a copy: those beyond a closed wall set back onto it, those beyond a periodic edge wrapped around."""
        if self.anywhere:
            return points.copy()
        return np.where(self.periodic, self._wrapped(points), np.clip(points, self.lower, self.upper))

    def reflected(self, start: np.ndarray, end: np.ndarray, dips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where paths that would freely lead from `start` inside to `end` lead, and which of them met a closed wall, (m, p) each.

        dips    −4τη log U for every coordinate, zero without noise; see the module's text
        """
        if self.anywhere:
            return end.copy(), np.zeros(end.shape, dtype=bool)
        extent = self.upper - self.lower
        above = start + end > self.lower + self.upper  # nearer to the upper wall
        x, y = (np.where(above, self.upper - points, points - self.lower) for points in (start, end))
        minimum = 0.5 * (x + y - np.sqrt((x - y) ** 2 + dips))
        distance = extent - np.abs((y + np.maximum(0.0, -minimum)) % (2.0 * extent) - extent)
        pushed = np.clip(np.where(above, self.upper - distance, self.lower + distance), self.lower, self.upper)
        return np.where(self.periodic, self._wrapped(end), pushed), (minimum < 0) & ~self.periodic

    def stop(self, velocity: np.ndarray, points: np.ndarray) -> None:
        """Set to zero the components of the velocity (m, p) that point out through a closed wall on which its point lies."""
        if not self.anywhere:
            out = (points <= self.lower) & (velocity < 0) | (points >= self.upper) & (velocity > 0)
            velocity[out & ~self.periodic] = 0.0

    def _wrapped(self, points: np.ndarray) -> np.ndarray:
        result: np.ndarray = self.lower + (points - self.lower) % (self.upper - self.lower)
        return result
