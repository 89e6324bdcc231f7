"""The transport kernel against its twin in whole arrays, and its promises on any density, any potential and any active cells."""

from functools import cache

import numpy as np
import pytest
from checks import on_random_grids
from hypothesis import given
from hypothesis import strategies as st

from wgf.kernels.outflow import fill_waits
from wgf.kernels.reconstruction import Limiter, fill_sharp_fluxes, is_sharp, upwind_value
from wgf.kernels.transport import row_of_scratch, rows_of_scratch, stage

PACE = 30.0
LIMITED, SHARP = [each for each in Limiter if not is_sharp(each)], [each for each in Limiter if is_sharp(each)]
DEGREES = {Limiter.MP5: 4, Limiter.MP7: 6}  # of the polynomials for which a sharp value is exact


def half_slope(limiter, left, right):
    """Half the limited slope, by its textbook formula."""
    same, small = left * right > 0, np.sign(left) * np.minimum(abs(left), abs(right))
    total = np.where(same, left + right, 1.0)
    central = np.sign(left) * np.minimum(abs(small), 0.25 * abs(left + right))
    return np.where(same, [0 * left, 0.5 * small, left * right / total, central][limiter], 0.0)


def minmod(*numbers):
    """The smallest of the numbers in size where all have one sign, zero elsewhere."""
    stacked = np.stack(numbers)
    signs = np.sign(stacked)
    return np.where(abs(signs.sum(axis=0)) == len(numbers), signs[0] * abs(stacked).min(axis=0), 0.0)


def median(a, b, c):
    return np.median(np.stack([a, b, c]), axis=0)


def monotonicity_preserving(degree, z, a, b, c, d, e, f):
    """The value between c and d of the polynomial of a degree that has the averages around c, cut to the interval of Suresh & Huynh by
    their formulas (2.8), (2.26) to (2.30), with medians.
    """
    curvature = {"far": a - 2 * b + c, "here": b - 2 * c + d, "ahead": c - 2 * d + e}

    def minmod4(x, y):
        return minmod(4 * x - y, 4 * y - x, x, y)

    upper = c + 4 * (c - b)
    middle = 0.5 * (c + d) - 0.5 * minmod4(curvature["here"], curvature["ahead"])
    large = c + 0.5 * (c - b) + 4 / 3 * minmod4(curvature["far"], curvature["here"])
    least = np.maximum(np.minimum(np.minimum(c, d), middle), np.minimum(np.minimum(c, upper), large))
    most = np.minimum(np.maximum(np.maximum(c, d), middle), np.maximum(np.maximum(c, upper), large))
    reach = degree // 2
    cells = (z, a, b, c, d, e, f)[3 - reach : 4 + reach]
    return median(sum(weight * cell for weight, cell in zip(weights_on_a_face(reach), cells, strict=True)), least, most)


@cache
def weights_on_a_face(reach):
    """Of the averages of a cell and so many on either side, in the value on its upper face: by a system for the monomials."""
    edges = np.arange(-reach, reach + 2) - 0.5
    powers = np.arange(2 * reach + 1)[:, None]
    averages = np.diff(edges ** (powers + 1) / (powers + 1), axis=1)
    return np.linalg.solve(averages, 0.5 ** powers[:, 0])


