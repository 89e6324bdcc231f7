"""Finite volumes with noise: both schemes against exact solutions, and each promise of theirs where it is made."""

import dataclasses

import numpy as np
import pytest
from problems import Ridge, Tanh

import wgf
from wgf.methods.finite_volume.gibbs import DriftDiffusion
from wgf.methods.finite_volume.split import Split, heat_kernel
from wgf.runs.summary import run_facts

NOISY = Ridge(temperature=0.2)
NOISY_FREE = Ridge(penalty=0.0, temperature=0.2)
NOISY_2D = Ridge(start=(1.0, -0.5), width=(0.4, 0.3), temperature=0.2)
NOISY_FREE_2D = Ridge(start=(1.0, -0.5), width=(0.4, 0.3), penalty=0.0, temperature=0.2)
SCHEMES = ["gibbs", "split"]
ROUNDING = 2e-14  # of a rise of E at rest, relative
SMALL = 1e-6  # an error that has cancelled by chance, and is no measure of the order


def on_box(ridge, n, **options):
    lower, upper = ridge.box
    return wgf.FiniteVolume(n, lower, upper, **options)


@pytest.mark.coarse
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ridge", [NOISY, NOISY_FREE, NOISY_2D, NOISY_FREE_2D])
def test_the_linear_neuron_is_met_at_second_order(ridge, scheme):
    """Mean, variances, free energy and dissipation at t = 1 on n and 2n cells, with dt ~ h.

    The variance of cell averages, taken at the centres, is that of the law plus h²/12 (Sheppard); it is taken off, so that the
    order is the scheme's. The transport of `split` is limited by van Leer's function: `mc`, the sharper one, flattens the top of
    the Gaussian, and comes to its order later (1.75 on these grids, 1.88 and 1.95 on the next two).
    """
    errors = []
    for n in (64, 128) if ridge.dim == 1 else (48, 96):
        h = np.ptp(ridge.box, axis=0) / n
        run = wgf.solve(
            ridge.problem,
            on_box(ridge, n, diffusion=scheme, limiter="van-leer", integrator="ssprk3", dt=(0.15 if scheme == "gibbs" else 0.3) * h[0]),
            until=1.0,
            save=2,
        )
        last = run.measures[-1]
        variance = np.diag(last.covariance) - h**2 / 12
        pairs = [
            (last.mean, ridge.mean(1.0)),
            (variance, ridge.std(1.0) ** 2),
            (run.free_energy[-1], ridge.free_energy(1.0)),
        ]
        pairs += [(run.dissipation[-1], ridge.dissipation(1.0))] if scheme == "gibbs" else []
        errors.append([np.abs(np.subtract(*pair)).max() for pair in pairs])
        assert run.mass == pytest.approx(1, abs=1e-13)
        assert run.history["minimum"].min() >= 0
        assert run.largest_rise <= 0
    coarse, fine = np.array(errors)
    assert (coarse < 1e-2).all()
    assert np.log2(coarse / fine)[coarse > SMALL].min() >= 1.9


@pytest.mark.coarse
@pytest.mark.parametrize("quantity", ["mean", "variance"])
@pytest.mark.parametrize("ridge", [NOISY, NOISY_FREE])
def test_the_default_is_of_second_order(ridge, quantity):
    """Nothing chosen but the cells, on four grids: error·n² does not grow by half from one grid to the next, where first order would double
    it; but on the coarsest one, where `split` may be chosen, whose error is smaller by far, it is at most that of `gibbs`. (The variance
    without Sheppard's h²/12, as above.)
    """
    cases, errors = [(32, "gibbs"), (32, None), (64, None), (128, None), (256, None)], []
    for n, scheme in cases:
        last = wgf.solve(ridge.problem, on_box(ridge, n, diffusion=scheme), until=1.0, save=2).measures[-1]
        variance = last.covariance[0] - last.grid.spacing**2 / 12
        found, exact = (last.mean, ridge.mean(1.0)) if quantity == "mean" else (variance, ridge.std(1.0) ** 2)
        errors.append(abs(found - exact)[0])
    scaled = np.array(errors) * np.array([n for n, _ in cases]) ** 2
    assert scaled[1] <= (1 + 1e-9) * scaled[0]
    assert (scaled[3:] <= 1.5 * scaled[2:-1]).all()


