"""Docstrings as they are written, plain text with code in single backquotes, in reStructuredText and in Markdown."""

from __future__ import annotations

import re
from typing import Any

LITERAL = re.compile(r"(``.+?``|(?<!`)`[^`]+`(?!`))")


def as_restructured_text(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Change the lines in place, as autodoc asks for it: indented formulas become blocks, letters that mean something are escaped."""
    lines[:] = converted(lines)


def converted(lines: list[str]) -> list[str]:
    """The lines with code in double backquotes, and formulas as literal blocks."""
    result: list[str] = []
    for k, line in enumerate(lines):
        before = lines[k - 1] if k else ""
        if starts_formula(line, before, result):
            result += ["::", ""]
            result.append(line)
        elif line.startswith("    ") and in_formula(result):
            result.append(line)
        else:
            result.append(LITERAL.sub(doubled, line) if LITERAL.search(line) else protected(line))
    return result


def starts_formula(line: str, before: str, done: list[str]) -> bool:
    """Whether an indented line follows a blank one before any section has begun: there it is a formula."""
    return line.startswith("    ") and not before.strip() and not in_formula(done) and not any(re.fullmatch(r"-{3,}", one) for one in done)


def in_formula(done: list[str]) -> bool:
    """Whether the last lines are those of a formula."""
    for line in reversed(done):
        if line == "::":
            return True
        if line.strip() and not line.startswith("    "):
            return False
    return False


def doubled(match: re.Match[str]) -> str:
    """Code in double backquotes."""
    text = match[0]
    return text if text.startswith("``") else f"`{text}`"


def protected(text: str) -> str:
    """Letters that reStructuredText takes for its own."""
    return re.sub(r"(?<!\\)([*|])", r"\\\1", re.sub(r"(\w)_(?!\w)", r"\1\\_", text))


def escaped(text: str) -> str:
    """Letters that Markdown takes for its own, outside of what is in backquotes."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_<|\[\]])", r"\\\1", part) for part in parts)
