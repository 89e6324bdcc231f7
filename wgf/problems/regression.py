"""The loss of a network, and the potential that moves its neurons.

    L[μ] = ‖φ_μ − f*‖² + λ ∫V dμ = ‖f*‖² − 2∫F dμ + ∬K dμ dμ
    G(θ; μ) = ⟨g(θ), φ_μ − f*⟩ + ½ λ V(θ) = ½ δL/δμ                (so that ∂_t μ = div(μ ∇G) has dL/dt = −2∫|∇G|² dμ)

What methods ask of it is the contract of an energy (energy.py); the potential on a grid and at fixed points costs O(N r) a time and no
N × N array (networks/features.py).
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from wgf.errors import InputError, brief, check_function, nonnegative
from wgf.measures.base import BLOCK
from wgf.measures.grid import Grid
from wgf.measures.measure import Measure
from wgf.networks.custom import CustomNeuron, as_neuron
from wgf.networks.data import Data, check_data
from wgf.networks.derivatives import differences
from wgf.networks.neuron import Neuron
from wgf.networks.tabulated import tabulated
from wgf.problems.energy import Energy
from wgf.ranks.communicator import ALONE, Ranks
from wgf.ranks.team import ONE, Team

if TYPE_CHECKING:
    from wgf.problems.grid_potential import RegressionPotential
    from wgf.problems.point_potential import RegressionPointPotential

FEW = 8  # data on which the gradient of a neuron is checked
FEWEST_POINTS, SHARES = 2**12, 64  # particles of a block, and blocks into which many are cut
KEPT_ENTRIES = 2**22  # the responses of particles are kept between its two passes while they have at most this many entries


@dataclass(frozen=True)
class Penalty:
    """λ V(θ), a penalty of the parameters.

    Parameters
    ----------
    strength : float
        λ ≥ 0
    function : callable, optional
        V, (…, p) → (…); V(θ) = |θ|² by default. Its derivatives are found by differences
    """

    strength: float = 0.0
    function: Callable[[np.ndarray], np.ndarray] | None = None

    def __post_init__(self) -> None:
        nonnegative(self.strength, "the penalty has strength")
        if self.function is not None:
            check_function(self.function, "the penalty V", "a function of θ (…, p) → (…), or None for |θ|²")

    def value(self, theta: np.ndarray) -> np.ndarray:
        """V(θ), (…,)."""
        if self.function is None:
            result: np.ndarray = np.sum(np.square(theta), axis=-1)
            return result
        value = np.asarray(self.function(theta), dtype=float)
        if value.shape != np.shape(theta)[:-1]:
            raise InputError(f"the penalty V gave shape {value.shape} for theta {np.shape(theta)}; expected {np.shape(theta)[:-1]}")
        return value

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """∇V(θ), (…, p)."""
        return 2.0 * np.asarray(theta) if self.function is None else differences(self.value, theta)

    def laplacian(self, theta: np.ndarray) -> np.ndarray:
        """ΔV(θ), (…,)."""
        if self.function is None:
            return np.full(np.shape(theta)[:-1], 2.0 * np.shape(theta)[-1])
        result: np.ndarray = np.einsum("...kk->...", differences(self.gradient, theta))
        return result


def as_penalty(penalty: Any) -> Penalty:
    """A Penalty from a number λ, or from a pair (λ, V)."""
    strength, function = penalty if isinstance(penalty, tuple) and len(penalty) == 2 else (penalty, None)
    if not isinstance(strength, numbers.Real) or isinstance(strength, bool) or not (function is None or callable(function)):
        raise InputError(f"penalty = {brief(penalty)}: give a number λ, or a pair (λ, V) with a function V")
    return Penalty(float(strength), function)


@dataclass(frozen=True, repr=False)
class RegressionEnergy:
    """½L[μ] = ½‖φ_μ − f*‖² + ½λ∫V dμ, the loss of a network, with G(θ; μ) = ⟨g(θ), φ_μ − f*⟩ + ½λV(θ).

    Parameters
    ----------
    neuron : Neuron or object
        of ours, or any object with value(theta, x), theta (…, p) and x (n, d) → (…, n), and optionally gradient(theta, x) → (…, n, p)
    data : Data
        inputs, targets and weights
    penalty : float, or pair of float and callable
        λ for V(θ) = |θ|², or (λ, V) with V(theta) → (…)

    Raises
    ------
    InputError
        for a neuron that does not fit the data, and gradients that are wrong by more than 1 %
    """

    neuron: Any
    data: Data
    penalty: Any = 0.0

    internal: ClassVar[None] = None  # U(μ), which the loss of a network has not
    mobility: ClassVar[float] = 1.0  # of neurons: dθ/dt = −mobility ∇G

    def __post_init__(self) -> None:
        object.__setattr__(self, "neuron", as_neuron(self.neuron))
        check_data(self.data)
        if isinstance(self.neuron, Neuron) and self.neuron.dim != self.data.dim:
            raise InputError(f"the neuron has {self.neuron.dim} input(s) (dim) but the data have {self.data.dim}")
        if not isinstance(self.penalty, Penalty):
            object.__setattr__(self, "penalty", as_penalty(self.penalty))

    @property
    def own_gradients(self) -> dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]]:
        """By name, the functions (N, p) → (N, …) whose gradients (N, …, p) the user gives, and these: g on a few of the data."""
        neuron, x = self.neuron, self.data.inputs[:FEW]
        if not (isinstance(neuron, CustomNeuron) and callable(getattr(neuron.custom, "gradient", None))):
            return {}
        return {f"the gradient of the neuron {brief(neuron.custom)}": (lambda at: neuron.value(at, x), lambda at: neuron.gradient(at, x))}

    def on(self, grid: Grid, tolerance: float = 1e-12, averages: bool = False, ranks: Ranks = ALONE) -> RegressionPotential:
        """The potential on the cells of `grid`, for cell averages or values at centres; features compressed to a relative `tolerance`."""
        from wgf.problems.grid_potential import RegressionPotential  # compiled code, which particles do not need

        return RegressionPotential(self, grid, tolerance, averages, ranks)

    def at(self, points: np.ndarray, tolerance: float = 1e-12) -> RegressionPointPotential:
        """The potential at fixed points (N, p), features compressed to relative error `tolerance`."""
        from wgf.problems.point_potential import RegressionPointPotential

        return RegressionPointPotential(self, points, tolerance)

    def tabulated(self) -> RegressionEnergy:
        """Itself, with a table of the neuron on the data where there is one (networks/tabulated.py): for many particles."""
        neuron = tabulated(self.neuron, self.data.inputs)
        return self if neuron is self.neuron else dataclasses.replace(self, neuron=neuron)

    def on_batch(self, size: int, rng: np.random.Generator) -> RegressionEnergy:
        """The energy of `size` samples drawn independently from ρ."""
        return dataclasses.replace(self, data=self.data.batch(size, rng))

    def wrapped(self, periods: np.ndarray) -> RegressionEnergy:
        """Itself, for a neuron is a function of θ, not of differences."""
        return self

    def entries(self, grid: Grid) -> float:
        """Approximate memory of the potential on a grid, in floats."""
        axis = self.neuron.output_axis
        separable = axis is None and grid.dim == 2 and isinstance(self.neuron, Neuron) and not self.neuron.sigma.kinks
        featured = sum(grid.shape) if separable else grid.size if axis is None else grid.size / grid.shape[axis]
        return (featured + 2 * self.data.size) * min(self.data.size, featured, 64) + (grid.size if axis is None else 0)

    def axis_names(self, p: int) -> tuple[str, ...]:
        """The names of the p axes of θ."""
        result: tuple[str, ...] = self.neuron.axis_names(p)
        return result

    @property
    def dim(self) -> int | None:
        """p where the neuron says it."""
        return len(self.neuron.theta) if isinstance(self.neuron, Neuron) else None

    @cached_property
    def scale(self) -> float:
        """½‖f*‖², of which rounding is a fraction."""
        return 0.5 * self.data.norm(self.data.targets) ** 2

    def predict(self, measure: Measure) -> np.ndarray:
        """φ_μ at the inputs of the data.

        Parameters
        ----------
        measure : Density, MeshDensity or Cloud
            μ

        Returns
        -------
        array (n,)
            the prediction
        """
        return self.network_of(measure)

    def network_of(self, measure: Measure, team: Team = ONE) -> np.ndarray:
        """φ_μ at the data, (n,), by a team."""
        return self._network(measure.points, measure.quadrature_weights, None, self._parts(len(measure.points)), team)

    def loss(self, measure: Measure) -> float:
        """L[μ] = ‖φ_μ − f*‖² + λ∫V dμ.

        Parameters
        ----------
        measure : Density, MeshDensity or Cloud
            μ

        Returns
        -------
        float
            the loss
        """
        return self._loss(self.predict(measure), measure.points, measure.quadrature_weights)

    def potential(self, theta: np.ndarray, measure: Measure) -> np.ndarray:
        """G(θ; μ) = ⟨g(θ), φ_μ − f*⟩ + ½λV(θ), directly from its definition.

        Parameters
        ----------
        theta : array (N, p)
            where
        measure : Density, MeshDensity or Cloud
            μ

        Returns
        -------
        array (N,)
            the potential
        """
        result: np.ndarray = self.misfit(theta, measure) + 0.5 * self.penalty.strength * self.penalty.value(theta)
        return result

    def misfit(self, theta: np.ndarray, measure: Measure) -> np.ndarray:
        """⟨g(θ), φ_μ − f*⟩ at theta (N, p): G without the penalty's part; (N,)."""
        result: np.ndarray = self.neuron.value(theta, self.data.inputs) @ self.residual(measure)
        return result

    def residual(self, measure: Measure, team: Team = ONE) -> np.ndarray:
        """ρ(φ_μ − f*), (n,)."""
        result: np.ndarray = self.data.weights * (self.network_of(measure, team) - self.data.targets)
        return result

    def potential_by(self, theta: np.ndarray, measure: Measure, team: Team) -> np.ndarray:
        """G at theta (N, p) as `potential`, by a team; (N,)."""
        residual, parts = self.residual(measure, team), slices(len(theta), max(1, BLOCK // self.data.size))
        misfit = np.empty(len(theta))

        def fill(block: slice) -> None:
            misfit[block] = self.neuron.value(theta[block], self.data.inputs) @ residual

        for _ in team.each(fill, team.share(parts)):
            pass
        team.fill(misfit, parts)
        result: np.ndarray = misfit + 0.5 * self.penalty.strength * self.penalty.value(theta)
        return result

    def slope(self, theta: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """∇G at theta (N, p) for a residual ρ(φ − f*) (n,), whichever measure it belongs to; (N, p)."""
        slope = self.neuron.at(theta, self.data.inputs).pull(residual)
        result: np.ndarray = slope + 0.5 * self.penalty.strength * self.penalty.gradient(theta) if self.penalty.strength else slope
        return result

    def laplacian(self, theta: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """ΔG at theta (N, p) for a residual ρ(φ − f*) (n,); (N,). Between the kinks of an activation that has some."""
        bend = self.neuron.laplacian(theta, self.data.inputs) @ residual
        result: np.ndarray = bend + 0.5 * self.penalty.strength * self.penalty.laplacian(theta) if self.penalty.strength else bend
        return result

    def velocity(self, points: np.ndarray, masses: np.ndarray, team: Team = ONE) -> tuple[np.ndarray, float]:
        """−∇G(θ_j; μ) for the empirical measure μ = Σ_j masses_j δ_{θ_j}, (N, p), and L[μ].

        Two passes over blocks of points, which a team shares: φ_μ first, then the gradient. Memory O(block·n); the result does not depend
        on the numbers of ranks and threads.
        """
        data, penalty, parts = self.data, self.penalty, self._parts(len(points))
        kept: dict[int, Any] | None = {} if points.shape[0] * data.size <= KEPT_ENTRIES else None
        prediction = self._network(points, masses, kept, parts, team)
        u = data.weights * (prediction - data.targets)
        velocity = np.empty(points.shape)

        def fill(block: slice) -> None:
            response = self.neuron.at(points[block], data.inputs) if kept is None else kept[block.start]
            np.negative(response.pull(u), out=velocity[block])
            if penalty.strength:
                velocity[block] -= 0.5 * penalty.strength * penalty.gradient(points[block])

        for _ in team.each(fill, team.share(parts)):
            pass
        team.fill(velocity, parts)
        return velocity, self._loss(prediction, points, masses)

    def _network(
        self, points: np.ndarray, masses: np.ndarray, kept: dict[int, Any] | None, parts: list[slice], team: Team = ONE
    ) -> np.ndarray:
        """φ_μ at the data, (n,), keeping the responses of each block if asked to."""

        def partial(block: slice) -> np.ndarray:
            response = self.neuron.at(points[block], self.data.inputs)
            if kept is not None:
                kept[block.start] = response
            result: np.ndarray = response.total(masses[block])
            return result

        return team.total(partial, parts, self.data.size)

    def _parts(self, points: int) -> list[slice]:
        """Slices of so many points for which the neuron answers at once: many enough for threads and ranks, where there are many points."""
        most = min(self.neuron.rows_at_once(self.data.size), max(FEWEST_POINTS, -(-points // SHARES)))
        return slices(points, -(-points // -(-points // most)))

    def _loss(self, prediction: np.ndarray, points: np.ndarray, masses: np.ndarray) -> float:
        residual = prediction - self.data.targets
        loss = float(self.data.weights @ residual**2)
        if self.penalty.strength:
            loss += self.penalty.strength * float(masses @ self.penalty.value(points))
        return loss

    def __repr__(self) -> str:
        extra = f", λ = {self.penalty.strength:g}" if self.penalty.strength else ""
        return f"RegressionEnergy({self.neuron!r}, {self.data!r}{extra})"


def network(energy: Energy) -> RegressionEnergy:
    """The energy, where it is that of a network; raises InputError where it is not."""
    if not isinstance(energy, RegressionEnergy):
        raise InputError(f"{energy!r} is not the energy of a network, which a RegressionEnergy is")
    return energy


def blocks(points: int, samples: int) -> list[slice]:
    """Slices of points such that a (block, samples) array stays in cache."""
    return slices(points, max(1, BLOCK // samples))


def slices(points: int, step: int) -> list[slice]:
    """Slices of so many points, `step` of them each."""
    return [slice(start, min(start + step, points)) for start in range(0, points, step)]
