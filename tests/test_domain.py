"""Domains and their meshes: volumes, centres, quadrature, laws, and what is said where Gmsh is missing."""

import builtins

import numpy as np
import pytest

import wgf
from wgf.law import mesh_averages

DOMAINS = [
    (wgf.Box((8, 6), (-1, -2), (1, 2)), 8.0, 1e-12),
    (wgf.Box(8, [0], [1], "periodic"), 1.0, 1e-12),
    (wgf.Box((3, 4, 5), (0, 0, 0), (1, 1, 1)), 1.0, 1e-12),
    (wgf.Disc(1.5, 0.1), 2.25 * np.pi, 5e-3),
    (wgf.Disc(1.5, 0.1, (1, 2), "rings"), 2.25 * np.pi, 5e-3),
    (wgf.Annulus(0.5, 1, 0.05), 0.75 * np.pi, 5e-3),
    (wgf.Annulus(0.5, 1, 0.05, pattern="rings"), 0.75 * np.pi, 5e-3),
    (wgf.Sphere(0.1), 4 * np.pi, 5e-3),
    (wgf.Circle(40), 2 * np.pi, 1e-12),
]


@pytest.mark.parametrize(("domain", "volume", "tolerance"), DOMAINS, ids=lambda value: type(value).__name__)
def test_volumes_and_quadrature(domain, volume, tolerance):
    _, mesh = domain.build()
    points, weights, owners = mesh.quadrature()
    assert mesh.volumes.sum() == pytest.approx(volume, rel=tolerance)
    assert np.bincount(owners, weights) == pytest.approx(mesh.volumes)
    centroids = np.stack([np.bincount(owners, weights * column) for column in points.T], axis=1) / mesh.volumes[:, None]
    assert np.abs(centroids - mesh.centers).max() <= 0.02
    assert (mesh.volumes > 0).all()


@pytest.mark.parametrize(("domain", "volume", "tolerance"), DOMAINS, ids=lambda value: type(value).__name__)
def test_scattered_points_fill_the_cells_evenly(domain, volume, tolerance):
    _, mesh = domain.build()
    points, shares, owners = mesh.scattered(200_000)
    assert np.bincount(owners, shares) == pytest.approx(1)
    exact, weights, cells = mesh.quadrature()
    for power in (1, 2):
        expected = np.bincount(cells, weights * exact[:, 0] ** power) / mesh.volumes
        found = np.bincount(owners, shares * points[:, 0] ** power)
        assert np.abs(found - expected).max() <= 0.02


def test_outlines():
    """One circle around a disc, two around an annulus, four sides of a box, none around a sphere."""
    for domain, radii in ((wgf.Disc(1.5, 0.2, pattern="rings"), {1.5}), (wgf.Annulus(0.5, 1.0, 0.1), {0.5, 1.0}), (wgf.Sphere(0.5), set())):
        _, mesh = domain.build()
        ends = mesh.vertices[mesh.outline()]
        assert set(np.linalg.norm(ends, axis=2).round(9).ravel()) == radii
    _, box = wgf.Box((4, 6), (0, 0), (2, 3)).build()
    ends = box.vertices[box.outline()]
    assert np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).sum() == pytest.approx(10)


def test_a_surface_from_fipy_has_its_areas_and_conormals():
    """FiPy's own are wrong off the plane: the cells of a sphere have negative areas there."""
    mesh, described = wgf.Sphere(0.2).build()
    normals = np.asarray(mesh.faceNormals)
    assert np.linalg.norm(normals, axis=0) == pytest.approx(1)
    assert np.abs(np.sum(normals * np.asarray(mesh.faceCenters), axis=0)).max() < 0.1  # the angle between neighbouring cells
    assert np.linalg.norm(described.centers, axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    "law",
    [
        wgf.Gaussian((0.1, -0.2), (0.3, 0.2)),
        wgf.Uniform((-0.5, -0.4), (0.6, 0.5)),
        wgf.Ball((0.1, 0.2), 0.7),
        wgf.Mixture((0.3, 0.7), (wgf.Gaussian((0.4, 0), (0.2, 0.2)), wgf.Ball((-0.3, 0), 0.5))),
        wgf.Product((wgf.Gaussian((0.1,), (0.3,)), wgf.Uniform((-0.5,), (0.5,)))),
    ],
    ids=lambda law: type(law).__name__,
)
def test_laws_on_a_mesh(law):
    """Mass and mean as on a grid."""
    _, mesh = wgf.Disc(2.0, 0.1).build()
    density = wgf.MeshDensity(mesh, mesh_averages(law, mesh))
    points, weights = law.quadrature(30)
    assert density.mass == pytest.approx(1, abs=0.02)
    assert density.mean == pytest.approx(weights @ points, abs=0.02)


def test_samples_on_a_mesh_are_counted():
    _, mesh = wgf.Box((2, 2), (0, 0), (1, 1)).build()
    values = mesh_averages(wgf.Samples([[0.2, 0.2], [0.3, 0.1], [0.9, 0.9], [0.8, 0.2]]), mesh)
    assert sorted(values) == pytest.approx([0, 1, 1, 2])


def test_a_missing_gmsh_is_one_line_that_says_what_to_install(monkeypatch):
    plain = builtins.__import__

    def without(name, *more, **options):
        if name == "gmsh":
            raise ImportError(name)
        return plain(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(wgf.InputError, match=r"^meshes of triangles are made by Gmsh, which is not installed: pip install gmsh$"):
        wgf.Disc(1.0, 0.2).build()
    assert wgf.Disc(1.0, 0.2, pattern="rings").build()[1].size > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wgf.Disc(-1, 0.1), "the disc has radius = -1: it must be a positive number"),
        (lambda: wgf.Disc(1, 0.0), "the disc has spacing = 0"),
        (lambda: wgf.Disc(1, 1e-5), "would have more than 5,000,000 cells"),
        (lambda: wgf.Disc(1, 0.1, pattern="ring"), r"unknown pattern 'ring' \(did you mean 'rings'\?\)"),
        (lambda: wgf.Disc(1, 0.1, center=(1,)), "give two numbers"),
        (lambda: wgf.Annulus(2, 1, 0.1), "inner must be less than outer"),
        (lambda: wgf.Circle(2), "the circle has 2 cells; give a whole number, at least 3"),
        (lambda: wgf.Box((2,) * 4, (0,) * 4, (1,) * 4), "1 to 3 axes, not 4"),
        (lambda: wgf.Box(4, [0]), "needs both lower and upper"),
        (lambda: wgf.MeshDensity(wgf.Circle(8).build()[1], np.ones(3)), "give one for each cell"),
    ],
)
def test_messages(make, message):
    with pytest.raises(wgf.InputError, match=message):
        make()
