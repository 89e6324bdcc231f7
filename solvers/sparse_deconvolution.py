"""A published case: spikes on a circle are found again from a blurred signal, if there are enough particles to begin with.

Chizat, "Sparse optimization on measures with over-parameterized gradient descent", Mathematical Programming 194 (2022) 487, arXiv
1907.10300 (2019), deconvolution in one dimension. Five spikes μ₀ = Σ_k w_k δ_{y_k}, w_k uniform on [0, 1], y_k on the circle, are seen
through D(u) = Σ_{|k| ≤ 8} cos ku. What is sought is a measure ν ≥ 0, of any mass, that minimises

    J(ν) = ½ ‖D ∗ (ν − μ₀)‖² + λ|ν|,   λ = .3,   ‖u‖² the mean of u² over the circle, so that ⟨D(· − y), D(· − y')⟩ = D(y − y').

Each D(· − y) has the mean one, so that |ν| = ⟨1, D ∗ ν⟩ and J = ½ ‖D ∗ ν − f*‖² + a constant with f* = D ∗ μ₀ − λ: the penalty is in the
targets. A network of neurons g(r, y; x) = r² D(x − y) is D ∗ ν for ν = ∫ r² δ_y dμ, whose mass is not that of μ, and J = ½L + a constant.

In the metric dr² + r² dy² of a cone the flow of μ is dr/dt = −2rJ', dy/dt = −∂_y J' with J' = G/r²: ν moves by the Wasserstein–Fisher–Rao
flow. The paper's conic particle descent takes steps r ← r e^{−2αJ'}, y ← y − β∂_y J', here α = β = .002, a thousand of them, from r = ½
at m places equally far apart. The paper draws the mean of J − min J over ten draws, for m = 4, …, 10 and several β; these are the constants
of its program. Counted here is in how many of 40 draws J − min J < 1e-2 in the end, beside the parts PORT that an independent port of the
experiment counted of 40 draws of its own. Over 300 draws they are .150, .400, .730, .887 and .933.

Writes sparse_deconvolution.png and prints the parts.
"""

import numpy as np
from matplotlib.figure import Figure

import wgf
from wgf.plots.style import styled

FREQUENCIES, SPIKES, PENALTY = 8, 5, 0.3
STEP, START, GAP = 0.002, 0.5, 1e-2
SIZES, PORT = (5, 6, 8, 10, 20), (0.12, 0.28, 0.68, 0.80, 0.90)
CIRCLE = 2 * np.pi


class Spike:
    """g(r, y; x) = r² D(x − y)."""

    theta = ("r", "y")

    def value(self, theta, x):
        """Theta (…, 2), x (n, 1) → (…, n)."""
        return theta[..., :1] ** 2 * blur(x[:, 0] - theta[..., 1:])

    def gradient(self, theta, x):
        """(2r D, −r² D'), (…, n, 2)."""
        r, u = theta[..., :1], x[:, 0] - theta[..., 1:]
        return np.stack([2 * r * blur(u), -(r**2) * slope(u)], axis=-1)


def blur(u):
    """D(u)."""
    return 1 + 2 * sum(np.cos(k * u) for k in range(1, FREQUENCIES + 1))


def slope(u):
    """D'(u)."""
    return -2 * sum(k * np.sin(k * u) for k in range(1, FREQUENCIES + 1))


def case(seed, nodes=2 * FREQUENCIES + 1):
    """The spikes (y, w) of a draw, and the problem; so many nodes integrate products of two signals exactly."""
    rng = np.random.default_rng(seed)
    places, masses = rng.uniform(0, CIRCLE, SPIKES), rng.uniform(size=SPIKES)
    x = CIRCLE * np.arange(nodes) / nodes
    energy = wgf.RegressionEnergy(Spike(), wgf.Data(x, blur(x[:, None] - places) @ masses - PENALTY))
    return (places, masses), wgf.Problem(energy, wgf.Uniform([0, 0], [1, CIRCLE]), title=f"Sparse deconvolution, draw {seed}")


problem = case(0)[1]


def descent(energy, m, until):
    """Conic descent from equally spaced particles: all points (steps + 1, m, 2), and L at each of them."""
    points, masses = np.column_stack([np.full(m, START), CIRCLE * np.arange(m) / m]), np.full(m, 1 / m)
    path, losses = [points], []
    for _ in range(round(until / STEP)):
        velocity, loss = energy.velocity(points, masses)  # −(2r J', r² ∂_y J')
        losses.append(loss)
        r, y = points.T
        points = np.column_stack([r * np.exp(STEP * velocity[:, 0] / r), y + STEP * velocity[:, 1] / r**2])
        path.append(points)
    return np.array(path), np.append(losses, energy.loss(wgf.Cloud(points, masses)))


