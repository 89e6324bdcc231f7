"""The loop of an activation: σ and σ' of an array in one pass that vectorises, made of a formula for one number.

A formula is a plain function (z, exp, expm1) → (σ(z), σ'(z)) of arithmetic and these two (networks/activations.py has them). Compiled it
gets those of exponential.py, which stay inside the loop; in a test it gets NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from numba.extending import register_jitable

from wgf.kernels.compiled import CONTRACTED, Array, serial
from wgf.kernels.exponential import exponential, exponential_less_one

Formula = Callable[[float, Any, Any], tuple[float, float]]


@lru_cache(maxsize=None)
def pair_loop(formula: Formula) -> Callable[[Array, Array, Array], None]:
    """fill(s, slope, z): s = σ(z) and slope = σ'(z), (N,) each; slope may be z."""
    body = register_jitable(error_model="numpy", fastmath=set(CONTRACTED), forceinline=True)(formula)

    @serial
    def fill(s: Array, slope: Array, z: Array) -> None:
        for k in range(z.size):
            s[k], slope[k] = body(z[k], exponential, exponential_less_one)

    return fill
