"""The scripts of solvers/ as modules."""

import importlib.util
from pathlib import Path

SOLVERS = Path(__file__).parents[1] / "solvers"


def imported(path):
    """The script as a module: nothing happens at import."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
