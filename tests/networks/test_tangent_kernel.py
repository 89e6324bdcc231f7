"""The limit of the tangent kernel: closed forms against integrals and against neurons, rules and Monte Carlo against closed forms."""

import warnings

import numpy as np
import pytest
from scipy.integrate import quad

import wgf
from wgf.networks.neuron import coordinate_names
from wgf.networks.tangent_kernel import LARGE

POINTS = np.random.default_rng(7).normal(size=(5, 4))


class Dressed:
    """One of our neurons as a stranger, of whom no formula is known."""

    def __init__(self, neuron):
        self.neuron = neuron

    def value(self, theta, x):
        return self.neuron.value(theta, x)

    def gradient(self, theta, x):
        return self.neuron.gradient(theta, x)


def centred(p, seed=3):
    """A centred Gaussian law with another width on each axis."""
    return wgf.Gaussian([0.0] * p, np.random.default_rng(seed).uniform(0.5, 1.4, p).tolist())


def expected(neuron, law, x, y):
    """One entry of T by an integral over the law of (z, z'): Gauss–Legendre in the plane for erf, over the angle for relu."""
    std = dict(zip(neuron.theta, law.std, strict=True))
    names = neuron.coordinates[1:]
    widths = np.array([std.get(name, 0.0) for name in names])
    free = np.array([name in std for name in names])
    x, y = np.append(x, 1.0), np.append(y, 1.0)
    u, v = widths * x, widths * y
    a, b = np.linalg.norm(u), np.linalg.norm(v)
    angle = np.arccos(np.clip(u @ v / (a * b), -1, 1))
    if neuron.sigma.name == "relu":
        both = (angle - np.pi / 2, np.pi / 2)  # where both are positive; ∫ r³ e^{−r²/2} dr = 2
        value = a * b / np.pi * quad(lambda t: np.cos(t) * np.cos(t - angle), *both, epsabs=1e-14)[0]
        slope = (both[1] - both[0]) / (2 * np.pi)
    else:
        t, w = np.polynomial.legendre.leggauss(300)
        s, w = 8.5 * t, 8.5 * w * np.exp(-0.5 * (8.5 * t) ** 2) / np.sqrt(2 * np.pi)

        def mean(f):
            return w @ (f(a * s)[:, None] * f(b * (np.cos(angle) * s[:, None] + np.sin(angle) * s))) @ w

        value, slope = mean(neuron.sigma.value), mean(neuron.sigma.first)
    square = std["c"] ** 2 if "c" in std else neuron.fixed.get("c", 1.0) ** 2
    return ("c" in std) * value + square * slope * (x[free] @ y[free])


# ---- closed forms


@pytest.mark.parametrize("activation", ["erf", "relu"])
@pytest.mark.parametrize(
    ("dim", "theta", "fixed"),
    [
        (1, ("c", "a", "b"), {}),
        (1, ("b", "a"), {"c": -1.7}),
        (2, ("a2", "c"), {"a1": 0.0}),
        (2, ("a1", "c", "a2"), {"b": 0.0}),
        (3, ("c", "a1", "a2", "a3", "b"), {}),
    ],
)
def test_closed_forms_against_integrals(activation, dim, theta, fixed):
    neuron, law = wgf.Neuron(activation, theta, fixed, dim), centred(len(theta))
    kernel = wgf.limit_kernel(neuron, law, POINTS[:2, :dim], POINTS[1:3, :dim])
    assert kernel.how == "closed form"
    for i, j in ((0, 0), (0, 1), (1, 0)):
        entry = expected(neuron, law, POINTS[i, :dim], POINTS[1 + j, :dim])
        assert kernel.values[i, j] == pytest.approx(entry, abs=1e-8 * np.abs(kernel.values).max())


@pytest.mark.parametrize("dim", [1, 2])
def test_the_closed_form_of_erf_is_what_the_rule_for_the_law_converges_to(dim):
    neuron = wgf.Neuron("erf", coordinate_names(dim)[:-1], {}, dim)
    law = wgf.Gaussian([0.0] * (dim + 1), [1.1, *np.linspace(0.3, 0.5, dim)])
    closed = wgf.limit_kernel(neuron, law, POINTS[:, :dim])
    rule = wgf.limit_kernel(Dressed(neuron), law, POINTS[:, :dim])
    assert "quadrature for the law" in rule.how
    assert np.abs(rule.values - closed.values).max() <= 1e-8 * np.abs(closed.values).max()
    assert rule.worst < 1e-8


def within(kernel, neuron, law, x, m, seed):
    """How far T̂ of m neurons is from T, in standard errors of each entry."""
    rng, parts, batch = np.random.default_rng(seed), [], m // 100
    for _ in range(100):
        slopes = neuron.gradient(law.sample(batch, rng), x)
        parts.append(np.tensordot(slopes, slopes, axes=([0, 2], [0, 2])) / batch)
    return (np.mean(parts, axis=0) - kernel) / (np.std(parts, axis=0, ddof=1) / 10.0)


