"""The way from lazy training to mean field: networks of m neurons with the output scale α = A·m^{−p}, for many p, A and m.

For every scaling, size and replicate m neurons are drawn, trained by gradient flow in the time of the package, and compared with their
tangent model (quantities.py). In the limit m → ∞ of independent draws the relative scale at the start falls as

    κ ~ ‖φ − f*‖/(mα) ~ m^{−min(½, 1 − p)},      since ‖Dφ‖² = mα²·O(1), ‖D²φ‖ = α·O(1) and

    E‖φ(θ₀) − f*‖² = ‖mα φ_{μ_0} − f*‖² + mα²(∫‖g‖² dμ_0 − ‖φ_{μ_0}‖²),

where φ_{μ_0} = 0 (else κ falls only until mα φ_{μ_0} is larger than f*; networks that are centred at the start are not concerned), and for
laws with bounded support; for others ‖D²φ‖ grows with the largest neuron, as a power of log m. p = 1 is the mean-field chapter, where
the tangent model never holds; p = ½ the tangent-kernel limit, to which p < 1 leads in the end. With A → ∞ at fixed m the deviation from
the tangent model falls as A⁻¹, and as A⁻² for a start in antisymmetric pairs.

The seed of the neurons is made of the study's seed, m and the replicate's number: all scalings start from the same ones.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError, as_path, entries_of, number, positive, shown
from wgf.measures.arguments import generator
from wgf.measures.measure import Cloud
from wgf.methods.particles.method import Particles
from wgf.networks.untrusted import attributes_of
from wgf.problems.problem import Problem
from wgf.problems.regression import network
from wgf.registers import load
from wgf.runs.hdf5 import begin, check_target, reading, scale, variable
from wgf.runs.observers.progress import bar
from wgf.runs.rest import end_time
from wgf.runs.run import check_version, run_attributes
from wgf.runs.solve import save_times, solve
from wgf.studies.lazy.quantities import Laziness, accurate_flow, laziness, trainable
from wgf.studies.lazy.table import LazyTable, ResumableLazyTable
from wgf.studies.sweeps.crew import led
from wgf.studies.sweeps.over_sizes import LAW_NODES, as_sizes, seed_of
from wgf.studies.sweeps.parallel import answering, leave_to_first_process
from wgf.studies.sweeps.rates import check_replicates, fit_rate
from wgf.studies.sweeps.resumable import OfTable, require_complete
from wgf.studies.theory.fluctuation import spread

SIZES, EXPONENTS, SCALES = (64, 256, 1024), (0.5, 0.75, 1.0), (1.0,)
REPLICATES, FRAMES = 8, 11
SLOPES = ("slope", "lower", "upper")
RATES = ("relative_scale", "deviation", "displacement", "kernel_change")


@dataclass(frozen=True, repr=False)
class LazyStudy(OfTable):
    """What networks of several sizes and output scales did; E scalings, S sizes, R replicates, T times.

    Attributes
    ----------
    table : LazyTable
        all series, which the properties below give
    distance : array (E, S)
        √E‖φ(θ₀) − f*‖² for the initial law, to which κ·m^{1−p}·A is proportional
    rates : dict of str to array (E, 3)
        slope in m of κ, and of deviation, displacement and kernel change at the last time, with a 95 % interval
    attributes : dict
        the problem, the seed, and what the study was called with
    """

    table: LazyTable
    distance: np.ndarray
    rates: dict[str, np.ndarray]
    attributes: dict[str, Any]

    @property
    def exponents(self) -> np.ndarray:
        """p of each scaling, (E,)."""
        return self.table.exponents

    @property
    def factors(self) -> np.ndarray:
        """A of each scaling, α = A·m^{−p}; (E,)."""
        return self.table.factors

    @property
    def names(self) -> list[str]:
        """The names of the coordinates of θ."""
        return str(self.attributes["coordinates"]).split()

    @property
    def relative_scale(self) -> np.ndarray:
        """κ at the start, (E, S, R)."""
        return self.table.relative_scale

    @property
    def deviation(self) -> np.ndarray:
        """‖φ(θ(t)) − φ̄(θ̄(t))‖/‖φ(θ₀) − f*‖, (E, S, R, T)."""
        return self.table.series["deviation"]

    @property
    def loss(self) -> np.ndarray:
        """L, (E, S, R, T)."""
        return self.table.series["loss"]

    @property
    def displacement(self) -> np.ndarray:
        """√((1/m) Σ_j |θ_j(t) − θ_j(0)|²), (E, S, R, T)."""
        return self.table.series["displacement"]

    @property
    def alignment(self) -> np.ndarray:
        """⟨T̂(t), T̂(0)⟩/(‖T̂(t)‖‖T̂(0)‖), (E, S, R, T)."""
        return self.table.series["alignment"]

    @property
    def kernel_change(self) -> np.ndarray:
        """‖T̂(t) − T̂(0)‖/‖T̂(0)‖, (E, S, R, T)."""
        return self.table.series["kernel_change"]

    def to_xarray(self) -> Any:
        """An xarray.Dataset with the variables and dimensions of the file, and its attributes."""
        return load("wgf.studies.tables:lazy_dataset")(self)

    def to_dataframe(self) -> Any:
        """A pandas.DataFrame with a row for each network at each time."""
        return load("wgf.studies.tables:lazy_dataframe")(self)

    def plot(self, path: str | Path | None = None) -> Any:
        """Deviation and κ against the scale, the losses, the weights before and after; returns the matplotlib figure."""
        return load("wgf.plots:draw")(self, path)

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the study into a new HDF5 file (layout: docs/design.md); with `overwrite` in place of another."""
        check_target(path := as_path(path), overwrite=overwrite)
        with begin(path) as file:
            file.attrs.update({**self.attributes, "kind": "lazy", "status": "complete", "estimates": " ".join(SLOPES)})
            scales = self.table.write(file) | {"estimate": scale(file, "estimate", np.arange(len(SLOPES)))}
            variable(file, "expected_distance", self.distance, (scales["exponent"], scales["size"]))
            for name, values in self.rates.items():
                variable(file.require_group("rate"), name, values, (scales["exponent"], scales["estimate"]))

    def __repr__(self) -> str:
        return (
            f"LazyStudy(p = {', '.join(f'{p:g}' for p in dict.fromkeys(self.exponents))}; m = {', '.join(map(str, self.sizes))}; "
            f"{self.replicates} replicates; t = 0 … {self.times[-1]:g})"
        )


