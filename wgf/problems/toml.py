"""The problem in the tables of a problem file: the keys title and reduced, [neuron], [data], [penalty], [noise], [initial]."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.measures.laws import LAWS, Law, Mixture, Product
from wgf.networks.activations import ACTIVATIONS
from wgf.networks.data import Data, Teacher
from wgf.networks.neuron import Neuron
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy
from wgf.problems.schema import Table
from wgf.problems.sphere import reduce_to_sphere

HOW = ("domain", "method", "time")  # the tables of a problem file that say how, not what


def read_problem(root: Table, folder: Path, source: str, data: Data | None = None) -> Problem:
    """The problem in the root table of a problem file; `data` replaces the [data] table where it is given."""
    title, reduced = root.get("title", str, ""), root.get("reduced", bool, False)
    data_table, neuron_table = root.table("data"), root.table("neuron")
    activation = neuron_table.choice("activation", list(ACTIVATIONS))
    if data is None:
        data = read_data(data_table, folder, activation)
    neuron = neuron_table.build(Neuron, activation=activation, dim=data.dim)
    penalty_table, noise, law_table = root.table("penalty"), root.table("noise"), root.table("initial")
    kind = penalty_table.choice("kind", ("l2", "none"), "l2")
    strength = float(penalty_table.get("strength", float, 0.0))
    penalty_table.finish()
    temperature = float(noise.get("temperature", float, 0.0))
    noise.finish()
    law = read_law(law_table)
    for name in HOW:
        root.get(name, Any, None)
    root.finish()
    energy = penalty_table.located(lambda: RegressionEnergy(neuron, data, strength if kind == "l2" else 0.0))
    problem = root.located(lambda: Problem(energy, law, temperature, title))
    return dataclasses.replace(root.located(lambda: reduce_to_sphere(problem)) if reduced else problem, source=source)


def read_law(table: Table) -> Law:
    """A law from its table { law = name, … }; mixtures and products hold further such tables in `laws`."""
    name = table.choice("law", list(LAWS))
    if LAWS[name] in (Mixture, Product):
        return table.build(LAWS[name], laws=[read_law(part) for part in table.tables("laws")])
    return table.build(LAWS[name])


def read_data(table: Table, folder: Path, activation: str) -> Data:
    """[data]: either file = …, or inputs = { law = … } with a teacher."""
    if "file" in table:
        path = folder / table.get("file", str)
        table.finish()
        return table.located(lambda: Data.from_file(path))
    if "inputs" not in table:
        raise InputError(f'{table.where}: give file = "data.csv", or inputs = {{ law = … }} with teacher = [ … ]')
    inputs = table.table("inputs")
    kind = inputs.choice("law", ("uniform", "gaussian", "samples"))
    numbers = list[float] | float
    law = "gaussian" if kind == "gaussian" or "mean" in inputs or "std" in inputs else "uniform"
    names = ("mean", "std") if law == "gaussian" else ("lower", "upper")
    defaults = ([0.0], [1.0]) if law == "gaussian" else ([-1.0], [1.0])
    first, second = (np.atleast_1d(inputs.get(name, numbers, default)) for name, default in zip(names, defaults, strict=True))
    if len(first) != len(second):
        raise inputs.error(names[0], f"has {len(first)} entries but {names[1]} has {len(second)}; give one of each per input")
    place = dict(zip(names, (first.tolist(), second.tolist()), strict=True))
    neurons = table.tables("teacher")
    teacher = table.located(lambda: Teacher(activation, [read_teacher_neuron(neuron, len(first)) for neuron in neurons], len(first)))
    table.finish()
    if kind == "samples":
        count, seed = inputs.get("count", int), inputs.get("seed", int, 0)
        inputs.finish()
        return inputs.located(lambda: Data.samples(teacher, count, seed, law=law, **place))
    nodes = inputs.get("nodes", int | list[int], 40)
    inputs.finish()
    return inputs.located(lambda: Data.quadrature(teacher, nodes=nodes, law=law, **place))


def read_teacher_neuron(table: Table, dim: int) -> dict[str, float]:
    """The coordinates of one teacher neuron; its input weights are a, or a1 … ad, or a list a = [ … ]."""
    values: dict[str, float] = {}
    for key in list(table.values):
        value = table.get(key, float | list[float])
        if isinstance(value, list):
            if key != "a" or len(value) != dim:
                raise table.error(key, f"= {value} must be a number" if key != "a" else f"has {len(value)} entries for {dim} input(s)")
            values.update({"a": value[0]} if dim == 1 else {f"a{k + 1}": entry for k, entry in enumerate(value)})
        else:
            values[key] = value
    return values
