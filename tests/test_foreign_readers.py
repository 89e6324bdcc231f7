"""Other programs: h5py, xarray, pandas and VTK find in the demo's files what wgf does; Datasets and tables of all results."""

from importlib import resources

import h5py
import numpy as np
import pandas
import pytest
import vtk
import xarray
from problems import Tanh
from vtk.util.numpy_support import vtk_to_numpy

import wgf

pytestmark = pytest.mark.coarse

TANH = Tanh()
GRID = wgf.FiniteVolume(12, TANH.lower, TANH.upper, edge_tolerance=1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo's files, on fewer cells and for a shorter time."""
    folder = tmp_path_factory.mktemp("demo")
    text = resources.files("wgf.cli").joinpath("examples/student.toml").read_text(encoding="utf-8")
    (folder / "student.toml").write_text(text.replace("[128, 128]", "[24, 20]").replace("end = 10.0", "end = 1.0"), encoding="utf-8")
    problem = wgf.Problem.from_toml(folder / "student.toml")
    method = wgf.FiniteVolume((24, 20), (-3.5, -3.0), (4.5, 4.5))
    wgf.solve(problem, method, 1.0, 5, store=folder / "density.h5")
    wgf.solve(problem, wgf.Particles(30), 1.0, 5, store=folder / "neurons.h5")
    wgf.compare(problem, method, 1.0, (4, 8), 5, 3, workers=1, store=folder / "compare.h5")
    return folder


def test_h5py_reads_the_demo(demo):
    run = wgf.open_run(demo / "density.h5")
    with h5py.File(demo / "density.h5") as file:
        assert file["density"].shape == (5, 24, 20)
        assert [dim[0].name for dim in file["density"].dims] == ["/time", "/c", "/a"]
        assert np.array_equal(file["density"][-1], run.measures[-1].values)
        assert file.attrs["status"] == "complete"


def test_xarray_reads_the_demo(demo):
    """By itself; what `to_xarray` gives has the same variables, dimensions, coordinates and numbers."""
    for name in ("density.h5", "neurons.h5"):
        ours = wgf.open_run(demo / name).to_xarray()
        with xarray.open_dataset(demo / name, engine="h5netcdf") as read:
            shared = set(read.variables) & set(ours.variables)
            assert {"time", "loss", "mean", "prediction", "input", "target"} <= shared
            assert ("density" if name == "density.h5" else "position") in shared
            for variable in shared:
                assert read[variable].dims == ours[variable].dims, variable
                if read[variable].dtype.kind == "f":
                    assert np.allclose(read[variable], ours[variable], equal_nan=True, atol=1e-12), variable
            assert set(ours.coords) >= set(read.dims) & {"time", "c", "a", "coordinate"}
            assert ours.attrs["wgf_version"] == read.attrs["wgf_version"]
    with xarray.open_dataset(demo / "compare.h5", engine="h5netcdf", group="distance") as read:
        ours = wgf.open_comparison(demo / "compare.h5").to_xarray()
        assert np.array_equal(read["function"], ours["distance_function"])


def test_a_dataset_of_a_run_is_a_file_of_xarray(demo, tmp_path):
    """Its attributes are ones that netCDF has; its units and names are there."""
    dataset = wgf.open_run(demo / "density.h5").to_xarray()
    dataset.to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "run.nc", engine="h5netcdf") as read:
        assert read["density"].attrs["units"] == "1"
        assert read["density"].attrs["long_name"].startswith("density of the law")
        assert read["c"].attrs["boundary"] == "no-flux"
        cell = float(np.prod([np.diff(read[name])[0] for name in ("c", "a")]))
        assert read["density"].sum(("c", "a")).to_numpy() * cell == pytest.approx(1.0)
        assert read["density"].sel(c=0.2, a=0.5, method="nearest").dims == ("time",)


def test_a_dataset_of_a_mesh(fipy):
    run = wgf.solve(TANH.problem, wgf.FiPyMesh(wgf.Disc(3.0, 0.8), edge_tolerance=1), 0.2, 3)
    dataset = run.to_xarray()
    assert (dataset["density"] * dataset["volume"]).sum("cell").values == pytest.approx(1.0)
    assert dataset["centre"].dims == ("cell", "coordinate")
    assert dataset["coordinate"].values.tolist() == ["c", "a"]


def test_a_window_that_moves_has_one_grid():
    """Frames of a grid without an end, each on a box of its own, on the axes of the last one."""
    run = wgf.solve(TANH.problem, wgf.FiniteVolume(grow=True, spacing=0.4, cells=None), 3.0, 3)
    dataset = run.to_xarray()
    assert {measure.grid.shape for measure in run.measures} != {run.measures[-1].grid.shape}
    for frame, measure in zip(dataset["density"], run.measures, strict=True):
        assert float(frame.sum()) * 0.16 == pytest.approx(measure.mass)
        assert float((frame * dataset["c"]).sum()) * 0.16 == pytest.approx(measure.mean[0])


