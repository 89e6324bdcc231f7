"""How L falls to its minimum: exact series, noisy ones, runs with known laws, and the bounds above them."""

import numpy as np
import pytest
from artists import legend, line
from problems import RIDGE_1D, Ridge, Tanh
from scipy.integrate import solve_ivp

import wgf
from wgf.plots.theory import plot_convergence
from wgf.studies.theory.decay_laws import fitted, fitted_laws

TIMES = np.linspace(5, 10, 120)
CENTRED = wgf.Data.quadrature(np.square, -1, 1, 8)  # E x f* = 0: no linear neuron lowers the loss
SMALLEST = CENTRED.norm(CENTRED.targets) ** 2


@pytest.mark.parametrize(
    ("form", "logarithms", "expected"),
    [
        ("exponential", np.log(2) - 0.7 * TIMES, {"amplitude": 2, "rate": 0.7}),
        ("power", np.log(3) - 1.5 * np.log(TIMES), {"amplitude": 3, "exponent": 1.5}),
        ("shifted power", np.log(0.5) - 2 * np.log1p(TIMES / 3), {"amplitude": 0.5, "exponent": 2, "shift": 3}),
    ],
)
def test_an_exact_series_has_its_own_law(form, logarithms, expected):
    best = fitted_laws(TIMES, logarithms)[0]
    assert best.form == form
    for name, value in expected.items():
        assert best.parameters[name] == pytest.approx(value, rel=1e-6)  # the value, and both ends
    assert best.at(TIMES) == pytest.approx(np.exp(logarithms), rel=1e-9)


def noise(rng, correlation, n):
    """An autoregression of variance one."""
    errors = rng.normal(size=n)
    for k in range(1, n):
        errors[k] = correlation * errors[k - 1] + np.sqrt(1 - correlation**2) * errors[k]
    return errors


@pytest.mark.parametrize("correlation", [-0.3, 0.0, 0.5, 0.8])
def test_the_interval_holds_the_rate_as_often_as_it_says(correlation):
    """Of 200 series with correlated errors, within three standard errors of 95 %; one for independent errors is at 48 % for ρ = 0.8."""
    rng, times, held = np.random.default_rng(1), np.linspace(5, 10, 200), []
    for _ in range(200):
        _, low, high = fitted("exponential", times, 1 - 0.7 * times + 0.05 * noise(rng, correlation, 200)).parameters["rate"]
        held.append(low <= 0.7 <= high)
    assert abs(np.mean(held) - 0.95) < 3 * np.sqrt(0.05 * 0.95 / 200)


def test_the_interval_of_a_shifted_power_holds_its_numbers():
    rng, held = np.random.default_rng(2), []
    for _ in range(40):
        found = fitted("shifted power", TIMES, -2 * np.log1p(TIMES / 3) + 0.003 * noise(rng, 0.3, 120)).parameters
        held += [found[name][1] <= value <= found[name][2] for name, value in (("exponent", 2), ("shift", 3))]
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / 40)


def test_noise_does_not_hide_the_law():
    """An exponential is one; a power is none, and shifted no more often than Akaike's criterion takes the larger of nested laws."""
    rng = np.random.default_rng(3)
    found = {
        form: [fitted_laws(TIMES, logarithms + 0.01 * noise(rng, 0.5, 120))[0].form for _ in range(8)]
        for form, logarithms in (("exponential", -0.7 * TIMES), ("power", -1.5 * np.log(TIMES)))
    }
    assert set(found["exponential"]) == {"exponential"}
    assert "exponential" not in found["power"]
    assert found["power"].count("power") >= 5


def least(ridge):
    """L of the best measure, an atom at m_∞."""
    atom = wgf.Cloud(np.linalg.solve(ridge.second_moment + ridge.penalty * np.eye(ridge.dim), ridge.correlation)[None], np.ones(1))
    return ridge.problem.energy.loss(atom)


@pytest.fixture(scope="module")
def strongly_convex():
    """A linear neuron with a penalty: L − L* = (s + λ)(m − m_∞)² + λ var, whose slower mode is e^{−2λt}."""
    run = wgf.solve(RIDGE_1D.problem, wgf.Particles(50, seed=0), until=20.0, save=101)
    return wgf.convergence_rate(run, least(RIDGE_1D))


def test_a_strongly_convex_run_is_exponential(strongly_convex):
    assert strongly_convex.form == "exponential"
    assert strongly_convex.parameters["rate"][0] == pytest.approx(2 * RIDGE_1D.penalty, rel=1e-5)
    assert strongly_convex.since == 10
    ((name, bound),) = strongly_convex.bounds.items()
    assert name == r"$e^{-2\lambda t}$"
    assert (strongly_convex.gap <= bound * (1 + 1e-12)).all()
    assert repr(strongly_convex).startswith("ConvergenceRate(exponential: amplitude 0.0")


