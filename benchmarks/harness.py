"""What the benchmarks share: timing, the machine in one line, tables on the screen and JSON beside the script."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numba
import numpy as np
from tabulate import tabulate

ROUND = 0.3  # seconds


def best_seconds(functions: Sequence[Callable[[], Any]], repeats: int = 7) -> list[float]:
    """The least time of each function over `repeats` rounds, after a warm-up.

    They run in turn, A B A B …, so that noise of the machine hits all of them alike. In a round a short one runs again and again for
    ROUND seconds: of few short times the least would depend on luck, where cores are slower for seconds and faster for others.
    """
    for function in functions:
        function()
    best = [np.inf] * len(functions)
    for _ in range(repeats):
        for k, function in enumerate(functions):
            ending = time.perf_counter() + ROUND
            while True:
                begun = time.perf_counter()
                function()
                ended = time.perf_counter()
                best[k] = min(best[k], ended - begun)
                if ended >= ending:
                    break
    return best


def time_at(target: float, errors: Sequence[float], seconds: Sequence[float]) -> float:
    """The time at an error, log–log between the two rows around it, or along the two that are nearest to it."""
    k = int(np.clip(np.searchsorted(-np.array(errors), -target), 1, len(errors) - 1))
    e, t = np.log(errors[k - 1 : k + 1]), np.log(seconds[k - 1 : k + 1])
    return float(np.exp(t[0] + (np.log(target) - e[0]) / (e[1] - e[0]) * (t[1] - t[0])))


def quick_and_output(command: Callable[..., None]) -> Callable[..., None]:
    """The two options that every benchmark has."""
    quick = click.option("--quick", is_flag=True, help="Small cases only: to see that the script runs.")
    output = click.option("--output", type=click.Path(path_type=Path), help="The JSON file.")
    return quick(output(command))


def machine() -> str:
    """Cores, threads and versions; no names."""
    return (
        f"{os.cpu_count()} cores, {numba.get_num_threads()} threads, {platform.machine()}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}"
    )


def show(title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Print a table; returns it as a dictionary for the JSON file."""
    print(f"\n{title}")
    print(tabulate(rows, headers, tablefmt="simple", floatfmt=".3g"), flush=True)
    return {"title": title, "headers": list(headers), "rows": [list(row) for row in rows]}


def keep(script: str, tables: Sequence[dict[str, Any]], output: Path | None = None) -> None:
    """Write the tables as JSON, beside the script unless `output` says where."""
    path = output or Path(script).with_suffix(".json")
    path.write_text(json.dumps({"machine": machine(), "tables": list(tables)}, indent=1, default=float), encoding="utf-8")
    print(f"\nwrote {path.name}")
