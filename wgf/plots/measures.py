"""How measures are drawn, along a coordinate or in the plane of two: what figures and films share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from wgf.measures.grid import Grid
from wgf.measures.measure import Density, Measure, MeshDensity
from wgf.plots.cells import draw_cells, map_limits, on_surface
from wgf.plots.style import BLUE, INK, ORANGE, density_colours, mathematical, shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.runs.run import Run

PAIRED = 3  # coordinates of which all pairs are drawn; of more, the marginal of each
SHOWN_POINTS = 4000  # of an empirical measure
OVERLAID_POINTS = 500  # of an empirical measure over a density
OVERLAID = 0.35  # opacity of dots over a density, which is to be seen through them
CONTOURS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the largest density, drawn over dots
VISIBLE = 1e-3  # of the largest marginal density: what is shown of the box
BINS = 60  # of the marginals of particles
SPREAD = 2**18  # points that show the cells of a mesh
UNSEEN = 1e-5  # of the mass: what lies beyond it at either end is not drawn
LOOKS = ((BLUE, "-"), (ORANGE, "--"))  # of the first and the second measure: curves that lie on each other are both seen
INPUT_WEIGHT = re.compile(r"a\d+")


@dataclass(frozen=True)
class View:
    """What panels of one kind show: one coordinate or the plane of two, with common limits and a common scale.

    names are formulas; limits are those of each coordinate; top is the largest density; equal says that both coordinates of a plane have
    one unit, so that circles are round.
    """

    axes: tuple[int, ...]
    names: tuple[str, ...]
    limits: tuple[tuple[float, float], ...]
    top: float
    equal: bool

    @property
    def plane(self) -> bool:
        """Whether it shows two coordinates."""
        return len(self.axes) == 2

    def of(self) -> str:
        """The density that it shows, in words."""
        return f"density of ({', '.join(self.names)})"


def views_of(names: Sequence[str], measures: Sequence[Measure], places: bool) -> list[View]:
    """The views that show measures whose coordinates have these names; with `places`, all coordinates have one unit."""
    drawn_as_it_is = isinstance(measures[0], MeshDensity) and measures[0].mesh.cell_dim < 3
    result = []
    for axes in _shown(measures[0]):
        chosen = [names[k] for k in axes]
        equal = drawn_as_it_is or places or all(INPUT_WEIGHT.fullmatch(name) for name in chosen)
        result.append(View(axes, tuple(map(mathematical, chosen)), _limits(measures, axes), _peak(measures, axes), equal))
    return result


def _shown(measure: Measure) -> list[tuple[int, ...]]:
    """The coordinates of each view: all pairs of up to PAIRED, each alone of more; of a surface, its map."""
    p = measure.points.shape[1]
    if on_surface(measure):
        return [(0, 1)]
    return list(combinations(range(p), 2)) if 1 < p <= PAIRED else [(k,) for k in range(p)]


def views_of_runs(runs: Sequence[Run], measures: Sequence[Measure]) -> list[View]:
    """The views of measures of these runs, which have the same coordinates; those of an interaction are places in one space."""
    return views_of(names_in_run(runs[0], measures[0]), measures, places=runs[0].data is None)


def names_in_run(run: Run, measure: Measure) -> Sequence[str]:
    """The names of the axes of θ."""
    known = run.knows_problem and not isinstance(measure, Density | MeshDensity)
    names: Sequence[str] = run.problem.axis_names(measure.points.shape[1]) if known else coordinates_of(measure)
    return names


def coordinates_of(measure: Measure) -> tuple[str, ...]:
    """The axes of θ as the measure, or its neuron, calls them; theta1 … thetap where neither does."""
    if isinstance(measure, Density | MeshDensity):
        return measure.names
    p = measure.points.shape[1]
    if hasattr(measure.neuron, "axis_names"):
        return tuple(measure.neuron.axis_names(p))
    return tuple(f"theta{k + 1}" for k in range(p))


def draw_line(panel: Axes, measures: Sequence[Measure], times: np.ndarray, view: View) -> None:
    """The marginal densities of a coordinate, earlier ones lighter."""
    for measure, time, colour in zip(measures, times, shades(len(measures)), strict=True):
        _draw_curve(panel, measure, view.axes[0], color=colour, label=f"t = {time:.3g}", histtype="step", linewidth=1.6)
    panel.set(xlim=view.limits[0], ylim=(0, None), xlabel=view.names[0], ylabel="density")


def _draw_curve(panel: Axes, measure: Measure, axis: int, histtype: Literal["bar", "step"], alpha: float = 1.0, **look: Any) -> None:
    """The marginal density of a coordinate: a curve, or, of neurons with equal masses, a histogram."""
    if isinstance(measure, Density | MeshDensity) or _unequal(measure):
        panel.plot(*curve_of(measure, axis), **look)
    else:
        panel.hist(measure.points[:, axis], BINS, weights=measure.masses, density=True, histtype=histtype, alpha=alpha, **look)


def curve_of(measure: Measure, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Places along a coordinate and the marginal density there: at centres of cells, or of bins in which points are counted."""
    if isinstance(measure, Density):
        return measure.grid.centers[axis], measure.marginal(axis)
    places = measure.points[:, axis]
    if isinstance(measure, MeshDensity):  # on a line: others are drawn in planes
        order = np.argsort(places)
        return places[order], measure.values[order]
    if _unequal(measure):
        return _between_nodes(places, measure.masses)
    heights, edges = np.histogram(places, BINS, weights=measure.masses, density=True)
    return 0.5 * (edges[1:] + edges[:-1]), heights


