"""Noisy neurons against exact laws, in mean over many replicates; stochastic gradient descent against its definition."""

import copy
import dataclasses
import re
import warnings

import numpy as np
import pytest
from problems import Ridge, Tanh

import wgf
from wgf.methods.particles.walls import Walls

NOISY = Ridge(temperature=0.2)
TANH = Tanh(penalty=0.1)
HOT = dataclasses.replace(TANH.problem, temperature=0.05)


@pytest.mark.parametrize("scheme", ["heun", "euler-maruyama"])
def test_one_step_is_its_formula(scheme):
    """With the normal numbers of the step's own generator, and −∇G of the whole cloud."""
    eta, tau = 0.1, 0.05
    stepper = wgf.Particles(7, seed=5, step=eta, scheme=scheme).bind(HOT, 1.0)
    state = stepper.start()
    theta = state.values.copy()
    stepper.step(state, 1.0)
    rng = np.random.Generator(np.random.Philox(key=stepper.key, counter=[0, 0, 0, 0]))
    noise = np.sqrt(2 * tau * eta) * rng.standard_normal(theta.shape)
    weights = np.full(7, 1 / 7)
    velocity = HOT.energy.velocity(theta, weights)[0]
    expected = theta + eta * velocity + noise
    if scheme == "heun":
        expected = theta + 0.5 * eta * (velocity + HOT.energy.velocity(expected, weights)[0]) + noise
    assert state.values == pytest.approx(expected, rel=1e-13)
    assert state.time == eta


@pytest.mark.parametrize(("scheme", "order"), [("heun", 2), ("euler-maruyama", 1)])
def test_the_weak_order(scheme, order):
    """The linear neuron, whose moments follow a linear recursion: exact means over all noise, no sampling.

    A step is θ ← Rθ + Sm + q + √(2τη)·N·ξ; R, S and q are read off the stepper itself by moving chosen points without noise, and
    N is known. The mean and the variance then follow without a random number.
    """
    errors = []
    for eta in (0.1, 0.05):
        mean, variance = recursion(scheme, eta, round(1.0 / eta))
        errors.append([abs(mean - NOISY.mean(1.0)[0]), abs(variance - NOISY.std(1.0)[0] ** 2)])
    observed = np.log2(errors[0]) - np.log2(errors[1])
    assert observed.tolist() == pytest.approx([order] * 2, abs=0.12)


def recursion(scheme, eta, steps):
    """Mean and variance at t = steps·η of infinitely many neurons."""
    quiet = dataclasses.replace(NOISY.problem, temperature=1e-300)
    stepper = wgf.Particles(2, step=eta, scheme=scheme).bind(quiet, 1.0)

    def moved(*points):
        state = stepper.start()
        state.values = np.array(points)[:, None]
        stepper.step(state, eta)
        return state.values[:, 0]

    origin = moved(0.0, 0.0)[0]
    spread = moved(1.0, -1.0)[0] - origin  # deviations from the mean shrink by this factor
    pulled = moved(1.0, 1.0)[0] - origin  # the mean is multiplied by this
    carried = 1 - 0.5 * eta * NOISY.penalty if scheme == "heun" else 1.0  # of the noise, which the corrector's velocity has seen
    mean, variance = NOISY.start[0], NOISY.width[0] ** 2
    for _ in range(steps):
        mean, variance = pulled * mean + origin, spread**2 * variance + 2 * NOISY.temperature * eta * carried**2
    return mean, variance


@pytest.mark.long
def test_the_cloud_fluctuates_as_the_law_of_large_numbers_says():
    """The linear neuron: Var(mean_m) = (v_0 e^{−2(s+λ)t} + τ(1 − e^{−2(s+λ)t})/(s + λ))/m, over 400 seeds, within 4 standard errors."""
    m, t, rate = 20, 1.0, NOISY.second_moment[0, 0] + NOISY.penalty
    decay = np.exp(-2 * rate * t)
    expected = (NOISY.width[0] ** 2 * decay + NOISY.temperature * (1 - decay) / rate) / m
    means = [
        wgf.solve(NOISY.problem, wgf.Particles(m, seed=seed, step=0.05), until=t, save=2).measures[-1].mean[0] - NOISY.mean(t)[0]
        for seed in range(400)
    ]
    assert abs(np.mean(means)) < 4 * np.sqrt(expected / 400)
    assert np.mean(np.square(means)) == pytest.approx(expected, rel=4 * np.sqrt(2 / 400))


