"""A whole problem file: what is solved (problems/problem.py), and how: [domain], [method] and [time].

[domain]  lower, upper, cells, boundary, grow   go to the methods that have a grid; for fipy also shape, with what belongs to it
[method]  name, and its options beside it   the fields of the method's class
[time]    end, save; where end = "rest", also tolerance and longest
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wgf.errors import InputError
from wgf.methods import METHODS, method_class
from wgf.methods.fipy.domains import SHAPES, Box
from wgf.problems.problem import Problem
from wgf.problems.schema import TomlTable, parse, read_text
from wgf.problems.toml import read_problem
from wgf.runs.rest import Rest
from wgf.runs.solve import save_times

DOMAIN = ("lower", "upper", "cells", "boundary", "grow")
OF_REST = ("tolerance", "longest")  # the keys of [time] that say what rest is
CELLS = {1: 512, 2: 128, 3: 64, 4: 24}  # per axis, where [domain] names none
NEURONS = 1000  # m, where [method] names none


@dataclass(frozen=True)
class Task:
    """A problem, a method for it, and the times to save."""

    problem: Problem
    method: Any
    until: float | Rest
    save: int | list[float]


def read_task(path: str | Path, method: str | None = None, cells: tuple[int, ...] = (), until: float | str | None = None) -> Task:
    """The task in a problem file; `method`, `cells` and `until` from the command line come before the file's own."""
    path = Path(path)
    root = parse(text := read_text(path), str(path))
    problem = read_problem(root, path.parent, text)
    end, save = read_times(root.table("time"), until)
    return Task(problem, read_method(root, problem, method, cells), end, save)


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


def read_method(root: TomlTable, problem: Problem, name: str | None = None, cells: tuple[int, ...] = ()) -> Any:
    """The method of [method] and [domain]; a `name` other than the file's takes that method's default options."""
    table, box = root.table("method"), root.table("domain")
    written = table.choice("name", list(METHODS), "finite-volume")
    cls = method_class(written if name is None else name)
    if name not in (None, written):
        table = TomlTable({}, table.file, table.place)
    table.leave("name")
    options = {item.name for item in dataclasses.fields(cls)}
    if "mesh" in options:
        return table.build(cls, mesh=read_mesh(box, problem, cells))
    domain = read_domain(box) if "cells" in options or box.get("shape", str, "box") == "box" else {}
    given = {key: value for key, value in domain.items() if key in options} if "cells" in options else {}
    if "cells" in options:
        if cells:
            given["cells"] = cells[0] if len(cells) == 1 else cells
        given.setdefault("cells", CELLS.get(problem.dim or 1, 24))
        for key in DOMAIN:
            if key in table:
                raise table.error(key, "stands in [domain], not in [method]")
        if domain.get("grow") and "grow" not in options:
            raise box.error("grow", f"= true is for finite-volume: the box of {cls.__name__} does not grow")
    elif cells:
        raise InputError(f"--cells is for methods on a grid; {cls.__name__} has none")
    if "m" in options and "m" not in table:
        given["m"] = NEURONS
    method = table.build(cls, **given)
    if given.get("lower") is not None:
        with box.located():
            method.grid(problem, 0.0)
    return method


def read_mesh(table: TomlTable, problem: Problem, cells: tuple[int, ...]) -> Any:
    """The domain of a method with a mesh, of the shape that [domain] names."""
    shape = table.choice("shape", list(SHAPES), "box")
    if shape != "box":
        if cells:
            raise InputError(f"--cells is for boxes; how fine the mesh is for shape = {shape!r} stands in [domain]")
        beside = {"file": str(Path(table.file).parent / table.get("file", str))} if shape == "gmsh" else {}  # the problem file
        return table.build(SHAPES[shape], **beside)
    given = read_domain(table)
    if given.pop("grow", False):
        raise table.error("grow", "= true is for finite-volume: a mesh does not grow")
    if cells:
        given["cells"] = cells[0] if len(cells) == 1 else cells
    given.setdefault("cells", CELLS.get(problem.dim or 1, 24))
    with table.located():
        return Box(**given)


def read_domain(table: TomlTable) -> dict[str, Any]:
    """The keys of [domain] that are there, for a box."""
    if table.choice("shape", list(SHAPES), "box") != "box":
        raise table.error("shape", f"= {table.values['shape']!r} is for the method fipy; all others take a box")
    kinds = {
        "lower": float | list[float],
        "upper": float | list[float],
        "cells": int | list[int],
        "boundary": str | list[str],
        "grow": bool,
    }
    values = {key: table.get(key, kinds[key], None) for key in DOMAIN}
    table.finish()
    return {key: value for key, value in values.items() if value is not None}
