"""What one rank has met between two steps, a signal or a failure, is met by all ranks at the same step: none waits for one that has gone.

A failure inside a step that is not the same on all ranks cannot be agreed on, as the others are in the midst of an exchange: it ends the
processes (`Ranks.leave_together`, and for programs of one's own `sys.excepthook`).
"""

from __future__ import annotations

from types import TracebackType

from wgf.ranks.communicator import Ranks, carried
from wgf.runs.signals import BetweenSteps, Stopped

FAILED = 1000  # more than any signal


class Agreement:
    """Inside of `with agreement:` an error waits for the others on several ranks; `reach` is where all of them come to the same end."""

    def __init__(self, ranks: Ranks, signals: BetweenSteps) -> None:
        self.ranks, self.signals = ranks, signals
        self.error: BaseException | None = None

    def __enter__(self) -> Agreement:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: TracebackType | None) -> bool:
        if self.ranks.communicator is None or not isinstance(error, Exception):
            return False
        self.error = error
        return True

    def reach(self, after_step: bool = True) -> None:
        """Raise Stopped where a signal has come to any rank, and the first rank's error where one has failed.

        Alone, signals are obeyed after steps only: a run that has come to its last frame is complete.
        """
        if self.ranks.communicator is None:
            if after_step:
                self.signals.obey()
            return
        waiting = self.signals.waiting
        found = self.ranks.highest(FAILED if self.error is not None else waiting[0] if waiting else 0)
        if found == FAILED:
            errors = self.ranks.gather(None if self.error is None else carried(self.error))
            raise self.error or next(error for error in errors if error is not None)
        if found:
            raise Stopped(int(found))
