"""XDMF files: every array they point at is there, with the shape they say."""

from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import wgf
from wgf.cli.export import export as command

ENERGY = wgf.RegressionEnergy(wgf.Neuron("tanh", theta=("c", "a")), wgf.Data.quadrature(np.sin, -1, 1, 20))
PROBLEM = wgf.Problem(ENERGY, wgf.Gaussian((0.2, 0.5), (0.3, 0.3)))


@pytest.mark.parametrize(
    ("method", "topology"),
    [
        (wgf.FiPyMesh(wgf.Disc(2.5, 0.4)), "Triangle"),
        (wgf.FiPyMesh(wgf.Disc(2.5, 0.4, pattern="rings")), "Quadrilateral"),
        (wgf.FiniteVolume((8, 10), (-2, -2), (2.5, 3), edge_tolerance=1), "2DCoRectMesh"),
        (wgf.Particles(20), "Polyvertex"),
        (wgf.FiPyMesh(wgf.Circle(12)), "Polyline"),
    ],
)
def test_every_array_is_where_the_file_says(method, topology, tmp_path):
    run = wgf.solve(PROBLEM, method, 0.2, save=3, store=tmp_path / "run.h5")
    found = CliRunner().invoke(command, [str(tmp_path / "run.h5")])
    assert found.exit_code == 0
    frames = ElementTree.parse(tmp_path / "run.xdmf").getroot().findall("./Domain/Grid/Grid")
    assert [float(frame.find("Time").get("Value")) for frame in frames] == pytest.approx(run.times)
    assert {frame.find("Topology").get("TopologyType") for frame in frames} == {topology}
    with h5py.File(tmp_path / "run.h5") as file:
        for item in frames[-1].iter("DataItem"):
            if item.get("Format") == "HDF":
                name, path = item.text.split(":")
                assert name == "run.h5"
                assert file[path].shape == tuple(map(int, item.get("Dimensions").split()))


def test_messages(tmp_path):
    run = wgf.solve(PROBLEM, wgf.Particles(5), 0.1, save=2)
    with pytest.raises(wgf.InputError, match="in memory only: solve it with store=…"):
        wgf.export(run, tmp_path / "run.xdmf")
    kept = wgf.solve(PROBLEM, wgf.Particles(5), 0.1, save=2, store=tmp_path / "run.h5")
    with pytest.raises(wgf.InputError, match=r"must end in \.xdmf"):
        wgf.export(kept, tmp_path / "run.vtk")
    with pytest.raises(wgf.InputError, match="does not exist"):
        wgf.export(kept, tmp_path / "nowhere" / "run.xdmf")
