"""What every test stands on: figures without a screen, two threads, and the same random examples in every run."""

import os
import sys
from pathlib import Path

import pytest

os.environ["MPLBACKEND"] = "Agg"
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
