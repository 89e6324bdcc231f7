"""The central limit theorem in time: how far m neurons are from their limit, predicted.

Neurons that start at independent θ_j ~ μ_0 are at T_t(θ_j) + Z_t(θ_j)/√m, where T_t is the flow of the limit. With g̃ = √ρ g the
fluctuation h_t = √m(φ_m − φ) solves the linearised flow [Chen, Rotskoff, Bruna & Vanden-Eijnden, NeurIPS 2020]

    dZ_t(θ)/dt = −D²G(T_t θ; μ_t) Z_t(θ) − ∇g̃(T_t θ)ᵀ h_t,      h_t = ξ_t + ∫∇g̃(T_t θ) Z_t(θ) μ_0(dθ),

where ξ_t is the fluctuation of ∫g̃(T_t θ) dμ_0 by the draw alone. It is solved for ξ_t = g̃(T_t θ_0), the influence h^{θ_0} of one neuron,
for all nodes θ_0 of a quadrature rule at once; as the draws are independent, lim m E‖φ_m(t) − φ(t)‖² is the variance of h_t^{θ_0} over
θ_0 ~ μ_0. At t = 0 it is ∫‖g‖² dμ_0 − ‖φ_0‖².

On the nodes the flow is a linear one of N·p numbers: with S_t, the matrix of √(weight) ∇g̃(T_t θ), and H_t, the block diagonal one of D²G,

    dZ/dt = −(H + SᵀS) Z − Sᵀξ_t,      h_t = ξ_t + S_t Z_t.

The influences are many, the times at which they are wanted few: what is solved is the adjoint flow, backwards from each of these times,

    dΛ/ds = Λ(H_s + S_sᵀS_s),   Λ_t = S_t,      h_t^{θ_0} = g̃(T_t θ_0) − ∫₀ᵗ Λ_s S_sᵀ g̃(T_s θ_0) ds.

The influence on the mean of any other function ψ of a neuron has ψ in the place of g̃(T_t ·), and √(weight) ∇ψ in Λ_t: ψ = θ for the
fluctuation of the mean neuron, ψ = V for that of the penalty; and that of the loss is 2⟨h, φ − f*⟩ + λ·(that of ∫V dμ).

Where the flow has come to a limit that interpolates, these fluctuations are at most those of a fresh draw of m neurons from μ_t,
m E‖·‖² = ∫‖g‖² dμ_t − ‖φ_t‖², and vanish with the loss [ibid.]; `spread` is that bound.

Both flows are solved by the classical Runge–Kutta method, with equally many steps between any two of the times, so that the early ones of a
long run are resolved as well as the late ones. The steps are doubled, and then the nodes multiplied by √2 on each axis, until the change
(of which 1/15 is the error of the finer steps) is within the tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wgf.errors import InputError, ResolutionWarning, positive, warn, whole, whole_if_given
from wgf.measures.arguments import real_numbers
from wgf.measures.base import BLOCK
from wgf.measures.laws.base import Rule
from wgf.measures.measure import Cloud, Measure
from wgf.networks.features import row_space
from wgf.networks.waiting import reported
from wgf.problems.problem import Problem, check_problem
from wgf.problems.regression import RegressionEnergy, blocks, network
from wgf.registers import known

TOLERANCE = 1e-3
NODES = {1: 32, 2: 16, 3: 8, 4: 5}  # per axis, by dimension: the first ones
STEPS = 8  # the first ones, of the whole time at least
MOST_AXIS, MOST_NODES, MOST_STEPS, MOST_ENTRIES = 256, 2**13, 2**12, 2**25  # entries: coordinates of nodes at all steps
NEGLIGIBLE = 1e-6  # of the largest value in time: errors of smaller ones are relative to that
COMPRESSED = 1e-8  # error of the compressed data
QUANTITIES = ("function", "loss", "mean")
DIFFERENCE = 1e-5  # for D²G, from ∇G


@dataclass(frozen=True)
class Fluctuations:
    """lim m E of squared deviations from the limit, `values[name]` (times,); `error`, the largest estimated relative error."""

    values: dict[str, np.ndarray]
    error: float


def fluctuation(
    problem: Problem,
    times: Sequence[float] | np.ndarray,
    nodes: int | None = None,
    steps: int = STEPS,
    of: str = "function",
    tolerance: float = TOLERANCE,
) -> np.ndarray:
    """lim m E‖φ_m(t) − φ(t)‖² for m → ∞, by the central limit theorem in time, for networks without noise.

    Parameters
    ----------
    problem : Problem
        of a network, without noise
    times : sequence of float
        t ≥ 0
    nodes : int, optional
        per axis, of the quadrature rule for the initial law: those to begin with, before they are refined
    steps : int
        of the whole time: those to begin with
    of : str
        "function"; "loss": lim m E(L_m − L)²; "mean": lim m E|mean of μ_m − mean of μ|²
    tolerance : float
        the relative error at each time; values below a millionth of the largest one have the error of that

    Returns
    -------
    array (times,)
        the constants

    Raises
    ------
    InputError
        for problems with noise or without a network, and for times that are not ≥ 0

    Warns
    -----
    ResolutionWarning
        where the tolerance asks for too many nodes or steps: it says what error was reached
    """
    quantity = known(of, QUANTITIES, "fluctuating quantity")
    return fluctuations(problem, times, nodes, steps, (quantity,), tolerance).values[quantity]


def fluctuations(
    problem: Problem,
    times: Sequence[float] | np.ndarray,
    nodes: int | None = None,
    steps: int = STEPS,
    of: Sequence[str] = QUANTITIES,
    tolerance: float = TOLERANCE,
) -> Fluctuations:
    """Several quantities at once, with their error; arguments as for `fluctuation`."""
    check_problem(problem)
    energy, asked = problem.energy, real_numbers(times, "times")
    if not isinstance(energy, RegressionEnergy) or problem.noise > 0:
        raise InputError("the fluctuation is predicted for networks without noise: a RegressionEnergy and temperature = 0")
    if asked.size == 0 or not (np.isfinite(asked).all() and (asked >= 0).all() and asked.max() > 0):
        raise InputError(f"times = {times}: give times ≥ 0, one of them later than 0")
    positive(tolerance, "tolerance")
    whole_if_given(nodes, "nodes")
    whole(steps, "steps")
    study = _Refinement(problem, np.unique(np.append(0.0, asked)), tuple(of), nodes or NODES.get(problem.dim or 1, 4), steps)
    error = study.refine_steps(0.5 * tolerance) + study.refine_nodes(0.5 * tolerance)
    if not error <= tolerance:
        warn(
            f"the fluctuation of m neurons is predicted up to a relative error of about {error:.1g}, not {tolerance:.1g}: "
            f"{study.nodes} nodes on each axis and {study.steps} steps are as many as are taken",
            ResolutionWarning,
        )
    places = np.searchsorted(study.times, asked)
    return Fluctuations({name: values[places] for name, values in zip(of, study.values, strict=True)}, error)


def spread(measure: Measure, problem: Problem) -> float:
    """∫‖g‖² dμ − ‖φ_μ‖², the variance of one neuron drawn from μ, summed over the data with their weights."""
    energy = network(problem.energy)
    neuron, data = energy.neuron, energy.data
    points, masses = measure.points, measure.quadrature_weights
    rows = max(1, BLOCK // data.size)
    square = sum(
        float(masses[k : k + rows] @ (neuron.value(points[k : k + rows], data.inputs) ** 2 @ data.weights))
        for k in range(0, len(points), rows)
    )
    return square - data.norm(energy.predict(measure)) ** 2


class _Refinement:
    """The values (quantities, T) at `times`, the first of which is 0, with so many nodes on each axis and steps; and finer ones."""

    def __init__(self, problem: Problem, times: np.ndarray, of: tuple[str, ...], nodes: int, steps: int) -> None:
        self.problem, self.times, self.of, self.nodes = problem, times, of, nodes
        self.intervals = len(times) - 1
        self.each = max(1, math.ceil(steps / self.intervals))
        self.rule: Rule = problem.initial.quadrature(nodes)
        self.values = self._solved(self.rule, self.each)

    @property
    def steps(self) -> int:
        """Of the whole time."""
        return self.each * self.intervals

    def refine_steps(self, tolerance: float) -> float:
        """Double the steps until their relative error, which is returned, is within the tolerance, or they become too many."""
        error = np.inf
        while error > tolerance and 2 * self.steps <= MOST_STEPS and 4 * self.steps * self.rule[0].size <= MOST_ENTRIES:
            finer = self._solved(self.rule, 2 * self.each)
            error = _change(self.values, finer) / 15
            self.each, self.values = 2 * self.each, finer
        return error

    def refine_nodes(self, tolerance: float) -> float:
        """The same for the nodes; a law that is given as points has no other ones."""
        error = np.inf
        while error > tolerance:
            nodes = min(math.ceil(math.sqrt(2) * self.nodes), MOST_AXIS)
            rule = self.problem.initial.quadrature(nodes)
            if len(rule[0]) == len(self.rule[0]):
                return 0.0 if nodes > self.nodes else error
            if len(rule[0]) > MOST_NODES or 2 * self.steps * rule[0].size > MOST_ENTRIES:
                return error
            finer = self._solved(rule, self.each)
            error = _change(self.values, finer)
            self.nodes, self.rule, self.values = nodes, rule, finer
        return error

    def _solved(self, rule: Rule, each: int) -> np.ndarray:
        found = _Linearised(network(self.problem.energy), rule, self.times, each).variances()
        return np.array([found[name] for name in self.of])


def _change(coarse: np.ndarray, fine: np.ndarray) -> float:
    """The largest relative change of the values (quantities, T); infinite where they are not numbers."""
    scale = np.maximum(np.abs(fine), NEGLIGIBLE * np.abs(fine).max(axis=1, keepdims=True))
    change = float(np.max(np.abs(fine - coarse) / np.maximum(scale, np.finfo(float).tiny)))
    return change if math.isfinite(change) else math.inf


@dataclass(frozen=True)
class _Station:
    """What the linearised flow needs at one time, for N nodes and data of rank r.

    values (N, r + 1 + p)       g̃, compressed; V; θ
    slopes (r + 1 + p, N·p)     their gradients times √(weight): the first r rows are S
    hessian (N, p, p)           D²G
    residual (r,)               √ρ(φ − f*), compressed as g̃ is
    """

    values: np.ndarray
    slopes: np.ndarray
    hessian: np.ndarray
    residual: np.ndarray

    def pull(self, adjoint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Λ(H + SᵀS) and Λ Sᵀ for Λ (rows, N·p)."""
        s, (n, p, _) = self.slopes[: len(self.residual)], self.hessian.shape
        weights = adjoint @ s.T
        return np.einsum("rnp,npq->rnq", adjoint.reshape(-1, n, p), self.hessian).reshape(adjoint.shape) + weights @ s, weights