@pytest.mark.parametrize("activation", ["erf", "relu"])
@pytest.mark.parametrize("m", [20_000, 1_000_000])
def test_closed_forms_against_neurons(activation, m):
    """Three entries, so that one in a hundred draws would leave three standard errors; the seed is the first."""
    neuron, law = wgf.Neuron(activation, coordinate_names(3), {}, 3), centred(5)
    x = POINTS[:2, :3]
    assert np.abs(within(wgf.tangent_kernel(neuron, law, x), neuron, law, x, m, 0)).max() <= 3.0


@pytest.mark.parametrize("distance", [1e-3, 1e-6, 1e-9, 1e-12, 0.0])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_nearly_parallel_inputs_keep_their_angle(distance, side):
    """Against the formulas in the angle of extended precision: θ = arctan of (cross product/inner product)."""
    x, y = np.array([0.6, 0.8]), side * np.array([0.6 - 0.8 * distance, 0.8 + 0.6 * distance])
    u, v = x.astype(np.longdouble), y.astype(np.longdouble)
    angle = np.arctan2(np.abs(u[0] * v[1] - u[1] * v[0]), u @ v)
    pi, lengths = np.arctan2(np.longdouble(0), np.longdouble(-1)), np.sqrt(u @ u) * np.sqrt(v @ v)
    left = pi - angle  # pi of extended precision, so that 1e-12 keeps seven digits
    value = lengths * (np.sin(left) - left * np.cos(left)) / (2 * pi) if left > 1e-2 else lengths * left**3 / (6 * pi)
    relu = wgf.Neuron("relu", ("a1", "a2"), {}, 2)
    slopes = wgf.tangent_kernel(relu, wgf.Gaussian(0, 1), x[None], y[None])[0, 0]
    assert slopes == pytest.approx(float(left / (2 * pi) * (u @ v)), rel=1e-13, abs=2e-16)
    whole = wgf.Neuron("relu", ("c", "a1", "a2"), {}, 2)
    nothing = wgf.Product([wgf.Samples([0.0]), wgf.Gaussian([0.0, 0.0], 1.0)])  # c = 0: the kernel of c alone
    assert wgf.tangent_kernel(whole, nothing, x[None], y[None])[0, 0] == pytest.approx(
        float(value), rel=2e-5 if side < 0 else 1e-13, abs=1e-30
    )
    wide = wgf.Gaussian(0, 1e6)
    erf = wgf.tangent_kernel(wgf.Neuron("erf", ("a1", "a2"), {}, 2), wide, x[None], y[None])[0, 0]
    q = np.longdouble(10) ** 12
    gram = 1 + 2 * q * (u @ u + v @ v) + 4 * q * q * (u[0] * v[1] - u[1] * v[0]) ** 2
    assert erf == pytest.approx(float(4 / pi / np.sqrt(gram) * (u @ v)), rel=1e-8)


@pytest.mark.parametrize("activation", ["erf", "relu"])
def test_an_input_of_zero(activation):
    """z = 0 without a bias: only the gradient in c could be seen, which is σ(0)."""
    x = np.array([[0.0, 0.0], [1.0, -2.0]])
    kernel = wgf.tangent_kernel(wgf.Neuron(activation, ("c", "a1", "a2"), {}, 2), centred(3), x)
    assert kernel[0].tolist() == [0.0, 0.0]
    assert kernel[1, 1] > 0
    biased = wgf.tangent_kernel(wgf.Neuron(activation, ("c", "a1", "a2", "b"), {}, 2), centred(4), x)
    assert np.linalg.eigvalsh(biased).min() > 0


def test_a_kernel_is_symmetric_and_has_no_negative_eigenvalue():
    x = np.random.default_rng(0).normal(size=(60, 3))
    for activation in ("erf", "relu"):
        kernel = wgf.tangent_kernel(wgf.Neuron(activation, coordinate_names(3), {}, 3), centred(5), x)
        assert (kernel == kernel.T).all()
        assert np.linalg.eigvalsh(kernel).min() > -1e-12 * np.trace(kernel)


# ---- laws


def test_of_the_law_of_c_only_its_second_moment_matters():
    neuron, rest = wgf.Neuron("relu", ("c", "a")), wgf.Gaussian([0.0], [0.7])
    laws = [wgf.Samples([1.0, -1.0]), wgf.Uniform([-(3**0.5)], [3**0.5]), wgf.Gaussian([0.6], [0.8]), wgf.Ball([0.0], 3**0.5)]
    kernels = [wgf.limit_kernel(neuron, wgf.Product([law, rest]), POINTS[:, :1]) for law in laws]
    assert {kernel.how for kernel in kernels} == {"closed form"}
    for kernel in kernels[1:]:
        assert kernel.values == pytest.approx(kernels[0].values, rel=1e-13)


