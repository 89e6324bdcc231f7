"""The frames of two runs side by side."""

from __future__ import annotations

import numpy as np

from wgf.errors import InputError
from wgf.measures.measure import Cloud
from wgf.networks.data import Data
from wgf.registers import listed
from wgf.runs.run import Run

NEAR = 1e-9  # relative: times that agree so far are the same


def common_frames(first: Run, second: Run) -> list[tuple[int, int]]:
    """The numbers of the frames at times that both have; refuses runs whose neurons have different coordinates."""
    axes = [run.measures[0].points.shape[1] for run in (first, second)]
    if axes[0] != axes[1]:
        raise InputError(f"the runs are of different problems: their measures have {axes[0]} and {axes[1]} coordinates, which must agree")
    names = [run.problem.axis_names(axes[0]) if run.knows_problem else () for run in (first, second)]
    if all(names) and names[0] != names[1]:
        raise InputError(f"the runs are of different problems: θ is ({listed(names[0])}) in one and ({listed(names[1])}) in the other")
    nearest = [int(np.abs(second.times - time).argmin()) for time in first.times]
    return [(i, j) for i, j in enumerate(nearest) if abs(first.times[i] - second.times[j]) <= NEAR * (1.0 + abs(first.times[i]))]


def densities_first(first: Run, second: Run) -> tuple[Run, Run]:
    """The two runs in the order in which they are drawn: neurons over a density."""
    return (second, first) if isinstance(first.measures[0], Cloud) and not isinstance(second.measures[0], Cloud) else (first, second)


def same_data(first: Data | None, second: Data | None) -> bool:
    """Whether two data have the same inputs, weights and targets, or neither is there."""
    if first is None or second is None:
        return first is second
    return all(
        np.shape(mine) == np.shape(theirs) and np.allclose(mine, theirs, rtol=NEAR, atol=NEAR)
        for mine, theirs in ((first.inputs, second.inputs), (first.weights, second.weights), (first.targets, second.targets))
    )
