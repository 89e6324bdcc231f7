"""A run in memory and in its HDF5 file: the same numbers, readable by others, and never half a file."""

import contextlib
import io
import json
import re
import sys

import h5py
import numba
import numpy as np
import pytest
import xarray
from checks import is_one_line
from children import Places, StopAtFrame, Watching, running, wait_at, wait_until
from problems import RIDGE_1D, Tanh
from screens import Terminal

import wgf
from wgf.networks.waiting import reported
from wgf.runs.observers import monitor, writer
from wgf.runs.observers import progress as progress_bars
from wgf.runs.run import HISTORY
from wgf.runs.summary import run_facts

pytestmark = pytest.mark.coarse  # files and frames of small runs

TANH = Tanh()
GRID = wgf.FiniteVolume((24, 20), lower=TANH.lower, upper=TANH.upper)
METHODS = [GRID, wgf.Characteristics(nodes=6, rtol=1e-10), wgf.Particles(30, seed=2), wgf.Particles(30, step=0.1)]


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_file_and_memory_hold_the_same_run(method, tmp_path):
    """Every method in METHODS, frame by frame and step by step, bit for bit."""
    kept = wgf.solve(TANH.problem, method, until=1.0, save=4)
    stored = wgf.solve(TANH.problem, method, until=1.0, save=4, store=tmp_path / "run.h5")
    opened = wgf.open_run(tmp_path / "run.h5")
    for run in (stored, opened):
        assert run.status == kept.status == "complete"
        assert np.array_equal(run.times, kept.times)
        assert np.array_equal(run.prediction, kept.prediction)
        for name in HISTORY[1:]:
            assert np.array_equal(getattr(run, name), getattr(kept, name))
        for name in ("dt", *HISTORY):
            assert np.array_equal(run.history[name], kept.history[name])
        for ours, theirs in zip(run.measures, kept.measures, strict=True):
            assert np.array_equal(ours.points, theirs.points)
            assert np.array_equal(ours.masses, theirs.masses)
        assert run.method == repr(method)
        assert run.dissipation_defect == kept.dissipation_defect
    assert opened.measures[-1].mean == pytest.approx(kept.measures[-1].mean)
    assert opened.measures[1:3][0].mass == pytest.approx(1)


NEURONS = [
    wgf.Neuron("tanh", theta=("c", "a")),
    wgf.Neuron("cosine", theta=("a", "b")),  # without c the potential is an array over the cells, filled for every state
]


BOX = ((12, 14), (-3, -3), (4, 4))
ON_GRIDS = [
    (wgf.FiniteVolume(*BOX), 0.0),
    (wgf.FiniteVolume(*BOX, diffusion="gibbs"), 0.1),
    (wgf.FiniteVolume(*BOX, diffusion="split"), 0.1),
    (wgf.JKO(*BOX, dt=0.1), 0.0),
    (wgf.JKO(*BOX, dt=0.1), 0.1),
]


@pytest.mark.parametrize(("method", "temperature"), ON_GRIDS)
@pytest.mark.parametrize("neuron", NEURONS, ids=repr)
def test_nothing_is_read_before_it_is_written(neuron, method, temperature, monkeypatch):
    """Memory that is not set to zero may hold anything, NaN too: with NaN in all of it a run is the same, bit for bit."""
    problem = wgf.Problem(wgf.RegressionEnergy(neuron, TANH.data, 0.1), wgf.Gaussian((0.2, 0.5), (0.4, 0.4)), temperature)
    plain = wgf.solve(problem, method, 0.2, save=2)
    empty = np.empty

    def poisoned(*args, **kwargs):
        array = empty(*args, **kwargs)
        if array.dtype.kind == "f":
            array[...] = np.nan
        return array

    monkeypatch.setattr(np, "empty", poisoned)
    again = wgf.solve(problem, method, 0.2, save=2)
    assert np.array_equal(again.measures[-1].values, plain.measures[-1].values)
    for column in ("mass", "loss", "free_energy"):
        assert np.array_equal(again.history[column], plain.history[column])


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_frame_tells_of_its_measure(method):
    """Loss, prediction and mass of each frame follow from its measure by their definitions."""
    run = wgf.solve(TANH.problem, method, until=1.0, save=3)
    for k, measure in enumerate(run.measures):
        assert measure.mass == pytest.approx(1, abs=1e-12)
        assert measure.predict(TANH.data.inputs) == pytest.approx(run.prediction[k], rel=1e-9, abs=1e-11)
        assert TANH.problem.energy.loss(measure) == pytest.approx(run.loss[k], rel=1e-9)
        assert run.free_energy[k] == pytest.approx(0.5 * run.loss[k])
    assert run.history["time"][0] == 0
    assert run.history["time"][-1] == 1.0
    assert np.diff(run.history["time"]) == pytest.approx(run.history["dt"][1:])
    assert (np.diff(run.history["time"]) > 0).all()


