"""What is solved, and nothing of how: an energy, the initial law of θ, and the temperature of the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.neuron import Neuron


@dataclass(frozen=True, repr=False)
class Problem:
    """∂_t μ = div(μ ∇G(θ; μ)) + τ Δμ from μ_0 = `initial`, where G comes from `energy` and τ = `temperature` ≥ 0.

    source    the text of the problem file it was read from, if any; it is kept in every run file
    """

    energy: Any
    initial: Any
    temperature: float = 0.0
    title: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.temperature) and self.temperature >= 0):
            raise InputError(f"temperature = {self.temperature:g}: it must be a number ≥ 0")
        neuron, p = self.energy.neuron, self.initial.dim
        if isinstance(neuron, Neuron) and p is not None and p != len(neuron.theta):
            axes = ", ".join(neuron.theta)
            raise InputError(
                f"theta has {len(neuron.theta)} coordinate{'s' if len(neuron.theta) > 1 else ''} ({axes}) but the initial law has {p}"
            )

    def axis_names(self, p: int) -> tuple[str, ...]:
        """The names of the p axes of θ."""
        names = self.energy.neuron.axis_names(p)
        if len(names) != p:
            raise InputError(f"theta has {len(names)} coordinates ({', '.join(names)}) but {p} were given")
        return names

    @property
    def dim(self) -> int | None:
        """p, where the neuron or the law says it."""
        neuron = self.energy.neuron
        return len(neuron.theta) if isinstance(neuron, Neuron) else self.initial.dim

    def __repr__(self) -> str:
        noise = f", τ = {self.temperature:g}" if self.temperature else ""
        title = f"{self.title!r}, " if self.title else ""
        return f"Problem({title}{self.energy!r}, μ₀ = {self.initial!r}{noise})"
