"""Dynamics and sampling commute: m neurons beside the limit, as m grows.

For each size m and replicate, m independent neurons start from μ_0 and follow the same flow; at every save time they are
compared with the limit μ_t in several distances (measures/distances), always in these two:

    function   ‖φ_m − φ‖ in L²(ρ)           loss   |L_m − L|

(for an energy without data: loss, and the energy distance). At t = 0 the mean square of the first is exactly
E‖φ_m − φ‖² = (∫‖g‖² dμ_0 − ‖φ‖²)/m (variance of an average); the theorem of the mean-field limit says that the rate 1/m survives the
dynamics. Replicates are solved in pairs, and the distance between the two of a pair is kept as well: the self-distance.

The seed of a replicate is made of the sweep's seed, m, and its number: a replicate is the same whatever else the sweep holds.
"""

from __future__ import annotations

import dataclasses
import json
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import BoundaryWarning, InputError, as_path, entries_of, instance, whole
from wgf.measures.arguments import generator
from wgf.measures.distances.axes import with_axes_of
from wgf.measures.distances.cells import counted
from wgf.measures.distances.points import mean_gap
from wgf.measures.distances.register import DISTANCES, distance, expected_slope, further
from wgf.measures.laws import LEFT_OUT, InBox, Law
from wgf.measures.measure import Cloud, Measure
from wgf.methods.base import Method, check_method
from wgf.methods.geometry.mirror_descent import MirrorDescent
from wgf.methods.geometry.wasserstein_fisher_rao import WassersteinFisherRao
from wgf.methods.particles.method import Particles
from wgf.problems.problem import Problem, check_problem
from wgf.registers import listed
from wgf.runs.hdf5 import check_target
from wgf.runs.observers.progress import bar, preparing
from wgf.runs.rest import end_time
from wgf.runs.run import Run, plain_options
from wgf.runs.solve import save_times, solve
from wgf.studies.sweeps.comparison import Comparison
from wgf.studies.sweeps.crew import led
from wgf.studies.sweeps.parallel import answering, leave_to_first_process
from wgf.studies.sweeps.rates import check_replicates, fit_rate
from wgf.studies.sweeps.table import Found, ResumableTable, SweepTable
from wgf.studies.theory.discretisation import discretisation_error
from wgf.studies.theory.fluctuation import fluctuations, spread

SIZES = (64, 256, 1024)
CONSTANT_TOLERANCE = 1e-2  # of expected constants: well within the intervals of measured ones
LAW_NODES = {1: 200, 2: 24, 3: 10, 4: 6}  # per axis, by dimension, of the rule for the initial law


@led
def compare(
    problem: Problem,
    method: Method,
    until: float,
    sizes: Sequence[int] = SIZES,
    replicates: int = 32,
    save: int | Sequence[float] = 11,
    seed: int = 0,
    workers: int | None = None,
    particles: Particles | None = None,
    progress: bool = False,
    distances: Sequence[str] = (),
    store: str | Path | None = None,
    overwrite: bool = False,
) -> Comparison:
    """Solve the limit, run particles of each size, and compare them at the save times: how fast they approach the limit.

    Parameters
    ----------
    problem : Problem
        what is solved
    method : FiniteVolume or another method with densities
        of the limit
    until : float
        the end
    sizes : sequence of int
        the numbers m of neurons
    replicates : int
        independent runs of each size
    save : int or sequence of float
        a number of times, or a list of them
    seed : int
        from which, with m and the replicate, the seed of every run is made
    workers : int, optional
        parallel processes; one per core by default. The results do not depend on it
    particles : Particles, optional
        how the neurons move (its m and seed are replaced); by default gradient flow, with the births and deaths of the limit
    progress : bool
        whether there is a bar
    distances : sequence of str
        further ones, by name
    store : str or path, optional
        an HDF5 file that is filled as the runs are done. Called again after any end, the sweep goes on from there, also with more sizes
        or replicates; any other file is refused
    overwrite : bool
        whether another file that is there may be replaced

    Returns
    -------
    Comparison
        distances, and their rates in m

    Raises
    ------
    InputError
        before anything is computed, for what does not fit together
    """
    leave_to_first_process(workers)
    check_problem(problem)
    check_method(method)
    until, chosen = end_time(until), as_sizes(sizes)
    generator(seed)
    if particles is not None:
        instance(particles, Particles, "particles", "how the neurons move, wgf.Particles(m, …), or None")
    if particles is not None and (particles.scale is not None or particles.centred is not None):
        raise InputError("compare is for the mean-field scaling, whose limit it solves: leave out scale and centred, or call wgf.lazy")
    names = _checked(problem, chosen, replicates, distances)
    template = moving_as(method, particles or Particles(chosen[0], **births(method)))
    resumable = None
    if store is not None:
        check_target(path := as_path(store, "store"), overwrite=overwrite, resumes="comparison")
        resumable = ResumableTable(path, _signature(problem, method, template, save_times(until, save), seed, names), overwrite)
    one = dataclasses.replace(template, m=1, seed=0).bind(problem, until)  # what neurons cannot do is said before anything is solved
    limit = solve(problem, method, until, save, progress=progress)
    table = SweepTable.empty(np.array(chosen), limit.times, names, replicates, limit.prediction.shape[1])
    started = dataclasses.replace(problem, initial=_common_start(problem, limit, template))
    reference = Reference(started, limit, until, names, one.frame(one.start()).measure)
    if resumable is not None:
        resumable.take_up(table, limit.prediction, limit.attributes)
    tasks = [Cell(size, pair, networks(template, chosen[size], table.members(pair), seed)) for size, pair in table.missing()]
    with answering(reference.cell, tasks, workers or os.cpu_count() or 1) as answers:
        errors = discretisation_error(problem, method, until, run=limit, progress=progress)  # while the processes start
        with preparing(progress):
            (constants, uncertain), resampling = _expected_constants(started, limit, template, names), _resampling(problem, limit)
        with bar(sum(task.neurons for task in tasks), "neurons", wanted=progress) as neurons:
            for task, found in answers:
                table.put(task.size, task.pair, found)
                if resumable is not None:
                    resumable.record(table, task.size, task.pair)
                neurons.update(task.neurons)
    p = limit.measures[0].points.shape[1]
    rates = {name: fit_rate(table.sizes, found, expected_slope(name, p), constants[name]) for name, found in table.distance.items()}
    weights = np.empty(0) if problem.energy.data is None else problem.energy.data.weights
    attributes = {**limit.attributes, "seed": seed, "predicted_error": uncertain}
    result = Comparison(table, rates, limit.prediction, weights, resampling, errors, attributes)
    if resumable is not None:
        result.attributes["signature"] = resumable.signature
        result.save(resumable.path, overwrite=True)
    return result


