"""Figures of runs, drawn without any global state of matplotlib.

Each function returns the figure, and writes it where a path is given (.png, .pdf or .svg).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.measures.measure import Cloud, Density, Measure, MeshDensity
from wgf.plots.cells import on_surface
from wgf.plots.measures import BINS, axis_names, draw_line, draw_plane, draw_together, limits_of, peak, spread_points, thinned
from wgf.plots.style import BLUE, FAINT, INK, ORANGE, mathematical, plain, styled, write
from wgf.runs.frames import common_frames, densities_first

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.plots.figure import Figure
    from wgf.runs.run import Run

PANELS = 4  # times at which the measure is shown
LABEL = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5}
SMALLEST = 1e-16  # below it, a loss is rounding: the log scale stops there


def plot_run(run: Run, path: str | Path | None = None) -> Figure:
    """A run in one figure: the measure at four times with its marginals, what falls with t, and the fit beside the data.

    The free energy has a panel of its own where it is more than ½L; the fit is left out where there are no data.
    """
    from wgf.plots.figure import Figure

    with styled():
        figure = Figure(figsize=(13, 7.4), layout="constrained")
        (top,), (bottom,) = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.15, 1))
        chosen = np.unique(np.linspace(0, len(run.times) - 1, PANELS).round().astype(int))
        measures = [run.measures[k] for k in chosen]
        _draw_measures(top, measures, run.times[chosen], axis_names(run, measures[0]))
        drawn = [_draw_fall]
        drawn += [_draw_free_energy] if run.has_free_energy else []
        drawn += [_draw_fit] if run.data is not None else []
        for panel, draw in zip(bottom.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
            draw(panel, run)
        figure.suptitle(plain(_title(run)))
        write(figure, path)
    return figure


def plot_density_with_particles(density: Density | MeshDensity, cloud: Cloud, path: str | Path | None = None) -> Figure:
    """The density with the neurons drawn over it, in the plane of the first two axes (along the axis where there is one)."""
    from wgf.plots.figure import Figure

    with styled():
        figure = Figure(figsize=(6.4, 5.2), layout="constrained")
        panel = figure.add_subplot()
        names = [mathematical(name) for name in density.names]
        image = draw_together(panel, (density, cloud), names, limits_of([density, cloud]) if len(names) > 1 else [])
        if image is not None:
            figure.colorbar(image, ax=panel, label="density", shrink=0.85)
        panel.legend(loc="upper left", markerscale=2)
        write(figure, path)
    return figure


def plot_together(first: Run, second: Run, path: str | Path | None = None) -> Figure:
    """Two runs in one picture, neurons over the density, at four of the times that both have; each density on a scale of its own."""
    from wgf.plots.figure import Figure

    runs = densities_first(first, second)
    rows = common_frames(*runs)
    chosen = [rows[k] for k in np.unique(np.linspace(0, len(rows) - 1, PANELS).round().astype(int))]
    pairs = [[run.measures[k] for run, k in zip(runs, row, strict=True)] for row in chosen]
    names = axis_names(runs[0], pairs[0][0])
    limits = limits_of([measure for pair in pairs for measure in pair]) if len(names) > 1 else []
    with styled():
        figure = Figure(figsize=(13, 4.0), layout="constrained")
        panels = figure.subplots(1, len(pairs), squeeze=False)[0]
        for panel, pair, (k, _) in zip(panels, pairs, chosen, strict=True):
            draw_together(panel, pair, names, limits)
            panel.set_title(f"t = {runs[0].times[k]:.3g}", loc="left", fontweight="bold")
            panel.label_outer()
        if panels[0].get_legend_handles_labels()[0]:
            panels[0].legend(loc="upper left", markerscale=2)
        figure.suptitle(plain(f"{runs[0].method}  and  {runs[1].method}"))
        write(figure, path)
    return figure


def _title(run: Run) -> str:
    title = str(run.attributes.get("title") or "")
    unfinished = "" if run.status == "complete" else f"  ({run.status})"
    return f"{title + ' — ' if title else ''}{run.method}{unfinished}"


def _draw_measures(figure: Any, measures: Sequence[Measure], times: np.ndarray, names: list[str]) -> None:
    """The measures side by side; in one dimension in one panel."""
    if len(names) == 1:
        draw_line(figure.subplots(), measures, times, names[0])
        return
    limits = limits_of(measures)
    scale, flat = peak(measures), not on_surface(measures[0])
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    image = None
    for panel, measure, time in zip(panels, measures, times, strict=True):
        panel.set(xlim=limits[0], ylim=limits[1], xlabel=names[0])
        if isinstance(measure, Density | MeshDensity):
            image = draw_plane(panel, measure, scale)
        else:
            points = thinned(measure)
            panel.plot(points[:, 0], points[:, 1], ".", color=BLUE, markersize=3, alpha=max(0.15, min(1.0, 400 / len(points))))
        if flat:
            _draw_marginals(panel, measure, limits)
            panel.annotate(f"t = {time:.3g}", (0.03, 0.985), xycoords="axes fraction", va="top", fontweight="bold", bbox=LABEL)
        else:
            panel.set_title(f"t = {time:.3g}", loc="left", fontweight="bold")
    panels[0].set_ylabel(names[1])
    if image is not None:
        what = "density" if len(names) == 2 or not flat else f"density of ({names[0]}, {names[1]})"
        figure.colorbar(image, ax=panels, label=what, shrink=0.8, pad=0.01)


def _draw_marginals(panel: Axes, measure: Measure, limits: Sequence[tuple[float, float]]) -> None:
    """The two marginals along the upper and the right edge of a panel."""
    for axis in (0, 1):
        inset = panel.inset_axes((0, 1.02, 1, 0.16) if axis == 0 else (1.02, 0, 0.16, 1))
        if isinstance(measure, Density):
            place, height = measure.grid.centers[axis], measure.marginal(axis)
        else:
            points, masses = spread_points(measure)
            height, edges = np.histogram(points[:, axis], BINS, limits[axis], weights=masses)
            place = 0.5 * (edges[1:] + edges[:-1])
        if axis == 0:
            inset.fill_between(place, height, color=BLUE, alpha=0.35, linewidth=0)
            inset.set(xlim=limits[0], ylim=(0, None))
        else:
            inset.fill_betweenx(place, height, color=BLUE, alpha=0.35, linewidth=0)
            inset.set(ylim=limits[1], xlim=(0, None))
        inset.axis("off")


def _history(run: Run, *names: str) -> tuple[np.ndarray, ...]:
    """The time and the named series at every step; at the frames, where a run broke off before its first step."""
    if len(run.history["time"]) > 1:
        return run.history["time"], *(run.history[name] for name in names)
    return run.times, *(getattr(run, name) for name in names)


def _draw_fall(panel: Axes, run: Run) -> None:
    """The loss, where there are data, and the dissipation of every step against t."""
    from matplotlib.ticker import FuncFormatter, LogFormatterMathtext, LogLocator, NullFormatter

    time, loss, dissipation = _history(run, "loss", "dissipation")
    loss, dissipation = (
        np.maximum(loss, SMALLEST),
        np.where(dissipation < SMALLEST, SMALLEST if dissipation.max() < SMALLEST else np.nan, dissipation),
    )
    known = run.data is not None
    entropic = run.attributes["temperature"] > 0 and np.isfinite(run.free_energy[0])
    force = r"\nabla (G + \tau \log \mu)" if entropic else r"\nabla G"
    colour = FAINT if known else BLUE
    growth = run.attributes.get("growth", 0.0)
    grown = rf" + {growth:g} \int G^2 d\mu" if growth else ""
    panel.plot(time, dissipation, color=colour, linewidth=1.2, label=rf"dissipation $\int |{force}|^2 d\mu{grown}$")
    shown = loss if known else dissipation
    if known:
        panel.plot(time, loss, color=BLUE, label=r"loss $L[\mu_t]$")
        panel.plot(run.times, np.maximum(run.loss, SMALLEST), "o", color=BLUE, markersize=4)
        panel.annotate(f"{run.loss[0]:.3g}", (time[0], loss[0]), textcoords="offset points", xytext=(6, 4), color=BLUE)
        panel.annotate(f"{run.loss[-1]:.3g}", (time[-1], loss[-1]), textcoords="offset points", xytext=(0, -15), color=BLUE, ha="right")
    panel.set(xlabel="t", yscale="log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if np.log10(np.nanmax(shown) / np.nanmin(shown)) < 2 else LogLocator())
    panel.yaxis.set_major_formatter(LogFormatterMathtext() if np.nanmin(shown) < 1e-4 else FuncFormatter(lambda value, _: f"{value:g}"))
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.margins(y=0.12)
    panel.legend(loc="best")


def _draw_free_energy(panel: Axes, run: Run) -> None:
    """E of every step against t."""
    parts = [r"\frac{1}{2} L"] if run.data is not None else [r"\int V d\mu + \frac{1}{2} \iint W d\mu d\mu + \int U(\mu)"]
    parts += [r"\tau \int \mu \log \mu"] if run.data is not None else []
    panel.plot(*_history(run, "free_energy"), color=BLUE, label=f"free energy $E = {' + '.join(parts)}$")
    panel.plot(run.times, run.free_energy, "o", color=BLUE, markersize=4)
    panel.annotate(
        f"{run.free_energy[-1]:.4g}",
        (run.times[-1], run.free_energy[-1]),
        textcoords="offset points",
        xytext=(0, -14),
        color=BLUE,
        ha="right",
    )
    panel.set(xlabel="t")
    panel.margins(y=0.16)
    panel.legend(loc="upper right")


def _draw_fit(panel: Axes, run: Run) -> None:
    """One input: the network's function at the save times beside the data. More inputs: prediction against target."""
    x, y = run.data.inputs, run.data.targets
    if x.shape[1] > 1:
        for k, colour, label in ((0, FAINT, f"t = {run.times[0]:.3g}"), (-1, BLUE, f"t = {run.times[-1]:.3g}")):
            panel.plot(y, run.prediction[k], ".", color=colour, label=label, alpha=0.7)
        ends = [y.min(), y.max()]
        panel.plot(ends, ends, color=INK, linewidth=0.8)
        panel.set(xlabel=r"target $f^*(x_i)$", ylabel=r"prediction $\varphi(x_i)$")
    else:
        order = np.argsort(x[:, 0], kind="stable")
        at = x[order, 0]
        panel.plot(at, y[order], ".", color=INK, markersize=5, alpha=0.6, label=r"data $f^*(x_i)$")
        for prediction in run.prediction[1:-1]:
            panel.plot(at, prediction[order], color=BLUE, linewidth=0.8, alpha=0.25)
        panel.plot(at, run.prediction[0][order], color=FAINT, label=rf"$\varphi$ at t = {run.times[0]:.3g}")
        panel.plot(at, run.prediction[-1][order], color=ORANGE, label=rf"$\varphi$ at t = {run.times[-1]:.3g}")
        panel.set(xlabel="x")
        panel.locator_params(axis="x", nbins=5)
    panel.legend(loc="best")
