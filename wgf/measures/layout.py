"""How cells lie in memory for the kernels: rows × columns, with one chosen axis of the grid along the columns.

All other axes are flattened into the row number, in their order. A potential on the cells has the form in which the
transport kernel reads it (kernels/transport.py),

    G = slope ⊗ multiplier + along + offset,      slope (rows,), multiplier, along (columns,), offset (rows, 1 or columns).
"""

from __future__ import annotations

import numpy as np

from wgf.measures.grid import Grid


class Layout:
    """The cells of `grid` as (rows, columns), the axis `last` along the columns; and a potential on them, zero at first.

    axes       the grid's axes in the order of the layout
    stiffness  where G holds a function of μ itself, the rate (largest diffusion coefficient)·Σ 1/h² of its spreading
    """

    rank, error = 0, 0.0  # of the compressed features, where there are any
    stiffness = 0.0
    internal_energy = 0.0  # ∫U(μ), where G holds U'(μ)

    def __init__(self, grid: Grid, last: int) -> None:
        self.grid = grid
        self.axes = (*(k for k in range(grid.dim) if k != last), last)
        self.shape = tuple(grid.shape[k] for k in self.axes)
        self.columns, self.rows = self.shape[-1], int(np.prod(self.shape[:-1]))
        self.slope, self.multiplier, self.along = np.zeros(self.rows), np.zeros(self.columns), np.zeros(self.columns)
        self.offset: np.ndarray = np.zeros((self.rows, 1))

    def arranged(self, values: np.ndarray) -> np.ndarray:
        """Cell values (n_1, …, n_p) as a contiguous (rows, columns) array of the layout."""
        return np.ascontiguousarray(np.transpose(values, self.axes)).reshape(self.rows, self.columns)

    def restored(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `arranged`: (rows, columns) as a view (n_1, …, n_p)."""
        return np.transpose(values.reshape(self.shape), np.argsort(self.axes))

    def fill(self, out: np.ndarray) -> None:
        """G on the cells into `out` (rows, columns)."""
        np.multiply.outer(self.slope, self.multiplier, out=out)
        out += self.along
        out += self.offset

    def values(self) -> np.ndarray:
        """G on the cells, (n_1, …, n_p), for the μ of the last update: for plots and tests; the kernels do not need it."""
        self.fill(out := np.empty((self.rows, self.columns)))
        return self.restored(out)


def total(weights: np.ndarray, values: np.ndarray) -> float:
    """Σ weights·values over all cells, without the threads of BLAS, which would fight with those of the kernels."""
    return float(np.einsum("ij,ij->", weights, values))
