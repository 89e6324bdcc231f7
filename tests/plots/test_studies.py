"""Figures of comparisons, judged by what stands in them: points, intervals, fits, theory, and the words beside them."""

import dataclasses

import numpy as np
import pytest
from artists import inside, legend, line, words
from matplotlib.backends.backend_agg import FigureCanvasAgg
from problems import Tanh

import wgf
from wgf.measures.distances.register import DISTANCES
from wgf.plots.studies import plot_comparison, plot_pair, plot_steps

pytestmark = pytest.mark.coarse

TANH = Tanh()
SMALLEST = 1e-16


@pytest.fixture(scope="module")
def comparison():
    """A coarse limit of first order, so that its error can be seen."""
    limit = wgf.FiniteVolume(10, TANH.lower, TANH.upper, limiter="upwind", edge_tolerance=1)
    return wgf.compare(TANH.problem, limit, 0.3, (8, 16, 32), 5, save=4, workers=1)


def panels_of(figure):
    """The ratio, the panels of the rates and the small multiples."""
    upper, lower = figure.subfigs
    ratio, *rates = upper.axes
    return ratio, rates, lower.axes


def bars(panel, label):
    """Points (x, y) and half intervals of an errorbar whose label begins so."""
    (container,) = [one for one in panel.containers if one.get_label().startswith(label)]
    points, _, (lines,) = container.lines
    return points.get_data(), [0.5 * np.ptp(segment[:, 1]) for segment in lines.get_segments()]


def below(figure, panel):
    """Whether its legend, drawn, covers nothing of it."""
    FigureCanvasAgg(figure).draw()
    return panel.get_legend().get_window_extent().y1 < panel.get_window_extent().y0


def has_fit(curves, comparison, name, k):
    """Whether a curve (2, sizes) is straight in logarithms, with half the slope of E d², through the middle of its roots."""
    middle = 0.5 * np.log(comparison.mean_square(name)[:, k]).mean()
    for x, y in (np.log(curve) for curve in curves if np.shape(curve) == (2, len(comparison.sizes)) and np.min(curve) > 0):
        straight = np.allclose(np.diff(y) / np.diff(x), 0.5 * comparison.rates[name].slope[k])
        if straight and np.allclose(x, np.log(comparison.sizes)) and y.mean() == pytest.approx(middle):
            return True
    return False


def test_dollars_in_the_title_are_letters(comparison, tmp_path):
    title = "from $5 to $_{"
    priced = dataclasses.replace(comparison, attributes=comparison.attributes | {"title": title})
    heading = plot_comparison(priced, tmp_path / "compare.png").get_suptitle()
    assert heading.replace(r"\$", "$").startswith(f"{title}: m neurons beside the limit")
    assert (tmp_path / "compare.png").exists()


def test_every_distance_has_a_panel_of_its_rate(comparison, tmp_path):
    """At the first, a middle and the last time: all replicates, the root mean square with its interval, and the fit."""
    figure = plot_comparison(comparison, tmp_path / "compare.png")
    assert (tmp_path / "compare.png").exists()
    assert (
        figure.get_suptitle()
        == "tanh student: m neurons beside the limit, 5 replicates for each m (dots); bars are 95 % intervals of the mean square"
    )
    _, rates, _ = panels_of(figure)
    assert len(rates) == 2
    for panel, name in zip(rates, comparison.distance, strict=True):
        curves = [np.array(one.get_data()) for one in panel.get_lines()]
        for k, shift in zip((0, 1, 3), (0.94, 1.0, 1.06), strict=True):
            rate = comparison.rates[name]
            half = 0.25 * (rate.upper[k] - rate.lower[k])
            label = f"t = {comparison.times[k]:.3g}: slope {0.5 * rate.slope[k]:.2f} ± {half:.2f}"
            (x, y), intervals = bars(panel, label)
            root = np.sqrt(comparison.mean_square(name)[:, k])
            assert x == pytest.approx(shift * comparison.sizes)
            assert y == pytest.approx(root)
            assert intervals == pytest.approx(np.minimum(1.96 * comparison.standard_error(name)[:, k] / (2 * root), 0.9 * root))
            replicates = np.array([np.repeat(shift * comparison.sizes, comparison.replicates), comparison.distance[name][:, :, k].ravel()])
            assert any(curve.shape == replicates.shape and np.allclose(curve, replicates) for curve in curves)
            assert has_fit(curves, comparison, name, k)
            assert label in legend(panel)
        assert panel.get_ylabel() == f"{DISTANCES[name].label}  (root mean square)"
        assert (panel.get_xlabel(), panel.get_xscale(), panel.get_yscale()) == ("number of neurons  m", "log", "log")
        assert [text.get_text() for text in panel.get_xticklabels()] == ["8", "16", "32"]
        triangle = panel.patches[0].get_xy()
        steepness = np.log(triangle[1, 1] / triangle[0, 1]) / np.log(triangle[1, 0] / triangle[0, 0])
        assert steepness == pytest.approx(0.5 * comparison.rates[name].expected_slope[-1])
        assert words(panel) == [r"$-\frac{1}{2}$", "1"]
        assert panel.get_ylim()[0] < np.sqrt(comparison.mean_square(name).min())
        assert below(figure, panel)


