"""Runs whose arrays are in a file for each rank: one run for every reader, whole after any end, and for any other number of ranks."""

import itertools
import re
import shutil
import time

import h5py
import numpy as np
import psutil
import pytest
import storing
import xarray
from launching import SECONDS, file_name, launch, on_ranks
from storing import CASES

import wgf
from wgf.runs.collected import Widened

PLAIN, IN_PARTS = "inf", "0"
SAME = 1e-12


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """The folder of all cases, solved to their half on so many ranks, and on so many others to their end."""
    folders = {}

    def on(first, then=None, large=IN_PARTS):
        if (first, then, large) not in folders:
            folder = folders[first, then, large] = tmp_path_factory.mktemp("runs")
            if then is None:
                on_ranks(first, storing.__file__, large, folder, *CASES)
            else:
                shutil.copytree(on(first, None, large), folder, dirs_exist_ok=True)
                on_ranks(then, storing.__file__, large, folder, *CASES, "resume")
        return folders[first, then, large]

    return on


def same_runs(one, other):
    """The same frames, history and attributes, to rounding."""
    for key in one.history:
        scale = max(np.abs(one.history[key]).max(), SAME)
        assert np.abs(one.history[key] - other.history[key]).max() <= SAME * scale, key
    assert one.times.tolist() == other.times.tolist()
    for a, b in zip(one.measures, other.measures, strict=True):
        assert a.grid == b.grid
        assert np.abs(a.values - b.values).max() <= SAME * a.values.max()
        assert b.mean == pytest.approx(a.mean, rel=SAME)
    assert other.prediction == pytest.approx(one.prediction, rel=1e-11, abs=SAME)
    if one.has_test:
        assert other.test_prediction == pytest.approx(one.test_prediction, rel=1e-11, abs=SAME)
        assert other.test_loss == pytest.approx(one.test_loss, rel=1e-11)


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("first", "then"), [(3, 2), (2, 1), (2, 2)])
def test_parts_are_one_run(name, first, then, solved):
    one = wgf.open_run(solved(1, 1, PLAIN) / f"{file_name(name)}.h5")
    path = solved(first, then) / f"{file_name(name)}.h5"
    same_runs(one, wgf.open_run(path))
    with h5py.File(path) as file:
        assert file["density"].is_virtual
        assert file["density"].dims[0].keys() == ["time"]
        assert file["checkpoint/array"].is_virtual
        named = {each.file_name for dataset in ("density", "checkpoint/array") for each in file[dataset].virtual_sources()}
        mean = file["mean"][:]
    assert {f"{each.parent.name}/{each.name}" for each in path.with_name(path.name + ".parts").iterdir()} == named
    assert mean == pytest.approx(np.array([measure.mean for measure in one.measures]), rel=SAME, abs=SAME)


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_small_arrays_are_in_the_file_itself(name, solved):
    one, several = (wgf.open_run(solved(first, then, PLAIN) / f"{file_name(name)}.h5") for first, then in ((1, 1), (3, 2)))
    same_runs(one, several)
    assert not several.path.with_name(several.path.name + ".parts").exists()


def killed_at_times(seed, kills, solved, folder):
    """A run in parts of which a rank is killed, again and again while it goes on: what is on file is whole, and goes on to the same run."""
    rng, path = np.random.default_rng(seed), folder / "box.h5"
    begun = ("box", "resume") if path.exists() else ("box",)
    for _ in range(kills):
        process = launch(3, storing.__file__, IN_PARTS, folder, *begun)
        time.sleep(rng.uniform(1.0, 4.0))
        for child in psutil.Process(process.pid).children(recursive=True)[-1:]:
            child.kill()
        process.communicate(timeout=SECONDS)
        if path.exists():
            kept = wgf.open_run(path)
            assert all(measure.mass == pytest.approx(1) for measure in kept.measures)
            begun = ("box", "resume")
    if not path.exists():
        on_ranks(3, storing.__file__, IN_PARTS, folder, "box")
    on_ranks(2, storing.__file__, IN_PARTS, folder, "box", "resume")
    same_runs(wgf.open_run(solved(1, 1, PLAIN) / "box.h5"), wgf.open_run(path))


@pytest.mark.long
def test_a_rank_is_killed_at_any_time(solved, tmp_path):
    killed_at_times(1, 2, solved, tmp_path)


@pytest.mark.long
def test_a_part_that_cannot_be_written_ends_all(solved, tmp_path):
    """All ranks raise the same error, and what was on file is as it was."""
    shutil.copytree(solved(3), tmp_path, dirs_exist_ok=True)
    before = wgf.open_run(tmp_path / "box.h5").measures[-1].values
    process = launch(3, storing.__file__, IN_PARTS, tmp_path, "box", "resume", "full")
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode != 0
    assert re.search(r"wgf.errors.NoSpace: cannot write .*box.h5.parts/.*: File too large; what was there is as it was", err), err
    kept = wgf.open_run(tmp_path / "box.h5")
    assert kept.status != "running"
    assert np.array_equal(kept.measures[-1].values, before)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_ranks_are_killed_at_many_times(seed, solved, tmp_path):
    killed_at_times(seed, 4, solved, tmp_path)


