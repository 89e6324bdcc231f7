"""The contract of a method, in three lifetimes.

A **method** is what the user chose: a frozen dataclass whose fields are its options. `method.bind(problem, until)` checks
that it can solve the problem and makes a **stepper**, which owns grids, features and work arrays and is never stored. The
stepper makes and moves a **state**, which is exactly what a checkpoint has to keep: whatever a step remembers from the
step before (a step size, say) is a field of the method's subclass of State. Nothing else holds time.

    stepper.start()             the state at t = 0
    stepper.resume(measure, time, steps)   the state at `time`, after so many steps, whose frame shows this measure, by which a run goes on;
                                raises InputError where it cannot be a frame of this stepper
    stepper.step(state, stop)   moves the state in place, not past `stop`, and sets state.time = stop exactly when it
                                arrives there; returns the Diagnostics of the state that the step left
    stepper.frame(state)        the measure, its Diagnostics and its prediction, without changing the state

A state may be changed between two steps, copied, pickled, moved back in time, or given to another stepper of the same method and
problem, and one stepper may move several states in turn: what comes of a state depends on its fields alone, to the last bit. A stepper
may therefore keep what it has computed of a state (its potential, say) only together with `state.token`, which identifies the values as
they are, and has to look whether that is still the state's. Where the values follow from a path that the state keeps beside them, others
are refused (pushforward/).

On several ranks (ranks/communicator.py) all of them call the same verbs in turn, change a state together if at all, and return the same
Diagnostics to the last bit. A method that solves on them says so: `on_ranks = True`. Where a state holds on each rank only a share of its
arrays, its stepper has two more verbs,

    stepper.divided(state)      the shares, by the names of the fields, as Divided (ranks/divided.py); other fields are equal on all ranks
    stepper.restored(fields)    the state with these fields; divided ones are given whole, as arrays in memory or in a file, of which each
                                rank takes `field[slices]`, whatever number of ranks they come from

and its Frame has the measure of the rank's own cells, on the grid of those, and the grid of all cells as `whole`.

A method of METHODS has a classmethod `from_table(table, domain, problem, cells)`, which reads it from the tables [method] and [domain] of
a problem file (domain_table.py), where `cells` from the command line come before those of the file.
A method that solves problems with growth says so: `handles_growth = True`. One that does not come to rest, or needs to know the end
beforehand, says why: `never_rests(problem)`. One whose error can be estimated (studies/theory/discretisation.py) also has
`coarser(problem, until)`, itself at half the resolution, and `order`, of the error in the resolution.
One whose cells may have to be found has `on_cells_of(problem, measure)`, itself on those of a frame, with which a run goes on.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np

from wgf.errors import InputError, NotFinite, answers
from wgf.kernels import aligned
from wgf.measures.grid import Grid
from wgf.measures.measure import Measure
from wgf.problems.problem import Problem
from wgf.ranks.communicator import Ranks

AnyState = TypeVar("AnyState", bound="State")


@dataclass(eq=False, repr=False)
class State:
    """Everything a stepper needs to go on: the time, the main array, and, in subclasses, the further fields that it remembers.

    A state owns its array, of single or double precision: the constructor and `values` copy what they are given. Values may be changed
    between steps, as a whole or in place (state.values *= 0.5); their shape stays. An array that was read from `values` is the state's
    until the next step, and from then on that of whoever has read it: no step writes into it.

    For steppers, which neither keep the array of a state nor pass it on:

    array            the values; not to be changed in place
    exchange(array)  puts other values in their place
    token            identifies the values as they are: one object as long as they cannot have been changed, another one each time it is
                     read while they can be
    """

    time: float
    array: np.ndarray

    def __post_init__(self) -> None:
        single = getattr(self.array, "dtype", None) == np.float32
        self.array = aligned.copied(self.array, np.float32 if single else float)
        self._lent, self._token = False, object()

    @property
    def values(self) -> np.ndarray:
        """The main array, to look at or to change."""
        self._lent = True
        return self.array

    @values.setter
    def values(self, values: np.ndarray) -> None:
        given = aligned.copied(values, self.array.dtype)
        if given.shape != self.array.shape:
            raise InputError(f"the values of a state have shape {self.array.shape}, and cannot be replaced by some of shape {given.shape}")
        self.exchange(given)

    @property
    def token(self) -> object:
        """See the text of the class."""
        return object() if self._lent else self._token

    def exchange(self, array: np.ndarray) -> np.ndarray:
        """Take `array` for the values, uncopied; returns one like the old one that may be written over: itself, if nobody else has it."""
        free = aligned.empty(self.array.shape, self.array.dtype) if self._lent else self.array
        self.array, self._lent, self._token = array, False, object()
        return free

    def copy(self: AnyState) -> AnyState:
        """A state of its own, which goes on as this one does; what a stepper has computed of this one holds for it, too."""
        result, copies = type(self).__new__(type(self)), {id(self.array): aligned.copied(self.array), id(self._token): self.token}
        vars(result).update((name, copy.deepcopy(value, copies)) for name, value in vars(self).items())  # whole objects are slower to copy
        result._lent = False
        return result

    def __copy__(self: AnyState) -> AnyState:
        return self.copy()

    def __repr__(self) -> str:
        others = "".join(f", {item.name} {getattr(self, item.name)!r}" for item in fields(self)[2:] if item.repr)
        return f"{type(self).__name__}(t = {self.time:g}, {' × '.join(map(str, self.array.shape))} values{others})"


@dataclass(frozen=True)
class Diagnostics:
    """What evaluating the potential once says about a state at `time`.

    loss         L[μ]
    free_energy  E = ½L[μ] + τ ∫μ log μ + ∫U(μ); NaN for particles with noise, whose measure has no entropy
    dissipation  ∫|∇(G + τ log μ)|² dμ, the rate at which E falls; for particles ∫|∇G|² dμ; in other geometries that rate (geometry/)
    mass         ∫ dμ
    minimum      the smallest cell average, or the smallest weight
    boundary     the mass in the outermost layer of cells at the lower and upper end of each axis, (p, 2); None for particles
    extra        further numbers for the history, the same names throughout a run
    """

    time: float
    loss: float
    free_energy: float
    dissipation: float
    mass: float
    minimum: float
    boundary: np.ndarray | None = None
    extra: dict[str, float] = field(default_factory=dict)

    @cached_property
    def boundary_mass(self) -> float:
        """The largest of `boundary`; zero for particles, which have no box."""
        return 0.0 if self.boundary is None else float(self.boundary.max())


SERIES = ("loss", "free_energy", "dissipation", "mass", "minimum", "boundary_mass")  # the numbers of Diagnostics, as columns


@dataclass(frozen=True)
class Frame:
    """A state as people look at it: the measure, its diagnostics, and φ_μ at the data (n,).

    whole    the grid of all cells, where the measure is the density on this rank's cells of it
    """

    measure: Measure
    diagnostics: Diagnostics
    prediction: np.ndarray
    whole: Grid | None = None


class Stepper(Protocol[AnyState]):
    """A method bound to a problem; see the module's text. `facts` become attributes of the run's file, as they are at the end."""

    facts: dict[str, Any]

    def start(self) -> AnyState: ...
    def resume(self, measure: Measure, time: float, steps: int) -> AnyState: ...
    def step(self, state: AnyState, stop: float) -> Diagnostics: ...
    def frame(self, state: AnyState) -> Frame: ...


class Method(Protocol):
    """What the user chose; a frozen dataclass."""

    def bind(self, problem: Problem, until: float) -> Stepper[Any]: ...


def check_method(method: object) -> None:
    """Raise an InputError for what is no method."""
    answers(method, ("bind",), "method", "a method and its options, such as wgf.FiniteVolume(cells=128)")


def options(method: Any) -> dict[str, Any]:
    """The fields of a method with their values, for the run's file."""
    return {item.name: getattr(method, item.name) for item in fields(method)}


