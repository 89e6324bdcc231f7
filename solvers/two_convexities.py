"""Two convexities: L is convex along mixtures of networks, and may have a hill along displacements, where the flow goes.

With tanh neurons g(θ; x) = c·tanh(a x) a neuron and its mirror image −θ are the same function. Two networks learn tanh 2x, one from neurons
around (½, 1), one from their mirror images, and both come down to L = 0.002 of 0.46. Between the two at the end L is flat along the
mixture, (1 − s)μ + sν, and along the displacement it has a hill: half way all neurons are about zero (wgf/studies/theory/convexity.py).

For an energy of attraction, ∬½|θ − θ'|² dμ dμ, between the same two measures, it is the other way round.

Writes two_convexities.h5 (the first network's run) and two_convexities.png, and prints L along both ways with the least second differences.
"""

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled
from wgf.plots.theory import draw_convexity

energy = wgf.RegressionEnergy(
    neuron=wgf.Neuron("tanh", theta=("c", "a")),
    data=wgf.Data.quadrature(lambda x: np.tanh(2 * x), lower=-1, upper=1, nodes=40),
)
problem = wgf.Problem(energy, wgf.Gaussian(mean=(0.5, 1.0), std=(0.3, 0.3)), title="Two convexities")
mirrored = wgf.Problem(energy, wgf.Gaussian(mean=(-0.5, -1.0), std=(0.3, 0.3)))
attraction = wgf.InteractionEnergy(W=lambda z: 0.5 * np.sum(z**2, axis=-1))
neurons = wgf.Particles(400, seed=0)


@styled()
def main(neurons=neurons, until=20.0):
    mu = wgf.solve(problem, neurons, until, store="two_convexities.h5", overwrite=True, progress=True).measures[-1]
    nu = wgf.solve(mirrored, neurons, until).measures[-1]
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    places, network, attracted = figure.subplots(1, 3)
    for name, one, panel in (("network", energy, network), ("attraction", attraction, attracted)):
        found = wgf.convexity(one, mu, nu)
        print(f"{name}: {found}")
        for along in ("mixture", "displacement"):
            print(f"  L along the {along}: {' '.join(f'{loss:.3g}' for loss in getattr(found, along)[::4])}")
        draw_convexity(panel, found)
        panel.set_title(name, loc="left")
    for s in (0.0, 0.25, 0.5, 0.75, 1.0):
        places.plot(*wgf.interpolate(mu, nu, s, along="displacement").positions.T, ".", markersize=3, label=f"s = {s:g}")
    places.set(xlabel="$c$", ylabel="$a$")
    places.set_title("neurons along the displacement", loc="left")
    places.legend()
    figure.suptitle(f"{problem.title}: from one minimum of the loss to another")
    figure.savefig("two_convexities.png")


if __name__ == "__main__":
    main()
