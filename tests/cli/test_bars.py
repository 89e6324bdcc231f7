"""Nothing that takes long is silent: what commands and studies show on a terminal, beside the bar of a run, while they work."""

import re
import sys

import pytest
from problems import Tanh
from screens import Terminal

import wgf
from wgf.cli import main
from wgf.methods.base import Diagnostics
from wgf.runs.observers import progress as progress_bars

pytestmark = pytest.mark.coarse

TANH = Tanh()
GRID = wgf.FiniteVolume(16, TANH.lower, TANH.upper)


def as_terminal(monkeypatch):
    """Standard error, as a terminal on which bars do not wait for their moment."""
    monkeypatch.setattr(progress_bars, "MOMENT", 0.0)
    monkeypatch.setattr(sys, "stderr", shown := Terminal())
    return shown


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Two runs."""
    monkeypatch.chdir(tmp_path)
    wgf.solve(TANH.problem, GRID, 0.2, 3, store="a.h5")
    wgf.solve(TANH.problem, wgf.Particles(20), 0.2, 3, store="b.h5")


CLOCK = r"\d\d:\d\d"


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (80, rf"FiniteVolume  25% t = 0\.5 \[{CLOCK} left, 12,345 steps, dt 0\.00025, loss 0\.0123\]"),
        (120, rf"FiniteVolume  25% \|.+\| t = 0\.5 of 2 \[{CLOCK} < {CLOCK}, 12,345 steps, dt 0\.00025, loss 0\.0123\]"),
    ],
)
def test_a_run_shows_where_it_is_on_one_line(columns, line, monkeypatch):
    """t, the time that is left, steps, the last one, and the loss; nothing is cut off."""
    monkeypatch.setenv("COLUMNS", str(columns))
    as_terminal(monkeypatch)
    shown = progress_bars.Progress(0.0, 2.0, "FiniteVolume")
    shown.steps = 12_343
    for time in (0.49975, 0.5):
        shown.step(Diagnostics(time, 0.01234, 0.0, 0.0, 1.0, 0.0))
    words = str(shown.bar)
    shown.close(None)
    assert re.fullmatch(line, words), words
    assert len(words) <= columns


@pytest.mark.parametrize(
    ("command", "label"), [("compare a.h5 b.h5 --distances w2", "distances"), ("animate a.h5", "frames"), ("export a.h5", "frames")]
)
def test_commands_that_look_at_runs_show_a_bar(command, label, files, monkeypatch):
    """Which is wiped away at the end."""
    screen = as_terminal(monkeypatch)
    main(command.split())
    words = screen.getvalue()
    assert f"{label}   0%" in words
    assert words.rstrip("\r").split("\r")[-1].strip() == ""


@pytest.mark.parametrize("wanted", [True, False])
def test_a_sweep_shows_all_that_it_does(wanted, monkeypatch):
    """The limit, the coarser ones, the constants that theory expects, and the neurons."""
    screen = as_terminal(monkeypatch)
    wgf.compare(TANH.problem, GRID, 0.2, (4, 8), 5, 2, workers=1, progress=wanted)
    words = screen.getvalue()
    if wanted:
        places = [words.index(label) for label in ("FiniteVolume", "constants, in", "neurons")]
        assert places == sorted(places)
        assert words.count("FiniteVolume   0%") >= 3
    else:
        assert words == ""


def test_two_runs_are_compared_in_silence_unless_asked(files, monkeypatch):
    screen = as_terminal(monkeypatch)
    wgf.compare_runs(wgf.open_run("a.h5"), wgf.open_run("b.h5"))
    assert screen.getvalue() == ""
