"""What can go wrong, said to the person who can mend it: one class for each kind of failure."""

from __future__ import annotations

import contextlib
import math
import numbers
import sys
import warnings
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


BETWEEN = ("wgf", "contextlib", "importlib")  # modules, with all that is in them: the others run what stands between two frames of wgf


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the file and line of the user's call: those of the innermost frame that is of none of the modules BETWEEN."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in BETWEEN:
        frame = frame.f_back
    module = frame.f_globals
    shown_before = module.setdefault("__warningregistry__", {})
    warnings.warn_explicit(text, category, frame.f_code.co_filename, frame.f_lineno, str(module.get("__name__")), shown_before)


@contextlib.contextmanager
def located(where: str, file: str = "") -> Iterator[None]:
    """An InputError from inside is told with its place, `where`, unless its message begins with that (or with `file`) already."""
    try:
        yield
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(file or where) else f"{where}: {text}") from None


def number(value: Any) -> float:
    """`value`, a number or an array without axes, as a float; NaN where it is not a finite number: every comparison with that is false."""
    if getattr(value, "shape", None) == ():
        value = value.item()
    result = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    return result if math.isfinite(result) else math.nan


def shown(value: object) -> str:
    """A number as short as it can be said, anything else as Python writes it."""
    return f"{float(value):g}" if isinstance(value, numbers.Real) and not isinstance(value, bool) else repr(value)


def positive(value: object, what: str) -> None:
    """Raise an InputError unless `value` is a finite number > 0."""
    if not number(value) > 0:
        raise InputError(f"{what} = {shown(value)}: it must be a positive number")


def positive_if_given(value: object, what: str) -> None:
    """The same, where None is allowed, too: something that is then found."""
    if value is not None:
        positive(value, what)


def nonnegative(value: object, what: str) -> None:
    """Raise an InputError unless `value` is a finite number ≥ 0."""
    if not number(value) >= 0:
        raise InputError(f"{what} = {shown(value)}: it must be a number ≥ 0")
