"""Noisy neurons at walls: the reflected step against closed forms, its weak order without a random number, and the wall cell's density."""

import numpy as np
import pytest
from numpy.polynomial import chebyshev, legendre
from scipy import special, stats

import wgf
from wgf.methods.particles.walls import Walls

UNTIL = 2.0


def neurons_of(potential, slope, temperature, initial=None):
    """Independent neurons on a line, in V = `potential`."""

    def confining(theta):
        return potential(theta[..., 0])

    confining.gradient = slope
    return wgf.Problem(wgf.InteractionEnergy(V=confining), initial or wgf.Uniform([0.1], [0.2]), temperature)


FALLING = neurons_of(lambda x: x, np.ones_like, 1.0, wgf.FromDensity(lambda theta: np.exp(-theta[..., 0]), lower=[0], upper=[30]))


def panels(edges, nodes):
    """Gauss–Legendre in each panel: points and weights."""
    t, w = legendre.leggauss(nodes)
    middle, half = 0.5 * (edges[1:] + edges[:-1])[:, None], 0.5 * np.diff(edges)[:, None]
    return (middle + half * t).ravel(), (half * w).ravel()


def one_step(problem, eta, scheme, start, xi, levels, box):
    """Where a step leads from each start (n,), for each normal number of `xi` and each U of `levels` (n, len(xi), …)."""
    points = np.broadcast_to(start[:, None, None], levels.shape)
    stepper = wgf.Particles(points.size, step=eta, scheme=scheme, lower=[box[0]], upper=[box[1]]).bind(problem, 1.0)
    push = np.broadcast_to(np.sqrt(2 * problem.noise * eta) * xi[:, None], levels.shape)
    dips = -4 * problem.noise * eta * np.log(levels)
    stepper.noise = lambda *_: (push.reshape(-1, 1), dips.reshape(-1, 1))
    stepper.warned = True  # the points are no draw
    state = stepper.start()
    state.values = points.reshape(-1, 1).copy()
    stepper.step(state, eta)
    return state.values.reshape(levels.shape)


def transition(problem, drift, eta, scheme, box, extent, size=32):
    """Chebyshev nodes x of the extent, and the matrix that takes a function at them to its mean after one step.

    The integral over U is split at the probability that the first path meets the nearer wall, where the end has a kink.
    """
    x = extent[0] + (extent[1] - extent[0]) * 0.5 * (1 + np.cos(np.pi * (np.arange(size) + 0.5) / size))
    xi, weights = panels(np.linspace(-6.5, 6.5, 27), 8)
    weights = weights * np.exp(-(xi**2) / 2) / np.sqrt(2 * np.pi)
    u, share = panels(np.linspace(0.0, 1.0, 7) ** 2, 8)
    end = x[:, None] + eta * drift(x)[:, None] + np.sqrt(2 * problem.noise * eta) * xi
    above = x[:, None] + end > sum(box)
    gaps = [np.where(above, box[1] - points, points - box[0]) for points in (x[:, None], end)]
    missed = -np.expm1(-np.maximum(gaps[0] * gaps[1], 0.0) / (problem.noise * eta))
    levels = np.concatenate([1 - missed[..., None] * u, np.maximum((1 - missed)[..., None] * u, 1e-300)], axis=-1)
    shares = np.concatenate([missed[..., None] * share, (1 - missed)[..., None] * share], axis=-1) * weights[:, None]
    later = one_step(problem, eta, scheme, x, xi, levels, box)
    scaled = 2 * (np.clip(later, *extent) - extent[0]) / (extent[1] - extent[0]) - 1
    nodes = 2 * (x - extent[0]) / (extent[1] - extent[0]) - 1
    values = np.einsum("nij,nijk->nk", shares, chebyshev.chebvander(scaled, size - 1))
    matrix = values @ np.linalg.inv(chebyshev.chebvander(nodes, size - 1))
    return x, matrix / matrix.sum(axis=1, keepdims=True)


def bias(problem, drift, density, eta, scheme, box, extent):
    """By how much the means of θ and θ² from the stationary law are off at t = 2."""
    x, matrix = transition(problem, drift, eta, scheme, box, extent)
    z, weights = panels(np.linspace(*extent, 41), 8)
    weights = weights * density(z) / (weights @ density(z))
    basis = chebyshev.chebvander(2 * (z - extent[0]) / (extent[1] - extent[0]) - 1, len(x) - 1)
    weights = weights @ basis @ np.linalg.inv(chebyshev.chebvander(2 * (x - extent[0]) / (extent[1] - extent[0]) - 1, len(x) - 1))
    later = np.linalg.matrix_power(matrix, round(UNTIL / eta))
    return np.array([weights @ (later @ f - f) for f in (x, x**2)])


