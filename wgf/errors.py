"""What can go wrong, said to the person who can mend it: one class for each kind of failure."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable


class WgfError(Exception):
    """Everything wgf raises on purpose."""


class InputError(WgfError, ValueError):
    """The problem, the method or a file asks for something that cannot be done; nothing was computed or written."""


class RunError(WgfError, RuntimeError):
    """A run started and could not go on; what it had reached is kept."""


class BoundaryWarning(UserWarning):
    """Mass lies, or has arrived, at the edge of the box: the box is too small for the law."""


class ResolutionWarning(UserWarning):
    """A length that the method depends on is not resolved by the cells."""


def known(word: object, allowed: Iterable[str], what: str) -> str:
    """Return `word` if it is among `allowed`; otherwise raise an InputError that names the nearest allowed word."""
    names = list(allowed)
    if isinstance(word, str) and word in names:
        return word
    raise InputError(f"unknown {what} {word!r}{nearest(word, names)}; allowed: {', '.join(names)}")


def positive(value: object, what: str) -> None:
    """Raise an InputError unless `value` is a finite number > 0."""
    number = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    if not (math.isfinite(number) and number > 0):
        shown = f"{value:g}" if isinstance(value, numbers.Real) else repr(value)
        raise InputError(f"{what} = {shown}: it must be a positive number")


def nearest(word: object, allowed: Iterable[str]) -> str:
    """The words " (did you mean …?)" where an allowed name resembles `word`, else nothing."""
    close = difflib.get_close_matches(str(word), list(allowed), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
