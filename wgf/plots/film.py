"""Films of a run: the density or the cloud as it moves, the loss beside it; and two runs in one, the neurons over the density."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wgf.errors import InputError
from wgf.measures.measure import Density, MeshDensity
from wgf.plots.measures import axis_names, draw_together, limits_of
from wgf.plots.style import BLUE, FAINT, INK, ORANGE, plain, readable, styled
from wgf.runs.files import check_writable, completed
from wgf.runs.frames import common_frames, densities_first
from wgf.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.plots.figure import Figure

WRITERS = {".gif": "pillow", ".mp4": "ffmpeg"}
SECONDS = 6.0  # of a film, between SLOWEST and FASTEST frames a second
SLOWEST, FASTEST = 2, 20
DPI = 100
SMALLEST = 1e-16  # below it, a loss is rounding


@dataclass(frozen=True)
class Film:
    """A film in the file at `path`; a notebook plays it."""

    path: Path

    def _repr_html_(self) -> str:
        """The film itself, as text; its name, where the file is no longer there."""
        try:
            content = base64.b64encode(self.path.read_bytes()).decode()
        except OSError as error:
            return html.escape(f"{self.path}: {error.strerror}")
        if self.path.suffix.lower() == ".mp4":
            return f'<video controls loop src="data:video/mp4;base64,{content}"></video>'
        return f'<img alt="{html.escape(self.path.name)}" src="data:image/gif;base64,{content}">'

    def __repr__(self) -> str:
        return f"Film({str(self.path)!r})"


def animate(run: Run, path: str | Path, other: Run | None = None) -> Film:
    """Write a film of the frames of a run, as a .gif or an .mp4 file; with `other`, of both at the times that they share.

    The film returned has its `path`, and plays in a notebook.
    Raises InputError for another kind of file, for runs that do not fit together, and where ffmpeg is missing, which makes .mp4 files.
    """
    path = _checked(Path(path))
    if other is None:
        frames = _Frames((run,), [(k,) for k in range(len(run.times))])
    else:
        runs = densities_first(run, other)
        frames = _Frames(runs, common_frames(*runs))
    with completed(path) as begun, readable():
        frames.write(begun, WRITERS[path.suffix.lower()])
    return Film(path)


def last_frame(run: Run) -> Figure:
    """The last picture of a run's film."""
    frames = _Frames((run,), [(len(run.times) - 1,)])
    with styled():
        frames.draw(0)
    return frames.figure


def _checked(path: Path) -> Path:
    """The path, if a film can be written there."""
    from matplotlib.animation import writers

    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise InputError(f"cannot film into {path}: the name must end in {' or '.join(WRITERS)}")
    check_writable(path)
    if not writers.is_available(writer := WRITERS[suffix]):
        raise InputError(f"cannot film into {path}: {suffix} needs the program {writer}, which is not installed; write a .gif instead")
    return path


class _Frames:
    """The figure, redrawn for each row of frame numbers, one of each run: the measures, and what falls with a mark at the time."""

    def __init__(self, runs: tuple[Run, ...], rows: Sequence[Sequence[int]]) -> None:
        from wgf.plots.figure import Figure

        self.runs, self.rows = runs, rows
        self.measures = [[one.measures[k] for one, k in zip(runs, row, strict=True)] for row in rows]
        self.names = axis_names(runs[0], self.measures[0][0])
        seen = [measure for measures in self.measures for measure in measures]
        self.limits = limits_of(seen) if len(self.names) > 1 else []
        self.top = 1.15 * max((m.values.max() for m in seen if isinstance(m, Density | MeshDensity)), default=0.0)
        with styled():
            self.figure = Figure(figsize=(10, 4.8), layout="constrained")
            self.left, self.right = self.figure.subplots(1, 2, width_ratios=(1.15, 1))
            self.figure.suptitle(plain(runs[0].attributes.get("title") or ""))

    def write(self, path: Path, writer: str) -> None:
        """All of them into a file."""
        from matplotlib.animation import writers
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        FigureCanvasAgg(self.figure)
        film = writers[writer](fps=round(min(max(len(self.rows) / SECONDS, SLOWEST), FASTEST)))
        with styled(), film.saving(self.figure, str(path), DPI):
            for number in range(len(self.rows)):
                self.draw(number)
                film.grab_frame()
                self.figure.set_layout_engine("none")  # the first frame's places serve for all

    def draw(self, number: int) -> None:
        """The figure of one row."""
        self.left.clear()
        self.right.clear()
        self._draw_measures(self.left, number)
        self._draw_fall(self.right, number)

    def _draw_measures(self, panel: Axes, number: int) -> None:
        """Each density on a scale of its own: a common one would hide the start of a run that concentrates."""
        draw_together(panel, self.measures[number], self.names, self.limits)
        if len(self.names) == 1:
            panel.set_ylim(0, self.top or None)
        panel.set_title(f"t = {self.runs[0].times[self.rows[number][0]]:.3g}", loc="left", fontweight="bold")
        if panel.get_legend_handles_labels()[0]:
            panel.legend(loc="upper left", markerscale=2)

    def _draw_fall(self, panel: Axes, number: int) -> None:
        """L of the runs, with a mark at the time."""
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        network = self.runs[0].data is not None
        for run, k, colour in zip(self.runs, self.rows[number], (BLUE, ORANGE), strict=False):
            values = np.maximum(run.loss, SMALLEST) if network else run.loss
            panel.plot(run.times, values, color=colour, label=run.method.split("(")[0])
            panel.plot(run.times[k], values[k], "o", color=colour, markersize=7)
            panel.axvline(run.times[k], color=FAINT, linewidth=0.8, zorder=0)
        panel.set(xlabel="t", yscale="log" if network else "linear")
        if network:
            panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            panel.yaxis.set_minor_formatter(NullFormatter())
        panel.set_ylabel(r"loss $L[\mu_t]$" if network else r"$L[\mu_t]$", color=INK)
        panel.legend(loc="upper right")
