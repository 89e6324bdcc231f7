"""Frames and states that ranks share, put together where they are stored or shown."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from wgf.measures.averages import weights_of
from wgf.measures.base import Measure
from wgf.measures.grid import Grid
from wgf.measures.measure import Density
from wgf.methods.base import Frame, State
from wgf.ranks.communicator import Ranks
from wgf.ranks.divided import Divided, gathered, spread

EDGE = 2  # cells


def collected(frame: Frame, ranks: Ranks, on_all: bool) -> Frame:
    """The frame with the density on all cells, on the first rank or on all of them; where there is none, the frame as it is."""
    if frame.whole is None:
        return frame
    part: Any = frame.measure
    values = gathered(share_of(frame), ranks)
    if on_all:
        values = spread(values, frame.whole.shape, ranks)
    if values is None:
        return frame
    return dataclasses.replace(frame, measure=Density(frame.whole, values, part.neuron, part.averages), whole=None)


def share_of(frame: Frame) -> Divided:
    """What this rank has of the density."""
    part: Any = frame.measure
    whole = frame.whole or part.grid
    return Divided(whole.shape, part.grid.place_in(whole), part.values)


def fields_of(state: State) -> dict[str, Any]:
    """The fields of a state by name."""
    return {item.name: getattr(state, item.name) for item in dataclasses.fields(state)}


def mean_of(frame: Frame, ranks: Ranks) -> np.ndarray:
    """∫ θ dμ / ∫ dμ, (p,), of a density that ranks share."""
    part: Any = frame.measure
    lines = [part.values.sum(axis=tuple(k for k in range(part.dim) if k != axis)) for axis in range(part.dim)]
    sums = np.array([*(line @ centers for line, centers in zip(lines, part.grid.centers, strict=True)), part.values.sum()])
    ranks.sum(sums)
    result: np.ndarray = sums[:-1] / sums[-1]
    return result


def prediction_of(frame: Frame, x: np.ndarray, ranks: Ranks) -> np.ndarray:
    """φ_μ(x), (n,), of a density that ranks share, for inputs x (n, d)."""
    total = Widened(frame.measure, frame.whole).predict(x)
    ranks.sum(total)
    return total


class Widened(Measure):
    """What a rank has of a density, so that sums of it over all ranks are integrals as of the whole: with EDGE cells more where its box
    ends inside, as the weights of averages (measures/averages.py) give to the cells beside them. Around a corner they lie at the other end.
    """

    def __init__(self, part: Any, whole: Grid | None) -> None:
        self.part, self.neuron, whole = part, part.neuron, whole or part.grid
        places, p = part.grid.place_in(whole), part.dim
        spans = [place.stop - place.start == n for place, n in zip(places, whole.shape, strict=True)]
        self.wraps = [wrap and span for wrap, span in zip(whole.periodic(), spans, strict=True)]
        inner = [
            (EDGE * (not span and (wrap or place.start > 0)), EDGE * (not span and (wrap or place.stop < n)))
            for place, n, wrap, span in zip(places, whole.shape, whole.periodic(), spans, strict=True)
        ]
        values = np.pad(part.values, inner)
        self.masses_ = (weights_of(values, self.wraps) if part.averages else values).ravel() * whole.cell_volume
        cells = [np.arange(place.start - low, place.stop + high) for place, (low, high) in zip(places, inner, strict=True)]
        centers = [whole.centers[k][cells[k] % whole.shape[k]] for k in range(p)]
        self.places = np.stack(np.meshgrid(*centers, indexing="ij"), axis=-1).reshape(-1, p)

    @property
    def points(self) -> np.ndarray:
        return self.places

    @property
    def masses(self) -> np.ndarray:
        return self.masses_
