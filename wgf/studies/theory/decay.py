"""How fast the free energy falls to its minimum: measured from a run, and the lower bound from a logarithmic Sobolev inequality.

With noise, E − E_* falls exponentially where every proximal Gibbs measure π_μ ∝ e^{−G(·; μ)/τ} satisfies the inequality
KL(ν|π_μ) ≤ (1/2α) ∫|∇ log dν/dπ_μ|² dν with one constant α [Nitanda, Wu & Suzuki, AISTATS 2022; Chizat, TMLR 2022]:

    dE/dt = −τ² ∫|∇ log dμ/dπ_μ|² dμ ≤ −2ατ² KL(μ|π_μ) ≤ −2ατ (E − E_*),

the last step because ½L is convex in μ. Hence E − E_*, and with it the dissipation, falls at least at the rate 2ατ.

G = ⟨g, φ_μ − f*⟩ + ½λ|θ|² is a bounded function beside a λ-convex one, whose Gibbs measure has the constant λ/τ [Bakry & Émery 1985] on
every convex domain with walls; the bounded one costs e^{−osc/τ} [Holley & Stroock 1987]. Where axes wrap around the same holds, for a
function on the torus is one on the box, with the same integrals. A domain that is not convex may have any constant, however small.

The oscillation is bounded from above over the whole domain, by intervals: where θ lies in a box, ⟨a, x_i⟩ + b lies in an interval, hence
σ of it, and c times that, and the sum over the data. Boxes that may hold the largest value are halved until they cannot hold much more.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy.spatial import ConvexHull

from wgf.errors import InputError
from wgf.measures.measure import Density, Measure, MeshDensity
from wgf.networks.activations import ACTIVATIONS, Activation
from wgf.networks.neuron import Neuron
from wgf.problems.problem import Problem, check_problem
from wgf.problems.regression import RegressionEnergy, blocks
from wgf.runs.run import Run, check_run

LATE, LOST = 1e-6, 1e-16  # of the largest dissipation: the fall between them is fitted, below it is rounding
FEWEST = 5  # steps, to fit a line
CLOSE = 0.005  # of τ: by which the bound of an extreme value may exceed it, while there are at most MOST_BOXES boxes
MOST_BOXES = 2**17
CONVEX = 1e-9  # relative: by which the volume of the cells may fall short of that of their convex hull
TURNS = {  # values at which σ turns: at the first place, and then in each period; the other activations are monotone
    "gaussian": ((1.0, 0.0, np.finfo(float).max),),
    "cosine": ((1.0, 0.0, 2 * np.pi), (-1.0, np.pi, 2 * np.pi)),
}

Boxes = tuple[np.ndarray, np.ndarray]  # lower and upper corners, each (N, p)


def decay_rate(run: Run) -> float:
    """The rate r at which the dissipation falls like e^{−rt} at late times.

    The line is fitted to log ∫|∇(G + τ log μ)|² dμ where it has fallen far enough and is not yet lost in rounding. Implicit steps damp
    more than the flow does if r·dt is not small: give the method a `dt`.

    Parameters
    ----------
    run : Run
        with a history

    Returns
    -------
    float
        r, per unit of time; NaN if the history is too short
    """
    check_run(run)
    time, dissipation = run.history["time"], run.history["dissipation"]
    late = (dissipation < LATE * dissipation.max()) & (dissipation > LOST * dissipation.max())
    return float(-np.polyfit(time[late], np.log(dissipation[late]), 1)[0]) if late.sum() >= FEWEST else float("nan")


def decay_bound(problem: Problem, measures: Sequence[Measure]) -> float:
    """2λ e^{−osc/τ} ≤ the rate at which E falls, where osc bounds the oscillation of ⟨g(θ), φ_μ − f*⟩ over the domain of the measures.

    Parameters
    ----------
    problem : Problem
        with noise and a penalty λ|θ|²
    measures : sequence of Density or MeshDensity
        the frames of a run: between them the oscillation is taken to be no larger

    Returns
    -------
    float
        the bound, per unit of time

    Raises
    ------
    InputError
        for problems without noise, without a penalty λ|θ|², or with a neuron or an activation of one's own, whose range over a box is
        not known; for empirical measures, which have neither a domain nor a free energy; and for domains that are not convex
    """
    check_problem(problem)
    energy = problem.energy
    if not (problem.noise > 0 and isinstance(energy, RegressionEnergy) and energy.penalty.strength > 0 and energy.penalty.function is None):
        raise InputError("the bound is for networks with noise and a penalty λ|θ|²: temperature > 0 and penalty = λ > 0")
    if not (isinstance(energy.neuron, Neuron) and ACTIVATIONS.get(energy.neuron.sigma.name) is energy.neuron.sigma):
        raise InputError(
            f"the bound is for neurons c·σ(⟨a, x⟩ + b) with an activation of wgf ({', '.join(ACTIVATIONS)}), whose range over a box is "
            f"known; that of {energy.neuron!r} is not"
        )
    if not isinstance(measures, Sequence) or not measures:
        raise InputError("the bound is for the frames of a run: give at least one measure, in a list")
    oscillation = max(_oscillation(energy, measure, CLOSE * problem.noise) for measure in measures)
    bound: float = 2.0 * energy.penalty.strength * float(np.exp(-oscillation / problem.noise))
    return bound


def _oscillation(energy: RegressionEnergy, measure: Measure, close: float) -> float:
    """A bound of the oscillation of ⟨g(θ), φ_μ − f*⟩ over the domain of a density."""
    residual, boxes = energy.residual(measure), _cells(measure)
    return sum(_largest(energy.neuron, energy.data.inputs, sign * residual, boxes, close) for sign in (1.0, -1.0))


def _cells(measure: Measure) -> Boxes:
    """Boxes that cover the domain of a density: its cells, or the least boxes around them."""
    if isinstance(measure, Density):
        points, half = measure.points, 0.5 * measure.grid.spacing
        return points - half, points + half
    if not isinstance(measure, MeshDensity):
        raise InputError(
            f"the bound is for densities, and {measure!r} has neither a domain nor a free energy: take the frames of a run of the same "
            "problem by FiniteVolume, JKO or FiPyMesh"
        )
    mesh = measure.mesh
    if mesh.cell_dim < mesh.dim:
        raise InputError(f"the bound is for convex domains, and the {mesh.title or 'mesh'} is curved: take a box or a disc")
    hull = float(mesh.upper[0] - mesh.lower[0]) if mesh.dim == 1 else ConvexHull(mesh.vertices).volume
    if mesh.volumes.sum() < (1.0 - CONVEX) * hull:
        raise InputError(
            f"the bound is for convex domains, and the {mesh.title or 'mesh'} fills {mesh.volumes.sum() / hull:.1%} of its convex hull: "
            "take a box or a disc"
        )
    corners = mesh.vertices[mesh.cells]
    return corners.min(axis=1), corners.max(axis=1)


def _largest(neuron: Neuron, inputs: np.ndarray, u: np.ndarray, boxes: Boxes, close: float) -> float:
    """An upper bound of Σ_i u_i g(θ; x_i) over all θ in the boxes, too large by `close` at most unless they become too many."""
    best = -np.inf
    while True:
        lower, upper = boxes
        middles, bounds = np.empty(len(lower)), np.empty(len(lower))
        for rows in blocks(len(lower), len(u)):
            middles[rows] = neuron.value(0.5 * (lower[rows] + upper[rows]), inputs) @ u
            low, high = _neuron_range(neuron, (lower[rows], upper[rows]), inputs)
            bounds[rows] = np.where(u > 0, high, low) @ u
        best = max(best, float(middles.max()))
        undecided = bounds > best + close
        parts = 2 ** lower.shape[1]
        if not undecided.any():
            return best + close
        if parts * np.count_nonzero(undecided) > max(MOST_BOXES, parts):
            return float(bounds.max())
        boxes = _halved((lower[undecided], upper[undecided]))


def _halved(boxes: Boxes) -> Boxes:
    """Each box cut into 2^p along all axes."""
    lower, upper = boxes
    half = 0.5 * (upper - lower)
    corners = [lower + half * np.array(side) for side in product((0.0, 1.0), repeat=lower.shape[1])]
    found = np.concatenate(corners)
    return found, found + np.tile(half, (len(corners), 1))


def _neuron_range(neuron: Neuron, boxes: Boxes, inputs: np.ndarray) -> Boxes:
    """Bounds of g(θ; x_i) for θ in each box: (N, n) from below and from above."""
    (c_low, a_low, b_low), (c_high, a_high, b_high) = neuron.split(boxes[0]), neuron.split(boxes[1])
    middle = 0.5 * (a_low + a_high) @ inputs.T + 0.5 * (b_low + b_high)[:, None]
    reach = 0.5 * (a_high - a_low) @ np.abs(inputs).T + 0.5 * (b_high - b_low)[:, None]
    values = _range(neuron.sigma, middle - reach, middle + reach)
    products = [c[:, None] * value for c in (c_low, c_high) for value in values]
    return np.minimum.reduce(products), np.maximum.reduce(products)


def _range(sigma: Activation, low: np.ndarray, high: np.ndarray) -> Boxes:
    """The least and the largest value of σ on each interval: at its ends, or where σ turns between them."""
    ends = sigma.value(low), sigma.value(high)
    least, largest = np.minimum(*ends), np.maximum(*ends)
    for value, first, period in TURNS.get(sigma.name, ()):
        turns = np.floor((high - first) / period) > np.floor((low - first) / period)
        least, largest = np.where(turns, np.minimum(least, value), least), np.where(turns, np.maximum(largest, value), largest)
    return least, largest
