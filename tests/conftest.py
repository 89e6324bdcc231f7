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


def pytest_collection_modifyitems(items):
    """`@pytest.mark.coarse`: the cells are far too few for the law, at the start or later, on purpose, since what the test is about
    (contracts, files, orders from coarse grids on) does not depend on how well the law is resolved. Only these two warnings are let pass.
    """
    for item in items:
        if item.get_closest_marker("coarse"):
            item.add_marker(pytest.mark.filterwarnings("ignore:.* cells per standard deviation of the initial law:wgf.ResolutionWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:.* in a cluster that is narrower than a cell:wgf.ResolutionWarning"))
