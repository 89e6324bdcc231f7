"""Sums over the cells of a plane with functions of their own on each strip of columns, beside NumPy."""

import numpy as np
import pytest

from wgf.kernels.strips import BLOCKS, TOGETHER, fill_cells, fill_moments

ENDS = np.array([0, 7, 20, 21])


def case(rows, seed=0):
    """Values, functions of the rows and of the strips; scratch is NaN, so that nothing of it may be left."""
    rng = np.random.default_rng(seed)
    values, left = rng.normal(size=(rows, ENDS[-1])), rng.normal(size=(rows, 2 * TOGETHER))
    functions = rng.normal(size=(3 * TOGETHER, ENDS[-1]))
    width = (len(ENDS) - 1) * len(functions)
    work, partial = np.full((BLOCKS, TOGETHER, width), np.nan), np.full((BLOCKS, left.shape[1], width), np.nan)
    return values, left, functions, work, partial


def on_strips(functions):
    """All functions of all strips on all columns (strips·F, columns), zero on those of other strips."""
    parts = [np.zeros_like(functions) for _ in ENDS[:-1]]
    for part, first, last in zip(parts, ENDS, ENDS[1:], strict=False):
        part[:, first:last] = functions[:, first:last]
    return np.vstack(parts)


@pytest.mark.parametrize("rows", [1, 2, 15, 33, 100])
def test_moments(rows):
    """As matrices; some blocks have no row, some one, and some a number that is no multiple of four."""
    values, left, functions, work, partial = case(rows)
    moments = np.full(partial.shape[1:], np.nan)
    fill_moments(moments, values, left, functions, ENDS, work, partial)
    assert np.allclose(moments, left.T @ values @ on_strips(functions).T, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rows", [1, 2, 15, 33, 100])
@pytest.mark.parametrize("whole", [True, False])
def test_cells(rows, whole):
    """The same, with a penalty of each cell or the same for all."""
    values, left, functions, work, partial = case(rows)
    penalty = values if whole else np.full((1, 1), 0.3)
    mixed = np.random.default_rng(1).normal(size=partial.shape[1:])
    out = np.full_like(values, np.nan)
    fill_cells(out, penalty, left, functions, ENDS, mixed, work, np.full((BLOCKS, ENDS[-1]), np.nan))
    assert np.allclose(out, left @ mixed @ on_strips(functions) + penalty, rtol=0, atol=1e-12)
