"""Parts of figures in axes of the user's own: each is there, and what it shows is that of the result."""

import matplotlib.figure
import numpy as np
import pytest
from problems import Tanh

import wgf
from wgf.plots import PARTS

pytestmark = pytest.mark.coarse

TANH = Tanh(penalty=0.1)
GRID = wgf.FiniteVolume(12, TANH.lower, TANH.upper, edge_tolerance=1)


@pytest.fixture(scope="module")
def results():
    """One of each kind."""
    noisy = wgf.Problem(TANH.problem.energy, TANH.problem.initial, 0.05)
    run = wgf.solve(noisy, GRID, 0.2, 3)
    return {
        "Run": run,
        "Comparison": wgf.compare(TANH.problem, GRID, 0.2, (4, 8), 5, 3, workers=1),
        "Certificate": wgf.certify(run),
        "Pair": wgf.compare_runs(run, wgf.solve(noisy, wgf.Particles(10), 0.2, 3)),
        "LazyStudy": wgf.lazy(Tanh().problem, (4, 8), (0.5, 1.0), replicates=5, until=0.1, save=2, workers=1),
    }


@pytest.mark.parametrize(("kind", "part"), [(kind, part) for kind, parts in PARTS.items() for part in parts])
def test_every_part_is_drawn_into_given_axes(results, kind, part):
    """Into these and no others; without axes, into new ones, which a notebook can show."""
    figure = matplotlib.figure.Figure()
    left, right = figure.subplots(1, 2)
    assert wgf.plot_part(results[kind], part, ax=left) is left
    assert left.has_data()
    assert not right.has_data()
    panel = wgf.plot_part(results[kind], part)
    assert panel.has_data()
    assert panel.figure._repr_png_()[:4] == b"\x89PNG"


def test_a_frame_and_its_coordinates_can_be_chosen(results):
    panel = wgf.plot_part(results["Run"], "density", frame=0)
    assert panel.get_title(loc="left") == "t = 0"
    first = np.asarray(panel.images[0].get_array())
    assert np.array_equal(first.T, results["Run"].measures[0].values)
    assert wgf.plot_part(results["Run"], "density", axes=[0, 1]).get_xlabel() == "$c$"
    assert wgf.plot_part(results["Comparison"], "rates", name="loss").get_ylabel().startswith("$| L_m")


def test_messages(results):
    with pytest.raises(wgf.InputError, match=r"unknown part of the figure of a Run 'fits' \(did you mean 'fit'\?\)"):
        wgf.plot_part(results["Run"], "fits")
    with pytest.raises(wgf.InputError, match=r"axes = \[0\]: give those of one of its panels, \[0, 1\]"):
        wgf.plot_part(results["Run"], "density", axes=[0])
    with pytest.raises(wgf.InputError, match="unknown distance of the comparison 'w3'"):
        wgf.plot_part(results["Comparison"], "rates", name="w3")
    with pytest.raises(wgf.InputError, match="3 has no figure with parts"):
        wgf.plot_part(3, "fit")
