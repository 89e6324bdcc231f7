"""Every script in solvers/ runs, coarse, and leaves what its first lines promise; its energy never rises, beyond rounding."""

import dataclasses
import inspect
import re

import h5py
import pytest
from artists import shown
from matplotlib.figure import Figure
from scripts import SOLVERS, imported

import wgf

SCRIPTS = sorted(SOLVERS.glob("*.py"))
COARSE = {1: 100, 2: 32, 3: 16}
SHORT = 0.1
ROUNDING = 2e-14  # relative; with noise, E comes to rest and then moves by rounding


def check(run):
    assert run.largest_rise <= (ROUNDING if run.attributes["temperature"] > 0 else 0)
    assert run.history["minimum"].min() >= 0
    if not run.attributes["growth"]:
        assert run.mass == pytest.approx(1, abs=1e-12)


def runs(folder):
    """The runs among the files of a folder; a study's file says its kind."""
    for path in folder.glob("*.h5"):
        with h5py.File(path) as file:
            kind = file.attrs.get("kind")
        if kind is None:
            yield wgf.open_run(path)


def drawn(monkeypatch):
    """The figures that are written from now on."""
    found, write = [], Figure.savefig

    def looking(self, *args, **options):
        found.append(self)
        write(self, *args, **options)

    monkeypatch.setattr(Figure, "savefig", looking)
    return found


def coarse(method, dim):
    if isinstance(method, wgf.FiPyMesh):
        return dataclasses.replace(method, mesh=dataclasses.replace(method.mesh, spacing=8 * method.mesh.spacing))
    return dataclasses.replace(method, cells=(COARSE[dim],) * dim)


SLOW = {"lazy_to_mean_field", "mei_montanari_nguyen"}  # however coarse


@pytest.mark.coarse
@pytest.mark.parametrize(
    "path", [pytest.param(path, marks=pytest.mark.long) if path.stem in SLOW else path for path in SCRIPTS], ids=lambda path: path.stem
)
@pytest.mark.filterwarnings("ignore::wgf.BoundaryWarning")
@pytest.mark.filterwarnings("ignore::wgf.RestWarning")  # what ends at rest has no time for it
def test_the_script_runs_coarse(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    script = imported(path)
    assert list(tmp_path.iterdir()) == []
    methods = {name: coarse(getattr(script, name), script.problem.dim) for name in ("density", "sphere") if hasattr(script, name)}
    if hasattr(script, "neurons"):
        methods["neurons"] = dataclasses.replace(script.neurons, m=100)
    parameters = inspect.signature(script.main).parameters
    if "sizes" in parameters:  # of a study of numbers of points
        methods["sizes"] = parameters["sizes"].default[:3]
    if "draws" in parameters:
        methods["draws"] = 3
    figures = drawn(monkeypatch)
    script.main(**methods, until=min(SHORT, parameters["until"].default))
    assert capsys.readouterr().out
    promised = set(re.findall(r"\b\w+\.(?:png|h5|vtkhdf)\b", script.__doc__))
    written = {file.name for file in tmp_path.iterdir()}
    assert promised
    assert promised <= written
    assert len(figures) == len(list(tmp_path.glob("*.png")))
    assert not any(panel.spines["top"].get_visible() for figure in figures for panel in shown(figure))  # one style for all
    for run in runs(tmp_path):
        assert run.status == "complete"
        check(run)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:.* in a cluster that is narrower than a cell:wgf.ResolutionWarning")  # what Keller–Segel is about
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_script_as_it_is(path, tmp_path, monkeypatch):
    """In full, and without another warning."""
    monkeypatch.chdir(tmp_path)
    imported(path).main()
    for run in runs(tmp_path):
        check(run)


def test_the_published_curves_are_met(tmp_path, monkeypatch):
    """Javanmard, Mondelli & Montanari 2020, in the paper's time, which is ours.

    The published curves are of 200 neurons and read off a figure (±10 %); the PDE lies within 15 % of them.
    """
    monkeypatch.chdir(tmp_path)
    script = imported(next(path for path in SCRIPTS if path.stem.startswith("javanmard")))
    for delta, published in script.PUBLISHED.items():
        problem = script.case(delta)
        size = problem.energy.data.norm(problem.energy.data.targets) ** 2
        run = wgf.solve(problem, dataclasses.replace(script.density, cells=(200,)), until=3.0, save=list(script.PUBLISHED_TIMES))
        ratio = run.loss[1:] / size / published
        assert ratio == pytest.approx(1, rel=0.15)
