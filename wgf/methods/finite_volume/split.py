"""Transport and heat in turn: ∂_t μ = div(μ ∇G(θ; μ)) + τ Δμ for temperatures that the cells hardly see.

Strang's order: half a step of heat, a step of transport (transport.py), half a step of heat. Each half step is the exact flow
of the discrete heat equation on the cells, which on the whole line is the convolution with the positive kernel

    K_j(s) = e^{−2s} I_j(2s),   s = τ dt/h²   (I_j: the modified Bessel functions; Σ_j K_j = 1),

and in a box with closed walls that of the density reflected at them (half-sample symmetric), on a periodic axis that of the
periodic density. Mass and sign are kept, and ∫μ log μ falls, for any s; transport keeps mass and sign, and lets ½L fall. The
step is that of the transport. The Gibbs state is kept to second order only, so that near it E stops falling.
"""

from __future__ import annotations

import dataclasses
import math
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import ndimage, special

from wgf.kernels.sums import fill_logarithms
from wgf.measures.grid import Grid
from wgf.methods.base import Diagnostics
from wgf.methods.finite_volume.transport import Transport, TransportState
from wgf.methods.time_steps import landing
from wgf.problems.problem import Problem

CUT = 1e-17  # what is left out of the kernel
WIDEST = 64.0  # standard deviations of the kernel in cells, to which a half step of heat is bounded
DEVIATIONS, CELLS = 10.0, 20.0  # its standard deviations and cells that are looked at for that: more than CUT leaves in any kernel
AIM = 0.95  # of the step that transport is allowed: heat changes how fast mass leaves a cell
BLOCKS = 16  # in which logarithms are taken


class Split(Transport):
    """`FiniteVolume` with noise, scheme `split`. Never stored; its states are those of the transport."""

    def __init__(self, method: Any, problem: Problem, grid: Grid, potential: Any = None) -> None:
        self.tau = problem.noise
        super().__init__(method, problem, grid, potential)
        self.logarithms, self.xi = np.empty(self.own(self.spare[0]).shape), np.empty(self.shape)
        self.entropies = np.empty((BLOCKS, 2))

    def advance(self, state: TransportState, stop: float, longest: float = math.inf) -> Diagnostics:
        """Advance `state` by a step of transport between two half steps of heat, at most the `longest`, not past `stop`."""
        before = self.diagnostics(state)
        start, target = state.time, self.target(state, stop, longest)
        self.heat(state, 0.5 * (target - start))
        while state.time < target:
            super().advance(state, target)
        self.heat(state, 0.5 * (target - start))
        return before

    def target(self, state: TransportState, stop: float, longest: float) -> float:
        """Where the next step is to end: as far as transport can go in one, and heat in a kernel of moderate width."""
        remaining = stop - state.time
        dt = min(longest, WIDEST**2 / (self.tau * float(np.max(self.per_spacing**2))), self.method.dt or np.inf)
        if self.outflow > 0:  # as the diagnostics have found it
            dt = min(dt, AIM * state.step_factor * self.longest_stage / (self.part * self.outflow))
        dt = landing(remaining, dt)
        return stop if dt == remaining else state.time + dt

    def heat(self, state: TransportState, time: float) -> None:
        """The exact flow of the discrete heat equation, axis by axis."""
        own, where = self.own(state.array), None
        for axis, per_spacing in enumerate(self.per_spacing):
            kernel = heat_kernel(float(self.tau * time * per_spacing**2))
            source, where = self.lines.moved(own, where, axis), axis
            own = np.empty(source.shape) if self.division.divided else self.spare[0].reshape(source.shape)
            if source.size:
                ndimage.correlate1d(source, kernel, axis, own, "wrap" if self.lines.periodic[axis] else "reflect")
            self.spare.reverse()
        if self.division.divided:
            state.exchange(self.held(self.lines.moved(own, where, None)))
        else:
            self.spare[1] = state.exchange(self.spare[1])

    def diagnostics(self, state: TransportState) -> Diagnostics:
        """That of the transport, with the entropy in the free energy, and ξ = G + τ log μ in place of G in the dissipation."""
        transport = super().diagnostics(state)
        with self.threads:
            fill_logarithms(self.logarithms.reshape(-1), self.own(state.array).reshape(-1), self.entropies)
        entropy = self.total(float(self.entropies[:, 0].sum()))[0] * self.grid.cell_volume
        self.potential.fill(self.xi)
        xi = self.own(self.xi)
        xi += self.tau * self.logarithms
        energy = transport.free_energy + self.tau * entropy
        return dataclasses.replace(transport, free_energy=energy, dissipation=self.dissipation(state.array))

    def dissipation(self, values: np.ndarray) -> float:
        """∫|∇ξ|² dμ: on every face, the square of the difference times the mean of the two cells."""
        total = 0.0
        for axis, per_spacing in enumerate(self.per_spacing):
            xi, density = (self.lines.moved(self.own(array), None, axis) for array in (self.xi, values))
            jump, mean = np.roll(xi, -1, axis) - xi, 0.5 * (np.roll(density, -1, axis) + density)
            faces = np.moveaxis(jump**2 * mean, axis, 0)
            total += per_spacing**2 * float(np.sum(faces if self.lines.periodic[axis] else faces[:-1]))
        return self.total(total)[0] * self.grid.cell_volume


@lru_cache(maxsize=16)
def heat_kernel(s: float) -> np.ndarray:
    """e^{−2s} I_j(2s) for |j| ≤ the reach beyond which it is below CUT, summing to one."""
    reach = int(DEVIATIONS * np.sqrt(2.0 * s) + CELLS)
    half = special.ive(np.arange(reach + 1), 2.0 * s)
    half = half[: max(1, int(np.count_nonzero(half > CUT)))]
    kernel = np.concatenate([half[:0:-1], half])
    result: np.ndarray = kernel / kernel.sum()
    return result