def distances(problem, limit, m, replicates, until, step=0.02):
    """‖φ_m − φ‖² at the end, for each replicate."""
    reference = wgf.solve(problem, limit, until, save=2).prediction[-1]
    seeds = np.random.SeedSequence(7).spawn(replicates)
    clouds = (wgf.solve(problem, wgf.Particles(m, seed=seed, step=step), until, save=2) for seed in seeds)
    return np.array([problem.energy.data.norm(cloud.prediction[-1] - reference) ** 2 for cloud in clouds])


def test_the_particles_approach_the_density_as_theory_says():
    """The linear neuron at t = 2, m = 10⁴ × 16 replicates: E‖φ_m − φ‖² = s·Var(mean_m), within 3 standard errors."""
    lower, upper = NOISY.box
    found = distances(NOISY.problem, wgf.FiniteVolume(512, lower, upper), 10_000, 16, until=2.0, step=0.04)
    s, rate = NOISY.second_moment[0, 0], NOISY.second_moment[0, 0] + NOISY.penalty
    decay = np.exp(-4 * rate)
    theory = s * (NOISY.width[0] ** 2 * decay + NOISY.temperature * (1 - decay) / rate) / 10_000
    assert abs(found.mean() - theory) <= 3 * found.std(ddof=1) / 4


@pytest.mark.long
def test_the_tanh_particles_approach_the_density_at_the_rate_of_theory():
    """At t = 2: m·E‖φ_m − φ‖² is one constant for m = 100 (400 replicates) and m = 10⁴ (16), within 3 standard errors."""
    limit = wgf.FiniteVolume(256, [-3.5, -3.5], [4.0, 4.5])
    small, large = (100 * distances(HOT, limit, 100, 400, 2.0), 10_000 * distances(HOT, limit, 10_000, 16, 2.0))
    error = np.sqrt(small.var(ddof=1) / 400 + large.var(ddof=1) / 16)
    assert abs(small.mean() - large.mean()) <= 3 * error


