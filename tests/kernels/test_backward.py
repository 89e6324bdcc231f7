"""The kernels that go back along characteristics, against the same in whole arrays with SciPy's B-splines."""

import numpy as np
import pytest
from scipy.interpolate import BSpline

from wgf.kernels.backward import BASIS, BLOCKS, LANES, TERMS, WIDTH, carry_back_on_line, carry_back_on_plane

B = BSpline.basis_element(np.arange(7.0))  # of degree five, on [0, 6]
STEPS, PULL = 5, 0.3
LENGTHS = np.array([0.1, 0.3, 0.2, 0.15, 0.25])
BOX = np.array([[-9.0, -9.0, -9.0], [9.0, 9.0, 9.0]])


def spline(coefficients, x, derivative=0):
    """Σ_k coefficient_k B(x − k + 5), (…, m): the k-th basis function stands on [k − 5, k + 1]."""
    basis = B if derivative == 0 else B.derivative(derivative)
    places = x[..., None] - np.arange(coefficients.shape[-1]) + 5.0
    values = np.where((places > 0) & (places < 6), basis(np.clip(places, 0.0, 6.0)), 0.0)
    return values


def runge_kutta(theta, rates, lengths):
    """(θ, log) of all points from the end of the steps to their beginning; rates(table, θ) → rates of θ (M, p), of log (M,)."""
    log = np.zeros(len(theta))
    for step in range(len(lengths) - 1, -1, -1):
        dt = lengths[step]
        k1, l1 = rates(2 * step + 2, theta)
        k2, l2 = rates(2 * step + 1, theta + 0.5 * dt * k1)
        k3, l3 = rates(2 * step + 1, theta + 0.5 * dt * k2)
        k4, l4 = rates(2 * step, theta + dt * k3)
        theta = theta + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        log = log + dt / 6 * (l1 + 2 * l2 + 2 * l3 + l4)
    return theta, log


@pytest.mark.parametrize("free", [0.0, 1.0])
def test_along_a_line(free):
    rng = np.random.default_rng(0)
    coefficients = rng.normal(size=(2 * STEPS + 1, 12 + TERMS - 1))
    tables = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(coefficients, TERMS, axis=1) @ BASIS.T)
    start, origin, h = rng.uniform([-1, 1], [1, 5], (40, 2)), -0.5, 0.5

    def rates(k, theta):
        c, x = theta[:, 0], (theta[:, 1] - origin) / h
        value, slope, bend = (spline(coefficients[k], x, n) @ coefficients[k] / h**n for n in range(3))
        return np.stack([free * (value + PULL * c), c * slope + PULL * theta[:, 1]], axis=1), c * bend

    lengths = 0.1 * LENGTHS
    c, u, log = start[:, 0].copy(), start[:, 1].copy(), np.zeros(40)
    carry_back_on_line(c, u, log, lengths, tables, origin, 1 / h, free, PULL, BOX[:, :2], np.empty((BLOCKS, 8, LANES)))
    expected, grown = runge_kutta(start, rates, lengths)
    assert np.column_stack([c, u]) == pytest.approx(expected, rel=1e-12)
    assert log == pytest.approx(grown, rel=1e-11, abs=1e-13)


def test_on_a_plane():
    rng = np.random.default_rng(1)
    coefficients = 0.1 * rng.normal(size=(2 * STEPS + 1, 12 + TERMS - 1, 10 + TERMS - 1))
    start, origin, h = rng.uniform([-1, 1, 1], [1, 4, 3], (40, 3)), np.array([-0.5, 0.0]), np.array([0.5, 0.4])

    def rates(k, theta):
        c, (x, y) = theta[:, 0], ((theta[:, 1:] - origin) / h).T
        table = coefficients[k]

        def derivative(n, m):
            along, across = spline(table[:, 0], x, n), spline(table[0], y, m)
            return np.einsum("ma,ab,mb->m", along, table, across) / h[0] ** n / h[1] ** m

        slopes = np.stack([derivative(0, 0), c * derivative(1, 0), c * derivative(0, 1)], axis=1)
        return slopes + PULL * theta, c * (derivative(2, 0) + derivative(0, 2))

    lengths = 0.1 * LENGTHS
    c, a, b, log = *start.T.copy(), np.zeros(40)
    work = np.empty((BLOCKS, 12, LANES))
    wide = np.pad(coefficients, ((0, 0), (0, 0), (0, WIDTH - TERMS)), constant_values=np.pi)
    carry_back_on_plane(c, a, b, log, lengths, wide, origin, 1 / h, 1.0, PULL, BOX, work)
    expected, grown = runge_kutta(start, rates, lengths)
    assert np.column_stack([c, a, b]) == pytest.approx(expected, rel=1e-12)
    assert log == pytest.approx(grown, rel=1e-11, abs=1e-13)


def test_a_point_that_leaves_the_box_stops():
    """c' = λc back from 1 passes 2 at λt = log 2; the logarithm of one that is outside to begin with stays as it is."""
    tables = np.zeros((5, 4, TERMS))
    c, u, log = np.array([1.0, 1.0, 0.5]), np.zeros(3), np.array([0.0, -np.inf, 0.0])
    carry_back_on_line(
        c, u, log, np.array([0.5, 0.5]), tables, 0.0, 1.0, 1.0, 1.0, np.array([[-2.0, -1.0], [2.0, 1.0]]), np.empty((BLOCKS, 8, LANES))
    )
    assert log.tolist() == [-np.inf, -np.inf, 0.0]
    assert c == pytest.approx([np.e, 1.0, 0.5 * np.e], rel=1e-3)
