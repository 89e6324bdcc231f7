"""The benchmarks run (quick) and print the tables that their README promises; no time is asserted."""

import json
import runpy
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted(path for path in (Path(__file__).parents[1] / "benchmarks").glob("*.py") if path.stem != "harness")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
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
