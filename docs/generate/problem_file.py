"""The keys of a problem file, from the code that reads them.

Two kinds of tables are read. Some are read into a dataclass, whose fields are the keys (`TomlTable.build`): laws, methods, shapes,
potentials, what is meant by rest. Their types are those of the fields, and their texts those of the docstrings. The keys of all others are
asked for one by one: here they are those that are asked for while `EXAMPLES`, which go through each branch, are read. What these keys mean
is in `MEANINGS`; tests/test_site.py compares the two lists.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import typing
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any
from unittest.mock import patch

from generate import table
from generate.docstrings import described, first_sentence
from wgf.measures.laws import LAWS
from wgf.methods import METHODS, method_class
from wgf.methods.domain_table import KEYS
from wgf.methods.fipy.domains import SHAPES
from wgf.networks.neuron import Neuron
from wgf.problems import schema
from wgf.problems.internal import INTERNAL
from wgf.problems.potentials import POTENTIALS
from wgf.problems.schema import TomlTable
from wgf.runs.rest import Rest
from wgf.runs.task import read_task

NETWORK = """
[neuron]
activation = "tanh"
[initial]
law = "gaussian"
mean = [0, 0]
std = 1
"""
EXAMPLES = (
    NETWORK + '[data]\nfile = "data.csv"\n[domain]\nlower = -1\nupper = 1\n[method]\nname = "wasserstein-fisher-rao"',
    NETWORK + '[data]\nname = "diabetes"\ninputs = ["bmi"]\ntarget = "target"',
    NETWORK + '[data]\ninputs = { law = "uniform" }\nteacher = [ { c = 1, a = 1 } ]\n[time]\nend = "rest"',
    NETWORK + '[data]\ninputs = { law = "samples", count = 9, mean = 0 }\nteacher = [ { c = 1, a = 1 } ]',
    '[energy]\nkind = "interaction"\naxes = ["x"]\nV = "x^2"\nU = { kind = "entropy", temperature = 1 }\n'
    '[initial]\nlaw = "gaussian"\nmean = 0\nstd = 1',
)
MEANINGS = {
    "": {
        "title": "plain text, over figures and summaries",
        "reduced": "true: two-homogeneous neurons on the unit sphere ([Reduction to a sphere](../methods/sphere.md))",
    },
    "energy": {
        "kind": "a network, by [neuron], [data] and [penalty], or an interaction energy, by the keys below",
        "axes": "the names of the coordinates of θ",
        "V": "the confinement: a formula, a named potential `{ potential = … }`, or a list of these, whose sum counts",
        "W": "the interaction, of the difference θ − θ′: the same",
        "U": "the internal energy: see below",
    },
    "data": {
        "file": "a file of data, relative to the problem file; where it is left out, `inputs` and `teacher` take its place",
        "name": "in place of `file`, a data set of scikit-learn, such as `diabetes`",
        "inputs": "with `file` or `name` the names of the columns that are inputs, otherwise the law of x, see below",
        "target": "the name of the column of the target",
        "weight": "that of the column of weights",
        "missing": "what becomes of rows with missing values",
        "separator": "the mark between columns, found where it is left out",
        "decimal": "the mark before decimals, likewise",
        "standardise": "true: inputs and target get mean 0 and standard deviation 1 ([Data as people have them](../guide/own_data.md))",
        "test": "the part of the samples to test with, such as 0.2",
        "seed": "of that part",
        "teacher": "the target f* = Σ g(θ*_k): a list of tables, one for each neuron, of its coordinates; a may be a list of d numbers",
    },
    "data.inputs": {
        "law": "Gauss–Legendre or Gauss–Hermite rules, or samples: normal where `mean` or `std` is there, else uniform",
        "lower": "the lower ends of a uniform law",
        "upper": "the upper ends",
        "mean": "the mean of a normal law",
        "std": "its standard deviation",
        "nodes": "of the rule, for each input or one number for all",
        "count": "how many samples",
        "seed": "of the samples",
    },
    "penalty": {"kind": "V(θ) = |θ|², or none", "strength": "λ"},
    "noise": {"temperature": "τ ≥ 0"},
    "domain": {
        "shape": "a box, or for `fipy` one of the shapes below",
        "lower": "the lower ends of the box; left out, it is found, or the grid has no end",
        "upper": "the upper ends",
        "cells": "on each axis",
        "spacing": "the length of a cell on a grid without end, instead of `cells` and a box",
        "boundary": "`no-flux` or `periodic`",
        "grow": "true: the box is where to begin, and its cells go on beyond it",
    },
    "method": {"name": "the method; its options are keys of the same table, see below"},
    "time": {
        "end": "a time, or `rest`",
        "save": "the number of frames, t = 0 and the end included, or a list of times",
    },
}
HEADER = ("key", "value", "left out", "meaning")
OF_TABLES = {  # what takes several kinds of values
    ("energy", "V"): "a formula, a table or a list",
    ("energy", "W"): "a formula, a table or a list",
    ("energy", "U"): "a table",
    ("data", "inputs"): "a table",
    ("data", "teacher"): "a list of tables",
}
TITLES = {"": "At the top", "data.inputs": "[data] inputs = { … }"}


class Key(typing.NamedTuple):
    """One key of a table: the kind of its value, and what it is where it is left out."""

    name: str
    kind: str
    default: str


def asked() -> dict[str, dict[str, Key]]:
    """The keys that are asked for while the examples are read, by table and name."""
    found: dict[str, dict[str, Key]] = {}
    with recorded(found), tempfile.TemporaryDirectory() as folder:
        Path(folder, "data.csv").write_text("x,y\n0,1\n1,2\n", encoding="utf-8")
        for text in EXAMPLES:
            path = Path(folder, "problem.toml")
            path.write_text(text, encoding="utf-8")
            read_task(path)
    return {place: keys for place, keys in found.items() if place in MEANINGS}


@contextlib.contextmanager
def recorded(found: dict[str, dict[str, Key]]) -> Iterator[None]:
    """Inside, every key that a table is asked for is entered into `found`."""
    get, choice, build = TomlTable.get, TomlTable.choice, TomlTable.build
    inside: list[str] = []  # of the building of a dataclass, whose fields are documented elsewhere

    def note(self: TomlTable, key: str, words: str, default: Any) -> None:
        if not inside:
            found.setdefault(self.place, {}).setdefault(key, Key(key, words, shown(default)))

    def asking(self: TomlTable, key: str, kind: Any = Any, default: Any = schema._REQUIRED) -> Any:
        if self.place or not isinstance(default, dict):  # at the top, tables are documented each by itself
            note(self, key, OF_TABLES[self.place, key] if kind is Any else in_words(kind), default)
        return get(self, key, kind, default)

    def choosing(self: TomlTable, key: str, allowed: Sequence[str], default: Any = schema._REQUIRED) -> str:
        note(self, key, ", ".join(f"`{word}`" for word in allowed), default)
        return choice(self, key, allowed, default)

    def building(self: TomlTable, cls: Any, **given: Any) -> Any:
        inside.append(self.place)
        try:
            return build(self, cls, **given)
        finally:
            inside.pop()

    with patch.object(TomlTable, "get", asking), patch.object(TomlTable, "choice", choosing), patch.object(TomlTable, "build", building):
        yield


def in_words(kind: Any) -> str:
    """A type as a problem file has it: objects of Python that no file can hold are left out, laws are tables."""
    words = "a list of lists of numbers" if kind is Any else schema.describe(kind)
    words = re.sub(r"list of <class '[^']*\.Law'>s", "list of tables `{ law = … }`", words)
    return re.sub(r" or <class '[^']*'>", "", re.sub(r"<class '[^']*\.Law'>", "a table `{ law = … }`", words))


def shown(default: Any) -> str:
    """A default as a problem file writes it."""
    if default is schema._REQUIRED:
        return "has to be given"
    if default is None or default == {} or default == "" or default is MISSING:
        return "–"
    if isinstance(default, tuple):
        return f"`{list(default)}`".replace("'", '"')
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def keys_of(cls: Any, without: Sequence[str] = ()) -> str:
    """The table of the keys that are read into the fields of a dataclass."""
    hints, rows = typing.get_type_hints(cls), []
    for item in fields(cls):
        if item.name in without:
            continue
        required = item.default is MISSING and item.default_factory is MISSING
        default = schema._REQUIRED if required else None if item.default is MISSING else item.default
        rows.append((f"`{item.name}`", in_words(hints[item.name]), shown(default), described(cls, item.name)))
    if not any(row[-1] for row in rows):  # the first sentence says it
        return table(HEADER[:-1], [row[:-1] for row in rows])
    return table(HEADER, rows)


def entries(title: str, register: dict[str, Any], word: str, level: str = "##") -> str:
    """A part of the page with a table for each entry of a register."""
    parts = [f"{level} {title}\n"]
    for name, cls in register.items():
        of_domain = (*KEYS, "mesh") if word == "name" and {"cells", "mesh"} & {item.name for item in fields(cls)} else ()
        parts.append(f'{level}# {word} = "{name}"\n\n{first_sentence(cls)}\n\n{keys_of(cls, of_domain)}')
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """Every key of every table."""
    parts = [
        "# Every key\n\nMade from the code that reads problem files. One number serves for all axes where a list of numbers is allowed.\n"
    ]
    found = asked()
    for place, meanings in MEANINGS.items():
        rows = [(f"`{key.name}`", key.kind, key.default, meanings.get(key.name, "")) for key in found.get(place, {}).values()]
        parts.append(f"## {TITLES.get(place, f'[{place}]')}\n\n" + table(HEADER, rows))
        if place == "energy":
            parts.append(entries("U, the internal energy", INTERNAL, "kind", level="###"))
        if place == "time":
            parts.append(f'### end = "rest"\n\n{first_sentence(Rest)}\n\n{keys_of(Rest)}')
    parts.append(f"## [neuron]\n\n{first_sentence(Neuron)}\n\n{keys_of(Neuron, ('dim',))}")
    parts.append(entries("[initial] and every other law", LAWS, "law"))
    parts.append(entries("[method], by name", {name: method_class(name) for name in METHODS}, "name"))
    parts.append(entries("[domain], by shape", SHAPES, "shape"))
    parts.append(entries("V and W, by potential", POTENTIALS, "potential"))
    return {"problem_file.md": "\n".join(parts)}
