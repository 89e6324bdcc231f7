"""What finite steps and batches cost: stochastic gradient descent beside the flow of the same neurons.

Gradient descent of step η is Euler's method for the flow of m neurons, so that after a fixed time φ is off by O(η), whatever m. On
batches of B samples drawn afresh each step adds noise of mean zero and variance O(η²/B), t/η times:

    E‖φ_η,B − φ_flow‖² = c₁(t) η/B + c₂(t) η² + …

The noise of a batch pushes all neurons together, so that it does not average out over them: c₁ does not fall with m. Against the limit the
fluctuation v/m comes on top [Mei, Montanari & Nguyen, PNAS 115 (2018) E7665, whose bound has the same three terms].

Both descents begin at the same draw of neurons, and so do those of all steps: the difference shows the steps and nothing else, its mean
square needs few replicates, and the fitted rate little more than one, for what the draw does to all steps alike is no scatter of the slope.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wgf.errors import InputError, entries_of, positive, whole, whole_if_given
from wgf.measures.arguments import generator
from wgf.methods.particles.method import Particles
from wgf.problems.problem import Problem, check_problem
from wgf.problems.regression import network
from wgf.registers import load
from wgf.runs.rest import end_time
from wgf.runs.solve import save_times, solve
from wgf.studies.sweeps.crew import led
from wgf.studies.sweeps.over_sizes import seed_of
from wgf.studies.sweeps.parallel import answering, leave_to_first_process
from wgf.studies.sweeps.rates import Rate, check_replicates, fit_rate


@dataclass(frozen=True, repr=False)
class StepComparison:
    """Distances of gradient descent from the flow of the same m neurons.

    Attributes
    ----------
    m : int
        the number of neurons
    steps : array (H,)
        η
    batches : tuple of int or None
        B for each row of the study; None for all data
    times : array (T,)
        the save times
    distance : array (B, H, R, T)
        ‖φ_η,B − φ_flow‖ in L²(ρ)
    rates : tuple of Rate
        for each batch the fit of log E d² in log η; expected_slope 1, and 2 for all data. The constant is E d²/η^expected_slope
    fluctuation : array (T,)
        m·E‖φ_flow − mean of φ_flow‖² over the replicates: what the draw of the neurons adds to the distance from the limit
    """

    m: int
    steps: np.ndarray
    batches: tuple[int | None, ...]
    times: np.ndarray
    distance: np.ndarray
    rates: tuple[Rate, ...]
    fluctuation: np.ndarray

    def mean_square(self) -> np.ndarray:
        """E d², (B, H, T)."""
        result: np.ndarray = np.mean(self.distance**2, axis=2)
        return result

    def standard_error(self) -> np.ndarray:
        """Of `mean_square`."""
        result: np.ndarray = np.std(self.distance**2, axis=2, ddof=1) / np.sqrt(self.distance.shape[2])
        return result

    def to_dataframe(self) -> Any:
        """A pandas.DataFrame with a row for each descent at each time."""
        return load("wgf.studies.tables:steps_dataframe")(self)

    def plot(self, path: str | Path | None = None) -> Any:
        """The distances against the step, a curve for each batch; returns the matplotlib figure."""
        return load("wgf.plots:draw")(self, path)

    def __repr__(self) -> str:
        fits = ", ".join(f"{name_of(batch)}: {rate.slope[-1]:.2f}" for batch, rate in zip(self.batches, self.rates, strict=True))
        return f"StepComparison({self.m} neurons, {self.distance.shape[2]} replicates; slope of E d² in the step at the end, {fits})"


def name_of(batch: int | None) -> str:
    """`all data`, or `batches of B`."""
    return "all data" if batch is None else f"batches of {batch}"


@led
def compare_steps(
    problem: Problem,
    until: float,
    m: int,
    steps: Sequence[float],
    batches: Sequence[int | None] = (None, 1, 8),
    replicates: int = 16,
    save: int | Sequence[float] = 2,
    seed: int = 0,
    workers: int | None = None,
) -> StepComparison:
    """Descend with every step size and batch beside the flow of the same neurons; for networks without noise.

    Parameters
    ----------
    problem : Problem
        of a network, without noise
    until : float
        the end
    m : int
        the number of neurons
    steps : sequence of float
        η; a step onto a save time may be shorter, so choose them to divide the save times
    batches : sequence of int or None
        samples drawn for each step; None for all data
    replicates : int
        draws of the neurons, and of the batches with them
    save : int or sequence of float
        a number of times, or a list of them
    seed : int
        of the draws
    workers : int, optional
        parallel processes; one per core by default

    Returns
    -------
    StepComparison
        distances, and their rates in η
    """
    leave_to_first_process(workers)
    check_problem(problem)
    whole(m, "m")
    generator(seed)
    for eta in entries_of(steps, "steps", "a list of step sizes η"):
        positive(eta, "steps: η")
    for batch in entries_of(batches, "batches", "a list of numbers of samples, and None for all data"):
        whole_if_given(batch, "batches: B")
    if problem.energy.data is None or problem.noise > 0:
        raise InputError("steps and batches are compared for networks without noise: a RegressionEnergy and temperature = 0")
    if len(set(steps)) < 2:
        raise InputError(f"steps = {list(steps)}: at least two different step sizes η > 0 are needed to fit a slope")
    check_replicates(replicates)
    times, etas = np.array(save_times(until := end_time(until), save)), np.sort(np.array(list(set(steps)), dtype=float))
    study = _Descents(problem, times.tolist(), etas.tolist(), tuple(batches))
    seeds = [Particles(m, seed=seed_of(seed, m, replicate)) for replicate in range(replicates)]
    with answering(study, seeds, workers or os.cpu_count() or 1) as answers:
        found = {task.seed.spawn_key: answer for task, answer in answers}  # type: ignore[union-attr]
    answered = [found[network.seed.spawn_key] for network in seeds]  # type: ignore[union-attr]
    distance = np.stack([difference for difference, _ in answered], axis=2)
    flows = np.stack([prediction for _, prediction in answered])
    rates = tuple(
        fit_rate(etas, row, 2.0 if batch is None else 1.0, paired=True) for batch, row in zip(study.batches, distance, strict=True)
    )
    fluctuation = m * np.sum(flows.var(axis=0, ddof=1) * problem.energy.data.weights, axis=-1)
    return StepComparison(m, etas, study.batches, times, distance, rates, fluctuation)


@dataclass(frozen=True)
class _Descents:
    """A task's function: a network to its distances (B, H, T) and to φ of its flow (T, n)."""

    problem: Problem
    times: list[float]
    steps: list[float]
    batches: tuple[int | None, ...]

    def __call__(self, network: Particles) -> tuple[np.ndarray, np.ndarray]:
        flow = solve(self.problem, network, self.times[-1], self.times).prediction
        rows = [[self._gap(dataclasses.replace(network, step=step, batch=batch), flow) for step in self.steps] for batch in self.batches]
        return np.array(rows), flow

    def _gap(self, descent: Particles, flow: np.ndarray) -> np.ndarray:
        """‖φ_η,B − φ_flow‖ at the save times, (T,)."""
        found = solve(self.problem, descent, self.times[-1], self.times).prediction
        result: np.ndarray = np.sqrt((found - flow) ** 2 @ network(self.problem.energy).data.weights)
        return result
