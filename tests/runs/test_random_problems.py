"""Problems drawn by chance (random_problems.py): each is solved, or refused in one line, keeps what flows keep, and goes on bit by bit.

Mass      one at each step; of exact densities as far as their tolerance, which is not enforced
Sign      no average is negative
Energy    falls at each step where its decay is proven: finite volumes, characteristics, mirror descent with the KL divergence
Restart   ended after a step drawn by chance, and resumed: number by number the file of a run without an end between
"""

import faulthandler
import sys
import time
import warnings

import numpy as np
import pytest
from checks import same_numbers
from commands import RAW, wgf_says
from interrupting import Interrupting
from random_problems import drawn

import wgf
from wgf.runs.signals import Stopped, handled_by, restore, stop
from wgf.runs.task import read_task

HANG = 120.0  # seconds
FALLS = (wgf.FiniteVolume, wgf.Characteristics, wgf.MirrorDescent)
ROUNDING = 1e-12  # of the largest energy
RESTARTS = 4  # of so many problems one is ended and resumed

pytestmark = pytest.mark.coarse


def try_problem(seed, folder, capsys):
    """The problem of a seed as a user solves it; returns whether it was."""
    path = folder / "p.toml"
    path.write_text(drawn(seed), encoding="utf-8")
    (folder / "whole.h5").unlink(missing_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        status, out, err = wgf_says(capsys, "run", str(path), "-o", str(folder / "whole.h5"))
        assert status in (0, 1, 2), (seed, status, err)
        assert not RAW.search(out + err.replace("\r", "")), (seed, out, err)
        assert {each.name for each in folder.iterdir()} <= {"p.toml", "whole.h5", "ended.h5"}, seed
        assert status != 2 or not (folder / "whole.h5").exists(), (seed, err)
        if status == 0:
            keeps_what_flows_keep(seed, read_task(path), wgf.open_run(folder / "whole.h5"))
            if seed % RESTARTS == 0:
                goes_on(seed, read_task(path), folder)
    return status == 0


def keeps_what_flows_keep(seed, task, run):
    history, energy = run.history, run.history["free_energy"]
    within = 10 * task.method.tolerance if isinstance(task.method, wgf.Pushforward) else 1e-9
    assert run.status == "complete", seed
    assert np.abs(history["mass"] - 1.0).max() <= within, seed
    assert history["minimum"].min() >= 0.0, seed
    assert all(np.isfinite(column).all() for name, column in history.items() if name in ("loss", "mass", "dt")), seed
    if isinstance(task.method, FALLS) and getattr(task.method, "bregman", "kl") == "kl":
        assert (np.diff(energy) <= ROUNDING * np.abs(energy).max()).all(), (seed, np.diff(energy).max())


def goes_on(seed, task, folder):
    """After a signal that comes after a step drawn by chance."""
    ended = folder / "ended.h5"
    steps = 1 + seed // RESTARTS % 5
    before = handled_by(stop)
    try:
        wgf.solve(task.problem, task.method, task.until, task.save, store=ended, overwrite=True, observers=[Interrupting(steps)])
    except Stopped:
        wgf.solve(task.problem, task.method, task.until, task.save, store=ended, resume=True)
    finally:
        restore(before)
    same_numbers(ended, folder / "whole.h5")  # to which the command has added its certificate


def try_problems(seeds, folder, capsys):
    """How many of them were solved; prints which took longest."""
    solved, seconds = 0, {}
    for seed in seeds:
        faulthandler.dump_traceback_later(HANG, exit=True, file=sys.__stderr__)
        begun = time.monotonic()
        try:
            solved += try_problem(seed, folder, capsys)
        finally:
            faulthandler.cancel_dump_traceback_later()
        seconds[seed] = time.monotonic() - begun
    slowest = max(seconds, key=lambda seed: seconds[seed])
    print(f"{solved} of {len(seconds)} solved, the others refused; the longest took {seconds[slowest]:.1f} s (seed {slowest})")
    return solved


@pytest.mark.parametrize("first", [0, pytest.param(8, marks=pytest.mark.long)])
def test_problems_drawn_by_chance(first, tmp_path, capsys):
    assert try_problems(range(first, first + 8), tmp_path, capsys) >= 6


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 3000, 100))
def test_many_problems_drawn_by_chance(first, tmp_path, capsys):
    assert try_problems(range(first, first + 100), tmp_path, capsys) >= 80
