"""The time steps of a method on a mesh."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from wgf.errors import BoundaryWarning, InputError, ResolutionWarning, StepCollapse, warn
from wgf.measures.grid import Grid
from wgf.measures.laws import box_title, judge_box, judge_mesh_resolution, judge_resolution, mesh_averages, outside_of
from wgf.measures.layout import along_axes
from wgf.measures.measure import Measure, MeshDensity
from wgf.measures.mesh import Mesh
from wgf.methods.base import Diagnostics, Frame
from wgf.methods.fipy.equation import CONVECTION, DIFFUSION, LONELY, Equation, Refused
from wgf.methods.fipy.faces import Faces
from wgf.methods.step_control import ControlledState, StepControl, first_step
from wgf.methods.time_steps import landing
from wgf.problems.internal import PorousMedium
from wgf.problems.problem import Problem

GAMMA = 1.0 - 1.0 / math.sqrt(2.0)
EXTRAPOLATION = (1.0 - GAMMA) / GAMMA
POSITIVE = "take van-leer, upwind or exponential convection with two-point diffusion, or a finer mesh"  # what to do about negative cells
UNRESOLVED = 0.01  # of the law: error of the sum of its averages, by quadrature in each cell, that is worth a warning
SPHERES = {2: 2.0 * math.pi, 3: 4.0 * math.pi}  # what the unit sphere measures, by the dimension of the space around it
SAME = 1e-9  # centres and volumes that differ by less are the same
LOST = 1e-12  # of the mass: what a step that keeps it may lose to rounding
ROUNDING = 1e-14  # of the mass: what may be missing in negative cells and is set to zero, at the expense of the others
RECOVERY = 1.2  # by which the longest step that is allowed after a refusal grows in each step
LEAST_STEP_FACTOR = (
    1e-3  # the shortest step that is tried, of the one that accuracy allows, or of the longest one so far if that is shorter
)
MOST_REFUSED, MOST_STEPS = 40, 20_000  # steps refused in a run, and steps still to do, beyond which it leads nowhere


def same_cells(first: Mesh, second: Mesh) -> bool:
    """Whether two meshes have the same cells, in the same order."""
    return first.centers.shape == second.centers.shape and all(
        np.allclose(getattr(first, name), getattr(second, name), rtol=SAME, atol=SAME) for name in ("centers", "volumes")
    )


@dataclass(eq=False, repr=False)
class MeshState(ControlledState):
    """The cell averages (N,), and what the size of the next step is judged by.

    sweeps    that the last step took
    longest   step so far
    allowed   the longest step since one was refused
    refused   how many were
    """

    sweeps: int = 0
    longest: float = 0.0
    allowed: float = math.inf
    refused: int = 0


class MeshStepper(StepControl[MeshState]):
    """`FiPyMesh` bound to a problem. Never stored."""

    def __init__(self, method: Any, problem: Problem, fipy_mesh: Any, mesh: Mesh, grid: Grid | None) -> None:
        self.method, self.problem, self.mesh, self.grid = method, problem, mesh, grid
        self.volumes, self.tau = mesh.volumes, problem.noise
        self.stop = 0.0
        self.medium = problem.energy.internal if isinstance(problem.energy.internal, PorousMedium) else None
        energy = problem.energy.wrapped(grid.periods()) if grid else problem.energy
        self.faces = Faces(fipy_mesh)
        self.faces.judge(mesh)
        self.potential = energy.at(mesh.centers, method.tolerance)
        self.first_step = first_step(float(self.faces.distance.min(initial=math.inf)), self.tau)
        if (parts := self.faces.parts()) > 1:
            text = f"the {mesh.title} falls into {parts} parts that no face joins, where mass stays: in Gmsh, BooleanFragments joins them"
            warn(text, BoundaryWarning)
        self.equation = Equation(
            fipy_mesh, mesh, self.faces, self.potential, method.convection, method.diffusion, self.tau, self.medium, problem.growth
        )
        self.facts = {
            "method_summary": f"FiPyMesh({mesh.title}, {method.convection})",
            "kernel_rank": self.potential.rank,
            "kernel_error": self.potential.error,
        }

    def start(self) -> MeshState:
        """The initial law's cell averages, scaled to mass one, and where mass grows to the law's mass."""
        law, values = self.problem.initial, self._averages()
        mass, held = getattr(law, "mass", 1.0) if self.problem.growth else 1.0, float(values @ self.volumes)
        if isinstance(law, MeshDensity):  # on its own mesh, where all of it is
            pass
        elif self.mesh.cell_dim < self.mesh.dim:  # where all of the law is, and known up to a factor but for a reduced problem
            flat = float(self.volumes.sum()) / SPHERES[self.mesh.dim] if self.problem.growth else 1.0
            self._judge(held / (mass * flat), 0.0)
        else:
            self._judge(held, 1.0 if self.grid else outside_of(self.mesh, law))
        if self.grid:
            sums = along_axes(np.add, values.reshape(self.grid.shape, order="F"))
            judge_resolution(self.grid, sums, self.problem.axis_names(self.grid.dim), law)
        else:
            judge_mesh_resolution(self.mesh, values, law)
        return MeshState(0.0, values * (mass / held))

    def resume(self, measure: Measure, time: float, steps: int) -> MeshState:
        """The cell averages of a frame on the same mesh."""
        if not isinstance(measure, MeshDensity) or not same_cells(measure.mesh, self.mesh):
            raise InputError(f"a run on the {self.mesh.title} goes on from a density on its cells, not from {measure!r}: give its method")
        return MeshState(time, measure.values)

    def _averages(self) -> np.ndarray:
        """Those of the initial law over the cells, exact on a box, whose first axis runs fastest."""
        law = self.problem.initial
        if self.grid is None or isinstance(law, MeshDensity):
            return mesh_averages(law, self.mesh)
        return law.cell_averages(self.grid).ravel(order="F")

    def _judge(self, held: float, outside: float) -> None:
        """`held`: the sum of the law's averages, less than one by what is outside, and by the error of their quadrature.

        `outside`: probability outside the mesh, estimated by quadrature; separates truncation from quadrature error.
        """
        title, left_out = self.mesh.title, min(max(1.0 - held, 0.0), 2.0 * outside)
        where = box_title(self.grid.lower, self.grid.upper) if self.grid else f"the {title}"
        judge_box(self.problem.initial, 1.0 - left_out, where, "choose one around the law")
        if abs(held + left_out - 1.0) > UNRESOLVED:
            text = f"the cells of the {title} are too large for the initial law: its averages sum to {held:.3g}, and are scaled to one"
            warn(text, ResolutionWarning)

    def step(self, state: MeshState, stop: float) -> Diagnostics:
        """Advance `state` by the step that its error allows, not past `stop`, which shows whether refused steps lead anywhere."""
        self.stop = stop
        return super().step(state, stop)

    def advance(self, state: MeshState, stop: float, longest: float = math.inf) -> Diagnostics:
        """Advance `state` by the step that accuracy allows, at most the `longest`, not past `stop`, and without a negative cell."""
        before, remaining = self.diagnostics(state), stop - state.time
        resolved = self._accurate(state)
        while True:
            dt = landing(remaining, min(longest, resolved, state.allowed))
            try:
                values, sweeps = self._moved(state.array, dt)
                break
            except Refused as reason:
                state.allowed, state.refused = 0.5 * dt, state.refused + 1
                hopeless = state.allowed < LEAST_STEP_FACTOR * min(resolved, remaining, state.longest or math.inf)
                if hopeless or (state.refused > MOST_REFUSED and max(stop, self.stop) - state.time > MOST_STEPS * state.allowed):
                    raise StepCollapse(
                        f"no useful step from t = {state.time:.6g} is possible with {CONVECTION[self.method.convection]} and "
                        f"{DIFFUSION[self.method.diffusion]}, the last one tried with dt = {dt:.2g}: {reason}; {reason.remedy}"
                    ) from None
        state.exchange(values)
        state.sweeps = sweeps
        state.longest, state.allowed = max(dt, state.longest), RECOVERY * state.allowed
        state.time = stop if dt == remaining else state.time + dt
        return before

    def potential_of(self, state: MeshState) -> np.ndarray:
        """G at the centres of the cells."""
        return np.array(self.potential.update(state.array * self.volumes))

    def _accurate(self, state: MeshState) -> float:
        """The step by which the mass moves `cells_per_step` cells, in the root mean square; not longer than the user's."""
        values = state.array
        g = self.potential.update(values * self.volumes)
        speeds, first, second = self.equation.speeds(g), values[self.faces.first], values[self.faces.second]
        diffuses = self.tau or self.medium  # at rest the two parts of the flux cancel if the first one is that of the mean
        flux = speeds * (0.5 * (first + second) if diffuses else np.where(speeds > 0, first, second))
        flux -= self.equation.coefficients(values) * self.faces.across(values)
        leaving = self.faces.outgoing(flux * self.faces.area)
        masses = values * self.volumes
        full = masses > LONELY * masses.max()
        rates = (leaving[full] / masses[full]) ** 2 + (self.problem.growth * g[full]) ** 2
        rate = math.sqrt(float(masses[full] @ rates) / masses.sum())
        return min(self.method.cells_per_step / rate if rate > 0 else math.inf, self.method.dt or math.inf)

    def _moved(self, values: np.ndarray, dt: float) -> tuple[np.ndarray, int]:
        """The values `dt` later, and the sweeps it took; see the module's text."""
        middle, early = self._stage(values, values, dt)
        base = self._cleared(values + EXTRAPOLATION * (middle - values), "the second stage begins with")
        guess = np.maximum(values + (middle - values) / GAMMA, 0.0)
        found, late = self._stage(base, guess, dt)
        lost = abs(float((found - values) @ self.volumes)) / float(values @ self.volumes)
        if lost > LOST and not self.problem.growth:
            raise Refused(f"the sweeps changed the mass by {lost:.1e} of it", POSITIVE)
        return self._cleared(found, "the step ends with"), early + late

    def _stage(self, base: np.ndarray, guess: np.ndarray, dt: float) -> tuple[np.ndarray, int]:
        return self.equation.stage(base, guess, GAMMA * dt, self.method.sweeps, self.method.accuracy)

    def _cleared(self, values: np.ndarray, where: str) -> np.ndarray:
        """The values with negative ones that are rounding set to zero, at the expense of the others; refuses worse ones."""
        lowest = float(values.min())
        if lowest >= 0:
            return values
        masses = values * self.volumes
        mass, missing = float(masses.sum()), -float(masses[masses < 0].sum())
        if missing > ROUNDING * mass:
            raise Refused(f"{where} {lowest:.2g} in a cell, {missing:.1e} of mass below zero in all", POSITIVE)
        kept = np.maximum(values, 0.0)
        result: np.ndarray = kept * (mass / float(kept @ self.volumes))
        return result

    def diagnostics(self, state: MeshState) -> Diagnostics:
        """Of `state`; ∫|∇ξ|² dμ as the sum over faces of area·(mean of μ)·∂_n ξ·(difference of ξ), ξ = G + τ log μ + U'(μ)."""
        values = state.array
        masses = values * self.volumes
        g = self.potential.update(masses)
        loss = self.potential.loss
        energy = 0.5 * loss + self.tau * float(special.xlogy(values, values) @ self.volumes)
        if self.medium:
            energy += float(masses @ self.medium.derivative(values)) / self.medium.q  # U = μU'(μ)/q
        least = LONELY * float(values.max())
        seen, xi = values > least, g + self.equation.forces(np.maximum(values, least))
        mean = 0.5 * (values[self.faces.first] + values[self.faces.second]) * (seen[self.faces.first] & seen[self.faces.second])
        derivative = self.faces.across(xi) + self.faces.beside(xi)
        dissipation = float((self.faces.area * mean * derivative) @ (xi[self.faces.second] - xi[self.faces.first]))
        dissipation += self.problem.growth * float(masses @ g**2)
        boundary = np.array([[masses[self.faces.edge].sum()]])
        extra = {"sweeps": float(state.sweeps)}
        return Diagnostics(state.time, loss, energy, dissipation, float(masses.sum()), float(values.min()), boundary, extra)

    def frame(self, state: MeshState) -> Frame:
        """The density as it is (a copy), its diagnostics and its prediction."""
        diagnostics = self.diagnostics(state)
        return Frame(MeshDensity(self.mesh, state.array.copy(), self.problem.energy.neuron), diagnostics, self.potential.prediction)
