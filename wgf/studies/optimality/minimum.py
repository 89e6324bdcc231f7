"""The least loss that any measure on the domain has, by the fully corrective method of Frank and Wolfe.

Each round looks for all local minima of G(·; μ) (search.py), which are where mass is missing, adds them to the places of μ, and gives all
places their best weights (atoms.py); those without weight go. Newton's method for places and weights then finds the last digits. With
z = φ_μ − f*, L[μ] − D(z) is a bound of what is left (dual.py), which ends the rounds where it is small enough
[Jaggi, ICML 2013; Denoyelle et al., Inverse Problems 36 (2020) 014001].
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wgf.errors import InputError, ResolutionWarning, positive, warn
from wgf.measures.measure import Cloud
from wgf.networks.features import linear_algebra
from wgf.networks.waiting import reported
from wgf.problems.problem import Problem, check_problem
from wgf.problems.regression import RegressionEnergy, network
from wgf.studies.optimality.atoms import Atoms, fewest, polished, weighted
from wgf.studies.optimality.domain import Domain, domain_of
from wgf.studies.optimality.dual import dual, lower_bound, mean_potential
from wgf.studies.optimality.landscape import Landscape
from wgf.studies.optimality.search import Search

ROUNDS = 80
LIGHT = 1e-14  # a weight that is none
PROVEN = 1e-9  # of ‖f*‖²: how near the bound is to be that is proven, where the work allows
SHARE = 1e-3  # of what a measure loses more: its bound need not be better
NEAR = 1e-3  # of the extent of the atoms: places that are one
LITTLE = 1e-13  # of the scale of the loss, by which G at a place must be below that of μ to be worth adding


@dataclass(frozen=True)
class GlobalMinimum:
    """The best measure, and how sure it is that there is no better one.

    Attributes
    ----------
    measure : Cloud
        a few atoms
    loss : float
        L of it
    gap : float
        what is left to the least loss at most, as far as descents find the lowest place of the potential
    prediction : array (n,)
        φ at the data
    z : array (n,)
        φ − f*, at which the dual bound is tight
    domain : Domain
        where θ may lie
    bound : float
        what the least loss is proven to be at least on the whole domain; −∞ where nothing is proven
    """

    measure: Cloud
    loss: float
    gap: float
    prediction: np.ndarray
    z: np.ndarray
    domain: Domain
    bound: float = -np.inf

    def __repr__(self) -> str:
        count = len(self.measure.weights)
        return f"GlobalMinimum(L = {self.loss:.10g} to {self.gap:.1e}, {count} atom{'s' if count > 1 else ''}, {self.domain.describe()})"


def global_minimum(
    problem: Problem,
    lower: Sequence[float] | float | None = None,
    upper: Sequence[float] | float | None = None,
    tolerance: float = 1e-10,
) -> GlobalMinimum:
    """min L over the probability measures on a box, or on all of R^p where a penalty |θ|² keeps it finite.

    Parameters
    ----------
    problem : Problem
        of a network, without noise
    lower, upper : float or sequence of float, optional
        the box; one number serves for all axes
    tolerance : float
        of L, in ‖f*‖²

    Returns
    -------
    GlobalMinimum
        the measure, its loss, and the proven bound

    Raises
    ------
    InputError
        for problems with noise, whose minimum is no sum of atoms (`certify` gives it on cells), for energies that are not a network's, and
        for domains without an end where nothing keeps the minimum finite

    Warns
    -----
    ResolutionWarning
        where the tolerance is not reached: it says what was
    """
    check_problem(problem)
    positive(tolerance, "tolerance")
    energy = network(problem.energy)
    if problem.noise > 0:
        raise InputError(
            f"with noise (temperature = {problem.noise:g}) the best measure is a density: wgf.certify finds it on a run's cells"
        )
    domain = domain_of(energy, dimension(problem), lower, upper)
    scale = energy.data.norm(energy.data.targets) ** 2 or 1.0
    with linear_algebra().limit(limits=1):  # its matrices are small
        search = Search(Landscape(energy, domain), energy.data.weights * energy.data.targets)
        found = minimise(energy, domain, tolerance * scale, search)
        found = dataclasses.replace(found, bound=lower_bound(search, found.z, PROVEN * scale).proven)
    if found.gap > tolerance * scale:
        warn(f"the least loss was found to {found.gap:.1e} only, not to {tolerance * scale:.1e}", ResolutionWarning)
    return found


def dimension(problem: Problem) -> int:
    """p; raises InputError where neither the neuron nor the law says it."""
    if problem.dim is None:
        raise InputError("neither the neuron nor the initial law says how many coordinates θ has: give the neuron names, theta = (…)")
    return problem.dim


def minimise(energy: RegressionEnergy, domain: Domain, enough: float, search: Search, above: float = 0.0) -> GlobalMinimum:
    """The best measure, to an `enough` small gap, to a thousandth of how much less it loses than a measure with the loss `above`, or to
    where ROUNDS lead.
    """
    data = energy.data
    atoms = weighted(energy, search.minima(-data.weights * data.targets)[0])
    seen: list[tuple[float, Atoms]] = []  # gaps, and of what
    for _ in reported(range(ROUNDS), "looking for the best measure"):
        atoms = refined(energy, domain, atoms.heaviest(LIGHT))
        z, loss = residual(energy, atoms), energy.loss(atoms.measure)
        places, values = search.minima(data.weights * z, atoms.places)
        seen.append((max(loss - bound_from(energy, z, float(values[0])), 0.0), atoms))
        fresh = places[values < mean_potential(data, z, loss) - LITTLE * abs(loss)]
        if seen[-1][0] <= max(enough, SHARE * (above - loss)) or not len(fresh):
            break
        atoms = weighted(energy, np.concatenate([atoms.places, fresh]))
    gap, atoms = min(seen, key=lambda pair: pair[0])
    atoms = fewest(energy, atoms)
    z = residual(energy, atoms)
    measure = dataclasses.replace(atoms.measure, neuron=energy.neuron)
    return GlobalMinimum(measure, energy.loss(measure), gap, z + data.targets, z, domain)


def refined(energy: RegressionEnergy, domain: Domain, atoms: Atoms) -> Atoms:
    """The atoms with neighbours merged and all polished, where that lowers the loss."""
    tried = weighted(energy, polished(energy, domain, merged(atoms)).places)
    return tried if energy.loss(tried.measure) <= energy.loss(atoms.measure) else atoms


def merged(atoms: Atoms) -> Atoms:
    """Atoms next to each other as one, at their centre of mass."""
    extent = np.ptp(atoms.places, axis=0)
    left, places, weights = np.ones(len(atoms.weights), dtype=bool), [], []
    for j in np.argsort(-atoms.weights):
        if left[j]:
            near = left & (np.abs(atoms.places - atoms.places[j]) <= NEAR * extent).all(axis=1)
            left &= ~near
            places.append(np.average(atoms.places[near], axis=0, weights=atoms.weights[near]))
            weights.append(atoms.weights[near].sum())
    return Atoms(np.array(places), np.array(weights))


def residual(energy: RegressionEnergy, atoms: Atoms) -> np.ndarray:
    """z = φ − f*, (n,)."""
    result: np.ndarray = energy.predict(atoms.measure) - energy.data.targets
    return result


def bound_from(energy: RegressionEnergy, z: np.ndarray, minimum: float) -> float:
    """The best of D(sz), of s = 1 where there is a penalty, and of what D is at least at z = 0."""
    data = energy.data
    if energy.penalty.strength:
        return dual(data, z, minimum)
    square, along = data.norm(z) ** 2, (data.weights * z) @ data.targets
    return max(minimum - along, 0.0) ** 2 / square if square > 0 else 0.0
