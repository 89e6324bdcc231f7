"""The benchmarks run (quick) and print the tables that their README promises; no time is asserted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted(path for path in (Path(__file__).parents[1] / "benchmarks").glob("*.py") if path.stem != "harness")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_benchmark_runs(path, tmp_path):
    output = tmp_path / "out.json"
    done = subprocess.run([sys.executable, path, "--quick", "--output", output], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    tables = json.loads(output.read_text())["tables"]
    assert tables
    for table in tables:
        assert table["title"] in done.stdout
        assert table["rows"]
        assert all(len(row) == len(table["headers"]) for row in table["rows"])


def test_the_readme_names_every_benchmark():
    text = (SCRIPTS[0].parent / "README.md").read_text(encoding="utf-8")
    for path in SCRIPTS:
        assert f"benchmarks/{path.name}" in text
