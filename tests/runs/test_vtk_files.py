"""VTK files: an independent reader finds the run in them."""

import base64
import zlib
from xml.etree import ElementTree

import meshio
import numpy as np
import pytest
from click.testing import CliRunner
from meshes import cube

import wgf
from wgf.cli.export import export as command

pytestmark = pytest.mark.coarse  # files of small runs

ENERGY = wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a")), wgf.Data.quadrature(np.sin, -1, 1, 20))
PROBLEM = wgf.Problem(ENERGY, wgf.Gaussian((0.2, 0.5), (0.3, 0.3)))
IN_SPACE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a", "b")), ENERGY.data), wgf.Uniform((0, 0, 0), (1, 1, 1)))


def frames(path):
    """The files of a collection by their times."""
    root = ElementTree.parse(path).getroot()
    assert root.get("type") == "Collection"
    return {float(item.get("timestep")): path.parent / item.get("file") for item in root.iter("DataSet")}


def sizes(block, points):
    """Lengths, areas or volumes of cells, from their corners alone."""
    corners = points[block.data]
    arms = corners[:, 1:] - corners[:, :1]
    if block.type == "line":
        return np.linalg.norm(arms[:, 0], axis=1)
    if block.type in ("triangle", "quad"):
        return sum(0.5 * np.linalg.norm(np.cross(arms[:, k], arms[:, k + 1]), axis=1) for k in range(arms.shape[1] - 1))
    parts = {"tetra": [(0, 1, 2, 3)], "hexahedron": [(0, 1, 3, 4), (1, 2, 3, 6), (1, 4, 5, 6), (3, 4, 6, 7), (1, 3, 4, 6)]}[block.type]
    volumes = [np.linalg.det(corners[:, [b, c, d]] - corners[:, [a]]) / 6 for a, b, c, d in parts]
    volumes[-1] = volumes[-1] if block.type == "tetra" else np.abs(volumes[-1])  # the one in the middle
    assert np.min(volumes) >= -1e-15  # VTK's order of the corners: right-handed
    return np.sum(volumes, axis=0)


@pytest.mark.parametrize(
    ("problem", "method", "kinds"),
    [
        (PROBLEM, wgf.FiPyMesh(wgf.Disc(2.5, 0.4)), {"triangle"}),
        (PROBLEM, wgf.FiPyMesh(wgf.Disc(2.5, 0.4, pattern="rings")), {"triangle", "quad"}),
        (PROBLEM, wgf.FiPyMesh(wgf.Circle(12)), {"line"}),
        (IN_SPACE, wgf.FiPyMesh(wgf.Sphere(0.4)), {"triangle"}),
        (IN_SPACE, wgf.FiPyMesh(wgf.Box((4, 5, 6), (0, 0, 0), (1, 1, 1)), edge_tolerance=1), {"hexahedron"}),
        (IN_SPACE, lambda fipy: wgf.FiPyMesh(fipy.Gmsh3D(cube("tetrahedra")), edge_tolerance=1), {"tetra"}),
        (IN_SPACE, lambda fipy: wgf.FiPyMesh(fipy.Gmsh3D(cube("wedges")), edge_tolerance=1), {"hexahedron"}),
    ],
)
def test_the_cells_of_a_mesh_with_their_density(problem, method, kinds, fipy, tmp_path):
    run = wgf.solve(problem, method(fipy) if callable(method) else method, 0.2, save=3, store=tmp_path / "run.h5")
    found = CliRunner().invoke(command, [str(tmp_path / "run.h5")])
    assert found.exit_code == 0
    files = frames(tmp_path / "run.pvd")
    assert list(files) == pytest.approx(run.times)
    for measure, file in zip(run.measures, files.values(), strict=True):
        mesh = meshio.read(file)
        assert {block.type for block in mesh.cells} == kinds
        values = np.concatenate(mesh.cell_data["density"])
        held = np.concatenate([sizes(block, mesh.points) for block in mesh.cells]) @ values
        assert held == pytest.approx(measure.mass, rel=0.02 if kinds == {"line"} else 1e-12)  # arcs are drawn as chords
        assert sorted(values) == pytest.approx(sorted(measure.values), rel=1e-15)


