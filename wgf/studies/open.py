"""Any file that wgf wrote, opened as what it is."""

from __future__ import annotations

from pathlib import Path

from wgf.errors import InputError
from wgf.registers import load
from wgf.runs.hdf5 import reading
from wgf.runs.run import Run, check_version
from wgf.studies.lazy.study import LazyStudy
from wgf.studies.pair import Pair
from wgf.studies.sweeps.comparison import Comparison
from wgf.studies.sweeps.over_settings import Sweep

OPENERS = {  # kind of file → "module:function"
    "run": "wgf.runs.reader:open_run",
    "comparison": "wgf.studies.sweeps.comparison:open_comparison",
    "pair": "wgf.studies.pair:open_pair",
    "lazy": "wgf.studies.lazy.study:open_lazy",
    "sweep": "wgf.studies.sweeps.over_settings:open_sweep",
}


def open_result(path: str | Path) -> Run | Comparison | Pair | LazyStudy | Sweep:
    """The run, the comparison over sizes, that of two runs, the lazy study, or the sweep over keys in an HDF5 file."""
    with reading(path := Path(path)) as file:
        check_version(path, file.attrs)
        kind = str(file.attrs.get("kind", "run"))
    if kind not in OPENERS:
        raise InputError(f"{path} holds {kind}, which a script has written: open it with h5py")
    result: Run | Comparison | Pair | LazyStudy | Sweep = load(OPENERS[kind])(path)
    return result
