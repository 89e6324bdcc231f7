"""Figures of runs, judged by what stands in them: the image is the density, the lines are the history, the dots are the neurons."""

import dataclasses
import itertools

import numpy as np
import pytest
from artists import among, bars, colours, dots, inside, legend, line, outline, shown, steps, words
from children import Watching
from matplotlib.cbook import is_math_text
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from problems import RIDGE_1D, Tanh
from scipy.special import ndtr

import wgf
from wgf.plots.cells import draw_cells
from wgf.plots.measures import BINS, SHOWN_POINTS, VISIBLE
from wgf.plots.run import plot_density_with_particles, plot_run, plot_together
from wgf.plots.studies import plot_pair
from wgf.plots.style import mathematical

pytestmark = pytest.mark.coarse  # figures of small runs

TANH = Tanh()
PLANE = wgf.Neuron("tanh", ("c", "a"))
DISSIPATION = r"dissipation $\int |\nabla G|^2 d\mu"


def small(neuron, law, data=TANH.data, method=None, **options):
    problem = wgf.Problem(wgf.RegressionEnergy(neuron, data), law, title="a title")
    return wgf.solve(problem, method or wgf.FiniteVolume(10), until=0.3, **{"save": 5, **options})


def gaussian(p):
    return wgf.Gaussian([0.3] * p, [0.4] * p)


RUNS = {
    "one axis": lambda: small(wgf.Neuron("tanh", ("a",)), gaussian(1), method=wgf.FiniteVolume(12)),
    "two axes": lambda: small(PLANE, gaussian(2), method=wgf.FiniteVolume((12, 10))),
    "three axes": lambda: small(wgf.Neuron("tanh", ("c", "a", "b")), gaussian(3)),
    "four axes, two inputs": lambda: small(
        wgf.Neuron("tanh", ("c", "a1", "a2", "b"), dim=2),
        gaussian(4),
        wgf.Data.quadrature(lambda x: x[:, 0] * x[:, 1], [-1, -1], [1, 1], 4),
        wgf.FiniteVolume(8, [-2] * 4, [2.5] * 4, edge_tolerance=1),
    ),
    "a cloud": lambda: small(PLANE, gaussian(2), method=wgf.Particles(30)),
    "a cloud on a line": lambda: small(wgf.Neuron("tanh", ("a",)), gaussian(1), method=wgf.Particles(70)),
    "a weighted cloud on a line": lambda: small(wgf.Neuron("tanh", ("a",)), gaussian(1), method=wgf.Characteristics(nodes=60)),
    "a large cloud": lambda: small(PLANE, gaussian(2), method=wgf.Particles(5000, step=0.1)),
    "two frames": lambda: small(PLANE, gaussian(2), save=2),
    "a loss that is zero": lambda: small(wgf.Neuron("tanh", ("c",), {"a": 1.0}), gaussian(1), wgf.Data([0.0], [0.0])),
    "unsorted inputs, constant target": lambda: small(
        wgf.Neuron("relu", ("c", "a")), gaussian(2), wgf.Data([0.5, -1.0, 0.2], [1.0, 1.0, 1.0])
    ),
}
SHOWN = [0, 1, 3, 4]  # of five frames


def parts(figure):
    """The panels of the measures, without a colour bar, and those below."""
    top, bottom = figure.subfigs
    return shown(top), bottom.axes


@pytest.mark.parametrize("case", RUNS)
def test_every_legal_run_is_drawn_with_its_title_its_fall_and_its_fit(case, tmp_path):
    run = RUNS[case]()
    figure = run.plot(tmp_path / "run.png")
    assert (tmp_path / "run.png").exists()
    assert figure.get_suptitle().split() == f"a title — {run.method}".split()
    assert inside(figure)
    fall, fit = parts(figure)[1]
    check_fall(fall, run)
    check_fit(fit, run)


def check_fall(panel, run):
    """Dissipation and loss of every step, the frames as dots, first and last value in words; on a logarithmic axis."""
    rounding = 1e-16
    for label, name in ((DISSIPATION, "dissipation"), (r"loss $L[\mu_t]$", "loss")):
        assert line(panel, label) == pytest.approx(np.array([run.history["time"], np.maximum(run.history[name], rounding)]), rel=1e-12)
    assert dots(panel)[0] == pytest.approx(np.array([run.times, np.maximum(run.loss, rounding)]), rel=1e-12)
    assert words(panel) == [f"{run.loss[0]:.3g}", f"{run.loss[-1]:.3g}"]
    assert (panel.get_xlabel(), panel.get_yscale()) == ("t", "log")
    low, high = panel.get_ylim()
    assert low <= max(run.loss.min(), rounding) <= max(run.loss.max(), rounding) <= high
    assert [word.split()[0] for word in legend(panel)] == ["dissipation", "loss"]


