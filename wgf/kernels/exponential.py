"""eˣ and eˣ − 1 in loops that vectorise, which calls of exp do not.

x = k log 2 + r with whole k and |r| ≤ ½ log 2, eˣ = 2ᵏ eʳ, eʳ by its Taylor polynomial; 2ᵏ is put together from its bits. With it
eˣ − 1 = 2ᵏ(eʳ − 1) + (2ᵏ − 1), where nothing cancels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from wgf.kernels.compiled import Array, pointwise

LOG2E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10
ROUNDER = 6755399441055744.0  # 1.5·2⁵²: adding it rounds to a whole number, which is then in the lowest bits
EXPONENT = 1023 << 52  # the bits of 1.0
C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13 = (1 / math.factorial(k) for k in range(2, 14))
LEAST = -700.0  # of x: below it eˣ < 1e-304 is as good as zero, and is given as e^{−700}


@pointwise
def relative_growth(r: float) -> float:
    """(eʳ − 1)/r for |r| ≤ ½ log 2."""
    q = C6 + r * (C7 + r * (C8 + r * (C9 + r * (C10 + r * (C11 + r * (C12 + r * C13))))))
    return 1.0 + r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * q))))


@intrinsic
def bits_of(typing, number):  # type: ignore[no-untyped-def]
    """The bits of a float64, as an int64."""
    return types.int64(types.float64), _cast_to(types.int64)


@intrinsic
def number_of(typing, bits):  # type: ignore[no-untyped-def]
    """The float64 of these bits."""
    return types.float64(types.int64), _cast_to(types.float64)


def _cast_to(kind: Any) -> Any:
    """The code of these casts."""
    return lambda context, builder, signature, arguments: builder.bitcast(arguments[0], context.get_value_type(kind))


@pointwise
def split_exponential(x: float) -> tuple[float, float]:
    """2ᵏ and eʳ − 1 for x ≤ 700."""
    x = x if not x < LEAST else LEAST
    shifted = x * LOG2E + ROUNDER
    n = shifted - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    return number_of((bits_of(shifted) << 52) + EXPONENT), r * relative_growth(r)


@pointwise
def exponential(x: float) -> float:
    """eˣ for x ≤ 700; relative error about 2e-16, and NaN of NaN."""
    power, growth = split_exponential(x)
    return power + power * growth


@pointwise
def exponential_less_one(x: float) -> float:
    """eˣ − 1 for x ≤ 700, to the same relative error."""
    power, growth = split_exponential(x)
    return power * growth + (power - 1.0)


@pointwise
def fill_exponentials(out: Array, x: Array, bits: Array) -> None:
    """Fill `out` with eˣ for x ≤ 700; relative error about 1e-15. `bits` is scratch; out may be x."""
    whole = bits.view(np.int64)
    for k in range(x.size):
        out[k] = max(x[k], LEAST)
        bits[k] = out[k] * LOG2E + ROUNDER
    for k in range(x.size):
        n = bits[k] - ROUNDER
        r = (out[k] - n * LN2_HIGH) - n * LN2_LOW
        out[k] = 1.0 + r * relative_growth(r)
    for k in range(x.size):
        whole[k] = (whole[k] << 52) + EXPONENT
    for k in range(x.size):
        out[k] *= bits[k]
