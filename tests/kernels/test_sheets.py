"""The kernel that goes back through sheets, against a solver with events in whole arrays."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from wgf.kernels.sheets import BLOCKS, SLOTS, TERMS, carry_back_through_sheets

X = np.array([-0.8, -0.1, 0.5, 0.9])
KINKS, SLOPES, OFFSETS = np.array([-1.0, 1.0]), np.array([0.2, 1.0, -0.3]), np.array([-0.8, 0.0, 1.3])
RESIDUALS = np.array([[1.0, 0.8, 1.2, 0.7], [0.1, -0.2, 0.3, 0.2]])  # at u = 0, and their growth to u = 1
PULL, DT = 0.1, 0.8


class Sheet:
    """The event at which a path of solve_ivp comes to ax + b = κ, and ends."""

    def __init__(self, x, kink):
        self.normal, self.kink = np.array([0.0, x, 1.0]), kink
        self.__dict__["terminal"] = True  # as SciPy asks for it

    def __call__(self, time, theta):
        return self.normal @ theta - self.kink


def pieces(theta):
    return np.searchsorted(KINKS, theta[1] * X + theta[2])


def slope(u, theta, on):
    """∇G, with the pieces as they are given."""
    c, a, b = theta
    z = RESIDUALS[0] + u * RESIDUALS[1]
    value = z @ (SLOPES[on] * (a * X + b) + OFFSETS[on])
    return np.array([value, c * z @ (SLOPES[on] * X), c * z @ SLOPES[on]]) + PULL * theta


def way_back(theta):
    """(θ, log) by an adaptive solver that stops at each sheet; −∞ where the flow leads away on both sides."""
    u, log, on = 1.0, 0.0, pieces(theta)
    while True:
        events = [Sheet(x, kink) for x in X for kink in KINKS]
        start = theta + 1e-9 * DT * slope(u, theta, on)
        path = solve_ivp(lambda s, y, u=u, on=on: DT * slope(u - s, y, on), (1e-9, u), start, events=events, rtol=1e-11, atol=1e-13)
        theta = path.y[:, -1]
        if path.status == 0:
            return theta, log
        u -= path.t[-1]
        i, k = divmod(next(n for n, found in enumerate(path.t_events) if len(found)), len(KINKS))
        normal, after = np.array([0.0, X[i], 1.0]), on.copy()
        on = on.copy()
        on[i] = k if after[i] == k + 1 else k + 1
        later, earlier = normal @ slope(u, theta, after), normal @ slope(u, theta, on)
        if later * earlier <= 0:
            return theta, -np.inf
        log += np.log(earlier / later)


@pytest.mark.long
def test_points_go_back_through_sheets():
    start = np.random.default_rng(2).uniform([-1.5, -1.5, -1.5], [1.5, 1.5, 1.5], (16, 3))
    steps = 64  # of equal length, on each of which z is linear
    each = np.zeros((steps, TERMS, len(X)))
    each[:, 0] = RESIDUALS[0] + np.arange(steps)[:, None] / steps * RESIDUALS[1]
    each[:, 1] = RESIDUALS[1] / steps
    theta, log = start.copy(), np.zeros(16)
    box = np.array([[-99.0] * 3, [99.0] * 3])
    work, own = np.empty((BLOCKS, SLOTS, TERMS)), np.empty((BLOCKS, len(X)), dtype=np.int64)
    carry_back_through_sheets(theta, log, np.full(steps, DT / steps), each, X, KINKS, SLOPES, OFFSETS, np.ones(3), PULL, box, work, own)
    found = [way_back(each) for each in start]
    places, grown = np.array([place for place, _ in found]), np.array([value for _, value in found])
    kept = grown > -np.inf
    assert np.array_equal(log > -np.inf, kept)
    assert (np.abs(grown[kept]) > 1e-3).sum() > 4  # some have crossed a sheet
    assert theta[kept] == pytest.approx(places[kept], abs=1e-6)
    assert log[kept] == pytest.approx(grown[kept], abs=1e-6)