def check_fit(panel, run):
    """Of one input: data and φ at the first and the last frame, in the order of x. Of more: φ against the target."""
    x, y = run.data.inputs, run.data.targets
    last = f"t = {run.times[-1]:.3g}"
    if x.shape[1] > 1:
        assert line(panel, "t = 0") == pytest.approx(np.array([y, run.prediction[0]]))
        assert line(panel, last) == pytest.approx(np.array([y, run.prediction[-1]]))
        assert (panel.get_xlabel(), panel.get_ylabel()) == (r"target $f^*(x_i)$", r"prediction $\varphi(x_i)$")
        ends = np.array([y.min(), y.max()])
        assert any(np.array_equal(one.get_data(), (ends, ends)) for one in panel.get_lines())
        return
    order = np.argsort(x[:, 0])
    at = x[order, 0]
    assert line(panel, "data") == pytest.approx(np.array([at, y[order]]))
    assert line(panel, r"$\varphi$ at t = 0") == pytest.approx(np.array([at, run.prediction[0][order]]))
    assert line(panel, rf"$\varphi$ at {last}") == pytest.approx(np.array([at, run.prediction[-1][order]]))
    between = [one.get_ydata() for one in panel.get_lines() if one.get_label().startswith("_")]
    assert np.array_equal(between, run.prediction[1:-1][:, order]) or len(run.times) == 2
    assert panel.get_xlabel() == "x"
    assert legend(panel) == [r"data $f^*(x_i)$", r"$\varphi$ at t = 0", rf"$\varphi$ at {last}"]


def window(measures, axis):
    """Where a density is above VISIBLE of its largest marginal, with a margin of 12 %, inside the box: what a panel shows of an axis."""
    grid, seen = measures[0].grid, []
    for measure in measures:
        marginal = measure.values.sum(axis=tuple(k for k in range(grid.dim) if k != axis))
        seen += grid.centers[axis][marginal > VISIBLE * marginal.max()].tolist()
    margin = 0.12 * np.ptp(seen)
    return max(min(seen) - margin, grid.lower[axis]), min(max(seen) + margin, grid.upper[axis])


NAMES = ("$c$", "$a$", "$b$")


@pytest.mark.parametrize(("case", "pairs"), [("two axes", [(0, 1)]), ("three axes", [(0, 1), (0, 2), (1, 2)])])
def test_the_density_of_each_pair_of_axes_is_an_image(case, pairs):
    """A row of panels for each pair, at four times."""
    run = RUNS[case]()
    panels, _ = parts(figure := plot_run(run))
    rows = np.reshape(panels, (len(pairs), len(SHOWN)))
    labels = ["density"] if len(pairs) == 1 else [f"density of ({NAMES[i]}, {NAMES[j]})" for i, j in pairs]
    for row, pair, (label, ends), expected in zip(rows, pairs, bars(figure), labels, strict=True):
        check_planes(row, run, pair, ends)
        assert label == expected


def check_planes(panels, run, pair, ends):
    """One image a panel, the first axis to the right, on a common scale from zero, on the box; beside it the marginals."""
    first, second = pair
    measures = [run.measures[k] for k in SHOWN]
    grid = measures[0].grid
    spare = tuple(k for k in range(grid.dim) if k not in pair)
    planes = [measure.values.sum(axis=spare) * np.prod(grid.spacing[list(spare)]) for measure in measures]
    for panel, plane, k in zip(panels, planes, SHOWN, strict=True):
        (image,) = panel.get_images()
        assert colours(image) == pytest.approx(plane.T, rel=1e-12)
        assert image.origin == "lower"
        assert image.get_extent() == [grid.lower[first], grid.upper[first], grid.lower[second], grid.upper[second]]
        assert image.get_clim() == ends == pytest.approx((0, max(other.max() for other in planes)))
        assert panel.get_xlim() == pytest.approx(window(measures, first))
        assert panel.get_ylim() == pytest.approx(window(measures, second))
        assert panel.get_xlabel() == NAMES[first]
        assert panel.get_aspect() == "auto"  # a weight of the output and one of an input are different things
        assert words(panel) == [f"t = {run.times[k]:.3g}"]
        above, right = panel.child_axes
        assert among(np.column_stack([grid.centers[first], plane.sum(axis=1) * grid.spacing[second]]), outline(above.collections[0]))
        assert among(np.column_stack([plane.sum(axis=0) * grid.spacing[first], grid.centers[second]]), outline(right.collections[0]))
        assert above.get_xlim() == panel.get_xlim()
        assert right.get_ylim() == panel.get_ylim()
        assert above.get_ylim()[0] == right.get_xlim()[0] == 0
    assert [panel.get_ylabel() for panel in panels] == [NAMES[second], "", "", ""]


