"""Named potentials V(θ) and W(θ − θ'), as the literature has them; s = `strength`, r = |z|, z = θ − center, or a difference.

quadratic    ½ s r²                                   a spring; as W the mean stays, the variance falls at the rate 2s
quartic      ¼ s r⁴
double-well  s (r² − radius²)²                        on a line two wells at ±radius, in more dimensions one all around, on |z| = radius
morse        repulsion e^{−r/repulsion_length} − attraction e^{−r/attraction_length}       [D'Orsogna et al., PRL 96 (2006) 104302]
power-law    s r^exponent/exponent                    Riesz and Coulomb kernels where exponent < 0
logarithm    s log r                                  Keller–Segel in the plane, log gases
gaussian     s exp(−r²/(2 width²))
cosine       s Σ_k cos(wavenumber z_k)                as W: Kuramoto's model on a circle, with s < 0 for attraction
poisson      s g(z), −Δg = δ − 1/|T|, ∫g = 0         as W only, on a torus T (poisson.py): s > 0 repels, s < 0 attracts

All but the last two are functions of r, φ(r), whose gradient is φ'(r) z/r. At r = 0 the value is its limit, −∞ or ∞ for a logarithm and a
negative power, and the gradient zero. W may be singular there on a grid (its means over cells are taken, which are finite as long
as exponent > −p: else it is refused) and for particles, which do not act on themselves; on a mesh of FiPy it is refused. All are
dimensionless.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, NoReturn

import numpy as np

from wgf.errors import InputError
from wgf.networks.derivatives import differences
from wgf.registers import known


@dataclass(frozen=True, repr=False, kw_only=True)
class Potential:
    """A function of arrays (…, p) → (…), with its `gradient` (…, p). Its center is one number for all coordinates, or one for each."""

    center: float | Sequence[float] = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            try:
                value = np.asarray(getattr(self, item.name), dtype=float)
            except (TypeError, ValueError):
                value = np.asarray(np.nan)
            if not np.isfinite(value).all() or value.ndim > (item.name == "center"):
                raise InputError(f"{item.name} = {getattr(self, item.name)!r}: it must be a finite number")
            if value.ndim == 0 and item.name in POSITIVE and value <= 0:
                raise InputError(f"{item.name} = {float(value):g}: it must be positive")

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        """φ(|θ − center|), (…,)."""
        with np.errstate(all="ignore"):
            return self.value(np.linalg.norm(self._from_center(theta), axis=-1))

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """φ'(r) z/r, (…, p); zero at r = 0."""
        z = self._from_center(theta)
        r = np.linalg.norm(z, axis=-1, keepdims=True)
        apart = np.where(r > 0, r, 1.0)
        with np.errstate(all="ignore"):
            return np.where(r > 0, self.slope(apart), 0.0) * (z / apart)

    def value(self, r: np.ndarray) -> np.ndarray:
        """φ(r)."""
        raise NotImplementedError

    def slope(self, r: np.ndarray) -> np.ndarray:
        """φ'(r), for r > 0."""
        raise NotImplementedError

    def _from_center(self, theta: np.ndarray) -> np.ndarray:
        theta, center = np.asarray(theta, dtype=float), np.asarray(self.center, dtype=float)
        if center.ndim and len(center) != theta.shape[-1]:
            raise InputError(f"center has {len(center)} entries for {theta.shape[-1]} axes; give one number for all or one per axis")
        result: np.ndarray = theta - center
        return result

    def __repr__(self) -> str:
        name = next(name for name, cls in POTENTIALS.items() if cls is type(self))
        numbers = [f"{item.name} = {getattr(self, item.name)}" for item in fields(self) if getattr(self, item.name) != item.default]
        return f"{name}({', '.join(numbers)})"


POSITIVE = ("radius", "width", "repulsion_length", "attraction_length", "wavenumber")


@dataclass(frozen=True, repr=False, kw_only=True)
class Quadratic(Potential):
    """½ s r²."""

    strength: float = 1.0

    def value(self, r: np.ndarray) -> np.ndarray:
        return 0.5 * self.strength * r**2

    def slope(self, r: np.ndarray) -> np.ndarray:
        return self.strength * r


@dataclass(frozen=True, repr=False, kw_only=True)
class Quartic(Potential):
    """¼ s r⁴."""

    strength: float = 1.0

    def value(self, r: np.ndarray) -> np.ndarray:
        return 0.25 * self.strength * r**4

    def slope(self, r: np.ndarray) -> np.ndarray:
        return self.strength * r**3


@dataclass(frozen=True, repr=False, kw_only=True)
class DoubleWell(Potential):
    """s (r² − radius²)²."""

    strength: float = 1.0
    radius: float = 1.0

    def value(self, r: np.ndarray) -> np.ndarray:
        return self.strength * (r**2 - self.radius**2) ** 2

    def slope(self, r: np.ndarray) -> np.ndarray:
        return 4.0 * self.strength * r * (r**2 - self.radius**2)