def test_seeds_are_exact_and_apart():
    """The same seed gives the same bits; another seed, another path; the noise is not the draw; more save times change nothing."""
    runs = [wgf.solve(HOT, wgf.Particles(30, seed=seed, step=0.05), until=1.0, save=2).measures[-1].positions for seed in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    again = wgf.solve(HOT, wgf.Particles(30, seed=1, step=0.05), until=1.0, save=[0.25, 0.5]).measures[-1].positions
    assert again == pytest.approx(runs[0], rel=1e-9)
    spawned = np.random.SeedSequence(3).spawn(2)
    ends = [wgf.solve(HOT, wgf.Particles(30, seed=seed, step=0.05), until=0.5, save=2).measures[-1].positions for seed in spawned]
    assert not np.array_equal(*ends)
    stepper = wgf.Particles(4, seed=1).bind(HOT, 1.0)
    drawn = np.random.default_rng(1).standard_normal((4, 2))
    assert not np.allclose(np.random.Generator(np.random.Philox(key=stepper.key)).standard_normal((4, 2)), drawn)


@pytest.mark.parametrize("options", [{}, {"scheme": "euler-maruyama"}, {"batch": 3}])
def test_a_copied_state_goes_on_bit_for_bit(options):
    method = wgf.Particles(20, seed=4, step=0.03, **options)
    first = method.bind(HOT, 1.0)
    state = first.start()
    for _ in range(7):
        first.step(state, 1.0)
    ends = []
    for stepper, at in ((first, copy.deepcopy(state)), (method.bind(HOT, 1.0), copy.deepcopy(state))):
        while at.time < 1.0:
            stepper.step(at, 1.0)
        ends.append(at.values)
    assert np.array_equal(*ends)


@pytest.mark.parametrize(("boundary", "name"), [("no-flux", "reflected"), ("periodic", "wrapped")])
def test_boxes_are_those_of_the_grid(boundary, name):
    """Strong noise in a small box: mean and spread of 20,000 points beside the density, at t = 0.3."""
    energy = wgf.InteractionEnergy(V=lambda theta: 0.8 * np.sin(2 * np.pi * theta[..., 0]))
    problem = wgf.Problem(energy, wgf.FromDensity(lambda theta: 1.0 + theta[..., 0], lower=[0], upper=[1]), temperature=0.3)
    box = {"lower": [0], "upper": [1], "boundary": boundary}
    density = wgf.solve(problem, wgf.FiniteVolume(200, edge_tolerance=1, **box), until=0.3, save=2).measures[-1]
    cloud = wgf.solve(problem, wgf.Particles(20_000, step=0.002, **box), until=0.3, save=2).measures[-1]
    assert cloud.positions.min() >= 0
    assert cloud.positions.max() <= 1
    for test in (lambda theta: theta[:, 0], lambda theta: np.cos(2 * np.pi * theta[:, 0]), lambda theta: theta[:, 0] ** 2):
        deviation = np.std(test(cloud.positions)) / np.sqrt(20_000)
        assert abs(cloud.integrate(test) - density.integrate(test)) < 4 * deviation + 2e-3


def test_points_stop_at_walls_and_wrap_around_periodic_axes():
    walls = Walls([0, 0], [1, 2], ("no-flux", "periodic"))
    points = np.array([[0.3, 0.5], [-0.2, -0.5], [1.3, 2.5], [2.4, 4.1], [-3.1, -4.1]])
    ends, met = walls.reflected(np.full((5, 2), 0.4), points, np.zeros(1))
    assert ends == pytest.approx(walls.inside(points))
    assert met.tolist() == [[False, False], [True, False], [True, False], [True, False], [True, False]]
    assert walls.inside(points) == pytest.approx(np.array([[0.3, 0.5], [0, 1.5], [1, 0.5], [1, 0.1], [0, 1.9]]))


def test_a_batch_is_an_unbiased_estimate():
    """The mean of −∇G over 4000 batches of 2 is that over all data, within 5 standard errors; the penalty stays whole."""
    data = wgf.Data([-1.0, -0.2, 0.5, 1.0], [0.3, 1.0, -1.0, 0.5], [0.4, 0.1, 0.3, 0.2])
    energy = wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), data, 0.3)
    stepper = wgf.Particles(3, step=0.1, batch=2).bind(wgf.Problem(energy, TANH.problem.initial), 1.0)
    points = np.array([[0.5, 1.0], [-1.0, 0.3], [0.2, -2.0]])
    rng = np.random.default_rng(0)
    drawn = np.array([stepper.drift(points, rng)[0] for _ in range(4000)])
    exact = energy.velocity(points, np.full(3, 1 / 3))[0]
    assert np.abs((drawn.mean(axis=0) - exact) / (drawn.std(axis=0) / np.sqrt(4000))).max() < 5


