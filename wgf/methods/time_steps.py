"""How long a time step is so that the steps land on a given time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from wgf.methods.base import AnyState

SLIVER = 1e-9  # of a step: a rest that is longer than a step by less is one step


def shortened(remaining: float, dt: float) -> tuple[float, bool]:
    """A step of `dt`, or the rest where that is shorter, and whether it is the last one."""
    last = remaining <= dt * (1 + SLIVER)
    return (remaining if last else dt), last


def landing(remaining: float, dt: float) -> float:
    """A step of `dt`, or one that is shorter so that no tiny step is left over before the end: the rest in one or in two halves."""
    if remaining <= dt * (1 + SLIVER):
        return remaining
    return dt if remaining >= 2 * dt else 0.5 * remaining


def equal_steps(remaining: float, dt: float) -> tuple[float, bool]:
    """The first of equal steps of at most `dt` to the end, and whether it is the only one."""
    count = max(1, math.ceil(remaining / dt - SLIVER))
    return remaining / count, count == 1


def in_turn(move: Callable[[AnyState, float], Any], react: Callable[[AnyState, float], Any], state: AnyState, stop: float) -> None:
    """Strang's order: one step of `move`, `react` for twice its length, and `move` as far again, not past `stop`.

    move(state, time)    takes a step towards that time, and keeps that of the state
    react(state, time)   for so long, without a say in the time of the state
    """
    start = state.time
    middle = start + 0.5 * (stop - start)
    move(state, middle)
    end = stop if state.time == middle else start + 2.0 * (state.time - start)
    react(state, end - start)
    while state.time < end:
        move(state, end)
