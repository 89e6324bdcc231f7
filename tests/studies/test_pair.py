"""Two runs side by side."""

import dataclasses

import h5py
import numpy as np
import pytest
from problems import RIDGE_1D, Tanh

import wgf

pytestmark = pytest.mark.coarse

TANH = Tanh()


@pytest.fixture(scope="module")
def density():
    return wgf.solve(TANH.problem, wgf.FiniteVolume(48, TANH.lower, TANH.upper), 1.0, [0.25, 0.5, 1.0])


@pytest.fixture(scope="module")
def cloud():
    return wgf.solve(TANH.problem, wgf.Particles(300, seed=3), 1.0, [0.5, 0.7, 1.0])


def test_density_and_cloud(density, cloud):
    """At the common times; the distances are those of the public function, the floor is of their size."""
    pair = wgf.compare_runs(density, cloud, ("mean",))
    assert pair.times == pytest.approx([0.0, 0.5, 1.0])
    assert list(pair.distance) == ["function", "loss", "sliced_w2", "mean"]
    energy = TANH.problem.energy
    for name, values in pair.distance.items():
        assert values[2] == pytest.approx(wgf.distance(name, density.measures[3], cloud.measures[3], energy), rel=1e-9)
        assert (pair.floor[name] < 8 * values + 1e-3).all()
        assert (values < 8 * pair.floor[name]).all()


def test_a_run_beside_itself_is_at_zero(density, cloud):
    assert max(values.max() for values in wgf.compare_runs(density, density).distance.values()) < 1e-7
    assert max(values.max() for values in wgf.compare_runs(density, density).floor.values()) == 0
    own = wgf.compare_runs(cloud, cloud)
    assert max(values.max() for values in own.distance.values()) < 1e-7
    assert (own.floor["sliced_w2"] > 0.01).all()


LAWS = [TANH.problem.initial, wgf.FromDensity(lambda theta: np.exp(-np.sum(theta**2, axis=-1)), lower=[-1, -1], upper=[2, 2])]


@pytest.mark.parametrize("law", LAWS, ids=["a problem that files hold", "one that they cannot hold"])
def test_files_bring_it_back_and_need_no_problem(law, tmp_path):
    """Without it they do not know what two equal measures would show as functions."""
    problem, runs = dataclasses.replace(TANH.problem, initial=law), []
    for name, method in (("a", wgf.FiniteVolume(24, TANH.lower, TANH.upper)), ("b", wgf.Particles(50))):
        wgf.solve(problem, method, 0.5, 3, store=tmp_path / f"{name}.h5")
        runs.append(wgf.open_run(tmp_path / f"{name}.h5"))
    pair = wgf.compare_runs(*runs)
    assert (np.isnan(pair.floor["function"]) == (law is LAWS[1])).all()
    assert (pair.distance["function"] > 0).all()
    pair.save(tmp_path / "pair.h5")
    opened = wgf.open_pair(tmp_path / "pair.h5")
    for name in pair.distance:
        assert np.array_equal(opened.distance[name], pair.distance[name])
        assert np.array_equal(opened.floor[name], pair.floor[name], equal_nan=True)
    assert opened.attributes["first_file"].endswith("a.h5")
    with h5py.File(tmp_path / "pair.h5") as file:
        assert file["distance/function"].dims[0][0] == file["time"]
    pair.plot(tmp_path / "pair.png")
    assert (tmp_path / "pair.png").stat().st_size > 10_000
    with pytest.raises(wgf.InputError, match="not a comparison of two runs"):
        wgf.open_pair(tmp_path / "a.h5")


def test_runs_on_other_data_share_only_their_measures(density):
    other = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), wgf.Data([0.0, 1.0], [1.0, 0.0])), TANH.problem.initial)
    run = wgf.solve(other, wgf.Particles(20), 1.0, 2)
    assert list(wgf.compare_runs(density, run).distance) == ["sliced_w2"]
    with pytest.raises(wgf.InputError, match="the function distance is for runs on the same data"):
        wgf.compare_runs(density, run, ("function",))


def test_runs_of_another_dimension_are_refused(density):
    line = wgf.solve(RIDGE_1D.problem, wgf.Particles(20), 1.0, 2)
    with pytest.raises(wgf.InputError, match="of different problems: their measures have 2 and 1 coordinates"):
        wgf.compare_runs(density, line)
