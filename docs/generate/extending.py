"""How many files an addition touches, measured on something that is there: those whose code names it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from generate import ROOT, table

EXAMPLES = {  # what can be added, and one that has been: how code names it
    "an activation": ("softplus",),
    "a law": ("Ball", "ball"),
    "a limiter": ("minmod", "MINMOD"),
    "a distance": ("sliced_w2",),
    "a named potential": ("morse", "Morse"),
    "a method": ("QuantileJKO", "quantile-jko"),
    "a command": ("info",),
    "a figure": ("plot_lazy",),
}


@cache
def names_in(path: Path) -> set[str]:
    """All that the code of a file names: identifiers, and strings that are one word; not its texts."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias | ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(node.value.replace(":", " ").replace(".", " ").split()) if len(node.value.split()) == 1 else set()
    return found


def files(words: tuple[str, ...]) -> list[str]:
    """The files of the package whose code names one of the words."""
    paths = [path for pattern in ("*.py", "*.pyi") for path in sorted((ROOT / "wgf").rglob(pattern))]
    return [str(path.relative_to(ROOT)) for path in paths if names_in(path) & set(words)]


def pages() -> dict[str, str]:
    """The table, which guide/extending.md shows."""
    rows = [(what, f"`{words[0]}`", ", ".join(f"`{name}`" for name in files(words))) for what, words in EXAMPLES.items()]
    return {"files_touched.md": table(("to add", "as", "files of `wgf/` that name it"), rows)}
