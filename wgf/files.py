"""Any file that wgf wrote, opened as what it is."""

from __future__ import annotations

from pathlib import Path

from wgf.hdf5 import reading
from wgf.observers.store import open_run
from wgf.run import Run
from wgf.sweep import Comparison, open_comparison


def open_result(path: str | Path) -> Run | Comparison:
    """The run or the comparison in an HDF5 file."""
    with reading(path := Path(path)) as file:
        comparison = file.attrs.get("kind") == "comparison"
    return open_comparison(path) if comparison else open_run(path)
