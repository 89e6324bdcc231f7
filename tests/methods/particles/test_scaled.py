"""Scaled and centred networks: one code path with the mean-field run, the gradient of the loss at any scale, files, messages."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

import wgf
from wgf.networks.neuron import coordinate_names

DATA = wgf.Data.quadrature(lambda x: np.sin(2 * x), nodes=20)
TANH = wgf.Neuron("tanh", ("c", "a"))
PROBLEM = wgf.Problem(wgf.RegressionEnergy(TANH, DATA, 0.1), wgf.Gaussian([0, 0.5], [0.8, 0.8]))
SCALED = [
    {"scale": "m^-0.5"},
    {"scale": 0.3, "centred": "pairs"},
    {"scale": 2.0, "centred": "subtracted"},
    {"centred": "subtracted"},
    {"scale": 0.2, "step": 0.1},
    {"scale": 0.2, "step": 0.1, "batch": 8},
]
M = 30


def positions(**options):
    return wgf.solve(PROBLEM, wgf.Particles(M, seed=1, **options), 1.0).measures[-1].positions


def parts(options):
    """α, and φ(θ₀) at the data where it is subtracted."""
    alpha = {None: 1 / M, "m^-0.5": M**-0.5}.get(options.get("scale"), options.get("scale"))
    start = wgf.Particles(M, seed=1, **options).bind(PROBLEM, 1.0).start().array
    before = wgf.Network(TANH, start, alpha).predict(DATA.inputs)
    return alpha, start, before if options.get("centred") == "subtracted" else 0.0


@pytest.mark.parametrize("scale", ["m^-1", "m^-1.0", 1 / M])
def test_the_exponent_one_is_the_mean_field_run_to_the_last_bit(scale):
    assert np.array_equal(positions(), positions(scale=scale))


@pytest.mark.parametrize("options", SCALED)
def test_the_velocity_is_the_gradient_of_the_loss_of_the_scaled_network(options):
    """dθ_j/dt = −(1/(2mα²)) ∇_{θ_j}(‖φ − f*‖² + (λ/m)Σ|θ|²) by differences."""
    alpha, start, before = parts(options)

    def loss(theta):
        difference = wgf.Network(TANH, theta, alpha).predict(DATA.inputs) - before - DATA.targets
        return DATA.weights @ difference**2 + 0.1 / M * np.sum(theta**2)

    velocity, found = wgf.Particles(M, seed=1, **options).bind(PROBLEM, 1.0).velocity(start)
    assert found == pytest.approx(loss(start), rel=1e-12)
    for j, k in ((0, 0), (7, 1), (M - 1, 0)):
        shift = np.zeros((M, 2))
        shift[j, k] = 1e-5
        slope = (loss(start + shift) - loss(start - shift)) / 2e-5
        assert velocity[j, k] == pytest.approx(-slope / (2 * M * alpha**2), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("tau", [0.0063, 0.1, 10.0])
def test_a_student_of_one_scale_descends_as_gradient_descent_written_out_does(tau):
    """θ ← θ − η∇(½ mean (φ − f*)²), φ = Σ_j c_j max(⟨a_j, x⟩, 0), is a run with α = 1 and steps of mη: benchmarks/lazy_teacher.py."""
    rng = np.random.default_rng(2)
    dim, n, steps, eta = 5, 40, 20, min(10.0, 0.1 / tau**2)  # at τ = 0.0063 more steps amplify rounding tenfold every five
    inputs = rng.standard_normal((n, dim))
    inputs /= np.linalg.norm(inputs, axis=1, keepdims=True)
    targets = np.maximum(inputs[:, 0], 0) - np.maximum(inputs[:, 1], 0)
    neuron = wgf.Neuron("relu", coordinate_names(dim)[:-1], {"b": 0.0}, dim)
    problem = wgf.Problem(wgf.RegressionEnergy(neuron, wgf.Data(inputs, targets)), wgf.Gaussian(np.zeros(dim + 1), np.full(dim + 1, tau)))
    run = wgf.solve(problem, wgf.Particles(M, seed=3, step=M * eta, scale=1.0, centred="pairs"), steps * M * eta, save=2)
    c, a = run.measures[0].positions[:, 0], run.measures[0].positions[:, 1:]
    for _ in range(steps):
        hidden = np.maximum(a @ inputs.T, 0)
        residual = (c @ hidden - targets) / n
        c, a = c - eta * hidden @ residual, a - eta * c[:, None] * ((hidden > 0) @ (inputs * residual[:, None]))
    assert run.measures[-1].positions == pytest.approx(np.column_stack([c, a]), rel=1e-11, abs=1e-11 * tau)


@pytest.mark.parametrize("options", SCALED[:4])
def test_the_energy_falls_at_the_rate_of_its_dissipation(options):
    history = wgf.solve(PROBLEM, wgf.Particles(M, seed=1, rtol=1e-9, atol=1e-11, **options), 1.0).history
    fallen = history["free_energy"][0] - history["free_energy"][-1]
    assert trapezoid(history["dissipation"], history["time"]) == pytest.approx(fallen, rel=2e-3)


@pytest.mark.parametrize("options", SCALED[:4])
def test_frames_predict_the_network_that_was_trained_in_memory_and_from_the_file(options, tmp_path):
    alpha, _, before = parts(options)
    run = wgf.solve(PROBLEM, wgf.Particles(M, seed=1, **options), 1.0, store=tmp_path / "run.h5")
    for read in (run, wgf.open_run(tmp_path / "run.h5", PROBLEM)):
        expected = wgf.Network(TANH, read.measures[-1].positions, alpha).predict(DATA.inputs) - before
        assert read.prediction[-1] == pytest.approx(expected, abs=1e-14)
        assert read.measures[-1].predict(DATA.inputs) == pytest.approx(expected, abs=1e-14)
    if "centred" in options:
        assert np.abs(run.prediction[0]).max() < 1e-14


def test_pairs_are_draws_and_their_mirror_images():
    start = wgf.Particles(M, seed=1, centred="pairs").bind(PROBLEM, 1.0).start().array
    assert np.array_equal(start[::2] * [-1, 1], start[1::2])
    assert len(np.unique(start[::2, 1])) == M // 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 0.0}, r"particles: scale = 0: give a positive number α, or \"m\^-p\""),
        ({"scale": np.nan}, "particles: scale = nan: give a positive number"),
        ({"scale": "m^-1.5"}, r"scale = \"m\^-1.5\": give .* with an exponent p in \(0, 1\]"),
        ({"scale": "m^-0"}, r"exponent p in \(0, 1\]"),
        ({"scale": "big"}, r"scale = \"big\": give a positive number"),
        ({"centred": "pair"}, "'pair'.*pairs"),
        ({"centred": "pairs", "m": 31}, 'm = 31 with centred = "pairs"; give an even number'),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.Particles(**({"m": M} | options))


def test_problems_that_cannot_be_scaled_are_refused():
    noisy = wgf.Problem(PROBLEM.energy, PROBLEM.initial, temperature=0.1)
    bias = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("a", "b")), DATA), wgf.Gaussian([0, 0], [1, 1]))
    gas = wgf.Problem(wgf.InteractionEnergy(W=lambda z: np.sum(z**2, axis=-1)), wgf.Gaussian([0, 0], [1, 1]))
    for problem, options, message in [
        (noisy, {"scale": 0.5}, r"trained without noise, but the problem has some \(temperature = 0.1\)"),
        (bias, {"centred": "pairs"}, "needs the output weight c among the coordinates"),
        (gas, {"scale": 0.5}, "is not the energy of a network"),
        (gas, {"centred": "pairs"}, "is not the energy of a network"),
    ]:
        with pytest.raises(wgf.InputError, match=message):
            wgf.Particles(M, **options).bind(problem, 1.0)
    with pytest.raises(wgf.InputError, match="leave out scale and centred"):
        wgf.compare(PROBLEM, wgf.FiniteVolume(16), 1.0, particles=wgf.Particles(M, scale="m^-0.5"))


def test_a_problem_file_scales_them(tmp_path):
    (tmp_path / "scaled.toml").write_text(
        '[neuron]\nactivation = "tanh"\ntheta = ["c", "a"]\n'
        '[data]\ninputs = { law = "uniform", nodes = 10 }\nteacher = [{ c = 1.0, a = 2.0 }]\n'
        '[initial]\nlaw = "gaussian"\nmean = 0\nstd = 1\n'
        '[method]\nname = "particles"\nm = 8\nscale = "m^-0.5"\ncentred = "pairs"\n[time]\nend = 1.0\n'
    )
    from wgf.runs.task import read_task

    method = read_task(tmp_path / "scaled.toml").method
    assert (method.scale, method.centred) == ("m^-0.5", "pairs")
