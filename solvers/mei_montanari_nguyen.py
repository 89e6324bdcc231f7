"""A published case: two Gaussians that differ in size only are distinguished by neurons of which only the length counts.

Mei, Montanari & Nguyen, "A mean field view of the landscape of two-layer neural networks", PNAS 115 (2018) E7665, centred isotropic
Gaussians. y = ±1 with probability ½, x ~ N(0, (1 ± Δ)² I_d), φ(x) = (1/m) Σ_j σ(⟨w_j, x⟩), σ(z) = −2.5 below ½, 7.5 above 3/2, linear
between, w_j ~ N(0, (.8²/d) I_d). A law of w that looks the same in all directions stays so, and |x| is all that φ sees of x. For the
length r = |w| a neuron is g(r; ρ) = h(ρ r), on inputs ρ = |x|/√d = (1 ± Δ)R/√d with R ~ chi_d, whose Gauss rule makes the data, and

    h(s) = E σ(s√d u₁),   u uniform on the sphere:   h = −2.5 + 10 (e(s, ½) − e(s, 3/2)),   e(s, κ) = E (s√d u₁ − κ)₊.

With q = κ/(s√d), as u₁ has the density c(1 − u²)^{(d−3)/2}, c = Γ(d/2)/(√π Γ((d−1)/2)),

    e = s ∂e/∂s − ½κ I_{1−q²}((d − 1)/2, ½),   ∂e/∂s = √d·c (1 − q²)^{(d−1)/2}/(d − 1),

and for d → ∞, as √d u₁ → N(0, 1) and R/√d → 1,   e = s N(κ/s) − κ P(−κ/s),   N and P the density and the distribution of N(0, 1).

Time. L is the paper's risk E(y − φ)², and G its potential Ψ; the paper's ∂_t ρ = 2∂_r(ρ ∂_r Ψ) runs twice as fast as our flow
∂_t μ = ∂_r(μ ∂_r G). A step w ← w + 2ε(y − φ(x))σ'(⟨w, x⟩)x moves the paper's time by ε. Times here are the paper's. Steps have to be
short: at t = 5 the risk is .6997 along the flow, and by the lengths of 800 neurons, in the mean over eight descents, .698 ± .004 with
ε = 2e-5, but .670 ± .005 with 1e-4.

What is best. L is the square of a distance, of which the infimum over all measures is a problem of non-negative least squares (`best`).
While Δ is small one length r* is best, which the potential certifies: G(r; δ_{r*}) ≥ G(r*; δ_{r*}) for all r. For d → ∞ this ends at
Δ = .47422, where h((1 + Δ)r) = 1, h((1 − Δ)r) = −1 and the risk is zero, as it is from there on. For d = 40 it ends at .43101,
where neurons of infinite length would be better.

Writes mei_montanari_nguyen.h5 (the PDE on 800 cells) and mei_montanari_nguyen.png, and prints risks in time by four methods, and the
thresholds. `--quick`: for a short time.
"""

import dataclasses
import itertools
import sys

import numpy as np
from matplotlib.figure import Figure
from scipy import optimize, special, stats
from scipy.interpolate import PchipInterpolator

import wgf
from wgf.plots.style import styled

LOW, SLOPE, KINKS = -2.5, 10.0, (0.5, 1.5)  # σ
DIM, DELTA, WIDTH = 40, 0.8, 0.8
SPEED = 2.0  # our time that passes in one unit of the paper's
SUPPORT = (0.2, 0.6, 0.75, 1.5)  # of |w| at first; close to .65 they stay for long near the watershed between zero and far out
RADII = np.concatenate([np.linspace(1e-3, 6, 2000), np.geomspace(6.01, 1e6, 400)])  # among which the best measure is sought
STEP, TESTED = 4e-5, 4000  # ε of the descent; fresh samples that test it
SHOWN = (0.0, 2.5, 5.0, 10.0)  # times of the densities


