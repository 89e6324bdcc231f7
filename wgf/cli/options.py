"""What several commands do with their options."""

from __future__ import annotations

import os

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
            if current and not follows and (_is_number(word) or word.isidentifier()):
                expanded += [current, word]
                continue
            current = expanded[-1] if follows else None
            expanded.append(word)
        return super().parse_args(ctx, expanded)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def end_time(text: str) -> float | str:
    """The value of an option: a time, or the word rest."""
    try:
        return "rest" if text == "rest" else float(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a time, nor the word rest.") from None


def use_threads(count: int | None) -> None:
    """Use this many threads; to be called before NumPy and Numba are imported, which read it then."""
    if count is not None:
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(count)))
