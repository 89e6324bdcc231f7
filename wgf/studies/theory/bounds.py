"""What is known of L − L* in advance: bounds that hold for every t, and one that holds for the cells of a run.

*Convex along displacements.* Where g is linear in θ, ½‖φ − f*‖² is convex along displacements, and so is τ∫μ log μ [McCann, Adv. Math. 128
(1997) 153]; the penalty ½λ∫|θ|² dμ is λ-convex. Then E − E* ≤ |∂E|²/2λ with the slope |∂E|² = −dE/dt, so that along the flow

    E(t) − E* ≤ e^{−2λt} (E(0) − E*).

A step of JKO to ν = argmin E + W₂²(·, μ)/2Δt: along the geodesic from ν to μ the sum does not fall at first, where W₂²/2Δt does by W₂²/Δt,
so that E rises at least so fast; by convexity E(μ) − E(ν) ≥ W₂²/Δt + ½λW₂². And |∂E|(ν) ≤ W₂/Δt [Ambrosio, Gigli & Savaré, Gradient
Flows, 2008, lemma 3.1.3], hence W₂² ≥ 2λΔt²(E(ν) − E*), and E(μ) − E* ≥ (1 + 2λΔt + λ²Δt²)(E(ν) − E*):

    E_{k+1} − E* ≤ (1 + λΔt)⁻² (E_k − E*).

It is reached. For g = ⟨a, x⟩ and τ = 0 a step moves each neuron to T with T − θ + Δt(λT + S m' − F₁) = 0, S = E xxᵀ, F₁ = E x f*, m' the
new mean: T − m' = (θ − m)/(1 + λΔt), so that the variance is multiplied by (1 + λΔt)⁻² in each step, whatever the data, and with it
∫|θ|² dμ of a law with m = 0 where the targets have F₁ = 0, for then m' = 0. L − L* = λ∫|θ|² dμ then, with L* = ‖f*‖².

*Fisher–Rao.* Along ∂_t log μ = −2(G − ∫G dμ), for every ν

    d/dt KL(ν|μ_t) = 2∫G dν − 2∫G dμ_t ≤ L[ν] − L[μ_t],

by convexity along mixtures, δL/δμ = 2G. L falls, so that t(L[μ_t] − L[ν]) ≤ ∫₀ᵗ(L[μ_s] − L[ν]) ds ≤ KL(ν|μ₀): with ν the best measure
on the cells of the run, L(t) − L* ≤ KL(μ*|μ₀)/t.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from wgf.errors import InputError, instance
from wgf.measures.distances.axes import check_pair
from wgf.measures.distances.cells import counted_together, same_cells
from wgf.measures.measure import Cloud, Density, Measure
from wgf.networks.neuron import Neuron
from wgf.problems.regression import RegressionEnergy
from wgf.runs.run import Run

VARIATIONAL = ("JKO", "QuantileJKO")  # methods whose steps are minimisers
FLOWS = ("FiniteVolume", "Characteristics", "Particles", "Pushforward")  # those that follow the flow, on boxes, which are convex
CHANGED = ("step", "scale", "centred", "birth_death")  # options of neurons with which they follow another one


def known_bounds(run: Run, start: float) -> dict[str, np.ndarray]:
    """Bounds of the gap, L − L* or E − E*, at the steps of a run (steps,) from its first value; by their formulas, or none."""
    energy = run.problem.energy if run.knows_problem else None
    if not (isinstance(energy, RegressionEnergy) and energy.penalty.function is None and linear_in_theta(energy.neuron)):
        return {}
    method, options = str(run.attributes["method"]), run.options
    rate, history = energy.penalty.strength, run.history
    whole = options.get("order") == 1 and options.get("debiased", True) and not options.get("linearised")
    if rate > 0 and method in VARIATIONAL and whole:
        return {r"$(1 + \lambda\Delta t)^{-2k}$": start * np.cumprod((1.0 + rate * history["dt"]) ** -2)}
    if rate > 0 and method in FLOWS and not any(options.get(name) for name in CHANGED):
        return {r"$e^{-2\lambda t}$": start * np.exp(-2.0 * rate * (history["time"] - history["time"][0]))}
    return {}


def linear_in_theta(neuron: object) -> bool:
    """Whether g(θ; x) is linear in θ, up to a constant: c alone is free, or the activation is the identity and c is fixed."""
    if not isinstance(neuron, Neuron):
        return False
    return set(neuron.theta) == {"c"} or (neuron.sigma.name == "identity" and "c" not in neuron.theta)


def fisher_rao_bound(best: Measure, first: Density) -> Callable[[np.ndarray], np.ndarray]:
    """t → KL(μ*|μ₀)/t, a bound of L(t) − L* along Fisher–Rao.

    Parameters
    ----------
    best : Density or Cloud
        μ*, on the same cells, or points, which are counted in them
    first : Density
        μ₀

    Returns
    -------
    callable
        times (n,) → (n,); infinite where μ₀ is zero in a cell in which μ* is not
    """
    check_pair(best, first)
    instance(first, Density, "first", "the density with which the run begins, run.measures[0]")
    if isinstance(best, Cloud):
        best, first = counted_together(best, first)
    if not isinstance(best, Density) or not same_cells(best.grid, first.grid):
        raise InputError("the best measure must be a density on the cells of the first one, or an empirical measure")
    divergence = float(special.rel_entr(best.masses / best.mass, first.masses / first.mass).sum())

    def bound(t: np.ndarray) -> np.ndarray:
        result: np.ndarray = np.divide(divergence, t, out=np.full(np.shape(t), np.inf), where=np.asarray(t) > 0)
        return result

    return bound
