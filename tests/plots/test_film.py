"""Films: one frame for each time, of densities, of clouds, and of both; judged by what stands in each frame."""

import base64
import dataclasses
import html

import numpy as np
import pytest
from artists import among, bars, colours, dots, legend, line, shown
from checks import is_one_line
from matplotlib.animation import PillowWriter, writers
from PIL import Image
from problems import RIDGE_1D, Tanh

import wgf
from wgf.plots.film import Film

pytestmark = pytest.mark.coarse  # films of small runs

TANH = Tanh()
DENSITY, CLOUD = wgf.FiniteVolume(24), wgf.Particles(60)
BINS = 60


def solved(problem, method, save=3):
    return wgf.solve(problem, method, 0.4, save)


@pytest.fixture
def seen(monkeypatch):
    """What `look` says of the figure at each frame of a film."""
    found = []
    grab = PillowWriter.grab_frame

    def looking(self, **options):
        found.append(look(self.fig))
        grab(self, **options)

    monkeypatch.setattr(PillowWriter, "grab_frame", looking)
    return found


def look(figure):
    measures, falling = (shown(part) for part in figure.subfigs)
    left, right = measures[0], falling[0]
    named = {one.get_label(): np.array(one.get_data()) for one in left.get_lines()}
    return {
        "title": left.get_title(loc="left"),
        "heading": figure.get_suptitle(),
        "labels": (left.get_xlabel(), left.get_ylabel(), right.get_xlabel(), right.get_ylabel()),
        "limits": (left.get_xlim(), left.get_ylim()),
        "image": [colours(image).copy() for panel in measures for image in panel.get_images()],
        "scales": [image.get_clim() for panel in measures for image in panel.get_images()] + [ends for _, ends in bars(figure)],
        "planes": [(panel.get_xlabel(), panel.get_ylabel()) for panel in measures],
        "contours": [len(panel.collections) for panel in measures],
        "opacity": [one.get_alpha() for one in left.get_lines() if one.get_linestyle() == "None"],
        "curve": named.get("density"),
        "dots": dots(left),
        "bars": [bar.get_height() for bar in left.patches],
        "legend": legend(left) if left.get_legend() else [],
        "falls": [line(right, word) for word in dict.fromkeys(legend(right))],
        "marks": dots(right),
        "scale": right.get_yscale(),
        "energy": line(falling[-1], legend(falling[-1])[0]),
        "energies": [panel.get_ylabel() for panel in falling],
    }


def frames(path):
    """How many frames a film has."""
    with Image.open(path) as film:
        return film.n_frames


@pytest.mark.parametrize("problem", [TANH.problem, RIDGE_1D.problem], ids=["plane", "line"])
@pytest.mark.parametrize("methods", [(DENSITY,), (CLOUD,), (DENSITY, CLOUD), (CLOUD, DENSITY)], ids=["density", "cloud", "both", "turned"])
def test_a_film_shows_the_measure_at_each_common_time(problem, methods, seen, tmp_path):
    """The density of that time and the neurons of that time over it, the loss with a mark at that time."""
    runs = [solved(problem, method) for method in methods]
    wgf.animate(runs[0], tmp_path / "film.gif", *runs[1:])
    assert frames(tmp_path / "film.gif") == len(seen) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]
    runs.sort(key=lambda run: isinstance(run.measures[0], wgf.Cloud))  # neurons lie over the density
    for k, frame in enumerate(seen):
        assert frame["title"] == f"t = {runs[0].times[k]:.3g}"
        assert frame["heading"] == runs[0].attributes["title"]
        for run in runs:
            check_measure(frame, run.measures[k], alone=len(runs) == 1)
        for run, fall, mark in zip(runs, frame["falls"], frame["marks"], strict=True):
            assert fall == pytest.approx(np.array([run.history["time"], run.history["loss"]]))  # of every step
            assert mark.ravel() == pytest.approx([run.times[k], run.loss[k]])
        assert frame["scale"] == "log"
        assert frame["limits"] == seen[0]["limits"]
        assert frame["scales"] == seen[0]["scales"]
        assert len(frame["scales"]) == (2 if problem.dim == 2 and DENSITY in methods else 0)
        first, second = ("$c$", "$a$") if problem.dim == 2 else ("$a$", "density")
        assert frame["labels"] == (first, second, "t", r"loss $L[\mu_t]$")


def check_measure(frame, measure, alone):
    """Its image, curve, dots or histogram."""
    plane = measure.points.shape[1] == 2
    if isinstance(measure, wgf.Density) and plane:
        assert frame["image"][0] == pytest.approx(measure.values.T)
    elif isinstance(measure, wgf.Density):
        assert frame["curve"] == pytest.approx(np.array([measure.grid.centers[0], measure.values]))
        assert frame["limits"][1][0] == 0
        assert frame["limits"][1][1] >= measure.values.max()
    elif plane:
        assert frame["dots"][0].shape == (2, 60)
        assert among(frame["dots"][0].T, measure.positions)
        assert frame["legend"] == ["60 neurons"]
    else:
        assert frame["bars"] == pytest.approx(np.histogram(measure.positions[:, 0], BINS, density=True)[0])
        assert "60 neurons" in frame["legend"]
    if alone and isinstance(measure, wgf.Density):
        assert not frame["dots"]


