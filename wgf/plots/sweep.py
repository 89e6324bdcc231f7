"""The figure of a sweep over keys of a problem file: the losses against t, and those at the end against the first key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.plots.style import INK, label_decades, plain, set_title, shades, styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.plots.figure import Figure
    from wgf.studies.sweeps.over_settings import Sweep

SMALLEST = 1e-16  # below it, a loss is rounding
MOST_NAMED = 12  # curves in a legend


def plot_sweep(sweep: Sweep, path: str | Path | None = None) -> Figure:
    """A curve for each run on the left; on the right what they come to, a curve for each combination of the further keys."""
    from wgf.plots.figure import Figure

    with styled():
        figure = Figure(figsize=(13, 5.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_losses(left, sweep)
        _draw_ends(right, sweep)
        title = str(sweep.attributes.get("title") or "")
        set_title(figure, f"{title + ': ' if title else ''}{sweep.steps.size} runs over {' and '.join(sweep.keys)}")
        write(figure, path)
    return figure


def _draw_losses(panel: Axes, sweep: Sweep) -> None:
    """L[μ_t] of every run, and its loss on test data dashed."""
    cells = sweep.cells
    for cell, colour in zip(cells, shades(len(cells)), strict=True):
        label = ", ".join(f"{key.split('.')[-1]} = {said(value)}" for key, value in sweep.settings(cell).items())
        time = sweep.series["time"][cell]
        panel.plot(time, floored(sweep.series["loss"][cell]), color=colour, label=plain(label) if len(cells) <= MOST_NAMED else None)
        panel.plot(time, floored(sweep.series["test_loss"][cell]), "--", color=colour, linewidth=1)
    panel.set(xlabel="t", ylabel=_what(sweep, r"loss $L[\mu_t]$"), yscale="log")
    label_decades(panel)
    if len(cells) <= MOST_NAMED:
        panel.legend(loc="best")


def _draw_ends(panel: Axes, sweep: Sweep) -> None:
    """The loss at the end against the first key, and that on test data dashed."""
    first, *others = sweep.values
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in first)
    place = np.array(first, dtype=float) if numbers else np.arange(len(first), dtype=float)
    order = np.argsort(place)
    loss, test = (floored(sweep.last(name)).reshape(len(first), -1) for name in ("loss", "test_loss"))
    colours = shades(loss.shape[1]) if others else [INK]
    for k, colour in enumerate(colours):
        rest = sweep.settings((0, *map(int, np.unravel_index(k, sweep.shape[1:])))) if others else {}
        label = ", ".join(f"{key.split('.')[-1]} = {said(value)}" for key, value in list(rest.items())[1:])
        panel.plot(place[order], loss[order, k], "o-", color=colour, label=plain(label) if others and len(colours) <= MOST_NAMED else None)
        panel.plot(place[order], test[order, k], "s--", color=colour, markersize=4, linewidth=1)
    panel.set(xlabel=plain(sweep.keys[0]), ylabel=_what(sweep, "loss at the end"), yscale="log")
    _set_places(panel, place, first, numbers)
    label_decades(panel)
    if others and len(colours) <= MOST_NAMED:
        panel.legend(loc="best")


def _set_places(panel: Axes, place: np.ndarray, values: tuple[Any, ...], numbers: bool) -> None:
    """The axis of a key: logarithmic where its numbers are spread over decades, its words one beside the other."""
    if not numbers:
        panel.set_xticks(place, [plain(said(value)) for value in values])
    elif (place >= 0).all() and (positive := place[place > 0]).size > 1 and positive.max() >= 10 * positive.min():
        if (place == 0).any():
            panel.set_xscale("symlog", linthresh=positive.min())
            panel.set_xlim(-0.3 * positive.min(), 2 * positive.max())
        else:
            panel.set_xscale("log")
        panel.set_xticks(np.sort(place), [f"{value:g}" for value in np.sort(place)])
        panel.set_xticks([], minor=True)


def _what(sweep: Sweep, name: str) -> str:
    """The label of an axis of losses."""
    return f"{name}; dashed on test data" if np.isfinite(sweep.series["test_loss"]).any() else name


def floored(values: np.ndarray) -> np.ndarray:
    """Losses that a logarithmic axis can show."""
    result: np.ndarray = np.maximum(values, SMALLEST)
    return result


def said(value: object) -> str:
    """A value of a key, short."""
    return f"{value:g}" if isinstance(value, float) else str(value)
