"""The manual's site: every public name is documented in one format, and pages made from code miss nothing of it."""

import inspect
import os
import re
import subprocess
import sys

import pytest
from numpydoc.docscrape import NumpyDocString
from pages import ROOT

import wgf
from wgf.measures.laws import Law

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
