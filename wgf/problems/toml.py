"""The problem in the tables of a problem file: the keys title and reduced, [energy], [neuron], [data], [penalty], [noise], [initial]."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wgf.errors import InputError
from wgf.measures.laws import LAWS, Law, Mixture, Product
from wgf.networks.activations import ACTIVATIONS
from wgf.networks.data import Data
from wgf.networks.data_files import WHEN_MISSING
from wgf.networks.data_sets import DATA_SETS
from wgf.networks.inputs import LAWS_OF_X, law_of_x
from wgf.networks.neuron import Neuron
from wgf.networks.teacher import Teacher
from wgf.problems.formula import Formula
from wgf.problems.interaction import InteractionEnergy
from wgf.problems.internal import INTERNAL, Entropy, PorousMedium
from wgf.problems.potentials import POTENTIALS, Potential, Sum
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy
from wgf.problems.schema import TomlTable
from wgf.problems.sphere import reduce_to_sphere

HOW = ("domain", "method", "time")  # the tables of a problem file that say how, not what
OF_NETWORKS = ("neuron", "data", "penalty")  # the tables of a network's energy
OF_INTERACTIONS = ("axes", "V", "W", "U")  # the keys of [energy] otherwise
Energy = RegressionEnergy | InteractionEnergy


def read_problem(root: TomlTable, folder: Path, source: str, data: Data | None = None) -> Problem:
    """The problem in the root table of a problem file; `data` replaces the [data] table where it is given."""
    title, reduced = root.get("title", str, ""), root.get("reduced", bool, False)
    energy_table, noise, law_table = root.table("energy"), root.table("noise"), root.table("initial")
    root.leave(*OF_NETWORKS, *HOW)
    root.finish()
    if energy_table.choice("kind", ("network", "interaction"), "network") == "interaction":
        energy: Energy = read_interaction(root, energy_table)
    else:
        energy = read_network(root, energy_table, folder, data)
    temperature = float(noise.get("temperature", float, 0.0))
    noise.finish()
    law = read_law(law_table)
    with root.located():
        problem = Problem(energy, law, temperature, title)
        return dataclasses.replace(reduce_to_sphere(problem) if reduced else problem, source=source)


def read_network(root: TomlTable, energy: TomlTable, folder: Path, data: Data | None) -> RegressionEnergy:
    """The loss of a network, from [neuron], [data] and [penalty]."""
    for key in OF_INTERACTIONS:
        if key in energy:
            raise energy.error(key, 'is for kind = "interaction"; that of a network has [neuron], [data] and [penalty]')
    energy.finish()
    data_table, neuron_table = root.table("data"), root.table("neuron")
    if data is None:
        data = read_data(data_table, folder, neuron_table.choice("activation", list(ACTIVATIONS)))
    neuron = read_neuron(neuron_table, data.dim)
    penalty = root.table("penalty")
    kind = penalty.choice("kind", ("l2", "none"), "l2")
    strength = float(penalty.get("strength", float, 0.0))
    penalty.finish()
    with penalty.located():
        return RegressionEnergy(neuron, data, strength if kind == "l2" else 0.0)


def read_neuron(table: TomlTable, dim: int) -> Neuron:
    """The neuron of [neuron], for so many inputs."""
    return table.build(Neuron, activation=table.choice("activation", list(ACTIVATIONS)), dim=dim)


def read_interaction(root: TomlTable, table: TomlTable) -> InteractionEnergy:
    """∫V dμ + ½∬W dμ dμ + ∫U(μ), from [energy] alone."""
    for key in OF_NETWORKS:
        if key in root:
            raise InputError(f'{root.file}: [{key}] is for networks, but [energy] has kind = "interaction", with V, W and U: leave it out')
    axes = table.get("axes", list[str])
    v, w = (read_function(table, key, axes) for key in ("V", "W"))
    internal = read_internal(table.table("U")) if "U" in table else None
    table.leave("U")
    table.finish()
    with table.located():
        return InteractionEnergy(v, w, internal, axes)


def read_function(table: TomlTable, key: str, axes: list[str]) -> Formula | Potential | Sum | None:
    """V or W: a formula, a table { potential = name, … }, or a list of these, whose sum counts."""
    value = table.get(key, Any, None)
    if value is None:
        return None
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str | dict) for item in items):
        raise table.error(key, f'= {value!r}: give a formula, "…", a table {{ potential = "…" }}, or a list of these, whose sum counts')
    parts: list[Formula | Potential] = []
    for count, item in enumerate(items, start=1):
        place = f"{table.place}.{key}" + (f", entry {count}" if isinstance(value, list) else "")
        if isinstance(item, str):
            with table.located():
                parts.append(Formula(item, axes, key))
        else:
            part = TomlTable(item, table.file, place)
            parts.append(part.build(POTENTIALS[part.choice("potential", list(POTENTIALS))]))
    return parts[0] if len(parts) == 1 else Sum(parts)


def read_internal(table: TomlTable) -> Entropy | PorousMedium:
    """U: { kind = "entropy", temperature = … } or { kind = "porous-medium", kappa = …, q = … }."""
    kind: Callable[..., Entropy | PorousMedium] = INTERNAL[table.choice("kind", list(INTERNAL))]
    return table.build(kind)


def read_law(table: TomlTable) -> Law:
    """A law from its table { law = name, … }; mixtures and products hold further such tables in `laws`."""
    name = table.choice("law", list(LAWS))
    parts = {"laws": [read_law(part) for part in table.tables("laws")]} if LAWS[name] in (Mixture, Product) else {}
    law: Law = table.build(LAWS[name], **parts)
    return law


def read_data(table: TomlTable, folder: Path, activation: str) -> Data:
    """[data]: a file = …, the name = … of a data set, or inputs = { law = … } with a teacher."""
    if "file" in table or "name" in table:
        return read_columns(table, folder)
    if not isinstance(table.values.get("inputs"), dict):
        raise InputError(
            f'{table.where}: give file = "data.csv", the name = "diabetes" of a data set, or inputs = {{ law = … }} with teacher = [ … ]'
        )
    inputs = table.table("inputs")
    kind = inputs.choice("law", (*LAWS_OF_X, "samples"))
    name = kind if kind != "samples" else "gaussian" if "mean" in inputs or "std" in inputs else "uniform"
    with inputs.located():
        law = law_of_x(name, **{key: inputs.get(key, float | list[float], None) for key in LAWS_OF_X[name][1]})
    neurons, dim = table.tables("teacher"), law.dim or 1
    with table.located():
        teacher = Teacher(activation, [read_teacher_neuron(neuron, dim) for neuron in neurons], dim)
    table.finish()
    if kind == "samples":
        count, seed = inputs.get("count", int), inputs.get("seed", int, 0)
        inputs.finish()
        with inputs.located():
            return Data.samples(teacher, count, seed, law=law)
    nodes = inputs.get("nodes", int | list[int], 40)
    inputs.finish()
    with inputs.located():
        return Data.quadrature(teacher, nodes=nodes, law=law)


def read_columns(table: TomlTable, folder: Path) -> Data:
    """Columns of a file, or of a data set by its name; split and standardised where that is asked for."""
    columns = {"inputs": table.get("inputs", list[str], None), "target": table.get("target", str, None)}
    test, standardise = table.get("test", float, None), table.get("standardise", bool, False)
    seed = table.get("seed", int, 0)
    if "file" in table:
        path = table.path("file", folder)
        columns |= {key: table.get(key, str, None) for key in ("weight", "separator", "decimal")}
        missing = table.choice("missing", WHEN_MISSING, "refuse")
    else:
        name = table.choice("name", list(DATA_SETS))
    table.finish()
    with table.located():
        data = Data.from_file(path, missing=missing, **columns) if "file" in table else Data.named(name, **columns)
        data = data if test is None else data.split(test, seed)
        return data.standardised() if standardise else data


def read_teacher_neuron(table: TomlTable, dim: int) -> dict[str, float]:
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
