"""Whether a run, or a comparison, keeps what it should: each with a word, the number behind it, and what it means."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wgf.measures.measure import Cloud, Density
from wgf.plots.report.parts import FAIR, GOOD, POOR, UNKNOWN, Verdict
from wgf.runs.rest import ROUNDING
from wgf.runs.run import Run
from wgf.studies.sweeps.comparison import Comparison

MASS = (1e-8, 1e-3)  # up to the first it is good, up to the second fair
BALANCE = (0.01, 0.1)
EDGE = (1e-6, 1e-4)  # of the mass, in the outermost cells
LOSS = (0.005, 0.02)  # of the loss, or of SMALL times the largest one
SMALL = 1e-3
DENSITY = (0.01, 0.05)  # of the mass
SIGMAS = (2.0, 3.0)
CERTIFIED = {"converged": GOOD, "moving": FAIR, "stalled": POOR}


def word_of(value: float, limits: tuple[float, float]) -> str:
    """GOOD, FAIR or POOR; UNKNOWN for what is no number."""
    return UNKNOWN if math.isnan(value) else GOOD if value <= limits[0] else FAIR if value <= limits[1] else POOR


def run_verdicts(run: Run) -> list[Verdict]:
    """Those of a run."""
    makers = (_status, _mass, _sign, _decay, _balance, _edges, _loss_error, _density_error, _resolution, _rest, _certificate)
    return [verdict for make in makers if (verdict := make(run)) is not None]


def _brief(value: float) -> str:
    return f"{value:.1e}" if value else "0"


def _number(run: Run, name: str) -> float:
    return float(run.attributes.get(name, math.nan))


def _status(run: Run) -> Verdict:
    words = {"complete": GOOD, "running": FAIR, "interrupted": FAIR}
    return Verdict(
        "run", words.get(run.status, POOR), run.status, f"up to t = {run.times[-1]:g}, in {len(run.history['time']) - 1:,} steps"
    )


def _mass(run: Run) -> Verdict:
    if run.attributes.get("growth"):
        return Verdict("mass", GOOD, f"{run.mass[0]:.4g} → {run.mass[-1]:.4g}", "of this problem it grows and shrinks")
    off = float(np.abs(run.mass - 1).max())
    return Verdict("mass", word_of(off, MASS), _brief(off), "how far ∫ dμ is from one, at worst")


def _sign(run: Run) -> Verdict:
    least = float(run.minimum.min())
    what = "the smallest weight" if isinstance(run.measures[-1], Cloud) else "the smallest cell average"
    return Verdict("sign", GOOD if least >= 0 else POOR, f"{least:.2g}", f"{what}: a law has no negative ones")


def _decay(run: Run) -> Verdict | None:
    name = "energy decay" if run.has_free_energy else "loss decay"
    if not math.isfinite(run.free_energy[-1]):
        return Verdict(name, UNKNOWN, "–", "neurons with noise have no entropy, so that E is not known")
    if not math.isfinite(rise := run.largest_rise):
        return None
    meaning = "it never rose" if rise <= 0 else "the largest rise in one step, of its size" + (": rounding" if rise <= ROUNDING else "")
    return Verdict(name, GOOD if rise <= ROUNDING else POOR, _brief(max(rise, 0.0)), meaning)


def _balance(run: Run) -> Verdict | None:
    if not math.isfinite(run.free_energy[-1]):
        return None
    if run.stands_still:
        return Verdict("dissipation", GOOD, "at rest", "E changed by too little to distinguish its balance from errors")
    what = "E" if run.has_free_energy else "L"
    meaning = f"how far the fall of {what} is from what is dissipated, of the fall"
    return Verdict("dissipation", word_of(run.dissipation_defect, BALANCE), f"{run.dissipation_defect:.1e}", meaning)


def _edges(run: Run) -> Verdict | None:
    if isinstance(run.measures[-1], Cloud):
        return None
    share = float(run.boundary_mass[-1])
    if run.options.get("edge_tolerance") == 1 or share == 0:
        return Verdict("edges", GOOD, _brief(share), "mass in the outermost cells; walls are meant" if share else "no mass at the edge")
    return Verdict("edges", word_of(share, EDGE), _brief(share), "mass in the outermost cells: where it is much, the box is too small")


def _loss_error(run: Run) -> Verdict | None:
    if "loss_error" not in run.attributes:
        return None
    error, loss = _number(run, "loss_error"), abs(float(run.loss[-1]))
    share = error / max(loss, SMALL * float(run.loss.max())) if run.loss.max() > 0 else math.nan
    word = word_of(share, LOSS) if run.attributes.get("loss_settled", True) else POOR
    relative = f"{100 * error / loss:.1g} % of the last loss" if loss else "of the last loss"
    return Verdict("loss error", word, f"{error:.1e}", f"{relative}, which is how wrong it is for its cells, as estimated")


def _density_error(run: Run) -> Verdict | None:
    if "density_error" in run.attributes:
        error = _number(run, "density_error")
        return Verdict("density error", word_of(error, DENSITY), f"{100 * error:.2g} %", f"∫|μ − μ_ref| dθ at t = {run.times[-1]:g}")
    if isinstance(run.measures[-1], Density):
        return Verdict("density error", UNKNOWN, "–", "it was not estimated: wgf run does, where the method has a coarser self")
    return None


def _resolution(run: Run) -> Verdict | None:
    if "unresolved_share" not in run.attributes:
        return None
    share, time = _number(run, "unresolved_share"), _number(run, "unresolved_time")
    return Verdict("resolution", POOR, f"{share:.0%}", f"of the mass, in a cluster narrower than a cell from t = {time:.4g} on")


def _rest(run: Run) -> Verdict | None:
    if "rest_residual" not in run.attributes:
        return None
    residual, tolerance = _number(run, "rest_residual"), _number(run, "rest_tolerance")
    return Verdict("rest", GOOD if residual <= tolerance else FAIR, f"{residual:.1e}", f"what still moves; at rest up to {tolerance:g}")


def _certificate(run: Run) -> Verdict | None:
    if run.data is None:
        return None
    if "certificate_verdict" not in run.attributes:
        return Verdict("certificate", UNKNOWN, "–", "how far from the best measure is not known: wgf certify FILE.h5 finds out")
    verdict = str(run.attributes["certificate_verdict"])
    return Verdict(
        "certificate",
        CERTIFIED.get(verdict, UNKNOWN),
        f"{_number(run, 'certificate_bound'):.2g}",
        str(run.attributes.get("certificate", "")),
    )


def comparison_verdicts(comparison: Comparison) -> list[Verdict]:
    """Whether slopes are those of theory, and the limit is finer than what is compared with it."""
    verdicts = [_slope(name, rate) for name, rate in comparison.rates.items()]
    error = comparison.standard_error()[:, 0] if comparison.main == "function" else np.zeros(0)
    if error.size and (error > 0).all():
        off = float(np.abs((comparison.mean_square()[:, 0] * comparison.sizes - comparison.theory) / (error * comparison.sizes)).max())
        limits = (SIGMAS[0] + 0.5, SIGMAS[1] + 0.5)  # the largest of several
        verdicts.append(
            Verdict("start", word_of(off, limits), f"{off:.1f} σ", "how far m·E‖φ_m − φ‖² at t = 0 is from its known value, at worst")
        )
    if comparison.main in comparison.discretisation and np.isfinite(size := float(np.nanmin(comparison.limiting_size))):
        ratio = size / float(comparison.sizes[-1])
        word = GOOD if ratio > 10 else FAIR if ratio > 1 else POOR
        verdicts.append(
            Verdict(
                "limit", word, f"m ≈ {float(f'{size:.2g}'):,.0f}", "from where on the error of the limit, not the neurons, is what is seen"
            )
        )
    return verdicts


def _slope(name: str, rate: Any) -> Verdict:
    """By how many half widths of its interval a slope differs from theory."""
    slope, low, high, expected = (float(values[-1]) for values in (rate.slope, rate.lower, rate.upper, rate.expected_slope))
    half = 0.5 * (high - low)
    away = abs(slope - expected) / half if half > 0 else math.nan
    meaning = f"slope of its mean square in m at the end, 95 % [{low:.2f}, {high:.2f}]; theory {expected:.3g}"
    return Verdict(f"rate of {name}", word_of(away, (1.0, 2.0)), f"{slope:.2f}", meaning)
