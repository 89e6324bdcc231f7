"""Two-homogeneous neurons on the sphere: the same network from a measure of one dimension less, whose mass grows and shrinks.

A neuron that is positively homogeneous of degree two, g(rθ; x) = r² g(θ; x) for r > 0, as c·(⟨a, x⟩ + b)₊ with all of c, a, b free (or
b = 0 fixed), does not distinguish many small neurons in one direction from one large one. With θ = r u, |u| = 1, project

    ∫ψ dν = ∫ |θ|² ψ(θ/|θ|) μ(dθ),        so that        φ_μ(x) = ∫ g(θ; x) dμ = ∫ g(u; x) dν = φ_ν(x).

G(θ; μ) = ⟨g(θ), φ − f*⟩ + ½λ|θ|² is homogeneous of degree two, too: G(ru) = r² G(u), and ∇G(ru) = r (∇_S G(u) + 2 G(u) u), with ∇_S the
gradient along the sphere. A neuron with θ' = −∇G(θ) therefore has

    u' = −∇_S G(u),    (r²)' = 2 r r' = −4 r² G(u):

its direction knows nothing of its size, and its weight r² in ν grows at the rate −4G. For ψ on the sphere

    d/dt ∫ψ dν = d/dt ∫ r² ψ(u) dμ = ∫ (−4 G ψ − ⟨∇_S ψ, ∇_S G⟩) dν,    that is    ∂_t ν = div_S(ν ∇_S G) − 4 G ν,

the gradient flow of ½L in the Wasserstein–Fisher–Rao geometry [Chizat & Bach, NeurIPS 2018, section 3; Liero, Mielke & Savaré, Invent.
Math. 211 (2018) 969], with the balance dE/dt = −∫|∇_S G|² dν − 4∫G² dν, E = ½L. Its start is ν_0, with the density

    ∫_0^∞ r² p(ru) r^{p−1} dr    at u, for the density p of μ_0 in p dimensions,    and the mass ∫|θ|² dμ_0.

The mass ν(S) = ∫|θ|² dμ is no longer one, and is not kept. Noise would break the homogeneity.

Kinks. With ReLU, ∇_S G jumps across the great circle ⟨a, x_i⟩ + b = 0 of each datum x_i, by c (φ − f*)(x_i) w_i √(1 + |x_i|²). Where that
is positive and larger than the slope of the rest, both sides flow to the circle: mass arrives there in finite time, and ν has a part on
circles, without a density, which slides along them (Filippov's solution of u' = −∇_S G). For upwind fluxes and such velocities, Lipschitz
on one side only, order one half is proved [Delarue, Lagoutière & Vauchelet, J. Math. Pures Appl. 108 (2017) 918]; the manual has figures.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.errors import InputError, answers
from wgf.measures.grid import Grid
from wgf.measures.laws.composed import unmixed
from wgf.networks.neuron import Neuron
from wgf.problems.regression import RegressionEnergy

if TYPE_CHECKING:
    from wgf.problems.problem import Problem

HOMOGENEOUS = ("relu", "identity")  # activations of degree one
GROWTH = 4.0  # κ
REACH = {2: 64, 3: 32}  # nodes per axis of the rule that finds where the law lies along rays
BEYOND = 0.05  # of the way from the nearest to the farthest node, by which rays are followed beyond both
PANELS, NODES = 48, 6  # of a ray: Gauss–Legendre nodes in equal panels
BLOCK = 2**12  # directions at a time


def reduce_to_sphere(problem: Problem) -> Problem:
    """The problem of ν on the unit sphere of θ-space (a circle in two dimensions), for FiPyMesh: ∂_t ν = div(ν ∇_S G) − 4 G ν.

    Attributes
    ----------
    problem file asks for it by `reduced = true`, which the text of one that was read before gets, too.

    Parameters
    ----------
    problem : Problem
        of a two-homogeneous neuron, such as c·max(a·x + b, 0) with c, a, b free

    Returns
    -------
    Problem
        with `growth`

    Raises
    ------
    InputError
        where the neuron is not two-homogeneous, the penalty not |θ|², or there is noise

    References
    ----------
    Chizat & Bach, "On the global convergence of gradient descent for over-parameterized models", NeurIPS 2018.
    """
    answers(problem, ("energy", "initial"), "problem", "a wgf.Problem(energy, initial law)")
    energy = problem.energy
    if problem.growth:
        raise InputError("the problem has been reduced to a sphere already")
    if not isinstance(energy, RegressionEnergy) or not isinstance(energy.neuron, Neuron):
        raise InputError("only the problem of a network of wgf.Neuron can be reduced to a sphere")
    neuron = energy.neuron
    weights = set(neuron.coordinates[:-1])
    fixed = {name: number for name, number in neuron.fixed.items() if number != 0.0}
    if neuron.sigma.name not in HOMOGENEOUS or not weights <= set(neuron.theta) or fixed:
        raise InputError(
            f"{neuron!r} is not two-homogeneous in θ: it takes activation {' or '.join(HOMOGENEOUS)}, with c and all input weights free "
            "and b free or zero"
        )
    if energy.penalty.strength and energy.penalty.function is not None:
        raise InputError("the penalty is not homogeneous: give a number λ, for V(θ) = |θ|²")
    if problem.noise > 0:
        raise InputError(f"noise (temperature = {problem.noise:g}) breaks the homogeneity: only problems without it can be reduced")
    source = problem.source and "reduced = true\n" + re.sub(r"(?m)^reduced\b.*$", "", problem.source)
    return dataclasses.replace(problem, initial=Projection(problem.initial), growth=GROWTH, source=source)


@dataclass(frozen=True, repr=False)
class Projection:
    """ν_0 of a law μ_0 with a density: see the module's text. Its `mass` is ∫|θ|² dμ_0."""

    law: Any

    @property
    def dim(self) -> int | None:
        """The dimension of the space around the sphere."""
        result: int | None = self.law.dim
        return result

    @cached_property
    def _rule(self) -> tuple[np.ndarray, np.ndarray]:
        points, weights = self.law.quadrature(REACH.get(self.law.dim, 12))
        return np.sum(points**2, axis=1), weights

    @cached_property
    def mass(self) -> float:
        """∫|θ|² dμ_0."""
        squares, weights = self._rule
        return float(weights @ squares)

    def pdf(self, theta: np.ndarray) -> np.ndarray:
        """The density of ν_0 on the sphere at the directions of theta (…, p); (…,)."""
        theta = np.asarray(theta, dtype=float)
        directions = theta.reshape(-1, theta.shape[-1])
        directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        if len(parts := unmixed(self.law)) > 1:  # each of which may lie on a ray in another place
            result: np.ndarray = np.add.reduce([weight * Projection(part).pdf(theta) for weight, part in parts])
            return result
        nearest, farthest = np.sqrt([self._rule[0].min(), self._rule[0].max()])
        margin = BEYOND * (farthest - nearest)
        start = max(nearest - margin, 0.0)
        length = farthest + margin - start
        t, w = np.polynomial.legendre.leggauss(NODES)
        r = start + (length / PANELS) * (np.arange(PANELS)[:, None] + 0.5 * (1 + t)).ravel()
        weights = np.tile(0.5 * w * length / PANELS, PANELS) * r ** (theta.shape[-1] + 1)
        found = np.empty(len(directions))
        for first in range(0, len(directions), BLOCK):
            part = directions[first : first + BLOCK]
            found[first : first + BLOCK] = self.law.pdf(part[:, None] * r[:, None]) @ weights
        return found.reshape(theta.shape[:-1])

    def cell_averages(self, grid: Grid) -> np.ndarray:
        """A measure on a sphere has no density in a box."""
        raise InputError("the law is on a sphere, not in a box: take FiPyMesh on wgf.Sphere or wgf.Circle")

    def sample(self, m: int, rng: np.random.Generator) -> np.ndarray:
        """Points of a measure whose mass is not one would not be neurons."""
        raise InputError("neurons follow the problem before its reduction (without reduced = true): give that to Particles")

    def quadrature(self, nodes: int) -> tuple[np.ndarray, np.ndarray]:
        """As for `sample`."""
        raise InputError("characteristics follow the problem before its reduction (without reduced = true): give that to Characteristics")

    def __repr__(self) -> str:
        return f"Projection({self.law!r} onto the sphere)"
