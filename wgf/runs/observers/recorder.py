"""The run kept in memory, where no file holds it."""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.methods.base import Diagnostics, Frame, State
from wgf.problems.problem import Problem
from wgf.ranks.communicator import Ranks
from wgf.runs.collected import collected
from wgf.runs.run import Run, columns, ending, history_columns, run_attributes
from wgf.runs.stored_data import tested


class Recorder:
    """Keeps frames and diagnostics, and makes a Run of them."""

    def __init__(self, problem: Problem, method: Any, facts: dict[str, Any], ranks: Ranks) -> None:
        self.problem, self.ranks = problem, ranks
        self.attributes = run_attributes(problem, method, facts)
        self.frames: list[Frame] = []
        self.history: list[Diagnostics] = []

    def frame(self, frame: Frame) -> None:
        self.frames.append(frame)

    def step(self, diagnostics: Diagnostics) -> None:
        self.history.append(diagnostics)

    def whole(self, frame: Frame) -> Frame:
        """The frame as it is kept, on all ranks."""
        return collected(frame, self.ranks, on_all=True)

    def follow(self, state: State, stepper: Any, noted: dict[str, Any]) -> None:
        """A run in memory has no checkpoint."""

    def settle(self) -> None:
        """Nothing is written."""

    def note(self, facts: dict[str, Any]) -> None:
        """Further attributes, known at the end."""
        self.attributes |= facts

    def close(self, error: BaseException | None) -> None:
        self.attributes["status"] = ending(error)

    def run(self) -> Run:
        """What was kept, as a Run."""
        frames = columns([frame.diagnostics for frame in self.frames])
        frames["prediction"] = np.array([frame.prediction for frame in self.frames])
        measures, data = [frame.measure for frame in self.frames], self.problem.energy.data
        if data is not None and data.test is not None:
            found = [tested(data, measure) for measure in measures]
            frames |= {name: np.array([each[name] for each in found]) for name in found[0]}
        return Run(frames, measures, history_columns(self.history), data, self.attributes, self.problem)
