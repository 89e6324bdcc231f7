"""The exact step of the variational scheme in one dimension, by quantile functions.

In one dimension the optimal map between two measures is the increasing one: with the nodes x_j of a reference grid, their masses
w_j, and increasing X_j, the measures Σ w_j δ_{X_j} (and the densities that interpolate them) have the distance W₂² = Σ w_j (X_j − Y_j)².
The x_j are cell centres of the initial law, so that X is its quantile function in the coordinate x = F₀⁻¹(quantile), and

    μ_{k+1} = argmin_X  ½L[Σ w_j δ_{X_j}] − τ Σ_f v_f log (DX)_f + Σ w_j (X_j − X_j^k)²/(2Δt).

∫p log p = ∫log(p₀/X') dμ₀ gives the second term: D is the derivative at the faces between nodes, of sixth order, v_f = p₀(x_f)·h.
The w_j are point values p₀(x_j)·h, from cell averages less h²p₀''/24, as sums over equal steps of smooth decaying functions are
accurate beyond any order; nodes without mass are left out.

Newton's method. The Hessian is a band (masses, curvature of G, entropy) plus the rank of the data, UUᵀ with U = w_j ∂_θ g(X_j; x_i)√ρ_i:
the band is solved by Cholesky, the rest by Woodbury's formula. Steps are halved until they keep the order of the nodes and the
objective falls; where none of them lowers it, although Newton's method foretells a fall by more than STALLED, the step has failed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse

from wgf.errors import InputError, NotConverged
from wgf.measures.grid import Grid
from wgf.measures.laws import box_title, judge_box, judge_resolution
from wgf.measures.measure import Cloud, Measure
from wgf.methods.base import Diagnostics, Frame, State
from wgf.methods.particles.base import points_of
from wgf.methods.time_steps import equal_steps
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy

EMPTY = 1e-20  # of the largest mass: nodes below it are left out
STAGGERED = {5: (-3 / 640, 25 / 384, -75 / 64, 75 / 64, -25 / 384, 3 / 640), 3: (1 / 24, -9 / 8, 9 / 8, -1 / 24), 1: (-1.0, 1.0)}
DIFFERENCE = 1e-5  # for the curvature of G, from its slope
ROUNDING = 1e-14  # of the objective's size
SETTLED = 1e-13  # of the extent of the nodes: a shorter Newton step ends the iteration
STALLED = 1e-9  # of the objective's size
SERIES = ("transport", "gain")  # of the history: of the step that led to a state, W₂²/(2Δt) and by how much the objective fell
FEWEST = 8  # nodes
STIFFNESS = 0.1  # of 1/Δt, which the curvature of the transport and of G together have at least in Newton's band


@dataclass(eq=False, repr=False)
class QuantileState(State):
    """The nodes X (n, 1), and the numbers of SERIES."""

    transport: float = 0.0
    gain: float = 0.0


class QuantileStepper:
    """`QuantileJKO` bound to a problem. Never stored."""

    def __init__(self, method: Any, problem: Problem, grid: Grid) -> None:
        if grid.dim != 1:
            raise InputError(f"quantile-jko: exact steps are for one dimension, but theta has {grid.dim} coordinates: take JKO")
        self.method, self.problem, self.energy, self.tau = method, problem, problem.energy, problem.noise
        averages = problem.initial.cell_averages(grid)
        judge_box(problem.initial, float(averages.sum()) * grid.cell_volume, box_title(grid.lower, grid.upper))
        self._place_nodes(averages, grid)
        judge_resolution(grid, [averages], grid.names, problem.initial)
        self.derivative = staggered_derivative(len(self.nodes), grid.spacing[0])
        self.facts: dict[str, Any] = {"method_summary": repr(method), "time_step": method.dt}

    def _place_nodes(self, averages: np.ndarray, grid: Grid) -> None:
        """Nodes and masses, and masses and densities of the faces between them."""
        curvature = np.diff(np.pad(averages, 1, mode="edge"), 2)
        density = np.maximum(averages - curvature / 24, 0.0)
        full = np.flatnonzero(density > EMPTY * density.max())
        if len(full) < FEWEST:
            raise InputError(f"quantile-jko: only {len(full)} of {grid.size} cells hold initial mass: choose a narrower box, or more cells")
        kept = slice(int(full[0]), int(full[-1]) + 1)
        self.nodes, density = grid.centers[0][kept], density[kept]
        around = np.pad(density, 1, mode="edge")
        face = (9 * (density[1:] + density[:-1]) - around[:-3] - around[3:]) / 16
        face = np.where(face > 0, face, np.minimum(density[1:], density[:-1]))
        self.weights = density / density.sum()
        self.face_weights, self.face_density = face / density.sum(), face / (density.sum() * grid.spacing[0])

    def start(self) -> QuantileState:
        """The nodes themselves."""
        return QuantileState(0.0, self.nodes[:, None])

    def resume(self, measure: Measure, time: float, steps: int) -> QuantileState:
        """The nodes of a frame."""
        return QuantileState(time, points_of(measure, self.nodes[:, None], self.weights))

    def step(self, state: QuantileState, stop: float) -> Diagnostics:
        """One step of the scheme; all steps up to `stop` are equally long."""
        before, remaining = self.diagnostics(state), stop - state.time
        dt, last = equal_steps(remaining, self.method.dt)
        old = state.array[:, 0]
        new, state.gain = self.minimised(old, dt, state.time)
        state.transport = self._transport(new, old, dt)
        if self.method.order == 2:
            middle, _ = self.minimised(old, 0.5 * dt, state.time)
            half, _ = self.minimised(middle, 0.5 * dt, state.time)
            new = self._ordered(2.0 * half - new, half)
        state.exchange(new[:, None])
        state.time = stop if last else state.time + dt
        return before

    @staticmethod
    def _ordered(extrapolated: np.ndarray, half: np.ndarray) -> np.ndarray:
        """The extrapolated nodes, or those of the half steps where the order is lost."""
        return extrapolated if (np.diff(extrapolated) > 0).all() else half

    def minimised(self, old: np.ndarray, dt: float, time: float) -> tuple[np.ndarray, float]:
        """The minimiser X of the objective, by Newton's method, and by how much the objective is less there than at `old`."""
        x, start, extent = old.copy(), self.objective(old, old, dt), float(np.ptp(old))
        value = start
        for _ in range(self.method.iterations):
            step, fall = self._newton_step(x, old, dt)
            size = abs(value) + self.energy.scale
            while not (trial := self.objective(x + step, old, dt)) <= value + ROUNDING * size and np.abs(step).max() >= SETTLED * extent:
                step *= 0.5
            if trial <= value + ROUNDING * size:
                x, value = x + step, trial
            elif not fall <= STALLED * size:
                raise NotConverged(
                    f"the exact step of dt = {dt:.3g} at t = {time:.6g} does not lower its objective, which should fall by {fall:.2g}: "
                    "take a smaller dt, or more cells"
                )
            if np.abs(step[self.weights > EMPTY**0.5]).max() < SETTLED * extent:
                return x, start - value
        raise NotConverged(
            f"the exact step of dt = {dt:.3g} at t = {time:.6g} did not converge in {self.method.iterations} iterations: take a smaller dt"
        )

    def objective(self, x: np.ndarray, old: np.ndarray, dt: float) -> float:
        """½L + τ∫p log p + W₂²/(2Δt); infinite where the order of the nodes is lost."""
        if (np.diff(x) <= 0).any():
            return math.inf
        free = 0.5 * self.energy.loss(self._measure(x)) + self._entropy(x)
        return free + self._transport(x, old, dt)

    def _transport(self, x: np.ndarray, old: np.ndarray, dt: float) -> float:
        """W₂²/(2Δt)."""
        return float(self.weights @ (x - old) ** 2) / (2.0 * dt)

    def _entropy(self, x: np.ndarray) -> float:
        """τ∫p log p of the pushforward."""
        if self.tau == 0:
            return 0.0
        stretch = self.derivative @ x
        if (stretch <= 0).any():
            return math.inf
        return self.tau * float(self.face_weights @ (np.log(np.maximum(self.face_density, 1e-300)) - np.log(stretch)))

    def _slope(self, x: np.ndarray, measure: Cloud | None) -> np.ndarray:
        """∂G(x; μ), for μ = `measure`, or for that of the nodes themselves."""
        points = x[:, None]
        if isinstance(self.energy, RegressionEnergy):
            return self.energy.slope(points, self.energy.residual(measure or self._measure(x)))[:, 0]
        return -self.energy.velocity(points, self.weights)[0][:, 0]

    def _gradient(self, x: np.ndarray) -> np.ndarray:
        """Of ½L + τ∫p log p in the nodes."""
        gradient = self.weights * self._slope(x, None)
        if self.tau:
            gradient -= self.tau * (self.derivative.T @ (self.face_weights / (self.derivative @ x)))
        result: np.ndarray = gradient
        return result

    def _newton_step(self, x: np.ndarray, old: np.ndarray, dt: float) -> tuple[np.ndarray, float]:
        """The step to the minimum of the quadratic model, and twice the fall of the objective that this foretells."""
        gradient = self._gradient(x) + self.weights * (x - old) / dt
        measure, delta = self._measure(x), DIFFERENCE * max(1.0, float(np.ptp(x)))
        curvature = (self._slope(x + delta, measure) - self._slope(x - delta, measure)) / (2.0 * delta)
        band = sparse.diags_array(self.weights * np.maximum(curvature + 1.0 / dt, STIFFNESS / dt))
        if self.tau:
            band = (
                band + self.derivative.T @ sparse.diags_array(self.tau * self.face_weights / (self.derivative @ x) ** 2) @ self.derivative
            )
        sides = gradient[:, None]
        if isinstance(self.energy, RegressionEnergy):
            data = self.energy.data
            rank = self.weights[:, None] * self.energy.neuron.gradient(x[:, None], data.inputs)[..., 0] * np.sqrt(data.weights)
            sides = np.concatenate([sides, rank], axis=1)
        solved = linalg.solveh_banded(banded(band), sides)
        step, low = solved[:, 0], solved[:, 1:]
        if low.shape[1]:
            step = step - low @ np.linalg.solve(np.eye(low.shape[1]) + rank.T @ low, rank.T @ step)
        return -step, float(gradient @ step)

    def _measure(self, x: np.ndarray) -> Cloud:
        return Cloud(x[:, None], self.weights, self.energy.neuron)

    def diagnostics(self, state: QuantileState) -> Diagnostics:
        """The diagnostics of `state`."""
        x = state.array[:, 0]
        loss, gradient = self.energy.loss(self._measure(x)), self._gradient(x)
        dissipation = float(np.sum(gradient**2 / self.weights))
        free, extra = 0.5 * loss + self._entropy(x), {name: getattr(state, name) for name in SERIES}
        return Diagnostics(state.time, loss, free, dissipation, float(self.weights.sum()), float(self.weights.min()), extra=extra)

    def frame(self, state: QuantileState) -> Frame:
        """The nodes as an empirical measure."""
        measure = self._measure(state.array[:, 0].copy())
        return Frame(measure, self.diagnostics(state), self.energy.predict(measure))


def staggered_derivative(n: int, h: float) -> sparse.csr_array:
    """D (n − 1, n): derivatives at the faces between n nodes, of sixth order, of fourth and second at the two ends."""
    rows, columns, entries = [], [], []
    for face in range(n - 1):
        room = min(2 * face + 1, 2 * (n - 2 - face) + 1, 5)
        for k, entry in enumerate(STAGGERED[room]):
            rows.append(face)
            columns.append(face - room // 2 + k)
            entries.append(entry / h)
    return sparse.csr_array((entries, (rows, columns)), shape=(n - 1, n))


def banded(matrix: sparse.sparray) -> np.ndarray:
    """The upper diagonals of a symmetric sparse matrix, as SciPy's banded solvers take them."""
    entries = sparse.coo_array(matrix)
    width = int(np.abs(entries.row - entries.col).max()) if entries.nnz else 0
    upper = np.zeros((width + 1, matrix.shape[0]))
    for k in range(width + 1):
        upper[width - k, k:] = entries.diagonal(k)
    return upper
