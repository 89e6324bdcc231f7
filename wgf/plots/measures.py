"""How a measure is drawn, on a line or in the plane of its first two axes: what figures and films share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.measures.grid import Grid
from wgf.measures.measure import Density, Measure, MeshDensity
from wgf.plots.cells import draw_cells, map_limits
from wgf.plots.style import BLUE, ORANGE, density_colours, mathematical, shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from wgf.runs.run import Run

SHOWN_POINTS = 4000  # of a cloud
OVERLAID_POINTS = 500  # of a cloud over a density
VISIBLE = 1e-3  # of the largest marginal density: what is shown of the box
BINS = 60  # of a cloud's marginals
SPREAD = 2**18  # points that show the cells of a mesh
UNSEEN = 1e-5  # of the mass: what lies beyond it at either end is not drawn


def axis_names(run: Run, measure: Measure) -> list[str]:
    """The axes of θ as mathematics."""
    known = run.knows_problem and not isinstance(measure, Density | MeshDensity)
    names = run.problem.axis_names(measure.points.shape[1]) if known else names_of(measure)
    return [mathematical(name) for name in names]


def names_of(measure: Measure) -> tuple[str, ...]:
    """The axes of θ as the measure, or its neuron, calls them; theta1 … thetap where neither does."""
    if isinstance(measure, Density | MeshDensity):
        return measure.names
    p = measure.points.shape[1]
    if hasattr(measure.neuron, "axis_names"):
        return tuple(measure.neuron.axis_names(p))
    return tuple(f"theta{k + 1}" for k in range(p))


def draw_line(panel: Axes, measures: Sequence[Measure], times: np.ndarray, name: str) -> None:
    """The densities in one dimension, earlier ones lighter."""
    for measure, time, colour in zip(measures, times, shades(len(measures)), strict=True):
        label = f"t = {time:.3g}"
        if isinstance(measure, Density | MeshDensity):
            panel.plot(*_profile(measure), color=colour, label=label)
        elif np.ptp(measure.masses) > 0:  # nodes of a rule, whose masses fill the space between them
            panel.plot(*_between_nodes(measure.points[:, 0], measure.masses), color=colour, label=label)
        else:
            panel.hist(
                measure.points[:, 0],
                BINS,
                weights=measure.masses,
                density=True,
                histtype="step",
                linewidth=1.6,
                color=colour,
                label=label,
            )
    panel.set(xlabel=name, ylabel="density", ylim=(0, None))
    panel.legend()


def _profile(density: Density | MeshDensity) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the cells of a line, in order, and the density there."""
    places = density.points[:, 0]
    order = np.argsort(places)
    return places[order], density.values[order]


def _between_nodes(nodes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres of bins and the density in them, by differences of the distribution function, which is linear between nodes."""
    order = np.argsort(nodes, kind="stable")
    nodes, weights = nodes[order], weights[order]
    distribution = np.cumsum(weights) - 0.5 * weights
    seen = (distribution > UNSEEN) & (distribution < distribution[-1] - UNSEEN)
    low, high = nodes[seen][[0, -1]] if seen.any() else nodes[[0, -1]]
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    return 0.5 * (edges[1:] + edges[:-1]), np.diff(np.interp(edges, nodes, distribution)) / np.diff(edges)


def draw_plane(panel: Axes, density: Density | MeshDensity, scale: float) -> Any:
    """The density of the first two axes as an image; on a mesh in the plane, its cells."""
    colours = {"cmap": density_colours(), "vmin": 0, "vmax": scale or 1.0}
    if isinstance(density, MeshDensity) and density.mesh.cell_dim < 3:
        return draw_cells(panel, density, colours)
    plane = density if isinstance(density, Density) else counted_in_plane(density)
    lower, upper = plane.grid.lower, plane.grid.upper
    extent = (lower[0], upper[0], lower[1], upper[1])
    return panel.imshow(plane.marginal(0, 1).T, origin="lower", extent=extent, aspect="auto", interpolation="nearest", **colours)


def peak(measures: Sequence[Measure]) -> float:
    """The largest density in the plane of the first two axes; zero without one."""
    found = [0.0]
    for measure in measures:
        if isinstance(measure, MeshDensity):
            solid = measure.mesh.cell_dim == 3
            found.append(float((counted_in_plane(measure) if solid else measure).values.max()))
        elif isinstance(measure, Density):
            found.append(float(measure.marginal(0, 1).max()))
    return max(found)


def spread_points(measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """Points and their masses that show a measure as it is between the centres of its cells, too."""
    if not isinstance(measure, MeshDensity):
        return measure.points, measure.masses
    points, shares, owners = measure.mesh.scattered(SPREAD)
    return points, shares * measure.masses[owners]


def counted_in_plane(density: MeshDensity) -> Density:
    """The marginal of the first two axes of a mesh in space, on a grid."""
    points, masses = spread_points(density)
    mesh = density.mesh
    bins = int(np.clip(2 * mesh.size ** (1 / 3), 12, BINS))  # a half of a cell each
    grid = Grid(mesh.lower[:2].tolist(), mesh.upper[:2].tolist(), bins)
    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=grid.edges, weights=masses)
    return Density(grid, counts / grid.cell_volume)


def limits_of(measures: Sequence[Measure]) -> list[tuple[float, float]]:
    """For each of the first two axes, where the measures are to be seen, with a margin; never beyond the box of a grid."""
    if isinstance(measures[0], MeshDensity) and measures[0].mesh.cell_dim < measures[0].mesh.dim:
        return map_limits(measures[0].mesh)
    limits = []
    for axis in (0, 1):
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
    return limits


def thinned(cloud: Measure, most: int = SHOWN_POINTS) -> np.ndarray:
    """Points of the cloud, drawn by weight where they are too many or unequal, so that dots show mass."""
    points, masses = cloud.points, cloud.masses
    if np.ptp(masses) <= 1e-12 * masses.max() and len(masses) <= most:
        return points
    return points[np.random.default_rng(0).choice(len(masses), most, p=masses / masses.sum())]


def draw_together(panel: Axes, measures: Sequence[Measure], names: Sequence[str], limits: Sequence[tuple[float, float]]) -> Any:
    """A density and the neurons over it, or one of them alone: on a line, or in the plane within `limits`; returns the image, if any."""
    image = None
    for measure in measures:
        if isinstance(measure, Density | MeshDensity) and len(names) == 1:
            panel.plot(*_profile(measure), color=BLUE, label="density")
        elif isinstance(measure, Density | MeshDensity):
            image = draw_plane(panel, measure, peak([measure]))
        elif len(names) == 1:
            label = f"{len(measure.masses):,} neurons"
            panel.hist(measure.points[:, 0], BINS, weights=measure.masses, density=True, color=ORANGE, alpha=0.5, label=label)
        else:
            points = thinned(measure, OVERLAID_POINTS if len(measures) > 1 else SHOWN_POINTS)
            of = f" of {len(measure.masses):,}" if len(points) < len(measure.masses) else ""
            panel.plot(points[:, 0], points[:, 1], ".", color=ORANGE, markersize=4, alpha=0.7, label=f"{len(points):,}{of} neurons")
    panel.set(xlabel=names[0], ylabel=names[1] if len(names) > 1 else "density")
    if len(names) > 1:
        panel.set(xlim=limits[0], ylim=limits[1])
    return image
