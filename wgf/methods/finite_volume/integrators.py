"""What limiters and integrators there are, and how long a stage may be with them (transport.py says why)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wgf.errors import InputError
from wgf.kernels.reconstruction import Limiter


@dataclass(frozen=True)
class FaceValues:
    """How the value on a face is found from the averages beside it (kernels/reconstruction.py).

    kind          as the loops over faces know it
    order         of the error in h, with time steps in proportion
    smooth_order  the same without noise for laws that are smooth (measures/averages.py, kernels/product.py): of sharp values it is four in
                  the end, but with mp7 errors fall by about six orders before, on the grids on which they can be seen
    operations    for a flux, as the loops have them
    sharp         whether values are of higher order, in an interval
    """

    kind: Limiter
    order: int
    smooth_order: int
    operations: float
    sharp: bool = False


LIMITERS = {
    "mp7": FaceValues(Limiter.MP7, 2, 6, 84.0, sharp=True),
    "mp5": FaceValues(Limiter.MP5, 2, 4, 84.0, sharp=True),
    "mc": FaceValues(Limiter.MC, 2, 2, 20.0),
    "minmod": FaceValues(Limiter.MINMOD, 2, 2, 20.0),
    "van-leer": FaceValues(Limiter.VAN_LEER, 2, 2, 20.0),
    "upwind": FaceValues(Limiter.UPWIND, 1, 1, 8.0),
}
POSITIVITY = 0.5  # the largest dt·outflow of a stage at which limited slopes keep every cell ≥ 0


@dataclass(frozen=True)
class Integrator:
    """stage ← (1 − w) μ + w (stage + part·dt·rate) for each w of `weights`, the Shu–Osher form of the SSP methods.

    w and 1 − w are numbers that add up to one exactly: otherwise mass would drift by rounding, the same way in each step.
    order    in time
    stable   for sharp limiters the largest dt·outflow of a stage for which their differences damp every wave; without one some grow at any
             step
    """

    part: float
    weights: tuple[float, ...]
    order: int
    stable: Mapping[str, float] = field(default_factory=dict)


INTEGRATORS = {
    "euler": Integrator(1.0, (1.0,), 1),
    "ssprk2": Integrator(1.0, (1.0, 1 / 2), 2),
    "ssprk3": Integrator(1.0, (1.0, 1 / 4, 2 / 3), 3, {"mp5": 1.4, "mp7": 1.2}),
    # four stages for twice the step, and five for four times [Spiteri & Ruuth 2002]
    "ssprk43": Integrator(1 / 2, (1.0, 1.0, 1 - 2 / 3, 1.0), 3, {"mp5": 0.86, "mp7": 0.75}),
    "ssprk52": Integrator(1 / 4, (1.0, 1.0, 1.0, 1.0, 4 / 5), 2, {"mp5": 0.22, "mp7": 0.15}),
}
COURANT = 0.8  # the same with sharp ones, where the integrator is stable with it
MONOTONE = 0.2  # dt·outflow up to which averages that are monotone stay so with sharp ones [Suresh & Huynh 1997, α = 4]
ON_A_LINE = 0.1


def largest_courant(limiter: str, integrator: str) -> float:
    """The largest dt·outflow of a stage: by it limited slopes are positive, and sharp limiters stable.

    Raises InputError where no step is stable.
    """
    if not LIMITERS[limiter].sharp:
        return POSITIVITY
    if limiter not in INTEGRATORS[integrator].stable:
        choices = ", ".join(name for name, other in INTEGRATORS.items() if limiter in other.stable)
        raise InputError(
            f"integrator = {integrator!r}: with {limiter} it is unstable at any step: choose {choices}, or a limiter with limited slopes"
        )
    return min(COURANT, INTEGRATORS[integrator].stable[limiter])


def default_courant(limiter: str, integrator: str, p: int, noisy: bool, edges: bool) -> float:
    """dt·outflow of a stage on p axes where nothing else is said: the largest, with two exceptions with sharp limiters.

    It is MONOTONE for laws with edges without noise, as averages would overshoot there in longer stages. And all of the outflow goes along
    one axis where there is no other: without noise the error in space is so small there that that in time would be all one sees, and it is
    ON_A_LINE; with noise it is MONOTONE.
    """
    largest = largest_courant(limiter, integrator)
    if not LIMITERS[limiter].sharp:
        return largest
    if noisy:
        return min(largest, MONOTONE if p == 1 else COURANT)
    return min(largest, ON_A_LINE if p == 1 else MONOTONE if edges else COURANT)
