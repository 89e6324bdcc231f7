"""Weights on a disc: a swarm of neurons that a linear drift pulls to the middle, with and without noise, on meshes of two kinds.

    ∂_t μ = div(μ θ) + τ Δμ,    μ_0 = N(0, s²) in the plane

G(θ) = ½|θ|², so that μ_t is a Gaussian for all time, of variance s² e^{−2t} + τ(1 − e^{−2t}) in each coordinate. Boxes do not fit a
problem with this symmetry; triangles do, and rings do better, being aligned with the flow. The script halves the spacing twice and prints
the distance ∫|μ − exact| dθ and the order between two rungs.

Writes disc.h5, disc.png and disc.vtkhdf (for ParaView), all of the finest mesh of triangles without noise.
"""

import numpy as np

import wgf
from wgf.measures.laws import mesh_averages

RADIUS, STD, NOISE = 3.0, 0.5, 0.1


def pull(theta):
    return 0.5 * np.sum(theta**2, axis=-1)


def case(noise):
    return wgf.Problem(wgf.InteractionEnergy(V=pull), wgf.Gaussian([0, 0], [STD, STD]), temperature=noise, title="Linear drift on a disc")


def exact(noise, time):
    """The law at a time."""
    variance = STD**2 * np.exp(-2 * time) + noise * (1 - np.exp(-2 * time))
    return wgf.Gaussian([0, 0], [np.sqrt(variance)] * 2)


problem = case(0.0)
density = wgf.FiPyMesh(wgf.Disc(RADIUS, 0.06))


def published(spacing=0.1, until=0.7):
    """∫|θ|² dμ = 2(s² e^{−2t} + τ(1 − e^{−2t})), on triangles."""
    run = wgf.solve(case(NOISE), wgf.FiPyMesh(wgf.Disc(RADIUS, spacing), "exponential"), until, save=2)
    variance = STD**2 * np.exp(-2 * until) + NOISE * (1 - np.exp(-2 * until))
    return {"∫|θ|² dμ": (2 * variance, run.measures[-1].integrate(lambda theta: 2 * pull(theta)))}


def main(density=density, until=0.7):
    for pattern in ("triangles", "rings"):
        for noise in (0.0, NOISE):
            errors = []
            for coarser in (4, 2, 1):
                convection = "exponential" if noise else "van-leer"  # both of second order; the first one keeps the Gibbs state
                method = wgf.FiPyMesh(wgf.Disc(RADIUS, coarser * density.mesh.spacing, pattern=pattern), convection)
                finest = coarser == 1 and (pattern, noise) == ("triangles", 0.0)
                run = wgf.solve(
                    case(noise), method, until, save=11 if finest else 2, store="disc.h5" if finest else None, overwrite=True, progress=True
                )
                last = run.measures[-1]
                errors.append(np.abs(last.values - mesh_averages(exact(noise, until), last.mesh)) @ last.mesh.volumes)
                if finest:
                    run.plot("disc.png")
                    wgf.export(run, "disc.vtkhdf")
            orders = np.log2(np.array(errors[:-1]) / errors[1:])
            numbers = ", ".join(f"{error:.2e}" for error in errors), ", ".join(f"{order:.2f}" for order in orders)
            print(f"{pattern}, τ = {noise:g}: error {numbers[0]}, order {numbers[1]}; mass off by {abs(run.mass[-1] - 1):.0e}, ", end="")
            print(f"smallest cell {run.minimum.min():.0e}")


if __name__ == "__main__":
    main()
