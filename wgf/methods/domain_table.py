"""[domain] of a problem file, for methods on a box and for those that have none.

A method of METHODS reads itself from the tables [method] and [domain] by `from_table` (base.py); what they share of it is here.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Protocol, TypeVar

import numpy as np

from wgf.errors import InputError
from wgf.measures.grid import Grid, check_box
from wgf.measures.laws import Law
from wgf.methods.default_cells import ON_AXIS
from wgf.methods.fipy.domains import SHAPES
from wgf.problems.problem import Problem
from wgf.problems.schema import TomlTable
from wgf.problems.toml import read_law


class OnBox(Protocol):
    """A method on the cells of a box."""

    def grid(self, problem: Problem, until: float) -> Grid: ...


AnyMethod = TypeVar("AnyMethod")
AnyOnBox = TypeVar("AnyOnBox", bound=OnBox)

KEYS = {
    "lower": float | list[float],
    "upper": float | list[float],
    "cells": int | list[int],
    "spacing": float | list[float],
    "boundary": str | list[str],
    "grow": bool,
}
FEWEST = 3  # cells on an axis


def read_box(domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> dict[str, Any]:
    """The keys of [domain] that are there, for a box; `cells` from the command line come before its own or its spacing."""
    if domain.choice("shape", list(SHAPES), "box") != "box":
        raise domain.error("shape", f"= {domain.values['shape']!r} is for the method fipy; all others take a box")
    values = {key: domain.get(key, kind, None) for key, kind in KEYS.items()}
    domain.finish()
    given = {key: value for key, value in values.items() if value is not None}
    for edge, other in (("lower", "upper"), ("upper", "lower")):
        if edge in given and other not in given:
            raise domain.error(edge, f"is given without {other}: give both edges of the box, or neither, and it is found")
    if cells:
        given.pop("spacing", None)
        given["cells"] = cells[0] if len(cells) == 1 else cells
    with domain.located():
        check_box(**{key: value for key, value in given.items() if key not in ("spacing", "grow")})
    return given


def on_axis(problem: Problem) -> int:
    """Cells along each axis, for methods that need a number."""
    return ON_AXIS[min(problem.dim or 1, max(ON_AXIS))]


def injected(table: TomlTable) -> dict[str, Law]:
    """The law of births in [method.injection], where there is one."""
    if "injection" not in table:
        return {}
    law = read_law(table.table("injection"))
    table.leave("injection")
    return {"injection": law}


def on_box(cls: type[AnyOnBox], table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...], **given: Any) -> AnyOnBox:
    """A method whose fields are cells, lower and upper, perhaps boundary, grow and spacing, what is given, and the keys of [method]."""
    box, options = read_box(domain, problem, cells), {item.name for item in fields(cls)}  # type: ignore[arg-type]
    for key in KEYS:
        if key in table:
            raise table.error(key, "belongs in [domain], not in [method]")
    if 0 < min(np.ravel(box.get("cells", FEWEST)).tolist()) < FEWEST:
        raise domain.error("cells", f"= {box['cells']}: a law on fewer than {FEWEST} cells an axis is no density; 32 or more show one")
    if "spacing" in box and "spacing" not in options:
        raise domain.error("spacing", f"is for finite-volume, whose grid can go without end: give {cls.__name__} cells, lower and upper")
    if box.get("grow") and "grow" not in options:
        raise domain.error("grow", f"= true is for finite-volume: the box of {cls.__name__} does not grow")
    if "boundary" not in options and box.get("boundary", "no-flux") not in ("no-flux", ["no-flux"]):
        raise domain.error("boundary", f"= {box['boundary']!r} is not for {cls.__name__}, whose box has closed walls: no-flux")
    if "spacing" not in options:
        box.setdefault("cells", on_axis(problem))
    method = table.build(cls, **{key: value for key, value in box.items() if key in options}, **given)
    if "lower" in box and "upper" in box:
        with domain.located():
            method.grid(problem, 0.0)
    return method


def without_box(
    cls: type[AnyMethod], table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...], **given: Any
) -> AnyMethod:
    """A method that needs nothing of [domain], which has to be right all the same where it is a box."""
    if domain.get("shape", str, "box") == "box":
        read_box(domain, problem, ())
    if cells:
        raise InputError(f"--cells is for methods on a grid; {cls.__name__} has none")
    return table.build(cls, **given)