class Radial:
    """g(r; ρ) = h(ρ r), the mean of σ(⟨w, x⟩) over the directions of w, in d dimensions (2 to inf)."""

    theta = ("r",)

    def __init__(self, d):
        self.d = d
        half = 0.5 * (d - 1)
        self.c = 1 if np.isinf(d) else np.exp(special.gammaln(d / 2) - special.gammaln(half)) / np.sqrt(np.pi)

    def value(self, theta, x):
        """Theta (…, 1), x (n, 1) → (…, n)."""
        s = theta * x[:, 0]
        return LOW + SLOPE * (self.excess(s, KINKS[0]) - self.excess(s, KINKS[1]))

    def gradient(self, theta, x):
        """∂g/∂r, (…, n, 1)."""
        s = theta * x[:, 0]
        return (x[:, 0] * SLOPE * (self.beyond(s, KINKS[0]) - self.beyond(s, KINKS[1])))[..., None]

    def excess(self, s, kink):
        """e(s, κ) = E (s√d u₁ − κ)₊."""
        if np.isinf(self.d):
            return s * self.beyond(s, kink) - kink * special.ndtr(-kink / s)
        return s * self.beyond(s, kink) - 0.5 * kink * special.betainc(0.5 * (self.d - 1), 0.5, self.rest(s, kink))

    def beyond(self, s, kink):
        """∂e/∂s = E √d u₁ where s√d u₁ > κ."""
        if np.isinf(self.d):
            return stats.norm.pdf(kink / s)
        return np.sqrt(self.d) * self.c * self.rest(s, kink) ** (0.5 * (self.d - 1)) / (self.d - 1)

    def rest(self, s, kink):
        """1 − q² where q < 1, else 0."""
        return 1 - (kink / np.maximum(s * np.sqrt(self.d), kink)) ** 2


def data(delta, d, nodes=10):
    """Inputs ρ = (1 ± Δ)R/√d, R ~ chi_d by the Gauss–Laguerre rule of R²/2, with the targets ±1."""
    if np.isinf(d):
        return wgf.Data([1 + delta, 1 - delta], [1, -1])
    halves, weights = special.roots_genlaguerre(nodes, d / 2 - 1)
    sizes = np.sqrt(2 * halves / d)
    return wgf.Data(np.concatenate([(1 + delta) * sizes, (1 - delta) * sizes]), np.repeat([1, -1], nodes), np.tile(weights, 2))


def energy(delta=DELTA, d=DIM):
    return wgf.RegressionEnergy(Radial(d), data(delta, d))


def mass(r, d=DIM):
    """How much of the initial law of |w| lies below r."""
    return special.gammainc(d / 2, d / 2 * (r / WIDTH) ** 2)


def start(theta):
    """The density of |w|, up to a factor."""
    r = theta[..., 0] / WIDTH
    return np.exp(DIM / 2 * (1 - r**2)) * r ** (DIM - 1)


def pieces():
    """The initial law, cut where characteristics need more nodes than elsewhere."""
    laws = [wgf.FromDensity(start, lower=[low], upper=[high]) for low, high in itertools.pairwise(SUPPORT)]
    return wgf.Mixture(np.diff(mass(np.array(SUPPORT))), laws)


problem = wgf.Problem(energy(), pieces(), title=f"Mei, Montanari & Nguyen 2018, d = {DIM}, Δ = {DELTA}")
density = wgf.FiniteVolume(cells=(800,), lower=(0,), upper=(8,))
nodes = wgf.Characteristics(nodes=200, rtol=1e-7, atol=1e-9)  # of each of the three pieces


def averages(run, frame, grid):
    """The density of a run of characteristics, as cell averages: what lies between two nodes stays there."""
    first, moved = run.measures[0].points[:, 0], run.measures[frame].points[:, 0]
    below = PchipInterpolator(moved, mass(first))(np.clip(grid.edges[0], moved[0], moved[-1]))
    return np.diff(below) / grid.spacing[0]


def descent(rng, times, m, step=STEP):
    """The weights (m, d) of stochastic gradient descent on one fresh sample a step, at the given times."""
    w = rng.normal(size=(m, DIM)) * WIDTH / np.sqrt(DIM)
    for steps in np.diff(np.round(np.asarray(times) / step).astype(int), prepend=0):
        targets = rng.choice([-1.0, 1.0], steps)
        for x, y in zip((1 + DELTA * targets)[:, None] * rng.normal(size=(steps, DIM)), targets, strict=True):
            z = w @ x
            w[(z > KINKS[0]) & (z < KINKS[1])] += 2 * step * (y - ramp(z).mean()) * SLOPE * x
        yield w.copy()


