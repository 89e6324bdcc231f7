"""The rules of the house: imports run one way, the door is light, the registers are the only lists."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import wgf
from wgf.methods import METHODS, method_class

HOUSE = Path(wgf.__file__).parent
FLOORS = (
    ("errors", "kernels", "__init__"),
    ("measures", "networks", "problems", "methods"),
    ("runs",),
    ("studies",),
    ("plots",),
    ("cli",),
    ("__main__",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imports(path):
    """The rooms of wgf that a file imports when it is imported itself (not those inside functions or for types only)."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "wgf":
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else ["__init__"]


def test_imports_run_one_way():
    for path in HOUSE.rglob("*.py"):
        room = path.relative_to(HOUSE).parts[0].removesuffix(".py")
        for other in imports(path):
            assert FLOOR[other] <= FLOOR[room], f"{path.name} (floor {FLOOR[room]}) reaches up to {other} (floor {FLOOR[other]})"


def test_every_room_has_a_floor():
    rooms = {path.relative_to(HOUSE).parts[0].removesuffix(".py") for path in HOUSE.rglob("*.py")}
    assert rooms == set(FLOOR)


def test_files_are_short():
    for path in HOUSE.rglob("*.py"):
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


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_a_frozen_dataclass_with_a_line_for_people(name):
    cls = method_class(name)
    required = {"finite-volume": {"cells": 8}, "fipy": {"mesh": wgf.Circle(8)}, "jko": {"cells": 8}, "particles": {"m": 8}}.get(name, {})
    method = cls(**required)
    assert cls.__dataclass_params__.frozen
    assert "\n" not in repr(method)
    assert repr(method).startswith(cls.__name__ + "(")


def test_an_unknown_method_is_an_input_error():
    with pytest.raises(wgf.InputError, match=r"unknown method 'finite-volumes' \(did you mean 'finite-volume'\?\)"):
        method_class("finite-volumes")
