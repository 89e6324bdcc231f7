"""Where a run goes on from the last frame of another: nothing is interpolated, and what it shows first is what that one showed last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wgf.errors import InputError
from wgf.methods.base import Frame, Method, Stepper
from wgf.problems.problem import Problem
from wgf.runs.run import Run

SAME = 1e-9  # of the loss and its scale: what differs by less is the same


class Seam:
    """The last frame of a run, at `time`, after so many `steps` since t = 0; the sources of a file are the files it may not replace."""

    def __init__(self, run: Run) -> None:
        self.problem: Problem = run.problem
        self.measure = run.measures[-1]
        self.time, self.loss = float(run.times[-1]), float(run.loss[-1])
        taken = int((run.history["time"] < self.time).sum())
        self.steps = int(run.attributes.get("steps_before", 0)) + taken
        self.sources: tuple[Path, ...] = (run.path,) if run.path is not None else ()

    @property
    def facts(self) -> dict[str, Any]:
        """For the attributes of the run that goes on."""
        return {"steps_before": self.steps}

    def on_its_cells(self, method: Method) -> Method:
        """The method on the cells of the frame, where its own would have to be found."""
        if not hasattr(method, "on_cells_of"):
            return method
        found: Method = method.on_cells_of(self.problem, self.measure)
        return found

    def resumed(self, stepper: Stepper[Any]) -> Any:
        """The state of the frame."""
        return stepper.resume(self.measure, self.time, self.steps)

    def require_same(self, first: Frame) -> None:
        """Raise an InputError where the first frame of the run that goes on shows another loss."""
        loss = first.diagnostics.loss
        if abs(loss - self.loss) > SAME * (abs(self.loss) + 2.0 * self.problem.energy.scale):
            apart = f"the run ended with the loss {self.loss:.9g}, and would go on with {loss:.9g}"
            raise InputError(f"{apart}: give the method of that run, with all its options")


def require_whole(run: Run, what: str) -> None:
    """Refuse a run that goes on from another, where all of it since t = 0 is needed."""
    if run.times[0] > 0:
        raise InputError(f"{what} takes a run from t = 0 on, and this one begins at t = {run.times[0]:g}")
