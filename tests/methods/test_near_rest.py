"""Near a rest, where hardly anything moves, the steps follow the error of a step: growth rates are right, whenever frames are stored."""

import dataclasses
import functools

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import wgf

CIRCLE = {"lower": [-np.pi], "upper": [np.pi], "boundary": "periodic"}
SCHEMES = {
    "default": wgf.FiniteVolume(128, **CIRCLE),
    "gibbs": wgf.FiniteVolume(128, **CIRCLE, diffusion="gibbs"),
    "split": wgf.FiniteVolume(128, **CIRCLE, diffusion="split"),
    "fipy": wgf.FiPyMesh(wgf.Box(96, [-np.pi], [np.pi], "periodic")),
}
ENDS = {0.45: 160.0, 0.3: 50.0, 0.1: 25.0}  # by temperature: past the growth, at rest


def almost_uniform(size):
    return wgf.FromDensity(lambda theta: 1 + 2 * size * np.cos(theta[..., 0]), lower=[-np.pi], upper=[np.pi])


def kuramoto(tau, size):
    """W = −cos z: the uniform density is an unstable rest for τ < ½."""
    return wgf.Problem(wgf.InteractionEnergy(W=lambda z: -np.cos(z[..., 0])), almost_uniform(size), temperature=tau)


def order_parameter(measure):
    """|∫e^{iθ} dμ|."""
    return float(np.hypot(*measure.integrate(lambda theta: np.stack([np.cos(theta[:, 0]), np.sin(theta[:, 0])], -1))))


@functools.cache
def galerkin(tau, size, end, frames, modes=60):
    """The order parameter from the equations of the Fourier coefficients a_k of μ ∝ 1 + 2Σ a_k cos kθ,

    a_k' = −τk² a_k + ½k a_1 (a_{k−1} − a_{k+1}).
    """
    k = np.arange(1, modes + 1)

    def rate(_, a):
        return -tau * k**2 * a + 0.5 * k * a[0] * (np.append(1.0, a[:-1]) - np.append(a[1:], 0.0))

    times = np.linspace(0, end, frames)
    return solve_ivp(rate, (0, end), size * (k == 1), t_eval=times, method="LSODA", rtol=1e-10, atol=1e-14).y[0]


CASES = [
    *[("default", tau, size) for tau in ENDS for size in (1e-3, 1e-4)],
    *[(scheme, 0.3, 1e-3) for scheme in ("gibbs", "split")],
    *[
        pytest.param(scheme, tau, size, marks=pytest.mark.long)
        for scheme in ("gibbs", "split", "fipy")
        for tau in ENDS
        for size in (1e-3, 1e-4)
    ],
]


@pytest.mark.parametrize(("scheme", "tau", "size"), CASES)
def test_order_grows_as_the_fourier_equations_say(scheme, tau, size):
    """Within 1 % at all frames, from a perturbation of the unstable rest to the stable one."""
    run = wgf.solve(kuramoto(tau, size), SCHEMES[scheme], ENDS[tau], save=11)
    orders = [order_parameter(measure) for measure in run.measures]
    assert orders == pytest.approx(galerkin(tau, size, ENDS[tau], 11), rel=1e-2)


def test_on_a_mesh_of_fipy_too():
    """The first half of the growth, on fewer cells."""
    run = wgf.solve(kuramoto(0.1, 1e-3), wgf.FiPyMesh(wgf.Box(48, [-np.pi], [np.pi], "periodic")), 10.0, save=3)
    orders = [order_parameter(measure) for measure in run.measures]
    assert orders == pytest.approx(galerkin(0.1, 1e-3, 10.0, 3), rel=1e-2)


