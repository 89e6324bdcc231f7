"""What commands write on the screen."""

from __future__ import annotations

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
    """For each distance at each save time: its size, the self-distance, and the fitted slope and constant beside what theory says."""
    from wgf.studies.summary import rate_table

    for name in comparison.rates:
        click.echo()
        show_table(*rate_table(comparison, name))


def show_lazy(study: LazyStudy) -> None:
    """For each scaling and size κ at the start, and what has become of the network at the last time; then the slopes in m."""
    from wgf.studies.summary import lazy_slopes, lazy_table

    for rows, headers in (lazy_table(study), lazy_slopes(study)):
        if rows:
            click.echo()
            show_table(rows, headers)


def show_sweep(sweep: Sweep) -> None:
    """A row for each run, and below the table what was said of it."""
    from wgf.studies.summary import sweep_table

    rows, headers, notes = sweep_table(sweep)
    click.echo()
    show_table(rows, headers)
    for note in notes:
        click.echo(printable(note))


def show_certificate(certificate: Certificate) -> None:
    """The gap, the bound, the residual and the lowest place of each frame."""
    series = zip(certificate.times, certificate.gap, certificate.bound, certificate.residual, certificate.lowest, strict=True)
    rows = [
        [f"{time:g}", f"{gap:.3g}", f"{bound:.3g}", f"{residual:.3g}", ", ".join(f"{number:.4g}" for number in place)]
        for time, gap, bound, residual, place in series
    ]
    names = ", ".join(certificate.run.problem.axis_names(certificate.lowest.shape[1]))
    click.echo()
    show_table(rows, ["t", "gap", "bound", "residual", f"mass is missing at ({names})"])


def show_pair(pair: Pair) -> None:
    """The distances of two runs at each time, each beside what two equal measures would show."""
    from wgf.studies.summary import pair_facts, pair_table

    show_facts(str(pair.attributes["title"]) or "two runs", pair_facts(pair))
    show_table(*pair_table(pair))
