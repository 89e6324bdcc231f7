"""The potential as a landscape over which neurons look for its lowest place, its output weight c chosen best:

    G(θ; z) = ⟨g(θ), z⟩ + ½λV(θ),     m(ω) = min_c G((c, ω); z) = e(H(ω)) + ½λ|ω|²,    H(ω) = ⟨σ(ω·x̃ + offset), z⟩,
    e(H) = min over c ∈ [c₋, c₊] of cH + ½λc²,     taken at c* = H's clipped −H/λ, or at an end where λ = 0.

ω (N, q) are the coordinates of θ but c; where c is fixed, or the neuron is one's own, ω is θ and e(H) = H. z enters by u = ρz (n,).

Bounds on a cell |d_k| ≤ δ_k around ω. With Δ_i = Σ_k |x̃_ik| δ_k, Taylor's formula is

    H(ω + d) = H + ∇H·d + ½ dᵀ∇²H d + R,     |R| ≤ T = Σ_i |u_i| (|σ'''|_i Δ_i³/6 + J (Δ_i − |z_i − κ|)₊),

where |σ'''|_i is the largest within Δ_i of z_i, and the second part belongs to kinks κ over which σ' jumps by J. As e is concave with
e'' ≥ −1/λ, e(H + D) ≥ e(H) + c*D − D²/(2λ), so that on the cell

    m ≥ m(ω) + min_d [(c*∇H + λω)·d + ½ dᵀ(c*∇²H − ∇H∇Hᵀ/λ + λ)d] − |c*|T − ((S + Q + T)² − S²)/(2λ),

S = Σ|∇H_k|δ_k, Q = ½ Σ|∇²H_kl|δ_kδ_l: Newton's model less a rest of third order in δ. Where λ = 0, both ends of c have a landscape
without the terms in 1/λ.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from wgf.networks.derivatives import differences
from wgf.networks.neuron import Neuron, extended
from wgf.problems.regression import RegressionEnergy
from wgf.studies.optimality.domain import Domain

SAMPLES, REACH = 20_000, 60.0  # at which, and up to which |z|, σ''' is looked at
MARGIN = 1.001  # by which σ''' may be larger between two of them
BLOCK = 2**19  # numbers of an array of places × data


class Landscape:
    """m over the coordinates ω, for an energy and a domain; see the module's text.

    axes (q,)          the places of ω's coordinates in θ;  axis: that of c where it is free beside others, else None
    lower, upper (q,)  of ω;  ends: those of c
    provable, linear   whether its lower bounds are known; whether θ is c alone, of which G is a quadratic function
    """

    def __init__(self, energy: RegressionEnergy, domain: Domain) -> None:
        self.energy, self.data, self.strength = energy, energy.data, energy.penalty.strength
        neuron, p = energy.neuron, len(domain.lower)
        plain = energy.penalty.function is None
        inner = neuron.without_output() if isinstance(neuron, Neuron) and plain else None
        self.axis = neuron.output_axis if inner is not None else None
        self.axes = np.array([k for k in range(p) if k != self.axis])
        self.inner = neuron if self.axis is None or inner is None else inner
        self.lower, self.upper = domain.lower[self.axes], domain.upper[self.axes]
        self.ends = (1.0, 1.0) if self.axis is None else (float(domain.lower[self.axis]), float(domain.upper[self.axis]))
        self.linear = isinstance(neuron, Neuron) and neuron.theta == ("c",)
        self.provable = isinstance(neuron, Neuron) and plain

    @property
    def ridge(self) -> bool:
        """Whether H is a sum of σ(ω·x̃ + offset)."""
        return self.provable and not self.linear

    @property
    def dim(self) -> int:
        """q."""
        return len(self.axes)

    def blocks(self, count: int) -> Iterator[slice]:
        """So many places, block by block."""
        step = max(1, BLOCK // self.data.size)
        return (slice(start, start + step) for start in range(0, count, step))

    def features(self, places: np.ndarray) -> np.ndarray:
        """σ, or g, at the data, (N, n)."""
        result: np.ndarray = self.inner.value(places, self.data.inputs)
        return result

    def heights(self, places: np.ndarray, u: np.ndarray) -> np.ndarray:
        """H at places (N, q), (N,)."""
        return np.concatenate([self.features(places[block]) @ u for block in self.blocks(len(places))])

    def output(self, heights: np.ndarray) -> np.ndarray:
        """c*, the shape of H."""
        if self.axis is None:
            return np.ones_like(heights)
        if self.strength == 0:
            return np.where(heights > 0, self.ends[0], self.ends[1])
        best: np.ndarray = np.clip(-heights / self.strength, self.ends[0], self.ends[1])
        return best

    def envelope(self, places: np.ndarray, heights: np.ndarray) -> np.ndarray:
        """m = e(H) + ½λV for the H (…, N) of the places (N, q); (…, N)."""
        c = self.output(heights)
        value: np.ndarray = c * heights
        if self.strength:
            value = value + 0.5 * self.strength * self.energy.penalty.value(places)
            if self.axis is not None:
                value = value + 0.5 * self.strength * c**2
        return value

    def values(self, places: np.ndarray, u: np.ndarray) -> np.ndarray:
        """m at places (N, q), (N,)."""
        return self.envelope(places, self.heights(places, u))

    def parameters(self, places: np.ndarray, heights: np.ndarray) -> np.ndarray:
        """θ with the best c, (N, p)."""
        if self.axis is None:
            return places
        return np.insert(places, self.axis, self.output(heights), axis=1)

    def expansion(self, places: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """m, ∇m and ∇²m between kinks at places (N, q): (N,), (N, q), (N, q, q)."""
        heights, slope, bend = self._of_heights(places, u) if self.ridge else self._general(places, u)
        c = self.output(heights)
        gradient, hessian = c[:, None] * slope, c[:, None, None] * bend
        if self.strength and self.ridge:
            gradient = gradient + self.strength * places
            hessian = hessian + self.strength * np.eye(self.dim)
        if self.strength and self.axis is not None:
            inside = (c > self.ends[0]) & (c < self.ends[1])
            hessian = hessian - inside[:, None, None] * slope[:, :, None] * slope[:, None, :] / self.strength
        return self.envelope(places, heights), gradient, hessian

    def _general(self, places: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """H, and ∇G and ∇²G with the penalty, for a neuron or a penalty of one's own."""
        penalty, bend = self.energy.penalty, np.einsum("nikl,i->nkl", self.inner.second(places, self.data.inputs), u)
        if self.strength:
            bend = bend + 0.5 * self.strength * differences(penalty.gradient, places)
        return self.heights(places, u), self.energy.slope(places, u), bend

    def _of_heights(self, places: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """H, ∇H and ∇²H between kinks at places (N, q)."""
        z = places @ self.weighted_inputs.T + self.offsets
        return self._sums(z, u)

    def _sums(self, z: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same from z (N, n): Σ_i u_i of σ, σ'x̃ and σ''x̃x̃ᵀ."""
        x, sigma, scaled = self.weighted_inputs, self.inner.sigma, self.factor * u
        s = sigma.value(z)
        outer = scaled[:, None, None] * x[:, :, None] * x[:, None, :]
        return s @ scaled, sigma.slope(z, s) @ (scaled[:, None] * x), np.tensordot(sigma.second(z), outer, axes=1)

    @cached_property
    def weighted_inputs(self) -> np.ndarray:
        """x̃ of the coordinates of ω, (n, q)."""
        result: np.ndarray = extended(self.data.inputs)[:, self.inner.free_inputs]
        return result

    @cached_property
    def offsets(self) -> np.ndarray:
        """What fixed input weights and biases give, (n,)."""
        full = self.inner.all_coordinates(np.zeros(self.dim))
        result: np.ndarray = extended(self.data.inputs) @ full[1:]
        return result

    @cached_property
    def factor(self) -> float:
        """The fixed output weight that multiplies σ."""
        return float(self.inner.all_coordinates(np.zeros(self.dim))[0])

    @cached_property
    def third(self) -> np.ndarray:
        """The largest |σ'''| from |z| = k·REACH/SAMPLES on, for each k (SAMPLES,)."""
        z = np.linspace(-REACH, REACH, 2 * SAMPLES + 1)
        third = np.abs(np.diff(self.inner.sigma.second(z))) / (z[1] - z[0])
        outward = np.maximum(third[SAMPLES:], third[SAMPLES - 1 :: -1])
        return MARGIN * np.maximum.accumulate(outward[::-1])[::-1]

    @cached_property
    def jumps(self) -> list[tuple[float, float]]:
        """Kinks κ of σ with the jump J of σ' there."""
        sigma, step = self.inner.sigma, 1e-7
        found = []
        for kink in sigma.kinks:
            below, above = sigma.first(np.array([kink - step, kink + step])) * self.factor
            found.append((float(kink), float(above - below)))
        return found

    def bounds(self, places: np.ndarray, half: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """m at places (N, q), and what it is at least in the cells around them with half lengths δ (N, q); (N,) each."""
        parts = [self._bounds(places[block], half[block], u) for block in self.blocks(len(places))]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _bounds(self, places: np.ndarray, half: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.linear:
            value, gradient, hessian = self.expansion(places, u)
            return value, value + lowest_quadratic(gradient, hessian, half)
        z = places @ self.weighted_inputs.T + self.offsets
        heights, slope, bend = self._sums(z, u)
        above, below = self._rests(z, half @ np.abs(self.weighted_inputs).T, u)
        sides = self.ends if self.axis is not None and self.strength == 0 else (self.output(heights),)
        lows = [self._low(places, half, heights, slope, bend, above, below, np.broadcast_to(c, len(places))) for c in sides]
        return self.envelope(places, heights), np.minimum.reduce(lows)

    def _rests(self, z: np.ndarray, reach: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far H may be above and below its expansion, (N,) each: T, of which kinks give the part that their jumps say."""
        places = np.clip((np.abs(z) - reach) * (SAMPLES / REACH), 0, SAMPLES - 1).astype(np.int64)
        third = self.third[places]
        third *= reach**3
        rest = abs(self.factor) * (third @ np.abs(u)) / 6.0
        above, below = rest, rest
        for kink, jump in self.jumps:
            crossed = np.maximum(reach - np.abs(z - kink), 0.0)
            above = above + crossed @ np.maximum(jump * u, 0.0)
            below = below + crossed @ np.maximum(-jump * u, 0.0)
        return above, below

    def _low(
        self,
        places: np.ndarray,
        half: np.ndarray,
        heights: np.ndarray,
        slope: np.ndarray,
        bend: np.ndarray,
        above: np.ndarray,
        below: np.ndarray,
        c: np.ndarray,
    ) -> np.ndarray:
        """The bound for the output weights c (N,)."""
        gradient, hessian = c[:, None] * slope, c[:, None, None] * bend
        value = c * heights
        rest = np.where(c > 0, c * below, -c * above)
        if self.strength:
            value = self.envelope(places, heights)
            gradient = gradient + self.strength * places
            hessian = hessian + self.strength * np.eye(self.dim)
            if self.axis is not None:
                hessian = hessian - slope[:, :, None] * slope[:, None, :] / self.strength
                first = np.sum(np.abs(slope) * half, axis=1)
                second = 0.5 * np.einsum("nkl,nk,nl->n", np.abs(bend), half, half) + np.maximum(above, below)
                rest = rest + (2.0 * first + second) * second / (2.0 * self.strength)
        result: np.ndarray = value + lowest_quadratic(gradient, hessian, half) - rest
        return result


def lowest_quadratic(gradient: np.ndarray, hessian: np.ndarray, half: np.ndarray) -> np.ndarray:
    """A lower bound of g·d + ½dᵀAd for |d_k| ≤ δ_k: g (N, q), A (N, q, q), δ (N, q); (N,).

    In units of δ, with the lowest eigenvalue α of A: −Σ|g_k| + ½qα where α < 0; else −½gᵀA⁻¹g or −Σ|g_k|, whichever is more.
    """
    g = gradient * half
    a = hessian * half[:, :, None] * half[:, None, :]
    eigenvalues, vectors = np.linalg.eigh(a)
    along = np.einsum("nkl,nk->nl", vectors, g)
    linear = -np.sum(np.abs(g), axis=1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        newton = -0.5 * np.sum(np.where(along == 0.0, 0.0, along**2 / eigenvalues), axis=1)
    convex = eigenvalues[:, 0] > 0
    result: np.ndarray = np.where(convex, np.maximum(newton, linear), linear + 0.5 * g.shape[1] * np.minimum(eigenvalues[:, 0], 0.0))
    return result
