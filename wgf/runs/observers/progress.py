"""Progress bars on a terminal and in notebooks, silent elsewhere: of the run in units of time, and of what is prepared for it.

What is compiled meanwhile, once after an installation, has no bar, and other bars do not move: that is said in words.
"""

from __future__ import annotations

import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any

from wgf.methods.base import Diagnostics, Frame
from wgf.networks.waiting import reporting_to

NARROW = 110  # columns of a terminal, below which a run's line leaves out what can be left out
MOMENT = 0.5  # seconds, before which there is no bar
COMPILING = "compiling what runs here for the first time: that takes up to a minute, and is kept"


def bar(total: float, label: str, beside: str = "", wanted: bool = True, delay: float = 0.0, begun: float = 0.0, narrow: str = "") -> Any:
    """A bar of tqdm from `begun` to `total`, with some words `beside` the time: for a notebook, or for a terminal, also for one that does
    not report its size; on a narrow one in the form of tqdm that is given for it.
    """
    form = f"{{desc}} {{percentage:3.0f}}% |{{bar}}| {beside}[{{elapsed}} < {{remaining}}{{postfix}}]"
    options = {"total": total, "initial": begun, "desc": label, "bar_format": form, "leave": False, "delay": delay, "file": sys.stderr}
    if in_notebook():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # without ipywidgets the bar is one of text, which does as well
            from tqdm.auto import tqdm
        return tqdm(disable=not wanted, **options)
    from tqdm import tqdm

    width, height = shutil.get_terminal_size()
    options["bar_format"] = narrow if narrow and width < NARROW else form
    return tqdm(disable=not (wanted and sys.stderr.isatty()), ncols=width, nrows=height, **options)


@contextmanager
def compiling_is_said(shown: bool) -> Iterator[None]:
    """Inside, COMPILING is written where a kernel is compiled, once in a process, if `shown` to somebody."""
    with ExitStack() as stack:
        if shown and (in_notebook() or sys.stderr.isatty()):
            from numba.core import event

            class Compiling(event.Listener):  # type: ignore[misc]
                def on_start(self, event: object) -> None:
                    _say_that_it_compiles()

                def on_end(self, event: object) -> None:
                    pass

            stack.enter_context(event.install_listener("numba:compile", Compiling()))
        yield


@lru_cache(maxsize=1)
def _say_that_it_compiles() -> None:
    """Above the bars, once."""
    from tqdm import tqdm

    tqdm.write(COMPILING, file=sys.stderr)


def in_notebook() -> bool:
    """Whether this is the process of a notebook, whose standard error is no terminal and is seen all the same."""
    return "ipykernel.zmqshell" in sys.modules


class Progress:
    """A bar from `start` to `until` on one line: t, the time that is left, the number of steps, the last one, and the loss."""

    def __init__(self, start: float, until: float, label: str) -> None:
        narrow = "{desc} {percentage:3.0f}% t = {n:.3g} [{remaining} left{postfix}]"
        self.bar = bar(until, label, "t = {n:.3g} of {total:.3g} ", begun=start, narrow=narrow)
        self.steps, self.time, self.dt = 0, start, 0.0

    def frame(self, frame: Frame) -> None:
        self._show(frame.diagnostics)

    def step(self, diagnostics: Diagnostics) -> None:
        self.steps += 1
        self._show(diagnostics)

    def _show(self, now: Diagnostics) -> None:
        if now.time != self.time:
            self.dt, self.time = now.time - self.time, now.time
        if not self.bar.disable:
            self.bar.set_postfix_str(f"{self.steps:,} steps, dt {self.dt:.2g}, loss {now.loss:.3g}", refresh=False)
            self.bar.update(now.time - self.bar.n)

    def close(self, error: BaseException | None) -> None:
        self.bar.close()


@contextmanager
def preparing(shown: bool) -> Iterator[None]:
    """Inside, a bar for each thing that is prepared (waiting.py) and takes longer than a moment, if `shown`."""
    bars = _Bars()
    with reporting_to(bars if shown else None), compiling_is_said(shown):
        try:
            yield
        finally:
            bars.close()


class _Bars:
    """One bar after the other."""

    def __init__(self) -> None:
        self.bar: Any = None

    def __call__(self, what: str, done: float, whole: float) -> None:
        if self.bar is None or done == 0:
            self.close()
            self.bar = bar(whole, what, delay=MOMENT)
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