@pytest.mark.parametrize("cells", [(8,), (8, 10), (4, 5, 6)])
def test_a_density_on_a_grid_is_an_image(cells, tmp_path):
    p = len(cells)
    grid = wgf.Grid((-1.0, -2.0, -3.0)[:p], (1.0, 3.0, 4.0)[:p], cells)
    values = np.arange(np.prod(cells), dtype=float).reshape(cells)
    problem = wgf.Problem(
        wgf.InteractionEnergy(V=lambda theta: np.sum(theta, axis=-1)), wgf.Density(grid, values / (values.sum() * grid.cell_volume))
    )
    run = wgf.solve(problem, wgf.FiniteVolume(cells, grid.lower, grid.upper, edge_tolerance=1), 0.01, save=2)
    wgf.export(run, tmp_path / "run.pvd")
    root = ElementTree.parse(frames(tmp_path / "run.pvd")[0.0]).getroot()
    image, item = root.find("ImageData"), root.find(".//CellData/DataArray")
    assert [int(n) for n in image.get("WholeExtent").split()[1::2]] == [*cells, *(0,) * (3 - p)]
    assert [float(number) for number in image.get("Origin").split()][:p] == list(grid.lower)
    assert [float(number) for number in image.get("Spacing").split()][:p] == pytest.approx(list(grid.spacing))
    text = item.text  # the header of four numbers takes 44 letters
    blocks, size, last, packed = np.frombuffer(base64.b64decode(text[:44]), "<u8")
    assert (blocks, size, last, packed) == (1, 8 * values.size, 0, len(base64.b64decode(text[44:])))
    found = np.frombuffer(zlib.decompress(base64.b64decode(text[44:])), "<f8")
    assert np.array_equal(found.reshape(cells, order="F"), run.measures[0].values)  # the first axis fastest


def test_neurons_are_points_with_weights(tmp_path):
    run = wgf.solve(PROBLEM, wgf.Particles(20), 0.2, save=3)
    wgf.export(run, tmp_path / "run.pvd")
    mesh = meshio.read(list(frames(tmp_path / "run.pvd").values())[-1])
    assert np.array_equal(mesh.points[:, :2], run.measures[-1].positions)
    assert (mesh.points[:, 2] == 0).all()
    assert mesh.point_data["weight"] == pytest.approx(1 / 20)


def test_many_frames_sort_by_name(tmp_path):
    wgf.export(wgf.solve(PROBLEM, wgf.Particles(5), 0.1, save=11), tmp_path / "run.pvd")
    names = [file.name for file in frames(tmp_path / "run.pvd").values()]
    assert names == sorted(names)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == names


def test_a_second_export_takes_the_place_of_the_first(tmp_path):
    """Frames that the new run does not have are gone, of whichever kind; what else lies in the folder stays."""
    wgf.export(wgf.solve(PROBLEM, wgf.FiniteVolume(8, -2, 3), 0.1, save=11), tmp_path / "r.1.pvd")
    kept = ["notes.txt", "r.1_view.vtu", "rx1_0.vtu"]
    for name in kept:
        (tmp_path / "r.1" / name).write_text("mine")
    wgf.export(wgf.solve(PROBLEM, wgf.Particles(5), 0.1, save=3), tmp_path / "r.1.pvd")
    names = [file.name for file in frames(tmp_path / "r.1.pvd").values()]
    assert len(names) == 3
    assert sorted(path.name for path in (tmp_path / "r.1").iterdir()) == sorted([*names, *kept])


def test_messages(tmp_path):
    run = wgf.solve(PROBLEM, wgf.Particles(5), 0.1, save=2)
    with pytest.raises(wgf.InputError, match=r"must end in \.pvd"):
        wgf.export(run, tmp_path / "run.vtk")
    with pytest.raises(wgf.InputError, match="does not exist"):
        wgf.export(run, tmp_path / "nowhere" / "run.pvd")
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(wgf.InputError, match="it is a file; choose another name"):
        wgf.export(run, tmp_path / "taken.pvd")
    neuron = wgf.Neuron("tanh", theta=("c", "a1", "a2", "b"), dim=2)
    data = wgf.Data(np.random.default_rng(0).normal(size=(8, 2)), np.ones(8))
    many = wgf.Problem(wgf.RegressionEnergy(neuron, data), wgf.Gaussian((0,) * 4, (1,) * 4))
    with pytest.raises(wgf.InputError, match="4 coordinates cannot be shown in space: export takes one to three"):
        wgf.export(wgf.solve(many, wgf.Particles(5), 0.1, save=2), tmp_path / "run.pvd")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]
