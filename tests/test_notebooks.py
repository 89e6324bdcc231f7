"""The notebooks run, and each claim of the lecture is seen in the cell that docs/claims.md names, with the figure that it gives."""

import ast
import math
import re
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest
from children import HANG
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LECTURE = [path for path in NOTEBOOKS if path.stem[0].isdigit()]
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]\d+)?")
ROUNDING = 1e-6  # what is smaller may be another number on another machine


def table():
    """The rows of docs/claims.md: (heading of the cell, notebook, anchor, what is seen)."""
    for line in (ROOT / "docs" / "claims.md").read_text(encoding="utf-8").splitlines():
        if "](../notebooks/" in line:
            _, claim, where, seen, _ = re.split(r"(?<!\\)\|", line)
            assert claim.strip(), line
            heading, name, anchor = re.fullmatch(r"\[(.+)\]\(\.\./notebooks/(.+)#(.+)\)", where.strip()).groups()
            yield heading, name, anchor, re.sub(r"\\(.)", r"\1", seen.strip())


TABLE = list(table())


def anchor_of(heading):
    """As GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def claims(notebook):
    """Number of a claim → (its heading, the cell that shows it)."""
    found = {}
    for text, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        heading = re.match(r"## ((\d\.\d+) .+)\n", text.source)
        if heading:
            assert cell.cell_type == "code", heading[1]
            assert cell.metadata.get("tags") == [f"claim-{heading[2]}"]
            found[heading[2]] = heading[1], cell
    return found


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def agree(line, seen):
    """Whether two lines have the same words, and numbers that differ by a tenth, by one in the last digit, or by rounding."""
    if NUMBER.split(line) != NUMBER.split(seen):
        return False
    pairs = zip(NUMBER.findall(line), NUMBER.findall(seen), strict=True)
    return all(math.isclose(float(one), float(other), rel_tol=0.1, abs_tol=max(last_digit(other), ROUNDING)) for one, other in pairs)


def last_digit(number):
    return 1.01 * 10.0 ** Decimal(number).as_tuple().exponent


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.long) if path in LECTURE else path for path in NOTEBOOKS],
    ids=lambda path: path.stem,
)
def test_the_notebook_runs_and_shows_what_the_table_says(path, tmp_path, monkeypatch):
    """Its asserts hold; no warning; figures of matplotlib are seen, and what ends a cell by its name is shown as HTML."""
    monkeypatch.delenv("MPLBACKEND")  # a notebook draws by its own
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=None, startup_timeout=HANG, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert {output.get("name", "stdout") for output in outputs} == {"stdout"}
    assert sum("image/png" in output.get("data", ()) for output in outputs) >= 2
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.splitlines()[-1].isidentifier():
            assert any("text/html" in output.get("data", ()) for output in cell.outputs), cell.source
    shown = claims(notebook)
    for heading, _, _, seen in (row for row in TABLE if row[1] == path.name):
        _, cell = shown[heading.split()[0]]
        assert any(agree(line, seen) for line in printed(cell).splitlines()), (
            f"{heading}: the table has {seen!r}, the cell {printed(cell)!r}"
        )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_is_stored_without_what_running_it_put_in(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), "make notebooks"


@pytest.mark.parametrize("path", LECTURE, ids=lambda path: path.stem)
def test_every_claim_is_in_the_table_and_held_to_a_number(path):
    """An assert that compares what the cell has computed, and a chapter ends with things to try."""
    notebook = nbformat.read(path, as_version=4)
    shown = claims(notebook)
    assert [(path.name, heading, anchor_of(heading)) for heading, _ in shown.values()] == [
        (name, heading, anchor) for heading, name, anchor, _ in TABLE if name == path.name
    ]
    for heading, cell in shown.values():
        checks = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)]
        assert checks, heading
        for check in checks:
            parts = list(ast.walk(check.test))
            compares = any(isinstance(part, ast.Compare) for part in parts) or "allclose" in ast.unparse(check.test)
            assert compares, heading
            assert any(isinstance(part, ast.Name) for part in parts), heading
    assert re.match(r"## Try\n", notebook.cells[-1].source)


def test_the_table_has_the_chapters_of_the_lecture():
    assert [path.stem[0] for path in LECTURE] == list("1234567")
    assert len(TABLE) >= 25


@pytest.mark.parametrize(
    ("line", "seen", "alike"),
    [
        ("slope -1.06 at m = 16", "slope -1.05 at m = 16", True),
        ("slope -1.30 at m = 16", "slope -1.05 at m = 16", False),
        ("slope -1.05 at n = 16", "slope -1.05 at m = 16", False),
        ("off by 3e-16", "off by 9e-15", True),
        ("off by 3e-05", "off by 9e-15", False),
        ("0.0 of it", "0.3 of it", False),
    ],
)
def test_figures_agree_up_to_their_last_digit(line, seen, alike):
    assert agree(line, seen) == alike
