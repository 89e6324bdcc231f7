"""A whole problem file: what is solved (problems/problem.py), and how: [domain], [method] and [time].

[domain]  lower, upper, cells, boundary, grow   go to the methods that have a grid; for fipy also shape, with what belongs to it
[method]  name, and its options beside it   the fields of the method's class, which reads both tables (from_table)
[time]    end, save; where end = "rest", also tolerance and longest
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wgf.methods import METHODS, method_class
from wgf.problems.changes import Place, changed
from wgf.problems.problem import Problem
from wgf.problems.schema import TomlTable, parse, read_text
from wgf.problems.toml import read_problem
from wgf.runs.rest import Rest
from wgf.runs.solve import save_times

OF_REST = ("tolerance", "longest")  # the keys of [time] that say what rest is


@dataclass(frozen=True)
class Task:
    """A problem, a method for it, and the times to save."""

    problem: Problem
    method: Any
    until: float | Rest
    save: int | list[float]


def read_task(
    path: str | Path,
    method: str | None = None,
    cells: tuple[int, ...] = (),
    until: float | str | None = None,
    values: Mapping[Place, Any] | None = None,
) -> Task:
    """The task in a problem file; `method`, `cells` and `until` from the command line come before the file's own.

    So do `values`, by the place of their key such as ("method", "limiter"), which are in the problem's text as if they had been written
    there.
    """
    path = Path(path)
    text = read_text(path)
    for place, value in (values or {}).items():
        text = changed(text, str(path), place, value)
    root = parse(text, str(path))
    problem = read_problem(root, path.parent, text)
    end, save = read_times(root.table("time"), until)
    given = {place[1]: value for place, value in (values or {}).items() if place[0] == "method" and len(place) == 2}
    return Task(problem, read_method(root, problem, method, cells, given), end, save)


def read_times(table: TomlTable, until: float | str | None) -> tuple[float | Rest, int | list[float]]:
    """The end, a time or rest, and the frames."""
    word = table.get("end", float | str, 1.0) if until is None else until
    table.leave("end")
    save = table.get("save", int | list[float], 11)
    if isinstance(word, str):
        if word != "rest":
            raise table.error("end", f'= {word!r}: give a time, or "rest"')
        end: float | Rest = table.build(Rest)
    else:
        end = float(word)
        if until is not None:
            table.leave(*OF_REST)
        table.finish()
    last = end.longest if isinstance(end, Rest) else end
    if until is not None and isinstance(save, list):
        save = [time for time in save if time <= last]
    with table.located():
        save_times(end, save)
    return end, save


def read_method(
    root: TomlTable, problem: Problem, name: str | None = None, cells: tuple[int, ...] = (), given: Mapping[str, Any] | None = None
) -> Any:
    """The method of [method] and [domain]; a `name` other than the file's takes that method's default options but those `given`."""
    table, domain = root.table("method"), root.table("domain")
    written = table.choice("name", list(METHODS), "finite-volume")
    method = method_class(written if name is None else name)
    if name not in (None, written):
        table = TomlTable(given or {}, table.file, table.place)
    table.leave("name")
    return method.from_table(table, domain, problem, cells)
