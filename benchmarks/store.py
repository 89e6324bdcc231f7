"""What it costs to keep a run: on 256 × 256 cells beside the same run in memory, with many frames beside plain h5py, and beside readers.

For a run of minutes, with the frames and checkpoints that it has by default, the time inside the writer is taken as a share of the run's
own: two runs of minutes differ by more than that on most machines.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import h5py
from harness import best_seconds, keep, machine, quick_and_output, show

import wgf
from wgf.runs.observers.writer import Writer

READERS = 4
READER = """
import sys, time, h5py
while True:
    with h5py.File(sys.argv[1]) as file:
        file["density"][-1].sum()
    time.sleep(0.05)
"""


class PlainFile:
    """Frames into a file that h5py keeps open: no transaction, no checkpoint, nothing a reader may look at."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.file = h5py.File(path, "w")
        packing = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        self.density = self.file.create_dataset("density", (0, *shape), "f8", maxshape=(None, *shape), chunks=(1, *shape), **packing)

    def frame(self, frame: wgf.Frame) -> None:
        rows = len(self.density)
        self.density.resize(rows + 1, axis=0)
        self.density[rows] = frame.measure.values
        self.file.flush()

    def step(self, diagnostics: object) -> None:
        """Nothing is kept of it."""

    def close(self, error: BaseException | None) -> None:
        self.file.close()


@contextlib.contextmanager
def readers(path: Path) -> Iterator[None]:
    """Processes that read the last frame twenty times a second, and this one, which holds the file open."""
    processes = [subprocess.Popen([sys.executable, "-c", READER, str(path)], stderr=subprocess.DEVNULL) for _ in range(READERS)]
    try:
        with h5py.File(path):
            yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


class Stopwatch:
    """The time that passes inside of functions, and how often they are called."""

    def __init__(self) -> None:
        self.seconds, self.calls = 0.0, 0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time taken."""

        def call(*given: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                self.seconds, self.calls = self.seconds + time.perf_counter() - begun, self.calls + 1

        return call


def share_of_writing(run: Callable[[], Any]) -> list[Any]:
    """A row: the seconds that a run takes, the share of them inside the writer, in percent, and the transactions."""
    writing, transactions = Stopwatch(), Stopwatch()
    with contextlib.ExitStack() as stack:
        for name in ("__init__", "frame", "step", "close"):
            stack.enter_context(patch.object(Writer, name, writing.timed(getattr(Writer, name))))
        stack.enter_context(patch.object(Writer, "_write", transactions.timed(Writer._write)))
        begun = time.perf_counter()
        run()
        seconds = time.perf_counter() - begun
    return [seconds, 100 * writing.seconds / seconds, transactions.calls + 1]


@click.command()
@click.option("--repeats", default=5, show_default=True, help="Rounds, of which the least time counts.")
@quick_and_output
def main(repeats: int, quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    print(machine())
    n, until, repeats = (32, 0.2, 1) if quick else (256, 5.0, repeats)
    problem = wgf.Problem.from_text(resources.files("wgf.cli").joinpath("examples/student.toml").read_text(encoding="utf-8"))
    method = wgf.FiniteVolume((n, n), (-4.0, -5.0), (4.0, 5.0))
    with tempfile.TemporaryDirectory() as folder:
        path, plain = Path(folder) / "run.h5", Path(folder) / "plain.h5"

        def in_memory(save: int) -> None:
            wgf.solve(problem, method, until, save)

        def kept(save: int) -> None:
            wgf.solve(problem, method, until, save, store=path, overwrite=True)

        def kept_plainly(save: int) -> None:
            wgf.solve(problem, method, until, save, observers=[PlainFile(plain, (n, n))])

        rows = []
        for save in (11, 251):
            seconds = best_seconds([partial(each, save) for each in (in_memory, kept, kept_plainly)], repeats)
            memory, stored, beside = seconds
            rows.append([save, memory, stored / memory, beside / memory, (save - 1) / stored, path.stat().st_size / 2**20])
        with readers(path):
            (read,) = best_seconds([partial(kept, 251)], repeats)
        slow = wgf.FiniteVolume((n, n), (-4.0, -5.0), (4.0, 5.0), courant=0.7 if quick else 0.0025, negligible=0.0)
        long = share_of_writing(lambda: wgf.solve(problem, slow, until, store=path, overwrite=True))
        tables = [
            show(
                f"A run on {n} × {n} cells to t = {until:g}: in memory, and how many times as long where it is kept",
                ["frames", "seconds in memory", "kept", "by plain h5py", "frames/s kept", "MB"],
                rows,
            ),
            show("The same in short steps, by default", ["seconds", "of them in the writer, %", "transactions"], [long]),
            show(f"The same beside {READERS} readers", ["frames", "how many times as long"], [[251, read / stored]]),
        ]
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
