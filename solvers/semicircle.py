"""A published case: charges on a line, held by a spring, come to rest in Wigner's semicircle.

    E = ∫½θ² dμ − ∬log|θ − θ'| dμ dμ,   ∂_t μ = ∂_θ(μ ∂_θ G),   G(θ; μ) = ½θ² − 2∫log|θ − θ'| μ(dθ')

is the flow of the eigenvalues of a random matrix (Dyson's Brownian motion) for many of them [Rogers & Shi, Probab. Theory Relat. Fields 95
(1993) 555]. Its only rest is the minimiser of E, the semicircle law [Wigner, Ann. Math. 67 (1958) 325],

    μ*(θ) = √(4 − θ²)/2π on [−2, 2],   ∫θ² dμ* = 1,   ∫θ⁴ dμ* = 2,   E* = ¾ [Hiai & Petz, The Semicircle Law, Free Random Variables and
                                                                             Entropy, 2000].

As θ∂_θ log|θ − θ'| + θ'∂_θ' log|θ − θ'| = 1, the second moment m₂ of every law, whatever its shape, moves by dm₂/dt = 2 − 2m₂:

    m₂(t) = 1 + (m₂(0) − 1) e^{−2t}.

Here a narrow Gaussian, with m₂(0) = 0.09, spreads. Writes semicircle.h5 and semicircle.png, and prints the moments, E and the distance from
the semicircle.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled

STD = 0.3  # at t = 0
RADIUS = 2.0
REST = 5.0  # when m₂ is within 5e-5 of its end


def semicircle(theta):
    """μ*, from θ (…, 1)."""
    return np.sqrt(np.maximum(RADIUS**2 - theta[..., 0] ** 2, 0)) / (2 * np.pi)


def second_moment(time):
    return 1 + (STD**2 - 1) * np.exp(-2 * time)


problem = wgf.Problem(
    wgf.InteractionEnergy(V=wgf.potential("quadratic"), W=wgf.potential("logarithm", strength=-2.0)),
    wgf.Gaussian(0, STD),
    title="Charges on a line",
)
density = wgf.FiniteVolume(cells=(400,), lower=(-3,), upper=(3,))


def power(measure, k):
    """∫θᵏ dμ."""
    return measure.integrate(lambda theta: theta[..., 0] ** k)


def distance(measure):
    """∫|μ − μ*| dθ."""
    exact = wgf.FromDensity(semicircle, lower=-RADIUS, upper=RADIUS).cell_averages(measure.grid)
    return np.abs(measure.values - exact).sum() * measure.grid.cell_volume


def published(cells=400):
    """Moments on the way and at rest, E*, and the distance from the semicircle."""
    run = wgf.solve(problem, dataclasses.replace(density, cells=(cells,)), REST, save=[0.5, REST])
    early, last = run.measures[-2:]
    return {
        "∫θ² dμ at t = 0.5": (second_moment(0.5), power(early, 2)),
        "∫θ² dμ at rest": (1.0, power(last, 2)),
        "∫θ⁴ dμ at rest": (2.0, power(last, 4)),
        "E at rest": (0.75, run.free_energy[-1]),
        "largest density at rest": (1 / np.pi, last.values.max()),
        "distance in L¹ from the semicircle": (0.0, distance(last)),
    }


@styled()
def main(density=density, until=REST):
    run = wgf.solve(problem, density, until, save=41, store="semicircle.h5", overwrite=True, progress=True)
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    shape, moments = figure.subplots(1, 2)
    theta = np.linspace(-RADIUS, RADIUS, 401)
    shape.fill_between(theta, semicircle(theta[:, None]), color="C5", alpha=0.4, label="semicircle")
    for frame in (0, 4, 12, 40):
        measure = run.measures[frame]
        shape.plot(measure.grid.centers[0], measure.values, label=f"t = {run.times[frame]:.3g}")
    found = [power(measure, 2) for measure in run.measures]
    times = np.linspace(0, until, 201)
    moments.plot(times, second_moment(times), "C5", label=r"$1 + (m_2(0) - 1) e^{-2t}$")
    moments.plot(run.times, found, ".", label="finite volumes")
    shape.set(xlabel="θ", ylabel="density", xlim=(-2.4, 2.4), ylim=(0, 0.8))
    moments.set(xlabel="t", ylabel=r"$\int \theta^2 d\mu$", ylim=(0, None))
    for panel in (shape, moments):
        panel.legend()
    figure.suptitle(f"{problem.title} come to rest in the semicircle")
    figure.savefig("semicircle.png")
    last = run.measures[-1]
    print(f"t = {until:g}: ∫θ²dμ = {power(last, 2):.5f} ({second_moment(until):.5f}), ∫θ⁴dμ = {power(last, 4):.5f} (at rest: 2)")
    print(f"E = {run.free_energy[-1]:.5f} (at rest: 0.75), distance from the semicircle in L¹ {distance(last):.1e}")


if __name__ == "__main__":
    main()