class Faces:
    """The faces above the cells along one axis, in whole arrays: speeds, which of them are open, and neighbours."""

    def __init__(self, sweep, axis):
        self.n, self.axis, self.wrap, self.h = sweep.shape[axis], axis, sweep.periodic[axis], sweep.spacing[axis]
        self.first = np.arange(self.n).reshape([-1 if k == axis else 1 for k in range(len(sweep.shape))]) == 0
        self.speed = (sweep.potential - self.at(sweep.potential, 1)) / self.h  # vanishes at a wall
        self.v = np.where(sweep.active & self.at(sweep.active, 1), self.speed, 0.0)

    def at(self, array, shift):
        return np.take(array, np.arange(self.n) + shift, self.axis, mode="wrap" if self.wrap else "clip")

    def below(self, faces):
        return np.where(self.first & (not self.wrap), 0.0, self.at(faces, -1))

    def outflow(self):
        return (np.maximum(self.speed, 0) - np.minimum(self.below(self.speed), 0)) / self.h

    def products(self, u):
        """Σ_t h_t²/12 ∂_t(μ ∂_t v) over the other axes: differences of what stands between a face and the next ones along t."""
        total, density = np.zeros_like(u), 0.5 * (u + self.at(u, 1))
        for other in self.others:
            slopes = (other.at(self.speed, 1) - self.speed) / other.h
            between = 0.5 * (other.at(density, 1) + density) * slopes  # zero at a wall, beyond which the neighbour is the face itself
            total += other.h**2 / 12 * (between - other.below(between)) / other.h
        return total

    def fluxes(self, u, limiter, shares):
        if limiter in SHARP:
            giving = monotonicity_preserving(DEGREES[limiter], *(self.at(u, k) for k in (-3, -2, -1, 0, 1, 2, 3)))
            taking = monotonicity_preserving(DEGREES[limiter], *(self.at(u, k) for k in (4, 3, 2, 1, 0, -1, -2)))
            given = abs(self.v) * np.where(self.v > 0, u, self.at(u, 1))
            whole = np.where(self.v > 0, self.v * giving, self.v * taking) + np.clip(self.products(u), -given, given)
            return np.clip(whole, np.minimum(self.v * self.at(u * shares, 1), 0), np.maximum(self.v * u * shares, 0))
        half = half_slope(limiter, u - self.at(u, -1), self.at(u, 1) - u)
        right, left = u + half, self.at(u, 1) - self.at(half, 1)
        return np.maximum(self.v, 0) * right + np.minimum(self.v, 0) * left


def twin(sweep, limiter, dt, weight):
    """New values; Σ_faces flux·speed, the largest outflow, the smallest active value: axis by axis, in whole arrays."""
    u, base = (array.reshape(sweep.shape) for array in (sweep.u, sweep.base))
    faces = [Faces(sweep, axis) for axis in range(u.ndim)]
    for each in faces:
        each.others = [other for other in faces if other is not each]
    outflow = sum(each.outflow() for each in faces)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        shares = np.minimum(PACE / outflow, 1e190)
    rate, dissipated = np.zeros_like(u), 0.0
    for each in faces:
        flux = each.fluxes(u, limiter, shares)
        rate += (each.below(flux) - flux) / each.h
        dissipated += (flux * each.v).sum()
    new = np.where(sweep.active, (1 - weight) * base + weight * (u + dt * rate), 0.0)
    return new, (dissipated, outflow[sweep.active].max(initial=0.0), u[sweep.active].min(initial=np.inf))


def runs_of(inside):
    """The runs of the cells that are marked in an array (rows, columns)."""
    edges = np.diff(np.pad(inside, ((0, 0), (1, 1))).astype(int), axis=1)
    runs = np.concatenate([[0], np.cumsum((edges > 0).sum(axis=1))])
    return runs, np.stack([np.nonzero(edges > 0)[1], np.nonzero(edges < 0)[1]], axis=1)