def require_finite(values: np.ndarray, what: str, time: float, grid: Grid | None = None) -> None:
    """Raise NotFinite where a run has come to values that are not finite: then it has no measure to show; on a grid, say in which cells."""
    bad = ~np.isfinite(values)
    if bad.any():
        where = "" if grid is None else f", in {bad.sum():,} of {bad.size:,} cells, {_first(bad, grid)}"
        raise NotFinite(
            f"{what} is infinite or undefined at t = {time:.6g}{where}: the neuron, the penalty or the law gives such values, or a "
            "step was too long; choose a smaller box or shorter steps, or look at the values there"
        )


def _first(bad: np.ndarray, grid: Grid) -> str:
    """In words, the first of these cells (n_1, …, n_p)."""
    cell = np.unravel_index(int(np.argmax(bad)), bad.shape)
    centre = ", ".join(f"{centers[k]:.4g}" for centers, k in zip(grid.centers, cell, strict=True))
    return f"first around ({', '.join(grid.names)}) = ({centre})"


def check_growth(problem: Problem, method: object) -> None:
    """Refuse a problem whose mass grows, for methods that keep it."""
    if problem.growth and not getattr(method, "handles_growth", False):
        raise InputError(
            f"{type(method).__name__} keeps the mass, but that of the problem grows (κ = {problem.growth:g}): take FiPyMesh, or solve the "
            "problem from which it was reduced"
        )


def check_ranks(method: object, ranks: Ranks) -> None:
    """Refuse a method whose work several processes do not share: each of them would do all of it."""
    if ranks.size > 1 and not getattr(method, "on_ranks", False):
        raise InputError(
            f"{type(method).__name__} runs in one process, and {ranks.size} were started together: start it without mpiexec, or take "
            "FiniteVolume, Particles, Characteristics or Pushforward, which share their work; many runs at a time are shared by wgf sweep"
        )


def check_rest(problem: Problem, method: object) -> None:
    """Refuse to wait for the rest of a method that has none: `never_rests(problem)` is the reason, where there is one."""
    if hasattr(method, "never_rests") and (reason := method.never_rests(problem)):
        raise InputError(reason)


def noiseless(problem: Problem, method: object) -> None:
    """Refuse a problem with noise or an internal energy, for methods that solve only the Liouville equation."""
    if problem.noise > 0 or problem.energy.internal is not None:
        what = f"temperature = {problem.noise:g}" if problem.noise > 0 else f"U = {problem.energy.internal!r}"
        raise InputError(
            f"{type(method).__name__} solves the flow without diffusion, but the problem has {what}: take FiniteVolume, or leave it out"
        )
