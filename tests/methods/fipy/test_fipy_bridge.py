"""FiPy's meshes as plain arrays: the corners of every kind of cell, in order, and centres where the cells are."""

import meshes
import numpy as np
import pytest

import wgf
from wgf.methods.fipy.bridge import checked, described


def filled(mesh):
    """The volumes of the parts of each cell, with the sign of their orientation, summed, and the least of them."""
    simplices, owners = mesh.simplices
    corners = mesh.vertices[simplices]
    volumes = np.linalg.det(corners[:, 1:] - corners[:, :1]) / [1, 2, 6][mesh.cell_dim - 1]
    return np.bincount(owners, volumes, mesh.size), volumes.min()


@pytest.mark.parametrize(
    ("make", "corners"),
    [
        (lambda fipy: fipy.Grid1D(nx=2) + (fipy.Grid1D(nx=3) + 2.0), {2}),
        (lambda fipy: (fipy.Grid1D(nx=3) + 2.0) + fipy.Grid1D(nx=2), {2}),
        (lambda fipy: fipy.Gmsh2D(meshes.SQUARE), {3}),
        (lambda fipy: fipy.Gmsh2D(meshes.SQUARE + "Recombine Surface{1};\n"), {4}),
        (lambda fipy: wgf.Disc(1.0, 0.3, pattern="rings").build()[0], {3, 4}),
        (lambda fipy: fipy.Grid2D(dx=[0.1, 0.2], dy=[0.3, 0.1, 0.2]) + np.array([[-2.0], [1.0]]), {4}),
        (lambda fipy: fipy.Grid3D(nx=3, ny=2, nz=4), {8}),
        (lambda fipy: fipy.Grid3D(dx=[0.1, 0.2], dy=[0.3, 0.1], dz=[1.0, 0.5]) + np.array([[-2.0], [1.0], [0.0]]), {8}),
        (lambda fipy: fipy.PeriodicGrid3D(nx=3, ny=4, nz=5), {8}),
        (lambda fipy: fipy.Gmsh3D(meshes.cube("tetrahedra")), {4}),
        (lambda fipy: fipy.Gmsh3D(meshes.cube("wedges")), {6}),
        (lambda fipy: fipy.Gmsh3D(meshes.cube("hexahedra")), {8}),
        (lambda fipy: fipy.Gmsh3D(meshes.MIXED), {4, 5, 8}),
    ],
)  # fmt: skip
def test_the_corners_of_cells_are_in_order(make, corners, fipy):
    """The simplices between them fill each cell, and none is turned inside out; VTK asks for the same."""
    mesh = described(checked(make(fipy)))
    volumes, least = filled(mesh)
    assert volumes == pytest.approx(mesh.volumes, rel=1e-12)
    assert least > 0
    assert {len(set(row)) for row in mesh.cells.tolist()} == corners


def test_polygons_of_a_surface_look_outward():
    _, mesh = wgf.Sphere(0.3).build()
    corners = mesh.vertices[mesh.cells]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.sum(normals * mesh.centers, axis=1) > 0).all()


@pytest.mark.parametrize("name", ["PeriodicGrid1D", "PeriodicGrid2D", "PeriodicGrid2DLeftRight", "PeriodicGrid3DTopBottom"])
def test_a_periodic_grid_may_begin_anywhere(name, fipy):
    """FiPy wraps its centres around, back to zero."""
    p = int(name[12])
    plain = getattr(fipy, name)(**{f"n{axis}": 3 + k for k, axis in enumerate("xyz"[:p])})
    shift = np.array([-1.5, 2.0, 0.5])[:p]
    moved = described(checked(plain + shift[:, None]))
    still = described(checked(plain))
    assert moved.centers == pytest.approx(still.centers + shift)
    assert moved.vertices[moved.cells].mean(axis=1) == pytest.approx(moved.centers)


def test_solids_that_are_none_of_these_are_refused(fipy):
    """A prism over a pentagon: seven faces, two of them with five corners."""
    from fipy.meshes.mesh import Mesh

    angles = 0.4 * np.pi * np.arange(5)
    ring = np.stack([np.cos(angles), np.sin(angles)])
    vertices = np.concatenate([np.concatenate([ring, np.full((1, 5), z)]) for z in (0.0, 1.0)], axis=1)
    here, there = np.arange(5), (np.arange(5) + 1) % 5
    quadrilaterals = np.stack([here, there, there + 5, here + 5, np.full(5, -1)])
    faces = np.concatenate([np.arange(5)[::-1, None], np.arange(5, 10)[:, None], quadrilaterals], axis=1)
    mesh = Mesh(vertices, np.ma.masked_less(faces, 0), np.arange(7)[:, None])
    with pytest.raises(wgf.InputError, match="cells of 7 faces, 5 of them quadrilaterals: give tetrahedra, pyramids, wedges or hexahedra"):
        described(checked(mesh))
