"""Strong and weak scaling of the finite volumes over MPI, and what communication takes of it.

Each row is a run of `mpiexec -n P` of its own, with one thread a rank and all cells active, so that all ranks have as much to do. The
guests of a shared machine slow a core down by a fifth for seconds at a time, so the runs take turns, and of each row the quickest step
of all its turns counts: that of a moment in which all of its cores were its own.

Communication is measured in the run, by a clock around each exchange of ghosts and each reduction; it contains the waiting for the slowest
rank. Latency and bandwidth are those of messages between two ranks here.

The projection to many ranks is none of a measurement: the time of a step in one process, divided by P, and the exchanges and reductions
of a step at the latency a and the bandwidth b that were measured,

    T(P) = T(1)/P + (exchanges)·(2p a + bytes/b) + (reductions)·log₂(P)·a,

for parts as they would be cut, without what a network does when all of its nodes speak at a time.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from harness import keep, machine, quick_and_output, show

from wgf.ranks.decomposition import GHOSTS, boxes, counts_of
from wgf.ranks.threads import NAMES

FOLDER = Path(__file__).resolve().parent
AXES = {2: ("c", "a"), 3: ("c", "a", "b")}
PROJECTED = (16, 64, 256, 1024)
REDUCTIONS = ("sum", "highest", "lowest", "any", "gather", "highest_begun")
EXCHANGES = ("start", "finish")


class Clock:
    """Seconds, and how often, in some methods of a class."""

    def __init__(self) -> None:
        self.seconds, self.calls, self.inside = 0.0, Counter[str](), False

    def watch(self, kind: type, names: tuple[str, ...]) -> None:
        """From now on those of these methods that the class has."""
        for name in names:
            if hasattr(kind, name):
                setattr(kind, name, self._timed(getattr(kind, name), name))

    def _timed(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            if self.inside:  # one calls another
                return method(*arguments)
            self.inside, start = True, time.perf_counter()
            try:
                return method(*arguments)
            finally:
                self.inside = False
                self.seconds += time.perf_counter() - start
                self.calls[name] += 1

        return timed


def steps(cells: tuple[int, ...], count: int) -> None:
    """On each rank: so many steps; rank 0 prints what one takes."""
    import wgf
    from wgf.ranks.communicator import Ranks, current
    from wgf.ranks.redistribution import Redistribution

    p, ranks, clock = len(cells), current(), Clock()
    data = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, 40)
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", AXES[p]), data), wgf.Gaussian([0.5] * p, [0.4] * p))
    stepper: Any = wgf.FiniteVolume(cells, [-2.5] * p, [3.5] * p, negligible=0.0).bind(problem, 10.0)
    state = stepper.start()
    stepper.step(state, 10.0)  # compiles, and is taken twice
    clock.watch(Ranks, REDUCTIONS)
    clock.watch(Redistribution, EXCHANGES)
    ranks.gather(0)
    clock.seconds, clock.calls = 0.0, Counter()
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        stepper.step(state, 10.0)
        taken.append(time.perf_counter() - start)
    spoken, calls = clock.seconds, clock.calls
    shares = ranks.gather(spoken / sum(taken))
    if ranks.first:
        reductions = sum(calls[name] for name in REDUCTIONS)
        found = {
            "seconds": min(taken),
            "share": max(shares),
            "exchanges": calls["start"] / count,
            "reductions": reductions / count,
        }
        print(json.dumps(found), flush=True)


def messages(repeats: int) -> None:
    """On two ranks: the latency of a message, and the bandwidth of large ones."""
    from wgf.ranks.communicator import current

    ranks = current()
    least = {}
    for size in (1, 2**19):
        values, other, best = np.zeros(size), 1 - ranks.rank, math.inf
        for _ in range(repeats):
            start = time.perf_counter()
            for sends in (ranks.first, not ranks.first):
                ranks.communicator.Send(values, other) if sends else ranks.communicator.Recv(values, other)
            best = min(best, 0.5 * (time.perf_counter() - start))
        least[size] = best
    if ranks.first:
        print(json.dumps({"latency": least[1], "bandwidth": 8.0 * 2**19 / (least[2**19] - least[1])}), flush=True)


def on_ranks(ranks: int, call: str, threads: int = 1) -> dict[str, float]:
    """What rank 0 prints of a call of a function of this file on so many ranks, of so many threads each."""
    program = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec") or "mpiexec"
    command = [program, "-n", str(ranks), sys.executable, "-c", f"import scaling; scaling.{call}"]
    environment = os.environ | dict.fromkeys(NAMES, str(threads))
    found = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True, check=False)
    if found.returncode:
        raise SystemExit(found.stderr)
    result: dict[str, float] = json.loads(found.stdout)
    return result


def named(cells: tuple[int, ...]) -> str:
    """As people write it."""
    return " × ".join(map(str, cells))


def scaled(cells: tuple[int, ...], ranks: list[int], count: int, rounds: int, weak: bool) -> tuple[list[list[Any]], dict[str, float]]:
    """The rows of a table, strong or weak, and what was measured on the last number of ranks, with the seconds of one.

    The runs of a table take turns, and of each the one with the quickest step counts.
    """
    sizes = {number: (cells[0] * number, *cells[1:]) if weak else cells for number in ranks}
    runs = [(number, 1) for number in ranks]
    if not weak:  # what the threads of one process do with as many cores
        runs.append((1, min(ranks[-1], os.cpu_count() or 1)))
    found: dict[tuple[int, int], dict[str, float]] = {}
    for _ in range(rounds):
        for number, threads in runs:
            again = on_ranks(number, f"steps({sizes[number]}, {count})", threads)
            found[number, threads] = min(again, found.get((number, threads), again), key=lambda each: each["seconds"])
    one, rows = found[1, 1]["seconds"], []
    for number, threads in runs:
        seconds, share = found[number, threads]["seconds"], found[number, threads]["share"]
        efficiency = one / seconds if weak else one / seconds / (number * threads)
        rows.append([named(sizes[number]), number, threads, 1e3 * seconds, one / seconds, f"{efficiency:.0%}", f"{share:.0%}"])
    return rows, found[ranks[-1], 1] | {"one": one}


def projected(cells: tuple[int, ...], ranks: int, found: dict[str, float], speech: dict[str, float], weak: bool) -> list[Any]:
    """A row of the projection."""
    p, part = len(cells), 1.0 if weak else float(ranks)
    grown = tuple(round(n * ranks ** (1 / p)) for n in cells) if weak else cells
    parts = boxes(grown, counts_of(ranks, grown, p - 1))
    sides = np.diff(parts, axis=2)[:, :, 0]
    ghosts = 8.0 * float((np.prod(np.minimum(sides + 2 * GHOSTS, grown), axis=1) - np.prod(sides, axis=1)).max())
    exchanging = found["exchanges"] * (2 * p * speech["latency"] + ghosts / speech["bandwidth"])
    reducing = found["reductions"] * math.log2(ranks) * speech["latency"]
    seconds = found["one"] / part + exchanging + reducing
    efficiency = found["one"] / part / seconds
    return [named(grown), ranks, 1e3 * seconds, f"{efficiency:.0%}", 1e3 * exchanging, 1e3 * reducing]


@click.command()
@click.option("--ranks", multiple=True, type=int, help="Numbers of ranks  [default: 1, 2, … the cores]")
@quick_and_output
def main(ranks: tuple[int, ...], quick: bool, output: Path | None) -> None:
    """Print the tables and write them as JSON."""
    print(machine())
    chosen = sorted({1, *(ranks or range(1, max(2, os.cpu_count() or 1) + 1))})
    cases, count, rounds = ([(48, 48)], 3, 1) if quick else ([(2048, 2048), (128, 128, 128)], 12, 8)
    headers = ["cells", "ranks", "threads", "ms a step", "times as fast", "efficiency", "communication"]
    strong, weak, later = [], [], []
    speech = on_ranks(2, f"messages({100 if quick else 2000})")
    for cells in cases:
        rows, found = scaled(cells, chosen, count, rounds, weak=False)
        strong += rows
        weak += scaled(cells, chosen, count, 1 + rounds // 3, weak=True)[0]
        for several in (False, True):
            later += [projected(cells, number, found, speech, several) for number in PROJECTED[: 1 if quick else None]]
    tables = [show("Strong scaling: the same cells on more ranks", headers, strong)]
    tables.append(show("Weak scaling: as many cells on each rank", headers, weak))
    numbers = [["latency, µs", 1e6 * speech["latency"]], ["bandwidth, GB/s", 1e-9 * speech["bandwidth"]]]
    tables.append(show("A message between two ranks", ["", "measured"], numbers))
    title = "A projection, not a measurement: these cells on more ranks, then as many on each, with the messages of this machine"
    headers = ["cells", "ranks", "ms a step", "efficiency", "of it exchanges", "reductions"]
    tables.append(show(title, headers, later))
    keep(__file__, tables, output)


if __name__ == "__main__":
    main()
