"""Which cells are active, against SciPy's dilation and its labels."""

import numpy as np
import pytest
from checks import on_random_grids
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import ndimage

from wgf.kernels import active
from wgf.methods.finite_volume.active import ACTIVE, KEPT, ActiveCells


class Field:
    """Random values in a random layout, zero in many cells."""

    def __init__(self, shape, periodic, seed, share):
        rng = np.random.default_rng(seed)
        self.shape, self.periodic = shape, periodic
        self.values = rng.exponential(size=shape) * (rng.random(shape) < share) + (rng.random(shape) < share) * 1e-20
        self.values.ravel()[rng.integers(self.values.size)] = 5.0  # one at least is large
        self.rows = (int(np.prod(shape[:-1])), shape[-1])
        strides = [int(np.prod(shape[k + 1 : -1])) for k in range(len(shape) - 1)]
        self.cells = ActiveCells(self.rows, np.array(shape[:-1], dtype=np.int64), np.array(strides, dtype=np.int64), np.array(periodic), 3)

    def near(self, marked, reach):
        """The cells within `reach` of a marked one, axis by axis, by SciPy."""
        for axis, wrap in enumerate(self.periodic):
            mode = "wrap" if wrap else "constant"
            marked = ndimage.maximum_filter1d(marked.astype(int), 2 * reach + 1, axis, mode=mode, cval=0) > 0
        return marked

    def found(self, runs):
        """The cells of runs, as an array of the shape."""
        cells = np.zeros(self.rows, dtype=bool)
        for row in range(self.rows[0]):
            for first, last in runs.columns[runs.runs[row] : runs.runs[row + 1]]:
                assert 0 <= first < last <= self.rows[1]
                assert not cells[row, max(first - 1, 0) : last].any()  # runs do not touch
                cells[row, first:last] = True
        return cells.reshape(self.shape)


FIELDS = on_random_grids(Field, 11, share=st.sampled_from([0.0, 0.05, 0.3, 1.0]))


@given(field=FIELDS)
def test_cells_near_mass_are_active(field):
    field.cells.find(field.values.reshape(field.rows))
    expected = field.near(field.values > 0, ACTIVE)
    assert np.array_equal(field.found(field.cells.now), expected)
    assert field.cells.size == expected.sum()
    blocks = field.cells.blocks
    assert blocks[0] == 0
    assert blocks[-1] == field.rows[0]
    assert (np.diff(blocks) >= 0).all()


@given(field=FIELDS)
@example(field=Field((8, 2), [False, False], 0, 0.3))  # handed over to a cell that was not active
def test_what_is_far_and_small_is_handed_over_and_nothing_is_lost(field):
    """Cells within KEPT of more than the threshold only gain, all others are emptied; arrays beside are zero where no cell is active."""
    values = field.values.reshape(field.rows).copy()
    field.cells.find(values)
    beside, other = (np.where(field.found(field.cells.now), 1.0, 0.0).reshape(field.rows) for _ in range(2))
    runs, moved = field.cells.after(values, 1e-14)
    kept = field.near(field.values > 1e-14 * field.values.max(), KEPT)
    after = values.reshape(field.shape)
    assert (after[~kept] == 0).all()
    assert (after[kept] >= field.values[kept]).all()
    assert moved == pytest.approx(field.values[~kept].sum(), rel=1e-12)
    assert after.sum() == pytest.approx(field.values.sum(), rel=1e-14)
    field.cells.move_to(runs, beside, other)
    assert np.array_equal(field.found(field.cells.now), field.near(after > 0, ACTIVE))
    assert (beside.reshape(field.shape)[~field.found(field.cells.now)] == 0).all()
    assert np.array_equal(other, beside)


def test_a_value_goes_to_the_nearest_cell_that_is_kept():
    marks = np.array([[0, 0, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0]], dtype=np.uint8)
    values = np.array([[0.0, 0, 0, 0.1], [0, 0.2, 0, 0], [0.4, 0, 0, 0]])
    everything = np.arange(4), np.array([[0, 4]] * 3)
    assert active.hand_over(values, marks, *everything) == (pytest.approx(0.7), False)
    assert np.array_equal(values, [[0, 0, 0, 0], [0.2 + 0.4, 0, 0, 0.1], [0, 0, 0, 0]])
