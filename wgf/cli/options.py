"""What several commands do with their options."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import click

from wgf.errors import InputError

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


def figure_beside(output: Path) -> Path:
    """The figure next to an HDF5 file; refuses names with which one of the two cannot be written."""
    from wgf.plots.style import check_figure

    figure = output.with_suffix(".png")
    if figure == output:
        raise InputError(f"cannot write {output}: the figure beside it will have that name; end the name of the HDF5 file in .h5")
    check_figure(figure)
    return figure


@contextlib.contextmanager
def saying_what_is_kept(output: Path, cells: str) -> Iterator[None]:
    """Where a sweep is interrupted inside, say how many of its `cells` its file holds."""
    before = output.stat().st_mtime_ns if output.exists() else None
    try:
        yield
    except KeyboardInterrupt:
        if output.exists() and output.stat().st_mtime_ns != before:
            from wgf.cli.screen import say
            from wgf.studies.sweeps.resumable import progress

            done, all_of_them = progress(output)
            say(f"interrupted: {done} of {all_of_them} {cells} are kept in {output}; the same command goes on from there")
        raise
