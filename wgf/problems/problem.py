"""What is solved, and nothing of how: an energy, the initial law of θ, and the temperature of the noise.

A problem is built in Python, or read from a problem file (toml.py); the tables [domain], [method] and [time] of the same file say how,
and are read by runs/task.py.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wgf.errors import InputError, answers, as_path, given, instance, nonnegative, number
from wgf.measures.laws import OnAxes
from wgf.measures.laws.base import Law, check_law
from wgf.measures.measure import Cloud
from wgf.networks.data import Data
from wgf.networks.derivatives import check_derivative
from wgf.problems.energy import Energy
from wgf.problems.schema import TomlTable, parse, read_text
from wgf.registers import Shown, listed, load

TAKEN = {  # the names of the other variables in a run's file
    "time", "coordinate", "density", "mean", "box_lower", "box_upper", "position", "weight", "particle", "mesh", "vertex", "corner", "cell",
    "bound", "sample", "dim", "input", "input_weight", "input_name", "input_shift", "input_scale", "target", "prediction", "history",
    "test_sample", "test_input", "test_weight", "test_target", "test_prediction", "test_loss", "checkpoint", "certificate",
    "loss", "free_energy", "dissipation", "mass", "minimum", "boundary_mass",
}  # fmt: skip

BOUNDS = "_bounds"  # after the name of an axis: the variable with the ends of its cells
UNWRITABLE = ("Cc", "Cs")  # kinds of characters that files and figures do not take: controls, halves of pairs
FEW = 8  # points at which gradients are checked
ENERGY_CALLS = ("dim", "axis_names", "velocity", "loss", "predict")


@dataclass(frozen=True, repr=False)
class Problem(Shown):
    """∂_t μ = div(μ ∇G(θ; μ)) + τ Δμ − κ G μ, from μ_0 on: what is solved, and not how.

    Parameters
    ----------
    energy : RegressionEnergy or InteractionEnergy
        where G comes from
    initial : law
        μ_0; where all its numbers are for all axes, it has those of θ
    temperature : float
        τ ≥ 0
    title : str
        over figures and summaries
    source : str
        the text of the problem file it was read from, if any; it is kept in every run file
    growth : float
        κ ≥ 0, zero but for problems reduced to a sphere: mass grows where G < 0 and shrinks where G > 0

    Raises
    ------
    InputError
        where energy and law do not fit each other
    """

    energy: Energy
    initial: Law
    temperature: float = 0.0
    title: str = ""
    source: str = ""
    growth: float = 0.0

    def __post_init__(self) -> None:
        answers(self.energy, ENERGY_CALLS, "energy", "an energy, such as wgf.RegressionEnergy(neuron, data), and then the initial law")
        nonnegative(self.temperature, "temperature")
        nonnegative(self.growth, "growth")
        object.__setattr__(self, "temperature", number(self.temperature))
        if not isinstance(self.title, str) or any(unicodedata.category(c) in UNWRITABLE and c not in "\n\t" for c in self.title):
            raise InputError(f"title = {self.title!r}: give a text without control characters")
        instance(self.source, str, "source", "the text of a problem file")
        if isinstance(self.initial, Cloud):
            raise InputError(f"initial {given(self.initial)}: give a law or a density; for its points take wgf.Samples(measure.positions)")
        check_law(self.initial, "initial", "a law or a density, such as wgf.Gaussian(mean=[…], std=[…])")
        if self.energy.dim is not None:
            self.axis_names(self.energy.dim)
            if isinstance(self.initial, OnAxes):
                object.__setattr__(self, "initial", self.initial.on_axes(self.energy.dim))
        p = self.initial.dim
        if p is not None and self.energy.dim not in (None, p):
            axes = self.energy.axis_names(self.energy.dim)
            raise InputError(f"theta has {len(axes)} coordinate{'s' if len(axes) > 1 else ''} ({listed(axes)}) but the initial law has {p}")
        self._check_gradients()

    def _check_gradients(self) -> None:
        """Gradients that the user gives are compared with differences at a few points of the initial law, where that can be drawn from."""
        if not (own := getattr(self.energy, "own_gradients", {})):
            return
        try:
            points = self.initial.sample(FEW, np.random.default_rng(0))
        except InputError:  # a density without a support
            return
        for what, (function, gradient) in own.items():
            check_derivative(what, function, gradient(points), points, self.energy.axis_names(points.shape[1]))

    @classmethod
    def from_toml(cls, path: str | Path) -> Problem:
        """The problem in a TOML file; a data file it names lies relative to it."""
        path = as_path(path, "the problem file")
        return cls._read(parse(text := read_text(path), str(path)), path.parent, text)

    @classmethod
    def from_text(cls, text: str, data: Data | None = None) -> Problem:
        """The problem in the text of a problem file, as run files keep it, with `data` in place of its [data] table."""
        instance(text, str, "the problem", "the text of a problem file")
        return cls._read(parse(text, "the problem in the run file"), Path(), text, data)

    @classmethod
    def _read(cls, root: TomlTable, folder: Path, source: str, data: Data | None = None) -> Problem:
        """The problem in the root table of a problem file, by the reader of such files, which lies above and knows this class (toml.py)."""
        problem: Problem = load("wgf.problems.toml:read_problem")(root, folder, source, data)
        return problem

    def axis_names(self, p: int) -> tuple[str, ...]:
        """The names of the p axes of θ."""
        names = self.energy.axis_names(p)
        if len(names) != p:
            raise InputError(f"theta has {len(names)} coordinates ({listed(names)}) but {p} were given")
        if taken := [name for name in names if name in TAKEN or name.endswith(BOUNDS)]:
            raise InputError(f"an axis is named {taken[0]!r}, as something else in the file of a run is: take another name")
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


def check_problem(problem: object) -> None:
    """Raise an InputError for what is no problem."""
    instance(problem, Problem, "problem", "a wgf.Problem(energy, initial law)")
