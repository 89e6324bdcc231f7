"""How far a run is from the best measure, proven, and what keeps it away.

At each frame the duality gap 2(∫G dμ − min G), which people know, and the best bound of L − L* that is known: L less the largest lower
bound D of L* (dual.py). D is taken at the residual of the best measure (minimum.py), where it is tight, and at the best multiple of the
run's own last residual; its minimum over θ is proven on the domain (search.py). With noise the bounds are those of E − E* on the cells of
the run (gibbs.py), and the gap is τ KL(μ | p_μ).

The verdict:
converged   the bound is at most CONVERGED ‖f*‖²
moving      not so, but at the rate of its last frame L would lose MOVING of the bound in as long a time again
stalled     neither. Mass is missing where G is lowest: with a share s of the mass moved to that θ,
            L((1 − s)μ + sδ_θ) = L − 2s(∫G dμ − G(θ)) + s²‖g(θ) − φ‖², which is least at s = (∫G dμ − G(θ))/‖g(θ) − φ‖².
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from wgf.errors import InputError, RunError, WgfError, as_path, warn
from wgf.measures.measure import Density, Measure, MeshDensity
from wgf.networks.features import linear_algebra
from wgf.problems.regression import RegressionEnergy, network
from wgf.ranks.communicator import current
from wgf.registers import Shown, load
from wgf.runs.hdf5 import opened
from wgf.runs.observers.progress import preparing
from wgf.runs.reader import open_run
from wgf.runs.run import Run, check_run
from wgf.studies.optimality.domain import Domain, domain_of_run
from wgf.studies.optimality.dual import LowerBound, best_multiple, lower_bound, mean_potential
from wgf.studies.optimality.gibbs import OnCells
from wgf.studies.optimality.landscape import Landscape
from wgf.studies.optimality.minimum import SHARE, minimise
from wgf.studies.optimality.search import Search

CONVERGED = 1e-3  # of ‖f*‖²
MOVING = 0.1  # of the bound
QUICK = 5000  # data × 2^p of a run that is certified unasked
SEEN = 1e-6  # of the least loss, above which an error of cells is reported
LEAST = 1e-12  # of ‖f*‖², below which no bound is needed
GROUP = "certificate"


@dataclass(frozen=True, repr=False)
class Certificate(Shown):
    """How far each frame of a run is from the best measure on the domain.

    Attributes
    ----------
    times : array (frames,)
        the save times
    gap : array (frames,)
        2(∫G dμ − min G); with noise τ KL(μ | p_μ)
    bound : array (frames,)
        the best bound of L − L*, with noise of E − E*
    residual : array (frames,)
        ∫|∇G|² dμ, with noise ∫|∇(G + τ log μ)|² dμ
    lowest : array (frames, p)
        where G(·; μ) is lowest
    lower : float
        the lower bound of L*, or E*, that is behind `bound`
    slack : float
        by how much it is lower than what is known without a proof (0 with noise)
    proven : bool
        whether it is, on the whole domain
    verdict : str
        "converged", "moving" or "stalled"
    share, gain : float
        of the mass that is better moved to the last lowest θ, and what L gains
    text : str
        the verdict in words
    domain : str
        the domain in words
    minimum : Cloud or Density
        the best measure that was found, with noise a density
    run : Run
        the run it is of
    """

    times: np.ndarray
    gap: np.ndarray
    bound: np.ndarray
    residual: np.ndarray
    lowest: np.ndarray
    lower: float
    slack: float
    proven: bool
    verdict: str
    share: float
    gain: float
    text: str
    domain: str
    minimum: Measure
    run: Run

    def plot(self, path: str | Path | None = None) -> Any:
        """Bounds against t, and G on the support of the last measure; returns the matplotlib figure."""
        return load("wgf.plots:draw")(self, path)

    def __repr__(self) -> str:
        return f"Certificate({self.text})"


@dataclass(frozen=True)
class Bounds:
    """What certify needs of either kind, without noise and with it; names as in Certificate."""

    gap: np.ndarray
    bound: np.ndarray
    lowest: np.ndarray
    lower: float
    slack: float
    proven: bool
    share: float
    gain: float
    minimum: Measure


def certify(
    run: Run | str | Path, lower: Sequence[float] | float | None = None, upper: Sequence[float] | float | None = None
) -> Certificate:
    """How far each frame of a run is from the best measure on a domain; it is kept in the run's file.

    Parameters
    ----------
    run : Run or str or path
        a run of a network that knows its problem, or its file
    lower, upper : float or sequence of float, optional
        the domain; by default the box of the method, or all θ where there is a penalty |θ|², or the cells that the run has seen

    Returns
    -------
    Certificate
        bounds of L − L*, and what is missing

    Raises
    ------
    InputError
        for runs without their problem, of energies that are not a network's, and where there is no such bound
    """
    found = open_run(as_path(run)) if not isinstance(run, Run) else run
    check_run(found)
    energy = network(found.problem.energy)
    _refuse(found)
    with linear_algebra().limit(limits=1):
        if found.problem.noise > 0:
            bounds, where = _with_noise(found, energy, lower, upper), "the cells of the run"
        else:
            domain = _domain(found, lower, upper)
            bounds, where = _without_noise(found, energy, domain), domain.describe()
    verdict = verdict_of(found, energy, bounds)
    text = words(found, energy, bounds, verdict)
    certificate = Certificate(
        times=found.times, residual=found.dissipation, verdict=verdict, text=text, domain=where, run=found, **vars(bounds)
    )
    keep(certificate)
    return certificate


def tell_certificate(run: Run, progress: bool = False) -> None:
    """Certify a run, and keep it, where there is a certificate for it that takes a few seconds at most."""
    if not run.knows_problem or run.data is None or run.data.size * 2 ** run.measures[-1].points.shape[1] > QUICK:
        return
    with contextlib.suppress(WgfError), preparing(progress):
        certify(run)


def _refuse(run: Run) -> None:
    """Runs to which the bounds do not apply."""
    problem = run.problem
    if problem.growth:
        raise InputError(f"the mass of this problem grows (κ = {problem.growth:g}), so that its measures are no probability measures")
    if run.options.get("scale") is not None or run.options.get("centred") == "subtracted":
        raise InputError("a network with an output scale of its own, or less its start, is no average over neurons, to which bounds belong")


def _domain(run: Run, lower: Any, upper: Any) -> Domain:
    """The domain without noise."""
    if isinstance(run.measures[-1], MeshDensity) and lower is None:
        raise InputError("the domain of a run on a mesh is no box: give lower and upper of one that holds it")
    return domain_of_run(run, lower, upper)


def _without_noise(run: Run, energy: RegressionEnergy, domain: Domain) -> Bounds:
    """From the dual problem."""
    data = energy.data
    scale = data.norm(data.targets) ** 2 or 1.0
    residuals = run.prediction - data.targets
    search = Search(Landscape(energy, domain), np.abs(data.weights * residuals).max(axis=0))
    places = [search.lowest(data.weights * z) for z in residuals]
    gap = 2.0 * (mean_potential(data, residuals, run.loss) - np.array([place.value for place in places]))
    best = minimise(energy, domain, LEAST * scale, search, float(run.loss.min()))
    slack = 0.25 * max(SHARE * float(np.abs(run.loss - best.loss).min()), LEAST * scale)
    candidates = [lower_bound(search, best.z, slack)]
    candidates.append(lower_bound(search, best_multiple(search, residuals[-1]) * residuals[-1], slack))
    largest = max(candidates, key=_known)
    lower = max(_known(largest), 0.0) if energy.penalty.function is None else _known(largest)
    share, gain = _gain(energy, run.prediction[-1], places[-1].theta, 0.5 * float(gap[-1]))
    lowest = np.array([place.theta for place in places])
    return Bounds(
        gap, run.loss - lower, lowest, lower, largest.found - _known(largest), np.isfinite(largest.proven), share, gain, best.measure
    )


def _known(bound: LowerBound) -> float:
    """What is proven, or where nothing can be, what was found."""
    return bound.proven if math.isfinite(bound.proven) else bound.found


def _gain(energy: RegressionEnergy, prediction: np.ndarray, theta: np.ndarray, fall: float) -> tuple[float, float]:
    """The best share of mass to be moved to θ, where G is lower by `fall` than in the mean, and what L then gains."""
    square = energy.data.norm(energy.neuron.value(theta[None], energy.data.inputs)[0] - prediction) ** 2
    share = min(max(fall, 0.0) / square, 1.0) if square > 0 else 0.0
    return share, 2.0 * share * fall - share**2 * square


def _with_noise(run: Run, energy: RegressionEnergy, lower: Any, upper: Any) -> Bounds:
    """From the Gibbs measure on the cells of the run."""
    last = run.measures[-1]
    if lower is not None or upper is not None:
        raise InputError("with noise the domain is that of the run's cells: leave lower and upper out")
    if not isinstance(last, Density | MeshDensity):
        raise InputError("neurons with noise have no entropy, so that E is not known: certify a run of FiniteVolume, JKO or FiPyMesh")
    volumes = np.full(last.grid.size, last.grid.cell_volume) if isinstance(last, Density) else last.mesh.volumes
    cells = OnCells(energy, last.points, volumes, run.problem.noise)
    best = cells.minimum()
    masses = [_masses(measure, last) for measure in run.measures]
    energies = np.array([cells.energy(each) for each in masses])
    gap = np.array([cells.gap(each) for each in masses])
    wanting = [best.masses - each for each in masses]
    lowest = np.array([last.points[int(np.argmax(each / volumes))] for each in wanting])
    minimum = dataclasses.replace(last, values=(best.masses / volumes).reshape(last.values.shape), neuron=energy.neuron)
    gain, share = float(energies[-1] - best.energy), 0.5 * float(np.abs(wanting[-1]).sum())
    return Bounds(gap, energies - best.energy, lowest, best.energy, 0.0, True, share, gain, minimum)


def _masses(measure: Any, last: Any) -> np.ndarray:
    """The masses of a frame in the cells of the last one, (N,)."""
    if isinstance(last, MeshDensity):
        return np.asarray(measure.masses)
    return np.asarray(measure.averages_over(last.grid).ravel() * last.grid.cell_volume)


def verdict_of(run: Run, energy: RegressionEnergy, bounds: Bounds) -> str:
    """converged, moving or stalled."""
    bound, factor = float(bounds.bound[-1]), 1.0 if run.problem.noise > 0 else 2.0
    if bound <= CONVERGED * energy.data.norm(energy.data.targets) ** 2:
        return "converged"
    falls = factor * float(run.dissipation[-1]) * float(run.times[-1] - run.times[0])
    return "moving" if falls >= MOVING * bound else "stalled"


def words(run: Run, energy: RegressionEnergy, bounds: Bounds, verdict: str) -> str:
    """The verdict for people."""
    noisy = run.problem.noise > 0
    what, bound = "E − E*" if noisy else "L − L*", float(bounds.bound[-1])
    size = f"{what} {'=' if noisy else '≤'} {bound:.2g}"
    if not noisy:
        size += ", proven" if bounds.proven else ", not proven"
    if not noisy and bound < -SEEN * abs(bounds.lower):
        return f"L is {-bound:.2g} below the least that any measure has: that is the error of its cells, take more of them"
    if verdict == "converged":
        scale = energy.data.norm(energy.data.targets) ** 2
        return f"converged: {size}" + (f"; {100 * max(bound, 0.0) / scale:.1g} % of ‖f*‖²" if scale else "")
    place = ", ".join(
        f"{name} = {value:.3g}" for name, value in zip(run.problem.axis_names(bounds.lowest.shape[1]), bounds.lowest[-1], strict=True)
    )
    if verdict == "moving":
        return f"still moving: {size}; mass is missing, most of all at {place}"
    gain = f": {100 * bounds.share:.2g} % of the mass moved there would lower L by {bounds.gain:.2g}"
    return f"stalled: {size}; mass is missing at {place}" + ("" if noisy else gain)


def keep(certificate: Certificate) -> None:
    """In the run's attributes, and in its file where there is one."""
    run = certificate.run
    facts = {
        "certificate": certificate.text,
        "certificate_verdict": certificate.verdict,
        "certificate_domain": certificate.domain,
        "certificate_bound": float(certificate.bound[-1]),
        "certificate_lower": certificate.lower,
    }
    try:
        run.note(facts)
        if run.path is not None and current().first:
            with opened(run.path) as file:
                _write(file, certificate)
    except RunError as error:
        warn(f"the certificate is not kept: {error}")


def _write(file: h5py.File, certificate: Certificate) -> None:
    """The series of frames as variables on /time."""
    if GROUP in file:
        del file[GROUP]
    group = file.create_group(GROUP)
    for name in ("gap", "bound", "residual", "lowest"):
        series = group.create_dataset(name, data=getattr(certificate, name))
        series.dims[0].attach_scale(file["time"])
        if series.ndim > 1:
            series.dims[1].attach_scale(file["coordinate"])
    group.attrs.update({"proven": certificate.proven, "slack": certificate.slack, "share": certificate.share, "gain": certificate.gain})
