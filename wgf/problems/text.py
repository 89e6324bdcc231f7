"""A problem as the text of a problem file: what toml.py reads, written down. The data are left to the caller.

Parts that have a name can be written: our neurons, activations, laws, potentials, formulas, internal energies. A function or a class of
one's own cannot, nor can a density, nor very many points.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from wgf.measures.laws import LAWS, Samples
from wgf.networks.activations import ACTIVATIONS
from wgf.networks.neuron import Neuron
from wgf.problems.formula import Formula
from wgf.problems.interaction import InteractionEnergy
from wgf.problems.internal import INTERNAL
from wgf.problems.potentials import POTENTIALS, Potential, Sum
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy
from wgf.problems.sphere import Projection

MOST_NUMBERS = 20_000  # of the points of a law: with more, the text takes longer to read than the run itself


class Unwritable(Exception):
    """A part of a problem that has no words in a problem file; the text says which."""


def written(problem: Problem) -> tuple[str, str]:
    """The text, of all tables that can be written, and in words what cannot; nothing, where the text says all but the data."""
    tables: dict[str, Any] = {}
    missing: list[str] = []
    for part in (_head, _energy, _penalty, _initial):
        try:
            tables |= part(problem)
        except Unwritable as what:
            missing.append(str(what))
    return toml_text(tables), " and ".join(missing)


def _head(problem: Problem) -> dict[str, Any]:
    """title, reduced and [noise], which can be written always."""
    tables: dict[str, Any] = {"title": problem.title} if problem.title else {}
    tables |= {"reduced": True} if problem.growth else {}
    return tables | ({"noise": {"temperature": problem.temperature}} if problem.temperature else {})


def _energy(problem: Problem) -> dict[str, Any]:
    """[neuron] of a network, or [energy] of an interaction."""
    energy = problem.energy
    if isinstance(energy, RegressionEnergy):
        return {"neuron": _neuron(energy.neuron)}
    if not isinstance(energy, InteractionEnergy) or problem.dim is None:
        raise Unwritable(f"the energy {_called(energy)}")
    table: dict[str, Any] = {"kind": "interaction", "axes": problem.axis_names(problem.dim)}
    table |= {key: _function(f, key) for key, f in (("V", energy.V), ("W", energy.W)) if f is not None}
    return {"energy": table | ({"U": {"kind": _name(energy.U, INTERNAL)} | _fields(energy.U)} if energy.U else {})}


def _neuron(neuron: Any) -> dict[str, Any]:
    if not isinstance(neuron, Neuron):
        raise Unwritable(f"the neuron {_called(getattr(neuron, 'custom', neuron))}")
    if ACTIVATIONS.get(neuron.sigma.name) is not neuron.sigma:
        raise Unwritable(f"the activation {neuron.sigma.name!r}")
    table = {"activation": neuron.sigma.name, "theta": neuron.theta}
    return table | ({"fixed": neuron.fixed} if neuron.fixed else {})


def _function(function: Any, key: str) -> Any:
    """V or W: a formula, a named potential, or the list of those that are added."""
    if isinstance(function, Sum):
        return [_function(part, key) for part in function.parts]
    if isinstance(function, Formula):
        return function.text
    if isinstance(function, Potential):
        return {"potential": _name(function, POTENTIALS)} | _fields(function)
    raise Unwritable(f"{key} = {_called(function)}")


def _penalty(problem: Problem) -> dict[str, Any]:
    penalty = getattr(problem.energy, "penalty", None)
    if penalty is None or not penalty.strength:
        return {}
    if penalty.function is not None:
        raise Unwritable(f"the penalty V = {_called(penalty.function)}")
    return {"penalty": {"strength": penalty.strength}}


def _initial(problem: Problem) -> dict[str, Any]:
    law = problem.initial
    return {"initial": _law(law.law if isinstance(law, Projection) else law)}


def _law(law: Any) -> dict[str, Any]:
    """The table of a law, with those of its parts."""
    if type(law) not in LAWS.values() or (isinstance(law, Samples) and law.points.size > MOST_NUMBERS):
        raise Unwritable(f"the initial law {_called(law)}")
    parts = {"laws": [_law(part) for part in law.laws]} if hasattr(law, "laws") else {}
    return {"law": _name(law, LAWS)} | _fields(law) | parts


def _called(thing: Any) -> str:
    """What a function or an object calls itself; its class, where it says nothing of its own."""
    if hasattr(thing, "__name__"):
        return str(thing.__name__)
    words: Any = type(thing).__repr__
    return repr(thing) if words is not object.__repr__ else type(thing).__name__


def _fields(thing: Any) -> dict[str, Any]:
    """Those of a dataclass."""
    return {item.name: getattr(thing, item.name) for item in fields(thing)}


def _name(thing: Any, register: Mapping[str, Callable[..., Any]]) -> str:
    """The word of its class."""
    return next(name for name, kind in register.items() if kind is type(thing))


def toml_text(tables: Mapping[str, Any]) -> str:
    """TOML of keys, and of the tables below them."""
    keys = {key: value for key, value in tables.items() if not isinstance(value, Mapping)}
    return "\n".join([_lines(keys), *(f"[{name}]\n{_lines(table)}" for name, table in tables.items() if name not in keys)])


def _lines(table: Mapping[str, Any]) -> str:
    """Its keys and values."""
    return "".join(f"{key} = {toml_value(value)}\n" for key, value in table.items())


def toml_value(value: Any) -> str:
    """A value in one line of TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # a string of TOML is written in the same way
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {toml_value(item)}' for key, item in value.items())} }}"
    if isinstance(value, Sequence | np.ndarray):
        return f"[{', '.join(map(toml_value, np.asarray(value).tolist() if isinstance(value, np.ndarray) else value))}]"
    return repr(int(value)) if isinstance(value, int | np.integer) else repr(float(value))
