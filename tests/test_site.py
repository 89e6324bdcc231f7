"""The manual's site: every public name is documented in one format, and pages made from code miss nothing of it."""

import ast
import inspect
import itertools
import os
import re
import subprocess
import sys

import pytest
from markdown_it import MarkdownIt
from numpydoc.docscrape import NumpyDocString
from pages import PAGES, ROOT

import wgf
from wgf.cli import COMMANDS
from wgf.measures.laws import LAWS, Law
from wgf.methods import METHODS
from wgf.methods.fipy.domains import SHAPES
from wgf.plots import DRAWERS
from wgf.problems.internal import INTERNAL
from wgf.problems.potentials import POTENTIALS

NAMES = [name for name in wgf.__all__ if name != "__version__"]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(wgf, name))]
SECTIONS = ("Parameters", "Other Parameters", "Attributes")
WITH_PARAMETERS = ("from_file", "quadrature", "samples")  # ways to make Data


def documented(text):
    """The names that a docstring describes, with type and text."""
    parsed = NumpyDocString(text)
    return {
        name.lstrip("*"): (item.type, " ".join(item.desc))
        for section in SECTIONS
        for item in parsed[section]
        for name in re.split(r",\s*", item.name)
    }


def check_parameters(thing, text):
    """Each parameter of a call is described, with its type."""
    found = documented(text)
    for name in inspect.signature(thing).parameters:
        assert name in found, f"{name} is not described"
        kind, what = found[name]
        assert kind, f"{name} has no type"
        assert what, f"{name} has no text"


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_documented(name):
    """Parameters with types, what a function returns; a warning or an error says when it comes."""
    thing = getattr(wgf, name)
    text = inspect.getdoc(thing)
    assert text
    assert len(text.split("\n")[0]) > 10
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return
    check_parameters(thing, text)
    if inspect.isfunction(thing) and inspect.signature(thing).return_annotation not in ("None", None):
        assert NumpyDocString(text)["Returns"], "nothing is said of what it returns"


def test_the_check_of_parameters_can_fail():
    def call(x):
        """It."""

    with pytest.raises(AssertionError, match="x is not described"):
        check_parameters(call, inspect.getdoc(call))


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_member_is_documented(name):
    """Methods and properties; what every law has is documented once (laws/base.py)."""
    kind = getattr(wgf, name)
    for member, value in vars(kind).items():
        if member.startswith("_") or not (inspect.isfunction(value) or isinstance(value, classmethod | property)):
            continue
        assert inspect.getdoc(getattr(kind, member)) or inspect.getdoc(getattr(Law, member)), f"{name}.{member}"


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_ways_to_make_data_are_documented(name):
    call = getattr(wgf.Data, name)
    check_parameters(call, inspect.getdoc(call))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The pages made from code, by name; made in another process, as the package `generate` belongs to docs/."""
    folder = tmp_path_factory.mktemp("site")
    code = f"import sys; sys.path.insert(0, 'docs'); import generate; from pathlib import Path; generate.write(Path({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.*") if path.suffix != ".ipynb"}


def test_pages_are_made_of_everything(made):
    """A page for every public name; every command, method, law, shape, potential and kind of figure in its place."""
    assert {f"api/{name}.rst" for name in NAMES} <= set(made)
    for name in COMMANDS:
        assert f"## wgf {name}\n" in made["command_line.md"]
    for register, word in ((METHODS, "name"), (LAWS, "law"), (SHAPES, "shape"), (POTENTIALS, "potential"), (INTERNAL, "kind")):
        for name in register:
            assert f'{word} = "{name}"\n' in made["problem_file.md"], name
    for kind in DRAWERS:
        assert f"## {kind}\n" in made["figures.md"]


def test_every_key_of_a_problem_file_has_a_meaning(made):
    """Rows of tables with a last column: the key, its kind, what it is left out, and what it means."""
    rows = [line.strip("| ").split(" | ") for line in made["problem_file.md"].splitlines() if line.startswith("| `")]
    of_potentials = made["problem_file.md"].split("## V and W, by potential")[1].count("\n| `")
    assert sum(len(row) == 4 and bool(row[3].strip()) for row in rows) == len(rows) - of_potentials > 60
    assert not [row for row in rows if "<class" in str(row) or "typing." in str(row)]


def test_a_key_without_a_meaning_is_seen():
    """The generator asks the code that reads problem files: what is not told of is found."""
    code = (
        "import sys; sys.path.insert(0, 'docs'); from generate import problem_file as p; "
        "p.MEANINGS['time'].pop('save'); print([row for row in p.pages()['problem_file.md'].splitlines() if row.startswith('| `save`')][0])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    assert found.stdout.strip().endswith("|  |")


def test_every_derivation_is_on_a_page(made):
    """A module with more than a few lines of text has a place among the subjects."""
    told = "\n".join(text for name, text in made.items() if name.startswith("theory/"))
    texts = {path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in (ROOT / "wgf").rglob("*.py")}
    long_ones = [path for path, text in texts.items() if text.count("\n") >= 6]
    assert len(long_ones) > 80
    for path in long_ones:
        assert f"`{path.relative_to(ROOT)}`" in told


def test_every_script_is_in_the_gallery(made):
    for path in (ROOT / "solvers").glob("*.py"):
        assert f"## `{path.name}`" in made["gallery.md"]


def test_links_to_generated_pages_lead_somewhere(made):
    """From a page, or between them, to a page or a notebook."""
    notebooks = {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    targets = {target for text in PAGES.values() for target in re.findall(r"\]\([./]*generated/([^)#]+)", text)}
    assert len(targets) > 10
    assert targets <= {*made, *notebooks}


def emphasised(text):
    """What Markdown sets in italics."""
    tokens = [token for line in MarkdownIt("commonmark").enable("table").parse(text) for token in line.children or ()]
    for k, token in enumerate(tokens):
        if token.type == "em_open":
            yield "".join(part.content for part in itertools.takewhile(lambda one: one.type != "em_close", tokens[k:]))


def test_no_formula_is_taken_for_emphasis(made):
    """As in ∂_t μ = … ∂_t ν, or f* and L*."""
    assert list(emphasised("from *μ* to (∂_t μ = 0)_."))
    for text in [*PAGES.values(), *(text for name, text in made.items() if name.endswith(".md"))]:
        assert not [part for part in emphasised(text) if re.search("[∂∇μφ]", part)]


@pytest.mark.parametrize("page", sorted(PAGES))
def test_no_page_names_a_place_on_this_machine(page):
    assert not re.search(r"(?<![\w.])/(home|root|tmp|work|usr|mnt|Users)/", PAGES[page])


def test_pictures_are_small():
    """They are stored with the project: a hundred kilobytes or so each."""
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs" / "pictures" / "gallery").glob("*.png")}
    assert len(sizes) > 20
    assert max(sizes.values()) < 200_000
    assert sum(sizes.values()) < 2_500_000


@pytest.mark.long
def test_the_site_is_built_without_a_warning(tmp_path):
    """Without executing notebooks, which have tests of their own; links between pages that lead nowhere are warnings."""
    build = [sys.executable, "-m", "sphinx", "--builder", "html", "--fail-on-warning", "--quiet", "-D", "nb_execution_mode=off"]
    done = subprocess.run(
        [*build, "docs", str(tmp_path)], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").exists()
    for path in tmp_path.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert str(ROOT) not in text
