"""What a page says of a run: its measures, the fit, what falls, and its certificate."""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.plots.history import SMALLEST, history
from wgf.plots.report.formulas import story_of
from wgf.plots.report.measures import frames_of, measure_charts, spread
from wgf.plots.report.parts import BLUE, GREY, Chart, Moving, Part, empty_figure, logarithmic
from wgf.plots.report.reproduce import recipe_of_run
from wgf.plots.report.verdicts import run_verdicts
from wgf.plots.style import GREEN, ORANGE, PLUM
from wgf.runs.hdf5 import reading
from wgf.runs.run import Run
from wgf.runs.summary import run_facts

LONGEST = 1500  # points of a series
SAMPLES = 1000  # of the data
NOW = {"mode": "markers", "marker": {"color": ORANGE, "size": 11, "line": {"color": "white", "width": 1}}, "name": "at this time"}


def run_part(run: Run) -> Part:
    """All that is said of a run."""
    frames = frames_of(run)
    certificate = _certificate_of(run)
    charts = measure_charts(run, frames, None if certificate is None else certificate["lowest"][frames])
    charts += [_fit(run, frames)] if run.data is not None else []
    charts += _falls(run, frames)
    charts += [_bounds(run, certificate, frames)] if certificate is not None else []
    story, formulas = story_of(run)
    file = run.path.name if run.path else ""
    kind = f"a run by {run.method.partition('(')[0]}"
    return Part(
        title=str(run.attributes.get("title") or file or kind),
        kind=f"{kind}, {file}" if file else kind,
        story=story,
        formulas=formulas,
        verdicts=run_verdicts(run),
        facts=run_facts(run),
        charts=charts,
        frames=[_frame(run, k) for k in frames],
        recipe=recipe_of_run(run),
        settings=settings_of(run.attributes),
    )


def _frame(run: Run, k: int) -> str:
    """What is so at a frame."""
    name, value = ("E", run.free_energy[k]) if run.has_free_energy else ("loss", run.loss[k])
    return f"t = {run.times[k]:.4g}, {name} {value:.4g}"


def settings_of(attributes: dict[str, Any]) -> dict[str, str]:
    """What a result says of how it was made."""
    rows = {
        "method": attributes.get("method_summary"),
        "options of the method": attributes.get("method_options"),
        "seed": attributes.get("seed"),
        "made": attributes.get("created"),
        "by": f"wgf {attributes.get('wgf_version', '?')}, layout of files {attributes.get('schema_version', '?')}",
        "command": attributes.get("command"),
    }
    return {name: str(value) for name, value in rows.items() if value not in (None, "")}


def _certificate_of(run: Run) -> dict[str, np.ndarray] | None:
    """The series of the certificate that the run's file keeps, one row a frame; None without one."""
    if run.path is None or "certificate_verdict" not in run.attributes:
        return None
    with reading(run.path) as file:
        if "certificate" not in file:
            return None
        found = {name: file["certificate"][name][:] for name in ("gap", "bound", "residual", "lowest")}
    return found if all(len(values) == len(run.times) for values in found.values()) else None


def _series(time: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
    """A series for a chart: LONGEST points of it, in four bytes each."""
    rows = spread(len(time), LONGEST)
    return {"x": time[rows].astype("f4"), "y": values[rows].astype("f4")}


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > SMALLEST, values, np.nan)


def _now(figure: Any, run: Run, frames: list[int], values: np.ndarray) -> list[Moving]:
    """A dot on a series at this time."""
    x, y = run.times[frames], values[frames]
    figure.add_scatter(x=[x[-1]], y=[y[-1]], **NOW)
    return [Moving(len(figure.data) - 1, name, numbers[:, None]) for name, numbers in (("x", x), ("y", y))]


