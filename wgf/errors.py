"""What can go wrong, said to the person who can mend it: one class for each kind of failure."""

from __future__ import annotations

import contextlib
import math
import numbers
from collections.abc import Iterator
from typing import Any


class WgfError(Exception):
    """Everything wgf raises on purpose."""


class InputError(WgfError, ValueError):
    """The problem, the method or a file asks for something that cannot be done; nothing was computed or written."""


class RunError(WgfError, RuntimeError):
    """A run started and could not go on; what it had reached is kept."""


class BoundaryWarning(UserWarning):
    """Mass lies, or has arrived, at the edge of the box: the box is too small for the law."""


class ResolutionWarning(UserWarning):
    """What a result depends on is resolved too coarsely: by cells, nodes, steps or replicates."""


class RestWarning(UserWarning):
    """A run that was to end at rest did not reach it, or did not leave its start."""


@contextlib.contextmanager
def located(where: str, file: str = "") -> Iterator[None]:
    """An InputError from inside is told with its place, `where`, unless its message begins with that (or with `file`) already."""
    try:
        yield
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(file or where) else f"{where}: {text}") from None


def positive(value: object, what: str) -> None:
    """Raise an InputError unless `value` is a finite number > 0."""
    if not (math.isfinite(number := _number(value)) and number > 0):
        raise InputError(f"{what} = {_shown(value)}: it must be a positive number")


def not_negative(value: object, what: str) -> None:
    """Raise an InputError unless `value` is a finite number ≥ 0."""
    if not (math.isfinite(number := _number(value)) and number >= 0):
        raise InputError(f"{what} = {_shown(value)}: it must be a number ≥ 0")


def require_numbers(thing: object, *names: str) -> None:
    """Raise an InputError unless each of these fields holds one number, or None."""
    for name in names:
        value = getattr(thing, name)
        if not (value is None or isinstance(value, numbers.Real)) and math.isnan(_number(value)):
            raise InputError(f"{type(thing).__name__}: {name} = {value!r}: give one number")


def _number(value: Any) -> float:
    """The number that a value is, an array without axes included; NaN for what is none, such as a list."""
    is_real = isinstance(value, numbers.Real) or (getattr(value, "shape", None) == () and value.dtype.kind in "iuf")
    return float(value) if is_real and not isinstance(value, bool) else math.nan


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, numbers.Real) and not isinstance(value, bool) else repr(value)
