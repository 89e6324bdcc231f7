"""What a page says of studies: m neurons beside the limit, and two runs."""

from __future__ import annotations

import shlex
from typing import Any

import numpy as np

from wgf.measures.distances.register import DISTANCES
from wgf.plots.report.formulas import story_of_text
from wgf.plots.report.measures import spread
from wgf.plots.report.parts import (
    BLUE,
    COLOURS,
    FAIR,
    GOOD,
    GREY,
    PLAIN,
    Chart,
    Moving,
    Part,
    Table,
    Verdict,
    empty_figure,
    logarithmic,
    shown,
)
from wgf.plots.report.reproduce import Recipe, recipe_of_comparison
from wgf.plots.report.run import SAMPLES, settings_of
from wgf.plots.report.verdicts import comparison_verdicts
from wgf.plots.studies import SIGMAS, SMALLEST, fitted
from wgf.plots.style import ORANGE, PLUM
from wgf.studies.pair import Pair
from wgf.studies.summary import comparison_facts, pair_facts, pair_table, rate_table
from wgf.studies.sweeps.comparison import Comparison

MOST_TIMES = 40


def comparison_part(comparison: Comparison) -> Part:
    """m neurons beside the limit."""
    shown_times = spread(len(comparison.times), MOST_TIMES)
    charts = [_rates(comparison, name, shown_times) for name in comparison.distance]
    charts += [_predictions(comparison, shown_times)] if comparison.limit.shape[1] else []
    charts += [_fluctuation(comparison)]
    attributes = comparison.attributes
    story, formulas = story_of_text(attributes)
    return Part(
        title=str(attributes.get("title") or "m neurons beside the limit"),
        kind="a comparison: m neurons beside their limit as m grows",
        story=story,
        formulas=formulas,
        verdicts=comparison_verdicts(comparison),
        facts=comparison_facts(comparison),
        charts=charts,
        frames=[f"t = {comparison.times[k]:.4g}" for k in shown_times],
        recipe=recipe_of_comparison(comparison),
        settings=settings_of(attributes),
        tables=[Table(f"The distance {name} at each time", *rate_table(comparison, name)) for name in comparison.rates],
    )


