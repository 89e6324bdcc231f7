"""The Sinkhorn divergence of two densities on one grid [Feydy et al., AISTATS 2019], with the kernels of the variational steps.

    S_ε(μ, ν) = OT_ε(μ, ν) − ½ OT_ε(μ, μ) − ½ OT_ε(ν, ν),
    OT_ε(μ, ν) = min over plans π of ∫|θ − θ'|² dπ + ε KL(π | μ ⊗ ν) = ε (⟨μ, log(u/μ)⟩ + ⟨ν, log(v/ν)⟩),

where π = u_i K_ij v_j, K = exp(−|θ − θ'|²/ε), has the marginals μ and ν. S_ε is zero for μ = ν only, tends to W₂² as ε → 0, and is W₂²
for a translation whatever ε. The value is that of the dual, whose error is of second order in that of the marginals.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from wgf.errors import InputError, NotConverged, positive_if_given
from wgf.measures.layout import Layout
from wgf.measures.measure import Density

if TYPE_CHECKING:
    from wgf.measures.distances.entropic import Domain

CELLS_WIDE = 16.0  # the default ε is CELLS_WIDE·h²
ACCURACY = 1e-8  # sum of the absolute errors of a marginal
MOST_ITERATIONS = 5000


def sinkhorn_divergence(mu: Density, nu: Density, epsilon: float | None = None) -> float:
    """S_ε(μ, ν)^½, with S_ε(μ, ν) = OT_ε(μ, ν) − ½OT_ε(μ, μ) − ½OT_ε(ν, ν).

    Parameters
    ----------
    mu, nu : Density
        on one grid
    epsilon : float, optional
        ε, in the units of θ squared; 16 h² by default, for the largest spacing h

    Returns
    -------
    float
        in the units of θ

    Raises
    ------
    InputError
        for densities on different grids
    NotConverged
        where the plan has not settled

    References
    ----------
    Feydy et al., "Interpolating between optimal transport and MMD using Sinkhorn divergences", AISTATS 2019.
    """
    from wgf.measures.distances.entropic import DOMAINS  # compiled code, which other distances do not need

    for measure in (mu, nu):
        if not isinstance(measure, Density):
            raise InputError(f"sinkhorn_divergence is between densities on one grid; {type(measure).__name__} is none: take wgf.distance")
    if mu.grid != nu.grid:
        raise InputError(f"sinkhorn is between densities on one grid, not on {mu.grid!r} and {nu.grid!r}: take w2, sliced_w2 or energy")
    positive_if_given(epsilon, "epsilon")
    epsilon = epsilon or CELLS_WIDE * float(np.max(mu.grid.spacing)) ** 2
    layout = Layout(mu.grid, mu.grid.dim - 1)
    first, second = (layout.arranged(density.values / density.values.sum()) for density in (mu, nu))
    for make in DOMAINS.values():
        domain = make(layout, epsilon)
        parts = _cost(domain, first, second), _self_cost(domain, first), _self_cost(domain, second)
        if all(part is not None for part in parts):
            both, mine, other = (part or 0.0 for part in parts)
            return math.sqrt(max(epsilon * (both - 0.5 * (mine + other)), 0.0))
    raise NotConverged(
        f"entropic transport with ε = {epsilon:.3g} has not settled after {MOST_ITERATIONS} iterations: take a larger epsilon"
    )


def _cost(domain: Domain, first: np.ndarray, second: np.ndarray) -> float | None:
    """OT_ε/ε by alternating scalings; None where they left the domain, or did not settle."""
    with np.errstate(divide="ignore"):
        a, b = (domain.given(masses, np.empty_like(masses)) for masses in (first, second))
        u, v = np.empty_like(a), domain.given(np.ones_like(second), np.empty_like(b))
    smoothed, marginal, masses = np.empty_like(a), np.empty_like(a), np.empty_like(a)
    domain.smooth(v, smoothed)
    for _ in range(MOST_ITERATIONS):
        domain.quotient(a, smoothed, u)
        domain.smooth(u, smoothed)
        domain.quotient(b, smoothed, v)
        domain.smooth(v, smoothed)
        if not (domain.sound(u) and domain.sound(v)):
            return None
        domain.product(u, smoothed, marginal)
        if np.abs(domain.masses(marginal, masses) - first).sum() < ACCURACY:
            return _entropy(domain, u, a, first) + _entropy(domain, v, b, second)
    return None


def _self_cost(domain: Domain, given: np.ndarray) -> float | None:
    """OT_ε(μ, μ)/ε, where both scalings are one."""
    with np.errstate(divide="ignore"):
        a = domain.given(given, np.empty_like(given))
        d = domain.given(np.ones_like(given), np.empty_like(given))
    smoothed, marginal, masses = np.empty_like(a), np.empty_like(a), np.empty_like(a)
    for _ in range(MOST_ITERATIONS):
        domain.smooth(d, smoothed)
        domain.product(d, smoothed, marginal)
        if np.abs(domain.masses(marginal, masses) - given).sum() < ACCURACY:
            return 2.0 * _entropy(domain, d, a, given)
        domain.balanced(d, a, smoothed, d)
        if not domain.sound(d):
            return None
    return None


def _entropy(domain: Domain, u: np.ndarray, a: np.ndarray, masses: np.ndarray) -> float:
    """⟨μ, log(u/μ)⟩, over the cells that have mass."""
    full = masses > 0
    return float(np.sum(masses[full] * (domain.logarithm(u)[full] - domain.logarithm(a)[full])))
