"""The energy of a network with another output scale, or centred at its start: networks/scaling.py has the formulas."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.networks.custom import CustomNeuron
from wgf.networks.neuron import Neuron
from wgf.networks.scaling import ScaledNeuron, output_factor
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy, network
from wgf.ranks.team import ONE, Team


@dataclass(frozen=True, repr=False)
class ScaledEnergy(RegressionEnergy):
    """The energy of the neuron βg − φ₀ in the time of the scaled flow, whose velocity is −∇G/β²."""

    def __post_init__(self) -> None:
        """Nothing: it is made of an energy that has been checked."""

    @property
    def mobility(self) -> float:  # type: ignore[override]
        """1/β²."""
        return 1.0 / float(self.neuron.factor) ** 2

    def velocity(self, points: np.ndarray, masses: np.ndarray, team: Team = ONE) -> tuple[np.ndarray, float]:
        """−∇G/β² at the points (N, p), and L."""
        velocity, loss = super().velocity(points, masses, team)
        velocity *= self.mobility
        return velocity, loss


def scaled(problem: Problem, scale: Any, centred: str | None, start: np.ndarray) -> Problem:
    """The problem of the network of neurons that begin at `start` (m, p), scaled and centred; itself, where that changes nothing."""
    if scale is None and centred is None:
        return problem
    energy = network(problem.energy)
    if problem.noise > 0:
        raise InputError(
            f"a scaled or centred network is trained without noise, but the problem has some (temperature = {problem.noise:g})"
        )
    neuron = scaled_neuron(energy.neuron, scale, centred, start)
    return problem if neuron is energy.neuron else dataclasses.replace(problem, energy=ScaledEnergy(neuron, energy.data, energy.penalty))


def scaled_neuron(
    neuron: Neuron | CustomNeuron, scale: Any, centred: str | None, start: np.ndarray
) -> Neuron | CustomNeuron | ScaledNeuron:
    """βg − φ₀ of m neurons that begin at `start` (m, p); g itself where it is that."""
    factor = output_factor(scale, len(start))
    if factor == 1.0 and centred != "subtracted":
        return neuron
    return ScaledNeuron(neuron, factor, np.array(start) if centred == "subtracted" else None)
