"""What a person wants to know of a run first, as words."""

from __future__ import annotations

import math

import numpy as np

from wgf.runs.rest import ROUNDING, residual_in_words
from wgf.runs.run import LIKELY, Run

EXACT, COARSER = "exact averages", "coarser runs"  # what the error of a density is estimated from
NEARLY = 0.99  # of the last test loss: a lowest one below that is reported
MOST_CHANGES = 4  # of the scheme for the noise, that are listed one by one


def run_facts(run: Run) -> dict[str, str]:
    """What a person wants to know of a run first."""
    from wgf.measures.measure import Density, MeshDensity

    growth = run.attributes.get("growth", 0.0)
    facts = {
        "method": run.method,
        "status": run.status,
        "time": f"{run.times[0]:g} … {run.times[-1]:g} in {max(len(run.history['time']) - 1, 0):,} steps, {len(run.times)} frames",
    }
    if "rest_residual" in run.attributes:
        facts["rest"] = _rest(run)
    if run.data is not None:
        facts["loss"] = f"{run.loss[0]:.6g} → {run.loss[-1]:.6g}"
        if run.has_test:
            facts["test loss"] = _test_loss(run)
        if run.data.standardisation:
            facts["fit"] = _fit(run)
    if run.has_free_energy:
        facts["free energy"] = f"{run.free_energy[0]:.6g} → {run.free_energy[-1]:.6g}"
    if math.isfinite(run.free_energy[-1]):
        facts["free energy" if run.has_free_energy else "loss"] += f"; {_rises(run.largest_rise)}"
        facts["balance"] = _balance(run, _law(run, growth), "E" if run.has_free_energy else "L")
    if "split" in run.history:
        facts["scheme"] = _schemes(run)
    if len(run.history.get("gain", ())) > 1:
        facts["steps"] = _variational_steps(run)
    if len(run.history.get("sweeps", ())) > 1:
        facts["sweeps"] = f"{run.history['sweeps'][1:].mean():.1f} a step"
    if issubclass(run.measure_kind, Density | MeshDensity):
        facts["mass"] = f"{run.mass[0]:.6g} → {run.mass[-1]:.6g}" if growth else f"off by {abs(run.mass[-1] - 1):.1e}"
        facts["mass"] += f"; smallest cell {run.minimum.min():.2g}; in the outermost cells {run.boundary_mass[-1]:.1e}"
    if "loss_error" in run.attributes:
        facts["grid"] = _loss_error(run)
    elif issubclass(run.measure_kind, Density) and "density_error" not in run.attributes:
        facts["grid"] = "how wrong the loss is for its cells was not estimated"
    if "density_error" in run.attributes:
        facts["density"] = _density_error(run)
    if "certificate" in run.attributes:
        facts["minimum"] = str(run.attributes["certificate"])
    if "unresolved_share" in run.attributes:
        time, share = run.attributes["unresolved_time"], run.attributes["unresolved_share"]
        facts["resolution"] = f"from t = {time:.4g} on in a cluster narrower than a cell, with {share:.0%} of the mass when last seen"
    if run.attributes["kernel_rank"]:
        what = "of W" if run.data is None else f"for {run.data.size} data"
        facts["kernel"] = f"rank {run.attributes['kernel_rank']} {what}, relative error {run.attributes['kernel_error']:.1e}"
    return facts


def _test_loss(run: Run) -> str:
    """The loss on the data that were kept aside: its start, its end, and where it was lowest, if that was long before."""
    values, lowest = run.test_loss, int(np.argmin(run.test_loss))
    course = f"{values[0]:.6g} → {values[-1]:.6g} on {run.data.test.size} samples kept aside"
    return course if values[lowest] > NEARLY * values[-1] else f"{course}; lowest at t = {run.times[lowest]:.3g}, {values[lowest]:.6g}"


def _fit(run: Run) -> str:
    """How far predictions are from targets, in the unit of these."""
    data, unit = run.data, run.data.standardisation.target_scale
    error = f"off by {unit * data.norm(run.prediction[-1] - data.targets):.4g} (root mean square) in units of {data.target_name or 'y'}"
    error += f", {unit * run.test_loss[-1] ** 0.5:.4g} on those kept aside" if run.has_test else ""
    return f"{error}; their standard deviation is {unit:.4g}, by which the data are standardised"


