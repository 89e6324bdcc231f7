"""What a page says of a lazy study: how far networks are from their tangent models, how fast they learn, where their neurons go."""

from __future__ import annotations

import numpy as np

from wgf.plots.lazy import ARROWS, plane_of
from wgf.plots.report.formulas import story_of_text
from wgf.plots.report.parts import (
    BAND,
    COLOURS,
    FAIR,
    GOOD,
    GREY,
    PLAIN,
    POOR,
    UNKNOWN,
    Chart,
    Moving,
    Part,
    Table,
    Verdict,
    empty_figure,
    logarithmic,
    shown,
)
from wgf.plots.report.reproduce import recipe_of_lazy
from wgf.plots.report.run import settings_of
from wgf.plots.report.verdicts import word_of
from wgf.studies.lazy.study import LazyStudy
from wgf.studies.summary import lazy_facts, lazy_slopes, lazy_table

LAZY = (0.01, 0.1)  # deviation from the tangent model: up to the first training was lazy, from the second on it was not
KINDS = {GOOD: "lazy", FAIR: "nearly lazy", POOR: "not lazy", UNKNOWN: "unknown"}


def lazy_part(study: LazyStudy) -> Part:
    """How far training is from its linearisation."""
    attributes = study.attributes
    story, formulas = story_of_text(attributes)
    tables = (("What became of the networks", *lazy_table(study)), ("Slopes in m", *lazy_slopes(study)))
    return Part(
        title=str(attributes.get("title") or "from lazy training to mean field"),
        kind="a lazy study: networks of m neurons with the output scale α = A·m^(−p) beside their tangent models",
        story=story,
        formulas=formulas,
        verdicts=[_laziness(study, scaling) for scaling in range(len(study.exponents))],
        facts=lazy_facts(study),
        charts=[_deviation(study), _kappa(study), _losses(study), *_neurons(study)],
        frames=[f"t = {time:.4g}" for time in study.times],
        recipe=recipe_of_lazy(study),
        settings=settings_of(attributes),
        tables=[Table(title, rows, headers) for title, rows, headers in tables if rows],
    )


def label(study: LazyStudy, scaling: int) -> str:
    """α of a scaling."""
    factor = study.factors[scaling]
    return f"α = {'' if factor == 1 else f'{factor:g}·'}m^(−{study.exponents[scaling]:g})"


def _laziness(study: LazyStudy, scaling: int) -> Verdict:
    """Whether the largest networks of a scaling stayed at their tangent models."""
    deviation = float(study.deviation[scaling, -1, :, -1].mean())
    meaning = f"deviation from the tangent model of m = {study.sizes[-1]:,} neurons at t = {study.times[-1]:g}"
    return Verdict(label(study, scaling), PLAIN, f"{deviation:.2g}", meaning, KINDS[word_of(deviation, LAZY)])


def _deviation(study: LazyStudy) -> Chart:
    """Every network: its deviation at the time of the slider against κ at the start."""
    size = np.repeat(7 + 4 * np.log2(study.sizes / study.sizes[0] + 1), study.replicates)
    values = np.moveaxis(study.deviation, -1, 0).reshape(len(study.times), len(study.exponents), -1)
    values = np.where((values > 0) & (study.times > 0)[:, None, None], values, np.nan)  # at the start both are one model, up to rounding
    x = {"title": "relative scale κ at the start", **logarithmic(study.relative_scale)}
    figure = empty_figure(xaxis=x, yaxis={"title": "‖φ − φ̄‖ / ‖φ₀ − f*‖", **logarithmic(values)})
    moving = []
    for k in range(len(study.exponents)):
        marker = {"color": COLOURS[k % len(COLOURS)], "size": size, "opacity": 0.7}
        figure.add_scatter(x=study.relative_scale[k].ravel(), y=values[-1, k], mode="markers", marker=marker, name=shown(label(study, k)))
        moving.append(Moving(k, "y", values[:, k]))
    if np.isfinite(values).any():
        low, high = np.log10(np.nanmin(values)), np.log10(np.nanmax(values))
        figure.update_yaxes(range=[low - 0.2, high + 0.2])
    alt = "The deviation of every network from its tangent model against its relative scale: small where κ is small."
    return Chart("Deviation from the tangent model", alt, figure, moving, note="Each dot is a network; larger dots, larger m.")


