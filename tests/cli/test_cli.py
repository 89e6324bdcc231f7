"""The command line as a person meets it: what it prints, what it leaves behind, and how it says no."""

import functools
import os
import re
import signal
import subprocess
import sys
import warnings
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from children import ENVIRONMENT, HANG, PROGRAM, wait_until
from commands import wgf_says

import wgf
from wgf.cli import demo, main
from wgf.studies.sweeps.resumable import progress

pytestmark = pytest.mark.coarse  # commands on small runs

STUDENT = resources.files("wgf.cli").joinpath("examples/student.toml").read_text(encoding="utf-8")
SMALL = STUDENT.replace("[128, 128]", "[48, 48]").replace("end = 10.0", "end = 1.0").replace("save = 11", "save = 4")


@pytest.fixture(scope="session")
def fonts():
    """Matplotlib's list of fonts is there: where it has to be made first, matplotlib says so, if that takes long."""
    import matplotlib.font_manager

    return matplotlib.font_manager.fontManager


@pytest.fixture
def here(fonts, tmp_path, monkeypatch):
    """An empty folder with a small problem in it, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which the entry point replaces
    (tmp_path / "student.toml").write_text(SMALL, encoding="utf-8")
    return tmp_path


def test_run_info_plot(here, capsys):
    status, out, err = wgf_says(capsys, "run", "student.toml")
    assert (status, err) == (0, "")
    assert "FiniteVolume(48 × 48" in out
    assert "it never rose" in out
    assert "student.h5" in out
    told = re.search(r"density +∫\|μ − μ_ref\| dθ = [\d.]+ % at t = 1, against exact averages\n", out)
    assert told
    status, out, _ = wgf_says(capsys, "info", "student.h5")
    assert status == 0
    assert told[0] in out
    assert "complete" in out
    assert "rank 1" in out
    status, out, _ = wgf_says(capsys, "plot", "student.h5", "-o", "figure.svg")
    assert status == 0
    assert (here / "figure.svg").stat().st_size > 10_000


def test_the_command_line_comes_before_the_file(here, capsys):
    status, _, _ = wgf_says(capsys, "run", "student.toml", "-o", "x.h5", "--cells", "24", "16", "--until", "0.5", "--quiet")
    run = wgf.open_run("x.h5")
    assert status == 0
    assert run.measures[0].grid.shape == (24, 16)
    assert run.times[-1] == 0.5
    status, out, _ = wgf_says(capsys, "run", "student.toml", "--method", "particles", "--until", "0.2")
    assert status == 0
    assert "Particles(1,000 neurons" in out


def test_a_run_remembers_its_problem(here, capsys):
    wgf_says(capsys, "run", "student.toml", "--quiet")
    run = wgf.open_run("student.h5")
    assert run.attributes["problem"] == SMALL
    assert run.problem.title == "tanh student"
    x = run.data.inputs
    assert run.measures[-1].predict(x) == pytest.approx(run.prediction[-1], rel=1e-9, abs=1e-12)


def test_compare(here, capsys):
    status, out, err = wgf_says(
        capsys, "compare", "student.toml", "-o", "c.h5", "--sizes", "8", "16", "32", "--replicates", "5", "--seed", "3", "--workers", "1",
        "--distances", "sliced_w2", "mean",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "m = 8, 16, 32; 5 replicates each, seed 3" in out
    assert re.search(r"density +of the limit: ∫\|μ_h − μ\| dθ ≈ [\d.]+ % at t = 1\n", out)
    assert "slope of its square (95 %)" in out
    assert "sliced_w2, m = 32" in out
    assert (here / "c.png").exists()
    assert wgf.open_comparison("c.h5").distance["function"].shape == (3, 5, 4)
    status, out, _ = wgf_says(capsys, "info", "c.h5")
    assert status == 0
    assert "standard errors" in out
    assert wgf_says(capsys, "plot", "c.h5", "-o", "again.png")[0] == 0


def test_compare_two_runs(here, capsys):
    wgf_says(capsys, "run", "student.toml", "-o", "a.h5", "--quiet")
    wgf_says(capsys, "run", "student.toml", "-o", "b.h5", "--method", "particles", "--quiet")
    status, out, err = wgf_says(capsys, "compare", "a.h5", "b.h5", "-o", "ab.h5", "--distances", "mean")
    assert (status, err) == (0, "")
    assert "Particles(1,000 neurons" in out
    assert re.search(r"function +if equal +loss +if equal +sliced_w2 +if equal +mean", out)
    assert (here / "ab.png").exists()
    _, told, _ = wgf_says(capsys, "info", "ab.h5")
    assert told in out
    assert wgf_says(capsys, "plot", "ab.h5", "-o", "again.pdf")[0] == 0
    assert wgf_says(capsys, "plot", "a.h5", "b.h5", "-o", "both.png") == (0, "wrote both.png\n", "")
    assert wgf_says(capsys, "animate", "a.h5", "b.h5") == (0, "wrote a_with_b.gif\n", "")
    for name in ("ab.png", "again.pdf", "both.png", "a_with_b.gif"):
        assert (here / name).stat().st_size > 10_000


@pytest.mark.parametrize("name", ["/proc/run.h5", "a" * 300 + ".h5", "x" * 252 + ".h5"])
def test_a_file_that_cannot_be_made_is_refused_before_the_run(here, capsys, name):
    for command in ("run", "compare"):
        status, out, err = wgf_says(capsys, command, "student.toml", "-o", name)
        assert (status, out) == (2, "")
        assert re.match(r"error: cannot write .*: (No such file or directory|File name too long); choose another place\n", err)
    assert [file.name for file in here.iterdir()] == ["student.toml"]


def test_a_name_that_is_too_long_belongs_to_no_file(here, capsys):
    for words in (["run", "-o", "a.h5"], ["info"], ["plot"], ["animate"], ["export", "-o", "a.vtkhdf"]):
        status, _, err = wgf_says(capsys, *words, "a" * 300)
        assert status == 2
        assert "does not exist" in err


def test_a_comparison_and_its_figure_do_not_take_one_name(here, capsys):
    status, _, err = wgf_says(capsys, "compare", "student.toml", "-o", "found.png")
    assert status == 2
    assert "cannot write found.png: the figure beside it will have that name; end the name of the HDF5 file in .h5" in err
    assert not (here / "found.png").exists()


def edited(old, new):
    assert old in SMALL
    return SMALL.replace(old, new)


def with_data(file):
    return re.sub(r"\[data\].*?\n\n", f'[data]\nfile = "{file}"\n\n', SMALL, flags=re.DOTALL)


BAD = {
    "unknown key": (edited("theta =", "thetta ="), r"student.toml, \[neuron\]: unknown key 'thetta' \(did you mean 'theta'\?\)"),
    "unknown table": (SMALL + "\n[domian]\ncells = 3\n", r"unknown table \[domian\] \(did you mean \[domain\]\?\)"),
    "unknown activation": (edited('"tanh"', '"tahn"'), r"\[neuron\]: activation = 'tahn' is not known \(did you mean 'tanh'\?\)"),
    "unknown axis": (edited('["c", "a"]', '["c", "d"]'), r"\[neuron\]: unknown axis in theta .* 'd'; allowed: c, a, b"),
    "unknown method": (SMALL + '\n[method]\nname = "jkoo"\n', r"\[method\]: name = 'jkoo' is not known"),
    "unknown option": (SMALL + '\n[method]\nlimitter = "mc"\n', r"\[method\]: unknown key 'limitter' \(did you mean 'limiter'\?\)"),
    "unknown limiter": (SMALL + '\n[method]\nlimiter = "mx"\n', r"\[method\]: unknown limiter 'mx' \(did you mean 'mc'\?\)"),
    "negative width": (
        edited("std = [0.4, 0.4]", "std = [0.4, -0.4]"),
        r"\[initial\]: gaussian: std = -0.4 in coordinate 2; it must be positive",
    ),
    "law of another dimension": (edited("mean = [0.2, 0.5]", "mean = [0.2]"), r"\[initial\]: gaussian: mean has 1, std has 2 entries"),
    "law of a third coordinate": (
        edited("mean = [0.2, 0.5]\nstd = [0.4, 0.4]", "mean = [0, 0, 0]\nstd = [1, 1, 1]"),
        r"theta has 2 coordinates \(c, a\) but the initial law has 3",
    ),
    "end not after start": (edited("end = 1.0", "end = 0"), r"\[time\]: the end time = 0: it must be a positive number"),
    "end that is a word": (edited("end = 1.0", 'end = "soon"'), r"\[time\]: end = 'soon': give a time, or \"rest\""),
    "box that misses the law": (
        edited("lower = [-3.5", "lower = [3.5"),
        r"student.toml: the box \[3.5, 4.5\] × .* holds only 0.00% of the initial law",
    ),
    "box of another dimension": (
        edited("lower = [-3.5, -3.0]", "lower = [-3.5]"),
        r"\[domain\]: the box has 1 lower and 2 upper edges; give one of each per axis, or one for all",
    ),
    "no cells": (edited("[48, 48]", "[48, 0]"), r"\[domain\]: cells = 0: give a whole number"),
    "grid too large": (
        edited("[48, 48]", "[400000, 400000]"),
        r"student.toml: a grid of 400000 × 400000 cells needs about [\d,.]+ GiB, and [\d.]+ GiB",
    ),
    "scheme for noise that is not there": (
        SMALL + '\n[method]\ndiffusion = "gibbs"\n',
        r"student.toml: diffusion = 'gibbs', but the problem has no noise",
    ),
    "negative temperature": (SMALL + "\n[noise]\ntemperature = -0.1\n", r"student.toml: temperature = -0.1: it must be a number ≥ 0"),
    "negative penalty": (SMALL + "\n[penalty]\nstrength = -1.0\n", r"\[penalty\]: the penalty has strength = -1"),
    "not TOML": (edited("end = 1.0", "end = = 1"), r"student.toml is not valid TOML: .*line \d+"),
    "no data": (re.sub(r"inputs = .*\nteacher = .*\n", "", SMALL), r"\[data\]: give file = .* or inputs"),
    "teacher without weight": (edited("{ c = 0.5, a = 1.0 }", "{ c = 0.5 }"), r"\[data\]: teacher neuron 2 has no a"),
    "missing data file": (with_data("gone.csv"), r"\[data\]: data file gone.csv does not exist"),
    "NaN in the data": (with_data("nan.csv"), r"\[data\]: nan.csv: line 3, column y: 'nan', a value is missing"),
    "path with backslashes": (
        with_data(r"C:\\Users\\me.csv"),
        r"student.toml is not valid TOML: .*line \d+.*; between double quotes a backslash .* single",
    ),
    "path with another one": (
        with_data(r"C:\\data\\me.csv"),
        r"student.toml is not valid TOML: .*line \d+.*; between double quotes a backslash .* single",
    ),
    "path with a tab": (
        with_data(r"C:\\temp\\new.csv"),
        r"\[data\]: file = 'C:\\temp\\new.csv' has a special character in it: between double quotes",
    ),
    "wrong number of columns": (with_data("columns.csv"), r"columns.csv: line 3 has 3 columns; the header has 2 \(x, y\)"),
    "unknown column": (with_data("names.csv"), r"names.csv: unknown column 'yy'"),
    "a word in the data": (with_data("word.csv"), r"word.csv: line 2, column y: 'one' is not a number"),
}
FILES = {"nan.csv": "x,y\n0,1\n1,nan\n", "columns.csv": "x,y\n0,1\n1,2,3\n", "names.csv": "x,yy\n0,1\n", "word.csv": "x,y\n0,one\n"}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message_and_no_file(case, here, capsys):
    """Exit status 2, one line that names the culprit, no traceback, nothing written."""
    text, message = BAD[case]
    for name, content in FILES.items():
        (here / name).write_text(content)
    (here / "student.toml").write_text(text, encoding="utf-8")
    before = sorted(path.name for path in here.iterdir())
    for command in (["run", "student.toml", "-o", "out.h5"], ["compare", "student.toml", "-o", "out.h5", "--sizes", "4", "8"]):
        status, out, err = wgf_says(capsys, *command)
        assert status == 2
        assert out == ""
        assert re.search(message, err), err
        assert "Traceback" not in err
        assert err.count("\n") == 1
    assert sorted(path.name for path in here.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "gone.toml"], "problem file gone.toml does not exist"),
        (["run"], "Missing argument 'PROBLEM.toml …'"),
        (["walk"], "No such command 'walk'"),
        (["run", "student.toml", "--method", "jkoo"], "unknown method 'jkoo'"),
        (["run", "student.toml", "--cells", "many"], "'many' is not a valid integer"),
        (["run", "student.toml", "--cells", "8", "8", "8"], "cells has 3 entries for 2 axes"),
        (["run", "student.toml", "--until", "-1"], "the end time = -1"),
        (["run", "student.toml", "-o", "nowhere/x.h5"], "the folder nowhere does not exist"),
        (["run", "student.toml", "-o", "student.toml"], "student.toml: it is one of the files to read"),
        (["compare"], "Missing argument 'PROBLEM.toml | A.h5 B.h5'"),
        (["compare", "student.toml", "a.h5", "b.h5"], "3 files were given: give one problem file, or two run files"),
        (["compare", "student.toml", "a.h5"], "student.toml is not an HDF5 file"),
        (["compare", "student.toml", "--distances", "w1"], "w1 is for one dimension"),
        (["compare", "student.toml", "--distances", "sliced", "w2"], "unknown distance 'sliced' (did you mean 'sliced_w2'?)"),
        (["compare", "student.toml", "--sizes", "8"], "at least two different sizes"),
        (["compare", "student.toml", "--sizes", "8", "16", "--replicates", "1"], "at least two are needed"),
        (["info", "gone.h5"], "gone.h5 does not exist"),
        (["info", "student.toml"], "is not an HDF5 file"),
        (["animate", "gone.h5"], "gone.h5 does not exist"),
        (["animate", "a", "b", "c"], "3 files were given: give one run file, or two"),
        (["plot", "a", "b", "c"], "3 files were given: give one, or two run files"),
        (["plot", "gone.h5"], "gone.h5 does not exist"),
    ],
)
def test_bad_usage_is_status_two(words, message, here, capsys):
    status, _, err = wgf_says(capsys, *words)
    assert status == 2
    assert message in err
    assert "Traceback" not in err


def test_a_figure_of_unknown_kind_is_refused(here, capsys):
    wgf_says(capsys, "run", "student.toml", "--quiet")
    status, _, err = wgf_says(capsys, "plot", "student.h5", "-o", "figure.bmp")
    assert status == 2
    assert "the name must end in .png, .pdf, .svg" in err


def test_a_fault_of_ours_is_said_without_a_traceback_unless_asked(here, capsys, monkeypatch):
    from wgf.cli import info

    monkeypatch.setattr(info.info, "callback", lambda file: 1 / 0)
    status, _, err = wgf_says(capsys, "info", "x.h5")
    assert status == 1
    assert "internal error (ZeroDivisionError)" in err
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "info", "x.h5"])


def test_a_warning_is_one_line(here, capsys):
    (here / "student.toml").write_text(edited("lower = [-3.5, -3.0]", "lower = [-0.9, -3.0]"), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        status, _, err = wgf_says(capsys, "run", "student.toml", "--until", "0.2")
    assert status == 0
    assert re.search(r"warning: the box .* leaves out 0\.003 of the initial law", err)
    assert ".py" not in err


def started(*words):
    """A command in a process of its own, that stops at a place (tests/children.py) and hears Ctrl-C, as one at a terminal does."""
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # tests run in the background would not hear it
    return subprocess.Popen(
        [*PROGRAM, *words], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, preexec_fn=heard, start_new_session=True
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_what_it_kept(here, how):
    """Ctrl-C: exit status 130, two lines, a readable file with status interrupted."""
    with started("frames", "3", "run", "student.toml") as process:
        wait_until(lambda: (here / "student.h5").exists() and len(wgf.open_run("student.h5").times) == 3, lambda: process.poll() is None)
        process.send_signal(how)
        _, err = process.communicate(timeout=HANG)
    assert process.returncode == 128 + how
    kept = "interrupted: 3 frames up to t = 0.6667 are kept in student.h5; the same command with --resume goes on"
    assert err.split("\n\n") == [kept, "interrupted\n"]
    run = wgf.open_run("student.h5")
    assert run.status == "interrupted"
    assert run.times == pytest.approx([0, 1 / 3, 2 / 3])
    assert np.isfinite(run.loss).all()


def test_the_error_of_the_density_can_be_left_out(here, capsys):
    status, out, _ = wgf_says(capsys, "run", "student.toml", "--no-density-error")
    assert status == 0
    assert "density " not in out
    assert "density_error" not in wgf.open_run("student.h5").attributes


def test_an_interrupted_estimate_leaves_the_run(here, capsys, monkeypatch):
    """Ctrl-C while the error of the density is estimated: the run is complete, and it is said."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("wgf.studies.theory.error_report.coarser_runs", interrupted)
    status, _, err = wgf_says(capsys, "run", "student.toml", "--quiet")
    assert status == 130
    assert err.split("\n\n") == [
        "interrupted: the run is complete in student.h5, without an estimate of the density's error",
        "interrupted\n",
    ]
    run = wgf.open_run("student.h5")
    assert run.status == "complete"
    assert "density_error" not in run.attributes


