"""What is solved, and nothing of how: an energy, the initial law of θ, and the temperature of the noise.

A problem is built in Python, or read from the keys title and reduced (sphere.py) and the tables [neuron], [data], [penalty], [noise],
[initial] of a problem file (docs/design.md); the tables [domain], [method] and [time] of the same file say how, and are read by
problem_file.py.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError
from wgf.measures.laws import LAWS, Law, Mixture, Product
from wgf.networks.data import Data, Teacher
from wgf.networks.neuron import ACTIVATIONS, Neuron
from wgf.problems.regression import RegressionEnergy
from wgf.problems.schema import Table, parse, read_text
from wgf.problems.sphere import reduce_to_sphere


@dataclass(frozen=True, repr=False)
class Problem:
    """∂_t μ = div(μ ∇G(θ; μ)) + τ Δμ − κ G μ from μ_0 = `initial`, where G comes from `energy` and τ = `temperature` ≥ 0.

    growth    κ ≥ 0, zero but for problems reduced to a sphere (sphere.py): mass grows where G < 0 and shrinks where G > 0
    source    the text of the problem file it was read from, if any; it is kept in every run file
    """

    energy: Any
    initial: Any
    temperature: float = 0.0
    title: str = ""
    source: str = ""
    growth: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.temperature) and self.temperature >= 0):
            raise InputError(f"temperature = {self.temperature:g}: it must be a number ≥ 0")
        if not (np.isfinite(self.growth) and self.growth >= 0):
            raise InputError(f"growth = {self.growth:g}: it must be a number ≥ 0")
        p = self.initial.dim
        if p is not None and self.energy.dim not in (None, p):
            axes = self.energy.axis_names(self.energy.dim)
            raise InputError(
                f"theta has {len(axes)} coordinate{'s' if len(axes) > 1 else ''} ({', '.join(axes)}) but the initial law has {p}"
            )

    @classmethod
    def from_toml(cls, path: str | Path) -> Problem:
        """The problem in a TOML file; a data file it names lies relative to it."""
        path = Path(path)
        return read_problem(parse(text := read_text(path), str(path)), path.parent, text)

    @classmethod
    def from_text(cls, text: str, data: Data | None = None) -> Problem:
        """The problem in the text of a problem file, as run files keep it, with `data` in place of its [data] table."""
        return read_problem(parse(text, "the problem in the run file"), Path(), text, data)

    def axis_names(self, p: int) -> tuple[str, ...]:
        """The names of the p axes of θ."""
        names = self.energy.axis_names(p)
        if len(names) != p:
            raise InputError(f"theta has {len(names)} coordinates ({', '.join(names)}) but {p} were given")
        return names

    @property
    def noise(self) -> float:
        """τ of the term τ Δμ: the temperature, and that of an internal energy τ ∫μ log μ."""
        return self.temperature + getattr(self.energy.internal, "temperature", 0.0)

    @property
    def dim(self) -> int | None:
        """p, where the energy or the law says it."""
        return self.energy.dim or self.initial.dim

    def __repr__(self) -> str:
        noise = f", τ = {self.temperature:g}" if self.temperature else ""
        noise += f", κ = {self.growth:g}" if self.growth else ""
        title = f"{self.title!r}, " if self.title else ""
        return f"Problem({title}{self.energy!r}, μ₀ = {self.initial!r}{noise})"


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
