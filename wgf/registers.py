"""Registers: words that name one of several things, and the loader of what they name.

A register maps a word to "module:name". What it names is imported when it is asked for: `import wgf` and `wgf --help` stay fast, and a
layer can hand over to a higher one (a run to its figure) without importing it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from wgf.errors import InputError


class Shown:
    """A thing that a notebook shows as a small table and a picture at the end of a cell."""

    def _repr_html_(self) -> str:
        """Its HTML, as IPython asks for it."""
        result: str = load("wgf.plots.html:as_html")(self)
        return result


def known(word: object, allowed: Iterable[str], what: str) -> str:
    """Return `word` if it is among `allowed`; otherwise raise an InputError that names the nearest allowed word."""
    names = list(allowed)
    if isinstance(word, str) and word in names:
        return word
    raise InputError(f"unknown {what} {word!r}{nearest(word, names)}; allowed: {', '.join(names)}")


def nearest(word: object, allowed: Iterable[str]) -> str:
    """The words " (did you mean …?)" where an allowed name resembles `word`, else nothing."""
    close = difflib.get_close_matches(str(word), list(allowed), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def load(target: str) -> Any:
    """What "module:name" names, its module imported if it has not been yet."""
    module, name = target.split(":")
    return getattr(import_module(module), name)
