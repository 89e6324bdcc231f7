"""Inputs of data: arrays that are right, and the laws that they are drawn from or integrated over."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wgf.errors import InputError, located, whole
from wgf.measures.arguments import real_numbers
from wgf.measures.laws import Gaussian, Law, Uniform
from wgf.measures.laws.base import Vector, check_law
from wgf.registers import known

LAWS_OF_X: dict[str, tuple[Callable[..., Law], dict[str, float]]] = {  # by name, with the default numbers
    "uniform": (Uniform, {"lower": -1.0, "upper": 1.0}),
    "gaussian": (Gaussian, {"mean": 0.0, "std": 1.0}),
}
LARGEST = 1e100  # of the numbers of the data: doubles end at 1e308
MOST_NODES, MOST_SAMPLES = 10_000, 10**8  # of one input's rule; in all


def as_inputs(values: Any, name: str = "inputs") -> np.ndarray:
    """Inputs (n, d), from (n, d) or (n,) finite numbers."""
    inputs = floats(values, name)
    inputs = inputs.reshape(-1, 1) if inputs.ndim == 1 else inputs
    if inputs.ndim != 2 or not inputs.size:
        raise InputError(f"{name} have shape {inputs.shape}; expected (n, d) or (n,) with n, d ≥ 1")
    require_finite(inputs, name)
    return inputs


def require_finite(array: np.ndarray, name: str) -> None:
    """Every entry is finite, and so is the square of a sum of such entries."""
    if large := np.argwhere(np.isfinite(array) & (np.abs(array) > LARGEST)).tolist():
        value = array[tuple(large[0])]
        raise InputError(f"{name}: entry {large[0]} is {value:g}, too large to be squared: divide the {name} by their size")
    if bad := np.argwhere(~np.isfinite(array)).tolist():
        raise InputError(f"{name}: entry {bad[0]} is {array[tuple(bad[0])]}; every entry must be a finite number")


def floats(values: Any, name: str) -> np.ndarray:
    """Real numbers as an array of our own."""
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


def orders_of(nodes: int | Sequence[int], inputs: int) -> list[int]:
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
