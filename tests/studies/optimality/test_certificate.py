"""Certificates: bounds that hold and are tight, gaps that others find, too, verdicts, and what is kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest
from optima import BOX, PROBLEMS, data
from scipy import optimize

import wgf

pytestmark = [pytest.mark.coarse, pytest.mark.filterwarnings("ignore::wgf.BoundaryWarning")]


def solved(problem: wgf.Problem, until: float = 4.0, cells: int | None = None, **options) -> wgf.Run:
    """A short run, on coarse cells, or of neurons where there are three coordinates."""
    if problem.dim > 2:
        return wgf.solve(problem, wgf.Particles(200, seed=1, lower=(BOX[0],) * problem.dim, upper=(BOX[1],) * problem.dim), until, 4)
    return wgf.solve(problem, wgf.FiniteVolume(cells or 16, (BOX[0],) * problem.dim, (BOX[1],) * problem.dim), until, 4, **options)


@pytest.fixture(scope="module", params=PROBLEMS)
def certified(request):
    problem = PROBLEMS[request.param]
    run = solved(problem)
    return problem, run, wgf.certify(run)


def test_the_bound_holds_and_is_tight(certified):
    problem, run, certificate = certified
    truth = run.loss - wgf.global_minimum(problem, *BOX).loss
    assert certificate.proven
    assert (certificate.bound >= truth - 1e-10).all()
    assert (certificate.bound <= truth + 0.01 * np.abs(truth) + 1e-10).all()
    assert (certificate.gap >= certificate.bound - 1e-10).all()


def test_the_gap_is_that_of_a_fine_search(certified):
    """2(∫G dμ − min G), with G from its definition and the minimum from many descents by another method."""
    problem, run, certificate = certified
    energy, measure = problem.energy, run.measures[-1]
    rng = np.random.default_rng(0)
    places = rng.uniform(*BOX, (20_000, problem.dim))
    values = np.concatenate([energy.potential(part, measure) for part in np.array_split(places, 10)])
    u = energy.residual(measure)

    def function(theta):
        value = energy.neuron.value(theta, energy.data.inputs) @ u + 0.5 * energy.penalty.strength * theta @ theta
        return float(value), energy.slope(theta[None], u)[0]

    ends = [
        optimize.minimize(function, places[k], jac=True, bounds=[BOX] * problem.dim, options={"ftol": 1e-15}).fun
        for k in np.argsort(values)[:20]
    ]
    mean = measure.integrate(lambda theta: energy.potential(theta, measure))
    assert certificate.gap[-1] == pytest.approx(2 * (mean - min(ends)), abs=1e-6)


def test_no_neuron_is_below_what_is_proven(certified):
    """L ≥ D(z) for every z: 10⁵ random θ never find G(·; z) below the minimum on which `lower` rests, that of the best measure."""
    problem, _, certificate = certified
    best = certificate.minimum
    u = problem.energy.residual(best)
    theta = np.random.default_rng(7).uniform(*BOX, (100_000, problem.dim))
    values = np.concatenate([problem.energy.neuron.value(part, problem.energy.data.inputs) @ u for part in np.array_split(theta, 20)])
    values += 0.5 * problem.energy.penalty.strength * np.sum(theta**2, axis=1)
    z, targets = problem.energy.predict(best) - problem.energy.data.targets, problem.energy.data.targets
    norm = problem.energy.data.norm(z) ** 2
    assert certificate.lower <= -norm - 2 * u @ targets + 2 * values.min() + 1e-12
    assert certificate.lower <= problem.energy.loss(best) + 1e-12


def bumps(mean: float, std: float, cells: int = 96) -> tuple[wgf.Problem, wgf.FiniteVolume]:
    """Bumps c·exp(−½(2x + b)²): two teachers far apart, at b = ±5."""
    teacher = wgf.Teacher("gaussian", [{"c": 1.0, "a": 2.0, "b": 5.0}, {"c": -1.0, "a": 2.0, "b": -5.0}])
    rule = wgf.Data.quadrature(teacher, lower=-4, upper=4)
    energy = wgf.RegressionEnergy(wgf.Neuron("gaussian", ("c", "b"), {"a": 2.0}), rule)
    law = wgf.Gaussian([0.0, mean], [0.5, std])
    return wgf.Problem(energy, law), wgf.FiniteVolume(cells, [-3, -8], [3, 8])


def test_verdicts():
    """A start everywhere converges (Chizat & Bach 2018), one that lacks a direction stalls and is told which, one in motion moves."""
    student = wgf.Problem.from_toml(Path(wgf.__file__).parent / "cli" / "examples" / "student.toml")
    full = wgf.certify(wgf.solve(student, wgf.FiniteVolume(64, [-3.5, -3.0], [4.5, 4.5]), 14.0, 4))
    data = student.energy.data
    assert full.verdict == "converged"
    assert full.bound[-1] <= 1e-3 * data.norm(data.targets) ** 2
    problem, method = bumps(5.0, 0.3)
    stalled = wgf.certify(wgf.solve(problem, method, 60.0, 4))
    assert stalled.verdict == "stalled"
    assert stalled.lowest[-1] == pytest.approx([-3.0, -5.0], abs=0.05)
    assert "c = -3, b = -5" in stalled.text
    assert "%" in stalled.text
    moving = wgf.certify(wgf.solve(problem, method, 4.0, 4))
    assert moving.verdict == "moving"
    assert moving.text.startswith("still moving")


def test_what_would_be_gained_is_what_is_gained():
    problem, method = bumps(5.0, 0.3, 48)
    run = wgf.solve(problem, method, 30.0, 3)
    certificate = wgf.certify(run)
    last, s = run.measures[-1], certificate.share
    moved = wgf.Cloud(
        np.vstack([last.points, certificate.lowest[-1:]]), np.append((1 - s) * np.maximum(last.quadrature_weights, 0), s), last.neuron
    )
    assert run.loss[-1] - problem.energy.loss(moved) == pytest.approx(certificate.gain, rel=1e-3)
    assert 0 < certificate.gain <= certificate.bound[-1]


def test_with_noise_it_is_exact_on_the_cells():
    problem = dataclasses.replace(PROBLEMS["tanh (c, a), λ"], temperature=0.05)
    run = solved(problem, 20.0, 48)
    certificate = wgf.certify(run)
    assert certificate.bound + certificate.lower == pytest.approx(run.free_energy, abs=1e-9)
    assert (certificate.gap >= certificate.bound - 1e-12).all()
    assert (np.diff(certificate.bound) < 0).all()
    assert certificate.proven
    assert isinstance(certificate.minimum, wgf.Density)
    longer = wgf.certify(wgf.solve(problem, wgf.FiniteVolume(48, [-5, -5], [5, 5]), 400.0, 3))
    assert longer.bound[-1] < 1e-3 * longer.bound[0]
    assert longer.verdict == "converged"


def test_it_is_kept_in_the_file(tmp_path):
    path = tmp_path / "run.h5"
    solved(PROBLEMS["tanh (c, a)"], store=path)
    certificate = wgf.certify(str(path))
    wgf.certify(path)  # again: replaced
    with h5py.File(path) as file:
        for name in ("gap", "bound", "residual", "lowest"):
            assert np.array_equal(file["certificate"][name][:], getattr(certificate, name))
        assert file["certificate/gap"].dims[0][0] == file["time"]
    run = wgf.open_run(path)
    assert run.attributes["certificate"] == certificate.text
    assert run.attributes["certificate_lower"] == certificate.lower


def test_neurons_without_a_box_have_all_theta_where_there_is_a_penalty():
    problem = PROBLEMS["tanh (c, a), λ"]
    certificate = wgf.certify(wgf.solve(problem, wgf.Particles(200), 5.0, 3))
    assert certificate.domain == "all θ"
    assert certificate.proven
    least = wgf.global_minimum(problem).loss
    assert 0 <= least - certificate.lower <= 2e-3 * certificate.bound[-1]


class Own:
    """tanh(ax) as a neuron of one's own."""

    theta = ("a",)

    def value(self, theta, x):
        return np.tanh(theta * x[:, 0])


