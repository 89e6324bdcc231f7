"""The potential poisson, W = s g with −Δg = δ − 1/|T| and ∫g = 0 on a torus T: ψ = W ∗ μ solves Poisson's equation with μ as its source.

    ∂_t μ = div(μ ∇ψ),   −Δψ = s (μ − μ̄),   ∫ψ = 0,      μ̄ = mass/|T|

Along a characteristic dθ/dt = v = −∇ψ, div v = −Δψ, and so μ' = −μ div v = −s μ(μ − μ̄), whatever μ is elsewhere: with s > 0, repulsion,

    μ(t) = μ̄/(1 + (μ̄/μ(0) − 1) e^{−s μ̄ t}),

for the largest and the smallest density, too. With s < 0, attraction, the largest one is infinite at t = log(μ/(μ − μ̄))/(|s| μ̄), for its
μ at the start. [Lin & Zhang, Discrete Contin. Dyn. Syst. 6 (2000) 121; Bertozzi, Laurent & Léger, Math. Models Methods Appl. Sci. 22 (2012)
1140005]

On a grid. With ψ_i at the cells, the transport takes v = −(ψ_{i+1} − ψ_i)/h_k through the faces of axis k, so that the balance of a cell,

    (1/|C|) ∮_∂C v·n = Σ_k (v_{k+} − v_{k−})/h_k = −Δ_h ψ,      Δ_h ψ = Σ_k (ψ_{i+1} − 2ψ_i + ψ_{i−1})/h_k²,

is exactly the average of div v, s (μ_i − μ̄), where ψ solves the discrete equation −Δ_h ψ = s (μ_i − μ̄). This one is taken: on the wave j,
with n_k cells along axis k,

    ψ̂_j = s μ̂_j/λ_j,   λ_j = Σ_k (2 sin(π j_k/n_k)/h_k)²,   ψ̂_0 = 0.

The multiplier 1/|2πj/L|² of the torus itself, with or without the sinc of averages, would give the balance s (μ_i − μ̄) only up to the
factor λ_j/|2πj/L|² on each wave, which is 1 − O(h²) on long ones, 4/π² on the shortest along an axis. Hence a density that is equal on a
cell and all cells that its fluxes are taken from obeys μ_i' = −s μ_i(μ_i − μ̄) without an error in h. The fluxes of sharp limiters have
further terms (kernels/product.py), with which the same holds for

    λ_j = Σ_k s_k²/h_k² (1 − Σ_{t≠k} s_t²/12),   s_k = 2 sin(π j_k/n_k),

and the potential is that of averages, of fourth order; the bracket is kept above zero on the shortest waves of four axes and more. On a
line all face velocities are those of the exact flow that has the density's averages, up to a common one, which falls faster than any
power of h for smooth ones. As 1/λ is symmetric and not negative, ψ is ½ δL/δμ of L = Σ ψ_i μ_i |C|, and the energy falls as any other
does (finite_volume/transport.py).

On a circle of length ℓ, g(z) = z²/(2ℓ) − |z|/2 + ℓ/12 for |z| ≤ ℓ/2, which is how particles act on each other. In more dimensions g
has no closed formula.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import fft

from wgf.errors import InputError
from wgf.measures.grid import Grid, nearest_image
from wgf.problems.potentials import Poisson, Sum

LEAST_SHARE = 1 / 3  # of an eigenvalue that further terms leave: what three axes have on the shortest wave
REMEDY = 'take FiniteVolume with lower, upper and boundary = "periodic"'


def parts_of(function: Any) -> list[Any]:
    """The functions that a sum adds, or the one that there is, or none."""
    return [] if function is None else list(function.parts) if isinstance(function, Sum) else [function]


def split(function: Any) -> tuple[float | None, Any]:
    """s, added up over all poissons among the parts of W (None without one), and the sum of the others (None without any)."""
    parts = parts_of(function)
    others = [part for part in parts if not isinstance(part, Poisson)]
    strengths = [part.strength for part in parts if isinstance(part, Poisson)]
    if not strengths:
        return None, function
    return sum(strengths), Sum(others) if len(others) > 1 else others[0] if others else None


def transform(grid: Grid, strength: float, averages: bool) -> np.ndarray:
    """s/λ_j of the waves of a real transform of the cells, (n_1, …, n_p//2 + 1), zero for j = 0. Raises InputError on closed axes."""
    if closed := [name for name, wrap in zip(grid.names, grid.periodic(), strict=True) if not wrap]:
        raise InputError(f'W = poisson is that of a torus, but axis {closed[0]} is closed: choose boundary = "periodic" for all axes')
    squares = []
    for axis, n in enumerate(grid.shape):
        waves = fft.rfftfreq(n) if axis == grid.dim - 1 else fft.fftfreq(n)
        along = [-1 if k == axis else 1 for k in range(grid.dim)]
        squares.append((4.0 * np.sin(np.pi * waves) ** 2).reshape(along))
    others = sum(squares) if averages else None
    eigenvalues = sum(
        square / h**2 * (1.0 if others is None else np.maximum(1.0 - (others - square) / 12, LEAST_SHARE))
        for square, h in zip(squares, grid.spacing, strict=True)
    )
    eigenvalues[(0,) * grid.dim] = np.inf
    result: np.ndarray = strength / eigenvalues
    return result


@dataclass(frozen=True)
class CirclePoisson:
    """s g on a circle, of differences (…, 1) → (…,)."""

    strength: float
    period: float

    def __call__(self, difference: np.ndarray) -> np.ndarray:
        z = np.abs(self._nearest(difference))
        result: np.ndarray = self.strength * (z**2 / (2.0 * self.period) - 0.5 * z + self.period / 12.0)
        return result

    def gradient(self, difference: np.ndarray) -> np.ndarray:
        """s (z/ℓ − ½ sign z), (…, 1); zero at z = 0."""
        z = self._nearest(difference)
        result: np.ndarray = self.strength * (z / self.period - 0.5 * np.sign(z))
        return result[..., None]

    def _nearest(self, difference: np.ndarray) -> np.ndarray:
        return nearest_image(np.asarray(difference, dtype=float), [self.period])[..., 0]


def on_circle(strength: float, periods: np.ndarray) -> CirclePoisson:
    """s g of differences of points whose axes have these periods (p,). Raises InputError where there is no closed formula."""
    if not np.all(periods):
        raise InputError(f"W = poisson is that of a torus, all of whose axes wrap around: {REMEDY}, or on one axis Particles with these")
    if len(periods) > 1:
        raise InputError(f"W = poisson of points has a closed formula on one axis only, here are {len(periods)}: {REMEDY}")
    return CirclePoisson(strength, float(periods[0]))
