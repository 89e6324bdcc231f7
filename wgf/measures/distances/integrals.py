"""Distances between what two measures give: their networks φ = ∫g dμ, their losses L, their means ∫θ dμ."""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.measures.distances.axes import check_pair, closed
from wgf.measures.measure import Measure


def function_distance(mu: Measure, nu: Measure, energy: Any) -> float:
    """‖φ_μ − φ_ν‖ in L²(ρ)."""
    if energy is None or energy.data is None:
        raise InputError("the function distance is one of networks: give energy = a RegressionEnergy")
    check_pair(mu, nu)
    return float(energy.data.norm(energy.predict(mu) - energy.predict(nu)))


def loss_distance(mu: Measure, nu: Measure, energy: Any) -> float:
    """|L[μ] − L[ν]|."""
    if energy is None:
        raise InputError("the loss distance needs the energy: energy = problem.energy")
    check_pair(mu, nu)
    return float(abs(energy.loss(mu) - energy.loss(nu)))


def mean_distance(mu: Measure, nu: Measure, energy: Any = None) -> float:
    """|∫θ dμ − ∫θ dν|. Raises InputError where an axis wraps around: a circle has no ∫θ dμ that does not depend on where it is cut."""
    closed(mu, nu, "a circle has no mean")
    origin = mu.points[0]  # measures far from zero keep their digits
    first, second = (measure.masses @ (measure.points - origin) / measure.mass for measure in (mu, nu))
    return float(np.linalg.norm(first - second))
