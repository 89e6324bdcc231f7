"""The potential of a network on the cells of a grid, refilled for every density at the cost of its rank.

With compressed features (features.py), √w absorbed, and f_i = √w_i f*(x_i):

    z = Φᵀμ − f,    G = Φ z + ½λV,    L = |z|² + (the part of f that no density reaches) + λ∫V dμ.

Φ and V are values at the centres of the cells, or, for cell averages of a density, what makes these sums integrals of fourth order
(measures/averages.py).

Where ranks share the grid, each has the rows of Φ for the cells that it holds, in one basis for all; Φᵀμ, with the penalty's part of L, is
summed over their own cells and then over the ranks, and what follows is every rank's own work.
"""

from __future__ import annotations

import dataclasses
import math
from functools import cached_property
from typing import Any

import numpy as np

from wgf.kernels import aligned
from wgf.kernels.features import BLOCKS, fill_moments, fill_potential
from wgf.kernels.steps import update_slope
from wgf.measures.grid import Grid
from wgf.measures.layout import total
from wgf.networks.features import Features, compress, compress_part
from wgf.networks.separable import SeparableFeatures, Values, separate
from wgf.problems.energy import FewFeatures, GridPotential, column_axis
from wgf.ranks.communicator import ALONE, Ranks

WORTH_LOOPS = 2**13  # features: of more, BLAS would wake threads of its own, which go on waiting where those of our loops have to work
NO_PENALTY = np.zeros(1)


