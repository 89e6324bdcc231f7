"""The central limit theorem in time: how far m neurons are from their limit, predicted.

Neurons that start at independent θ_j ~ μ_0 are at T_t(θ_j) + Z_t(θ_j)/√m, where T_t is the flow of the limit. With g̃ = √ρ g the
fluctuation h_t = √m(φ_m − φ) solves the linearised flow [Chen, Rotskoff, Bruna & Vanden-Eijnden, NeurIPS 2020]

    dZ_t(θ)/dt = −D²G(T_t θ; μ_t) Z_t(θ) − ∇g̃(T_t θ)ᵀ h_t,      h_t = ξ_t + ∫∇g̃(T_t θ) Z_t(θ) μ_0(dθ),

where ξ_t is the fluctuation of ∫g̃(T_t θ) dμ_0 by the draw alone. With the propagator P_t(θ) of −D²G along θ's path this is a Volterra
equation of the size of the data (compressed),

    h_t + ∫₀ᵗ Γ(t, s) h_s ds = ξ_t,      Γ(t, s) = ∫ ∇g̃(T_t θ) P_t P_s⁻¹ ∇g̃(T_s θ)ᵀ μ_0(dθ).

It is solved for ξ_t = g̃(T_t θ_0), the influence h^{θ_0} of one neuron, for all nodes θ_0 of a quadrature rule at once; as the draws are
independent, lim m E‖φ_m(t) − φ(t)‖² is the variance of h_t^{θ_0} over θ_0 ~ μ_0. At t = 0 it is ∫‖g‖² dμ_0 − ‖φ_0‖². The mean of any
other function ψ of a neuron follows, without an equation of its own: its influence is

    ψ(T_t θ_0) − ∫₀ᵗ ∫∇ψ(T_t θ) P_t P_s⁻¹ ∇g̃(T_s θ)ᵀ μ_0(dθ) h_s^{θ_0} ds,

for ψ = θ the fluctuation of the mean neuron, for ψ = V that of the penalty; and that of the loss is 2⟨h, φ − f*⟩ + λ·(that of ∫V dμ).

Where the flow has come to a limit that interpolates, these fluctuations are at most those of a fresh draw of m neurons from μ_t,
m E‖·‖² = ∫‖g‖² dμ_t − ‖φ_t‖², and vanish with the loss [ibid.]; `spread` is that bound.

Nodes and propagators are moved by the classical Runge–Kutta method, the integral is the trapezoidal rule: of second order in the step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from wgf.errors import InputError
from wgf.measures.measure import BLOCK, Cloud, Measure
from wgf.networks.features import row_space
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy
from wgf.registers import known

NODES = {1: 200, 2: 24, 3: 10, 4: 6}  # per axis, by dimension
STEPS = 60  # of the whole time
TOLERANCE = 1e-8  # of the compressed data
QUANTITIES = ("function", "loss", "mean")
DIFFERENCE = 1e-5  # for D²G, from ∇G


def fluctuation(
    problem: Problem, times: Sequence[float] | np.ndarray, nodes: int | None = None, steps: int = STEPS, of: str = "function"
) -> np.ndarray:
    """lim m E‖φ_m(t) − φ(t)‖² at the times, (times,), for networks without noise.

    nodes    per axis, of the quadrature rule for the initial law; default 200, 24, 10, 6 in one to four dimensions
    steps    of the Volterra equation, from 0 to the last time; an even number of them is taken
    of       "function"; "loss": lim m E(L_m − L)²; "mean": lim m E|mean of μ_m − mean of μ|²

    Raises InputError for problems with noise or without a network, and for times that are not ≥ 0.
    """
    return fluctuations(problem, times, nodes, steps)[known(of, QUANTITIES, "fluctuating quantity")]


def fluctuations(
    problem: Problem, times: Sequence[float] | np.ndarray, nodes: int | None = None, steps: int = STEPS
) -> dict[str, np.ndarray]:
    """All of QUANTITIES at once; arguments as for `fluctuation`."""
    energy, asked = problem.energy, np.asarray(times, dtype=float)
    if not isinstance(energy, RegressionEnergy) or problem.noise > 0:
        raise InputError("the fluctuation is predicted for networks without noise: a RegressionEnergy and temperature = 0")
    if asked.size == 0 or not (np.isfinite(asked).all() and (asked >= 0).all() and asked.max() > 0):
        raise InputError(f"times = {times}: give times ≥ 0, one of them later than 0")
    points, weights = problem.initial.quadrature(nodes or NODES.get(problem.dim or 1, 4))
    grid = np.linspace(0.0, float(asked.max()), 2 * math.ceil(steps / 2) + 1)
    influences = _influences(_Paths(energy, points, weights, grid), grid[1])
    return {
        name: np.interp(asked, grid, [_variance(weights, influence) for influence in found])
        for name, found in zip(QUANTITIES, influences, strict=True)
    }


def spread(measure: Measure, problem: Problem) -> float:
    """∫‖g‖² dμ − ‖φ_μ‖², the variance of one neuron drawn from μ, summed over the data with their weights."""
    neuron, data = problem.energy.neuron, problem.energy.data
    points, masses = measure.points, measure.masses
    rows = max(1, BLOCK // data.size)
    square = sum(
        float(masses[k : k + rows] @ (neuron.value(points[k : k + rows], data.inputs) ** 2 @ data.weights))
        for k in range(0, len(points), rows)
    )
    return square - data.norm(problem.energy.predict(measure)) ** 2


def _variance(weights: np.ndarray, values: np.ndarray) -> float:
    """The variance of the rows of `values` (N, …), summed over the columns."""
    return float(weights @ np.sum(values**2, axis=1) - np.sum((weights @ values) ** 2))


State = tuple[np.ndarray, np.ndarray]  # nodes (N, p) and propagators (N, p, p), or their rates


class _Paths:
    """What the equation needs of the paths of the nodes, at each of K + 1 times:

    g (N, r), left (r, N·p), right (r, N·p)   g̃, compressed, and the two factors of Γ(t, s) = left_t · right_sᵀ
    others (N, 1 + p), pull (1 + p, N·p)      V and θ, and what stands in for `left` for them
    residual (r,)                             √ρ(φ − f*), compressed as g̃ is
    """

    def __init__(self, energy: RegressionEnergy, points: np.ndarray, weights: np.ndarray, grid: np.ndarray) -> None:
        self.energy, self.weights = energy, weights
        self.root = np.sqrt(energy.data.weights)
        stations = self._stations(points, grid)
        rows = np.concatenate([self._features(stations[k][0]) for k in (0, len(grid) // 2, -1)])
        basis = row_space(lambda part: rows[part], len(rows), len(self.root), TOLERANCE, 1)
        share = np.sqrt(weights)[:, None, None]
        self.g, self.left, self.right, self.others, self.pull, self.residual = [], [], [], [], [], []
        for x, propagator in stations:
            slope = np.einsum("nip,ir->nrp", energy.neuron.gradient(x, energy.data.inputs) * self.root[:, None], basis) * share
            others = np.concatenate([energy.penalty.gradient(x)[:, None], np.broadcast_to(np.eye(x.shape[1]), propagator.shape)], axis=1)
            self.g.append(self._features(x) @ basis)
            self.left.append(_flat(slope @ propagator))
            self.right.append(_flat(slope @ np.linalg.inv(propagator).transpose(0, 2, 1)))
            self.others.append(np.concatenate([energy.penalty.value(x)[:, None], x], axis=1))
            self.pull.append(_flat(others @ propagator * share))
            self.residual.append(basis.T @ (energy.residual(Cloud(x, weights, energy.neuron)) / self.root))

    def _features(self, x: np.ndarray) -> np.ndarray:
        return self.energy.neuron.value(x, self.energy.data.inputs) * self.root

    def _stations(self, points: np.ndarray, grid: np.ndarray) -> list[State]:
        """Nodes and propagators at the times of the grid: every second one by a step, those between by Hermite's cubic."""
        start = np.broadcast_to(np.eye(points.shape[1]), (*points.shape, points.shape[1]))
        stations, rates = [(points, start)], [self._rate(points, start)]
        for step in np.diff(grid[::2]):
            stations.append(self._moved(*stations[-1], rates[-1], step))
            rates.append(self._rate(*stations[-1]))
        found = stations[:1]
        for k, step in enumerate(np.diff(grid[::2])):
            ends = zip(stations[k], stations[k + 1], rates[k], rates[k + 1], strict=True)
            x, propagator = (0.5 * (one + two) + 0.125 * step * (left - right) for one, two, left, right in ends)
            found += [(x, propagator), stations[k + 1]]
        return found

    def _moved(self, x: np.ndarray, propagator: np.ndarray, rate: State, step: float) -> State:
        """Nodes and propagators one step later, `rate` being theirs now."""
        stages = [rate]
        for share in (0.5, 0.5, 1.0):
            velocity, turn = stages[-1]
            stages.append(self._rate(x + share * step * velocity, propagator + share * step * turn))
        velocity, turn = ((a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(*stages, strict=True))
        return x + step * velocity, propagator + step * turn

    def _rate(self, x: np.ndarray, propagator: np.ndarray) -> State:
        """−∇G at the nodes, and −D²G P; D²G by central differences of ∇G for the μ of the nodes."""
        residual, slope = self.energy.residual(Cloud(x, self.weights, self.energy.neuron)), self.energy.slope
        hessian = np.empty((*x.shape, x.shape[1]))
        for k, shift in enumerate(DIFFERENCE * np.eye(x.shape[1])):
            hessian[:, :, k] = (slope(x + shift, residual) - slope(x - shift, residual)) / (2 * DIFFERENCE)
        return -slope(x, residual), -hessian @ propagator


def _flat(slopes: np.ndarray) -> np.ndarray:
    """(N, r, p) as (r, N·p)."""
    return np.ascontiguousarray(slopes.transpose(1, 0, 2)).reshape(slopes.shape[1], -1)


def _influences(paths: _Paths, step: float) -> tuple[list[np.ndarray], ...]:
    """The influence of each node on the quantities, (N, …) at each time: h, and what follows from it."""
    found: list[np.ndarray] = []
    losses, means = [], []
    strength = paths.energy.penalty.strength
    for k, g in enumerate(paths.g):
        ends = 0.5 * step if k else 0.0  # of the trapezoidal rule
        driven, others = g.copy(), paths.others[k].copy()
        for earlier, h in enumerate(found):
            share = ends if earlier == 0 else step
            driven -= share * h @ (paths.left[k] @ paths.right[earlier].T).T
            others -= share * h @ (paths.pull[k] @ paths.right[earlier].T).T
        own = np.eye(g.shape[1]) + ends * (paths.left[k] @ paths.right[k].T)
        found.append(h := np.linalg.solve(own, driven.T).T)
        others -= ends * h @ (paths.pull[k] @ paths.right[k].T).T
        losses.append(2.0 * (h @ paths.residual[k])[:, None] + strength * others[:, :1])
        means.append(others[:, 1:])
    return found, losses, means
