"""What limiters and integrators there are, and how long a stage may be with them (transport.py says why)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wgf.errors import InputError
from wgf.kernels.reconstruction import Limiter

LIMITERS = {
    "mp7": Limiter.MP7,
    "mp5": Limiter.MP5,
    "mc": Limiter.MC,
    "minmod": Limiter.MINMOD,
    "van-leer": Limiter.VAN_LEER,
    "upwind": Limiter.UPWIND,
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
    stable: Mapping[Limiter, float] = field(default_factory=dict)


INTEGRATORS = {
    "euler": Integrator(1.0, (1.0,), 1),
    "ssprk2": Integrator(1.0, (1.0, 1 / 2), 2),
    "ssprk3": Integrator(1.0, (1.0, 1 / 4, 2 / 3), 3, {Limiter.MP5: 1.4, Limiter.MP7: 1.2}),
    # four stages for twice the step, and five for four times [Spiteri & Ruuth 2002]
    "ssprk43": Integrator(1 / 2, (1.0, 1.0, 1 - 2 / 3, 1.0), 3, {Limiter.MP5: 0.86, Limiter.MP7: 0.75}),
    "ssprk52": Integrator(1 / 4, (1.0, 1.0, 1.0, 1.0, 4 / 5), 2, {Limiter.MP5: 0.22, Limiter.MP7: 0.15}),
}
COURANT = 0.8  # the same with sharp ones, where the integrator is stable with it
MONOTONE = 0.2  # dt·outflow up to which averages that are monotone stay so with sharp ones [Suresh & Huynh 1997, α = 4]
ON_A_LINE = 0.1


def largest_courant(limiter: str, integrator: str) -> float:
    """The largest dt·outflow of a stage: by it limited slopes are positive, and sharp limiters stable.

    Raises InputError where no step is stable.
    """
    kind = LIMITERS[limiter]
    if not kind.sharp:
        return POSITIVITY
    if kind not in INTEGRATORS[integrator].stable:
        choices = ", ".join(name for name, other in INTEGRATORS.items() if kind in other.stable)
        raise InputError(
            f"integrator = {integrator!r}: with {limiter} it is unstable at any step: choose {choices}, or a limiter with limited slopes"
        )
    return min(COURANT, INTEGRATORS[integrator].stable[kind])


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
