"""What steppers of finite volumes share, whose cells ranks may share.

Each rank holds its own cells and GHOSTS layers of those of its neighbours (ranks/decomposition.py); states, and all arrays of their shape,
have both. Own cells are advanced, ghosts are filled by those that own them. All numbers by which a step is judged are sums, maxima and
minima over all ranks, so that all of them go the same way. Where whole lines of cells are needed, as by implicit schemes, cells go to ranks
that have these whole, and back: a few passes over memory for each axis that is divided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.kernels.active import runs_in_box
from wgf.kernels.compiled import Whole
from wgf.kernels.sums import fill_sums_of_runs
from wgf.measures.grid import Grid
from wgf.measures.layout import Layout
from wgf.methods.finite_volume.active import Runs, all_runs
from wgf.methods.grid_stepper import AnyGridState, GridStepper
from wgf.methods.step_control import StepControl
from wgf.problems.problem import Problem
from wgf.ranks.communicator import current
from wgf.ranks.divided import Divided
from wgf.ranks.redistribution import Redistribution


class SharedStepper(StepControl[Any], GridStepper[AnyGridState]):
    """See the module's text.

    lines     of cells along each axis, whole on some rank
    state     the kind of its states
    """

    state: type[Any]

    def __init__(self, method: Any, problem: Problem, grid: Grid, potential: Any = None) -> None:
        potential = potential or problem.energy.on(grid, method.tolerance, self.averages(method, problem), current())
        super().__init__(method, problem, grid, potential)
        self.division, self.ranks = potential.division, potential.division.ranks
        self.lines = Lines(potential)
        self.halo = self.division.halo(potential.axes)
        box = self.division.inner[list(potential.axes)]
        self.own_runs = Runs(*runs_in_box(*all_runs(self.shape), box, self.cells, self.strides))

    def own(self, values: np.ndarray) -> np.ndarray:
        """What of (rows, columns) is this rank's own."""
        return self.potential.own(values)

    def held(self, own: np.ndarray) -> np.ndarray:
        """The inverse, in a new array whose ghosts are zero; the values themselves, where one process has all."""
        if not self.division.divided:
            return own.reshape(self.shape)
        result = np.zeros(self.shape, own.dtype)
        self.own(result)[...] = own
        return result

    def send(self, values: np.ndarray) -> None:
        """Begin to fill the ghosts of (rows, columns); `halo.finish` ends it."""
        if self.division.divided:
            self.halo.start(self.own(values), values.reshape(self.potential.shape))

    def exchange(self, values: np.ndarray) -> None:
        """Fill the ghosts of (rows, columns)."""
        self.send(values)
        self.halo.finish()

    def total(self, *numbers: float) -> list[float]:
        """The sum of each over the ranks."""
        if not self.division.divided:
            return list(numbers)
        sums = np.array(numbers)
        self.ranks.sum(sums)
        return [float(each) for each in sums]

    def fill_sums(self, sums: np.ndarray, values: np.ndarray) -> None:
        """The row sums (3, rows) of one's own values."""
        if not self.division.divided:
            return super().fill_sums(sums, values)
        with self.threads:
            fill_sums_of_runs(sums, values, self.potential.multiplier, self.potential.along, *self.own_runs)

    def boundary(self, values: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """As on one process, of the layers of all ranks."""
        if not self.division.divided:
            return super().boundary(values, sums)
        own = self.potential.own_cells(values)
        layers = outermost(own)
        layers[~self.division.at_ends() | np.array(self.grid.periodic())[:, None]] = 0.0
        self.ranks.sum(layers)
        return layers * self.grid.cell_volume

    def divided(self, state: AnyGridState) -> dict[str, Divided]:
        """The share of the array, whole as (n_1, …, n_p) in the order of the layout."""
        shape, place = self._places()
        return {"array": Divided(shape, place, self.own(state.array).reshape([each.stop - each.start for each in place]))}

    def restored(self, fields: Mapping[str, Any], kind: Any = None) -> Any:
        """The state with these fields, of its own kind or another one; the array may be (rows, columns) of all cells, too."""
        shape, place = self._places()
        others = {name: value[...] if hasattr(value, "shape") else value for name, value in fields.items() if name != "array"}
        given = fields["array"]
        if given.shape not in (shape, (math.prod(shape[:-1]), shape[-1])):
            raise InputError(f"a state of {math.prod(given.shape):,} cells cannot go on on {' × '.join(map(str, shape))} of them")
        own = given[place] if given.shape == shape else given[...].reshape(shape)[place]
        values = self.held(own)
        self.exchange(values)
        return (kind or self.state)(array=values, **others)

    def _places(self) -> tuple[tuple[int, ...], tuple[slice, ...]]:
        """In the order of the layout, the shape of the grid, and where one's own part is in it."""
        axes = list(self.potential.axes)
        return tuple(self.grid.shape[k] for k in axes), tuple(slice(*ends) for ends in self.division.part[axes].tolist())


def outermost(values: np.ndarray) -> np.ndarray:
    """The sums over the outermost layers of cells (n_1, …, n_p) at both ends of each axis, (p, 2)."""
    return np.array([[np.moveaxis(values, axis, 0)[layer].sum(dtype=float) for layer in (0, -1)] for axis in range(values.ndim)])


class Lines:
    """Lines of cells along each axis of a layout: for each axis boxes in which it is whole, one for each rank.

    Arrays are (n_1, …, n_p) in the order of the layout. Axes are those of the layout; None stands for the parts of the ranks.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout, self.ranks, order = layout, layout.division.ranks, list(layout.axes)
        self.boxes: dict[int | None, Whole] = {axis: layout.division.pencils(k)[:, order] for axis, k in enumerate(order)}
        self.boxes[None] = layout.division.parts[:, order]
        self.periodic = [layout.grid.periodic()[k] for k in order]
        self.ways: dict[tuple[int | None, int | None], Redistribution] = {}

    def moved(self, values: np.ndarray, old: int | None, new: int | None) -> np.ndarray:
        """Values of the boxes of one axis on those of another one; they themselves where the boxes are the same, contiguous."""
        if not self.layout.division.divided:
            return values.reshape(self.layout.shape)
        if np.array_equal(self.boxes[old], self.boxes[new]):
            return np.ascontiguousarray(values)
        if (old, new) not in self.ways:
            self.ways[old, new] = Redistribution(self.ranks, self.boxes[old], self.boxes[new])
        return self.ways[old, new](values)

    def along(self, values: np.ndarray, axis: int) -> tuple[int, int, bool]:
        """The number of cells of the lines in such an array, from one cell to the next, and whether they are rings."""
        return values.shape[axis], math.prod(values.shape[axis + 1 :]), self.periodic[axis]
