"""What a page says of a sweep over keys of a problem file: the losses of all runs, what they come to, and what was said of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from wgf.plots.report.formulas import story_of_text
from wgf.plots.report.parts import COLOURS, FAIR, GOOD, PLAIN, POOR, Chart, Part, Table, Verdict, empty_figure, logarithmic, shown
from wgf.plots.report.reproduce import recipe_of_sweep
from wgf.plots.report.run import settings_of
from wgf.plots.sweep import floored, said
from wgf.studies.summary import sweep_facts, sweep_table
from wgf.studies.sweeps.over_settings import Sweep


def sweep_part(sweep: Sweep) -> Part:
    """All runs beside each other; nothing moves."""
    story, formulas = story_of_text(sweep.attributes)
    rows, headers, notes = sweep_table(sweep)
    tables = [Table("What the runs came to", rows, headers)]
    tables += [Table("What was said of them", [note.split(" ", 1) for note in notes], ["", "note"])] if notes else []
    return Part(
        title=str(sweep.attributes.get("title") or "a sweep"),
        kind=f"a sweep: {sweep.steps.size} runs over {' and '.join(sweep.keys)}",
        story=story,
        formulas=formulas,
        verdicts=_verdicts(sweep),
        facts=sweep_facts(sweep),
        charts=[_losses(sweep), *_ends(sweep)],
        frames=[],
        recipe=recipe_of_sweep(sweep),
        settings=settings_of(sweep.attributes),
        tables=tables,
    )


def _verdicts(sweep: Sweep) -> list[Verdict]:
    """How many runs are complete, and the best one."""
    failed = sum(str(note).startswith("failed") for note in sweep.notes.ravel())
    word = POOR if failed == sweep.steps.size else FAIR if failed else GOOD
    found = [Verdict("runs", word, f"{sweep.steps.size - failed} of {sweep.steps.size}", "which are complete")]
    if (best := sweep.best) is not None:
        name = "test_loss" if np.isfinite(sweep.last("test_loss")[best]) else "loss"
        found.append(Verdict(name.replace("_", " "), PLAIN, f"{sweep.last(name)[best]:.4g}", _label(sweep, best), "lowest"))
    return found


def _label(sweep: Sweep, cell: tuple[int, ...]) -> str:
    return ", ".join(f"{key} = {said(value)}" for key, value in sweep.settings(cell).items())


def _losses(sweep: Sweep) -> Chart:
    """The loss of every run against t, and that on test data dotted."""
    values = [floored(sweep.series[name]) for name in ("loss", "test_loss")]
    figure = empty_figure(xaxis={"title": "t"}, yaxis={"title": "loss", **logarithmic(*values)})
    for k, cell in enumerate(sweep.cells):
        line: dict[str, Any] = {"color": COLOURS[k % len(COLOURS)]}
        name = shown(_label(sweep, cell))
        figure.add_scatter(x=sweep.series["time"][cell], y=values[0][cell], mode="lines", line=line, name=name)
        if np.isfinite(sweep.series["test_loss"][cell]).any():
            dotted = line | {"dash": "dot"}
            figure.add_scatter(
                x=sweep.series["time"][cell], y=values[1][cell], mode="lines", line=dotted, name=f"{name}, test", showlegend=False
            )
    note = "Dotted: on the samples kept aside." if np.isfinite(sweep.series["test_loss"]).any() else ""
    return Chart("The losses", "The loss of every run of the sweep against time.", figure, note=note, shape="wide")


def _ends(sweep: Sweep) -> list[Chart]:
    """What the runs come to against the first key, a curve for each combination of the others."""
    if sweep.shape[0] < 2:
        return []
    ends = floored(sweep.last("loss")).reshape(sweep.shape[0], -1)
    figure = empty_figure(xaxis={"title": shown(sweep.keys[0]), "type": "category"}, yaxis={"title": "last loss", **logarithmic(ends)})
    for k in range(ends.shape[1]):
        others = list(sweep.settings((0, *map(int, np.unravel_index(k, sweep.shape[1:])))).items())[1:]
        name = ", ".join(f"{key} = {said(value)}" for key, value in others) or "loss"
        line = {"color": COLOURS[k % len(COLOURS)]}
        figure.add_scatter(x=[said(value) for value in sweep.values[0]], y=ends[:, k], mode="lines+markers", line=line, name=shown(name))
    return [Chart("What they come to", f"The last loss against {sweep.keys[0]}.", figure)]
