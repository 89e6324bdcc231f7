"""A run as lines of JSON, one object a line, for programs that watch it: each frame, and of the steps between at most one a second.

    {"event": "start", "label": …, "clock": …}
    {"event": "frame" or "step", "label": …, "clock": …, "steps": …, "t": …, "dt": …, "loss": …, "free_energy": …, "dissipation": …,
     "mass": …, "minimum": …, "boundary_mass": …}
    {"event": "end", "label": …, "clock": …, "steps": …, "t": …, "status": complete | interrupted | failed, "error": …}

clock is seconds since 1970, dt the step that led to t, and null replaces numbers that are not finite.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

from wgf.errors import RunError, as_path
from wgf.methods.base import SERIES, Diagnostics, Frame
from wgf.runs.existing import refuse_existing
from wgf.runs.files import check_writable
from wgf.runs.run import ending

EVERY = 1.0  # seconds between lines of steps


def check_log(path: Path, overwrite: bool) -> None:
    """Refuse a path that cannot become a file, or holds one that is to stay."""
    check_writable(path)
    refuse_existing(path, overwrite)


class Log:
    """An observer that writes a run into a file of JSON lines: each frame, and of the steps between at most one a second.

    Parameters
    ----------
    path : str or path
        the file
    label : str
        a name in each line
    overwrite : bool
        whether a file that is there may be replaced
    append : bool
        whether lines are added to one that is there

    Raises
    ------
    InputError
        for a path at which no file can be made, or one that is to stay
    """

    def __init__(self, path: str | Path, label: str = "", overwrite: bool = False, append: bool = False) -> None:
        self.path, self.label = as_path(path, "log"), label
        check_log(self.path, overwrite or append)
        self.mode = "a" if append else "w"
        self.steps, self.time, self.dt, self.written = 0, math.nan, 0.0, -math.inf

    def frame(self, frame: Frame) -> None:
        """A line for a frame."""
        if math.isnan(self.time):
            self._write("start")
            self.time = frame.diagnostics.time
        self._move(frame.diagnostics)
        self._write("frame", frame.diagnostics)

    def step(self, diagnostics: Diagnostics) -> None:
        """A line for a step, if the last line is a second old."""
        self._move(diagnostics)
        self.steps += 1
        if time.monotonic() - self.written >= EVERY:
            self._write("step", diagnostics)

    def close(self, error: BaseException | None) -> None:
        """The last line, with the status of the run."""
        self._write("end", status=ending(error), error=None if error is None else f"{type(error).__name__}: {error}")

    def _move(self, now: Diagnostics) -> None:
        if now.time != self.time:
            self.dt, self.time = now.time - self.time, now.time

    def _write(self, event: str, diagnostics: Diagnostics | None = None, **more: Any) -> None:
        line: dict[str, Any] = {"event": event, "label": self.label, "clock": round(time.time(), 3)}
        if event != "start":
            line |= {"steps": self.steps, "t": self.time}
        if diagnostics is not None:
            line |= {"dt": self.dt} | {name: getattr(diagnostics, name) for name in SERIES}
        line = {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in (line | more).items()}
        try:
            with self.path.open(self.mode, encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as failure:
            raise RunError(f"cannot go on writing {self.path}: {failure.strerror or failure}") from None
        self.mode, self.written = "a", time.monotonic()
