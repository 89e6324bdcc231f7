"""Published cases in closed form: neurons that are linear in θ, with noise and a penalty, stay Gaussian.

g(θ; x) = θ₁ x, targets y = wx with E x² = s, penalty λ|θ|², temperature τ. With m the mean of θ₁, G = s(m − w)θ₁ + ½λ|θ|² up to a
constant, so that a Gaussian law stays one; the coordinates are Ornstein–Uhlenbeck processes [Uhlenbeck & Ornstein, Phys. Rev. 36 (1930)
823]:

    m₁(t) = m* + (m₁(0) − m*) e^{−(s + λ)t},  m* = ws/(s + λ),     m₂(t) = m₂(0) e^{−λt},     var(t) = τ/λ + (var(0) − τ/λ) e^{−2λt}.

*The rate of mean-field Langevin dynamics.* E − E* falls at least like e^{−2ατt}, α the constant of the logarithmic Sobolev inequality of
the Gibbs measures of G [Nitanda, Wu & Suzuki, AISTATS 2022; Chizat, TMLR 2022]. These have variance τ/λ, so that α = λ/τ, and the rate is
2λ. It is attained: of a start with the right variance, what lasts longest is E − E* = ½λm₂², as θ₂ is seen by no datum.

*Fluctuations.* Of m neurons without noise that are drawn independently all move by the same vector, which damps what their mean is off by:

    m E‖φ_m − φ‖² = s var(0) e^{−2(s + λ)t},

1/m for each t, with the constant of a fresh draw at t = 0, and less and less of it later [Rotskoff & Vanden-Eijnden, Commun. Pure Appl.
Math. 75 (2022) 1889; Sirignano & Spiliopoulos, Stoch. Process. Appl. 130 (2020) 1820].

Writes gaussian_neurons.h5 and gaussian_neurons.png, and prints mean, variance and rate beside the formulas.
"""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled

NOISE, PENALTY, TARGET = 0.2, 0.5, 1.5  # τ, λ, w
STRENGTH = 1 / 3  # s, of x uniform on [−1, 1]
MEAN = np.array([0.0, 1.0])
END = TARGET * STRENGTH / (STRENGTH + PENALTY)


class Slope:
    """g(θ; x) = θ₁ x."""

    theta = ("slope", "idle")

    def value(self, theta, x):
        """Theta (…, 2), x (n, 1) → (…, n)."""
        return theta[..., :1] * x[:, 0]

    def gradient(self, theta, x):
        """(x, 0), (…, n, 2)."""
        along = np.broadcast_to(x[:, 0], (*theta.shape[:-1], len(x)))
        return np.stack([along, np.zeros_like(along)], axis=-1)


def case(std, noise=NOISE):
    energy = wgf.RegressionEnergy(Slope(), wgf.Data.quadrature(lambda x: TARGET * x, lower=-1, upper=1, nodes=4), penalty=PENALTY)
    return wgf.Problem(energy, wgf.Gaussian(MEAN, [std, std]), temperature=noise, title="Linear neurons stay Gaussian")


problem = case(0.3)
density = wgf.FiniteVolume(cells=(96, 96), lower=(-3.5, -3.5), upper=(4.5, 4.5), diffusion="gibbs", dt=0.02)
settled = case(np.sqrt(NOISE / PENALTY))


def mean(time):
    """(m₁, m₂)."""
    return np.array([END + (MEAN[0] - END) * np.exp(-(STRENGTH + PENALTY) * time), MEAN[1] * np.exp(-PENALTY * time)])


def variance(time):
    return NOISE / PENALTY + (0.3**2 - NOISE / PENALTY) * np.exp(-2 * PENALTY * time)


def published(cells=96):
    """Mean and variance at t = 1, and the rate at which E falls, which theory bounds from below and this start attains."""
    method = dataclasses.replace(density, cells=(cells, cells))
    last = wgf.solve(problem, method, 1.0, save=2).measures[-1]
    rate = wgf.decay_rate(wgf.solve(settled, method, 20.0, save=2))
    return {
        "mean of θ₁, t = 1": (mean(1.0)[0], last.mean[0]),
        "mean of θ₂, t = 1": (mean(1.0)[1], last.mean[1]),
        "variance of θ₁, t = 1": (variance(1.0), last.covariance[0, 0]),
        "rate of E, 2ατ = 2λ": (2 * PENALTY, rate),
    }


def fluctuations(sizes=(16, 64, 256, 1024), replicates=400):
    """The slope of E‖φ_m − φ‖² in m, and m times it, at both ends of a run."""
    until, std = 1.0, 0.5
    found = wgf.compare(case(std, noise=0.0), wgf.Characteristics(nodes=4), until, sizes, replicates, save=2, workers=1).rates["function"]
    exact = STRENGTH * std**2 * np.exp(-2 * (STRENGTH + PENALTY) * np.array([0.0, until]))
    return {
        "slope in log m, t = 1": (-1.0, found.slope[-1]),
        "m E‖φ_m − φ‖², t = 0": (exact[0], found.constant[0]),
        "m E‖φ_m − φ‖², t = 1": (exact[-1], found.constant[-1]),
    }


@styled()
def main(density=density, until=10.0):
    moving = wgf.solve(problem, density, until, save=41, store="gaussian_neurons.h5", overwrite=True, progress=True)
    falling = wgf.solve(settled, density, 2 * until, save=41, progress=True)
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    moments, fall = figure.subplots(1, 2)
    times = np.linspace(0, until, 201)
    means, spreads = np.array([measure.mean for measure in moving.measures]), [measure.covariance[0, 0] for measure in moving.measures]
    for k, (found, exact, name) in enumerate(
        [
            (means[:, 0], mean(times)[0], "mean of θ₁"),
            (means[:, 1], mean(times)[1], "mean of θ₂"),
            (spreads, variance(times), "variance of θ₁"),
        ]
    ):
        moments.plot(times, exact, color=f"C{k}", linewidth=1)
        moments.plot(moving.times, found, ".", color=f"C{k}", label=name)
    time, dissipation = falling.history["time"], falling.history["dissipation"]
    fall.plot(time, dissipation, label=f"finite volumes: rate {wgf.decay_rate(falling):.4f}")
    fall.plot(time, PENALTY**2 * MEAN[1] ** 2 * np.exp(-2 * PENALTY * time), "C5--", label=r"$\lambda^2 m_2(0)^2 e^{-2\lambda t}$")
    moments.set(xlabel="t  (lines: closed form)", ylabel="moments")
    fall.set(xlabel="t", ylabel="$-dE/dt$", yscale="log")
    for panel in (moments, fall):
        panel.legend()
    figure.suptitle(problem.title)
    figure.savefig("gaussian_neurons.png")
    print(f"t = {until:g}: mean {means[-1, 0]:.6f}, {means[-1, 1]:.6f} (exact {mean(until)[0]:.6f}, {mean(until)[1]:.6f})")
    print(f"variance {spreads[-1]:.6f} ({variance(until):.6f}), rate of E {wgf.decay_rate(falling):.4f} (2λ = {2 * PENALTY:g})")


if __name__ == "__main__":
    main()
