"""What the documents say is true: the README's examples run, the manual names what there is."""

import ast
import functools
import re
from importlib import metadata
from pathlib import Path

import pytest
from pages import MANUAL, PAGES, ROOT

import wgf
from wgf.cli import COMMANDS
from wgf.measures.distances.entropic import DOMAINS
from wgf.measures.distances.register import DISTANCES
from wgf.measures.laws import LAWS
from wgf.methods import METHODS
from wgf.methods.finite_volume.integrators import INTEGRATORS, LIMITERS
from wgf.methods.finite_volume.method import SCHEMES
from wgf.methods.fipy.domains import SHAPES
from wgf.methods.fipy.equation import CONVECTION, DIFFUSION
from wgf.methods.geometry.mirror_descent import BREGMAN
from wgf.methods.particles import langevin
from wgf.networks.activations import ACTIVATIONS
from wgf.problems.formula import CONSTANTS, FUNCTIONS
from wgf.problems.internal import INTERNAL
from wgf.problems.potentials import POTENTIALS
from wgf.registers import load
from wgf.runs.rest import as_end
from wgf.runs.solve import save_times
from wgf.runs.task import read_task

README = (ROOT / "README.md").read_text(encoding="utf-8")
FOLDERS = ["wgf", "solvers", "benchmarks", "tests", "docs", "notebooks", ".github"]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", *PAGES]


COARSE = {
    "(128, 128)": "(24, 24)",
    "10_000": "50",
    "until=5.0": "until=0.2",
    "until=10.0": "until=0.2",
    "until=20.0": "until=0.4",
    "until=40.0": "until=2.0",
}


def coarsened(code):
    """On coarser grids, for a shorter time and with fewer neurons, which changes numbers but no names."""
    return functools.reduce(lambda text, words: text.replace(*words), COARSE.items(), code)


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def examples(language):
    """The code blocks of all documents in this language, each named by its page and its place there."""
    return [
        pytest.param(code, id=f"{Path(page).stem}-{count}")
        for page, text in {"README.md": README, **PAGES}.items()
        for count, code in enumerate(blocks(text, language), start=1)
    ]


@pytest.mark.parametrize("code", examples("python"))
@pytest.mark.coarse
@pytest.mark.filterwarnings("ignore::wgf.BoundaryWarning")
def test_every_python_example_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "problem.toml").write_text(blocks(README, "toml")[0], encoding="utf-8")
    (tmp_path / "data.csv").write_text("x,y\n" + "\n".join(f"{k / 10},{(k / 10) ** 3}" for k in range(-10, 11)) + "\n")
    exec(compile(coarsened(code), "example", "exec"), {"__name__": "example"})


CALLS = [
    line for text in (README, MANUAL) for line in re.findall(r"^wgf \w.*", text, flags=re.MULTILINE) if "wgf takes your data" not in line
]