def test_theory_and_the_error_of_the_limit_stand_beside_the_function(comparison):
    _, (function, loss), _ = panels_of(plot_comparison(comparison))
    assert line(function, "exact at t = 0") == pytest.approx(np.array([comparison.sizes, np.sqrt(comparison.theory / comparison.sizes)]))
    error = comparison.discretisation["function"][-1]
    assert line(function, f"error of the limit: {error:.1e}")[1] == pytest.approx([error] * 2)
    assert len(legend(function)) == len(legend(loss)) + 2


def test_the_fluctuation_stands_beside_its_prediction(comparison):
    """m·E d² of every m over that of a fresh draw, with the interval of the largest m."""
    ratio, _, _ = panels_of(plot_comparison(comparison))
    for m, square in zip(comparison.sizes, comparison.mean_square(), strict=True):
        assert line(ratio, f"m = {m}") == pytest.approx(np.array([comparison.times, m * square / comparison.resampling]))
    predicted = np.array([comparison.times, comparison.predicted / comparison.resampling])
    assert line(ratio, r"predicted, $m \to \infty$") == pytest.approx(predicted)
    (lines,) = [container.lines[2][0] for container in ratio.containers]
    half = [0.5 * np.ptp(segment[:, 1]) for segment in lines.get_segments()]
    assert half == pytest.approx(1.96 * 32 * comparison.standard_error()[-1] / comparison.resampling)
    assert (ratio.get_xlabel(), ratio.get_ylim()[0]) == ("t", 0)
    assert ratio.get_ylabel() == r"$m\,E\| \varphi_m - \varphi \|^2$ / that of a fresh draw from $\mu_t$"
    assert legend(ratio) == ["m = 8", "m = 16", "m = 32", r"predicted, $m \to \infty$", "95 % interval of m = 32"]
    assert below(ratio.figure.figure, ratio)


def test_the_small_multiples_show_the_floor_and_the_prediction(comparison):
    figure = plot_comparison(comparison)
    _, _, multiples = panels_of(figure)
    assert [panel.get_title(loc="left") for panel in multiples] == ["t = 0", "t = 0.1", "t = 0.2", "t = 0.3"]
    assert multiples[0].get_ylabel() == f"{DISTANCES['function'].label}  (root mean square)"
    for k, panel in enumerate(multiples):
        (x, y), _ = bars(panel, "replicates from the limit")
        assert x == pytest.approx(comparison.sizes)
        assert y == pytest.approx(np.sqrt(comparison.mean_square()[:, k]))
        floor = np.sqrt(0.5 * comparison.mean_square_floor()[:, k])
        assert line(panel, r"self-distance, $/\sqrt{2}$") == pytest.approx(np.array([comparison.sizes, floor]))
        predicted = np.sqrt(comparison.predicted[k] / comparison.sizes)
        assert line(panel, "predicted") == pytest.approx(np.array([comparison.sizes, predicted]))
        assert has_fit([one.get_data() for one in panel.get_lines()], comparison, "function", k)
    (below,) = figure.subfigs[1].legends
    named = {text.get_text() for text in below.get_texts()}
    assert named == {"replicates from the limit", r"self-distance, $/\sqrt{2}$", "predicted", "error of the limit"}


