"""The three verbs of an observer, and how a group of them is called at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from wgf.methods.base import Diagnostics, Frame


class Observer(Protocol):
    """Watches a run; a failure is an exception, success is the end of the loop."""

    def frame(self, frame: Frame) -> None:
        """A save time is reached (the first one is the start)."""

    def step(self, diagnostics: Diagnostics) -> None:
        """A step was taken from the state with these diagnostics."""

    def close(self, error: BaseException | None) -> None:
        """The run is over: complete (None), interrupted or failed."""


@contextmanager
def watching(observers: Sequence[Observer]) -> Iterator[Observer]:
    """One observer that passes everything on; at the end each is closed with how the run ended, last one first."""
    group = _Group(observers)
    try:
        yield group
    except BaseException as error:
        group.close(error)
        raise
    group.close(None)


class _Group:
    def __init__(self, observers: Sequence[Observer]) -> None:
        self.observers = observers

    def frame(self, frame: Frame) -> None:
        for observer in self.observers:
            observer.frame(frame)

    def step(self, diagnostics: Diagnostics) -> None:
        for observer in self.observers:
            observer.step(diagnostics)

    def close(self, error: BaseException | None) -> None:
        for observer in reversed(self.observers):
            observer.close(error)
