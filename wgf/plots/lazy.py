"""The figure of a lazy study: how far networks are from their tangent models, how fast they learn, and where their neurons go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wgf.plots.style import FAINT, INK, MARKERS, label_decades, mathematical, set_sizes, set_title, shades, styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.plots.figure import Figure
    from wgf.studies.lazy.study import LazyStudy

SHOWN = 3  # scalings whose neurons are drawn: the first, the middle, the last
ARROWS = 200  # neurons of each


def plot_lazy(study: LazyStudy, path: str | Path | None = None) -> Figure:
    """Deviation and kernel change against κ; κ against m; the losses; the neurons before and after training."""
    from wgf.plots.figure import Figure

    colours = shades(len(study.exponents))
    with styled():
        figure = Figure(figsize=(14, 8.6), layout="constrained")
        upper, lower = cast("Any", figure.subfigures(2, 1, height_ratios=(1.1, 1)))
        deviation, kappa, losses = upper.subplots(1, 3)
        draw_deviation(deviation, study)
        draw_kappa(kappa, study)
        draw_losses(losses, study)
        shown = sorted({round(k * (len(colours) - 1) / max(SHOWN - 1, 1)) for k in range(SHOWN)})
        panels = np.atleast_1d(lower.subplots(1, len(shown), sharex=True, sharey=True))
        for panel, scaling in zip(panels, shown, strict=True):
            _draw_neurons(panel, study, scaling, colours[scaling])
        title = str(study.attributes.get("title") or "")
        set_title(figure, f"{title + ': ' if title else ''}from lazy training to mean field")
        write(figure, path)
    return figure


def label(study: LazyStudy, scaling: int) -> str:
    """α of a scaling, as a formula."""
    factor = study.factors[scaling]
    return f"α = {'' if factor == 1 else f'{factor:g}·'}$m^{{-{study.exponents[scaling]:g}}}$"


def draw_deviation(panel: Axes, study: LazyStudy) -> None:
    """Each network at the last time."""
    for k, colour in enumerate(shades(len(study.exponents))):
        kappa, values = study.relative_scale[k], study.deviation[k, :, :, -1]
        sizes = 10.0 + 8.0 * np.log2(study.sizes / study.sizes[0] + 1.0)
        panel.scatter(
            kappa, values, np.broadcast_to(sizes[:, None], kappa.shape), color=colour, alpha=0.7, linewidths=0, label=label(study, k)
        )
    panel.set(xscale="log", yscale="log", xlabel="relative scale κ at the start", ylabel="‖φ − φ̄‖ / ‖φ₀ − f*‖")
    label_decades(panel, "x")
    panel.set_title(f"deviation from the tangent model at t = {study.times[-1]:g}; larger dots, larger m")
    panel.legend()


def draw_kappa(panel: Axes, study: LazyStudy) -> None:
    """κ against m, with the slopes of theory."""
    for k, colour in enumerate(shades(len(study.exponents))):
        mean = study.relative_scale[k].mean(axis=1)
        spread = study.relative_scale[k].std(axis=1) / np.sqrt(study.replicates)
        slope = study.rates["relative_scale"][k, 0]
        fitted = "" if np.isnan(slope) else f": slope {slope:.2f}"
        looks = {"marker": MARKERS[k % len(MARKERS)], "color": colour, "markersize": 4, "capsize": 2}
        panel.errorbar(study.sizes, mean, spread, fmt="-", label=f"{label(study, k)}{fitted}", **looks)
        expected = study.distance[k] / (study.factors[k] * study.sizes ** (1.0 - study.exponents[k]))
        named = r"$\propto\,\sqrt{E\|\varphi_0 - f^*\|^2}\,/\,m\alpha$" if k == 0 else None
        panel.plot(study.sizes, mean[0] / expected[0] * expected, ":", color=FAINT, linewidth=1.4, label=named)
    set_sizes(panel, study.sizes)
    panel.set_ylabel("κ")
    panel.set_title("relative scale at the start")
    panel.set_ylim(bottom=0.25 * float(study.relative_scale.mean(axis=2).min()))  # space for the legend
    label_decades(panel)
    panel.legend(loc="lower left")


def draw_losses(panel: Axes, study: LazyStudy) -> None:
    """The mean loss of the largest networks, and of their extremes a band."""
    for k, colour in enumerate(shades(len(study.exponents))):
        loss = study.loss[k, -1]
        panel.plot(study.times, loss.mean(axis=0), color=colour, label=label(study, k))
        panel.fill_between(study.times, loss.min(axis=0), loss.max(axis=0), color=colour, alpha=0.15, linewidth=0)
    panel.set(yscale="log", xlabel="t", ylabel="loss")
    panel.set_title(f"loss of m = {study.sizes[-1]:,} neurons, all replicates")
    label_decades(panel)
    panel.legend()


def _draw_neurons(panel: Axes, study: LazyStudy, scaling: int, colour: Any) -> None:
    """The smallest network before and after training, in the plane of two input weights, or of its first coordinates."""
    plane = plane_of(study.names)
    start, end = (study.table.parameters[scaling, :ARROWS, :, k][:, plane] for k in (0, 1))
    names = [mathematical(study.names[k]) for k in plane]
    if len(plane) == 1:
        panel.scatter(start[:, 0], end[:, 0], 8, color=colour)
        panel.set(xlabel=f"{names[0]} before", ylabel=f"{names[0]} after")
    else:
        panel.plot(np.stack([start[:, 0], end[:, 0]]), np.stack([start[:, 1], end[:, 1]]), color=FAINT, linewidth=0.6)
        panel.scatter(start[:, 0], start[:, 1], 6, color=FAINT)
        panel.scatter(end[:, 0], end[:, 1], 12, color=colour)
        panel.set(xlabel=names[0], ylabel=names[1])
    panel.axhline(0.0, color=INK, linewidth=0.3)
    panel.set_title(f"neurons before (grey) and after, m = {study.sizes[0]:,}, {label(study, scaling)}")


def plane_of(names: list[str]) -> list[int]:
    """The axes to draw: two input weights, a weight and the bias, whose direction is where the neuron bends, or the first two."""
    for pair in (("a1", "a2"), ("a", "b")):
        if set(pair) <= set(names):
            return [names.index(name) for name in pair]
    return list(range(min(2, len(names))))
