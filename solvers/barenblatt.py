"""The porous-medium equation against Barenblatt's solution: a bump with a sharp edge spreads at finite speed.

    ∂_t μ = κ Δμ² = div(μ ∇(2κμ)) on the unit square, κ = 1, mass one; with s = κt and the radius r from the centre

    μ(r, t) = s^{−1/2} (C − r²/(16 s^{1/2}))₊,   C = 1/√(8π),

from t = 4e-4 to 4.4e-3 [Barenblatt 1952; Vázquez, The Porous Medium Equation, 2007]. Other methods on this case at 128²: first-order
upwind 1.8e-2 in L¹, a back-and-forth solver of the JKO scheme 5.8e-2.

Writes barenblatt.h5 (the finest grid's run) and barenblatt.png, and prints the L¹ error on three grids.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled

START = 4e-4
CENTRE = 0.5


def barenblatt(theta, time):
    square = np.sum((theta - CENTRE) ** 2, axis=-1)
    return np.maximum(1 / np.sqrt(8 * np.pi) - square / (16 * np.sqrt(time)), 0) / np.sqrt(time)


def start(theta):
    return barenblatt(theta, START)


problem = wgf.Problem(
    energy=wgf.InteractionEnergy(U=wgf.PorousMedium(kappa=1.0, q=2)),
    initial=wgf.FromDensity(start, lower=(0, 0), upper=(1, 1)),
    title="Barenblatt's solution of the porous-medium equation",
)
density = wgf.FiniteVolume(cells=(128, 128), lower=(0, 0), upper=(1, 1))


def published(cells=128, until=4e-3):
    """The largest density C s^{−1/2} and ∫r² dμ = 16 C s^{1/2}/3, s the time from the point source, and the distance in L¹."""
    last = wgf.solve(problem, dataclasses.replace(density, cells=(cells, cells)), until, save=2).measures[-1]
    exact = wgf.FromDensity(lambda theta: barenblatt(theta, START + until)).cell_averages(last.grid)
    root = np.sqrt(START + until)
    return {
        "largest density": (1 / np.sqrt(8 * np.pi) / root, last.values.max()),
        "∫r² dμ": (16 * root / np.sqrt(8 * np.pi) / 3, last.integrate(lambda theta: np.sum((theta - CENTRE) ** 2, axis=-1))),
        "distance in L¹": (0.0, np.abs(last.values - exact).sum() * last.grid.cell_volume),
    }


@styled()
def main(density=density, until=4e-3):
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    profile, convergence = figure.subplots(1, 2)
    errors, spacings = [], []
    for coarser in (4, 2, 1):
        method = dataclasses.replace(density, cells=tuple(n // coarser for n in density.cells))
        run = wgf.solve(problem, method, until, save=5, store="barenblatt.h5" if coarser == 1 else None, overwrite=True, progress=True)
        last = run.measures[-1]
        exact = wgf.FromDensity(lambda theta: barenblatt(theta, START + until)).cell_averages(last.grid)
        errors.append(float(np.abs(last.values - exact).sum() * last.grid.cell_volume))
        spacings.append(last.grid.spacing[0])
        name = " × ".join(map(str, last.grid.shape))
        print(f"{name}:  L¹ error {errors[-1]:.2e}   mass 1 {last.mass - 1:+.0e}   smallest cell {last.values.min():g}")
    print(f"orders {', '.join(f'{order:.2f}' for order in np.diff(np.log(errors)) / np.diff(np.log(spacings)))}")
    for k, (time, measure) in enumerate(zip(run.times, run.measures, strict=True)):
        x, y = measure.grid.centers
        row = len(y) // 2
        profile.plot(x, barenblatt(np.stack([x, np.full_like(x, y[row])], axis=-1), START + time), color=f"C{k}", linewidth=1)
        profile.plot(x, measure.values[:, row], ".", color=f"C{k}", markersize=3, label=f"t = {START + time:.4g}")
    profile.set(xlabel=r"$\theta_1$, through the centre", ylabel="density (lines: exact)")
    profile.legend()
    convergence.loglog(spacings, errors, "o-")
    convergence.set(xlabel="cell size h", ylabel=r"$L^1$ error")
    figure.suptitle(problem.title)
    figure.savefig("barenblatt.png")


if __name__ == "__main__":
    main()
