"""Films: one frame for each time, of densities, of clouds, and of both; judged by what stands in each frame."""

import numpy as np
import pytest
from artists import among, colours, dots, legend, line
from matplotlib.animation import PillowWriter, writers
from PIL import Image
from problems import RIDGE_1D, Tanh

import wgf

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
    left, right = figure.axes
    named = {one.get_label(): np.array(one.get_data()) for one in left.get_lines()}
    return {
        "title": left.get_title(loc="left"),
        "heading": figure.get_suptitle(),
        "labels": (left.get_xlabel(), left.get_ylabel(), right.get_xlabel(), right.get_ylabel()),
        "limits": (left.get_xlim(), left.get_ylim()),
        "image": [colours(image).copy() for image in left.get_images()],
        "curve": named.get("density"),
        "dots": dots(left),
        "bars": [bar.get_height() for bar in left.patches],
        "legend": legend(left) if left.get_legend() else [],
        "falls": [line(right, word) for word in dict.fromkeys(legend(right))],
        "marks": dots(right),
        "scale": right.get_yscale(),
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
            assert fall == pytest.approx(np.array([run.times, run.loss]))
            assert mark.ravel() == pytest.approx([run.times[k], run.loss[k]])
        assert frame["scale"] == "log"
        assert frame["limits"][0] == pytest.approx(seen[0]["limits"][0]) or problem.dim == 1
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
    assert [frame["labels"][3] for frame in seen] == [r"$L[\mu_t]$"] * 3
    assert [frame["scale"] for frame in seen] == ["linear"] * 3
    assert np.array([frame["marks"][0].ravel() for frame in seen]) == pytest.approx(np.column_stack([run.times, run.loss]))


def test_only_common_times_are_shown(seen, tmp_path):
    cloud, density = solved(TANH.problem, CLOUD, [0.1, 0.2, 0.4]), solved(TANH.problem, DENSITY, [0.2, 0.3, 0.4])
    wgf.animate(cloud, tmp_path / "film.gif", density)
    assert [frame["title"] for frame in seen] == ["t = 0", "t = 0.2", "t = 0.4"]
    for frame, k, j in zip(seen, (0, 1, 3), (0, 2, 3), strict=True):
        assert frame["image"][0] == pytest.approx(density.measures[k].values.T)
        assert among(frame["dots"][0].T, cloud.measures[j].positions)


@pytest.mark.parametrize(("count", "rate"), [(2, 2), (31, 5), (241, 20)])
def test_a_film_lasts_six_seconds_unless_that_is_too_slow_or_too_fast(count, rate, monkeypatch, tmp_path):
    from wgf.plots.film import _Film

    rates = []
    monkeypatch.setattr(PillowWriter, "__init__", lambda self, fps: rates.append(fps) or (_ for _ in ()).throw(KeyboardInterrupt))
    run = solved(RIDGE_1D.problem, CLOUD, 2)
    with pytest.raises(KeyboardInterrupt):
        _Film((run,), [(0,)] * count).write(tmp_path / "film.gif", "pillow")
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