class Sweep:
    """A random density and potential in the layout of the kernel; all cells are active, or those of random runs. They are swept at once, or
    the lower and the upper ones along an axis, `cut`, one part after the other.
    """

    def __init__(self, shape, periodic, seed, full=False, blocks=1, everywhere=True, cut=None):
        rng = np.random.default_rng(seed)
        self.shape, self.periodic, self.full = shape, periodic, full
        rows, columns = int(np.prod(shape[:-1])), shape[-1]
        self.active = np.ones(shape, dtype=bool) if everywhere else rng.random(shape) < 0.6
        inside = self.active.reshape(rows, columns)
        self.u = rng.exponential(size=(rows, columns)) * rng.integers(0, 2, size=(rows, columns)) * inside
        self.base = rng.exponential(size=(rows, columns)) * inside
        self.slope, self.multiplier, self.along = (rng.normal(scale=3, size=n) for n in (rows, columns, columns))
        self.offset = rng.normal(scale=5, size=(rows, columns if full else 1))
        self.spacing = rng.uniform(0.1, 2.0, size=len(shape))
        self.cells = np.array(shape[:-1], dtype=np.int64)
        self.strides = np.array([int(np.prod(shape[k + 1 : -1])) for k in range(len(shape) - 1)], dtype=np.int64)
        self.blocks = np.unique(np.linspace(0, rows, min(blocks, rows) + 1).astype(np.int64))
        self.runs, self.columns = runs_of(inside)
        self.cut = None if cut is None else cut % len(shape)

    def parts(self):
        """What is swept in one: the first cell along each leading axis, and the runs of the cells."""
        middle = 0 if self.cut is None else self.shape[self.cut] // 2
        for low, high in ((0, middle), (middle, None)):
            inside, bottom = np.zeros(self.shape, dtype=bool), np.zeros(len(self.shape), dtype=np.int64)
            part = np.moveaxis(inside, self.cut or 0, 0)
            part[low:high] = np.moveaxis(self.active, self.cut or 0, 0)[low:high]
            bottom[self.cut or 0] = low
            yield bottom[:-1], runs_of(inside.reshape(self.u.shape))

    @property
    def potential(self):
        return (np.multiply.outer(self.slope, self.multiplier) + self.along + self.offset).reshape(self.shape)

    def kernel(self, limiter, dt, weight=1.0, base=None, pace=PACE):
        """The stage; scratch and results begin as NaN, so that nothing unset goes unseen."""
        base = self.base if base is None else base
        count = len(self.blocks) - 1
        work = np.full((count, rows_of_scratch(self.strides, True), row_of_scratch(self.shape[-1])), np.nan)
        inside = self.active.reshape(self.u.shape)
        out, sums = np.where(inside, np.nan, 0.0), np.zeros((3, len(self.u)))
        readings, waits = np.full((count, 3), np.nan), np.zeros_like(self.u)
        field = (self.slope, self.multiplier, self.along, self.offset)
        where = (self.blocks, self.runs, self.columns, self.cells, self.strides, np.array(self.periodic), 1 / self.spacing)
        fill_waits(waits, *field, *where, work, readings)
        how = (int(limiter), pace, dt, weight, True, work)
        dissipated, lowest = 0.0, np.inf
        for bottom, swept in self.parts():
            part = np.zeros_like(sums)
            stage(self.u, base, out, waits, *field, self.blocks, *swept, bottom, *where[1:], *how, part, readings)
            sums += part
            dissipated, lowest = dissipated + readings[:, 0].sum(), min(lowest, readings[:, 2].min())
        return out, sums, (dissipated, readings[:, 1].max(), lowest)


CUTS = st.none() | st.integers(0, 3)
SWEEPS = on_random_grids(Sweep, 9, full=st.booleans(), blocks=st.integers(1, 5), everywhere=st.booleans(), cut=CUTS)


@given(sweep=SWEEPS)
def test_the_largest_outflow_is_found_without_those_of_all_cells(sweep):
    """By all cells where G is an array; at the ends of runs, where it is of second degree along a row."""
    if not sweep.full:
        sweep.multiplier = 0.3 * np.arange(len(sweep.multiplier)) - 1.0
        sweep.along = sweep.multiplier**2
    work = np.full((len(sweep.blocks) - 1, rows_of_scratch(sweep.strides, True), row_of_scratch(sweep.shape[-1])), np.nan)
    field = (sweep.slope, sweep.multiplier, sweep.along, sweep.offset)
    where = (sweep.blocks, sweep.runs, sweep.columns, sweep.cells, sweep.strides, np.array(sweep.periodic), 1 / sweep.spacing)
    found = []
    for waits in (np.zeros_like(sweep.u), np.zeros((0, sweep.shape[-1]))):
        readings = np.full((len(sweep.blocks) - 1, 3), np.nan)
        fill_waits(waits, *field, *where, work, readings)
        found.append(readings[:, 1])
    assert found[1] == pytest.approx(found[0], rel=1e-12)