def test_a_flat_minimum_is_a_power():
    """c·a x with f* = 0 and c = a: c' = −s c³, so that L = s c⁴ = s (1 + 2st)⁻²."""
    data = wgf.Data([1.0, -1.0, 0.5], [0.0, 0.0, 0.0])
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("identity", ("c", "a")), data), wgf.Samples(np.ones((2, 2))))
    run = wgf.solve(problem, wgf.Particles(2), until=20.0, save=101)
    found = wgf.convergence_rate(run, limit=0.0, since=5.0)
    assert found.form == "shifted power"
    for name, value in {"amplitude": 0.75, "exponent": 2, "shift": 2 / 3}.items():
        assert found.parameters[name][0] == pytest.approx(value, rel=1e-3)
    assert found.bounds == {}
    above = wgf.convergence_rate(run, limit=0.0, bounds={"$1/t$": lambda t: 1 / np.maximum(t, 1e-3)})
    (panel,) = plot_convergence(above).axes
    moving = above.times > 0
    assert line(panel, "bound: $1/t$") == pytest.approx(np.array([above.times, 1 / np.maximum(above.times, 1e-3)])[:, moving])
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")


def test_with_noise_the_free_energy_falls_below_its_bound():
    """E − E*, E* that of the cells: the slowest mode of the law is at least that of the bound."""
    noisy = Ridge(penalty=0.4, temperature=0.2)
    run = wgf.solve(noisy.problem, wgf.FiniteVolume(64, *noisy.box, diffusion="gibbs", dt=0.05), until=30.0, save=2)
    found = wgf.convergence_rate(run, run.free_energy[-1], since=3.0)
    (bound,) = found.bounds.values()
    assert found.gap[0] == bound[0] == run.free_energy[0] - run.free_energy[-1]
    assert (found.gap <= bound * (1 + 1e-3)).all()  # the cells have a gap of their own
    assert found.form == "exponential"
    assert found.parameters["rate"][0] > 0.99 * 2 * noisy.penalty


def second_moments(run):
    """∫|θ|² dμ of each frame."""
    return np.array([measure.integrate(lambda theta: np.sum(theta**2, axis=-1)) for measure in run.measures])


@pytest.mark.parametrize(
    ("method", "within"),
    [
        (wgf.QuantileJKO(200, -4, 4, dt=0.25), 1e-14),
        (wgf.JKO(200, -4, 4, dt=0.25), 5e-5),  # ε = 5e-3
        (wgf.JKO(400, -4, 4, dt=0.25, epsilon=2e-3), 1e-5),
    ],
    ids=["quantiles", "entropic", "less entropic"],
)
def test_a_variational_step_contracts_the_second_moment(method, within):
    """By (1 + λΔt)⁻² exactly, for a linear neuron, a centred law and targets that no such neuron fits; and L − L* with it."""
    energy = wgf.RegressionEnergy(wgf.Neuron("identity", ("a",)), CENTRED, 0.3)
    run = wgf.solve(wgf.Problem(energy, wgf.Gaussian([0.0], [0.5])), method, until=2.5, save=11)
    expected = (1 + 0.3 * 0.25) ** -2
    assert np.diff(np.log(second_moments(run))) == pytest.approx(np.log(expected), abs=within)
    found = wgf.convergence_rate(run, SMALLEST, since=0.2)
    (bound,) = found.bounds.values()
    assert found.gap == pytest.approx(bound, rel=20 * within)
    assert found.parameters["rate"][0] == pytest.approx(-np.log(expected) / 0.25, rel=100 * within)


def test_a_variational_step_contracts_the_variance_whatever_the_data():
    run = wgf.solve(RIDGE_1D.problem, wgf.QuantileJKO(200, *RIDGE_1D.box, dt=0.2), until=1.0, save=6)
    variances = [measure.covariance.item() for measure in run.measures]
    assert np.diff(np.log(variances)) == pytest.approx(-2 * np.log(1 + RIDGE_1D.penalty * 0.2), abs=1e-10)


@pytest.mark.parametrize("neuron", [wgf.Neuron("tanh", ("c",), {"a": 2.0}), wgf.Neuron("identity", ("a", "b"))])
def test_only_neurons_linear_in_theta_have_the_bound_of_convexity(neuron):
    run = wgf.solve(
        wgf.Problem(wgf.RegressionEnergy(neuron, CENTRED, 0.3), wgf.Gaussian([0.5] * len(neuron.theta), [0.3] * len(neuron.theta))),
        wgf.Particles(8, seed=0),
        until=4.0,
        save=51,
    )
    assert len(wgf.convergence_rate(run, limit=0.0).bounds) == 1
    curved = Tanh(penalty=0.1).problem
    assert wgf.convergence_rate(wgf.solve(curved, wgf.Particles(8), 4.0, save=51), limit=0.0).bounds == {}


