"""Neurons with kinks, linear between them: relu, ramp, and others on one input.

The velocity jumps across the sheets ax_i + b = κ of the data (kernels/sheets.py). Mass that arrives at a sheet goes on where the velocity
beyond it points away, too. Where both sides point at the sheet, or where nothing moves beyond it, as where relu is zero, it stays there:
from then on μ has a part without a density.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wgf.errors import InputError
from wgf.kernels.sheets import BLOCKS, SLOTS, TERMS, carry_back_through_sheets
from wgf.measures.grid import inside_box
from wgf.methods.pushforward.path import Path, steps_back
from wgf.networks.activations import Activation
from wgf.networks.neuron import Neuron
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy

STRAIGHT = 1e-12  # relative: what a piece may bend
Origins = tuple[np.ndarray, np.ndarray]  # places at t = 0 (M, p), and ∫ΔG on the way there (M,), −∞ where a point left the box


@dataclass(frozen=True)
class Pieces:
    """σ(z) = offsets_l + slopes_l z on the l-th piece between `kinks` (k,); slopes, offsets (k + 1,)."""

    kinks: np.ndarray
    slopes: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, sigma: Activation) -> Pieces:
        """Those of an activation; raises InputError where it bends between its kinks."""
        kinks = np.sort(np.array(sigma.kinks, dtype=float))
        ends = np.concatenate([[kinks[0] - 2.0], kinks, [kinks[-1] + 2.0]])
        inside = ends[:-1] + np.diff(ends) * np.array([[0.25], [0.5], [0.75]])
        values = sigma.value(inside)
        slopes = (values[2] - values[0]) / (inside[2] - inside[0])
        if np.abs(values[0] + values[2] - 2.0 * values[1]).max() > STRAIGHT * np.abs(values).max():
            raise InputError(
                f"Pushforward takes neurons that are smooth, or linear between kinks, and {sigma.name} bends between its kinks: take "
                "FiniteVolume, or Characteristics for what needs no density"
            )
        return cls(kinks, slopes, values[1] - slopes * inside[1])

    def piece(self, z: np.ndarray) -> np.ndarray:
        """The number of the piece on which z lies, (…,)."""
        return np.searchsorted(self.kinks, z)


class Sheets:
    """The way back for g = c·σ(ax + b) and V = |θ|²."""

    dear = False

    def __init__(self, energy: RegressionEnergy, path: Path, box: np.ndarray) -> None:
        self.neuron: Neuron = energy.neuron
        self.pieces, self.pull = Pieces.of(self.neuron.sigma), energy.penalty.strength
        self.inputs = np.ascontiguousarray(energy.data.inputs[:, 0])
        self.path, self.inner = path, box
        self.free = moving(self.neuron)
        self.box = np.array([[-np.inf] * 3, [np.inf] * 3])
        self.box[:, self.neuron.free] = box

    def origins(self, points: np.ndarray, resolution: int) -> Origins:
        times = steps_back(self.path, resolution)
        fractions = np.linspace(0.0, 1.0, TERMS)
        samples = self.path.at((times[:-1, None] + np.diff(times)[:, None] * fractions).ravel()).reshape(-1, TERMS, len(self.inputs))
        terms = np.ascontiguousarray(np.linalg.solve(np.vander(fractions, increasing=True), samples))
        c, a, b = self.neuron.split(points)
        theta = np.ascontiguousarray(np.column_stack([c, a, b]))
        growth = np.where(inside_box(points, *self.inner), 0.0, -np.inf)
        pieces, work = np.empty((BLOCKS, len(self.inputs)), dtype=np.int64), np.empty((BLOCKS, SLOTS, TERMS))
        sigma = self.pieces
        carry_back_through_sheets(
            theta,
            growth,
            np.diff(times),
            terms,
            self.inputs,
            sigma.kinks,
            sigma.slopes,
            sigma.offsets,
            self.free,
            self.pull,
            self.box,
            work,
            pieces,
        )
        return theta[:, self.neuron.free], growth + self.pull * points.shape[1] * times[-1]


def moving(neuron: Neuron) -> np.ndarray:
    """1 for those of c, a and b that move, 0 for those that are fixed; (3,)."""
    return np.isin(np.arange(3), neuron.free).astype(float)


def collapsing(problem: Problem, before: np.ndarray, after: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Which points (N, p) have crossed the sheet of which datum in a step, where the flow beyond it leads back; (N, n), true or false."""
    energy = problem.energy
    assert isinstance(energy, RegressionEnergy)
    neuron, pieces, inputs = energy.neuron, Pieces.of(energy.neuron.sigma), energy.data.inputs[:, 0]
    free = moving(neuron)
    (_, old_a, old_b), (c, a, b) = neuron.split(before), neuron.split(after)
    earlier, later = pieces.piece(old_a * inputs + old_b[:, None]), pieces.piece(a * inputs + b[:, None])
    weighted, strength = pieces.slopes[later] * residual, energy.penalty.strength
    slope_a, slope_b = free[1] * (c * (weighted @ inputs) + strength * a[:, 0]), free[2] * (c * weighted.sum(axis=1) + strength * b)
    beyond = -(np.multiply.outer(slope_a, inputs) + slope_b[:, None])  # the velocity of ax_i + b
    return np.asarray((later != earlier) & (beyond * (later - earlier) <= 0.0))