def _roots(values: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.sqrt(np.maximum(values, SMALLEST**2))
    return result


def _rates(comparison: Comparison, name: str, frames: list[int]) -> Chart:
    """The root mean square of a distance against m: every replicate, mean with interval, fit, prediction, and self-distance."""
    sizes, rate = comparison.sizes, comparison.rates[name]
    each = comparison.distance[name][:, :, frames]
    mean, error = comparison.mean_square(name)[:, frames].T, comparison.standard_error(name)[:, frames].T
    root = _roots(mean)
    half = np.minimum(SIGMAS * error / (2 * root), 0.9 * root)
    fits = np.array([fitted(comparison, name, k) for k in frames])
    floor = _roots(0.5 * comparison.mean_square_floor(name)[:, frames].T)
    dots = np.maximum(each.reshape(-1, len(frames)).T, SMALLEST)
    figure = empty_figure(
        xaxis={"title": "number of neurons m", **_sizes(sizes)}, yaxis={"title": "root mean square", **logarithmic(root, dots)}
    )
    figure.add_scatter(
        x=np.repeat(sizes, comparison.replicates),
        y=dots[-1],
        mode="markers",
        marker={"color": BLUE, "size": 5, "opacity": 0.45},
        name="each replicate",
    )
    figure.add_scatter(
        x=sizes,
        y=root[-1],
        error_y={"array": half[-1], "color": ORANGE},
        mode="markers",
        marker={"color": ORANGE, "size": 8},
        name="mean, 95 %",
    )
    figure.add_scatter(x=sizes, y=fits[-1], mode="lines", line={"color": ORANGE}, name="fit")
    figure.add_scatter(x=sizes, y=floor[-1], mode="markers", marker={"color": GREY, "symbol": "x", "size": 7}, name="self-distance, /√2")
    moving = [Moving(0, "y", dots), Moving(1, "y", root), Moving(1, "error_y.array", half), Moving(2, "y", fits), Moving(3, "y", floor)]
    predicted = rate.expected_constant[frames]
    if np.isfinite(predicted).all():
        line = np.sqrt(predicted[:, None] * sizes ** float(rate.expected_slope[-1]))
        figure.add_scatter(x=sizes, y=line[-1], mode="lines", line={"color": GREY, "dash": "dash"}, name="predicted")
        moving.append(Moving(len(figure.data) - 1, "y", line))
    alt = f"The distance {name} of m neurons from the limit against m: its mean square falls with slope {rate.slope[-1]:.2f} at the end."
    return Chart(f"{_label(name)} against m", alt, figure, moving)


def _label(name: str) -> str:
    """A distance in a title."""
    words = {"function": "Distance of the functions, ‖φ_m − φ‖,", "loss": "Difference of the losses, |L_m − L|,"}
    return words.get(name, f"Distance {name}" if name in DISTANCES else name)


def _sizes(sizes: np.ndarray) -> dict[str, Any]:
    """Marks at the sizes themselves."""
    ticks = sizes[:: 1 if len(sizes) <= 6 else 2]
    return {"type": "log", "tickvals": ticks, "ticktext": [str(size) for size in ticks], "minor": {"ticks": ""}}


def _predictions(comparison: Comparison, frames: list[int]) -> Chart:
    """φ_m of all replicates of the least and the largest m against φ of the limit."""
    rows = spread(comparison.limit.shape[1], max(SAMPLES // comparison.replicates, 2))
    limit = comparison.limit[frames][:, rows]
    ends = [float(limit.min()), float(limit.max())]
    figure = empty_figure(xaxis={"title": "φ of the limit"}, yaxis={"title": "φ of m neurons"})
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": GREY, "width": 1}, name="the same")
    moving, x = [], np.tile(limit, (1, comparison.replicates))
    for k, colour in ((0, PLUM), (len(comparison.sizes) - 1, BLUE)):
        y = comparison.table.prediction[k][:, frames][:, :, rows].transpose(1, 0, 2).reshape(len(frames), -1)
        marker = {"color": colour, "size": 4, "opacity": 0.5}
        figure.add_scatter(x=x[-1].astype("f4"), y=y[-1].astype("f4"), mode="markers", marker=marker, name=f"m = {comparison.sizes[k]}")
        moving += [Moving(len(figure.data) - 1, "x", x), Moving(len(figure.data) - 1, "y", y)]
    alt = "The functions of all replicates at the data against that of the limit: those of more neurons are closer to the diagonal."
    return Chart("Networks of m neurons beside the limit", alt, figure, moving)


def _fluctuation(comparison: Comparison) -> Chart:
    """m·E d² against t for each m, beside the prediction."""
    from plotly.colors import sample_colorscale

    main = comparison.main
    mean = comparison.mean_square(main)
    figure = empty_figure(
        xaxis={"title": "t"}, yaxis={"title": f"m · E {'‖φ_m − φ‖' if main == 'function' else shown(main)}²", "rangemode": "tozero"}
    )
    colours = sample_colorscale("Viridis", np.linspace(0.9, 0.3, len(mean)).tolist())
    for size, values, colour in zip(comparison.sizes, mean, colours, strict=True):
        figure.add_scatter(
            x=comparison.times, y=size * values, mode="lines+markers", line={"color": colour}, marker={"size": 4}, name=f"m = {size}"
        )
    if np.isfinite(comparison.predicted).all():
        figure.add_scatter(
            x=comparison.times,
            y=comparison.predicted,
            mode="lines",
            line={"color": GREY, "dash": "dash", "width": 2.5},
            name="predicted, m → ∞",
        )
    alt = "The fluctuation m times the mean square of the distance against t: curves of all m lie on each other where it falls as 1/m."
    return Chart("The fluctuation", alt, figure)


def pair_part(pair: Pair) -> Part:
    """Two runs side by side."""
    figure = empty_figure(xaxis={"title": "t"}, yaxis={"title": "distance", **logarithmic(*pair.distance.values())})
    for k, (name, values) in enumerate(pair.distance.items()):
        colour, floor = COLOURS[k % len(COLOURS)], pair.floor[name]
        figure.add_scatter(x=pair.times, y=np.maximum(values, SMALLEST), mode="lines+markers", line={"color": colour}, name=shown(name))
        if (floor > 0).any():
            figure.add_scatter(
                x=pair.times,
                y=np.maximum(floor, SMALLEST),
                mode="lines",
                line={"color": colour, "dash": "dash"},
                name=f"{shown(name)}, if equal",
            )
    last = ", ".join(f"{name} {values[-1]:.3g}" for name, values in pair.distance.items())
    alt = f"The distances of two runs against t; at the end {last}. Dashed: what would be seen if the two laws were the same."
    return Part(
        title=str(pair.attributes.get("title") or "two runs"),
        kind="two runs side by side",
        story=[f"The first: {pair.attributes['first']}.", f"The second: {pair.attributes['second']}."],
        formulas=[],
        verdicts=[_equality(name, values[-1], pair.floor[name][-1]) for name, values in pair.distance.items()],
        facts=pair_facts(pair),
        charts=[Chart("Distances against t", alt, figure, shape="wide")],
        frames=(),
        recipe=Recipe("", "", [shlex.join(["wgf", "compare", *_files(pair)])]),
        settings=settings_of(pair.attributes),
        tables=[Table("The distances at each time", *pair_table(pair))],
    )


def _files(pair: Pair) -> list[str]:
    """Those of the two runs."""
    return [str(pair.attributes.get(f"{one}_file") or f"{one}.h5") for one in ("first", "second")]


def _equality(name: str, distance: float, floor: float) -> Verdict:
    """Whether a distance is what equal laws would show."""
    if not np.isfinite(floor) or floor <= 0:
        return Verdict(name, PLAIN, f"{distance:.2g}", "at the end; what equal laws would show is zero, or not known", "distance")
    word, label = (GOOD, "equal") if distance <= 2 * floor else (FAIR, "close") if distance <= 5 * floor else (PLAIN, "different")
    return Verdict(name, word, f"{distance:.2g}", f"at the end; equal laws would show about {floor:.2g}", label)