@pytest.mark.parametrize("scheme", ["default", pytest.param("fipy", marks=pytest.mark.long), pytest.param("split", marks=pytest.mark.long)])
def test_frames_have_no_say(scheme):
    """The order halfway and at the end, with 3, 11 and 101 frames."""
    found = []
    for frames in (3, 11, 101):
        run = wgf.solve(kuramoto(0.3, 1e-3), SCHEMES[scheme], 40.0, save=frames)
        found.append([order_parameter(run.measures[k]) for k in ((frames - 1) // 2, -1)])
    assert found[1] == pytest.approx(found[0], rel=5e-3)
    assert found[2] == pytest.approx(found[0], rel=5e-3)


@pytest.mark.parametrize("confidence", [1.0, 2.0])
@pytest.mark.parametrize("scheme", ["gibbs", "split"])
def test_opinions_gather_at_the_rate_of_linear_theory(confidence, scheme):
    """Hegselmann–Krause: W = ½ min(z², R²). cos θ beside the uniform density 1/2π grows at the rate −τ − (1/2π)∫W cos z dz."""
    tau, end, size = 0.02, 10.0, 1e-4
    z = np.linspace(-np.pi, np.pi, 200_001)
    rate = -tau - np.trapezoid(0.5 * np.minimum(z**2, confidence**2) * np.cos(z), z) / (2 * np.pi)
    energy = wgf.InteractionEnergy(W=lambda z: 0.5 * np.minimum(z[..., 0] ** 2, confidence**2))
    problem = wgf.Problem(energy, almost_uniform(size), temperature=tau)
    run = wgf.solve(problem, wgf.FiniteVolume(256, **CIRCLE, diffusion=scheme), end, save=2)
    assert order_parameter(run.measures[-1]) == pytest.approx(size * np.exp(rate * end), rel=1e-2)


@pytest.mark.parametrize("scheme", [None, "gibbs", "split"])
def test_small_targets_are_learned_as_fast_as_large_ones(scheme):
    """A noisy network that begins in the Gibbs state of its penalty: φ/s does not depend on the size s of the targets."""
    x, tau, penalty = np.linspace(-2, 2, 41), 0.2, 0.1
    neuron = wgf.Neuron("tanh", theta=("a", "b"), fixed={"c": 6.0})
    found = []
    for size in (1e-2, 1e-6, 1e-9):
        energy = wgf.RegressionEnergy(neuron, wgf.Data(x, size * np.sin(x)), penalty=penalty)
        problem = wgf.Problem(energy, wgf.Gaussian([0, 0], [(tau / penalty) ** 0.5] * 2), temperature=tau)
        for save in ([0, 1], 21):
            run = wgf.solve(problem, wgf.FiniteVolume(48, lower=[-8, -8], upper=[8, 8], diffusion=scheme), 1.0, save=save)
            found.append(energy.data.norm(run.prediction[-1]) / size)
    assert found == pytest.approx([0.748] * 6, rel=5e-3)


def test_so_are_those_without_noise():
    """The linear response of the initial law: by finite volumes, characteristics, and FiPy."""
    x, found = np.linspace(-2, 2, 41), []
    neuron = wgf.Neuron("tanh", theta=("a", "b"), fixed={"c": 6.0})
    for size in (1e-2, 1e-9):
        energy = wgf.RegressionEnergy(neuron, wgf.Data(x, size * np.sin(x)))
        problem = wgf.Problem(energy, wgf.Gaussian([0, 0], [1, 1]))
        methods = [wgf.FiniteVolume(64, lower=[-6, -6], upper=[6, 6]), wgf.Characteristics()]
        for method in [*methods, wgf.FiPyMesh(wgf.Box((32, 32), [-6, -6], [6, 6]))] if size < 1e-6 else methods:
            run = wgf.solve(problem, method, 1.0, save=2)
            found.append(energy.data.norm(run.prediction[-1]) / size)
    assert found == pytest.approx([found[1]] * 5, rel=5e-3)


def test_steps_grow_as_a_stable_rest_comes_near():
    """τ = 1 on the circle: the perturbation falls like e^{−t/2}, and with it what a step may err by."""
    run = wgf.solve(kuramoto(1.0, 0.1), SCHEMES["gibbs"], 60.0, save=2)
    steps = np.diff(run.history["time"])
    assert steps[-2] > 20 * steps[5]
    assert len(steps) < 500
    assert order_parameter(run.measures[-1]) < 1e-5


@pytest.mark.parametrize("scheme", ["gibbs", "split"])
@pytest.mark.parametrize("tau", [0.6, 0.3])
def test_rounding_is_no_error_of_a_step(tau, scheme):
    """The uniform density, a rest to the last bits, is left alone in few steps."""
    problem = dataclasses.replace(kuramoto(tau, 0.0), initial=wgf.Uniform([-np.pi], [np.pi]))
    run = wgf.solve(problem, SCHEMES[scheme], 20.0, save=2)
    assert len(run.history["time"]) < 200
    assert order_parameter(run.measures[-1]) < 1e-12
