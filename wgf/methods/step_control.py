"""How long a time step may be, by an error estimate: now and then a step is taken twice, as a whole and in two halves.

A scheme bounds its steps by what keeps it positive, and by how far the mass moves. Near a rest, stable or not, the mass hardly moves, and
neither bound says anything; but a perturbation of the rest grows or decays there at a rate of its own. Of a scheme of order q, the whole
step and its halves differ by the error of the whole step, up to the factor 1 − 2^{−q}. The halves are kept, and judged by

    error = |halves − whole|   beside   change = |halves − before|,
    error ≤ tolerance·max(change, FLOOR·path·H/(t + H)) + unit·scale,

`path` being the sum of the changes so far, and H the length of the step. The first bound is relative to the change alone: where a small
perturbation of a rest grows by e^n, its relative error is about n·tolerance, however small it is. By the second one steps become longer
as a flow comes to a stable rest: the error at the end is at most a tolerance·FLOOR of the way, about. The third one is rounding.

All this holds twice: for the density, |μ − ν| = ∫|μ − ν| dθ in units of mass (its scale), and for the potential, of which only differences
between places count, |G − F| = max(G − F) − min(G − F) in units of energy (its scale: max|G|, that of the energy, and τ). Each sees what
the other one does not: without an interaction the potential does not change at all, and where small targets are learned while the density
still settles on its cells, they are seen in the potential only. TOLERANCES are of both: that of the density is the larger one, as
limiters, which switch from cell to cell, leave errors in it that no integral over it sees. Where the two densities are equal to rounding,
so are the potentials, also if rounding is much beside targets that nearly vanish.

The longest next step is H·(allowed error/error)^½, with a margin, and at most GROWTH·H. Of this ratio the first BITS binary digits are
taken: errors are differences of nearly equal numbers, whose last digits depend on the order of sums, and so on how many ranks share the
cells; they should have no say in when a run is where. Steps are taken twice at the start, where the first one is so short that heat does
not leave a cell, as long as they grow from one to the next, and each INTERVAL-th time; after one that had to be shorter they are not,
although they may be longer: otherwise two steps, of which one is too long, would follow each other at the cost of eight. When a run stores
its frames has no say: a step that is cut off by one of them leaves the longest step as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from wgf.errors import StepCollapse
from wgf.kernels.differences import distance, spreads
from wgf.methods.base import Diagnostics, State
from wgf.problems.problem import Problem
from wgf.ranks.communicator import ALONE, Ranks

TOLERANCES = np.array([2e-3, 3e-4])  # of the change in a step, in density and potential: what may separate the whole step from its halves
FLOOR = 0.03  # of the mean rate of change so far, to which errors are relative at least
ROUNDING = 1e-14  # of the mass, and of the energy's scale, in double precision
MARGIN = 0.9  # of the step that the error allows
GROWTH, LEAST = 2.0, 0.1  # largest and least ratio of a step to the one before it
ALMOST = 0.9  # of the longest step: one that the scheme itself has hardly shortened
INTERVAL = 16  # steps from one that is taken twice to the next
MOST_TRIED = 40  # lengths of one step
BITS = 8  # of the ratio of steps
TINY = 1e-300  # instead of zero, where it is divided by


@dataclass(eq=False, repr=False)
class ControlledState(State):
    """A state, and what the length of its next step is judged by.

    trusted     the longest step that the last error allows; 0 if no step has been taken twice yet
    unchecked   steps since then; INTERVAL where the next one is to be taken twice
    growing     whether `trusted` is bounded by GROWTH, not by the error, of a step that did not have to be shorter
    rate        change per unit time of that step (2,): of the density, and of the potential
    path        change so far (2,)
    """

    trusted: float = 0.0
    unchecked: int = INTERVAL
    growing: bool = True
    rate: np.ndarray = field(default_factory=lambda: np.zeros(2))
    path: np.ndarray = field(default_factory=lambda: np.zeros(2))


AnyControlled = TypeVar("AnyControlled", bound=ControlledState)


class StepControl(Generic[AnyControlled]):
    """The steps of a scheme that can take one step of its own, `advance`, under the control of their error.

    first_step   so short that no error has to be feared; inf where the bounds of the scheme are all that is known
    volumes      of the cells, one number or as the values of a state
    ranks        those that share the cells: what is judged is what all of them have
    everywhere   whether all cells may hold mass; else the potential is looked at where they do
    unit         what is rounding, relative to the mass and to the energy's scale
    tried        lengths of the last step that was taken twice
    """

    problem: Problem
    first_step: float
    volumes: Any
    ranks: Ranks = ALONE
    everywhere: bool = True
    unit: float = ROUNDING
    tried: int = 0

    def advance(self, state: AnyControlled, stop: float, longest: float = math.inf) -> Diagnostics:
        """Advance `state` by one step of the scheme, at most the `longest`, that lands on `stop`; the diagnostics of the state it left."""
        raise NotImplementedError

    def potential_of(self, state: AnyControlled) -> np.ndarray:
        """G(·; μ) at the cells, in an array that nothing else writes into."""
        raise NotImplementedError

    def step(self, state: AnyControlled, stop: float) -> Diagnostics:
        """Advance `state` by the step that its error allows, not past `stop`."""
        start, longest = state.time, state.trusted or self.first_step
        if state.unchecked >= INTERVAL:
            return self._taken_twice(state, stop, longest)
        diagnostics = self.advance(state, stop, longest)
        taken = state.time - start
        state.path = state.path + state.rate * taken
        state.unchecked = INTERVAL if state.growing and taken >= ALMOST * longest else state.unchecked + 1
        return diagnostics

    def _taken_twice(self, state: AnyControlled, stop: float, longest: float) -> Diagnostics:
        """The same with a step taken as a whole and in halves, as far as the scheme and the error allow, and at most the `longest`."""
        before = self.potential_of(state)
        for self.tried in range(1, MOST_TRIED + 1):
            whole, halves = state.copy(), state.copy()
            self.advance(whole, stop, longest)
            length, wrong = whole.time - state.time, self.potential_of(whole)  # while it is in place
            diagnostics = self.advance(halves, state.time + 0.5 * length)
            while halves.time < whole.time:
                self.advance(halves, whole.time)
            changed, missed, largest = self.spreads(before, wrong, self.potential_of(halves), halves.array)
            change = np.array([self.apart(halves.array, state.array), changed])
            error = np.array([self.apart(halves.array, whole.array), missed])
            scale = np.array([diagnostics.mass, largest + self.problem.energy.scale + self.problem.noise])
            error *= error[0] > self.unit * scale[0]  # what differs between equal densities is rounding, of targets however small
            path, time = state.path + change, max(state.time, 0.0) + length
            allowed = TOLERANCES * np.maximum(change, FLOOR * path * length / time) + self.unit * scale
            ratio = rounded_down(MARGIN * math.sqrt(1.0 / max(float(np.max(error / np.maximum(allowed, TINY))), TINY)))
            if (error <= allowed).all():
                most = max(GROWTH * length, longest if math.isfinite(longest) else 0.0)
                vars(state).update(vars(halves))
                state.trusted, state.unchecked, state.growing = min(ratio * length, most), 0, self.tried == 1 and ratio * length > most
                state.rate, state.path = change / length, path
                return diagnostics
            longest = max(LEAST, ratio) * length
        raise StepCollapse(
            f"at t = {state.time:.6g} no step is found that two of half its length confirm; the last one, of {length:.2g}, differs from "
            f"them by {float(np.max(error / change)):.1e} of what it changes: give a longest step dt, or choose fewer cells"
        )

    def apart(self, first: np.ndarray, second: np.ndarray) -> float:
        """∫|μ − ν| dθ for the values of two states."""
        volumes = np.asarray(self.volumes, dtype=float).reshape(-1)
        total = np.array([distance(self.own(first).reshape(-1), self.own(second).reshape(-1), volumes)])
        self.ranks.sum(total)
        return float(total.item())

    def spreads(self, before: np.ndarray, wrong: np.ndarray, after: np.ndarray, values: np.ndarray) -> tuple[float, float, float]:
        """max − min of after − before and of after − wrong, and max|after|, for potentials, over the cells of all ranks that may hold mass
        in a state with these values; a rank may have none of them.
        """
        before, wrong, after, values = (each.reshape(-1) for each in (before, wrong, after, self.own(values)))
        ends, highest, lowest = spreads(before, wrong, after, values, self.everywhere), self.ranks.highest, self.ranks.lowest
        changed, missed = (highest(ends[k]) - lowest(ends[k + 1]) for k in (0, 2))
        return changed, missed, max(abs(highest(ends[4])), abs(lowest(ends[5])))

    def own(self, values: np.ndarray) -> np.ndarray:
        """What of the values of a state is this rank's own."""
        return values

    def spread(self, values: np.ndarray) -> float:
        """max − min over the ranks; a rank may have none of the values, but not all of them."""
        highest, lowest = float(values.max(initial=-np.inf)), float(values.min(initial=np.inf))
        return self.ranks.highest(highest) - self.ranks.lowest(lowest)


def rounded_down(value: float) -> float:
    """Its first BITS binary digits."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(math.ldexp(mantissa, BITS) // 1.0, exponent - BITS)


def first_step(spacing: float, noise: float) -> float:
    """The time in which heat crosses a cell, h²/τ; inf without noise."""
    return spacing**2 / noise if noise > 0 else math.inf
