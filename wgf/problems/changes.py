"""Values of a problem file, changed in its text, so that a run keeps the problem that was solved.

A change is a place, the names of the tables and of the key, and a value; written `method.limiter=mc`. It is made in the line where the key
stands, or in a new one; where the text has it in another way (in a table within braces, in several lines), the text is written anew, which
says the same without comments.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from wgf.errors import InputError
from wgf.problems.schema import parse
from wgf.problems.text import toml_text, toml_value

Place = tuple[str, ...]


def read_setting(words: str) -> tuple[Place, Any]:
    """The place and the value in `table.key=value`: a value of TOML, several with commas between as a list, or a string without quotes."""
    place, _, value = words.partition("=")
    return read_place(place, words), read_value(value, words)


def read_values(words: str) -> tuple[str, list[Any]]:
    """The key and the values in `table.key=value,value,…`."""
    key, _, values = words.partition("=")
    place, found = read_place(key, words), read_value(values, words)
    if isinstance(found, str) and "," in found:
        found = [read_value(value, words) for value in found.split(",")]
    return ".".join(place), found if isinstance(found, list) else [found]


def read_place(words: str, whole: str = "") -> Place:
    """The names in `table.key`."""
    place = tuple(word.strip() for word in words.split("."))
    if not all(re.fullmatch(r"[\w-]+", name) for name in place):
        raise InputError(f"{whole or words!r}: give the key and its value as table.key=value, such as method.limiter=mc")
    return place


def read_value(words: str, whole: str = "") -> Any:
    """A value of TOML, or else a string."""
    if not (text := words.strip()):
        raise InputError(f"{whole or words!r} has no value: give the key and its value as table.key=value, such as method.limiter=mc")
    for form in (text, f"[{text}]"):
        with contextlib.suppress(InputError):
            values = parse(f"value = {form}", "the value").values
            if list(values) == ["value"]:
                return values["value"]
    return text


def changed(text: str, name: str, place: Place, value: Any) -> str:
    """The text of the problem file `name` with this value at its place, in that of what is there, or new."""
    wanted = _with(parse(text, name).values, name, place, value)
    result = _in_its_line(text, ".".join(place[:-1]), place[-1], f"{place[-1]} = {toml_value(value)}")
    with contextlib.suppress(InputError):
        if parse(result, name).values == wanted:
            return result
    return toml_text(wanted)


def _with(values: Mapping[str, Any], name: str, place: Place, value: Any) -> dict[str, Any]:
    """The tables with the value at its place; raises an InputError where something else than a table is on the way there."""
    key, *below = place
    if not below:
        return {**values, key: value}
    inside = values.get(key, {})
    if not isinstance(inside, dict):
        raise InputError(f"{name}: {key} = {inside!r} must be a table")
    return {**values, key: _with(inside, name, tuple(below), value)}


def _in_its_line(text: str, table: str, key: str, line: str) -> str:
    """The text with the line in place of that of its key below the header of its table."""
    header = re.search(rf"^[ \t]*\[[ \t]*{re.escape(table)}[ \t]*\][^\n]*$", text, flags=re.MULTILINE) if table else None
    if table and header is None:
        return f"{text.rstrip()}\n\n[{table}]\n{line}\n"
    begin = header.end() if header else 0
    end = begin + (following.start() if (following := re.search(r"^[ \t]*\[", text[begin:], flags=re.MULTILINE)) else len(text[begin:]))
    inside = re.sub(rf"^[ \t]*{re.escape(key)}[ \t]*=[^#\n]*", lambda _: f"{line} ", text[begin:end], flags=re.MULTILINE)
    new = f"\n{line}{text[begin:end]}" if table else f"{line}\n{text[begin:end]}"
    return text[:begin] + (inside if inside != text[begin:end] else new) + text[end:]
