"""`wgf run` on a run that was broken off: of the same problem it says how it goes on; another one is left alone; one that runs, too."""

import re

import h5py
import pytest
from commands import wgf_says

import wgf
from wgf.runs import processes
from wgf.runs.processes import this_process
from wgf.runs.signals import Stopped
from wgf.runs.task import read_task

PROBLEM = """
title = "a student"
[neuron]
activation = "tanh"
[data]
inputs = { law = "uniform", nodes = 6 }
teacher = [ { c = 1.0, a = 2.0 } ]
[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = 0.4
[method]
name = "characteristics"
nodes = 4
[time]
end = 1.0
save = 5
"""


class Stop:
    """Ends a run at its third frame."""

    def __init__(self):
        self.frames = 0

    def frame(self, frame):
        self.frames += 1
        if self.frames == 3:
            raise Stopped(15)

    def step(self, diagnostics):
        pass

    def close(self, error):
        pass


@pytest.fixture
def unfinished(tmp_path, monkeypatch):
    """p.toml, and in p.h5 its run up to t = 0.5."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(PROBLEM, encoding="utf-8")
    task = read_task(tmp_path / "p.toml")
    with pytest.raises(KeyboardInterrupt):
        wgf.solve(task.problem, task.method, task.until, task.save, store="p.h5", observers=[Stop()])
    return tmp_path / "p.h5"


def test_an_unfinished_run_of_the_same_problem_says_how_it_goes_on(unfinished, capsys):
    before = unfinished.read_bytes()
    status, _, err = wgf_says(capsys, "run", "p.toml", "--quiet")
    assert status == 2
    assert re.fullmatch(
        r"error: p\.h5 exists and holds an interrupted run of 'a student' up to t = 0\.5 of this very problem, which can go on: --resume .*"
        r"--force .*--output .*\n",
        err,
    )
    assert unfinished.read_bytes() == before
    assert wgf_says(capsys, "run", "p.toml", "--quiet", "--resume", "--no-density-error")[0] == 0
    assert (wgf.open_run("p.h5").status, wgf.open_run("p.h5").times[-1]) == ("complete", 1.0)
    assert "p.h5 exists and holds a complete run" in wgf_says(capsys, "run", "p.toml", "--quiet")[2]


def test_in_python_too(unfinished):
    task = read_task("p.toml")
    with pytest.raises(wgf.Exists, match=r"resume=True"):
        wgf.solve(task.problem, task.method, task.until, task.save, store="p.h5")
    wgf.solve(task.problem, task.method, task.until, task.save, store="p.h5", overwrite=True)


@pytest.mark.parametrize("words", [("--penalty", "0.2"), ("--method", "particles")])
def test_the_run_of_another_problem_is_not_said_to_go_on(words, unfinished, capsys):
    status, _, err = wgf_says(capsys, "run", "p.toml", "--quiet", *words)
    assert status == 2
    assert "p.h5 exists and holds an interrupted run of 'a student' up to t = 0.5; it is left alone" in err
    assert "--resume" not in err


def test_a_run_that_was_killed_is_told_from_one_that_runs(unfinished, capsys, monkeypatch):
    with h5py.File(unfinished, "r+") as file:
        file.attrs["status"] = "running"
        file.attrs["process"] = this_process().replace(":", ":9999999", 1)
    assert "holds a running run of 'a student' up to t = 0.5 of this very problem, which can go on" in wgf_says(capsys, "run", "p.toml")[2]
    with h5py.File(unfinished, "r+") as file:
        file.attrs["process"] = this_process()
        monkeypatch.setattr(processes, "WRITTEN_HERE", {file.attrs["identity"]})
    for words in ((), ("--resume",)):
        status, _, err = wgf_says(capsys, "run", "p.toml", *words)
        assert status == 2
        assert err.startswith(f"error: p.h5 is being written by another process, {this_process()}: let it end, or end it, or choose")
    task = read_task("p.toml")
    with pytest.raises(wgf.InUse):
        wgf.solve(task.problem, task.method, task.until, task.save, store="p.h5")
