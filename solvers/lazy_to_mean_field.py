"""From lazy training to feature learning: one problem, one draw of neurons, and the output scale α = m^{−p} alone decides.

Three ReLU neurons are taught to networks of m neurons (c, a), which begin at zero, in pairs (c, a), (−c, a). With p = ½ they move like
their tangent model and keep their directions; with p = 1, the mean-field scaling, they turn towards the three of the teacher. κ, the
relative scale at the start, says beforehand which it will be. Beside the table: what one gradient step changes, the loss and the
differential (whose change is more than its first order where samples cross a kink), and the scale A of φ = (A/√m) Σ g at which the tangent
kernel changes by a half.

Writes lazy_to_mean_field.h5 and lazy_to_mean_field.png.
"""

import numpy as np

import wgf
from wgf.cli.screen import show_lazy

TEACHER = [
    {"c": 1.0, "a1": 1.0, "a2": 0.0},
    {"c": -1.0, "a1": -0.5, "a2": 0.866},
    {"c": 1.0, "a1": -0.5, "a2": -0.866},
]
problem = wgf.Problem(
    energy=wgf.RegressionEnergy(
        neuron=wgf.Neuron("relu", ("c", "a1", "a2"), dim=2),
        data=wgf.Data.samples(wgf.Teacher("relu", TEACHER, dim=2), 150, law="gaussian", mean=[0.0, 0.0], std=[1.0, 1.0]),
    ),
    initial=wgf.Gaussian(mean=0.0, std=0.7),
    title="Three ReLU neurons",
)

smooth = wgf.Problem(
    energy=wgf.RegressionEnergy(wgf.Neuron("tanh", ("c", "a")), wgf.Data.quadrature(lambda x: np.sin(2 * x), lower=-1, upper=1, nodes=10)),
    initial=wgf.Uniform([-1.0, -2.0], [1.0, 2.0]),
    title="Tanh neurons of a bounded law",
)


def published(sizes=(256, 1024, 4096), replicates=4):
    """The exponents of κ in m, −min(½, 1 − p), of a smooth neuron and a bounded law, from a start in pairs."""
    found = {}
    for p, exponent in ((0.5, -0.5), (0.75, -0.25), (1.0, 0.0)):
        scales = [[relative_scale(m, p, seed) for seed in range(replicates)] for m in sizes]
        slope, _ = np.polyfit(np.log(sizes), np.log(scales).mean(axis=1), 1)
        found[f"exponent of κ, p = {p:g}"] = (exponent, slope)
    return found


def relative_scale(m, p, seed):
    """κ of m neurons in pairs (c, a), (−c, a)."""
    half = smooth.initial.sample(m // 2, np.random.default_rng((seed, m)))
    pairs = np.concatenate([half, half * [-1.0, 1.0]])
    return wgf.Network(smooth.energy.neuron, pairs, f"m^-{p}").relative_scale(smooth.energy.data)


def between_regimes(sizes=(32, 128, 512), replicates=16):
    """The exponent in m of the output scale at which training changes the tangent kernel by a tenth."""
    found = wgf.crossover(smooth, sizes, change=0.1, replicates=replicates, centred="pairs", tolerance=1e-2, workers=1)
    return {"exponent of the scale A*": (-0.5, found.slope)}


def main(sizes=(32, 128, 512), until=10.0, replicates=5):
    study = wgf.lazy(problem, sizes, replicates=replicates, until=until, centred="pairs", store="lazy_to_mean_field.h5", overwrite=True)
    show_lazy(study)
    print("\none gradient step of 0.01, relative to E and to ‖Dφ‖, each beside its first order and its bound:")
    draw = problem.initial.sample(sizes[0] // 2, np.random.default_rng(0))
    theta = np.concatenate([draw, draw * [-1.0, 1.0, 1.0]])
    for p in (0.5, 0.75, 1.0):
        change = wgf.step_change(wgf.Network(problem.energy.neuron, theta, f"m^-{p}"), problem.energy.data, 0.01)
        print(
            f"p = {p:<5g} ΔE/E {change.loss:9.2e} ({change.loss_first_order:9.2e}, ±{change.loss_bound:.2e})   "
            f"‖ΔDφ‖/‖Dφ‖ {change.differential:.2e} ({change.differential_first_order:.2e}, {change.differential_bound:.2e})"
        )
    found = wgf.crossover(problem, sizes, change=0.5, until=until, replicates=2, centred="pairs", tolerance=1e-2)
    print(f"\nthe kernel changes by a half at A = {row(found.scales)} for m = {', '.join(map(str, sizes))}:")
    print(f"A ~ m^{found.slope:.2f}, where wide networks have m^-0.5; κ is {row(found.relative_scales)} there")
    study.plot("lazy_to_mean_field.png")


def row(values):
    return ", ".join(f"{value:.3g}" for value in values.mean(axis=1))


if __name__ == "__main__":
    main()
