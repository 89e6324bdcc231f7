"""Where lazy training ends: the scale at which the tangent kernel changes by a given part, ‖T̂(t) − T̂(0)‖ = change·‖T̂(0)‖.

The scale is A in φ = (A/√m) Σ_j g(θ_j), α = A·m^{−½}. The change falls with A (as 1/A where κ is small, or 1/A² from a start in pairs), so
that A* is the one root of a monotone function: it is bracketed by factors of four from A = 1 on, and found by Brent's method in log A.

For linear neurons cax in pairs and f* = kx the kernel grows, until b = φ/f* = 1, by √(1 + 4κ²) − 1 with κ = k/(mασ²), σ² the mean of
c² + a² at the start. So κ* = ½√((1 + change)² − 1) and A* = k/(√m σ²κ*) ~ m^{−½}, the exponent that Geiger, Spigler, Jacot & Wyart
(J. Stat. Mech. 2020, 113301) have measured on deeper networks.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from wgf.errors import InputError, RunError, positive, whole
from wgf.measures.arguments import generator
from wgf.methods.particles.method import Particles
from wgf.networks.tangent import in_space
from wgf.problems.problem import Problem
from wgf.runs.rest import end_time
from wgf.runs.solve import solve
from wgf.studies.lazy.quantities import accurate_flow, relative_change, trainable, trained_network
from wgf.studies.sweeps.crew import led
from wgf.studies.sweeps.over_sizes import as_sizes, seed_of
from wgf.studies.sweeps.parallel import answering, leave_to_first_process

WIDENINGS, FACTOR = 20, 4.0  # of the bracket, by this factor


@dataclass(frozen=True)
class Crossover:
    """A* of φ = (A/√m) Σ g for each size and replicate, (S, R), with κ(θ₀) there, and the part `change` by which the kernel changes."""

    sizes: np.ndarray
    scales: np.ndarray
    relative_scales: np.ndarray
    change: float

    @property
    def slope(self) -> float:
        """Of log A* in log m, by least squares; −½ for wide networks."""
        slope, _ = np.polyfit(np.log(self.sizes), np.log(self.scales).mean(axis=1), 1)
        return float(slope)


@led
def crossover(
    problem: Problem,
    sizes: Sequence[int],
    change: float = 0.1,
    until: float = 5.0,
    replicates: int = 4,
    seed: int = 0,
    centred: str | None = None,
    tolerance: float = 1e-4,
    workers: int | None = None,
) -> Crossover:
    """The scale A* of α = A·m^{−½} at which the tangent kernel changes by a part, by bisection.

    Parameters
    ----------
    problem : Problem
        of a network, without noise
    sizes : sequence of int
        m
    change : float
        the relative change of the kernel, ‖T̂(t) − T̂(0)‖/‖T̂(0)‖
    until : float
        t
    replicates : int
        networks of each size
    seed : int
        of the draws
    centred : str, optional
        "pairs" or "subtracted": networks that begin at zero
    tolerance : float
        of A*, relative
    workers : int, optional
        parallel processes; one per core by default

    Returns
    -------
    Crossover
        A* of each network, and its slope in m

    Raises
    ------
    InputError
        for what cannot be trained
    RunError
        where no scale from 4^{−20} to 4^{20} changes the kernel by that part
    """
    leave_to_first_process(workers)
    trainable(problem)
    positive(change, "crossover: change")
    positive(tolerance, "crossover: tolerance")
    whole(replicates, "crossover: replicates")
    generator(seed)
    chosen = np.array(as_sizes(sizes))
    if len(chosen) < 2:
        raise InputError(f"crossover: sizes = {list(sizes)}; give two sizes or more")
    search = _Search(problem, float(change), float(end_time(until)), seed, centred, float(tolerance))
    tasks = [(size, replicate, int(chosen[size])) for size in reversed(range(len(chosen))) for replicate in range(replicates)]
    found, relative = (np.full((len(chosen), replicates), np.nan) for _ in range(2))
    with answering(search, tasks, workers or os.cpu_count() or 1) as answers:
        for (size, replicate, _), (scale, kappa) in answers:
            found[size, replicate], relative[size, replicate] = scale, kappa
    return Crossover(chosen, found, relative, float(change))


@dataclass(frozen=True)
class _Search:
    """What a process needs to find A* of one draw of neurons."""

    problem: Problem
    change: float
    until: float
    seed: int
    centred: str | None
    tolerance: float

    def __call__(self, task: tuple[int, int, int]) -> tuple[float, float]:
        """A* and κ(θ₀) there."""
        _, replicate, m = task
        draw = seed_of(self.seed, m, replicate)
        seen: dict[float, tuple[float, float]] = {}

        def excess(log_scale: float) -> float:
            """log of the kernel's change, less that of the wanted one."""
            if log_scale not in seen:
                alpha = math.exp(log_scale) / math.sqrt(m)
                neurons = Particles(m, draw, scale=alpha, centred=self.centred, **accurate_flow(self.problem))
                seen[log_scale] = self._trained(neurons)
            return math.log(max(seen[log_scale][0], np.finfo(float).tiny)) - math.log(self.change)

        low, high = 0.0, 0.0
        for _ in range(WIDENINGS):
            if excess(low) >= 0.0:
                break
            low -= math.log(FACTOR)
        for _ in range(WIDENINGS):
            if excess(high) <= 0.0:
                break
            high += math.log(FACTOR)
        if not excess(low) >= 0.0 >= excess(high):
            raise RunError(
                f"no scale changes the tangent kernel of {m} neurons by {self.change:g} until t = {self.until:g}: it changes by "
                f"{seen[low][0]:.3g} at A = {math.exp(low):.3g} and by {seen[high][0]:.3g} at A = {math.exp(high):.3g}; take another "
                "change, or a later time"
            )
        root = low if low == high else float(brentq(excess, low, high, xtol=self.tolerance, rtol=4 * np.finfo(float).eps))
        excess(root)
        return math.exp(root), seen[root][1]

    def _trained(self, neurons: Particles) -> tuple[float, float]:
        """‖T̂(t) − T̂(0)‖/‖T̂(0)‖ and κ(θ₀)."""
        run = solve(self.problem, neurons, self.until, save=2)
        (start, data), (end, _) = (trained_network(self.problem, run, frame) for frame in (0, -1))
        before, after = (in_space(network.tangent_kernel(data), data) for network in (start, end))
        return relative_change(after, before), start.relative_scale(data)
