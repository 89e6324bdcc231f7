"""What falls with t, at every step of a run: the loss, the dissipation, the free energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.plots.style import BLUE, FAINT, GREEN, ORANGE, label_decades

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.runs.run import Run

SMALLEST = 1e-16  # below it, a loss is rounding: the log scale stops there

BESIDE: dict[str, Any] = {"textcoords": "offset points", "xytext": (6, 0), "va": "center", "color": BLUE}  # a point at the end of a curve


def history(run: Run, *names: str) -> tuple[np.ndarray, ...]:
    """The time and the named series at every step; at the frames, where a run broke off before its first step."""
    if len(run.history["time"]) > 1:
        return run.history["time"], *(run.history[name] for name in names)
    return run.times, *(getattr(run, name) for name in names)


def draw_fall(panel: Axes, run: Run) -> None:
    """The loss, where there are data, and the dissipation of every step against t."""
    time, loss, dissipation = history(run, "loss", "dissipation")
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
    fall = "-dE/dt" if "geometry" in run.attributes else rf"\int |{force}|^2 d\mu{grown}"
    panel.plot(time, dissipation, color=colour, linewidth=1.2, label=f"dissipation ${fall}$")
    if known:
        panel.plot(time, loss, color=BLUE, label=r"loss $L[\mu_t]$")
        panel.plot(run.times, np.maximum(run.loss, SMALLEST), "o", color=BLUE, markersize=4)
        panel.annotate(f"{run.loss[0]:.3g}", (time[0], loss[0]), textcoords="offset points", xytext=(6, 4), color=BLUE)
        panel.annotate(f"{run.loss[-1]:.3g}", (time[-1], loss[-1]), **BESIDE)
        if run.has_test:
            panel.plot(
                run.times, np.maximum(run.test_loss, SMALLEST), "s-", color=ORANGE, markersize=3, linewidth=0.9, label="loss on test data"
            )
        lower = float(run.attributes.get("certificate_lower", 0.0))
        if lower > SMALLEST and not entropic:
            panel.axhline(lower, color=GREEN, linewidth=1.2, linestyle="--", label="lower bound of min L")
    panel.set(xlabel="t", yscale="log")
    panel.margins(y=0.12)
    label_decades(panel)
    panel.legend(loc="best")


def draw_free_energy(panel: Axes, run: Run) -> None:
    """E of every step against t."""
    parts = [r"\frac{1}{2} L"] if run.data is not None else [r"\int V d\mu + \frac{1}{2} \iint W d\mu d\mu + \int U(\mu)"]
    parts += [r"\tau \int \mu \log \mu"] if run.data is not None else []
    panel.plot(*history(run, "free_energy"), color=BLUE, label=f"free energy $E = {' + '.join(parts)}$")
    panel.plot(run.times, run.free_energy, "o", color=BLUE, markersize=4)
    panel.annotate(f"{run.free_energy[-1]:.4g}", (run.times[-1], run.free_energy[-1]), **BESIDE)
    panel.set(xlabel="t")
    panel.margins(y=0.16)
    panel.legend(loc="upper right")
