"""What commands write on the screen."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

ROUNDING = 1e-14  # relative; a rise below it is no rise

if TYPE_CHECKING:
    from wgf.runs.run import Run
    from wgf.studies.pair import Pair
    from wgf.studies.sweeps.comparison import Comparison


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
    from wgf.measures.measure import Density, MeshDensity

    growth = run.attributes.get("growth", 0.0)
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
        law += f" − {2 * growth:g}∫∫G² dμ dt" if growth else ""
        facts["balance"] = f"{law} within {run.dissipation_defect:.1e} of the fall of {what}"
    if "transport" in run.history:
        facts["steps"] = _variational_steps(run)
    if len(run.history.get("sweeps", ())) > 1:
        facts["sweeps"] = f"{run.history['sweeps'][1:].mean():.1f} a step"
    if isinstance(run.measures[-1], Density | MeshDensity):
        facts["mass"] = f"{run.mass[0]:.6g} → {run.mass[-1]:.6g}" if growth else f"off by {abs(run.mass[-1] - 1):.1e}"
        facts["mass"] += f"; smallest cell {run.minimum.min():.2g}; in the outermost cells {run.boundary_mass[-1]:.1e}"
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
    """What was compared, the check at t = 0, and what limits the distances."""
    sizes, main = comparison.sizes, comparison.main
    facts = {
        "limit": str(comparison.attributes["method_summary"]),
        "clouds": f"m = {', '.join(map(str, sizes))}; {comparison.replicates} replicates each, seed {comparison.attributes['seed']}",
    }
    if main != "function":
        return facts
    measured = comparison.mean_square()[:, 0] * sizes
    deviations = (measured - comparison.theory) / (comparison.standard_error()[:, 0] * sizes)
    facts["at t = 0"] = (
        f"m·E‖φ_m − φ‖² = {measured.mean():.4g}, theory {comparison.theory:.4g}; "
        f"off by {', '.join(f'{deviation:+.1f}' for deviation in deviations)} standard errors"
    )
    return facts | {"grid": _grid_fact(comparison), "bias": _bias_fact(comparison)}


def _grid_fact(comparison: Comparison) -> str:
    """From which m on the computed limit, not the neurons, limits the distance."""
    errors, limiting = comparison.discretisation["function"], comparison.limiting_size
    if not all(map(math.isfinite, errors)):
        return "the error of the limit is not known: its method has no coarser self"
    worst = int(limiting.argmin())
    text = f"‖φ_h − φ‖ ≈ {errors[worst]:.1e} at t = {comparison.times[worst]:g}: from m ≈ {limiting[worst]:,.2g} on it"
    if limiting[worst] > 10 * comparison.sizes[-1]:
        return text.removesuffix(" it") + " it, not the neurons, would limit the distance"
    return text + " limits the distance, not the neurons: refine it to see the rate beyond"


def _bias_fact(comparison: Comparison) -> str:
    """The same question, asked of the replicates."""
    square, error = (values[-1, -1] for values in comparison.squared_bias())
    root = f"‖E φ_m − φ_h‖ = {max(square, 0.0) ** 0.5:.1e}"
    seen = "" if square > 2 * error else f" (not told from zero: its square is {square:.1e} ± {error:.1e})"
    return f"at m = {comparison.sizes[-1]}, t = {comparison.times[-1]:g} the mean of the clouds is off by {root}{seen}"


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


def show_pair(pair: Pair) -> None:
    """The distances of two runs at each time, each beside what two equal measures would show."""
    show_facts(str(pair.attributes["title"]) or "two runs", {"first": pair.attributes["first"], "second": pair.attributes["second"]})
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