def test_of_four_coordinates_each_has_its_marginal():
    run = RUNS["four axes, two inputs"]()
    panels, _ = parts(plot_run(run))
    assert [panel.get_xlabel() for panel in panels] == ["$c$", "$a_{1}$", "$a_{2}$", "$b$"]
    for axis, panel in enumerate(panels):
        for k in SHOWN:
            density = run.measures[k]
            marginal = density.values.sum(axis=tuple(j for j in range(4) if j != axis)) * density.grid.spacing[0] ** 3
            assert line(panel, f"t = {run.times[k]:.3g}") == pytest.approx(np.array([density.grid.centers[axis], marginal]))


RING = wgf.Problem(wgf.InteractionEnergy(V=lambda x: 0.25 * ((x**2).sum(-1) - 1) ** 2), wgf.Gaussian([0, 0], [0.6, 0.6]))
WEIGHTS = wgf.Problem(
    wgf.RegressionEnergy(wgf.Neuron("tanh", ("a1", "a2"), dim=2), wgf.Data.quadrature(lambda x: x[:, 0], [-1, -1], [1, 1], 4)), gaussian(2)
)


@pytest.mark.parametrize(("problem", "aspect"), [(RING, 1), (WEIGHTS, 1), (TANH.problem, "auto")], ids=["places", "weights", "neurons"])
@pytest.mark.parametrize("method", [wgf.FiniteVolume(16, -3, 3.5, edge_tolerance=1), wgf.Particles(20)], ids=["density", "cloud"])
def test_a_ring_is_round_where_coordinates_have_one_unit(problem, aspect, method):
    run = wgf.solve(problem, method, 0.1, 2)
    for figure in (plot_run(run), plot_together(run, run)):
        panels = parts(figure)[0] if figure.subfigs else shown(figure)
        assert {panel.get_aspect() for panel in panels} == {aspect}


def test_a_fall_by_many_decades_has_labels():
    """Of powers of ten that stand apart."""
    run = RUNS["one axis"]()
    time = run.history["time"] = np.linspace(0, 1, 50)
    run.history["loss"], run.history["dissipation"] = 0.04 + 0.01 * np.exp(-time), 10 ** (-1 - 13 * time)
    figure = plot_run(run)
    figure.canvas.draw()
    fall = parts(figure)[1][0]
    low, high = fall.get_ylim()
    ticks = zip(fall.yaxis.get_majorticklocs(), fall.get_yticklabels(), strict=True)
    labels = [label.get_text() for place, label in ticks if low <= place <= high]
    assert len(labels) >= 4
    assert all(label.startswith(r"$\mathdefault{10^{") for label in labels)


def test_the_colours_go_from_white_to_dark():
    from wgf.plots.style import density_colours, shades

    for scale in (density_colours()(np.linspace(0, 1, 50)), np.array(shades(6))):
        brightness = scale[:, :3] @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(brightness) < 0).all()
    assert density_colours()(0.0) == (1, 1, 1, 1)


def test_densities_on_a_line_are_curves():
    run = RUNS["one axis"]()
    (panel,), _ = parts(plot_run(run))
    centers = run.measures[0].grid.centers[0]
    for k in SHOWN:
        assert line(panel, f"t = {run.times[k]:.3g}") == pytest.approx(np.array([centers, run.measures[k].values]))
    assert (panel.get_xlabel(), panel.get_ylabel(), panel.get_ylim()[0]) == ("$a$", "density", 0)
    assert legend(panel) == [f"t = {run.times[k]:.3g}" for k in SHOWN]


def test_a_cloud_on_a_line_is_a_histogram():
    run = RUNS["a cloud on a line"]()
    (panel,), _ = parts(plot_run(run))
    for k in SHOWN:
        points = run.measures[k].positions[:, 0]
        edges, heights = steps(panel, f"t = {run.times[k]:.3g}")
        expected, edges_expected = np.histogram(points, BINS, density=True)
        assert edges == pytest.approx(edges_expected)
        assert heights == pytest.approx(expected)


