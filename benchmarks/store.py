"""What it costs to keep a run: on 256 × 256 cells beside the same run in memory, with many frames beside plain h5py, and beside readers."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from importlib import resources
from pathlib import Path

import click
import h5py
from harness import best_seconds, keep, machine, quick_and_output, show

import wgf

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
        tables = [
            show(
                f"A run on {n} × {n} cells to t = {until:g}: in memory, and how many times as long where it is kept",
                ["frames", "seconds in memory", "kept", "by plain h5py", "frames/s kept", "MB"],
                rows,
            ),
            show(f"The same beside {READERS} readers", ["frames", "how many times as long"], [[251, read / stored]]),
        ]
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
