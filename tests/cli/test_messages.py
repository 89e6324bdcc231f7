"""What is said to a person who has made a mistake: what is meant, where it stands, what to do."""

import re
import warnings

import pytest
from commands import wgf_says

import wgf
from wgf.cli import screen
from wgf.runs.task import read_task

PROBLEM = """
title = "a student"
[neuron]
activation = "tanh"
theta = ["c", "a"]
[data]
file = "data.csv"
[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = [0.4, 0.4]
[domain]
lower = [-3, -3]
upper = [3, 3]
cells = [32, 32]
[time]
end = 0.1
save = 2
"""
DATA = "x,y\n-0.5,1\n0.5,2\n1,0\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a problem and its data, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which the entry point replaces
    (tmp_path / "p.toml").write_text(PROBLEM, encoding="utf-8")
    (tmp_path / "data.csv").write_text(DATA)
    return tmp_path


FILES = {  # the text of data.csv, and what is said of it
    "two readings of a number": ("x;y\n1,234;1\n", "'1,234' may be 1.234 or 1234: say which is the decimal mark"),
    "no header": (
        "0.5,1\n1,2\n",
        "its first line holds numbers, not the names of the columns: let it begin with a header, such as x,y",
    ),
    "capitals": ("X,Y\n0.5,1\n", "the columns are X, Y: write their names in small letters"),
    "capitals with numbers": ("X1,X2,y\n0.5,1,1\n", "the columns are X1, X2, y: write their names in small letters"),
    "from zero": ("x0,x1,y\n0.5,1,1\n", "the columns are x0, x1, y: inputs count from one, x1 … xd"),
    "another name": ("x,target\n0.5,1\n", "unknown column 'target' (did you mean 'y'?)"),
    "many columns": (",".join(f"p{k}" for k in range(100)) + "\n" + ",".join("1" * 100) + "\n", "unknown column 'p0'"),
    "large numbers": ("x,y\n0.5,1e200\n1,1\n", "targets: entry [0] is 1e+200, too large to be squared: divide the targets by their size"),
    "large inputs": ("x,y\n1e200,1\n1,1\n", "inputs: entry [0, 0] is 1e+200, too large to be squared"),
    "large weights": ("x,y,weight\n1,1,1e300\n2,1,1e300\n", "weights: entry [0] is 1e+300, too large"),
}
CHANGES = {  # what stands in the problem file, what is written instead, and what is said
    "law": ('"gaussian"', '"normal"', "[initial]: law = 'normal' is not known (did you mean 'gaussian'?)"),
    "capitals": ('"tanh"', '"ReLU"', "[neuron]: activation = 'ReLU' is not known (did you mean 'relu'?)"),
    "activation": ('"tanh"', '"logistic"', "(did you mean 'sigmoid'?)"),
    "table": ("[initial]", "[inital]", "p.toml: unknown table [inital] (did you mean [initial]?)"),
    "a table of another tool": ("[initial]", "[network]", "p.toml: unknown table [network]; allowed: title, "),
    "another table": ("[neuron]", "[nuron]", "p.toml: unknown table [nuron] (did you mean [neuron]?)"),
    "key": ("std", "sigma", "[initial]: std is missing (is 'sigma' meant for it?)"),
    "end": ("end =", "t_end =", "[time]: unknown key 't_end' (did you mean 'end'?)"),
    "method": ("[time]", '[method]\nname = "FVM"\n[time]', "name = 'FVM' is not known (did you mean 'finite-volume'?)"),
    "limiter": ("[time]", '[method]\nlimiter = "VanLeer"\n[time]', "unknown limiter 'VanLeer' (did you mean 'van-leer'?)"),
    "boundary": ("[time]", 'boundary = "reflecting"\n[time]', "unknown boundary condition 'reflecting' (did you mean 'no-flux'?)"),
    "two cells": ("[32, 32]", "[2, 32]", "[domain]: cells = [2, 32]: a law on fewer than 3 cells an axis is no density"),
    "one cell": ("[32, 32]", "1", "[domain]: cells = 1: a law on fewer than 3 cells an axis"),
    "lower alone": ("upper = [3, 3]", "", "[domain]: lower is given without upper: give both edges of the box, or neither"),
    "upper alone": ("lower = [-3, -3]", "", "[domain]: upper is given without lower"),
    "half a box": ("[-3, -3]", "[0.2, -3]", "holds only 50.00% of the initial law"),
    "most of a box": ("[-3, -3]", "[0.1, -3]", "; the box [-2.3, 2.6] × [-2.2, 3] would do"),
}


