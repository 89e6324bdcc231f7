"""Training with a closed form: linear neurons in pairs, and two-layer diagonal networks."""

import numpy as np
import pytest
from scipy import integrate, optimize

import wgf

TIGHT = {"rtol": 1e-12, "atol": 1e-13, "solver": "DOP853"}
LINEAR = wgf.Neuron("identity", ("c", "a"))
M = 20


def linear_problem(k):
    """Neurons c·a·x for f* = kx on [−1, 1], s = E x² = 1/3."""
    return wgf.Problem(wgf.RegressionEnergy(LINEAR, wgf.Data.quadrature(lambda x: k * x, nodes=4)), wgf.Uniform([-1.0, -1.0], [1.0, 1.0]))


def part_fitted(kappa, ends):
    """b(T) of db/dT = (1 − b)√(1 + 4κ²b²), b(0) = 0: the inverse of T = ∫₀ᵇ du/((1 − u)√(1 + 4κ²u²)).

    With β = 2κ and r = √(1 + β²) the integral is (arsinh((1 + β²b)/(β(1 − b))) − arsinh(1/β))/r.
    """
    beta = 2.0 * kappa
    root = np.sqrt(1.0 + beta**2)

    def time(b):
        return (np.arcsinh((1.0 + beta**2 * b) / (beta * (1.0 - b))) - np.arcsinh(1.0 / beta)) / root

    return np.array([optimize.brentq(lambda b, end=end: time(b) - end, 0.0, 1.0 - 1e-14, xtol=1e-15) if end else 0.0 for end in ends])


def test_the_closed_form_solves_its_equation():
    """By a solver of ordinary differential equations."""
    for kappa in (0.1, 1.0, 10.0):
        ends = np.linspace(0.0, 2.0 / np.sqrt(1 + 4 * kappa**2), 5)
        solution = integrate.solve_ivp(
            lambda t, b, q=kappa: (1 - b) * np.sqrt(1 + 4 * q**2 * b**2), (0, ends[-1]), [0.0], "DOP853", ends, rtol=1e-13, atol=1e-14
        )
        assert part_fitted(kappa, ends) == pytest.approx(solution.y[0], abs=1e-11)


@pytest.mark.parametrize("kappa", [0.1, 0.4, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("p", [1.0, 0.5])
def test_linear_neurons_in_pairs_follow_their_closed_form(p, kappa):
    """b(T), the kernel's growth √(1 + 4κ²b²) − 1, κ itself and the tangent model 1 − e^{−T}."""
    draws = wgf.Particles(M, seed=3, centred="pairs").bind(linear_problem(1.0), 1.0).start().array
    sigma2, alpha, s = np.mean(np.sum(draws**2, axis=1)), M**-p, 1.0 / 3.0
    problem = linear_problem(kappa * M * alpha * sigma2)
    ends = np.array([0.0, 0.1, 0.3, 1.0, 3.0]) / np.sqrt(1 + 4 * kappa**2)
    run = wgf.solve(
        problem, wgf.Particles(M, seed=3, centred="pairs", scale=f"m^-{p}", **TIGHT), ends[-1] / (s * sigma2), ends / (s * sigma2)
    )
    data, expected = problem.energy.data, part_fitted(kappa, ends)
    found = run.prediction @ (data.weights * data.targets) / (data.weights @ data.targets**2)
    assert found == pytest.approx(expected, abs=1e-8)
    lazy = wgf.laziness(problem, run)
    assert lazy.relative_scale == pytest.approx(kappa, rel=1e-12)
    assert lazy.kernel_change == pytest.approx(np.sqrt(1 + 4 * kappa**2 * expected**2) - 1, abs=1e-8 * (1 + kappa))
    assert lazy.alignment == pytest.approx(np.ones(5), abs=1e-12)
    assert lazy.deviation == pytest.approx(np.abs(expected - (1 - np.exp(-ends))), abs=1e-8)


def test_the_crossover_of_linear_neurons_is_that_of_the_closed_form():
    """κ* = ½√((1 + c)² − 1), and A* ~ m^{−½}."""
    found = wgf.crossover(
        linear_problem(1.0), (16, 64, 256), change=0.3, until=80.0, replicates=2, centred="pairs", tolerance=1e-8, workers=1
    )
    assert found.relative_scales == pytest.approx(np.full((3, 2), 0.5 * np.sqrt(1.3**2 - 1)), rel=1e-6)


class Diagonal:
    """g(θ; x) = θ₁² − θ₂² on the feature of its own place: a two-layer diagonal network is a sum of them, one for each feature.

    θ₃, which selects the feature, does not move: its derivative is zero.
    """

    theta = ("u", "v", "place")

    def value(self, theta, x):
        place = np.rint(theta[..., 2]).astype(int)
        return (theta[..., :1] ** 2 - theta[..., 1:2] ** 2) * np.moveaxis(x[:, place], 0, -1)

    def gradient(self, theta, x):
        place = np.rint(theta[..., 2]).astype(int)
        feature = np.moveaxis(x[:, place], 0, -1)
        return np.stack([2 * theta[..., :1] * feature, -2 * theta[..., 1:2] * feature, np.zeros_like(feature)], axis=-1)


def hyperbolic_interpolant(x, y, alpha):
    """β = 2α² sinh(Xᵀν) with Xβ = y [Woodworth et al., COLT 2020], by Newton's method in ν."""

    def excess(nu):
        return x @ (2 * alpha**2 * np.sinh(x.T @ nu)) - y

    def slope(nu):
        return (x * (2 * alpha**2 * np.cosh(x.T @ nu))) @ x.T

    nu = np.zeros(len(y))
    for part in np.linspace(0.05, 1.0, 20):  # along y, from zero
        for _ in range(60):
            nu -= np.linalg.solve(slope(nu), excess(nu) + (1 - part) * y)
    return 2 * alpha**2 * np.sinh(x.T @ nu)


@pytest.mark.parametrize("alpha", [0.01, 0.03, 0.1, 0.4, 2.0, 10.0])
def test_diagonal_networks_tend_to_the_hyperbolic_interpolant(alpha):
    """From u = v = α the flow ends in it: of least ℓ¹ norm where α is small, of least ℓ² norm where it is large."""
    rng = np.random.default_rng(5)
    n, features = 4, 10
    x, sparse = rng.standard_normal((n, features)), np.zeros(features)
    sparse[[1, 6]] = 1.0, -0.7
    data = wgf.Data(x, x @ sparse)
    start = np.column_stack([np.full(features, alpha), np.full(features, alpha), np.arange(features)])
    problem = wgf.Problem(wgf.RegressionEnergy(Diagonal(), data), wgf.Samples(start))
    end = 4000.0
    neurons = wgf.methods.particles.flow.FlowStepper(
        wgf.problems.scaled.scaled(problem, 1.0, None, start), start, np.full(features, 1 / features), "DOP853", 1e-13, 1e-14
    )
    state = neurons.start()
    while state.time < end and neurons.frame(state).diagnostics.loss > 1e-18:
        neurons.step(state, end)
    found = state.array[:, 0] ** 2 - state.array[:, 1] ** 2
    expected = hyperbolic_interpolant(x, data.targets, alpha)
    assert x @ expected == pytest.approx(data.targets, abs=1e-12)
    assert found == pytest.approx(expected, abs=1e-8)
