"""Measures on finitely many places: their best weights, and better places.

    minimise ‖Σ_j w_j g(θ_j) − f*‖² + λ Σ_j w_j V(θ_j)   over w ≥ 0, Σ w = 1: a quadratic program, solved by an interior-point method.

Places and weights together are stationary where ∇G(θ_j) = 0 in every coordinate that is not at an end, and G(θ_j) = ν for all j. Newton's
method for these equations, with the exact second derivatives

    ∂²(½L)/∂θ_j∂θ_k = w_j w_k ⟨∇g_j, ∇g_k⟩ + δ_jk w_j ∇²G(θ_j),   ∂²/∂θ_j∂w_k = w_j⟨∇g_j, g_k⟩ + δ_jk ∇G(θ_j),   ∂²/∂w_j∂w_k = ⟨g_j, g_k⟩,

doubles the digits of a measure that has the right number of places.
"""

from __future__ import annotations

from dataclasses import dataclass

import clarabel
import numpy as np
from scipy import linalg, sparse

from wgf.measures.measure import Cloud
from wgf.networks.derivatives import differences
from wgf.problems.regression import RegressionEnergy
from wgf.studies.optimality.domain import Domain, held

DIGITS = 1e-13  # tolerances of the quadratic program
ROUNDS, HALVINGS = 30, 12  # of Newton's method, and of its steps
SINGULAR = 1e-13  # of the largest singular value
NOTHING = 1e-7  # a weight of the interior-point method that may be none
EXCHANGES, ROUNDING = 4, 1e-15  # of the active set, for each place; of the potential
KEPT = 0.9  # of the step to where a weight is zero


@dataclass(frozen=True)
class Atoms:
    """Places θ_j (k, p) with weights w_j (k,)."""

    places: np.ndarray
    weights: np.ndarray

    @property
    def measure(self) -> Cloud:
        """As a measure."""
        return Cloud(self.places, self.weights)

    def heaviest(self, least: float) -> Atoms:
        """Those with weights of at least so much."""
        kept = self.weights >= least
        return Atoms(self.places[kept], self.weights[kept] / self.weights[kept].sum())


def weighted(energy: RegressionEnergy, places: np.ndarray) -> Atoms:
    """The places (k, p) with their best weights."""
    root, count = np.sqrt(energy.data.weights), len(places)
    if count == 1:
        return Atoms(places, np.ones(1))
    table = (energy.neuron.value(places, energy.data.inputs) * root).T
    basis, triangle = linalg.qr(table, mode="economic")
    target, rows = basis.T @ (root * energy.data.targets), len(triangle)
    cost = energy.penalty.strength * energy.penalty.value(places) if energy.penalty.strength else np.zeros(count)
    size = float(linalg.norm(triangle)) or 1.0
    constraints = sparse.vstack(
        [
            sparse.hstack([sparse.csc_matrix(triangle / size), -sparse.eye(rows)]),
            sparse.hstack([sparse.csc_matrix(np.ones((1, count))), sparse.csc_matrix((1, rows))]),
            sparse.hstack([-sparse.eye(count), sparse.csc_matrix((count, rows))]),
        ],
        format="csc",
    )
    quadratic = sparse.block_diag([sparse.csc_matrix((count, count)), 2.0 * sparse.eye(rows)], format="csc")
    linear, right = np.concatenate([cost / size**2, np.zeros(rows)]), np.concatenate([target / size, [1.0], np.zeros(count)])
    cones = [clarabel.ZeroConeT(rows + 1), clarabel.NonnegativeConeT(count)]
    settings = clarabel.DefaultSettings()
    for name, value in {"verbose": False, "tol_gap_abs": DIGITS, "tol_gap_rel": DIGITS, "tol_feas": DIGITS}.items():
        setattr(settings, name, value)
    solution = clarabel.DefaultSolver(quadratic, linear, constraints, right, cones, settings).solve()
    weights = np.maximum(np.array(solution.x[:count]), 0.0)
    return exactly(energy, Atoms(places, weights / weights.sum()))


