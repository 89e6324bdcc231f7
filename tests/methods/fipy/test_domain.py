"""Domains and their meshes: volumes, centres, quadrature, laws, and what is said where Gmsh is missing."""

import builtins
import warnings

import numpy as np
import pytest
from meshes import MIXED, cube

import wgf
from wgf.measures.laws import mesh_averages
from wgf.methods.fipy.bridge import checked, described, polygons
from wgf.methods.fipy.gmsh import load_gmsh

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
    spread = np.bincount(cells, weights * (exact - mesh.centers[cells])[:, 0] ** 2) / mesh.volumes
    found = np.bincount(owners, shares * (points - mesh.centers[owners])[:, 0] ** 2)
    assert found == pytest.approx(spread, rel=0.4, abs=1e-3 * spread.max())
    assert found.sum() == pytest.approx(spread.sum(), rel=0.02)


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


HOLE = """
SetFactory("OpenCASCADE");
Rectangle(1) = {-1, -2, 0, 4, 3}; Disk(2) = {0, 0, 0, 0.5};
BooleanDifference{ Surface{1}; Delete; }{ Surface{2}; Delete; }
Mesh.MeshSizeMax = 0.15;
"""


@pytest.mark.parametrize(
    ("text", "dim", "volume"),
    [
        (HOLE, 2, 12 - 0.25 * np.pi),
        (cube("tetrahedra"), 3, 1.0),
        (cube("wedges"), 3, 1.0),
        (cube("hexahedra"), 3, 1.0),
        (MIXED, 3, 2.0),
    ],
)
def test_files_for_gmsh(text, dim, volume, fipy, tmp_path):
    """A geometry, and the mesh of it that Gmsh wrote, have the volume; FiPy finds the neighbours that it finds in its own reading."""
    path = tmp_path / "domain.geo"
    path.write_text(text, encoding="utf-8")
    _, described = wgf.GmshFile(path).build()
    assert described.dim == described.cell_dim == dim
    assert described.volumes.sum() == pytest.approx(volume, rel=2e-3 if text is HOLE else 1e-9)
    gmsh = load_gmsh()
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.open(str(path))
    gmsh.model.mesh.generate(dim)
    gmsh.option.setNumber("Mesh.MshFileVersion", 2.2)  # which FiPy reads
    gmsh.write(str(tmp_path / "domain.msh"))
    gmsh.finalize()
    with pytest.raises(wgf.InputError, match=r"domain.msh is a mesh already: leave out spacing = 0.1, or give the geometry"):
        wgf.GmshFile(tmp_path / "domain.msh", spacing=0.1).build()
    again, read = wgf.GmshFile(tmp_path / "domain.msh").build()
    theirs = (fipy.Gmsh2D if dim == 2 else fipy.Gmsh3D)(str(tmp_path / "domain.msh"))
    for name in ("_cellDistances", "_faceAreas"):
        assert np.sort(np.asarray(getattr(again, name))) == pytest.approx(np.sort(np.asarray(getattr(theirs, name))))
    assert np.sort(read.volumes) == pytest.approx(np.sort(theirs.cellVolumes))
    assert again.interiorFaces.value.sum() == theirs.interiorFaces.value.sum()


def test_a_session_of_gmsh_is_left_alone():
    """A model that somebody is at work on would be meshed with ours, and gone afterwards."""
    gmsh = load_gmsh()
    gmsh.initialize(interruptible=False)
    try:
        with pytest.raises(wgf.InputError, match=r"Gmsh is in use in this program.*call gmsh.finalize\(\)"):
            wgf.Disc(1.0, 0.3).build()
        assert gmsh.isInitialized()
    finally:
        gmsh.finalize()


def test_a_geometry_is_meshed_as_finely_as_asked(tmp_path):
    """Whatever the file itself asks for."""
    (tmp_path / "hole.geo").write_text(HOLE, encoding="utf-8")
    with pytest.raises(wgf.InputError, match="spacing = 1e-05 is too fine for a geometry of size"):
        wgf.GmshFile(tmp_path / "hole.geo", 1e-5).build()
    sizes = [wgf.GmshFile(tmp_path / "hole.geo", spacing).build()[1].size for spacing in (0.4, 0.2, 0.1)]
    assert 3 < sizes[1] / sizes[0] < 5
    assert 3 < sizes[2] / sizes[1] < 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("this is nothing", "Gmsh cannot make a mesh of .*syntax error"),
        ("Point(1) = {0, 0, 0, 1};", "describes nothing of dimension two or three"),
        (HOLE + "Mesh.ElementOrder = 2;\n", "elements of the kind Triangle 6: give triangles, quadrilaterals or solids of first order"),
    ],
)
def test_files_that_are_none(text, message, tmp_path):
    (tmp_path / "domain.geo").write_text(text, encoding="utf-8")
    with pytest.raises(wgf.InputError, match=message):
        wgf.GmshFile(tmp_path / "domain.geo").build()


