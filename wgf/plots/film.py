"""Films of a run: the density or the cloud as it moves, the loss beside it; and two runs in one, the neurons over the density."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wgf.errors import InputError, as_path
from wgf.measures.measure import Density, MeshDensity
from wgf.plots.measures import axis_names, draw_together, limits_of
from wgf.plots.style import BLUE, FAINT, INK, ORANGE, plain, readable, styled
from wgf.runs.files import check_writable, completed
from wgf.runs.frames import common_frames, densities_first
from wgf.runs.run import Run, check_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRITERS = {".gif": "pillow", ".mp4": "ffmpeg"}
SECONDS = 6.0  # of a film, between SLOWEST and FASTEST frames a second
SLOWEST, FASTEST = 2, 20
DPI = 100
SMALLEST = 1e-16  # below it, a loss is rounding


def animate(run: Run, path: str | Path, other: Run | None = None) -> None:
    """Write a film of the frames of a run, as a .gif or an .mp4 file; with `other`, of both at the times that they share.

    Raises InputError for another kind of file, for runs that do not fit together, and where ffmpeg is missing, which makes .mp4 files.
    """
    for one in (run,) if other is None else (run, other):
        check_run(one)
    check_film(path := as_path(path))
    if other is None:
        film = _Film((run,), [(k,) for k in range(len(run.times))])
    else:
        runs = densities_first(run, other)
        film = _Film(runs, common_frames(*runs))
    with completed(path) as begun, readable():
        film.write(begun, WRITERS[path.suffix.lower()])


def check_film(path: Path) -> None:
    """Refuse a path into which nothing can be filmed."""
    from matplotlib.animation import writers

    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise InputError(f"cannot film into {path}: the name must end in {' or '.join(WRITERS)}")
    check_writable(path)
    if not writers.is_available(writer := WRITERS[suffix]):
        raise InputError(f"cannot film into {path}: {suffix} needs the program {writer}, which is not installed; write a .gif instead")


class _Film:
    """The figure, redrawn for each row of frame numbers, one of each run: the measures, and what falls with a mark at the time."""

    def __init__(self, runs: tuple[Run, ...], rows: Sequence[Sequence[int]]) -> None:
        self.runs, self.rows = runs, rows
        self.measures = [[one.measures[k] for one, k in zip(runs, row, strict=True)] for row in rows]
        self.names = axis_names(runs[0], self.measures[0][0])
        seen = [measure for measures in self.measures for measure in measures]
        self.limits = limits_of(seen) if len(self.names) > 1 else []
        self.top = 1.15 * max((m.values.max() for m in seen if isinstance(m, Density | MeshDensity)), default=0.0)

    def write(self, path: Path, writer: str) -> None:
        """All frames into a file."""
        from matplotlib.animation import writers
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        with styled():
            figure = Figure(figsize=(10, 4.8), layout="constrained")
            FigureCanvasAgg(figure)
            left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
            figure.suptitle(plain(self.runs[0].attributes.get("title") or ""))
            film = writers[writer](fps=round(min(max(len(self.rows) / SECONDS, SLOWEST), FASTEST)))
            with film.saving(figure, str(path), DPI):
                for number in range(len(self.rows)):
                    left.clear()
                    right.clear()
                    self._draw_measures(left, number)
                    self._draw_fall(right, number)
                    film.grab_frame()
                    figure.set_layout_engine("none")  # the first frame's places serve for all

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
