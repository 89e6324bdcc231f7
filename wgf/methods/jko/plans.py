"""What a variational step with entropic transport begins with, and what it reaches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from wgf.methods.grid_stepper import GridState

SERIES = ("transport", "gain", "residual", "iterations")  # of the history: of the step that led to a state


@dataclass
class SelfPlan:
    """The scaling d of a plan of a measure to itself, and the mass ⟨d, K d⟩ that the plan has so far."""

    d: np.ndarray
    held: float

    def excess(self, mass: float) -> float:
        """m log(⟨d, K d⟩/m), the last term of the dual of OT_ε(p, p)/ε for a measure of mass m."""
        return mass * math.log(self.held / mass)


@dataclass
class Start:
    """Where a step begins: the masses of μ, Δt, and the plan of μ to itself.

    share       of `accuracy`, of plans to themselves: their error counts ε/(2Δt)-fold in the objective
    energy      in the objective
    tolerance   the rise of the objective that is none
    """

    masses: np.ndarray
    dt: float
    own: SelfPlan
    share: float
    energy: float
    tolerance: float


@dataclass
class Step:
    """What a step reached: masses p (rows, columns), the scaling d of p, and the numbers of SERIES.

    transport   S_ε(p, μ)/(2Δt); of the plain scheme OT_ε(p, μ)/(2Δt), its entropy relative to p ⊗ μ: never negative
    gain        by how much the objective of p is less than that of p = μ, at least
    """

    masses: np.ndarray
    d: np.ndarray
    transport: float
    gain: float
    residual: float
    iterations: int
    tolerance: float


@dataclass(eq=False, repr=False)
class VariationalState(GridState):
    """A density, what the next step begins with, and the numbers of SERIES.

    d        the last scaling of the density (rows, columns), as a guess; None: √ of the masses
    domain   in which the scalings are kept
    """

    d: np.ndarray | None = None
    domain: str = "scaling"
    transport: float = 0.0
    gain: float = 0.0
    residual: float = 0.0
    iterations: float = 0.0
