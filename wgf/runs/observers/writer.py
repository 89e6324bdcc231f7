"""The HDF5 file of a run, written as the run goes (layout: docs/design.md).

Frames reach it in transactions (transaction.py): a reader of the file has all of a frame or nothing of it, at any time, and a run that
is killed leaves what it had, with a checkpoint of the same moment. The file is there from the first frame on. A transaction puts the file
together anew, so that there is one only so often that they take SHARE of the time; until then frames wait in memory, but no more than
WAITING of it, and not beyond EVERY seconds.

On several ranks the first one writes: all of them see whether a transaction is due, and give it their shares of the state. Where these are
large, each writes its own into a file beside that of the run, which names them (parts.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wgf.errors import RunError, as_path
from wgf.measures.grid import Grid
from wgf.methods.base import Diagnostics, Frame, State
from wgf.problems.problem import Problem
from wgf.ranks.communicator import Ranks
from wgf.ranks.divided import Divided, gathered
from wgf.runs import parts
from wgf.runs.checkpoint import Checkpoint, write_checkpoint
from wgf.runs.collected import collected, fields_of, share_of
from wgf.runs.files import remove_left
from wgf.runs.hdf5 import begin, check_target, opened, reading
from wgf.runs.observers.rows import Row, append, create, cut, row_in_parts, row_of
from wgf.runs.parts import InParts, Parts, names_in
from wgf.runs.processes import WRITTEN_HERE, this_process
from wgf.runs.reader import BOX, grid_of, open_run
from wgf.runs.run import Run, ending, history_columns
from wgf.runs.signals import Stopped
from wgf.runs.transaction import has_space, new_identity

SHARE = 0.015  # of the time of a run, the first and the last transaction not counted
WAITING = 2**27  # bytes of frames
EVERY = 60.0  # seconds
NUMBER = 8  # bytes


class Writer:
    """Writes a run into `path`, which is none of its `sources`. `facts` of the stepper and options of the method become attributes."""

    def __init__(
        self,
        path: str | Path,
        problem: Problem,
        method: Any,
        facts: dict[str, Any],
        ranks: Ranks,
        overwrite: bool = False,
        sources: Sequence[Path] = (),
        left: Checkpoint | None = None,
    ) -> None:
        self.path = as_path(path, "store")
        self.problem, self.method, self.facts, self.ranks, self.overwrite = problem, method, facts, ranks, overwrite
        self.identity = left.identity if left else ranks.share(new_identity())
        self.grid: Grid | None = None  # of the frames on file
        self.state: State | None = None  # as it is, which the run moves
        self.stepper: Any = None  # which moves it
        self.noted: dict[str, Any] = {}  # by the monitor
        self.parts, self.in_parts = Parts(self.path, self.identity, ranks), False
        self.fresh: list[Frame] = []  # which are not rows yet
        self.waiting: list[Row] = []
        self.waiting_bytes, self.size = 0, 0  # the latter of the file
        self.history: list[Diagnostics] = []
        self.last_time: float | None = None  # of the history rows on file
        self.count, self.states = left.frames if left else 0, 0  # frames so far, and states in parts
        self.begun, self.seconds = left is not None, 0.0  # whether the file is there; after how many of them there is a transaction
        self.written, self.took = time.perf_counter(), 0.0
        if left is None:
            ranks.by_first(lambda: check_target(self.path, overwrite=overwrite, sources=sources))
        else:
            self.in_parts = ranks.by_first(lambda: self._cut(left))
            self.last_time = left.diagnostics[-1].time if left.diagnostics else None
        if ranks.first:
            WRITTEN_HERE.add(self.identity)

    def whole(self, frame: Frame) -> Frame:
        """The frame as it is stored: whole on the first rank, or where it is large its own part on each rank."""
        if not self.begun and not self.fresh:
            self.in_parts = frame.whole is not None and frame.whole.size * NUMBER >= parts.LARGE
        return frame if self.in_parts else collected(frame, self.ranks, on_all=False)

    def follow(self, state: State, stepper: Any, noted: dict[str, Any]) -> None:
        """The state that the run moves, and what its monitor notes: both are written as they are at each transaction."""
        self.state, self.stepper, self.noted = state, stepper, noted

    def frame(self, frame: Frame) -> None:
        self.fresh.append(frame)
        self._settle_alone(self.took / SHARE)

    def step(self, diagnostics: Diagnostics) -> None:
        if self.ranks.first:
            self.history.append(diagnostics)
        if self.begun:
            self._settle_alone(max(EVERY, self.took / SHARE))

    def _settle_alone(self, seconds: float) -> None:
        """On several ranks the run settles when they have agreed that nothing has failed."""
        self.seconds = seconds
        if self.ranks.communicator is None:
            self.settle()

    def settle(self) -> None:
        """A transaction, where the last one was so long ago, much is waiting, or the disk is getting full; the first one makes the file."""
        self._take()
        if not self.begun:
            values = self._values()
            self.ranks.by_first(lambda: self._begin(values))
            self.begun = True
        elif self.ranks.any(self.ranks.first and self._due(self.seconds)):
            self._write("running")

    def _take(self) -> None:
        """Make rows of the frames that have come."""
        for frame in self.fresh:
            data = self.problem.energy.data
            if self.in_parts:
                row = row_in_parts(frame, data, self.parts.store(str(self.count), share_of(frame)), self.ranks)
                self.waiting += [row] if self.ranks.first else []
            elif self.ranks.first:
                self.waiting.append(row_of(frame, data))
                self.waiting_bytes += frame.measure.masses.nbytes
            self.count += 1
        self.fresh.clear()

    def _begin(self, values: dict[str, Any] | None) -> None:
        """The file with its first frame."""
        begun, (row,) = time.perf_counter(), self.waiting
        with begin(self.path, self.overwrite) as file:
            create(file, row.frame, self.problem, self.method, self.facts, self.identity)
            self._fill(file, values)
            named = names_in(file)
        self._done(begun, named)

    def _fill(self, file: h5py.File, values: dict[str, Any] | None) -> None:
        """What is waiting, and the fields of a state."""
        for _, rows in groupby(self.waiting, lambda row: row.grid and row.grid.shape):
            self.grid = append(file, list(rows), self.grid)
        self._append_history(file)
        if values is not None:
            write_checkpoint(file, values, self.noted)

    def note(self, facts: dict[str, Any]) -> None:
        """Further attributes, known at the end."""
        self.facts = self.facts | facts

    def close(self, error: BaseException | None) -> None:
        together = error is None or isinstance(error, Stopped)  # all ranks are here, with a state between two steps
        try:
            if self.begun and together:
                self._write(ending(error))
            elif self.begun and self.ranks.first:
                self.fresh = [] if self.in_parts else self.fresh  # others write no parts any more
                self._take()
                self._change(ending(error), None, time.perf_counter())
        except RunError:
            if not isinstance(error, Exception):  # otherwise that is what is to be reported
                raise
        finally:
            WRITTEN_HERE.discard(self.identity)

    def _due(self, seconds: float) -> bool:
        due = time.perf_counter() - self.written >= seconds or self.waiting_bytes > WAITING
        return due or not has_space(self.path, self.size + self.waiting_bytes)  # what still fits is better on the disk

    def _write(self, status: str) -> None:
        """What is waiting, and the state at this moment."""
        begun = time.perf_counter()
        values = self._values()
        self.ranks.by_first(lambda: self._change(status, values, begun))

    def _values(self) -> dict[str, Any] | None:
        """The state by its fields: arrays that ranks share put together on the first one, or stored in parts."""
        if self.state is None:
            return None
        values = fields_of(self.state)
        shares: dict[str, Divided] = self.stepper.divided(self.state) if hasattr(self.stepper, "divided") else {}
        for name, share in sorted(shares.items()):
            if self.in_parts:
                self.states += 1
                values[name] = InParts(share.shape, self.parts.store(f"state-{self.states}", share))
            else:
                values[name] = gathered(share, self.ranks)
        return values

    def _change(self, status: str, values: dict[str, Any] | None, begun: float) -> None:
        """A transaction: what is waiting, and the fields of a state, unless a failure has left it between two steps."""
        with opened(self.path, self.identity) as file:
            self._fill(file, values)
            file.attrs.update({**self.facts, "status": status})
            named = names_in(file)
        self._done(begun, named)

    def _done(self, begun: float, named: set[str]) -> None:
        self.parts.remove_all_but(named)
        self.waiting.clear()
        self.waiting_bytes = 0
        self.written, self.size = time.perf_counter(), self.path.stat().st_size
        self.took = self.written - begun

    def _cut(self, left: Checkpoint) -> bool:
        """The file as it was at the checkpoint; whether it is in parts."""
        remove_left(self.path)
        with opened(self.path, self.identity) as file:
            cut(file, left.frames, left.rows)
            file.attrs.update({"status": "running", "process": this_process()})
            in_parts, named = "density" in file and bool(file["density"].is_virtual), names_in(file)
        self.parts.remove_all_but(named)
        with reading(self.path) as file:
            self.grid = grid_of(file, left.frames - 1) if BOX[0] in file else None
        return in_parts

    def run(self) -> Run:
        """The run on file."""
        return open_run(self.path, self.problem)

    def _append_history(self, file: h5py.File) -> None:
        if not self.history:
            return
        group, count = file["history"], len(self.history)
        start = group["time"].shape[0]
        found = history_columns(self.history, self.last_time)
        found["step"] = np.arange(start, start + count)
        for name, column in found.items():
            group[name].resize(start + count, axis=0)
            group[name][start:] = column
        self.last_time = float(found["time"][-1])
        self.history.clear()