def test_tables_of_a_run(demo):
    """Each a table of pandas with one observation a row."""
    run = wgf.open_run(demo / "density.h5")
    frames, history, measures, predictions = (run.to_dataframe(of) for of in ("frames", "history", "measures", "predictions"))
    assert all(isinstance(table, pandas.DataFrame) for table in (frames, history, measures, predictions))
    pandas.testing.assert_frame_equal(run.to_dataframe(), frames)
    assert np.array_equal(frames["loss"], run.loss)
    assert len(history) == len(run.history["time"])
    assert list(history.columns[:2]) == ["step", "time"]
    assert measures.groupby("time")["mass"].sum().to_numpy() == pytest.approx(1.0)
    last = measures[measures["time"] == run.times[-1]]
    assert np.average(last["c"], weights=last["mass"]) == pytest.approx(run.measures[-1].mean[0])
    squares = predictions.assign(loss=lambda row: row["weight"] * (row["prediction"] - row["target"]) ** 2)
    assert squares.groupby("time")["loss"].sum().to_numpy() == pytest.approx(run.loss)
    with pytest.raises(wgf.InputError, match=r"unknown table of a run 'frame' \(did you mean 'frames'\?\)"):
        run.to_dataframe("frame")
    neurons = wgf.open_run(demo / "neurons.h5").to_dataframe("measures")
    assert list(neurons.columns) == ["time", "particle", "c", "a", "weight"]
    assert len(neurons) == 5 * 30


def test_tables_of_a_comparison(demo):
    comparison = wgf.open_comparison(demo / "compare.h5")
    table = comparison.to_dataframe()
    assert list(table.columns) == ["size", "replicate", "time", "function", "loss"]
    means = table.assign(square=table["function"] ** 2).groupby(["size", "time"])["square"].mean().unstack()
    assert means.to_numpy() == pytest.approx(comparison.mean_square())
    assert len(comparison.to_dataframe("floors")) == comparison.floor["loss"].size
    rates = comparison.to_dataframe("rates").set_index(["distance", "time"])
    assert rates.loc[("function", 1.0), "slope"] == comparison.rates["function"].slope[-1]


def test_tables_of_other_studies():
    pair = wgf.compare_runs(wgf.solve(TANH.problem, GRID, 0.2, 3), wgf.solve(TANH.problem, wgf.Particles(10), 0.2, 3))
    table = pair.to_dataframe()
    assert list(table.columns) == ["distance", "time", "value", "if_equal"]
    assert table[table["distance"] == "loss"]["value"].tolist() == pair.distance["loss"].tolist()
    lazy = wgf.lazy(TANH.problem, (4, 8), (0.5, 1.0), replicates=5, until=0.1, save=2, workers=1)
    table = lazy.to_dataframe()
    assert list(table.columns[:6]) == ["exponent", "factor", "size", "replicate", "time", "relative_scale"]
    chosen = table[(table["exponent"] == 1.0) & (table["size"] == 8) & (table["time"] == 0.1)]
    assert chosen["deviation"].tolist() == lazy.deviation[1, 1, :, -1].tolist()
    assert lazy.to_xarray()["loss"].dims == ("scaling", "size", "replicate", "time")
    steps = wgf.compare_steps(TANH.problem, 0.1, 4, [0.05, 0.1], batches=(None, 2), replicates=5, workers=1)
    table = steps.to_dataframe()
    assert set(table["batch"]) == {"all data", "batches of 2"}
    assert len(table) == steps.distance.size


@pytest.mark.parametrize("name", ["density", "neurons"])
def test_vtk_reads_the_demo(demo, name, tmp_path):
    """As one time series; cell by cell, or neuron by neuron (tests/runs/test_vtk_files.py has all kinds of cells)."""
    run = wgf.open_run(demo / f"{name}.h5")
    wgf.export(demo / f"{name}.h5", tmp_path / "demo.vtkhdf")
    reader = vtk.vtkHDFReader()
    reader.SetFileName(str(tmp_path / "demo.vtkhdf"))
    reader.UpdateInformation()
    assert reader.GetNumberOfSteps() == len(run.times)
    for time, measure in zip(run.times, run.measures, strict=True):
        reader.UpdateTimeStep(time)
        found = reader.GetOutputDataObject(0)
        if name == "density":
            assert np.array_equal(vtk_to_numpy(found.GetCellData().GetArray("density")), measure.values.ravel(order="F"))
        else:
            assert np.array_equal(vtk_to_numpy(found.GetPoints().GetData())[:, :2], measure.positions)
