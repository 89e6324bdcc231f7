"""Inputs and targets in units in which neurons start well: u = (x − shift)/scale, each with mean 0 and standard deviation 1.

The shift and the scale are those of the data that are learned from, weighted as these are; a column that never changes keeps its scale.
The targets are standardised, too: output weights of order one then reach them whatever their unit is, a box or a law of the neurons
that suits one problem suits the next, and the loss is a part of the variance of y: that of φ = 0 is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Standardisation:
    """Shifts and scales of the inputs and of the target: u = (x − shift)/scale.

    Parameters
    ----------
    input_shift, input_scale : array (d,)
        of the inputs, in their own units
    target_shift, target_scale : float
        of the target, in its own unit
    """

    input_shift: np.ndarray
    input_scale: np.ndarray
    target_shift: float
    target_scale: float

    @classmethod
    def of(cls, inputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> Standardisation:
        """That of inputs (n, d), targets (n,) and weights (n,) with sum 1."""
        shift, scale = _moments(np.column_stack([inputs, targets]), weights)
        return cls(shift[:-1], scale[:-1], float(shift[-1]), float(scale[-1]))

    def inputs(self, x: np.ndarray) -> np.ndarray:
        """Inputs (n, d) in units of the network."""
        result: np.ndarray = (x - self.input_shift) / self.input_scale
        return result

    def targets(self, y: np.ndarray) -> np.ndarray:
        """Targets (…, n) in units of the network."""
        result: np.ndarray = (y - self.target_shift) / self.target_scale
        return result

    def original_inputs(self, u: np.ndarray) -> np.ndarray:
        """Inputs (n, d) in their own units."""
        result: np.ndarray = u * self.input_scale + self.input_shift
        return result

    def original_targets(self, v: np.ndarray) -> np.ndarray:
        """Targets, or values of the network, (…, n) in their own unit."""
        result: np.ndarray = v * self.target_scale + self.target_shift
        return result


def _moments(columns: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of the columns (n, k); 1 in place of a deviation that is rounding."""
    mean = weights @ columns
    std = np.sqrt(weights @ (columns - mean) ** 2)
    return mean, np.where(std > 1e-12 * np.abs(columns).max(axis=0), std, 1.0)
