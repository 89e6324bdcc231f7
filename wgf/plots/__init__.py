"""Figures and films. `DRAWERS` is the one list of figures: what is drawn, by its class → "module:function"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wgf.registers import load

DRAWERS = {
    "Run": "wgf.plots.run:plot_run",
    "Comparison": "wgf.plots.studies:plot_comparison",
    "Certificate": "wgf.plots.certificate:plot_certificate",
    "Pair": "wgf.plots.studies:plot_pair",
    "LazyStudy": "wgf.plots.lazy:plot_lazy",
    "Sweep": "wgf.plots.sweep:plot_sweep",
    "StepComparison": "wgf.plots.studies:plot_steps",
    "ConvergenceRate": "wgf.plots.theory:plot_convergence",
    "Convexity": "wgf.plots.theory:plot_convexity",
}


def draw(result: Any, path: str | Path | None = None) -> Any:
    """The figure of a result, written to `path` if given; returns the matplotlib figure."""
    return load(DRAWERS[type(result).__name__])(result, path)
