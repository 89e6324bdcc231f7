"""What several commands do with their options."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from wgf.errors import InputError, is_number

Function = TypeVar("Function", bound=Callable[..., Any])
SEVERAL, SEPARATORS = re.compile(r"[\w.]+(,[\w.]+)+|\d+([x×]\d+)+"), re.compile(r",|(?<=\d)[x×]")  # values in one word
THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


class ListCommand(click.Command):
    """A command whose repeatable options take several numbers or names at once: `--sizes 64 256` is `--sizes 64 --sizes 256`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        lists = {name for item in self.params if isinstance(item, click.Option) and item.multiple for name in item.opts}
        expanded: list[str] = []
        current = None  # the list option whose numbers are being read, after its first one
        for word in _split_values(args, lists):
            follows = bool(expanded) and expanded[-1] in lists
            if current and not follows and (is_number(word) or word.isidentifier()):
                expanded += [current, word]
                continue
            current = expanded[-1] if follows else None
            expanded.append(word)
        return super().parse_args(ctx, expanded)


def _split_values(words: Sequence[str], lists: set[str]) -> Iterator[str]:
    """The words with `--cells=64` in two, and what follows a list option, as 64,32 or 64x32, in as many as it means."""
    of_list = False
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in lists:
            yield name
            of_list, word = True, value
        elif word.startswith("-"):
            of_list = word in lists
        yield from SEPARATORS.split(word) if of_list and SEVERAL.fullmatch(word) else [word]


def end_time(text: str) -> float | str:
    """The value of an option: a time, or rest."""
    try:
        return "rest" if text == "rest" else float(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither a time nor rest.") from None


def use_threads(count: int | None) -> None:
    """Use this many threads; to be called before NumPy and Numba are imported, which read it then."""
    if count is not None:
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(count)))


@contextlib.contextmanager
def of_files(*files: Path) -> Iterator[None]:
    """What goes wrong inside with the contents of these files is reported in one line, as their fault, unless wgf knows better."""
    from wgf.networks.untrusted import one_line
    from wgf.registers import listed

    names = listed([str(file) for file in files])
    with one_line(
        f"the contents of {names} do not fit together (where they are as wgf wrote them, it is a fault of wgf: --debug shows it)"
    ):
        yield


def output_option(what: str, default: str) -> Callable[[Function], Function]:
    """`-o`, where the result goes."""
    return click.option("-o", "--output", type=click.Path(path_type=Path), help=f"{what}  [default: {default}]")


settings_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override any key of the problem file: method.limiter=mc"
)
force_option = click.option("--force", is_flag=True, help="Replace what is there under the names to write.")


def pair_name(files: Sequence[Path], word: str) -> str:
    """The first part of the default name of what is made of one file or of two, so that no two pairs share one: `a`, `a_vs_b`."""
    return f"_{word}_".join(file.stem for file in files)


def refuse_result(path: Path) -> None:
    """Say of a file that wgf has written that it is no problem file, and what to do with it."""
    from wgf.cli.screen import program
    from wgf.runs.existing import contents
    from wgf.runs.hdf5 import kind_of

    if os.path.isfile(path) and kind_of(path) is not None:
        raise InputError(
            f"{path} is no problem file but holds {contents(path)}: see it with {program()} info {path} (or plot); "
            "to solve its problem again, give the problem file"
        )


def figure_beside(output: Path, force: bool) -> Path:
    """The figure next to an HDF5 file; refuses names with which one of the two cannot be written.

    A figure of ours is drawn again where the file goes on, which the code that fills it decides; another one is left alone.
    """
    from wgf.plots.style import check_figure
    from wgf.runs.existing import is_drawn, refuse_existing

    figure = output.with_suffix(".png")
    if figure == output:
        raise InputError(f"cannot write {output}: the figure beside it will have that name; end the name of the HDF5 file in .h5")
    check_figure(figure)
    refuse_existing(figure, force or (output.exists() and is_drawn(figure)))
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
