"""Sums over ridge neurons c·σ(⟨a, x⟩ + b), and over the data, that keep no array neurons × data: two loops for each activation.

An activation is given by a formula, a plain function (z, exp, expm1) → (σ(z), σ'(z)) of one number, arithmetic and these two functions
(networks/activations.py has them). Compiled it gets those of exponential.py, which stay inside the loop, and LANES neurons go side by
side, so that all of it vectorises.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from numba.extending import register_jitable

from wgf.kernels.compiled import CONTRACTED, Array, pointwise, serial_sums
from wgf.kernels.exponential import exponential, exponential_less_one

Formula = Callable[[Any, Any, Any], tuple[Any, Any]]


class Loops(NamedTuple):
    """Of one activation. Neurons (d + 2, N) are the rows c, a_1 … a_d, b, inputs (d, n) are xᵀ; with z_ji = ⟨a_j, x_i⟩ + b_j:

    add_network(total, masses, neurons, inputs, z)       total (n,) += Σ_j masses_j σ(z_ji)
    fill_pull(pull, u, neurons, inputs, z, sums)         pull (d + 2, N) = Σ_i u_i (σ(z_ji), c_j σ'(z_ji) x_i, c_j σ'(z_ji))

    Scratch z (lanes,), sums (d + 2, lanes): a few hundred, so that they stay in the nearest cache.
    """

    add_network: Callable[..., None]
    fill_pull: Callable[..., None]


@pointwise
def add_multiple(total: Array, addend: Array, factor: float) -> None:
    """`total` += factor · addend, lane by lane."""
    for lane in range(addend.size):
        total[lane] += factor * addend[lane]


@pointwise
def fill_arguments(z: Array, neurons: Array, inputs: Array, first: int, i: int) -> None:
    """z_l = ⟨a, x_i⟩ + b of the neurons `first` + l."""
    end, d = first + z.size, inputs.shape[0]
    weights, biases = neurons[1, first:end], neurons[d + 1, first:end]
    for lane in range(z.size):
        z[lane] = weights[lane] * inputs[0, i] + biases[lane]
    for k in range(1, d):
        add_multiple(z, neurons[k + 1, first:end], inputs[k, i])


@cache
def loops(formula: Formula) -> Loops:
    """Compiled when they are called first, and kept on disk."""
    body = register_jitable(error_model="numpy", fastmath=set(CONTRACTED), forceinline=True)(formula)

    @serial_sums
    def add_network(total: Array, masses: Array, neurons: Array, inputs: Array, z: Array) -> None:
        for first in range(0, masses.size, z.size):
            arguments = z[: min(z.size, masses.size - first)]
            for i in range(total.size):
                fill_arguments(arguments, neurons, inputs, first, i)
                output = 0.0
                for lane in range(arguments.size):
                    output += masses[first + lane] * body(arguments[lane], exponential, exponential_less_one)[0]
                total[i] += output

    @serial_sums
    def fill_pull(pull: Array, u: Array, neurons: Array, inputs: Array, z: Array, sums: Array) -> None:
        d = inputs.shape[0]
        for first in range(0, pull.shape[1], z.size):
            end = min(first + z.size, pull.shape[1])
            arguments, values, c = z[: end - first], sums[0, : end - first], neurons[0, first:end]
            sums[:] = 0.0
            for i in range(u.size):
                fill_arguments(arguments, neurons, inputs, first, i)
                for lane in range(arguments.size):
                    s, slope = body(arguments[lane], exponential, exponential_less_one)
                    values[lane] += u[i] * s
                    arguments[lane] = u[i] * slope
                for k in range(d):
                    add_multiple(sums[k + 1], arguments, inputs[k, i])
                add_multiple(sums[d + 1], arguments, 1.0)
            pull[0, first:end] = values
            for k in range(1, d + 2):
                for lane in range(arguments.size):
                    pull[k, first + lane] = c[lane] * sums[k, lane]

    return Loops(add_network, fill_pull)