def births(method: Method) -> dict[str, Any]:
    """The births and deaths of a limit, as options of particles; empty without."""
    if not isinstance(method, WassersteinFisherRao):
        return {}
    return {"birth_death": method.rate, "injection": method.injection}


def moving_as(method: Method, particles: Particles) -> Particles:
    """The particles, where the method is their limit; refuses others."""
    if isinstance(method, MirrorDescent):
        raise InputError("the mass of MirrorDescent is not moved, so that no neurons follow it: take WassersteinFisherRao or FiniteVolume")
    wanted = {"birth_death": None, "injection": None} | births(method)
    if wrong := [f"{name} = {value!r}" for name, value in wanted.items() if getattr(particles, name) != value]:
        raise InputError(f"{method!r} is the limit of particles with {listed(wrong)}, and not of {particles!r}: give the same to both")
    return particles


def as_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """The numbers m of neurons, ascending, none twice."""
    chosen = entries_of(sizes, "sizes", "a list of numbers of neurons, such as [64, 256, 1024]")
    for m in chosen:
        whole(m, "sizes: m")
    return tuple(sorted({int(m) for m in chosen}))


def seed_of(seed: int, m: int, replicate: int) -> np.random.SeedSequence:
    """The seed of a network of m neurons, made of a sweep's."""
    return np.random.SeedSequence(seed, spawn_key=(m, replicate))


def networks(template: Particles, m: int, replicates: slice, seed: int) -> list[Particles]:
    """The networks of m neurons of some replicates."""
    return [dataclasses.replace(template, m=m, seed=seed_of(seed, m, replicate)) for replicate in range(replicates.start, replicates.stop)]


@dataclasses.dataclass(frozen=True)
class Cell:
    """A task: one or two networks of the size with this number."""

    size: int
    pair: int
    networks: list[Particles]

    @property
    def neurons(self) -> int:
        """Its share of the work."""
        return sum(network.m for network in self.networks)