class RegressionPotential(GridPotential):
    """G(·; μ) on the cells of a grid, in the layout of the kernels.

    The output weight c goes along the columns where it is an axis, since g = c·s is linear in it: with the features S of s
    on the cells of the other axes ("rows") and μ's moments M = Σ_c c μ h_c,

        z = SᵀM·volume − f,   G = (S z) ⊗ c + ½λV = slope ⊗ multiplier + along + offset.

    Otherwise the features live on all cells, or are separable on a plane (networks/separable.py), and G is the array `offset`. The arrays
    are filled in place by `update`.

    rank, error      of the compressed features
    compressed       the features, where they are not separable
    before           a potential on other cells of the same lattice: where these have moved along c only, its features are taken
    """

    def __init__(
        self,
        energy: Any,
        grid: Grid,
        tolerance: float,
        averages: bool = False,
        ranks: Ranks = ALONE,
        before: RegressionPotential | None = None,
    ) -> None:
        super().__init__(grid, column_axis(energy.neuron, grid.dim), averages, ranks)
        self.energy, self.factored, self.ranks, self.tolerance = energy, energy.neuron.output_axis is not None, ranks, tolerance
        self.compressed: Features | None = before.compressed if before and self._has_rows_of(before) else None
        self._add_features(energy.neuron, tolerance)
        self._add_penalty()

    def moved_to(self, grid: Grid) -> RegressionPotential:
        return RegressionPotential(self.energy, grid, self.tolerance, self.averages, self.ranks, self)

    def _has_rows_of(self, other: RegressionPotential) -> bool:
        """Whether the cells of all axes but c are those of another potential, and this is the only process."""
        alone = self.factored and not self.division.divided
        return alone and all(np.array_equal(self.grid.centers[k], other.grid.centers[k]) for k in self.axes[:-1])

    def _add_features(self, neuron: Any, tolerance: float) -> None:
        """S on the rows (c an axis) or Φ on the cells, compressed; f* in the same basis, and the readout φ(x_i) = (B z)_i/√w_i."""
        data, last = self.energy.data, self.axes[-1]
        root = np.sqrt(data.weights)
        axes = self.axes
        if self.factored:
            self.multiplier[:] = self.centers[last]
            axes = self.axes[:-1]
            neuron = neuron.without_output() if axes else neuron

        def values(points: np.ndarray) -> np.ndarray:
            result: np.ndarray = neuron.value(points, data.inputs) * root
            return result

        self.separable = self._separated(values, tolerance) if len(axes) == 2 and not self.factored else None
        features: Features | SeparableFeatures | None = self.separable
        if features is None:
            features = self.compressed = self.compressed or self._compressed(values, axes, tolerance)
            self.features = features.values
        self.rank, self.error = features.rank, features.error
        target = root * data.targets
        self.target = features.basis.T @ target
        self.out_of_reach = float(np.sum((target - features.basis @ self.target) ** 2))
        self.readout = features.basis / root[:, None]
        self.shared, self.residual = np.zeros(self.rank + 1), np.empty(self.rank)  # the numbers that are summed over the ranks:
        self.moments = self.shared[:-1]  # those of the features, and the penalty's energy
        self.partial = np.empty((BLOCKS, self.rank))
        if self.factored and not self.division.divided and self.features.size < WORTH_LOOPS:
            self.few_features = FewFeatures(self.features, self.target, self.moments, self.residual)

    def _separated(self, values: Values, tolerance: float) -> SeparableFeatures | None:
        """Those that are products of factors of one axis, on the cells that are held; None where there are none."""
        centers, samples = (self.grid.centers[0], self.grid.centers[1]), self.energy.data.size
        found = self.ranks.share(separate(values, centers, samples, tolerance) if self.ranks.first else None)
        if found is None:
            return None
        whole: SeparableFeatures = found
        if self.averages:
            whole.read_averages(self.grid.periodic())
        if not self.division.divided:
            self.deposited = whole
            return whole
        held = whole.restricted(*self.division.places)
        self.deposited = held.restricted(*self.division.inside)
        return held

    def _compressed(self, values: Values, axes: tuple[int, ...], tolerance: float) -> Features:
        """Those of the cells that are held, on these axes, in a basis for the cells of all ranks."""
        samples, shape = self.energy.data.size, [self.grid.shape[k] for k in axes]
        found: list[Features] = []

        def everywhere(part: slice) -> np.ndarray:
            places = np.unravel_index(np.arange(*part.indices(math.prod(shape))), shape)
            return values(np.stack([self.grid.centers[k][place] for k, place in zip(axes, places, strict=True)], axis=-1))

        def compressed(points: np.ndarray) -> np.ndarray:
            def here(part: slice) -> np.ndarray:
                return values(points[part])

            own = self.own_among(axes).reshape(-1)
            found.append(compress_part(everywhere, math.prod(shape), samples, tolerance, here, own, self.ranks))
            return found[0].values

        if axes:
            cells = self.on_cells(compressed, axes)
            return dataclasses.replace(found[0], values=cells.reshape(-1, found[0].rank))
        return compress(lambda part: values(np.ones((1, 1))[part]), 1, samples, tolerance)  # c = 1, where c is the only axis

    @cached_property
    def masked(self) -> np.ndarray:
        """Zero on all cells that are held: its own part is filled where ghosts must not count."""
        return np.zeros((self.rows, self.columns))

    @cached_property
    def features(self) -> np.ndarray:
        """S on the rows or Φ on the cells in the compressed basis, (rows or cells, r); written out here where they are separable."""
        assert self.separable is not None
        return self.separable.written_out().reshape(-1, self.rank)

    def _add_penalty(self) -> None:
        """½λV: for |θ|² on a factored grid split into rows (offset) and columns (along), else an array over the cells."""
        penalty, last = self.energy.penalty, self.axes[-1]
        half = 0.5 * penalty.strength
        self.penalty = np.zeros((self.rows, 1)) if self.factored else np.zeros((1, 1))
        if half and self.factored and penalty.function is None:
            self.along[:] = self.read(half * self.grid.centers[last] ** 2, (False,))[self.division.places[last]]
            if self.grid.dim > 1:
                self.penalty[:, 0] = self.on_cells(lambda theta: half * np.sum(theta**2, axis=1), self.axes[:-1]).reshape(-1)
        elif half:
            self.penalty = self.in_rows(self.on_cells(lambda theta: half * penalty.value(theta), range(self.grid.dim)))
        self.offset = self.penalty if self.factored else aligned.empty((self.rows, self.columns))

    def update(self, values: np.ndarray, sums: np.ndarray) -> float:
        """Fill G for the cell averages `values` (rows, columns) with row sums Σμ, Σ multiplier·μ, Σ along·μ; return L[μ]."""
        penalty = self.grid.cell_volume * self._penalty_energy(values, sums) if self.energy.penalty.strength else 0.0
        if self.few_features:
            square = update_slope(self.slope, sums[1], *self.few_features, self.grid.cell_volume)
        else:
            self.project(values, sums)
            self.shared[-1] = penalty
            self.ranks.sum(self.shared)
            np.subtract(self.moments, self.target, out=self.residual)
            square, penalty = float(self.residual @ self.residual), float(self.shared[-1])
            self.express(self.residual)
        return square + self.out_of_reach + 2.0 * penalty

    def project(self, values: np.ndarray, sums: np.ndarray) -> None:
        """Fill `moments` = Φᵀμ over one's own cells; the sums of rows are those of such."""
        if self.few_features:
            np.dot(sums[1], self.features, out=self.moments)
        elif self.factored:
            fill_moments(self.moments, sums[1], self.features, self.partial)
        elif self.separable is not None:
            self.deposited.project(self.own(values), self.moments)
        else:
            if self.division.divided:
                self.own(self.masked)[...] = self.own(values)
                values = self.masked
            fill_moments(self.moments, values.reshape(-1), self.features, self.partial)
        self.moments *= self.grid.cell_volume

    def express(self, residual: np.ndarray) -> None:
        """Fill G = Φ z + ½λV for z = `residual` (r,)."""
        if self.few_features:
            np.dot(self.features, residual, out=self.slope)
        elif self.factored:
            fill_potential(self.slope, self.features, residual, NO_PENALTY)
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
        """½λ Σ_cells V μ over one's own cells."""
        full = self.penalty.shape == values.shape
        return float(sums[2].sum()) + (total(self.own(self.penalty), self.own(values)) if full else total(self.penalty[:, 0], sums[0]))

    @property
    def prediction(self) -> np.ndarray:
        """φ_μ at the data for the μ of the last update, (n,)."""
        result: np.ndarray = self.readout @ self.moments
        return result