def test_nodes_on_a_line_are_the_density_between_them():
    """At t = 0 the Gaussian itself, though its nodes lie closer where their weights are smaller."""
    run = RUNS["a weighted cloud on a line"]()
    (panel,), _ = parts(plot_run(run))
    x, density = line(panel, "t = 0")
    edges = np.append(x - 0.5 * (x[1] - x[0]), 1.5 * x[-1] - 0.5 * x[-2])
    assert np.cumsum(density) * (x[1] - x[0]) == pytest.approx(ndtr((edges[1:] - 0.3) / 0.4), abs=0.01)


def test_neurons_in_the_plane_are_dots():
    """All of them where they are few, and of many a part; their marginals are histograms."""
    few, many = RUNS["a cloud"](), RUNS["a large cloud"]()
    for run, count in ((few, 30), (many, SHOWN_POINTS)):
        panels, _ = parts(figure := plot_run(run))
        for panel, k in zip(panels, SHOWN, strict=True):
            points = run.measures[k].positions
            (drawn,) = dots(panel)
            assert drawn.shape == (2, count)
            assert among(drawn.T[:200], points)
            middle = np.quantile(points, (0.001, 0.999), axis=0)
            for axis, (low, high) in enumerate((panel.get_xlim(), panel.get_ylim())):
                assert low < middle[0, axis] < middle[1, axis] < high
                inset = panel.child_axes[axis]
                heights = outline(inset.collections[0])[:, 1 - axis]
                assert heights.max() == pytest.approx(np.histogram(points[:, axis], BINS, (low, high))[0].max() / len(points))
            assert panel.get_xlabel() == "$c$"
        assert panels[0].get_ylabel() == "$a$"
        assert not bars(figure)


@pytest.mark.parametrize("noisy", [wgf.FiniteVolume(12, [-3] * 2, [3.5] * 2, edge_tolerance=1), wgf.Particles(20)], ids=repr)
def test_with_noise_the_free_energy_has_a_panel_of_its_own(noisy):
    """Where it is known: neurons have no entropy."""
    problem = dataclasses.replace(TANH.problem, temperature=0.3)
    run = wgf.solve(problem, noisy, 0.2, 3)
    panels = parts(plot_run(run))[1]
    if isinstance(noisy, wgf.Particles):
        assert len(panels) == 2
        assert line(panels[0], DISSIPATION) == pytest.approx(np.array([run.history["time"], run.history["dissipation"]]))
        return
    assert len(panels) == 3
    assert line(panels[0], r"dissipation $\int |\nabla (G + \tau \log \mu)|^2 d\mu$").shape == (2, len(run.history["time"]))
    energy = r"free energy $E = \frac{1}{2} L + \tau \int \mu \log \mu$"
    assert line(panels[1], energy) == pytest.approx(np.array([run.history["time"], run.history["free_energy"]]))
    assert dots(panels[1])[0] == pytest.approx(np.array([run.times, run.free_energy]))
    assert words(panels[1]) == [f"{run.free_energy[-1]:.4g}"]
    assert panels[1].get_xlabel() == "t"
    assert legend(panels[1]) == [energy]
    check_fit(panels[2], run)


def test_an_energy_without_data_has_its_free_energy_and_no_fit():
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0.5 * np.sum(theta**2, axis=-1)), wgf.Gaussian([0.5], [0.6]))
    run = wgf.solve(problem, wgf.FiniteVolume(24), 0.3, 3)
    fall, energy = parts(plot_run(run))[1]
    assert legend(fall) == [DISSIPATION + "$"]
    assert legend(energy) == [r"free energy $E = \int V d\mu + \frac{1}{2} \iint W d\mu d\mu + \int U(\mu)$"]
    assert line(energy, "free energy") == pytest.approx(np.array([run.history["time"], run.history["free_energy"]]))


def test_mass_that_grows_is_said():
    problem = wgf.Problem(
        wgf.RegressionEnergy(wgf.Neuron("relu", ("c", "a", "b")), wgf.Data([0.5, -1.0, 0.2], [1.0, 0.5, 1.0])),
        wgf.Gaussian([0.2, 0.4, 0.1], [0.4] * 3),
    )
    run = wgf.solve(wgf.reduce_to_sphere(problem), wgf.FiPyMesh(wgf.Sphere(0.5)), 0.1, 2)
    fall, _ = parts(plot_run(run))[1]
    assert rf" + {run.attributes['growth']:g} \int G^2 d\mu" in legend(fall)[0]


def mesh_density(domain):
    """A density that is another in every cell."""
    _, mesh = domain.build()
    values = 1.0 + np.random.default_rng(3).permutation(mesh.size)
    return wgf.MeshDensity(mesh, values / (values @ mesh.volumes))


