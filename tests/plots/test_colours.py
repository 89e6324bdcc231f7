"""The colours of curves are told apart by people of any colour vision, and on paper without colours."""

from itertools import combinations

import numpy as np
import pytest

from wgf.plots.style import BLUE, GREEN, INK, ORANGE, PLUM, density_colours, shades

CURVES = {"blue": BLUE, "orange": ORANGE, "green": GREEN, "plum": PLUM, "ink": INK}
VISIONS = {  # of linear RGB, severity one: Machado, Oliveira & Fernandes, IEEE Trans. Visualization and Computer Graphics 15 (2009) 1291
    "all colours": np.eye(3),
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])  # of sRGB, D65
APART, DARKER = 15, 6  # in CIELAB, where 2.3 is just seen; in lightness alone
READABLE = 70  # the largest lightness of a thin line on white


def linear(colour):
    """The linear RGB of #rrggbb, (3,)."""
    c = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIELAB of linear RGB."""
    ratio = (XYZ @ rgb) / (XYZ @ np.ones(3))
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("pair", list(combinations(CURVES, 2)), ids="-".join)
def test_two_curves_are_told_apart(pair, vision):
    one, two = (lab(np.clip(VISIONS[vision] @ linear(CURVES[name]), 0, 1)) for name in pair)
    assert np.linalg.norm(one - two) > APART


@pytest.mark.parametrize("pair", list(combinations(CURVES, 2)), ids="-".join)
def test_they_are_told_apart_in_print(pair):
    one, two = (lab(linear(CURVES[name]))[0] for name in pair)
    assert abs(one - two) > DARKER
    assert max(one, two) < READABLE


def test_the_check_can_fail():
    """Red and green of the same lightness are one for a tenth of all men."""
    red, green = (lab(np.clip(VISIONS["deuteranopia"] @ linear(colour), 0, 1)) for colour in ("#d03030", "#707a20"))
    assert np.linalg.norm(red - green) < APART


def test_more_mass_is_darker():
    """The map of densities falls evenly in lightness, so that it is read the same without colours."""
    shades = density_colours()(np.linspace(0, 1, 33))[:, :3]
    lightness = [lab(linear("#" + "".join(f"{round(255 * c):02x}" for c in shade)))[0] for shade in shades]
    steps = -np.diff(lightness)
    assert (steps > 0).all()
    assert steps.max() < 3 * steps.min()


@pytest.mark.parametrize("count", [2, 3, 6])
def test_a_family_of_curves_is_read_on_white(count):
    """From light to dark, and none too light for a thin line."""
    lightness = [lab(linear("#" + "".join(f"{round(255 * c):02x}" for c in shade[:3])))[0] for shade in shades(count)]
    assert lightness[0] < READABLE
    assert (np.diff(lightness) < 0).all()
