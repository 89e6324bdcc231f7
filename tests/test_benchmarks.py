"""The benchmarks run (quick) and print the tables that their README promises; no time is asserted."""

import importlib
import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

SHARED = {"harness", "density_cases"}  # by them
SCRIPTS = sorted(path for path in (Path(__file__).parents[1] / "benchmarks").glob("*.py") if path.stem not in SHARED)
SLOW = {
    "startup",
    "peers",
    "densities",
    "sweep",
    "published",
    "scaling",
    "dry_run",
}  # even then; tests/test_published.py has the cases one by one


@pytest.mark.parametrize(
    "path", [pytest.param(path, marks=pytest.mark.long) if path.stem in SLOW else path for path in SCRIPTS], ids=lambda path: path.stem
)
@pytest.mark.filterwarnings("ignore")
def test_the_benchmark_runs(path, tmp_path, monkeypatch, capsys):
    """As `python benchmarks/x.py --quick`, in this process, which has imported and compiled what it needs."""
    output = tmp_path / "out.json"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(path.parent)
    monkeypatch.setattr(sys, "argv", [str(path), "--quick", "--output", str(output)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out
    assert not end.value.code
    tables = json.loads(output.read_text())["tables"]
    assert tables
    for table in tables:
        assert table["title"] in printed
        assert table["rows"]
        assert all(len(row) == len(table["headers"]) for row in table["rows"])


def test_the_readme_names_every_benchmark():
    text = (SCRIPTS[0].parent / "README.md").read_text(encoding="utf-8")
    for path in SCRIPTS:
        assert f"benchmarks/{path.name}" in text


@pytest.mark.parametrize("scale", [0.0063, 0.1, 10.0])
def test_the_lazy_student_descends_as_published(scale, monkeypatch):
    """wgf's run beside a few lines of NumPy: pairs, and 200 steps of min(10, 0.1/τ²) down the gradient of ½ mean (φ − f*)².

    In 100 dimensions these steps are stable; in few they are not, and descent makes rounding grow.
    """
    monkeypatch.syspath_prepend(SCRIPTS[0].parent)
    experiment = importlib.import_module("lazy_teacher").Experiment(dim=100, samples=100, m=6, steps=200)
    learn, test = experiment.data(3)
    start, end = experiment.students(scale, learn, 3)

    c, a = start.parameters[:, 0].copy(), start.parameters[:, 1:].copy()
    assert np.array_equal(c[::2], -c[1::2])
    assert np.array_equal(a[::2], a[1::2])
    assert a.std() == pytest.approx(scale, rel=0.2)
    for x in (learn.inputs, test.inputs):
        assert np.linalg.norm(x, axis=1) == pytest.approx(1.0)
    x, y, eta = learn.inputs, learn.targets, min(10.0, 0.1 / scale**2)
    for _ in range(200):
        hidden = np.maximum(a @ x.T, 0.0)
        residual = (c @ hidden - y) / len(y)
        c, a = c - eta * hidden @ residual, a - eta * c[:, None] * ((hidden > 0) * residual @ x)

    assert end.parameters == pytest.approx(np.column_stack([c, a]), rel=1e-11, abs=1e-13 * np.abs(a).max())
    loss = 0.5 * np.mean((c @ np.maximum(a @ test.inputs.T, 0.0) - test.targets) ** 2)
    assert experiment.outcome(scale, 3)[1] == pytest.approx(loss, rel=1e-11)