def test_an_interrupted_sweep_says_what_it_kept_and_goes_on(here, capsys):
    """Ctrl-C, with two workers: exit status 130, one line and the word; then info says how far it is, and the same command ends it."""
    words = ["compare", "student.toml", "-o", "c.h5", "--sizes", "50", "100", "--replicates", "6", "--workers", "2", "--quiet"]
    kept = 2
    with started("cells", str(kept), *words) as process:
        wait_until(lambda: (here / "c.h5").exists() and progress(here / "c.h5")[0] == kept, lambda: process.poll() is None)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
        _, err = process.communicate(timeout=HANG)
    assert process.returncode == 130
    assert err.split("\n\n") == [f"interrupted: {kept} of 6 cells are kept in c.h5; the same command goes on from there", "interrupted\n"]
    status, _, err = wgf_says(capsys, "info", "c.h5")
    assert (status, err) == (
        2,
        f"error: c.h5 is a comparison of which {kept} of 6 cells are done: call the same sweep again, and it goes on from there\n",
    )
    assert wgf_says(capsys, *words)[0] == 0
    assert wgf.open_comparison("c.h5").attributes["status"] == "complete"


def test_the_demo_tells_the_whole_story(here, capsys, monkeypatch):
    """With few neurons, in this process."""
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(demo, "SIZES", (16, 32))
    monkeypatch.setattr(demo, "REPLICATES", 5)
    monkeypatch.setattr(demo, "NEURONS", 100)
    status, out, err = wgf_says(capsys, "demo")
    assert (status, err) == (0, "")
    check_demo(out)


@pytest.mark.long
def test_the_demo_as_it_is(here):
    """In a process of its own."""
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    done = subprocess.run([sys.executable, "-m", "wgf", "demo"], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    check_demo(done.stdout)


def check_demo(out):
    """In a folder of its own: the files it names are there and open."""
    for name in ("student.toml", "density.h5", "density.png", "neurons.png", "compare.h5", "compare.png"):
        path = Path("wgf-demo") / name
        assert str(path) in out
        assert path.stat().st_size > 400
    run = wgf.open_run("wgf-demo/density.h5")
    assert run.status == "complete"
    assert run.largest_rise <= 0
    assert run.minimum.min() >= 0


def test_help_names_every_command(capsys):
    _, out, _ = wgf_says(capsys, "--help")
    for command in ("run", "compare", "info", "plot", "animate", "demo"):
        assert command in out
        assert wgf_says(capsys, command, "--help")[0] == 0
