"""What steppers share whose cells exchange mass without moving it: the energy, and how fast it falls."""

from __future__ import annotations

import numpy as np

from wgf.methods.base import Diagnostics
from wgf.methods.geometry.reaction import logarithm
from wgf.methods.grid_stepper import AnyGridState, GridStepper


class Exchange(GridStepper[AnyGridState]):
    """L and E of the values in hand are `loss` and `energy`, ξ = G + τ log μ is `xi` (rows, columns)."""

    def evaluate(self, values: np.ndarray) -> float:
        """E of the values; their potential, row sums and ξ are then in place."""
        self.fill_sums(self.sums, values)
        with self.threads:
            self.loss = self.potential.update(values, self.sums)
        self.potential.fill(xi := np.empty(self.shape))
        entropy = self.problem.noise * logarithm(values) if self.problem.noise > 0 else np.zeros(1)
        self.xi = xi + entropy
        self.energy = 0.5 * self.loss + float(np.sum(entropy * values)) * self.grid.cell_volume
        return self.energy

    def falling(self, values: np.ndarray) -> float:
        """−dE/dt of the values whose ξ is in place, per volume of a cell."""
        raise NotImplementedError

    def diagnostics(self, state: AnyGridState) -> Diagnostics:
        """The diagnostics of a state; see the package's text for the dissipation."""
        self.settle(state)
        values, volume = state.array, self.grid.cell_volume
        mass, boundary = float(self.sums[0].sum()) * volume, self.boundary(values, self.sums)
        return Diagnostics(state.time, self.loss, self.energy, self.falling(values) * volume, mass, float(values.min()), boundary)
