"""Values of a problem file, changed in its text, so that a run keeps the problem that was solved."""

from __future__ import annotations

import re

from wgf.errors import InputError
from wgf.problems.schema import parse


def changed(text: str, name: str, table: str, key: str, value: int | float) -> str:
    """The text of the problem file `name` with `key = value` in its [table], in place of what stands there, or new.

    Raises InputError where the text says it in a way that cannot be changed line by line, as an inline table.
    """
    wanted = dict(parse(text, name).values)
    entries = wanted.get(table, {})
    if not isinstance(entries, dict):
        raise InputError(f"{name}: {table} = {entries!r} must be a table")
    wanted[table] = {**entries, key: value}
    line = f"{key} = {value!r}"
    header = re.search(rf"^[ \t]*\[[ \t]*{table}[ \t]*\][^\n]*$", text, flags=re.MULTILINE)
    if header is None:
        result = f"{text.rstrip()}\n\n[{table}]\n{line}\n"
    else:
        begin = header.end()
        end = begin + (following.start() if (following := re.search(r"^[ \t]*\[", text[begin:], flags=re.MULTILINE)) else len(text[begin:]))
        inside = re.sub(rf"^[ \t]*{key}[ \t]*=[^#\n]*", f"{line} ", text[begin:end], flags=re.MULTILINE)
        result = text[:begin] + (inside if inside != text[begin:end] else f"\n{line}{text[begin:end]}") + text[end:]
    try:
        done = parse(result, name).values == wanted
    except InputError:
        done = False
    if not done:
        raise InputError(f"{name}: {key} cannot be changed where it stands: write [{table}] on one line, and {line} on one below it")
    return result
