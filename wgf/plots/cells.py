"""How the cells of a mesh are drawn: in the plane with an outline, a closed surface as a map of its two halves, a circle as a ring.

A surface is seen from its middle: the direction (u_1, u_2, u_3) of a point is laid into the plane by Lambert's azimuthal projection,
which keeps areas, r = √(2(1 − |u_1|)): the half with u_1 > 0 above, that with u_1 < 0 below; (u_2, u_3) give the angle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.measures.measure import Measure, MeshDensity
from wgf.measures.mesh import Mesh
from wgf.plots.style import INK, mathematical

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RIM = np.sqrt(2.0)  # radius of a half in the map
GAP = 0.7  # between the halves
SIDES = ((1.0, RIM + 0.5 * GAP), (-1.0, -RIM - 0.5 * GAP))  # the half with u_1 > 0 and that with u_1 < 0, each with where it is
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


@dataclass(frozen=True)
class Picture:
    """The cells of a mesh as polygons in the plane of a picture.

    corners (P, k, 2), with the cell of each in owners (P,); lines (L, 2), broken by NaN: the outline; labels: x, y and a text
    """

    corners: np.ndarray
    owners: np.ndarray
    lines: np.ndarray
    labels: Sequence[tuple[float, float, str]] = ()


def picture_of(mesh: Mesh) -> Picture:
    """That of a mesh in the plane, of a surface, or of a closed line; as `draw_cells` draws them."""
    corners = mesh.vertices[mesh.cells]
    if mesh.cell_dim == 1:
        bands = np.concatenate([(1 - BAND) * corners, corners[:, ::-1]], axis=1)
        return Picture(bands, np.arange(mesh.size), _broken(np.concatenate([corners, (1 - BAND) * corners])))
    if mesh.cell_dim == mesh.dim:
        return Picture(corners, np.arange(mesh.size), _broken(mesh.vertices[mesh.outline()]))
    middle = middle_of(mesh)
    rim, parts, owners, labels = np.linspace(0, 2 * np.pi, 200), [], [], []
    for side, shift in SIDES:
        facing = np.flatnonzero(side * (mesh.centers[:, 0] - middle[0]) > 0)
        x, y = lambert((corners[facing] - middle).reshape(-1, 3), side)
        parts.append(np.stack([x, y + shift], axis=-1).reshape(len(facing), -1, 2))
        owners.append(facing)
        labels += [(-RIM, shift + RIM, f"{mesh.names[0]} {'<' if side < 0 else '>'} {divide(mesh)}")]
        labels += [(RIM + 0.15, shift, mesh.names[1]), (0.0, shift + RIM + 0.12, mesh.names[2])]
    circles = [np.stack([RIM * np.cos(rim), shift + RIM * np.sin(rim)], axis=1) for _, shift in SIDES]
    return Picture(np.concatenate(parts), np.concatenate(owners), _broken(circles), labels)


def _broken(lines: Any) -> np.ndarray:
    """Lines one after another, with NaN between them."""
    return np.concatenate([np.vstack([line, [np.nan, np.nan]]) for line in lines])


def middle_of(mesh: Mesh) -> np.ndarray:
    """The point from which a surface is seen."""
    result: np.ndarray = mesh.volumes @ mesh.centers / mesh.volumes.sum()
    return result


def divide(mesh: Mesh) -> str:
    """The first coordinate of the middle, between the two halves, in words."""
    first = middle_of(mesh)[0]
    return f"{first:.2g}" if abs(first) > CENTRED * float(np.ptp(mesh.vertices[:, 0])) else "0"


def _draw_map(panel: Axes, density: MeshDensity, colours: dict[str, Any]) -> Any:
    """Both halves of a surface."""
    mesh = density.mesh
    middle, symbols = middle_of(mesh), [mathematical(name) for name in mesh.names]
    triangles, owners = mesh.triangles()
    image = None
    for side, shift in SIDES:
        facing = side * (mesh.centers[owners, 0] - middle[0]) > 0
        x, y = lambert(mesh.vertices - middle, side)
        image = panel.tripcolor(x, y + shift, triangles[facing], facecolors=density.values[owners[facing]], rasterized=True, **colours)
        rim = np.linspace(0, 2 * np.pi, 200)
        panel.plot(RIM * np.cos(rim), shift + RIM * np.sin(rim), color=INK, linewidth=0.8)
        panel.text(-RIM, shift + RIM, f"{symbols[0]} {'<' if side < 0 else '>'} {divide(mesh)}", ha="center", va="top")
        panel.text(RIM + 0.06, shift, symbols[1], va="center")
        panel.text(0, shift + RIM + 0.04, symbols[2], ha="center", va="bottom")
    panel.set_aspect("equal", adjustable="box")
    panel.axis("off")
    return image


def lambert(points: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
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
