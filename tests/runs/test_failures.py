"""One class for each kind of failure, which one can catch by its name, and a line that says where it is and what to do."""

import dataclasses
import errno
import re

import h5py
import numpy as np
import pytest
from pages import PAGES
from problems import Tanh

import wgf
from wgf import errors
from wgf.measures.distances import sinkhorn
from wgf.methods.base import Diagnostics
from wgf.runs.files import completed
from wgf.runs.observers.monitor import Monitor
from wgf.runs.run import SCHEMA_VERSION
from wgf.studies.open import open_result

pytestmark = pytest.mark.coarse
TANH = Tanh()
BOX = (TANH.lower, TANH.upper)
GRID = wgf.FiniteVolume(16, *BOX, edge_tolerance=1)
CORNER = (1.2, 1.2)  # beyond which the penalty is infinite


def infinite_beyond(theta):
    return np.where((theta > CORNER).all(axis=-1), np.inf, np.sum(theta**2, axis=-1))


HALF_DEFINED = wgf.Problem(
    wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a")), TANH.data, (1.0, infinite_beyond)), TANH.problem.initial
)


@pytest.mark.parametrize(
    "method",
    [
        GRID,
        wgf.JKO(16, *BOX, dt=0.1, edge_tolerance=1),
        wgf.MirrorDescent(16, *BOX),
        wgf.FiPyMesh(wgf.Box(16, *BOX), edge_tolerance=1),
        wgf.Characteristics(nodes=8),
    ],
    ids=lambda method: type(method).__name__,
)
def test_a_loss_that_is_none_is_told_with_step_time_and_place(method):
    with pytest.raises(
        wgf.NotFinite, match=r"after 0 steps, the loss is \w+ at t = 0, .* at \(c, a\) = .*: .*choose a smaller box"
    ) as caught:
        wgf.solve(HALF_DEFINED, method, until=0.5)
    place = re.search(r"= \((\S+), (\S+)\)", str(caught.value))
    assert (np.array(place.groups(), dtype=float) > CORNER).all()


class Poisoned:
    """A neuron that has no values any more once it was asked for them some times."""

    theta = ("c", "a")

    def __init__(self, good):
        self.left = good

    def value(self, theta, x):
        self.left -= 1
        value = theta[..., :1] * np.tanh(theta[..., 1:] * x[:, 0])
        return value if self.left >= 0 else value * np.nan


def test_the_last_good_frame_is_named_and_kept(tmp_path):
    problem = wgf.Problem(wgf.RegressionEnergy(Poisoned(400), TANH.data), TANH.problem.initial)
    with pytest.raises(wgf.NotFinite) as caught:
        wgf.solve(problem, wgf.Particles(5, step=0.001), until=1.0, save=50, store=tmp_path / "run.h5")
    steps, time, last = re.search(r"after (\d+) steps, .* at t = (\S+?),? .* good frame is that at t = (\S+)$", str(caught.value)).groups()
    run = wgf.open_run(tmp_path / "run.h5")
    assert int(steps) == len(run.history["time"])
    assert run.times[-1] == pytest.approx(float(last), rel=1e-5)
    assert 0 < float(last) <= float(time)
    assert np.isfinite(run.loss).all()


def test_a_cell_without_a_value_is_named():
    stepper = wgf.JKO(16, *BOX, dt=0.1).bind(TANH.problem, 1.0)
    state = stepper.start()
    values = stepper.potential.restored(state.values)  # in the order of the axes
    values[3, 5] = values[4, 1] = np.nan
    monitor = Monitor(1.0, 1.0)
    monitor.before = 7
    with pytest.raises(wgf.NotFinite) as caught, monitor.at_step():
        stepper.frame(state)
    centre = ", ".join(f"{stepper.grid.centers[axis][k]:.4g}" for axis, k in enumerate((3, 5)))
    assert f"after 7 steps, the density is infinite or undefined at t = 0, in 2 of 256 cells, first around (c, a) = ({centre}): " in str(
        caught.value
    )


def test_steps_that_lead_nowhere():
    monitor = Monitor(1.0, 1.0)
    monitor.step(Diagnostics(0.5, 1.0, 1.0, 1.0, 1.0, 0.0))
    with pytest.raises(wgf.StepCollapse, match=r"the time step fell to .*e-14 at t = 0\.5: .*choose a smaller box"):
        monitor.step(Diagnostics(0.5 + 1e-14, 1.0, 1.0, 1.0, 1.0, 0.0))


def test_a_run_that_goes_on_in_the_middle_has_no_window_before_it():
    """Steps are counted from where it goes on, and not since the last frame, after which there may have been one only."""
    monitor = Monitor(1.0, 1.0)
    monitor.before = 123
    stepper = GRID.bind(TANH.problem, 1.0)
    frame = stepper.frame(stepper.start())
    for k in range(1001):
        if k == 999:
            monitor.frame(dataclasses.replace(frame, diagnostics=dataclasses.replace(frame.diagnostics, time=0.5 + 1e-4 * k)))
        monitor.step(Diagnostics(0.5 + 1e-4 * k, 1.0, 1.0, 1.0, 1.0, 0.0))
    assert not monitor.slow


