"""Domains for θ, meshed for FiPy: a box, a disc, an annulus, a sphere, a circle, and whatever Gmsh knows.

`SHAPES` is the one list of them: name in a problem file → class.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError, positive, positive_if_given
from wgf.measures.grid import Grid, box_dim, check_box, describe_box, per_axis
from wgf.measures.mesh import Mesh
from wgf.methods.fipy.bridge import checked, described, load_fipy, polygons, solids
from wgf.methods.fipy.gmsh import read, triangulated
from wgf.registers import known

PATTERNS = ("triangles", "rings")
FINEST = 1e6  # cells: with more, FiPy needs tens of gigabytes and hours
LEAST_HOLE = 1e-6  # of the outer radius
TRIANGLE = 0.43  # area of one in squares of the spacing
PERIODIC = {  # the names of FiPy's grids, by which axes wrap around
    (False,): "Grid1D",
    (True,): "PeriodicGrid1D",
    (False, False): "Grid2D",
    (True, False): "PeriodicGrid2DLeftRight",
    (False, True): "PeriodicGrid2DTopBottom",
    (True, True): "PeriodicGrid2D",
    (False, False, False): "Grid3D",
    (True, False, False): "PeriodicGrid3DLeftRight",
    (False, True, False): "PeriodicGrid3DTopBottom",
    (False, False, True): "PeriodicGrid3DFrontBack",
    (True, True, False): "PeriodicGrid3DLeftRightTopBottom",
    (True, False, True): "PeriodicGrid3DLeftRightFrontBack",
    (False, True, True): "PeriodicGrid3DTopBottomFrontBack",
    (True, True, True): "PeriodicGrid3D",
}


@dataclass(frozen=True)
class Box:
    """A box of equal cells, for FiPy.

    Parameters
    ----------
    cells : int or sequence of int
        how many, along each axis or one number for all
    lower, upper : float or sequence of float, optional
        the ends of the box, in the units of θ; left out, a method finds them
    boundary : str or sequence of str
        "no-flux" or "periodic", one for all axes or one for each
    """

    cells: int | Sequence[int]
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None
    boundary: str | Sequence[str] = "no-flux"

    def __post_init__(self) -> None:
        check_box(self.cells, self.lower, self.upper, self.boundary)
        if self.lower is not None and self.grid().dim > 3:
            raise InputError(f"FiPy's grids have 1 to 3 axes, not {self.grid().dim}: take FiniteVolume")

    def grid(self) -> Grid:
        """The same cells as a grid."""
        if self.lower is None or self.upper is None:
            raise InputError("the box has no edges yet: give lower and upper")
        return Grid(self.lower, self.upper, self.cells, boundary=self.boundary)

    def on_axes(self, p: int) -> Box:
        """Itself, or where one number each for lower and upper serves for all axes, with p of them."""
        if self.lower is None or self.upper is None:
            return self
        p = box_dim(self.lower, self.upper, p)
        return dataclasses.replace(self, lower=per_axis(self.lower, p, "lower"), upper=per_axis(self.upper, p, "upper"))

    def coarser(self) -> Box:
        """Half as many cells along each axis; one number stays one for all of them."""
        halved = [max(1, round(n / 2)) for n in np.atleast_1d(self.cells)]
        return dataclasses.replace(self, cells=halved if np.ndim(self.cells) else halved[0])

    def build(self) -> tuple[Any, Mesh]:
        """The mesh for FiPy, which begins at zero, and its description in place; the first axis runs fastest."""
        grid = self.grid()
        _check_count(f"box of {describe_box(grid.shape, None, None)}", grid.size)
        numbers = {f"n{axis}": n for axis, n in zip("xyz", grid.shape, strict=False)}
        steps = {f"d{axis}": h for axis, h in zip("xyz", grid.spacing.tolist(), strict=False)}
        mesh = getattr(load_fipy(), PERIODIC[grid.periodic()])(**numbers, **steps)
        at_zero, lower = described(mesh, describe_box(grid.shape, grid.lower, grid.upper)), np.array(grid.lower)
        last = at_zero.vertices == at_zero.vertices.max(axis=0)
        vertices = np.where(last, grid.upper, at_zero.vertices + lower)  # ends without rounding, from which the same box can be made again
        return mesh, dataclasses.replace(at_zero, vertices=vertices, centers=at_zero.centers + lower)


@dataclass(frozen=True)
class Disc:
    """|θ − center| ≤ radius in the plane.

    Parameters
    ----------
    radius : float
        in the units of θ
    spacing : float
        of the mesh, about the length of an edge
    center : sequence of float
        two numbers
    pattern : str
        "triangles" (Gmsh), or "rings" of quadrilaterals, which are regular and need no Gmsh
    """

    radius: float
    spacing: float
    center: Sequence[float] = (0.0, 0.0)
    pattern: str = "triangles"

    def __post_init__(self) -> None:
        _check_round(self, {"radius": self.radius})
        _check_plane(self)
        _check_count(f"disc with spacing = {self.spacing:g}", _triangles(math.pi, self.radius, self.spacing))

    def coarser(self) -> Disc:
        """Twice the spacing."""
        return dataclasses.replace(self, spacing=2 * self.spacing)

    def build(self) -> tuple[Any, Mesh]:
        """The mesh for FiPy, and its description."""
        return _ring_shaped(self, 0.0, self.radius, f"disc of radius {self.radius:g}{_around(self.center)}")


@dataclass(frozen=True)
class Annulus:
    """inner ≤ |θ − center| ≤ outer in the plane.

    Parameters
    ----------
    inner, outer : float
        the two radii, in the units of θ
    spacing : float
        of the mesh, about the length of an edge
    center : sequence of float
        two numbers
    pattern : str
        "triangles" (Gmsh), or "rings" of quadrilaterals, which are regular and need no Gmsh
    """

    inner: float
    outer: float
    spacing: float
    center: Sequence[float] = (0.0, 0.0)
    pattern: str = "triangles"

    def __post_init__(self) -> None:
        _check_round(self, {"inner": self.inner, "outer": self.outer})
        _check_plane(self)
        if not self.inner < self.outer:
            raise InputError(f"the annulus has inner = {self.inner:g}, outer = {self.outer:g}: inner must be less than outer")
        if self.inner < LEAST_HOLE * self.outer:
            raise InputError(f"the annulus has inner = {self.inner:g}, which is no hole beside outer = {self.outer:g}: take a disc")
        share = 1.0 - (self.inner / self.outer) ** 2
        _check_count(f"annulus with spacing = {self.spacing:g}", _triangles(math.pi * share, self.outer, self.spacing))

    def coarser(self) -> Annulus:
        """Twice the spacing."""
        return dataclasses.replace(self, spacing=2 * self.spacing)

    def build(self) -> tuple[Any, Mesh]:
        """The mesh for FiPy, and its description."""
        return _ring_shaped(self, self.inner, self.outer, f"annulus of radii {self.inner:g} and {self.outer:g}{_around(self.center)}")


@dataclass(frozen=True)
class Sphere:
    """|θ| = radius in space: triangles whose corners lie on the sphere. Functions of θ are evaluated on the sphere, too.

    Parameters
    ----------
    spacing : float
        of the mesh, about the length of an edge
    radius : float
        in the units of θ
    """

    spacing: float
    radius: float = 1.0

    def __post_init__(self) -> None:
        _check_round(self, {"radius": self.radius})
        _check_count(f"sphere with spacing = {self.spacing:g}", _triangles(4 * math.pi, self.radius, self.spacing))

    def coarser(self) -> Sphere:
        """Twice the spacing."""
        return dataclasses.replace(self, spacing=2 * self.spacing)

    def build(self) -> tuple[Any, Mesh]:
        """The mesh for FiPy, and its description with centres moved out to the sphere."""
        vertices, cells = triangulated(lambda occ: occ.addSphere(0, 0, 0, self.radius), self.spacing)
        mesh = polygons(vertices, cells)
        flat = described(mesh, f"sphere of radius {self.radius:g}, {len(cells):,} triangles")
        centers = flat.centers * (self.radius / np.linalg.norm(flat.centers, axis=1, keepdims=True))
        return mesh, dataclasses.replace(flat, centers=centers)


@dataclass(frozen=True)
class Circle:
    """|θ| = radius in the plane, cut into equal arcs: a periodic line for FiPy, and exact.

    Parameters
    ----------
    cells : int
        how many arcs
    radius : float
        in the units of θ
    """

    cells: int
    radius: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.cells, bool) or not isinstance(self.cells, int | np.integer) or self.cells < 3:
            raise InputError(f"the circle has {self.cells!r} cells; give a whole number, at least 3")
        _check_round(self, {"radius": self.radius})
        _check_count("circle", self.cells)

    def coarser(self) -> Circle:
        """Half as many arcs."""
        return dataclasses.replace(self, cells=max(3, round(self.cells / 2)))

    def build(self) -> tuple[Any, Mesh]:
        """The mesh for FiPy, and its description in the plane."""
        step = 2 * np.pi / self.cells
        mesh = load_fipy().PeriodicGrid1D(nx=self.cells, dx=step * self.radius)
        numbers = np.arange(self.cells)
        vertices, centers = (
            self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1) for angle in (step * numbers, step * (numbers + 0.5))
        )
        cells = np.stack([numbers, (numbers + 1) % self.cells], axis=1)
        volumes = np.full(self.cells, step * self.radius)
        title = f"circle of radius {self.radius:g}, {self.cells:,} arcs"
        return mesh, Mesh(vertices, cells, centers, volumes, 1, ("theta1", "theta2"), title)


@dataclass(frozen=True)
class GmshFile:
    """What a file describes: a mesh (.msh), or a geometry (.geo, .brep, .step, …) that Gmsh meshes; in the plane, on a surface or in
    space.

    Parameters
    ----------
    file : str or path
        the file; in a problem file relative to it
    spacing : float, optional
        the longest edges; left out, what the file asks for
    """

    file: str | Path
    spacing: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.file, str | Path) or not os.path.isfile(self.file):
            raise InputError(f"the file {self.file} of a mesh or a geometry for Gmsh does not exist")
        positive_if_given(self.spacing, "spacing")

    def build(self) -> tuple[Any, Mesh]:
        """The mesh for FiPy, and its description."""
        path = Path(self.file)
        vertices, cells = read(path, self.spacing)
        _check_count(f"mesh of {path.name}", len(cells))
        mesh = checked((polygons if cells.shape[1] == 4 else solids)(vertices, cells))
        return mesh, described(mesh, f"mesh of {path.name}, {len(cells):,} cells")


SHAPES: dict[str, type] = {"box": Box, "disc": Disc, "annulus": Annulus, "sphere": Sphere, "circle": Circle, "gmsh": GmshFile}


def _check_round(domain: Any, lengths: dict[str, float]) -> None:
    """Lengths, and the spacing where there is one, are positive."""
    if hasattr(domain, "spacing"):
        lengths = {**lengths, "spacing": domain.spacing}
    for name, length in lengths.items():
        positive(length, f"the {type(domain).__name__.lower()} has {name}")


def _triangles(area: float, radius: float, spacing: float) -> float:
    """About how many triangles fill an area that is given in squares of the radius."""
    return area / TRIANGLE * (radius / spacing) * (radius / spacing)


def _check_count(domain: str, count: float) -> None:
    """That there are not too many cells for FiPy."""
    if count > FINEST:
        raise InputError(f"the {domain} has about {count:,.0f} cells, more than the {FINEST:,.0f} that FiPy can be asked for: take fewer")


def _check_plane(domain: Disc | Annulus) -> None:
    """The pattern is known and the centre a point of the plane."""
    known(domain.pattern, PATTERNS, "pattern")
    numbers = isinstance(domain.center, Sequence | np.ndarray) and all(isinstance(x, int | float | np.number) for x in domain.center)
    if not numbers or len(domain.center) != 2 or not np.isfinite(domain.center).all():
        raise InputError(f"the {type(domain).__name__.lower()} has center = {domain.center!r}: give two numbers")


def _ring_shaped(domain: Disc | Annulus, inner: float, outer: float, title: str) -> tuple[Any, Mesh]:
    """The mesh of inner ≤ |θ − center| ≤ outer for FiPy, and its description."""
    if domain.pattern == "rings":
        vertices, cells = _rings(inner, outer, domain.spacing)
        vertices = vertices + np.array(domain.center)
    else:

        def add(occ: Any) -> None:
            whole, *hole = (occ.addDisk(*domain.center, 0, radius, radius) for radius in (outer, inner) if radius > 0)
            if hole:
                occ.cut([(2, whole)], [(2, hole[0])])

        vertices, cells = triangulated(add, domain.spacing)
    mesh = polygons(vertices[:, :2], cells)
    what = "triangles" if domain.pattern == "triangles" else "cells in rings"
    return mesh, described(mesh, f"{title}, {len(cells):,} {what}")


def _around(center: Sequence[float]) -> str:
    """Where a domain lies, if it is not around zero."""
    return f" around ({', '.join(f'{x:g}' for x in center)})" if any(center) else ""


def _rings(inner: float, outer: float, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 2) and cells (N, 4) of equally thick rings, cut at equal angles; triangles around the middle of a disc."""
    rings, sectors = max(1, math.ceil((outer - inner) / spacing - 1e-9)), max(6, math.ceil(2 * np.pi * outer / spacing - 1e-9))
    angles = 2 * np.pi * np.arange(sectors) / sectors
    radii = np.linspace(inner, outer, rings + 1)
    here, there = np.arange(sectors), (np.arange(sectors) + 1) % sectors
    circles = np.multiply.outer(radii, np.stack([np.cos(angles), np.sin(angles)], axis=1))  # (rings + 1, sectors, 2)
    first = 1 if inner == 0 else 0
    numbers = np.arange(first, rings + 1)[:, None] * sectors + np.arange(sectors) - first * (sectors - 1)
    vertices = circles[first:].reshape(-1, 2)
    cells = [np.stack([low[here], high[here], high[there], low[there]], axis=1) for low, high in itertools.pairwise(numbers)]
    if inner == 0:
        vertices = np.concatenate([np.zeros((1, 2)), vertices])
        cells.insert(0, np.stack([np.zeros(sectors, dtype=np.int64), numbers[0][here], numbers[0][there], numbers[0][there]], axis=1))
    return vertices, np.concatenate(cells)
