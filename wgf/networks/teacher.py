"""Targets of data: a teacher network f*(x) = Σ_k g(θ*_k; x), and functions of one's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from wgf.errors import InputError, check_function, entries_of, instance, number, shown, whole
from wgf.measures.arguments import real_numbers
from wgf.networks.activations import Activation
from wgf.networks.neuron import Neuron, coordinate_names
from wgf.registers import known, listed


class Teacher:
    """f*(x) = Σ_k g(θ*_k; x), the sum of a few neurons, as a function of x.

    Parameters
    ----------
    activation : str or Activation
        σ of its neurons
    neurons : sequence of mappings
        the coordinates of each by name, such as {"c": 1, "a": 2}; c = 1 and b = 0 unless said
    dim : int
        d, the number of inputs

    Raises
    ------
    InputError
        for coordinates that are unknown, missing, or not finite
    """

    def __init__(self, activation: str | Activation, neurons: Sequence[Mapping[str, float]], dim: int = 1) -> None:
        neurons = entries_of(neurons, "the teacher's neurons", "a list of their coordinates, such as [{'c': 1, 'a': 2}]")
        if not neurons:
            raise InputError("the teacher has no neurons; give at least one")
        whole(dim, "the teacher has dim")
        form = Neuron(activation, coordinate_names(dim), {}, dim)
        defaults = {"c": 1.0, "b": 0.0}
        for k, neuron in enumerate(neurons):
            instance(neuron, Mapping, f"teacher neuron {k + 1}", "numbers by coordinate, such as {'c': 1, 'a': 2}")
            for name, value in neuron.items():
                known(name, form.theta, f"coordinate of teacher neuron {k + 1}")
                if not math.isfinite(number(value)):
                    raise InputError(f"teacher neuron {k + 1}: {name} = {shown(value)} is not a finite number")
            if missing := [name for name in form.theta if name not in {**defaults, **neuron}]:
                raise InputError(f"teacher neuron {k + 1} has no {missing[0]}; it needs {listed(form.theta)} (default c = 1, b = 0)")
        self.neuron = form
        self.parameters = np.array([[{**defaults, **neuron}[name] for name in form.theta] for neuron in neurons], dtype=float)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """f*(x), (n,), for x (n,) or (n, d)."""
        inputs = np.asarray(x, dtype=float).reshape(-1, self.neuron.dim)
        result: np.ndarray = self.neuron.value(self.parameters, inputs).sum(axis=0)
        return result

    def __repr__(self) -> str:
        return f"Teacher({len(self.parameters)} {self.neuron.sigma.name} neurons)"


def evaluate(target: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """The target at x (n, d) as (n,); a function of one input is called with x (n,)."""
    check_function(target, "target", "a function of x (n,), or of x (n, d) for more inputs, → (n,)")
    values = real_numbers(target(x[:, 0] if x.shape[1] == 1 else x), "the values of the target function")
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.shape != (len(x),):
        raise InputError(f"the target function gave shape {values.shape} for {len(x)} inputs; expected ({len(x)},)")
    return values
