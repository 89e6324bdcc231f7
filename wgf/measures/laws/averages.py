"""The averages of a law over the cells of a grid, of which few may be wanted.

Gaussian and uniform laws, and products of them, are products of averages along each axis. Then nothing of the size of the grid is needed
to find where they are more than nothing, or how many cells there are to a standard deviation: in a box much wider than the law, that is
most of the work, and of the memory.
"""

from __future__ import annotations

import numpy as np

from wgf.measures.grid import Grid
from wgf.measures.laws.base import Law, axis_averages, outer
from wgf.measures.layout import along_axes


class CellAverages:
    """Those over all cells of a grid; `factors` (n_k,) for each axis where they are their product, else `values` (n_1, …, n_p)."""

    def __init__(self, law: Law, grid: Grid) -> None:
        self.factors = axis_averages(law, grid)
        self.values = law.cell_averages(grid) if self.factors is None else None

    def along_axes(self, reduction: np.ufunc) -> list[np.ndarray]:
        """The sums or maxima over all other axes, for each axis, (n_k,)."""
        if self.values is not None:
            return along_axes(reduction, self.values)
        assert self.factors is not None
        whole = [reduction.reduce(factor) for factor in self.factors]
        return [factor * np.prod(whole[:k] + whole[k + 1 :]) for k, factor in enumerate(self.factors)]

    def within(self, box: np.ndarray) -> np.ndarray:
        """The averages of the cells of a box, (p, 2): for each axis its first cell and the one after its last."""
        places = tuple(slice(*ends) for ends in box.tolist())
        if self.values is not None:
            return self.values[places]
        assert self.factors is not None
        return outer([factor[place] for factor, place in zip(self.factors, places, strict=True)])