SQUARE = 'SetFactory("OpenCASCADE"); Rectangle(1) = {-2, -2, 0, 4, 4};\n'
SLIPS = {
    "a word": SQUARE.replace("Rectangle", "Rectangel"),
    "many words": SQUARE.replace("Rectangle", "Rectangel") * 40,
    "a word, and much after it": SQUARE.replace("Rectangle", "Rectangel") + "x = 3;\n" * 4000,
    "an end that is not there": SQUARE.replace("};", ""),
    "an end of a string": SQUARE.replace('");', ");"),
    "a name": SQUARE.replace("4, 4", "4, side"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_geometry_with_a_slip_spoils_no_other_one(slip, tmp_path):
    """Gmsh's parser is not left in the middle of a file: the same good one is read before and after, as often as one likes."""
    (tmp_path / "good.geo").write_text(SQUARE, encoding="utf-8")
    (tmp_path / "slip.geo").write_text(SLIPS[slip], encoding="utf-8")
    before = wgf.GmshFile(tmp_path / "good.geo").build()[1]
    for _ in range(2):
        with pytest.raises(wgf.InputError, match=r"Gmsh cannot make a mesh of .*slip.geo: .*(line \d+|End of file in string)"):
            wgf.GmshFile(tmp_path / "slip.geo").build()
        after = wgf.GmshFile(tmp_path / "good.geo").build()[1]
        assert np.array_equal(after.vertices, before.vertices)
        assert np.array_equal(after.cells, before.cells)


@pytest.mark.parametrize(("dim", "rim"), [(2, "its edges"), (3, "its faces")])
@pytest.mark.parametrize("version", [4.1, 2.2])
def test_a_mesh_file_that_holds_only_a_rim_is_told_what_it_lacks(dim, rim, version, tmp_path):
    """As Gmsh writes it where only the rim was put into a physical group."""
    gmsh = load_gmsh()
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    body = gmsh.model.occ.addDisk(0, 0, 0, 2, 2) if dim == 2 else gmsh.model.occ.addBox(0, 0, 0, 1, 1, 1)
    gmsh.model.occ.synchronize()
    gmsh.model.addPhysicalGroup(dim - 1, [tag for _, tag in gmsh.model.getBoundary([(dim, body)], oriented=False)], name="rim")
    gmsh.model.mesh.generate(dim)
    gmsh.option.setNumber("Mesh.MshFileVersion", version)
    gmsh.write(str(tmp_path / "rim.msh"))
    gmsh.finalize()
    if version < 4 and dim == 3:  # which knows of no volume: a surface in space, as good as any
        assert wgf.GmshFile(tmp_path / "rim.msh").build()[1].cell_dim == 2
        return
    with pytest.raises(wgf.InputError, match=r"rim.msh (holds the boundary of .*|describes nothing of dimension two or three)") as told:
        wgf.GmshFile(tmp_path / "rim.msh").build()
    assert version < 4 or rim in str(told.value)


@pytest.mark.parametrize("order", ["Exit;", 'SystemCall "touch harmed";', '/* Exit */ NonBlockingSystemCall "touch harmed";'])
def test_a_geometry_that_gives_orders_to_the_machine_is_refused(order, tmp_path, monkeypatch):
    """Gmsh would end this process without a word, or run the program; in a comment and in a name such words are harmless."""
    monkeypatch.chdir(tmp_path)
    square = 'SetFactory("OpenCASCADE"); // Exit\n/* SystemCall */ MyExit = 1; Rectangle(1) = {-2, -2, 0, 4, 4};\n'
    (tmp_path / "harmful.geo").write_text(square + order, encoding="utf-8")
    (tmp_path / "harmless.geo").write_text(square, encoding="utf-8")
    with pytest.raises(
        wgf.InputError, match=r"harmful.geo is a program that calls (Exit|\w*SystemCall), which .* not executed here: remove it"
    ):
        wgf.GmshFile("harmful.geo").build()
    assert not (tmp_path / "harmed").exists()
    assert wgf.GmshFile("harmless.geo", 1.0).build()[1].size > 10


def layer(cells, thickness):
    """A cube with edges of about .4 and a thin layer in its middle, whose cells are tetrahedra or wedges."""
    flat = "Layers{1}; Recombine;" if cells == "wedges" else ""
    return f"""
    h = {thickness};
    Point(1) = {{0, 0, 0, .4}}; Point(2) = {{1, 0, 0, .4}}; Point(3) = {{1, 1, 0, .4}}; Point(4) = {{0, 1, 0, .4}};
    Line(1) = {{1, 2}}; Line(2) = {{2, 3}}; Line(3) = {{3, 4}}; Line(4) = {{4, 1}};
    Line Loop(1) = {{1, 2, 3, 4}}; Plane Surface(1) = {{1}};
    Extrude {{0, 0, h}} {{ Surface{{1}}; {flat} }}
    """


@pytest.mark.parametrize(
    ("cells", "thickness", "said"),
    [("tetrahedra", 0.3, None), ("tetrahedra", 0.02, "warned"), ("tetrahedra", 1e-3, "refused"), ("wedges", 1e-3, None)],
)
def test_cells_that_are_too_thin_are_said_before_anything_is_computed(cells, thickness, said, tmp_path):
    """Flat tetrahedra are, by where the worst is; wedges as flat are not, whose centres lie across their faces."""
    (tmp_path / "layer.geo").write_text(layer(cells, thickness), encoding="utf-8")
    law = wgf.Uniform([0, 0, 0], [1, 1, thickness])
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0.5 * np.sum(theta**2, axis=-1)), law, temperature=0.3)
    method = wgf.FiPyMesh(wgf.GmshFile(tmp_path / "layer.geo"), edge_tolerance=1)
    words = r"the mesh of layer.geo, \d+ cells is too thin in places: at \d+ of \d+ faces .* the worst by \d\.\d° near \(.*\): "
    if said == "refused":
        with pytest.raises(wgf.InputError, match=words + "make cells about as long as they are thick there"):
            method.bind(problem, 1.0)
    elif said == "warned":
        with pytest.warns(wgf.ResolutionWarning, match=words + "expect short steps and a large error there"):
            method.bind(problem, 1.0)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            method.bind(problem, 1.0)