@pytest.mark.parametrize("box", [(0.0, 40.0), (0.0, 1.0)], ids=["half-line", "interval"])
@pytest.mark.parametrize(("scheme", "order"), [("heun", 2), ("euler-maruyama", 1)])
def test_the_weak_order_at_a_wall(box, scheme, order):
    """The reflected Ornstein–Uhlenbeck process from its stationary law, a cut Gaussian: all means are by quadrature over ξ and U."""
    tau, center = (0.5, 0.3) if box[1] > 1 else (0.3, 0.2)
    problem = neurons_of(lambda x: 0.5 * (x - center) ** 2, lambda x: x - center, tau)
    etas = (0.1, 0.05) if box[1] > 1 else (0.05, 0.025)
    extent = (0.0, 6.0) if box[1] > 1 else box
    found = [
        bias(problem, lambda x: center - x, lambda x: np.exp(-((x - center) ** 2) / (2 * tau)), eta, scheme, box, extent) for eta in etas
    ]
    largest = np.abs(found).max(axis=1)
    assert np.log2(largest[0] / largest[1]) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("scheme", ["heun", "euler-maruyama"])
@pytest.mark.parametrize("step", [0.4, 0.1, 0.025])
def test_a_constant_velocity_keeps_its_stationary_law_at_any_step(scheme, step):
    """dθ = −dt + √2 dB on θ ≥ 0 from Exp(1), at t = 2: mean, variance and the density in the wall cell, within 3 standard errors."""
    m, width = 20_000, 0.1
    method = wgf.Particles(m, seed=1, step=step, scheme=scheme, lower=[0], upper=[60])
    theta = wgf.solve(FALLING, method, until=UNTIL, save=2).measures[-1].positions[:, 0]
    held = -np.expm1(-width)
    assert abs(theta.mean() - 1) < 3 / np.sqrt(m)
    assert abs(theta.var() - 1) < 3 * np.sqrt(8 / m)
    assert abs(np.mean(theta < width) - held) < 3 * np.sqrt(held * (1 - held) / m)


@pytest.mark.parametrize("velocity", [-2.0, 0.0, 1.5])
def test_a_reflected_step_has_its_law(velocity):
    """P_x(X_t ≤ z) = Φ((z − x − vt)/s) − e^{2vz/σ²} Φ((−z − x − vt)/s), s = σ√t, in one step; by Kolmogorov and Smirnov's test."""
    m, x, t, tau = 20_000, 0.3, 0.7, 0.4
    rng = np.random.default_rng(0)
    spread = np.sqrt(2 * tau * t)
    start = np.full((m, 1), x)
    free = start + velocity * t + spread * rng.standard_normal((m, 1))
    ends, _ = Walls([0], [100]).reflected(start, free, 4 * tau * t * rng.standard_exponential((m, 1)))

    def law(z):
        return special.ndtr((z - x - velocity * t) / spread) - np.exp(velocity * z / tau) * special.ndtr((-z - x - velocity * t) / spread)

    assert stats.kstest(ends[:, 0], law).pvalue > 1e-3


def test_two_walls_are_exact_while_a_step_does_not_meet_both():
    """Brownian motion on [0, 1] from .3 by one step of std .25 and by its cosine series, at upper and lower wall alike."""
    m, variance = 200_000, 0.25**2
    rng = np.random.default_rng(3)
    n = np.arange(1, 30)
    for x in (0.3, 0.8):
        start = np.full((m, 1), x)
        free = start + np.sqrt(variance) * rng.standard_normal((m, 1))
        ends, _ = Walls([0], [1]).reflected(start, free, 2 * variance * rng.standard_exponential((m, 1)))
        edges = np.linspace(0, 1, 21)
        decay = np.exp(-0.5 * (n * np.pi) ** 2 * variance) * np.cos(n * np.pi * x)
        expected = np.diff(edges + 2 * np.sin(np.pi * np.outer(edges, n)) @ (decay / (n * np.pi)))
        assert stats.chisquare(np.histogram(ends, edges)[0], m * expected / expected.sum()).pvalue > 1e-3


def test_the_time_of_the_minimum_weighs_the_corrector():
    """The shares 1/5 and 3/5 of langevin.py, H(1) = ∫y² P_y(killed by 1) dy = ⅔√(2/π), by paths from everywhere in the layer."""
    variance, cells, paths = 1.0, 400, 4000
    rng = np.random.default_rng(5)
    starts = np.repeat((np.arange(cells) + 0.5) * 6 / cells, paths)[:, None]
    free = starts + rng.standard_normal(starts.shape)
    ends, met = Walls([0], [1e3]).reflected(starts, free, 2 * variance * rng.standard_exponential(starts.shape))
    local = np.where(met, ends - free, 0.0)  # −min
    share = np.where(met, ends / (starts + free + 2 * local), 1.0)  # (y − min)/(x + y − 2 min), the mean of 1 − s
    layer = 6 / cells / paths
    whole = np.sqrt(2 / np.pi) * 2 / 3
    assert layer * np.sum(starts * ends * share * met) == pytest.approx(whole / 5, rel=0.02)
    assert layer * np.sum(ends**2 * share * met) == pytest.approx(3 * whole / 5, rel=0.02)


def test_neurons_on_batches_without_noise_stop_at_walls():
    """As those of gradient descent on all data do, and are not thrown back."""
    data = wgf.Data([0.5, 1.0], [2.0, 2.0])
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("identity", ("a",), {"c": 1, "b": 0}), data), wgf.Uniform([0], [0.5]))
    run = wgf.solve(problem, wgf.Particles(5, step=0.5, batch=1, lower=[0], upper=[0.8]), until=6.0, save=2)
    assert run.measures[-1].positions == pytest.approx(0.8)
