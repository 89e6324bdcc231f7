"""Progress bars on a terminal, silent elsewhere: of the run in units of time, and of what is prepared for it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wgf.methods.base import Diagnostics, Frame
from wgf.networks.waiting import telling

MOMENT = 0.5  # seconds, before which there is no bar


def bar(total: float, label: str, beside: str = "", wanted: bool = True, delay: float = 0.0) -> Any:
    """A bar of tqdm for a terminal, also for one that does not tell its size; with some words `beside` the time."""
    from tqdm import tqdm

    form = f"{{desc}} {{percentage:3.0f}}% |{{bar}}| {beside}[{{elapsed}} < {{remaining}}{{postfix}}]"
    width, height = shutil.get_terminal_size()
    options = {"disable": not (wanted and sys.stderr.isatty()), "leave": False, "delay": delay, "ncols": width, "nrows": height}
    return tqdm(total=total, desc=label, bar_format=form, file=sys.stderr, **options)


class Progress:
    """A bar from t = 0 to `until`, with the loss beside it."""

    def __init__(self, until: float, label: str) -> None:
        self.bar = bar(until, label, "t = {n:.3g} of {total:.3g} ")

    def frame(self, frame: Frame) -> None:
        self.step(frame.diagnostics)

    def step(self, diagnostics: Diagnostics) -> None:
        if not self.bar.disable:
            self.bar.set_postfix_str(f"loss {diagnostics.loss:.3e}", refresh=False)
            self.bar.update(diagnostics.time - self.bar.n)

    def close(self, error: BaseException | None) -> None:
        self.bar.close()


@contextmanager
def preparing(shown: bool) -> Iterator[None]:
    """Inside, a bar for each thing that is prepared (waiting.py) and takes longer than a moment, if `shown`."""
    bars = _Bars()
    with telling(bars if shown else None):
        try:
            yield
        finally:
            bars.close()


class _Bars:
    """One bar after the other."""

    def __init__(self) -> None:
        self.bar: Any = None

    def __call__(self, what: str, done: int, parts: int) -> None:
        if done == 1:
            self.close()
            self.bar = bar(parts, what, delay=MOMENT)
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