def test_a_mixture_has_the_mixture_of_the_kernels():
    neuron, x = wgf.Neuron("erf", ("c", "a")), POINTS[:, 0]
    parts = [wgf.Gaussian([0.3, 0.0], [0.5, 1.0]), wgf.Gaussian([0.0, 0.0], [1.0, 2.0])]
    kernel = wgf.limit_kernel(neuron, wgf.Mixture([1, 3], parts), x)
    assert kernel.how == "closed form"
    assert kernel.values == pytest.approx(0.25 * wgf.tangent_kernel(neuron, parts[0], x) + 0.75 * wgf.tangent_kernel(neuron, parts[1], x))


def test_samples_are_summed():
    """T̂ of the points themselves, by the definition."""
    neuron, points = wgf.Neuron("tanh", ("c", "a", "b")), np.random.default_rng(1).normal(size=(50, 3))
    kernel = wgf.limit_kernel(neuron, wgf.Samples(points), POINTS[:, 0])
    slopes = neuron.gradient(points, POINTS[:, :1])
    assert kernel.how == "sum over 50 neurons"
    assert kernel.values == pytest.approx(np.einsum("jip,jkp->ik", slopes, slopes) / 50, rel=1e-13)


@pytest.mark.parametrize("mean", [0.0, 0.4])
def test_the_rule_in_the_plane(mean):
    """Two weights and a bias with means or without: against the rule for the law, which knows nothing of Gaussian pairs."""
    neuron = wgf.Neuron("tanh", ("a1", "a2", "b"), {}, 2)
    law = wgf.Gaussian([mean, 0.0, -mean], [0.5, 0.4, 0.6])
    plane = wgf.limit_kernel(neuron, law, POINTS[:3, :2], POINTS[1:, :2])
    assert "for each pair" in plane.how
    assert plane.worst < 1e-10
    rule = wgf.limit_kernel(Dressed(neuron), law, POINTS[:3, :2], POINTS[1:, :2])
    assert "for the law" in rule.how
    assert np.abs(plane.values - rule.values).max() <= (1e-10 + rule.worst) * np.abs(rule.values).max()


def test_the_rule_in_the_plane_against_the_closed_form(monkeypatch):
    neuron, law = wgf.Neuron("erf", coordinate_names(4), {}, 4), centred(6)
    closed = wgf.tangent_kernel(neuron, law, POINTS)
    monkeypatch.setattr("wgf.networks.ridge_kernel.CLOSED", {})
    plane = wgf.limit_kernel(neuron, law, POINTS)
    assert "for each pair" in plane.how
    assert plane.values == pytest.approx(closed, rel=1e-10)


def test_kinks_say_how_far_the_rule_came():
    """relu by the rule for the law: the error is told, and not less than the true one."""
    neuron, law = wgf.Neuron("relu", ("c", "a", "b")), centred(3)
    closed = wgf.tangent_kernel(neuron, law, POINTS[:, 0])
    rule = wgf.limit_kernel(wgf.Neuron("relu", ("c", "a", "b")), wgf.Gaussian([0.0, 1e-9, 0.0], law.std), POINTS[:, 0])
    assert "quadrature" in rule.how
    true = np.abs(rule.values - closed).max() / np.abs(closed).max()
    assert 1e-5 < true < 3 * rule.worst
    with pytest.warns(
        wgf.ResolutionWarning, match=r"the tangent kernel \(quadrature .*\) has an error of .* limit_kernel gives that of each"
    ):
        wgf.tangent_kernel(neuron, wgf.Gaussian([0.0, 1e-9, 0.0], law.std), POINTS[:, 0])


def test_monte_carlo_knows_its_error(monkeypatch):
    """Six weights on a box have no rule: the kernel of identity neurons is E c² ⟨x, x'⟩ + ⟨x, Cov x'⟩."""
    monkeypatch.setattr("wgf.networks.tangent_kernel.MOST_NEURONS", 2**14)
    names = [f"a{k + 1}" for k in range(6)]
    x = np.random.default_rng(5).normal(size=(4, 6))
    neuron = wgf.Neuron("identity", ("c", *names), {}, 6)
    kernel = wgf.limit_kernel(neuron, wgf.Uniform([-1.0] * 7, [1.0] * 7), x)
    assert kernel.how == "Monte Carlo, 16384 neurons"
    assert (np.abs(kernel.values - 2 / 3 * x @ x.T) <= 4 * kernel.error + 1e-12).all()
    other = wgf.limit_kernel(neuron, wgf.Uniform([-1.0] * 7, [1.0] * 7), x, seed=1)
    ratio = np.std([kernel.values - other.values]) / np.sqrt(np.mean(kernel.error**2 + other.error**2))
    assert 0.3 < ratio < 3
    with pytest.warns(wgf.ResolutionWarning, match="Monte Carlo, 16384 neurons.*average limit_kernel over several seeds"):
        wgf.tangent_kernel(neuron, wgf.Uniform([-1.0] * 7, [1.0] * 7), x)


