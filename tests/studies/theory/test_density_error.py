"""The reported L¹ error of a density against the true one."""

import dataclasses
import functools

import numpy as np
import pytest
from problems import Ridge, Tanh

import wgf
from wgf.studies.theory.density_error import apart

TANH = Tanh()
STUDENT = TANH.problem.energy
BOX = {"lower": (-3.5, -3.0), "upper": (4.5, 4.5)}
FREE, NOISY = Ridge(), Ridge(temperature=0.1)
HEATED = wgf.Problem(Tanh(penalty=0.1).problem.energy, TANH.problem.initial, 0.05)
PULLED = wgf.Problem(
    wgf.InteractionEnergy(V="x^4/4 - x^2/2", W=lambda z: 0.5 * z[..., 0] ** 2, axes=("x",)), wgf.Gaussian([0.3], [0.5]), 0.1
)


def exact(ridge):
    """The law in closed form."""
    return lambda grid, time: wgf.Density(grid, ridge.law(time).cell_averages(grid))


def finer(problem, method, cells):
    """What the same method finds on many more cells, once."""

    @functools.lru_cache
    def found(time):
        return wgf.solve(problem, dataclasses.replace(method, cells=cells), time, 2).measures[-1]

    return lambda grid, time: found(time)


def student(law, time, sizes, **options):
    """A tanh student without noise: problem, method, end, cells, and the density on 384²."""
    problem, method = wgf.Problem(STUDENT, law), wgf.FiniteVolume(1, **BOX, edge_tolerance=1, **options)
    return problem, method, time, sizes, finer(problem, dataclasses.replace(method, limiter="mp5", integrator="ssprk43"), 384)


BUMPS = wgf.Mixture([0.5, 0.5], [wgf.Gaussian([-0.5, 1.0], [0.2, 0.2]), wgf.Gaussian([1.0, -0.5], [0.2, 0.2])])
CASES = {  # problem, method, end, cells per axis, the true density on a grid at a time
    "a line": (FREE.problem, wgf.FiniteVolume(1, *FREE.box), 1.0, (24, 48, 96), exact(FREE)),
    "gibbs": (NOISY.problem, wgf.FiniteVolume(1, [-3.0], [4.0], diffusion="gibbs"), 1.0, (40, 80, 160), exact(NOISY)),
    "split": (NOISY.problem, wgf.FiniteVolume(1, [-3.0], [4.0], diffusion="split"), 1.0, (40, 80, 160), exact(NOISY)),
    "student": student(TANH.problem.initial, 2.0, (32, 48, 64)),
    "late": student(TANH.problem.initial, 10.0, (32, 48, 64)),
    "limited slopes": student(TANH.problem.initial, 2.0, (32, 48, 64), limiter="mc"),
    "edges": student(wgf.Uniform([-0.5, 0.0], [1.0, 1.0]), 2.0, (32, 48, 64)),
    "bumps": student(BUMPS, 5.0, (48, 64, 96)),
    "heated": (
        HEATED,
        wgf.FiniteVolume(1, (-4.0, -4.0), (5.0, 5.0), diffusion="gibbs"),
        1.0,
        (32, 48, 64),
        finer(HEATED, wgf.FiniteVolume(1, (-4.0, -4.0), (5.0, 5.0), diffusion="gibbs"), 256),
    ),
    "attraction": (
        PULLED,
        wgf.FiniteVolume(1, [-3.0], [3.0], diffusion="gibbs"),
        1.0,
        (40, 80, 160),
        finer(PULLED, wgf.FiniteVolume(1, [-3.0], [3.0], diffusion="gibbs"), 1280),
    ),
}


LONG = {"student", "late", "limited slopes", "edges", "bumps"}


@pytest.mark.coarse
@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.long) if case in LONG else case for case in CASES])
def test_the_error_of_the_density_is_told_within_a_factor_of_two(case):
    problem, method, time, sizes, true = CASES[case]
    ratios = []
    for cells in sizes:
        on_cells = dataclasses.replace(method, cells=cells)
        run = wgf.solve(problem, on_cells, time, [0, time])
        density = run.measures[-1]
        told = wgf.discretisation_error(problem, on_cells, time, run=run)["density"][-1]
        ratios.append(told / apart(true(density.grid, time), density))
    print(case, "told / true:", np.round(ratios, 2))
    assert (np.abs(np.log2(ratios)) <= 1).all()
