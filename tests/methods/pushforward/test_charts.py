"""The way back by polynomials: right where the flow is smooth, left alone where it is not, and few ways back for many points."""

import numpy as np
import pytest

import wgf
from wgf.methods.pushforward import flow
from wgf.methods.pushforward.charts import TERMS, WORTH, Charts

RNG = np.random.default_rng(0)


class Counting:
    """A way back that counts the points that it was asked for."""

    def __init__(self, places, growth):
        self.places, self.growth, self.points = places, growth, 0

    def __call__(self, points):
        self.points += len(points)
        return self.places(points), self.growth(points)


def turned(points):
    """A smooth map, coordinate by coordinate from its neighbour."""
    return points + 0.3 * np.sin(2.0 * np.roll(points, 1, axis=1))


def grown(points):
    return np.cos(points).sum(axis=1)


@pytest.mark.parametrize(
    ("p", "tolerance", "upper", "fewer"), [(1, 1e-9, 3.0, 100), (2, 1e-7, 3.0, 30), (3, 1e-5, 0.0, 10), (4, 1e-2, -0.5, 5)]
)
def test_smooth_maps_are_right_to_the_tolerance(p, tolerance, upper, fewer):
    exact = Counting(turned, grown)
    deviations = np.linspace(0.5, 2.0, p)
    charts = Charts(exact, np.array([[-2.0] * p, [upper] * p]), deviations, tolerance)
    points = RNG.uniform(-2.0, upper, (400_000, p))
    places, growth = charts.origins(points)
    off = np.sum(np.abs(places - turned(points)) / deviations, axis=1) + np.abs(growth - grown(points))
    assert off.max() <= tolerance
    assert exact.points < len(points) / fewer
    asked = exact.points
    again, _ = charts.origins(points[::-1])
    assert np.array_equal(again[::-1], places)
    assert exact.points == asked


def test_few_points_are_followed_one_by_one():
    exact = Counting(turned, grown)
    charts = Charts(exact, np.array([[-2.0, -2.0], [3.0, 3.0]]), np.ones(2), 1e-5)
    points = RNG.uniform(-2.0, 3.0, (WORTH * TERMS[2] ** 2 - 1, 2))
    places, growth = charts.origins(points)
    assert np.array_equal(places, turned(points))
    assert np.array_equal(growth, grown(points))
    assert exact.points == len(points)


def test_kinks_and_places_that_no_way_leads_back_from_are_followed_one_by_one():
    def growth(points):
        return np.where(points[:, 0] > 2.5, -np.inf, np.abs(points[:, 1] - 0.1))

    exact = Counting(turned, growth)
    charts = Charts(exact, np.array([[-2.0, -2.0], [3.0, 3.0]]), np.ones(2), 1e-6)
    points = RNG.uniform(-2.1, 3.1, (200_000, 2))  # some of them outside of the box
    kept = points[:, 0] <= 2.5
    for _ in range(2):
        places, found = charts.origins(points)
        assert np.array_equal(np.isfinite(found), kept)
        assert np.abs(found[kept] - growth(points[kept])).max() <= 1e-6
        assert np.abs(places - turned(points))[kept].max() <= 1e-6
    assert exact.points < len(points)


LAWS = [wgf.Uniform([-1.0, -0.9], [1.4, 0.6]), wgf.Mixture([0.5, 0.5], [wgf.Ball([0.3, 0.1], 0.8), wgf.Gaussian([0.0, -0.5], 0.3)])]


@pytest.mark.parametrize("law", LAWS, ids=["uniform", "mixture"])
@pytest.mark.coarse
def test_averages_are_those_without_charts(law, monkeypatch):
    """Laws with edges, which ask for many points, and a neuron on two inputs."""
    data = wgf.Data(RNG.normal(size=(20, 2)), RNG.normal(size=20))
    problem = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("cosine", ("a1", "a2"), dim=2), data), law)
    method = wgf.Pushforward(12, [-2.5, -2.5], [2.5, 2.5], tolerance=5e-4)
    asked = []
    follow = flow.PushedDensity._followed
    monkeypatch.setattr(flow.PushedDensity, "_followed", lambda self, points: (asked.append(len(points)), follow(self, points))[1])
    by_charts = wgf.solve(problem, method, 0.4, 2)
    with_charts = sum(asked)
    asked.clear()
    monkeypatch.setattr(flow, "TERMS", {})
    alone = wgf.solve(problem, method, 0.4, 2)
    assert with_charts < sum(asked) / 3
    cell = alone.measures[-1].grid.cell_volume
    for ours, theirs in zip(by_charts.measures, alone.measures, strict=True):
        assert np.abs(ours.values - theirs.values).sum() * cell <= 5e-4
