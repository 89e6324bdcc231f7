"""How the cells of a mesh are drawn: in the plane with an outline, a closed surface as a map of its two halves, a circle as a ring.

A surface is seen from its middle: the direction (u_1, u_2, u_3) of a point is laid into the plane by Lambert's azimuthal projection,
which keeps areas, r = √(2(1 − |u_1|)): the half with u_1 > 0 above, that with u_1 < 0 below; (u_2, u_3) give the angle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.measures.measure import Measure, MeshDensity
from wgf.measures.mesh import Mesh
from wgf.plots.style import INK, mathematical

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RIM = np.sqrt(2.0)  # radius of a half in the map
GAP = 0.7  # between the halves
CENTRED = 0.01  # of the extent: how far from zero the middle of a surface around zero may be, as its cells are not symmetric
BAND = 0.25  # width of a ring, of its radius


def on_surface(measure: Measure) -> bool:
    """Whether the measure lives on a mesh of lower dimension than θ."""
    return isinstance(measure, MeshDensity) and measure.mesh.cell_dim < measure.mesh.dim


def map_limits(mesh: Mesh) -> list[tuple[float, float]]:
    """What the picture of a surface, or of a circle, needs."""
    if mesh.dim == 2:
        extent = (1 + BAND) * float(np.abs(mesh.vertices).max())
        return [(-extent, extent), (-extent, extent)]
    height = 2 * RIM + 0.5 * GAP
    return [(-RIM - 0.3, RIM + 0.3), (-height - 0.05, height + 0.5 * GAP)]


def draw_cells(panel: Axes, density: MeshDensity, colours: dict[str, Any]) -> Any:
    """Each cell in the colour of its value; returns what a colour bar needs."""
    if density.mesh.cell_dim == 1:
        return _draw_ring(panel, density, colours)
    if on_surface(density):
        return _draw_map(panel, density, colours)
    triangles, owners = density.mesh.triangles()
    panel.set_aspect("equal", adjustable="box")
    x, y = density.mesh.vertices.T
    panel.add_collection(_lines(density.mesh.vertices[density.mesh.outline()]))
    return panel.tripcolor(x, y, triangles, facecolors=density.values[owners], rasterized=True, **colours)


def _draw_map(panel: Axes, density: MeshDensity, colours: dict[str, Any]) -> Any:
    """Both halves of a surface."""
    mesh = density.mesh
    middle, symbols = mesh.volumes @ mesh.centers / mesh.volumes.sum(), [mathematical(name) for name in mesh.names]
    triangles, owners = mesh.triangles()
    divide = f"{middle[0]:.2g}" if abs(middle[0]) > CENTRED * float(np.ptp(mesh.vertices[:, 0])) else "0"
    image = None
    for side, shift in ((1.0, RIM + 0.5 * GAP), (-1.0, -RIM - 0.5 * GAP)):
        facing = side * (mesh.centers[owners, 0] - middle[0]) > 0
        x, y = _lambert(mesh.vertices - middle, side)
        image = panel.tripcolor(x, y + shift, triangles[facing], facecolors=density.values[owners[facing]], rasterized=True, **colours)
        rim = np.linspace(0, 2 * np.pi, 200)
        panel.plot(RIM * np.cos(rim), shift + RIM * np.sin(rim), color=INK, linewidth=0.8)
        panel.text(-RIM, shift + RIM, f"{symbols[0]} {'<' if side < 0 else '>'} {divide}", ha="center", va="top")
        panel.text(RIM + 0.06, shift, symbols[1], va="center")
        panel.text(0, shift + RIM + 0.04, symbols[2], ha="center", va="bottom")
    panel.set_aspect("equal", adjustable="box")
    panel.axis("off")
    return image


def _lambert(points: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
    """The map of the half around the direction (side, 0, 0)."""
    u = points / np.linalg.norm(points, axis=1, keepdims=True)
    stretch = np.sqrt(2.0 / np.maximum(1.0 + side * u[:, 0], 1e-3))
    return stretch * u[:, 1], stretch * u[:, 2]


def _draw_ring(panel: Axes, density: MeshDensity, colours: dict[str, Any]) -> Any:
    """A closed line in the plane as a band."""
    from matplotlib.collections import PolyCollection

    corners = density.mesh.vertices[density.mesh.cells]  # (N, 2, 2)
    bands = np.concatenate([(1 - BAND) * corners, corners[:, ::-1]], axis=1)
    ring = PolyCollection(
        list(bands), array=density.values, cmap=colours["cmap"], clim=(colours["vmin"], colours["vmax"]), edgecolor="face"
    )
    panel.add_collection(ring)
    for edge in (corners, (1 - BAND) * corners):
        panel.add_collection(_lines(edge))
    panel.set_aspect("equal", adjustable="box")
    return ring


def _lines(ends: np.ndarray) -> Any:
    """Segments (L, 2, 2) as an outline."""
    from matplotlib.collections import LineCollection

    return LineCollection(list(ends), colors=INK, linewidths=0.8, capstyle="round", zorder=3)
