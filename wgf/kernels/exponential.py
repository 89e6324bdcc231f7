"""eˣ in loops that vectorise, which calls of exp do not.

x = k log 2 + r with whole k and |r| ≤ ½ log 2, eˣ = 2ᵏ eʳ, eʳ by its Taylor polynomial; 2ᵏ is put together from its bits.
"""

from __future__ import annotations

import math

import numpy as np

from wgf.kernels.compiled import Array, pointwise

LOG2E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10
ROUNDER = 6755399441055744.0  # 1.5·2⁵²: adding it rounds to a whole number, which then stands in the lowest bits
EXPONENT = 1023 << 52  # the bits of 1.0
C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13 = (1 / math.factorial(k) for k in range(2, 14))
LEAST = -700.0  # of x: below it eˣ < 1e-304 is as good as zero, and is given as e^{−700}


@pointwise
def relative_growth(r: float) -> float:
    """(eʳ − 1)/r for |r| ≤ ½ log 2."""
    q = C6 + r * (C7 + r * (C8 + r * (C9 + r * (C10 + r * (C11 + r * (C12 + r * C13))))))
    return 1.0 + r * (C2 + r * (C3 + r * (C4 + r * (C5 + r * q))))


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
