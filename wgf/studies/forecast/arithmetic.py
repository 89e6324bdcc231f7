"""Bytes and operations of a step, counted from what its loops do.

Bytes are the least that must pass between memory and processor where no array of the cells stays in a cache: each one that a sweep reads
or writes counts once. Operations are those on 8-byte numbers, comparisons and choices among them, counted in the source of the loops; an
exponential counts as TRANSCENDENTAL of them. Both are of a step that is taken once, and in the mean over the first steps where it iterates.

transport   a stage reads μ and, but for the first, the μ that the step began with, and writes μ; with sharp limiters it writes and reads
            1/outflow; where c is no axis, it writes and reads G, and reads the r features of a cell twice, but for those that are separable
gibbs       3p − 1 sweeps along lines, which read μ and G and write μ; two potentials, a logarithm
split       a step of transport, p sweeps of heat before and after it, and a logarithm
jko         an iteration is 2p products with the Gaussians of the n_k cells along an axis
particles   a velocity is two passes over m neurons × n data (or, from a table, over m neurons × its LOOKED_UP entries)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wgf.methods.finite_volume.integrators import LIMITERS
from wgf.studies.forecast.course import innermost

NUMBER = 8.0  # bytes
TRANSCENDENTAL = 20.0
PRODUCT, OUTFLOW, UPDATE = 9.0, 6.0, 14.0  # for a face and each other axis, with sharp limiters; for a face, and for a cell
LINE = 60.0  # for a cell in an implicit sweep, two exponentials among them
HEAT = 40.0  # cells that the heat of half a step reaches, about
PAIR = 10.0  # for a neuron and a sample, beside its activation and what each coordinate costs
LOOKED_UP = 16.0
STAGES = {"RK45": 6, "DOP853": 12, "RK23": 3}  # velocities of a step that is accepted


@dataclass(frozen=True)
class Arithmetic:
    """Bytes moved and operations done in a step."""

    bytes: float
    operations: float


def arithmetic(stepper: Any, work: float) -> Arithmetic | None:
    """That of a step of a stepper with so much work (course.py); None where it is not counted."""
    scheme = innermost(stepper)
    names = (base.__name__ for base in type(scheme).__mro__)
    count = next((COUNTS[name] for name in names if name in COUNTS), None)
    return None if count is None else count(scheme, work)


def _transport(scheme: Any, cells: float) -> Arithmetic:
    stages, p, faces = len(scheme.weights), scheme.grid.dim, LIMITERS[scheme.method.limiter]
    sharp, averages = faces.sharp, scheme.spare[0].itemsize * (2.0 * stages + stages - 1)
    face = faces.operations + (PRODUCT * (p - 1) if sharp else 0.0)
    if sharp or scheme.potential.offset.shape[1] > 1:  # else the largest outflow is found at the ends of rows
        face += OUTFLOW
    numbers = stages * ((2.0 if sharp else 0.0) + _potential_numbers(scheme))
    operations = stages * (p * face + UPDATE + _potential_operations(scheme))
    return Arithmetic((averages + NUMBER * numbers) * cells, operations * cells)


def _split(scheme: Any, cells: float) -> Arithmetic:
    transport, p = _transport(scheme, cells), scheme.grid.dim
    numbers, operations = 2 * p * 2.0 + 2.0, 2 * p * 2.0 * HEAT + TRANSCENDENTAL
    return Arithmetic(transport.bytes + NUMBER * numbers * cells, transport.operations + operations * cells)


def _gibbs(scheme: Any, cells: float) -> Arithmetic:
    sweeps = 3 * scheme.grid.dim - 1
    numbers = 3.0 * sweeps + 2.0 * (1.0 + _potential_numbers(scheme)) + 2.0
    operations = LINE * sweeps + 2.0 * (2.0 + _potential_operations(scheme)) + TRANSCENDENTAL
    return Arithmetic(NUMBER * numbers * cells, operations * cells)


def _jko(scheme: Any, work: float) -> Arithmetic:
    """`work` is cells times iterations."""
    p, along = scheme.grid.dim, float(sum(scheme.grid.shape))
    return Arithmetic(NUMBER * 2.0 * 2.0 * p * work, 2.0 * 2.0 * along * work)


def _particles(scheme: Any, points: float) -> Arithmetic | None:
    data, p = scheme.energy.data, scheme.points.shape[1]
    if data is None:
        return None
    table = type(scheme.energy.neuron).__name__ == "TabulatedNeuron"
    pairs = LOOKED_UP if table else data.size * (PAIR + TRANSCENDENTAL + 2.0 * p)
    velocities = STAGES.get(getattr(scheme, "solver", ""), 1)
    return Arithmetic(NUMBER * velocities * 3.0 * p * points, velocities * 2.0 * pairs * points)


def _potential_numbers(scheme: Any) -> float:
    """Of a cell, to be moved for its potential."""
    potential = scheme.potential
    if getattr(potential, "factored", False) or potential.offset.shape[1] == 1:
        return 0.0
    return 2.0 + (0.0 if getattr(potential, "separable", None) is not None else 2.0 * float(potential.rank))


def _potential_operations(scheme: Any) -> float:
    """Of a cell, for its potential: a product with each feature, and a sum over them."""
    potential = scheme.potential
    shared = potential.columns if getattr(potential, "factored", False) else 1
    return 4.0 * float(potential.rank) / float(shared)


COUNTS: dict[str, Callable[[Any, float], Arithmetic | None]] = {
    "Split": _split,
    "Transport": _transport,
    "DriftDiffusion": _gibbs,
    "VariationalStepper": _jko,
    "ParticleStepper": _particles,
}