def drawn_cells(density):
    panel = Figure().subplots()
    return panel, draw_cells(panel, density, {"cmap": "viridis", "vmin": 0, "vmax": 2.0})


def corner_sets(polygons):
    """The places of the corners of each polygon, without regard to their order."""
    return {tuple(sorted({tuple(corner) for corner in np.round(polygon, 9)})) for polygon in polygons}


def test_cells_in_the_plane_are_drawn_in_their_colours():
    """Each triangle where it is, in the colour of its own cell; the outline around all."""
    density = mesh_density(wgf.Disc(radius=1.0, spacing=0.5))
    mesh = density.mesh
    panel, image = drawn_cells(density)
    triangles, owners = mesh.triangles()
    corners = {
        tuple(sorted(map(tuple, np.round(mesh.vertices[three], 9)))): density.values[o] for three, o in zip(triangles, owners, strict=True)
    }
    assert len(colours(image)) == len(corners)
    for path, value in zip(image.get_paths(), colours(image), strict=True):
        assert corners[tuple(sorted({tuple(place) for place in np.round(path.vertices, 9)}))] == value
    assert image.get_clim() == (0, 2.0)
    (edge,) = [one for one in panel.collections if isinstance(one, LineCollection)]
    assert np.linalg.norm(np.concatenate(edge.get_segments()), axis=1) == pytest.approx(1, rel=1e-6)
    assert panel.get_aspect() == 1


def test_a_sphere_is_drawn_as_two_halves_of_the_right_area():
    """Lambert's map keeps areas: a half fills a disc of radius √2, and a triangle of the mesh has its own area in the plane."""
    density = mesh_density(wgf.Sphere(0.3))
    mesh = density.mesh
    panel, _ = drawn_cells(density)
    halves = [one for one in panel.collections if isinstance(one, PolyCollection)]
    owners = mesh.triangles()[1]
    assert sorted(np.concatenate([colours(half) for half in halves])) == pytest.approx(sorted(density.values[owners]))
    for half, side in zip(halves, (1, -1), strict=True):
        facing = side * mesh.centers[owners, 0] > side * (mesh.volumes @ mesh.centers[:, 0] / mesh.volumes.sum())
        assert colours(half) == pytest.approx(density.values[owners[facing]])
        areas = [0.5 * abs(np.linalg.det([b - a, c - a])) for a, b, c in (path.vertices[:3] for path in half.get_paths())]
        assert sum(areas) == pytest.approx(2 * np.pi, rel=0.08)
    rims = [np.array(one.get_data()) for one in panel.get_lines()]
    assert [np.ptp(rim, axis=1).max() for rim in rims] == pytest.approx([2 * np.sqrt(2)] * 2, rel=1e-3)
    assert rims[0][1].min() > rims[1][1].max()
    assert [text for text in words(panel) if "0" not in text] == [mathematical(mesh.names[1]), mathematical(mesh.names[2])] * 2


def test_a_circle_is_drawn_as_a_ring():
    density = mesh_density(wgf.Circle(24))
    panel, ring = drawn_cells(density)
    assert colours(ring) == pytest.approx(density.values)
    for path, ends in zip(ring.get_paths(), density.mesh.vertices[density.mesh.cells], strict=True):
        assert among(ends, path.vertices)
    radii = np.linalg.norm(np.concatenate([path.vertices for path in ring.get_paths()]), axis=1)
    assert (radii.min(), radii.max()) == pytest.approx((0.75, 1.0))
    assert len([one for one in panel.collections if isinstance(one, LineCollection)]) == 2


