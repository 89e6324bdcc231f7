"""Any file that wgf wrote, opened as what it is."""

from __future__ import annotations

from pathlib import Path

from wgf.errors import InputError
from wgf.observers.store import open_run
from wgf.run import Run
from wgf.sweep import Comparison, open_comparison


def open_result(path: str | Path) -> Run | Comparison:
    """The run or the comparison in an HDF5 file."""
    import h5py

    path = Path(path)
    if not path.is_file():
        raise InputError(f"file {path} does not exist")
    try:
        with h5py.File(path, "r") as file:
            comparison = file.attrs.get("kind") == "comparison"
    except OSError as error:
        raise InputError(f"{path} is not an HDF5 file: {error}") from None
    return open_comparison(path) if comparison else open_run(path)