@pytest.mark.parametrize("temperature", [0.0, 0.02])
def test_stochastic_gradient_descent_is_the_plain_iteration(temperature):
    """θ ← θ + 2s(y − φ(x))∇g(θ; x) − 2s·½λ∇V + √(2τη)ξ for one sample a step: Mei, Montanari & Nguyen's, with η = 2s."""
    problem = dataclasses.replace(TANH.problem, temperature=temperature)
    method = wgf.Particles(6, seed=2, step=0.1, batch=1)
    stepper = method.bind(problem, 1.0)
    state = stepper.start()
    theta = state.values.copy()
    data = TANH.data
    for n in range(10):
        stepper.step(state, 1.0)
        rng = np.random.Generator(np.random.Philox(key=stepper.key, counter=[0, 0, 0, n]))
        sample = data.batch(1, rng)
        x, y = sample.inputs[0, 0], sample.targets[0]
        c, a = theta.T
        residual = y - np.mean(c * np.tanh(a * x))
        slope = np.column_stack([np.tanh(a * x), c * x * (1 - np.tanh(a * x) ** 2)])
        noise = np.sqrt(2 * temperature * 0.1) * rng.standard_normal(theta.shape) if temperature else 0.0
        theta = theta + 0.1 * (residual * slope - TANH.penalty * theta) + noise
    assert state.values == pytest.approx(theta, rel=1e-10)
    assert state.time == 1.0


def test_stochastic_gradient_descent_approaches_the_flow():
    """The noise of the batches is ∝ √step: a sixteenth of the step, a fourth of the gap (root mean square of 8 seeds)."""

    def gap(step, seed):
        def prediction(**options):
            return wgf.solve(TANH.problem, wgf.Particles(50, seed=seed, **options), until=1.0, save=2).prediction[-1]

        return TANH.data.norm(prediction(step=step, batch=4) - prediction())

    large, small = (np.sqrt(np.mean([gap(step, seed) ** 2 for seed in range(8)])) for step in (0.1, 0.1 / 16))
    assert small < 0.5 * large
    assert small < 0.05


def test_a_noisy_cloud_has_no_free_energy(tmp_path):
    run = wgf.solve(HOT, wgf.Particles(40, step=0.05), until=0.5, save=3, store=tmp_path / "run.h5")
    assert np.isnan(run.free_energy).all()
    assert np.isfinite(run.loss).all()
    assert not run.has_free_energy
    assert run.method == "Particles(40 neurons, seed 0, heun, step 0.05)"
    run.plot(tmp_path / "run.png")


def well(rate):
    """A well of this rate at rest at temperature .1, and −½·rate·x²'s neurons in it."""
    energy = wgf.InteractionEnergy(V=lambda theta: 0.5 * rate * theta[..., 0] ** 2)
    return wgf.Problem(energy, wgf.Gaussian([0.0], [(0.1 / rate) ** 0.5]), temperature=0.1)