@pytest.mark.parametrize("method", [wgf.Particles(8, step=0.05), wgf.JKO(60, -4, 4, dt=0.1, debiased=False)])
def test_steps_that_are_not_those_of_the_bound_have_none(method):
    energy = wgf.RegressionEnergy(wgf.Neuron("identity", ("a",)), CENTRED, 0.3)
    run = wgf.solve(wgf.Problem(energy, wgf.Gaussian([0.0], [0.5])), method, until=4.0)
    assert wgf.convergence_rate(run, limit=0.0).bounds == {}


def fisher_rao(energy, first, times):
    """μ_t on the cells of a density by its own equation, ∂_t log μ = −2(G − ∫G dμ): (times, cells)."""
    features = energy.neuron.value(first.points, energy.data.inputs)

    def slope(_, logarithm):
        masses = np.exp(logarithm)
        g = features @ (energy.data.weights * (features.T @ masses - energy.data.targets))
        return -2 * (g - masses @ g)

    return np.exp(solve_ivp(slope, (0, times[-1]), np.log(first.masses), t_eval=times, rtol=1e-9, atol=1e-12).y.T)


def test_fisher_rao_is_below_its_bound():
    """L(t) − L[ν] ≤ KL(ν|μ₀)/t for every ν on the cells, a cloud of centres among them; on one cell KL = −log of its mass at first."""
    energy, times = Tanh().problem.energy, np.array([0.1, 1.0, 10.0, 30.0])
    grid = wgf.Grid([-2.0, -2.0], [3.0, 3.0], 8)
    first = wgf.Density(grid, np.random.default_rng(0).dirichlet(np.full(64, 2.0)).reshape(8, 8) / grid.cell_volume)
    losses = np.array([energy.loss(wgf.Cloud(first.points, masses)) for masses in fisher_rao(energy, first, times)])
    late = wgf.Density(grid, fisher_rao(energy, first, np.array([0.0, 100.0]))[-1].reshape(8, 8) / grid.cell_volume)
    cell = wgf.Cloud(first.points[[37]], np.ones(1))
    for other in (late, cell):
        bound = wgf.fisher_rao_bound(other, first)(times)
        assert (losses - energy.loss(other) <= bound).all()
    assert bound * times == pytest.approx(-np.log(first.masses[37]))
    assert wgf.fisher_rao_bound(first, first)(times) == pytest.approx(0, abs=1e-12)
    assert wgf.fisher_rao_bound(late, first)(np.zeros(1)) == np.inf


def test_the_law_and_the_bounds_are_drawn(strongly_convex, tmp_path):
    (panel,) = plot_convergence(strongly_convex, tmp_path / "rate.png").axes
    assert (tmp_path / "rate.png").exists()
    assert line(panel, "gap to the minimum") == pytest.approx(np.array([strongly_convex.times, strongly_convex.gap]))
    told = r"exponential $A\,e^{-rt}$: $r$ = 0.6 [0.6, 0.6]"
    late, law = line(panel, told)
    assert late[0] == 10
    assert law == pytest.approx(strongly_convex.gap[strongly_convex.times >= 10], rel=1e-3)
    assert legend(panel) == ["gap to the minimum", told, r"bound: $e^{-2\lambda t}$"]
    assert (panel.get_xscale(), panel.get_yscale()) == ("linear", "log")


@pytest.mark.coarse
def test_what_has_no_law_is_refused():
    run = wgf.solve(RIDGE_1D.problem, wgf.Particles(4, seed=0), until=1.0, save=31)
    with pytest.raises(wgf.InputError, match=r"the run comes down to L = .* at t = 1, below the limit 10: give the least value"):
        wgf.convergence_rate(run, 10.0)
    with pytest.raises(wgf.InputError, match=r"only \d steps between t = 0.9 and 1, .* at least 10 are needed: give an earlier `since`"):
        wgf.convergence_rate(run, 0.0, since=0.9)
    with pytest.raises(wgf.InputError, match="limit = nan: it must be a finite number, the least value of L"):
        wgf.convergence_rate(run, np.nan)
    noisy = wgf.solve(Ridge(temperature=0.1).problem, wgf.Particles(4, seed=0), until=0.5)
    with pytest.raises(wgf.InputError, match="neurons with noise have no free energy, whose limit is known"):
        wgf.convergence_rate(noisy, 0.0)
    grid = wgf.Grid([0.0], [1.0], 4)
    with pytest.raises(wgf.InputError, match="the best measure must be a density on the cells of the first one, or an empirical measure"):
        wgf.fisher_rao_bound(wgf.Density(wgf.Grid([0.0], [1.0], 5), np.ones(5)), wgf.Density(grid, np.ones(4)))