@pytest.mark.parametrize(
    ("domain", "pairs"),
    [
        (wgf.Disc(radius=2.0, spacing=0.8), [(0, 1)]),
        (wgf.Sphere(0.6), [(0, 1)]),
        (wgf.Box(6, [-2] * 3, [2.5] * 3), [(0, 1), (0, 2), (1, 2)]),
    ],
    ids=["disc", "sphere", "box in space"],
)
@pytest.mark.filterwarnings("ignore::wgf.BoundaryWarning", "ignore::wgf.ResolutionWarning")
def test_runs_on_meshes_are_drawn(domain, pairs):
    """Cells in the plane and on a surface as they are; those in space as the marginal of each pair of axes, whose mass is one."""
    theta = ("c", "a", "b")[: domain.build()[1].dim]
    run = small(wgf.Neuron("tanh", theta), gaussian(len(theta)), method=wgf.FiPyMesh(domain), save=3)
    panels, _ = parts(figure := plot_run(run))
    mesh = run.measures[0].mesh
    for panel, (pair, measure) in zip(panels, itertools.product(pairs, run.measures), strict=True):
        chosen = list(pair)
        low, high = np.array([panel.get_xlim(), panel.get_ylim()]).T
        if mesh.cell_dim == 3:
            (image,) = panel.get_images()
            cell = np.prod((mesh.upper[chosen] - mesh.lower[chosen]) / colours(image).shape)
            assert colours(image).sum() * cell == pytest.approx(1, abs=1e-9)
            place = np.arange(colours(image).shape[1]) + 0.5
            mean = (
                colours(image).sum(axis=0)
                @ (mesh.lower[pair[0]] + place * np.ptp([mesh.lower[pair[0]], mesh.upper[pair[0]]]) / len(place))
                * cell
            )
            assert mean == pytest.approx(measure.mean[pair[0]], abs=0.02)
        else:
            drawn = np.concatenate([colours(one) for one in panel.collections if isinstance(one, PolyCollection)])
            assert sorted(drawn) == pytest.approx(sorted(measure.values[mesh.triangles()[1]]))
            corners = np.concatenate([path.vertices for one in panel.collections for path in one.get_paths()])
            assert (low <= corners.min(axis=0)).all()
            assert (corners.max(axis=0) <= high).all()
    if mesh.cell_dim == mesh.dim:
        assert [(panel.get_xlabel(), panel.get_ylabel()) for panel in panels[::3]] == [(NAMES[i], NAMES[j]) for i, j in pairs]
        assert all(len(panel.child_axes) == 2 for panel in panels)
    else:
        assert [panel.get_title(loc="left") for panel in panels] == ["t = 0", "t = 0.15", "t = 0.3"]
    assert [label.split()[0] for label, _ in bars(figure)] == ["density"] * len(pairs)


def test_a_sphere_around_zero_is_divided_at_zero():
    """Though its triangles are not symmetric, and their middle is not quite zero."""
    _, mesh = wgf.Sphere(0.3).build()
    density = wgf.MeshDensity(mesh, np.full(mesh.size, 1 / mesh.volumes.sum()))
    panel = Figure().subplots()
    draw_cells(panel, density, {})
    halves = [text for text in words(panel) if ">" in text or "<" in text]
    assert [half[-3:] for half in halves] == ["> 0", "< 0"]


def test_an_interrupted_run_with_one_frame_can_be_drawn(tmp_path):
    class Stop(Watching):
        def frame(self, frame):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wgf.solve(TANH.problem, wgf.FiniteVolume(12), until=1.0, store=tmp_path / "run.h5", observers=[Stop()])
    run = wgf.open_run(tmp_path / "run.h5")
    figure = run.plot(tmp_path / "run.pdf")
    assert figure.get_suptitle().endswith("(interrupted)")
    (panel,), (fall, _) = parts(figure)
    assert colours(panel.get_images()[0]) == pytest.approx(run.measures[0].values.T)
    assert line(fall, "loss") == pytest.approx(np.array([run.times, run.loss]))


def together(problem):
    density = wgf.solve(problem, wgf.FiniteVolume(24), 0.4, [0.2, 0.3, 0.4])
    cloud = wgf.solve(problem, wgf.Particles(700), 0.4, [0.1, 0.2, 0.4])
    return density, cloud


def check_both(panel, density, cloud, top):
    """The density, and over it the neurons: on a line a histogram of all, in the plane 500 dots, seen through, under contours."""
    if density.grid.dim == 1:
        assert line(panel, "density") == pytest.approx(np.array([density.grid.centers[0], density.values]))
        heights = np.array([bar.get_height() for bar in panel.patches])
        assert heights == pytest.approx(np.histogram(cloud.positions[:, 0], BINS, density=True)[0])
        assert (panel.get_xlabel(), panel.get_ylabel()) in (("$a$", "density"), ("$a$", ""))
    else:
        (image,) = panel.get_images()
        assert colours(image) == pytest.approx(density.values.T)
        assert image.get_clim() == pytest.approx((0, top))
        assert dots(panel)[0].shape == (2, 500)
        assert [one.get_alpha() for one in panel.get_lines()] == [0.35]
        (contours,) = panel.collections
        assert contours.levels == pytest.approx(density.values.max() * np.array([0.1, 0.3, 0.5, 0.7, 0.9]))
        assert contours.get_zorder() > panel.get_lines()[0].get_zorder()
        assert among(dots(panel)[0].T, cloud.positions)
        assert panel.get_xlabel() == "$c$"


