"""Every method beside a small problem. A method to come is one more entry of CASES: without it, tests fail."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

import wgf

DATA = wgf.Data.quadrature(lambda x: np.tanh(2 * x) + 0.5 * np.sin(3 * x), -1, 1, 20)
PLANE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), DATA, 0.1), wgf.Gaussian((0.2, 0.5), (0.4, 0.4)))
NOISY = dataclasses.replace(PLANE, temperature=0.1)
NARROW = wgf.Gaussian((0.2, 0.5), (0.2, 0.2))  # none of it lies beyond WALLS
BOUNDED = dataclasses.replace(PLANE, energy=wgf.RegressionEnergy(wgf.Neuron("cosine", ("a", "b")), DATA, 0.1))  # G is kept on all cells
LINE = wgf.Problem(wgf.RegressionEnergy(wgf.Neuron("tanh", ("a",)), DATA, 0.1), wgf.Gaussian((0.5,), (0.4,)))
BOX = ((16, 14), (-3, -2.5), (3.5, 4))
FINE = ((28, 28), (-3, -2.5), (4, 4.5))
SMALL = ((8, 7), *BOX[1:])
TIGHT = dict(zip(("cells", "lower", "upper"), ((12, 12), (-1.2, -0.9), (1.6, 1.9)), strict=True))  # a box that has to grow at once
WALLS = {"lower": (-1.0, -1.0), "upper": (1.5, 1.5)}


@dataclasses.dataclass(frozen=True)
class Case:
    """A method and a problem.

    falls, loss   whether the free energy is known and falls, and whether steps tell the loss of all data
    changed       of the values of a state, others that it could have: half of a density, points moved away; None where they follow from a
                  path, and others are refused
    cells, mass   how far the loss told may be, relatively, from that of the measure shown, whose cells are averages of what is known
                  better, and the mass from one, where it is not enforced
    seam          how far the last loss may be from that of a run without a seam, relative to its fall: a draw is another one
    """

    method: object
    problem: wgf.Problem = PLANE
    falls: bool = True
    loss: bool = True
    changed: Callable | None = lambda averages: 0.5 * averages
    cells: float = 1e-9
    mass: float = 1e-10
    seam: float = 1e-3

    def stepper(self):
        return self.method.bind(self.problem, 2.0)

    def solved(self, **options):
        return wgf.solve(self.problem, self.method, **{"until": 0.4, "save": 3} | options)


def moved(points):
    """Away from where they were."""
    return points + 5.0


CASES = {
    "finite-volume": {
        "transport": Case(wgf.FiniteVolume(*BOX)),
        "transport, every cell": Case(wgf.FiniteVolume(*BOX, negligible=0.0)),
        "transport, no box": Case(wgf.FiniteVolume(spacing=0.2)),
        "transport, G on all cells": Case(wgf.FiniteVolume(*BOX, edge_tolerance=1), BOUNDED),
        "gibbs": Case(wgf.FiniteVolume(*BOX, diffusion="gibbs", edge_tolerance=1), NOISY),
        "split": Case(wgf.FiniteVolume(*BOX, diffusion="split", edge_tolerance=1), NOISY),
        "chosen along the run": Case(wgf.FiniteVolume(*BOX, edge_tolerance=1), NOISY),
        "growing": Case(wgf.FiniteVolume(**TIGHT, grow=True)),
        "growing, gibbs": Case(wgf.FiniteVolume(**TIGHT, grow=True, diffusion="gibbs"), NOISY),
        "growing, split": Case(wgf.FiniteVolume(**TIGHT, grow=True, diffusion="split"), NOISY),
    },
    "jko": {
        "scaling": Case(wgf.JKO(*BOX, dt=0.1, edge_tolerance=1), NOISY),
        "log": Case(wgf.JKO(*SMALL, dt=0.2, domain="log", edge_tolerance=1)),
        "second order": Case(wgf.JKO(*SMALL, dt=0.2, order=2, edge_tolerance=1)),
    },
    "quantile-jko": {"": Case(wgf.QuantileJKO(60, [-3], [4], dt=0.1), LINE, changed=moved)},
    "fipy": {
        "flow": Case(wgf.FiPyMesh(wgf.Box(*SMALL), edge_tolerance=1, dt=0.1)),
        "noise": Case(wgf.FiPyMesh(wgf.Box(*SMALL), convection="exponential", edge_tolerance=1, dt=0.1), NOISY),
    },
    "characteristics": {"": Case(wgf.Characteristics(nodes=6), changed=moved)},
    "pushforward": {
        "": Case(wgf.Pushforward(*FINE, nodes=12, tolerance=1e-5), changed=None, cells=1e-2, mass=1e-5),
    },
    "mirror-descent": {
        "kl": Case(wgf.MirrorDescent(*BOX)),
        "kl, noise": Case(wgf.MirrorDescent(*BOX), NOISY),
        "kl, G on all cells": Case(wgf.MirrorDescent(*BOX), BOUNDED),
        "euclidean": Case(wgf.MirrorDescent(**TIGHT, bregman="euclidean"), dataclasses.replace(PLANE, initial=NARROW)),
    },
    "wasserstein-fisher-rao": {
        "transport": Case(wgf.WassersteinFisherRao(*BOX)),
        "noise": Case(wgf.WassersteinFisherRao(*BOX, edge_tolerance=1), NOISY),
        "injection": Case(wgf.WassersteinFisherRao(*BOX, injection=wgf.Uniform((-2, -2), (2, 2)), edge_tolerance=1)),
    },
    "particles": {
        "flow": Case(wgf.Particles(20, seed=1), changed=moved),
        "flow, walls": Case(wgf.Particles(20, seed=1, **WALLS), dataclasses.replace(PLANE, initial=NARROW)),
        "descent": Case(wgf.Particles(20, seed=1, step=0.05), changed=moved),
        "noise": Case(wgf.Particles(20, seed=1, step=0.05), NOISY, falls=False, changed=moved),
        "noise, walls": Case(
            wgf.Particles(20, seed=1, step=0.05, scheme="euler-maruyama", **WALLS), dataclasses.replace(NOISY, initial=NARROW), falls=False
        ),
        "batches": Case(wgf.Particles(20, seed=1, step=0.05, batch=3), falls=False, loss=False, changed=moved),
        "births and deaths": Case(wgf.Particles(20, seed=1, birth_death=1.0), falls=False, changed=moved, seam=0.5),
        "births and deaths, descent": Case(wgf.Particles(20, seed=1, step=0.05, birth_death=1.0), falls=False, changed=moved),
        "births and deaths, walls": Case(
            wgf.Particles(20, seed=1, step=0.05, birth_death=1.0, injection=wgf.Uniform(*WALLS.values()), **WALLS),
            dataclasses.replace(PLANE, initial=NARROW),
            falls=False,
        ),
    },
}
ALL = {" ".join(filter(None, (name, variant))): case for name, variants in CASES.items() for variant, case in variants.items()}
