"""What commands write on the screen."""

from __future__ import annotations

import math
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wgf.errors import printable

if TYPE_CHECKING:
    from wgf.studies.lazy.study import LazyStudy
    from wgf.studies.optimality.certificate import Certificate
    from wgf.studies.pair import Pair
    from wgf.studies.sweeps.comparison import Comparison
    from wgf.studies.sweeps.over_settings import Sweep


def say(text: str) -> None:
    """A message to the person, beside the results."""
    click.echo(printable(text), err=True)


def program() -> str:
    """How this program is called here: `wgf` where the shell finds it under this name, otherwise as it was called."""
    found, called, python = shutil.which("wgf"), Path(sys.argv[0]), Path(sys.executable)
    if found and (Path(found).parent == python.parent or called.resolve() == Path(found).resolve()):
        return "wgf"
    return shlex.join([str(called)] if called.stem == "wgf" else [str(python), "-m", "wgf"])


def show_facts(title: str, facts: Mapping[str, Any]) -> None:
    """A title and a two-column list."""
    from tabulate import tabulate

    click.secho(printable(title), bold=True)
    click.echo(printable(tabulate([(f"  {name}", value) for name, value in facts.items()], tablefmt="plain", disable_numparse=True)))


def show_table(rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> None:
    """A table with a header."""
    from tabulate import tabulate

    click.echo(printable(tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True, colalign=("right",) * len(headers))))


def show_rates(comparison: Comparison) -> None:
    """For each distance at each save time: its size, its floor, and the fitted slope and constant beside what theory says."""
    largest = comparison.sizes[-1]
    for name, rate in comparison.rates.items():
        root, floor = comparison.mean_square(name)[-1] ** 0.5, comparison.mean_square_floor(name)[-1] ** 0.5
        rows = []
        for k, time in enumerate(comparison.times):
            slope = f"{rate.slope[k]:.3f} [{rate.lower[k]:.3f}, {rate.upper[k]:.3f}]"
            constant = f"{rate.constant[k]:.3g} [{rate.constant_lower[k]:.3g}, {rate.constant_upper[k]:.3g}]"
            expected = "" if math.isnan(rate.expected_constant[k]) else f"{rate.expected_constant[k]:.3g}"
            rows.append([f"{time:g}", f"{root[k]:.2e}", f"{floor[k]:.2e}", slope, f"{rate.expected_slope[k]:.3g}", constant, expected])
        power = "m" if rate.expected_slope[0] == -1 else f"m^{-rate.expected_slope[0]:.2g}"
        click.echo()
        show_table(
            rows, ["t", f"{name}, m = {largest}", "two clouds", "slope of its square (95 %)", "theory", f"{power}·E {name}²", "theory"]
        )


def show_lazy(study: LazyStudy) -> None:
    """For each scaling and size κ at the start, and what has become of the network at the last time; then the slopes in m."""
    last = f"{study.times[-1]:g}"
    rows = []
    for e, (p, factor) in enumerate(zip(study.exponents, study.factors, strict=True)):
        for s, m in enumerate(study.sizes):
            kappa, *ends = (
                float(values.mean())
                for values in (
                    study.relative_scale[e, s],
                    study.deviation[e, s, :, -1],
                    study.kernel_change[e, s, :, -1],
                    study.displacement[e, s, :, -1],
                    study.loss[e, s, :, -1],
                )
            )
            rows.append([f"{p:g}", f"{factor:g}", str(m), f"{kappa:.3g}", *(f"{value:.3g}" for value in ends)])
    headers = [
        "p",
        "A",
        "m",
        "κ at t = 0",
        f"deviation at {last}",
        f"kernel change at {last}",
        f"displacement at {last}",
        f"loss at {last}",
    ]
    click.echo()
    show_table(rows, headers)
    if len(study.sizes) < 2:
        return
    names = {"relative_scale": "κ", "deviation": "deviation", "kernel_change": "kernel change", "displacement": "displacement"}
    rows = [
        [f"{p:g}", f"{factor:g}", *("{:.2f} [{:.2f}, {:.2f}]".format(*study.rates[name][e]) for name in names)]
        for e, (p, factor) in enumerate(zip(study.exponents, study.factors, strict=True))
    ]
    click.echo()
    show_table(rows, ["p", "A", *(f"slope of {label} in m (95 %)" for label in names.values())])


def show_sweep(sweep: Sweep) -> None:
    """A row for each run: its settings, what it came to, and below the table what was said of it."""
    names = [name for name in ("loss", "test_loss", "free_energy", "dissipation") if not all(map(math.isnan, sweep.last(name).ravel()))]
    ends = {name: sweep.last(name) for name in names}
    rows, notes = [], []
    for cell in sweep.cells:
        if sweep.notes[cell]:
            notes.append(str(sweep.notes[cell]))
        settings = [f"{value:g}" if isinstance(value, float) else str(value) for value in sweep.settings(cell).values()]
        numbers = ["–" if math.isnan(ends[name][cell]) else f"{ends[name][cell]:.6g}" for name in names]
        mark = f"[{len(notes)}]" if sweep.notes[cell] else ""
        rows.append([*settings, *numbers, f"{sweep.steps[cell]:,}", f"{sweep.seconds[cell]:.3g}", mark])
    click.echo()
    show_table(rows, [*sweep.keys, *(name.replace("_", " ") for name in names), "steps", "seconds", ""])
    for number, note in enumerate(notes, start=1):
        click.echo(printable(f"[{number}] {note}"))


def show_certificate(certificate: Certificate) -> None:
    """The gap, the bound, the residual and the lowest place of each frame."""
    series = zip(certificate.times, certificate.gap, certificate.bound, certificate.residual, certificate.lowest, strict=True)
    rows = [
        [f"{time:g}", f"{gap:.3g}", f"{bound:.3g}", f"{residual:.3g}", ", ".join(f"{number:.4g}" for number in place)]
        for time, gap, bound, residual, place in series
    ]
    names = ", ".join(certificate.run.problem.axis_names(certificate.lowest.shape[1]))
    click.echo()
    show_table(rows, ["t", "gap", "bound", "residual", f"mass is wanted at ({names})"])


def show_pair(pair: Pair) -> None:
    """The distances of two runs at each time, each beside what two equal measures would show."""
    from wgf.studies.summary import pair_facts

    show_facts(str(pair.attributes["title"]) or "two runs", pair_facts(pair))
    headers = ["t"]
    for name in pair.distance:
        headers += [name, "if equal"]
    rows = []
    for k, time in enumerate(pair.times):
        row = [f"{time:g}"]
        for name in pair.distance:
            row += [f"{pair.distance[name][k]:.3e}", "" if math.isnan(pair.floor[name][k]) else f"{pair.floor[name][k]:.1e}"]
        rows.append(row)
    show_table(rows, headers)
