"""Sweeps over keys of a problem file: their table, their file, their figure, and going on with them."""

import h5py
import numpy as np
import pytest
from artists import legend
from commands import wgf_says

import wgf
from wgf.runs.task import read_task
from wgf.studies.open import open_result

pytestmark = pytest.mark.coarse

PROBLEM = """
title = "swept"
[neuron]
activation = "tanh"
theta = ["c", "a"]
[data]
file = "data.csv"
test = 0.25
[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = [0.4, 0.4]
[method]
name = "particles"
m = 20
[time]
end = 0.4
save = 3
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a problem, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    x = np.linspace(-1, 1, 16)
    (tmp_path / "data.csv").write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, np.sin(2 * x), strict=True)))
    (tmp_path / "p.toml").write_text(PROBLEM, encoding="utf-8")
    return tmp_path


def over(**more):
    return {"penalty.strength": [0, 0.01, 0.1], "method.m": [10, 20], **more}


def test_each_cell_is_the_run_of_its_settings(here):
    found = wgf.sweep("p.toml", over(), workers=1)
    assert (found.keys, found.shape) == (("penalty.strength", "method.m"), (3, 2))
    run = _run({("penalty", "strength"): 0.1, ("method", "m"): 10})
    assert found.settings((2, 0)) == {"penalty.strength": 0.1, "method.m": 10}
    for name in ("loss", "test_loss", "free_energy", "dissipation"):
        assert np.array_equal(found.series[name][2, 0], getattr(run, name))
    assert found.steps[2, 0] == len(run.history["time"]) - 1
    assert found.last("loss")[2, 0] == run.loss[-1]
    assert found.best == tuple(np.unravel_index(found.last("test_loss").argmin(), (3, 2)))


def test_the_numbers_do_not_depend_on_the_processes_nor_on_an_interruption(here):
    whole = wgf.sweep("p.toml", over(), workers=2, store="whole.h5")
    wgf.sweep("p.toml", over(), workers=1, store="part.h5")
    with h5py.File("part.h5", "r+") as file:  # as it is left by one that was killed in its third cell
        file.attrs["status"] = "running"
        file["done"][1:] = 0
        for name in ("loss", "time"):
            file[name][1:] = np.nan
        file["loss"][0, 0] = 7.0  # which is kept
    with pytest.raises(wgf.InputError, match="2 of 6 cells are done"):
        wgf.open_sweep("part.h5")
    again = wgf.sweep("p.toml", over(), workers=1, store="part.h5")
    assert (again.series["loss"][0, 0] == 7).all()
    assert np.array_equal(again.series["loss"][1:], whole.series["loss"][1:])
    opened = open_result("part.h5")
    assert isinstance(opened, wgf.Sweep)
    assert (opened.keys, opened.values) == (again.keys, again.values)
    for name, table in again.series.items():
        assert np.array_equal(opened.series[name], table, equal_nan=True)


def test_another_sweep_is_left_alone(here):
    wgf.sweep("p.toml", {"method.m": [5]}, workers=1, store="s.h5")
    with pytest.raises(wgf.InputError, match=r"s\.h5 holds another sweep, a sweep of 'swept'; it is left alone"):
        wgf.sweep("p.toml", {"method.m": [6]}, workers=1, store="s.h5")
    (here / "data.csv").write_text("x,y\n0,1\n1,2\n2,2\n3,3\n")
    with pytest.raises(wgf.InputError, match="another sweep"):
        wgf.sweep("p.toml", {"method.m": [5]}, workers=1, store="s.h5")
    assert wgf.sweep("p.toml", {"method.m": [6]}, workers=1, store="s.h5", overwrite=True).values == ((6,),)


def test_a_run_that_fails_is_told_and_the_others_go_on(here):
    found = wgf.sweep("p.toml", {"penalty.strength": [0, 1e90]}, {"method.step": 0.01}, workers=1)
    assert found.notes[1].startswith("failed: after")
    assert np.isnan(found.last("loss")[1])
    assert np.isfinite(found.last("loss")[0])
    assert found.best == (0,)


def test_the_command_shows_a_table_and_draws_a_figure(here, capsys):
    words = ["--over", "penalty.strength=0,0.01,0.1", "--over", "initial.law=gaussian", "--set", "method.m=10", "--workers", "1"]
    status, out, err = wgf_says(capsys, "sweep", "p.toml", *words)
    assert (status, err) == (0, "")
    assert "3 over penalty.strength and initial.law" in out
    assert out.count("gaussian") == 4  # rows, and the lowest one
    assert (here / "p-sweep.png").stat().st_size > 10_000
    assert wgf_says(capsys, "info", "p-sweep.h5")[1].count("gaussian") >= 4
    assert wgf_says(capsys, "plot", "p-sweep.h5", "-o", "again.png")[0] == 0
    figure = wgf.open_sweep("p-sweep.h5").plot()
    left, right = figure.axes
    assert legend(left)[1] == "strength = 0.01, law = gaussian"
    assert right.get_xlabel() == "penalty.strength"
    assert wgf_says(capsys, "sweep", "p.toml", *words, "--quiet")[0] == 0  # which is done already


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--over", "penalty.strenght=0,1"], "p.toml, [penalty]: unknown key 'strenght' (did you mean 'strength'?)"),
        (["--over", "penalty.strength=0,-1"], "p.toml, [penalty]: the penalty has strength = -1"),
        (["--over", "penalty.strength=0,0"], "penalty.strength has a value twice: 0, 0"),
        (["--over", "penalty.strength"], "'penalty.strength' has no value: give the key and its value as table.key=value"),
        (["--over", "method.m=1", "--over", "method.m=2"], "--over names a key twice"),
        (["--over", "method.m=1", "--set", "time.ende=2"], "[time]: unknown key 'ende' (did you mean 'end'?)"),
    ],
)
def test_what_cannot_be_swept_is_said_before_anything_is_solved(here, capsys, words, message):
    status, out, err = wgf_says(capsys, "sweep", "p.toml", *words)
    assert (status, out) == (2, "")
    assert message in err
    assert not (here / "p-sweep.h5").exists()


@pytest.mark.parametrize("name", ["loss", "note", "steps"])
def test_a_file_whose_tables_do_not_fit_is_refused(here, name):
    wgf.sweep("p.toml", {"method.m": [5, 6]}, workers=1, store="s.h5")
    with h5py.File("s.h5", "r+") as file:
        values = file[name][:1]
        del file[name]
        file.create_dataset(name, data=values, dtype=h5py.string_dtype() if name == "note" else None)
    with pytest.raises(wgf.InputError, match="the file is damaged"):
        wgf.open_sweep("s.h5")


def _run(values):
    task = read_task("p.toml", values=values)
    return wgf.solve(task.problem, task.method, task.until, task.save)
