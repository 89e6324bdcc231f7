"""What a person wants to know of a comparison first, as words; and its numbers as tables, rows and their headers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from wgf.studies.lazy.study import LazyStudy
    from wgf.studies.optimality.certificate import Certificate
    from wgf.studies.pair import Pair
    from wgf.studies.sweeps.comparison import Comparison
    from wgf.studies.sweeps.over_settings import Sweep

Rows = tuple[list[list[str]], list[str]]  # and the headers


def comparison_facts(comparison: Comparison) -> dict[str, str]:
    """What was compared, the check at t = 0, and what limits the distances."""
    sizes, main = comparison.sizes, comparison.main
    facts = {
        "limit": str(comparison.attributes["method_summary"]),
        "networks": f"m = {', '.join(map(str, sizes))}; {comparison.replicates} replicates each, seed {comparison.attributes['seed']}",
    }
    if main != "function":
        return facts
    measured = comparison.mean_square()[:, 0] * sizes
    error = comparison.standard_error()[:, 0] * sizes
    deviations = np.divide(
        measured - comparison.theory, error, out=np.zeros_like(error), where=error > 0
    )  # none where all replicates are the same
    facts["at t = 0"] = (
        f"m·E‖φ_m − φ‖² = {measured.mean():.4g}, theory {comparison.theory:.4g}; "
        f"off by {', '.join(f'{deviation:+.1f}' for deviation in deviations)} standard errors"
    )
    density = comparison.discretisation.get("density", np.full(1, math.nan))[-1]
    if math.isfinite(density):
        facts["density"] = f"of the limit: ∫|μ_h − μ| dθ ≈ {100 * density:.2g} % at t = {comparison.times[-1]:g}"
    return facts | {"grid": _grid_fact(comparison), "bias": _bias_fact(comparison)}


def certificate_facts(certificate: Certificate) -> dict[str, str]:
    """The verdict, what it rests on, and the gap that people know beside it."""
    noisy = certificate.run.problem.noise > 0
    name, time = "E*" if noisy else "L*", f"at t = {certificate.times[-1]:g}"
    residual = "−dE/dt" if "geometry" in certificate.run.attributes else f"∫|∇{'(G + τ log μ)' if noisy else 'G'}|² dμ"
    gap = "τ KL(μ | p_μ)" if noisy else "2(∫G dμ − min G)"
    known = "to rounding" if noisy else f"proven to {certificate.slack:.1g}" if certificate.proven else "not proven: found by descents"
    facts = {
        "verdict": certificate.text,
        "domain": certificate.domain,
        name: f"{certificate.lower:.8g} {'' if noisy else 'at least, '}{known}",
        "gap": f"{gap} = {certificate.gap[-1]:.4g} {time}",
        "residual": f"{residual} = {certificate.residual[-1]:.4g} {time}",
    }
    if not noisy:
        count = len(certificate.minimum.masses)
        facts["best measure"] = f"{count} atom{'s' if count > 1 else ''}"
    return facts


def _grid_fact(comparison: Comparison) -> str:
    """From which m on the computed limit, not the neurons, limits the distance."""
    errors, limiting = comparison.discretisation["function"], comparison.limiting_size
    if not all(map(math.isfinite, errors)):
        return "the error of the limit is not known: its method has no coarser self"
    worst = int(limiting.argmin())
    if errors[worst] == 0:
        return "no error of the limit is seen: half its resolution gives the same"
    text = f"‖φ_h − φ‖ ≈ {errors[worst]:.1e} at t = {comparison.times[worst]:g}: from m ≈ {limiting[worst]:,.2g} on it"
    if limiting[worst] > 10 * comparison.sizes[-1]:
        return text.removesuffix(" it") + " it, not the neurons, would limit the distance"
    return text + " limits the distance, not the neurons: refine it to see the rate beyond"


def _bias_fact(comparison: Comparison) -> str:
    """The same question, asked of the replicates."""
    square, error = (values[-1, -1] for values in comparison.squared_bias())
    root = f"‖E φ_m − φ_h‖ = {max(square, 0.0) ** 0.5:.1e}"
    seen = "" if square > 2 * error else f" (not distinguishable from zero: its square is {square:.1e} ± {error:.1e})"
    return f"at m = {comparison.sizes[-1]}, t = {comparison.times[-1]:g} the mean of the replicates is off by {root}{seen}"


def pair_facts(pair: Pair) -> dict[str, str]:
    """The two methods, and both problems where they are not the same."""
    facts = {name: str(pair.attributes[name]) for name in ("first", "second")}
    if not pair.of_one_problem:
        facts["problems"] = "different ones: what differs may be theirs, not the methods'"
        facts |= {f"problem of the {name}": str(pair.attributes[f"{name}_problem"]) for name in ("first", "second")}
    return facts


def sweep_facts(sweep: Sweep) -> dict[str, str]:
    """What was varied, and which run did best."""
    failed = sum(str(note).startswith("failed") for note in sweep.notes.ravel())
    facts = {"runs": f"{sweep.steps.size} over {' and '.join(sweep.keys)}" + (f"; {failed} failed" if failed else "")}
    if (best := sweep.best) is not None:
        name = "test loss" if np.isfinite(sweep.last("test_loss")[best]) else "loss"
        value = sweep.last(name.replace(" ", "_"))[best]
        where = ", ".join(f"{key} = {setting}" for key, setting in sweep.settings(best).items())
        facts["lowest"] = f"{name} {value:.6g} at {where}"
    return facts


def lazy_facts(study: LazyStudy) -> dict[str, str]:
    """What was trained, and what decides whether it was lazy."""
    centred = {"": "as drawn", "pairs": "in antisymmetric pairs", "subtracted": "less their start"}[str(study.attributes["centred"])]
    scalings = ", ".join(f"{factor:g}·m^(−{p:g})" for p, factor in zip(study.exponents, study.factors, strict=True))
    return {
        "networks": f"m = {', '.join(map(str, study.sizes))}; {study.replicates} replicates each, {centred}",
        "seed": str(study.attributes["seed"]),
        "scales": f"α = {scalings}",
        "κ": "relative scale ‖φ − f*‖‖D²φ‖/‖Dφ‖² at the start: lazy where it is small",
        "deviation": "from the tangent model, ‖φ − φ̄‖/‖φ₀ − f*‖",
    }


def rate_table(comparison: Comparison, name: str) -> Rows:
    """A distance at each save time: its size, the self-distance, and the fitted slope and constant beside what theory says."""
    rate, largest = comparison.rates[name], comparison.sizes[-1]
    root, floor = comparison.mean_square(name)[-1] ** 0.5, comparison.mean_square_floor(name)[-1] ** 0.5
    rows = []
    for k, time in enumerate(comparison.times):
        slope = f"{rate.slope[k]:.3f} [{rate.lower[k]:.3f}, {rate.upper[k]:.3f}]"
        constant = f"{rate.constant[k]:.3g} [{rate.constant_lower[k]:.3g}, {rate.constant_upper[k]:.3g}]"
        expected = "" if math.isnan(rate.expected_constant[k]) else f"{rate.expected_constant[k]:.3g}"
        rows.append([f"{time:g}", f"{root[k]:.2e}", f"{floor[k]:.2e}", slope, f"{rate.expected_slope[k]:.3g}", constant, expected])
    power = "m" if rate.expected_slope[0] == -1 else f"m^{-rate.expected_slope[0]:.2g}"
    return rows, ["t", f"{name}, m = {largest}", "self-distance", "slope of its square (95 %)", "theory", f"{power}·E {name}²", "theory"]


def sweep_table(sweep: Sweep) -> tuple[list[list[str]], list[str], list[str]]:
    """A row for each run: its settings, what it came to, and the number of its note; headers; and the notes."""
    names = [name for name in ("loss", "test_loss", "free_energy", "dissipation") if np.isfinite(sweep.last(name)).any()]
    rows: list[list[str]] = []
    notes: list[str] = []
    for cell in sweep.cells:
        if sweep.notes[cell]:
            notes.append(f"[{len(notes) + 1}] {sweep.notes[cell]}")
        settings = [f"{value:g}" if isinstance(value, float) else str(value) for value in sweep.settings(cell).values()]
        ends = [sweep.last(name)[cell] for name in names]
        numbers = ["–" if math.isnan(end) else f"{end:.6g}" for end in ends]
        mark = f"[{len(notes)}]" if sweep.notes[cell] else ""
        rows.append([*settings, *numbers, f"{sweep.steps[cell]:,}", f"{sweep.seconds[cell]:.3g}", mark])
    return rows, [*sweep.keys, *(name.replace("_", " ") for name in names), "steps", "seconds", ""], notes


def lazy_table(study: LazyStudy) -> Rows:
    """For each scaling and size κ at the start, and what has become of the network at the last time."""
    ends = {"deviation": study.deviation, "kernel change": study.kernel_change, "displacement": study.displacement, "loss": study.loss}
    rows = []
    for e, (p, factor) in enumerate(zip(study.exponents, study.factors, strict=True)):
        for s, m in enumerate(study.sizes):
            means = [study.relative_scale[e, s].mean(), *(values[e, s, :, -1].mean() for values in ends.values())]
            rows.append([f"{p:g}", f"{factor:g}", str(m), *(f"{mean:.3g}" for mean in means)])
    return rows, ["p", "A", "m", "κ at t = 0", *(f"{name} at {study.times[-1]:g}" for name in ends)]


def lazy_slopes(study: LazyStudy) -> Rows:
    """The slopes in m, of each scaling; no rows where there is one size."""
    names = {"relative_scale": "κ", "deviation": "deviation", "kernel_change": "kernel change", "displacement": "displacement"}
    scalings = list(zip(study.exponents, study.factors, strict=True)) if len(study.sizes) > 1 else []
    rows = [
        [f"{p:g}", f"{factor:g}", *("{:.2f} [{:.2f}, {:.2f}]".format(*study.rates[name][e]) for name in names)]
        for e, (p, factor) in enumerate(scalings)
    ]
    return rows, ["p", "A", *(f"slope of {label} in m (95 %)" for label in names.values())]


def pair_table(pair: Pair) -> Rows:
    """The distances at each time, each beside what two equal measures would show."""
    rows = []
    for k, time in enumerate(pair.times):
        row = [f"{time:g}"]
        for name in pair.distance:
            row += [f"{pair.distance[name][k]:.3e}", "" if math.isnan(pair.floor[name][k]) else f"{pair.floor[name][k]:.1e}"]
        rows.append(row)
    return rows, ["t", *(header for name in pair.distance for header in (name, "if equal"))]