def test_the_file_opens_with_xarray_and_has_the_layout(tmp_path):
    path = tmp_path / "run.h5"
    wgf.solve(TANH.problem, GRID, until=1.0, save=4, store=path)
    with xarray.open_dataset(path, engine="h5netcdf") as file:
        assert file["density"].dims == ("time", "c", "a")
        assert file["density"].shape == (4, 24, 20)
        assert file["prediction"].dims == ("time", "sample")
        assert file["input"].dims == ("sample", "dim")
        assert file["mean"].dims == ("time", "coordinate")
        assert file["coordinate"].values.tolist() == ["c", "a"]
        assert file["c_bounds"][0, 0] == pytest.approx(-3.0)
        assert file["c_bounds"][-1, 1] == pytest.approx(4.0)
        volume = float(np.prod([axis.diff(axis.name).values[0] for axis in (file["c"], file["a"])]))
        assert float(file["density"][-1].sum()) * volume == pytest.approx(1)
        for name in (
            "title",
            "problem",
            "method",
            "method_options",
            "wgf_version",
            "schema_version",
            "created",
            "command",
            "seed",
            "status",
        ):
            assert name in file.attrs
        assert file.attrs["kernel_rank"] >= 10
        assert file.attrs["kernel_error"] <= 1e-12
        assert json.loads(file.attrs["method_options"])["limiter"] == "mp7"
        for name in ("loss", "free_energy", "mass", "dissipation", "minimum", "boundary_mass"):
            assert file[name].dims == ("time",)
    with xarray.open_dataset(path, engine="h5netcdf", group="history") as history:
        assert {"time", "dt", "loss", "free_energy", "dissipation", "mass", "minimum", "boundary_mass"} <= set(history.variables)
        assert history["loss"].dims == ("step",)


def test_a_cloud_is_stored_by_particle(tmp_path):
    path = tmp_path / "cloud.h5"
    run = wgf.solve(TANH.problem, wgf.Particles(7, seed=9), until=0.5, save=3, store=path)
    with xarray.open_dataset(path, engine="h5netcdf") as file:
        assert file["position"].dims == ("time", "particle", "coordinate")
        assert file["weight"].dims == ("particle",)
        assert file.attrs["seed"] == 9
        assert file["position"].values[-1] == pytest.approx(run.measures[-1].positions)


class StopAfter:
    """An observer that ends the run at its second frame after t = 0."""

    def __init__(self, error):
        self.error, self.frames = error, 0

    def frame(self, frame):
        self.frames += 1
        if self.frames == 3:
            raise self.error

    def step(self, diagnostics):
        pass

    def close(self, error):
        pass


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), "interrupted"), (wgf.RunError("stop"), "failed")])
def test_a_run_that_ends_early_keeps_what_it_had(error, status, tmp_path):
    path = tmp_path / "run.h5"
    with pytest.raises(type(error)):
        wgf.solve(TANH.problem, GRID, until=1.0, save=5, store=path, observers=[StopAfter(error)])
    run = wgf.open_run(path)
    whole = wgf.solve(TANH.problem, GRID, until=1.0, save=5)
    assert run.status == status
    assert run.times.tolist() == [0, 0.25, 0.5]
    assert np.array_equal(run.loss, whole.loss[:3])
    steps = len(run.history["time"])
    assert steps > 3
    assert np.array_equal(run.history["loss"], whole.history["loss"][:steps])


