"""The time series for ParaView: VTK's own reader finds the run in it, at every time."""

import numpy as np
import pytest
import vtk
from click.testing import CliRunner
from meshes import cube
from problems import Tanh
from vtk.util.numpy_support import vtk_to_numpy

import wgf
from wgf.cli.export import export as command

pytestmark = pytest.mark.coarse  # files of small runs

ENERGY = wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a")), wgf.Data.quadrature(np.sin, -1, 1, 20))
PROBLEM = wgf.Problem(ENERGY, wgf.Gaussian((0.2, 0.5), (0.3, 0.3)))
IN_SPACE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a", "b")), ENERGY.data), wgf.Uniform((0, 0, 0), (1, 1, 1)))
VERTEX, LINE, TRIANGLE, QUAD, TETRAHEDRON, HEXAHEDRON = 1, 3, 5, 9, 10, 12  # VTK's numbers


def steps(path):
    """What VTK's reader gives at each of the times of a file: time → data set."""
    reader = vtk.vtkHDFReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    times = reader.GetOutputInformation(0).Get(vtk.vtkStreamingDemandDrivenPipeline.TIME_STEPS())
    assert reader.GetNumberOfSteps() == len(times)
    found = {}
    for time in times:
        reader.UpdateTimeStep(time)
        copied = reader.GetOutputDataObject(0).NewInstance()
        copied.DeepCopy(reader.GetOutputDataObject(0))
        found[time] = copied
    return found


def density(found):
    return vtk_to_numpy(found.GetCellData().GetArray("density"))


def sizes(found):
    """Lengths, areas and volumes of cells, as VTK computes them from their corners."""
    measured = vtk.vtkCellSizeFilter()
    measured.SetInputData(found)
    measured.Update()
    arrays = measured.GetOutput().GetCellData()
    return sum(vtk_to_numpy(arrays.GetArray(name)) for name in ("Length", "Area", "Volume"))


@pytest.mark.parametrize(
    ("problem", "method", "kinds"),
    [
        (PROBLEM, wgf.FiPyMesh(wgf.Disc(2.5, 0.4)), {TRIANGLE}),
        (PROBLEM, wgf.FiPyMesh(wgf.Disc(2.5, 0.4, pattern="rings")), {TRIANGLE, QUAD}),
        (PROBLEM, wgf.FiPyMesh(wgf.Circle(12)), {LINE}),
        (IN_SPACE, wgf.FiPyMesh(wgf.Sphere(0.4)), {TRIANGLE}),
        (IN_SPACE, wgf.FiPyMesh(wgf.Box((4, 5, 6), (0, 0, 0), (1, 1, 1)), edge_tolerance=1), {HEXAHEDRON}),
        (IN_SPACE, lambda fipy: wgf.FiPyMesh(fipy.Gmsh3D(cube("tetrahedra")), edge_tolerance=1), {TETRAHEDRON}),
        (IN_SPACE, lambda fipy: wgf.FiPyMesh(fipy.Gmsh3D(cube("wedges")), edge_tolerance=1), {HEXAHEDRON}),
    ],
)
def test_the_cells_of_a_mesh_with_their_density(problem, method, kinds, fipy, tmp_path):
    run = wgf.solve(problem, method(fipy) if callable(method) else method, 0.2, save=3, store=tmp_path / "run.h5")
    found = CliRunner().invoke(command, [str(tmp_path / "run.h5")])
    assert found.exit_code == 0
    series = steps(tmp_path / "run.vtkhdf")
    assert list(series) == pytest.approx(run.times)
    for measure, at in zip(run.measures, series.values(), strict=True):
        assert {at.GetCellType(k) for k in range(at.GetNumberOfCells())} == kinds
        assert np.array_equal(density(at), measure.values)
        assert sizes(at) @ density(at) == pytest.approx(measure.mass, rel=0.02 if kinds == {LINE} else 1e-12)  # arcs are drawn as chords


