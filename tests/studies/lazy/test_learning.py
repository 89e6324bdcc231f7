"""Kernel flow and interpolant against dense matrices; the norm of one neuron against the series in spherical harmonics."""

import numpy as np
import pytest
from scipy import special
from scipy.integrate import solve_ivp

import wgf
from wgf.studies.lazy.learning import (
    KernelFlow,
    directions,
    growth,
    learning_curve,
    minimum_norm,
    neuron_norms,
    slope,
    sphere_points,
)

NEURON = wgf.Neuron("relu", ("c", "a", "b"))
LAW = wgf.Gaussian(0, 1)
X = np.linspace(-1.0, 1.0, 7)
DATA = wgf.Data(X, np.abs(X - 0.2), np.linspace(1.0, 2.0, 7))


# ---- flow and interpolant


def test_the_flow_solves_its_equation():
    """∂_t φ̄ = −T W (φ̄ − y) from zero on the data, and the same integral with T(x, X) elsewhere, by Runge–Kutta."""
    flow, new = KernelFlow(NEURON, LAW, DATA), np.array([-0.7, 0.15, 1.3])
    both = np.concatenate([X, new])
    rows = wgf.tangent_kernel(NEURON, LAW, both, X) * DATA.weights
    solution = solve_ivp(lambda t, phi: -rows @ (phi[:7] - DATA.targets), (0, 3.0), np.zeros(10), rtol=1e-11, atol=1e-12)
    assert flow.predict(both, 3.0) == pytest.approx(solution.y[:, -1], abs=1e-8)
    assert flow.predict(both, 0.0) == pytest.approx(np.zeros(10))


def test_the_flow_ends_at_the_interpolant_of_least_norm():
    flow, kernel = KernelFlow(NEURON, LAW, DATA), wgf.tangent_kernel(NEURON, LAW, X)
    assert flow.predict(X) == pytest.approx(DATA.targets, abs=1e-10)
    assert flow.predict(X, 1e9) == pytest.approx(DATA.targets, abs=1e-10)
    interpolant = minimum_norm(kernel, DATA.targets)
    assert flow.coefficients() == pytest.approx(interpolant.coefficients, rel=1e-8)
    assert interpolant.squares[-1] == pytest.approx(flow.coefficients() @ kernel @ flow.coefficients(), rel=1e-9)


def test_an_input_that_is_there_twice_is_one_with_twice_the_weight():
    """The kernel is then singular, and the flow's limit is that of the merged data."""
    doubled = wgf.Data([*X, X[2]], [*DATA.targets, DATA.targets[2]], np.ones(8))
    merged = wgf.Data(X, DATA.targets, [1, 1, 2, 1, 1, 1, 1])
    for time in (0.5, 10.0, np.inf):
        assert KernelFlow(NEURON, LAW, doubled).predict([0.3, 2.0], time) == pytest.approx(
            KernelFlow(NEURON, LAW, merged).predict([0.3, 2.0], time), rel=1e-8
        )


