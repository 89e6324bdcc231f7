"""Any key of a problem file by --set, several problem files in one call, and a run as lines of JSON."""

import json

import numpy as np
import pytest
from commands import wgf_says

import wgf
from wgf.problems.changes import changed, read_setting, read_values
from wgf.problems.schema import parse

pytestmark = pytest.mark.coarse

PROBLEM = """
title = "a student" # of tanh
noise = { temperature = 0.0 }
[neuron]
activation = "tanh"
theta = ["c", "a"]
[data]
inputs = { law = "uniform", lower = [
  -1], upper = [1], nodes = 12 }
teacher = [ { c = 1.0, a = 2.0 } ]
[initial]
law = "gaussian"
mean = [0.2, 0.5] # of c and a
std = [0.4, 0.4]
[method]
name = "particles"
m = 10
[time]
end = 0.2
save = 3
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with two problems, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(PROBLEM.replace("a student", name), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("method.m=20", 20),
        ("method.scale=1e-3", 0.001),
        ("method.centred=subtracted", "subtracted"),
        ("initial.mean=1,2", [1, 2]),
        ("initial.mean=[1, -2.5]", [1, -2.5]),
        ("title=two words # and a sign", "two words # and a sign"),
        ('title="3"', "3"),
        ("reduced=true", True),
        ("noise.temperature=0.1", 0.1),
        ("data.inputs.nodes=20", 20),
        ("data.inputs={ law = 'uniform', lower = [0], upper = [1] }", {"law": "uniform", "lower": [0], "upper": [1]}),
        ("time.end=rest", "rest"),
        ("penalty.strength=0.01", 0.01),
    ],
)
def test_a_value_is_changed_and_nothing_else(words, value):
    place, read = read_setting(words)
    assert read == value
    wanted = parse(PROBLEM, "p").values
    inside = wanted
    for name in place[:-1]:
        inside = inside.setdefault(name, {})
    inside[place[-1]] = value
    assert parse(changed(PROBLEM, "p", place, value), "p").values == wanted


def test_comments_stay_where_a_line_is_changed():
    text = changed(PROBLEM, "p", ("initial", "mean"), [1.0, 2.0])
    assert "mean = [1.0, 2.0] # of c and a" in text
    assert text.count("\n") == PROBLEM.count("\n")


@pytest.mark.parametrize(
    ("words", "key", "values"),
    [
        ("method.limiter=mc,van-leer", "method.limiter", ["mc", "van-leer"]),
        ("penalty.strength=0,0.01", "penalty.strength", [0, 0.01]),
        ("domain.cells=[8,8],[16,16]", "domain.cells", [[8, 8], [16, 16]]),
        ("method.m=5", "method.m", [5]),
    ],
)
def test_values_of_a_key(words, key, values):
    assert read_values(words) == (key, values)


def test_a_setting_is_what_the_file_would_say_and_is_kept(here, capsys):
    words = ["--set", "method.m=7", "--set", "initial.mean=0,1", "--set=data.inputs.nodes=20", "--quiet"]
    assert wgf_says(capsys, "run", "a.toml", *words)[0] == 0
    run = wgf.open_run("a.h5")
    assert (len(run.measures[0].masses), run.problem.initial.mean, run.data.size) == (7, (0, 1), 20)
    (here / "again.toml").write_text(run.attributes["problem"], encoding="utf-8")
    assert wgf_says(capsys, "run", "again.toml", "--quiet")[0] == 0
    assert np.array_equal(wgf.open_run("again.h5").loss, run.loss)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("method.limter=mc", "a.toml, [method]: unknown key 'limter'"),
        ("method.m=many", "a.toml, [method]: m = 'many' is not a whole number"),
        ("methd.m=3", "a.toml: unknown table [methd] (did you mean [method]?)"),
        ("method.name=magic", "a.toml, [method]: name = 'magic' is not known"),
        ("title.m=3", "a.toml: title = 'a' must be a table"),
        ("m", "'m' has no value: give the key and its value as table.key=value, such as method.limiter=mc"),
        ("=3", "'=3': give the key and its value as table.key=value"),
        ("time.end=-1", "a.toml, [time]: the end time = -1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_key(here, capsys, setting, message):
    status, out, err = wgf_says(capsys, "run", "a.toml", "--set", setting)
    assert (status, out) == (2, "")
    assert message in err
    assert not (here / "a.h5").exists()


def test_several_files_each_have_their_run(here, capsys):
    status, out, _ = wgf_says(capsys, "run", "a.toml", "b.toml")
    assert status == 0
    assert out.index("a.h5") < out.index("b.h5")
    assert [wgf.open_run(f"{name}.h5").attributes["title"] for name in "ab"] == ["a", "b"]


def test_several_files_are_read_before_one_is_solved(here, capsys):
    (here / "b.toml").write_text(PROBLEM.replace("m = 10", "n = 10"), encoding="utf-8")
    status, _, err = wgf_says(capsys, "run", "a.toml", "b.toml")
    assert status == 2
    assert "b.toml, [method]: unknown key 'n'" in err
    assert not (here / "a.h5").exists()
    (here / "c").mkdir()
    (here / "c" / "a.toml").write_text(PROBLEM, encoding="utf-8")
    assert "2 of the problems would be written into a.h5" in wgf_says(capsys, "run", "a.toml", "c/a.toml")[2]
    assert "--output x.h5 is for one problem" in wgf_says(capsys, "run", "a.toml", "a.toml", "-o", "x.h5")[2]


def test_a_run_that_fails_does_not_keep_the_next_one_from_its_own(here, capsys):
    (here / "a.toml").write_text(PROBLEM.replace("m = 10", "m = 10\nstep = 0.01\n[penalty]\nstrength = 1e90"), encoding="utf-8")
    status, _, err = wgf_says(capsys, "run", "a.toml", "b.toml")
    assert status == 1
    assert "error: a.toml: " in err
    assert "not all of the runs have come to their end" in err
    assert wgf.open_run("b.h5").status == "complete"


def test_the_log_has_a_line_for_each_frame_and_the_end(here, capsys):
    assert wgf_says(capsys, "run", "a.toml", "b.toml", "--quiet", "--log", "runs.jsonl")[0] == 0
    lines = [json.loads(line) for line in (here / "runs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["event"] for line in lines if line["label"] == "a.toml"] == ["start", "frame", "frame", "frame", "end"]
    assert {line["label"] for line in lines} == {"a.toml", "b.toml"}
    run, frames = wgf.open_run("a.h5"), [line for line in lines if line["event"] == "frame"][:3]
    assert [line["t"] for line in frames] == run.times.tolist()
    assert [line["loss"] for line in frames] == run.loss.tolist()
    assert frames[0]["dt"] == 0
    assert frames[-1]["dt"] > 0
    end = [line for line in lines if line["label"] == "a.toml"][-1]
    assert (end["status"], end["error"], end["steps"]) == ("complete", None, len(run.history["time"]))
    status, _, err = wgf_says(capsys, "run", "a.toml", "--log", "runs.jsonl", "-o", "other.h5")
    assert status == 2
    assert "runs.jsonl exists" in err
    assert not (here / "other.h5").exists()


def test_the_log_of_a_run_that_fails_says_why(here):
    text = changed(PROBLEM, "p", ("penalty", "strength"), 1e90)
    with pytest.raises(wgf.NotFinite):
        wgf.solve(wgf.Problem.from_text(text), wgf.Particles(10, step=0.01), 0.2, observers=[wgf.Log("one.jsonl", "mine")])
    end = json.loads((here / "one.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (end["event"], end["label"], end["status"]) == ("end", "mine", "failed")
    assert end["error"].startswith("NotFinite: after ")


def test_the_log_writes_steps_once_a_second(here, monkeypatch):
    clock = iter(np.arange(0, 1000, 0.3).tolist())
    monkeypatch.setattr("wgf.runs.observers.log.time.monotonic", lambda: next(clock))
    problem = wgf.Problem.from_toml(here / "a.toml")
    run = wgf.solve(problem, wgf.Particles(10, step=0.01), 1.0, 2, observers=[wgf.Log("one.jsonl")])
    lines = [json.loads(line) for line in (here / "one.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [line["steps"] for line in lines if line["event"] == "step"]
    assert len(run.history["time"]) == 101
    assert 10 < len(steps) < 40
    assert steps == sorted(set(steps))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_is_told_how_to_complete(shell, capsys):
    status, out, _ = wgf_says(capsys, "completion", shell)
    assert status == 0
    assert "_WGF_COMPLETE" in out


def test_commands_and_options_are_completed(monkeypatch, capsys):
    """As the script of bash asks for them."""
    monkeypatch.setenv("_WGF_COMPLETE", "bash_complete")
    monkeypatch.setattr("sys.argv", ["wgf"])
    for words, place, expected in (("wgf sw", "1", "plain,sweep"), ("wgf sweep --ov", "2", "plain,--over")):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", place)
        assert expected in wgf_says(capsys)[1]