def exactly(energy: RegressionEnergy, atoms: Atoms) -> Atoms:
    """The best weights of all places to rounding, from nearly best ones: the places with weights are the active set of the program, whose
    least squares are solved by singular values; a weight that would become negative leaves, a place with G below ν comes in.
    """
    root, places, count = np.sqrt(energy.data.weights), atoms.places, len(atoms.weights)
    features, target = energy.neuron.value(places, energy.data.inputs) * root, root * energy.data.targets
    cost = 0.5 * energy.penalty.strength * energy.penalty.value(places) if energy.penalty.strength else np.zeros(count)
    weights = np.where(atoms.weights > NOTHING, atoms.weights, 0.0)
    weights /= weights.sum()
    for _ in range(EXCHANGES * count):
        active = np.flatnonzero(weights)
        best = _least_squares(features[active], target, cost[active], weights[active])
        if (best <= 0).any():
            falling = best < weights[active]
            reach = (weights[active] / np.maximum(weights[active] - best, 1e-300))[falling]
            first = np.flatnonzero(falling)[np.argmin(reach)]
            weights[active] = np.maximum(weights[active] + reach.min() * (best - weights[active]), 0.0)
            weights[active[first]] = 0.0
            continue
        weights[:] = 0.0
        weights[active] = best
        potential = features @ (weights @ features - target) + cost
        fresh = int(np.argmin(potential))
        if potential[fresh] >= weights @ potential - ROUNDING * float(np.abs(features).max() ** 2) or weights[fresh] > 0:
            break
        weights[fresh] = NOTHING * NOTHING
    return Atoms(places, weights / weights.sum())


