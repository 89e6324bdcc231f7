"""The loss of a network, and the potential that moves its neurons.

    L[μ] = ‖φ_μ − f*‖² + λ ∫V dμ = ‖f*‖² − 2∫F dμ + ∬K dμ dμ
    G(θ; μ) = ⟨g(θ), φ_μ − f*⟩ + ½ λ V(θ) = ½ δL/δμ                (so that ∂_t μ = div(μ ∇G) has dL/dt = −2∫|∇G|² dμ)

An energy answers two calls: `velocity(points, masses)`, −∇G at the points of a cloud, and `on(grid)`, the potential bound
to the cells of a grid, which costs O(N r) a time and no N × N array (see features.py).
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.data import Data
from wgf.errors import InputError
from wgf.features import compress
from wgf.grid import Grid
from wgf.measure import BLOCK, Measure
from wgf.neuron import Neuron, as_neuron, differences

KEPT_ENTRIES = 2**22  # a cloud's responses are kept between its two passes while they have at most this many entries


@dataclass(frozen=True)
class Penalty:
    """λ V(θ): `strength` λ ≥ 0, and V a function (…, p) → (…), or None for V(θ) = |θ|². ∇V by differences for a function."""

    strength: float = 0.0
    function: Callable[[np.ndarray], np.ndarray] | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.strength) and self.strength >= 0):
            raise InputError(f"the penalty has strength {self.strength:g}: it must be a number ≥ 0")

    def value(self, theta: np.ndarray) -> np.ndarray:
        """V(θ), (…,)."""
        if self.function is None:
            return np.sum(np.square(theta), axis=-1)
        value = np.asarray(self.function(theta), dtype=float)
        if value.shape != np.shape(theta)[:-1]:
            raise InputError(f"the penalty V gave shape {value.shape} for theta {np.shape(theta)}; expected {np.shape(theta)[:-1]}")
        return value

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """∇V(θ), (…, p)."""
        return 2.0 * np.asarray(theta) if self.function is None else differences(self.value, theta)


def as_penalty(given: Any) -> Penalty:
    """A Penalty from a number λ, or from a pair (λ, V)."""
    strength, function = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if not isinstance(strength, numbers.Real) or not (function is None or callable(function)):
        raise InputError(f"penalty = {given!r}: give a number λ, or a pair (λ, V) with a function V")
    return Penalty(float(strength), function)


@dataclass(frozen=True, repr=False)
class RegressionEnergy:
    """½L for a neuron, data, and a penalty: a number λ (V = |θ|²), or a pair (λ, V) with a callable V(theta (…, p)) → (…)."""

    neuron: Any
    data: Data
    penalty: Any = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "neuron", as_neuron(self.neuron))
        if not isinstance(self.data, Data):
            raise InputError(f"data is {type(self.data).__name__}; give a wgf.Data (from arrays: wgf.Data(inputs, targets))")
        if isinstance(self.neuron, Neuron) and self.neuron.dim != self.data.dim:
            raise InputError(f"the neuron has {self.neuron.dim} input(s) (dim) but the data have {self.data.dim}")
        if not isinstance(self.penalty, Penalty):
            object.__setattr__(self, "penalty", as_penalty(self.penalty))

    def on(self, grid: Grid, tolerance: float = 1e-12) -> Potential:
        """The potential on the cells of `grid`, features compressed to relative error `tolerance`."""
        return Potential(self, grid, tolerance)

    def predict(self, measure: Measure) -> np.ndarray:
        """φ_μ at the inputs of the data, (n,)."""
        return self._network(measure.points, measure.masses, None)

    def loss(self, measure: Measure) -> float:
        """L[μ]."""
        return self._loss(self.predict(measure), measure.points, measure.masses)

    def potential(self, theta: np.ndarray, measure: Measure) -> np.ndarray:
        """G(θ; μ) at theta (N, p), directly from its definition; (N,)."""
        u = self.data.weights * (self.predict(measure) - self.data.targets)
        return self.neuron.value(theta, self.data.inputs) @ u + 0.5 * self.penalty.strength * self.penalty.value(theta)

    def velocity(self, points: np.ndarray, masses: np.ndarray, pool: ThreadPoolExecutor | None = None) -> tuple[np.ndarray, float]:
        """−∇G(θ_j; μ) for the cloud μ = Σ_j masses_j δ_{θ_j}, (N, p), and L[μ].

        Two passes over blocks of points, in the threads of `pool` if there is one: φ_μ first, then the gradient. Memory
        O(block·n); the result does not depend on the number of threads.
        """
        data, penalty = self.data, self.penalty
        kept: dict[int, Any] | None = {} if points.shape[0] * data.size <= KEPT_ENTRIES else None
        prediction = self._network(points, masses, kept, pool)
        u = data.weights * (prediction - data.targets)
        velocity = np.empty(points.shape)

        def fill(block: slice) -> None:
            response = self.neuron.at(points[block], data.inputs) if kept is None else kept[block.start]
            np.negative(response.pull(u), out=velocity[block])
            if penalty.strength:
                velocity[block] -= 0.5 * penalty.strength * penalty.gradient(points[block])

        for _ in _each(fill, blocks(len(points), data.size), pool):
            pass
        return velocity, self._loss(prediction, points, masses)

    def _network(
        self, points: np.ndarray, masses: np.ndarray, kept: dict[int, Any] | None, pool: ThreadPoolExecutor | None = None
    ) -> np.ndarray:
        """φ_μ at the data, (n,), keeping the responses of each block if asked to."""

        def partial(block: slice) -> np.ndarray:
            response = self.neuron.at(points[block], self.data.inputs)
            if kept is not None:
                kept[block.start] = response
            return response.total(masses[block])

        total = np.zeros(self.data.size)
        for part in _each(partial, blocks(len(points), self.data.size), pool):
            total += part
        return total

    def _loss(self, prediction: np.ndarray, points: np.ndarray, masses: np.ndarray) -> float:
        residual = prediction - self.data.targets
        loss = float(self.data.weights @ residual**2)
        if self.penalty.strength:
            loss += self.penalty.strength * float(masses @ self.penalty.value(points))
        return loss

    def __repr__(self) -> str:
        extra = f", λ = {self.penalty.strength:g}" if self.penalty.strength else ""
        return f"RegressionEnergy({self.neuron!r}, {self.data!r}{extra})"


def blocks(points: int, samples: int) -> list[slice]:
    """Slices of points such that a (block, samples) array stays in cache."""
    step = max(1, BLOCK // samples)
    return [slice(start, min(start + step, points)) for start in range(0, points, step)]


def _each(function: Callable[[slice], Any], parts: list[slice], pool: ThreadPoolExecutor | None) -> Iterator[Any]:
    """function(part) for each part, in order."""
    return map(function, parts) if pool is None or len(parts) == 1 else pool.map(function, parts)


class Potential:
    """G(·; μ) on the cells of a grid, in the layout in which the transport kernel reads it (kernels/transport.py).

    `axes` is the order of the grid's axes in that layout: the output weight c last where it is an axis, since g = c·s is
    linear in it: with the features S of s on the cells of the other axes ("rows") and μ's moments M = Σ_c c μ h_c,

        z = SᵀM·volume − f,   G = (S z) ⊗ c + ½λV = slope ⊗ multiplier + along + offset.

    Otherwise the features live on all cells, and G is the array `offset`. The arrays are filled in place by `update`.

    slope (rows,), multiplier (columns,), along (columns,), offset (rows, 1 or columns)
    rank, error      of the compressed features
    """

    def __init__(self, energy: RegressionEnergy, grid: Grid, tolerance: float) -> None:
        self.energy, self.grid = energy, grid
        neuron, axis = energy.neuron, energy.neuron.output_axis
        self.factored = axis is not None
        last = grid.dim - 1 if axis is None else axis
        self.axes = (*(k for k in range(grid.dim) if k != last), last)
        self.shape = tuple(grid.shape[k] for k in self.axes)
        self.columns, self.rows = self.shape[-1], int(np.prod(self.shape[:-1]))
        self.slope, self.multiplier, self.along = np.zeros(self.rows), np.zeros(self.columns), np.zeros(self.columns)
        self._add_features(neuron, tolerance)
        self._add_penalty()

    def _add_features(self, neuron: Any, tolerance: float) -> None:
        """S on the rows (c an axis) or Φ on the cells, compressed; f* in the same basis, and the readout φ(x_i) = (B z)_i/√w_i."""
        data, last = self.energy.data, self.axes[-1]
        root = np.sqrt(data.weights)
        if self.factored:
            self.multiplier[:] = self.grid.centers[last]
            neuron, cells = neuron.without_output(), self.grid.without(last)
        else:
            cells = self.grid
        if cells is None:  # c is the only axis: one row, s(x_i) = σ(⟨a, x_i⟩ + b)
            table = self.energy.neuron.value(np.ones((1, 1)), data.inputs) * root
        else:
            points = cells.points()
            table = None
        size = 1 if cells is None else len(points)

        def rows(part: slice) -> np.ndarray:
            return table[part] if table is not None else neuron.value(points[part], data.inputs) * root

        features = compress(rows, size, data.size, tolerance)
        self.features, self.rank, self.error = features.values, features.rank, features.error
        target = root * data.targets
        self.target = features.basis.T @ target
        self.out_of_reach = float(np.sum((target - features.basis @ self.target) ** 2))
        self.readout = features.basis / root[:, None]
        self.moments = np.empty(self.rank)
        self.residual = np.empty(self.rank)

    def _add_penalty(self) -> None:
        """½λV: split into rows and columns for |θ|² where G is factored, else an array over the cells."""
        penalty, grid, last = self.energy.penalty, self.grid, self.axes[-1]
        half = 0.5 * penalty.strength
        self.penalised: np.ndarray | None = None
        if self.factored and (not half or penalty.function is None):
            self.along[:] = half * grid.centers[last] ** 2
            rest = grid.without(last)
            self.offset = np.zeros((self.rows, 1)) if rest is None else half * np.sum(rest.points() ** 2, axis=1, keepdims=True)
            return
        self.offset = np.zeros((self.rows, self.columns))
        if half:
            self.offset[:] = half * self.arranged(penalty.value(grid.points()).reshape(grid.shape))
            self.penalised = self.offset if self.factored else self.offset.copy()

    def arranged(self, values: np.ndarray) -> np.ndarray:
        """Cell values (n_1, …, n_p) as a contiguous (rows, columns) array of the layout."""
        return np.ascontiguousarray(np.transpose(values, self.axes)).reshape(self.rows, self.columns)

    def restored(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `arranged`: (rows, columns) as a view (n_1, …, n_p)."""
        return np.transpose(values.reshape(self.shape), np.argsort(self.axes))

    def update(self, values: np.ndarray, sums: np.ndarray) -> float:
        """Fill G for the cell averages `values` (rows, columns) with row sums Σμ, Σ multiplier·μ, Σ along·μ; return L[μ]."""
        volume = self.grid.cell_volume
        if self.factored:
            np.dot(sums[1], self.features, out=self.moments)
        else:
            np.dot(values.reshape(-1), self.features, out=self.moments)
        self.moments *= volume
        np.subtract(self.moments, self.target, out=self.residual)
        loss = float(self.residual @ self.residual) + self.out_of_reach
        if self.energy.penalty.strength:
            loss += 2.0 * volume * self._penalty_energy(values, sums)
        if self.factored:
            np.dot(self.features, self.residual, out=self.slope)
        else:
            np.dot(self.features, self.residual, out=self.offset.reshape(-1))
            if self.penalised is not None:
                self.offset += self.penalised
        return loss

    def _penalty_energy(self, values: np.ndarray, sums: np.ndarray) -> float:
        """½λ Σ_cells V μ."""
        if self.penalised is not None:
            return float(np.vdot(self.penalised, values))
        return float(sums[2].sum() + self.offset[:, 0] @ sums[0])

    @property
    def prediction(self) -> np.ndarray:
        """φ_μ at the data for the μ of the last update, (n,)."""
        return self.readout @ self.moments

    def values(self) -> np.ndarray:
        """G on the cells, (n_1, …, n_p), for the μ of the last update: for plots and tests; the kernel does not need it."""
        return self.restored(np.multiply.outer(self.slope, self.multiplier) + self.along + self.offset)
