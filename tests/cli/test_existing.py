"""Nothing is destroyed: a command that writes leaves alone what is there, says what it is, and replaces it only when it is told to."""

import contextlib
import functools
import re
import warnings
from types import SimpleNamespace

import pytest
from commands import wgf_says

import wgf
from wgf.cli import demo
from wgf.studies.sweeps import over_sizes

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
end = 0.1
save = 2
"""
SIZES = ["--sizes", "4", "8", "--replicates", "5", "--workers", "1"]
COMMANDS = {  # the words, and what is written
    "run": (["run", "p.toml"], ["p.h5"]),
    "compare": (["compare", "p.toml", *SIZES], ["p-compare.h5", "p-compare.png"]),
    "compare two runs": (["compare", "a.h5", "b.h5"], ["a_vs_b.h5", "a_vs_b.png"]),
    "lazy": (["lazy", "p.toml", "--exponents", "1", *SIZES], ["p-lazy.h5", "p-lazy.png"]),
    "certify": (["certify", "a.h5", "--lower", "-3", "--upper", "3"], ["a-certificate.png"]),
    "plot": (["plot", "a.h5"], ["a.png"]),
    "plot two runs": (["plot", "a.h5", "b.h5"], ["a_with_b.png"]),
    "report": (["report", "a.h5"], ["a.html"]),
    "animate": (["animate", "a.h5"], ["a.gif"]),
    "animate two runs": (["animate", "a.h5", "b.h5"], ["a_with_b.gif"]),
    "export": (["export", "a.h5"], ["a.vtkhdf"]),
    "demo": (
        ["demo"],
        [f"wgf-demo/{name}" for name in ("student.toml", "density.h5", "density.png", "compare.h5", "compare.png", "report.html")],
    ),
}
GO_ON = ("compare", "lazy", "demo")  # the same command goes on with what it has written itself


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a problem and two runs of it, which is the working folder; the demo is a small one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which the entry point replaces
    monkeypatch.setattr(over_sizes, "os", SimpleNamespace(cpu_count=lambda: 1))
    monkeypatch.setattr(demo, "SIZES", (4, 8))
    monkeypatch.setattr(demo, "REPLICATES", 5)
    monkeypatch.setattr(demo, "NEURONS", 200)
    student = demo.resources.files("wgf.cli").joinpath("examples/student.toml").read_text(encoding="utf-8")
    (tmp_path / "example" / "examples").mkdir(parents=True)
    (tmp_path / "example" / "examples" / "student.toml").write_text(student.replace("128", "64").replace("10.0", "0.1"), encoding="utf-8")
    monkeypatch.setattr(demo, "resources", SimpleNamespace(files=lambda _: tmp_path / "example", as_file=contextlib.nullcontext))
    (tmp_path / "p.toml").write_text(PROBLEM, encoding="utf-8")
    problem = wgf.Problem.from_toml("p.toml")
    for name in ("a", "b"):
        wgf.solve(problem, wgf.Particles(5, seed=ord(name)), 0.1, 2, store=f"{name}.h5")
    return tmp_path


def files(folder):
    """All files with their contents."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.coarse
@pytest.mark.filterwarnings("ignore::wgf.ResolutionWarning")  # few replicates
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_called_again_replaces_nothing_unless_told_to(command, here, capsys):
    words, targets = COMMANDS[command]
    assert wgf_says(capsys, *words)[0] == 0
    before = files(here)
    assert set(targets) <= set(before)
    status, _, err = wgf_says(capsys, *words)
    if command in GO_ON:
        assert (status, err) == (0, "")
    else:
        assert status == 2
        assert re.fullmatch(rf"error: {targets[0]} exists and holds .*; it is left alone: .*--output.*--force.*\n", err)
        assert files(here) == before
    assert wgf_says(capsys, *words, "--force")[0] == 0
    assert files(here).keys() == before.keys()


@pytest.mark.coarse
@pytest.mark.filterwarnings("ignore::wgf.ResolutionWarning")
@pytest.mark.parametrize(("command", "target"), [(name, target) for name, (_, targets) in COMMANDS.items() for target in targets[:5]])
def test_what_is_not_of_wgf_is_left_alone(command, target, here, capsys):
    """At each of the names that a command writes, and with nothing else written before it is seen."""
    words, targets = COMMANDS[command]
    (here / target).parent.mkdir(exist_ok=True)
    (here / target).write_text("do not lose me")
    before = files(here)
    status, _, err = wgf_says(capsys, *words)
    assert status == 2
    assert target in err
    assert err.count("\n") == 1
    assert re.search(r" exists and holds (another program's file|a film); it is left alone: .*--output.*--force", err)
    assert files(here) == before
    if target == targets[0]:
        assert wgf_says(capsys, *words, "--force")[0] == 0
        assert (here / target).read_bytes() != b"do not lose me"


