"""Figures are drawn for every legal run, without a warning; the file is written."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from problems import RIDGE_1D, Tanh

import wgf
from wgf.plots.cells import draw_cells
from wgf.plots.run import plot_density_with_particles, plot_run, plot_together
from wgf.plots.studies import plot_comparison

TANH = Tanh()


def small(neuron, law, data=TANH.data, method=None, **options):
    problem = wgf.Problem(wgf.RegressionEnergy(neuron, data), law, title="a title")
    return wgf.solve(problem, method or wgf.FiniteVolume(10), until=0.3, **{"save": 5, **options})


def gaussian(p):
    return wgf.Gaussian([0.3] * p, [0.4] * p)


RUNS = {
    "one axis": lambda: small(wgf.Neuron("tanh", ("a",)), gaussian(1)),
    "two axes": lambda: small(wgf.Neuron("tanh", ("c", "a")), gaussian(2)),
    "three axes": lambda: small(wgf.Neuron("tanh", ("c", "a", "b")), gaussian(3)),
    "four axes, two inputs": lambda: small(
        wgf.Neuron("tanh", ("c", "a1", "a2", "b"), dim=2),
        gaussian(4),
        wgf.Data.quadrature(lambda x: x[:, 0] * x[:, 1], [-1, -1], [1, 1], 4),
        wgf.FiniteVolume(8, [-2] * 4, [2.5] * 4, edge_tolerance=1),
    ),
    "a cloud": lambda: small(wgf.Neuron("tanh", ("c", "a")), gaussian(2), method=wgf.Particles(30)),
    "a weighted cloud on a line": lambda: small(wgf.Neuron("tanh", ("a",)), gaussian(1), method=wgf.Characteristics(nodes=9)),
    "a large cloud": lambda: small(wgf.Neuron("tanh", ("c", "a")), gaussian(2), method=wgf.Particles(5000, step=0.1)),
    "two frames": lambda: small(wgf.Neuron("tanh", ("c", "a")), gaussian(2), save=2),
    "a loss that is zero": lambda: small(wgf.Neuron("tanh", ("c",), {"a": 1.0}), gaussian(1), wgf.Data([0.0], [0.0])),
    "unsorted inputs, constant target": lambda: small(
        wgf.Neuron("relu", ("c", "a")), gaussian(2), wgf.Data([0.5, -1.0, 0.2], [1.0, 1.0, 1.0])
    ),
}


@pytest.mark.parametrize("case", RUNS)
def test_every_legal_run_can_be_drawn(case, tmp_path):
    run = RUNS[case]()
    figure = plot_run(run, tmp_path / "run.png")
    assert (tmp_path / "run.png").stat().st_size > 20_000
    assert "a title" in figure.get_suptitle()
    assert figure is not run.plot()


def test_a_sphere_around_zero_is_divided_at_zero():
    """Though its triangles are not symmetric, and their middle is not quite zero."""
    _, mesh = wgf.Sphere(0.3).build()
    density = wgf.MeshDensity(mesh, np.full(mesh.size, 1 / mesh.volumes.sum()))
    panel = Figure().subplots()
    draw_cells(panel, density, {})
    halves = [text.get_text() for text in panel.texts if ">" in text.get_text() or "<" in text.get_text()]
    assert [half[-3:] for half in halves] == ["> 0", "< 0"]


def test_an_interrupted_run_with_one_frame_can_be_drawn(tmp_path):
    class Stop:
        def frame(self, frame):
            raise KeyboardInterrupt

        def step(self, reading): ...

        def close(self, error): ...

    with pytest.raises(KeyboardInterrupt):
        wgf.solve(TANH.problem, wgf.FiniteVolume(12), until=1.0, store=tmp_path / "run.h5", observers=[Stop()])
    figure = wgf.open_run(tmp_path / "run.h5").plot(tmp_path / "run.pdf")
    assert "(interrupted)" in figure.get_suptitle()


@pytest.mark.parametrize("axes", [1, 2])
def test_neurons_are_drawn_over_the_density(axes, tmp_path):
    problem = RIDGE_1D.problem if axes == 1 else TANH.problem
    density = wgf.solve(problem, wgf.FiniteVolume(24), until=0.2, save=2).measures[-1]
    cloud = wgf.solve(problem, wgf.Particles(700), until=0.2, save=2).measures[-1]
    figure = plot_density_with_particles(density, cloud, tmp_path / "both.svg")
    assert (tmp_path / "both.svg").exists()
    assert "700 neurons" in figure.axes[0].get_legend().get_texts()[-1].get_text()


@pytest.mark.parametrize("axes", [1, 2])
def test_two_runs_are_drawn_together(axes, tmp_path):
    """Whichever comes first, the neurons lie over the density, at the common times."""
    problem = RIDGE_1D.problem if axes == 1 else TANH.problem
    cloud = wgf.solve(problem, wgf.Particles(700), 0.4, [0.1, 0.2, 0.4])
    density = wgf.solve(problem, wgf.FiniteVolume(24), 0.4, [0.2, 0.3, 0.4])
    figure = plot_together(cloud, density, tmp_path / "both.png")
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["t = 0", "t = 0.2", "t = 0.4"]
    assert figure.get_suptitle().startswith("FiniteVolume")
    assert (tmp_path / "both.png").stat().st_size > 20_000


def test_a_comparison_is_drawn(tmp_path):
    found = wgf.compare(TANH.problem, wgf.FiniteVolume(16, TANH.lower, TANH.upper), 0.3, (8, 16, 32), 5, save=4, workers=1)
    figure = plot_comparison(found, tmp_path / "compare.png")
    assert (tmp_path / "compare.png").stat().st_size > 20_000
    slope = found.rates["function"].slope[0]
    assert any(f"squared slope {slope:.2f}" in text.get_text() for text in figure.axes[1].get_legend().get_texts())
    found.distance["loss"][:] = 0.0
    plot_comparison(found)  # a distance that vanishes is no error


def test_a_format_that_is_not_ours_is_refused(tmp_path):
    run = RUNS["two frames"]()
    with pytest.raises(wgf.InputError, match=r"the name must end in \.png, \.pdf, \.svg"):
        run.plot(tmp_path / "run.bmp")
    with pytest.raises(wgf.InputError, match=r"the folder .* does not exist"):
        run.plot(tmp_path / "nowhere" / "run.png")


def test_the_style_leaves_no_trace():
    import matplotlib

    before = dict(matplotlib.rcParams)
    plot_run(RUNS["one axis"]())
    assert dict(matplotlib.rcParams) == before
    assert np.isfinite(before["font.size"])
