"""The gallery: what each script of solvers/ says of itself, and its picture, which `make gallery` draws."""

from __future__ import annotations

import ast
from pathlib import Path

from generate import ROOT
from generate.markup import escaped
from generate.theory import block_as_markdown

PICTURES = ROOT / "docs" / "pictures" / "gallery"


def scripts() -> list[Path]:
    """The scripts, in the order of their names."""
    return sorted((ROOT / "solvers").glob("*.py"))


def part(path: Path) -> str:
    """One script: its first sentence, its picture, the rest of its text, and its code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    first, *rest = (ast.get_docstring(tree) or "").split("\n\n")
    head = " ".join(first.split())
    lines = [f"## `{path.name}`", f"**{escaped(head)}**"]
    if (PICTURES / f"{path.stem}.png").exists():
        lines.append(f"![{head.replace('[', '(').replace(']', ')')}](../pictures/gallery/{path.stem}.png)")
    begin = tree.body[1].lineno
    code = f"```{{literalinclude}} ../../solvers/{path.name}\n:language: python\n:lines: {begin}-\n:class: script\n```"
    return "\n\n".join([*lines, *map(block_as_markdown, rest), code]) + "\n"


def pages() -> dict[str, str]:
    """All scripts on one page."""
    head = "# Gallery\n\nEvery picture is drawn by the script beside it, in the folder `solvers/`: copy one, and change the problem.\n"
    return {"gallery.md": "\n".join([head, *map(part, scripts())])}
