"""Compiled code where nothing can be kept: it runs all the same, and says once what would make it start faster."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from numba.core.caching import CompileResultCacheImpl

import wgf
from wgf.kernels import compiled


@pytest.mark.parametrize("kind", [compiled.serial, compiled.threaded, compiled.threaded_sums, compiled.threaded_finite])
def test_a_kernel_without_a_place_for_its_code_is_compiled(kind, monkeypatch):
    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])
    compiled._say_that_nothing_is_kept.cache_clear()

    def doubled(values):
        for k in range(len(values)):
            values[k] *= 2

    with pytest.warns(RuntimeWarning, match=r"compiled code cannot be kept.*set NUMBA_CACHE_DIR to a folder that can be written to"):
        kernel = kind(doubled)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind(doubled)  # which does not say it again
    values = np.arange(3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Numba: there is no loop for threads here
        kernel(values)
    assert values.tolist() == [0, 2, 4]


def test_an_installation_without_a_home_starts(tmp_path):
    """A package beside which nothing can be written, as in an image, and no home: one line, and no error."""
    package = tmp_path / "wgf"
    for path in Path(wgf.__file__).parent.rglob("*.py"):
        target = package / path.relative_to(Path(wgf.__file__).parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        (target.parent / "__pycache__").touch()  # a file where a folder is to be
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", "PYTHONPATH": str(tmp_path), "LOCALAPPDATA": "/dev/null"}
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"} | nowhere
    script = "import wgf.kernels.transport, wgf.kernels.diffusion, wgf.kernels.features; print(wgf.__file__)"
    found = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(str(package))
    assert found.stderr.count("RuntimeWarning: compiled code cannot be kept") == 1


def test_compiled_code_is_forgotten_when_a_file_of_the_kernels_has_changed(tmp_path):
    """Also that of kernels whose own file is as it was: they contain others."""
    newest = max(path.stat().st_mtime for path in Path(compiled.__file__).parent.glob("*.py"))
    for name, time in (("before.nbi", newest - 1), ("after.nbi", newest + 1), ("before.1.nbc", newest - 1)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    compiled._forget_outdated(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["after.nbi", "before.1.nbc"]