@given(sweep=SWEEPS, limiter=st.sampled_from(Limiter), weight=st.sampled_from([1.0, 0.5, 1 / 3]))
def test_the_kernel_is_its_twin(sweep, limiter, weight):
    """One to four axes of any length, any mix of boundaries, any limiter, any cut into blocks, any active cells."""
    out, sums, readings = sweep.kernel(limiter, 0.01, weight)
    expected, expected_readings = twin(sweep, limiter, 0.01, weight)
    scale = abs(expected).max() + 0.01 * abs(sweep.potential).max()
    assert out.reshape(sweep.shape) == pytest.approx(expected, rel=1e-12, abs=1e-13 * scale)
    assert readings == pytest.approx(expected_readings, rel=1e-11, abs=1e-12)
    expected_sums = np.stack([out.sum(axis=1), out @ sweep.multiplier, out @ sweep.along])
    assert sums == pytest.approx(expected_sums, rel=1e-12, abs=1e-12 * (1 + abs(out).sum()))


@given(sweep=SWEEPS, limiter=st.sampled_from(Limiter))
def test_mass_is_kept_and_no_cell_turns_negative_at_the_bound(sweep, limiter):
    """One Euler stage with dt·outflow = ½ (less rounding), with sharp limiters dt·pace = 1 far beyond, for any density with holes, any
    potential.
    """
    _, _, (_, outflow, _) = sweep.kernel(limiter, 0.0)
    bound = 3.0 if limiter in SHARP else 0.4999999
    dt = bound / outflow if outflow > 0 else 1.0
    out, _, (dissipated, _, _) = sweep.kernel(limiter, dt, pace=(1 - 1e-14) / dt)
    assert out.min() >= (0.0 if limiter in SHARP else -1e-300)
    assert dissipated >= 0
    assert out.sum() == pytest.approx(sweep.u.sum(), rel=1e-13)


@given(sweep=SWEEPS, limiter=st.sampled_from(Limiter))
def test_a_stage_of_no_time_changes_nothing(sweep, limiter):
    out, _, _ = sweep.kernel(limiter, 0.0)
    assert np.array_equal(out, sweep.u)


@given(left=st.floats(-1e300, 1e300), right=st.floats(-1e300, 1e300), limiter=st.sampled_from(LIMITED))
def test_half_a_limited_slope_is_at_most_the_smaller_difference(left, right, limiter):
    """On three cells with speeds of both signs the face value stays between the neighbours: what positivity rests on."""
    from wgf.kernels import reconstruction

    half = {
        Limiter.UPWIND: reconstruction.half_zero,
        Limiter.MINMOD: reconstruction.half_minmod,
        Limiter.VAN_LEER: reconstruction.half_van_leer,
        Limiter.MC: reconstruction.half_central,
    }[limiter](left, right)
    assert abs(half) <= min(abs(left), abs(right))
    assert half == 0 or (left > 0) == (right > 0) == (half > 0)


def test_second_order_limiters_give_a_line_its_slope():
    for limiter in (Limiter.MINMOD, Limiter.VAN_LEER, Limiter.MC):
        assert half_slope(limiter, np.array(0.3), np.array(0.3)) == pytest.approx(0.15)


