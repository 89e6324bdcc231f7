"""Back along the flow: where the points at time t have come from, and by how much the density has grown on the way.

    θ' = −∇G(θ; z(s)),    μ_t(θ) = μ_0(θ_0) exp(∫_0^t ΔG(θ_s; z(s)) ds),        since ∂_s log μ + ⟨v, ∇log μ⟩ = −div v = ΔG,

by the classical Runge–Kutta scheme of fourth order. A `resolution` r means COARSEST·2^r steps for each forward one and, where there
are tables, for INTERVALS·2^r intervals: all errors fall by 16. A neuron with one argument beside c is read from a table of
H = Σ_i z_i σ(⟨a, x_i⟩ + b) along it, one with two from a table on their plane (kernels/backward.py); any other field is summed over the
data.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from scipy import ndimage

from wgf.kernels.backward import BASIS, BLOCKS, LANES, TERMS, WIDTH, carry_back_on_line, carry_back_on_plane
from wgf.measures.grid import inside_box
from wgf.methods.particles.base import threads
from wgf.methods.pushforward.kinks import Origins, Sheets
from wgf.methods.pushforward.path import Path, middles, steps_back
from wgf.networks.derivatives import differences
from wgf.networks.neuron import Neuron
from wgf.problems.interaction import InteractionEnergy
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy, blocks

INTERVALS = {1: 64, 2: 24}  # of a table along each axis, at resolution 0
PADDING = 30  # nodes beyond the ends of a table, over which what the ends do to a spline dies away: 0.43^30 = 1e-11
ORDER = 4  # of all errors, in the resolution

Rates = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]  # points (M, p), z (n,) → ∇G (M, p), ΔG (M,)


class Backward(Protocol):
    """The way back along a path, for points in the box within which paths are followed; `dear` where charts of it are worth making."""

    dear: bool

    def origins(self, points: np.ndarray, resolution: int) -> Origins: ...


def backward(problem: Problem, path: Path, box: np.ndarray) -> Backward:
    """The cheapest way back; box (2, p)."""
    energy = problem.energy
    if isinstance(energy, RegressionEnergy) and isinstance(energy.neuron, Neuron) and energy.neuron.dim == 1:
        if energy.neuron.sigma.kinks:
            return Sheets(energy, path, box)
        inner = energy.neuron.without_output()
        if inner is not None and energy.penalty.function is None:
            return Tables(energy, inner, path, box)
    return Sums(rates_of(energy), path, box, 1 if energy.data is None else energy.data.size)


class Tables:
    """For g = c·σ(ax + b) with a or b free, or both, on one input, and V = |θ|²."""

    dear = False

    def __init__(self, energy: RegressionEnergy, inner: Neuron, path: Path, box: np.ndarray) -> None:
        self.neuron: Neuron = energy.neuron
        self.inner, self.inputs, self.path, self.box = inner, energy.data.inputs, path, box
        self.pull = energy.penalty.strength
        self.places = [self.neuron.theta.index(name) for name in inner.theta]  # of a and b in θ
        self.kept: tuple[int, Any] = (-1, None)

    def origins(self, points: np.ndarray, resolution: int) -> Origins:
        times, tables, lower, spacing = self._tables(resolution)
        c, lengths, axis = np.array(self.neuron.split(points)[0]), np.diff(times), self.neuron.output_axis
        inner = [np.array(points[:, k]) for k in self.places]
        free = 0.0 if axis is None else 1.0
        ends = np.array([[-np.inf], [np.inf]]) if axis is None else self.box[:, axis : axis + 1]
        box = np.hstack([ends, self.box[:, self.places]])
        growth = np.where(inside_box(points, *self.box), 0.0, -np.inf)
        if len(inner) == 1:
            work = np.empty((BLOCKS, 8, LANES))
            carry_back_on_line(c, inner[0], growth, lengths, tables, lower[0], 1.0 / spacing[0], free, self.pull, box, work)
        else:
            work = np.empty((BLOCKS, 12, LANES))
            carry_back_on_plane(c, inner[0], inner[1], growth, lengths, tables, lower, 1.0 / spacing, free, self.pull, box, work)
        growth += self.pull * points.shape[1] * times[-1]
        found = np.empty_like(points)
        found[:, self.places] = np.column_stack(inner)
        if axis is not None:
            found[:, axis] = c
        return found, growth

    def _tables(self, resolution: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Times, tables, where these begin and their spacing; those of the last resolution are kept."""
        if self.kept[0] != resolution:
            self.kept = (resolution, self._made(resolution))
        result: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] = self.kept[1]
        return result

    def _made(self, resolution: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        times = steps_back(self.path, resolution)
        count = INTERVALS[len(self.places)] * 2**resolution
        lower, upper = self.box[:, self.places]
        spacing = (upper - lower) / count
        nodes = np.arange(-2 - PADDING, count + 3 + PADDING)
        theta = np.stack(np.meshgrid(*(low + h * nodes for low, h in zip(lower, spacing, strict=True)), indexing="ij"), axis=-1)
        residuals, flat = self.path.at(middles(times)), theta.reshape(-1, len(self.places))
        values = np.empty((len(residuals), len(flat)))
        for part in blocks(len(flat), len(self.inputs)):
            values[:, part] = residuals @ self.inner.value(flat[part], self.inputs).T
        tables = values.reshape(-1, *theta.shape[:-1])
        for axis in range(1, tables.ndim):
            tables = ndimage.spline_filter1d(tables, order=5, axis=axis, mode="mirror")
        if len(self.places) == 1:
            tables = np.lib.stride_tricks.sliding_window_view(tables[:, PADDING:-PADDING], TERMS, axis=1) @ BASIS.T
        else:
            tables = tables[:, PADDING:-PADDING, PADDING : WIDTH - TERMS - PADDING]
        return times, np.ascontiguousarray(tables), lower, spacing


class Sums:
    """For any field: ∇G and ΔG by sums over the data, in threads over blocks of points."""

    dear = True

    def __init__(self, rates: Rates, path: Path, box: np.ndarray, samples: int) -> None:
        self.rates, self.path, self.box, self.samples = rates, path, box, samples

    def origins(self, points: np.ndarray, resolution: int) -> Origins:
        times = steps_back(self.path, resolution)
        residuals, lengths = self.path.at(middles(times)), np.diff(times)
        found, growth = np.array(points), np.empty(len(points))

        def fill(block: slice) -> None:
            found[block], growth[block] = self._back(points[block], residuals, lengths)

        with ThreadPoolExecutor(threads()) as pool:
            list(pool.map(fill, blocks(len(points), self.samples)))
        return found, growth

    def _back(self, points: np.ndarray, residuals: np.ndarray, lengths: np.ndarray) -> Origins:
        theta, growth = np.array(points), np.zeros(len(points))
        growth[~inside_box(theta, *self.box)] = -np.inf
        for step in range(len(lengths) - 1, -1, -1):
            going = np.flatnonzero(growth > -np.inf)
            now, dt = theta[going], lengths[step]
            slopes, bends, at = np.zeros_like(now), np.zeros(len(now)), now
            for stage in range(ORDER):
                slope, bend = self.rates(at, residuals[2 * step + 2 - (stage + 1) // 2])
                weight = 2.0 if stage in (1, 2) else 1.0
                slopes, bends = slopes + weight * slope, bends + weight * bend
                at = now + (dt if stage == 2 else 0.5 * dt) * slope
            theta[going] = now + dt / 6.0 * slopes
            growth[going] += dt / 6.0 * bends
            growth[going[~inside_box(theta[going], *self.box)]] = -np.inf
        return theta, growth


def rates_of(energy: Any) -> Rates:
    """∇G and ΔG of the energy; those of a confinement V do not depend on z."""
    if isinstance(energy, RegressionEnergy):
        return lambda theta, residual: (energy.slope(theta, residual), energy.laplacian(theta, residual))
    assert isinstance(energy, InteractionEnergy)

    def rates(theta: np.ndarray, residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return energy.confinement_slope(theta), np.einsum("mkk->m", differences(energy.confinement_slope, theta))

    return rates