@dataclass(frozen=True, repr=False, kw_only=True)
class Morse(Potential):
    """repulsion e^{−r/repulsion_length} − attraction e^{−r/attraction_length}."""

    repulsion: float
    repulsion_length: float
    attraction: float
    attraction_length: float

    def value(self, r: np.ndarray) -> np.ndarray:
        return self.repulsion * np.exp(-r / self.repulsion_length) - self.attraction * np.exp(-r / self.attraction_length)

    def slope(self, r: np.ndarray) -> np.ndarray:
        pushed = self.repulsion / self.repulsion_length * np.exp(-r / self.repulsion_length)
        return self.attraction / self.attraction_length * np.exp(-r / self.attraction_length) - pushed


@dataclass(frozen=True, repr=False, kw_only=True)
class PowerLaw(Potential):
    """s r^exponent/exponent, exponent ≠ 0 and > −p."""

    exponent: float
    strength: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.exponent == 0:
            raise InputError("exponent = 0: the limit of (r^exponent − 1)/exponent is the potential logarithm: take that")

    def value(self, r: np.ndarray) -> np.ndarray:
        return self.strength * r**self.exponent / self.exponent

    def slope(self, r: np.ndarray) -> np.ndarray:
        return self.strength * r ** (self.exponent - 1)

    def _from_center(self, theta: np.ndarray) -> np.ndarray:
        z = super()._from_center(theta)
        if self.exponent <= -z.shape[-1]:
            raise InputError(
                f"exponent = {self.exponent:g}: r^exponent has no integral in {z.shape[-1]} dimension(s), where it must be > −p"
            )
        return z


@dataclass(frozen=True, repr=False, kw_only=True)
class Logarithm(Potential):
    """s log r."""

    strength: float = 1.0

    def value(self, r: np.ndarray) -> np.ndarray:
        result: np.ndarray = self.strength * np.log(r)
        return result

    def slope(self, r: np.ndarray) -> np.ndarray:
        return self.strength / r


@dataclass(frozen=True, repr=False, kw_only=True)
class GaussianBump(Potential):
    """s exp(−r²/(2 width²))."""

    strength: float = 1.0
    width: float = 1.0

    def value(self, r: np.ndarray) -> np.ndarray:
        return self.strength * np.exp(-0.5 * (r / self.width) ** 2)

    def slope(self, r: np.ndarray) -> np.ndarray:
        result: np.ndarray = -self.value(r) * r / self.width**2
        return result


@dataclass(frozen=True, repr=False, kw_only=True)
class Cosine(Potential):
    """s Σ_k cos(wavenumber z_k): not of r, but of each coordinate."""

    strength: float = 1.0
    wavenumber: float = 1.0

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        result: np.ndarray = self.strength * np.cos(self.wavenumber * self._from_center(theta)).sum(axis=-1)
        return result

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        return -self.strength * self.wavenumber * np.sin(self.wavenumber * self._from_center(theta))


@dataclass(frozen=True, repr=False, kw_only=True)
class Poisson(Potential):
    """s g(z), g the Green's function of a torus (poisson.py): no function of z alone, so that its values are refused."""

    strength: float = 1.0

    def __call__(self, theta: np.ndarray) -> NoReturn:
        raise InputError('poisson depends on the torus: it serves as W of an InteractionEnergy, on a grid with boundary = "periodic"')

    gradient = __call__


@dataclass(frozen=True, repr=False)
class Sum:
    """Several functions (…, p) → (…), added."""

    parts: Sequence[Any]

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        result: np.ndarray = np.add.reduce([part(theta) for part in self.parts])
        return result

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """Those of the parts, by differences where one has none, added."""
        result: np.ndarray = np.add.reduce(
            [part.gradient(theta) if hasattr(part, "gradient") else differences(part, theta) for part in self.parts]
        )
        return result

    def __repr__(self) -> str:
        return " + ".join(repr(part) for part in self.parts)


POTENTIALS: dict[str, type[Potential]] = {
    "quadratic": Quadratic,
    "quartic": Quartic,
    "double-well": DoubleWell,
    "morse": Morse,
    "power-law": PowerLaw,
    "logarithm": Logarithm,
    "gaussian": GaussianBump,
    "cosine": Cosine,
    "poisson": Poisson,
}


def potential(name: str, **numbers: float | Sequence[float]) -> Potential:
    """The named potential with these numbers: `potential("morse", repulsion=2.0, repulsion_length=0.5)`.

    Parameters
    ----------
    name : str
        one of those that problem files know (Aggregation and diffusion)
    **numbers : float or sequence of float
        its options by name; what is left out has its default

    Returns
    -------
    Potential
        a function of theta (…, p) → (…) with its `gradient`, to be V or W

    Raises
    ------
    InputError
        for names and options that are unknown
    """
    cls = POTENTIALS[known(name, POTENTIALS, "potential")]
    for key in numbers:
        known(key, [item.name for item in fields(cls)], f"number of the potential {name}")
    if missing := [item.name for item in fields(cls) if item.default is MISSING and item.name not in numbers]:
        raise InputError(f"the potential {name} needs {', '.join(missing)}")
    return cls(**numbers)