@led
def lazy(
    problem: Problem,
    sizes: Sequence[int] = SIZES,
    exponents: Sequence[float] = EXPONENTS,
    scales: Sequence[float] = SCALES,
    replicates: int = REPLICATES,
    until: float = 5.0,
    save: int | Sequence[float] = FRAMES,
    seed: int = 0,
    centred: str | None = None,
    workers: int | None = None,
    progress: bool = False,
    store: str | Path | None = None,
    overwrite: bool = False,
) -> LazyStudy:
    """Train networks of each size for each scaling α = A·m^{−p} beside their tangent models.

    Parameters
    ----------
    problem : Problem
        of a network, without noise
    sizes : sequence of int
        m
    exponents : sequence of float
        p: ½ for the lazy regime, 1 for mean field
    scales : sequence of float
        A
    replicates : int
        networks of each size and scaling
    until : float
        the end, in the time of the flow
    save : int or sequence of float
        a number of times, or a list of them
    seed : int
        from which, with m and the replicate, the neurons are drawn
    centred : str, optional
        "pairs" or "subtracted": networks that begin at zero
    workers : int, optional
        parallel processes; one per core by default. The results do not depend on it
    progress : bool
        whether there is a bar
    store : str or path, optional
        an HDF5 file that is filled as the networks are done; called again after any end, the study goes on from there
    overwrite : bool
        whether another file that is there may be replaced

    Returns
    -------
    LazyStudy
        the series, and their rates in m

    Raises
    ------
    InputError
        for problems without a network, with noise, or with a penalty other than λ|θ|²
    """
    leave_to_first_process(workers)
    trainable(problem)
    end = end_time(until)
    generator(seed)
    scalings, chosen = _checked(sizes, exponents, scales, replicates, centred)
    times = save_times(end, save)
    template = Particles(chosen[0], centred=centred, scale=1.0, **accurate_flow(problem))
    p = template.bind(problem, end).start().array.shape[1]  # what such networks cannot do is said before any is trained
    attributes = _attributes(problem, seed, centred) | {"coordinates": " ".join(problem.axis_names(p))}
    resumable = None
    if store is not None:
        check_target(path := as_path(store, "store"), overwrite=overwrite, resumes="lazy")
        resumable = ResumableLazyTable(path, _signature(problem, times, seed, centred), overwrite)
        attributes["signature"] = resumable.signature
    table = LazyTable.empty(scalings, np.array(chosen), np.array(times), replicates, p)
    if resumable is not None:
        resumable.take_up(table, attributes)
    tasks = [_Task(cell, _neurons(template, table, cell, seed)) for cell in table.missing()]
    with (
        answering(_Training(problem, times), tasks, workers or os.cpu_count() or 1) as answers,
        bar(sum(task.neurons.m for task in tasks), "neurons", wanted=progress) as trained,
    ):
        for task, (found, ends) in answers:
            table.put(task.cell, found, ends)
            if resumable is not None:
                resumable.record(table, task.cell)
            trained.update(task.neurons.m)
    study = LazyStudy(table, _expected_distance(problem, table, centred), _rates(table), attributes)
    if resumable is not None:
        study.save(resumable.path, overwrite=True)
    return study


@dataclass(frozen=True)
class _Task:
    cell: tuple[int, int, int]
    neurons: Particles


