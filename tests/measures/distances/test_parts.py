"""Transport in several dimensions: one law on two grids, small shifts, and bounds that hold."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

import wgf
from wgf.measures.distances.halving import bricks
from wgf.measures.distances.register import distance, self_distance
from wgf.measures.distances.transport import projected, wasserstein


def density(law, lower, upper, cells, boundary="no-flux"):
    grid = wgf.Grid(lower, upper, cells, boundary=boundary)
    return wgf.Density(grid, law.cell_averages(grid))


def around(theta):
    return 1 + 0.5 * np.cos(theta[..., 0]) + 0.3 * np.sin(theta[..., 1])


GAUSSIAN = wgf.Gaussian([0.2, 0.5], [0.4, 0.4])
TWO = wgf.Mixture([0.5, 0.5], [wgf.Gaussian([-1, 0], [0.2, 0.3]), wgf.Gaussian([1, 0.5], [0.3, 0.2])])
TURN = 2 * np.pi
ONE_LAW = {
    "cells": [density(GAUSSIAN, [-3.5, -3.0], [4.5, 4.5], n) for n in (128, 127)],
    "few cells": [density(GAUSSIAN, [-3.5, -3.0], [4.5, 4.5], n) for n in (30, 41)],
    "two bumps": [density(TWO, [-3, -3], [3, 3], n) for n in (64, 96)],
    "boxes": [density(wgf.Ball([0, 0], 1), *box) for box in (([-2, -2], [2, 2], 64), ([-1.5, -3], [3, 1.3], (60, 90)))],
    "broad": [density(wgf.Uniform([-1, -1], [1, 1]), [-1, -1], [1, 1], n) for n in (96, 95)],
    "space": [density(wgf.Gaussian([0, 0, 0], [0.5] * 3), [-3] * 3, [3] * 3, n) for n in (24, 23)],
    "four axes": [density(wgf.Uniform([-1] * 4, [1] * 4), [-1] * 4, [1] * 4, n) for n in (8, 7)],
    "torus": [density(wgf.FromDensity(around), [start] * 2, [start + TURN] * 2, n, "periodic") for start, n in ((0, 48), (-2, 45))],
}


@pytest.mark.parametrize(("first", "second"), ONE_LAW.values(), ids=ONE_LAW)
def test_one_law_on_two_grids_is_seen_within_the_stated_error(first, second):
    value, error = wasserstein(first, second)
    cell = float(max(first.grid.spacing.max(), second.grid.spacing.max()))
    assert value <= error <= 2 * cell
    assert value <= 0.12 * cell  # for the law is smooth: far less than what cells could hide
    assert wasserstein(second, first) == pytest.approx((value, error), abs=1e-6)


@pytest.mark.parametrize(("first", "second"), [(64, 96), (128, 127)])
def test_two_grids_differ_as_the_products_of_their_axes_do(first, second):
    """W₂² is the sum of those of the axes, which are exact."""
    squares = 0.0
    for k, mean in enumerate((0.2, 0.5)):
        line = [density(wgf.Gaussian([mean], [0.4]), [(-3.5, -3.0)[k]], [4.5], n) for n in (first, second)]
        squares += distance("w2", *line) ** 2
    mu, nu = (density(GAUSSIAN, [-3.5, -3.0], [4.5, 4.5], n) for n in (first, second))
    assert wasserstein(mu, nu)[0] == pytest.approx(np.sqrt(squares), abs=1e-3)
    assert distance("sliced_w2", mu, nu) <= np.sqrt(squares / 2)


@pytest.mark.parametrize("shift", [0.01, 0.05, 0.3])
def test_a_shift_shorter_than_a_cell_is_its_length(shift):
    first, second = (density(wgf.Gaussian([s, 0], [1, 1]), [-6, -6], [6, 6], 128) for s in (0, shift))
    assert distance("w2", first, second) == pytest.approx(shift, rel=1e-3)
    assert distance("w2", second, first) == pytest.approx(shift, rel=1e-3)
    assert distance("sliced_w2", first, second) == pytest.approx(shift / np.sqrt(2), rel=1e-3)


def test_a_shift_in_space_and_around_a_circle():
    first, second = (density(wgf.Gaussian([s, 0, 0], [0.5] * 3), [-3] * 3, [3] * 3, 24) for s in (0, 0.02))
    assert distance("w2", first, second) == pytest.approx(0.02, rel=0.05)
    first, second = (density(wgf.Gaussian([s, 0.1], [0.4] * 2), [0, 0], [TURN] * 2, 48, "periodic") for s in (3.0, 3.05))
    assert distance("w2", first, second) == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize(("angle", "stretch"), [(0.05, 2.0), (0.8, 1.1), (0.5, 2.0)])
@pytest.mark.parametrize("most", [64, 1500])
def test_the_error_bounds_the_distance_of_gaussians(angle, stretch, most):
    """N(0, S) and N(0, T) rotated: tr(S + T − 2(S^½ T S^½)^½)."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    first = np.diag([stretch, 1 / stretch])
    second = turn @ first @ turn.T
    root = sqrtm(first)
    exact = np.sqrt(np.trace(first + second - 2 * np.real(sqrtm(root @ second @ root))))
    laws = [
        wgf.FromDensity(lambda x, inverse=inverse: np.exp(-0.5 * np.einsum("...i,ij,...j", x, inverse, x)))
        for inverse in np.linalg.inv([first, second])
    ]
    value, error = wasserstein(*(density(law, [-6, -6], [6, 6], 96) for law in laws), most)
    assert abs(value - exact) <= error
    if most == 1500:  # a turn by less than a cell is seen too long
        assert value == pytest.approx(exact, rel=0.15 if exact < 0.125 else 0.02)