@pytest.mark.parametrize("line", sorted({line.split("  ")[0] for line in CALLS}))
def test_every_command_line_is_one(line):
    """The command is there, and has the options."""
    name, *words = line.removeprefix("wgf ").split()
    known = {option for item in load(COMMANDS[name]).params for option in (*item.opts, *item.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= known


@pytest.mark.parametrize("text", examples("toml"))
def test_every_problem_file_is_read(text, tmp_path):
    if "[neuron]" not in text and "[energy]" not in text:  # a part: with the problem of the first example
        text = blocks(README, "toml")[0].split("[domain]")[0] + text
    (tmp_path / "problem.toml").write_text(text, encoding="utf-8")
    (tmp_path / "data.csv").write_text("x,y\n0,1\n1,2\n")
    task = read_task(tmp_path / "problem.toml")
    assert save_times(as_end(task.until), task.save)[-1] > 0
    assert repr(task.problem)


REGISTERS = {  # each with the words with which its place in the manual begins
    "activations": (ACTIVATIONS, "**Activations**"),
    "laws": (LAWS, "| in a file | in Python |"),
    "limiters": (LIMITERS, "**`finite-volume`**"),
    "integrators": (INTEGRATORS, "**`finite-volume`**"),
    "schemes for the noise": (SCHEMES, "| | `gibbs` | `split` |\n|---|---|---|\n| how |"),
    "Bregman divergences": (BREGMAN, "**`mirror-descent`**"),
    "domains of the scalings": (DOMAINS, "- `domain`: "),
    "distances": (DISTANCES, "| name | distance |"),
    "schemes of noisy particles": (langevin.SCHEMES, "**`particles`**"),
    "shapes": (SHAPES, "| shape | domain |"),
    "convection": (CONVECTION, "**`fipy`**"),
    "diffusion": (DIFFUSION, "**`fipy`**"),
    "potentials": (POTENTIALS, "| `potential` |"),
    "functions and constants of formulas": ([*CONSTANTS, *FUNCTIONS], "A formula knows "),
    "internal energies": (INTERNAL, "- U is "),
    "commands": ([f"wgf {name}" for name in COMMANDS], "| command | does |"),
    **{f"the method {name}": ([name], f"**`{name}`**, `{load(target).__name__}(") for name, target in METHODS.items()},
}


def place(beginning):
    """The paragraph, table or item of the manual that begins so."""
    (found,) = [part for part in re.split(r"\n\n|\n(?=- )", MANUAL) if part.startswith(beginning)]
    return found


@pytest.mark.parametrize(("register", "beginning"), REGISTERS.values(), ids=REGISTERS)
def test_the_manual_names_every_entry_of_the_registers(register, beginning):
    """Where it speaks of them: `loss`, `log` and `box` occur elsewhere for other reasons."""
    for name in register:
        assert re.search(rf"`{re.escape(name)}[` ]", place(beginning)), name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists() or "generated/" in target, target  # tests/test_site.py looks for these


def docstrings(path):
    """All docstrings of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    return "\n".join(ast.get_docstring(node) or "" for node in nodes)


TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
TEXTS |= {str(path.relative_to(ROOT)): docstrings(path) for folder in ("wgf", "solvers") for path in (ROOT / folder).rglob("*.py")}
OF_INSIDE = {"docs/guide/extending.md"}  # for those who add to the package: its blocks run
DOTTED = [
    (name, where)
    for where, text in TEXTS.items()
    if where not in OF_INSIDE
    for name in re.findall(r"(?<![\w./])wgf((?:\.[A-Za-z_]\w*)+)(?!\w*:)", text)
]
OF_CLASSES = {match for match in re.findall(r"(?<![\w./])([A-Z]\w*)\.([a-z_]\w*)", MANUAL) if match[0] in wgf.__all__}


@pytest.mark.parametrize(("dotted", "where"), sorted(dict(DOTTED).items()))
def test_every_dotted_name_of_the_documents_is_public(dotted, where):
    """As in a process that has imported nothing but wgf: by the register of public names, not by a module that happens to be loaded."""
    first, *rest = dotted.removeprefix(".").split(".")
    thing = wgf.__getattr__(first)
    for name in rest:
        assert hasattr(thing, name), f"wgf{dotted} in {where}"
        thing = getattr(thing, name)


def test_a_module_that_is_loaded_is_no_public_name():
    """What the check above stands on: `wgf.measures` is there, for it was imported, and is not public."""
    assert wgf.measures
    with pytest.raises(AttributeError, match="has no attribute 'measures'"):
        wgf.__getattr__("measures")


@pytest.mark.parametrize(("kind", "name"), sorted(OF_CLASSES))
def test_what_the_manual_says_a_class_has_it_has(kind, name):
    assert hasattr(getattr(wgf, kind), name)


def test_the_changelog_knows_the_version():
    assert f"## {wgf.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_nobody_is_told_to_install_another_project():
    """The package is wgf, but what an index has under this name is not ours: it is installed from its folder, or by its own name."""
    texts = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".md", ".toml", ".ipynb", ".yml"}]
    texts += [path for path in ROOT.iterdir() if path.is_file() and path.suffix in {".md", ".cfg", ".toml", ".cff", ""}]
    wrong = re.compile(r"install[^\n`]*[ '\"]wgf(\[|'|\"|`|\s|$)|['\"]wgf\[")
    assert len(texts) > 300
    assert wrong.search(f"pip install {wgf.__name__}")
    assert not [path for path in texts if wrong.search(path.read_text(encoding="utf-8", errors="ignore"))]


def test_the_distribution_brings_the_command():
    """Under its own name, which setup.cfg says."""
    found = metadata.distribution("mean-field-networks")
    assert found.version == wgf.__version__
    assert [(entry.name, entry.value) for entry in found.entry_points] == [("wgf", "wgf.cli:main")]
