"""A page for every public name, `wgf.__all__`, by layer."""

from __future__ import annotations

import inspect
from typing import Any

import wgf
from generate import table
from generate.docstrings import first_sentence

LAYERS = {  # the first part of the module in which a name is defined
    "networks": "Neurons, data and networks",
    "problems": "Problems and energies",
    "measures": "Measures, laws and distances",
    "methods": "Methods and domains",
    "runs": "Runs",
    "studies": "Studies",
    "plots": "Films",
    "errors": "Errors and warnings",
}


def layer(name: str) -> str:
    """Where a public name is defined."""
    return wgf._WHERE[name].split(".")[0]


def page(name: str, thing: Any) -> str:
    """The page of one name, in reStructuredText, which autodoc writes."""
    kind = "autofunction" if inspect.isfunction(thing) else "autoexception" if issubclass(thing, BaseException) else "autoclass"
    options = "   :members:\n" if kind == "autoclass" else "   :show-inheritance:\n" if kind == "autoexception" else ""
    return f"{name}\n{'=' * len(name)}\n\n.. currentmodule:: wgf\n\n.. {kind}:: {name}\n{options}"


def pages() -> dict[str, str]:
    """The list of the public names, and the page of each."""
    found, parts, listed = {}, ["# Every public name\n"], []
    for part, title in LAYERS.items():
        names = sorted((name for name in wgf._WHERE if layer(name) == part), key=str.lower)
        rows = [(f"[`{name}`]({name}.rst)", first_sentence(getattr(wgf, name))) for name in names]
        parts.append(f"## {title}\n\n" + table(("name", "is"), rows))
        found |= {f"api/{name}.rst": page(name, getattr(wgf, name)) for name in names}
        listed += names
    parts.append("```{toctree}\n:hidden:\n\n" + "\n".join(sorted(listed, key=str.lower)) + "\n```\n")
    return {"api/index.md": "\n".join(parts), **found}