def test_large_clouds_are_cut_into_parts():
    """A translation of more points than are transported one by one is its length; of others the error says how far off parts are."""
    rng = np.random.default_rng(4)
    points, other = rng.normal(size=(3000, 2)), rng.normal(size=(1400, 2))
    weights = np.full(3000, 1 / 3000)
    assert wasserstein(wgf.Cloud(points, weights), wgf.Cloud(points + np.array([0.3, 0.4]), weights))[0] == pytest.approx(0.5, rel=1e-9)
    pair = wgf.Cloud(points[:1400], np.full(1400, 1 / 1400)), wgf.Cloud(other, np.full(1400, 1 / 1400))
    exact, none = wasserstein(*pair)
    value, error = wasserstein(*pair, most=300)
    assert none == 0
    assert abs(value - exact) <= error < 1


@pytest.mark.parametrize("name", ["w2", "sliced_w2", "energy"])
def test_the_floor_between_two_grids_is_what_equal_laws_show(name):
    first, second = (density(GAUSSIAN, [-3.5, -3.0], [4.5, 4.5], n) for n in (64, 48))
    floor = self_distance(name, first, second)
    assert 0.2 * floor < distance(name, first, second) < 5 * floor
    other = density(wgf.Gaussian([0.3, 0.5], [0.4, 0.4]), [-3.5, -3.0], [4.5, 4.5], 48)
    assert distance(name, first, other) > 5 * self_distance(name, first, other)
    assert self_distance(name, first, other) == pytest.approx(floor, rel=0.5)


def test_the_floor_does_not_mind_boxes():
    """A box that cuts nothing off, and one far away: cells of the other's size are what is asked for."""
    near, far = density(GAUSSIAN, [-2, -2], [3, 3], 40), density(wgf.Gaussian([40, 0], [0.4] * 2), [38, -2], [42, 2], 30)
    assert 0 < self_distance("w2", near, far) < 0.05
    aligned = density(GAUSSIAN, [-3, -2], [3, 3], (48, 40))  # the same cells and more of them
    assert self_distance("w2", near, aligned) == pytest.approx(0, abs=1e-6)


def test_one_law_on_a_mesh_and_on_a_grid():
    """Triangles in the plane, by points that fill them."""
    x = np.linspace(-1.0, 1.0, 21)
    vertices = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    corner = (21 * np.arange(20)[:, None] + np.arange(20)).ravel()
    cells = np.concatenate([np.stack([corner, corner + 21, corner + 1], 1), np.stack([corner + 1, corner + 21, corner + 22], 1)])
    mesh = wgf.Mesh(vertices, cells, vertices[cells].mean(axis=1), np.full(800, 0.005), 2, ("x", "y"))
    law = wgf.Gaussian([0.1, 0], [0.2, 0.2])
    triangles = wgf.MeshDensity(mesh, law.pdf(mesh.centers))
    squares = density(law, [-1, -1], [1, 1], 50)
    value, error = wasserstein(triangles, squares)
    assert value <= error <= 0.2
    assert value < 0.01
    assert distance("w2", triangles, density(wgf.Gaussian([0.15, 0], [0.2, 0.2]), [-1, -1], [1, 1], 50)) == pytest.approx(0.05, rel=0.05)
    assert self_distance("w2", triangles, triangles) == 0
    assert 0 < self_distance("w2", triangles, squares) < 0.02


def test_a_cell_is_projected_as_it_is():
    """The unit square along (cos a, sin a): a trapezoid, whatever the cells."""
    direction = np.array([np.cos(0.4), np.sin(0.4)])
    levels, left, right = projected(bricks(wgf.Density(wgf.Grid([0, 0], [1, 1], (6, 5)), np.ones((6, 5)))), direction)
    flat, slope = direction  # its lower corner is at zero, its sides are as long as these
    places = np.linspace(0, flat + slope, 200)
    rising = np.minimum(places, slope) ** 2 / (2 * slope * flat)
    exact = rising + np.clip(places - slope, 0, flat - slope) / flat
    exact += np.where(places > flat, (slope**2 - (flat + slope - places) ** 2) / (2 * slope * flat), 0)
    assert np.interp(places, np.append(left, right[-1]), levels) == pytest.approx(exact, abs=2e-3)
    assert left[0] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("name", ["w1", "w2", "sliced_w2", "energy", "mean"])
@pytest.mark.parametrize("m", [40, 2000])
def test_clouds_far_from_zero_keep_their_digits(name, m):
    """Coordinates of twenty binary places, which a double holds exactly at 10⁸, too."""
    p = 1 if name == "w1" else 2
    rng = np.random.default_rng(0)
    points = np.round(rng.normal(size=(m, p)) * 2**20) / 2**20
    moved, weights = points + [0.25, 0.5][:p], np.full(m, 1 / m)
    near, far = (distance(name, wgf.Cloud(points + at, weights), wgf.Cloud(moved + at, weights)) for at in (0.0, 1e8))
    assert far == pytest.approx(near, rel=1e-11)
