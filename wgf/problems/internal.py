"""Internal energies ∫U(μ): what a density costs by itself.

Entropy       U(μ) = τ μ log μ             diffusion, div(μ ∇U'(μ)) = τ Δμ
PorousMedium  U(μ) = κ μ^q/(q − 1), q > 1  slow diffusion, div(μ ∇U'(μ)) = κ Δμ^q
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wgf.errors import InputError, positive


@dataclass(frozen=True)
class Entropy:
    """U = τ μ log μ: the same as a problem's temperature τ > 0, and solved like it.

    Parameters
    ----------
    temperature : float
        τ > 0
    """

    temperature: float

    def __post_init__(self) -> None:
        positive(self.temperature, "entropy: τ")

    def __repr__(self) -> str:
        return f"{self.temperature:g} μ log μ"


@dataclass(frozen=True)
class PorousMedium:
    """U = κ μ^q/(q − 1), whose flow is ∂_t μ = κ Δμ^q.

    Parameters
    ----------
    kappa : float
        κ > 0
    q : float
        the exponent, > 1
    """

    kappa: float
    q: float

    def __post_init__(self) -> None:
        positive(self.kappa, "porous medium: κ")
        positive(self.q, "porous medium: q")
        if not self.q > 1:
            raise InputError(f"porous medium: q = {self.q:g}; it must be greater than 1 (for q → 1, use Entropy)")

    def total(self, values: np.ndarray) -> float:
        """Σ U(μ) over cells."""
        return self.kappa / (self.q - 1) * float(np.sum(values * self._power(values)))

    def derivative(self, values: np.ndarray) -> np.ndarray:
        """U'(μ) = κ q μ^{q−1}/(q − 1)."""
        return self.kappa * self.q / (self.q - 1) * self._power(values)

    def diffusion(self, values: np.ndarray) -> float:
        """The largest μ U''(μ) = κ q μ^{q−1}."""
        result: float = self.kappa * self.q * float(values.max()) ** (self.q - 1)
        return result

    def _power(self, values: np.ndarray) -> np.ndarray:
        """μ^{q−1}."""
        return values if self.q == 2 else values ** (self.q - 1)

    def __repr__(self) -> str:
        return f"{self.kappa / (self.q - 1):g} μ^{self.q:g}"


INTERNAL: dict[str, type[Entropy] | type[PorousMedium]] = {"entropy": Entropy, "porous-medium": PorousMedium}
