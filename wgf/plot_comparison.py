"""The figure of a comparison: distances of m neurons from the limit against m, with the fitted rates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wgf.style import BLUE, GREEN, INK, ORANGE, shades, styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from wgf.sweep import Comparison

SMALLEST = 1e-16  # below it, a distance is rounding


def plot_comparison(comparison: Comparison, path: str | Path | None = None) -> Figure:
    """Distances between m neurons and the limit: against m with the fitted slopes, and scaled by √m against t."""
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(figsize=(14, 4.6), layout="constrained")
        function, scaled, loss = figure.subplots(1, 3)
        _draw_rates(function, comparison, "function", r"$\| \varphi_m - \varphi \|$  (root mean square)")
        _draw_scaled(scaled, comparison)
        _draw_rates(loss, comparison, "loss", r"$| L_m - L |$  (root mean square)")
        replicates = comparison.distance["function"].shape[1]
        title = str(comparison.attributes.get("title") or "")
        figure.suptitle(f"{title + ': ' if title else ''}m neurons beside the limit, {replicates} replicates for each m")
        write(figure, path)
    return figure


def _draw_rates(panel: Axes, comparison: Comparison, name: str, label: str) -> None:
    """The root mean square of a distance against m at three times: every replicate, mean with interval, fit, theory."""
    sizes, rate = comparison.sizes, comparison.rates[name]
    mean, error = comparison.mean_square(name), comparison.standard_error(name)
    last = len(comparison.times) - 1
    for k, colour, shift in zip(dict.fromkeys((0, last // 2, last)), (GREEN, BLUE, ORANGE), (0.94, 1.0, 1.06), strict=False):
        root = np.sqrt(np.maximum(mean[:, k], 0))
        spread = 1.96 * error[:, k] / np.maximum(2 * root, SMALLEST)
        dots = np.repeat(sizes * shift, comparison.distance[name].shape[1])
        panel.plot(dots, comparison.distance[name][:, :, k].ravel(), ".", color=colour, alpha=0.12, markersize=3, zorder=1)
        half = 0.5 * (rate.upper[k] - rate.lower[k])
        legend = f"t = {comparison.times[k]:.3g}: squared slope {rate.slope[k]:.2f} ± {half:.2f}"
        panel.errorbar(
            sizes * shift, root, yerr=np.minimum(spread, 0.9 * root), fmt="o", color=colour, markersize=4, capsize=2, label=legend
        )
        panel.plot(sizes, np.sqrt(rate.constant[k] * sizes ** rate.slope[k]), color=colour, linewidth=1.2)
    if name == "function":
        panel.plot(sizes, np.sqrt(comparison.theory / sizes), "--", color=INK, linewidth=1, label=r"exact at t = 0:  $\propto m^{-1/2}$")
    panel.set(xscale="log", yscale="log", xlabel="number of neurons  m", ylabel=label)
    _mark_sizes(panel, sizes)
    panel.legend(loc="lower left")


def _draw_scaled(panel: Axes, comparison: Comparison) -> None:
    """√m times the root-mean-square distance against t: one curve if the rate holds at all times."""
    for size, mean, colour in zip(comparison.sizes, comparison.mean_square(), shades(len(comparison.sizes)), strict=True):
        panel.plot(comparison.times, np.sqrt(size * mean), color=colour, label=f"m = {size}", marker="o", markersize=3)
    if np.isfinite(comparison.predicted).all():
        panel.plot(comparison.times, np.sqrt(comparison.predicted), "--", color=INK, linewidth=1.5, label=r"predicted, $m \to \infty$")
    panel.set(xlabel="t", ylabel=r"$\sqrt{m}\; \| \varphi_m - \varphi \|$  (root mean square)", ylim=(0, None))
    panel.legend(ncols=2 if len(comparison.sizes) > 4 else 1, loc="best")


def _mark_sizes(panel: Axes, sizes: np.ndarray) -> None:
    """Ticks at the sizes themselves, every other one where they are many."""
    from matplotlib.ticker import NullFormatter

    shown = sizes if len(sizes) <= 5 else sizes[::2]
    panel.set_xticks(shown, [str(size) for size in shown])
    panel.xaxis.set_minor_formatter(NullFormatter())
