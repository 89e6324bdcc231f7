"""A box for clouds: closed walls, at which points stop or are reflected, and periodic axes, on which they wrap around."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wgf.errors import InputError
from wgf.measures.grid import BOUNDARIES, box_dim, per_axis
from wgf.registers import known


class Walls:
    """The box Π [lower_k, upper_k] with a boundary condition for all axes or for each; without lower and upper, all of space."""

    def __init__(
        self, lower: Sequence[float] | None = None, upper: Sequence[float] | None = None, boundary: str | Sequence[str] = "no-flux"
    ) -> None:
        if (lower is None) != (upper is None):
            raise InputError("walls need both lower and upper, or neither")
        for condition in (boundary,) if isinstance(boundary, str) else boundary:
            known(condition, BOUNDARIES, "boundary condition")
        self.anywhere = lower is None or upper is None
        if self.anywhere:
            if boundary != "no-flux":
                raise InputError(f"boundary = {boundary!r} needs a box: give lower and upper")
            return
        self.lower, self.upper = np.atleast_1d(np.array(lower, dtype=float)), np.atleast_1d(np.array(upper, dtype=float))
        p = box_dim(lower, upper, 1)  # type: ignore[arg-type]
        self.for_all = np.ndim(lower) == np.ndim(upper) == 0  # type: ignore[arg-type]
        self.lower, self.upper = np.broadcast_to(self.lower, p), np.broadcast_to(self.upper, p)
        if not (np.isfinite(self.lower).all() and (self.lower < self.upper).all() and np.isfinite(self.upper).all()):
            raise InputError(f"walls: lower = {lower}, upper = {upper}; give finite edges, one of each per axis, the lower one first")
        self.periodic = np.array([condition == "periodic" for condition in per_axis(boundary, p, "boundary")])

    def fit(self, p: int) -> None:
        """Walls given by one number each stand on all of p axes; complain if there are not p of the others."""
        if not self.anywhere and self.for_all:
            self.lower, self.upper, self.periodic = (np.repeat(edges, p) for edges in (self.lower, self.upper, self.periodic))
        if not self.anywhere and len(self.lower) != p:
            raise InputError(f"the walls have {len(self.lower)} axes but theta has {p} coordinates")

    @property
    def periods(self) -> np.ndarray:
        """The lengths of the periodic axes, (p,), zero for the others."""
        return np.zeros(1) if self.anywhere else np.where(self.periodic, self.upper - self.lower, 0.0)

    def inside(self, points: np.ndarray) -> np.ndarray:
        """The points (m, p), a copy: those beyond a closed wall set back onto it, those beyond a periodic edge wrapped around."""
        if self.anywhere:
            return points.copy()
        return np.where(self.periodic, self._wrapped(points), np.clip(points, self.lower, self.upper))

    def reflected(self, points: np.ndarray) -> np.ndarray:
        """The points (m, p), a copy: those beyond a closed wall folded back, however far they are, as light between mirrors."""
        if self.anywhere:
            return points.copy()
        extent = self.upper - self.lower
        return np.where(self.periodic, self._wrapped(points), self.upper - np.abs((points - self.lower) % (2.0 * extent) - extent))

    def stop(self, velocity: np.ndarray, points: np.ndarray) -> None:
        """Set to zero the components of the velocity (m, p) that point out through a closed wall on which its point lies."""
        if not self.anywhere:
            out = (points <= self.lower) & (velocity < 0) | (points >= self.upper) & (velocity > 0)
            velocity[out & ~self.periodic] = 0.0

    def _wrapped(self, points: np.ndarray) -> np.ndarray:
        return self.lower + (points - self.lower) % (self.upper - self.lower)
