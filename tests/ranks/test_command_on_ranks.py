"""`mpiexec -n P wgf run`: one voice, one exit status, signals, failures and deaths, and runs that go on on another number of ranks."""

import os
import signal
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from checks import same_numbers
from children import wait_until
from launching import SECONDS, launch

import wgf

STOPPING = Path(__file__).with_name("stopping.py")
PROBLEM = """
title = "neurons"
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
    path.write_text(PROBLEM.replace("temperature = 0.05", "[noise]\ntemperature = 0.05"))
    return path


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
    assert one[2] == several[2]
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("reached", [(0,), (2,), (0, 1, 2)])
def test_a_signal_on_any_rank_is_obeyed_by_all(number, reached, problem, tmp_path):
    process, pids = stopped(3, "wait", 4, problem)
    for rank in reached:
        os.kill(pids[rank], number)
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + number, err
    assert err.count("interrupted") == 2, err  # that, and what is kept
    assert wgf.open_run(tmp_path / "problem.h5").status == "interrupted"
    assert run(1, problem, "--resume", "--quiet", cwd=tmp_path)[0] == 0
    assert run(1, problem, "--output", "whole.h5", "--quiet", cwd=tmp_path)[0] == 0
    same_numbers(tmp_path / "whole.h5", tmp_path / "problem.h5")


@pytest.mark.parametrize(("first", "then"), [(2, 3), (3, 1), (1, 2), (2, 2)])
def test_a_run_goes_on_on_another_number_of_ranks(first, then, problem, tmp_path):
    process, pids = stopped(first, "wait", 5, problem)
    os.kill(pids[-1], signal.SIGTERM)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 143
    assert run(then, problem, "--resume", "--quiet", cwd=tmp_path)[0] == 0
    assert run(1, problem, "--output", "whole.h5", "--quiet", cwd=tmp_path)[0] == 0
    same_numbers(tmp_path / "whole.h5", tmp_path / "problem.h5")


@pytest.mark.parametrize("killed", [0, 1])
def test_the_death_of_a_rank_ends_all(killed, problem, tmp_path):
    process, pids = stopped(3, "wait", 6, problem)
    os.kill(pids[killed], signal.SIGKILL)
    begun = time.monotonic()
    process.communicate(timeout=SECONDS)
    print(f"\nended {time.monotonic() - begun:.2f} s after the death of a rank")
    assert process.returncode not in (0, None)
    wait_until(lambda: not any(map(is_there, pids)), lambda: True)
    kept = wgf.open_run(tmp_path / "problem.h5")
    assert kept.status == "interrupted"
    assert len(kept.times) == 5
    assert run(2, problem, "--resume", "--quiet", cwd=tmp_path)[0] == 0
    assert run(1, problem, "--output", "whole.h5", "--quiet", cwd=tmp_path)[0] == 0
    same_numbers(tmp_path / "whole.h5", tmp_path / "problem.h5")


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


def test_a_failure_of_one_rank_that_others_wait_for(problem, tmp_path):
    process, pids = stopped(3, "lone", 3, problem)
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (1, "")
    assert err.count("on rank 1 of 3: internal error (RuntimeError): in a step") == 1, err
    wait_until(lambda: not any(map(is_there, pids)), lambda: True)
    with h5py.File(tmp_path / "problem.h5") as file:
        assert np.isfinite(file["position"][:]).all()
    assert run(1, problem, "--resume", "--quiet", cwd=tmp_path)[0] == 0


def test_commands_that_share_nothing_are_done_once(problem, tmp_path):
    assert run(1, problem, "--quiet", cwd=tmp_path)[0] == 0
    one, several = (says(ranks, "-m", "wgf", "info", "problem.h5", cwd=tmp_path) for ranks in (1, 3))
    assert one == several
    assert says(2, "-m", "wgf", "info", "none.h5", cwd=tmp_path)[0] == 2
