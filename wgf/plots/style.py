"""How our figures look: colours, sizes and fonts, applied inside a context, never globally."""

from __future__ import annotations

import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from wgf.errors import InputError, as_path, warn
from wgf.runs.existing import DRAWN
from wgf.runs.files import check_writable, completed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from wgf.runs.run import Run

MISSING_GLYPH = re.compile(r"Glyph (\d+) .* missing from")
FORMATS = (".png", ".pdf", ".svg")
INK, FAINT = "#22303c", "#9aa5b1"
BLUE, ORANGE, GREEN, PLUM = "#0068ad", "#d9620a", "#23b88b", "#7f2762"  # distinguishable with any colour vision, and without colours
MARKERS = "os^Dv"  # of curves in one panel, one after another: distinguishable on paper, too
SETTINGS = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "mathtext.fontset": "dejavusans",
    "figure.titlesize": 12,
    "savefig.dpi": 150,
}
LETTERS = 10  # of the size of a title, in an inch
FEWER, FEW = 5.0, 10**2.5  # the ratio of the ends of a logarithmic axis up to which all, and 1, 2 and 5 of a decade are marked


@contextmanager
def styled() -> Iterator[None]:
    """Inside, matplotlib draws in our style."""
    from matplotlib import rc_context
    from matplotlib.rcsetup import cycler

    with rc_context({**SETTINGS, "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, PLUM, INK, FAINT])}):
        yield


def density_colours() -> Any:
    """A map from white (no mass) through blue to dark: lightness falls evenly."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("mass", ["#ffffff", "#d3e5f3", "#8fc1e0", "#3f93c6", "#14609e", "#08306b", "#031a3d"])


def write(figure: Any, path: str | Path | None) -> None:
    """Write the figure where a path is given."""
    if path is None:
        return
    check_figure(path := as_path(path))
    with completed(path) as begun, readable():
        figure.savefig(begun, metadata={"Software" if path.suffix.lower() == ".png" else "Creator": DRAWN})


@contextmanager
def readable() -> Iterator[None]:
    """Inside, text is drawn; characters that the font does not have are named in one warning."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield
    missing: dict[str, None] = {}
    for one in said:
        if glyph := MISSING_GLYPH.match(str(one.message)):
            missing[chr(int(glyph[1]))] = None
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    if missing:
        warn(f"the font of the figures has no {' '.join(missing)}: empty boxes replace what is missing")


def check_figure(path: Path) -> None:
    """Refuse a path into which nothing can be drawn."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"cannot draw into {path}: the name must end in {', '.join(FORMATS)}")
    check_writable(path)


def shades(count: int) -> list[Any]:
    """Colours from light to dark, for an ordered family of curves; the lightest is dark enough for a thin line on white."""
    from matplotlib import colormaps

    return [colormaps["viridis_r"](0.38 + 0.58 * k / max(count - 1, 1)) for k in range(count)]


def set_sizes(panel: Axes, sizes: np.ndarray) -> None:
    """Logarithmic axes with ticks at the sizes m themselves, fewer where they are many."""
    from matplotlib.ticker import NullFormatter, NullLocator

    panel.set(xscale="log", yscale="log", xlabel="number of neurons  m")
    shown = sizes[:: 1 if len(sizes) <= 5 else 2 if len(sizes) <= 8 else 3]
    panel.set_xticks(shown, [str(size) for size in shown])
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.xaxis.set_minor_locator(NullLocator())


def legend_below(panel: Axes, columns: int = 1) -> None:
    """The legend outside of the panel, where it covers nothing."""
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=columns)


def label_decades(panel: Axes, axis: Literal["x", "y"] = "y") -> None:
    """Marks of a logarithmic axis that can be read: of few decades 1, 2 and 5, of many powers of ten, as many as have room."""
    from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, LogLocator, NullFormatter

    low, high = panel.get_xlim() if axis == "x" else panel.get_ylim()
    marks = panel.xaxis if axis == "x" else panel.yaxis
    subs = range(1, 10) if high < FEWER * low else (1, 2, 5) if high < FEW * low else (1,)
    marks.set_major_locator(LogLocator(subs=subs))
    marks.set_major_formatter(LogFormatterMathtext() if low < 1e-4 else FuncFormatter(lambda value, _: f"{value:g}"))
    marks.set_minor_formatter(NullFormatter())


def set_title(figure: Figure, text: object) -> None:
    """A title of the figure in a person's words, in as many lines as its width asks for."""
    figure.suptitle(plain(wrapped(text, figure.get_figwidth())))


def wrapped(text: object, inches: float) -> str:
    """Lines that are no longer than this, as a title has them."""
    width = max(int(LETTERS * inches), 1)
    return "\n".join(textwrap.fill(line, width, expand_tabs=False, replace_whitespace=False) for line in str(text).split("\n"))


def names_of(runs: Sequence[Run]) -> list[str]:
    """What distinguishes runs in a few words: the kind of method, or all that is said of it where they are of one kind."""
    kinds = [run.method.split("(")[0] for run in runs]
    return kinds if len(set(kinds)) == len(kinds) else [run.method for run in runs]


def plain(text: object) -> str:
    """A text of the user as it is: its dollars are signs, not the ends of a formula."""
    return str(text).replace("$", r"\$").replace("\t", " ")


def mathematical(name: str) -> str:
    """The name of an axis as a formula: letters with their number as an index, theta as the Greek letter; plain where it is none."""
    word, digits = name.rstrip("0123456789"), name[len(name.rstrip("0123456789")) :]
    if not word.isalpha():
        return plain(name)
    symbol = r"\theta" if word == "theta" else word
    return f"${symbol}_{{{digits}}}$" if digits else f"${symbol}$"