def test_what_is_there_is_said_in_words(here, capsys):
    """Of what, how far it has come, and whether it was ended."""

    class Stop:
        def frame(self, frame):
            if frame.diagnostics.time > 0:
                raise KeyboardInterrupt

        def step(self, diagnostics): ...

        def close(self, error): ...

    with pytest.raises(KeyboardInterrupt):
        wgf.solve(wgf.Problem.from_toml("p.toml"), wgf.Particles(5), 0.2, 3, store="p.h5", observers=[Stop()])
    wgf_says(capsys, "compare", "p.toml", *SIZES, "-o", "c.h5")
    for words, what in (
        (["run", "p.toml"], "p.h5 exists and holds an interrupted run of 'a student' up to t = 0.1;"),
        (["run", "p.toml", "-o", "a.h5"], "a.h5 exists and holds a complete run of 'a student' up to t = 0.1;"),
        (["run", "p.toml", "-o", "c.h5"], "c.h5 exists and holds a comparison of 'a student';"),
        (["run", "p.toml", "-o", "c.png"], "c.png exists and holds a figure of wgf;"),
        (["compare", "p.toml", *SIZES, "--seed", "1", "-o", "c.h5"], "c.h5 holds another sweep, a comparison of 'a student';"),
        (["compare", "p.toml", "--sizes", "4", "9", *SIZES[3:], "-o", "c.h5"], "with replicates that this sweep does not have;"),
        (["run", "p.toml", "-o", "p.toml", "--force"], "cannot write p.toml: it is one of the files to read"),
        (["compare", "a.h5", "b.h5", "-o", "b.h5", "--force"], "cannot write b.h5: it is one of the files to read"),
    ):
        before = files(here)
        status, _, err = wgf_says(capsys, *words)
        assert (status, what in err) == (2, True), err
        assert files(here) == before


@pytest.mark.long
def test_the_demo_leaves_alone_what_was_made_of_its_problem_otherwise(here, capsys):
    """Another end, and a problem file that was changed."""
    assert wgf_says(capsys, "demo")[::2] == (0, "")
    wgf_says(capsys, "run", "wgf-demo/student.toml", "--until", "0.2", "-o", "wgf-demo/density.h5", "--force", "--quiet")
    status, _, err = wgf_says(capsys, "demo")
    assert status == 2
    assert "density.h5 exists and holds a complete run of 'tanh student' up to t = 0.2" in err
    (here / "wgf-demo" / "student.toml").write_text(PROBLEM)
    assert "student.toml exists and holds another program's file" in wgf_says(capsys, "demo")[2]


def test_in_python_a_file_is_replaced_by_request(here):
    """By whoever writes it: a run, a sweep, two runs."""
    problem = wgf.Problem.from_toml("p.toml")
    first, second = wgf.open_run("a.h5"), wgf.open_run("b.h5")
    sweep = functools.partial(wgf.compare, problem, wgf.Characteristics(4), 0.1, (4, 8), 5, 2, workers=1)
    study = functools.partial(wgf.lazy, problem, (4,), (1.0,), replicates=5, until=0.1, save=2, workers=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wgf.ResolutionWarning)
        compared = sweep()
        writers = {
            "solve": lambda path, **options: wgf.solve(problem, wgf.Particles(5), 0.1, 2, store=path, **options),
            "compare": lambda path, **options: sweep(store=path, **options),
            "lazy": lambda path, **options: study(store=path, **options),
            "Pair": wgf.compare_runs(first, second).save,
            "Comparison": compared.save,
            "LazyStudy": study().save,
        }
        for name, write in writers.items():
            (here / name).write_text("do not lose me")
            with pytest.raises(wgf.InputError, match=f"{name} exists and holds another program's file; it is left alone.*overwrite=True"):
                write(here / name)
            assert (here / name).read_text() == "do not lose me"
            write(here / name, overwrite=True)
            assert (here / name).read_bytes() != b"do not lose me"
