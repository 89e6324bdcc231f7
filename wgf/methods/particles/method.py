"""m neurons: dθ_j = −∇G(θ_j; μ̂) dt + √(2τ) dB_j, μ̂ = (1/m) Σ_k δ_{θ_k}, from m independent draws of the initial law.

This is −(m/2)∇_{θ_j} of the loss of the network of width m, so a plain gradient step of size η advances the time by η.
Without noise the neurons follow the gradient flow (flow.py, base.py), or plain gradient descent where `step` is given; with noise, or
on batches of the data, they move in steps of a fixed size (langevin.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from wgf.errors import InputError, located, positive_if_given, whole, whole_if_given
from wgf.measures.arguments import generator
from wgf.measures.laws import Law
from wgf.measures.laws.base import check_law
from wgf.measures.memory import require_memory_for
from wgf.methods.base import Diagnostics, State
from wgf.methods.domain_table import injected, without_box
from wgf.methods.particles.base import ParticleStepper
from wgf.methods.particles.birth_death import BirthDeath
from wgf.methods.particles.flow import FlowStepper
from wgf.methods.particles.langevin import SCHEMES, LangevinStepper, noise_key
from wgf.methods.particles.walls import Walls
from wgf.methods.solver_step import SOLVERS
from wgf.methods.time_steps import shortened
from wgf.networks.scaling import CENTRED, check_scale, in_pairs
from wgf.problems.internal import PorousMedium
from wgf.problems.problem import Problem
from wgf.problems.regression import network
from wgf.problems.scaled import scaled
from wgf.problems.schema import TomlTable
from wgf.registers import known

OF_THE_FLOW = ("rtol", "atol", "solver")
DEFAULT_RTOL, DEFAULT_ATOL = 1e-6, 1e-8  # of the gradient flow
ARRAYS = 8  # of the size of the positions, at least, while they move
NEURONS = 1000  # m, where a problem file names none
MOST_DRAWN = 10**6  # samples for a step, which are in memory at once
DEFAULT_STEP = 0.01  # of the noisy dynamics: for velocities and curvatures of size one, the error of `heun` is of size 1e-4


@dataclass(frozen=True)
class Particles:
    """m neurons drawn from the initial law and trained.

    An option that would change nothing is refused: by itself, or when the method is bound to a problem.

    Parameters
    ----------
    m : int
        the number of neurons
    seed : int or numpy.random.SeedSequence
        of the draw and of the noise
    step : float, optional
        the step size η of gradient descent, of noisy dynamics (0.01 by default) and of batches; a step onto a save time may be shorter.
        Without noise and step: gradient flow
    scheme : str, optional
        with noise: "heun" (by default; second weak order) or "euler-maruyama"
    batch : int, optional
        samples drawn for each step of stochastic gradient descent; the loss in the history is then that of the batch, the loss at
        frames that of all data
    rtol, atol : float, optional
        tolerances of the gradient flow's ODE solver; 1e-6 and 1e-8 by default
    solver : str, optional
        of the gradient flow: "RK45" (by default), "DOP853" or "RK23"
    lower, upper : float or sequence of float, optional
        walls, where the neurons live in a box: they stop there, with noise they are reflected; the initial law is truncated
    boundary : str or sequence of str
        "no-flux" or "periodic", for all axes or one per axis
    scale : float or str, optional
        α of the network α Σ_j g(θ_j): a number, or "m^-p"; 1/m by default, the mean-field scaling
    centred : str, optional
        "pairs": m/2 draws, each twice, with opposite output weights; "subtracted": the network less what it is at the start
    birth_death : float, optional
        r of neurons that die and divide, per unit of time: those of WassersteinFisherRao
    injection : law, optional
        the law μ_b of births beside copies; none by default

    Raises
    ------
    InputError
        for options that do not fit together
    """

    m: int
    seed: int | np.random.SeedSequence = 0
    step: float | None = None
    scheme: str | None = None
    batch: int | None = None
    rtol: float | None = None
    atol: float | None = None
    solver: str | None = None
    lower: Sequence[float] | None = None
    upper: Sequence[float] | None = None
    boundary: str | Sequence[str] = "no-flux"
    scale: float | str | None = None
    centred: str | None = None
    birth_death: float | None = None
    injection: Law | None = None

    on_ranks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        whole(self.m, "particles: m")
        generator(self.seed)
        whole_if_given(self.batch, "particles: batch")
        if self.batch is not None and self.batch > MOST_DRAWN:
            raise InputError(f"particles: batch = {self.batch}: give at most {MOST_DRAWN:,} samples a step, or leave it out for all data")
        for name in ("step", "rtol", "atol", "birth_death"):
            positive_if_given(getattr(self, name), f"particles: {name}")
        if self.batch is not None and self.step is None:
            raise InputError(f"particles: batch = {self.batch}; give the step size, too: step = …")
        if self.solver is not None:
            known(self.solver, SOLVERS, "ODE solver")
        if self.scheme is not None:
            known(self.scheme, SCHEMES, "scheme of noisy particles")
        if self.step is not None:
            self._refuse(OF_THE_FLOW, f"of the gradient flow, but step = {self.step:g} asks for steps of a fixed size")
        if self.batch is not None:
            self._refuse(("scheme",), f"of noise on all data, but batch = {self.batch} takes euler-maruyama")
        with located("particles"):
            check_scale(self.scale)
        if self.centred is not None:
            known(self.centred, CENTRED, "way to centre a network at its start")
        if self.centred == "pairs" and self.m % 2:
            raise InputError(f'particles: m = {self.m} with centred = "pairs"; give an even number of neurons')
        Walls(self.lower, self.upper, self.boundary)
        self._check_births()

    def _check_births(self) -> None:
        """An injection needs a rate, and neither goes with a scaled or centred network, which is no mean-field limit's."""
        if self.injection is not None:
            check_law(self.injection, "injection")
        if self.birth_death is None:
            if self.injection is not None:
                raise InputError("particles: injection is the law of births: give their rate, too, birth_death = …")
            return
        self._refuse(("scale", "centred"), "not of the mean-field scaling, for which births and deaths are")

    @classmethod
    def from_table(cls, table: TomlTable, domain: TomlTable, problem: Problem, cells: tuple[int, ...]) -> Particles:
        """From the tables of a problem file (domain_table.py); walls are given in [method]."""
        return without_box(cls, table, domain, problem, cells, **({} if "m" in table else {"m": NEURONS}), **injected(table))

    def bind(self, problem: Problem, until: float) -> ParticleStepper[Any] | BirthDeath:
        """Draw the neurons."""
        self._check_fit(problem)
        require_memory_for(ARRAYS * self.m * (problem.dim or 1), f"a network of {self.m:,} neurons", "choose fewer, m = …")
        walls = Walls(self.lower, self.upper, self.boundary)
        walls.fit(problem.dim)
        motion = self._motion(problem, self._drawn(problem, walls), walls)
        if self.birth_death is None:
            return motion
        law = self.injection
        births = None if law is None else walls.law_inside(dataclasses.replace(problem, initial=law).initial)
        return BirthDeath(motion, self.birth_death, births, noise_key(self.seed, stream=2), self.step is not None)

    def _check_fit(self, problem: Problem) -> None:
        """Refuse problems that neurons cannot solve, and options that would change nothing."""
        if isinstance(problem.energy.internal, PorousMedium):
            raise InputError(f"particles have no density, which U = {problem.energy.internal!r} needs: take FiniteVolume")
        if self.batch is not None and problem.energy.data is None:
            raise InputError(f"particles: batch = {self.batch}, but this energy has no data to draw from: leave it out")
        if problem.noise > 0:
            self._refuse(OF_THE_FLOW, f"of the gradient flow, but the problem has noise (temperature = {problem.noise:g})")
        else:
            self._refuse(("scheme",), "of noise, but the problem has none (temperature = 0)")
        if self.birth_death is not None:
            network(problem.energy)
            if problem.noise > 0:
                raise InputError(
                    f"births and deaths of the free energy need log μ, which neurons do not have (temperature = {problem.noise:g}): take "
                    "WassersteinFisherRao, or leave out the noise"
                )

    def _motion(self, problem: Problem, points: np.ndarray, walls: Walls) -> ParticleStepper[Any]:
        """What moves the neurons that begin at the points (m, p)."""
        problem = scaled(problem, self.scale, self.centred, points)
        given = (problem, points, np.full(self.m, 1.0 / self.m))
        if problem.noise > 0 or self.batch is not None:
            return LangevinStepper(*given, walls, self.step or DEFAULT_STEP, self.scheme or SCHEMES[0], self.batch, self.seed)
        if self.step is not None:
            return DescentStepper(*given, walls, self.step)
        return FlowStepper(*given, self.solver or "RK45", self.rtol or DEFAULT_RTOL, self.atol or DEFAULT_ATOL, walls)

    def _drawn(self, problem: Problem, walls: Walls) -> np.ndarray:
        """The neurons at the start, (m, p)."""
        law, rng = walls.law_inside(problem.initial), np.random.default_rng(self.seed)
        if self.centred != "pairs":
            return law.sample(self.m, rng)
        neuron = network(problem.energy).neuron
        if neuron.output_axis is None:
            raise InputError('particles: centred = "pairs" needs the output weight c among the coordinates in theta')
        points = in_pairs(neuron, law.sample(self.m // 2, rng))
        if not np.array_equal(walls.inside(points), points) and not walls.periods.any():
            raise InputError('particles: centred = "pairs" needs walls at opposite values of the output weight c')
        return points

    def _refuse(self, names: Sequence[str], why: str) -> None:
        """Refuse options of these names that are given, as they would change nothing."""
        if given := [f"{name} = {value}" for name in names if (value := getattr(self, name)) is not None]:
            raise InputError(f"particles: {', '.join(given)} would change nothing: {'it is' if len(given) == 1 else 'they are'} {why}")

    def never_rests(self, problem: Problem) -> str:
        """Why a run cannot end at rest, or nothing."""
        if problem.noise == 0 and self.batch is None and self.birth_death is None:
            return ""
        if self.birth_death is not None:
            return "neurons that die and divide do not come to rest: give an end time, or take WassersteinFisherRao"
        what = f"batches of {self.batch}" if self.batch is not None else f"noise (temperature = {problem.noise:g})"
        return f"neurons with {what} do not come to rest, nor is their free energy known: give an end time, or take FiniteVolume"

    def __repr__(self) -> str:
        numbers = {"rtol": self.rtol, "atol": self.atol, "step": self.step, "batches of": self.batch}
        words = [word for word in (self.scheme, self.solver) if word is not None]
        words += [f"scale {self.scale}"] if self.scale is not None else []
        words += [f"centred by {self.centred}"] if self.centred is not None else []
        words += [f"births and deaths at rate {self.birth_death:g}"] if self.birth_death is not None else []
        words += [f"{name} {number:g}" for name, number in numbers.items() if number is not None]
        return f"Particles({', '.join([f'{self.m:,} neurons', f'seed {self.seed}', *words])})"


class DescentStepper(ParticleStepper[State]):
    """Plain gradient descent, θ ← θ − η∇G."""

    def __init__(self, problem: Problem, points: np.ndarray, weights: np.ndarray, walls: Walls, eta: float) -> None:
        super().__init__(problem, points, weights, walls)
        self.eta = eta

    def start(self) -> State:
        """The neurons at t = 0."""
        return State(0.0, self.walls.inside(self.points))

    def step(self, state: State, stop: float) -> Diagnostics:
        """One gradient step, shortened only to land on `stop`."""
        velocity, loss = self.velocity(state.array)
        before = self.diagnostics(state.time, velocity, loss)
        dt, last = shortened(stop - state.time, self.eta)
        state.exchange(self.walls.inside(state.array + dt * velocity))
        state.time = stop if last else state.time + dt
        return before
