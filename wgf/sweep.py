"""Dynamics and sampling commute: m neurons beside the limit, as m grows.

For each size m and replicate, m independent neurons start from μ_0 and follow the same flow; at every save time they are
compared with the limit μ_t in several distances (distances.py), always in these two:

    function   ‖φ_m − φ‖ in L²(ρ)           loss   |L_m − L|

At t = 0 the mean square of the first is exactly E‖φ_m − φ‖² = (∫‖g‖² dμ_0 − ‖φ‖²)/m (variance of an average); the theorem
of the mean-field limit says that the rate 1/m survives the dynamics. The slope of log E d² against log m is fitted by least
squares, with an interval from bootstrap over the replicates.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import pickle
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wgf.central_limit import fluctuation
from wgf.distances import DISTANCES, distance
from wgf.errors import InputError, known
from wgf.hdf5 import begin, check_target, reading, scale, variable
from wgf.loop import solve
from wgf.measure import BLOCK, Measure
from wgf.methods.base import Method
from wgf.methods.particles import Particles
from wgf.problem import Problem
from wgf.run import Run

ALWAYS = ("function", "loss")  # these distances follow from what every run keeps
ESTIMATES = ("slope", "lower", "upper", "constant")
CONFIDENCE = 0.95
BOOTSTRAPS = 1000


@dataclass(frozen=True)
class Rate:
    """The fit log E d² ≈ log constant + slope·log m at each time, with the interval of the slope: four arrays (times,)."""

    slope: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    constant: np.ndarray


@dataclass(frozen=True, repr=False)
class Comparison:
    """The sweep's result.

    sizes (S,), times (T,), distance[name] (S, R, T), rates[name]    for each distance: function, loss, and those asked for
    theory        ∫‖g‖² dμ_0 − ‖φ_0‖²: m·E‖φ_m − φ‖² at t = 0
    predicted     its limit for m → ∞ at each time, (T,), from central_limit.py; NaN where the neurons do not follow the gradient flow
    attributes    what the limit's run says of itself
    """

    sizes: np.ndarray
    times: np.ndarray
    distance: dict[str, np.ndarray]
    rates: dict[str, Rate]
    theory: float
    predicted: np.ndarray
    attributes: dict[str, Any]

    def mean_square(self, name: str = "function") -> np.ndarray:
        """E d² over the replicates, (S, T)."""
        return np.mean(self.distance[name] ** 2, axis=1)

    def standard_error(self, name: str = "function") -> np.ndarray:
        """The standard error of `mean_square`, (S, T)."""
        squares = self.distance[name] ** 2
        return squares.std(axis=1, ddof=1) / np.sqrt(squares.shape[1])

    def plot(self, path: str | Path | None = None) -> Any:
        """Distances against m with the fitted slopes; returns the matplotlib figure."""
        from wgf.plot_comparison import plot_comparison

        return plot_comparison(self, path)

    def save(self, path: str | Path) -> None:
        """Write the comparison into an HDF5 file (layout: docs/design.md)."""
        check_target(path := Path(path))
        with begin(path) as file:
            file.attrs.update({**self.attributes, "kind": "comparison", "theory": self.theory, "estimates": " ".join(ESTIMATES)})
            sizes = scale(file, "size", self.sizes)
            replicates = scale(file, "replicate", np.arange(next(iter(self.distance.values())).shape[1]))
            times = scale(file, "time", self.times)
            estimates = scale(file, "estimate", np.arange(len(ESTIMATES)))
            variable(file, "predicted", self.predicted, (times,))
            for name in self.distance:
                variable(file.require_group("distance"), name, self.distance[name], (sizes, replicates, times))
                table = np.column_stack([getattr(self.rates[name], estimate) for estimate in ESTIMATES])
                variable(file.require_group("rate"), name, table, (times, estimates))

    def __repr__(self) -> str:
        last = self.rates["function"]
        return (
            f"Comparison(m = {', '.join(map(str, self.sizes))}; {self.distance['function'].shape[1]} replicates; slope of E‖φ_m − φ‖² at "
            f"t = {self.times[-1]:g}: {last.slope[-1]:.3f} [{last.lower[-1]:.3f}, {last.upper[-1]:.3f}])"
        )


def open_comparison(path: str | Path) -> Comparison:
    """The comparison in an HDF5 file."""
    with reading(path := Path(path)) as file:
        if "distance" not in file:
            raise InputError(f"{path} is an HDF5 file but not a comparison of wgf")
        distance = {name: item[:] for name, item in file["distance"].items()}
        rates = {name: Rate(*item[:].T) for name, item in file["rate"].items()}
        attributes, times = dict(file.attrs.items()), file["time"][:]
        predicted = file["predicted"][:] if "predicted" in file else np.full(len(times), np.nan)
        return Comparison(file["size"][:], times, distance, rates, float(attributes["theory"]), predicted, attributes)


def compare(
    problem: Problem,
    method: Method,
    until: float,
    sizes: Sequence[int] = (64, 256, 1024),
    replicates: int = 32,
    save: int | Sequence[float] = 11,
    seed: int = 0,
    workers: int | None = None,
    particles: Particles | None = None,
    progress: bool = False,
    distances: Sequence[str] = (),
) -> Comparison:
    """Solve the limit with `method`, run `replicates` clouds of each of the `sizes` neurons, and compare at the save times.

    seed        every cloud gets a seed of its own, spawned from this one (numpy.random.SeedSequence)
    workers     parallel processes; default: one per core. The results do not depend on it.
    particles   how the neurons move (its m and seed are replaced); default: gradient flow
    distances   further ones, by name: energy, w1, w2, sliced_w2
    """
    if problem.energy.data is None:
        raise InputError(
            f"{problem.energy!r} is no network: there are no predictions to compare; solve with both methods and compare their measures"
        )
    sizes = tuple(sorted(set(sizes)))
    if len(sizes) < 2 or sizes[0] < 1:
        raise InputError(f"sizes = {list(sizes)}: at least two different sizes m ≥ 1 are needed to fit a slope")
    if replicates < 2:
        raise InputError(f"replicates = {replicates}: at least two are needed for an interval")
    more = tuple(known(name, DISTANCES, "distance") for name in dict.fromkeys(distances) if name not in ALWAYS)
    names = (*ALWAYS, *more)
    workers = workers or os.cpu_count() or 1
    template = particles or Particles(sizes[0])
    limit = solve(problem, method, until, save, progress=progress)
    seeds = np.random.SeedSequence(seed).spawn(len(sizes) * replicates)
    tasks = [
        (size, replicate, dataclasses.replace(template, m=m, seed=seeds[size * replicates + replicate]))
        for size, m in enumerate(sizes)
        for replicate in range(replicates)
    ]
    tasks.reverse()  # the large ones first, so that no worker is left with one at the end
    found = {name: np.empty((len(sizes), replicates, len(limit.times))) for name in names}
    with _progress(sum(task[2].m for task in tasks), progress) as bar:
        for (size, replicate, method_m), distances_of_cloud in _clouds(_Reference(problem, limit, until, more), tasks, workers):
            for name in names:
                found[name][size, replicate] = distances_of_cloud[name]
            bar.update(method_m.m)
    rates = {name: fit_rate(np.array(sizes), found[name], seed) for name in names}
    attributes = {**limit.attributes, "seed": seed}
    theory = spread(limit.measures[0], problem)
    flows = problem.noise == 0 and (template.step, template.batch, template.lower) == (None, None, None)
    predicted = fluctuation(problem, limit.times) if flows else np.full(len(limit.times), np.nan)
    return Comparison(np.array(sizes), limit.times, found, rates, theory, predicted, attributes)


def spread(measure: Measure, problem: Problem) -> float:
    """∫‖g‖² dμ − ‖φ_μ‖², the variance of one neuron drawn from μ, summed over the data with their weights."""
    neuron, data = problem.energy.neuron, problem.energy.data
    points, masses = measure.points, measure.masses
    rows = max(1, BLOCK // data.size)
    square = sum(
        float(masses[k : k + rows] @ (neuron.value(points[k : k + rows], data.inputs) ** 2 @ data.weights))
        for k in range(0, len(points), rows)
    )
    return square - data.norm(problem.energy.predict(measure)) ** 2


def fit_rate(sizes: np.ndarray, distance: np.ndarray, seed: int = 0) -> Rate:
    """The slope of log E d² in log m at each time, from distances (S, R, T), with its bootstrap interval."""
    squares = np.maximum(distance**2, np.finfo(float).tiny)
    x = np.log(sizes)
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)

    def slopes(samples: np.ndarray) -> np.ndarray:
        return np.tensordot(weights, np.log(samples.mean(axis=1)), axes=1)

    rng = np.random.default_rng(seed)
    replicates = squares.shape[1]
    resampled = []
    for _ in range(BOOTSTRAPS):
        chosen = rng.integers(replicates, size=squares.shape[:2])
        resampled.append(slopes(np.take_along_axis(squares, chosen[:, :, None], axis=1)))
    tail = 50 * (1 - CONFIDENCE)
    lower, upper = np.percentile(resampled, [tail, 100 - tail], axis=0)
    slope = slopes(squares)
    constant = np.exp(np.log(squares.mean(axis=1)).mean(axis=0) - slope * x.mean())
    return Rate(slope, lower, upper, constant)


Task = tuple[int, int, Particles]


def _clouds(reference: _Reference, tasks: list[Task], workers: int) -> Iterator[tuple[Task, dict[str, np.ndarray]]]:
    """Each task with its distances, in the order in which they are done."""
    if workers == 1:
        for task in tasks:
            yield task, reference.measure(task[2])
        return
    try:
        pickle.dumps(reference)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"the problem cannot be sent to other processes ({error}): define its functions at the top of a module, or use workers=1"
        ) from None
    with _single_threads(), ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _install, (reference,)) as pool:
        futures = {pool.submit(_measure, task[2]): task for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Reference:
    """What a worker needs: the problem, and the limit at the save times; its measures where a distance is one of measures."""

    def __init__(self, problem: Problem, limit: Run, until: float, names: Sequence[str]) -> None:
        self.problem, self.until, self.names = problem, until, names
        self.times, self.prediction, self.loss = limit.times, limit.prediction, limit.loss
        self.measures = list(limit.measures) if names else []

    def measure(self, particles: Particles) -> dict[str, np.ndarray]:
        """The distances of one cloud from the limit."""
        energy = self.problem.energy
        cloud = solve(self.problem, particles, self.until, self.times.tolist())
        found = {
            "function": np.sqrt((cloud.prediction - self.prediction) ** 2 @ energy.data.weights),
            "loss": np.abs(cloud.loss - self.loss),
        }
        for name in self.names:
            pairs = zip(cloud.measures, self.measures, strict=True)
            found[name] = np.array([distance(name, mine, limit, energy) for mine, limit in pairs])
        return found


_reference: _Reference


def _install(reference: _Reference) -> None:
    global _reference
    _reference = reference


def _measure(particles: Particles) -> dict[str, np.ndarray]:
    return _reference.measure(particles)


@contextlib.contextmanager
def _single_threads() -> Iterator[None]:
    """Processes started inside use one thread each."""
    names = ("NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _progress(total: int, wanted: bool) -> Any:
    from tqdm import tqdm

    form = "{desc} {percentage:3.0f}% |{bar}| [{elapsed} < {remaining}]"
    shown = wanted and sys.stderr.isatty()
    return tqdm(total=total, desc="neurons", bar_format=form, file=sys.stderr, disable=not shown, leave=False)
