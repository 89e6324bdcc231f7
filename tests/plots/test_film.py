"""Films: one frame for each time, of densities, of clouds, and of both."""

import itertools

import numpy as np
import pytest
from matplotlib.animation import writers
from PIL import Image
from problems import RIDGE_1D, Tanh

import wgf

TANH = Tanh()
DENSITY, CLOUD = wgf.FiniteVolume(24), wgf.Particles(60)


def solved(problem, method, save=5):
    return wgf.solve(problem, method, 0.4, save)


def frames(path):
    """The frames of a film as arrays."""
    with Image.open(path) as film:
        found = []
        for k in range(film.n_frames):
            film.seek(k)
            found.append(np.asarray(film.convert("RGB"), dtype=float))
    return found


@pytest.mark.parametrize("problem", [TANH.problem, RIDGE_1D.problem], ids=["plane", "line"])
@pytest.mark.parametrize("methods", [(DENSITY,), (CLOUD,), (DENSITY, CLOUD), (CLOUD, DENSITY)], ids=["density", "cloud", "both", "turned"])
def test_a_film_has_a_frame_for_each_common_time(problem, methods, tmp_path):
    runs = [solved(problem, method) for method in methods]
    wgf.animate(runs[0], tmp_path / "film.gif", *runs[1:])
    found = frames(tmp_path / "film.gif")
    assert len(found) == 5
    assert all(np.abs(one - two).max() > 50 for one, two in itertools.pairwise(found))
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]


def test_energies_without_data_can_be_filmed(tmp_path):
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0.5 * np.sum(theta**2, axis=-1)), wgf.Gaussian([0.5], [0.6]))
    wgf.animate(solved(problem, DENSITY, 3), tmp_path / "film.gif")
    assert len(frames(tmp_path / "film.gif")) == 3


def test_only_common_times_are_shown(tmp_path):
    wgf.animate(solved(TANH.problem, CLOUD, [0.1, 0.2, 0.4]), tmp_path / "film.gif", solved(TANH.problem, DENSITY, [0.2, 0.3, 0.4]))
    assert len(frames(tmp_path / "film.gif")) == 3


def test_what_cannot_be_filmed_is_said(tmp_path, monkeypatch):
    run = solved(TANH.problem, CLOUD, 2)
    with pytest.raises(wgf.InputError, match=r"the name must end in .gif or .mp4"):
        wgf.animate(run, tmp_path / "film.avi")
    with pytest.raises(wgf.InputError, match="does not exist"):
        wgf.animate(run, tmp_path / "nowhere" / "film.gif")
    with pytest.raises(wgf.InputError, match="2 and 1 coordinates: they must agree"):
        wgf.animate(run, tmp_path / "film.gif", solved(RIDGE_1D.problem, CLOUD, 2))
    monkeypatch.setattr(writers, "is_available", lambda name: name != "ffmpeg")
    with pytest.raises(wgf.InputError, match=r"needs the program ffmpeg, which is not installed; write a .gif instead"):
        wgf.animate(run, tmp_path / "film.mp4")
    assert list(tmp_path.iterdir()) == []