def test_transport_that_has_not_settled(monkeypatch):
    monkeypatch.setattr(sinkhorn, "MOST_ITERATIONS", 1)
    frames = wgf.solve(TANH.problem, GRID, 1.0, 2).measures
    with pytest.raises(wgf.NotConverged, match=r"has not settled after 1 iterations: take a larger epsilon"):
        wgf.sinkhorn_divergence(frames[0], frames[-1])


@pytest.mark.parametrize(
    ("method", "remedy"),
    [
        (wgf.FiniteVolume(10**6, *BOX), "a grid of .* cells needs choose fewer cells"),
        (wgf.Particles(10**12), "a network of 1,000,000,000,000 neurons needs choose fewer, m = …"),
        (wgf.Characteristics(nodes=10**6), "a quadrature of 1,000,000 nodes on each of 2 axes needs choose fewer nodes"),
    ],
    ids=["grid", "cloud", "quadrature"],
)
def test_memory_is_foreseen(method, remedy):
    with pytest.raises(wgf.NoMemory, match=remedy.replace("needs", "needs about .* GiB, and .* GiB are free:")):
        method.bind(TANH.problem, 1.0)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk(number, tmp_path):
    (tmp_path / "figure.png").write_text("old")
    with (
        pytest.raises(wgf.NoSpace, match=r"the disk is full: .*figure\.png is not written, .* free some space"),
        completed(tmp_path / "figure.png"),
    ):
        raise OSError(number, "full")
    assert (tmp_path / "figure.png").read_text() == "old"


def test_no_file_can_be_made(tmp_path):
    (tmp_path / "folder.h5").mkdir()
    for name, said in (("nowhere/run.h5", r"the folder .* does not exist; make it"), ("folder.h5", "it is a folder; choose another name")):
        with pytest.raises(wgf.NotWritable, match=said):
            wgf.solve(TANH.problem, GRID, 0.1, 2, store=tmp_path / name)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A run, and what is made of two of them, with the calls that open them."""
    folder = tmp_path_factory.mktemp("stored")
    run = wgf.solve(TANH.problem, GRID, 0.1, 2, store=folder / "run.h5")
    wgf.compare_runs(run, run, ("function",)).save(folder / "pair.h5")
    return {folder / "run.h5": wgf.open_run, folder / "pair.h5": wgf.open_pair}


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 99, "later", np.nan])
def test_a_later_layout_is_refused_with_its_version(version, stored):
    for path, opener in stored.items():
        with h5py.File(path, "r+") as file:
            file.attrs["schema_version"], file.attrs["wgf_version"] = version, "7.0\x1b[31m"
        try:
            said = rf"has version .{{1,8}} of the layout, .* wgf {wgf.__version__} reads versions up to {SCHEMA_VERSION}: open it with"
            for call in (opener, open_result):
                with pytest.raises(wgf.OtherVersion, match=said) as caught:
                    call(path)
                assert "\x1b" not in str(caught.value)
        finally:
            with h5py.File(path, "r+") as file:
                file.attrs["schema_version"], file.attrs["wgf_version"] = SCHEMA_VERSION, wgf.__version__


def test_a_run_of_a_later_layout_does_not_go_on(stored):
    path = next(iter(stored))
    with h5py.File(path, "r+") as file:
        file.attrs["schema_version"] = SCHEMA_VERSION + 1
    before = path.read_bytes()
    try:
        with pytest.raises(wgf.OtherVersion):
            wgf.solve(TANH.problem, GRID, 0.2, 3, store=path, resume=True)
        assert path.read_bytes() == before
    finally:
        with h5py.File(path, "r+") as file:
            file.attrs["schema_version"] = SCHEMA_VERSION


@pytest.mark.parametrize("version", range(SCHEMA_VERSION + 1))
def test_the_present_layout_and_earlier_ones_are_read(version, stored):
    path = next(iter(stored))
    with h5py.File(path, "r+") as file:
        file.attrs["schema_version"] = version
    assert wgf.open_run(path).status == "complete"


KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.InputError | errors.RunError | UserWarning)
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_manual_has_a_row_for_each_class(kind):
    assert getattr(wgf, kind.__name__) is kind
    assert re.search(rf"^\| (`\w+`, )*`{kind.__name__}`", PAGES["docs/guide/symptoms.md"], flags=re.MULTILINE)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, errors.InputError)], ids=lambda kind: kind.__name__)
def test_a_failure_keeps_its_kind_where_its_place_is_added(kind):
    with pytest.raises(kind, match=r"^p\.toml: no$"), errors.located("p.toml"):
        raise kind("no")