@dataclass(frozen=True)
class _Training:
    """What a process needs to train a network and compare it with its tangent model."""

    problem: Problem
    times: list[float]

    def __call__(self, task: _Task) -> tuple[Laziness, np.ndarray]:
        run = solve(self.problem, task.neurons, self.times[-1], self.times)
        return laziness(self.problem, run), np.stack([run.measures[k].points for k in (0, -1)], axis=-1)


def _neurons(template: Particles, table: LazyTable, cell: tuple[int, int, int], seed: int) -> Particles:
    """The network of a cell; α = 1/m exactly for p = A = 1."""
    m = int(table.sizes[cell[1]])
    alpha = float(table.factors[cell[0]]) * m ** -float(table.exponents[cell[0]])
    return dataclasses.replace(template, m=m, scale=alpha, seed=seed_of(seed, m, cell[2]))


def _checked(
    sizes: Sequence[int], exponents: Sequence[float], scales: Sequence[float], replicates: int, centred: str | None
) -> tuple[list[tuple[float, float]], list[int]]:
    """The scalings (p, A) and the sizes, ascending; refuses what cannot be."""
    exponents, scales = entries_of(exponents, "exponents", "a list of them"), entries_of(scales, "scales", "a list of them")
    for p in exponents:
        if not 0.0 < number(p) <= 1.0:
            raise InputError(
                f"exponents: p = {shown(p)} of α = A·m^(−p) must lie in (0, 1]: 0.5 for the kernel limit, 1 for the mean field"
            )
    for factor in scales:
        positive(factor, "scales: the factor A of α = A·m^(−p)")
    chosen = as_sizes(sizes)
    for m in chosen:
        if centred == "pairs" and m % 2:
            raise InputError(f'sizes: m = {m} with centred = "pairs"; give even numbers of neurons')
    if not (chosen and exponents and scales):
        raise InputError("a lazy study needs at least one size, one exponent and one scale")
    check_replicates(replicates)
    pairs = [(float(p), float(a)) for p in dict.fromkeys(exponents) for a in dict.fromkeys(scales)]
    return pairs, list(chosen)


def _expected_distance(problem: Problem, table: LazyTable, centred: str | None) -> np.ndarray:
    """√E‖φ(θ₀) − f*‖², (E, S); ‖f*‖ of networks that are zero at the start."""
    energy = network(problem.energy)
    data, shape = energy.data, (len(table.exponents), len(table.sizes))
    if centred is not None:
        return np.full(shape, data.norm(data.targets))
    law = Cloud(*problem.initial.quadrature(LAW_NODES.get(problem.dim or 1, 4)), energy.neuron)
    mean, variance = energy.predict(law), spread(law, problem)
    m = table.sizes.astype(float)
    found = []
    for p, factor in zip(table.exponents, table.factors, strict=True):
        beta = factor * m ** (1.0 - p)
        bias = np.array([data.norm(one * mean - data.targets) ** 2 for one in beta])
        found.append(np.sqrt(bias + beta**2 / m * variance))
    return np.array(found)


def _rates(table: LazyTable) -> dict[str, np.ndarray]:
    """The slopes in m, (E, 3) each; NaN for a single size."""
    found = {name: np.full((len(table.exponents), len(SLOPES)), np.nan) for name in RATES}
    if len(table.sizes) < 2:
        return found
    for name in RATES:
        values = table.relative_scale[..., None] if name == "relative_scale" else table.series[name][..., -1:]
        for k, each in enumerate(values):
            rate = fit_rate(table.sizes, each)  # of squares
            found[name][k] = [0.5 * float(getattr(rate, estimate)[0]) for estimate in SLOPES]
    return found


def _attributes(problem: Problem, seed: int, centred: str | None) -> dict[str, Any]:
    """What the study says of itself."""
    template = Particles(1, **accurate_flow(problem))
    return run_attributes(problem, template, {}) | {"seed": seed, "centred": centred or "", "status": "complete"}


def _signature(problem: Problem, times: list[float], seed: int, centred: str | None) -> str:
    """What the numbers of a table depend on, as JSON."""
    from wgf import __version__

    return json.dumps(
        {"problem": [repr(problem), problem.source], "times": times, "seed": seed, "centred": centred, "version": __version__}
    )


def open_lazy(path: str | Path) -> LazyStudy:
    """The lazy study in an HDF5 file.

    Parameters
    ----------
    path : str or path
        the file

    Returns
    -------
    LazyStudy
        as `lazy` has returned it

    Raises
    ------
    InputError
        for what is no such file
    """
    with reading(path := as_path(path)) as file:
        if file.attrs.get("kind") != "lazy":
            raise InputError(f"{path} is an HDF5 file but not a lazy study of wgf")
        check_version(path, file.attrs)
        require_complete(file, path, "lazy study")
        rates = {name: file["rate"][name][:] for name in RATES}
        return LazyStudy(LazyTable.read(file), file["expected_distance"][:], rates, attributes_of(file))
