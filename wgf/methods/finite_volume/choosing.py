"""The scheme for the noise, chosen along the run by the truncation errors of both on the density as it is.

In units h = 1, with x = ΔG/τ on a face between the averages u_i and u_{i+1} of a smooth density u, h²/τ times the fluxes of the
two schemes along an axis, and of the equation itself, are

    gibbs   −½(u_i + u_{i+1}) x − (x/2) coth(x/2) (u_{i+1} − u_i),
    split   −u_face x − (u_{i+1} − u_i),      u_face the limited value from the upwind side,
    exact   −¹⁄₁₂(7(u_i + u_{i+1}) − u_{i−1} − u_{i+2}) x' − ¹⁄₁₂(15(u_{i+1} − u_i) − u_{i+2} + u_{i−1}) + O(h⁴),

x' = (27 x_i − x_{i−1} − x_i − x_{i+1})/24, the derivative of G at the face up to O(h⁴). The truncation error of a scheme is what it
moves per unit time beside the equation, Σ_axes τ/h² ∫|div(flux − exact)|, a change of μ in L¹. With u' and G' at the face, the errors
of the fluxes themselves are h²(½G'u'' − …) as long as |x| ≲ 1 for both: where mass only slides, gibbs misses twice what split does; where
it slides through cells with |x| > 1 many times as much; at rest, where gibbs is exact but for replacing averages by values, less.

Taken is gibbs, which keeps the Gibbs state and lets E fall, as long as its error is at most PREFERENCE times that of split. This
is looked at again each time the mass has moved by CELLS cells in the root mean square, and after STEPS steps at the latest, for
the price of a step or two. The history's `split` is 1 where the step from a state was one of split, 0 where it was one of gibbs.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from wgf.measures.grid import Grid
from wgf.methods.base import Frame, Reading, State
from wgf.methods.finite_volume.gibbs import DriftDiffusion
from wgf.methods.finite_volume.split import Split
from wgf.methods.grid_stepper import GridStepper
from wgf.problems.problem import Problem

PREFERENCE = 1.5  # the error of gibbs beside that of split up to which gibbs is taken
CELLS = 1.0  # by which the mass moves, in the root mean square, between two looks
STEPS = 50  # between two looks, at most
STRETCH = 2**16  # cells looked at together, so that the work arrays are small

SLOPES = {  # limited slope from the differences a, b to both neighbours (kernels/transport.py)
    "mc": lambda a, b: np.where(a * b > 0, np.sign(a) * np.minimum(2 * np.minimum(abs(a), abs(b)), 0.5 * abs(a + b)), 0.0),
    "minmod": lambda a, b: np.where(a * b > 0, np.sign(a) * np.minimum(abs(a), abs(b)), 0.0),
    "van-leer": lambda a, b: np.where(a * b > 0, 2 * a * b / np.where(a * b > 0, a + b, 1.0), 0.0),
    "upwind": lambda a, b: np.zeros_like(a),
}


class Choosing:
    """`FiniteVolume` with noise, the scheme left open. Never stored.

    Its states are those of the scheme that moves them, whose name stands in their memory.
    """

    def __init__(self, method: Any, problem: Problem, grid: Grid) -> None:
        self.method, self.problem, self.grid = method, problem, grid
        self.stepper: GridStepper = DriftDiffusion(method, problem, grid)
        self.potential = self.stepper.potential
        summary = self.stepper.facts["method_summary"].removesuffix(")")
        self.facts = self.stepper.facts | {"method_summary": f"{summary}, gibbs or split scheme)"}

    def start(self) -> State:
        return self._chosen(self.stepper.start())

    def begin(self, time: float, values: np.ndarray) -> State:
        return self._chosen(self.stepper.begin(time, values))

    def step(self, state: State, stop: float) -> Reading:
        """One step of the scheme chosen; then the choice is looked at again where it is due."""
        self._settle(state)
        start, memory = state.time, state.memory
        reading = self._marked(self.stepper.step(state, stop))
        speed = math.sqrt(max(reading.dissipation, 0.0) / reading.mass) * float(self.stepper.per_spacing.max())
        memory["moved"], memory["steps"] = memory["moved"] + speed * (state.time - start), memory["steps"] + 1
        if memory["moved"] >= CELLS or memory["steps"] >= STEPS:
            self._chosen(state)
        return reading

    def frame(self, state: State) -> Frame:
        self._settle(state)
        frame = self.stepper.frame(state)
        return dataclasses.replace(frame, reading=self._marked(frame.reading))

    def _marked(self, reading: Reading) -> Reading:
        return dataclasses.replace(reading, extra={"split": float(isinstance(self.stepper, Split))})

    def _settle(self, state: State) -> None:
        """Make the stepper that of the state."""
        if state.memory["scheme"] != type(self.stepper):
            self._take(state.memory["scheme"])

    def _take(self, scheme: type[GridStepper]) -> None:
        del self.stepper  # its arrays make room for the other's
        self.stepper = scheme(self.method, self.problem, self.grid, self.potential)

    def _chosen(self, state: State) -> State:
        """The state, ready for the scheme that suits its density."""
        g = self.potential
        values, potential = (array.reshape(g.shape) for array in (state.values, self.stepper.potential_of(state)))
        gibbs, split = truncation_errors(values, potential, self.problem.noise, self.stepper.per_spacing, self.stepper.periodic, self.method.limiter)
        scheme = DriftDiffusion if gibbs <= PREFERENCE * split else Split
        if scheme != type(self.stepper):
            self._take(scheme)
            state.memory = self.stepper.begin(state.time, state.values).memory
        state.memory |= {"scheme": scheme, "moved": 0.0, "steps": 0}
        return state


def truncation_errors(values, potential, tau, per_spacing, periodic, limiter):
    errors = np.zeros(2)
    for axis, (per_h, wrap) in enumerate(zip(per_spacing, periodic, strict=True)):
        u, g = (np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1) for array in (values, potential))
        if wrap:
            u,g=(np.concatenate([a[-3:],a,a[:3]]) for a in (u,g))
        lines = max(1, STRETCH // len(u))
        for first in range(0, u.shape[1], lines):
            part = slice(first, first + lines)
            errors += tau * per_h**2 * line_errors(u[:, part], g[:, part] / tau, limiter)
    return errors/np.prod(per_spacing)


def line_errors(u, g, limiter):
    if len(u) < 6:
        return np.zeros(2)
    du, x = np.diff(u, axis=0), np.diff(g, axis=0)
    slope = SLOPES[limiter](du[:-1], du[1:])
    x3 = x[:-2] + x[1:-1] + x[2:]
    jump, x = du[1:-1], x[1:-1]
    low, high = u[1:-2], u[2:-1]
    exact = (7 * (low + high) - u[:-3] - u[3:]) / 12 * (27 * x - x3) / 24 + (15 * jump - (u[3:] - u[:-3])) / 12
    y = np.maximum(0.5 * np.abs(x), 1e-8)
    gibbs = 0.5 * (low + high) * x + y / np.tanh(y) * jump
    split = np.where(x < 0, low + 0.5 * slope[:-1], high - 0.5 * slope[1:]) * x + jump
    return np.array([np.abs(np.diff(flux - exact, axis=0)).sum() for flux in (gibbs, split)])
