"""The figures of comparisons: distances of m neurons from the limit against m and t, and two runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wgf.measures.distances.register import DISTANCES
from wgf.plots.style import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    MARKERS,
    ORANGE,
    PLUM,
    label_decades,
    legend_below,
    set_sizes,
    set_title,
    shades,
    styled,
    write,
)
from wgf.registers import known

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.plots.figure import Figure
    from wgf.studies.pair import Pair
    from wgf.studies.sweeps.comparison import Comparison
    from wgf.studies.sweeps.over_steps import StepComparison

SMALLEST = 1e-16  # below it, a distance is rounding
PANELS = 4  # of the small multiples over time
SIGMAS = 1.96  # of a 95 % interval


def plot_comparison(comparison: Comparison, path: str | Path | None = None) -> Figure:
    """Every distance against m with its rate; the fluctuation against t beside its prediction; small multiples over time."""
    from wgf.plots.figure import Figure

    names = list(comparison.distance)
    with styled():
        figure = Figure(figsize=(4.6 * max(3, len(names) + 1), 10.2), layout="constrained")
        upper, lower = cast("Any", figure.subfigures(2, 1, height_ratios=(1.5, 1)))
        ratio, *panels = upper.subplots(1, len(names) + 1)
        for name, panel in zip(names, panels, strict=True):
            draw_rates(panel, comparison, name)
        draw_ratio(ratio, comparison)
        _draw_multiples(lower, comparison)
        title = str(comparison.attributes.get("title") or "")
        of_each = f"{comparison.replicates} replicates for each m (dots); bars are 95 % intervals of the mean square"
        set_title(figure, f"{title + ': ' if title else ''}m neurons beside the limit, {of_each}")
        write(figure, path)
    return figure


def plot_rates(comparison: Comparison) -> Figure:
    """The main distance alone, against m with its rate."""
    from wgf.plots.figure import Figure

    with styled():
        figure = Figure(figsize=(6, 4.6), layout="constrained")
        draw_rates(figure.add_subplot(), comparison, comparison.main)
    return figure


def plot_pair(pair: Pair, path: str | Path | None = None) -> Figure:
    """The distances of two runs against t, each with what equality would show."""
    from wgf.plots.figure import Figure

    with styled():
        figure = Figure(figsize=(8.6, 4.8), layout="constrained")
        draw_distances(figure.add_subplot(), pair)
        set_title(figure, f"{pair.attributes['first']}\n{pair.attributes['second']}")
        write(figure, path)
    return figure


def draw_distances(panel: Axes, pair: Pair) -> None:
    """Each against t, with what would be seen if the two measures were the same."""
    for k, (name, values) in enumerate(pair.distance.items()):
        colour = f"C{k}"
        shown: dict[str, Any] = {"color": colour, "marker": MARKERS[k % len(MARKERS)], "markersize": 4}
        panel.plot(pair.times, np.maximum(values, SMALLEST), "-", label=name, **shown)
        if (pair.floor[name] > 0).any():
            panel.plot(pair.times, np.maximum(pair.floor[name], SMALLEST), "--", color=colour, linewidth=1, label=f"{name}, if equal")
    panel.set(xlabel="t", ylabel="distance", yscale="log")
    panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def plot_steps(found: StepComparison, path: str | Path | None = None) -> Figure:
    """The distance of gradient descent from the flow of the same neurons against the step, at the last time."""
    from matplotlib.ticker import NullLocator

    from wgf.plots.figure import Figure
    from wgf.studies.sweeps.over_steps import name_of

    with styled():
        figure = Figure(figsize=(8.6, 4.8), layout="constrained")
        panel = figure.add_subplot()
        mean, error = found.mean_square()[:, :, -1], found.standard_error()[:, :, -1]
        colours = shades(len(found.batches))
        for k, (batch, rate, square, uncertain) in enumerate(zip(found.batches, found.rates, mean, error, strict=True)):
            root = np.sqrt(square)
            half = np.minimum(SIGMAS * uncertain / (2 * root), 0.9 * root)
            label = f"{name_of(batch)}: slope {0.5 * rate.slope[-1]:.2f}"
            looks = {"marker": MARKERS[k % len(MARKERS)], "color": colours[k], "markersize": 4, "capsize": 2}
            panel.errorbar(found.steps, root, half, fmt="-", label=label, **looks)
        level = float(np.sqrt(found.fluctuation[-1] / found.m))
        panel.axhline(level, color=INK, linestyle="--", linewidth=1, label=f"fluctuation of {found.m} neurons: {level:.1e}")
        panel.set(xscale="log", yscale="log", xlabel=r"step $\eta$")
        panel.set_ylabel(r"$\| \varphi_{\eta, B} - \varphi_{\mathrm{flow}} \|$  (root mean square)")
        panel.set_title(f"{found.m} neurons at t = {found.times[-1]:g}, {found.distance.shape[2]} replicates", loc="left")
        panel.set_xticks(found.steps, [f"{step:g}" for step in found.steps])
        panel.xaxis.set_minor_locator(NullLocator())
        panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        write(figure, path)
    return figure


def draw_rates(panel: Axes, comparison: Comparison, name: str = "") -> None:
    """The root mean square of a distance (the main one) against m at three times: each replicate, mean, fit, theory, self-distance."""
    name = known(name or comparison.main, comparison.distance, "distance of the comparison")
    sizes, rate = comparison.sizes, comparison.rates[name]
    last = len(comparison.times) - 1
    looks = zip((GREEN, BLUE, ORANGE), MARKERS, (0.94, 1.0, 1.06), strict=False)
    for k, (colour, marker, shift) in zip(dict.fromkeys((0, last // 2, last)), looks, strict=False):
        dots = np.repeat(sizes * shift, comparison.replicates)
        panel.plot(dots, comparison.distance[name][:, :, k].ravel(), ".", color=colour, alpha=0.12, markersize=3, zorder=1)
        half = 0.25 * (rate.upper[k] - rate.lower[k])  # of d, whose square has twice the slope
        legend = f"t = {comparison.times[k]:.3g}: slope {0.5 * rate.slope[k]:.2f} ± {half:.2f}"
        _draw_points(panel, comparison, name, k, colour, legend, marker, shift)
        panel.plot(sizes, fitted(comparison, name, k), color=colour, linewidth=1.2)
    if name == "function":
        panel.plot(sizes, np.sqrt(comparison.theory / sizes), "--", color=INK, linewidth=1, label=r"exact at t = 0:  $\propto m^{-1/2}$")
        _draw_error(panel, comparison, last)
    set_sizes(panel, comparison.sizes)
    panel.set_ylabel(f"{DISTANCES[name].label}  (root mean square)")
    _draw_triangle(panel, comparison, name, last)
    label_decades(panel)
    legend_below(panel)


def _draw_points(
    panel: Axes, comparison: Comparison, name: str, k: int, colour: str, label: str, marker: str = "o", shift: float = 1.0
) -> None:
    """The root mean square at one time for each m, with its interval."""
    mean, error = comparison.mean_square(name)[:, k], comparison.standard_error(name)[:, k]
    root = np.sqrt(np.maximum(mean, SMALLEST**2))
    spread = np.minimum(SIGMAS * error / (2 * root), 0.9 * root)
    panel.errorbar(comparison.sizes * shift, root, yerr=spread, fmt=marker, color=colour, markersize=4, capsize=2, label=label)


def fitted(comparison: Comparison, name: str, k: int) -> np.ndarray:
    """The fitted line at one time, (S,)."""
    logs = np.log(np.maximum(comparison.mean_square(name)[:, k], SMALLEST**2))
    x = np.log(comparison.sizes)
    result: np.ndarray = np.exp(0.5 * (logs.mean() + comparison.rates[name].slope[k] * (x - x.mean())))
    return result


def _draw_triangle(panel: Axes, comparison: Comparison, name: str, k: int) -> None:
    """A triangle with the slope that theory expects of the distance, above the points."""
    slope, sizes = 0.5 * comparison.rates[name].expected_slope[k], comparison.sizes
    left, right = sizes[-1] ** 0.62 * sizes[0] ** 0.38, sizes[-1] ** 0.88 * sizes[0] ** 0.12
    above = comparison.distance[name][:, :, k]
    place = int(np.searchsorted(sizes, left))
    top = 1.6 * max(above[max(place - 1, 0) :].max(), comparison.distance[name][max(place - 1, 0) :].max())
    foot = top * (right / left) ** slope
    panel.fill([left, right, right], [top, foot, top], facecolor="none", edgecolor=INK, linewidth=0.9)
    label = {-0.5: r"$-\frac{1}{2}$"}.get(slope, f"{slope:.2g}")
    panel.annotate(label, (right, np.sqrt(top * foot)), textcoords="offset points", xytext=(3, 0), va="center")
    panel.annotate("1", (np.sqrt(left * right), top), textcoords="offset points", xytext=(0, 3), ha="center")


def _draw_error(panel: Axes, comparison: Comparison, k: int) -> None:
    """The error of the computed limit as a level, where it is near enough to be seen."""
    error = comparison.discretisation["function"][k]
    if np.isfinite(error) and error > 0.05 * np.sqrt(comparison.mean_square()[-1, k]):
        label = rf"error of the limit: {error:.1e}"
        panel.axhline(error, color=PLUM, linestyle=":", linewidth=1.4, label=label)


def draw_ratio(panel: Axes, comparison: Comparison) -> None:
    """m·E d² over that of neurons drawn afresh from μ_t, against t, for each m; beside it the prediction."""
    sizes, times, main = comparison.sizes, comparison.times, comparison.main
    fresh = comparison.resampling if (comparison.resampling > 0).all() else np.ones(len(times))
    mean, error = comparison.mean_square(main), comparison.standard_error(main)
    colours = shades(len(sizes))
    for k, (size, values) in enumerate(zip(sizes, mean, strict=True)):
        looks = {"color": colours[k], "marker": MARKERS[k % len(MARKERS)], "markersize": 4}
        panel.plot(times, size * values / fresh, label=f"m = {size}", **looks)
    half = SIGMAS * sizes[-1] * error[-1] / fresh
    interval = f"95 % interval of m = {sizes[-1]}"
    panel.errorbar(times, sizes[-1] * mean[-1] / fresh, half, fmt="none", color=colours[-1], capsize=2, linewidth=1, label=interval)
    if np.isfinite(comparison.predicted).all():
        panel.plot(times, comparison.predicted / fresh, "--", color=INK, linewidth=1.6, label=r"predicted, $m \to \infty$")
    what = DISTANCES[main].label.strip("$")
    if main == "function":
        panel.axhline(1.0, color=FAINT, linewidth=1, zorder=0)
        ylabel = r"$m\,E\| \varphi_m - \varphi \|^2$ / that of a fresh draw from $\mu_t$"
    else:
        ylabel = rf"$m\,E{what}^2$"
    panel.set(xlabel="t", ylabel=ylabel, ylim=(0, None))
    legend_below(panel, columns=2)


def _draw_multiples(figure: Any, comparison: Comparison) -> None:
    """The main distance against m, one panel for each of a few times, on one scale; with prediction and the limit's error."""
    main, times = comparison.main, comparison.times
    shown = np.unique(np.linspace(0, len(times) - 1, min(PANELS, len(times))).round().astype(int)).tolist()
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for panel, k in zip(panels, shown, strict=True):
        _draw_points(panel, comparison, main, k, BLUE, "replicates from the limit")
        panel.plot(comparison.sizes, fitted(comparison, main, k), color=BLUE, linewidth=1.2)
        floor = np.sqrt(0.5 * comparison.mean_square_floor(main)[:, k])
        panel.plot(comparison.sizes, floor, "x", color=FAINT, markersize=5, label=r"self-distance, $/\sqrt{2}$")
        predicted = comparison.rates[main].expected_constant[k]
        if np.isfinite(predicted):
            panel.plot(comparison.sizes, np.sqrt(predicted / comparison.sizes), "--", color=INK, linewidth=1.2, label="predicted")
        if main == "function":
            _draw_error(panel, comparison, k)
        set_sizes(panel, comparison.sizes)
        panel.set_title(f"t = {times[k]:.3g}", loc="left", fontweight="bold")
    label_decades(panels[0])
    panels[0].set_ylabel(f"{DISTANCES[main].label}  (root mean square)")
    handles: dict[str, Any] = {}
    for panel in panels:
        handles |= {label.split(":")[0]: handle for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))
