"""What `wgf run --dry-run` foretells, beside what the run then takes: steps, seconds, and memory.

Each forecast and each run is a process of its own. Memory is the most that Python and NumPy allocate (tracemalloc, in a further run, as
that slows some methods down), over the program itself, which is Python, its libraries and the compiled loops; and the peak of the whole
process as the system counts it. Seconds are those of `wgf.solve` with a file: on the clock, of an idle machine; or with
--processor, of the processor, with one thread, where the machine is busy with something else, which is foretold by nobody.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from harness import keep, machine, quick_and_output, show

import wgf
from wgf.ranks.threads import NAMES
from wgf.runs.task import Task, read_task
from wgf.studies.forecast.forecast import forecast

ROOT = Path(__file__).resolve().parents[1]
STUDENT = str(ROOT / "wgf" / "cli" / "examples" / "student.toml")
SWARM = str(ROOT / "solvers" / "aggregation_diffusion.toml")
CASES: dict[str, tuple[str, str | None, dict[tuple[str, ...], Any]]] = {
    "student, 128²": (STUDENT, None, {}),
    "student, 512², to rest": (STUDENT, None, {("domain", "cells"): 512, ("time", "end"): "rest"}),
    "student, 768²": (STUDENT, None, {("domain", "cells"): 768}),
    "student, 768², mc": (STUDENT, None, {("domain", "cells"): 768, ("method", "limiter"): "mc"}),
    "without a box, 384²": (STUDENT, None, {("domain",): {"cells": 384}}),
    "noise 0.02, 256²": (STUDENT, None, {("domain", "cells"): 256, ("noise", "temperature"): 0.02}),
    "noise 0.3, 256²": (STUDENT, None, {("domain", "cells"): 256, ("noise", "temperature"): 0.3, ("time", "end"): 4.0}),
    "three axes, 96³": (STUDENT, None, {("neuron", "theta"): ["c", "a", "b"], ("domain",): {"cells": 96, "lower": -3.5, "upper": 4.5},
                                        ("initial", "mean"): [0.2, 0.5, 0.0], ("initial", "std"): 0.4}),
    "swarm, 96², to t = 1": (SWARM, None, {("time", "end"): 1.0}),
    "variational, 96²": (STUDENT, "jko", {("domain", "cells"): 96}),
    "500,000 neurons": (STUDENT, "particles", {("method", "m"): 500_000}),
    "noisy neurons": (STUDENT, "particles", {("method", "m"): 20_000, ("noise", "temperature"): 0.02}),
    "exact averages, 96²": (STUDENT, "pushforward", {("domain", "cells"): 96}),
    "births and deaths, 256²": (STUDENT, "wasserstein-fisher-rao", {("domain", "cells"): 256}),
    "FiPy, 48²": (STUDENT, "fipy", {("domain", "cells"): 48}),
}  # fmt: skip


def task(name: str) -> Task:
    """The problem, its method and its times."""
    path, method, values = CASES[name]
    return read_task(path, method, values=values)


def foretold(name: str) -> tuple[float, float, float, float]:
    """Steps, seconds, bytes of arrays and of all."""
    warnings.simplefilter("ignore")
    asked = task(name)
    found = forecast(asked.problem, asked.method, asked.until, asked.save)
    return found.expected.steps, found.seconds, found.arrays, found.arrays + found.program


def seen(name: str) -> tuple[float, float, float]:
    """Steps, seconds and the peak of a run's process."""
    warnings.simplefilter("ignore")
    run, seconds = solved(name)
    return len(run.history["time"]) - 1, seconds, 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def allocated(name: str) -> float:
    """The most bytes of arrays in a run, of which the second one is seen, as the first one loads what is run."""
    warnings.simplefilter("ignore")
    asked = task(name)
    forecast(asked.problem, asked.method, asked.until, asked.save, probe=0.0, pilot=0.0)
    tracemalloc.start()
    solved(name)
    return float(tracemalloc.get_traced_memory()[1])


def solved(name: str) -> tuple[wgf.Run, float]:
    """The run, in a file that is then thrown away, and its seconds."""
    asked = task(name)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run = wgf.solve(asked.problem, asked.method, asked.until, asked.save, store=Path(folder) / "r.h5")
        return run, time.perf_counter() - start


def apart(what: Callable[[str], Any], name: str, processor: bool) -> Any:
    """What a function of this file says of a case in a new process."""
    clock = "import time; time.perf_counter = time.process_time; " if processor else ""
    asked = f"{clock}import json, dry_run; print(json.dumps(dry_run.{what.__name__}({name!r})))"
    environment = os.environ | ({name: "1" for name in NAMES} if processor else {})
    where = Path(__file__).parent
    found = subprocess.run([sys.executable, "-c", asked], cwd=where, env=environment, capture_output=True, text=True, check=True)
    return json.loads(found.stdout)


@click.command()
@click.option("--only", help="One of the cases.")
@click.option("--processor", is_flag=True, help="Seconds of the processor, for a busy machine.")
@quick_and_output
def main(only: str | None, processor: bool, quick: bool, output: Path | None) -> None:
    """Print the table and write it as JSON."""
    print(machine())
    rows = []
    for name in [only] if only else list(CASES)[: 1 if quick else None]:
        apart(foretold, name, processor)  # compiles what is not compiled yet: that takes time, and memory of its process
        steps, seconds, arrays, whole = apart(foretold, name, processor)
        taken, measured, peak = apart(seen, name, processor)
        most = apart(allocated, name, processor)
        ratios = [f"{ahead / found:.2f}" for ahead, found in ((seconds, measured), (arrays, most), (whole, peak))]
        rows.append([name, round(steps), taken, seconds, measured, arrays / 1e6, most / 1e6, whole / 1e6, peak / 1e6, *ratios])
        print(rows[-1], flush=True)
    headers = ["run", "steps", "(seen)", "s", "(seen)", "MB of arrays", "(seen)", "MB in all", "(seen)", "time", "arrays", "in all"]
    keep(__file__, [show("Foretold, and seen", headers, rows)], output)


if __name__ == "__main__":
    main()
