"""Networks of ridge neurons c·σ(⟨a, x⟩ + b) in blocks of neurons that stay in the nearest cache: one loop for each activation.

An activation is given by a formula, a plain function (z, exp, expm1) → (σ(z), σ'(z)) of one number, arithmetic and these two functions
(networks/activations.py has them). Compiled it gets those of exponential.py, which stay inside the loop and vectorise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba.extending import register_jitable

from wgf.kernels.compiled import CONTRACTED, Array, serial, serial_sums
from wgf.kernels.exponential import exponential, exponential_less_one

Formula = Callable[[Any, Any, Any], tuple[Any, Any]]


class Loops(NamedTuple):
    """Of one activation; weights (N, d + 1) are (a, b), inputs (d + 1, n) are x̃ᵀ = (x, 1)ᵀ, with z_ji = ⟨(a, b)_j, x̃_i⟩.

    add_network(total, masses, weights, inputs, z)
        total (n,) += Σ_j masses_j σ(z_j·)
    fill_pull(full, u, moments, c, weights, inputs, z, s, products)
        full (N, d + 2) = Σ_i u_i σ(z_ji), c_j Σ_i σ'(z_ji) u_i x̃_i;   moments (n, d + 1) = u x̃

    Scratch for a few rows at a time: z and s (rows, n), products (rows, d + 1).
    """

    add_network: Callable[..., None]
    fill_pull: Callable[..., None]


@lru_cache(maxsize=None)
def loops(formula: Formula) -> Loops:
    """Compiled when they are called first, and kept on disk."""
    body = register_jitable(error_model="numpy", fastmath=set(CONTRACTED), forceinline=True)(formula)

    @serial
    def add_network(total: Array, masses: Array, weights: Array, inputs: Array, z: Array) -> None:
        for first in range(0, masses.size, z.shape[0]):
            count = min(z.shape[0], masses.size - first)
            block = z[:count]
            np.dot(weights[first : first + count], inputs, block)
            flat = block.reshape(-1)
            for k in range(flat.size):
                flat[k] = body(flat[k], exponential, exponential_less_one)[0]
            for j in range(count):
                row, mass = block[j], masses[first + j]
                for i in range(total.size):
                    total[i] += mass * row[i]

    @serial_sums
    def fill_pull(
        full: Array, u: Array, moments: Array, c: Array, weights: Array, inputs: Array, z: Array, s: Array, products: Array
    ) -> None:
        for first in range(0, c.size, z.shape[0]):
            count = min(z.shape[0], c.size - first)
            arguments, values, slopes = z[:count].reshape(-1), s[:count].reshape(-1), products[:count]
            np.dot(weights[first : first + count], inputs, z[:count])
            for k in range(arguments.size):
                values[k], arguments[k] = body(arguments[k], exponential, exponential_less_one)
            np.dot(z[:count], moments, slopes)
            for j in range(count):
                total = 0.0
                for i in range(u.size):
                    total += s[j, i] * u[i]
                full[first + j, 0] = total
                for k in range(moments.shape[1]):
                    full[first + j, k + 1] = c[first + j] * slopes[j, k]

    return Loops(add_network, fill_pull)