def _loss_error(run: Run) -> str:
    """How wrong the loss is for the cells, in words."""
    error, loss = float(run.attributes["loss_error"]), abs(float(run.loss[-1]))
    text = f"the loss is right to {error:.1e}" + (f", {100 * error / loss:.1g} % of it" if loss else "")
    if run.attributes["loss_settled"]:
        return f"{text}, as estimated from coarser runs"
    return f"not in its asymptotic range: {text} at best; losses on coarser cells do not approach it"


def _density_error(run: Run) -> str:
    """How wrong the density is: the last one on a grid, or all of a pushforward, which reports it itself."""
    error, source = float(run.attributes["density_error"]), run.attributes.get("density_error_from")
    if source is None:
        return f"right to {error:.1e} in L¹, as estimated"
    return (
        f"∫|μ − μ_ref| dθ = {100 * error:.2g} % at t = {run.times[-1]:g}, {'against' if source == EXACT else 'as estimated from'} {source}"
    )


def _variational_steps(run: Run) -> str:
    """What a JKO run says of its steps."""
    options, gains = run.options, run.history["gain"][1:]
    objective = "its linearised objective" if options.get("linearised") else "its objective"
    risen = int((gains < 0).sum())
    if not risen:
        text = f"each lowered {objective} by at least {gains.min():.2g}"
    else:
        text = f"{risen} of {len(gains)} may have raised {objective}, by {-gains.min():.2g} at most, which is within their accuracy"
    if "iterations" in run.history:
        text += f"; {run.history['iterations'][1:].mean():.1f} iterations per step; entropic smoothing, "
        text += f"std {run.attributes['plain_blur']:.2g}, " + (
            "removed by debiasing" if options["debiased"] else "not removed by debiasing"
        )
    return text


def _schemes(run: Run) -> str:
    """Which of the schemes for the noise took the steps, for example `split, gibbs from t = 0.292`."""
    split = run.history["split"][: max(1, len(run.history["split"]) - 1)]  # the last state has no step from it
    names, changes = [("gibbs", "split")[int(part)] for part in split], np.flatnonzero(np.diff(split)) + 1
    if len(changes) > MOST_CHANGES:
        return f"gibbs and split in turn, {len(changes)} changes, split in {split.mean():.0%} of the steps"
    return ", ".join([names[0], *(f"{names[k]} from t = {run.history['time'][k]:.3g}" for k in changes)])


def _rest(run: Run) -> str:
    """Whether, when, and how nearly a run came to rest."""
    time, residual, tolerance = (float(run.attributes[f"rest_{name}"]) for name in ("time", "residual", "tolerance"))
    reached = f"at rest at t = {time:.4g}" if math.isfinite(time) else f"not at rest by t = {run.times[-1]:g}"
    return f"{reached}: {residual_in_words(residual)}, tolerance {tolerance:g}"


def _law(run: Run, growth: float) -> str:
    """At which rate E falls, or L."""
    fall = "ΔE = −" if run.has_free_energy else "ΔL = −2"
    if "geometry" in run.attributes:
        return f"{fall}∫D dt, D the dissipation of {run.attributes['geometry']},"
    force = "∇(G + τ log μ)" if run.has_free_energy and run.attributes["temperature"] > 0 else "∇G"
    return f"{fall}∫∫|{force}|² dμ dt" + (f" − {2 * growth:g}∫∫G² dμ dt" if growth else "")


def _balance(run: Run, law: str, what: str) -> str:
    """How well what falls and what is dissipated agree."""
    if run.stands_still:
        return _at_rest(run, what)
    if run.out_of_balance:
        return f"{law} is off by {run.dissipation_defect:.0%} of the fall of {what}: {LIKELY}"
    return f"{law} within {run.dissipation_defect:.1e} of the fall of {what}"


def _at_rest(run: Run, what: str) -> str:
    changed = float(np.ptp(run.history["free_energy"])) / run.energy_scale
    return f"at rest: {what} changed by {changed:.1e} of its size, too little to distinguish its balance from the errors of cells and steps"


def _rises(largest: float) -> str:
    """What the largest rise in one step, relative to the size of what falls, means."""
    if largest <= 0:
        return "it never rose"
    return f"in one step it rose by {largest:.1e} of its size" + (", which is rounding" if largest <= ROUNDING else "")