def fokker_planck(x, t):
    """The exact solution for G = −x, τ = 1, no flux through 0 and 1."""
    decay = np.pi**2 + 0.25
    return np.exp(-decay * t + x / 2) * (np.pi * np.cos(np.pi * x) + 0.5 * np.sin(np.pi * x)) + np.pi * np.exp(x - 0.5)


MASS = np.pi * (np.exp(0.5) - np.exp(-0.5))


def test_fokker_planck():
    """Time-space L¹ error on 30² cells to T = 0.25 (FiPy: .005, a linearised JKO code: .0036)."""
    problem = wgf.Problem(
        wgf.InteractionEnergy(V=lambda theta: -theta[..., 0], U=wgf.Entropy(1.0)),
        wgf.FromDensity(lambda theta: fokker_planck(theta[..., 0], 0.0)),
    )
    method = wgf.FiniteVolume(30, [0, 0], [1, 1], dt=0.00625 / 2, edge_tolerance=1)
    run = wgf.solve(problem, method, until=0.25, save=81)
    assert "gibbs" in run.method
    error = 0.0
    for time, measure in zip(run.times[1:], run.measures[1:], strict=True):
        exact = wgf.FromDensity(lambda theta, time=time: fokker_planck(theta[..., 0], time)).cell_averages(measure.grid)
        error += run.times[1] * MASS * np.abs(measure.values - exact).sum() * measure.grid.cell_volume
    assert error <= 2e-4


def double_well(theta):
    return (theta[..., 0] ** 2 - 1) ** 2 + 0.5 * theta[..., 1] ** 2 + 0.4 * theta[..., 0] * np.sin(theta[..., 1])


@pytest.mark.parametrize("boundary", ["no-flux", "periodic", ("no-flux", "periodic")])
@pytest.mark.parametrize("dt", [None, 0.5])
def test_a_discrete_gibbs_state_stays(boundary, dt):
    """To t = 100: it moves by rounding, in one long step and in two hundred."""
    tau = 0.3
    grid = wgf.Grid([-2, -2.5], [2, 2.5], (40, 50), boundary=boundary)
    gibbs = np.exp(-double_well(grid.points()) / tau).reshape(grid.shape)
    start = wgf.Density(grid, gibbs / (gibbs.sum() * grid.cell_volume))
    problem = wgf.Problem(wgf.InteractionEnergy(V=double_well), start, temperature=tau)
    method = wgf.FiniteVolume(grid.shape, grid.lower, grid.upper, boundary, diffusion="gibbs", dt=dt, edge_tolerance=1)
    run = wgf.solve(problem, method, until=100.0, save=2)
    assert np.abs(run.measures[-1].values - start.values).sum() * grid.cell_volume <= 1e-12
    assert np.sqrt(run.dissipation[-1]) <= 1e-11


@pytest.mark.parametrize("n", [32, 64])
def test_ten_times_the_explicit_diffusive_step_is_no_limit(n):
    """Rough data, dt = 10·h²/(4τ) and far beyond: positive, conservative, and E falls."""
    tau, rng = 0.5, np.random.default_rng(0)
    grid = wgf.Grid([-2, -2], [2, 2], n)
    start = wgf.Density(grid, rng.exponential(size=grid.shape) * rng.integers(0, 2, grid.shape))
    problem = wgf.Problem(wgf.InteractionEnergy(V=double_well, W=lambda z: 0.5 * np.cos(z).sum(axis=-1)), start, temperature=tau)
    explicit = grid.spacing[0] ** 2 / (4 * tau)
    for times in (10, 1000):
        dt = times * explicit
        method = wgf.FiniteVolume(n, grid.lower, grid.upper, diffusion="gibbs", edge_tolerance=1)
        stepper = DriftDiffusion(dataclasses.replace(method, dt=dt), problem, grid)
        stepper.accurate = lambda *_, dt=dt: dt  # accuracy would ask for less
        state = stepper.start()
        energies, masses, lowest = [], [], []
        for _ in range(20):
            before = stepper.advance(state, 1e9)
            energies.append(before.free_energy)
            masses.append(before.mass)
            lowest.append(before.minimum)
        assert state.time == pytest.approx(20 * dt)
        assert np.diff(energies).max() <= ROUNDING * abs(energies[-1])
        assert masses == pytest.approx([1.0] * 20, abs=1e-13)
        assert min(lowest) >= 0


