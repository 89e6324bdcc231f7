"""The transport kernel against its twin in whole arrays, and its promises on any density and any potential."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgf.kernels.transport import BUFFERS, PADDING, Limiter, stage


def half_slope(limiter, left, right):
    """Half the limited slope, by its textbook formula."""
    same, small = left * right > 0, np.sign(left) * np.minimum(abs(left), abs(right))
    total = np.where(same, left + right, 1.0)
    central = np.sign(left) * np.minimum(abs(small), 0.25 * abs(left + right))
    return np.where(same, [0 * left, 0.5 * small, left * right / total, central][limiter], 0.0)


def twin(u, base, potential, periodic, spacing, limiter, dt, weight):
    """New values; Σ_faces flux·speed, the largest outflow rate, the smallest value of `u`: axis by axis, in whole arrays."""
    rate, outflow, dissipated = np.zeros_like(u), np.zeros_like(u), 0.0
    for axis, (wrap, h) in enumerate(zip(periodic, spacing, strict=True)):

        def at(array, shift, axis=axis, wrap=wrap):
            return np.take(array, np.arange(array.shape[axis]) + shift, axis, mode="wrap" if wrap else "clip")

        half = half_slope(limiter, u - at(u, -1), at(u, 1) - u)
        v = (potential - at(potential, 1)) / h  # through the upper face of each cell; vanishes at a wall
        flux = np.maximum(v, 0) * (u + half) + np.minimum(v, 0) * (at(u, 1) - at(half, 1))
        first = np.arange(u.shape[axis]).reshape([-1 if k == axis else 1 for k in range(u.ndim)]) == 0
        enters, lower = (np.where(first & (not wrap), 0.0, at(array, -1)) for array in (flux, v))
        rate += (enters - flux) / h
        outflow += (np.maximum(v, 0) - np.minimum(lower, 0)) / h
        dissipated += (flux * v).sum()
    return (1 - weight) * base + weight * (u + dt * rate), (dissipated, outflow.max(), u.min())


class Sweep:
    """A random density and potential in the layout of the kernel."""

    def __init__(self, shape, periodic, seed, full=False, blocks=1):
        rng = np.random.default_rng(seed)
        self.shape, self.periodic, self.full = shape, periodic, full
        rows, columns = int(np.prod(shape[:-1])), shape[-1]
        self.u = rng.exponential(size=(rows, columns)) * rng.integers(0, 2, size=(rows, columns))
        self.base = rng.exponential(size=(rows, columns))
        self.slope, self.multiplier, self.along = (rng.normal(scale=3, size=n) for n in (rows, columns, columns))
        self.offset = rng.normal(scale=5, size=(rows, columns if full else 1))
        self.spacing = rng.uniform(0.1, 2.0, size=len(shape))
        self.cells = np.array(shape[:-1], dtype=np.int64)
        self.strides = np.array([int(np.prod(shape[k + 1 : -1])) for k in range(len(shape) - 1)], dtype=np.int64)
        self.blocks = min(blocks, rows)

    @property
    def potential(self):
        return (np.multiply.outer(self.slope, self.multiplier) + self.along + self.offset).reshape(self.shape)

    def kernel(self, limiter, dt, weight=1.0, base=None):
        """The stage; scratch and results begin as NaN, so that nothing unset goes unseen."""
        base = self.base if base is None else base
        work = np.full((self.blocks, BUFFERS + self.strides.sum(), self.shape[-1] + PADDING), np.nan)
        out, sums = np.full_like(self.u, np.nan), np.full((3, len(self.u)), np.nan)
        readings = np.full((self.blocks, 3), np.nan)
        stage(
            self.u, base, out, self.slope, self.multiplier, self.along, self.offset, self.cells, self.strides,
            np.array(self.periodic), 1 / self.spacing, int(limiter), dt, weight, work, sums, readings,
        )  # fmt: skip
        return out, sums, (readings[:, 0].sum(), readings[:, 1].max(), readings[:, 2].min())


SWEEPS = st.integers(1, 4).flatmap(
    lambda p: st.builds(
        Sweep,
        shape=st.lists(st.integers(1, 9), min_size=p, max_size=p).map(tuple),
        periodic=st.lists(st.booleans(), min_size=p, max_size=p),
        seed=st.integers(0, 2**32 - 1),
        full=st.booleans(),
        blocks=st.integers(1, 5),
    )
)


@given(sweep=SWEEPS, limiter=st.sampled_from(Limiter), weight=st.sampled_from([1.0, 0.5, 1 / 3]))
def test_the_kernel_is_its_twin(sweep, limiter, weight):
    """One to four axes of any length, any mix of boundaries, any limiter, any cut into blocks."""
    out, sums, readings = sweep.kernel(limiter, 0.01, weight)
    shaped = [array.reshape(sweep.shape) for array in (sweep.u, sweep.base)]
    expected, expected_readings = twin(*shaped, sweep.potential, sweep.periodic, sweep.spacing, limiter, 0.01, weight)
    scale = abs(expected).max() + 0.01 * abs(sweep.potential).max()
    assert out.reshape(sweep.shape) == pytest.approx(expected, rel=1e-12, abs=1e-13 * scale)
    assert readings == pytest.approx(expected_readings, rel=1e-11, abs=1e-12)
    expected_sums = np.stack([out.sum(axis=1), out @ sweep.multiplier, out @ sweep.along])
    assert sums == pytest.approx(expected_sums, rel=1e-12, abs=1e-12 * (1 + abs(out).sum()))


@given(sweep=SWEEPS, limiter=st.sampled_from(Limiter))
def test_mass_is_kept_and_no_cell_turns_negative_at_the_bound(sweep, limiter):
    """One Euler stage with dt·outflow = ½ (less rounding), for any density with holes and any potential."""
    _, _, (_, outflow, _) = sweep.kernel(limiter, 0.0)
    dt = 0.4999999 / outflow if outflow > 0 else 1.0
    out, _, _ = sweep.kernel(limiter, dt)
    assert out.min() >= -1e-300
    assert out.sum() == pytest.approx(sweep.u.sum(), rel=1e-13)


@given(sweep=SWEEPS, limiter=st.sampled_from(Limiter))
def test_a_stage_of_no_time_changes_nothing(sweep, limiter):
    out, _, _ = sweep.kernel(limiter, 0.0)
    assert np.array_equal(out, sweep.u)


@given(left=st.floats(-1e300, 1e300), right=st.floats(-1e300, 1e300), limiter=st.sampled_from(Limiter))
def test_half_a_limited_slope_is_at_most_the_smaller_difference(left, right, limiter):
    """On three cells with speeds of both signs the face value stays between the neighbours: what positivity rests on."""
    from wgf.kernels import transport

    half = {
        Limiter.UPWIND: transport.half_zero,
        Limiter.MINMOD: transport.half_minmod,
        Limiter.VAN_LEER: transport.half_van_leer,
        Limiter.MC: transport.half_central,
    }[limiter](left, right)
    assert abs(half) <= min(abs(left), abs(right))
    assert half == 0 or (left > 0) == (right > 0) == (half > 0)


def test_second_order_limiters_give_a_line_its_slope():
    for limiter in (Limiter.MINMOD, Limiter.VAN_LEER, Limiter.MC):
        assert half_slope(limiter, np.array(0.3), np.array(0.3)) == pytest.approx(0.15)


def test_a_nan_is_not_lost():
    sweep = Sweep((6, 7), (False, False), seed=0)
    sweep.u[3, 3] = np.nan
    out, sums, _ = sweep.kernel(Limiter.MC, 0.01)
    assert np.isnan(out[3, 3])
    assert np.isnan(sums[0, 3])