def test_energies_without_data_can_be_filmed(seen, tmp_path):
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0.5 * np.sum(theta**2, axis=-1)), wgf.Gaussian([0.5], [0.6]))
    run = solved(problem, DENSITY, 3)
    wgf.animate(run, tmp_path / "film.gif")
    assert [frame["labels"][3] for frame in seen] == [r"free energy $E[\mu_t]$"] * 3
    assert [frame["scale"] for frame in seen] == ["linear"] * 3
    assert np.array([frame["marks"][0].ravel() for frame in seen]) == pytest.approx(np.column_stack([run.times, run.free_energy]))


def test_both_densities_are_filmed_side_by_side(seen, tmp_path):
    """On one scale, which is that of all frames and of the colour bar; they are told apart by what was asked for."""
    runs = [solved(TANH.problem, DENSITY), solved(TANH.problem, wgf.FiniteVolume(16))]
    wgf.animate(runs[0], tmp_path / "film.gif", runs[1])
    top = max(measure.values.max() for run in runs for measure in run.measures)
    for k, frame in enumerate(seen):
        for image, run in zip(frame["image"], runs, strict=True):
            assert image == pytest.approx(run.measures[k].values.T)
        assert frame["scales"] == [pytest.approx((0, top))] * 3
        assert len(frame["falls"]) == len(frame["marks"]) == 2


def test_neurons_are_seen_through_and_lie_under_the_contours_of_the_density(seen, tmp_path):
    wgf.animate(solved(TANH.problem, DENSITY), tmp_path / "film.gif", solved(TANH.problem, CLOUD))
    assert [frame["opacity"] for frame in seen] == [[0.35]] * 3
    assert [frame["contours"] for frame in seen] == [[1]] * 3


def test_with_noise_the_free_energy_is_filmed(seen, tmp_path):
    """That of the density; neurons have none."""
    problem = dataclasses.replace(TANH.problem, temperature=0.3)
    run = solved(problem, wgf.FiniteVolume(12, [-3] * 2, [3.5] * 2, edge_tolerance=1))
    wgf.animate(run, tmp_path / "film.gif", solved(problem, CLOUD))
    for frame in seen:
        assert frame["energies"] == [r"loss $L[\mu_t]$", r"free energy $E[\mu_t]$"]
        assert frame["energy"] == pytest.approx(np.array([run.history["time"], run.history["free_energy"]]))


def test_three_coordinates_are_filmed_in_all_pairs(seen, tmp_path):
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a", "b")), TANH.data), wgf.Gaussian([0.3] * 3, [0.4] * 3))
    wgf.animate(solved(problem, CLOUD), tmp_path / "film.gif")
    assert [frame["planes"] for frame in seen] == [[("$c$", "$a$"), ("$c$", "$b$"), ("$a$", "$b$")]] * 3


def test_only_common_times_are_shown(seen, tmp_path):
    cloud, density = solved(TANH.problem, CLOUD, [0.1, 0.2, 0.4]), solved(TANH.problem, DENSITY, [0.2, 0.3, 0.4])
    wgf.animate(cloud, tmp_path / "film.gif", density)
    assert [frame["title"] for frame in seen] == ["t = 0", "t = 0.2", "t = 0.4"]
    for frame, k, j in zip(seen, (0, 1, 3), (0, 2, 3), strict=True):
        assert frame["image"][0] == pytest.approx(density.measures[k].values.T)
        assert among(frame["dots"][0].T, cloud.measures[j].positions)


@pytest.mark.parametrize(("count", "rate"), [(2, 2), (31, 5), (241, 20)])
def test_a_film_lasts_six_seconds_unless_that_is_too_slow_or_too_fast(count, rate, monkeypatch, tmp_path):
    from wgf.plots.film import _Frames

    rates = []
    monkeypatch.setattr(PillowWriter, "__init__", lambda self, fps: rates.append(fps) or (_ for _ in ()).throw(KeyboardInterrupt))
    run = solved(RIDGE_1D.problem, CLOUD, 2)
    with pytest.raises(KeyboardInterrupt):
        _Frames((run,), [(0,)] * count).write(tmp_path / "film.gif", "pillow")
    assert rates == [rate]


def test_what_cannot_be_filmed_is_said(tmp_path, monkeypatch):
    run = solved(TANH.problem, CLOUD, 2)
    with pytest.raises(wgf.InputError, match=r"the name must end in .gif or .mp4"):
        wgf.animate(run, tmp_path / "film.avi")
    with pytest.raises(wgf.InputError, match="does not exist"):
        wgf.animate(run, tmp_path / "nowhere" / "film.gif")
    with pytest.raises(wgf.InputError, match="2 and 1 coordinates, which must agree"):
        wgf.animate(run, tmp_path / "film.gif", solved(RIDGE_1D.problem, CLOUD, 2))
    monkeypatch.setattr(writers, "is_available", lambda name: name != "ffmpeg")
    with pytest.raises(wgf.InputError, match=r"needs the program ffmpeg, which is not installed; write a .gif instead"):
        wgf.animate(run, tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_film_knows_its_path_and_plays_in_a_notebook(tmp_path):
    film = wgf.animate(solved(TANH.problem, CLOUD, 2), str(tmp_path / "a & b.gif"))
    assert film.path == tmp_path / "a & b.gif"
    is_one_line(film)
    text = film._repr_html_()
    assert base64.b64decode(text.split("base64,")[1].split('"')[0]) == film.path.read_bytes()
    assert text.startswith('<img alt="a &amp; b.gif" src="data:image/gif;')
    film.path.rename(tmp_path / "film.mp4")
    assert film._repr_html_() == html.escape(f"{film.path}: No such file or directory")
    assert Film(tmp_path / "film.mp4")._repr_html_().startswith('<video controls loop src="data:video/mp4;base64,')
