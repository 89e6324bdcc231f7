"""Centred isotropic Gaussians: the neuron, its kernel, the thresholds, and the published run."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import integrate, optimize, stats
from scripts import SOLVERS, imported

import wgf
from wgf.networks.derivatives import differences

SCRIPT = imported(SOLVERS / "mei_montanari_nguyen.py")
ENDLESS = SCRIPT.Radial(np.inf)


def by_quadrature(s, d):
    """E σ(s√d u₁), piece by piece, from the density of u₁ alone."""

    def weighted(u):
        return (1 - u**2) ** ((d - 3) / 2)

    inner = [kink / (s * np.sqrt(d)) for kink in SCRIPT.KINKS if kink < s * np.sqrt(d)]
    edges = [-1, *inner, 1]
    parts = [
        integrate.quad(lambda u: SCRIPT.ramp(s * np.sqrt(d) * u) * weighted(u), low, high, epsabs=1e-13)[0]
        for low, high in itertools.pairwise(edges)
    ]
    return sum(parts) / integrate.quad(weighted, -1, 1, epsabs=1e-13)[0]


@pytest.mark.parametrize("d", [3, 4, 40])
def test_the_neuron_is_the_mean_over_directions(d):
    """h(s) in closed form, before, between and beyond the kinks, and its slope."""
    s = np.array([0.02, 0.1, 0.3, 0.9, 2.0, 7.0])
    neuron = SCRIPT.Radial(d)
    assert neuron.value(s[:, None], np.ones((1, 1)))[:, 0] == pytest.approx([by_quadrature(value, d) for value in s], abs=1e-10)
    slope = differences(lambda r: neuron.value(r, np.array([[1.3]])), s[:, None])
    assert neuron.gradient(s[:, None], np.array([[1.3]])) == pytest.approx(slope, abs=1e-6)


def test_in_high_dimensions_it_is_that_of_a_normal_number():
    """E σ(sG) by a quadrature over G, and the limit d → ∞ of the others, which is approached like 1/d."""
    s = np.array([0.1, 0.5, 1.0, 3.0, 20.0])

    def mean(v):
        return integrate.quad(lambda z: SCRIPT.ramp(v * z) * stats.norm.pdf(z), -9, 9, points=[0.5 / v, 1.5 / v])[0]

    expected = [mean(v) for v in s[1:]]
    ours = ENDLESS.value(s[:, None], np.ones((1, 1)))[:, 0]
    assert ours[1:] == pytest.approx(expected, abs=1e-8)
    assert ENDLESS.gradient(s[:, None], np.ones((1, 1))) == pytest.approx(
        differences(lambda r: ENDLESS.value(r, np.ones((1, 1))), s[:, None]), abs=1e-8
    )
    far, farther = (np.abs(SCRIPT.Radial(d).value(s[:, None], np.ones((1, 1)))[:, 0] - ours).max() for d in (1000, 4000))
    assert far / farther == pytest.approx(4, rel=0.02)


def test_kernel_and_projection_are_those_of_all_of_space():
    """K(r, r') and F(r) against samples of x ~ N(0, (1 ± Δ)² I_d) and neurons of these lengths in random directions."""
    rng, count = np.random.default_rng(0), 400_000
    lengths, data = np.array([0.8, 2.0, 4.5]), SCRIPT.problem.energy.data
    g = SCRIPT.problem.energy.neuron.value(lengths[:, None], data.inputs)
    y = rng.choice([-1.0, 1.0], count)
    sizes = (1 + SCRIPT.DELTA * y) * stats.chi(SCRIPT.DIM).rvs(count, random_state=rng)
    one, other = (lengths[:, None] * sizes * cosines(rng, count) for _ in range(2))  # two neurons, independent given |x|
    kernel = SCRIPT.ramp(one)[:, None] * SCRIPT.ramp(other)
    assert np.all(np.abs(kernel.mean(axis=-1) - (g * data.weights) @ g.T) < 5 * kernel.std(axis=-1) / np.sqrt(count))
    projection = y * SCRIPT.ramp(one)
    assert np.all(np.abs(projection.mean(axis=-1) - g @ (data.weights * data.targets)) < 5 * projection.std(axis=-1) / np.sqrt(count))


def cosines(rng, count):
    """u₁ of `count` points on the sphere: u₁² is a beta number."""
    return rng.choice([-1, 1], count) * np.sqrt(rng.beta(0.5, (SCRIPT.DIM - 1) / 2, count))


def test_the_kernel_is_positive_and_the_rule_of_sizes_converged():
    r = np.linspace(0.05, 8, 60)[:, None]

    def kernel(nodes):
        data = SCRIPT.data(SCRIPT.DELTA, SCRIPT.DIM, nodes)
        g = SCRIPT.problem.energy.neuron.value(r, data.inputs)
        return (g * data.weights) @ g.T

    assert kernel(10) == pytest.approx(kernel(40), abs=1e-5)
    spectrum = np.linalg.eigvalsh(kernel(10))
    assert spectrum.min() > -1e-13 * spectrum.max()


def test_the_initial_law_is_that_of_the_lengths():
    law, rng = SCRIPT.problem.initial, np.random.default_rng(1)
    lengths = np.linalg.norm(rng.normal(size=(20_000, SCRIPT.DIM)), axis=1) * SCRIPT.WIDTH / np.sqrt(SCRIPT.DIM)
    assert stats.kstest(lengths, SCRIPT.mass).pvalue > 1e-3
    averages = law.cell_averages(wgf.Grid([0], [2], 100))
    assert np.cumsum(averages) * 0.02 == pytest.approx(SCRIPT.mass(np.linspace(0.02, 2, 100)), abs=1e-8)


def test_the_threshold_of_infinite_dimension_by_two_ways():
    """Where one length takes h((1 ± Δ)r) = ±1, by inverting h; and where the potential of the best length stops certifying it."""

    def of(value):
        return optimize.brentq(lambda s: ENDLESS.value(np.array([[s]]), np.ones((1, 1)))[0, 0] - value, 0.1, 20, xtol=1e-14)

    large, small = of(1), of(-1)
    assert (large - small) / (large + small) == pytest.approx(0.474219, abs=5e-7)
    assert SCRIPT.threshold(np.inf) == pytest.approx(0.474219, abs=1e-6)
    assert SCRIPT.single(0.474219, np.inf)[0] == pytest.approx((large + small) / 2, abs=1e-5)


@pytest.mark.parametrize(("delta", "risk"), [(0.1, 0.62882), (0.2, 0.34115), (0.3, 0.13924), (0.4, 0.02557), (0.46, 0.00095)])
def test_risks_of_infinite_dimension(delta, risk):
    """To five digits: by least squares over measures, and as the distance of (1, −1) from the curve of h, at right angles."""
    assert SCRIPT.best(delta, np.inf) == pytest.approx(risk, abs=5e-6)

    def ends(r):
        return ENDLESS.value(np.array([[r]]), np.array([[1 + delta], [1 - delta]]))[0] - [1, -1]

    def angle(r):
        return ends(r) @ ENDLESS.gradient(np.array([[r]]), np.array([[1 + delta], [1 - delta]]))[0, :, 0]

    foot = optimize.brentq(angle, 1.3, 1.9, xtol=1e-14)
    assert np.mean(ends(foot) ** 2) == pytest.approx(risk, abs=5e-6)
    assert SCRIPT.single(delta, np.inf) == pytest.approx((foot, np.mean(ends(foot) ** 2)), abs=1e-6)


def test_beyond_the_threshold_mixtures_are_better():
    """In d = 40, too, where it is .43101: least squares know nothing of the certificate."""
    assert SCRIPT.threshold(40) == pytest.approx(0.43101, abs=5e-6)
    for d, end in ((40, 0.43101), (np.inf, 0.474219)):
        gains = [SCRIPT.single(end + step, d)[1] - SCRIPT.best(end + step, d) for step in (-0.004, 0.01)]
        assert gains[0] < 1e-6
        assert gains[1] > 3e-5
    assert SCRIPT.best(0.6, np.inf) == pytest.approx(0, abs=1e-9)


def test_the_descent_starts_as_the_law_and_follows_the_flow():
    """One fresh sample a step, ε = 1e-4: within what 400 neurons, and the samples of a test, leave open."""
    samples = SCRIPT.fresh(np.random.default_rng(0), 4000)
    series = list(SCRIPT.descent(np.random.default_rng(1), [0, 0.5], 400))
    run = wgf.solve(SCRIPT.problem, dataclasses.replace(SCRIPT.density, cells=(200,)), 0.5 * SCRIPT.SPEED, save=2)
    for w, risk in zip(series, run.loss, strict=True):
        assert SCRIPT.averaged(w) == pytest.approx(risk, abs=0.05)
        assert SCRIPT.tested(w, *samples)[0] == pytest.approx(risk, abs=0.06)
    assert np.linalg.norm(series[1], axis=1).mean() == pytest.approx(run.measures[1].mean[0], rel=0.02)


def test_the_risk_of_a_network_is_measured_as_its_error_says():
    """Over many draws of the test, the standard error is the scatter; the samples have the second moments of x."""
    w = next(SCRIPT.descent(np.random.default_rng(2), [0], 50))
    found = np.array([SCRIPT.tested(w, *SCRIPT.fresh(np.random.default_rng(seed), 1000)) for seed in range(60)])
    assert found[:, 0].std() == pytest.approx(found[:, 1].mean(), rel=0.4)
    x, y = SCRIPT.fresh(np.random.default_rng(3), 20_000)
    for label in (1, -1):
        assert np.mean(x[y == label] ** 2) == pytest.approx((1 + label * SCRIPT.DELTA) ** 2, rel=5e-3)


@pytest.mark.long
def test_the_published_case():
    """The paper's time 5 and 10: the PDE on 800 cells within 2 % of the characteristics, and fluxes of first order off by more than 10 %.

    The characteristics are settled: fewer nodes and looser tolerances give the same.
    """
    times = SCRIPT.SPEED * np.array([5.0, 10.0])
    exact = wgf.solve(SCRIPT.problem, SCRIPT.nodes, times[-1], save=times)
    for other in (wgf.Characteristics(nodes=150, rtol=1e-7, atol=1e-9), wgf.Characteristics(nodes=200, rtol=1e-5, atol=1e-7)):
        assert wgf.solve(SCRIPT.problem, other, times[-1], save=times).loss == pytest.approx(exact.loss, rel=2e-3)
    pde = wgf.solve(SCRIPT.problem, SCRIPT.density, times[-1], save=times)
    assert pde.loss == pytest.approx(exact.loss, rel=2e-3)
    assert pde.loss[1:] == pytest.approx([0.69969, 0.17525], abs=2e-4)
    for frame, most in ((1, 0.01), (2, 0.05)):
        grid = pde.measures[frame].grid
        assert np.abs(pde.measures[frame].values - SCRIPT.averages(exact, frame, grid)).sum() * grid.cell_volume < most
    upwind = wgf.solve(SCRIPT.problem, dataclasses.replace(SCRIPT.density, limiter="upwind"), times[-1], save=times)
    assert np.all(np.abs(upwind.loss[1:] / exact.loss[1:] - 1) > 0.10)
