"""The progress of a long preparation, reported to a listener: a bar on the screen, or none.

The code that prepares knows nothing of screens, and the listener nothing of what is prepared: the one goes through its parts by `reported`,
or says how far it is by `report_progress`; the other calls it inside `reporting_to`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Part = TypeVar("Part")
Listener = Callable[[str, float, float], None]  # what is done, how much of it is, of how much; from zero on

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def reporting_to(listener: Listener | None) -> Iterator[None]:
    """Inside, the listener is called with the progress of preparations."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def reported(parts: Sequence[Part], what: str) -> Iterator[Part]:
    """Each of the parts in turn; the listener is called when one is done."""
    report_progress(what, 0, len(parts))
    for done, part in enumerate(parts, start=1):
        yield part
        report_progress(what, done, len(parts))


def report_progress(what: str, done: float, whole: float) -> None:
    """Call the listener, if there is one, with how much is done of the whole."""
    if (listener := _listener.get()) is not None:
        listener(what, done, whole)
