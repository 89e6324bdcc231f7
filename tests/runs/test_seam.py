"""A run that goes on from the last frame of another: the same cells, the same loss, the time of the frame; and what is refused."""

import dataclasses

import numpy as np
import pytest
from problems import Tanh

import wgf
from wgf.runs.summary import run_facts

pytestmark = pytest.mark.coarse

TANH = Tanh()
BOX = (TANH.lower, TANH.upper)
NOISY = dataclasses.replace(TANH.problem, temperature=0.1)
GRID = wgf.FiniteVolume(24, *BOX)


def box_of(measure):
    return measure.grid.lower, measure.grid.upper


FOUND = [wgf.FiniteVolume(32), wgf.FiniteVolume(spacing=0.2), wgf.JKO(24, dt=0.1), wgf.FiPyMesh(wgf.Box(16), dt=0.1, edge_tolerance=1)]


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("method", FOUND, ids=repr)
def test_a_box_that_was_found_stays_as_it_is(method, stored, tmp_path):
    """A later end would find another one; from a file, too, which holds the problem."""
    path = tmp_path / "run.h5" if stored else None
    first = wgf.solve(TANH.problem, method, 0.5, 2, store=path)
    later = wgf.solve(wgf.open_run(path) if stored else first, method, 1.0, [0.75], store=tmp_path / "later.h5" if stored else None)
    assert later.times.tolist() == [0.5, 0.75, 1.0]
    assert later.loss[0] == pytest.approx(first.loss[-1], rel=1e-14)
    assert later.prediction[0] == pytest.approx(first.prediction[-1], rel=1e-12)
    before, after = first.measures[-1], later.measures[0]
    assert np.array_equal(before.points, after.points)
    assert before.masses == pytest.approx(after.masses, rel=1e-13, abs=1e-15)
    if isinstance(method, wgf.FiniteVolume):
        assert later.method == first.method  # the lattice, of which frames show what has held mass
    assert np.diff(later.history["time"]).min() > 0
    assert later.largest_rise <= 1e-12


def test_a_step_that_is_cut_by_the_seam_is_all_that_differs():
    """What a run without a seam gives, the more exactly the more cells there are."""
    gaps = []
    for cells in (16, 32, 64):
        method = wgf.FiniteVolume(cells, *BOX)
        whole = wgf.solve(TANH.problem, method, 0.4, 3)
        later = wgf.solve(wgf.solve(TANH.problem, method, 0.2, 2), method, 0.4, 2)
        gaps.append(abs(later.loss[-1] - whole.loss[-1]))
        assert box_of(later.measures[-1]) == box_of(whole.measures[-1])
    assert gaps[0] > 8 * gaps[1]
    assert gaps[1] > 4 * gaps[2]
    assert gaps[2] < 1e-6


@pytest.mark.parametrize(
    ("problem", "method"),
    [
        (NOISY, wgf.Particles(20, seed=3, step=0.05)),
        (NOISY, wgf.Particles(20, seed=3, step=0.05, batch=4)),
        (TANH.problem, wgf.Particles(20, step=0.05, batch=4)),
    ],
)
def test_noise_goes_on_through_two_seams(problem, method):
    """With the numbers that a run without seams draws: none is drawn twice."""
    run = wgf.solve(problem, method, 0.2, 2)
    for until in (0.35, 0.6):
        run = wgf.solve(run, method, until, 2)
    whole = wgf.solve(problem, method, 0.6, [0.2, 0.35])
    assert run.attributes["steps_before"] == 7
    assert np.array_equal(run.measures[-1].points, whole.measures[-1].points)
    assert run.loss[-1] == whole.loss[-1]


def test_a_scaled_network_goes_on():
    method = wgf.Particles(20, scale="m^-0.5", centred="pairs")
    first = wgf.solve(TANH.problem, method, 0.2, 2)
    assert wgf.solve(first, method, 0.4, 2).loss[0] == pytest.approx(first.loss[-1], rel=1e-14)


def test_a_run_goes_on_until_it_rests():
    """The residual is counted from the seam; frames lie in geometric progression after it."""
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda x: 0.5 * (x**2).sum(-1)), wgf.Gaussian([0.5], [0.5]), temperature=0.2)
    method = wgf.FiniteVolume(40, [-3], [3])
    run = wgf.solve(wgf.solve(problem, method, 1.0, 2), method, wgf.Rest(1e-2, 40.0))
    assert 1 < run.attributes["rest_time"] < 40
    assert run.times[:2] == pytest.approx([1.0, 1.0 + 39.0e-4])
    assert run_facts(run)["time"].startswith(f"1 … {run.times[-1]:g} in ")