def student(penalty, temperature=0.05):
    return dataclasses.replace(Tanh(penalty=penalty).problem, temperature=temperature)


@pytest.mark.parametrize("options", [{}, {"dt": 1.0}], ids=["default steps", "dt = 1"])
def test_the_self_consistent_gibbs_state_is_reached(options):
    """τ = 0.05: residual ‖∇(G + τ log μ)‖ ≤ 1e-8, E falls at every step, and μ ∝ exp(−G/τ) for the G of μ itself."""
    problem = student(0.5)
    method = wgf.FiniteVolume(64, [-3, -3], [3.5, 4], diffusion="gibbs", **options)
    run = wgf.solve(problem, method, until=400.0, save=2)
    assert np.sqrt(run.dissipation[-1]) <= 1e-8
    assert run.largest_rise <= ROUNDING
    assert run.history["minimum"].min() >= 0
    last = run.measures[-1]
    gibbs = np.exp(-problem.energy.potential(last.points, last) / 0.05)
    gibbs /= gibbs.sum() * last.grid.cell_volume
    assert np.abs(last.values.ravel() - gibbs).sum() * last.grid.cell_volume < 1e-6


@pytest.mark.parametrize("scheme", SCHEMES)
def test_both_schemes_agree(scheme):
    """At t = 2, against `gibbs` extrapolated to h = 0."""
    problem, data, box = student(0.1), Tanh().data, ([-3.5, -3.5], [4.0, 4.5])

    def prediction(n, scheme):
        return wgf.solve(problem, wgf.FiniteVolume(n, *box, diffusion=scheme), 2.0, save=2).prediction[-1]

    reference = (4 * prediction(192, "gibbs") - prediction(96, "gibbs")) / 3
    errors = [data.norm(prediction(n, scheme) - reference) for n in (48, 96)]
    assert errors[1] < 1e-3
    assert errors[1] < 0.5 * errors[0]


def test_without_noise_the_limit_is_the_transport():
    """τ → 0: `split` tends to the Liouville equation, linearly in τ. By limited slopes, for which both read values at centres."""
    method = wgf.FiniteVolume(64, Tanh.lower, Tanh.upper, limiter="mc")
    quiet = wgf.solve(Tanh().problem, method, 1.0, save=2).prediction[-1]
    gaps = [Tanh().data.norm(wgf.solve(student(0.0, tau), method, 1.0, save=2).prediction[-1] - quiet) for tau in (2e-4, 1e-4)]
    assert gaps[0] < 1e-3
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.05)


def test_at_a_tiny_temperature_gibbs_is_the_upwind_scheme():
    """|ΔG|/τ of a million: the exact rates are those of first-order upwind, whose loss after t = 1 they share."""
    box = {"cells": 48, "lower": Tanh.lower, "upper": Tanh.upper}
    upwind = wgf.solve(Tanh().problem, wgf.FiniteVolume(**box, limiter="upwind", integrator="euler", dt=1e-3), until=1.0, save=2)
    gibbs = wgf.solve(student(0.0, 1e-8), wgf.FiniteVolume(**box, diffusion="gibbs", dt=1e-2), until=1.0, save=2)
    assert gibbs.loss[-1] == pytest.approx(upwind.loss[-1], rel=1e-3)
    assert gibbs.history["minimum"].min() >= 0


@pytest.mark.coarse
@pytest.mark.parametrize(("temperature", "scheme"), [(0.001, "split"), (0.5, "gibbs")])
def test_the_scheme_suits_the_temperature(temperature, scheme):
    run = wgf.solve(student(0.1, temperature), wgf.FiniteVolume(32, Tanh.lower, Tanh.upper, edge_tolerance=1), until=0.1, save=2)
    assert run_facts(run)["scheme"] == scheme
    assert run.attributes["temperature"] == temperature


