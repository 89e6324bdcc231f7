"""Figures, films and pages. `DRAWERS` is the one list of figures: what is drawn, by its class → "module:function"; `PARTS` of panels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wgf.errors import InputError, brief
from wgf.registers import known, load

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

PARTS = {
    "Run": {
        "density": "wgf.plots.run:draw_measure",
        "loss": "wgf.plots.history:draw_fall",
        "free-energy": "wgf.plots.history:draw_free_energy",
        "fit": "wgf.plots.run:draw_fit",
    },
    "Comparison": {"rates": "wgf.plots.studies:draw_rates", "fluctuation": "wgf.plots.studies:draw_ratio"},
    "Certificate": {"bounds": "wgf.plots.certificate:draw_bounds", "support": "wgf.plots.certificate:draw_support"},
    "Pair": {"distances": "wgf.plots.studies:draw_distances"},
    "LazyStudy": {
        "deviation": "wgf.plots.lazy:draw_deviation",
        "relative-scale": "wgf.plots.lazy:draw_kappa",
        "losses": "wgf.plots.lazy:draw_losses",
    },
}


def plot_part(result: Any, part: str, ax: Any = None, **options: Any) -> Any:
    """One part of the figure of a result, drawn into axes of matplotlib, or into new ones.

    Parameters
    ----------
    result : Run, Comparison, Certificate, Pair or LazyStudy
        what is drawn
    part : str
        of a run: density, loss, free-energy, fit; of a comparison: rates, fluctuation; of a certificate: bounds, support; of two runs:
        distances; of a lazy study: deviation, relative-scale, losses
    ax : Axes, optional
        the axes to draw into
    **options : Any
        of a density: frame, and axes, the numbers of one or two coordinates; of rates: name, of a distance

    Returns
    -------
    Axes
        with the part in them

    Raises
    ------
    InputError
        for what has no such part
    """
    from wgf.plots.figure import Figure
    from wgf.plots.style import styled

    kind = type(result).__name__
    if kind not in PARTS:
        raise InputError(f"{brief(result)} has no figure with parts: give a run, a comparison, a certificate, a pair or a lazy study")
    draw_it = load(PARTS[kind][known(part, PARTS[kind], f"part of the figure of a {kind}")])
    with styled():
        panel = Figure(figsize=(6.0, 4.4), layout="constrained").add_subplot() if ax is None else ax
        draw_it(panel, result, **options)
    return panel


def draw(result: Any, path: str | Path | None = None) -> Any:
    """The figure of a result, written to `path` if given; returns the matplotlib figure."""
    return load(DRAWERS[type(result).__name__])(result, path)
