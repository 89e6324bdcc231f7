"""A first problem file for given data: commented, with what the data suggest, so that it runs as it is.

standardise   where a column's standard deviation is far from 1 (FAR), or its mean far from 0 beside it
missing       "drop" where values are missing in the columns that are taken, which the file says
test          a fifth of the samples, where there are enough of them
method        a density on cells of θ = (c, a, b) for one input; neurons, θ = (c, a1, …, ad, b), for more
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wgf.errors import InputError, located
from wgf.networks.activations import ACTIVATIONS
from wgf.networks.data import Data
from wgf.networks.data_files import READERS, TEXTS
from wgf.networks.data_sets import DATA_SETS, data_set
from wgf.networks.text_tables import read_text_table
from wgf.networks.untrusted import one_line
from wgf.registers import known, listed

FAR = 3.0  # times larger or smaller: columns of such scales are standardised
ENOUGH = 50  # samples, of which some are kept aside
PART = 0.2
MOST_INPUTS = 1  # for cells: θ has two coordinates more
LAWS = {  # name → its numbers, for any number of coordinates
    "gaussian": "mean = 0.0                # one number for all coordinates, or a list with one for each\nstd = 1.0",
    "uniform": "lower = -1.0              # one number for all coordinates, or a list with one for each\nupper = 1.0",
}


@dataclass(frozen=True)
class Source:
    """Where data come from: a file, or a data set by its name; `columns` are those that hold numbers, where that is known."""

    file: Path | None
    name: str
    columns: tuple[str, ...]

    @classmethod
    def of(cls, what: str) -> Source:
        """That of the name of a file or of a data set; raises InputError for neither."""
        path = Path(what)
        if not path.exists() and what in DATA_SETS:
            frame = data_set(what)
            return cls(None, what, tuple(str(name) for name in frame.columns))
        if not os.path.isfile(path):
            raise InputError(f"there is no data file {what}, nor a data set of this name; the data sets are {listed(list(DATA_SETS))}")
        known(path.suffix.lower(), READERS, f"kind of data file ({path})")
        if path.suffix.lower() not in TEXTS:
            return cls(path, "", ())
        with located(what), one_line(f"{what} cannot be read as {path.suffix}"):
            columns = read_text_table(path).numeric()
        if len(columns) < 2:
            raise InputError(f"{what}: two columns of numbers are needed, an input and a target; there are {listed(columns) or 'none'}")
        return cls(path, "", tuple(columns))

    @property
    def stem(self) -> str:
        """What its problem is called."""
        return self.file.stem if self.file else self.name

    @property
    def target(self) -> str:
        """The column that is the target, as a rule: y, target, or the last one."""
        return next((name for name in ("y", "target") if name in self.columns), self.columns[-1] if self.columns else "y")

    def inputs(self, target: str) -> tuple[str, ...]:
        """The columns that are inputs, as a rule: all others, but for one of weights beside x and y."""
        usual = self.target == "y" and any(name == "x" or (name[:1] == "x" and name[1:].isdigit()) for name in self.columns)
        return tuple(name for name in self.columns if name != target and not (usual and name == "weight"))

    def data(self, inputs: Sequence[str], target: str, missing: str) -> Data:
        """The data in these columns."""
        if self.file is None:
            return Data.named(self.name, inputs or None, target)
        return Data.from_file(self.file, inputs or None, target if inputs else None, missing=missing)


def first_problem(
    source: Source, output: Path, inputs: Sequence[str] = (), target: str = "", activation: str = "tanh", law: str = "gaussian"
) -> str:
    """The text of a problem file at `output` for these columns of the source, chosen by themselves where they are not given."""
    known(activation, ACTIVATIONS, "activation")
    known(law, LAWS, "law to begin with")
    target = target or source.target
    inputs = tuple(inputs) or source.inputs(target)
    data, left_out = _loaded(source, inputs, target)
    named = target if target not in ("y", "target") else source.stem
    described = f"{data.size} samples" + (f"; {left_out} rows are left out, in which a value is missing" if left_out else "")
    lines = [
        f"# A shallow network of {activation} neurons for {source.file.name if source.file else source.name}: {described}.",
        f"# wgf run {output.name} solves it; the manual says what else may be here.",
        f"title = {_text(f'{named} by a {activation} network')}",
        "",
        "[neuron]                  # g(θ; x) = c·σ(⟨a, x⟩ + b)",
        f"activation = {_text(activation)}       # or {', '.join(name for name in ACTIVATIONS if name != activation)}",
        'theta = "all"             # the coordinates that are learned: c, all of a, and b',
        "",
        *_data_table(source, output, inputs, target, data, left_out),
        "",
        "# [penalty]               # λ|θ|², which keeps the neurons small",
        "# strength = 0.01",
        "",
        "# [noise]                 # τ: Brownian motion of the neurons",
        "# temperature = 0.001",
        "",
        "[initial]                 # where the neurons begin",
        f"law = {_text(law)}          # or {', '.join(name for name in LAWS if name != law)}",
        LAWS[law],
        "",
        *_method(data.dim),
        "",
        "[time]",
        'end = 10.0                # or "rest"',
        "save = 21                 # frames, the start and the end among them",
    ]
    return "\n".join(lines) + "\n"


def _loaded(source: Source, inputs: Sequence[str], target: str) -> tuple[Data, int]:
    """The data, and how many rows are left out of them."""
    whole = source.data(inputs, target, "drop")
    try:
        source.data(inputs, target, "refuse")
    except InputError:
        rows = len(read_text_table(source.file).cells) if source.file and source.file.suffix.lower() in TEXTS else whole.size
        return whole, rows - whole.size
    return whole, 0


def _data_table(source: Source, output: Path, inputs: Sequence[str], target: str, data: Data, left_out: int) -> list[str]:
    """[data]."""
    columns = np.column_stack([data.inputs, data.targets])
    lines = ["[data]"]
    if source.file is None:
        lines.append(f"name = {_text(source.name)}         # a data set that comes with scikit-learn")
    else:
        lines.append(f"file = {_text(_relative(source.file, output))}  # relative to this file")
    if inputs:
        lines += [f"inputs = [{', '.join(map(_text, inputs))}]", f"target = {_text(target)}"]
    if left_out:
        lines.append('missing = "drop"          # rows in which a value is missing; left out, they are refused')
    wanted = _differ(columns)
    why = "the scales of the columns differ" if wanted else "the columns are of order one"
    lines.append(f"standardise = {str(wanted).lower():<12}# {why}: true gives inputs and target mean 0 and standard deviation 1")
    part = f"test = {PART:<19}# of the samples, to test with; seed = 0 draws them"
    return [*lines, part if data.size >= ENOUGH else f"# {part}"]


def _differ(columns: np.ndarray) -> bool:
    """Whether a column is far from mean 0 and standard deviation 1."""
    mean, std = np.abs(columns.mean(axis=0)), columns.std(axis=0)
    changing = std > 0
    return bool((std[changing] > FAR).any() or (std[changing] < 1 / FAR).any() or (mean > FAR * np.where(changing, std, 1.0)).any())


def _method(dim: int) -> list[str]:
    """[domain] and [method]."""
    if dim <= MOST_INPUTS:
        return [
            "[domain]                  # lower = […] and upper = […] may say where the density lives; left out, a box is found",
            "cells = 48                # along each axis",
            "",
            "[method]",
            'name = "finite-volume"    # the density of the neurons on cells; "particles" takes m neurons instead',
        ]
    return ["[method]", 'name = "particles"        # m neurons: θ has too many coordinates for cells', "m = 1000", "seed = 0"]


def _relative(file: Path, output: Path) -> str:
    """The file as seen from the folder of the problem file."""
    try:
        return Path(os.path.relpath(file, output.parent)).as_posix()
    except ValueError:  # on another drive
        return file.absolute().as_posix()


def _text(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)  # a string of TOML is written in the same way