def test_a_distance_that_vanishes_is_no_error(comparison):
    zero = {name: values.copy() for name, values in comparison.distance.items()}
    comparison.distance["loss"][:] = 0.0
    try:
        _, (_, loss), _ = panels_of(plot_comparison(comparison))
    finally:
        comparison.distance["loss"][:] = zero["loss"]
    assert bars(loss, "t = 0:")[0][1] == pytest.approx([SMALLEST] * 3)


def test_another_distance_than_the_function_may_be_the_main_one():
    problem = wgf.Problem(wgf.InteractionEnergy(V=lambda theta: 0.5 * np.sum(theta**2, axis=-1)), wgf.Gaussian([0.5], [0.6]))
    found = wgf.compare(problem, wgf.FiniteVolume(60, [-4.0], [5.0]), 0.3, (5, 10), 5, save=3, workers=1)
    ratio, rates, _ = panels_of(plot_comparison(found))
    assert [panel.get_ylabel().split("  ")[0] for panel in rates] == [DISTANCES["loss"].label, DISTANCES["energy"].label]
    assert line(ratio, "m = 5")[1] == pytest.approx(5 * found.mean_square("loss")[0])
    assert ratio.get_ylabel() == r"$m\,E| L_m - L |^2$"


def test_two_runs_are_apart_by_their_distances(tmp_path):
    """One curve for each distance, and a broken one for what equality would show."""
    runs = [wgf.solve(TANH.problem, method, 0.4, 3) for method in (wgf.FiniteVolume(24, TANH.lower, TANH.upper), wgf.Particles(40))]
    pair = wgf.compare_runs(*runs)
    figure = plot_pair(pair, tmp_path / "pair.png")
    assert (tmp_path / "pair.png").exists()
    (panel,) = figure.axes
    expected = []
    for name, values in pair.distance.items():
        assert line(panel, name) == pytest.approx(np.array([pair.times, values]))
        expected.append(name)
        if (pair.floor[name] > 0).any():
            assert line(panel, f"{name}, if equal") == pytest.approx(np.array([pair.times, pair.floor[name]]))
            expected.append(f"{name}, if equal")
    assert len(expected) > len(pair.distance)
    assert legend(panel) == expected
    assert (panel.get_xlabel(), panel.get_ylabel(), panel.get_yscale()) == ("t", "distance", "log")
    assert figure.get_suptitle() == f"{runs[0].method}\n{runs[1].method}"
    assert inside(figure)


def test_steps_and_batches_are_drawn_with_their_slopes(tmp_path):
    found = wgf.compare_steps(TANH.problem, 0.4, 10, [0.1, 0.2], [None, 4], 5, workers=1)
    figure = plot_steps(found, tmp_path / "steps.png")
    assert (tmp_path / "steps.png").exists()
    (panel,) = figure.axes
    for row, name in enumerate(("all data", "batches of 4")):
        root = np.sqrt(np.mean(found.distance[row, :, :, -1] ** 2, axis=1))
        label = f"{name}: slope {0.5 * found.rates[row].slope[-1]:.2f}"
        (x, y), intervals = bars(panel, label)
        assert x == pytest.approx(found.steps)
        assert y == pytest.approx(root)
        assert intervals == pytest.approx(np.minimum(1.96 * found.standard_error()[row, :, -1] / (2 * root), 0.9 * root))
        assert label in legend(panel)
    level = np.sqrt(found.fluctuation[-1] / 10)
    assert line(panel, f"fluctuation of 10 neurons: {level:.1e}")[1] == pytest.approx([level] * 2)
    assert panel.get_title(loc="left") == "10 neurons at t = 0.4, 5 replicates"
    assert (panel.get_xlabel(), panel.get_xscale(), panel.get_yscale()) == (r"step $\eta$", "log", "log")
    assert panel.get_ylabel().startswith(r"$\| \varphi_{\eta, B} - \varphi_{\mathrm{flow}} \|$")
    assert [text.get_text() for text in panel.get_xticklabels()] == ["0.1", "0.2"]