def fresh(rng, count=TESTED):
    """Samples x (count, d), y (count,) in random directions, in order of |x| in each class, which is at the quantiles of its law."""
    y = np.repeat([1.0, -1.0], count // 2)
    sizes = stats.chi(DIM).ppf(np.tile((np.arange(count // 2) + 0.5) / (count // 2), 2))
    x = rng.normal(size=(count, DIM))
    return ((1 + DELTA * y) * sizes / np.linalg.norm(x, axis=1))[:, None] * x, y


def ramp(z):
    """σ(z)."""
    return np.clip(LOW + SLOPE * (z - KINKS[0]), LOW, LOW + SLOPE * (KINKS[1] - KINKS[0]))


def tested(w, x, y):
    """The risk of neurons on samples, and its standard error: that of neighbours, whose |x| are nearly the same."""
    squares = (ramp(x @ w.T).mean(axis=1) - y) ** 2
    return np.array([squares.mean(), np.diff(squares).std() / np.sqrt(2 * len(y))])


def averaged(w):
    """The risk of a network with the same lengths of weights in all directions."""
    return problem.energy.loss(wgf.Cloud(np.linalg.norm(w, axis=1), np.full(len(w), 1 / len(w))))


def missed(delta, d, radii=RADII):
    """b_r = √weights (g(r) − y), (radii, n): the risk of a measure ρ is |Σ_r ρ_r b_r|²."""
    samples = data(delta, d)
    return np.sqrt(samples.weights) * (Radial(d).value(np.reshape(radii, (-1, 1)), samples.inputs) - samples.targets)


def best(delta, d):
    """The least risk of all measures on RADII.

    That is min |Σ_r ρ_r b_r|² over Σρ = 1, ρ ≥ 0. In min |Σ_r ν_r b_r|² + (Σν − 1)² over ν = sρ ≥ 0 the best ρ is the same for each s.
    """
    columns = missed(delta, d).T
    measure, _ = optimize.nnls(np.vstack([columns, np.ones(len(RADII))]), np.append(np.zeros(len(columns)), 1.0))
    return float(np.sum((columns @ measure / measure.sum()) ** 2))


def single(delta, d):
    """The best single length r*, and its risk."""
    k = int(np.argmin(np.sum(missed(delta, d)[1:-1] ** 2, axis=1))) + 1
    around = {"bounds": (RADII[k - 1], RADII[k + 1]), "method": "bounded", "options": {"xatol": 1e-12}}
    found = optimize.minimize_scalar(lambda r: np.sum(missed(delta, d, r) ** 2), **around)
    return found.x, found.fun


def lack(delta, d):
    """max_r G(r*; δ_{r*}) − G(r; δ_{r*}), where G(r; δ_{r*}) = b_r · b_{r*} up to a constant: zero, up to rounding, where r* is best."""
    alone = missed(delta, d, single(delta, d)[0])[0]
    return alone @ alone - (missed(delta, d) @ alone).min()


def threshold(d, tolerance=1e-9):
    """The Δ up to which one length is best, by bisection."""
    return optimize.bisect(lambda delta: lack(delta, d) - tolerance, 0.1, 0.9, xtol=1e-8)


def solved(density, times):
    """The runs of the PDE, of the PDE with fluxes of first order, and of the nodes."""
    options = {"until": SPEED * times[-1], "save": SPEED * times, "progress": True}
    return (
        wgf.solve(problem, density, store="mei_montanari_nguyen.h5", overwrite=True, **options),
        wgf.solve(problem, dataclasses.replace(density, limiter="upwind"), **options),
        wgf.solve(problem, nodes, **options),
    )


def report(times, pde, upwind, exact, risks, radial):
    """Print the risks in time; (L¹) is the distance of the density from that of the nodes."""
    print(f"{problem.title}: risk in the paper's time, and how far it is from that of the nodes\n{HEADING}")
    for k in range(0, len(times), 3):
        grid = pde.measures[k].grid
        distances = [np.abs(averages(exact, k, grid) - run.measures[k].values).sum() * grid.cell_volume for run in (pde, upwind)]
        line = f"{times[k]:6.4g}{exact.loss[k]:10.5f}"
        for run, distance in zip((pde, upwind), distances, strict=True):
            line += f"{run.loss[k]:10.5f}{run.loss[k] / exact.loss[k] - 1:9.2%}{distance:8.4f}"
        mean, error = risks[:, k].mean(axis=0)
        print(f"{line}{mean:10.4f} ± {error:.4f}{radial[:, k].mean():11.4f}")


HEADING = f"{'time':>6}{'nodes':>10}{'PDE':>10}{'off':>9}{'L¹':>8}{'upwind':>10}{'off':>9}{'L¹':>8}{'SGD ± test':>19}{'by lengths':>11}"


def published(nodes=50, delta=0.2, until=40.0):
    """What the flow comes to where one length is best, beside the least risk; and where that ends for d → ∞, by the equations above."""
    this = wgf.Problem(energy(delta), pieces())
    run = wgf.solve(this, wgf.Characteristics(nodes=nodes, rtol=1e-7, atol=1e-9), until, save=2)
    return {
        f"risk at rest, d = {DIM}, Δ = {delta}": (best(delta, DIM), run.loss[-1]),
        f"mean length at rest, d = {DIM}, Δ = {delta}": (single(delta, DIM)[0], run.measures[-1].mean[0]),
        "Δ up to which one length is best, d → ∞": (perfect(), threshold(np.inf)),
    }


def perfect():
    """The Δ from which on one length has the risk zero for d → ∞: h((1 + Δ)r) = 1 and h((1 − Δ)r) = −1."""
    r = [optimize.brentq(lambda s, y=y: Radial(np.inf).value(np.array([[s]]), np.ones((1, 1)))[0, 0] - y, 0.01, 20) for y in (1.0, -1.0)]
    return (r[0] - r[1]) / (r[0] + r[1])


@styled()
def main(density=density, until=20.0, m=800, draws=3):
    times = np.linspace(0, until, 25)
    pde, upwind, exact = solved(density, times)
    weights = [list(descent(np.random.default_rng(seed), times, m)) for seed in range(1, draws + 1)]
    samples = fresh(np.random.default_rng(0))
    risks = np.array([[tested(w, *samples) for w in series] for series in weights])
    radial = np.array([[averaged(w) for w in series] for series in weights])
    report(times, pde, upwind, exact, risks, radial)
    ends = {d: threshold(d) for d in (DIM, np.inf)}
    figure = Figure(figsize=(14, 4.5), layout="constrained")
    in_time, lengths, least = figure.subplots(1, 3)
    draw_risks(in_time, times, pde, upwind, exact, risks[..., 0], radial)
    draw_lengths(lengths, times, pde, weights)
    draw_best(least, ends)
    figure.suptitle(problem.title)
    figure.savefig("mei_montanari_nguyen.png")


def draw_risks(panel, times, pde, upwind, exact, risks, radial):
    """Lines by all steps of the PDE; of the descents the mean, with the least and the largest risk of all draws."""
    for run, style, label in ((pde, "C0", f"PDE, {pde.measures[0].grid.size} cells"), (upwind, "C3--", "PDE, fluxes of first order")):
        panel.plot(run.history["time"] / SPEED, run.history["loss"], style, label=label)
    mean = risks.mean(axis=0)
    reach = [mean - risks.min(axis=0), risks.max(axis=0) - mean]
    panel.errorbar(times, mean, reach, fmt="none", ecolor="C1", elinewidth=5, alpha=0.6, label=f"SGD, {len(risks)} draws")
    panel.plot(times, radial.mean(axis=0), "C1x", label="SGD, averaged over directions")
    panel.plot(times, exact.loss, ".", color="C4", label="characteristics")
    panel.set(xlabel="time (the paper's)", ylabel="risk E(y − φ)²", ylim=(0, None))
    panel.legend()


def draw_lengths(panel, times, pde, weights):
    """Densities of r, and histograms of the neurons of all draws."""
    for k, time in enumerate(SHOWN):
        frame = int(np.argmin(np.abs(times - time)))
        r = np.linalg.norm(np.concatenate([series[frame] for series in weights]), axis=1)
        panel.hist(r, np.linspace(0, 8, 81), density=True, color=f"C{k}", alpha=0.3)
        panel.plot(pde.measures[frame].grid.centers[0], pde.measures[frame].values, f"C{k}", label=f"t = {times[frame]:.3g}")
    panel.set(xlabel="length r of the weights", ylabel="density (histograms: SGD)", xlim=(0, 6.5), ylim=(0, 5))
    panel.legend()


def draw_best(panel, ends):
    deltas = np.linspace(0.02, 0.98, 33)
    for color, (d, end) in zip(("C0", "C1"), ends.items(), strict=True):
        name = "d → ∞" if np.isinf(d) else f"d = {d}"
        print(f"{name}: one length is best up to Δ = {end:.5f}, with the risk {single(end, d)[1]:.5f}")
        print("  least risk: " + ", ".join(f"{best(delta, d):.5f} at Δ = {delta}" for delta in (0.1, 0.2, 0.3, 0.4)))
        panel.plot(deltas, [best(delta, d) for delta in deltas], color, label=f"{name}, least risk")
        panel.plot(deltas, [single(delta, d)[1] for delta in deltas], color + ":", label=f"{name}, one length")
        panel.plot(end, single(end, d)[1], "o", color=color, clip_on=False, label=f"{name}, up to Δ = {end:.5f} they agree")
    panel.set(xlabel="Δ", ylabel="risk", xlim=(0, 1), ylim=(0, 1))
    panel.legend()


if __name__ == "__main__":
    main(until=2.0 if "--quick" in sys.argv else 20.0)
