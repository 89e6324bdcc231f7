"""Sums over the cells of a plane with functions of their own on each strip of columns, beside NumPy."""

import numpy as np
import pytest

from wgf.kernels.strips import BLOCKS, STRIP, TOGETHER, fill_cells, fill_moments

COLUMNS = 2 * STRIP + 5


def case(rows, seed=0):
    """Values, functions of the rows and of the strips; scratch is NaN, so that nothing of it may be left."""
    rng = np.random.default_rng(seed)
    values, left = rng.normal(size=(rows, COLUMNS)), rng.normal(size=(rows, 2 * TOGETHER))
    functions = rng.normal(size=(3, 3 * TOGETHER * STRIP))
    width = 9 * TOGETHER
    work, partial = np.full((BLOCKS, TOGETHER, width), np.nan), np.full((BLOCKS, left.shape[1], width), np.nan)
    return values, left, functions, work, partial


def on_strips(functions):
    """All functions of all strips on all columns (strips·F, columns), zero on those of other strips."""
    strips, count = len(functions), functions.shape[1] // STRIP
    whole = np.zeros((strips, count, strips * STRIP))
    for k in range(strips):
        whole[k, :, k * STRIP : (k + 1) * STRIP] = functions[k].reshape(count, STRIP)
    return whole.reshape(strips * count, -1)[:, :COLUMNS]


@pytest.mark.parametrize("rows", [1, 2, 15, 33, 100])
def test_moments(rows):
    """As matrices; some blocks have no row, some one, and some a number that is no multiple of four."""
    values, left, functions, work, partial = case(rows)
    moments = np.full(partial.shape[1:], np.nan)
    fill_moments(moments, values, left, functions, work, partial)
    assert np.allclose(moments, left.T @ values @ on_strips(functions).T, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rows", [1, 2, 15, 33, 100])
@pytest.mark.parametrize("whole", [True, False])
def test_cells(rows, whole):
    """The same, with a penalty of each cell or the same for all."""
    values, left, functions, work, partial = case(rows)
    penalty = values if whole else np.full((1, 1), 0.3)
    mixed = np.random.default_rng(1).normal(size=partial.shape[1:])
    out = np.full_like(values, np.nan)
    fill_cells(out, penalty, left, functions, mixed, work, np.full((BLOCKS, COLUMNS), np.nan))
    assert np.allclose(out, left @ mixed @ on_strips(functions) + penalty, rtol=0, atol=1e-12)
