"""Figures of runs, drawn without any global state of matplotlib.

Each function returns the figure, and writes it where a path is given (.png, .pdf or .svg).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.errors import InputError
from wgf.measures.measure import Cloud, Density, Measure, MeshDensity
from wgf.plots.cells import on_surface
from wgf.plots.history import draw_fall, draw_free_energy
from wgf.plots.measures import (
    BINS,
    View,
    colour_bar,
    draw_line,
    draw_plane,
    draw_together,
    labels_of,
    set_plane,
    sharing,
    spread_points,
    thinned,
    views_of,
    views_of_runs,
)
from wgf.plots.style import BLUE, FAINT, GREEN, INK, ORANGE, names_of, plain, set_title, styled, wrapped, write
from wgf.registers import listed
from wgf.runs.frames import common_frames, densities_first

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.plots.figure import Figure
    from wgf.runs.run import Run

PANELS = 4  # times at which the measure is shown
WIDTH = 13.0  # of a figure, in inches
PLANES, CURVES = 3.9, 3.2  # the height of a row of panels
COLUMNS = 4  # of marginals
LABEL = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5}


def plot_run(run: Run, path: str | Path | None = None) -> Figure:
    """A run in one figure: the measure at four times with its marginals, what falls with t, and the fit beside the data.

    Of two or three coordinates all pairs are shown, of more the marginal of each. The free energy has a panel of its own where it is more
    than ½L; the fit is left out where there are no data.
    """
    from wgf.plots.figure import Figure

    chosen = _spread(len(run.times))
    measures, times = [run.measures[k] for k in chosen], run.times[chosen]
    with styled():
        views = views_of_runs((run,), measures)
        above = PLANES * len(views) if views[0].plane else CURVES * -(-len(views) // COLUMNS)
        figure = Figure(figsize=(WIDTH, above + CURVES), layout="constrained")
        (top,), (bottom,) = figure.subfigures(2, 1, squeeze=False, height_ratios=(above, CURVES))
        if views[0].plane:
            _draw_planes(top, measures, times, views)
        else:
            _draw_lines(top, measures, times, views)
        drawn = [draw_fall]
        drawn += [draw_free_energy] if run.has_free_energy else []
        drawn += [draw_fit] if run.data is not None else []
        for panel, draw in zip(bottom.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
            draw(panel, run)
        set_title(figure, _title(run))
        write(figure, path)
    return figure


def plot_density_with_particles(density: Density | MeshDensity, particles: Cloud, path: str | Path | None = None) -> Figure:
    """The density with the neurons drawn over it, in the plane of each pair of axes (along each where there are one or many)."""
    from wgf.plots.figure import Figure

    measures = (density, particles)
    with styled():
        views = views_of(density.names, measures, places=False)
        figure = Figure(figsize=(6.4 * len(views), 5.2), layout="constrained")
        for panel, view in zip(figure.subplots(1, len(views), squeeze=False)[0], views, strict=True):
            draw_together(panel, measures, labels_of(measures, ()), view)
            if view.plane:
                colour_bar(figure, panel, view, views)
        figure.axes[0].legend(loc="upper left", markerscale=2)
        write(figure, path)
    return figure


def plot_together(first: Run, second: Run, path: str | Path | None = None) -> Figure:
    """Two runs at four of the times that both have, on one scale: neurons over the density, two densities in rows, curves in one panel."""
    from wgf.plots.figure import Figure

    runs = densities_first(first, second)
    rows = common_frames(*runs)
    chosen = [rows[k] for k in _spread(len(rows))]
    pairs = [[run.measures[k] for run, k in zip(runs, row, strict=True)] for row in chosen]
    with styled():
        views = views_of_runs(runs, [measure for pair in pairs for measure in pair])
        shown = [(view, group) for view in views for group in sharing(pairs[0], view)]
        height = PLANES if views[0].plane else CURVES
        figure = Figure(figsize=(WIDTH, height * len(shown) + 0.4), layout="constrained")
        panels = figure.subplots(len(shown), len(pairs), squeeze=False, sharex="row", sharey="row")
        for row, (view, group) in zip(panels, shown, strict=True):
            for panel, pair, (k, _) in zip(row, pairs, chosen, strict=True):
                measures, names = [pair[j] for j in group], [names_of(runs)[j] for j in group]
                draw_together(panel, measures, labels_of(measures, names), view)
                panel.set_title(f"t = {runs[0].times[k]:.3g}", loc="left", fontweight="bold")
                if panel is not row[0]:
                    panel.set_ylabel("")
            if len(group) == 1:
                row[0].set_ylabel(f"{plain(wrapped(names[0], height))}\n{row[0].get_ylabel()}")
            if view.plane and isinstance(measures[0], Density | MeshDensity):
                colour_bar(figure, list(row), view, views)
        handles, labels = panels[0, 0].get_legend_handles_labels()
        if handles:
            figure.legend(handles, list(map(plain, labels)), loc="outside lower center", ncols=len(handles), markerscale=2)
        set_title(figure, f"{runs[0].method}\n{runs[1].method}")
        write(figure, path)
    return figure


def _spread(count: int) -> list[int]:
    """The numbers of the frames that are shown, of so many."""
    result: list[int] = np.unique(np.linspace(0, count - 1, PANELS).round().astype(int)).tolist()
    return result


def _title(run: Run) -> str:
    title = str(run.attributes.get("title") or "")
    unfinished = "" if run.status == "complete" else f"  ({run.status})"
    return f"{title + ' — ' if title else ''}{run.method}{unfinished}"


def _draw_lines(figure: Any, measures: Sequence[Measure], times: np.ndarray, views: Sequence[View]) -> None:
    """The marginal of each coordinate, all times in one panel."""
    rows = -(-len(views) // COLUMNS)
    for k, view in enumerate(views):
        draw_line(figure.add_subplot(rows, min(len(views), COLUMNS), k + 1), measures, times, view)
    figure.axes[0].legend()


def _draw_planes(figure: Any, measures: Sequence[Measure], times: np.ndarray, views: Sequence[View]) -> None:
    """A row of panels for each view, the times side by side."""
    flat = not on_surface(measures[0])
    for row, view in zip(figure.subplots(len(views), len(measures), squeeze=False), views, strict=True):
        for panel, measure, time in zip(row, measures, times, strict=True):
            if isinstance(measure, Density | MeshDensity):
                draw_plane(panel, measure, view)
            else:
                points = thinned(measure)
                x, y = points[:, view.axes].T
                panel.plot(x, y, ".", color=BLUE, markersize=3, alpha=max(0.15, min(1.0, 400 / len(points))))
            set_plane(panel, view)
            if panel is not row[0]:
                panel.set_ylabel("")
            if flat:
                _draw_marginals(panel, measure, view)
                panel.annotate(f"t = {time:.3g}", (0.03, 0.985), xycoords="axes fraction", va="top", fontweight="bold", bbox=LABEL)
            else:
                panel.set_title(f"t = {time:.3g}", loc="left", fontweight="bold")
        if isinstance(measures[0], Density | MeshDensity):
            colour_bar(figure, list(row), view, views)


def _draw_marginals(panel: Axes, measure: Measure, view: View) -> None:
    """The two marginals along the upper and the right edge of a panel."""
    for k, (axis, limits) in enumerate(zip(view.axes, view.limits, strict=True)):
        inset = panel.inset_axes((0, 1.02, 1, 0.16) if k == 0 else (1.02, 0, 0.16, 1))
        if isinstance(measure, Density):
            place, height = measure.grid.centers[axis], measure.marginal(axis)
        else:
            points, masses = spread_points(measure)
            height, edges = np.histogram(points[:, axis], BINS, limits, weights=masses)
            place = 0.5 * (edges[1:] + edges[:-1])
        if k == 0:
            inset.fill_between(place, height, color=BLUE, alpha=0.35, linewidth=0)
            inset.set(xlim=limits, ylim=(0, None))
        else:
            inset.fill_betweenx(place, height, color=BLUE, alpha=0.35, linewidth=0)
            inset.set(ylim=limits, xlim=(0, None))
        inset.axis("off")


def draw_measure(panel: Axes, run: Run, frame: int = -1, axes: Sequence[int] | None = None) -> None:
    """The measure of a frame, in the plane of its first two coordinates, or along or in the plane of those whose numbers are given."""
    measure = run.measures[frame]
    views = views_of_runs((run,), [measure])
    chosen = views[0] if axes is None else next((view for view in views if view.axes == tuple(axes)), None)
    if chosen is None:
        raise InputError(f"axes = {axes}: give those of one of its panels, {listed([str(list(view.axes)) for view in views])}")
    draw_together(panel, [measure], labels_of([measure], ()), chosen)
    panel.set_title(f"t = {run.times[frame]:.3g}", loc="left")
    if chosen.plane and isinstance(measure, Density | MeshDensity):
        colour_bar(panel.figure, panel, chosen, views)


def draw_fit(panel: Axes, run: Run) -> None:
    """One input: the network's function at the save times beside the data. More inputs: prediction against target. In their own units."""
    if run.data is None:
        raise InputError("the run is of an energy without data: it has no fit")
    data, prediction = run.data, run.data.in_units(run.prediction)
    x, y = data.original_inputs, data.original_targets
    if x.shape[1] > 1:
        _draw_against_targets(panel, run, y, prediction)
    else:
        order = np.argsort(x[:, 0], kind="stable")
        at = x[order, 0]
        panel.plot(at, y[order], ".", color=INK, markersize=5, alpha=0.6, label=r"data $f^*(x_i)$")
        if run.has_test:
            panel.plot(data.test.original_inputs[:, 0], data.test.original_targets, "+", color=GREEN, label="test data", alpha=0.8)
        for values in prediction[1:-1]:
            panel.plot(at, values[order], color=BLUE, linewidth=0.8, alpha=0.25)
        panel.plot(at, prediction[0][order], color=FAINT, label=rf"$\varphi$ at t = {run.times[0]:.3g}")
        panel.plot(at, prediction[-1][order], color=ORANGE, label=rf"$\varphi$ at t = {run.times[-1]:.3g}")
        panel.set(xlabel=plain(*data.input_names or ("x",)), ylabel=_unlike(data.target_name, "{}"))
        panel.locator_params(axis="x", nbins=5)
    panel.legend(loc="best")


def _unlike(name: str, form: str) -> str:
    """The name of the target in that form, where it says more than that it is one."""
    return "" if name in ("", "y", "target") else form.format(plain(name))


def _draw_against_targets(panel: Axes, run: Run, y: np.ndarray, prediction: np.ndarray) -> None:
    """Predictions against targets at the start and at the end, and of the data to test with."""
    for k, colour, label in ((0, FAINT, f"t = {run.times[0]:.3g}"), (-1, BLUE, f"t = {run.times[-1]:.3g}")):
        panel.plot(y, prediction[k], ".", color=colour, label=label, alpha=0.7)
    if run.has_test:
        test = run.data.test
        panel.plot(test.original_targets, test.in_units(run.test_prediction[-1]), "+", color=ORANGE, label="test data", alpha=0.9)
    ends = [y.min(), y.max()]
    panel.plot(ends, ends, color=INK, linewidth=0.8)
    panel.set(xlabel=rf"target $f^*(x_i)${_unlike(run.data.target_name, ' ({})')}", ylabel=r"prediction $\varphi(x_i)$")