def test_the_norms_of_all_prefixes():
    """Against the inverse of each leading block; the norm of a function of the space is reached from below."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(12, 3))
    kernel, targets = wgf.tangent_kernel(wgf.Neuron("relu", ("c", "a1", "a2", "a3"), {}, 3), LAW, x), rng.normal(size=(12, 2))
    norms = minimum_norm(kernel, targets)
    for n in (1, 5, 12):
        assert norms.squares[n - 1] == pytest.approx(np.diag(targets[:n].T @ np.linalg.inv(kernel[:n, :n]) @ targets[:n]), rel=1e-9)
    centre = minimum_norm(kernel, kernel[:, 7]).squares  # of K(·, x_7), whose norm² is K(x_7, x_7)
    assert (np.diff(centre) >= 0).all()
    assert centre[7:] == pytest.approx(np.full(5, kernel[7, 7]), rel=1e-9)


def extended(kernel, targets):
    """yᵀ K⁻¹ y by Cholesky in extended precision."""
    factor, y = kernel.astype(np.longdouble), targets.astype(np.longdouble)
    square = np.longdouble(0)
    for k in range(len(y)):
        pivot = np.sqrt(factor[k, k])
        column, value = factor[k + 1 :, k] / pivot, y[k] / pivot
        factor[k + 1 :, k + 1 :] -= np.outer(column, column)
        y[k + 1 :] -= column * value
        square += value**2
    return float(square)


@pytest.mark.parametrize("dim", [2, 4])
def test_the_error_by_rounding_is_not_less_than_it_says(dim):
    """The kernel of c on 300 points, in d = 2 with a condition number of 1e9, against extended precision: same matrix."""
    rng = np.random.default_rng(0)
    x = sphere_points(300, dim, rng)
    names = tuple(f"a{k + 1}" for k in range(dim))
    law = wgf.Product([wgf.Samples([0.0]), wgf.Gaussian([0.0] * dim, 1.0)])
    kernel = wgf.tangent_kernel(wgf.Neuron("relu", ("c", *names), {}, dim), law, x)
    targets = np.maximum(x @ directions(1, dim, rng)[0], 0.0)
    norms = minimum_norm(kernel, targets)
    assert abs(norms.squares[-1] - extended(kernel, targets)) <= norms.error
    assert norms.error < 1e-3 * norms.squares[-1]


# ---- one neuron


def series(dim, degrees):
    """μ_k² N_k/λ_k of the kernel of c alone and of the tangent kernel of degrees k, and N_k.

    By Funk and Hecke a function of ⟨x, x'⟩ = t has the eigenvalue ∝ ∫ f(t) P_k(t) (1 − t²)^{(d−3)/2} dt with Gegenbauer's P_k(1) = 1. With
    t = cos s, the integral over s ∈ [0, π] is by Gauss–Legendre on both sides of the kink at π/2.
    """
    s, w = np.polynomial.legendre.leggauss(400)
    angle = np.concatenate([0.25 * np.pi * (1 + s), 0.25 * np.pi * (3 + s)])
    weight = np.tile(0.25 * np.pi * w, 2) * np.sin(angle) ** (dim - 2)
    weight /= weight.sum()
    t = np.cos(angle)
    output = (np.sin(angle) + (np.pi - angle) * t) / (2 * np.pi)
    inner = t * (np.pi - angle) / (2 * np.pi)
    rows = []
    for k in degrees:
        order = dim / 2 - 1
        polynomial = np.cos(k * angle) if dim == 2 else special.eval_gegenbauer(k, order, t) / special.eval_gegenbauer(k, order, 1.0)
        count = 1 if k == 0 else round((2 * k + dim - 2) / k * special.binom(k + dim - 3, k - 1)) if dim > 2 else 2
        mu, of_c, of_a = (weight @ (f * polynomial) for f in (np.maximum(t, 0.0), output, inner))
        rows.append((count * mu**2 / of_c, count * mu**2 / (of_c + of_a), count))
    return np.array(rows).T


@pytest.mark.parametrize("dim", [2, 3, 4, 6])
def test_the_exponents_follow_from_the_spherical_harmonics(dim):
    """Terms of degrees 32 to 128: k^{d−4}, and for the kernel of c N_k ~ k^{d−2}; powers of k + (d−2)/2 are free of the next order."""
    degrees = np.array([0, 1, *range(2, 130, 2)])
    output, tangent, counts = series(dim, degrees)
    assert output[:12] / output[0] == pytest.approx(counts[:12], rel=1e-5)  # λ_k = μ_k² but for a factor
    late = degrees >= 32
    for terms, exponent in ((tangent, dim - 4), (counts, dim - 2)):
        assert np.polyfit(np.log(degrees[late] + dim / 2 - 1), np.log(terms[late]), 1)[0] == pytest.approx(exponent, abs=0.01)


def test_the_norm_on_the_circle_is_that_of_the_series():
    """Bounded for scalar inputs: Σ_k μ_k² N_k/λ_k to its end, which 512 points reach from below to 2·1e-3 (growth ~ 1/n)."""
    _, tangent, _ = series(2, [0, 1, *range(2, 600, 2)])
    norms = neuron_norms(2, (256, 512), draws=1)
    limit = 2 * norms.tangent[0, 1] - norms.tangent[0, 0]
    assert norms.tangent[0, 1] < tangent.sum()
    assert limit == pytest.approx(tangent.sum(), rel=3e-3)


@pytest.mark.parametrize("dim", [2, 3, 4, 6])
def test_the_norm_of_one_neuron_up_to_512_points(dim):
    """With fewer points the slopes are farther from their limits, and known less well; those of the dimensions are apart by more."""
    norms = neuron_norms(dim, (64, 128, 256, 512))
    assert slope(norms.sizes, norms.output)[0] == pytest.approx(1, abs=0.1)
    assert growth(norms)[0] == pytest.approx(norms.expected, abs=0.15)
    assert (np.diff(norms.tangent, axis=1) > 0).all()


@pytest.mark.long
@pytest.mark.parametrize("dim", [2, 3, 4, 6])
def test_the_norm_of_one_neuron(dim):
    norms = neuron_norms(dim)
    assert norms.error < 1e-2
    assert slope(norms.sizes, norms.output)[0] == pytest.approx(1, abs=0.1)
    assert growth(norms)[0] == pytest.approx(norms.expected, abs=0.05)
    mean = norms.tangent.mean(axis=0)
    if dim == 2:
        assert mean[-1] < 1.01 * mean[-3]
    elif dim == 3:  # A + B log n: straight to 1 %
        line = np.polyfit(np.log(norms.sizes), mean, 1)
        assert mean == pytest.approx(np.polyval(line, np.log(norms.sizes)), rel=0.01)
    else:
        assert slope(norms.sizes, norms.tangent)[0] == pytest.approx(norms.expected, abs=0.05)
    assert norms.smooth[:, -1] == pytest.approx(norms.smooth[:, -2], rel=0.01)


# ---- learning


def test_the_curve_has_the_errors_of_its_parts():
    """One number of samples of which each is drawn for certain: the errors of flow, interpolant and network are those on all data."""
    data = wgf.Data([0.5], [1.0])
    problem = wgf.Problem(wgf.RegressionEnergy(NEURON, data), wgf.Gaussian(0, 1))
    curve = learning_curve(problem, wgf.Particles(200, seed=0), 0.5, (3,), 2)
    flow = KernelFlow(NEURON, problem.initial, data)
    run = wgf.solve(problem, wgf.Particles(200, seed=0), 0.5, save=2)
    assert curve.flow == pytest.approx(np.full((1, 2), abs(flow.predict([0.5], 0.5)[0] - 1)))
    assert curve.regression == pytest.approx(np.zeros((1, 2)), abs=1e-12)
    assert curve.network == pytest.approx(np.full((1, 2), abs(run.prediction[-1][0] - 1)))


def test_more_samples_teach_more():
    problem = wgf.Problem(
        wgf.RegressionEnergy(wgf.Neuron("tanh"), wgf.Data.quadrature(lambda x: np.tanh(3 * x), nodes=30)), wgf.Gaussian([0, 0], 1)
    )
    curve = learning_curve(problem, wgf.Particles(100, seed=0), 2.0, (2, 60), 3)
    assert curve.regression.shape == (2, 3)
    assert curve.regression[1].mean() < 0.2 * curve.regression[0].mean()
    assert (curve.network[1] < 1).all()


# ---- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"penalty": 0.1}, "take penalty = 0 and temperature = 0"),
        ({"temperature": 0.1}, "take penalty = 0 and temperature = 0"),
        ({"samples": ()}, r"samples = \(\), replicates = 2: give numbers of samples"),
        ({"samples": (0, 3)}, r"samples = \(0, 3\)"),
        ({"replicates": 0}, "replicates = 0: give numbers"),
    ],
)
def test_a_curve_that_cannot_be(change, message):
    problem = wgf.Problem(wgf.RegressionEnergy(NEURON, DATA, change.get("penalty", 0.0)), LAW, change.get("temperature", 0.0))
    with pytest.raises(wgf.InputError, match=message):
        learning_curve(problem, wgf.Particles(10), 1.0, change.get("samples", (3,)), change.get("replicates", 2))


def test_other_bad_input():
    with pytest.raises(wgf.InputError, match=r"the kernel has shape \(2, 3\) and the targets \(2,\)"):
        minimum_norm(np.ones((2, 3)), np.ones(2))
    with pytest.raises(wgf.InputError, match=r"singular to rounding.*coincide or are opposite"):
        minimum_norm(np.ones((2, 2)), np.ones(2))
    with pytest.raises(wgf.InputError, match="dim = 1: the sphere"):
        neuron_norms(1)
    for time in (-1.0, np.nan):
        with pytest.raises(wgf.InputError, match=r"time = .*: it must be a number ≥ 0"):
            KernelFlow(NEURON, LAW, DATA).predict([0.0], time)