@pytest.mark.parametrize("case", FILES)
def test_data_that_cannot_be_read_are_described(case, here, capsys):
    text, message = FILES[case]
    (here / "data.csv").write_text(text)
    says(capsys, message, "run", "p.toml")


@pytest.mark.parametrize("case", CHANGES)
def test_a_problem_file_that_is_wrong_is_put_right(case, here, capsys):
    old, new, message = CHANGES[case]
    assert old in PROBLEM
    (here / "p.toml").write_text(PROBLEM.replace(old, new), encoding="utf-8")
    says(capsys, message, "run", "p.toml")
    assert not (here / "p.h5").exists()


def says(capsys, message, *words):
    """The command ends with bad input, one line of bounded length that has the message in it."""
    status, out, err = wgf_says(capsys, *words)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert len(err) < 500


@pytest.mark.coarse
def test_a_file_given_to_another_command_is_told_what_it_is(here, capsys):
    wgf_says(capsys, "run", "p.toml", "--quiet", "--no-density-error")
    for command in ("run", "compare", "lazy"):
        says(capsys, "p.h5 is no problem file but holds a complete run of 'a student' up to t = 0.1: see it with ", command, "p.h5")
        says(
            capsys,
            'data.csv is no problem file: where it holds data, let a problem file name it, [data] file = "data.csv"',
            command,
            "data.csv",
        )
        says(capsys, f"problem file {here} is a folder", command, str(here), "-o", "x.h5")
    for command in ("info", "plot", "animate"):
        says(capsys, "p.toml is not an HDF5 file that can be read: it is a problem file, which wgf run solves", command, "p.toml")


@pytest.mark.coarse
def test_nothing_is_written_where_nothing_can_be(here, capsys):
    """As in a folder that may only be read; the folder of the frames, too."""
    wgf_says(capsys, "run", "p.toml", "--quiet", "--no-density-error")
    for command, file in (("plot", "x.png"), ("animate", "x.gif"), ("export", "x.vtkhdf"), ("demo", "x")):
        words = [] if command == "demo" else ["p.h5"]
        says(capsys, "cannot write ", command, *words, "-o", f"/proc/{file}")
    says(capsys, "cannot write into p.h5: ", "demo", "-o", "p.h5")


@pytest.mark.coarse
def test_options_of_run_stand_in_the_problem_that_is_kept(here, capsys):
    """As if they had been written there, whether the table is there or not."""
    words = ["--save", "4", "--temperature", "0.05", "--penalty", "0.1", "--cells", "24x20", "--no-density-error", "--quiet"]
    assert wgf_says(capsys, "run", "p.toml", *words)[0] == 0
    run = wgf.open_run("p.h5")
    assert len(run.times) == 4
    assert (run.problem.temperature, run.problem.energy.penalty.strength) == (0.05, 0.1)
    assert run.measures[0].grid.shape == (24, 20)
    (here / "again.toml").write_text(run.attributes["problem"], encoding="utf-8")
    again = read_task("again.toml")
    assert (repr(again.problem), again.save) == (repr(run.problem), 4)


@pytest.mark.parametrize("written", ['[method]\nname = "particles"\nm = 9 # neurons\n', ""])
def test_options_of_particles(written, here, capsys):
    """Of the file's own method, where they stand in its text, too, or of another one."""
    (here / "p.toml").write_text(PROBLEM + written, encoding="utf-8")
    words = ["--method", "particles", "--m", "7", "--seed", "3", "--step", "0.05", "--quiet"]
    assert wgf_says(capsys, "run", "p.toml", *words)[0] == 0
    run = wgf.open_run("p.h5")
    assert (len(run.measures[0].masses), run.attributes["seed"]) == (7, 3)
    assert "step 0.05" in run.method
    assert re.search(r"^m = 7 ", run.attributes["problem"], flags=re.MULTILINE) or not written


def test_options_that_cannot_be_are_refused(here, capsys):
    for words, message in (
        (["p.toml", "--m", "5"], "[method]: unknown key 'm'"),
        (["p.toml", "--save", "1"], "save = 1: at least 2 frames"),
        (["p.toml", "--temperature", "-1"], "temperature = -1: it must be a number ≥ 0"),
        (["p.toml", "--cells", "2,2"], "a law on fewer than 3 cells an axis is no density"),
    ):
        says(capsys, message, "run", *words)


@pytest.mark.coarse
@pytest.mark.parametrize("words", [["24", "20"], ["24,20"], ["24x20"], ["24×20"]])
def test_numbers_of_cells_are_written_as_one_likes(words, here, capsys):
    for option in (["--cells", *words], [f"--cells={words[0]}", *words[1:]]):
        assert wgf_says(capsys, "run", "p.toml", *option, "--quiet", "--no-density-error", "--until", "0.01", "--force")[0] == 0
        assert wgf.open_run("p.h5").measures[0].grid.shape == (24, 20)


