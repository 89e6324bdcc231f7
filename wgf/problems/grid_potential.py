"""The potential of a network on the cells of a grid, refilled for every density at the cost of its rank.

With compressed features (features.py), √w absorbed, and f_i = √w_i f*(x_i):

    z = Φᵀμ − f,    G = Φ z + ½λV,    L = |z|² + (the part of f that no density reaches) + λ∫V dμ.

Φ and V are values at the centres of the cells, or, for cell averages of a density, what makes these sums integrals of fourth order
(measures/averages.py).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from wgf.kernels.features import BLOCKS, fill_moments, fill_potential
from wgf.measures.grid import Grid
from wgf.measures.layout import total
from wgf.networks.features import Features, compress
from wgf.networks.separable import SeparableFeatures, separate
from wgf.problems.energy import GridPotential


class RegressionPotential(GridPotential):
    """G(·; μ) on the cells of a grid, in the layout of the kernels.

    The output weight c goes along the columns where it is an axis, since g = c·s is linear in it: with the features S of s
    on the cells of the other axes ("rows") and μ's moments M = Σ_c c μ h_c,

        z = SᵀM·volume − f,   G = (S z) ⊗ c + ½λV = slope ⊗ multiplier + along + offset.

    Otherwise the features live on all cells, or are separable on a plane (networks/separable.py), and G is the array `offset`. The arrays
    are filled in place by `update`.

    rank, error      of the compressed features
    """

    def __init__(self, energy: Any, grid: Grid, tolerance: float, averages: bool = False) -> None:
        neuron, axis = energy.neuron, energy.neuron.output_axis
        super().__init__(grid, grid.dim - 1 if axis is None else axis, averages)
        self.energy, self.factored = energy, axis is not None
        self._add_features(neuron, tolerance)
        self._add_penalty()

    def _add_features(self, neuron: Any, tolerance: float) -> None:
        """S on the rows (c an axis) or Φ on the cells, compressed; f* in the same basis, and the readout φ(x_i) = (B z)_i/√w_i."""
        data, last = self.energy.data, self.axes[-1]
        root = np.sqrt(data.weights)
        rest: Grid | None = self.grid
        if self.factored:
            self.multiplier[:] = self.grid.centers[last]
            rest = self.grid.without(last)
            neuron = neuron if rest is None else neuron.without_output()

        def values(points: np.ndarray) -> np.ndarray:
            result: np.ndarray = neuron.value(points, data.inputs) * root
            return result

        centers = None if self.factored or rest is None or rest.dim != 2 else (rest.centers[0], rest.centers[1])
        self.separable = None if centers is None else separate(values, centers, data.size, tolerance)
        features: SeparableFeatures | Features | None = self.separable
        if self.separable is not None and self.averages:
            self.separable.read_averages(self.grid.periodic())
        if features is None:
            points = np.ones((1, 1)) if rest is None else rest.points()  # c = 1, where c is the only axis
            features = compress(lambda part: values(points[part]), len(points), data.size, tolerance)
            self.features = self._on_cells(features.values)
        self.rank, self.error = features.rank, features.error
        target = root * data.targets
        self.target = features.basis.T @ target
        self.out_of_reach = float(np.sum((target - features.basis @ self.target) ** 2))
        self.readout = features.basis / root[:, None]
        self.moments, self.residual = np.empty(self.rank), np.empty(self.rank)
        self.partial = np.empty((BLOCKS, self.rank))

    def _on_cells(self, values: np.ndarray) -> np.ndarray:
        """The weights in the sums over cells for values (rows or cells, …) at their centres."""
        axes = self.axes[:-1] if self.factored else self.axes
        cells, wraps = [self.grid.shape[k] for k in axes], [self.grid.periodic()[k] for k in axes]
        return self.read(values.reshape(*cells, *values.shape[1:]), wraps).reshape(values.shape)

    @cached_property
    def features(self) -> np.ndarray:
        """S on the rows or Φ on the cells in the compressed basis, (rows or cells, r); written out here where they are separable."""
        assert self.separable is not None
        return self.separable.written_out().reshape(-1, self.rank)

    def _add_penalty(self) -> None:
        """½λV: for |θ|² on a factored grid split into rows (offset) and columns (along), else an array over the cells."""
        penalty, grid, last = self.energy.penalty, self.grid, self.axes[-1]
        half = 0.5 * penalty.strength
        self.penalty = np.zeros((self.rows, 1)) if self.factored else np.zeros((1, 1))
        if half and self.factored and penalty.function is None:
            self.along[:] = self.read(half * grid.centers[last] ** 2, (False,))
            rest = grid.without(last)
            if rest is not None:
                self.penalty[:, 0] = self._on_cells(half * np.sum(rest.points() ** 2, axis=1))
        elif half:
            values = half * penalty.value(grid.points()).reshape(grid.shape)
            self.penalty = self.arranged(self.read(values, grid.periodic()))
        self.offset = self.penalty if self.factored else np.empty((self.rows, self.columns))

    def update(self, values: np.ndarray, sums: np.ndarray) -> float:
        """Fill G for the cell averages `values` (rows, columns) with row sums Σμ, Σ multiplier·μ, Σ along·μ; return L[μ]."""
        self.project(values, sums)
        np.subtract(self.moments, self.target, out=self.residual)
        loss = float(self.residual @ self.residual) + self.out_of_reach
        if self.energy.penalty.strength:
            loss += 2.0 * self.grid.cell_volume * self._penalty_energy(values, sums)
        self.express(self.residual)
        return loss

    def project(self, values: np.ndarray, sums: np.ndarray) -> None:
        """Fill `moments` = Φᵀμ."""
        if self.factored:
            np.dot(sums[1], self.features, out=self.moments)
        elif self.separable is not None:
            self.separable.project(values, self.moments)
        else:
            fill_moments(self.moments, values.reshape(-1), self.features, self.partial)
        self.moments *= self.grid.cell_volume

    def express(self, residual: np.ndarray) -> None:
        """Fill G = Φ z + ½λV for z = `residual` (r,)."""
        if self.factored:
            np.dot(self.features, residual, out=self.slope)
        elif self.separable is not None:
            self.separable.express(residual, self.penalty, self.offset)
        else:
            fill_potential(self.offset.reshape(-1), self.features, residual, self.penalty.reshape(-1))

    def response(self, values: np.ndarray) -> np.ndarray:
        """∫ ∇Φᵀ∇Φ dμ, (r, r): by it times dt, Φᵀμ falls when μ moves for a time dt by the velocity −∇(Φz), for each unit of z."""
        spacing = self.grid.spacing[list(self.axes)]
        if self.factored:
            weights = values @ self.multiplier**2
            matrix = (self.features.T * values.sum(axis=1)) @ self.features
            leading, steps = self.shape[:-1], spacing[:-1]
        else:
            weights, matrix = values.reshape(-1), np.zeros((self.rank, self.rank))
            leading, steps = self.shape, spacing
        features = self.features.reshape(*leading, self.rank)
        for axis, (cells, h) in enumerate(zip(leading, steps, strict=True)):
            if cells > 1:
                slope = np.gradient(features, h, axis=axis).reshape(-1, self.rank)
                matrix += (slope.T * weights) @ slope
        result: np.ndarray = matrix * self.grid.cell_volume
        return result

    def kernel_norm(self) -> float:
        """The norm of K in L²(dθ), on the cells that of ΦᵀΦ|cell|."""
        columns = float(self.multiplier @ self.multiplier) if self.factored else 1.0
        return float(np.linalg.norm(self.features, 2) ** 2) * columns * self.grid.cell_volume

    def _penalty_energy(self, values: np.ndarray, sums: np.ndarray) -> float:
        """½λ Σ_cells V μ."""
        full = self.penalty.shape == values.shape
        return float(sums[2].sum()) + (total(self.penalty, values) if full else float(self.penalty[:, 0] @ sums[0]))

    @property
    def prediction(self) -> np.ndarray:
        """φ_μ at the data for the μ of the last update, (n,)."""
        result: np.ndarray = self.readout @ self.moments
        return result
