"""How fast L falls to its minimum L*, or E to E* with noise: the law that a run follows, beside the bounds that are known.

The laws, and how sure they are, are those of decay_laws.py; the bounds those of bounds.py. The gap L − L* is taken from the history of a
run, up to where it is rounding, at steps that are about evenly spaced in time.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wgf.errors import InputError, check_function, instance, number, positive, shown
from wgf.measures.arguments import real_numbers
from wgf.registers import load
from wgf.runs.run import Run, check_run
from wgf.studies.theory.bounds import known_bounds
from wgf.studies.theory.decay_laws import Law, fitted_laws

POINTS, FEWEST = 200, 10  # that are fitted
ROUNDING = 1e-13  # of the size of E: a gap below it says nothing


@dataclass(frozen=True, repr=False)
class ConvergenceRate:
    """The law by which L − L*, or E − E*, falls.

    Attributes
    ----------
    laws : list of Law
        all that were tried, the best one first
    times, gap : array (steps,)
        the whole series, as far as it is above rounding
    since : float
        from when on it is fitted
    of_energy : bool
        whether it is E that falls, and not L
    bounds : dict of str to array (steps,)
        what is known to lie above the gap
    """

    laws: list[Law]
    times: np.ndarray
    gap: np.ndarray
    since: float
    of_energy: bool
    bounds: dict[str, np.ndarray]

    @property
    def form(self) -> str:
        """That of the best law: "exponential", "power" or "shifted power"."""
        return self.laws[0].form

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Of the best law, by name: "amplitude" A, "rate" r or "exponent" q, "shift" t₀, each with its interval of 95 %, (3,)."""
        return self.laws[0].parameters

    def plot(self, path: str | pathlib.Path | None = None) -> Any:
        """The gap, the law and the bounds; returns the matplotlib figure."""
        return load("wgf.plots:draw")(self, path)

    def __repr__(self) -> str:
        found = ", ".join(f"{name} {value:.4g} [{low:.4g}, {high:.4g}]" for name, (value, low, high) in self.parameters.items())
        return f"ConvergenceRate({self.form}: {found}; from t = {self.since:.4g} to {self.times[-1]:.4g})"


def convergence_rate(
    run: Run,
    limit: float,
    since: float | None = None,
    bounds: Mapping[str, Callable[[np.ndarray], np.ndarray]] | None = None,
) -> ConvergenceRate:
    """The law by which the history of a run falls to its least value, beside the bounds that are known.

    Parameters
    ----------
    run : Run
        with enough steps
    limit : float
        L*, or E* where the run has an E: with noise, and without data. Right to much less than the last gap
    since : float, optional
        the time from which on the law is fitted; by default half of the time in which the gap is above rounding
    bounds : mapping of str to callable, optional
        further ones to be drawn, functions of times (n,), such as {"KL/t": wgf.fisher_rao_bound(best, first)}

    Returns
    -------
    ConvergenceRate
        the law, with intervals, and the bounds

    Raises
    ------
    InputError
        where the run goes below the limit, has no E though it has noise, or has too few steps from then on
    """
    check_run(run)
    times, gap = _gaps(run, limit)
    since = 0.5 * float(times[-1]) if since is None else since
    positive(since, "since")
    known = {name: values[: len(times)] for name, values in known_bounds(run, float(gap[0])).items()}
    known |= _further(bounds or {}, times)
    return ConvergenceRate(fitted_laws(*_even(times, gap, since)), times, gap, since, run.has_free_energy, known)


def _further(bounds: Mapping[str, Callable[[np.ndarray], np.ndarray]], times: np.ndarray) -> dict[str, np.ndarray]:
    """The bounds of a caller at times (steps,)."""
    instance(bounds, Mapping, "bounds", 'functions of times by name, {"name": function}')
    found = {}
    for name, bound in bounds.items():
        check_function(bound, f"the bound {name}", "a function of times, (n,) → (n,)")
        found[name] = real_numbers(bound(times), f"the values of the bound {name}")
        if found[name].shape != times.shape:
            raise InputError(f"the bound {name} gave values of shape {found[name].shape} at {len(times)} times: give one for each")
    return found


def _gaps(run: Run, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and gaps of the history (steps,), up to the first one that is rounding."""
    if run.attributes["temperature"] > 0 and not run.has_free_energy:
        raise InputError(
            "neurons with noise have no free energy, whose limit is known: take a run of the same problem by FiniteVolume or JKO"
        )
    name = "E" if run.has_free_energy else "L"
    if np.isnan(number(limit)):
        raise InputError(f"limit = {shown(limit)}: it must be a finite number, the least value of {name}")
    times, values = run.history["time"], run.history["free_energy" if run.has_free_energy else "loss"]
    gap, floor = values - limit, ROUNDING * run.energy_scale
    if (least := float(gap.min())) < -floor:
        raise InputError(
            f"the run comes down to {name} = {limit + least:.12g} at t = {times[gap.argmin()]:g}, below the limit {limit:.12g}: give the "
            "least value that its cells or neurons can have"
        )
    end = int(np.argmax(gap <= floor)) if (gap <= floor).any() else len(gap)
    if end < 2:
        raise InputError("the run begins at the limit: there is nothing that falls")
    return times[:end], gap[:end]


def _even(times: np.ndarray, gap: np.ndarray, since: float) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) and logarithms of gaps (n,) from `since` on, at the steps that are nearest to evenly spaced times."""
    wanted = np.linspace(since, times[-1], POINTS)
    after = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
    nearest = np.unique(np.where(wanted - times[after - 1] < times[after] - wanted, after - 1, after))
    nearest = nearest[times[nearest] >= since]
    if len(nearest) < FEWEST:
        raise InputError(
            f"only {len(nearest)} steps between t = {since:g} and {times[-1]:g}, up to where the gap is above rounding; at least {FEWEST} "
            "are needed: give an earlier `since`, or solve with more frames (save=…), each of which ends a step"
        )
    return times[nearest], np.log(gap[nearest])