def _least_squares(features: np.ndarray, target: np.ndarray, cost: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The w with Σ w = 1 where ½‖Σ w_j g_j − f‖² + Σ w_j cost_j is least; along singular directions, where it is not known, that of
    `weights`.
    """
    heaviest = int(np.argmax(weights))
    others = np.arange(len(weights)) != heaviest
    if not others.any():
        return np.ones(1)
    table = (features[others] - features[heaviest]).T
    left, singular, right = linalg.svd(table, full_matrices=False)
    kept = singular > SINGULAR * singular[0]
    left, singular, right = left[:, kept], singular[kept], right[kept]
    misfit = target - weights @ features
    change = right.T @ ((left.T @ misfit) / singular - (right @ (cost[others] - cost[heaviest])) / singular**2)
    result = weights.copy()
    result[others] += change
    result[heaviest] -= change.sum()
    return result


def polished(energy: RegressionEnergy, domain: Domain, atoms: Atoms) -> Atoms:
    """Newton's method for places and weights, as long as it comes nearer to a stationary measure."""
    equations = Equations(energy, domain, atoms)
    for _ in range(ROUNDS):
        step = equations.step()
        share = KEPT if (equations.atoms.weights + step.weights <= 0).any() else 1.0
        if share < 1.0:
            share *= float((equations.atoms.weights / np.maximum(-step.weights, 1e-300))[step.weights < 0].min())
        for _ in range(HALVINGS):
            tried = Equations(energy, domain, equations.moved(step, share))
            if tried.defect < equations.defect:
                break
            share *= 0.5
        else:
            break
        equations = tried
    return equations.atoms


class Equations:
    """The equations of a stationary measure at some atoms; `defect` is by how much they fail."""

    def __init__(self, energy: RegressionEnergy, domain: Domain, atoms: Atoms) -> None:
        self.energy, self.domain, self.atoms = energy, domain, atoms
        data, places, weights = energy.data, atoms.places, atoms.weights
        self.features = energy.neuron.value(places, data.inputs)
        self.u = data.weights * (weights @ self.features - data.targets)
        self.slope = energy.slope(places, self.u)
        self.potential = self.features @ self.u
        if energy.penalty.strength:
            self.potential = self.potential + 0.5 * energy.penalty.strength * energy.penalty.value(places)
        self.level = float(weights @ self.potential)
        self.free = np.flatnonzero(~held(places, self.slope, domain.lower, domain.upper))
        self.right = np.concatenate([(weights[:, None] * self.slope).ravel()[self.free], self.potential - self.level])
        self.defect = float(np.linalg.norm(self.right))

    def step(self) -> Atoms:
        """Newton's step of places and weights."""
        energy, (count, p) = self.energy, self.atoms.places.shape
        data, weights = energy.data, self.atoms.weights
        root = np.sqrt(data.weights)
        gradient = energy.neuron.gradient(self.atoms.places, data.inputs) * root[:, None]
        moved = np.swapaxes(weights[:, None, None] * gradient, 1, 2).reshape(count * p, -1)
        features = self.features * root
        places = moved @ moved.T
        for j, bend in enumerate(self.bends()):
            places[j * p : (j + 1) * p, j * p : (j + 1) * p] += weights[j] * bend
        mixed = moved @ features.T
        mixed[np.arange(count * p), np.repeat(np.arange(count), p)] += self.slope.ravel()
        free, total = self.free, np.zeros(len(self.free) + count + 1)
        total[:-1] = -self.right
        ones = np.concatenate([np.zeros(len(free)), np.ones(count)])
        block = np.block([[places[np.ix_(free, free)], mixed[free]], [mixed[free].T, features @ features.T]])
        matrix = np.block([[block, -ones[:, None]], [ones[None], np.zeros((1, 1))]])
        solution = linalg.lstsq(matrix, total, cond=SINGULAR)[0]
        step = np.zeros(count * p)
        step[free] = solution[: len(free)]
        return Atoms(step.reshape(count, p), solution[len(free) : -1])

    def bends(self) -> np.ndarray:
        """∇²G at the places, (k, p, p)."""
        second = np.tensordot(self.energy.neuron.second(self.atoms.places, self.energy.data.inputs), self.u, axes=(1, 0))
        penalty = self.energy.penalty
        if penalty.strength:
            second = second + 0.5 * penalty.strength * differences(penalty.gradient, self.atoms.places)
        return np.asarray(second)

    def moved(self, step: Atoms, share: float) -> Atoms:
        """The atoms after a share of a step, in the domain."""
        places = np.clip(self.atoms.places + share * step.places, self.domain.lower, self.domain.upper)
        weights = np.maximum(self.atoms.weights + share * step.weights, 0.0)
        return Atoms(places, weights / weights.sum())


def fewest(energy: RegressionEnergy, atoms: Atoms) -> Atoms:
    """As many atoms as their responses have independent directions, and one [Carathéodory]: along Σ_j v_j (g_j, 1) = 0 with Σ_j v_j V_j ≤ 0
    weights move until one is zero, while φ stays as it is and the penalty does not rise.
    """
    root = np.sqrt(energy.data.weights)
    while True:
        features = energy.neuron.value(atoms.places, energy.data.inputs) * root
        table = np.column_stack([features, np.full(len(features), float(np.abs(features).max()) or 1.0)]).T
        triangle = linalg.qr(table, mode="r")[0][: len(features)]  # which has the same null vectors
        _, singular, right = linalg.svd(triangle, full_matrices=True)
        rank = int((singular > SINGULAR * singular[0]).sum())
        if len(atoms.weights) <= rank:
            return atoms
        along = right[-1]
        if energy.penalty.strength and along @ energy.penalty.value(atoms.places) > 0:
            along = -along
        if not (along < 0).any():
            along = -along
        reach = float((atoms.weights / np.maximum(-along, 1e-300))[along < 0].min())
        weights = atoms.weights + reach * along
        kept = np.arange(len(weights)) != int(np.argmin(weights))
        atoms = Atoms(atoms.places[kept], np.maximum(weights[kept], 0.0) / np.maximum(weights[kept], 0.0).sum())
