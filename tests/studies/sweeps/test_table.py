"""A sweep that is left at any time goes on where it was: nothing is lost, nothing is done twice, and the numbers are the same."""

import multiprocessing
import subprocess
import sys
import threading

import numpy as np
import psutil
import pytest
from children import ENVIRONMENT, HANG, holding, is_deaf, running, stop_at_cell, wait_until
from problems import Tanh

import wgf
from wgf.studies.sweeps import over_sizes
from wgf.studies.sweeps.parallel import answering
from wgf.studies.sweeps.resumable import progress
from wgf.studies.sweeps.table import Found, ResumableTable, SweepTable

pytestmark = pytest.mark.coarse  # how tables are kept, whatever the limit

TANH = Tanh()
GRID = wgf.FiniteVolume(24, TANH.lower, TANH.upper)


def sweep(store, sizes=(20, 40, 80), replicates=24, workers=1, **options):
    """36 cells, each a pair of networks."""
    return wgf.compare(TANH.problem, GRID, 1.0, sizes, replicates, save=3, workers=workers, store=store, distances=("mean",), **options)


def stopped_sweep(store, workers, cells):
    """The sweep in a process of its own, which waits when so many cells are done."""
    stop_at_cell(cells)
    sweep(store, workers=workers)


def cells_on(path):
    """How many cells are done in a file that may not be there yet."""
    return progress(path)[0] if path.exists() else 0


def same(first, second):
    """Whether two comparisons have the same numbers, to the last bit."""
    tables = [(found.distance, found.floor, {"prediction": found.table.prediction}) for found in (first, second)]
    return all(
        list(mine) == list(theirs) and all(np.array_equal(mine[name], theirs[name]) for name in mine)
        for mine, theirs in zip(*tables, strict=True)
    )


def same_files(first, second):
    """Whether the datasets of two files are the same."""
    import h5py

    def contents(path):
        found = {}
        with h5py.File(path) as file:
            file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
        return found

    mine, theirs = contents(first), contents(second)
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[name], theirs[name], equal_nan=True) for name in mine)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The sweep without an interruption, and its file."""
    path = tmp_path_factory.mktemp("whole") / "whole.h5"
    return sweep(path), path


@pytest.mark.parametrize(("workers", "kills"), [(1, (2, 20)), (2, (11,)), pytest.param(2, (2, 20), marks=pytest.mark.long)])
def test_a_killed_sweep_goes_on_and_ends_as_if_nothing_had_been(whole, workers, kills, tmp_path):
    """Kill −9, twice early and late; the finished file is the same in every number."""
    path, done = tmp_path / "c.h5", 0
    for kept in kills:
        with running(stopped_sweep, path, workers, kept - done) as process:
            wait_until(lambda kept=kept: cells_on(path) == kept, process.is_alive)
            children = psutil.Process(process.pid).children(recursive=True)
            assert workers == 1 or len(children) >= workers
            process.kill()
            process.join()
        _, alive = psutil.wait_procs(children, timeout=HANG)
        assert not alive
        assert progress(path) == (kept, 36)
        with pytest.raises(wgf.InputError, match=rf"a comparison of which {kept} of 36 cells are done: call the same sweep again"):
            wgf.open_comparison(path)
        done = kept
    assert same(sweep(path), whole[0])
    assert same_files(path, whole[1])


def test_what_is_done_is_not_done_again(whole, tmp_path, monkeypatch):
    """The finished sweep once more, and with fewer sizes: no network is solved."""
    path = tmp_path / "c.h5"
    path.write_bytes(whole[1].read_bytes())

    def never(self, particles):
        raise AssertionError("a network was solved again")

    monkeypatch.setattr(over_sizes.Reference, "solved", never)
    assert same(sweep(path), whole[0])
    with pytest.raises(wgf.InputError, match="holds a comparison of 'tanh student', with replicates that this sweep does not have"):
        sweep(path, sizes=(20, 80), replicates=6)
    fewer = sweep(path, sizes=(20, 80), replicates=6, overwrite=True)
    assert np.array_equal(fewer.distance["function"], whole[0].distance["function"][[0, 2], :6])


def test_a_table_is_continued_with_more_sizes_and_replicates(whole, tmp_path):
    path = tmp_path / "c.h5"
    sweep(path, sizes=(20, 80), replicates=5)
    assert same(sweep(path), whole[0])


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"particles": wgf.Particles(1, rtol=1e-5)}], ids=["another seed", "particles that move otherwise"]
)
def test_a_file_of_another_sweep_is_not_mixed_in(change, tmp_path):
    small = {"sizes": (6, 9), "replicates": 5}
    fresh = sweep(None, **small, **change)
    path = tmp_path / "c.h5"
    sweep(path, **small)
    with pytest.raises(wgf.InputError, match="holds another sweep, a comparison of 'tanh student'; it is left alone"):
        sweep(path, **small, **change)
    assert same(sweep(path, **small, **change, overwrite=True), fresh)


def test_another_limit_of_the_same_name_is_not_mixed_in(tmp_path):
    """A custom neuron whose formula has changed looks the same, but its limit does not."""

    def build(scale):
        class Bump:
            def value(self, theta, x):
                return theta[..., :1] * np.exp(-scale * (x[:, 0] - theta[..., 1:]) ** 2)

            def __repr__(self):
                return "Bump()"

        problem = wgf.Problem(wgf.RegressionEnergy(Bump(), TANH.data), wgf.Gaussian([0.2, 0.5], [0.4, 0.4]))
        return wgf.compare(problem, GRID, 0.2, (4, 8), 5, save=2, workers=1, store=tmp_path / "c.h5", overwrite=True)

    first, second = build(1.0), build(2.0)
    assert not np.array_equal(first.distance["function"], second.distance["function"])


def test_a_failing_cloud_leaves_the_table_as_far_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "c.h5"
    solved = over_sizes.Reference.cell

    def failing(self, task):
        if task.size == 0:
            raise wgf.RunError("this one fails")
        return solved(self, task)

    monkeypatch.setattr(over_sizes.Reference, "cell", failing)
    with pytest.raises(wgf.RunError, match="this one fails"):
        sweep(path, sizes=(6, 9), replicates=6)
    assert progress(path) == (3, 6)
    monkeypatch.undo()
    with pytest.raises(
        wgf.InputError, match=r"c.h5 holds another sweep, .*, of which 3 of 6 cells are done; .*: end it with its own settings"
    ):
        sweep(path, sizes=(6, 9), replicates=6, seed=1)
    assert progress(path) == (3, 6)
    assert sweep(path, sizes=(6, 9), replicates=6).table.done.all()


def test_a_worker_that_is_killed_is_said_and_what_is_done_is_kept(tmp_path, monkeypatch):
    """As a machine does that has run out of memory."""
    path = tmp_path / "c.h5"
    before, record, recorded, three = set(multiprocessing.active_children()), ResumableTable.record, [], threading.Event()

    def counted(self, *cell):
        """Not by a look into the file: one process cannot read it while it is writing it."""
        record(self, *cell)
        recorded.append(cell)
        if len(recorded) == 3:
            three.set()

    def kill_one():
        three.wait()
        next(iter(set(multiprocessing.active_children()) - before)).kill()

    monkeypatch.setattr(over_sizes, "answering", holding(3))
    monkeypatch.setattr(ResumableTable, "record", counted)
    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    with pytest.raises(wgf.RunError, match="a worker process was killed, perhaps for want of memory"):
        sweep(path, workers=2)
    killer.join()
    assert progress(path) == (3, 36)
    assert set(multiprocessing.active_children()) <= before


COLD = """
import numba
import numpy as np
from wgf.studies.sweeps.parallel import answering

