"""The data: inputs x_i with weights w_i (Σ w_i = 1) and targets y_i = f*(x_i).

They are arrays, a file or a data frame, a data set by its name, the nodes of a quadrature rule, or samples of a law; the target is a
column, a function, or a teacher network f*(x) = Σ_k g(θ*_k; x). The inner product is ⟨u, v⟩ = Σ_i w_i u(x_i) v(x_i).
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.errors import InputError, answers, as_path, check_function, entries_of, instance, located, number, shown, whole
from wgf.measures.arguments import generator, real_numbers
from wgf.measures.laws import Gaussian, Law, Uniform
from wgf.measures.laws.base import Vector, check_law
from wgf.networks.activations import Activation
from wgf.networks.data_files import READERS, Columns, Table, read_table, table_of_frame
from wgf.networks.data_sets import data_set
from wgf.networks.neuron import Neuron, coordinate_names
from wgf.networks.standardisation import Standardisation
from wgf.networks.untrusted import one_line
from wgf.registers import known, listed

if TYPE_CHECKING:
    import pandas

LAWS_OF_X: dict[str, tuple[Callable[..., Law], dict[str, float]]] = {  # by name, with the default numbers
    "uniform": (Uniform, {"lower": -1.0, "upper": 1.0}),
    "gaussian": (Gaussian, {"mean": 0.0, "std": 1.0}),
}
LARGEST = 1e100  # of the numbers of the data: doubles end at 1e308
MOST_NODES, MOST_SAMPLES = 10_000, 10**8  # of one input's rule; in all


@dataclass(frozen=True, repr=False)
class Data:
    """The data: ρ = Σ w_i δ_{x_i} with Σ w_i = 1, and the targets y_i = f*(x_i); ⟨u, v⟩ = Σ_i w_i u_i v_i.

    Parameters
    ----------
    inputs : array (n, d) or (n,)
        the inputs x_i
    targets : array (n,)
        the targets y_i
    weights : array (n,), optional
        positive; they are normalised to sum 1, and equal where they are not given
    input_names : sequence of str (d,), optional
        of the columns; those of a data frame where these are given and no names
    target_name : str, optional
        of the column of targets, or of a series
    test : Data, optional
        data that are not learned from: a run keeps its loss on them (split)
    standardisation : Standardisation, optional
        of the inputs and the targets here, whose own units are others (standardised)

    Raises
    ------
    InputError
        for shapes that do not fit, numbers that are not finite, weights that are not positive
    """

    inputs: Any
    targets: Any
    weights: Any = None
    input_names: Sequence[str] = ()
    target_name: str = ""
    test: Data | None = None
    standardisation: Standardisation | None = None

    def __post_init__(self) -> None:
        self._take_names()
        inputs, targets = as_inputs(self.inputs), _floats(self.targets, "targets")
        targets = targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets
        n = len(inputs)
        if targets.shape != (n,):
            raise InputError(f"targets have shape {targets.shape}; expected ({n},), one for each of the {n} inputs")
        weights = np.ones(n) if self.weights is None else _floats(self.weights, "weights")
        if weights.shape != (n,):
            raise InputError(f"weights have shape {weights.shape}; expected ({n},), one for each of the {n} inputs")
        for name, array in (("targets", targets), ("weights", weights)):
            _require_finite(array, name)
        if (weights <= 0).any():
            row = int(np.argmax(weights <= 0))
            raise InputError(f"weights: entry {row} is {weights[row]:g}; weights must be positive (leave the sample out instead)")
        for name, array in (("inputs", inputs), ("targets", targets), ("weights", weights / weights.sum())):
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if len(self.input_names) not in (0, self.dim):
            raise InputError(f"{len(self.input_names)} names for {self.dim} inputs: {listed(list(self.input_names))}")
        if self.test is not None and self.test.dim != self.dim:
            raise InputError(f"the test data have {self.test.dim} inputs, and the data {self.dim}")

    def _take_names(self) -> None:
        """Those given, or those of a data frame."""
        columns = getattr(self.inputs, "columns", ())
        object.__setattr__(self, "input_names", tuple(map(str, self.input_names or columns)))
        object.__setattr__(self, "target_name", self.target_name or str(getattr(self.targets, "name", None) or ""))

    @property
    def size(self) -> int:
        """n, the number of samples."""
        return len(self.targets)

    @property
    def dim(self) -> int:
        """d, the number of inputs."""
        return int(self.inputs.shape[1])

    def norm(self, u: np.ndarray) -> float:
        """‖u‖ = √Σ w_i u_i².

        Parameters
        ----------
        u : array (n,)
            a function at the inputs

        Returns
        -------
        float
            its norm in L²(ρ)
        """
        return float(np.sqrt(self.weights @ np.square(u)))

    def batch(self, size: int, rng: np.random.Generator) -> Data:
        """`size` samples drawn independently from ρ, equally weighted."""
        chosen = rng.choice(self.size, size, p=self.weights)
        return Data(self.inputs[chosen], self.targets[chosen])

    @property
    def original_inputs(self) -> np.ndarray:
        """The inputs in their own units, (n, d)."""
        return self.standardisation.original_inputs(self.inputs) if self.standardisation else self.inputs

    @property
    def original_targets(self) -> np.ndarray:
        """The targets in their own unit, (n,)."""
        return self.in_units(self.targets)

    def in_units(self, values: np.ndarray) -> np.ndarray:
        """Values of the network, of any shape, in the unit of the targets."""
        return self.standardisation.original_targets(values) if self.standardisation else values

    def in_network_units(self, x: np.ndarray) -> np.ndarray:
        """Inputs (n, d), or (n,) where d = 1, given in their own units, as the network takes them; (n, d)."""
        x = as_inputs(x, "x")
        if x.shape[1] != self.dim:
            raise InputError(f"x has {x.shape[1]} columns, and the data have {self.dim} inputs")
        return self.standardisation.inputs(x) if self.standardisation else x

    def standardised(self) -> Data:
        """The same data with inputs and targets of mean 0 and standard deviation 1 (standardisation.py); those to test with likewise.

        What is predicted with them, and figures, are in the units of before. Raises InputError where they are standardised already.
        """
        if self.standardisation:
            raise InputError("the data are standardised already")
        units = Standardisation.of(self.inputs, self.targets, self.weights)
        test = self.test and dataclasses.replace(self.test, **_in(units, self.test))
        return dataclasses.replace(self, **_in(units, self), test=test)

    def split(self, test: float, seed: int = 0) -> Data:
        """The data without a part `test` of the samples, between 0 and 1, which is drawn by chance and becomes that to test with."""
        if not 0 < number(test) < 1:
            raise InputError(f"test = {shown(test)}: give the part of the samples to test with, between 0 and 1, such as 0.2")
        if self.size < 2:
            raise InputError("one sample cannot be split into some to learn from and some to test with")
        count = min(max(1, round(number(test) * self.size)), self.size - 1)
        order = generator(seed).permutation(self.size)
        return dataclasses.replace(self._rows(np.sort(order[count:])), test=self._rows(np.sort(order[:count])))

    def _rows(self, rows: np.ndarray) -> Data:
        return dataclasses.replace(self, inputs=self.inputs[rows], targets=self.targets[rows], weights=self.weights[rows], test=None)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        inputs: Sequence[str] | None = None,
        target: str | None = None,
        weight: str | None = None,
        missing: str = "refuse",
        separator: str | None = None,
        decimal: str | None = None,
    ) -> Data:
        """Data from a file with named columns.

        Parameters
        ----------
        path : str or path
            a text file with a header (.csv .tsv .txt .dat), an .npz or an .h5 file
        inputs, target, weight : sequence of str, str, str, optional
            the names of the columns; with a target alone all others are inputs. Without either, the columns have to be x or x1 … xd, y, and
            optionally weight
        missing : str
            "refuse" a file with missing values, by line and column; or "drop" the rows that have one
        separator, decimal : str, optional
            the mark between columns of a text file, and that before decimals, "." or ","; found where not given

        Returns
        -------
        Data
            the columns as arrays

        Raises
        ------
        InputError
            for a file that is missing or cannot be read, and for what is no finite number, with the line and the column
        """
        path = as_path(path, "the data file")
        known(path.suffix.lower(), READERS, f"kind of data file ({path})")
        if not os.path.isfile(path):
            raise InputError(f"data file {path} does not exist")
        columns = Columns(inputs, target, weight, missing, separator, decimal)
        with located(str(path)), one_line(f"{path} cannot be read as {path.suffix}"):
            return cls._of(read_table(path, columns))

    @classmethod
    def from_dataframe(
        cls,
        frame: pandas.DataFrame,
        inputs: Sequence[str] | None = None,
        target: str | None = None,
        weight: str | None = None,
        missing: str = "refuse",
    ) -> Data:
        """From columns of a pandas.DataFrame, chosen as by `from_file`; raises InputError, with the row and the column, as it does."""
        answers(frame, ("columns", "iloc"), "frame", "a pandas.DataFrame; of arrays wgf.Data(inputs, targets)")
        return cls._of(table_of_frame(frame, Columns(inputs, target, weight, missing)))

    @classmethod
    def named(cls, name: str, inputs: Sequence[str] | None = None, target: str | None = None) -> Data:
        """A data set that comes with scikit-learn (data_sets.py), in its own units: by default all of its inputs and its target."""
        frame = data_set(name)
        with located(f"the data set {name}"):
            return cls.from_dataframe(frame, inputs, target or "target")

    @classmethod
    def _of(cls, table: Table) -> Data:
        chosen = table.chosen
        names = chosen.inputs if np.ndim(table.inputs) < 2 or table.inputs.shape[1] == len(chosen.inputs) else ()
        return cls(table.inputs, table.targets, table.weights, names, chosen.target)

    @classmethod
    def quadrature(
        cls,
        target: Callable[[np.ndarray], np.ndarray],
        lower: Vector | None = None,
        upper: Vector | None = None,
        nodes: int | Sequence[int] = 40,
        *,
        law: str | Law = "uniform",
        mean: Vector | None = None,
        std: Vector | None = None,
    ) -> Data:
        """The nodes and weights of a Gauss rule for the law of x.

        Parameters
        ----------
        target : callable
            f*, called with x (n,) in one dimension and with x (n, d) in more; → (n,)
        lower, upper : float or sequence of float, optional
            the ends of the law "uniform" (Gauss–Legendre), one for each input or one for all; −1 and 1 by default
        nodes : int or sequence of int
            for all inputs, or for each: a tensor product in d dimensions
        law : str or law
            "uniform", "gaussian" (Gauss–Hermite), or a law such as wgf.Ball
        mean, std : float or sequence of float, optional
            of the law "gaussian"; 0 and 1 by default

        Returns
        -------
        Data
            with the weights of the rule
        """
        chosen = law_of_x(law, lower=lower, upper=upper, mean=mean, std=std)
        orders = _orders(nodes, chosen.dim or 1)
        if len(set(orders)) > 1 and not isinstance(chosen, Uniform | Gaussian):
            raise InputError(f"nodes = {nodes}: {type(chosen).__name__} takes one number for all inputs")
        x, w = chosen.quadrature(orders if len(set(orders)) > 1 else orders[0])  # type: ignore[arg-type]
        return cls(x, evaluate(target, x), w)

    @classmethod
    def samples(
        cls,
        target: Callable[[np.ndarray], np.ndarray],
        count: int,
        seed: int = 0,
        *,
        law: str | Law = "uniform",
        lower: Vector | None = None,
        upper: Vector | None = None,
        mean: Vector | None = None,
        std: Vector | None = None,
    ) -> Data:
        """Independent samples of the law of x, with equal weights.

        Parameters
        ----------
        target : callable
            f*, called with x (n,) in one dimension and with x (n, d) in more; → (n,)
        count : int
            how many
        seed : int
            of the draw
        law, lower, upper, mean, std : optional
            the law of x, as for `quadrature`

        Returns
        -------
        Data
            `count` of them
        """
        chosen = law_of_x(law, lower=lower, upper=upper, mean=mean, std=std)
        whole(count, "count")
        if count > MOST_SAMPLES:
            raise InputError(f"count = {count}: from one to {MOST_SAMPLES:,} samples of x")
        x = chosen.sample(count, generator(seed))
        return cls(x, evaluate(target, x))

    def __repr__(self) -> str:
        more = f", {self.test.size} to test with" if self.test else ""
        more += ", standardised" if self.standardisation else ""
        return f"Data({self.size} samples, {self.dim} input{'s' if self.dim > 1 else ''}{more})"


def _in(units: Standardisation, data: Data) -> dict[str, Any]:
    """The fields of data that are others in those units."""
    return {"inputs": units.inputs(data.inputs), "targets": units.targets(data.targets), "standardisation": units}


def check_data(data: object) -> None:
    """Raise an InputError for what are no data."""
    instance(data, Data, "data", "a wgf.Data (from arrays: wgf.Data(inputs, targets))")


class Teacher:
    """f*(x) = Σ_k g(θ*_k; x), the sum of a few neurons, as a function of x.

    Parameters
    ----------
    activation : str or Activation
        σ of its neurons
    neurons : sequence of mappings
        the coordinates of each by name, such as {"c": 1, "a": 2}; c = 1 and b = 0 unless said
    dim : int
        d, the number of inputs

    Raises
    ------
    InputError
        for coordinates that are unknown, missing, or not finite
    """

    def __init__(self, activation: str | Activation, neurons: Sequence[Mapping[str, float]], dim: int = 1) -> None:
        neurons = entries_of(neurons, "the teacher's neurons", "a list of their coordinates, such as [{'c': 1, 'a': 2}]")
        if not neurons:
            raise InputError("the teacher has no neurons; give at least one")
        whole(dim, "the teacher has dim")
        form = Neuron(activation, coordinate_names(dim), {}, dim)
        defaults = {"c": 1.0, "b": 0.0}
        for k, neuron in enumerate(neurons):
            instance(neuron, Mapping, f"teacher neuron {k + 1}", "numbers by coordinate, such as {'c': 1, 'a': 2}")
            for name, value in neuron.items():
                known(name, form.theta, f"coordinate of teacher neuron {k + 1}")
                if not math.isfinite(number(value)):
                    raise InputError(f"teacher neuron {k + 1}: {name} = {shown(value)} is not a finite number")
            if missing := [name for name in form.theta if name not in {**defaults, **neuron}]:
                raise InputError(f"teacher neuron {k + 1} has no {missing[0]}; it needs {listed(form.theta)} (default c = 1, b = 0)")
        self.neuron = form
        self.parameters = np.array([[{**defaults, **neuron}[name] for name in form.theta] for neuron in neurons], dtype=float)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """f*(x), (n,), for x (n,) or (n, d)."""
        inputs = np.asarray(x, dtype=float).reshape(-1, self.neuron.dim)
        result: np.ndarray = self.neuron.value(self.parameters, inputs).sum(axis=0)
        return result

    def __repr__(self) -> str:
        return f"Teacher({len(self.parameters)} {self.neuron.sigma.name} neurons)"


def evaluate(target: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """The target at x (n, d) as (n,); a function of one input is called with x (n,)."""
    check_function(target, "target", "a function of x (n,), or of x (n, d) for more inputs, → (n,)")
    values = real_numbers(target(x[:, 0] if x.shape[1] == 1 else x), "the values of the target function")
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.shape != (len(x),):
        raise InputError(f"the target function gave shape {values.shape} for {len(x)} inputs; expected ({len(x)},)")
    return values


def as_inputs(values: Any, name: str = "inputs") -> np.ndarray:
    """Inputs (n, d), from (n, d) or (n,) finite numbers."""
    inputs = _floats(values, name)
    inputs = inputs.reshape(-1, 1) if inputs.ndim == 1 else inputs
    if inputs.ndim != 2 or not inputs.size:
        raise InputError(f"{name} have shape {inputs.shape}; expected (n, d) or (n,) with n, d ≥ 1")
    _require_finite(inputs, name)
    return inputs


def _require_finite(array: np.ndarray, name: str) -> None:
    """Every entry is finite, and so is the square of a sum of such entries."""
    if large := np.argwhere(np.isfinite(array) & (np.abs(array) > LARGEST)).tolist():
        value = array[tuple(large[0])]
        raise InputError(f"{name}: entry {large[0]} is {value:g}, too large to be squared: divide the {name} by their size")
    if bad := np.argwhere(~np.isfinite(array)).tolist():
        raise InputError(f"{name}: entry {bad[0]} is {array[tuple(bad[0])]}; every entry must be a finite number")


def _floats(values: Any, name: str) -> np.ndarray:
    return np.array(real_numbers(values, name))


def law_of_x(law: str | Law, **numbers: Vector | None) -> Law:
    """The law of x as an object: itself, or that with this name and the numbers that are not None."""
    numbers_given = {name: value for name, value in numbers.items() if value is not None}
    if not isinstance(law, str):
        check_law(law, "the law of x", f"{' or '.join(LAWS_OF_X)}, or a law such as wgf.Ball(center, radius)")
        if numbers_given:
            raise InputError(f"the law of x is {law!r} already: leave out {', '.join(numbers_given)}")
        return law
    build, defaults = LAWS_OF_X[known(law, LAWS_OF_X, "law of x")]
    if foreign := [name for name in numbers_given if name not in defaults]:
        raise InputError(f"the law of x is {law}, which takes {' and '.join(defaults)}, not {foreign[0]}")
    with located("the law of x"):
        return build(**{**defaults, **numbers_given})


def _orders(nodes: int | Sequence[int], inputs: int) -> list[int]:
    """The number of nodes for each input."""
    if np.ndim(nodes) and np.size(nodes) != inputs:
        raise InputError(f"nodes has {np.size(nodes)} entries for {inputs} input(s); give one for all or one per input")
    orders = np.broadcast_to(np.asarray(nodes, dtype=object), inputs).tolist()
    for order in orders:
        whole(order, "nodes")
    if math.prod(orders) > MOST_SAMPLES or max(orders) > MOST_NODES:
        raise InputError(f"nodes = {nodes}: at most {MOST_NODES:,} for each input, and {MOST_SAMPLES:,} in all")
    result: list[int] = orders
    return result
