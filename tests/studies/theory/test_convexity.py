"""L is convex along every mixture, with the second derivative that theory says, and not along every displacement."""

import numpy as np
import pytest
from artists import legend, line
from hypothesis import given
from hypothesis import strategies as st
from problems import RIDGE_1D, Tanh

import wgf
from wgf.networks.activations import ACTIVATIONS
from wgf.plots.theory import plot_convexity

PENALTIES = {
    "none": 0.0,
    "ridge": 0.3,
    "own": (0.2, lambda theta: np.cos(theta).sum(axis=-1)),  # no convex function: the mixture does not care
}


def random_measure(kind, seed, neuron=None):
    """On θ = (c, a), of mass one."""
    rng = np.random.default_rng(seed)
    if kind == "cloud":
        return wgf.Cloud(rng.normal(size=(5, 2)), rng.dirichlet(np.ones(5)), neuron)
    grid = wgf.Grid([-2.0, -1.5], [1.0 + (kind == "wider"), 2.0], [4, 5])
    values = rng.dirichlet(np.full(20, 0.5)).reshape(4, 5) / grid.cell_volume
    return wgf.Density(grid, values, neuron, averages=kind == "averages")


KINDS = st.sampled_from(["cloud", "density", "wider", "averages"])


@given(KINDS, KINDS, st.sampled_from(sorted(ACTIVATIONS)), st.sampled_from(sorted(PENALTIES)), st.integers(0, 10**6))
def test_the_loss_is_convex_along_every_mixture(first, second, activation, penalty, seed):
    """d²L/ds² = 2‖φ_ν − φ_μ‖², and no second difference below −1e-12."""
    energy = wgf.RegressionEnergy(wgf.Neuron(activation, ("c", "a")), Tanh().data, PENALTIES[penalty])
    mu, nu = random_measure(first, seed), random_measure(second, seed + 1)
    found = wgf.convexity(energy, mu, nu, points=9)
    bent = found.second_difference("mixture")
    ends = [energy.predict(wgf.interpolate(mu, nu, s)) for s in (0, 1)]
    assert bent.min() >= -1e-12
    assert bent == pytest.approx(2 * energy.data.norm(ends[1] - ends[0]) ** 2 / 8**2, abs=1e-12)
    assert found.is_convex("mixture")


def two_minima():
    """f* = g(θ*) with g(−θ) = g(θ): the energy, δ_θ* and δ_−θ*."""
    theta = np.array([[1.0, 2.0]])
    data = wgf.Data.quadrature(lambda x: np.tanh(2 * x), -1, 1, 20)
    return wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data), *(wgf.Cloud(sign * theta, np.ones(1)) for sign in (1, -1))


def test_between_two_minima_may_stand_a_hill():
    """L = 0 along the mixture; along the displacement L = ‖f* − g((1 − 2s)θ*)‖², with ‖f*‖² on top."""
    energy, mu, nu = two_minima()
    found = wgf.convexity(energy, mu, nu, points=9)
    r = 1 - 2 * found.s
    hill = [energy.data.norm(np.tanh(2 * energy.data.inputs[:, 0]) - q * np.tanh(2 * q * energy.data.inputs[:, 0])) ** 2 for q in r]
    assert found.mixture == pytest.approx(0, abs=1e-15)
    assert found.displacement == pytest.approx(hill, abs=1e-14)
    assert found.displacement[4] == pytest.approx(energy.data.norm(energy.data.targets) ** 2)
    assert found.second_difference("displacement").min() < -0.15
    assert (found.is_convex("mixture"), found.is_convex("displacement")) == (True, False)
    assert repr(found).startswith("Convexity(9 points; least second difference of L: mixture ")


@given(st.integers(0, 10**6))
def test_of_a_linear_neuron_the_loss_is_convex_along_both(seed):
    """Along a displacement, too: L(s) = ‖⟨m_s, x⟩ − f*‖² + λ∫|θ|² dμ_s, so that d²L/ds² = 2E⟨m_ν − m_μ, x⟩² + 2λW₂²."""
    mu, nu = (wgf.Cloud(np.random.default_rng(seed + k).normal(size=4), np.full(4, 0.25)) for k in range(2))
    found = wgf.convexity(RIDGE_1D.problem.energy, mu, nu, points=5)
    square = RIDGE_1D.second_moment.item() * (nu.mean - mu.mean).item() ** 2
    expected = 2 * square + 2 * RIDGE_1D.penalty * wgf.distance("w2", mu, nu) ** 2
    assert found.second_difference("displacement") == pytest.approx(expected / 16, abs=1e-12)
    assert found.is_convex("displacement")


def test_attraction_is_the_other_way_round():
    """L = ∬½|θ − θ'|² = Var μ: concave along a mixture by −2|m_ν − m_μ|², convex along a displacement by 2 Var(Y − X)."""
    energy = wgf.InteractionEnergy(W=lambda z: 0.5 * np.sum(z**2, axis=-1))
    mu, nu = (wgf.Cloud(np.random.default_rng(k).normal(size=6) + k, np.full(6, 1 / 6)) for k in range(2))
    found = wgf.convexity(energy, mu, nu, points=5)
    apart = np.sort(nu.points[:, 0]) - np.sort(mu.points[:, 0])
    assert found.second_difference("mixture") == pytest.approx(-2 * apart.mean() ** 2 / 16)
    assert found.second_difference("displacement") == pytest.approx(2 * apart.var() / 16)
    assert (found.is_convex("mixture"), found.is_convex("displacement")) == (False, True)


def test_both_curves_are_drawn(tmp_path):
    found = wgf.convexity(*two_minima())
    (panel,) = plot_convexity(found, tmp_path / "convexity.png").axes
    assert (tmp_path / "convexity.png").exists()
    assert line(panel, "mixture: convex") == pytest.approx(np.array([found.s, found.mixture]))
    assert line(panel, "displacement: not convex") == pytest.approx(np.array([found.s, found.displacement]))
    assert legend(panel) == ["mixture: convex", "displacement: not convex"]
    assert (panel.get_xlabel(), panel.get_ylabel()) == (r"$s$, from $\mu$ to $\nu$", r"$L[\mu_s]$")


def test_measures_that_do_not_fit_are_refused():
    energy, mu, _ = two_minima()
    with pytest.raises(wgf.InputError, match="the measures have 2 and 1 coordinates"):
        wgf.convexity(energy, mu, wgf.Cloud(np.zeros(1), np.ones(1)))
