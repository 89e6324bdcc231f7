"""Published cases: a coarse run of each agrees within the tolerance that is stated, and the page of the manual holds them all."""

import importlib
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from wgf.problems.schema import tomllib

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "published.md"
SLOW = {"feature-crossover", "fluctuations"}  # many draws


@pytest.fixture(scope="module")
def published():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        patch.syspath_prepend(ROOT / "solvers")
        yield importlib.import_module("published")


NAMES = tomllib.loads((ROOT / "benchmarks" / "published.toml").read_text(encoding="utf-8"))


@pytest.mark.coarse
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.long) if name in SLOW else name for name in NAMES])
def test_a_coarse_run_agrees_within_the_tolerance(name, published):
    rows = published.CASES[name].run(quick=True)
    assert rows
    published.check({name: rows})


def table(text):
    """The rows of the page's table, in cells."""
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line.startswith("|")][2:]


def test_the_page_holds_every_case_with_its_source_and_script(published):
    text = PAGE.read_text(encoding="utf-8")
    firsts = [row for row in table(text) if row[0]]
    assert [(row[0], row[1], row[6]) for row in firsts] == [
        (case.title, case.cited, f"`{case.script}`") for case in published.CASES.values()
    ]
    assert len(firsts) >= 12
    for case in published.CASES.values():
        assert case.source in text
        assert (ROOT / case.script).exists()


def test_the_numbers_on_the_page_are_within_the_tolerances(published):
    cases, case = iter(published.CASES.values()), None
    for first, _, quantity, value, ours, off, _ in table(PAGE.read_text(encoding="utf-8")):
        case = next(cases) if first else case
        row = published.Row(quantity, float(value), float(ours))
        assert row.difference <= case.tolerance, quantity
        assert float(off.removesuffix(" %")) / (100 if off.endswith("%") else 1) == pytest.approx(row.difference, rel=0.06, abs=1e-5)


def test_differences_are_relative_and_absolute_at_zero(published):
    assert published.Row("a", -0.5, -0.45).difference == pytest.approx(0.1)
    assert published.Row("a", -0.5, -0.45).cells == ("a", "-0.5", "-0.45", "10 %")
    assert published.Row("b", 0.0, -0.02).cells == ("b", "0", "-0.02", "2.0e-02")


@pytest.mark.parametrize("ours", [0.8, float("nan")])
def test_what_is_off_is_an_error_and_no_page_is_written(ours, published, tmp_path, monkeypatch):
    monkeypatch.setattr(published.Case, "run", lambda self, quick=False: [published.Row("x", 1.0, ours)])
    done = CliRunner().invoke(published.main, ["--page", str(tmp_path / "page.md"), "--output", str(tmp_path / "out.json")])
    assert done.exit_code == 1
    assert re.search(rf"barenblatt: x is {ours:g}, published 1, and may differ by 0.002", done.output)
    assert not (tmp_path / "page.md").exists()
    with pytest.raises(click.ClickException):
        published.check({"barenblatt": [published.Row("x", 1.0, ours)]})


def test_the_page_is_written_whole(published, tmp_path, monkeypatch):
    monkeypatch.setattr(published.Case, "run", lambda self, quick=False: [published.Row("‖x‖, |y|", 2.0, 2.0)])
    done = CliRunner().invoke(published.main, ["--page", str(tmp_path / "page.md"), "--output", str(tmp_path / "out.json")])
    assert done.exit_code == 0
    assert len(table((tmp_path / "page.md").read_text(encoding="utf-8"))) == len(published.CASES)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.json", "page.md"]


def test_a_name_that_is_not_known_and_a_page_of_some_cases_are_refused(published, tmp_path):
    assert "barenblatt" in str(CliRunner().invoke(published.main, ["barenblat"]).exception)
    refused = CliRunner().invoke(published.main, ["kuramoto", "--page", str(tmp_path / "page.md")])
    assert refused.exit_code == 2
    assert "for all cases" in refused.output
