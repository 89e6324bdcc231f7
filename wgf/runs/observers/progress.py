"""A progress bar in time units on a terminal; silent elsewhere."""

from __future__ import annotations

import sys

from wgf.methods.base import Diagnostics, Frame


class Progress:
    """A bar from t = 0 to `until`, with the loss beside it."""

    def __init__(self, until: float, label: str) -> None:
        from tqdm import tqdm

        form = "{desc} {percentage:3.0f}% |{bar}| t = {n:.3g} of {total:.3g} [{elapsed} < {remaining}{postfix}]"
        self.bar = tqdm(total=until, desc=label, bar_format=form, file=sys.stderr, disable=not sys.stderr.isatty(), leave=False)

    def frame(self, frame: Frame) -> None:
        self.step(frame.diagnostics)

    def step(self, diagnostics: Diagnostics) -> None:
        if not self.bar.disable:
            self.bar.set_postfix_str(f"loss {diagnostics.loss:.3e}", refresh=False)
            self.bar.update(diagnostics.time - self.bar.n)

    def close(self, error: BaseException | None) -> None:
        self.bar.close()
