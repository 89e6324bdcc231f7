"""A published case: in the kernel regime a shallow ReLU network of one input is a cubic spline.

Williams, Trager, Silva, Panozzo, Zorin & Bruna, "Gradient dynamics of shallow univariate ReLU networks", NeurIPS 2019. A network
φ(x) = ∫c(ξ)(x − ξ)₊ dξ has φ'' = c: knots ξ, at which the slope changes by c. Where only c is learned, from zero, gradient flow ends at the
interpolant of least ∫c² dξ = ∫φ''² dx, which for knots spread evenly over [−1, 1] is the cubic spline through the data with

    φ = φ' = 0 at x = −1, left of all knots,   and φ'' = 0 right of the last datum, where a bend would serve no datum.

Neurons that start with c = 0 do not move their knots at first, as ∂_ξ g = −c·1(x > ξ), so that the tangent model of a network
(1/m) Σ_j c_j (x − ξ_j)₊ around c = 0 learns c alone: its end is that spline for many neurons, with an error ~ m⁻². In the mean-field flow,
from small c, the knots move, too, and gather at data: the network becomes a line with few kinks.

Writes relu_splines.h5 (the neurons of the mean-field flow) and relu_splines.png, and prints how far the lazy network is from the spline.
"""

import numpy as np
from matplotlib.figure import Figure
from scipy.interpolate import CubicSpline

import wgf
from wgf.plots.style import styled

X = np.array([-0.7, -0.3, 0.1, 0.4, 0.8])
Y = np.array([0.2, 0.6, -0.3, 0.5, 0.1])
NEURON = wgf.Neuron("relu", theta=("c", "b"), fixed={"a": 1.0})  # (x − ξ)₊ with ξ = −b
SEEN = np.linspace(-1, 0.999, 801)


def spaced(m):
    """The knots −b, evenly over [−1, 1]; (m,)."""
    return -1 + (2 * np.arange(m) + 1) / m


def lazy(m, x):
    """The end of the tangent model around c = 0, at inputs (n,)."""
    network = wgf.Network(NEURON, np.column_stack([np.zeros(m), -spaced(m)]))
    return network.tangent(wgf.Data(X, Y)).predict(x, np.inf)


def spline(x):
    """The interpolant of least ∫φ''² with φ = φ' = 0 at −1, at inputs (n,) up to the last datum and beyond, where it is a line."""
    cubic = CubicSpline(np.append(-1.0, X), np.append(0.0, Y), bc_type=((1, 0.0), (2, 0.0)))
    last = X[-1]
    return np.where(x <= last, cubic(np.minimum(x, last)), cubic(last) + cubic(last, 1) * (x - last))


PAIRS = np.column_stack([np.tile([0.05, -0.05], 100), np.repeat(-spaced(100), 2)])  # c = ±0.05 at each knot: φ = 0
problem = wgf.Problem(wgf.RegressionEnergy(NEURON, wgf.Data(X, Y)), wgf.Samples(PAIRS), title="Knots of ReLU neurons")
neurons = wgf.Particles(len(PAIRS), step=0.05)  # of gradient descent: a solver to a tolerance would stop at every kink


def published(m=1000):
    """The spline between the data and beyond them, and the largest difference."""
    places = {"−0.5": -0.5, "0.25": 0.25, "0.9": 0.9}
    found = {f"φ({name})": (spline(x), lazy(m, np.array([x]))[0]) for name, x in places.items()}
    return found | {"largest difference on [−1, 1]": (0.0, np.abs(lazy(m, SEEN) - spline(SEEN)).max())}


@styled()
def main(neurons=neurons, until=400.0, m=1000):
    run = wgf.solve(problem, neurons, until, save=41, store="relu_splines.h5", overwrite=True, progress=True)
    last = wgf.Network(NEURON, run.measures[-1].points)
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    functions, knots = figure.subplots(1, 2)
    functions.plot(SEEN, spline(SEEN), "C5", linewidth=4, label="cubic spline")
    functions.plot(SEEN, lazy(m, SEEN), "C0", label=f"lazy network, m = {m}")
    functions.plot(SEEN, last.predict(SEEN), "C1", label=f"mean-field flow, t = {until:g}")
    functions.plot(X, Y, "o", color="C4", label="data")
    knots.plot(run.times, [-measure.points[:, 1] for measure in run.measures], "C1", linewidth=0.5, alpha=0.6)
    knots.hlines(X, 0, until, "C4", linestyle=":", label="data")
    functions.set(xlabel="x", ylabel="φ")
    knots.set(xlabel="t", ylabel="knots of the mean-field flow", ylim=(-1.05, 1.05))
    for panel in (functions, knots):
        panel.legend()
    figure.suptitle("One-input ReLU networks: a spline where lazy, few kinks where neurons move")
    figure.savefig("relu_splines.png")
    for size in (m // 4, m // 2, m):
        print(f"m = {size}: largest difference from the cubic spline {np.abs(lazy(size, SEEN) - spline(SEEN)).max():.1e}")
    print(f"mean-field flow at t = {until:g}: loss {run.loss[-1]:.1e}, {run.loss[0]:.2g} at the start")


if __name__ == "__main__":
    main()
