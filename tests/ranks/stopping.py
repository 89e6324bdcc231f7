"""`python stopping.py HOW FRAME OUT run problem.toml …`: the command `wgf` whose ranks stop at a frame; each leaves its number in OUT.RANK.

wait    until a signal has reached any of them
fail    the second rank fails there, where the others can learn of it
lone    the second rank fails in its next step, where the others wait for what it was to give them
"""

import os
import signal
import sys
import time
from pathlib import Path

from wgf.cli import main
from wgf.methods.particles.base import ParticleStepper
from wgf.ranks import communicator
from wgf.runs.observers import writer
from wgf.runs.observers.monitor import Monitor

how, number, out, *words = sys.argv[1:]
writer.SHARE, communicator.PATIENCE = float("inf"), 2.0  # a transaction at each frame
seen, move = Monitor.frame, ParticleStepper.velocity
frames = 0


def frame(self, shown):
    global frames
    seen(self, shown)
    frames += 1
    if frames == int(number):
        stop(communicator.current())


def stop(ranks):
    Path(f"{out}.{ranks.rank}").write_text(str(os.getpid()))
    if how == "fail" and ranks.rank == 1:
        raise RuntimeError("of the second rank")
    if how == "lone" and ranks.rank == 1:
        ParticleStepper.velocity = fails
    while how == "wait" and not ranks.any(bool(signal.getsignal(signal.SIGTERM).__self__.waiting)):
        time.sleep(0.01)


def fails(self, points):
    raise RuntimeError("in a step")


Monitor.frame = frame
main(words)