@pytest.mark.parametrize("limiter", SHARP)
@given(cells=st.lists(st.floats(-10, 10), min_size=7, max_size=7))
def test_sharp_values_are_those_of_suresh_and_huynh_between_their_bounds(limiter, cells):
    """Those that are not negative, where averages are not."""
    expected = monotonicity_preserving(DEGREES[limiter], *map(np.array, cells))
    assert upwind_value(limiter, *cells) == pytest.approx(max(expected, 0.0), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("limiter", SHARP)
def test_sharp_values_are_exact_for_polynomials(limiter):
    """Of degree four with mp5, and six with mp7, increasing and smooth from −3.5 to 3.5, so that nothing is cut."""
    polynomial = np.polynomial.Polynomial([9, 1, 0.1, 0.02, 0.004, 4e-4, 1e-4][: DEGREES[limiter] + 1])
    averages = np.diff(polynomial.integ()(np.arange(-3.5, 4)))
    assert upwind_value(limiter, *averages) == pytest.approx(polynomial(0.5), rel=1e-14)
    assert upwind_value(limiter, *(20 - averages)) == pytest.approx(20 - polynomial(0.5), rel=1e-14)


@pytest.mark.parametrize("limiter", [Limiter.MC, *SHARP])
def test_a_nan_is_not_lost(limiter):
    sweep = Sweep((6, 7), (False, False), seed=0)
    sweep.u[3, 3] = np.nan
    out, sums, _ = sweep.kernel(limiter, 0.01)
    assert np.isnan(out[3, 3])
    assert np.isnan(sums[0, 3])


def test_the_terms_of_products_are_exact_for_planes():
    """Where v and μ vary linearly along a face, the mean of v·μ differs from the product of their means by h²/12 ∂v ∂μ, exactly."""
    sweep = Sweep((1, 7, 9), (False, False, False), 3)
    faces = [Faces(sweep, axis) for axis in range(3)]
    faces[1].others = [faces[0], faces[2]]
    y, z = np.meshgrid(np.arange(7.0), np.arange(9.0), indexing="ij")
    sweep_speed, density = (2.0 + 0.3 * y - 0.7 * z)[None], (5.0 + 0.1 * y + 0.4 * z)[None]
    faces[1].speed = sweep_speed
    points, weights = np.polynomial.legendre.leggauss(2)
    mean = sum(w / 2 * (sweep_speed - 0.35 * x) * (density + 0.05 + 0.2 * x) for x, w in zip(points, weights, strict=True))
    expected = mean - sweep_speed * (density + 0.05)
    assert faces[1].products(density)[:, :-1, 1:-1] == pytest.approx(expected[:, :-1, 1:-1], rel=1e-12)


@pytest.mark.parametrize("limiter", SHARP)
def test_averages_that_are_next_to_nothing_are_zero(limiter):
    """Numbers below 2e-308 have few digits: what a cell gives could be more than it has by the last of them."""
    sweep = Sweep((4, 40), [False, False], 5)
    sweep.u[:, :20] *= 1e-320
    out = sweep.kernel(limiter, 0.9 / PACE)[0]
    assert out.min() == 0
    assert not ((out > 0) & (out < 1e-290)).any()


@pytest.mark.parametrize("limiter", SHARP)
def test_the_flux_is_continuous_where_the_speed_turns(limiter):
    """Whatever the terms of the products are there: with a flux that jumps, a density that turns the speed stays between two fluxes."""
    rng, faces = np.random.default_rng(3), 200
    averages, waits, products = rng.exponential(size=(8, faces)), rng.exponential(size=(2, faces)), rng.normal(size=faces)
    for size in (1e-3, 1e-6, 0.0):
        forth, back = products.copy(), products.copy()
        fill_sharp_fluxes(limiter, forth, *averages, np.full(faces, size), *waits, PACE)
        fill_sharp_fluxes(limiter, back, *averages, np.full(faces, -size), *waits, PACE)
        assert (forth >= 0).all()
        assert (back <= 0).all()
        assert (forth - back <= 20 * size * averages.max(axis=0)).all()
