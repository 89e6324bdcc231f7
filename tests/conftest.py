"""What every test stands on: figures without a screen, two threads in all, and the same random examples in every run.

`make test` runs two processes (pytest-xdist) with one thread each, also in what they start; alone, pytest has two threads.
"""

import os
import sys
from pathlib import Path

import pytest

os.environ["MPLBACKEND"] = "Agg"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.update(dict.fromkeys(("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
else:
    os.environ.setdefault("NUMBA_NUM_THREADS", "2")

from hypothesis import HealthCheck, settings

settings.register_profile("wgf", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, max_examples=40)
settings.load_profile("wgf")


@pytest.fixture
def fipy(monkeypatch):
    """FiPy, which calls the program gmsh from the PATH; pip puts it beside python."""
    from wgf.methods.fipy.bridge import load_fipy

    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    return load_fipy()
