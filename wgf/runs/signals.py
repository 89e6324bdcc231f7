"""Signals that end a program, obeyed where nothing is half done: between two steps of a run, after a transaction of its file."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopped(KeyboardInterrupt):
    """A signal with this number has ended the program, at a place where a run can go on."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def stop(number: int, frame: FrameType | None = None) -> None:
    """As a handler: the signal is obeyed at once."""
    raise Stopped(number)


class BetweenSteps:
    """Inside, signals wait until `obey` is called; a second one does not wait."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.before: dict[int, Any] = {}

    def __enter__(self) -> BetweenSteps:
        self.before = handled_by(self._remember)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        restore(self.before)
        if kind is None:  # one that came after the last step
            for number in self.waiting[:1]:
                signal.raise_signal(number)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self.waiting:
            raise KeyboardInterrupt
        self.waiting.append(number)

    def obey(self) -> None:
        """Raise Stopped where a signal has come."""
        if self.waiting:
            raise Stopped(self.waiting[0])


@contextlib.contextmanager
def obeying_afterwards() -> Iterator[None]:
    """Inside, signals wait; they are obeyed at the end."""
    waiting: list[int] = []
    before = handled_by(lambda number, frame: waiting.append(number))
    try:
        yield
    finally:
        restore(before)
        for number in waiting[:1]:
            signal.raise_signal(number)


def handled_by(handler: Any) -> dict[int, Any]:
    """Let a handler have the signals that end a program; the handlers before. In another thread than the main one there are none."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number in ENDING if signal.getsignal(number) not in (None, signal.SIG_IGN)}


def restore(before: dict[int, Any]) -> None:
    """The handlers of before."""
    for number, handler in before.items():
        signal.signal(number, handler)
