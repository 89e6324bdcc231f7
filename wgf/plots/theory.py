"""The figures of the theory: L along the two straight lines between two measures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wgf.plots.style import BLUE, ORANGE, legend_below, styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.plots.figure import Figure
    from wgf.studies.theory.convexity import Convexity


def plot_convexity(found: Convexity, path: str | Path | None = None) -> Figure:
    """L against s, along the mixture and along the displacement."""
    from wgf.plots.figure import Figure

    with styled():
        figure = Figure(figsize=(6.4, 4.4), layout="constrained")
        draw_convexity(figure.add_subplot(), found)
        write(figure, path)
    return figure


def draw_convexity(panel: Axes, found: Convexity) -> None:
    """Both curves, and in words the least second difference of each."""
    for loss, along, colour, marker in ((found.mixture, "mixture", BLUE, "o"), (found.displacement, "displacement", ORANGE, "s")):
        bent = "convex" if found.is_convex(along) else "not convex"
        panel.plot(found.s, loss, "-", marker=marker, markersize=3, color=colour, label=f"{along}: {bent}")
    panel.set(xlabel=r"$s$, from $\mu$ to $\nu$", ylabel=r"$L[\mu_s]$")
    legend_below(panel, columns=2)
