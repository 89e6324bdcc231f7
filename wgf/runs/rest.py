"""Runs that end at rest.

E falls along the flow at the rate of the dissipation, dE/dt = −D, D = ∫|∇(G + τ log μ)|² dμ. How far a state is from rest is its

    residual    R(t) = t D(t)/(E(0) − E(t)):

what E would lose at its present rate in a time as long again, over what it has lost so far; of a run that goes on from another, t and E(0)
are counted from there. R has no unit, does not see a constant that is
added to E, and begins at 1. Where E − E* falls like e^{−λt}, (E − E*)/(E(0) − E) = R/(λt); where it falls like t^{−a}, it is R/a: in both
cases R is the part of the fall that is still to come, for t ≥ 1/λ and a ≥ 1 as a bound. A run is at rest when R ≤ `tolerance`, or when D
is so small that until `longest` E would change by less than its rounding: R = 0. It is so at the start, where that is a critical point.

A plateau looks like rest: near a saddle the flow may slow down by more than 1/tolerance, and leave it later; and a symmetric start stays
symmetric. Where a scheme's steady state has a dissipation of its own, of the size of its error, R falls
no further and then grows with t: the smallest R that was seen is reported, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from wgf.errors import InputError, RestWarning, brief, number, positive, warn
from wgf.methods.base import Diagnostics, Frame
from wgf.registers import known

ROUNDING = 1e-14  # of |E(0)|: no fall below it is seen
LATER = "give a later longest, in [time] of a file or as wgf.Rest(longest=…)"


@dataclass(frozen=True)
class Rest:
    """The end of a run at rest: when its residual R(t) = t·D/(E(0) − E(t)) is small; at the longest time in any case.

    Parameters
    ----------
    tolerance : float
        the largest residual of a state at rest, in (0, 1)
    longest : float
        the time at which the run ends in any case
    """

    tolerance: float = 1e-3
    longest: float = 100.0

    def __post_init__(self) -> None:
        positive(self.tolerance, "rest: tolerance")
        positive(self.longest, "rest: longest")
        if self.tolerance >= 1:
            raise InputError(f"rest: tolerance = {self.tolerance:g}: the residual begins at 1, so that it must be less")

    def residual(self, first: Diagnostics, now: Diagnostics) -> float:
        """R(t) of a state, for the diagnostics of the start and its own."""
        rate, fallen = abs(now.dissipation), first.free_energy - now.free_energy
        if rate * self.longest <= ROUNDING * abs(first.free_energy):
            return 0.0
        if now.time == first.time:
            return 1.0
        return (now.time - first.time) * rate / fallen if fallen > 0 else math.inf


def residual_in_words(residual: float) -> str:
    """For people: there is none where E has not fallen below its start."""
    return f"residual {residual:.2g}" if math.isfinite(residual) else "no residual, as E has not fallen since the start"


def as_end(until: float | str | Rest) -> float | Rest:
    """The end of a run: a time, a Rest, or "rest"."""
    if isinstance(until, str):
        known(until, ("rest",), "end of a run")
        return Rest()
    return until


def end_time(until: float | str | Rest) -> float:
    """The end of runs that are compared time by time, which is a time."""
    if not number(until) > 0:
        raise InputError(f"until = {brief(until)}: runs are compared up to a time: give a number")
    return number(until)


class Ending:
    """Sees, as an observer, whether a run has come to rest: `reached`, with the time and the residual; without a Rest it never has."""

    def __init__(self, end: float | Rest) -> None:
        self.rest = end if isinstance(end, Rest) else None
        self.first: Diagnostics | None = None
        self.reached, self.time, self.residual = False, math.nan, math.inf
        self.smallest = (math.inf, 0.0)  # residual, and its time

    def frame(self, frame: Frame) -> None:
        self.step(frame.diagnostics)

    def step(self, diagnostics: Diagnostics) -> None:
        self.first = self.first or diagnostics
        if self.rest is None or self.reached:
            return
        self.residual = self.rest.residual(self.first, diagnostics)
        self.smallest = min(self.smallest, (self.residual, diagnostics.time))
        if self.residual <= self.rest.tolerance:
            self.reached, self.time = True, diagnostics.time

    def close(self, error: BaseException | None) -> None:
        pass

    @property
    def facts(self) -> dict[str, Any]:
        """For the run's attributes: rest_time, NaN where it was not reached, rest_residual and rest_tolerance."""
        if self.rest is None:
            return {}
        return {"rest_time": self.time, "rest_residual": self.residual, "rest_tolerance": self.rest.tolerance}

    def warn(self) -> None:
        """Say it where rest was not reached, or was the start."""
        if self.rest is not None and not self.reached:
            text = (
                f"not at rest by t = {self.rest.longest:g}: {residual_in_words(self.residual)}, tolerance {self.rest.tolerance:g}, "
                f"the smallest so far {self.smallest[0]:.2g} at t = {self.smallest[1]:.3g}; "
                + (LATER if self.residual <= 2 * self.smallest[0] else "no closer to rest is this scheme on these cells")
            )
            warn(text, RestWarning)
        elif self.rest is not None and self.first is not None and self.time == self.first.time:
            text = (
                f"at rest at t = {self.time:g}: the start is a critical point, which may be a saddle, or is as symmetric as one; "
                "another start may move"
            )
            warn(text, RestWarning)
