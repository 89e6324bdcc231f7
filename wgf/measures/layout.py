"""How cells lie in memory for the kernels: rows × columns, with one chosen axis of the grid along the columns.

All other axes are flattened into the row number, in their order.
"""

from __future__ import annotations

import numpy as np

from wgf.measures.grid import Grid


class Layout:
    """The cells of `grid` as (rows, columns), the axis `last` along the columns; `axes` are the grid's in the order of the layout."""

    def __init__(self, grid: Grid, last: int) -> None:
        self.grid = grid
        self.axes = (*(k for k in range(grid.dim) if k != last), last)
        self.shape = tuple(grid.shape[k] for k in self.axes)
        self.columns, self.rows = self.shape[-1], int(np.prod(self.shape[:-1]))

    def arranged(self, values: np.ndarray) -> np.ndarray:
        """Cell values (n_1, …, n_p) as a contiguous (rows, columns) array of the layout."""
        return np.ascontiguousarray(np.transpose(values, self.axes)).reshape(self.rows, self.columns)

    def restored(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `arranged`: (rows, columns) as a view (n_1, …, n_p)."""
        return np.transpose(values.reshape(self.shape), np.argsort(self.axes))


def total(weights: np.ndarray, values: np.ndarray) -> float:
    """Σ weights·values over all cells, without the threads of BLAS, which would fight with those of the kernels."""
    return float(np.einsum("ij,ij->", weights, values))
