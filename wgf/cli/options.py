"""What several commands do with their options."""

from __future__ import annotations

import os
from typing import Any

import click

THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


class ListCommand(click.Command):
    """A command whose repeatable options take several numbers or names at once: `--sizes 64 256` is `--sizes 64 --sizes 256`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        lists = {name for item in self.params if isinstance(item, click.Option) and item.multiple for name in item.opts}
        expanded: list[str] = []
        current = None  # the list option whose numbers are being read, after its first one
        for word in args:
            follows = bool(expanded) and expanded[-1] in lists
            if current and not follows and (word.isdigit() or word.isidentifier()):
                expanded += [current, word]
                continue
            current = expanded[-1] if follows else None
            expanded.append(word)
        return super().parse_args(ctx, expanded)


class EndTime(click.ParamType):
    """A time, or the word rest."""

    name = "T|rest"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        try:
            return "rest" if value == "rest" else float(value)
        except ValueError:
            self.fail(f"{value!r} is not a time, nor the word rest.", param, ctx)


def use_threads(count: int | None) -> None:
    """Use this many threads; to be called before NumPy and Numba are imported, which read it then."""
    if count is not None:
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(count)))