def least(problem):
    """The least L of all ν, the places of the best one (N,), and their masses; r² is at most twice the mass of the signal."""
    mass = problem.energy.data.targets.mean() + PENALTY
    found = wgf.global_minimum(problem, [0, 0], [np.sqrt(2 * mass), CIRCLE])
    r, y = found.measure.points.T
    return found.loss, y[r > 0], (r**2 * found.measure.weights)[r > 0]


def parts(draws, sizes, until):
    """J − min J in the end, (draws, sizes)."""
    gaps = []
    for seed in range(draws):
        this = case(seed)[1]
        lowest = least(this)[0]
        gaps.append([(descent(this.energy, m, until)[1][-1] - lowest) / 2 for m in sizes])
    return np.array(gaps)


def published(m=20, until=30.0):
    """A single spike, of mass w at y, is found at its place with the mass w − λ/D(0), where J = λw − ½λ²/D(0)."""
    place, mass = 2.0, 0.6
    inputs = problem.energy.data.inputs
    signal = wgf.Data(inputs, mass * blur(inputs[:, 0] - place) - PENALTY)
    path, losses = descent(wgf.RegressionEnergy(Spike(), signal), m, until)
    masses, places = path[-1, :, 0] ** 2 / m, path[-1, :, 1]
    return {
        "mass": (mass - PENALTY / blur(0.0), masses.sum()),
        "place": (place, masses @ places / masses.sum()),
        "J": (PENALTY * mass - PENALTY**2 / (2 * blur(0.0)), losses[-1] / 2 + PENALTY * mass - PENALTY**2 / 2),
    }


@styled()
def main(until=2.0, sizes=SIZES, draws=40):
    gaps = parts(draws, sizes, until)
    found = (gaps < GAP).mean(axis=0)
    errors = np.sqrt(found * (1 - found) / draws)
    print(f"J − min J < {GAP:g} after {round(until / STEP)} steps, of {draws} draws")
    for m, part, error, port in zip(sizes, found, errors, PORT, strict=False):
        print(f"m = {m:<4}{part:.3f} ± {error:.3f}   port {port:.2f}")
    figure = Figure(figsize=(13, 4.3), layout="constrained")
    paths, falling, often = figure.subplots(1, 3)
    draw_paths(paths, 10, until)
    draw_gaps(falling, sizes, until)
    often.errorbar(sizes, found, errors, fmt="o-", capsize=3, label=f"{draws} draws, ± standard error")
    often.plot(SIZES, PORT, "x", color="C1", label="an independent port")
    often.set(xticks=sizes, xlabel="particles m", ylabel=f"part of the draws with J − min J < {GAP:g}", ylim=(0, 1.05))
    often.legend()
    figure.savefig("sparse_deconvolution.png")


def draw_paths(panel, m, until):
    """Where the particles go, the darker the heavier, and the spikes of the signal and of the least value."""
    spikes, this = case(0)
    path, _ = descent(this.energy, m, until)
    steps, shown = np.arange(len(path)), path[..., 0] ** 2 / m
    for k in range(m):
        panel.scatter(path[:, k, 1] % CIRCLE, steps, c=shown[:, k], s=3, cmap="Blues", vmin=-0.05, vmax=0.3)
    _, places, masses = least(this)
    panel.scatter(spikes[0], np.full(SPIKES, len(path)), 150 * spikes[1], color="C1", label="spikes of the signal", clip_on=False)
    panel.scatter(places, np.full(len(places), len(path)), 150 * masses, "k", marker="x", label="of the least J", clip_on=False, zorder=3)
    panel.set(xlabel="y", ylabel="step", xlim=(0, CIRCLE), title=f"Draw 0, {m} particles")
    panel.legend(loc="lower right", frameon=True)


def draw_gaps(panel, sizes, until):
    lowest = least(problem)[0]
    for m in sizes:
        panel.semilogy((descent(problem.energy, m, until)[1] - lowest) / 2, label=f"m = {m}")
    panel.axhline(GAP, color="C5", linewidth=1)
    panel.set(xlabel="step", ylabel="J − min J", title="Draw 0")
    panel.legend()


if __name__ == "__main__":
    main()