def test_a_figure_and_an_error_know_where_it_began():
    first = wgf.solve(TANH.problem, GRID, 0.5, 2)
    later = wgf.solve(first, GRID, 1.0, 2)
    fit = later.plot().subfigs[1].axes[-1]
    assert r"$\varphi$ at t = 0.5" in [text.get_text() for text in fit.get_legend().get_texts()]
    whole = wgf.density_error(TANH.problem, wgf.solve(TANH.problem, GRID, 1.0, 3))
    assert wgf.density_error(TANH.problem, later) == pytest.approx(whole[1:], rel=1e-2)
    with pytest.raises(wgf.InputError, match=r"the error of a method takes a run from t = 0 on, and this one begins at t = 0.5"):
        wgf.discretisation_error(TANH.problem, GRID, 1.0, run=later)
    neurons = wgf.Particles(10)
    with pytest.raises(wgf.InputError, match=r"laziness takes a run from t = 0 on"):
        wgf.laziness(TANH.problem, wgf.solve(wgf.solve(TANH.problem, neurons, 0.1, 2), neurons, 0.2, 2))


SUBTRACTED = wgf.Particles(20, centred="subtracted")
REFUSED = {
    "another grid": (GRID, wgf.FiniteVolume(25, *BOX), r"goes on on its own cells, Grid\(24 × 24 .*\), and not on Grid\(25 × 25"),
    "another box": (GRID, wgf.FiniteVolume(24, TANH.lower, (4, 5)), "goes on on its own cells"),
    "another spacing": (wgf.FiniteVolume(spacing=0.2), wgf.FiniteVolume(spacing=0.25), r"not on those of FiniteVolume\(cells of 0.25"),
    "another kind": (GRID, wgf.Particles(20), "20 points of the weights of this method cannot go on from Density"),
    "a cloud on a grid": (wgf.Particles(20), GRID, "goes on from a density on it, and not from Cloud"),
    "another size": (wgf.Particles(20), wgf.Particles(30), "30 points of the weights .* cannot go on from Cloud"),
    "other masses": (wgf.Particles(36), wgf.Characteristics(nodes=6), "36 points of the weights .* cannot go on from Cloud"),
    "another mesh": (
        wgf.FiPyMesh(wgf.Box(12, *BOX), edge_tolerance=1),
        wgf.FiPyMesh(wgf.Box(13, *BOX), edge_tolerance=1),
        "goes on from a density on its cells, not from MeshDensity",
    ),
    "another scale": (wgf.Particles(20), wgf.Particles(20, scale=1.0), r"ended with the loss .*, and would go on with .*: give the method"),
    "what no frame holds": (SUBTRACTED, SUBTRACTED, "its frames do not hold what is subtracted; solve it anew"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_not_go_on_exactly_is_refused(case, tmp_path):
    """Before anything is written."""
    before, after, message = REFUSED[case]
    run = wgf.solve(TANH.problem, before, 0.2, 2)
    with pytest.raises(wgf.InputError, match=message):
        wgf.solve(run, after, 0.4, store=tmp_path / "later.h5")
    assert not list(tmp_path.iterdir())


def test_times_before_the_seam_are_refused():
    run = wgf.solve(TANH.problem, GRID, 0.2, 2)
    with pytest.raises(wgf.InputError, match=r"until = 0.2: the run has come to t = 0.2 already"):
        wgf.solve(run, GRID, 0.2)
    with pytest.raises(wgf.InputError, match=r"a list of times between 0.2 and the end, 0.4"):
        wgf.solve(run, GRID, 0.4, [0.1])


def test_a_run_does_not_replace_the_file_from_which_it_goes_on(tmp_path):
    path = tmp_path / "run.h5"
    run = wgf.solve(TANH.problem, GRID, 0.2, 2, store=path)
    with pytest.raises(wgf.InputError, match="it is one of the files to read; choose another name"):
        wgf.solve(run, GRID, 0.4, store=path)
    assert wgf.open_run(path).times[-1] == 0.2


def test_a_problem_that_the_file_cannot_hold_is_asked_for(tmp_path):
    law = wgf.FromDensity(lambda theta: np.exp(-np.sum(theta**2, axis=-1)), lower=[-2, -2], upper=[2, 2])
    problem = dataclasses.replace(TANH.problem, initial=law)
    wgf.solve(problem, GRID, 0.2, 2, store=tmp_path / "run.h5")
    with pytest.raises(wgf.InputError, match="cannot hold the initial law FromDensity"):
        wgf.solve(wgf.open_run(tmp_path / "run.h5"), GRID, 0.4)
    assert wgf.solve(wgf.open_run(tmp_path / "run.h5", problem), GRID, 0.4, 2).times[0] == 0.2
