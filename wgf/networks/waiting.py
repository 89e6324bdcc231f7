"""How far a long preparation is, told to whoever listens: a bar on the screen, or nobody.

What prepares knows nothing of screens, and who listens nothing of what is prepared: the one goes through its parts by `told`, the other
calls it inside `telling`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Part = TypeVar("Part")
Listener = Callable[[str, int, int], None]  # what is done, how many parts of it are, of how many

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def telling(listener: Listener | None) -> Iterator[None]:
    """Inside, the listener hears how far preparations are."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def told(parts: Sequence[Part], what: str) -> Iterator[Part]:
    """Each of the parts in turn; whoever listens hears when one is done."""
    listener = _listener.get()
    for done, part in enumerate(parts, start=1):
        yield part
        if listener is not None:
            listener(what, done, len(parts))