@pytest.mark.parametrize("axes", [1, 2])
def test_neurons_are_drawn_over_the_density(axes, tmp_path):
    density, cloud = (run.measures[-1] for run in together(RIDGE_1D.problem if axes == 1 else TANH.problem))
    figure = plot_density_with_particles(density, cloud, tmp_path / "both.svg")
    assert (tmp_path / "both.svg").exists()
    panel = figure.axes[0]
    check_both(panel, density, cloud, density.values.max())
    assert legend(panel) == (["density", "700 neurons"] if axes == 1 else ["500 of 700 neurons"])
    if axes == 2:
        assert panel.get_ylabel() == "$a$"
        assert figure.axes[1].get_ylabel() == "density"
        for axis, (low, high) in enumerate((panel.get_xlim(), panel.get_ylim())):
            assert density.grid.lower[axis] <= low < np.median(cloud.positions[:, axis]) < high <= density.grid.upper[axis]


@pytest.mark.parametrize("axes", [1, 2])
def test_two_runs_are_drawn_together(axes, tmp_path):
    """Whichever comes first, the neurons lie over the density, at the common times."""
    density, cloud = together(RIDGE_1D.problem if axes == 1 else TANH.problem)
    for order in itertools.permutations((cloud, density)):
        figure = plot_together(*order, tmp_path / "both.png")
        assert (tmp_path / "both.png").exists()
        panels = shown(figure)
        assert [panel.get_title(loc="left") for panel in panels] == ["t = 0", "t = 0.2", "t = 0.4"]
        assert figure.get_suptitle() == f"{density.method}\n{cloud.method}"
        assert inside(figure)
        top = max(density.measures[k].values.max() for k in (0, 1, 3))
        for panel, k, j in zip(panels, (0, 1, 3), (0, 2, 3), strict=True):
            check_both(panel, density.measures[k], cloud.measures[j], top)
        assert figure.legends[0].get_texts()[-1].get_text().endswith("700 neurons")
        assert len({(panel.get_xlim(), panel.get_ylim()) for panel in panels}) == 1
        assert bars(figure) == ([("density", pytest.approx((0, top)))] if axes == 2 else [])


def test_two_densities_on_a_line_are_two_curves():
    """Told apart by what was asked for, on one scale."""
    runs = [wgf.solve(RIDGE_1D.problem, wgf.FiniteVolume(cells), 0.4, 3) for cells in (24, 12)]
    panels = shown(plot_together(*runs))
    for k, panel in enumerate(panels):
        for run in runs:
            density = run.measures[k]
            assert line(panel, run.method) == pytest.approx(np.array([density.grid.centers[0], density.values]))
        assert panel.get_ylim() == panels[0].get_ylim()
        assert len({one.get_color() for one in panel.get_lines()}) == 2


def test_two_densities_in_the_plane_have_a_row_each():
    """On one scale, which the colour bars show; each row says whose it is."""
    runs = [wgf.solve(TANH.problem, wgf.FiniteVolume(cells), 0.4, 3) for cells in (24, 16)]
    panels = np.reshape(shown(figure := plot_together(*runs)), (2, 3))
    top = max(measure.values.max() for run in runs for measure in run.measures)
    for run, row in zip(runs, panels, strict=True):
        for panel, density in zip(row, run.measures, strict=True):
            (image,) = panel.get_images()
            assert colours(image) == pytest.approx(density.values.T)
            assert image.get_clim() == pytest.approx((0, top))
        assert row[0].get_ylabel().split() == [*run.method.split(), "$a$"]
    assert bars(figure) == [("density", pytest.approx((0, top)))] * 2


def test_two_clouds_have_two_colours():
    runs = [wgf.solve(TANH.problem, wgf.Particles(m), 0.4, 2) for m in (30, 20)]
    for k, panel in enumerate(shown(figure := plot_together(*runs))):
        for drawn, run in zip(dots(panel), runs, strict=True):
            assert among(drawn.T, run.measures[k].positions)
        assert len({one.get_color() for one in panel.get_lines()}) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["30 neurons", "20 neurons"]


def test_a_title_is_wrapped_where_it_is_longer_than_the_figure(tmp_path):
    run = wgf.solve(dataclasses.replace(RIDGE_1D.problem, title="a long title " * 20), wgf.Particles(9), 0.1, 2)
    assert inside(plot_run(run))
    run.attributes["method_summary"] *= 9
    assert inside(plot_together(run, run))
    assert inside(plot_pair(wgf.compare_runs(run, run)))


