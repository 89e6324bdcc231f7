"""How far a long preparation is, told to whoever listens: a bar on the screen, or nobody.

What prepares knows nothing of screens, and who listens nothing of what is prepared: the one goes through its parts by `told`, or says
how far it has come by `tell`, the other calls it inside `telling`.
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
def telling(listener: Listener | None) -> Iterator[None]:
    """Inside, the listener hears how far preparations are."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def told(parts: Sequence[Part], what: str) -> Iterator[Part]:
    """Each of the parts in turn; whoever listens hears when one is done."""
    tell(what, 0, len(parts))
    for done, part in enumerate(parts, start=1):
        yield part
        tell(what, done, len(parts))


def tell(what: str, done: float, whole: float) -> None:
    """Whoever listens hears how much is done of the whole."""
    if (listener := _listener.get()) is not None:
        listener(what, done, whole)
