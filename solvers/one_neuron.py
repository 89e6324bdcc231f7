"""Can the lazy regime learn a single ReLU neuron? Its norm in the kernel's space, and the kernel beside the mean-field flow.

f_n is the function of least norm through n values of ⟨a*, x⟩₊ on the sphere S^{d−1} (d = inputs + 1), for θ = (c, a) standard normal. Then

    ‖f_n‖² ~ n in the space of the kernel of c alone, for each d;    ‖f_{2n}‖² − ‖f_n‖² ~ n^{(d−3)/(d−1)} in that of the tangent kernel:

bounded for scalar inputs (d = 2), logarithmic for two, and growing like a power beyond; wgf/studies/lazy/learning.py derives it. The norm
of a target in the space, ⟨a*, x⟩², settles. Then both learn the neuron from samples, d = 4: the limit kernel by its flow and by the end of
it, the interpolant, and the mean-field flow by m neurons.

Writes one_neuron.h5 and one_neuron.png, and prints the norms with their slopes, and the test errors.
"""

import h5py
import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled
from wgf.studies.lazy.learning import SIZES, directions, growth, learning_curve, neuron_norms, slope

DIMENSIONS = (2, 3, 4, 6)
SPACES = ("output", "tangent", "smooth")  # of NeuronNorms
LEARNERS = {"flow": "limit kernel at the same time", "regression": "limit kernel, interpolant", "network": "mean-field flow"}

inputs = directions(2000, 4, np.random.default_rng(0))
problem = wgf.Problem(
    energy=wgf.RegressionEnergy(
        neuron=wgf.Neuron("relu", ("c", "a1", "a2", "a3", "a4"), dim=4),
        data=wgf.Data(inputs, np.maximum(inputs[:, 0], 0.0)),
    ),
    initial=wgf.Gaussian(mean=0.0, std=1.0),
    title="One ReLU neuron",
)
neurons = wgf.Particles(300, seed=0)


def main(neurons=neurons, until=100.0, sizes=SIZES, samples=(16, 32, 64, 128)):
    norms = [neuron_norms(dim, sizes) for dim in DIMENSIONS]
    print(f"‖f_n‖² at n = {', '.join(map(str, sizes))}")
    for norm in norms:
        print(f"d = {norm.dim}: kernel of c       {row(norm.output)}   slope {interval(slope(norm.sizes, norm.output))}, expected 1")
        print(f"       tangent kernel    {row(norm.tangent)}   slope {interval(slope(norm.sizes, norm.tangent))}")
        print(
            f"       its growth        {row(np.diff(norm.tangent, axis=1))}   slope {interval(growth(norm))}, expected {norm.expected:.3f}"
        )
        print(f"       of ⟨a*, x⟩²       {row(norm.smooth)}   last change {norm.smooth[:, -1].mean() / norm.smooth[:, -2].mean() - 1:.1e}")
        print(f"       error by rounding at most {norm.error:.0e} of the norm")
    curve = learning_curve(problem, neurons, until, samples, 2)
    print(f"test errors of one neuron, d = 4, from {', '.join(map(str, samples))} samples")
    for name, label in LEARNERS.items():
        print(f"{label:30}{row(getattr(curve, name).T)}")
    save(norms, curve)
    draw(norms, curve)


def row(values):
    return " ".join(f"{value:9.4f}" for value in values.mean(axis=0))


def interval(estimate):
    return f"{estimate[0]:.3f} ± {estimate[1]:.3f}"


def save(norms, curve):
    with h5py.File("one_neuron.h5", "w") as file:
        file.attrs["kind"] = "norms"
        file["dimension"], file["size"] = DIMENSIONS, norms[0].sizes
        for name in SPACES:
            file[f"norm/{name}"] = [getattr(norm, name) for norm in norms]  # (dimension, draw, size)
        file["samples"] = curve.samples
        for name in LEARNERS:
            file[f"error/{name}"] = getattr(curve, name)  # (samples, draw)


@styled()
def draw(norms, curve):
    figure = Figure(figsize=(13, 4.3), layout="constrained")
    panels = figure.subplots(1, 3)
    for k, norm in enumerate(norms):
        panels[0].loglog(norm.sizes, norm.output.mean(axis=0), "o:", color=f"C{k}")
        panels[0].loglog(norm.sizes, norm.tangent.mean(axis=0), "o-", color=f"C{k}", label=f"d = {norm.dim}")
        increments = np.diff(norm.tangent, axis=1).mean(axis=0)
        panels[1].loglog(norm.sizes[:-1], increments, "o", color=f"C{k}")
        line = norm.sizes[:-1] ** norm.expected
        label = f"d = {norm.dim}: $n^{{{norm.expected:.2g}}}$"
        panels[1].loglog(norm.sizes[:-1], np.exp(np.mean(np.log(increments / line))) * line, color=f"C{k}", label=label)
    for name, label in LEARNERS.items():
        panels[2].loglog(curve.samples, getattr(curve, name).mean(axis=1), "o-", label=label)
    panels[0].set(title="Norm² of one neuron", xlabel="points n", ylabel=r"$\|f_n\|^2$ (dotted: kernel of c alone)")
    panels[1].set(title="Growth in the tangent kernel", xlabel="points n", ylabel=r"$\|f_{2n}\|^2 - \|f_n\|^2$")
    panels[2].set(title="Learning it, d = 4", xlabel="samples", ylabel="test error, relative")
    panels[2].set_xticks(curve.samples, labels=map(str, curve.samples), minor=False)
    panels[2].minorticks_off()
    for panel in panels:
        panel.legend()
    figure.savefig("one_neuron.png")


if __name__ == "__main__":
    main()
