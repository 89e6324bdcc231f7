"""What a notebook shows of a thing at the end of a cell: a small table and a picture, in one text of HTML that needs nothing beside it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from wgf.errors import InputError, WgfError
from wgf.measures.measure import Cloud, Density, Measure, MeshDensity
from wgf.plots.certificate import plot_certificate
from wgf.plots.figure import Figure
from wgf.plots.film import last_frame
from wgf.plots.measures import View, colour_bar, coordinates_of, draw_together, views_of
from wgf.plots.studies import plot_pair, plot_rates
from wgf.plots.style import INK, styled
from wgf.plots.sweep import plot_sweep
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy
from wgf.runs.run import Run
from wgf.runs.summary import run_facts
from wgf.studies.optimality.certificate import Certificate
from wgf.studies.pair import Pair
from wgf.studies.summary import certificate_facts, comparison_facts, pair_facts, sweep_facts
from wgf.studies.sweeps.comparison import Comparison
from wgf.studies.sweeps.over_settings import Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWN = 20_000  # points of a law, enough for smooth marginals
BARS = 20  # of targets
LEFT = "text-align: left; vertical-align: top"


def as_html(thing: Any) -> str:
    """The table and the picture of a thing in SHOWN; where they cannot be had, its line and why."""
    facts, draw = next(how for kind, how in SHOWN.items() if isinstance(thing, kind))
    title = type(thing).__name__
    try:
        return _page(title, facts(thing), _image(title, draw(thing)))
    except WgfError as error:
        return _page(title, {title: repr(thing), "error": str(error)}, "")


def _page(title: str, facts: Mapping[str, str], image: str) -> str:
    """The HTML of a title, facts and an image."""
    rows = "".join(f'<tr><th style="{LEFT}">{escape(name)}</th><td style="{LEFT}">{escape(fact)}</td></tr>' for name, fact in facts.items())
    return f"<div><strong>{escape(title)}</strong><table>{rows}</table>{image}</div>"


def _image(title: str, figure: Figure) -> str:
    """The figure as an image that holds its own PNG; nothing, where nothing is drawn in it."""
    if not figure.axes:
        return ""
    picture = base64.b64encode(figure._repr_png_()).decode()
    return f'<img alt="{escape(title)}" src="data:image/png;base64,{picture}" style="max-width: 100%">'


def _facts_of_problem(problem: Problem) -> dict[str, str]:
    """Its parts, in one line each."""
    energy = problem.energy
    facts = {"title": problem.title} if problem.title else {}
    if isinstance(energy, RegressionEnergy):
        facts |= {"neuron": repr(energy.neuron), "data": repr(energy.data)}
        facts |= {"penalty": f"λ = {energy.penalty.strength:g}"} if energy.penalty.strength else {}
    else:
        facts["energy"] = repr(energy)
    facts["initial law"] = repr(problem.initial)
    facts |= {"temperature": f"τ = {problem.temperature:g}"} if problem.temperature else {}
    return facts | ({"growth": f"κ = {problem.growth:g}"} if problem.growth else {})


def _draw_problem(problem: Problem) -> Figure:
    """The initial law, by points, and the data."""
    drawn: list[Callable[[Axes], None]] = []
    if (law := _shown_law(problem)) is not None:
        drawn += _views(law, problem.axis_names(law.mean.size), "initial law")
    if problem.energy.data is not None:
        drawn.append(lambda panel: _draw_data(panel, problem.energy.data))
    return _row(drawn)


def _row(drawn: Sequence[Callable[[Axes], None]]) -> Figure:
    """Panels side by side."""
    with styled():
        figure = Figure(figsize=(4.2 * max(1, len(drawn)), 3.4), layout="constrained")
        for k, draw in enumerate(drawn):
            draw(figure.add_subplot(1, len(drawn), k + 1))
    return figure


def _shown_law(problem: Problem) -> Measure | None:
    """The law as a measure; None for one from which no points are to be had."""
    if isinstance(problem.initial, Measure):
        return problem.initial
    try:
        points = problem.initial.sample(DRAWN, np.random.default_rng(0))
    except InputError:
        return None
    return Cloud(points, np.full(len(points), 1.0 / len(points)))


def _draw_data(panel: Axes, data: Any) -> None:
    """Targets against the input; where there are several inputs, how many targets are how large."""
    if data.dim == 1:
        panel.plot(data.inputs[:, 0], data.targets, ".", color=INK, markersize=5, alpha=0.6)
        panel.set(xlabel="x", ylabel=r"target $f^*(x)$")
    else:
        panel.hist(data.targets, BARS, weights=data.weights, color=INK, alpha=0.6)
        panel.set(xlabel=r"target $f^*(x_i)$", ylabel="weight")
    panel.set_title("data", loc="left")


def _facts_of_measure(measure: Measure) -> dict[str, str]:
    """Where it lives, its mass and its mean."""
    names, mean = coordinates_of(measure), measure.mean
    if isinstance(measure, Density | MeshDensity):
        place = repr(measure.grid if isinstance(measure, Density) else measure.mesh)
    else:
        place = f"{len(measure.points):,} points in {len(mean)} dimension{'s' if len(mean) > 1 else ''}"
    coordinates = ", ".join(f"{name} {value:.4g}" for name, value in zip(names, mean, strict=True))
    return {"on": place, "mass": f"{measure.mass:.12g}", "mean": coordinates}


def _picture_of_measure(measure: Measure) -> Figure:
    return _row(_views(measure, coordinates_of(measure)))


def _views(measure: Measure, names: Sequence[str], title: str = "") -> list[Callable[[Axes], None]]:
    """How to draw a measure: on a line, in the plane of each pair of coordinates, or along each of many."""
    views = views_of(names, [measure], places=False)
    titles = [title] + [""] * (len(views) - 1)  # above the first says it of all
    return [partial(_draw_view, measure=measure, view=view, views=views, title=one) for view, one in zip(views, titles, strict=True)]


def _draw_view(panel: Axes, measure: Measure, view: View, views: Sequence[View], title: str) -> None:
    draw_together(panel, [measure], [""], view)
    panel.set_title(title, loc="left")
    if view.plane and isinstance(measure, Density | MeshDensity):
        colour_bar(panel.figure, panel, view, views)


SHOWN: dict[type, tuple[Callable[[Any], dict[str, str]], Callable[[Any], Figure]]] = {  # the facts and the picture of each kind
    Problem: (_facts_of_problem, _draw_problem),
    Run: (run_facts, last_frame),
    Comparison: (comparison_facts, plot_rates),
    Sweep: (sweep_facts, plot_sweep),
    Certificate: (certificate_facts, plot_certificate),
    Pair: (pair_facts, plot_pair),
    Measure: (_facts_of_measure, _picture_of_measure),
}