class Reference:
    """What a process needs: the problem, and the limit at the save times; its measures where a distance is one of measures."""

    def __init__(self, problem: Problem, limit: Run, until: float, names: Sequence[str], one: Measure) -> None:
        self.problem, self.until, self.names = problem, until, names
        self.times, self.prediction, self.loss = limit.times, limit.prediction, limit.loss
        self.measured = [name for name in names if not DISTANCES[name].of_energy]
        self.measures = list(limit.measures) if self.measured else []
        for name in self.measured:  # a pair that has no such distance is found before the networks are solved, with one neuron
            distance(name, one, self.measures[0], problem.energy)

    def cell(self, task: Cell) -> Found:
        """The distances of the networks from the limit and from each other."""
        runs = [self.solved(network) for network in task.networks]
        rows = [self.between(run, self) for run in runs]
        found = {name: np.stack([row[name] for row in rows]) for name in self.names}
        return Found(found, self.between(*runs) if len(runs) == 2 else {}, np.stack([run.prediction for run in runs]))

    def solved(self, particles: Particles) -> Run:
        """The run of a network at the save times; what walls leave out of the law was said before."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BoundaryWarning)
            return solve(self.problem, particles, self.until, self.times.tolist())

    def between(self, run: Run, other: Run | Reference) -> dict[str, np.ndarray]:
        """All distances between two runs at the save times, (T,)."""
        energy = self.problem.energy
        found = {"loss": np.abs(run.loss - other.loss)}
        if energy.data is not None:
            found["function"] = np.sqrt((run.prediction - other.prediction) ** 2 @ energy.data.weights)
        for name in self.measured:
            values = []
            for k, limit in enumerate(self.measures):
                mine, theirs = (with_axes_of(limit, measure) for measure in (run.measures[k], other.measures[k]))
                mine = counted(mine, limit) if DISTANCES[name].on_cells and isinstance(theirs, Cloud) else mine
                values.append(distance(name, mine, theirs, energy))
            found[name] = np.array(values)
        return found


def _common_start(problem: Problem, limit: Run, template: Particles) -> Law:
    """The initial law; for neurons without walls beside a limit on a box that cuts it, or on which alone it is known, the law there."""
    grid = getattr(limit.measures[0], "grid", None)
    if grid is None or template.lower is not None:
        return problem.initial
    law = InBox(problem.initial, np.array(grid.lower), np.array(grid.upper), np.array(grid.periodic()))
    return law if problem.initial.dim is None or law.probability < 1 - LEFT_OUT else problem.initial


def _checked(problem: Problem, sizes: tuple[int, ...], replicates: int, distances: Sequence[str]) -> tuple[str, ...]:
    """The names of the distances; refuses a sweep that cannot be fitted."""
    always = ("function", "loss") if problem.energy.data is not None else ("loss", "energy")
    names = tuple(dict.fromkeys((*always, *further(distances))))
    if "function" in names and problem.energy.data is None:
        raise InputError("the function distance is one of networks, and this energy has no data: leave it out")
    if len(sizes) < 2 or sizes[0] < 1:
        raise InputError(f"sizes = {list(sizes)}: at least two different sizes m ≥ 1 are needed to fit a slope")
    check_replicates(replicates)
    return names


def _resampling(problem: Problem, limit: Run) -> np.ndarray:
    """m·E‖φ_m − φ‖² of neurons drawn afresh from μ_t, (T,); NaN without a network."""
    network = problem.energy.data is not None
    return np.array([spread(measure, problem) if network else np.nan for measure in limit.measures])


def _expected_constants(problem: Problem, limit: Run, template: Particles, names: Sequence[str]) -> tuple[dict[str, np.ndarray], float]:
    """lim m·E d² at each time for every distance, NaN where it is not known, and the relative error of those that are computed in time.

    At t = 0 the neurons are independent: the variance of one for function and mean, and E|X − X'| for the energy distance, both exact for
    every m. Later, and for the loss, it is known where the neurons of a network follow the gradient flow (theory/fluctuation.py).
    """
    found = {name: np.full(len(limit.times), np.nan) for name in names}
    law = with_axes_of(limit.measures[0], Cloud(*problem.initial.quadrature(LAW_NODES.get(problem.dim or 1, 4))))
    starts: dict[str, Callable[[], float]] = {"mean": lambda: float(np.trace(law.covariance)), "energy": lambda: mean_gap(law, law)}
    if problem.energy.data is not None:
        starts["function"] = lambda: spread(limit.measures[0], problem)
    for name in names:
        if name in starts:
            found[name][0] = starts[name]()
    free = (template.step, template.batch, template.lower, template.birth_death) == (None,) * 4
    if problem.energy.data is not None and problem.noise == 0 and free:
        predicted = fluctuations(problem, limit.times, tolerance=CONSTANT_TOLERANCE)
        return found | {name: constant for name, constant in predicted.values.items() if name in found}, predicted.error
    return found, 0.0


def _signature(problem: Problem, method: Method, template: Particles, times: list[float], seed: int, names: Sequence[str]) -> str:
    """What the numbers of a table depend on, besides the limit itself, as JSON."""
    from wgf import __version__

    moved = {name: value for name, value in plain_options(template).items() if name not in ("m", "seed")}
    return json.dumps(
        {
            "problem": [repr(problem), problem.source],
            "method": [repr(method), plain_options(method)],
            "times": times,
            "particles": moved,
            "seed": seed,
            "distances": list(names),
            "version": __version__,
        }
    )