def test_a_neuron_that_blows_up_fails_with_a_message_and_keeps_its_frames(tmp_path):
    """The loss becomes NaN at t > 0.3: the file says failed and holds the frames before."""
    calls = {"n": 0}

    class Poisoned:
        theta = ("c", "a")

        def value(self, theta, x):
            calls["n"] += 1
            value = theta[..., :1] * np.tanh(theta[..., 1:] * x[:, 0])
            return value * np.nan if calls["n"] > 400 else value

    problem = wgf.Problem(wgf.RegressionEnergy(Poisoned(), TANH.data), TANH.problem.initial)
    with pytest.raises(wgf.RunError, match=r"the loss is nan at t = .*infinite or undefined"):
        wgf.solve(problem, wgf.Particles(5, step=0.001), until=1.0, save=20, store=tmp_path / "run.h5")
    run = wgf.open_run(tmp_path / "run.h5")
    assert run.status == "failed"
    assert len(run.times) >= 1
    assert np.isfinite(run.loss).all()


def test_nothing_is_written_where_the_input_is_wrong(tmp_path):
    bad = wgf.FiniteVolume((16, 16), lower=(7, 7), upper=(9, 9))
    with pytest.raises(wgf.InputError):
        wgf.solve(TANH.problem, bad, until=1.0, store=tmp_path / "run.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_by_request_only(tmp_path):
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["precious"] = 1
    with pytest.raises(wgf.InputError, match=r"foreign\.h5 exists and holds another program's file; it is left alone"):
        wgf.solve(TANH.problem, GRID, until=0.1, store=foreign)
    ours = tmp_path / "ours.h5"
    wgf.solve(TANH.problem, GRID, until=0.1, store=ours)
    with pytest.raises(wgf.InputError, match=r"ours\.h5 exists and holds a complete run of 'tanh student' up to t = 0.1"):
        wgf.solve(TANH.problem, GRID, until=0.2, store=ours)
    wgf.solve(TANH.problem, GRID, until=0.2, store=ours, overwrite=True)
    assert wgf.open_run(ours).times[-1] == 0.2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.write_text("no"), "is not an HDF5 file"),
        (lambda path: h5py.File(path, "w").close(), "not a run of wgf"),
    ],
)
def test_what_is_no_run_is_not_opened(make, message, tmp_path):
    make(path := tmp_path / "x.h5")
    with pytest.raises(wgf.InputError, match=message):
        wgf.open_run(path)


def test_a_folder_that_is_not_there_is_said_at_once(tmp_path):
    with pytest.raises(wgf.InputError, match=r"the folder .* does not exist"):
        wgf.solve(TANH.problem, GRID, until=1.0, store=tmp_path / "nowhere" / "run.h5")


NEURONS_MOVE = (TANH.problem, wgf.Particles(50, step=0.05), 0.5, 6)


class TellsOfFrames(Watching):
    """An observer that waits for a word when a frame is on file."""

    def __init__(self, end):
        self.end = end

    def frame(self, frame):
        wait_at(self.end, "after a frame")


def run_step_by_step(path, end):
    """A run that waits for a word after every frame, and in the middle of the fourth one, when half of its rows are longer."""
    longer, rows = h5py.Dataset.resize, []

    def resize(dataset, size, axis=None):
        longer(dataset, size, axis)
        rows.append((dataset.name, size))
        if rows[-1] == ("/prediction", 4):
            wait_at(end, "in the middle of a frame")

    h5py.Dataset.resize, writer.SHARE = resize, np.inf
    wgf.solve(*NEURONS_MOVE, store=path, observers=[TellsOfFrames(end)])


