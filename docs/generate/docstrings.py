"""Parts of a docstring in numpydoc's format."""

from __future__ import annotations

import inspect
import re
from typing import Any

from numpydoc.docscrape import NumpyDocString, Parameter

from generate.markup import escaped


def parameters(thing: Any) -> dict[str, Parameter]:
    """The parameters and attributes that a docstring describes, by name; those described together share their text."""
    text = NumpyDocString(inspect.getdoc(thing) or "")
    described = [*text["Parameters"], *text["Other Parameters"], *text["Attributes"]]
    return {name: item for item in described for name in re.split(r",\s*", item.name)}


def described(thing: Any, name: str) -> str:
    """In one line of Markdown what the docstring says of a parameter."""
    item = parameters(thing).get(name)
    return escaped(" ".join(" ".join(item.desc).split())) if item else ""


def first_sentence(thing: Any) -> str:
    """The first paragraph of a docstring, up to its first full stop, in one line of Markdown."""
    paragraph = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return escaped(re.split(r"(?<=[.])\s", paragraph)[0])
