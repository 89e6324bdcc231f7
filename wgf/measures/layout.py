"""How cells lie in memory for the kernels: rows × columns, with one chosen axis of the grid along the columns.

All other axes are flattened into the row number, in their order. Where ranks share a grid, each holds the cells of its part, with ghosts
(ranks/decomposition.py).
"""

from __future__ import annotations

import numpy as np

from wgf.measures.grid import Grid
from wgf.ranks.communicator import ALONE, Ranks
from wgf.ranks.decomposition import Decomposition


class Layout:
    """The cells of `grid` that this process holds as (rows, columns), the axis `last` along the columns.

    axes        those of the grid in the order of the layout
    shape       in that order, of what is held
    centers     of the cells that are held, along each axis of the grid
    division    which cells are this rank's, and which it holds
    """

    def __init__(self, grid: Grid, last: int, ranks: Ranks = ALONE) -> None:
        self.grid = grid
        self.division = Decomposition(ranks, grid.shape, grid.periodic(), last)
        self.axes = (*(k for k in range(grid.dim) if k != last), last)
        self.shape = tuple(self.division.local[k] for k in self.axes)
        self.columns, self.rows = self.shape[-1], int(np.prod(self.shape[:-1]))
        self.centers = tuple(grid.centers[k][places] for k, places in enumerate(self.division.places))

    def arranged(self, values: np.ndarray) -> np.ndarray:
        """Values of all cells (n_1, …, n_p) as a contiguous (rows, columns) array of those that are held."""
        if self.division.divided:
            values = values[np.ix_(*self.division.places)]
        return self.in_rows(values)

    def in_rows(self, values: np.ndarray) -> np.ndarray:
        """The same for values of the cells that are held."""
        return np.ascontiguousarray(np.transpose(values, self.axes)).reshape(self.rows, self.columns)

    def restored(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `in_rows`: (rows, columns) as a view (n_1, …, n_p)."""
        return np.transpose(values.reshape(self.shape), np.argsort(self.axes))

    def own(self, values: np.ndarray) -> np.ndarray:
        """What of (rows, columns) is this rank's own, in the order of the layout; a view. Without ghosts it is the array itself."""
        return self.division.own(values.reshape(self.shape), self.axes) if self.division.divided else values

    def own_cells(self, values: np.ndarray) -> np.ndarray:
        """The same as a view (n_1, …, n_p)."""
        return self.division.own(self.restored(values))


def along_axes(reduction: np.ufunc, values: np.ndarray) -> list[np.ndarray]:
    """The sums over all other axes, or what else a reduction gives, for each axis, (n_k,). Reads the array twice, not once for each."""
    found = []
    while values.ndim > 1:
        found.append(reduction.reduce(values.reshape(len(values), -1), axis=1))
        values = reduction.reduce(values, axis=0)
    return [*found, values]


def total(weights: np.ndarray, values: np.ndarray) -> float:
    """Σ weights·values over all cells, without the threads of BLAS, which would fight with those of the kernels."""
    axes = "ijkl"[: values.ndim]
    return float(np.einsum(f"{axes},{axes}->", weights, values))