def test_of_a_neuron_of_ones_own_nothing_is_proven_and_it_says_so():
    own, ours = (
        wgf.Problem(wgf.RegressionEnergy(neuron, data()), wgf.Gaussian([0.5], [0.5])) for neuron in (Own(), wgf.Neuron("tanh", "a"))
    )
    method = wgf.FiniteVolume(32, [-4.0], [4.0])
    found, expected = (wgf.certify(wgf.solve(problem, method, 2.0, 2)) for problem in (own, ours))
    assert not found.proven
    assert "not proven" in found.text
    assert expected.proven
    assert found.bound == pytest.approx(expected.bound, rel=2e-3)


def test_a_loss_below_the_least_is_an_error_of_cells_and_told():
    """Weights of averages beyond the wall, where mass lies against it, on cells that are far too wide."""
    problem = PROBLEMS["relu (a, b)"]
    certificate = wgf.certify(solved(problem))
    assert certificate.bound[-1] < -0.01
    assert "error of its cells" in certificate.text


@pytest.mark.parametrize(
    ("made", "arguments", "words"),
    [
        (lambda: wgf.solve(PROBLEMS["tanh (c, a)"], wgf.Particles(20), 0.1, 2), (), "give lower and upper"),
        (lambda: wgf.solve(PROBLEMS["tanh (c, a)"], wgf.Particles(20, scale="m^-0.5"), 0.1, 2), (-1, 1), "output scale"),
        (lambda: wgf.solve(PROBLEMS["tanh (c, a)"], wgf.Particles(20, centred="subtracted"), 0.1, 2), (-1, 1), "less its start"),
        (lambda: solved(PROBLEMS["tanh (c, a)"], 0.1), ([-1, -1, -1], 1), "entries"),
        (lambda: wgf.solve(dataclasses.replace(PROBLEMS["tanh (c, a)"], temperature=0.1), wgf.Particles(20), 0.1, 2), (), "no entropy"),
        (
            lambda: wgf.solve(
                wgf.Problem(wgf.InteractionEnergy(V=lambda x: np.sum(x**2, -1)), wgf.Gaussian([0.0], [1.0])), wgf.Particles(20), 0.1, 2
            ),
            (),
            "network",
        ),
        (lambda: "missing.h5", (), "does not exist"),
        (lambda: 3, (), "give the name of a file|the name of a file"),
    ],
)
def test_what_cannot_be_certified_is_told_in_one_line(made, arguments, words):
    with pytest.raises(wgf.InputError, match=words) as caught:
        wgf.certify(made(), *arguments)
    assert "\n" not in str(caught.value)