def _unequal(particles: Measure) -> bool:
    """Whether points are nodes of a rule, whose masses fill the space between them."""
    return bool(np.ptp(particles.masses) > 0)


def _between_nodes(nodes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres of bins and the density in them, by differences of the distribution function, which is linear between nodes."""
    order = np.argsort(nodes, kind="stable")
    nodes, weights = nodes[order], weights[order]
    distribution = np.cumsum(weights) - 0.5 * weights
    seen = (distribution > UNSEEN) & (distribution < distribution[-1] - UNSEEN)
    low, high = nodes[seen][[0, -1]] if seen.any() else nodes[[0, -1]]
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    return 0.5 * (edges[1:] + edges[:-1]), np.diff(np.interp(edges, nodes, distribution)) / np.diff(edges)


def draw_plane(panel: Axes, density: Density | MeshDensity, view: View) -> None:
    """The density in the plane of two coordinates as an image; on a mesh in the plane, its cells."""
    colours = {"cmap": density_colours(), "vmin": 0, "vmax": view.top or 1.0}
    if isinstance(density, MeshDensity) and density.mesh.cell_dim < 3:
        draw_cells(panel, density, colours)
        return
    plane, (first, second) = _in_plane(density, view.axes)
    lower, upper = plane.grid.lower, plane.grid.upper
    extent = (lower[first], upper[first], lower[second], upper[second])
    panel.imshow(plane.marginal(first, second).T, origin="lower", extent=extent, aspect="auto", interpolation="nearest", **colours)


def _draw_contours(panel: Axes, density: Density | MeshDensity, view: View) -> None:
    """Lines of equal density, at CONTOURS of the largest one."""
    if on_surface(density):
        return
    look: dict[str, Any] = {"colors": INK, "linewidths": 0.8, "zorder": 3}
    if isinstance(density, MeshDensity) and density.mesh.cell_dim < 3:
        values = density.values
        draw, places = panel.tricontour, tuple(density.points.T)
    else:
        plane, axes = _in_plane(density, view.axes)
        values = plane.marginal(*axes).T
        draw, places = panel.contour, tuple(plane.grid.centers[k] for k in axes)
    levels = [share * values.max() for share in CONTOURS if values.min() < share * values.max()]
    if levels:
        draw(*places, values, levels=levels, **look)


def _in_plane(density: Density | MeshDensity, axes: tuple[int, ...]) -> tuple[Density, tuple[int, ...]]:
    """A density on a grid, and those of its axes that show the two coordinates: of a mesh in space, its marginal on a grid of two axes."""
    return (density, axes) if isinstance(density, Density) else (counted_in_plane(density, axes), (0, 1))


def _peak(measures: Sequence[Measure], axes: tuple[int, ...]) -> float:
    """The largest density along a coordinate, or in the plane of two; zero where particles in a plane are all there is."""
    found = [0.0]
    for measure in measures:
        if len(axes) == 1:
            found.append(float(curve_of(measure, axes[0])[1].max()))
        elif isinstance(measure, MeshDensity):
            solid = measure.mesh.cell_dim == 3
            found.append(float((counted_in_plane(measure, axes) if solid else measure).values.max()))
        elif isinstance(measure, Density):
            found.append(float(measure.marginal(*axes).max()))
    return max(found)


def spread_points(measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """Points and their masses that show a measure as it is between the centres of its cells, too."""
    if not isinstance(measure, MeshDensity):
        return measure.points, measure.masses
    points, shares, owners = measure.mesh.scattered(SPREAD)
    return points, shares * measure.masses[owners]


def counted_in_plane(density: MeshDensity, axes: tuple[int, ...]) -> Density:
    """The marginal of two axes of a mesh in space, on a grid."""
    points, masses = spread_points(density)
    mesh, chosen = density.mesh, list(axes)
    bins = int(np.clip(2 * mesh.size ** (1 / 3), 12, BINS))  # a half of a cell each
    grid = Grid(mesh.lower[chosen].tolist(), mesh.upper[chosen].tolist(), bins)
    counts, _, _ = np.histogram2d(points[:, chosen[0]], points[:, chosen[1]], bins=grid.edges, weights=masses)
    return Density(grid, counts / grid.cell_volume)


def _limits(measures: Sequence[Measure], axes: tuple[int, ...]) -> tuple[tuple[float, float], ...]:
    """For each axis, where the measures are to be seen, with a margin; never beyond the box of a grid."""
    if isinstance(measures[0], MeshDensity) and on_surface(measures[0]):
        return tuple(map_limits(measures[0].mesh))
    limits = []
    for axis in axes:
        ends: list[float] = []
        grids = [measure.grid for measure in measures if isinstance(measure, Density)]
        for measure in measures:
            if isinstance(measure, Density):
                marginal = measure.marginal(axis)
                ends += measure.grid.centers[axis][marginal > VISIBLE * marginal.max()].tolist()
            elif isinstance(measure, MeshDensity):
                ends += [float(measure.mesh.lower[axis]), float(measure.mesh.upper[axis])]
            else:
                ends += np.quantile(measure.points[:, axis], (0.001, 0.999)).tolist()
        margin = max(0.12 * (max(ends) - min(ends)), 1e-3)
        lowest = min((grid.lower[axis] for grid in grids), default=-np.inf)
        highest = max((grid.upper[axis] for grid in grids), default=np.inf)
        limits.append((max(min(ends) - margin, lowest), min(max(ends) + margin, highest)))
    return tuple(limits)


def thinned(particles: Measure, most: int = SHOWN_POINTS) -> np.ndarray:
    """Points of the particles, drawn by weight where they are too many or unequal, so that dots show mass."""
    points, masses = particles.points, particles.masses
    if np.ptp(masses) <= 1e-12 * masses.max() and len(masses) <= most:
        return points
    return points[np.random.default_rng(0).choice(len(masses), most, p=masses / masses.sum())]


def set_plane(panel: Axes, view: View) -> None:
    """The limits, the names and the shape of a panel that shows a plane."""
    panel.set(xlim=view.limits[0], ylim=view.limits[1], xlabel=view.names[0], ylabel=view.names[1])
    panel.set_aspect("equal" if view.equal else "auto", adjustable="box")


def sharing(measures: Sequence[Measure], view: View) -> list[list[int]]:
    """The numbers of the measures that share a panel: all, but that of two densities in a plane each has a panel of its own."""
    apart = view.plane and all(isinstance(measure, Density | MeshDensity) for measure in measures)
    return [[k] for k in range(len(measures))] if apart else [list(range(len(measures)))]


def draw_together(panel: Axes, measures: Sequence[Measure], labels: Sequence[str], view: View) -> None:
    """One measure, or two that share a panel, in blue and orange: curves, or a density with neurons and its contours over it."""
    for measure, label, (colour, stroke) in zip(measures, labels, LOOKS, strict=False):
        if not view.plane:
            _draw_curve(panel, measure, view.axes[0], color=colour, linestyle=stroke, label=label, histtype="bar", alpha=0.5)
        elif isinstance(measure, Density | MeshDensity):
            draw_plane(panel, measure, view)
        else:
            together = len(measures) > 1
            points = thinned(measure, OVERLAID_POINTS if together else SHOWN_POINTS)
            some = f"{len(points):,} of " if len(points) < len(measure.masses) else ""
            x, y = points[:, view.axes].T
            opacity = OVERLAID if together else 0.7
            panel.plot(x, y, ".", color=colour, markersize=5, markeredgewidth=0, alpha=opacity, label=some + label)
    if view.plane:
        if len(measures) > 1 and isinstance(measures[0], Density | MeshDensity):
            _draw_contours(panel, measures[0], view)
        set_plane(panel, view)
    else:
        panel.set(xlim=view.limits[0], ylim=(0, 1.05 * view.top or None), xlabel=view.names[0], ylabel="density")


def labels_of(measures: Sequence[Measure], names: Sequence[str]) -> list[str]:
    """What distinguishes measures in a legend: what they are, or, where they are alike, the names of their runs."""
    kinds = ["density" if isinstance(each, Density | MeshDensity) else f"{len(each.masses):,} neurons" for each in measures]
    return kinds if len(set(kinds)) == len(kinds) else list(names)


def colour_bar(figure: Any, panels: Any, view: View, views: Sequence[View]) -> None:
    """The scale of the colours of a view, beside its panels; its label says of what, where it is one of several views."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(0, view.top or 1.0), density_colours())
    label = "density" if len(views) == 1 else view.of()
    figure.colorbar(scale, ax=panels, label=label, shrink=0.85, pad=0.01)