@pytest.mark.parametrize("cells", [(8,), (8, 10), (4, 5, 6)])
def test_a_density_on_a_grid_is_an_image(cells, tmp_path):
    """With the first axis along x; on a line, of which VTK has no image, it is a row of segments."""
    p = len(cells)
    grid = wgf.Grid((-1.0, -2.0, -3.0)[:p], (1.0, 3.0, 4.0)[:p], cells)
    values = np.arange(np.prod(cells), dtype=float).reshape(cells)
    problem = wgf.Problem(
        wgf.InteractionEnergy(V=lambda theta: np.sum(theta, axis=-1)), wgf.Density(grid, values / (values.sum() * grid.cell_volume))
    )
    run = wgf.solve(problem, wgf.FiniteVolume(cells, grid.lower, grid.upper, edge_tolerance=1), 0.01, save=3)
    wgf.export(run, tmp_path / "run.vtkhdf")
    series = steps(tmp_path / "run.vtkhdf")
    assert list(series) == pytest.approx(run.times)
    for measure, at in zip(run.measures, series.values(), strict=True):
        assert np.array_equal(density(at), measure.values.ravel(order="F"))
        bounds = np.reshape(at.GetBounds(), (3, 2))
        assert pytest.approx(np.array([grid.lower, grid.upper])) == bounds[:p].T
        assert (bounds[p:] == 0).all()
        centres = vtk.vtkCellCenters()
        centres.SetInputData(at)
        centres.Update()
        places = vtk_to_numpy(centres.GetOutput().GetPoints().GetData())[:, :p]
        order = np.arange(grid.size).reshape(cells).ravel(order="F")
        assert places == pytest.approx(grid.points()[order], abs=1e-6)  # the reader's points are of single precision


def test_a_window_that_moves_has_one_box(tmp_path):
    """Each frame in the box of the last one, with zeros around it."""
    run = wgf.solve(Tanh().problem, wgf.FiniteVolume(grow=True, spacing=0.4, cells=None), 3.0, 3)
    assert run.measures[0].grid.shape != run.measures[-1].grid.shape
    wgf.export(run, tmp_path / "run.vtkhdf")
    for measure, at in zip(run.measures, steps(tmp_path / "run.vtkhdf").values(), strict=True):
        assert at.GetNumberOfCells() == run.measures[-1].grid.size
        assert density(at).sum() * 0.16 == pytest.approx(measure.mass)


def test_neurons_are_points_with_weights(tmp_path):
    run = wgf.solve(PROBLEM, wgf.Particles(20), 0.2, save=11)
    wgf.export(run, tmp_path / "run.vtkhdf")
    series = steps(tmp_path / "run.vtkhdf")
    assert len(series) == 11
    for measure, at in zip(run.measures, series.values(), strict=True):
        points = vtk_to_numpy(at.GetPoints().GetData())
        assert np.array_equal(points[:, :2], measure.positions)
        assert (points[:, 2] == 0).all()
        assert vtk_to_numpy(at.GetPointData().GetArray("weight")) == pytest.approx(1 / 20)
        assert {at.GetCellType(k) for k in range(at.GetNumberOfCells())} == {VERTEX}
        assert at.GetNumberOfCells() == 20


def test_a_second_export_takes_the_place_of_the_first(tmp_path):
    """Of whichever kind, and nothing else is left beside it."""
    wgf.export(wgf.solve(PROBLEM, wgf.FiniteVolume(8, -2, 3), 0.1, save=11), tmp_path / "r.1.vtkhdf")
    wgf.export(wgf.solve(PROBLEM, wgf.Particles(5), 0.1, save=3), tmp_path / "r.1.vtkhdf")
    assert len(steps(tmp_path / "r.1.vtkhdf")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["r.1.vtkhdf"]


def test_messages(tmp_path):
    run = wgf.solve(PROBLEM, wgf.Particles(5), 0.1, save=2)
    with pytest.raises(wgf.InputError, match=r"must end in \.vtkhdf"):
        wgf.export(run, tmp_path / "run.vtk")
    with pytest.raises(wgf.InputError, match="does not exist"):
        wgf.export(run, tmp_path / "nowhere" / "run.vtkhdf")
    neuron = wgf.Neuron("tanh", theta=("c", "a1", "a2", "b"), dim=2)
    data = wgf.Data(np.random.default_rng(0).normal(size=(8, 2)), np.ones(8))
    many = wgf.Problem(wgf.RegressionEnergy(neuron, data), wgf.Gaussian((0,) * 4, (1,) * 4))
    with pytest.raises(wgf.InputError, match="4 coordinates cannot be shown in space: export takes one to three"):
        wgf.export(wgf.solve(many, wgf.Particles(5), 0.1, save=2), tmp_path / "run.vtkhdf")
    assert not list(tmp_path.iterdir())
