"""A fluid of charges on the unit torus: every density, however it starts, becomes uniform, and its extremes follow an ordinary equation.

    ∂_t μ = div(μ ∇ψ),   −Δψ = μ − 1,   the flow of E = ½∫|∇ψ|² dθ,   in one, two and three dimensions

Along characteristics μ' = μ Δψ = −μ(μ − 1), so that the largest and the smallest density, which stay on theirs, are at all times

    μ(t) = 1/(1 + (1/μ(0) − 1) e^{−t}).

Three starts, whose extremes lie anywhere between the centres of cells: a bump that is a product over the axes, waves in two dimensions that
are not, and a square with edges. Extremes of the first two are those of parabolas through the values at centres (`extremes`), those of the
square are the largest and the smallest cell average. Edges need dt·outflow ≤ 0.2: in longer steps, which the method takes by default, mp7
overshoots there by about a thousandth. Where the density is smallest the flow contracts, by μ(0)/μ(t) in volume: what is nearly empty at
first soon is narrower than a cell.

Writes torus_fluid.h5 (the bump in two dimensions, on the finest grid) and torus_fluid.png, and prints the largest error of both extremes
over all frames: with steps as long as the method chooses, whose own errors are about 1e-4, and with dt ≤ h, with the order: at 128² the
bump is then right to 5e-7, and waves to 2e-5.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure
from scipy.special import i0

import wgf
from wgf.plots.style import styled

CENTER, SHARPNESS = np.array([0.317, 0.641, 0.283]), 0.5  # of the bump
HEIGHT = 0.6  # of the waves
NAMES = ("smallest density", "largest density")


def bump(theta):
    """exp(κ Σ_k cos 2π(θ_k − c_k))/I₀(κ)^p, of mass one."""
    p = theta.shape[-1]
    return np.exp(SHARPNESS * np.cos(2 * np.pi * (theta - CENTER[:p])).sum(axis=-1)) / i0(SHARPNESS) ** p


def waves(theta):
    x, y = theta[..., 0], theta[..., 1]
    return 1 + HEIGHT * np.sin(2 * np.pi * x + 0.3) * np.cos(2 * np.pi * (x + y) + 0.4)


def case(start, p):
    """The problem that starts from a function of θ in p dimensions, or from a law."""
    law = wgf.FromDensity(start, lower=(0,) * p, upper=(1,) * p) if callable(start) else start
    return wgf.Problem(wgf.InteractionEnergy(W=wgf.potential("poisson")), law, title="A fluid of charges on the torus")


def exact(ends, time):
    """Where the extremes `ends` (2,), or densities of any shape, are after a time."""
    return 1 / (1 + (1 / ends - 1) * np.exp(-time))


def extremes(density):
    """The smallest and the largest value of a smooth density, to fourth order, (2,).

    Cell averages give the values at centres, u − Σ_k δ_k²u/24; around the extreme one of these, the parabola u + g·z + ½ z·Hz in the
    central differences g and H has the extreme value u − ½ g·H⁻¹g.
    """
    values, p = density.values, density.values.ndim
    at_centers = values - sum(np.roll(values, 1, k) - 2 * values + np.roll(values, -1, k) for k in range(p)) / 24
    found = []
    for place in (at_centers.argmin(), at_centers.argmax()):
        around = [(i + np.arange(-1, 2)) % n for i, n in zip(np.unravel_index(place, values.shape), values.shape, strict=True)]
        u, middle = at_centers[np.ix_(*around)], (1,) * p
        slopes = [np.gradient(u, axis=k) for k in range(p)]
        bends = np.array([[np.gradient(slope, axis=k)[middle] for k in range(p)] for slope in slopes])
        for k in range(p):
            bends[k, k] = np.diff(u, 2, axis=k)[(1,) * k + (0,) + (1,) * (p - 1 - k)]
        slope = np.array([part[middle] for part in slopes])
        found.append(u[middle] - 0.5 * slope @ np.linalg.solve(bends, slope))
    return np.array(found)


def of_cells(density):
    """The smallest and the largest cell average, (2,)."""
    return np.array([density.values.min(), density.values.max()])


def error(run, ends, measured=extremes):
    """The largest of both extremes and all frames."""
    return max(np.abs(measured(measure) - exact(ends, time)).max() for time, measure in zip(run.times, run.measures, strict=True))


def of_bump(p):
    return np.exp([-p * SHARPNESS, p * SHARPNESS]) / i0(SHARPNESS) ** p


OF_WAVES = np.array([1 - HEIGHT, 1 + HEIGHT])
SQUARE = wgf.Mixture([0.5, 0.5], [wgf.Uniform([0, 0], [1, 1]), wgf.Uniform([0.25, 0.25], [0.75, 0.75])])
OF_SQUARE = np.array([0.5, 2.5])
SMOOTH = {  # start, its extremes, dimension
    "bump, one axis": (bump, of_bump(1), 1),
    "bump, two axes": (bump, of_bump(2), 2),
    "bump, three axes": (bump, of_bump(3), 3),
    "waves, two axes": (waves, OF_WAVES, 2),
}
problem = case(bump, 2)
density = wgf.FiniteVolume(cells=(128, 128), lower=(0, 0), upper=(1, 1), boundary="periodic")


def on_axes(density, p, cells, dt=None):
    """The method on a torus of p axes."""
    return dataclasses.replace(density, cells=(cells,) * p, lower=(0,) * p, upper=(1,) * p, dt=dt)


def refine(density, until, panel):
    """Print and draw the errors of the extremes of smooth starts on three grids each."""
    for name, (start, ends, p) in SMOOTH.items():
        finest = density.cells[0] // (2 if p == 3 else 1)
        errors, spacings = [], []
        for cells in (finest // 4, finest // 2, finest):
            store = "torus_fluid.h5" if name == "bump, two axes" and cells == finest else None
            run = wgf.solve(case(start, p), on_axes(density, p, cells), until, save=5, store=store, overwrite=True, progress=True)
            short = wgf.solve(case(start, p), on_axes(density, p, cells, dt=1 / cells), until, save=5, progress=True)
            errors.append(error(short, ends))
            spacings.append(1 / cells)
            order = f", order {np.log2(errors[-2] / errors[-1]):.1f}" if len(errors) > 1 else ""
            print(f"{name}, {cells} cells on each:  error {error(run, ends):.1e};  dt ≤ h: {errors[-1]:.1e}{order}")
        panel.plot(spacings, errors, "o-", label=name)
    panel.set(xlabel="cell size h  (dt ≤ h)", ylabel="largest error of the extremes")
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    panel.legend()


def follow(density, until, panel):
    """Print and draw the extremes beside the exact ones, of three starts in two dimensions."""
    careful = dataclasses.replace(density, courant=0.2)
    for k, (name, start, ends, method, measured) in enumerate(
        [
            ("bump", bump, of_bump(2), density, extremes),
            ("waves", waves, OF_WAVES, density, extremes),
            ("square", SQUARE, OF_SQUARE, careful, of_cells),
        ]
    ):
        run = wgf.solve(case(start, 2), method, until, save=21, progress=True)
        found = np.array([measured(measure) for measure in run.measures])
        times = np.linspace(0, until, 201)
        panel.plot(times, exact(ends, times[:, None]), color=f"C{k}", linewidth=1)
        panel.plot(run.times, found, ".", color=f"C{k}", label=[name, None])
        print(f"{name}, {' × '.join(map(str, method.cells))}:\n{'t':>6}{'smallest':>12}{'exact':>10}{'largest':>12}{'exact':>10}")
        for time, (low, high) in list(zip(run.times, found, strict=True))[::5]:
            print(f"{time:6.3g}{low:12.6f}{exact(ends[0], time):10.6f}{high:12.6f}{exact(ends[1], time):10.6f}")
    longer = error(wgf.solve(case(SQUARE, 2), density, until, save=21, progress=True), OF_SQUARE, of_cells)
    print(
        f"square, 21 frames:  error {error(run, OF_SQUARE, of_cells):.1e} with courant = 0.2, {longer:.1e} with steps of the default length"
    )
    panel.set(xlabel="t", ylabel="smallest and largest density  (lines: exact)")
    panel.legend()


def published(cells=128, until=2.0):
    """The smallest and the largest density of waves in two dimensions, by the logistic law."""
    last = wgf.solve(case(waves, 2), on_axes(density, 2, cells), until, save=2).measures[-1]
    return {name: (exact(end, until), found) for name, end, found in zip(NAMES, OF_WAVES, extremes(last), strict=True)}


@styled()
def main(density=density, until=2.0):
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    in_time, convergence = figure.subplots(1, 2)
    refine(density, until, convergence)
    follow(density, until, in_time)
    figure.suptitle(problem.title)
    figure.savefig("torus_fluid.png")


if __name__ == "__main__":
    main()