def test_a_reader_beside_the_run_never_sees_half_a_frame(tmp_path):
    """Another process sees whole frames, between frames and in the middle of one, and who has the file open then goes on reading it."""
    path, places = tmp_path / "run.h5", Places()
    with running(run_step_by_step, path, places.there) as process:
        for frames in range(1, 7):
            if frames == 4:
                assert places.reached() == "in the middle of a frame"
                held = h5py.File(path, "r")
                assert len(held["prediction"]) == len(wgf.open_run(path).times) == 3
                places.go_on()
            assert places.reached() == "after a frame"
            with h5py.File(path, "r") as file:
                assert {len(file[name]) for name in ("time", "position", "prediction", "loss", "mean")} == {frames}
                assert file.attrs["status"] == "running"
                assert np.isfinite(file["loss"][-1])
            places.go_on()
        process.join()
        assert process.exitcode == 0
    assert len(held["prediction"]) == 3
    held.close()
    assert wgf.open_run(path).status == "complete"


def run_to_its_third_frame(path):
    wgf.solve(*NEURONS_MOVE, store=path, observers=[StopAtFrame(3)])


def test_a_killed_run_leaves_a_readable_file(tmp_path):
    """Kill −9 in the middle: the frames written so far are there."""
    path = tmp_path / "run.h5"
    with running(run_to_its_third_frame, path) as process:
        wait_until(lambda: path.exists() and len(wgf.open_run(path).times) == 3, process.is_alive)
        process.kill()
        process.join()
    run = wgf.open_run(path)
    assert run.status == "interrupted"
    assert run.times == pytest.approx([0.0, 0.1, 0.2])
    assert run.measures[-1].positions.shape == (50, 2)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("until", "save", "message"),
    [
        (0, 11, "the end time = 0"),
        (-1.0, 11, "the end time = -1"),
        (np.nan, 11, "the end time = nan"),
        (1.0, 1, "save = 1: at least 2 frames"),
        (1.0, [0.5, 2.0], "between 0 and the end, 1"),
        (1.0, [np.nan], "between 0 and the end, 1"),
    ],
)
def test_impossible_times_are_refused(until, save, message):
    with pytest.raises(wgf.InputError, match=message):
        wgf.solve(TANH.problem, GRID, until=until, save=save)


def test_one_line_says_what_a_run_is():
    run = wgf.solve(TANH.problem, GRID, until=0.5, save=3)
    assert repr(run).startswith("Run(FiniteVolume(24 × 20 on [-3, 4] × [-2.5, 4.5], mp7 limiter, ssprk43): t = 0 … 0.5, 3 frames, loss ")
    assert repr(run).endswith("complete)")


def test_what_is_prepared_has_a_bar_of_its_own(monkeypatch):
    """On a terminal, and where it was asked for; it is wiped away before that of the run, and where the preparation is broken off."""
    data = wgf.Data(np.linspace(-1, 1, 3000), np.zeros(3000))
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu", ("c", "a", "b")), data), wgf.Gaussian([0, 0, 0], 0.5))
    method = wgf.FiniteVolume(12, [-3] * 3, [3] * 3)
    monkeypatch.setattr(progress_bars, "MOMENT", 0.0)
    shown = {}
    for wanted in (True, False):
        monkeypatch.setattr(sys, "stderr", shown.setdefault(wanted, Terminal()))
        wgf.solve(problem, method, 1e-3, 2, progress=wanted)
    assert shown[False].getvalue() == ""
    words = shown[True].getvalue()
    assert words.index("looking for features") < words.index("compressing features") < words.index("FiniteVolume")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with contextlib.suppress(KeyboardInterrupt), progress_bars.preparing(True):
        for part in reported(range(3), "something"):
            if part == 1:
                raise KeyboardInterrupt
    assert "something" in screen.getvalue()
    assert screen.getvalue().rstrip("\r").split("\r")[-1].strip() == ""


def test_a_box_is_looked_for_under_a_bar(monkeypatch):
    """In units of time, before that of the run."""
    monkeypatch.setattr(progress_bars, "MOMENT", 0.0)
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    wgf.solve(TANH.problem, wgf.FiniteVolume(16), 0.2, 2, progress=True)
    assert screen.getvalue().index("looking for a box") < screen.getvalue().index("FiniteVolume")


