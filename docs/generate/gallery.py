"""The gallery: what each script of solvers/ says of itself, and its picture, which `make gallery` draws."""

from __future__ import annotations

import ast
from pathlib import Path

from generate import ROOT
from generate.theory import block_as_markdown, escaped

PICTURES = ROOT / "docs" / "pictures" / "gallery"


def scripts() -> list[Path]:
    """The scripts, in the order of their names."""
    return sorted((ROOT / "solvers").glob("*.py"))


def part(path: Path) -> str:
    """One script: its first sentence, its picture, and the rest of its text."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first, *rest = text.split("\n\n")
    head = " ".join(first.split())
    lines = [f"## {path.stem.replace('_', ' ').capitalize()}", escaped(head)]
    if (PICTURES / f"{path.stem}.png").exists():
        lines.append(f"![{head.replace('[', '(').replace(']', ')')}](../pictures/gallery/{path.stem}.png)")
    lines += [
        *map(block_as_markdown, rest),
        f"```{{literalinclude}} ../../solvers/{path.name}\n:language: python\n:caption: solvers/{path.name}\n:class: script\n```",
    ]
    return "\n\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """All scripts on one page."""
    head = "# Gallery\n\nEvery picture is drawn by the script beside it, in the folder `solvers/`: copy one, and change the problem.\n"
    return {"gallery.md": "\n".join([head, *map(part, scripts())])}
