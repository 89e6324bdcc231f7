"""Where neurons may be: a box Θ in R^p, whose edges may be infinite where a penalty keeps the minimum finite.

Over all of R^p, G(θ; z) = ⟨g(θ), z⟩ + ½λ|θ|² has a minimum in a ball. With |σ(z)| ≤ A + B|z|, u = ρz and

    S(R) = Σ_i |u_i| (A + B(|x̃_i| R + |offset_i|)) ≥ |⟨σ, u⟩|   for input weights and biases ω with |ω| ≤ R,

it is at least ½λR² − S(R)²/(2λ) on the sphere |ω| = R where c is free, and ½λR² − S(R) where it is one. Both grow from where they are
positive and growing: there is no lower value beyond. For a σ that grows linearly and a free c this takes λ > B Σ|u_i||x̃_i|.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.errors import InputError, number
from wgf.measures.grid import per_axis
from wgf.measures.measure import Density
from wgf.problems.regression import RegressionEnergy

if TYPE_CHECKING:
    from wgf.runs.run import Run

UNBOUNDED = "the domain has no end and no penalty |θ|² keeps the minimum finite: give lower and upper, one number for each coordinate of θ"


@dataclass(frozen=True)
class Domain:
    """The box of θ, lower and upper (p,); all of R^p where they are infinite."""

    lower: np.ndarray
    upper: np.ndarray

    @property
    def bounded(self) -> bool:
        """Whether it is a box."""
        return bool(np.isfinite(self.lower).all() and np.isfinite(self.upper).all())

    def describe(self) -> str:
        """In words."""
        if not self.bounded:
            return "all θ"
        return "θ in " + " × ".join(f"[{low:.4g}, {high:.4g}]" for low, high in zip(self.lower, self.upper, strict=True))


def held(places: np.ndarray, slope: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Which coordinates (N, p) of places are at an end of the box where the slope would lower the function beyond it."""
    result: np.ndarray = ((places <= lower) & (slope > 0)) | ((places >= upper) & (slope < 0))
    return result


def domain_of(energy: RegressionEnergy, p: int, lower: Any = None, upper: Any = None) -> Domain:
    """The box that is given, or all of R^p where there is a penalty |θ|²."""
    if (lower is None) != (upper is None):
        raise InputError("lower and upper belong together: give both, or neither")
    if lower is None or upper is None:
        if energy.penalty.strength == 0 or energy.penalty.function is not None:
            raise InputError(UNBOUNDED)
        return Domain(np.full(p, -np.inf), np.full(p, np.inf))
    low, high = (np.array(per_axis(edges, p, name), dtype=float) for edges, name in ((lower, "lower"), (upper, "upper")))
    if not all(number(a) < number(b) for a, b in zip(low, high, strict=True)):
        raise InputError(f"the domain [{low.tolist()}, {high.tolist()}] must have finite edges, the lower one first")
    return Domain(low, high)


def domain_of_run(run: Run, lower: Sequence[float] | float | None, upper: Sequence[float] | float | None) -> Domain:
    """The box that is given; else that of the method; else all of R^p where there is a penalty; else the cells that the run has seen."""
    energy, last = run.problem.energy, run.measures[-1]
    p = last.points.shape[1]
    options = run.options
    if lower is None and upper is None:
        if options.get("lower") is not None and options.get("upper") is not None and not options.get("grow"):
            lower, upper = options["lower"], options["upper"]
        elif isinstance(last, Density) and (energy.penalty.strength == 0 or energy.penalty.function is not None):
            lower, upper = last.grid.lower, last.grid.upper
    return domain_of(energy, p, lower, upper)
