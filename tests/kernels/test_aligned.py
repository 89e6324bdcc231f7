"""Arrays that begin with a line of the caches: like NumPy's own otherwise."""

import numpy as np
import pytest

import wgf
from wgf.kernels import aligned


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.uint8])
@pytest.mark.parametrize("shape", [(0, 4), (1,), (3, 5), (7, 2, 3)])
def test_arrays_begin_with_a_line(shape, kind):
    for array in (aligned.zeros(shape, kind), aligned.empty(shape, kind), aligned.copied(np.ones(shape, kind))):
        assert array.shape == shape
        assert array.dtype == kind
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.size == 0 or array.ctypes.data % aligned.LINE == 0
    assert not aligned.zeros(shape, kind).any()


def test_a_copy_is_of_its_own_and_in_c_order():
    values = np.arange(12.0).reshape(3, 4).T
    copy = aligned.copied(values)
    assert copy.flags.c_contiguous
    assert np.array_equal(copy, values)
    copy[0, 0] = -1.0
    assert values[0, 0] == 0.0
    assert aligned.copied([1, 2], float).dtype == float


def test_the_arrays_of_a_run_stay_aligned():
    """Through steps that are taken twice, windows that move, and states that have been read and written."""
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh"), wgf.Data.quadrature(np.tanh, -1, 1, 10))
    stepper = wgf.FiniteVolume(24).bind(wgf.Problem(energy, wgf.Gaussian(0.0, 0.4)), 1.0)
    state = stepper.start()
    while state.time < 1.0:
        stepper.step(state, 1.0)
        state.values *= 1.0
        arrays = [state.array, state.copy().array, *stepper.stepper.spare, stepper.stepper.work]
        assert all(array.ctypes.data % aligned.LINE == 0 for array in arrays)