@pytest.mark.coarse
def test_runs_of_different_problems_are_told_apart(here, capsys):
    options = ["--method", "particles", "--m", "5", "--quiet"]
    wgf_says(capsys, "run", "p.toml", *options)
    wgf_says(capsys, "run", "p.toml", *options, "--penalty", "0.1", "-o", "q.h5")
    (here / "r.toml").write_text(PROBLEM.replace('["c", "a"]', '["a", "b"]'), encoding="utf-8")
    wgf_says(capsys, "run", "r.toml", *options)
    assert "problems" not in wgf_says(capsys, "compare", "p.h5", "p.h5")[1]
    _, out, _ = wgf_says(capsys, "compare", "p.h5", "q.h5")
    assert re.search(
        r"problems +different ones: what differs may be theirs, not the methods'\nproblem of the first +Problem\('a student'", out
    )
    for command in ("compare", "plot", "animate"):
        says(capsys, "the runs are of different problems: θ is (c, a) in one and (a, b) in the other", command, "p.h5", "r.h5")


def test_neurons_of_many_inputs(here, capsys):
    """All 786 coordinates, one number for the law; messages of bounded length."""
    names = ",".join(f"x{k + 1}" for k in range(784))
    (here / "data.csv").write_text(f"{names},y\n" + "".join(",".join([str(k)] * 785) + "\n" for k in (0, 1)))
    text = PROBLEM.replace('["c", "a"]', '"all"').replace("[0.2, 0.5]", "0").replace("[0.4, 0.4]", "0.1")
    (here / "p.toml").write_text(
        text.split("[domain]")[0] + '[method]\nname = "particles"\nm = 3\n[time]\nend = 0.01\nsave = 2', encoding="utf-8"
    )
    assert wgf_says(capsys, "run", "p.toml", "--quiet")[0] == 0
    assert wgf.open_run("p.h5").measures[0].points.shape == (3, 786)
    assert len(wgf_says(capsys, "info", "p.h5")[1]) < 5000
    (here / "p.toml").write_text(text.replace('"all"', '["c", "a9999"]').split("[domain]")[0], encoding="utf-8")
    says(capsys, "'a9999'", "run", "p.toml", "--force")
    (here / "p.toml").write_text(text.replace("mean = 0", "mean = [0, 1]").split("[domain]")[0], encoding="utf-8")
    says(capsys, "theta has 786 coordinates (c, a1, a2, a3, a4, …, b (786 in all)) but the initial law has 2", "run", "p.toml", "--force")


def test_theta_may_be_all():
    assert wgf.Neuron("tanh", theta="all", dim=3).theta == ("c", "a1", "a2", "a3", "b")
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("relu", theta="all"), wgf.Data([0, 1], [0, 1])), wgf.Gaussian(0, 1))
    assert problem.initial.dim == 3


def test_without_a_box_shorter_cells_are_advised_and_no_smaller_box():
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), wgf.Data([0, 1], [0, 1])), wgf.Gaussian([0, 0], 0.4))
    with pytest.warns(wgf.ResolutionWarning) as told:
        wgf.solve(problem, wgf.FiniteVolume(spacing=0.5), 0.01, 2)
    for one in told:
        assert re.search(r"far too few; take a smaller spacing, 0\.\d+ on this axis", str(one.message))
        assert "box" not in str(one.message)


@pytest.mark.parametrize(
    ("found", "called", "python", "said"),
    [
        ("/venv/bin/wgf", "/venv/bin/wgf", "/venv/bin/python", "wgf"),
        ("/venv/bin/wgf", "/venv/lib/wgf/__main__.py", "/venv/bin/python", "wgf"),
        (None, ".venv/bin/wgf", "/here/.venv/bin/python", ".venv/bin/wgf"),
        ("/other/bin/wgf", ".venv/bin/wgf", "/here/.venv/bin/python", ".venv/bin/wgf"),
        (None, "/here/wgf/__main__.py", "/my python", "'/my python' -m wgf"),
    ],
)
def test_the_program_is_named_as_it_can_be_called(found, called, python, said, monkeypatch):
    """By its name only where the shell finds this very program under it."""
    monkeypatch.setattr(screen.shutil, "which", lambda _: found)
    monkeypatch.setattr(screen.sys, "argv", [called])
    monkeypatch.setattr(screen.sys, "executable", python)
    assert screen.program() == said
