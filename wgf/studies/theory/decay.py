"""How fast the free energy falls to its minimum: measured from a run, and the lower bound from a logarithmic Sobolev inequality.

With noise, E − E_* falls exponentially where every proximal Gibbs measure π_μ ∝ e^{−G(·; μ)/τ} satisfies the inequality
KL(ν|π_μ) ≤ (1/2α) ∫|∇ log dν/dπ_μ|² dν with one constant α [Nitanda, Wu & Suzuki, AISTATS 2022; Chizat, TMLR 2022]:

    dE/dt = −τ² ∫|∇ log dμ/dπ_μ|² dμ ≤ −2ατ² KL(μ|π_μ) ≤ −2ατ (E − E_*),

the last step because ½L is convex in μ. Hence E − E_*, and with it the dissipation, falls at least at the rate 2ατ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wgf.errors import InputError
from wgf.measures.measure import Measure
from wgf.problems.problem import Problem
from wgf.problems.regression import RegressionEnergy
from wgf.runs.run import Run

LATE, LOST = 1e-6, 1e-16  # of the largest dissipation: the fall between them is fitted, below it is rounding
FEWEST = 5  # steps, to fit a line


def decay_rate(run: Run) -> float:
    """The rate r at which the dissipation falls like e^{−rt} at late times, from the history of a run; NaN if it is too short.

    The line is fitted to log ∫|∇(G + τ log μ)|² dμ between LATE and LOST of its largest value. Implicit steps damp more than the
    flow does if r·dt is not small: give the method a `dt`.
    """
    time, dissipation = run.history["time"], run.history["dissipation"]
    late = (dissipation < LATE * dissipation.max()) & (dissipation > LOST * dissipation.max())
    return float(-np.polyfit(time[late], np.log(dissipation[late]), 1)[0]) if late.sum() >= FEWEST else float("nan")


def decay_bound(problem: Problem, measures: Sequence[Measure]) -> float:
    """2λ e^{−osc/τ} ≤ the rate at which E falls, where osc is the largest oscillation of ⟨g(θ), φ_μ − f*⟩ over the points of `measures`.

    G = ⟨g, φ_μ − f*⟩ + ½λ|θ|² is a bounded function beside a λ-convex one, whose Gibbs measure has the constant λ/τ [Bakry &
    Émery 1985], on all of space and on any convex box; the bounded one costs e^{−osc/τ} [Holley & Stroock 1987]. `measures` are
    the frames of a run: between them the oscillation is taken to be no larger.

    Raises InputError for problems without noise, or without a penalty λ|θ|².
    """
    energy = problem.energy
    if not (problem.noise > 0 and isinstance(energy, RegressionEnergy) and energy.penalty.strength > 0 and energy.penalty.function is None):
        raise InputError("the bound is for networks with noise and a penalty λ|θ|²: temperature > 0 and penalty = λ > 0")
    oscillation = max(float(np.ptp(energy.misfit(measure.points, measure))) for measure in measures)
    return 2.0 * energy.penalty.strength * float(np.exp(-oscillation / problem.noise))