def test_three_cells_at_one_edge_are_refused():
    """A page of a book that is glued to the middle of two others."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0.1], [0.1, 0, 1]], dtype=float)
    with pytest.raises(wgf.InputError, match="a face that 3 cells share"):
        checked(polygons(vertices, np.array([[0, 1, 2, 2], [0, 1, 3, 3], [0, 1, 4, 4]])))


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
        (lambda: wgf.Disc(1, 1e-5), r"disc with spacing = 1e-05 has about 73.* cells, more than the 1,000,000"),
        (lambda: wgf.Annulus(0.5, 1, 1e-4), "annulus with spacing = 0.0001 has about"),
        (lambda: wgf.Sphere(1e-3), "sphere with spacing = 0.001 has about 29"),
        (lambda: wgf.Annulus(1e-9, 1, 0.1), "inner = 1e-09, which is no hole beside outer = 1: take a disc"),
        (lambda: wgf.Circle(10**7), "circle has about 10,000,000 cells"),
        (lambda: wgf.Box(2000, (-1, -1), (1, 1)).build(), "box of 2000 × 2000 has about 4,000,000 cells"),
        (lambda: wgf.Disc(1, 0.1, pattern="ring"), r"unknown pattern 'ring' \(did you mean 'rings'\?\)"),
        (lambda: wgf.Disc(1, 0.1, center=(1,)), "give two numbers"),
        (lambda: wgf.Annulus(2, 1, 0.1), "inner must be less than outer"),
        (lambda: wgf.GmshFile("nowhere.geo"), "the file nowhere.geo of a mesh or a geometry for Gmsh does not exist"),
        (lambda: wgf.GmshFile(__file__, -1.0), "spacing = -1: it must be a positive number"),
        (lambda: wgf.Circle(2), "the circle has 2 cells; give a whole number, at least 3"),
        (lambda: wgf.Box((2,) * 4, (0,) * 4, (1,) * 4), "1 to 3 axes, not 4"),
        (lambda: wgf.Box(4, [0]), "needs both lower and upper"),
        (lambda: wgf.Circle(8.5), "the circle has 8.5 cells; give a whole number"),
        (lambda: wgf.Disc("a", 0.1), "the disc has radius = 'a': it must be a positive number"),
        (lambda: wgf.Disc(1, None), "the disc has spacing = None: it must be a positive number"),
        (lambda: wgf.Disc(1, 0.1, ("a", "b")), "give two numbers"),
        (lambda: wgf.GmshFile(3), "the file 3 of a mesh"),
        (lambda: wgf.GmshFile(__file__, "a"), "spacing = 'a': it must be a positive number"),
        (lambda: wgf.MeshDensity(wgf.Circle(8).build()[1], np.ones(3)), "give one for each cell"),
        (lambda: wgf.MeshDensity(wgf.Circle(3).build()[1], [1, np.nan, 2]), "the density is nan in cell 1; give numbers ≥ 0"),
        (lambda: wgf.MeshDensity(wgf.Circle(3).build()[1], [1, 0, -2]), "the density is -2 in cell 2; give numbers ≥ 0"),
    ],
)
def test_messages(make, message):
    with pytest.raises(wgf.InputError, match=message):
        make()


def test_points_are_found_in_cells_of_all_sizes(fipy):
    """Small and large cells side by side, where the nearest centre is often that of another cell; none outside."""
    rng = np.random.default_rng(0)
    dx = np.tile([0.1, 1.0], 6)
    edges = np.concatenate([[0], np.cumsum(dx)])
    points = rng.uniform(-0.5, edges[-1] + 0.5, (2000, 2))
    mesh = described(checked(fipy.Grid2D(dx=dx, dy=dx)))
    column, row = (np.searchsorted(edges, x) - 1 for x in points.T)
    inside = ((points > 0) & (points < edges[-1])).all(axis=1)
    assert np.array_equal(mesh.locate(points), np.where(inside, row * len(dx) + column, -1))
    samples = wgf.Samples(points[inside])
    assert mesh_averages(samples, mesh) @ mesh.volumes == pytest.approx(1)


def test_laws_on_a_surface():
    """A mixture is the law of its density, and samples lie on the surface or are refused."""
    _, mesh = wgf.Sphere(0.3).build()
    mixture = wgf.Mixture([0.5, 0.5], [wgf.Gaussian((1, 0, 0), (0.3,) * 3), wgf.Gaussian((-2, 0, 0), (0.5,) * 3)])
    assert mesh_averages(mixture, mesh) == pytest.approx(mesh_averages(wgf.FromDensity(mixture.pdf), mesh))
    points = np.random.default_rng(0).normal(size=(50, 3))
    with pytest.raises(wgf.InputError, match="of the 50 samples do not lie on the sphere of radius 1"):
        mesh_averages(wgf.Samples(points), mesh)
    on = wgf.Samples(points / np.linalg.norm(points, axis=1, keepdims=True))
    assert mesh_averages(on, mesh) @ mesh.volumes == pytest.approx(1)


@pytest.mark.parametrize("spacing", [1.0, 0.2])
def test_all_points_of_a_sphere_are_found(spacing):
    """In the triangle whose cone holds them, but for few that lie by its edge."""
    points = np.random.default_rng(0).normal(size=(40_000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    _, mesh = wgf.Sphere(spacing).build()
    cells = mesh.locate(points)
    assert cells.min() >= 0
    barycentric = np.linalg.solve(mesh.vertices[mesh.cells[cells, :3]].transpose(0, 2, 1), points[:, :, None])[:, :, 0]
    assert (barycentric < 0).any(axis=1).mean() <= 0.16 * spacing


@pytest.mark.parametrize("seed", range(20))
def test_a_box_is_made_again_from_its_mesh(seed):
    """Its ends are not rounded, so that centres are the same to the last bit."""
    lower, upper = np.random.default_rng(seed).uniform([[-4.0, -3.0], [0.1, 1.0]], [[0.0, -1.0], [3.0, 4.0]])
    _, first = wgf.Box([16, 7], lower.tolist(), upper.tolist()).build()
    assert np.array_equal([first.lower, first.upper], [lower, upper])
    _, again = wgf.Box([16, 7], first.lower.tolist(), first.upper.tolist()).build()
    assert np.array_equal(first.centers, again.centers)
