"""The scheme for the noise, chosen along the run by the truncation errors of both on the density as it is.

On a face between the averages u_i and u_{i+1} of a smooth density u, with x = (G_{i+1} − G_i)/τ its Péclet number and
J = u_{i+1} − u_i, h/τ times the fluxes of the two schemes along an axis, and of the equation itself, are

    gibbs   −½(u_i + u_{i+1}) x − (x/2) coth(x/2) J,
    split   −u_face x − J,      u_face the value from the upwind side (transport.py),
    exact   −¹⁄₁₂(7(u_i + u_{i+1}) − u_{i−1} − u_{i+2}) x̄ − ¹⁄₁₂(15 J − u_{i+2} + u_{i−1}) + O(h⁴),

x̄ = ¹⁄₂₄(27 x_i − x_{i−1} − x_i − x_{i+1}), the derivative of G/τ at the face times h. Gibbs diffuses by τ((x/2) coth(x/2) − 1) more
than τ along the way of the mass: by ¹⁄₁₂ x²τ where the cells see the noise and all three differ by O(h²), and by ½|x|τ = ½|∂G|h, as
first-order upwind, where they do not. In the Gibbs state u ∝ e^{−G/τ} this is what makes its flux vanish, and split, which lacks it,
moves. So neither the temperature nor the start says which scheme is better: it depends on whether the mass slides or rests, and where.

A flux that misses the exact one by δ moves μ away from the solution, and by Kantorovich's duality W₁ between the two grows by at most

    e = ∫|δ| dθ = Σ_axes τ/h Σ_faces |cell|·|h/τ·(flux of the scheme − exact flux)|

per unit time. At a face where |δ| h/τ is more than STEEP·max(1, x̄)·(u_i + u_{i+1}), x̄ being the mean of |x| over the mass, it counts as
that much: where the potential rises as a wall, no formula for smooth densities holds, and hardly any mass is there to be misplaced.

Taken is the scheme with the smaller e; but gibbs, whose steps noise does not shorten, as long as its e is at most PREFERENCE times that of
split, where there are too few cells to decide, and where split would take more than MOST_STEPS steps for one of gibbs, since the fastest
cell, however empty, bounds them. This is looked at again each time the mass has moved by CELLS cells, in the root mean square, and after
STEPS steps at the latest: an error of the past is forgotten where the flow contracts, so that what counts is what the mass is doing. The
history's `split` is 1 where the step from a state was one of split, 0 where it was one of gibbs.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.kernels.reconstruction import fill_upwind_values
from wgf.measures.grid import Grid
from wgf.measures.measure import Measure
from wgf.methods.base import Diagnostics, Frame
from wgf.methods.finite_volume.gibbs import COURANT, DriftDiffusion, DriftDiffusionState
from wgf.methods.finite_volume.integrators import INTEGRATORS, LIMITERS
from wgf.methods.finite_volume.shared_stepper import SharedStepper
from wgf.methods.finite_volume.split import Split
from wgf.methods.finite_volume.transport import TransportState
from wgf.methods.grid_stepper import Shown, averages_on
from wgf.methods.step_control import INTERVAL
from wgf.problems.problem import Problem
from wgf.ranks.communicator import ALONE, Ranks
from wgf.ranks.divided import Divided

OnLines = Callable[[int], Sequence[np.ndarray]]  # of an axis: density and potential with that axis, whole, as their first one

PREFERENCE = 1.1  # e of gibbs over that of split up to which gibbs is taken
MOST_STEPS = 1000.0  # of split for one of gibbs
CELLS = 4.0  # by which the mass moves, in the root mean square, between two looks
STEPS = 50  # between two looks, at most
STRETCH = 2**16  # cells looked at together, so that the work arrays are small
STEEP = 10.0  # times the mean Péclet number of the mass, beyond which a face is part of a wall
SMALL = 1e-8  # of x/2, below which (x/2) coth(x/2) = 1


@dataclass(eq=False, repr=False)
class ChosenState(DriftDiffusionState, TransportState):
    """A density, what each of the schemes remembers of it, and which of them moves it.

    split   whether it is split
    moved   cells by which the mass has moved since this was looked at, in the root mean square
    steps   taken since then
    """

    split: bool = False
    moved: float = 0.0
    steps: int = 0


class Choosing:
    """`FiniteVolume` with noise, the scheme left open. Never stored."""

    def __init__(self, method: Any, problem: Problem, grid: Grid) -> None:
        self.method, self.problem, self.grid = method, problem, grid
        self.stepper: SharedStepper[Any] = DriftDiffusion(method, problem, grid)
        self.potential = self.stepper.potential
        summary = self.stepper.facts["method_summary"].removesuffix(")")
        self.facts = self.stepper.facts | {"method_summary": f"{summary}, gibbs or split scheme by truncation error)"}

    def start(self) -> ChosenState:
        """The initial law's cell averages, and the scheme that suits them."""
        started = self.stepper.start()
        return self.begin(started.time, started.array)

    def resume(self, measure: Measure, time: float, steps: int) -> ChosenState:
        """The cell averages of a frame, and the scheme that suits them."""
        return self.begin(time, self.potential.arranged(averages_on(self.grid, measure)))

    def begin(self, time: float, values: np.ndarray) -> ChosenState:
        """A state with these values, and the scheme that suits them."""
        state = ChosenState(time, values)
        self._look(state)
        return state

    def step(self, state: ChosenState, stop: float) -> Diagnostics:
        """One step of the scheme of the state, which is looked at before where it is due."""
        if state.moved >= CELLS or state.steps >= STEPS:
            self._look(state)
        self._settle(state)
        start, diagnostics = state.time, self.stepper.step(state, stop)
        state.moved += self.stepper.cells_per_time(diagnostics) * (state.time - start)
        state.steps += 1
        return self._marked(diagnostics)

    def frame(self, state: ChosenState, shown: Shown | None = None) -> Frame:
        """That of the scheme of the state."""
        self._settle(state)
        frame = self.stepper.frame(state, shown)
        return dataclasses.replace(frame, diagnostics=self._marked(frame.diagnostics))

    def divided(self, state: ChosenState) -> dict[str, Divided]:
        """The share of the array."""
        self._settle(state)
        return self.stepper.divided(state)

    def restored(self, fields: Mapping[str, Any]) -> ChosenState:
        """The state with these fields."""
        state: ChosenState = self.stepper.restored(fields, ChosenState)
        return state

    def _marked(self, diagnostics: Diagnostics) -> Diagnostics:
        return dataclasses.replace(diagnostics, extra={"split": float(isinstance(self.stepper, Split))})

    def _settle(self, state: ChosenState) -> None:
        """Make the stepper that of the state."""
        if state.split != isinstance(self.stepper, Split):
            scheme = Split if state.split else DriftDiffusion
            del self.stepper  # frees its arrays for the other's
            self.stepper = scheme(self.method, self.problem, self.grid, self.potential)

    def _look(self, state: ChosenState) -> None:
        """Choose the scheme that suits the density; what the state remembers of steps belongs to the scheme before."""
        self._settle(state)
        diagnostics = self.stepper.diagnostics(state)  # puts the potential in place
        self.potential.fill(potential := np.empty_like(state.array))
        on_lines = self._on_lines(state.array, potential)
        gibbs, split = truncation_errors(on_lines, self.grid, self.problem.noise, self.method.limiter, self.stepper.ranks)
        state.moved, state.steps = 0.0, 0
        if state.split != (gibbs > PREFERENCE * split and self._affordable(state, diagnostics, on_lines)):
            state.split = not state.split
            state.step_factor, state.unchecked = 1.0, INTERVAL
            self._settle(state)

    def _on_lines(self, *arrays: np.ndarray) -> OnLines:
        """Arrays (rows, columns) on whole lines of cells along an axis of the grid, which is their first one then."""
        lines, own, places = self.stepper.lines, self.stepper.own, self.stepper.places.tolist()
        return lambda axis: [np.moveaxis(lines.moved(own(array), None, places[axis]), places[axis], 0) for array in arrays]

    def _affordable(self, state: ChosenState, diagnostics: Diagnostics, on_lines: OnLines) -> bool:
        """Whether at most MOST_STEPS steps of split make one of gibbs."""
        speed = self.stepper.cells_per_time(diagnostics)
        gibbs = min(COURANT / speed if speed > 0 else math.inf, state.trusted or math.inf, self.method.dt or math.inf)
        highest = self.stepper.ranks.highest
        jumps = [highest(np.abs(np.diff(on_lines(axis)[1], axis=0)).max(initial=0.0)) / h**2 for axis, h in enumerate(self.grid.spacing)]
        outflow: float = INTEGRATORS[self.method.integrator].part * float(sum(jumps))
        return bool(gibbs * outflow <= MOST_STEPS * self.method.longest_stage(self.problem, self.grid.dim))