def said(run):
    """What is said of too long steps, and what the run gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", wgf.ResolutionWarning)
        result = run()
    return [str(warning.message) for warning in caught], result


def steep(theta):
    return 2000 * (theta[..., 0] - 0.5) ** 6


@pytest.mark.parametrize(("scheme", "rate"), [("heun", 60.0), ("euler-maruyama", 20.0)])
@pytest.mark.parametrize("m", [50, 2000])
def test_too_long_steps_are_said_once_and_not_those_that_are_advised(scheme, rate, m):
    """Whether the step is the default or chosen; with the step that the words name, the variance at rest is right to 5 %."""
    for step in (None, 0.01):
        texts, _ = said(lambda step=step: wgf.solve(well(rate), wgf.Particles(m, scheme=scheme, step=step), until=0.2, save=2))
        assert len(texts) == 1
        found = re.fullmatch(
            r"at t = \S+ steps of 0\.01 are too long for the slopes that the neurons meet: the mean square by which one moves them along "
            r"theta1 is off by \d+ %, beside two of half the length; choose a smaller step, at most (\S+)",
            texts[0],
        )
        assert found
    better = float(found[1])
    assert 1e-4 < better < 0.01
    texts, run = said(lambda: wgf.solve(well(rate), wgf.Particles(m, scheme=scheme, step=better), until=0.2, save=2))
    assert not texts
    if m == 2000:
        assert run.measures[-1].covariance[0, 0] == pytest.approx(0.1 / rate, rel=0.05 + 4 * (2 / m) ** 0.5)


@pytest.mark.parametrize(("scheme", "rate"), [("heun", 20.0), ("euler-maruyama", 3.0)])
@pytest.mark.parametrize("m", [3, 50, 2000])
def test_steps_that_are_short_enough_say_nothing(scheme, rate, m):
    """By default η = .01, where the variance is off by 1 or 1.5 %."""
    assert not said(lambda: wgf.solve(well(rate), wgf.Particles(m, scheme=scheme), until=0.5, save=2))[0]


@pytest.mark.parametrize(("scheme", "factor"), [("heun", 5 / 12), ("euler-maruyama", 1.0)])
def test_the_error_of_a_step_is_its_formula(scheme, factor):
    """In a well at rest: (5/12)(Lη)² and Lη."""
    rate, x = 4.0, 0.05
    stepper = wgf.Particles(400_000, scheme=scheme).bind(well(rate), 1.0)
    points = stepper.start().values
    error, doubt = stepper.step_error(points, stepper.velocity(points)[0], x / rate, np.random.default_rng(3))
    expected = factor * x ** (2 if scheme == "heun" else 1)
    assert abs(error[0] - expected) < 0.1 * expected + 4 * doubt[0]
    assert doubt[0] < 0.2 * expected


@pytest.mark.parametrize("boundary", ["no-flux", "periodic"])
def test_in_a_steep_well_between_walls_the_step_is_said(boundary):
    """V = 2000(x − ½)⁶ at temperature 1: .159 is the standard deviation at rest, and .01 far too long a step."""
    problem = wgf.Problem(wgf.InteractionEnergy(V=steep), wgf.Gaussian([0.5], [0.05]), temperature=1.0)
    box = {"lower": [0], "upper": [1], "boundary": boundary}
    texts, _ = said(lambda: wgf.solve(problem, wgf.Particles(500, **box), until=0.2, save=2))
    assert len(texts) == 1
    texts, run = said(lambda: wgf.solve(problem, wgf.Particles(2000, step=1e-3, **box), until=0.2, save=2))
    assert not texts
    assert run.measures[-1].covariance[0, 0] ** 0.5 == pytest.approx(0.159, rel=0.06)


@pytest.mark.filterwarnings("ignore:.*are too long for the slopes:wgf.ResolutionWarning")
@pytest.mark.parametrize("temperature", [1.0, 0.0])
def test_neurons_that_run_away_are_told_to_take_smaller_steps(temperature):
    """There is no box to be made smaller."""
    problem = wgf.Problem(wgf.InteractionEnergy(V=steep), wgf.Gaussian([0.5], [0.3]), temperature=temperature)
    with np.errstate(all="ignore"), pytest.raises(wgf.RunError, match=r"as steps of 0\.05 are too long .* choose a smaller step") as caught:
        wgf.solve(problem, wgf.Particles(500, step=0.05), until=5.0, save=2)
    assert "box" not in str(caught.value)


def test_messages():
    with pytest.raises(wgf.InputError, match=r"unknown scheme of noisy particles 'hein' \(did you mean 'heun'\?\)"):
        wgf.Particles(3, scheme="hein")
    with pytest.raises(wgf.InputError, match=r"batch = 0: give a whole number, at least 1"):
        wgf.Particles(3, step=0.1, batch=0)
    with pytest.raises(wgf.InputError, match=r"batch = 4; give the step size, too: step = …"):
        wgf.Particles(3, batch=4)
    with pytest.raises(wgf.InputError, match=r"boundary = 'periodic' needs a box: give lower and upper"):
        wgf.Particles(3, boundary="periodic")
    with pytest.raises(wgf.InputError, match=r"batch = 4, but this energy has no data to draw from"):
        wgf.solve(
            wgf.Problem(wgf.InteractionEnergy(V=lambda t: t[..., 0]), wgf.Uniform([0], [1])), wgf.Particles(3, step=0.1, batch=4), 1.0
        )
    with pytest.raises(wgf.InputError, match=r"the walls have 1 axes but theta has 2 coordinates"):
        wgf.solve(HOT, wgf.Particles(3, lower=[0], upper=[1]), 1.0)
