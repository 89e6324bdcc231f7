"""What runs in another process and stops at a marked place, so that no test depends on who is faster.

A child that has come to its place waits there for a signal, and a test sees by its file that it has: `python -m children frames 3 run
problem.toml` is `wgf run` that stops at its third frame, `cells 2 compare …` is `wgf compare` that stops when two cells are done, and
under MPI, where the other ranks are two, `others 2 compare …` one in which they wait in the first two. Or it says through a pipe
where it is and goes on when it is told to (`Places`).
"""

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

from wgf.runs.observers import writer

HANG = 600.0  # seconds, after which a child that does not come to its place is said to hang: nothing else depends on time
PROGRAM = (sys.executable, "-m", "children")
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))}


def is_deaf(_):
    """Whether Ctrl-C has been kept from this process since it was started."""
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def wait_for_a_signal():
    while True:
        signal.pause()


def wait_until(condition, alive):
    """Wait for a child to come to a place."""
    begun = time.monotonic()
    while not condition():
        assert alive(), "the child ended before it came to its place"
        assert time.monotonic() - begun < HANG, "the child hangs"
        time.sleep(0.01)


class Watching:
    """An observer that does nothing."""

    def frame(self, frame): ...

    def step(self, diagnostics): ...

    def close(self, error): ...


class StopAtFrame(Watching):
    """An observer that waits for a signal at a frame, which is on the disk then; the first one is t = 0."""

    def __init__(self, number):
        self.left, writer.SHARE = number, math.inf

    def frame(self, frame):
        self.left -= 1
        if self.left == 0:  # the signal may have come already, since the frame is on the disk
            while not signal.getsignal(signal.SIGTERM).__self__.waiting:
                time.sleep(0.01)


class Held:
    """A function of the cells of a sweep that waits for a signal in some of them; it is sent to the workers."""

    def __init__(self, function, cells):
        self.function, self.cells = function, {(cell.size, cell.pair) for cell in cells}

    def __call__(self, cell):
        if (cell.size, cell.pair) in self.cells:
            wait_for_a_signal()
        return self.function(cell)


def holding(number):
    """`answering` (wgf/studies/sweeps/parallel.py) whose tasks after so many of them wait, in whichever process."""
    from wgf.studies.sweeps.parallel import answering

    return lambda function, tasks, workers: answering(Held(function, tasks[number:]), tasks, workers)


class HeldOnOtherRanks(Held):
    """Under MPI: the given cells wait on the other ranks, one on each; rank 0 begins its first cell when all of them wait.

    Whoever comes first, the others so have the first cells, and rank 0 has the rest.
    """

    def __call__(self, cell):
        from mpi4py import MPI

        if MPI.COMM_WORLD.rank:
            Path(f"waiting-{MPI.COMM_WORLD.rank}").touch()
        else:
            wait_until(lambda: len(list(Path.cwd().glob("waiting-*"))) == len(self.cells), lambda: True)
        return super().__call__(cell)


def stop_at_frame(number):
    """In this process `wgf run` stops at a frame."""
    from wgf.runs import solve

    observed = solve.solve

    def stopping(*arguments, observers=(), **options):
        return observed(*arguments, observers=[*observers, StopAtFrame(number)], **options)

    solve.solve = stopping


def stop_at_cell(number):
    """In this process sweeps stop when so many cells are done."""
    from wgf.studies.sweeps import over_sizes

    over_sizes.answering = holding(number)


def stop_other_ranks(number):
    """Under MPI each of the other ranks, so many, waits in its first cell."""
    from wgf.studies.sweeps import over_sizes
    from wgf.studies.sweeps.parallel import answering

    over_sizes.answering = lambda function, tasks, workers: answering(HeldOnOtherRanks(function, tasks[:number]), tasks, workers)


@contextlib.contextmanager
def running(function, *arguments):
    """A process of its own for a function that can be imported; it is killed at the end at the latest."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


class Places:
    """The ends of a pipe: the child says where it is and waits for a word, the test hears it and says the word."""

    def __init__(self):
        self.here, self.there = multiprocessing.get_context("spawn").Pipe()

    def reached(self):
        """The place at which the child waits now; EOFError where it has ended."""
        self.there.close()  # the child has its own copy, so that the pipe breaks with it
        assert self.here.poll(HANG), "the child hangs"
        return self.here.recv()

    def go_on(self):
        self.here.send("go on")


def wait_at(end, place):
    """The child's side of Places."""
    end.send(place)
    end.recv()


if __name__ == "__main__":
    from wgf.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)  # which the background of a shell ignores
    kind, number, *words = sys.argv[1:]
    {"frames": stop_at_frame, "cells": stop_at_cell, "others": stop_other_ranks}[kind](int(number))
    main(words)