def truncation_errors(on_lines: OnLines, grid: Grid, tau: float, limiter: str, ranks: Ranks = ALONE) -> np.ndarray:
    """e of gibbs and of split, (2,), for cell averages and G on the lines along each axis, where ranks share them of each one's own.

    Faces next to closed walls have no say, nor have axes of fewer than four cells.
    """
    errors = np.zeros(2)
    for axis, (h, wrap) in enumerate(zip(grid.spacing, grid.periodic(), strict=True)):
        density, potential = on_lines(axis)
        scaled = potential / tau
        most = STEEP * max(1.0, mean_peclet(density, scaled, ranks))
        for u, g in _lines(density, scaled, wrap):
            errors += tau / h * grid.cell_volume * line_errors(u, g, limiter, most)
    ranks.sum(errors)
    return errors


def mean_peclet(density: np.ndarray, potential: np.ndarray, ranks: Ranks = ALONE) -> float:
    """x̄, the mean of |x| on the faces along the first axis, weighted with the density beside them, for cell averages and G/τ."""
    mass = density[:-1] + density[1:]
    sums = np.array([np.sum(mass * np.abs(np.diff(potential, axis=0))), mass.sum()])
    ranks.sum(sums)
    return float(sums[0] / sums[1]) if sums[1] > 0 else 0.0