class _Linearised:
    """The flow of the nodes of a rule, and the adjoint of its linearisation, at `times` with `each` steps between two of them."""

    def __init__(self, energy: RegressionEnergy, rule: Rule, times: np.ndarray, each: int) -> None:
        self.energy, self.each, (points, self.weights) = energy, each, rule
        self.root = np.sqrt(energy.data.weights)
        self.steps = np.repeat(np.diff(times) / each, each)
        self.path = self._path(points)
        rows = np.concatenate([self._features(x) for x in self.path[:: 2 * each]])
        self.basis = row_space(lambda part: rows[part], len(rows), len(self.root), COMPRESSED, 1)

    def variances(self) -> dict[str, np.ndarray]:
        """Those of the influences at each of the times, (T,), by quantity."""
        found: list[tuple[float, float, float]] = []
        right = self._station(-1)
        rank = len(right.residual)
        residuals: list[np.ndarray] = []
        adjoint, values = np.empty((0, right.slopes.shape[1])), np.empty((0, len(self.weights)))
        for k in reported(range(len(self.steps), -1, -1), f"constants, in {len(self.steps)} steps"):
            if k % self.each == 0:
                adjoint, values = np.concatenate([right.slopes, adjoint]), np.concatenate([right.values.T, values])
                residuals.insert(0, right.residual)
            if k > 0:
                middle, left = self._station(2 * k - 1), self._station(2 * k - 2)
                adjoint, drawn = _back(adjoint, (right, middle, left), self.steps[k - 1])
                values, right = values - drawn, left
        influences = values.reshape(len(residuals), -1, len(self.weights))
        strength = self.energy.penalty.strength
        for influence, residual in zip(influences, residuals, strict=True):
            h, penalty, mean = influence[:rank], influence[rank], influence[rank + 1 :]
            loss = 2.0 * residual @ h + strength * penalty
            found.append((self._variance(h), self._variance(loss[None]), self._variance(mean)))
        return dict(zip(QUANTITIES, np.array(found).T, strict=True))

    def _variance(self, influence: np.ndarray) -> float:
        """That of the columns of `influence` (rows, N), summed over the rows."""
        centred = influence - (influence @ self.weights)[:, None]
        return float(np.sum(centred**2 @ self.weights))

    def _path(self, x: np.ndarray) -> list[np.ndarray]:
        """The nodes at the beginning and, by Hermite's cubic, in the middle of each step, and at the end."""
        found, rate = [x], self._velocity(x)
        for step in self.steps:
            second = self._velocity(x + 0.5 * step * rate)
            third = self._velocity(x + 0.5 * step * second)
            fourth = self._velocity(x + step * third)
            later = x + step * (rate + 2 * second + 2 * third + fourth) / 6
            then = self._velocity(later)
            found += [0.5 * (x + later) + 0.125 * step * (rate - then), later]
            x, rate = later, then
        return found

    def _velocity(self, x: np.ndarray) -> np.ndarray:
        return self.energy.velocity(x, self.weights)[0]

    def _features(self, x: np.ndarray) -> np.ndarray:
        result: np.ndarray = self.energy.neuron.value(x, self.energy.data.inputs) * self.root
        return result

    def _station(self, k: int) -> _Station:
        """At the k-th place of the path; D²G by central differences of ∇G for the μ of the nodes."""
        x, energy = self.path[k], self.energy
        n, p = x.shape
        residual = energy.residual(Cloud(x, self.weights, energy.neuron))
        hessian = np.empty((n, p, p))
        for axis, shift in enumerate(DIFFERENCE * np.eye(p)):
            hessian[:, :, axis] = (energy.slope(x + shift, residual) - energy.slope(x - shift, residual)) / (2 * DIFFERENCE)
        penalty = energy.penalty.value(x)[:, None], energy.penalty.gradient(x)[:, None]
        gradients = np.concatenate([self._gradients(x), penalty[1], np.broadcast_to(np.eye(p), (n, p, p))], axis=1)
        slopes = (gradients * np.sqrt(self.weights)[:, None, None]).transpose(1, 0, 2).reshape(-1, n * p)
        return _Station(
            np.concatenate([self._features(x) @ self.basis, penalty[0], x], axis=1), slopes, hessian, self.basis.T @ (residual / self.root)
        )

    def _gradients(self, x: np.ndarray) -> np.ndarray:
        """∇g̃, compressed, (N, r, p)."""
        data, basis = self.energy.data, self.root[:, None] * self.basis
        found = np.empty((len(x), basis.shape[1], x.shape[1]))
        for rows in blocks(len(x), data.size * x.shape[1]):
            found[rows] = np.einsum("nip,ir->nrp", self.energy.neuron.gradient(x[rows], data.inputs), basis, optimize=True)
        return found


def _back(adjoint: np.ndarray, stations: tuple[_Station, _Station, _Station], step: float) -> tuple[np.ndarray, np.ndarray]:
    """Λ one step earlier, and ∫Λ_s S_sᵀ g̃(T_s θ_0) ds over the step for all nodes θ_0, (rows, N)."""
    right, middle, left = stations
    rank = len(right.residual)
    first, drawn_first = right.pull(adjoint)
    second, drawn_second = middle.pull(adjoint - 0.5 * step * first)
    third, drawn_third = middle.pull(adjoint - 0.5 * step * second)
    fourth, drawn_fourth = left.pull(adjoint - step * third)
    drawn = drawn_first @ right.values[:, :rank].T
    drawn += 2 * (drawn_second + drawn_third) @ middle.values[:, :rank].T
    drawn += drawn_fourth @ left.values[:, :rank].T
    return adjoint - step * (first + 2 * second + 2 * third + fourth) / 6, step * drawn / 6