def test_a_law_without_a_rule_is_drawn_from():
    law = wgf.FromDensity(lambda theta: np.ones(theta.shape[:-1]), sample=lambda m, rng: rng.normal(size=(m, 2)))
    kernel = wgf.limit_kernel(wgf.Neuron("relu", ("c", "a")), law, POINTS[:, 0])
    closed = wgf.tangent_kernel(wgf.Neuron("relu", ("c", "a")), wgf.Gaussian([0, 0], 1), POINTS[:, 0])
    assert "Monte Carlo" in kernel.how
    assert (np.abs(kernel.values - closed) <= 4 * kernel.error).all()


def test_memory_is_that_of_blocks(monkeypatch):
    """No call of the neuron sees more than a few thousand neurons."""
    seen = []

    class Watched(Dressed):
        def gradient(self, theta, x):
            seen.append(len(theta) * len(x))
            return super().gradient(theta, x)

    wgf.limit_kernel(Watched(wgf.Neuron("tanh")), wgf.Samples(np.ones((30_000, 2))), np.linspace(-1, 1, 100))
    assert sum(seen) == 30_000 * 100
    assert max(seen) <= 2**20


def test_numbers_for_all_axes_and_scalar_inputs():
    neuron = wgf.Neuron("erf", ("c", "a", "b"))
    assert wgf.tangent_kernel(neuron, wgf.Gaussian(0, 1), [0.5, 1.0]) == pytest.approx(
        wgf.tangent_kernel(neuron, wgf.Gaussian([0, 0, 0], [1, 1, 1]), [[0.5], [1.0]])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert LARGE == 1e-6
        wgf.tangent_kernel(neuron, wgf.Gaussian(0, 1), [0.5])


# ---- bad input


class Unbounded:
    def value(self, theta, x):
        return np.full((*theta.shape[:-1], len(x)), np.inf)

    def gradient(self, theta, x):
        return np.full((*theta.shape[:-1], len(x), theta.shape[-1]), np.inf)


NEURON = wgf.Neuron("relu", ("c", "a1", "a2"), {}, 2)
ENERGY = wgf.InteractionEnergy(W=wgf.potential("quadratic"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((NEURON, wgf.Gaussian(0, 1), [1.0, 2.0]), r"the neuron has 2 input\(s\) \(dim\) but the inputs have 1 column"),
        ((NEURON, wgf.Gaussian(0, 1), np.ones((3, 2)), np.ones((3, 1))), "inputs have 2 column.* others 1: they must agree"),
        ((NEURON, wgf.Gaussian(0, 1), [[1.0, np.nan]]), r"inputs: entry \[0, 1\] is nan"),
        ((NEURON, wgf.Gaussian(0, 1), np.ones((3, 2)), [[np.inf, 0.0]]), r"others: entry \[0, 0\] is inf"),
        ((NEURON, wgf.Gaussian(0, 1), np.ones((0, 2))), r"inputs have shape \(0, 2\)"),
        ((NEURON, wgf.Gaussian(0, 1), "x"), "inputs are of the type <U1; give real numbers"),
        ((NEURON, wgf.Gaussian([0, 0], 1), np.ones((3, 2))), r"theta has 3 coordinate\(s\) \(c, a1, a2\) but the law has 2"),
        ((NEURON, 1.0, np.ones((3, 2))), r"the law of θ is 1.0: give a law, such as wgf.Gaussian"),
        ((NEURON, wgf.Gaussian, np.ones((3, 2))), "the law of θ is <class .*: give a law"),
        ((ENERGY, wgf.Gaussian(0, 1), np.ones((3, 2))), "is not a neuron: it needs a method value"),
        (("relu", wgf.Gaussian(0, 1), np.ones((3, 2))), "'relu' is not a neuron"),
        ((Unbounded(), wgf.Gaussian([0, 0], 1), [0.5]), "is not finite somewhere under the law"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(wgf.InputError, match=message) as caught:
        wgf.tangent_kernel(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, np.nan])
def test_a_tolerance_is_positive(tolerance):
    with pytest.raises(wgf.InputError, match=r"tolerance = .*: it must be a positive number"):
        wgf.limit_kernel(NEURON, wgf.Gaussian(0, 1), np.ones((1, 2)), tolerance=tolerance)
