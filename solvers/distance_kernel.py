"""A published case: the flow of the kernel mean discrepancy with the distance as kernel, towards two points on a line.

    E = ½∬K d(μ − ν)²,   K(θ, θ') = −|θ − θ'|,   which is ∫(F_μ − F_ν)² dθ with the distribution functions F

[Duong, Stein, Beinert, Hertrich & Steidl, "Wasserstein gradient flows of MMD functionals with distance kernel and Cauchy problems on
quantile functions", ESAIM: COCV 32 (2026) 10]. Quantiles move by dQ/dt = 2(s − F_ν(Q)): where ν is made of atoms each goes at a constant
speed, and stops at the atom where s lies between F_ν on its left and on its right. Here ν has half of its mass at each of ±1, and μ₀ is
uniform on [−½, ½], so that

    Q_t(s) = (s − ½)(1 + 2t) as long as that is at most one in size:

a density 1/(1 + 2t) that spreads, and from t = ½ on two atoms of mass ½ − 1/(1 + 2t) at ±1, with E = ⅔/(1 + 2t)². What lies between the
atoms dies out only as slowly as 1/t.

Writes distance_kernel.h5 and distance_kernel.png, and prints the mass between the atoms and E.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled

ATOMS = (-1.0, 1.0)
OFFSET = 0.5  # ½∬|θ − θ'| dν dν, which wgf's E has more


def pull(theta):
    """∫|θ − θ'| ν(dθ')."""
    return np.mean([np.abs(theta[..., 0] - atom) for atom in ATOMS], axis=0)


problem = wgf.Problem(
    wgf.InteractionEnergy(V=pull, W=wgf.potential("power-law", strength=-1.0, exponent=1.0)),
    wgf.Uniform(-0.5, 0.5),
    title="The discrepancy with the distance kernel",
)
density = wgf.FiniteVolume(cells=(603,), lower=(-1.5,), upper=(1.5,))  # odd multiples of three: each atom in the middle of a cell


def between(time):
    """The density between the atoms."""
    return 1 / (1 + 2 * time)


def within(measure, radius):
    """The mass on [−radius, radius]."""
    return measure.integrate(lambda theta: (np.abs(theta[..., 0]) < radius).astype(float))


def discrepancy(run):
    """E at the frames."""
    return run.free_energy - OFFSET


def published(cells=603):
    """The spread before the atoms appear, and then what lies between them, their mass, and E."""
    run = wgf.solve(problem, dataclasses.replace(density, cells=(cells,)), 2.0, save=[0.25, 2.0])
    early, last = run.measures[-2:]
    near = 2 * last.grid.spacing[0]  # cells over which an atom is smeared
    return {
        "∫θ² dμ, t = 0.25": (1.5**2 / 12, early.integrate(lambda theta: theta[..., 0] ** 2)),
        "mass on [−½, ½], t = 2": (between(2.0), within(last, 0.5)),
        "mass of both atoms, t = 2": (1 - 2 * between(2.0), 1 - within(last, 1 - near) - near * 2 * between(2.0)),
        "E, t = 2": (2 / 3 * between(2.0) ** 2, discrepancy(run)[-1]),
    }


@styled()
def main(density=density, until=4.0):
    run = wgf.solve(problem, density, until, save=41, store="distance_kernel.h5", overwrite=True, progress=True)
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    shapes, fall = figure.subplots(1, 2)
    for frame in (0, 3, 10, 40):
        measure = run.measures[frame]
        shapes.step(
            measure.grid.centers[0], np.cumsum(measure.values) * measure.grid.cell_volume, where="mid", label=f"t = {run.times[frame]:.2g}"
        )
    shapes.plot([-1.5, -1, -1, 1, 1, 1.5], [0, 0, 0.5, 0.5, 1, 1], "C5--", label="ν")
    times = np.linspace(0, until, 201)
    late = times[times >= 0.5]
    fall.plot(late, 2 / 3 * between(late) ** 2, "C5", label=r"$\frac{2}{3}(1 + 2t)^{-2}$, from t = ½ on")
    fall.plot(run.times, discrepancy(run), ".", label="finite volumes")
    shapes.set(xlabel="θ", ylabel="distribution function")
    fall.set(xlabel="t", ylabel="E", yscale="log")
    for panel in (shapes, fall):
        panel.legend()
    figure.suptitle(problem.title)
    figure.savefig("distance_kernel.png")
    for time, measure, value in list(zip(run.times, run.measures, discrepancy(run), strict=True))[10::10]:
        known = f"mass on [−½, ½] {within(measure, 0.5):.5f} ({between(time):.5f})   E {value:.5f} ({2 / 3 * between(time) ** 2:.5f})"
        print(f"t = {time:.3g}: {known}")


if __name__ == "__main__":
    main()
