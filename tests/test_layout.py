"""The rules of the layout: imports run one way and make no circle, `import wgf` is light, the registers are the only lists."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import wgf
from wgf.methods import METHODS, method_class

PACKAGE = Path(wgf.__file__).parent
LAYERS = (
    "errors",
    "registers",
    "kernels",
    "ranks",
    "measures",
    "networks",
    "problems",
    "methods",
    "runs",
    "studies",
    "plots",
    "cli",
    "__main__",
)
DOCUMENT = PACKAGE.parent / "docs" / "design.md"


def modules():
    """Every module of the package, by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(module):
    """The modules of wgf that `module` imports anywhere in its file: inside functions and for types only, too."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names = [(node.module, alias.name) for alias in node.names]
        else:
            continue
        for parent, name in names:
            if parent.split(".")[0] == "wgf":
                yield f"{parent}.{name}" if f"{parent}.{name}" in MODULES else parent


def layer(module):
    """The number of a module's layer; the top of the package, which only loads others when asked to, is the ground."""
    return LAYERS.index(module.split(".")[1]) if "." in module else -1


def test_imports_run_one_way():
    for module in MODULES:
        for other in imports(module):
            assert layer(other) <= layer(module) or module == "wgf", f"{module} reaches up to {other}"


def test_no_circle_of_imports():
    """Not even inside a package, nor through an import inside a function."""
    graph = {module: set(imports(module)) - {module} for module in MODULES if module != "wgf"}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_every_module_has_a_layer():
    assert {module.split(".")[1] for module in MODULES if "." in module} == set(LAYERS)


def test_the_package_is_a_short_list():
    entries = [path.name for path in PACKAGE.iterdir() if not path.name.startswith("__")]
    assert len(entries) <= 13, sorted(entries)


def test_the_design_names_the_layers_in_their_order():
    table = DOCUMENT.read_text(encoding="utf-8").split("## Layers")[1].split("##")[0]
    named = [line.split("`")[1].strip("/") for line in table.splitlines() if line.startswith("| `")]
    assert tuple(named) == LAYERS


def test_files_are_short():
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 360, path.name


def test_the_door_is_light():
    """`import wgf` and `wgf --help` load neither NumPy nor Numba, h5py, matplotlib or FiPy."""
    for code in ("import wgf", "import wgf.cli"):
        heavy = "import sys; print([name for name in ('numpy', 'numba', 'h5py', 'matplotlib', 'fipy', 'scipy') if name in sys.modules])"
        found = subprocess.run([sys.executable, "-c", f"{code}; {heavy}"], capture_output=True, text=True, check=True)
        assert found.stdout.strip() == "[]", code


def test_every_public_name_can_be_had():
    for name in wgf.__all__:
        assert getattr(wgf, name) is not None
    assert set(dir(wgf)) >= set(wgf.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Neuronn'"):
        wgf.Neuronn  # noqa: B018


def test_type_checkers_see_the_names_of_the_register():
    """`__init__.pyi` imports each public name from the module from which it is loaded at run time."""
    seen = {}
    for node in ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname == alias.name  # the form that makes a name public in a stub
                seen[alias.name] = node.module.removeprefix("wgf.")
    assert seen == wgf._WHERE


SCRIPT = """
import numpy as np
import wgf

data = wgf.Data.quadrature(np.sin, nodes=20)
problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh"), data), wgf.Gaussian(mean=[0.0, 0.0], std=[1.0, 1.0]))
run = wgf.solve(problem, wgf.FiniteVolume(cells=16), until=1.0)
reveal_type(wgf.solve)
reveal_type(run.loss)
wgf.solve(problem, wgf.FiniteVolume(cells=16), until=[1.0])
run.losses
"""


@pytest.mark.long
def test_a_script_of_a_user_is_checked(tmp_path):
    """A type checker in strict mode knows what `solve` takes and gives, and finds two mistakes of a user and no others."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(PACKAGE.parent / "pyproject.toml"), str(script)]
    found = subprocess.run(command, capture_output=True, text=True, cwd=PACKAGE.parent).stdout
    errors = [
        line for line in found.splitlines() if ": error:" in line and "script.py:" in line
    ]  # the folder may be that of an earlier run
    assert 'Revealed type is "def (problem: wgf.problems.problem.Problem' in found
    assert "numpy.ndarray" in found
    assert len(errors) == 2, found
    assert "until" in errors[0]
    assert '"Run" has no attribute "losses"' in errors[1]


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_a_frozen_dataclass_with_a_line_for_people(name):
    cls = method_class(name)
    required = {
        "finite-volume": {"cells": 8},
        "fipy": {"mesh": wgf.Circle(8)},
        "jko": {"cells": 8},
        "pushforward": {"cells": 8},
        "quantile-jko": {"cells": 8},
        "particles": {"m": 8},
    }.get(name, {})
    method = cls(**required)
    assert cls.__dataclass_params__.frozen
    assert "\n" not in repr(method)
    assert repr(method).startswith(cls.__name__ + "(")


def test_an_unknown_method_is_an_input_error():
    with pytest.raises(wgf.InputError, match=r"unknown method 'finite-volumes' \(did you mean 'finite-volume'\?\)"):
        method_class("finite-volumes")
