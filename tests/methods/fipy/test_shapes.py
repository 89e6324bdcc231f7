"""Domains in problem files, from the command line: every shape runs, and a wrong one is one line."""

import h5py
import numpy as np
import pytest
from commands import wgf_says
from meshes import SQUARE

import wgf
from wgf.methods.fipy.domains import SHAPES
from wgf.methods.fipy.method import CONVECTION

pytestmark = pytest.mark.coarse

PLANE = """
[neuron]
activation = "tanh"
theta = ["c", "a"]

[data]
inputs = { law = "uniform", nodes = 20 }
teacher = [ { c = 1.0, a = 2.0 } ]

[initial]
law = "gaussian"
mean = [0.2, 0.5]
std = [0.3, 0.3]

[method]
name = "fipy"

[time]
end = 0.2
save = 2
"""
SPACE = PLANE.replace('"a"]', '"a", "b"]').replace("mean = [0.2, 0.5]", "mean = [0.2, 0.5, 0.1]").replace("[0.3, 0.3]", "[0.3, 0.3, 0.3]")
DOMAINS = {
    "box": 'lower = [-2, -2]\nupper = [2.5, 3]\ncells = [12, 10]\nboundary = "no-flux"',
    "disc": 'radius = 2.5\nspacing = 0.5\ncenter = [0.1, 0.0]\npattern = "rings"',
    "annulus": "inner = 0.05\nouter = 2.5\nspacing = 0.5",
    "sphere": "spacing = 0.5\nradius = 1.0",
    "circle": "cells = 24",
    "gmsh": 'file = "square.geo"\nspacing = 0.6',
}
MESHES = {
    "box": "12 × 10 on [-2, 2.5] × [-2, 3]",
    "disc": "cells in rings",
    "annulus": "annulus of radii 0.05 and 2.5",
    "sphere": "sphere of radius 1",
    "circle": "24 arcs",
    "gmsh": "mesh of square.geo",
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder, and the problem in a folder beside it, with the geometry that it names."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (tmp_path / "square.geo").write_text(SQUARE, encoding="utf-8")
    return tmp_path


def written(folder, domain, method="", text=PLANE):
    path = folder / "p.toml"
    path.write_text(text.replace('name = "fipy"', f'name = "fipy"\n{method}') + f"\n[domain]\n{domain}\n", encoding="utf-8")
    return str(path)


@pytest.mark.filterwarnings("ignore::wgf.BoundaryWarning")  # a little of the law is in the hole
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_runs_and_is_kept(shape, here, capsys):
    problem = written(here, f'shape = "{shape}"\n{DOMAINS[shape]}', text=SPACE if shape == "sphere" else PLANE)
    status, out, err = wgf_says(capsys, "run", problem, "-o", "r.h5")
    assert (status, err) == (0, "")
    assert MESHES[shape] in out
    assert "it never rose" in out
    with h5py.File("r.h5") as file:
        assert file["density"].shape == (2, len(file["mesh/volumes"]))
        assert file["mass"][:] == pytest.approx(1, abs=1e-10)
        assert file.attrs["status"] == "complete"
    run = wgf.open_run("r.h5")
    data = run.problem.energy.data
    assert run.measures[-1].predict(data.inputs) == pytest.approx(run.prediction[-1], abs=1e-9)
    for command in (["info", "r.h5"], ["plot", "r.h5"], ["export", "r.h5"]):
        assert wgf_says(capsys, *command)[0] == 0


@pytest.mark.parametrize("term", CONVECTION)
def test_the_term_is_an_option(term, here, capsys):
    problem = written(here, DOMAINS["box"], f'convection = "{term}"\ndiffusion = "two-point"\ncells_per_step = 0.3')
    status, out, err = wgf_says(capsys, "run", problem, "-o", "r.h5")
    if term == "central":
        assert (status, err.count("\n")) in [(0, 0), (1, 1)]
        assert status == 0 or "below zero" in err
    else:
        assert (status, err) == (0, "")
        assert f", {term})" in out


def test_another_method_from_the_command_line(here, capsys):
    """The same box for both; they agree."""
    problem = written(here, DOMAINS["box"])
    assert wgf_says(capsys, "run", problem, "-o", "fipy.h5", "--cells", "32", "32")[0] == 0
    assert wgf_says(capsys, "run", problem, "-o", "ours.h5", "--method", "finite-volume", "--cells", "32", "32")[0] == 0
    theirs, ours = wgf.open_run("fipy.h5"), wgf.open_run("ours.h5")
    assert theirs.data.norm(theirs.prediction[-1] - ours.prediction[-1]) <= 1e-4
    assert wgf_says(capsys, "compare", "fipy.h5", "ours.h5", "--distances", "sliced_w2")[0] == 0
    assert wgf_says(capsys, "run", problem, "-o", "cloud.h5", "--method", "particles")[0] == 0
    assert wgf_says(capsys, "plot", "fipy.h5", "cloud.h5")[0] == 0


def test_a_box_is_found_where_none_is_given(here, capsys):
    status, out, err = wgf_says(capsys, "run", written(here, "cells = 20"), "-o", "r.h5")
    assert (status, err) == (0, "")
    assert "FiPyMesh(20 × 20 on [" in out


@pytest.mark.parametrize(
    ("domain", "method", "message"),
    [
        ('shape = "dics"', "", "[domain]: shape = 'dics' is not known (did you mean 'disc'?); allowed: box, disc"),
        ('shape = "disc"\nspacing = 0.1', "", "[domain]: radius is missing"),
        ('shape = "disc"\nradius = 2.5\nspacing = 0', "", "[domain]: the disc has spacing = 0: it must be a positive number"),
        ('shape = "disc"\nradius = 2.5\nspacing = nan', "", "[domain]: the disc has spacing = nan: it must be a positive number"),
        ('shape = "disc"\nradius = 2.5\nspaicng = 0.1', "", "spacing is missing"),
        ('shape = "disc"\nradius = 2.5\nspacing = 0.1\ncells = 3', "", "unknown key 'cells'"),
        ('shape = "disc"\nradius = "big"\nspacing = 0.1', "", "radius = 'big' is not a number"),
        ('shape = "gmsh"', "", "[domain]: file is missing"),
        ('shape = "gmsh"\nfile = "none.geo"', "", "none.geo of a mesh or a geometry for Gmsh does not exist"),
        ('shape = "gmsh"\nfile = "p.toml"', "", "Gmsh cannot make a mesh of"),
        ('shape = "sphere"\nspacing = 0.3', "", "sphere of radius 1, "),
        ("cells = 8\ngrow = true", "", "grow = true is for finite-volume"),
        ('shape = "circle"\ncells = 8', 'convection = "upwnd"', "[method]: unknown convection term 'upwnd' (did you mean 'upwind'?)"),
        ('shape = "circle"\ncells = 8', "sweeps = 1", "[method]: sweeps = 1: a whole number, at least 2"),
        ('shape = "circle"\ncells = 8', "mesh = 3", "[method]: unknown key 'mesh'"),
    ],
)
def test_a_wrong_domain_is_one_line(domain, method, message, here, capsys):
    status, _, err = wgf_says(capsys, "run", written(here, domain, method), "-o", "r.h5")
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
    assert list((here / "work").iterdir()) == []


def test_meshes_are_for_fipy(here, capsys):
    problem = written(here, f'shape = "disc"\n{DOMAINS["disc"]}')
    status, _, err = wgf_says(capsys, "run", problem, "--method", "finite-volume")
    assert (status, err.count("\n")) == (2, 1)
    assert "shape = 'disc' is for the method fipy; all others take a box" in err
    status, _, err = wgf_says(capsys, "run", problem, "--cells", "8")
    assert (status, err.count("\n")) == (2, 1)
    status, _, err = wgf_says(capsys, "run", written(here, "cells = 8"), "--cells", "0")
    assert (status, err.count("\n")) == (2, 1)
    status, _, err = wgf_says(capsys, "run", written(here, f'shape = "disc"\n{DOMAINS["disc"]}'), "--cells", "8")
    assert "--cells is for boxes; how fine the mesh is for shape = 'disc' is set in [domain]" in err


def test_a_missing_gmsh_is_one_line(here, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gmsh", None)
    for shape in ("annulus", "sphere", "gmsh"):
        problem = written(here, f'shape = "{shape}"\n{DOMAINS[shape]}', text=SPACE if shape == "sphere" else PLANE)
        status, _, err = wgf_says(capsys, "run", problem)
        assert (status, err.count("\n")) == (2, 1)
        assert "made by Gmsh, which is not installed: pip install gmsh" in err
    assert np.array_equal(list((here / "work").iterdir()), [])