@pytest.mark.coarse
@pytest.mark.parametrize("scheme", SCHEMES)
def test_three_axes_and_a_periodic_one(scheme):
    """θ = (c, a, b) with b on a circle, as the cosine neuron has it: mass, sign, and E."""
    data = wgf.Data.quadrature(lambda x: np.sin(2 * x), -1, 1, 20)
    problem = wgf.Problem(
        wgf.RegressionEnergy(wgf.Neuron("cosine", ("c", "a", "b")), data), wgf.Gaussian([0.3, 0.5, 0.0], [0.4, 0.4, 0.5]), temperature=0.1
    )
    method = wgf.FiniteVolume(24, [-3, -3, -np.pi], [3, 3, np.pi], ("no-flux", "no-flux", "periodic"), diffusion=scheme)
    run = wgf.solve(problem, method, until=0.5, save=3)
    assert run.mass == pytest.approx(1, abs=1e-13)
    assert run.history["minimum"].min() >= 0
    assert run.largest_rise <= 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_copied_state_goes_on_bit_for_bit(scheme):
    import copy

    problem = student(0.1)
    method = wgf.FiniteVolume(40, Tanh.lower, Tanh.upper, diffusion=scheme)
    ends = []
    first = method.bind(problem, 1.0)
    state = first.start()
    for _ in range(5):
        first.step(state, 1.0)
    for stepper, at in ((first, copy.deepcopy(state)), (method.bind(problem, 1.0), copy.deepcopy(state))):
        while at.time < 1.0:
            stepper.step(at, 1.0)
        ends.append(at.values)
    assert np.array_equal(*ends)


@pytest.mark.coarse
def test_entropy_and_temperature_are_the_same():
    runs = []
    for tau, internal in ((0.3, None), (0.0, wgf.Entropy(0.3)), (0.1, wgf.Entropy(0.2))):
        energy = wgf.InteractionEnergy(V=double_well, U=internal)
        problem = wgf.Problem(energy, wgf.Gaussian([0.5, 0], [0.3, 0.3]), tau)
        runs.append(wgf.solve(problem, wgf.FiniteVolume(32, [-2.5] * 2, [2.5] * 2), until=0.5, save=2))
    for run in runs[1:]:
        assert run.measures[-1].values == pytest.approx(runs[0].measures[-1].values, rel=1e-9)
        assert run.free_energy == pytest.approx(runs[0].free_energy, rel=1e-9)


@pytest.mark.parametrize("s", [0.0, 1e-8, 0.3, 40.0, 4096.0])
def test_the_heat_kernel_is_that_of_the_discrete_heat_equation(s):
    """Positive, of mass one, of variance 2s, and equal to the matrix exponential."""
    from scipy.linalg import expm

    kernel = heat_kernel(s)
    reach = len(kernel) // 2
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1, abs=1e-14)
    assert kernel @ np.arange(-reach, reach + 1) ** 2 == pytest.approx(2 * s, rel=1e-10, abs=1e-15)
    if 0 < s < 100:
        n = 2 * reach + 41
        laplace = np.diag(-2.0 * np.ones(n)) + np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
        middle = expm(s * laplace)[n // 2, n // 2 - reach : n // 2 + reach + 1]
        assert kernel == pytest.approx(middle, abs=1e-14)


@pytest.mark.coarse
@pytest.mark.parametrize("wrap", [False, True])
def test_a_half_step_of_heat_keeps_boundaries(wrap):
    """On a short axis, with a kernel far wider than it: the flat density."""
    grid = wgf.Grid([0], [1], 5, boundary="periodic" if wrap else "no-flux")
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0 * theta[..., 0]), wgf.Density(grid, np.array([5.0, 0, 0, 0, 0])), 1.0)
    method = wgf.FiniteVolume(5, [0], [1], grid.boundary, diffusion="split", edge_tolerance=1)
    stepper = Split(method, problem, grid)
    state = stepper.start()
    stepper.heat(state, 3.0)
    assert state.values.ravel() == pytest.approx(np.ones(5), rel=1e-12)


def test_messages():
    with pytest.raises(wgf.InputError, match=r"unknown scheme for the diffusion 'gibs' \(did you mean 'gibbs'\?\)"):
        wgf.FiniteVolume(8, diffusion="gibs")
    with pytest.raises(wgf.InputError, match=r"diffusion = 'gibbs', but the problem has no noise: leave it out, or give a temperature > 0"):
        wgf.solve(Tanh().problem, wgf.FiniteVolume(8, [-2] * 2, [2] * 2, diffusion="gibbs"), 1.0)
    with pytest.raises(wgf.InputError, match=r"dt = 0: it must be a positive number"):
        wgf.FiniteVolume(8, dt=0)
    with pytest.raises(wgf.InputError, match=r"temperature = nan: it must be a number ≥ 0"):
        dataclasses.replace(Tanh().problem, temperature=float("nan"))