@pytest.mark.parametrize("wanted", [True, False])
def test_that_something_is_compiled_is_said_once(monkeypatch, wanted):
    """To those who want to see bars; numba tells of it, here of two kernels that were never compiled before."""
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    progress_bars._say_that_it_compiles.cache_clear()
    with progress_bars.preparing(wanted):
        assert "compiling" not in screen.getvalue()
        for factor in (2, 3):
            numba.njit(lambda x, factor=factor: factor * x)(1)
    assert screen.getvalue().count("compiling what runs here for the first time") == wanted


def test_many_short_steps_are_said_once(monkeypatch):
    """Why, and what to take instead; where their length was asked for, nobody is told."""
    monkeypatch.setattr(monitor, "WINDOW", 3)
    monkeypatch.setattr(monitor, "MANY_STEPS", 2)
    said = r"3 steps have come to t = .* of 1, and with steps of .* about .* are left, .* take implicit steps \(fipy or jko\)"
    with pytest.warns(UserWarning, match=said) as told:
        wgf.solve(TANH.problem, wgf.Particles(10), 1.0, 2)
    assert len(told) == 1
    for method in (wgf.Particles(10, step=0.01), wgf.FiniteVolume(24, [-3, -2.5], [4, 4.5], dt=1e-3)):
        wgf.solve(TANH.problem, method, 0.02, 2)


def test_a_notebook_has_a_bar_though_it_is_no_terminal(monkeypatch):
    """Where it was asked for."""
    shown = {}
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", None)  # what a notebook's process has loaded
    for wanted in (True, False):
        monkeypatch.setattr(sys, "stderr", shown.setdefault(wanted, io.StringIO()))
        wgf.solve(TANH.problem, GRID, 0.2, 2, progress=wanted)
    assert "FiniteVolume   0%" in shown[True].getvalue()
    assert "t = 0 of 0.2" in shown[True].getvalue()
    assert shown[False].getvalue() == ""


ANYWHERE = [0.3, 2.0]


@pytest.mark.parametrize("method", [GRID, wgf.Particles(30), wgf.Particles(30, scale=0.1, centred="subtracted")], ids=repr)
def test_a_file_brings_back_a_problem_that_was_built_in_python(method, tmp_path):
    """Its runs predict anywhere, as the run that `solve` returned does, and one in memory."""
    kept = wgf.solve(TANH.problem, method, 0.2, 3)
    stored = wgf.solve(TANH.problem, method, 0.2, 3, store=tmp_path / "run.h5")
    opened = wgf.open_run(tmp_path / "run.h5")
    assert repr(opened.problem) == repr(TANH.problem)
    assert opened.knows_problem
    for run in (stored, opened):
        assert np.array_equal(run.measures[-1].predict(ANYWHERE), kept.measures[-1].predict(ANYWHERE))


class Wave:
    theta = ("c", "k")

    def value(self, theta, x):
        return theta[..., :1] * np.sin(theta[..., 1:] * x[:, 0])


def test_what_a_file_cannot_hold_is_named_when_it_is_asked_for(tmp_path):
    """And brought back by the problem; a neuron that can be held predicts beside a law that cannot."""
    law = wgf.FromDensity(lambda theta: np.exp(-np.sum(theta**2, axis=-1)), lower=[-3, -3], upper=[3, 3])
    path = tmp_path / "run.h5"
    for neuron, missing in ((Wave(), "the neuron Wave and the initial law"), (wgf.Neuron("tanh"), "the initial law")):
        problem = wgf.Problem(wgf.RegressionEnergy(neuron, TANH.data), law)
        stored = wgf.solve(problem, wgf.Particles(30), 0.2, 2, store=path, overwrite=True)
        opened = wgf.open_run(path)
        said = rf"run.h5 cannot hold {missing} FromDensity.*: open it together with its problem, wgf.open_run\(path, problem\)$"
        assert not opened.knows_problem
        with pytest.raises(wgf.InputError, match=said):
            opened.problem  # noqa: B018
        if isinstance(neuron, Wave):
            with pytest.raises(wgf.InputError, match=said):
                opened.measures[-1].predict(ANYWHERE)
            opened = wgf.open_run(path, problem)
        assert np.array_equal(opened.measures[-1].predict(ANYWHERE), stored.measures[-1].predict(ANYWHERE))


