"""The figures of the theory: L along the two straight lines between two measures, and how it falls to its minimum."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from wgf.plots.style import BLUE, INK, ORANGE, legend_below, styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.plots.figure import Figure
    from wgf.studies.theory.convergence import ConvergenceRate
    from wgf.studies.theory.convexity import Convexity

FORMULAS = {"exponential": r"$A\,e^{-rt}$", "power": r"$A\,t^{-q}$", "shifted power": r"$A\,(1 + t/t_0)^{-q}$"}
ROOM = 5.0  # above the largest gap
LETTERS = {"rate": "r", "exponent": "q", "shift": "t_0"}  # of what a legend shows


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


def plot_convergence(found: ConvergenceRate, path: str | Path | None = None) -> Figure:
    """The gap against t, the best law from where it is fitted on, and the bounds; time is logarithmic where the law is a power."""
    from wgf.plots.figure import Figure

    with styled():
        figure = Figure(figsize=(7.2, 4.8), layout="constrained")
        panel = figure.add_subplot()
        moving = found.times > 0 if found.form != "exponential" else found.times >= 0
        panel.plot(found.times[moving], found.gap[moving], color=BLUE, alpha=0.5, linewidth=4, label="gap to the minimum")
        late = found.times[found.times >= found.since]
        panel.plot(late, found.laws[0].at(late), "--", color=ORANGE, label=_told(found))
        for (name, values), style in zip(found.bounds.items(), cycle(("-.", ":", (0, (5, 1)))), strict=False):
            panel.plot(found.times[moving], values[moving], linestyle=style, color=INK, linewidth=1.2, label=f"bound: {name}")
        panel.set(
            xlabel="t",
            ylabel="$E - E^*$" if found.of_energy else "$L - L^*$",
            yscale="log",
            xscale="linear" if found.form == "exponential" else "log",
        )
        panel.set_ylim(0.5 * found.gap.min(), ROOM * found.gap.max())  # a bound may begin at infinity
        panel.legend()
        write(figure, path)
    return figure


def _told(found: ConvergenceRate) -> str:
    """The best law in words, with what it found."""
    letters = [
        f"${LETTERS[name]}$ = {row[0]:.4g} [{row[1]:.4g}, {row[2]:.4g}]" for name, row in found.parameters.items() if name in LETTERS
    ]
    return f"{found.form} {FORMULAS[found.form]}: {', '.join(letters)}"