def test_a_format_that_is_not_ours_is_refused(tmp_path):
    run = RUNS["two frames"]()
    with pytest.raises(wgf.InputError, match=r"the name must end in \.png, \.pdf, \.svg"):
        run.plot(tmp_path / "run.bmp")
    with pytest.raises(wgf.InputError, match=r"the folder .* does not exist"):
        run.plot(tmp_path / "nowhere" / "run.png")


DOLLARS = ("from $5 to $_{", r"a $ and \$, $x^$")


def drawn_as(figure, text):
    """Whether a title of the figure stands in it letter by letter."""
    figure.canvas.draw()
    titles = [figure.get_suptitle(), *(panel.get_title() for panel in figure.axes)]
    return text in [title.replace(r"\$", "$") for title in titles] and not any(is_math_text(title) for title in titles)


@pytest.mark.parametrize("title", DOLLARS)
def test_dollars_in_a_title_are_letters(title, tmp_path):
    problem = dataclasses.replace(RIDGE_1D.problem, title=title)
    runs = [wgf.solve(problem, method, 0.1, 2) for method in (wgf.FiniteVolume(12), wgf.Particles(9))]
    for run in runs:
        run.attributes["method_summary"] += title
    assert drawn_as(plot_run(runs[0], tmp_path / "run.svg"), f"{title} — {runs[0].method}")
    assert drawn_as(plot_together(*runs, tmp_path / "both.pdf"), f"{runs[0].method}\n{runs[1].method}")
    assert drawn_as(plot_pair(wgf.compare_runs(*runs), tmp_path / "pair.png"), f"{runs[0].method}\n{runs[1].method}")
    wgf.animate(runs[0], tmp_path / "run.gif")


@pytest.mark.filterwarnings("error")
def test_characters_that_the_font_lacks_are_named_in_one_warning(tmp_path):
    run = wgf.solve(dataclasses.replace(RIDGE_1D.problem, title="日本\t日"), wgf.Characteristics(9), 0.1, 2)
    for draw in (lambda: run.plot(tmp_path / "run.svg"), lambda: wgf.animate(run, tmp_path / "run.gif")):
        with pytest.warns(UserWarning, match="the font of the figures has no 日 本: empty boxes replace") as said:
            draw()
        assert len(said) == 1


@pytest.mark.filterwarnings("error")
def test_two_densities_in_the_plane_have_no_legend(tmp_path):
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda x: 0.5 * (x**2).sum(-1)), gaussian(2))
    run = wgf.solve(problem, wgf.FiniteVolume(24, -4, 4, edge_tolerance=1), 0.1, 2)
    assert plot_together(run, run, tmp_path / "two.png").axes[0].get_legend() is None


def test_a_figure_that_cannot_be_written_is_one_line(tmp_path):
    run = RUNS["two frames"]()
    (tmp_path / "folder.png").mkdir()
    for name, reason in (("folder.png", "it is a folder"), ("a" * 300 + ".png", "File name too long")):
        with pytest.raises(wgf.InputError, match=f"cannot write .*: {reason}"):
            run.plot(tmp_path / name)
    with pytest.raises(wgf.InputError, match=r"cannot write /proc/run\.gif: "):
        wgf.animate(run, "/proc/run.gif")
    assert [file.name for file in tmp_path.iterdir()] == ["folder.png"]


def test_names_that_are_no_formulas_stand_as_they_are(tmp_path):
    """Each of these is a name of an axis, and none is a formula that can be drawn."""
    for name in ("a_b_c", "cost_in_$", "x^", "_", "%"):
        assert mathematical(name) == name.replace("$", r"\$")
    run = wgf.solve(
        wgf.Problem(wgf.InteractionEnergy(V="a_b_c^2 + _^2", axes=("a_b_c", "_")), gaussian(2)), wgf.FiniteVolume(10, -3, 3), 0.1, 2
    )
    assert run.plot(tmp_path / "run.png").subfigs[0].axes[0].get_xlabel() == "a_b_c"


@pytest.mark.parametrize(("name", "formula"), [("c", "$c$"), ("a12", "$a_{12}$"), ("theta3", r"$\theta_{3}$")])
def test_names_become_formulas(name, formula):
    assert mathematical(name) == formula


def test_the_style_leaves_no_trace():
    """Inside it applies, and afterwards everything is as before."""
    import matplotlib

    from wgf.plots.style import SETTINGS, styled

    before = dict(matplotlib.rcParams)
    with styled():
        assert all(matplotlib.rcParams[name] == value for name, value in SETTINGS.items())
    plot_run(RUNS["one axis"]())
    assert dict(matplotlib.rcParams) == before
