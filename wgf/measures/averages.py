"""Integrals of a function from cell averages of a density, of fourth order.

In a cell of length h, with the average μ̄ and derivatives at the centre, ∫μf = h(μ̄f + h²/24 μ̄f'' + h²/12 μ'f') + O(h⁵). Summed over the
cells, the last term is −h²/12 ∫μf'' by parts, so that

    ∫f dμ = Σ_i h μ̄_i (Df)_i + O(h⁴),      (Df)_i = f_i − δ²f_i/24,   δ²f_i = f_{i+1} − 2f_i + f_{i−1},

where the midpoint rule, with f for Df, errs by h²/24 ∫f'' dμ. It suits the potential as well: of an energy that is a function of such sums
the derivative G by the averages is D of the potential's values at the centres, and its difference across a face,

    (DG_{i+1} − DG_i)/h = ∂G + (h²/24 − h²/24) ∂³G + O(h⁴),

is the slope at the face to fourth order, where that of the values errs by h²/24 ∂³G. With several axes D is the product of their D's; in a
cell at a wall δ² is that of the next cell; on fewer than three cells D is one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FEWEST = 3  # cells of an axis
SHARE = 1 / 24


def for_averages(values: np.ndarray, periodic: Sequence[bool] | np.ndarray) -> np.ndarray:
    """Df for the values f at the centres, (n_1, …, n_q, …) with q entries in `periodic`; the further axes are no coordinates."""
    for axis, wraps in enumerate(periodic):
        f = np.moveaxis(values, axis, 0)
        if len(f) >= FEWEST:
            part = SHARE * f
            result = 2.0 * part
            result += f
            result[1:-1] -= part[2:]
            result[1:-1] -= part[:-2]
            before, after = (  # beyond a wall: on the parabola through the three cells at it
                (part[-1], part[0]) if wraps else (3.0 * part[0] - 3.0 * part[1] + part[2], 3.0 * part[-1] - 3.0 * part[-2] + part[-3])
            )
            result[0] -= part[1] + before
            result[-1] -= part[-2] + after
            values = np.moveaxis(result, 0, axis)
    return np.ascontiguousarray(values)


def weights_of(masses: np.ndarray, periodic: Sequence[bool] | np.ndarray) -> np.ndarray:
    """Dᵀm for the masses m of cells, (n_1, …, n_p): Σ (Dᵀm)f = Σ m(Df), with the same sum. Beside much mass they may be negative."""
    for axis, wraps in enumerate(periodic):
        m = np.moveaxis(masses, axis, 0)
        if len(m) >= FEWEST:
            result = m.copy()
            if wraps:
                result -= SHARE * (np.roll(m, 1, 0) - 2.0 * m + np.roll(m, -1, 0))
            else:
                inner = SHARE * m[1:-1]
                inner[0] += SHARE * m[0]
                inner[-1] += SHARE * m[-1]
                result[1:-1] += 2.0 * inner
                result[:-2] -= inner
                result[2:] -= inner
            masses = np.moveaxis(result, 0, axis)
    return masses
