"""Frames and states that ranks share, put together where they are stored or shown."""

from __future__ import annotations

import dataclasses
from typing import Any

from wgf.measures.measure import Density
from wgf.methods.base import Frame, State
from wgf.ranks.communicator import Ranks
from wgf.ranks.divided import Divided, gathered, spread


def collected(frame: Frame, ranks: Ranks, on_all: bool) -> Frame:
    """The frame with the density on all cells, on the first rank or on all of them; where there is none, the frame as it is."""
    if frame.whole is None:
        return frame
    part: Any = frame.measure
    values = gathered(Divided(frame.whole.shape, part.grid.place_in(frame.whole), part.values), ranks)
    if on_all:
        values = spread(values, frame.whole.shape, ranks)
    if values is None:
        return frame
    return dataclasses.replace(frame, measure=Density(frame.whole, values, part.neuron, part.averages), whole=None)


def fields_of(state: State, stepper: Any, ranks: Ranks) -> dict[str, Any]:
    """The fields of a state by name, as one process would have them; on other ranks than the first without its divided arrays."""
    found: dict[str, Any] = {item.name: getattr(state, item.name) for item in dataclasses.fields(state)}
    if hasattr(stepper, "divided"):
        shares: dict[str, Divided] = stepper.divided(state)
        found |= {name: gathered(shares[name], ranks) for name in sorted(shares)}
    return found
