"""The central limit theorem in time: how far m neurons are from their limit, predicted.

Neurons that start at independent θ_j ~ μ_0 are at T_t(θ_j) + Z_t(θ_j)/√m, where T_t is the flow of the limit. With g̃ = √ρ g the
fluctuation h_t = √m(φ_m − φ) solves the linearised flow [Chen, Rotskoff, Bruna & Vanden-Eijnden, NeurIPS 2020]

    dZ_t(θ)/dt = −D²G(T_t θ; μ_t) Z_t(θ) − ∇g̃(T_t θ)ᵀ h_t,      h_t = ξ_t + ∫∇g̃(T_t θ) Z_t(θ) μ_0(dθ),

where ξ_t is the fluctuation of ∫g̃(T_t θ) dμ_0 by the draw alone. With the propagator P_t(θ) of −D²G along θ's path this is a Volterra
equation of the size of the data (compressed),

    h_t + ∫₀ᵗ Γ(t, s) h_s ds = ξ_t,      Γ(t, s) = ∫ ∇g̃(T_t θ) P_t P_s⁻¹ ∇g̃(T_s θ)ᵀ μ_0(dθ).

It is solved for ξ_t = g̃(T_t θ_0), the influence h^{θ_0} of one neuron, for all nodes θ_0 of a quadrature rule at once; as the draws are
independent, lim m E‖φ_m(t) − φ(t)‖² is the variance of h_t^{θ_0} over θ_0 ~ μ_0. At t = 0 it is ∫‖g‖² dμ_0 − ‖φ_0‖².

Nodes and propagators are moved by the classical Runge–Kutta method, the integral is the trapezoidal rule: of second order in the step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wgf.energy import RegressionEnergy
from wgf.errors import InputError
from wgf.features import row_space
from wgf.measure import Cloud
from wgf.problem import Problem

NODES = {1: 200, 2: 32, 3: 10, 4: 6}  # per axis, by dimension
STEPS = 80  # of the whole time
TOLERANCE = 1e-8  # of the compressed data
DIFFERENCE = 1e-5  # for D²G, from ∇G


def fluctuation(problem: Problem, times: Sequence[float] | np.ndarray, nodes: int | None = None, steps: int = STEPS) -> np.ndarray:
    """Lim m E‖φ_m(t) − φ(t)‖² at the times, (times,), for networks without noise.

    nodes    per axis, of the quadrature rule for the initial law; default 200, 32, 10, 6 in one to four dimensions
    steps    of the Volterra equation, from 0 to the last time

    Raises InputError for problems with noise or without a network, and for times that are not ≥ 0.
    """
    energy, asked = problem.energy, np.asarray(times, dtype=float)
    if not isinstance(energy, RegressionEnergy) or problem.noise > 0:
        raise InputError("the fluctuation is predicted for networks without noise: a RegressionEnergy and temperature = 0")
    if asked.size == 0 or not (np.isfinite(asked).all() and (asked >= 0).all() and asked.max() > 0):
        raise InputError(f"times = {times}: give times ≥ 0, one of them later than 0")
    p = problem.dim or 1
    points, weights = problem.initial.quadrature(nodes or NODES.get(p, 4))
    grid = np.linspace(0.0, float(asked.max()), steps + 1)
    influence = _influences(_Paths(energy, points, weights, grid), weights, grid[1])
    variance = [float(weights @ np.sum(h**2, axis=1) - np.sum((weights @ h) ** 2)) for h in influence]
    return np.interp(asked, grid, variance)


class _Paths:
    """g̃ on the paths of the nodes, g (K + 1, N, r), and the two factors of Γ(t, s) = left_t · right_sᵀ, (K + 1, r, N·p)."""

    def __init__(self, energy: RegressionEnergy, points: np.ndarray, weights: np.ndarray, grid: np.ndarray) -> None:
        self.energy, self.weights = energy, weights
        self.root = np.sqrt(energy.data.weights)
        stations = [(points, np.broadcast_to(np.eye(points.shape[1]), (*points.shape, points.shape[1])))]
        for step in np.diff(grid):
            stations.append(self._moved(*stations[-1], step))
        rows = np.concatenate([self._features(stations[k][0]) for k in (0, len(grid) // 2, -1)])
        basis = row_space(lambda part: rows[part], len(rows), len(self.root), TOLERANCE, 1)
        self.g, self.left, self.right = [], [], []
        share = np.sqrt(weights)[:, None, None]
        for x, propagator in stations:
            slope = np.einsum("nip,ir->nrp", energy.neuron.gradient(x, energy.data.inputs) * self.root[:, None], basis) * share
            self.g.append(self._features(x) @ basis)
            self.left.append(_flat(slope @ propagator))
            self.right.append(_flat(slope @ np.linalg.inv(propagator).transpose(0, 2, 1)))

    def _features(self, x: np.ndarray) -> np.ndarray:
        return self.energy.neuron.value(x, self.energy.data.inputs) * self.root

    def _moved(self, x: np.ndarray, propagator: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and propagators one step later."""
        stages = [self._rate(x, propagator)]
        for share in (0.5, 0.5, 1.0):
            velocity, turn = stages[-1]
            stages.append(self._rate(x + share * step * velocity, propagator + share * step * turn))
        first, second, third, fourth = stages
        mean = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(first, second, third, fourth, strict=True)]
        return x + step * mean[0], propagator + step * mean[1]

    def _rate(self, x: np.ndarray, propagator: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """−∇G at the nodes, and −D²G P; D²G by central differences of ∇G for the μ of the nodes."""
        residual, slope = self.energy.residual(Cloud(x, self.weights, self.energy.neuron)), self.energy.slope
        hessian = np.empty((*x.shape, x.shape[1]))
        for k, shift in enumerate(DIFFERENCE * np.eye(x.shape[1])):
            hessian[:, :, k] = (slope(x + shift, residual) - slope(x - shift, residual)) / (2 * DIFFERENCE)
        return -slope(x, residual), -hessian @ propagator


def _flat(slopes: np.ndarray) -> np.ndarray:
    """(N, r, p) as (r, N·p)."""
    return np.ascontiguousarray(slopes.transpose(1, 0, 2)).reshape(slopes.shape[1], -1)


def _influences(paths: _Paths, weights: np.ndarray, step: float) -> list[np.ndarray]:
    """The solutions h (N, r) of the Volterra equation for ξ = g̃ on the path of each node, at all times."""
    found: list[np.ndarray] = []
    for k, g in enumerate(paths.g):
        known = g.copy()
        for earlier, h in enumerate(found):
            share = 0.5 * step if earlier == 0 else step
            known -= share * h @ (paths.left[k] @ paths.right[earlier].T).T
        own = np.eye(g.shape[1]) + (0.5 * step if k else 0.0) * (paths.left[k] @ paths.right[k].T)
        found.append(np.linalg.solve(own, known.T).T)
    return found
