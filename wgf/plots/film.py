"""Films of a run: the measure as it moves, what falls beside it; and two runs in one, neurons over the density, densities side by side."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wgf.errors import InputError, as_path
from wgf.measures.measure import Density, MeshDensity
from wgf.networks.waiting import reported
from wgf.plots.history import SMALLEST, history
from wgf.plots.measures import LOOKS, colour_bar, draw_together, labels_of, sharing, views_of_runs
from wgf.plots.style import FAINT, label_decades, names_of, plain, readable, set_title, styled, wrapped
from wgf.runs.files import check_writable, completed
from wgf.runs.frames import common_frames, densities_first
from wgf.runs.run import Run, check_run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

    from wgf.plots.figure import Figure

WRITERS = {".gif": "pillow", ".mp4": "ffmpeg"}
SECONDS = 6.0  # of a film, between SLOWEST and FASTEST frames a second
SLOWEST, FASTEST = 2, 20
DPI = 100
HEIGHT = 4.8  # of a panel that is alone, in inches; of one of several, ROW
ROW = 3.4
LABELS = {"loss": r"loss $L[\mu_t]$", "free_energy": r"free energy $E[\mu_t]$"}


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
    """A film of the frames of a run; with `other`, of both at the times that they share.

    Parameters
    ----------
    run : Run
        of densities or particles
    path : str or path
        a .gif or an .mp4 file to write
    other : Run, optional
        neurons are drawn over a density, two densities side by side

    Returns
    -------
    Film
        with its `path`; it plays in a notebook

    Raises
    ------
    InputError
        for another kind of file, for runs that do not fit together, and where ffmpeg is missing, which makes .mp4 files
    """
    for one in (run,) if other is None else (run, other):
        check_run(one)
    check_film(path := as_path(path))
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


def check_film(path: Path) -> None:
    """Refuse a path into which nothing can be filmed."""
    from matplotlib.animation import writers

    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise InputError(f"cannot film into {path}: the name must end in {' or '.join(WRITERS)}")
    check_writable(path)
    if not writers.is_available(writer := WRITERS[suffix]):
        raise InputError(f"cannot film into {path}: {suffix} needs the program {writer}, which is not installed; write a .gif instead")


class _Frames:
    """The figure, redrawn for each row of frame numbers, one of each run: the measures on one scale, and what falls."""

    def __init__(self, runs: tuple[Run, ...], rows: Sequence[Sequence[int]]) -> None:
        from wgf.plots.figure import Figure

        self.runs, self.rows, self.names = runs, rows, names_of(runs)
        self.measures = [[one.measures[k] for one, k in zip(runs, row, strict=True)] for row in rows]
        self.views = views_of_runs(runs, [measure for measures in self.measures for measure in measures])
        self.groups = sharing(self.measures[0], self.views[0])
        energetic = [run for run in runs if run.has_free_energy]
        self.falling = [("loss", runs)] if runs[0].data is not None or not energetic else []
        self.falling += [("free_energy", tuple(energetic))] if energetic else []
        with styled():
            lines, columns = len(self.views), len(self.groups)
            height = max(HEIGHT, ROW * max(lines, len(self.falling)))
            self.figure = Figure(figsize=(5.2 * columns + 4.8, height), layout="constrained")
            left, right = cast("Any", self.figure.subfigures(1, 2, width_ratios=(5.2 * columns, 4.8)))
            self.shown = left.subplots(lines, columns, squeeze=False)
            self.fallen = right.subplots(len(self.falling), 1, squeeze=False)[:, 0]
            self._draw_scales(left, self.shown)
            set_title(self.figure, runs[0].attributes.get("title") or "")

    def write(self, path: Path, writer: str) -> None:
        """All of them into a file."""
        from matplotlib.animation import writers
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        FigureCanvasAgg(self.figure)
        film = writers[writer](fps=round(min(max(len(self.rows) / SECONDS, SLOWEST), FASTEST)))
        with styled(), film.saving(self.figure, str(path), DPI):
            for number in reported(range(len(self.rows)), "frames"):
                self.draw(number)
                film.grab_frame()
                self.figure.set_layout_engine("none")  # the first frame's places serve for all

    def draw(self, number: int) -> None:
        """The figure of one row."""
        self._draw_measures(self.shown, number)
        for panel, (name, runs) in zip(self.fallen, self.falling, strict=True):
            self._draw_fall(panel, name, runs, number)

    def _draw_scales(self, figure: SubFigure, shown: np.ndarray) -> None:
        """The colours of all frames."""
        for row, view in zip(shown, self.views, strict=True):
            if view.plane and isinstance(self.measures[0][0], Density | MeshDensity):
                colour_bar(figure, list(row), view, self.views)

    def _draw_measures(self, shown: np.ndarray, number: int) -> None:
        """Each view of the measures, two densities in a plane side by side."""
        for row, view in zip(shown, self.views, strict=True):
            for panel, group in zip(row, self.groups, strict=True):
                panel.clear()
                measures, names = [self.measures[number][k] for k in group], [self.names[k] for k in group]
                draw_together(panel, measures, labels_of(measures, names), view)
                if len(self.groups) > 1:
                    panel.set_title(plain(wrapped(names[0], 4.0)), loc="right", fontsize="small")
        first = shown[0, 0]
        first.set_title(f"t = {self.runs[0].times[self.rows[number][0]]:.3g}", loc="left", fontweight="bold")
        if first.get_legend_handles_labels()[0]:
            first.legend(loc="upper left", markerscale=2)

    def _draw_fall(self, panel: Axes, name: str, runs: Sequence[Run], number: int) -> None:
        """The loss or E at every step of these runs, with a mark at the time."""
        logarithmic = name == "loss" and self.runs[0].data is not None
        panel.clear()
        for run, k, (colour, stroke), label in zip(self.runs, self.rows[number], LOOKS, self.names, strict=False):
            if run not in runs:
                continue
            time, values = history(run, name)
            at = getattr(run, name)[k]
            if logarithmic:
                values, at = np.maximum(values, SMALLEST), max(at, SMALLEST)
            panel.plot(time, values, color=colour, linestyle=stroke, label=plain(wrapped(label, 5.0)))
            panel.plot(run.times[k], at, "o", color=colour, markersize=7)
            panel.axvline(run.times[k], color=FAINT, linewidth=0.8, zorder=0)
        panel.set(xlabel="t", ylabel=LABELS[name] if self.runs[0].data is not None or name != "loss" else r"$L[\mu_t]$")
        panel.set_yscale("log" if logarithmic else "linear")
        if logarithmic:
            label_decades(panel)
        panel.legend(loc="lower left", bbox_to_anchor=(0, 1))
