"""Any file that wgf wrote, opened as what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wgf.runs.hdf5 import reading
from wgf.runs.observers.writer import open_run
from wgf.runs.run import Run
from wgf.studies.pair import Pair, open_pair
from wgf.studies.sweeps.comparison import Comparison, open_comparison

OPENERS: dict[str, Callable[[Path], Run | Comparison | Pair]] = {"comparison": open_comparison, "pair": open_pair, "run": open_run}


def open_result(path: str | Path) -> Run | Comparison | Pair:
    """The run, the comparison of a sweep, or that of two runs in an HDF5 file."""
    with reading(path := Path(path)) as file:
        kind = str(file.attrs.get("kind", "run"))
    return OPENERS[kind](path)