def _lines(density: np.ndarray, potential: np.ndarray, wrap: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Both along the first axis, (n, lines) each, in stretches of lines; a periodic axis goes on by two cells at its lower end, by one
    above.
    """
    u, g = (array.reshape(len(array), math.prod(array.shape[1:])) for array in (density, potential))
    lines = max(1, STRETCH // max(1, len(u)))
    for first in range(0, u.shape[1], lines):
        parts = (array[:, first : first + lines] for array in (u, g))
        u_part, g_part = (np.pad(part, ((2, 1), (0, 0)), mode="wrap") if wrap else part for part in parts)
        yield u_part, g_part


def line_errors(u: np.ndarray, g: np.ndarray, limiter: str, most: float) -> np.ndarray:
    """Σ_faces h/τ·|flux − exact flux| of gibbs and of split, (2,), over the inner faces of lines (n, lines).

    Each counts as at most `most` times the sum of the densities beside the face.
    """
    if len(u) < 4:
        return np.zeros(2)
    gibbs, split, exact = line_fluxes(u, g, limiter)
    bound = most * (u[1:-2] + u[2:-1])
    return np.array([np.minimum(np.abs(flux - exact), bound).sum() for flux in (gibbs, split)])


def line_fluxes(u: np.ndarray, g: np.ndarray, limiter: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """−h/τ times the fluxes of gibbs, of split and of the equation, for averages u and G/τ on n cells along lines, (n, lines) each, through
    the n − 3 faces that have two cells on either side, (n − 3, lines) each.
    """
    jumps, steps = np.diff(u, axis=0), np.diff(g, axis=0)
    from_below, from_above = np.empty_like(jumps), np.empty_like(jumps)
    fill_upwind_values(int(LIMITERS[limiter].kind), from_below, from_above, np.ascontiguousarray(u))
    low, high, jump, x = u[1:-2], u[2:-1], jumps[1:-1], steps[1:-1]
    derivative = (27 * x - steps[:-2] - x - steps[2:]) / 24
    exact = (7 * (low + high) - u[:-3] - u[3:]) / 12 * derivative + (15 * jump - u[3:] + u[:-3]) / 12
    y = np.maximum(0.5 * np.abs(x), SMALL)
    gibbs = 0.5 * (low + high) * x + y / np.tanh(y) * jump
    split = np.where(x < 0, from_below[1:-1], from_above[1:-1]) * x + jump
    return gibbs, split, exact