def test_another_problem_is_no_problem_of_the_run(tmp_path):
    wgf.solve(TANH.problem, GRID, 0.2, 2, store=tmp_path / "run.h5")
    other = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), RIDGE_1D.data), TANH.problem.initial)
    with pytest.raises(wgf.InputError, match=r"is not a run of the problem given, .*: its coordinates or its data are others"):
        wgf.open_run(tmp_path / "run.h5", other)


def test_the_measures_of_a_file_say_what_they_are_in_one_line(tmp_path):
    run = wgf.solve(TANH.problem, GRID, 0.2, 3, store=tmp_path / "run.h5")
    is_one_line(run.measures)
    assert "(3 in " in repr(run.measures)


def test_save_times_that_differ_by_rounding_are_one():
    """Ten times 0.1, added up, is less than one; a step from there to the end is no step."""
    tenths = np.cumsum(np.full(10, 0.1))
    assert 0 < 1 - tenths[-1] < 1e-15
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda x: 0.5 * (x**2).sum(-1)), wgf.Gaussian([0], [0.5]))
    run = wgf.solve(problem, wgf.FiniteVolume(40, [-3], [3]), until=1.0, save=[1e-300, *tenths, 0.3])
    assert run.times == pytest.approx(np.arange(11) / 10, abs=1e-15)
    assert (run.times[0], run.times[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("save", ["a", None, [0, "b"], [[0.5]], 2.5])
def test_save_is_a_number_or_a_list_of_times(save):
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda x: 0.5 * (x**2).sum(-1)), wgf.Gaussian([0], [0.5]))
    with pytest.raises(wgf.InputError, match=r"save = .*: give a number of frames or a list of times between 0 and the end, 1"):
        wgf.solve(problem, wgf.FiniteVolume(40, [-3], [3]), until=1.0, save=save)


def test_a_balance_that_is_far_off_is_told_in_a_warning_and_in_the_summary(tmp_path):
    """Neurons that are moved by twice the slope of V: they lose L at twice the rate, and dissipate at four times the rate."""

    def square(theta):
        return np.sum(theta**2, axis=-1)

    problem = wgf.Problem(wgf.InteractionEnergy(V=square), wgf.Gaussian([1.0], [0.3]))
    square.gradient = lambda theta: 4.0 * theta  # too late to be checked
    with pytest.warns(wgf.ResolutionWarning, match="the balance of the energy is off by 10.% of its fall: a derivative"):
        run = wgf.solve(problem, wgf.Particles(20), until=1.0, store=tmp_path / "run.h5")
    for one in (run, wgf.open_run(tmp_path / "run.h5")):
        assert re.search("is off by 10.% of the fall of [LE]: a derivative that was given is wrong", run_facts(one)["balance"])


def test_the_balance_of_gradient_descent_is_not_that_of_the_flow():
    """Steps that are too long are no mistake of a slope."""
    run = wgf.solve(TANH.problem, wgf.Particles(20, step=5.0), until=100.0)
    assert run.dissipation_defect > 0.3
    assert not run.out_of_balance


def test_twenty_thousand_cells_are_stored_and_read(tmp_path):
    """Their ends are variables: attributes hold no more than 8,190."""
    problem = wgf.Problem(wgf.InteractionEnergy(V="x^2", axes=["x"]), wgf.Gaussian([0.3], 0.5))
    run = wgf.solve(problem, wgf.FiniteVolume(20_000, [-4.0], [4.0]), 1e-4, 2, store=tmp_path / "run.h5")
    again = wgf.open_run(tmp_path / "run.h5").measures[-1]
    assert again.grid.shape == (20_000,)
    assert np.array_equal(again.values, run.measures[-1].values)
    assert again.mean == pytest.approx([0.3 * np.exp(-2e-4)], rel=1e-6)
