"""What all measures over θ have in common: points and masses (measure.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wgf.errors import InputError, answers, check_function
from wgf.measures.arguments import real_numbers
from wgf.registers import Shown

BLOCK = 2**15  # entries of a temporary (points × inputs) array: a quarter of a megabyte, which stays in cache


class Measure(Shown):
    """What all measures have in common; `neuron` is what `predict` uses."""

    neuron: Any

    @property
    def points(self) -> np.ndarray:
        """θ_j, (N, p)."""
        raise NotImplementedError

    @property
    def masses(self) -> np.ndarray:
        """The mass at each point, (N,)."""
        raise NotImplementedError

    @property
    def quadrature_weights(self) -> np.ndarray:
        """The weights of f(θ_j) in ∫ f dμ, (N,): the masses, or for cell averages those of averages.py."""
        return self.masses

    @property
    def periods(self) -> Sequence[float]:
        """The lengths of the axes that wrap around, (p,), zero for the others."""
        raise NotImplementedError

    @property
    def mass(self) -> float:
        """∫ dμ."""
        return float(self.masses.sum())

    def integrate(self, function: Callable[[np.ndarray], np.ndarray]) -> Any:
        """∫ f dμ for f: (N, p) → (N,) or (N, k), real or complex; a number or (k,)."""
        check_function(function, "the function", "one of θ, (N, p) → (N,) or (N, k)")
        values = np.asarray(function(self.points))
        if values.shape[:1] != self.masses.shape:
            raise InputError(f"the function gave values of shape {values.shape} at {len(self.masses):,} points (N, p): give (N,) or (N, k)")
        total = np.asarray(np.tensordot(self.quadrature_weights, values, axes=1))
        return total if total.ndim else total.item()

    @property
    def mean(self) -> np.ndarray:
        """∫ θ dμ / ∫ dμ, (p,), of the coordinates as they are.

        On an axis that wraps around it depends on where the axis begins, and says little about μ; a run's /mean records it so.
        """
        result: np.ndarray = self.quadrature_weights @ self.points / self.mass
        return result

    @property
    def covariance(self) -> np.ndarray:
        """∫ (θ − mean)(θ − mean)ᵀ dμ / ∫ dμ, (p, p), of the coordinates as they are, as `mean`."""
        centred = self.points - self.mean
        result: np.ndarray = (centred * self.quadrature_weights[:, None]).T @ centred / self.mass
        return result

    def predict(self, x: np.ndarray) -> np.ndarray:
        """φ_μ(x), (n,), for x (n, d), or (n,) where d = 1."""
        if self.neuron is None:
            raise InputError("this measure was built without a neuron, so it cannot predict; give it one: neuron=…")
        inputs = real_numbers(x, "x")
        inputs = inputs.reshape(-1, 1) if inputs.ndim < 2 else inputs
        expected = getattr(self.neuron, "dim", inputs.shape[1])
        if inputs.shape[1] != expected:
            raise InputError(f"x has shape {np.shape(x)}, but the neuron has {expected} inputs; give (n, {expected})")
        points, weights = self.points, self.quadrature_weights
        rows = max(1, BLOCK // max(1, len(inputs)))
        total = np.zeros(len(inputs))
        for start in range(0, len(points), rows):
            total += weights[start : start + rows] @ self.neuron.value(points[start : start + rows], inputs)
        return total


def check_neuron(neuron: object) -> None:
    """Raise an InputError for the neuron of a measure that cannot predict; None is none."""
    if neuron is not None:
        answers(neuron, ("value",), "neuron", "a wgf.Neuron, an object with a method value(theta, x), or None")


def check_masses(masses: np.ndarray, what: str, at: str) -> None:
    """Raise an InputError, for example "the density is -1 in cell 7", unless all masses are finite and ≥ 0, and one of them is > 0."""
    if masses.min(initial=np.inf) >= 0.0 and 0.0 < masses.max(initial=0.0) < np.inf:
        return
    if not (right := np.isfinite(masses) & (masses >= 0)).all():
        index = tuple(int(k) for k in np.unravel_index(np.argmin(right), masses.shape))
        raise InputError(f"{what} is {masses[index]:g} {at} {index[0] if len(index) == 1 else index}; give numbers ≥ 0")
    if not masses.any():
        raise InputError(f"{what} is zero everywhere; a measure needs mass")