def test_a_run_without_its_problem(tmp_path):
    path = tmp_path / "run.h5"
    own = wgf.Problem(wgf.RegressionEnergy(Own(), data()), wgf.Gaussian([0.5], [0.5]))
    wgf.solve(own, wgf.FiniteVolume(16, [-4.0], [4.0]), 0.5, 2, store=path)
    with pytest.raises(wgf.InputError, match="open it together with its problem"):
        wgf.certify(path)
    assert wgf.certify(wgf.open_run(path, own)).verdict in ("converged", "moving", "stalled")


def test_figures_show_bounds_support_and_the_lowest_place(tmp_path):
    problem = PROBLEMS["tanh (c, a)"]
    certificate = wgf.certify(solved(problem))
    figure = certificate.plot(tmp_path / "certificate.png")
    first, second, third = figure.axes
    assert [len(line.get_xdata()) for line in first.lines] == [4, 4, 4]
    assert first.lines[1].get_ydata() == pytest.approx(certificate.bound)
    assert sum(patch.get_height() for patch in second.patches) == pytest.approx(1)
    assert third.lines[-1].get_xydata()[0] == pytest.approx(certificate.lowest[-1])
    for other in ("tanh (c, a, b)", "gaussian (c, b)"):
        wgf.certify(solved(PROBLEMS[other], 0.5)).plot(tmp_path / "other.png")
    noisy = wgf.certify(solved(dataclasses.replace(problem, temperature=0.1), 1.0))
    assert len(noisy.plot(tmp_path / "noisy.png").axes) == 3
