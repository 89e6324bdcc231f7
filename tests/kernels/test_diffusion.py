"""The implicit kernel against dense matrices, and its promises on any density, any potential and any step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wgf.kernels.diffusion import LANES, SLOTS, fill_dissipation, fill_rates, implicit_sweep
from wgf.kernels.sums import fill_logarithms, fill_sums


def bernoulli(x):
    """B(x) = x/(eˣ − 1)."""
    return 1.0 if x == 0 else x / np.expm1(x)


def generator(potential, periodic, tau, spacing):
    """The matrix A of dμ/dt = Aμ on one line, face by face."""
    n = len(potential)
    matrix = np.zeros((n, n))
    for i in range(n if periodic else n - 1):
        j = (i + 1) % n
        x = (potential[j] - potential[i]) / tau
        up, down = tau / spacing**2 * bernoulli(x), tau / spacing**2 * bernoulli(-x)
        matrix[[i, j], [i, i]] += [-up, up]
        matrix[[i, j], [j, j]] += [down, -down]
    return matrix


class Lines:
    """A random density with holes and a random potential on a grid, moved along one axis."""

    def __init__(self, shape, axis, periodic, seed, roughness=2.0):
        rng = np.random.default_rng(seed)
        self.shape, self.axis, self.periodic = shape, axis % len(shape), periodic
        self.u = rng.exponential(size=shape) * rng.integers(0, 2, size=shape)
        self.g = rng.normal(scale=roughness, size=shape)
        self.tau, self.spacing = rng.uniform(0.1, 2.0), rng.uniform(0.1, 1.0)
        self.n, self.stride = shape[self.axis], int(np.prod(shape[self.axis + 1 :]))

    def moved(self, dt, second_order):
        """By the kernel; scratch and result begin as NaN, so that nothing unset goes unseen."""
        out, work = np.full(self.u.size, np.nan), np.full((2, SLOTS, (self.n + 1) * LANES), np.nan)
        flat = (self.u.ravel(), self.g.ravel(), out)
        implicit_sweep(*flat, self.n, self.stride, self.periodic, self.tau, dt / self.spacing**2, second_order, work)
        return out.reshape(self.shape)

    def lines(self, array):
        """(n, lines)."""
        return np.moveaxis(array, self.axis, 0).reshape(self.n, -1)

    def dense(self, dt, second_order):
        """By dense linear algebra, line by line."""
        ends = []
        for u, g in zip(self.lines(self.u).T, self.lines(self.g).T, strict=True):
            matrix = generator(g, self.periodic, self.tau, self.spacing)
            if second_order:
                step = np.linalg.inv(np.eye(self.n) - dt / 3 * matrix)
                third = step @ step @ step @ u
                ends.append(third - dt**2 / 6 * matrix @ matrix @ third)
            else:
                ends.append(np.linalg.solve(np.eye(self.n) - dt * matrix, u))
        return np.array(ends).T

    def energy(self, u):
        """∫Gμ + τ∫μ log μ along the lines, in units of a cell."""
        return float(np.sum(self.g * u + self.tau * u * np.log(np.maximum(u, 1e-300))))


SHAPES = st.lists(st.integers(1, 11), min_size=1, max_size=3).map(tuple)
LINES = st.builds(Lines, shape=SHAPES, axis=st.integers(0, 2), periodic=st.booleans(), seed=st.integers(0, 2**32 - 1))


@given(lines=LINES, dt=st.sampled_from([1e-3, 0.1, 10.0, 1e4]))
def test_an_implicit_euler_step_is_its_dense_solution(lines, dt):
    assert lines.lines(lines.moved(dt, False)) == pytest.approx(lines.dense(dt, False), rel=1e-8, abs=1e-11)


@given(lines=LINES)
def test_a_step_of_second_order_is_its_dense_formula_where_the_limiter_sleeps(lines):
    """A density far from zero, and a short step."""
    lines.u += 5.0
    dt = 0.01 * lines.spacing**2
    assert lines.lines(lines.moved(dt, True)) == pytest.approx(lines.dense(dt, True), rel=1e-12)


@given(lines=LINES, dt=st.sampled_from([1e-6, 1e-3, 0.1, 10.0, 1e6]), second_order=st.booleans())
def test_any_step_keeps_mass_and_sign(lines, dt, second_order):
    moved = lines.moved(dt, second_order)
    assert moved.min() >= 0
    assert moved.sum() == pytest.approx(lines.u.sum(), rel=1e-12)


@given(lines=LINES, dt=st.sampled_from([1e-3, 0.1, 10.0, 1e6]))
def test_implicit_euler_steps_of_any_length_let_the_energy_fall(lines, dt):
    assert lines.energy(lines.moved(dt, False)) <= lines.energy(lines.u) + 1e-11 * (1 + abs(lines.energy(lines.u)))


@given(lines=LINES, dt=st.sampled_from([1e-3, 1.0, 1e3]), second_order=st.booleans())
def test_the_gibbs_state_stays(lines, dt, second_order):
    """On every line e^{−G/τ}, times any number; cells of all sizes keep their value to rounding."""
    lines.u = np.exp(-lines.g / lines.tau)
    assert lines.moved(dt, second_order) == pytest.approx(lines.u, rel=1e-11)


def test_the_second_order_is_one():
    """Against the matrix exponential, on a smooth line: error ~ dt³ for one step."""
    from scipy.linalg import expm

    lines = Lines((40,), 0, False, 0)
    x = np.linspace(0, 1, 40)
    lines.u, lines.g, lines.spacing, lines.tau = 1 + 0.5 * np.cos(np.pi * x), 0.3 * x**2, 1 / 39, 0.5
    exact = expm(1.0 * generator(lines.g, False, lines.tau, lines.spacing))
    errors = []
    for steps in (20, 40, 80):
        u = lines.u
        for _ in range(steps):
            lines.u = lines.moved(1.0 / steps, True)
        errors.append(np.abs(lines.u - exact @ u).max())
        lines.u = u
    assert np.diff(np.log2(errors)) == pytest.approx([-2, -2], abs=0.2)


@given(lines=LINES)
def test_the_dissipation_is_the_rate_at_which_the_energy_falls(lines):
    """Σ_faces J·(ξ_i − ξ_{i+1}) against −d/dt of the energy by the dense generator."""
    lines.u += 0.1
    logarithms, readings, out = np.empty(lines.u.size), np.empty((3, 2)), np.empty(3)
    fill_logarithms(logarithms, lines.u.ravel(), readings)
    arrays = (lines.u.ravel(), logarithms, lines.g.ravel())
    work = np.full((3, SLOTS, LANES), np.nan)
    fill_dissipation(out, *arrays, lines.n, lines.stride, lines.periodic, lines.tau, 1 / lines.spacing**2, work)
    expected = 0.0
    for u, g in zip(lines.lines(lines.u).T, lines.lines(lines.g).T, strict=True):
        expected -= (g + lines.tau * np.log(u)) @ generator(g, lines.periodic, lines.tau, lines.spacing) @ u
    assert out.sum() == pytest.approx(expected, rel=1e-10, abs=1e-10)
    assert readings[:, 0].sum() == pytest.approx(np.sum(lines.u * np.log(lines.u)), rel=1e-12, abs=1e-12)
    assert readings[:, 1].min() == lines.u.min()


@pytest.mark.parametrize("tau", [1.0, 1e-3, 1e-300])
@pytest.mark.parametrize("seed", range(10))
def test_the_dissipation_of_a_state_at_rest_is_not_negative(seed, tau):
    """At u ∝ e^{−G/τ} it is zero, and by rounding never below, whose root would be no number; finite for any τ, too."""
    rng = np.random.default_rng(seed)
    potential = rng.normal(size=40) * min(tau, 1e-2) + (tau < 1e-2) * rng.integers(0, 2, 40)
    u = np.exp(-potential / tau)
    logarithms, readings, out = np.empty(40), np.empty((2, 2)), np.empty(2)
    fill_logarithms(logarithms, u, readings)
    fill_dissipation(out, u, logarithms, potential, 40, 1, False, tau, 1.0, np.full((2, SLOTS, 41 * LANES), np.nan))
    assert out.min() >= 0
    assert out.sum() < 1e-25


@given(x=st.floats(-650, 650) | st.floats(-1e12, 1e12), tau=st.sampled_from([0.01, 1.0, 30.0]))
def test_rates_are_exact_to_rounding(x, tau):
    """Of the rates and of x/τ itself, of which e^{−x/τ} has |x/τ| times the relative error."""
    up, down, bits = np.empty(3), np.empty(3), np.empty(3)
    fill_rates(up, down, np.zeros(3), np.full(3, x * tau), bits, tau, 2.0)
    y = x * tau / tau
    small = bernoulli(abs(y)) if abs(y) < 650 else 0.0
    expected = (small, abs(y) + small) if y > 0 else (abs(y) + small, small)
    rounding = 2e-15 + 4e-16 * min(abs(y), 650)
    assert up[0] == pytest.approx(2 * expected[0], rel=rounding if y > 0 else 2e-15, abs=1e-270)
    assert down[0] == pytest.approx(2 * expected[1], rel=2e-15 if y > 0 else rounding, abs=1e-270)


def test_a_zero_cell_has_no_entropy():
    logarithms, readings = np.empty(2), np.empty((1, 2))
    fill_logarithms(logarithms, np.array([0.0, 1.0]), readings)
    assert readings.tolist() == [[0.0, 0.0]]
    assert np.isfinite(logarithms).all()


def test_row_sums_are_sums():
    rng = np.random.default_rng(0)
    values, multiplier, along, sums = rng.random((5, 7)), rng.random(7), rng.random(7), np.empty((3, 5))
    fill_sums(sums, values, multiplier, along)
    assert sums == pytest.approx(np.stack([values.sum(axis=1), values @ multiplier, values @ along]))
