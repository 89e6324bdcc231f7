"""Studies over the ranks of MPI, under a real mpiexec: the bits of one process, one file, one screen, and what a dead rank leaves."""

import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest
from children import wait_until

import wgf
from tests.ranks.launching import SECONDS, environment, launch, on_ranks
from wgf.studies.sweeps.resumable import progress

PROBLEM = """
title = "shared"
[neuron]
activation = "tanh"
theta = ["c", "a"]
[data]
inputs = { law = "uniform", lower = [-1], upper = [1], nodes = 12 }
teacher = [ { c = 1.0, a = 2.0 } ]
[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = [0.4, 0.4]
[domain]
lower = -3
upper = 4
cells = 32
[time]
end = 0.3
save = 3
"""
COMPARE = ("compare", "p.toml", "--sizes", "20", "40", "--replicates", "10", "--quiet", "-o", "r.h5")
STUDIES = {
    "compare": COMPARE,
    "lazy": ("lazy", "p.toml", "--sizes", "10", "20", "--replicates", "5", "--quiet", "-o", "r.h5"),
    "sweep": (
        "sweep", "p.toml", "--over", "penalty.strength=0,0.1", "--over", "method.m=10,20,30",
        "--set", "method.name=particles", "--set", "domain={}", "--quiet", "-o", "r.h5",
    ),
}  # fmt: skip
IN_PYTHON = """
import numpy as np, wgf
from wgf.ranks.communicator import current

problem = wgf.Problem.from_toml("p.toml")
wrong = None
try:
    wgf.compare(problem, wgf.Particles(3), 0.1, (5, 5), 5)
except wgf.InputError as error:
    wrong = str(error)
try:
    wgf.compare_steps(problem, 0.1, 4, (0.05, 0.1), workers=2)
except wgf.InputError as error:
    wrong += str(error)
found = wgf.compare_steps(problem, 0.1, 4, (0.05, 0.1), (None, 2), 5)
ranks = current()
assert len(set(ranks.gather((found.distance.tobytes(), wrong)))) == 1
if ranks.first:
    np.save("distance.npy", found.distance)
    print(wrong)
"""


@pytest.fixture
def here(tmp_path):
    (tmp_path / "p.toml").write_text(PROBLEM, encoding="utf-8")
    return tmp_path


def alone(here, *words):
    """The file of a command of one process, under the name alone.h5."""
    words = [*words[:-1], "alone.h5"]
    subprocess.run([sys.executable, "-m", "wgf", *words, "--workers", "1"], cwd=here, env=environment(), check=True, capture_output=True)
    return here / "alone.h5"


def numbers(path):
    """All of a file's numbers but how long it took."""
    found = {}
    with h5py.File(path) as file:
        assert file.attrs["status"] == "complete"
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return {name: values.tobytes() for name, values in found.items() if name not in ("seconds", "note")}


@pytest.mark.long
@pytest.mark.parametrize(("study", "ranks"), [("compare", 3), ("lazy", 2), ("sweep", 4)])
def test_ranks_find_the_bits_of_one_process(here, study, ranks):
    assert on_ranks(ranks, "-m", "wgf", *STUDIES[study], cwd=here) == ""
    assert numbers(here / "r.h5") == numbers(alone(here, *STUDIES[study]))
    assert (here / "r.png").exists()


@pytest.mark.parametrize("victim", [pytest.param(0, marks=pytest.mark.long), 2])
def test_a_rank_is_killed_and_the_same_command_goes_on(here, victim):
    """Kill −9, while three of ten cells are being solved; what was done is kept, and the end is as if nothing had been."""
    process = launch(4, "-m", "children", "others", 3, *COMPARE, cwd=here)
    path = here / "r.h5"
    wait_until(lambda: path.exists() and progress(path) == (7, 10), lambda: process.poll() is None)
    ranks = {int(child.environ()["PMI_RANK"]): child for child in psutil.Process(process.pid).children(recursive=True) if is_rank(child)}
    assert sorted(ranks) == [0, 1, 2, 3]
    ranks[victim].send_signal(signal.SIGKILL)
    process.communicate(timeout=SECONDS)
    assert process.returncode != 0
    _, alive = psutil.wait_procs(ranks.values(), timeout=SECONDS)
    assert not alive
    assert progress(path) == (7, 10)
    on_ranks(4, "-m", "wgf", *COMPARE, cwd=here)
    assert numbers(path) == numbers(alone(here, *COMPARE))


def is_rank(process):
    """Whether a child of mpiexec is a program of ours, and not MPI's own."""
    return Path(process.exe()).samefile(sys.executable) and "PMI_RANK" in process.environ()


def test_interrupted_ranks_say_what_is_kept(here):
    process = launch(3, "-m", "children", "others", 2, *COMPARE, cwd=here)
    path = here / "r.h5"
    wait_until(lambda: path.exists() and progress(path) == (8, 10), lambda: process.poll() is None)
    first = next(
        child for child in psutil.Process(process.pid).children(recursive=True) if is_rank(child) and child.environ()["PMI_RANK"] == "0"
    )
    first.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode != 0
    assert "interrupted: 8 of 10 cells are kept in r.h5; the same command goes on from there" in said
    assert progress(path) == (8, 10)


def test_in_python_all_ranks_have_the_result_and_the_error(here):
    said = on_ranks(3, "-c", IN_PYTHON, cwd=here)
    assert "at least two different sizes" in said
    assert "workers = 2: under MPI the 3 ranks are the workers" in said
    problem = wgf.Problem.from_toml(here / "p.toml")
    found = wgf.compare_steps(problem, 0.1, 4, (0.05, 0.1), (None, 2), 5, workers=1)
    assert np.array_equal(np.load(here / "distance.npy"), found.distance)