@pytest.fixture
def copy(solved, tmp_path):
    """A run in parts, to be spoilt."""
    shutil.copytree(solved(3), tmp_path, dirs_exist_ok=True)
    return tmp_path / "box.h5"


def test_other_programs_see_one_array(copy):
    run = wgf.open_run(copy)
    with xarray.open_dataset(copy, engine="h5netcdf") as found:
        assert found["density"].dims == ("time", "c", "a")
        assert np.array_equal(found["density"][-1].values, run.measures[-1].values)


def test_a_run_is_renamed_and_moved_with_its_folder(copy, tmp_path):
    before = wgf.open_run(copy).measures[-1].values
    moved = tmp_path / "elsewhere" / "other.h5"
    moved.parent.mkdir()
    copy.rename(moved)
    copy.with_name("box.h5.parts").rename(moved.with_name("box.h5.parts"))
    assert np.array_equal(wgf.open_run(moved).measures[-1].values, before)


def part_of(path, name="density"):
    with h5py.File(path) as file:
        return path.parent / sorted(each.file_name for each in file[name].virtual_sources())[0]


def test_a_part_is_missing(copy):
    part = part_of(copy)
    assert wgf.open_run(copy).measures[0].mass == pytest.approx(1)  # it was looked at before
    part.unlink()
    with pytest.raises(wgf.InputError, match=rf"box.h5 needs box.h5.parts/{part.name}, a part of its density: keep that folder beside it"):
        wgf.open_run(copy)


def test_a_part_is_a_link(copy, tmp_path):
    part = part_of(copy)
    part.rename(tmp_path / "away.h5")
    part.symlink_to(tmp_path / "away.h5")
    with pytest.raises(wgf.InputError, match="a part of its density: keep that folder beside it, whole"):
        wgf.open_run(copy)


def test_a_part_of_another_run(copy):
    with h5py.File(part_of(copy), "r+") as file:
        file.attrs["identity"] = "0" * 32
    with pytest.raises(wgf.InputError, match="is no part of the run beside it"):
        wgf.open_run(copy)


def test_a_part_that_reaches_elsewhere(copy):
    """It is looked at as strictly as any file."""
    with h5py.File(part_of(copy), "r+") as file:
        file["more"] = h5py.ExternalLink("secret.h5", "/values")
    with pytest.raises(wgf.InputError, match="more is a link, and files of data and results hold all that is theirs"):
        wgf.open_run(copy)


@pytest.mark.parametrize(
    "name",
    [
        "secret.h5",
        "/tmp/box.h5.parts/{0}.0-x.0.h5",
        "../box.h5.parts/{0}.0-x.0.h5",
        "box.h5.parts/../secret.h5",
        "box.h5.parts/" + "0" * 32 + ".0-x.0.h5",
        ".",
    ],
)
def test_parts_elsewhere_are_refused(copy, name):
    with h5py.File(copy, "r+") as file:
        shape = file["density"].shape
        layout = h5py.VirtualLayout(shape, "f8")
        layout[...] = h5py.VirtualSource(name.format(file.attrs["identity"]), "values", shape)
        del file["density"]
        file.create_virtual_dataset("density", layout)
    with pytest.raises(wgf.InputError, match=r"the numbers of density are in another file, .* which is no part of this run"):
        wgf.open_run(copy)


def test_parts_go_with_the_run_that_is_replaced(copy):
    wgf.solve(*CASES["box"], 0.1, 2, store=copy, overwrite=True)
    assert not copy.with_name("box.h5.parts").exists()
    assert wgf.open_run(copy).measures[-1].mass == pytest.approx(1)


def test_what_no_run_names_is_removed(copy):
    folder = copy.with_name("box.h5.parts")
    left, half, other = folder / f"{'f' * 32}.3-dead.1.h5", folder / f".{'f' * 32}.3-dead.2.0123abcd.12345.h5", folder / "notes.txt"
    left.write_bytes(b"whole")
    half.write_bytes(b"half")
    other.write_text("of a person")
    wgf.solve(*CASES["box"], 0.4, [0.1, 0.2, 0.3, 0.4], store=copy, resume=True)
    assert not left.exists()
    assert not half.exists()
    assert other.exists()


def test_means_and_predictions_of_shares():
    """Sums over the ranks' own cells are those of the whole density, also beside the edges of parts, and around a corner."""
    rng, x = np.random.default_rng(3), np.linspace(-1, 1, 5)
    for boundary in ("no-flux", "periodic"):
        grid = wgf.Grid([-1, -2], [1, 2], (9, 8), ("c", "a"), boundary)
        density = wgf.Density(grid, rng.random(grid.shape), wgf.Neuron("tanh", ("c", "a")), averages=True)
        for cuts in ((0, 9), (0, 4, 9), (0, 1, 3, 9)):
            total = np.zeros(5)
            for first, last in itertools.pairwise(cuts):
                part = grid.part(*np.array([[grid.edges[0][first], -2.0], [grid.edges[0][last], 2.0]]))
                share = wgf.Density(part, density.values[first:last], density.neuron, averages=True)
                total += Widened(share, grid).predict(x)
            assert total == pytest.approx(density.predict(x), rel=1e-12)