@numba.njit(parallel=True)
def doubled(values):
    for k in numba.prange(values.size):
        values[k] *= 2
    return values

def told(task):
    return numba.get_num_threads(), numba.njit(lambda x: x + task)(1.0)

doubled(np.ones(4))
with answering(told, [1, 2], 1) as answers:
    print(list(answers))
print(numba.get_num_threads())
"""


def test_code_is_compiled_inside_a_sweep_of_a_process_that_has_several_threads():
    """As on the first run after an installation, when no compiled code is kept: Numba refuses where its variable is changed meanwhile."""
    environment = {**ENVIRONMENT, "NUMBA_NUM_THREADS": "2"}
    found = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, env=environment, check=False)
    assert found.stdout == "[(1, (1, 2.0)), (2, (1, 3.0))]\n2\n", found.stderr


def test_workers_never_hear_ctrl_c():
    """Not even while they start, when they would print a traceback; the first process hears it again."""
    with answering(is_deaf, (0, 1), 2) as answers:
        assert not is_deaf(None)
        assert [answer for _, answer in answers] == [True, True]


UNGUARDED = """
import numpy as np
import wgf

print("run")
energy = wgf.RegressionEnergy(wgf.Neuron("tanh"), wgf.Data.quadrature(np.sin, -1, 1, 4))
problem = wgf.Problem(energy, wgf.Gaussian((0, 1), 0.5))
"""
SWEEPS = {
    "sizes": 'wgf.compare(problem, wgf.Characteristics(4), 0.1, (2, 3), 5, 2, workers=2, store="c.h5")',
    "steps": "wgf.compare_steps(problem, 0.1, 4, (0.05, 0.1), workers=2)",
}


@pytest.mark.long
@pytest.mark.parametrize("sweep", ["sizes", "steps"])
def test_a_script_that_its_workers_would_run_again_is_told_what_to_write(sweep, tmp_path):
    """One line, for the workers end without a word; and nothing of it for a script that has that line."""
    for guard, status in (("", 1), ("if __name__ == '__main__': ", 0)):
        (tmp_path / "script.py").write_text(UNGUARDED + guard + SWEEPS[sweep] + "\n", encoding="utf-8")
        found = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert found.returncode == status
        told = [line for line in found.stderr.splitlines() if line.startswith("wgf.errors.RunError")]
        assert len(told) == found.stderr.count("Traceback") == status
        assert not status or 'put what the script does below if __name__ == "__main__":' in told[0]
        assert "memory" not in found.stderr


def test_functions_typed_at_a_prompt_are_told_apart(tmp_path):
    script = UNGUARDED.replace("np.sin", "target").replace("energy =", "def target(x): return x\nenergy =") + SWEEPS["steps"]
    found = subprocess.run([sys.executable, "-"], input=script, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert "RunError: no worker process could begin, as functions typed at a prompt or in a notebook" in found.stderr


def test_an_odd_number_of_replicates_leaves_one_alone():
    table = SweepTable.empty(np.array([2, 4]), np.array([0.0, 1.0]), ("loss",), 3, 5)
    assert table.missing() == [(1, 1), (1, 0), (0, 1), (0, 0)]
    assert table.floor["loss"].shape == (2, 1, 2)
    table.put(1, 1, Found({"loss": np.ones((1, 2))}, {}, np.ones((1, 2, 5))))
    assert table.done.tolist() == [[0, 0], [0, 1]]
    larger = SweepTable.empty(np.array([4, 8]), np.array([0.0, 1.0]), ("loss",), 4, 5)
    larger.adopt(table)
    assert not larger.done.any()
