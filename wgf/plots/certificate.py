"""The figure of a certificate: how far each frame is from the best measure, and where the last one would gain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.measures.measure import Density, MeshDensity
from wgf.plots.measures import View, draw_together, views_of
from wgf.plots.style import BLUE, FAINT, GREEN, INK, ORANGE, label_decades, set_title, styled, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.plots.figure import Figure
    from wgf.studies.optimality.certificate import Certificate

SMALLEST = 1e-16  # below it, a bound is rounding
PIXELS = 160  # of a map of G along each axis
LEVELS = 24  # of that map
BINS = 60
CONTOURS = np.array([0.02, 0.1, 0.3, 0.6, 0.9])  # of the largest density


def plot_certificate(certificate: Certificate, path: str | Path | None = None) -> Figure:
    """Bounds against t; the support condition, G where there is mass; in the plane of two coordinates, G and the mass."""
    from wgf.plots.figure import Figure

    planar = certificate.lowest.shape[1] <= 2
    with styled():
        figure = Figure(figsize=(15.0 if planar else 10.5, 4.6), layout="constrained")
        panels = figure.subplots(1, 3 if planar else 2)
        draw_bounds(panels[0], certificate)
        draw_support(panels[1], certificate)
        if planar:
            _draw_mass(panels[2], certificate)
        set_title(figure, certificate.text)
        write(figure, path)
    return figure


def _noisy(certificate: Certificate) -> bool:
    return bool(certificate.run.problem.noise > 0)


def draw_bounds(panel: Axes, certificate: Certificate) -> None:
    """The gap, the best bound and the residual."""
    noisy = _noisy(certificate)
    gap = r"$\tau\,KL(\mu\,|\,p_\mu)$" if noisy else r"duality gap $2(\int G\,d\mu - \min G)$"
    bound = "$E - E^*$" if noisy else r"bound of $L - L^*$"
    residual = r"$\int |\nabla (G + \tau \log \mu)|^2 d\mu$" if noisy else r"$\int |\nabla G|^2 d\mu$"
    residual = "dissipation, $-dE/dt$" if "geometry" in certificate.run.attributes else residual
    series = ((certificate.gap, gap, INK, "--"), (certificate.bound, bound, BLUE, "-"), (certificate.residual, residual, FAINT, "-"))
    for values, label, colour, line in series:
        panel.plot(certificate.times, np.maximum(values, SMALLEST), line, marker="o", markersize=4, color=colour, label=label)
    panel.set(xlabel="t", yscale="log")
    panel.margins(y=0.12)
    label_decades(panel)
    panel.legend(loc="best")
    panel.set_title("how far from the best measure", loc="left")


def draw_support(panel: Axes, certificate: Certificate) -> None:
    """How much mass lies how high above the lowest G; at the best measure, all of it at zero. With noise, about the mean of G + τ log μ."""
    heights, masses = heights_of(certificate)
    ends = (min(0.0, heights.min()), max(0.0, heights.max()))
    panel.hist(heights, BINS, range=ends, weights=masses, color=BLUE, alpha=0.6)
    panel.axvline(0.0, color=ORANGE, linewidth=1.4, label="the mean" if _noisy(certificate) else r"$\min_\theta G$")
    name = r"$G + \tau \log \mu$ less its mean" if _noisy(certificate) else r"$G(\theta; \mu) - \min G$"
    panel.set(xlabel=name, ylabel="mass of μ")
    panel.set_title(f"the support condition at t = {certificate.times[-1]:.4g}", loc="left")
    panel.legend(loc="best")


def heights_of(certificate: Certificate) -> tuple[np.ndarray, np.ndarray]:
    """G less its minimum at the points of the last measure, (N,), and their masses; with noise G + τ log μ less its mean."""
    run, measure = certificate.run, certificate.run.measures[-1]
    energy, masses = run.problem.energy, measure.masses
    kept = masses > 0
    points, masses = measure.points[kept], masses[kept]
    potential = energy.potential(points, measure)
    if not _noisy(certificate):
        return potential - energy.potential(certificate.lowest[-1:], measure), masses
    assert isinstance(measure, Density | MeshDensity)
    potential = potential + run.problem.noise * np.log(measure.values.ravel()[kept])
    return potential - masses @ potential / masses.sum(), masses


def _draw_mass(panel: Axes, certificate: Certificate) -> None:
    """The last measure over G; the best measure; where G is lowest."""
    measure = certificate.run.measures[-1]
    names = certificate.run.problem.axis_names(certificate.lowest.shape[1])
    view = views_of(names, (measure, certificate.minimum), places=False)[0]
    if view.plane and not isinstance(measure, MeshDensity):
        _draw_potential(panel, certificate, view)
    elif view.plane:
        draw_together(panel, [measure], [""], view)
    else:
        draw_together(panel, [measure], [f"μ at t = {certificate.times[-1]:.4g}"], view)
    if _noisy(certificate):
        panel.set_title("the last density (blue), the best one (green), over G" if view.plane else "the last density", loc="left")
        return
    best, lowest = certificate.minimum, certificate.lowest[-1]
    sizes = 30.0 + 200.0 * best.masses
    columns = list(view.axes) if view.plane else [view.axes[0]]
    at = best.points[:, columns].T
    at, star = (at, lowest[columns]) if view.plane else (np.stack([at[0], np.zeros(len(at[0]))]), [lowest[columns[0]], 0.0])
    ring: dict[str, Any] = {"facecolor": "none", "edgecolor": GREEN, "linewidth": 1.6, "zorder": 4, "clip_on": False}
    panel.scatter(at[0], at[1], s=sizes, label="the best measure", **ring)
    panel.plot(*star, "*", color=ORANGE, markersize=13, markeredgecolor="white", label="lowest G", zorder=5, clip_on=False)
    panel.legend(loc="upper left")
    panel.set_title("where mass is, and where G is lowest", loc="left")


def _draw_contours(panel: Axes, density: Density, colour: str, line: str) -> None:
    """Those of a density in the plane."""
    levels = CONTOURS * density.values.max()
    panel.contour(*density.grid.centers, density.values.T, levels, colors=colour, linestyles=line, linewidths=1.2)


def _draw_potential(panel: Axes, certificate: Certificate, view: View) -> None:
    """G as levels, and the mass over it: contours of a density, dots of neurons."""
    measure = certificate.run.measures[-1]
    lowest, best = certificate.lowest[-1], certificate.minimum.points
    limits = []
    for axis, (low, high) in zip(view.axes, view.limits, strict=True):
        seen = [low, high, lowest[axis]] if _noisy(certificate) else [low, high, lowest[axis], *best[:, axis]]
        limits.append((min(seen), max(seen)))
    lines = [np.linspace(*pair, PIXELS) for pair in limits]
    points = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2)
    potential = certificate.run.problem.energy.potential(points, measure).reshape(PIXELS, PIXELS)
    panel.contourf(*lines, potential.T, LEVELS, cmap="Greys_r", alpha=0.55)
    if isinstance(measure, Density):
        _draw_contours(panel, measure, BLUE, "solid")
        if isinstance(certificate.minimum, Density):
            _draw_contours(panel, certificate.minimum, GREEN, "dashed")
    else:
        panel.plot(*measure.points.T, ".", color=BLUE, markersize=3, alpha=0.5)
    panel.set(xlim=limits[0], ylim=limits[1], xlabel=view.names[0], ylabel=view.names[1])
