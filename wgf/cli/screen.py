"""What commands write on the screen."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

ROUNDING = 1e-14  # relative; a rise below it is no rise

if TYPE_CHECKING:
    from wgf.run import Run
    from wgf.sweep import Comparison


def say(text: str) -> None:
    """A message to the person, beside the results."""
    click.echo(text, err=True)


def show_facts(title: str, facts: Mapping[str, Any]) -> None:
    """A title and a two-column list."""
    from tabulate import tabulate

    click.secho(title, bold=True)
    click.echo(tabulate([(f"  {name}", value) for name, value in facts.items()], tablefmt="plain", disable_numparse=True))


def show_table(rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> None:
    """A table with a header."""
    from tabulate import tabulate

    click.echo(tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True, colalign=("right",) * len(headers)))


def run_facts(run: Run) -> dict[str, str]:
    """What a person wants to know of a run first."""
    from wgf.measure import Density

    facts = {
        "method": run.method,
        "status": run.status,
        "time": f"0 … {run.times[-1]:g} in {max(len(run.history['time']) - 1, 0):,} steps, {len(run.times)} frames",
    }
    if run.data is not None:
        facts["loss"] = f"{run.loss[0]:.6g} → {run.loss[-1]:.6g}"
    if run.has_free_energy:
        facts["free energy"] = f"{run.free_energy[0]:.6g} → {run.free_energy[-1]:.6g}"
    if math.isfinite(run.free_energy[-1]):
        facts["free energy" if run.has_free_energy else "loss"] += f"; {_rises(run.largest_rise)}"
        law = "ΔE = −∫∫|∇(G + τ log μ)|² dμ dt" if run.attributes["temperature"] > 0 else "ΔE = −∫∫|∇G|² dμ dt"
        law, what = (law, "E") if run.has_free_energy else ("ΔL = −2∫∫|∇G|² dμ dt", "L")
        facts["balance"] = f"{law} within {run.dissipation_defect:.1e} of the fall of {what}"
    if "transport" in run.history:
        facts["steps"] = _variational_steps(run)
    if isinstance(run.measures[-1], Density):
        facts["mass"] = (
            f"off by {abs(run.mass[-1] - 1):.1e}; smallest cell {run.minimum.min():.2g}; in the outermost cells {run.boundary_mass[-1]:.1e}"
        )
    if run.attributes["kernel_rank"]:
        facts["kernel"] = (
            f"rank {run.attributes['kernel_rank']} for {run.data.size} data, relative error {run.attributes['kernel_error']:.1e}"
        )
    return facts


def _variational_steps(run: Run) -> str:
    """What a JKO run says of its steps."""
    gain = min(
        (-run.history["free_energy"][1:] + run.history["free_energy"][:-1] - run.history["transport"][1:]).tolist(), default=math.nan
    )
    text = f"each lowered its objective by at least {gain:.2g}"
    if "iterations" in run.history:
        rounds = run.history["iterations"][1:]
        text += (
            f"; {rounds.mean():.1f} rounds a step; ε = {run.attributes['epsilon']:.3g}, a plain blur of {run.attributes['plain_blur']:.2g}"
        )
        text += " spared" if json.loads(run.attributes["method_options"])["debiased"] else " added"
    return text


def _rises(largest: float) -> str:
    """What the largest rise in one step, relative to the size of what falls, means."""
    if largest <= 0:
        return "it never rose"
    return f"in one step it rose by {largest:.1e} of its size" + (", which is rounding" if largest <= ROUNDING else "")


def comparison_facts(comparison: Comparison) -> dict[str, str]:
    """What was compared, and the check at t = 0."""
    replicates = comparison.distance["function"].shape[1]
    measured = comparison.mean_square()[:, 0] * comparison.sizes
    deviations = (measured - comparison.theory) / (comparison.standard_error()[:, 0] * comparison.sizes)
    return {
        "limit": str(comparison.attributes["method_summary"]),
        "clouds": f"m = {', '.join(map(str, comparison.sizes))}; {replicates} replicates each, seed {comparison.attributes['seed']}",
        "at t = 0": f"m·E‖φ_m − φ‖² = {measured.mean():.4g}, theory {comparison.theory:.4g}; "
        f"off by {', '.join(f'{deviation:+.1f}' for deviation in deviations)} standard errors",
    }


def show_rates(comparison: Comparison) -> None:
    """The fitted slopes of the mean-square distances, with their intervals, at each save time."""
    rows = []
    for k, time in enumerate(comparison.times):
        row = [f"{time:g}"]
        for name, rate in comparison.rates.items():
            root = comparison.mean_square(name)[-1, k] ** 0.5
            row += [f"{root:.2e}", f"{rate.slope[k]:.3f} [{rate.lower[k]:.3f}, {rate.upper[k]:.3f}]"]
        rows.append(row)
    headers = ["t"]
    for name in comparison.rates:
        headers += [f"{name}, m = {comparison.sizes[-1]}", f"slope of its square ({100 * 0.95:.0f} %)"]
    show_table(rows, headers)
