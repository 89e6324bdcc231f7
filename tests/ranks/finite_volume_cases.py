"""Small runs of finite volumes, which are the same on any number of ranks: `mpiexec -n P python -m tests.ranks.finite_volume_cases FILE`.

The first rank writes the history and the last density of each into FILE.
"""

import sys
import warnings

import numpy as np

import wgf
from wgf.ranks.communicator import current

SERIES = ("time", "loss", "free_energy", "dissipation", "mass", "minimum", "boundary_mass")


def network(theta, penalty=0.1, samples=12, **fixed):
    """The loss of a network of one input with these parameters."""
    return wgf.RegressionEnergy(wgf.Neuron("tanh", theta, fixed), wgf.Data.quadrature(np.sin, nodes=samples), penalty)


def law(p, std=0.35):
    """A Gaussian off the middle."""
    return wgf.Gaussian(mean=[0.2 + 0.1 * k for k in range(p)], std=[std] * p)


def box(p, cells, boundary="no-flux", **options):
    """Cells of a box."""
    return wgf.FiniteVolume(cells=cells, lower=[-2.0] * p, upper=[2.2] * p, boundary=boundary, edge_tolerance=1.0, **options)


ATTRACTION = wgf.InteractionEnergy(V="x^2 + 0.5*y^2", W="1 - exp(-x^2 - 2*y^2)", axes=["x", "y"])
LINE = wgf.InteractionEnergy(V="x^2", W="abs(x)", axes=["x"])
SPREADING = wgf.InteractionEnergy(V="x^2 + y^2", U=wgf.PorousMedium(0.3, 2.0), axes=["x", "y"])
TORUS = wgf.InteractionEnergy(W=wgf.potential("poisson", strength=1.0), axes=["x", "y"])
OFFSET = wgf.InteractionEnergy(V="x^2 + x*y + y^2 + z^2 + 0.3*x*z", axes=["x", "y", "z"])
SLIDE = wgf.InteractionEnergy(V="10*exp(-0.05*x^2) + 0.1*x*y - x", axes=["x", "y"])
MIXED = ["periodic", "no-flux"]

# by name: energy, axes, temperature, method, end
CASES = {
    "c and a without end": (network(("c", "a")), 2, 0.0, wgf.FiniteVolume(cells=41), 1.0),
    "c and a for long": (network(("c", "a")), 2, 0.0, wgf.FiniteVolume(cells=40), 30.0),
    "a window that moves": (SLIDE, 2, 0.0, wgf.FiniteVolume(cells=36), 3.0),
    "c and a in a box": (network(("c", "a")), 2, 0.0, box(2, (37, 29)), 1.0),
    "a and b, separable": (network(("a", "b"), penalty=0.3), 2, 0.0, box(2, (140, 131)), 0.2),
    "a and b, dense": (network(("a", "b")), 2, 0.0, box(2, (31, 40), limiter="mc"), 0.5),
    "c and periodic a": (network(("c", "a")), 2, 0.0, box(2, (25, 33), ["no-flux", "periodic"]), 0.5),
    "periodic c and a": (network(("c", "a")), 2, 0.0, box(2, (25, 26), MIXED), 0.5),
    "single precision": (network(("c", "a")), 2, 0.0, box(2, (23, 26), precision="single"), 0.5),
    "all cells": (network(("c", "a")), 2, 0.0, box(2, (23, 22), negligible=0.0, integrator="ssprk3"), 0.5),
    "c": (network(("c",), a=1.0), 1, 0.0, wgf.FiniteVolume(cells=101), 1.0),
    "periodic a": (network(("a",)), 1, 0.0, box(1, 61, "periodic"), 0.5),
    "c, a and b": (network(("c", "a", "b")), 3, 0.0, box(3, (15, 17, 19)), 0.3),
    "c, a and b without end": (network(("c", "a", "b")), 3, 0.0, wgf.FiniteVolume(cells=17), 0.5),
    "a box of three axes": (OFFSET, 3, 0.0, box(3, (17, 15, 13), ["periodic", "no-flux", "no-flux"]), 0.3),
    "four axes": (wgf.InteractionEnergy(V="x^2+y^2+z^2+w^2+x*w", axes=["x", "y", "z", "w"]), 4, 0.0, box(4, (9, 8, 9, 7)), 0.2),
    "attraction": (ATTRACTION, 2, 0.0, box(2, (33, 28)), 0.5),
    "attraction on a line": (LINE, 1, 0.0, wgf.FiniteVolume(cells=80, limiter="mc", integrator="ssprk2"), 0.4),
    "spreading": (SPREADING, 2, 0.0, box(2, (31, 30)), 0.2),
    "torus": (TORUS, 2, 0.0, box(2, (24, 26), "periodic"), 0.5),
    "gibbs": (network(("c", "a")), 2, 0.1, box(2, (31, 30), diffusion="gibbs"), 0.5),
    "gibbs to rest": (network(("c", "a")), 2, 0.1, wgf.FiniteVolume(cells=26, diffusion="gibbs"), 40.0),
    "gibbs on a ring": (network(("a", "c")), 2, 0.1, box(2, (21, 22), MIXED, diffusion="gibbs"), 0.5),
    "gibbs on a line": (network(("c",), a=1.0), 1, 0.1, wgf.FiniteVolume(cells=50, diffusion="gibbs"), 0.5),
    "gibbs in space": (network(("c", "a", "b")), 3, 0.1, box(3, (11, 12, 13), diffusion="gibbs"), 0.3),
    "split": (network(("c", "a")), 2, 0.02, box(2, (31, 30), diffusion="split"), 0.5),
    "split on a ring": (ATTRACTION, 2, 0.02, box(2, (24, 25), MIXED, diffusion="split"), 0.5),
    "either": (network(("c", "a")), 2, 0.02, wgf.FiniteVolume(cells=32), 0.5),
    "either with attraction": (ATTRACTION, 2, 0.1, wgf.FiniteVolume(cells=24), 0.5),
}


QUICK = ("c and a for long", "periodic c and a", "c, a and b", "four axes", "attraction", "gibbs on a ring", "split", "either")


def found(name):
    """The numbers of a run, by name."""
    energy, p, temperature, method, until = CASES[name]
    run = wgf.solve(wgf.Problem(energy, law(p), temperature), method, until, save=3)
    return {series: run.history[series] for series in SERIES} | {"density": run.measures[-1].values}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    results = {f"{name}/{key}": values for name in sys.argv[2:] or CASES for key, values in found(name).items()}
    if current().first:
        np.savez(sys.argv[1], **results)