def _kappa(study: LazyStudy) -> Chart:
    """The mean of κ against m, with that of theory."""
    ticks = {"tickvals": study.sizes, "ticktext": [str(size) for size in study.sizes]}
    figure = empty_figure(
        xaxis={"title": "number of neurons m", "type": "log", **ticks}, yaxis={"title": "κ", **logarithmic(study.relative_scale)}
    )
    for k in range(len(study.exponents)):
        mean, colour = study.relative_scale[k].mean(axis=1), COLOURS[k % len(COLOURS)]
        spread = study.relative_scale[k].std(axis=1) / np.sqrt(study.replicates)
        figure.add_scatter(
            x=study.sizes, y=mean, error_y={"array": spread}, mode="lines+markers", line={"color": colour}, name=shown(label(study, k))
        )
        expected = study.distance[k] / (study.factors[k] * study.sizes ** (1.0 - study.exponents[k]))
        theory = mean[0] / expected[0] * expected
        figure.add_scatter(
            x=study.sizes, y=theory, mode="lines", line={"color": GREY, "dash": "dot"}, name="theory, from the first", showlegend=k == 0
        )
    return Chart(
        "Relative scale at the start", "The relative scale κ at the start against m, for each output scale, beside theory.", figure
    )


def _losses(study: LazyStudy) -> Chart:
    """The mean loss of the largest networks, and between their extremes a band."""
    figure = empty_figure(xaxis={"title": "t"}, yaxis={"title": "loss", **logarithmic(study.loss[:, -1])})
    for k in range(len(study.exponents)):
        loss, colour = study.loss[k, -1], COLOURS[k % len(COLOURS)]
        ends = np.concatenate([loss.min(axis=0), loss.max(axis=0)[::-1]])
        times = np.concatenate([study.times, study.times[::-1]])
        figure.add_scatter(
            x=times, y=ends, fill="toself", fillcolor=BAND, mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False
        )
        figure.add_scatter(x=study.times, y=loss.mean(axis=0), mode="lines", line={"color": colour}, name=shown(label(study, k)))
    title = f"The loss of m = {study.sizes[-1]:,} neurons"
    return Chart(title, f"{title} against t for each output scale, with a band between its extremes.", figure)


def _neurons(study: LazyStudy) -> list[Chart]:
    """The smallest network of each scaling before and after training, in a plane."""
    plane = plane_of(study.names)
    if len(plane) < 2:
        return []
    charts = []
    for k in range(len(study.exponents)):
        start, end = (study.table.parameters[k, :ARROWS, :, j][:, plane] for j in (0, 1))
        names = [shown(study.names[j]) for j in plane]
        figure = empty_figure(xaxis={"title": names[0]}, yaxis={"title": names[1]})
        lines = np.stack([start, end, np.full_like(start, np.nan)], axis=1).reshape(-1, 2).astype("f4")
        figure.add_scatter(
            x=lines[:, 0], y=lines[:, 1], mode="lines", line={"color": GREY, "width": 0.8}, hoverinfo="skip", showlegend=False
        )
        figure.add_scatter(x=start[:, 0], y=start[:, 1], mode="markers", marker={"color": GREY, "size": 5}, name="before")
        figure.add_scatter(x=end[:, 0], y=end[:, 1], mode="markers", marker={"color": COLOURS[k % len(COLOURS)], "size": 7}, name="after")
        moved = float(np.sqrt(np.mean(np.sum((end - start) ** 2, axis=1))))
        title = f"Neurons before and after, {label(study, k)}"
        charts.append(Chart(title, f"{title}, m = {study.sizes[0]:,}: they moved by {moved:.2g} in the mean.", figure))
    return charts
