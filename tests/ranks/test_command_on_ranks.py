"""`mpiexec -n P wgf run`: one voice, one exit status, signals, failures and deaths, and runs that go on on another number of ranks."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from checks import same_numbers
from children import wait_until
from launching import MPIEXEC, ROOT, SECONDS, environment, launch

import wgf

STOPPING = Path(__file__).with_name("stopping.py")
PROBLEM = """
title = "neurons"
[noise]
temperature = 0.05
[neuron]
activation = "tanh"
theta = ["c", "a"]
[data]
inputs = { law = "uniform", lower = [-1], upper = [1], nodes = 20 }
teacher = [ { c = 1.0, a = 2.0 } ]
[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = [0.4, 0.4]
[method]
name = "particles"
m = 300
step = 0.01
[time]
end = 1.0
save = 11
"""


@pytest.fixture
def problem(tmp_path):
    path = tmp_path / "problem.toml"
    path.write_text(PROBLEM)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run of one process, without an end between."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "problem.toml").write_text(PROBLEM)
    assert run(1, "problem.toml", "--quiet", cwd=folder)[0] == 0
    return folder / "problem.h5"


def says(ranks, *arguments, cwd):
    """Exit status, standard output and standard error."""
    process = launch(ranks, *arguments, cwd=cwd)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


def run(ranks, *words, cwd):
    return says(ranks, "-m", "wgf", "run", *words, cwd=cwd)


def stopped(ranks, how, frame, problem, *words):
    """A run on ranks that have come to a frame, and their processes."""
    folder = problem.parent
    process = launch(ranks, STOPPING, how, frame, folder / "at", "run", problem, *words, cwd=folder)
    places = [folder / f"at.{rank}" for rank in range(ranks)]
    wait_until(lambda: all(place.exists() and place.read_text() for place in places), lambda: process.poll() is None)
    return process, [int(place.read_text()) for place in places]


def test_one_voice_and_the_same_file(problem):
    one = run(1, problem, "--output", "one.h5", cwd=problem.parent)
    several = run(3, problem, "--output", "three.h5", "--log", "log.jsonl", cwd=problem.parent)
    assert one[0] == several[0] == 0
    assert one[1].replace("one.h5", "three.h5") == several[1]
    assert several[1].count("neurons\n") == 1
    crowded = "warning: 3 ranks on this machine with 1 threads each are more than its"  # where there are fewer cores
    assert one[2].splitlines() == [line for line in several[2].splitlines() if not line.startswith(crowded)]
    same_numbers(problem.with_name("one.h5"), problem.with_name("three.h5"))
    assert problem.with_name("log.jsonl").read_text().count('"event": "start"') == 1


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (("missing.toml",), 2, "missing.toml"),
        (("problem.toml", "--method", "jko"), 2, "JKO runs in one process, and 3 were started together: start it without mpiexec"),
        (("problem.toml", "--nonsense"), 2, "No such option"),
        (("problem.toml", "--step", "50", "--until", "100000", "--save", "2", "--set", "noise.temperature=0"), 1, "the neurons diverge"),
    ],
)
def test_an_error_is_said_once(words, status, text, problem):
    found, out, err = run(3, *words, cwd=problem.parent)
    assert (found, out) == (status, "")
    assert err.count(text) == 1, err
    assert len([line for line in err.splitlines() if line.startswith("error")]) <= 1


SIGNALS = [(signal.SIGINT, (0, 1, 2))]  # the others are long


@pytest.mark.parametrize(
    ("number", "reached"),
    [
        pytest.param(number, reached, marks=() if (number, reached) in SIGNALS else pytest.mark.long)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for reached in ((0,), (2,), (0, 1, 2))
    ],
)
def test_a_signal_on_any_rank_is_obeyed_by_all(number, reached, whole, problem, tmp_path):
    process, pids = stopped(3, "wait", 4, problem)
    for rank in reached:
        os.kill(pids[rank], number)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + number, err
    assert err.count("interrupted") == 2, err  # that, and what is kept
    assert wgf.open_run(tmp_path / "problem.h5").status == "interrupted"
    assert run(1, problem, "--resume", "--quiet", cwd=tmp_path)[0] == 0
    same_numbers(whole, tmp_path / "problem.h5")


@pytest.mark.parametrize(("first", "then"), [(2, 3), *(pytest.param(*each, marks=pytest.mark.long) for each in ((3, 1), (1, 2), (2, 2)))])
def test_a_run_goes_on_on_another_number_of_ranks(first, then, whole, problem, tmp_path):
    process, pids = stopped(first, "wait", 5, problem)
    os.kill(pids[-1], signal.SIGTERM)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 143
    assert run(then, problem, "--resume", "--quiet", cwd=tmp_path)[0] == 0
    same_numbers(whole, tmp_path / "problem.h5")


@pytest.mark.long
@pytest.mark.parametrize(("first", "then"), [(2, 3), (3, 1)])
def test_cells_go_on_on_another_number_of_ranks(first, then, problem, tmp_path):
    """To rounding, in every row of the history, and in every cell."""
    domain = "[domain]\ncells = [24, 26]\nlower = [-2.5, -2.0]\nupper = [3.0, 3.5]\n[time]"
    problem.write_text(
        PROBLEM.replace("[time]", domain).replace(PROBLEM.split("[method]")[1].split("[time]")[0], '\nname = "finite-volume"\n')
    )
    process, pids = stopped(first, "wait", 5, problem, "--no-density-error")
    os.kill(pids[0], signal.SIGTERM)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 143
    assert run(then, problem, "--resume", "--quiet", "--no-density-error", cwd=tmp_path)[0] == 0
    assert run(1, problem, "--output", "whole.h5", "--quiet", "--no-density-error", cwd=tmp_path)[0] == 0
    one, other = wgf.open_run(tmp_path / "whole.h5"), wgf.open_run(tmp_path / "problem.h5")
    for name in ("time", "loss", "free_energy", "dissipation", "mass"):
        assert other.history[name] == pytest.approx(one.history[name], rel=1e-12, abs=1e-12), name
    for mine, its in zip(one.measures, other.measures, strict=True):
        assert np.abs(mine.values - its.values).max() <= 1e-12 * mine.values.max()


@pytest.mark.parametrize("killed", [pytest.param(0, marks=pytest.mark.long), 1])
def test_the_death_of_a_rank_ends_all(killed, whole, problem, tmp_path):
    process, pids = stopped(3, "wait", 6, problem)
    os.kill(pids[killed], signal.SIGKILL)
    begun = time.monotonic()
    process.communicate(timeout=SECONDS)
    print(f"\nended {time.monotonic() - begun:.2f} s after the death of a rank")
    assert process.returncode not in (0, None)
    wait_until(lambda: not any(map(is_there, pids)), lambda: True)
    kept = wgf.open_run(tmp_path / "problem.h5")
    assert kept.status == "interrupted"
    assert len(kept.times) == 5  # transactions before it
    assert run(2, problem, "--resume", "--quiet", cwd=tmp_path)[0] == 0
    same_numbers(whole, tmp_path / "problem.h5")


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_failure_of_one_rank_that_others_learn_of(problem, tmp_path):
    process, _ = stopped(3, "fail", 3, problem)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (1, "")
    assert err.count("internal error (RuntimeError): of the second rank") == 1, err
    assert wgf.open_run(tmp_path / "problem.h5").status == "failed"


@pytest.mark.long
def test_a_failure_of_one_rank_that_others_wait_for(problem, tmp_path):
    process, pids = stopped(3, "lone", 3, problem)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (1, "")
    assert err.count("on rank 1 of 3: internal error (RuntimeError): in a step") == 1, err
    wait_until(lambda: not any(map(is_there, pids)), lambda: True)
    with h5py.File(tmp_path / "problem.h5") as file:
        assert np.isfinite(file["position"][:]).all()
    assert run(1, problem, "--resume", "--quiet", cwd=tmp_path)[0] == 0


def test_of_several_problems_one_fails(problem, tmp_path):
    text = PROBLEM
    for old, new in (("temperature = 0.05", "temperature = 0"), ("0.01", "50"), ("1.0\nsave = 11", "1e5\nsave = 2")):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "wild.toml").write_text(text)
    status, _, err = run(2, "wild.toml", problem, "--quiet", cwd=tmp_path)
    assert status == 1
    assert err.count("the neurons diverge") == 1
    assert wgf.open_run(tmp_path / "problem.h5").status == "complete"


def test_without_mpi4py_one_line_says_what_to_install(problem, tmp_path):
    (tmp_path / "mpi4py.py").write_text("raise ModuleNotFoundError")
    paths = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    process = launch(3, "-m", "wgf", "run", problem, cwd=tmp_path, PYTHONPATH=paths)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (1, "")
    line = "error: 3 processes were started together, which needs mpi4py, and that is not installed: pip install mpi4py mpich"
    assert err.strip() == line


@pytest.mark.long
def test_commands_that_share_nothing_are_done_once(problem, tmp_path):
    assert run(1, problem, "--quiet", cwd=tmp_path)[0] == 0
    one, several = (says(ranks, "-m", "wgf", "info", "problem.h5", cwd=tmp_path) for ranks in (1, 3))
    assert one == several
    assert says(2, "-m", "wgf", "info", "none.h5", cwd=tmp_path)[0] == 2


@pytest.mark.long
@pytest.mark.parametrize("scheduler", ["SBATCH", "PBS"])
def test_the_jobs_of_the_manual(scheduler, problem, tmp_path):
    """Their scripts, on two ranks of this machine in place of the scheduler's; the second job finds the first one's run, and goes on."""
    page = (ROOT / "docs" / "guide" / "mpi.md").read_text(encoding="utf-8")
    (script,) = (block for block in re.findall(r"```bash\n(.*?)```", page, flags=re.DOTALL) if f"#{scheduler}" in block)
    for name, word in (("srun", f"{MPIEXEC} -n 2"), ("mpiexec -n 128", f"{MPIEXEC} -n 2"), ("wgf run", f"{sys.executable} -m wgf run")):
        script = script.replace(f"{name} ", f"{word} ")
    words = environment(PBS_O_WORKDIR=str(tmp_path), SLURM_CPUS_PER_TASK="1")
    for job in (script.replace("$go_on", "--until 0.5 $go_on"), script):
        subprocess.run(["bash", "-c", job], cwd=tmp_path, env=words, check=True, capture_output=True)
    assert wgf.open_run(tmp_path / "run.h5").times[-1] == 1.0