def _falls(run: Run, frames: list[int]) -> list[Chart]:
    """The loss with the dissipation, and the free energy where it is more than ½L."""
    time, loss, energy, dissipation = history(run, "loss", "free_energy", "dissipation")
    charts = []
    figure = empty_figure(xaxis={"title": "t"}, yaxis=logarithmic(_positive(dissipation), *([loss] if run.data is not None else [])))
    if run.data is not None:
        figure.add_scatter(**_series(time, _positive(loss)), mode="lines", line={"color": BLUE}, name="loss L")
    figure.add_scatter(**_series(time, _positive(dissipation)), mode="lines", line={"color": GREY, "width": 1.2}, name="dissipation")
    at = run.loss if run.data is not None else run.dissipation
    lower = float(run.attributes.get("certificate_lower", 0.0))
    if run.data is not None and lower > SMALLEST and not run.has_free_energy:
        figure.add_hline(lower, line={"color": GREEN, "dash": "dash", "width": 1.2}, annotation_text="lower bound of min L")
    moving = _now(figure, run, frames, _positive(at))
    title = "The loss, and the dissipation" if run.data is not None else "The dissipation"
    alt = f"{title} against t, on a logarithmic scale: from {at[0]:.4g} to {at[-1]:.4g}."
    charts.append(Chart(title, alt, figure, moving))
    if run.has_free_energy:
        figure = empty_figure(xaxis={"title": "t"}, yaxis={"title": "E"})
        figure.add_scatter(**_series(time, energy), mode="lines", line={"color": BLUE}, name="free energy E")
        moving = _now(figure, run, frames, run.free_energy)
        alt = f"The free energy E against t: it goes from {run.free_energy[0]:.4g} to {run.free_energy[-1]:.4g}."
        charts.append(Chart("The free energy", alt, figure, moving))
    return charts


def _fit(run: Run, frames: list[int]) -> Chart:
    """One input: φ beside the data; more inputs: predicted against target."""
    data, prediction = run.data, run.prediction[frames]
    rows = np.array(spread(data.size, SAMPLES))
    note = f"{len(rows):,} of {data.size:,} data are shown." if len(rows) < data.size else f"{data.size:,} data."
    dots = {"mode": "markers", "marker": {"color": GREY, "size": 6}}
    if data.dim > 1:
        figure = empty_figure(xaxis={"title": "target f*"}, yaxis={"title": "prediction φ"})
        y = data.targets[rows].astype("f4")
        ends = [float(y.min()), float(y.max())]
        figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": GREY, "width": 1}, name="prediction = target")
        figure.add_scatter(x=y, y=prediction[0, rows].astype("f4"), **dots, name=f"t = {run.times[0]:.4g}", opacity=0.5)
        figure.add_scatter(x=y, y=prediction[-1, rows].astype("f4"), mode="markers", marker={"color": BLUE, "size": 6}, name="at this time")
        alt = "The predictions of the network against the targets; where it has learnt them they lie on the diagonal."
        return Chart("The fit: predicted against target", alt, figure, [Moving(2, "y", prediction[:, rows])], note=note)
    rows = np.argsort(data.inputs[:, 0], kind="stable")[rows]
    x = data.inputs[rows, 0].astype("f4")
    figure = empty_figure(xaxis={"title": "x"}, yaxis={"title": "y"})
    figure.add_scatter(x=x, y=data.targets[rows].astype("f4"), **dots, name="data f*")
    figure.add_scatter(
        x=x,
        y=prediction[0, rows].astype("f4"),
        mode="lines",
        line={"color": GREY, "width": 1.5, "dash": "dot"},
        name=f"φ at t = {run.times[0]:.4g}",
    )
    figure.add_scatter(x=x, y=prediction[-1, rows].astype("f4"), mode="lines", line={"color": ORANGE, "width": 2.5}, name="φ at this time")
    both = np.concatenate([prediction[:, rows].ravel(), data.targets[rows]])
    margin = 0.06 * float(np.ptp(both)) or 1.0
    figure.update_yaxes(range=[float(both.min()) - margin, float(both.max()) + margin])
    worst = float(np.abs(run.prediction[-1] - data.targets).max())
    alt = f"The network's function beside the data: at the end it is off by {worst:.2g} at most."
    return Chart("The fit", alt, figure, [Moving(2, "y", prediction[:, rows])], note=note)


def _bounds(run: Run, found: dict[str, np.ndarray], frames: list[int]) -> Chart:
    """How far each frame is from the best measure."""
    what = "E − E*" if run.has_free_energy else "L − L*"
    figure = empty_figure(xaxis={"title": "t"}, yaxis=logarithmic(*(_positive(found[name]) for name in ("gap", "bound", "residual"))))
    for name, label, colour in (("gap", "gap", PLUM), ("bound", f"bound of {what}", BLUE), ("residual", "residual", GREY)):
        figure.add_scatter(
            x=run.times, y=_positive(found[name]), mode="lines+markers", line={"color": colour}, marker={"size": 5}, name=label
        )
    moving = _now(figure, run, frames, _positive(found["bound"]))
    alt = f"Bounds of the distance from the best measure against t: at the end {what} is at most {found['bound'][-1]:.3g}."
    note = f"{run.attributes.get('certificate', '')}. Domain: {run.attributes.get('certificate_domain', '?')}."
    return Chart("The certificate: how far from the best measure", alt, figure, moving, note=note)
