"""Films of a run: the density or the cloud as it moves, the loss beside it; and two runs in one, the neurons over the density."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.errors import InputError
from wgf.measure import Cloud, Density
from wgf.plot_measures import BINS, axis_names, draw_plane, limits_of, thinned
from wgf.run import Run
from wgf.style import BLUE, FAINT, INK, ORANGE, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRITERS = {".gif": "pillow", ".mp4": "ffmpeg"}
SECONDS = 6.0  # of a film, between SLOWEST and FASTEST frames a second
SLOWEST, FASTEST = 2, 20
DPI = 100
POINTS, OVERLAID_POINTS = 1500, 400  # of a cloud that are shown, alone and over a density
SMALLEST = 1e-16  # below it, a loss is rounding
NEAR = 1e-9  # relative: times that agree so far are the same


def animate(run: Run, path: str | Path, other: Run | None = None) -> None:
    """Write a film of the frames of a run, as a .gif or an .mp4 file; with `other`, of both at the times that they share.

    Raises InputError for another kind of file, for runs that do not fit together, and where ffmpeg is missing, which makes .mp4 files.
    """
    runs = [run] if other is None else sorted((run, other), key=lambda one: isinstance(one.measures[0], Cloud))
    path = _checked(Path(path), runs)
    times = [time for time in runs[0].times if all(_frame(one, time) is not None for one in runs)]
    film = _Film(runs, times)
    begun = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")  # takes its name when it is complete
    try:
        film.write(begun, WRITERS[path.suffix.lower()])
        os.replace(begun, path)
    finally:
        begun.unlink(missing_ok=True)


def _checked(path: Path, runs: list[Run]) -> Path:
    """The path, if a film of the runs can be written there."""
    from matplotlib.animation import writers

    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise InputError(f"cannot film into {path}: the name must end in {' or '.join(WRITERS)}")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    if not writers.is_available(WRITERS[suffix]):
        raise InputError(
            f"cannot film into {path}: {suffix} needs the program {WRITERS[suffix]}, which is not installed; write a .gif instead"
        )
    axes = [one.measures[0].points.shape[1] for one in runs]
    if len(set(axes)) > 1:
        raise InputError(f"the runs have {axes[0]} and {axes[1]} coordinates: they cannot be shown together")
    return path


def _frame(run: Run, time: float) -> int | None:
    """The number of the frame at this time."""
    k = int(np.abs(run.times - time).argmin())
    return k if abs(run.times[k] - time) <= NEAR * (1.0 + abs(time)) else None


class _Film:
    """The figure, redrawn for each time: the measures, and what falls with a mark at the time."""

    def __init__(self, runs: list[Run], times: list[float]) -> None:
        self.runs, self.times = runs, times
        self.frames = [[one.measures[_frame(one, time)] for one in runs] for time in times]  # type: ignore[index]
        self.names = axis_names(runs[0], self.frames[0][0])
        seen = [measure for measures in self.frames for measure in measures]
        self.limits = limits_of(seen) if len(self.names) > 1 else []
        self.top = 1.15 * max((m.values.max() for m in seen if isinstance(m, Density) and m.grid.dim == 1), default=0.0)

    def write(self, path: Path, writer: str) -> None:
        """All frames into a file."""
        from matplotlib.animation import writers
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        with styled():
            figure = Figure(figsize=(10, 4.8), layout="constrained")
            FigureCanvasAgg(figure)
            plane, fall = figure.subplots(1, 2, width_ratios=(1.15, 1))
            pace = round(min(max(len(self.times) / SECONDS, SLOWEST), FASTEST))
            title = str(self.runs[0].attributes.get("title") or "")
            figure.suptitle(title)
            film = writers[writer](fps=pace)
            with film.saving(figure, str(path), DPI):
                for time, measures in zip(self.times, self.frames, strict=True):
                    for panel in (plane, fall):
                        panel.clear()
                    self._draw_measures(plane, time, measures)
                    self._draw_fall(fall, time)
                    film.grab_frame()
                    figure.set_layout_engine("none")  # the first frame's places serve for all

    def _draw_measures(self, panel: Axes, time: float, measures: list[Any]) -> None:
        """Densities as they are, neurons over them."""
        for measure in measures:
            over = len(measures) > 1
            if isinstance(measure, Density):
                if measure.grid.dim == 1:
                    panel.plot(measure.grid.centers[0], measure.values, color=BLUE, label="density")
                else:
                    draw_plane(panel, measure, measure.marginal(0, 1).max())  # a scale for each time: concentration would hide the start
            elif len(self.names) == 1:
                counted = {"bins": BINS, "weights": measure.weights, "density": True, "alpha": 0.5}
                panel.hist(measure.positions[:, 0], color=ORANGE, label=f"{len(measure.weights):,} neurons", **counted)
            else:
                points = thinned(measure, OVERLAID_POINTS if over else POINTS)
                panel.plot(points[:, 0], points[:, 1], ".", color=ORANGE if over else BLUE, markersize=3, alpha=0.6, label="neurons")
        panel.set_xlabel(self.names[0])
        if len(self.names) > 1:
            panel.set(xlim=self.limits[0], ylim=self.limits[1], ylabel=self.names[1])
        else:
            panel.set(ylabel="density", ylim=(0, self.top or None))
        panel.set_title(f"t = {time:.3g}", loc="left", fontweight="bold")
        if panel.get_legend_handles_labels()[0]:
            panel.legend(loc="upper left")

    def _draw_fall(self, panel: Axes, time: float) -> None:
        """The loss of the runs, or the free energy where there is no network, with a mark at the time."""
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        network = self.runs[0].data is not None
        for run, colour in zip(self.runs, (BLUE, ORANGE), strict=False):
            values = np.maximum(run.loss, SMALLEST) if network else run.loss
            panel.plot(run.times, values, color=colour, label=run.method.split("(")[0])
            panel.plot(time, values[_frame(run, time)], "o", color=colour, markersize=7)
        panel.axvline(time, color=FAINT, linewidth=0.8, zorder=0)
        panel.set(xlabel="t", yscale="log" if network else "linear")
        if network:
            panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            panel.yaxis.set_minor_formatter(NullFormatter())
        panel.set_ylabel(r"loss $L[\mu_t]$" if network else r"$L[\mu_t]$", color=INK)
        panel.legend(loc="upper right")
