"""A whole problem file: what is solved (problems/problem.py), and how: [domain], [method] and [time].

[domain]  lower, upper, cells, boundary, grow   go to the methods that have a grid; for fipy also shape, with what belongs to it
[method]  name, and its options beside it   the fields of the method's class, which reads both tables (from_table)
[time]    end, save
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wgf.methods import METHODS, method_class
from wgf.problems.problem import Problem
from wgf.problems.schema import Table, parse, read_text
from wgf.problems.toml import read_problem
from wgf.runs.solve import save_times


@dataclass(frozen=True)
class Task:
    """A problem, a method for it, and the times to save."""

    problem: Problem
    method: Any
    until: float
    save: int | list[float]


def read_task(path: str | Path, method: str | None = None, cells: tuple[int, ...] = (), until: float | None = None) -> Task:
    """The task in a problem file; `method`, `cells` and `until` from the command line come before the file's own."""
    path = Path(path)
    root = parse(text := read_text(path), str(path))
    problem = read_problem(root, path.parent, text)
    end, save = read_times(root.table("time"), until)
    return Task(problem, read_method(root, problem, method, cells), end, save)


def read_times(table: Table, until: float | None) -> tuple[float, int | list[float]]:
    """The end time and the frames."""
    end = float(table.get("end", float, 1.0) if until is None else until)
    save = table.get("save", int | list[float], 11)
    table.get("end", Any, None)
    table.finish()
    if until is not None and isinstance(save, list):
        save = [time for time in save if time <= until]
    table.located(lambda: save_times(end, save))
    return end, save


def read_method(root: Table, problem: Problem, name: str | None = None, cells: tuple[int, ...] = ()) -> Any:
    """The method of [method] and [domain]; a `name` other than the file's takes that method's default options."""
    table, domain = root.table("method"), root.table("domain")
    written = table.choice("name", list(METHODS), "finite-volume")
    method = method_class(written if name is None else name)
    if name not in (None, written):
        table = Table({}, table.file, table.place)
    table.get("name", Any, None)
    return method.from_table(table, domain, problem, cells)
