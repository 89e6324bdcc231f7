"""The potential of an energy at fixed points with variable masses: the cells of a mesh, where G = G(θ_j; Σ_k mass_k δ_{θ_k}).

Networks      z = Φᵀmass − f,   G = Φ z + ½λV,   L = |z|² + (the part of f out of reach) + λ V·mass      with features.py's Φ (N, r)
Interactions  G = V + A (Bᵀmass),   L = 2 V·mass + mass·A Bᵀmass      with W(θ_j − θ_k) ≈ (A Bᵀ)_{jk}, A and B (N, r)

A and B come from a cross approximation with partial pivoting [Bebendorf, Numer. Math. 86 (2000) 565], which looks at O(N r) of the N²
values of W: its rank is small where W is smooth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.networks.features import compress

LARGEST_RANK = 1000  # of a W that is worth approximating
LEAST_TOLERANCE = 1e-10  # relative, of W
PROBES = 32  # rows on which the approximation of W is checked


class RegressionPointPotential:
    """G at points (N, p) for a RegressionEnergy.

    rank, error    of the compressed features
    loss           L of the masses of the last update
    """

    def __init__(self, energy: Any, points: np.ndarray, tolerance: float) -> None:
        data = energy.data
        root = np.sqrt(data.weights)
        features = compress(lambda part: energy.neuron.value(points[part], data.inputs) * root, len(points), data.size, tolerance)
        self.features, self.rank, self.error = features.values, features.rank, features.error
        target = root * data.targets
        self.target = features.basis.T @ target
        self.out_of_reach = float(np.sum((target - features.basis @ self.target) ** 2))
        self.readout = features.basis / root[:, None]
        self.penalty = 0.5 * energy.penalty.strength * energy.penalty.value(points) if energy.penalty.strength else np.zeros(len(points))
        self.moments, self.loss = np.zeros(self.rank), np.nan

    def update(self, masses: np.ndarray) -> np.ndarray:
        """G for these masses (N,); keeps L and the moments."""
        self.moments = masses @ self.features
        residual = self.moments - self.target
        self.loss = float(residual @ residual) + self.out_of_reach + 2.0 * float(self.penalty @ masses)
        result: np.ndarray = self.features @ residual + self.penalty
        return result

    @property
    def prediction(self) -> np.ndarray:
        """φ_μ at the data for the masses of the last update, (n,)."""
        result: np.ndarray = self.readout @ self.moments
        return result


class InteractionPointPotential:
    """G at points (N, p) for an InteractionEnergy, without the part U' of an internal energy."""

    def __init__(self, energy: Any, points: np.ndarray, tolerance: float) -> None:
        self.confinement = energy.confinement(points)
        if not np.isfinite(self.confinement).all():
            raise InputError("V is not finite everywhere on the mesh: choose a mesh on which it is")
        self.rank, self.error, self.loss = 0, 0.0, np.nan
        self.left = self.right = np.zeros((len(points), 0))
        if energy.W is not None:
            self.left, self.right, self.error = crossed(energy.interaction, points, max(tolerance, LEAST_TOLERANCE))
            self.rank = self.left.shape[1]

    def update(self, masses: np.ndarray) -> np.ndarray:
        """G for these masses (N,); keeps L."""
        spread = self.left @ (masses @ self.right)
        self.loss = float((2.0 * self.confinement + spread) @ masses)
        result: np.ndarray = self.confinement + spread
        return result

    @property
    def prediction(self) -> np.ndarray:
        """There is no network: (0,)."""
        return np.empty(0)


def crossed(interaction: Any, points: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray, float]:
    """A, B (N, r) with W(θ_j − θ_k) ≈ (A Bᵀ)_{jk}, W even, and the relative error measured on PROBES rows.

    Each round takes the row of the largest entry of the last column, or the worst of the probes, subtracts what is known of it, and divides
    by its largest entry. What is precise enough on some probes has to be so on others, too, of rows that were not taken, for those are
    exact. Raises InputError where W is not finite, or LARGEST_RANK does not do.
    """
    count, rng = len(points), np.random.default_rng(0)
    most = min(LARGEST_RANK, count)
    left, right = np.empty((2, most, count))  # Aᵀ and Bᵀ, whose memory is taken row by row
    untaken = np.ones(count, dtype=bool)

    def row(j: int) -> np.ndarray:
        values = interaction(points[j] - points)
        if not np.isfinite(values).all():
            raise InputError("W is not finite at some difference of two cells: on a mesh it has to be, zero included")
        result: np.ndarray = values
        return result

    def drawn() -> tuple[np.ndarray, np.ndarray]:
        probes = rng.permutation(np.flatnonzero(untaken))[:PROBES]
        return probes, np.array([row(j) for j in probes]).reshape(-1, count)

    probes, exact = drawn()
    for rank in range(most + 1):
        error, missed = _missed(exact, left[:rank, probes], right[:rank])
        if error <= tolerance:
            probes, exact = drawn()
            error, missed = _missed(exact, left[:rank, probes], right[:rank])
        if error <= tolerance:
            return left[:rank].T.copy(), right[:rank].T.copy(), error
        if rank == most:
            break
        worst = int(np.argmax(np.abs(missed).max(axis=1)))
        pivot = int(np.argmax(np.abs(left[rank - 1]) * untaken)) if rank else probes[worst]
        rest = row(pivot) - left[:rank, pivot] @ right[:rank]
        if not np.abs(rest).max() > tolerance * np.abs(exact).max():
            pivot, rest = probes[worst], missed[worst]
        untaken[pivot] = False
        column = int(np.argmax(np.abs(rest)))
        left[rank] = row(column) - right[:rank, column] @ left[:rank]  # a column is a row: W is even
        right[rank] = rest / rest[column]
    raise InputError(
        f"W is not smooth enough for a mesh: with rank {LARGEST_RANK} it is still off by {error:.1e} (tolerance {tolerance:.1e}); "
        "take FiniteVolume, which convolves on a grid, or a larger tolerance"
    )


def _missed(exact: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[float, np.ndarray]:
    """What leftᵀ right (r, M), (r, N) lacks of the rows `exact` (M, N), and its size relative to them."""
    missed = exact - left.T @ right
    size = float(np.abs(exact).max(initial=0.0)) or 1.0  # whose square may be too small a number
    return float(np.linalg.norm(missed / size)) / (float(np.linalg.norm(exact / size)) or 1.0), missed
