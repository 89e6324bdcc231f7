"""Errors and warnings: one class for each kind of failure, each saying what the user can do."""

from __future__ import annotations

import contextlib
import math
import numbers
import sys
import types
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


class WgfError(Exception):
    """Everything wgf raises on purpose."""


class InputError(WgfError, ValueError):
    """The problem, the method or a file asks for something that cannot be done; nothing was computed or written."""


class RunError(WgfError, RuntimeError):
    """A run started and could not go on; what it had reached is kept."""


class NoMemory(InputError):
    """More memory is needed than is free; nothing of it was taken."""


class NotWritable(InputError):
    """No file can be made there: a folder that is missing, or may only be read."""


class Exists(InputError):
    """What is there already is not replaced unasked."""


class InUse(InputError):
    """Another process writes the file."""


class OtherVersion(InputError):
    """A file has the layout of a later version."""


class NotFinite(RunError):
    """A number of a run is infinite, or none."""


class StepCollapse(RunError):
    """Steps have become so short that they lead nowhere."""


class NotConverged(RunError):
    """An iteration has not settled: Sinkhorn's, Newton's, the sweeps of a solver."""


class NoSpace(RunError):
    """The disk is full."""


class BoundaryWarning(UserWarning):
    """Mass lies, or has arrived, at the edge of the box: the box is too small for the law."""


class ResolutionWarning(UserWarning):
    """What a result depends on is resolved too coarsely: by cells, nodes, steps or replicates."""


class RestWarning(UserWarning):
    """A run that was to end at rest did not reach it, or did not leave its start."""


KINDS = {"str": "a string", "ndarray": "an array"}  # others are called what Python calls them
NAMED = (type, types.FunctionType, types.BuiltinFunctionType)
KEPT = "\n\t"  # characters that lay out a text
LONGEST = 60  # letters of a value that is shown in a message
BETWEEN = ("wgf", "contextlib", "importlib")  # modules, with all that is in them: the others are run between two frames of wgf


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
    """An InputError from inside is raised with its place, `where`, unless its message begins with that (or with `file`) already."""
    try:
        yield
    except InputError as error:
        text = str(error)
        raise type(error)(text if text.startswith(file or where) else f"{where}: {text}") from None


def number(value: Any) -> float:
    """`value`, a number or an array without axes, as a float; NaN where it is not a finite number: every comparison with that is false."""
    if getattr(value, "shape", None) == ():
        value = value.item()
    result = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    return result if math.isfinite(result) else math.nan


def is_number(word: str) -> bool:
    """Whether Python reads the word as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def shown(value: object) -> str:
    """A number as short as it can be said, anything else as Python writes it."""
    return f"{float(value):g}" if isinstance(value, numbers.Real) and not isinstance(value, bool) else repr(value)


def printable(text: object) -> str:
    """A text without what moves the cursor, colours the screen, turns the direction of writing or cannot be written at all."""
    return "".join(letter if letter in KEPT or unicodedata.category(letter)[0] != "C" else "�" for letter in str(text))


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


def brief(value: object) -> str:
    """A value in one line of a message: as Python writes it, cut where that is long; its kind where that takes several lines."""
    if isinstance(value, NAMED):
        return f"the {'class' if isinstance(value, type) else 'function'} {value.__name__}"
    text = repr(value)
    if "\n" in text or " at 0x" in text:
        return _kind(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def given(value: object) -> str:
    """What was given in place of something else: "= 'rest' is a string", "= None", "is an array"."""
    if value is None or isinstance(value, NAMED):
        return f"= {brief(value)}"
    return f"is {_kind(value)}" if brief(value) == _kind(value) else f"= {brief(value)} is {_kind(value)}"


def _kind(value: object) -> str:
    name = type(value).__name__
    return KINDS.get(name, f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}")


def instance(value: object, kind: type | tuple[type, ...], what: str, wanted: str) -> None:
    """Raise an InputError unless `value` is of the kind, or one of the kinds; `wanted` says what to give."""
    if not isinstance(value, kind):
        raise InputError(f"{what} {given(value)}: give {wanted}")


def answers(value: object, calls: Iterable[str], what: str, wanted: str) -> None:
    """Raise an InputError unless `value` is an object, and no class, that has these attributes."""
    if isinstance(value, type) or not all(hasattr(value, call) for call in calls):
        raise InputError(f"{what} {given(value)}: give {wanted}")


def check_function(value: object, what: str, wanted: str) -> None:
    """Raise an InputError unless `value` can be called; `wanted` says with what, and what it gives."""
    if not callable(value):
        raise InputError(f"{what} {given(value)}: give {wanted}")


def truth(value: object, what: str) -> None:
    """Raise an InputError unless `value` is True or False."""
    if type(value).__name__ not in ("bool", "bool_"):  # Python's, and NumPy's
        raise InputError(f"{what} {given(value)}: give True or False")


def whole(value: object, what: str, least: int = 1) -> None:
    """Raise an InputError unless `value` is a whole number ≥ `least`; 1e3 is none, as it is none for Python."""
    size = int(value) if isinstance(value, numbers.Integral) and not isinstance(value, bool) else None
    if size is None or size < least:
        raise InputError(f"{what} {given(value) if size is None else f'= {value}'}: give a whole number, at least {least}")


def whole_if_given(value: object, what: str, least: int = 1) -> None:
    """The same, where None is allowed, too."""
    if value is not None:
        whole(value, what, least)


def entries_of(values: Any, what: str, wanted: str) -> tuple[Any, ...]:
    """The entries of a list, which a string and a single thing are not; raises an InputError for those."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InputError(f"{what} {given(values)}: give {wanted}")
    return tuple(values)


def as_path(path: Any, what: str = "the file") -> Path:
    """The path of a file; raises an InputError for what is none."""
    instance(path, (str, Path), what, "the name of a file")
    return Path(path)
